use std::fmt::Write;
use std::rc::Rc;

use serde_json::{Value, json};

use super::{Node, Schemas};
use crate::testing::yaml;

/// A document with these component schemas.
fn document(schemas: &str) -> Value {
    json!({ "components": { "schemas": yaml(schemas) } })
}

#[track_caller]
fn read<'a>(schemas: &Schemas<'a>, name: &str) -> Rc<Node<'a>> {
    let at = format!("/components/schemas/{name}");
    let value = schemas.document.pointer(&at).expect(name);
    schemas.read(value, &at).expect(name)
}

/// A schema in one line: `Component {field!: type, ..}`, with `!` for required fields and `?` for those that may be
/// null.
fn line<'a>(schemas: &Schemas<'a>, node: &Node<'a>) -> String {
    let null = if node.nullable { "?" } else { "" };
    if let Some(component) = node.component {
        return format!("{component}{null}");
    }
    if let Some(values) = node.values() {
        return format!("{}{null}", json!(values));
    }
    let kind = node.kind().unwrap_or("any");
    let mut parts = Vec::new();
    for property in &node.properties {
        let required = if node.required.contains(property.name) {
            "!"
        } else {
            ""
        };
        let inner = schemas.read_part(property).unwrap();
        parts.push(format!(
            "{}{required}: {}",
            property.name,
            line(schemas, &inner)
        ));
    }
    for part in node.items.iter().chain(&node.rest) {
        parts.push(line(schemas, &schemas.read_part(part).unwrap()));
    }
    for part in &node.alternatives {
        let alternative = schemas.read_alternative(part, node).unwrap();
        parts.push(format!("or {}", line(schemas, &alternative)));
    }
    if parts.is_empty() {
        format!("{kind}{null}")
    } else {
        format!("{kind}{null} {{{}}}", parts.join(", "))
    }
}

/// The line of the schema `X` among `schemas`, and the notes.
fn x(schemas: &str) -> (String, Vec<String>) {
    let document = document(schemas);
    let schemas = Schemas::new(&document);
    let line = line(&schemas, &read(&schemas, "X"));
    let notes = schemas.notes();
    let notes = notes
        .iter()
        .map(|note| format!("{}: {}", note.pointer(), note.problem()));
    (line, notes.collect())
}

const MONEY: &str = "Money: { type: object, required: [amount], properties: { amount: { type: string }, currency: { type: string } } }";
const INNER: &str = "Inner: { type: object, properties: { deep: { type: object, required: [a], properties: { a: { type: integer } } } } }";

#[track_caller]
fn assert_merged(schema: &str, expected: &str) {
    let (line, notes) = x(&format!("X: {schema}\n{MONEY}\n{INNER}"));
    assert_eq!(line, expected, "{schema}");
    assert_eq!(notes, [""; 0], "{schema}");
}

#[test]
fn a_property_of_several_schemas_must_match_all_of_them() {
    for (schema, expected) in [
        (
            "{ allOf: [{ $ref: '#/components/schemas/Inner' }, { properties: { deep: { properties: { b: { type: string } } } } }] }",
            "object {deep: object {a!: integer, b: string}}",
        ),
        (
            "{ $ref: '#/components/schemas/Inner', properties: { deep: { required: [b], properties: { b: { type: string } } } } }",
            "object {deep: object {a!: integer, b!: string}}",
        ),
        (
            "{ allOf: [{ properties: { m: { $ref: '#/components/schemas/Money' } } }, { properties: { m: { description: D } } }] }",
            "object {m: Money}",
        ),
        (
            "{ allOf: [{ properties: { m: { description: D } } }, { properties: { m: { $ref: '#/components/schemas/Money' } } }] }",
            "object {m: Money}",
        ),
        (
            "{ allOf: [{ $ref: '#/components/schemas/Money' }, { properties: { currency: { example: EUR } } }] }",
            "object {amount!: string, currency: string}",
        ),
        (
            "{ allOf: [{ properties: { m: { $ref: '#/components/schemas/Money' } } }, { properties: { m: { nullable: true } } }] }",
            "object {m: Money?}",
        ),
        (
            "{ allOf: [{ items: { properties: { a: { type: string } } } }, { items: { properties: { b: { type: string } } } }] }",
            "array {object {a: string, b: string}}",
        ),
        (
            "{ allOf: [{ additionalProperties: { type: number } }, { additionalProperties: { type: integer } }] }",
            "object {integer}",
        ),
        (
            "{ properties: { k: { type: string, enum: [A, B] } }, oneOf: [{ properties: { k: { const: A } } }, { properties: { k: { const: B } } }] }",
            "object {k: [\"A\",\"B\"], or object {k: [\"A\"]}, or object {k: [\"B\"]}}",
        ),
    ] {
        assert_merged(schema, expected);
    }
}

