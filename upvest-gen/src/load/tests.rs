use std::fmt::Write;

use serde_json::json;

use super::{load, parse};
use crate::testing::rejected;

const NO_OBJECT: &str = "the description is empty, or is not an object";

#[test]
fn versions_3_0_and_3_1_are_read_and_others_rejected_by_name() {
    for version in ["3.0.0", "3.0.3", "3.1.0", "3.1.1"] {
        assert!(load(&format!("openapi: {version}")).is_ok(), "{version}");
    }
    for (text, place, problem) in [
        (
            "openapi: 2.0.0",
            "/openapi",
            r#"the OpenAPI version "2.0.0" is not supported"#,
        ),
        (
            "openapi: 3.2.0",
            "/openapi",
            r#"the OpenAPI version "3.2.0" is not supported"#,
        ),
        (
            "openapi: 3.1",
            "/openapi",
            "the OpenAPI version 3.1 is not supported",
        ),
        (
            "openapi: [3.1.0]",
            "/openapi",
            r#"the OpenAPI version ["3.1.0"] is not supported"#,
        ),
        ("", "", NO_OBJECT),
        ("just a text", "", NO_OBJECT),
        ("[1, 2]", "", NO_OBJECT),
    ] {
        let error = rejected(load(text), text);
        assert_eq!(error.pointer(), place, "{text}");
        assert_eq!(error.problem(), problem, "{text}");
    }
}

