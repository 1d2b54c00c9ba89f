//! A detail that cannot be expressed does not leave out the operation around it.

use upvest_gen::model::{Content, Operation, Type};

use super::{read, sound};

/// Reads a description whose only operation is `GET /a` with `members`. Returns the operation and its only note.
#[track_caller]
fn noted_operation(members: &str, components: &str) -> (Operation, String) {
    let parts = format!(
        "paths: {{ /a: {{ get: {{ operationId: a, {members} }} }} }}\ncomponents: {{ {components} }}"
    );
    let mut api = read("3.1.0", &parts).unwrap_or_else(|errors| panic!("{errors:#?}\n{parts}"));
    assert!(api.left_out.is_empty(), "{:#?}", api.left_out);
    let [note] = api.notes.as_slice() else {
        panic!("{:#?}\n{parts}", api.notes)
    };
    let note = format!("{}: {}", note.pointer(), note.problem());
    (api.operations.remove(0), note)
}

#[test]
fn an_optional_parameter_that_cannot_be_sent_is_left_out_alone() {
    for (parameter, problem) in [
        (
            "name: c, in: cookie, schema: { type: string }",
            "the parameter `c` is in \"cookie\"",
        ),
        (
            "name: c, in: body, schema: { type: string }",
            "the parameter `c` is in \"body\"",
        ),
        (
            "name: c, in: query, style: deepObject, schema: { type: object }",
            "the style of `c` is \"deepObject\"",
        ),
        (
            "name: c, in: query, style: spaceDelimited, schema: { type: array, items: { type: string } }",
            "the style of `c` is \"spaceDelimited\"",
        ),
        (
            "name: c, in: header, style: matrix, required: false, schema: { type: string }",
            "the style of `c` is \"matrix\"",
        ),
        (
            "name: c, in: query, schema: { type: object, properties: { a: { type: string } } }",
            "the parameter `c` is not a scalar",
        ),
        ("name: c, in: query", "the parameter `c` has no schema"),
        (
            "in: query, schema: { type: string }",
            "the parameter does not have a name",
        ),
        (
            "name: 'c d', in: header, schema: { type: string }",
            "\"c d\" is not the name of a header",
        ),
    ] {
        let kept = "{ name: kept, in: query, schema: { type: string } }";
        let members =
            format!("parameters: [{{ {parameter} }}, {kept}], responses: {{ '204': {{}} }}");
        let (operation, note) = noted_operation(&members, "");
        assert_eq!(
            note,
            format!("/paths/~1a/get/parameters/0: {problem}, so the parameter is left out")
        );
        let names: Vec<&str> = operation
            .parameters
            .iter()
            .map(|it| it.name.as_str())
            .collect();
        assert_eq!(names, ["kept"], "{parameter}");
    }
}

#[test]
fn a_shared_parameter_that_is_left_out_is_noted_once() {
    let parts = "
paths:
  /a:
    parameters: [{ $ref: '#/components/parameters/Session' }]
    get: { operationId: a, responses: { '204': {} } }
    put: { operationId: b, responses: { '204': {} } }
components: { parameters: { Session: { name: session, in: cookie, schema: { type: string } } } }
";
    let api = read("3.0.3", parts).unwrap();
    assert_eq!(api.operations.len(), 2);
    assert_eq!(api.notes.len(), 1);
    assert_eq!(api.notes[0].pointer(), "/components/parameters/Session");
}

#[test]
fn default_alone_is_the_success_response() {
    let schema = "content: { application/json: { schema: { type: object, properties: { id: { type: string } } } } }";
    for (responses, components) in [
        (format!("default: {{ {schema} }}"), String::new()),
        (
            format!("default: {{ {schema} }}, '404': {{ description: Gone. }}"),
            String::new(),
        ),
        (
            "default: { $ref: '#/components/responses/Any' }".to_owned(),
            format!("responses: {{ Any: {{ {schema} }} }}"),
        ),
    ] {
        let members = format!("responses: {{ {responses} }}");
        let (operation, note) = noted_operation(&members, &components);
        assert_eq!(
            note,
            "/paths/~1a/get/responses/default: a has no 2xx response, so `default` is read as its response for success"
        );
        assert!(
            matches!(operation.response.content, Content::Json(Type::Schema(_))),
            "{responses}"
        );
    }
    let (operation, _) = noted_operation("responses: { default: { description: Done. } }", "");
    assert_eq!(operation.response.content, Content::Empty);
}

