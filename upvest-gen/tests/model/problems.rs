//! All problems of a description are found in one run, each with its place. A problem leaves out only the operation
//! with it.

use std::collections::BTreeSet;

use super::outline::outline;
use super::{document_of, read};
use upvest_gen::{Error, Source, model};

/// The operations that are left out, the notes, or the errors of a description with an operation `ok` and `GET /a`
/// with these members.
fn wrong(members: &str) -> (Vec<Error>, Vec<Error>) {
    let parts = format!(
        "paths:\n  /_ok: {{ get: {{ operationId: ok, responses: {{ '204': {{}} }} }} }}\n  /a/{{id}}: {{ get: {members} }}"
    );
    let api = read("3.1.0", &parts).unwrap();
    assert_eq!(api.operations[0].id, "ok");
    (api.left_out, api.notes)
}

#[test]
fn an_operation_that_cannot_be_expressed_is_left_out_by_name() {
    let path = "{ name: id, in: path, required: true, schema: { type: string } }";
    let at = "/paths/~1a~1{id}/get";
    for (members, place, problem) in [
        (
            "{ responses: { '204': {} } }".to_owned(),
            String::new(),
            "`/a/{id}` contains `id`, which is not a parameter",
        ),
        (
            format!(
                "{{ parameters: [{path}, {{ name: c, in: cookie, required: true, schema: {{}} }}], responses: {{ '204': {{}} }} }}"
            ),
            "/parameters/1".to_owned(),
            "the parameter `c` is in \"cookie\"",
        ),
        (
            format!(
                "{{ parameters: [{path}, {{ name: c, required: true, schema: {{}} }}], responses: {{ '204': {{}} }} }}"
            ),
            "/parameters/1".to_owned(),
            "the parameter `c` is in null",
        ),
        (
            format!(
                "{{ parameters: [{path}, {{ in: query, required: true, schema: {{}} }}], responses: {{ '204': {{}} }} }}"
            ),
            "/parameters/1".to_owned(),
            "the parameter does not have a name",
        ),
        (
            format!(
                "{{ parameters: [{path}, {{ name: c, in: query, required: true }}], responses: {{ '204': {{}} }} }}"
            ),
            "/parameters/1".to_owned(),
            "the parameter `c` has no schema",
        ),
        (
            format!(
                "{{ parameters: [{path}, {{ name: c, in: path, schema: {{}} }}], responses: {{ '204': {{}} }} }}"
            ),
            "/parameters/1".to_owned(),
            "the path parameter `c` does not occur in `/a/{id}`",
        ),
        (
            format!(
                "{{ parameters: [{path}, {{ name: c, in: query, style: deepObject, required: true, schema: {{ type: object }} }}], responses: {{ '204': {{}} }} }}"
            ),
            "/parameters/1".to_owned(),
            "the style of `c` is \"deepObject\"",
        ),
        (
            format!(
                "{{ parameters: [{path}, {{ name: c, in: query, required: true, schema: {{ properties: {{ a: {{}} }} }} }}], responses: {{ '204': {{}} }} }}"
            ),
            "/parameters/1".to_owned(),
            "the parameter `c` is not a scalar",
        ),
        (
            format!(
                "{{ parameters: [{path}, {{ $ref: '#/components/parameters/Gone' }}], responses: {{ '204': {{}} }} }}"
            ),
            "/parameters/1".to_owned(),
            "the target of `#/components/parameters/Gone` does not exist",
        ),
        (
            format!("{{ parameters: [{path}], responses: {{ '400': {{}} }} }}"),
            "/responses".to_owned(),
            "getAById has no success response",
        ),
        (
            format!("{{ parameters: [{path}] }}"),
            String::new(),
            "getAById has no success response",
        ),
        (
            format!("{{ parameters: [{path}], operationId: ok, responses: {{ '204': {{}} }} }}"),
            "/operationId".to_owned(),
            "two operations have the id `ok`",
        ),
        (
            format!(
                "{{ parameters: [{path}], responses: {{ '200': {{ $ref: '#/components/responses/Gone' }} }} }}"
            ),
            "/responses/200".to_owned(),
            "the target of `#/components/responses/Gone` does not exist",
        ),
        (
            format!(
                "{{ parameters: [{path}], requestBody: {{ $ref: '#/components/requestBodies/Gone' }}, responses: {{ '204': {{}} }} }}"
            ),
            "/requestBody".to_owned(),
            "the target of `#/components/requestBodies/Gone` does not exist",
        ),
        (
            format!(
                "{{ parameters: [{path}], requestBody: {{ content: {{ application/xml: {{}} }} }}, responses: {{ '204': {{}} }} }}"
            ),
            "/requestBody".to_owned(),
            "getAById takes `application/xml`",
        ),
        (
            format!(
                "{{ parameters: [{path}], requestBody: {{ content: {{ application/x-www-form-urlencoded: {{ schema: {{ type: string }} }} }} }}, responses: {{ '204': {{}} }} }}"
            ),
            "/requestBody".to_owned(),
            "the form of getAById is not an object with properties",
        ),
        (
            format!(
                "{{ parameters: [{path}], responses: {{ '200': {{ content: {{ application/json: {{ schema: {{ $ref: '#/components/schemas/Gone' }} }} }} }} }} }}"
            ),
            "/responses/200/content/application~1json/schema".to_owned(),
            "the target of `#/components/schemas/Gone` does not exist",
        ),
        (
            format!(
                "{{ parameters: [{path}], responses: {{ '200': {{ content: {{ application/json: {{ schema: {{ type: text }} }} }} }} }} }}"
            ),
            "/responses/200/content/application~1json/schema".to_owned(),
            "\"text\" is not a type",
        ),
        (
            format!(
                "{{ parameters: [{path}], responses: {{ '200': {{ content: {{ application/json: {{ schema: 7 }} }} }} }} }}"
            ),
            "/responses/200/content/application~1json/schema".to_owned(),
            "7 is not a schema",
        ),
    ] {
        let (left_out, notes) = wrong(&members);
        let [error] = left_out.as_slice() else {
            panic!("{members}: {left_out:#?} {notes:#?}")
        };
        assert_eq!(
            error.pointer(),
            format!("{at}{place}").as_str(),
            "{members}"
        );
        assert_eq!(error.problem(), problem, "{members}");
        assert!(
            !error.remedy().is_empty() && error.file() == "api.yaml",
            "{error}"
        );
        assert!(notes.is_empty(), "{members}: {notes:#?}");
    }
}

