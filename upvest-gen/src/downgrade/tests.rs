use serde_json::{Value, json};

use super::downgrade;
use crate::error::Result;
use crate::testing::{refused, yaml};

/// Downgrades the component `T` of a document of its own.
fn schema(text: &str) -> Result<Value> {
    let document =
        json!({ "openapi": "3.1.0", "paths": {}, "components": { "schemas": { "T": yaml(text) } } });
    downgrade(document).map(|document| document["components"]["schemas"]["T"].clone())
}

/// What it is about, the schema in 3.1, the same in 3.0.
const TRANSLATIONS: &[(&str, &str, &str)] = &[
    ("nullable type", "type: [string, 'null']", "{ type: string, nullable: true }"),
    ("null first", "type: ['null', integer]", "{ type: integer, nullable: true }"),
    ("one type in a list", "type: [string]", "{ type: string }"),
    (
        "nullable enum",
        "{ type: [string, 'null'], enum: [A, null] }",
        "{ type: string, enum: [A], nullable: true }",
    ),
    ("const", "const: A", "{ type: string, enum: [A] }"),
    ("const with a type", "{ type: string, const: A }", "{ type: string, enum: [A] }"),
    ("nullable const", "{ type: [string, 'null'], const: A }", "{ type: string, nullable: true, enum: [A] }"),
    ("const integer", "{ type: integer, const: 1 }", "{ type: integer, enum: [1] }"),
    ("examples", "{ type: string, examples: [a, b] }", "{ type: string, example: a }"),
    ("no examples", "{ type: string, examples: [] }", "{ type: string }"),
    (
        "examples beside an example",
        "{ type: string, example: x, examples: [a] }",
        "{ type: string, example: x }",
    ),
    (
        "exclusive minimum",
        "{ type: integer, exclusiveMinimum: 0 }",
        "{ type: integer, exclusiveMinimum: true, minimum: 0 }",
    ),
    (
        "exclusive maximum",
        "{ type: integer, exclusiveMaximum: 9 }",
        "{ type: integer, exclusiveMaximum: true, maximum: 9 }",
    ),
    (
        "the tighter minimum",
        "{ type: integer, minimum: 5, exclusiveMinimum: 0 }",
        "{ type: integer, minimum: 5 }",
    ),
    (
        "the tighter exclusive minimum",
        "{ type: integer, minimum: 0, exclusiveMinimum: 5 }",
        "{ type: integer, minimum: 5, exclusiveMinimum: true }",
    ),
    (
        "the tighter maximum",
        "{ type: integer, maximum: 5, exclusiveMaximum: 9 }",
        "{ type: integer, maximum: 5 }",
    ),
    (
        "equal lower bounds",
        "{ type: integer, minimum: 5, exclusiveMinimum: 5 }",
        "{ type: integer, minimum: 5, exclusiveMinimum: true }",
    ),
    (
        "equal bounds",
        "{ type: integer, maximum: 5, exclusiveMaximum: 5 }",
        "{ type: integer, maximum: 5, exclusiveMaximum: true }",
    ),
    ("reference alone", "{ $ref: '#/x' }", "{ $ref: '#/x' }"),
    (
        "siblings of a reference",
        "{ $ref: '#/x', description: D }",
        "{ description: D, allOf: [{ $ref: '#/x' }] }",
    ),
    (
        "reference beside allOf",
        "{ $ref: '#/x', allOf: [{ $ref: '#/y' }] }",
        "{ allOf: [{ $ref: '#/x' }, { $ref: '#/y' }] }",
    ),
    (
        "null branch",
        "oneOf: [{ $ref: '#/x' }, { type: 'null' }]",
        "{ nullable: true, allOf: [{ $ref: '#/x' }] }",
    ),
    (
        "null branch of anyOf",
        "anyOf: [{ type: 'null' }, { type: string }]",
        "{ nullable: true, allOf: [{ type: string }] }",
    ),
    (
        "null among several",
        "oneOf: [{ $ref: '#/x' }, { $ref: '#/y' }, { type: 'null' }]",
        "{ oneOf: [{ $ref: '#/x' }, { $ref: '#/y' }], nullable: true }",
    ),
    ("base64", "{ type: string, contentEncoding: base64 }", "{ type: string, format: byte }"),
    (
        "bytes",
        "{ type: string, contentMediaType: application/octet-stream }",
        "{ type: string, format: binary }",
    ),
    (
        "another media type",
        "{ type: string, contentMediaType: application/json, contentSchema: {} }",
        "{ type: string }",
    ),
    (
        "what only describes",
        "{ type: string, $comment: C, $id: I, $schema: S, $vocabulary: {} }",
        "{ type: string }",
    ),
];

#[test]
fn each_keyword_is_translated() {
    for (what, new, old) in TRANSLATIONS {
        assert_eq!(schema(new).unwrap(), yaml(old), "{what}");
    }
}

#[test]
fn schemas_are_translated_wherever_they_stand() {
    let new = "type: [string, 'null']";
    for place in [
        "properties: { a: { X } }",
        "properties: { properties: { type: object, properties: { a: { X } } } }",
        "items: { X }",
        "additionalProperties: { X }",
        "allOf: [{ X }]",
        "not: { X }",
    ] {
        let found = schema(&place.replace('X', new)).unwrap();
        assert_eq!(found, yaml(&place.replace('X', "type: string, nullable: true")), "{place}");
    }
    for place in [
        "paths: { /a: { parameters: [{ schema: X }] } }",
        "paths: { /a: { get: { parameters: [{ name: example, schema: X }] } } }",
        "paths: { /a: { get: { requestBody: { content: { a/b: { schema: X } } } } } }",
        "paths: { /a: { get: { responses: { '200': { content: { a/b: { schema: X } } } } } } }",
        "paths: { /a: { get: { responses: { '200': { headers: { schema: { schema: X } } } } } } }",
        "components: { parameters: { schema: { schema: X } } }",
        "components: { parameters: { example: { schema: X } } }",
        "components: { responses: { examples: { content: { a/b: { schema: X } } } } }",
    ] {
        let text =
            |version: &str, schema: &str| format!("openapi: {version}\n{}", place.replace('X', schema));
        let found = downgrade(yaml(&text("3.1.0", "{ type: [string, 'null'] }"))).unwrap();
        assert_eq!(found, yaml(&text("3.0.3", "{ type: string, nullable: true }")), "{place}");
    }
}