#[test]
fn default_describes_errors_if_there_is_a_success_response() {
    for status in ["'200'", "2XX", "'204'"] {
        let api = sound(&format!(
            "paths: {{ /a: {{ get: {{ operationId: a, responses: {{ {status}: {{}}, default: {{ content: {{ application/json: {{ schema: {{ type: object, properties: {{ id: {{ type: string }} }} }} }} }} }} }} }} }} }}"
        ));
        assert_eq!(
            api.operations[0].response.content,
            Content::Empty,
            "{status}"
        );
        assert!(api.schemas.is_empty(), "{status}");
    }
}

#[test]
fn several_success_types_are_joined_into_one() {
    let json = |schema: &str| format!("content: {{ application/json: {{ schema: {schema} }} }}");
    for (one, other, kind) in [
        (
            "{ type: object, properties: { a: { type: string } } }",
            "{ type: object, properties: { b: { type: string } } }",
            "one object that may have the fields of each",
        ),
        (
            "{ type: object, properties: { kind: { const: A } } }",
            "{ type: object, properties: { kind: { const: B } } }",
            "one object that may have the fields of each",
        ),
        (
            "{ type: integer, minimum: 0, maximum: 9 }",
            "{ type: integer }",
            "one type that holds all of them",
        ),
        (
            "{ type: string, format: date }",
            "{ type: string }",
            "one type that holds all of them",
        ),
        ("{ type: string }", "{ type: boolean }", "any JSON"),
        (
            "{ type: array, items: { type: string } }",
            "{ type: array, items: { type: boolean } }",
            "one type that holds all of them",
        ),
    ] {
        let parts = format!(
            "paths: {{ /a: {{ get: {{ operationId: a, responses: {{ '200': {{ {} }}, '202': {{ {} }} }} }} }} }}",
            json(one),
            json(other)
        );
        let api = read("3.1.0", &parts).unwrap();
        let expected = format!("a has 2 different types for success, which are read as {kind}");
        assert!(api.left_out.is_empty(), "{:#?}", api.left_out);
        let mut notes = api.notes.iter();
        assert!(
            notes
                .any(|note| note.problem() == expected
                    && note.pointer() == "/paths/~1a/get/responses"),
            "{:#?}",
            api.notes
        );
    }
}

#[test]
fn an_object_joined_from_several_responses_has_all_their_fields() {
    let parts = "
paths:
  /a:
    get:
      operationId: a
      responses:
        '200': { content: { application/json: { schema: { $ref: '#/components/schemas/Order' } } } }
        '202': { content: { application/vnd.job+json: { schema: { type: object, required: [id], properties: { id: { type: string }, done_at: { type: string } } } } } }
components: { schemas: { Order: { type: object, required: [id, side], properties: { id: { type: string }, side: { type: string } } } } }
";
    let api = read("3.0.3", parts).unwrap();
    let schema = api
        .schemas
        .iter()
        .find(|schema| schema.name != "Order")
        .unwrap();
    let fields = schema
        .fields()
        .iter()
        .map(|field| (field.name.as_str(), field.required));
    let fields: Vec<_> = fields.collect();
    assert_eq!(fields, [("id", true), ("side", false), ("done_at", false)]);
    // The schemas of the single responses have no types of their own.
    assert_eq!(api.schemas.len(), 2, "{:#?}", api.schemas);
}