#[test]
fn all_of_keeps_the_reference_to_the_most_specific_component() {
    for (schema, expected) in [
        (
            "{ allOf: [{ $ref: '#/components/schemas/Money' }, { $ref: '#/components/schemas/Money' }] }",
            "Money",
        ),
        (
            "{ allOf: [{ properties: { m: { $ref: '#/components/schemas/Money' } } }, { properties: { m: { $ref: '#/components/schemas/Fee' } } }] }",
            "object {m: Fee}",
        ),
        (
            "{ allOf: [{ properties: { m: { $ref: '#/components/schemas/Fee' } } }, { properties: { m: { $ref: '#/components/schemas/Money' } } }] }",
            "object {m: Fee}",
        ),
    ] {
        let fee = "Fee: { allOf: [{ $ref: '#/components/schemas/Money' }, { properties: { rate: { type: number } } }] }";
        let (line, notes) = x(&format!("X: {schema}\n{MONEY}\n{fee}"));
        assert_eq!(line, expected, "{schema}");
        assert_eq!(notes, [""; 0], "{schema}");
    }
}

#[test]
fn two_unions_become_the_pairs_of_their_alternatives() {
    let one =
        "oneOf: [{ properties: { a: { type: string } } }, { properties: { b: { type: string } } }]";
    let two = "[{ properties: { c: { type: string } } }, { properties: { d: { type: string } } }]";
    let pairs = "any {or object {a: string, c: string}, or object {a: string, d: string}, \
                 or object {b: string, c: string}, or object {b: string, d: string}}";
    assert_merged(
        &format!("{{ allOf: [{{ {one} }}, {{ oneOf: {two} }}] }}"),
        pairs,
    );
    assert_merged(&format!("{{ {one}, anyOf: {two} }}"), pairs);
    let reversed = "any {or object {c: string, a: string}, or object {c: string, b: string}, \
                    or object {d: string, a: string}, or object {d: string, b: string}}";
    assert_merged(
        &format!("{{ {one}, allOf: [{{ anyOf: {two} }}] }}"),
        reversed,
    );
}

#[test]
fn merge_conflicts_are_noted() {
    for (schema, expected, note) in [
        (
            "{ allOf: [{ properties: { x: { type: integer } } }, { properties: { x: { type: string } } }] }",
            "object {x: any}",
            "both `integer` and `string`",
        ),
        (
            "{ type: object, allOf: [{ type: array, items: {} }] }",
            "any {any}",
            "both `array` and `object`",
        ),
        (
            "{ allOf: [{ type: string, enum: [A] }, { enum: [B] }] }",
            "[\"B\"]",
            "both one of \"A\" and one of \"B\"",
        ),
        (
            "{ allOf: [{ type: string, format: date }, { format: date-time }] }",
            "string",
            "both \"date\" and \"date-time\"",
        ),
    ] {
        let (line, notes) = x(&format!("X: {schema}"));
        assert_eq!(line, expected, "{schema}");
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(notes[0].contains(note), "{notes:?}");
        assert!(notes[0].starts_with("/components/schemas/X"), "{notes:?}");
    }
}

#[test]
fn values_that_another_schema_excludes_are_noted() {
    for schema in [
        "{ allOf: [{ type: string, enum: [A, B, C] }, { enum: [C, B] }] }",
        "{ allOf: [{ properties: { k: { enum: [A, B, C] } } }, { properties: { k: { enum: [C, B] } } }] }",
    ] {
        let (line, notes) = x(&format!("X: {schema}"));
        assert!(line.contains("[\"C\",\"B\"]"), "{line}");
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(notes[0].ends_with("excludes \"A\""), "{notes:?}");
    }
    // The type of the component has them.
    let base = "Base: { properties: { k: { enum: [A, B] } } }";
    let (line, notes) = x(&format!(
        "X: {{ allOf: [{{ $ref: '#/components/schemas/Base' }}, {{ properties: {{ k: {{ const: A }} }} }}] }}\n{base}"
    ));
    assert_eq!(line, "object {k: [\"A\"]}");
    assert_eq!(notes, [""; 0]);
}

