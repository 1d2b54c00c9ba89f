//! Runs the tests of `tests/wire/calls.rs` with the code of the descriptions beside it: what calls send, and what they
//! read.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};
use upvest_gen::{Source, generate};

use super::compile::Scratch;

#[test]
fn the_code_sends_and_reads_what_is_described() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire");
    let mut scratch = Scratch::new("wire");
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            add(&mut scratch, &name, fs::read_to_string(&path).unwrap());
        }
    }
    let list = json!({ "type": "array", "items": { "$ref": "" } });
    add(
        &mut scratch,
        "ring",
        chain(60, true, &json!({ "$ref": "" })).to_string(),
    );
    add(
        &mut scratch,
        "ring_of_lists",
        chain(60, true, &list).to_string(),
    );
    add(
        &mut scratch,
        "chain",
        chain(60, false, &json!({ "$ref": "" })).to_string(),
    );
    add(&mut scratch, "wide", wide(260).to_string());
    scratch.test(&folder.join("calls.rs"));
}

fn add(scratch: &mut Scratch, name: &str, text: String) {
    let generated = generate(&Source::new(name, text), None).unwrap();
    assert!(
        generated.left_out.is_empty(),
        "{name}: {:?}",
        generated.left_out
    );
    scratch.add(name, &generated);
}

/// A chain of schemas. The field `next` of each refers to the following one. `link` is the schema of that field, with
/// `""` in place of the reference. In a ring, the last one refers to the first.
fn chain(length: usize, is_ring: bool, link: &Value) -> Value {
    let schemas = (0..length).map(|index| {
        let next = index + 1;
        let properties = if next < length || is_ring {
            let target = format!("#/components/schemas/L{}", next % length);
            let link = link.to_string().replace("\"\"", &format!("{target:?}"));
            json!({ "next": serde_json::from_str::<Value>(&link).unwrap() })
        } else {
            json!({ "end": { "type": "string" } })
        };
        let schema = json!({ "type": "object", "properties": properties });
        (format!("L{index}"), schema)
    });
    description(&schemas.collect())
}

/// A schema with many fields.
fn wide(fields: usize) -> Value {
    let properties: Map<String, Value> = (0..fields)
        .map(|index| (format!("f{index}"), json!({ "type": "string" })))
        .collect();
    let schema = json!({ "type": "object", "properties": properties });
    description(&Map::from_iter([("L0".to_owned(), schema)]))
}

/// A description whose operations read and send the schema `L0`.
fn description(schemas: &Map<String, Value>) -> Value {
    let content =
        json!({ "application/json": { "schema": { "$ref": "#/components/schemas/L0" } } });
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Generated", "version": "1" },
        "paths": { "/a": {
            "get": { "operationId": "readIt", "responses": { "200": { "description": "d", "content": content } } },
            "post": {
                "operationId": "sendIt",
                "requestBody": { "required": true, "content": content },
                "responses": { "204": { "description": "d" } },
            },
        } },
        "components": { "schemas": schemas },
    })
}