#[test]
fn paths_headers_and_media_types_that_cannot_be_sent_are_named() {
    let ok = "/ok: { get: { operationId: ok, responses: { '204': {} } } }";
    for (item, problem) in [
        (
            "orders: { get: { responses: { '204': {} } } }",
            "the path template \"orders\" is invalid",
        ),
        (
            "'/a b': { get: { responses: { '204': {} } } }",
            "the path template \"/a b\" is invalid",
        ),
        (
            "'/a?b': { get: { responses: { '204': {} } } }",
            "the path template \"/a?b\" is invalid",
        ),
        (
            "'/a/{b': { get: { responses: { '204': {} } } }",
            "the path template \"/a/{b\" is invalid",
        ),
        (
            "'/ä': { get: { responses: { '204': {} } } }",
            "the path template \"/ä\" is invalid",
        ),
        (
            "\"/a\\nb\": { get: { responses: { '204': {} } } }",
            "the path template \"/a\\nb\" is invalid",
        ),
        (
            "/a: { get: { parameters: [{ name: a b, in: header, required: true, schema: { type: string } }], responses: { '204': {} } } }",
            "\"a b\" is not the name of a header",
        ),
        (
            "/a: { get: { responses: { '200': { content: { \"text/\\nplain\": {} } } } } }",
            "the media type \"text/\\nplain\" is invalid",
        ),
        (
            "/a: { post: { requestBody: { content: { application/x-www-form-urlencoded: { schema: { required: [a], properties: { a: { type: object } } } } } }, responses: { '204': {} } } }",
            "the field `a` in the form of postA is neither a scalar nor a list of scalars",
        ),
    ] {
        let api = read("3.1.0", &format!("paths:\n  {ok}\n  {item}")).unwrap();
        let [error] = api.left_out.as_slice() else {
            panic!("{item}: {:#?}", api.left_out)
        };
        assert_eq!(error.problem(), problem, "{item}");
    }
    for path in ["/a:run", "/a%20b", "/", "/a.b/c-d~e"] {
        super::sound(&format!(
            "paths: {{ '{path}': {{ get: {{ operationId: a, responses: {{ '204': {{}} }} }} }} }}"
        ));
    }
}