#[test]
fn json_is_read_as_well() {
    assert_eq!(
        load(r#"{ "openapi": "3.1.0", "paths": {} }"#).unwrap(),
        json!({ "openapi": "3.1.0", "paths": {} })
    );
}

#[test]
fn a_syntax_error_has_a_line_and_a_column() {
    for (text, place) in [
        ("a: 1\nb: [1,\nc: 2", "line 2 column 4"),
        ("a: 'b", "line 1 column "),
        ("a: 1\n\tb: 2", "line 1 column 4"),
        ("a: *nowhere", "line 1 column "),
        ("a: 1\n---\nb: 2", "line "),
    ] {
        let error = rejected(parse(text), text);
        assert!(error.pointer().starts_with(place), "{text:?}: {error}");
        assert!(
            error.problem().starts_with("invalid YAML: "),
            "{text:?}: {error}"
        );
    }
}

#[test]
fn a_json_syntax_error_has_the_message_of_the_json_parser() {
    for (text, place, problem) in [
        (
            "{ \"a\": 1",
            "line 1 column 8",
            "EOF while parsing an object",
        ),
        ("{\"a\": 1} x", "line 1 column 10", "trailing characters"),
    ] {
        let error = rejected(parse(text), text);
        assert_eq!(error.pointer(), place, "{text:?}");
        assert_eq!(error.problem(), format!("invalid JSON: {problem}"));
    }
}

#[test]
fn excessive_yaml_aliases_are_rejected_with_a_clear_message() {
    let mut text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (outer, inner) in "bcdefghi".chars().zip("abcdefgh".chars()) {
        let aliases = vec![format!("*{inner}"); 10].join(", ");
        let _ = writeln!(text, "{outer}: &{outer} [{aliases}]");
    }
    let error = rejected(parse(&text), "aliases");
    assert_eq!(
        error.problem(),
        "the description is too large, or its aliases repeat too much"
    );
}

#[test]
fn swagger_2_is_rejected_by_its_name() {
    for text in ["swagger: '2.0'", r#"{ "swagger": "2.0", "paths": {} }"#] {
        let error = rejected(load(text), text);
        assert_eq!(error.pointer(), "/swagger", "{text}");
        assert!(error.problem().contains("OpenAPI 2"), "{error}");
        assert!(error.remedy().contains("OpenAPI 3"), "{error}");
    }
}

#[test]
fn a_duplicate_key_is_rejected_with_both_places() {
    let yaml = "a: 1\nb:\n  c: [{ d: 1,\n    e: 2, d: 3 }]\n";
    let json = "{ \"a\": 1, \"b\": { \"c\": [{ \"d\": 1,\n    \"e\": 2, \"d\": 3 }] } }";
    let escaped = r#"{ "b": { "c": [{ "d": 1, "\u0064": 3 }] } }"#;
    for (text, second, first) in [
        (yaml, "line 4 column 11", "line 3 column 9"),
        (json, "line 2 column 13", "line 1 column 26"),
        (escaped, "line 1 column 26", "line 1 column 18"),
        (
            "b: { c: [{ d: 1, 'd': 2 }] }",
            "line 1 column 18",
            "line 1 column 12",
        ),
    ] {
        let error = rejected(parse(text), text);
        assert_eq!(error.pointer(), second, "{text}");
        let problem = format!("the key \"d\" of /b/c/0 is duplicated: here and at {first}");
        assert_eq!(error.problem(), problem, "{text}");
    }
    let merged = parse("x: &x { a: 1, b: 2 }\ny: { <<: *x, b: 3 }").unwrap();
    assert_eq!(merged["y"], json!({ "a": 1, "b": 3 }));
}

#[test]
fn unquoted_values_of_texts_keep_their_source_text() {
    for (schema, expected) in [
        (
            "{ type: string, enum: [1e3, 0123, 0x1F, 1.10, 12_000, +1, .5, true, 1e999, .inf, A] }",
            json!([
                "1e3", "0123", "0x1F", "1.10", "12_000", "+1", ".5", "true", "1e999", ".inf", "A"
            ]),
        ),
        (
            "{ enum: [0123, A], type: [string, 'null'] }",
            json!(["0123", "A"]),
        ),
        ("{ enum: [0123, A] }", json!(["0123", "A"])),
        (
            "{ type: string, enum: [1, ~, null] }",
            json!(["1", null, null]),
        ),
        (
            "\n  type: string\n  enum:\n  - 1e3\n  - 007 # comment\n",
            json!(["1e3", "007"]),
        ),
        ("{ type: integer, enum: [1, 2] }", json!([1, 2])),
        ("{ enum: [1, 2] }", json!([1, 2])),
        ("{ enum: [1, A, true] }", json!([1, "A", true])),
        ("{ type: [string, integer], enum: [1, A] }", json!([1, "A"])),
    ] {
        let document = parse(&format!("a: {schema}")).unwrap();
        assert_eq!(document["a"]["enum"], expected, "{schema}");
    }
    let document = parse(
        "a: { type: string, default: 010, example: 1.50, const: 7, examples: [1e3] }\nb: &b 1e3\nc: { type: string, enum: [*b] }",
    )
    .unwrap();
    assert_eq!(
        document["a"],
        json!({ "type": "string", "default": "010", "example": "1.50", "const": "7", "examples": ["1e3"] })
    );
    assert_eq!(document["c"]["enum"], json!(["1e3"]));
}

#[test]
fn a_schema_without_a_type_has_that_of_the_schemas_around_it() {
    let yaml = "\
components:
  schemas:
    Text: { type: string }
    Link: { $ref: '#/components/schemas/Text' }
    Owner: { type: object, properties: { code: { type: string }, count: { type: integer } } }
    ByAllOf: { allOf: [{ type: string }, { enum: [0123, 1e3, true], default: 007 }] }
    ByReference: { allOf: [{ $ref: '#/components/schemas/Link' }, { enum: [1_000] }] }
    Beside: { $ref: '#/components/schemas/Text', const: 0x1F, examples: [1.50] }
    ByOneOf: { type: string, oneOf: [{ const: 0123 }, { anyOf: [{ const: 1e3 }] }] }
    ByPattern: { pattern: '^[0-9]+$', enum: [010] }
    Numbers: { allOf: [{ type: number }, { enum: [1.10, 1e3] }] }
    Child: { allOf: [{ $ref: '#/components/schemas/Owner' }, { properties: { code: { enum: [0123] }, count: { enum: [0123] } } }] }
    Circular: { allOf: [{ $ref: '#/components/schemas/Circular' }, { enum: [1, 2] }] }
  parameters:
    Code: { name: code, in: query, schema: { $ref: '#/components/schemas/Text' }, example: 0123, examples: { one: { value: 1e3 } } }
";
    let document = parse(yaml).unwrap();
    let schemas = &document["components"]["schemas"];
    for (place, expected) in [
        ("/ByAllOf/allOf/1/enum", json!(["0123", "1e3", "true"])),
        ("/ByAllOf/allOf/1/default", json!("007")),
        ("/ByReference/allOf/1/enum", json!(["1_000"])),
        ("/Beside/const", json!("0x1F")),
        ("/Beside/examples", json!(["1.50"])),
        ("/ByOneOf/oneOf/0/const", json!("0123")),
        ("/ByOneOf/oneOf/1/anyOf/0/const", json!("1e3")),
        ("/ByPattern/enum", json!(["010"])),
        ("/Numbers/allOf/1/enum", json!([1.1, 1000])),
        ("/Child/allOf/1/properties/code/enum", json!(["0123"])),
        ("/Child/allOf/1/properties/count/enum", json!([123])),
        ("/Circular/allOf/1/enum", json!([1, 2])),
    ] {
        assert_eq!(schemas.pointer(place), Some(&expected), "{place}");
    }
    let code = &document["components"]["parameters"]["Code"];
    assert_eq!(code["example"], "0123");
    assert_eq!(code["examples"]["one"]["value"], "1e3");
}

#[test]
fn values_without_any_type_are_texts_as_the_source_writes_them() {
    for (schema, expected, is_marked) in [
        ("{ enum: [0123, 456] }", json!(["0123", "456"]), false),
        ("{ const: 0x1F }", json!("0x1F"), false),
        ("{ enum: [A, 1e3] }", json!(["A", "1e3"]), false),
        ("{ enum: [1e3, 1.10] }", json!(["1e3", "1.10"]), true),
        ("{ const: 1e3 }", json!("1e3"), true),
        ("{ enum: [1, 2.5] }", json!([1, 2.5]), false),
        ("{ const: 7 }", json!(7), false),
    ] {
        for text in [
            format!("a: {schema}"),
            format!("x: {{ oneOf: [{schema}] }}"),
        ] {
            let document = parse(&text).unwrap();
            let schema = document.pointer("/a").or(document.pointer("/x/oneOf/0"));
            let schema = schema.unwrap();
            let values = schema.get("enum").or(schema.get("const"));
            assert_eq!(values, Some(&expected), "{text}");
            assert_eq!(
                schema.get(super::texts::UNQUOTED).is_some(),
                is_marked,
                "{text}"
            );
        }
    }
    let document = parse(r#"{ "a": { "enum": [1e3, 2] } }"#).unwrap();
    assert_eq!(document["a"]["enum"], json!(["1e3", "2"]));
}

#[test]
fn a_type_is_found_through_long_chains_and_cycles() {
    let reference = |name: &str| json!({ "$ref": format!("#/{name}") });
    let mut document = serde_json::Map::new();
    for index in 0..50_000 {
        document.insert(format!("L{index}"), reference(&format!("L{}", index + 1)));
    }
    document.insert(
        "chain".to_owned(),
        json!({ "enum": [1.5], "allOf": [reference("L0")] }),
    );
    let circles = vec![reference("circle"); 20];
    document.insert(
        "circle".to_owned(),
        json!({ "properties": { "x": { "const": 1.5 } }, "allOf": circles }),
    );
    let text = serde_json::Value::Object(document).to_string();
    let document = parse(&text).unwrap();
    assert_eq!(document["chain"]["enum"], json!([1.5]));
    assert_eq!(document["circle"]["properties"]["x"]["const"], 1.5);
}

#[test]
fn an_enum_in_json_keeps_the_text_of_its_values_too() {
    let text = r#"{ "a": { "type": "string", "enum": [1e3, 1.10, true, "A"] }, "b": { "type": ["string", "null"], "const": 1.0 } }"#;
    let document = parse(text).unwrap();
    assert_eq!(document["a"]["enum"], json!(["1e3", "1.10", "true", "A"]));
    assert_eq!(document["b"]["const"], "1.0");
}

#[test]
fn too_deep_nesting_is_rejected_with_a_message() {
    let lists = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let objects = |depth: usize| format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
    let indented = |depth: usize| -> String {
        let lines: Vec<String> = (0..depth)
            .map(|level| format!("{}a:", " ".repeat(level)))
            .collect();
        lines.join("\n")
    };
    for nested in [lists, objects, indented] as [fn(usize) -> String; 3] {
        assert!(parse(&nested(120)).is_ok());
        for depth in [129, 200, 300, 2_000] {
            let error = rejected(parse(&nested(depth)), "nested values");
            assert!(error.problem().contains("nested"), "{depth}: {error}");
            assert!(error.remedy().contains("components"), "{depth}: {error}");
        }
    }
}

#[test]
fn messages_contain_no_words_of_the_parser() {
    for text in [
        "a: 1\na: 2",
        "a: [1,\nb: 2",
        "a: *x",
        "a: 1\n---\nb: 2",
        "a: !!binary x",
        "? [a]\n: b",
        "<<: 1",
        "%YAML 3.0\n--- a",
        "a: &a [*a]",
        "a: 'b",
        "a: b: c",
        "a: @x",
        "a: {b",
        "{ \"a\": 1, }x",
        "- a\nb: c",
    ] {
        let error = rejected(parse(text), text);
        assert!(!error.pointer().is_empty(), "{text}: {error}");
        for word in [
            "Policy",
            "Options",
            "budget",
            "from_str",
            "serde",
            "weak",
            "scalar",
            "::",
            "anchor_id",
        ] {
            assert!(!error.problem().contains(word), "{text}: {error}");
        }
    }
}

#[test]
fn text_of_any_depth_or_size_is_read_or_rejected() {
    let nested = format!("a: {}{}", "[".repeat(20_000), "]".repeat(20_000));
    rejected(parse(&nested), "nested lists");
    let mut bomb = "a0: &a0 [x, x]\n".to_owned();
    for level in 1..40 {
        let below = level - 1;
        writeln!(bomb, "a{level}: &a{level} [*a{below}, *a{below}]").unwrap();
    }
    rejected(parse(&bomb), "aliases of aliases");
}

#[test]
fn words_numbers_and_keys_keep_their_meaning() {
    let document = parse(
        "country: NO\nanswer: yes\nswitch: off\ntime: 12:30\ndate: 2024-01-02\nversion: 1.10.0\n\
         quoted: '10'\nbig: 9007199254740993\nnothing: ~\n200: status\n",
    )
    .unwrap();
    assert_eq!(
        document,
        json!({
            "country": "NO", "answer": "yes", "switch": "off", "time": "12:30", "date": "2024-01-02",
            "version": "1.10.0", "quoted": "10", "big": 9_007_199_254_740_993_u64,
            "nothing": null, "200": "status",
        })
    );
}

#[test]
fn the_order_of_members_is_kept() {
    let document = parse("z: 1\na: 2\nm: 3").unwrap();
    assert_eq!(
        document.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["z", "a", "m"]
    );
}