#[test]
fn too_many_pairs_of_alternatives_are_a_problem() {
    let union = |key: &str| {
        let branches: Vec<String> = (0..11)
            .map(|index| format!("{{ properties: {{ {key}{index}: {{}} }} }}"))
            .collect();
        format!("{{ oneOf: [{}] }}", branches.join(", "))
    };
    let document = document(&format!("X: {{ allOf: [{}, {}] }}", union("a"), union("b")));
    let schemas = Schemas::new(&document);
    let schema = &document["components"]["schemas"]["X"];
    let error = schemas.read(schema, "/components/schemas/X").unwrap_err();
    assert!(error.problem().contains("121 combinations"), "{error}");
}

#[test]
fn a_schema_that_many_schemas_include_is_read_once() {
    let mut text = String::new();
    for level in 0..60 {
        let next = format!("{{ $ref: '#/components/schemas/L{}' }}", level + 1);
        let _ = writeln!(
            text,
            "L{level}: {{ allOf: [{next}, {next}, {{ properties: {{ p{level}: {next} }} }}] }}"
        );
    }
    text += "L60: { type: object, properties: { a: { type: string } } }\n";
    let document = document(&text);
    let schemas = Schemas::new(&document);
    assert_eq!(read(&schemas, "L0").properties.len(), 61);
    // Each component, its three branches, and the reference of its property.
    assert!(schemas.known.borrow().len() <= 60 * 4 + 1);
}

#[test]
fn a_chain_that_is_circular_or_too_long_is_a_problem() {
    let chain = |length: usize, last: &str| {
        let mut text = String::new();
        for level in 0..length {
            let _ = writeln!(
                text,
                "L{level}: {{ allOf: [{{ $ref: '#/components/schemas/L{}' }}] }}",
                level + 1
            );
        }
        document(&format!("{text}L{length}: {last}"))
    };
    for (length, last, problem) in [
        (40, "{ type: string }", None),
        (
            40,
            "{ $ref: '#/components/schemas/L0' }",
            Some("the reference is circular"),
        ),
        (
            3000,
            "{ type: string }",
            Some("a chain of `$ref` and `allOf` has more than 200 schemas"),
        ),
    ] {
        let document = chain(length, last);
        let schemas = Schemas::new(&document);
        let found = schemas.read(
            &document["components"]["schemas"]["L0"],
            "/components/schemas/L0",
        );
        match problem {
            None => assert_eq!(found.unwrap().kind(), Some("string")),
            Some(problem) => assert!(found.unwrap_err().problem().starts_with(problem)),
        }
    }
}

#[test]
fn the_tighter_bound_applies() {
    let document = document(
        "X: { allOf: [{ type: integer, minimum: 1, maximum: 10 }, { minimum: 0, maximum: 5 }, { minimum: 2, maximum: 7 }] }",
    );
    let schemas = Schemas::new(&document);
    let schema = read(&schemas, "X");
    assert_eq!(schema.number("minimum"), Some(&json!(2)));
    assert_eq!(schema.number("maximum"), Some(&json!(5)));
}

#[test]
fn a_reference_may_lead_to_a_part_of_a_component() {
    let document = document(
        "
A: { properties: { b: { type: [string, 'null'] }, 'c/d': { type: array, items: { properties: { e: { type: integer } } } } } }
B:
  properties:
    text: { $ref: '#/components/schemas/A/properties/b' }
    item: { $ref: '#/components/schemas/A/properties/c~1d/items' }
    ring: { properties: { next: { $ref: '#/components/schemas/B/properties/ring' } } }
",
    );
    let schemas = Schemas::new(&document);
    let whole = read(&schemas, "B");
    let parts: Vec<Rc<Node<'_>>> = whole
        .properties
        .iter()
        .map(|part| schemas.read_part(part).unwrap())
        .collect();
    assert_eq!(parts[0].kind(), Some("string"));
    assert!(parts[0].nullable);
    assert_eq!(parts[1].at, "/components/schemas/A/properties/c~1d/items");
    assert_eq!(line(&schemas, &parts[1]), "object {e: integer}");
    // A ring has one type.
    let next = schemas.read_part(&parts[2].properties[0]).unwrap();
    assert_eq!(next.key(), parts[2].key());
}