#[test]
fn a_problem_of_a_shared_schema_is_noted_and_leaves_out_no_operation() {
    for (schema, place, problem) in [
        (
            "Order: { properties: { a: { $ref: '#/components/schemas/Gone' } } }",
            "Order/properties/a",
            "the target of `#/components/schemas/Gone` does not exist",
        ),
        (
            "Order: { properties: { a: { $ref: 'other.yaml#/a' } } }",
            "Order/properties/a",
            "the reference `other.yaml#/a` points outside of the document",
        ),
        (
            "Order: { properties: { a: { $ref: 7 } } }",
            "Order/properties/a",
            "7 is not a reference",
        ),
        (
            "Order: { properties: { a: { $ref: '#/components/responses/X' } } }",
            "Order/properties/a",
            "the target of `#/components/responses/X` does not exist",
        ),
        (
            "Order: { properties: { a: { type: text } } }",
            "Order/properties/a",
            "\"text\" is not a type",
        ),
        (
            "Order: { properties: { a: { type: 1 } } }",
            "Order/properties/a/type",
            "1 is not a type",
        ),
        (
            "Order: { properties: { a: 7 } }",
            "Order/properties/a",
            "7 is not a schema",
        ),
        (
            "Order: { properties: { a: { allOf: 7 } } }",
            "Order/properties/a/allOf",
            "`allOf` is not a list",
        ),
        (
            "Order: { properties: { a: { oneOf: {} } } }",
            "Order/properties/a/oneOf",
            "`oneOf` is not a list",
        ),
        (
            "Order: { properties: { a: { properties: 7 } } }",
            "Order/properties/a/properties",
            "`properties` is not an object",
        ),
        (
            "Order: { properties: { a: { type: string, enum: [A, {}] } } }",
            "Order/properties/a",
            "the enum value {} is not a string",
        ),
        (
            "Order: { properties: { a: { type: string, enum: [A], x-enum-descriptions: { B: Gone. } } } }",
            "Order/properties/a",
            "`x-enum-descriptions` names \"B\", which is not a value",
        ),
        (
            "Order: { properties: { a: { type: string, enum: [A], x-final: [B] } } }",
            "Order/properties/a",
            "`x-final` names \"B\", which is not a value",
        ),
    ] {
        let api = read("3.1.0", &document_of(schema)).unwrap();
        assert_eq!(api.operations.len(), 1, "{schema}: {}", outline(&api));
        assert_eq!(api.left_out.len(), 0, "{schema}: {}", outline(&api));
        let [note] = api.notes.as_slice() else {
            panic!("{schema}: {:#?}", api.notes)
        };
        assert_eq!(
            note.pointer(),
            format!("/components/schemas/{place}").as_str(),
            "{schema}"
        );
        assert_eq!(note.problem(), problem, "{schema}");
    }
}

#[test]
fn an_x_type_name_is_rejected_if_no_schema_gives_its_values() {
    let errors = read(
        "3.1.0",
        &document_of("Order: { properties: { a: { type: string, x-type-name: Kind } } }"),
    )
    .unwrap_err();
    let [error] = errors.as_slice() else {
        panic!("{errors:#?}")
    };
    assert_eq!(error.pointer(), "/components/schemas/Order/properties/a");
    assert_eq!(
        error.problem(),
        "`x-type-name: Kind` names an enum without values"
    );
}

#[test]
fn circular_references_are_reported() {
    for schemas in [
        "Here: { $ref: '#/components/schemas/There' }\nThere: { $ref: '#/components/schemas/Here' }",
        "Here: { $ref: '#/components/schemas/Here' }",
        "Here: { allOf: [{ $ref: '#/components/schemas/Here' }] }",
        "Here: { allOf: [{ $ref: '#/components/schemas/There' }] }\nThere: { allOf: [{ $ref: '#/components/schemas/Here' }], properties: { a: {} } }",
        "Here: { oneOf: [{ $ref: '#/components/schemas/Here' }, { type: string }] }",
        "Here: { oneOf: [{ $ref: '#/components/schemas/There' }, { type: string }] }\nThere: { anyOf: [{ $ref: '#/components/schemas/Here' }, { type: integer }] }",
        "Here: { oneOf: [{ $ref: '#/components/schemas/Here' }] }",
        "Here: { type: array, items: { $ref: '#/components/schemas/Here' } }",
        "Here: { type: object, additionalProperties: { $ref: '#/components/schemas/Here' } }",
        "Here: { type: array, items: { $ref: '#/components/schemas/There' } }\nThere: { type: object, additionalProperties: { $ref: '#/components/schemas/Here' } }",
    ] {
        let parts = document_of(&format!(
            "Order: {{ properties: {{ a: {{ $ref: '#/components/schemas/Here' }} }} }}\n{schemas}"
        ));
        let api = read("3.1.0", &parts).unwrap();
        assert!(!api.notes.is_empty(), "{schemas}: {}", outline(&api));
        let places: BTreeSet<&str> = api.notes.iter().map(Error::pointer).collect();
        assert!(
            places
                .iter()
                .all(|place| place.starts_with("/components/schemas/")),
            "{schemas}: {places:?}"
        );
    }
}