#[test]
fn names_that_look_like_keywords_are_names() {
    let text = "
        type: object
        required: [type, const]
        properties:
          type: { type: string }
          const: { type: string }
          enum: { type: string }
          examples: { type: string }
          example: { type: string }
          default: { type: string }
          if: { type: string }
          contains: { type: string }
          $defs: { type: string }
          properties: { type: object, properties: { items: { type: string } } }
          items: { type: string }
          oneOf: { type: string }
          $ref: { type: string }
    ";
    assert_eq!(schema(text).unwrap(), yaml(text));
}

#[test]
fn data_is_left_alone() {
    for text in [
        "{ type: object, example: { const: 1, type: [a, 'null'], examples: [1], if: 2, schema: { const: 1 } } }",
        "{ type: object, default: { const: 1, exclusiveMinimum: 3 } }",
        "{ enum: [{ const: 1 }, { if: 2, $ref: '#/x', type: [a] }] }",
        "{ type: string, x-enum-descriptions: { const: A constant., if: A condition., type: A type. } }",
        "{ type: object, discriminator: { propertyName: type, mapping: { const: '#/x', if: '#/y' } } }",
        "{ type: object, externalDocs: { url: u, const: 1 } }",
    ] {
        assert_eq!(schema(text).unwrap(), yaml(text), "{text}");
    }
    for place in [
        "paths: { /a: { get: { requestBody: { content: { a/b: { example: X } } } } } }",
        "paths: { /a: { get: { requestBody: { content: { a/b: { examples: { one: { value: X } } } } } } } }",
        "components: { examples: { one: { value: X } } }",
        "x-notes: X",
    ] {
        let text = |version: &str| {
            format!("openapi: {version}\n{}", place.replace('X', "{ schema: { const: 1, if: 2 } }"))
        };
        assert_eq!(downgrade(yaml(&text("3.1.0"))).unwrap(), yaml(&text("3.0.3")), "{place}");
    }
}

#[test]
fn what_3_0_cannot_say_is_refused_by_name() {
    for keyword in [
        "if",
        "then",
        "else",
        "dependentSchemas",
        "dependentRequired",
        "unevaluatedProperties",
        "unevaluatedItems",
        "prefixItems",
        "contains",
        "propertyNames",
        "patternProperties",
        "$dynamicRef",
        "$dynamicAnchor",
        "$anchor",
    ] {
        let error = refused(schema(&format!("properties: {{ a: {{ {keyword}: {{}} }} }}")), keyword);
        assert_eq!(error.pointer(), format!("/components/schemas/T/properties/a/{keyword}"));
        assert_eq!(error.problem(), format!("the keyword `{keyword}` of OpenAPI 3.1 has no equal in 3.0"));
    }
    for (text, place, problem) in [
        ("$defs: {}", "/components/schemas/T/$defs", "local definitions have no equal in 3.0"),
        ("type: [string, integer]", "/components/schemas/T/type", "2 types in one schema"),
        ("type: [string, integer, 'null']", "/components/schemas/T/type", "2 types in one schema"),
        ("type: ['null']", "/components/schemas/T/type", "0 types in one schema"),
        ("type: []", "/components/schemas/T/type", "0 types in one schema"),
        ("type: 'null'", "/components/schemas/T", "a value that is always null has no equal in 3.0"),
        ("items: true", "/components/schemas/T/items", "a boolean schema has no equal in 3.0"),
        ("not: false", "/components/schemas/T/not", "a boolean schema has no equal in 3.0"),
        (
            "properties: { a: true }",
            "/components/schemas/T/properties/a",
            "a boolean schema has no equal in 3.0",
        ),
        ("allOf: [true]", "/components/schemas/T/allOf/0", "a boolean schema has no equal in 3.0"),
    ] {
        let error = refused(schema(text), text);
        assert_eq!((error.pointer(), error.problem()), (place, problem), "{text}");
    }
}

#[test]
fn a_closed_object_is_no_boolean_schema() {
    for text in ["additionalProperties: false", "additionalProperties: true"] {
        assert_eq!(schema(text).unwrap(), yaml(text));
    }
}

#[test]
fn parts_that_3_0_does_not_have_are_dropped() {
    let new = yaml(
        "openapi: 3.1.0\ninfo: { title: T, summary: S, version: '1' }\njsonSchemaDialect: d\nwebhooks: { a: {} }\n\
         paths: {}\ncomponents: { pathItems: { a: {} }, schemas: {} }",
    );
    let old =
        yaml("openapi: 3.0.3\ninfo: { title: T, version: '1' }\npaths: {}\ncomponents: { schemas: {} }");
    assert_eq!(downgrade(new).unwrap(), old);
}

#[test]
fn a_3_0_document_passes_through() {
    let document = yaml(
        "openapi: 3.0.1\nwebhooks: {}\ncomponents: { schemas: { T: { type: integer, minimum: 0, exclusiveMinimum: true, \
         nullable: true, if: {}, examples: [1] } } }",
    );
    assert_eq!(downgrade(document.clone()).unwrap(), document);
}
