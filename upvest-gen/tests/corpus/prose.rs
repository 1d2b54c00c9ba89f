//! Prose with special characters in every place that has documentation.

use serde_json::{Value, json};
use upvest_gen::{Source, generate};

use super::compile::Scratch;
use super::dice::Dice;
use super::fixtures;

#[rustfmt::skip]
const PIECES: &[&str] = &[
    "word", "Order", "`", "``", "```", "```json", "~~~", "<", ">", "<b>", "</b>", "<!--", "-->", "<script>", "&", "[", "]", "(", ")", "[a]",
    "[a](b)", "[a](https://example.com)", "[a]: b", "[`T`]", "[^1]", "[^1]: note", "![i](j.png)", "https://example.com/x_y?z=[1]",
    "a@b.example", "*", "**", "_", "~", "\\", "\\[", "*/", "/*", "\"", "'", "{", "}", "$", "%", "#", "# Errors", "- item", "1. item",
    "- [ ] task", "> quote", "|", "| a | b |", "|---|---|", "---", "===", ": definition", "\t", "    code", "\n", "\n", "\n\n", "\n\n", "\r",
    "crate::x", "std::vec::Vec<T>",
];

#[test]
fn rustdoc_shows_any_prose_without_a_warning() {
    let mut scratch = Scratch::new("prose");
    let about_prose = ["hostile-prose", "empty-descriptions"];
    for fixture in fixtures() {
        if about_prose.contains(&&*fixture.name) {
            scratch.add(&fixture.name, &fixture.generated);
        }
    }
    let source = Source::new("prose", description(&mut Dice(1)).to_string());
    let generated = generate(&source, None).unwrap();
    assert!(generated.left_out.is_empty(), "{:?}", generated.left_out);
    scratch.add("prose", &generated);
    scratch.document();
}

/// Operations, types and events with random prose.
fn description(dice: &mut Dice) -> Value {
    let mut paths = json!({});
    let mut schemas = json!({});
    for index in 0..60 {
        let order = json!({ "$ref": format!("#/components/schemas/Order{index}") });
        let content = json!({ "application/json": { "schema": order } });
        let parameter = json!({
            "name": "side", "in": "query", "description": prose(dice), "schema": { "type": "string", "default": "BUY" },
        });
        paths[format!("/orders{index}")]["post"] = json!({
            "operationId": format!("createOrder{index}"),
            "summary": prose(dice),
            "description": prose(dice),
            "parameters": [parameter],
            "requestBody": { "description": prose(dice), "content": content },
            "responses": {
                "200": { "description": prose(dice), "content": content },
                "404": { "description": prose(dice) },
                "422": { "description": prose(dice) },
            },
        });
        let status = json!({
            "type": "string", "description": prose(dice), "enum": ["NEW", "OLD"], "x-enum-descriptions": { "NEW": prose(dice), "OLD": prose(dice) },
        });
        schemas[format!("Order{index}")] = json!({
            "type": "object",
            "title": prose(dice),
            "description": prose(dice),
            "properties": {
                "id": { "type": "string", "format": "uuid", "description": prose(dice) },
                "status": status,
                "note": { "type": "string", "title": prose(dice) },
            },
        });
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": prose(dice), "description": prose(dice), "version": "1" },
        "paths": paths,
        "components": { "schemas": schemas },
    })
}

fn prose(dice: &mut Dice) -> String {
    let mut text = String::new();
    for _ in 0..=dice.below(12) {
        text += *dice.pick(PIECES);
        if dice.once_in(2) {
            text.push(' ');
        }
        if dice.once_in(10) {
            text += &"word ".repeat(dice.below(30));
        }
    }
    text
}