#[test]
fn all_independent_problems_are_reported_in_one_run() {
    let parts = "
paths:
  /ok: { get: { operationId: ok, responses: { '204': {} } } }
  /a: { get: { operationId: a, parameters: [{ name: x, in: cookie, required: true, schema: {} }, { name: y, in: query, required: true }], responses: { '204': {} } } }
  /b: { get: { operationId: b, responses: {} }, put: { operationId: b2, responses: { '204': {} }, requestBody: { content: { application/xml: {} } } } }
  /c/{d}: { get: { operationId: c, responses: { '204': {} } } }
  /e: { get: { operationId: e, responses: { '200': { content: { application/json: { schema: { $ref: '#/components/schemas/Order' } } } } } } }
components:
  schemas:
    Order: { properties: { p: { type: text }, q: { $ref: '#/components/schemas/Gone' }, r: { type: number } } }
    Unused: { properties: { s: { allOf: 7 } } }
";
    let api = read("3.1.0", parts).unwrap();
    let ids: Vec<&str> = api
        .operations
        .iter()
        .map(|operation| operation.id.as_str())
        .collect();
    assert_eq!(ids, ["ok", "e"]);
    let places = |errors: &[Error]| {
        errors
            .iter()
            .map(|error| error.pointer().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        places(&api.left_out),
        [
            "/paths/~1a/get/parameters/0",
            "/paths/~1a/get/parameters/1",
            "/paths/~1b/get/responses",
            "/paths/~1b/put/requestBody",
            "/paths/~1c~1{d}/get"
        ]
    );
    let mut notes = places(&api.notes);
    notes.sort();
    assert_eq!(
        notes,
        [
            "/components/schemas/Order/properties/p",
            "/components/schemas/Order/properties/q",
            "/components/schemas/Order/properties/r",
            "/components/schemas/Unused/properties/s/allOf",
        ]
    );
    // Without a valid operation there is nothing to generate, so all problems are errors.
    let errors = read(
        "3.1.0",
        &parts
            .replace("'204': {}", "'400': {}")
            .replace("'200'", "'300'"),
    )
    .unwrap_err();
    let places: BTreeSet<&str> = errors.iter().map(Error::pointer).collect();
    assert!(errors.len() >= 10 && places.len() >= 10, "{errors:#?}");
}

#[test]
fn a_document_without_operations_is_rejected() {
    for parts in [
        "",
        "paths: {}",
        "paths: 7",
        "paths: { /a: {} }",
        "paths: { /a: { x-get: {} } }",
        "x-paths: { /a: { get: { responses: { '204': {} } } } }",
    ] {
        let errors = read("3.1.0", parts).unwrap_err();
        assert_eq!(errors.len(), 1, "{parts}");
        assert_eq!(errors[0].problem(), "there are no operations", "{parts}");
    }
}

#[test]
fn an_invalid_shared_part_leaves_out_each_operation_that_needs_it() {
    let parts = "
paths:
  /ok: { get: { operationId: ok, responses: { '204': {} } } }
  /a: { get: { operationId: a, parameters: [{ $ref: '#/components/parameters/Deep' }], responses: { '204': {} } } }
  /b: { get: { operationId: b, parameters: [{ $ref: '#/components/parameters/Deep' }], responses: { '204': {} } } }
  /c: { put: { operationId: c, requestBody: { $ref: '#/components/requestBodies/Xml' }, responses: { '204': {} } } }
  /d: { put: { operationId: d, requestBody: { $ref: '#/components/requestBodies/Xml' }, responses: { '204': {} } } }
components:
  parameters: { Deep: { name: deep, in: query, required: true, style: deepObject, schema: { type: object } } }
  requestBodies: { Xml: { content: { application/xml: {} } } }
";
    let api = read("3.1.0", parts).unwrap();
    let ids: Vec<&str> = api
        .operations
        .iter()
        .map(|operation| operation.id.as_str())
        .collect();
    assert_eq!(ids, ["ok"], "{}", outline(&api));
    let left_out: Vec<(&str, &str)> = api
        .left_out
        .iter()
        .map(|error| (error.pointer(), error.problem()))
        .collect();
    let xml = "c takes `application/xml` (at /components/requestBodies/Xml)";
    let deep = "the style of `deep` is \"deepObject\" (at /components/parameters/Deep)";
    assert_eq!(
        left_out,
        [
            ("/paths/~1a/get", deep),
            ("/paths/~1b/get", deep),
            ("/paths/~1c/put", xml),
            ("/paths/~1d/put", xml.replacen('c', "d", 1).as_str()),
        ]
    );
}

/// The only error of a description in JSON with this component schema: its place and its problem.
#[track_caller]
fn error_of_json(schema: &str) -> String {
    let text = format!(
        r#"{{ "openapi": "3.0.3", "info": {{ "title": "T", "version": "1" }},
"paths": {{ "/a": {{ "get": {{ "operationId": "a", "responses": {{ "204": {{}} }} }} }} }},
"components": {{ "schemas": {{ "Order":
{schema} }} }} }}"#
    );
    let errors = model(&Source::new("api.json", text), None).unwrap_err();
    let mut errors = errors.iter();
    let error = errors.next().unwrap();
    assert!(errors.next().is_none(), "{schema}");
    format!("{}: {}", error.pointer(), error.problem())
}