#[test]
fn a_reference_to_itself_is_reported() {
    for (members, component, place) in [
        (
            "parameters: [{ $ref: '#/components/parameters/P' }], responses: { '204': {} }",
            "parameters: { P: { $ref: '#/components/parameters/Q' }, Q: { $ref: '#/components/parameters/P' } }",
            "#/components/parameters/Q",
        ),
        (
            "responses: { '200': { $ref: '#/components/responses/R' } }",
            "responses: { R: { $ref: '#/components/responses/R' } }",
            "#/components/responses/R",
        ),
        (
            "requestBody: { $ref: '#/components/requestBodies/B' }, responses: { '204': {} }",
            "requestBodies: { B: { $ref: '#/components/requestBodies/B' } }",
            "#/components/requestBodies/B",
        ),
    ] {
        let parts = format!(
            "paths: {{ /ok: {{ get: {{ operationId: ok, responses: {{ '204': {{}} }} }} }}, /a: {{ put: {{ operationId: a, {members} }} }} }}\ncomponents: {{ {component} }}"
        );
        let api = read("3.1.0", &parts).unwrap();
        let [error] = api.left_out.as_slice() else {
            panic!("{:#?}", api.left_out)
        };
        assert!(
            error
                .problem()
                .starts_with(&format!("the reference \"{place}\" refers to itself")),
            "{error}"
        );
    }
}

#[test]
fn a_long_chain_of_references_is_followed() {
    let mut responses = "R0: { description: Done. }".to_owned();
    for number in 1..40 {
        responses += &format!(
            ", R{number}: {{ $ref: '#/components/responses/R{}' }}",
            number - 1
        );
    }
    sound(&format!(
        "paths: {{ /a: {{ get: {{ operationId: a, responses: {{ '204': {{ $ref: '#/components/responses/R39' }} }} }} }} }}\ncomponents: {{ responses: {{ {responses} }} }}"
    ));
}

#[test]
fn a_reference_may_lead_to_any_schema_of_the_document() {
    for (reference, extra) in [
        (
            "#/paths/~1b/get/responses/200/content/application~1json/schema",
            "",
        ),
        (
            "#/paths/~1b/get/responses/200/content/application~1json/schema/properties/inner",
            "",
        ),
        (
            "#/definitions/X",
            "definitions: { X: { type: object, properties: { id: { type: string } } } }",
        ),
        (
            "#/definitions/X%20Y",
            "definitions: { 'X Y': { type: object, properties: { id: { type: string } } } }",
        ),
        (
            "#/x-models/Deep~0er/0",
            "x-models: { Deep~er: [{ type: object, properties: { id: { type: string } } }] }",
        ),
        (
            "#/components/responses/R/content/application~1json/schema",
            "components: { responses: { R: { content: { application/json: { schema: { type: object, properties: { id: { type: string } } } } } } } }",
        ),
        (
            "#/components/schemas/Order/properties/fee",
            "components: { schemas: { Order: { type: object, properties: { fee: { type: object, properties: { id: { type: string } } } } } } }",
        ),
        (
            "#/components/schemas/Order/$defs/Fee",
            "components: { schemas: { Order: { type: object, $defs: { Fee: { type: object, properties: { id: { type: string } } } } } } }",
        ),
    ] {
        for version in ["3.0.3", "3.1.0"] {
            let parts = format!(
                "
paths:
  /a: {{ get: {{ operationId: a, responses: {{ '200': {{ content: {{ application/json: {{ schema: {{ $ref: '{reference}' }} }} }} }} }} }} }}
  /b: {{ get: {{ operationId: b, responses: {{ '200': {{ content: {{ application/json: {{ schema: {{ type: object, properties: {{ id: {{ type: string }}, inner: {{ type: object, properties: {{ id: {{ type: string }} }} }} }} }} }} }} }} }} }} }}
{extra}
"
            );
            let api = read(version, &parts).unwrap_or_else(|errors| panic!("{errors:#?}"));
            assert!(
                api.left_out.is_empty() && api.notes.is_empty(),
                "{reference}: {:#?} {:#?}",
                api.left_out,
                api.notes
            );
            let Content::Json(Type::Schema(name)) = &api.operations[0].response.content else {
                panic!("{reference}: {:?}", api.operations[0].response.content)
            };
            let schema = api
                .schemas
                .iter()
                .find(|schema| schema.name == *name)
                .unwrap();
            assert!(
                schema.fields().iter().any(|field| field.name == "id"),
                "{reference}"
            );
        }
    }
}

