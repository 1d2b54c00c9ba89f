//! Equivalent descriptions in OpenAPI 3.0 and 3.1 have the same model.

use super::outline::outline;
use super::{document_of, read};

#[test]
fn both_dialects_give_the_same_model() {
    for (what, old, new) in [
        (
            "nullable",
            "{ type: string, nullable: true }",
            "{ type: [string, 'null'] }",
        ),
        (
            "null first",
            "{ type: integer, nullable: true }",
            "{ type: ['null', integer] }",
        ),
        (
            "one type in a list",
            "{ type: string }",
            "{ type: [string] }",
        ),
        (
            "nullable enum",
            "{ type: string, enum: [A], nullable: true }",
            "{ type: [string, 'null'], enum: [A, null] }",
        ),
        ("const", "{ type: string, enum: [A] }", "{ const: A }"),
        (
            "const with a type",
            "{ type: string, enum: [A] }",
            "{ type: string, const: A }",
        ),
        (
            "nullable const",
            "{ type: string, nullable: true, enum: [A] }",
            "{ type: [string, 'null'], const: A }",
        ),
        (
            "const integer",
            "{ type: integer, enum: [1] }",
            "{ type: integer, const: 1 }",
        ),
        (
            "examples",
            "{ type: string, example: a }",
            "{ type: string, examples: [a, b] }",
        ),
        (
            "exclusive minimum",
            "{ type: integer, exclusiveMinimum: true, minimum: 0 }",
            "{ type: integer, exclusiveMinimum: 0 }",
        ),
        (
            "exclusive maximum",
            "{ type: integer, minimum: 0, exclusiveMaximum: true, maximum: 9 }",
            "{ type: integer, minimum: 0, exclusiveMaximum: 9 }",
        ),
        (
            "siblings of a reference",
            "{ description: D, allOf: [{ $ref: '#/components/schemas/Leg' }] }",
            "{ $ref: '#/components/schemas/Leg', description: D }",
        ),
        (
            "reference beside allOf",
            "{ allOf: [{ $ref: '#/components/schemas/Leg' }, { $ref: '#/components/schemas/Arm' }] }",
            "{ $ref: '#/components/schemas/Leg', allOf: [{ $ref: '#/components/schemas/Arm' }] }",
        ),
        (
            "null branch",
            "{ nullable: true, allOf: [{ $ref: '#/components/schemas/Leg' }] }",
            "{ oneOf: [{ $ref: '#/components/schemas/Leg' }, { type: 'null' }] }",
        ),
        (
            "null branch of anyOf",
            "{ nullable: true, allOf: [{ type: string }] }",
            "{ anyOf: [{ type: 'null' }, { type: string }] }",
        ),
        (
            "null among several",
            "{ nullable: true, discriminator: { propertyName: k }, oneOf: [{ $ref: '#/components/schemas/Leg' }, { $ref: '#/components/schemas/Arm' }] }",
            "{ discriminator: { propertyName: k }, oneOf: [{ $ref: '#/components/schemas/Leg' }, { $ref: '#/components/schemas/Arm' }, { type: 'null' }] }",
        ),
        (
            "base64",
            "{ type: string, format: byte }",
            "{ type: string, contentEncoding: base64 }",
        ),
        (
            "what only describes",
            "{ type: string }",
            "{ type: string, $comment: C, $id: I, $schema: S, $vocabulary: {} }",
        ),
        ("true", "{}", "true"),
    ] {
        let text = |schema: &str| {
            document_of(&format!(
                "Order: {{ properties: {{ x: {schema}, xs: {{ type: array, items: {schema} }}, more: {{ type: object, additionalProperties: {schema} }} }} }}\n\
                 OrderCreate: {{ required: [x], properties: {{ x: {schema} }} }}\n\
                 Leg: {{ properties: {{ a: {{ type: string }} }} }}\nArm: {{ properties: {{ b: {{ type: string }} }} }}"
            ))
        };
        let old = read("3.0.3", &text(old)).unwrap();
        let new = read("3.1.0", &text(new)).unwrap();
        assert_eq!(outline(&old), outline(&new), "{what}");
        assert!(
            old.notes.is_empty() && new.notes.is_empty(),
            "{what}: {}",
            outline(&new)
        );
    }
}

#[test]
fn keywords_that_no_type_expresses_do_not_change_the_type() {
    for keyword in [
        "if: {}",
        "then: {}",
        "else: {}",
        "dependentSchemas: {}",
        "dependentRequired: {}",
        "unevaluatedProperties: false",
        "unevaluatedItems: false",
        "prefixItems: []",
        "contains: {}",
        "propertyNames: {}",
        "patternProperties: {}",
        "$dynamicAnchor: x",
        "$anchor: x",
        "$defs: {}",
        "not: {}",
        "xml: {}",
        "externalDocs: { url: u }",
        "deprecated: true",
        "readOnly: true",
    ] {
        let parts = document_of(&format!(
            "Order: {{ {keyword}, properties: {{ a: {{ type: string, {keyword} }} }} }}"
        ));
        let api = read("3.1.0", &parts).unwrap();
        assert_eq!(
            outline(&api),
            "readOrder POST /Order: -> Order\n\nOrder\n    a: text, optional\n",
            "{keyword}"
        );
    }
}

#[test]
fn names_that_look_like_keywords_are_names() {
    let names = [
        "type",
        "const",
        "enum",
        "examples",
        "default",
        "if",
        "$defs",
        "properties",
        "items",
        "oneOf",
        "allOf",
        "$ref",
        "required",
        "nullable",
        "not",
        "format",
    ];
    let properties: Vec<String> = names
        .iter()
        .map(|name| format!("{name}: {{ type: boolean }}"))
        .collect();
    let api = read(
        "3.1.0",
        &document_of(&format!(
            "Order: {{ type: object, properties: {{ {} }} }}",
            properties.join(", ")
        )),
    )
    .unwrap();
    let found: Vec<&str> = api.schemas[0]
        .fields()
        .iter()
        .map(|field| field.name.as_str())
        .collect();
    assert_eq!(found, names);
}

#[test]
fn data_is_not_read_as_a_schema() {
    for data in [
        "example: { $ref: nowhere, type: [a] }",
        "default: { $ref: '#/nowhere', properties: 7 }",
        "examples: [{ $ref: '#/x' }]",
        "x-notes: { $ref: '#/x' }",
        "enum: [{ $ref: '#/x' }]",
        "externalDocs: { url: u, const: 1 }",
    ] {
        let api = read(
            "3.1.0",
            &document_of(&format!(
                "Order: {{ properties: {{ a: {{ type: object, {data} }} }} }}"
            )),
        )
        .unwrap();
        assert!(
            api.notes.is_empty() && api.left_out.is_empty(),
            "{data}: {}",
            outline(&api)
        );
    }
}