#[test]
fn a_duplicate_json_key_is_rejected_in_nested_objects() {
    let order = "/components/schemas/Order";
    for (schema, expected) in [
        (
            r#"{ "properties": { "id": { "type": "string" }, "id": {} } }"#,
            format!("line 4 column 47: the key \"id\" of {order}/properties is duplicated: here and at line 4 column 19"),
        ),
        (
            r#"{ "allOf": [{}, { "type": "object", "type": "string" }] }"#,
            format!("line 4 column 37: the key \"type\" of {order}/allOf/1 is duplicated: here and at line 4 column 19"),
        ),
        (
            r#"{ "example": { "a": [{ "b": 1, "b": 1 }] } }"#,
            format!("line 4 column 32: the key \"b\" of {order}/example/a/0 is duplicated: here and at line 4 column 24"),
        ),
        (
            r#"{ "title": "A" }, "Order": {}"#,
            "line 4 column 19: the key \"Order\" of /components/schemas is duplicated: here and at line 3 column 30"
                .to_owned(),
        ),
    ] {
        assert_eq!(error_of_json(schema), expected);
    }
}

#[test]
fn duplicate_json_keys_are_found_despite_escapes() {
    for (one, other, key) in [
        (r"a", r"\u0061", "a"),
        (r"\u0061", r"a", "a"),
        (r"\u00e4", "ä", "ä"),
        (r"\u00E4", r"\u00e4", "ä"),
        (r"a\/b", "a/b", "a/b"),
        (r"\ud83d\ude00", "😀", "😀"),
    ] {
        let schema = format!(r#"{{ "properties": {{ "{one}": {{}}, "{other}": {{}} }} }}"#);
        let found = error_of_json(&schema);
        let problem =
            format!("the key {key:?} of /components/schemas/Order/properties is duplicated: here");
        assert!(found.contains(&problem), "{schema}: {found}");
    }
}

#[test]
fn a_key_is_a_duplicate_only_in_one_object_and_letter_case() {
    let inner = "{ properties: { a: { type: string } } }";
    let properties = format!("{{ a: {{ type: string }}, A: {{ type: string }}, b: {inner} }}");
    super::schemas(&format!("Order: {{ properties: {properties} }}"));
}

#[test]
fn a_status_is_the_same_key_with_and_without_quotes() {
    let responses = "{ 200: { description: One. }, '200': { description: Another. } }";
    let parts = format!("paths: {{ /a: {{ get: {{ operationId: a, responses: {responses} }} }} }}");
    let errors = read("3.1.0", &parts).unwrap_err();
    let problem = "the key \"200\" of /paths/~1a/get/responses is duplicated: here and at";
    assert!(errors[0].problem().starts_with(problem), "{errors:?}");
}