#[test]
fn a_reference_to_something_other_than_a_schema_is_reported() {
    for reference in [
        "#/components/responses/R",
        "#/components/parameters/P",
        "#/paths/~1a/get",
        "#",
    ] {
        let parts = format!(
            "
paths:
  /ok: {{ get: {{ operationId: ok, responses: {{ '204': {{}} }} }} }}
  /a: {{ get: {{ operationId: a, responses: {{ '200': {{ content: {{ application/json: {{ schema: {{ $ref: '{reference}' }} }} }} }} }} }} }}
components:
  responses: {{ R: {{ content: {{}} }} }}
  parameters: {{ P: {{ name: p, in: query, schema: {{}} }} }}
"
        );
        let api = read("3.1.0", &parts).unwrap();
        let [error] = api.left_out.as_slice() else {
            panic!("{reference}: {:#?}", api.left_out)
        };
        assert_eq!(
            error.problem(),
            format!("the target of `{reference}` is not a schema")
        );
        assert!(
            error.pointer().starts_with("/paths/~1a/get/responses/200"),
            "{error}"
        );
    }
}

/// Returns the only note about the schema of a response, and the type of the response.
#[track_caller]
fn noted_response(schema: &str, components: &str) -> (Content, String) {
    let members = format!(
        "responses: {{ '200': {{ content: {{ application/json: {{ schema: {schema} }} }} }} }}"
    );
    let (operation, note) = noted_operation(&members, &format!("schemas: {{ {components} }}"));
    (operation.response.content, note)
}

#[test]
fn a_dynamic_reference_is_noted() {
    for keyword in ["$dynamicRef", "$recursiveRef"] {
        let (content, note) = noted_response(&format!("{{ {keyword}: '#a' }}"), "");
        assert_eq!(content, Content::Json(Type::Json));
        assert!(
            note.contains(&format!("`{keyword}` is not followed")),
            "{note}"
        );
    }
}

#[test]
fn a_discriminator_value_without_a_target_is_noted() {
    let one = "One: { type: object, required: [t], properties: { t: { type: string } } }";
    let two = "Two: { type: object, required: [t], properties: { t: { type: string } } }";
    for target in ["Gone", "'#/components/schemas/Gone'", "other.yaml#/Gone"] {
        let union = format!(
            "{{ oneOf: [{{ $ref: '#/components/schemas/One' }}, {{ $ref: '#/components/schemas/Two' }}], \
             discriminator: {{ propertyName: t, mapping: {{ one: One, gone: {target} }} }} }}"
        );
        let (content, note) = noted_response(&union, &format!("{one}, {two}"));
        assert!(
            matches!(content, Content::Json(Type::Schema(_))),
            "{target}"
        );
        assert!(note.contains("the value `gone` leads to"), "{note}");
    }
}

#[test]
fn equal_alternatives_become_one() {
    let one = "{ $ref: '#/components/schemas/One' }";
    let api = sound(&format!(
        "paths: {{ /a: {{ get: {{ operationId: a, responses: {{ '200': {{ content: {{ application/json: {{ \
         schema: {{ oneOf: [{one}, {one}] }} }} }} }} }} }} }} }}\n\
         components: {{ schemas: {{ One: {{ type: object, properties: {{ t: {{ type: string }} }} }} }} }}"
    ));
    let expected = Content::Json(Type::Schema("One".to_owned()));
    assert_eq!(api.operations[0].response.content, expected);
}

#[test]
fn a_value_inside_more_than_8_lists_is_any_json_with_a_note() {
    const MAX_LISTS: usize = 8;
    let nested = |depth: usize| {
        let text = "{ type: string }".to_owned();
        (0..depth).fold(text, |inner, _| {
            format!("{{ type: array, items: {inner} }}")
        })
    };
    let mut expected = Type::Json;
    for _ in 0..=MAX_LISTS {
        expected = Type::List(Box::new(expected));
    }
    for depth in [MAX_LISTS + 1, 40] {
        let (content, note) = noted_response(&nested(depth), "");
        assert_eq!(content, Content::Json(expected.clone()), "{depth}");
        assert!(
            note.contains("lists and maps nested more than 8 deep"),
            "{note}"
        );
    }
}
