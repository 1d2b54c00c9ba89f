//! Code can be generated for random valid descriptions.

use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::{Map, Value, json};
use upvest_gen::model::{Api, Content, Shape, Type};
use upvest_gen::{Errors, Source, generate, model};

use super::Fixture;
use super::dice::Dice;
use super::outline::outline;

/// The number of descriptions. `UPVEST_GEN_SEEDS=1000..9000` tries others.
const SEEDS: Range<u64> = 0..150;

/// Names of fields, parameters and components: normal ones, unusual ones, and reserved ones.
const NAMES: [&str; 40] = [
    "id",
    "order_id",
    "accountId",
    "side",
    "status",
    "type",
    "amount",
    "price",
    "iban",
    "first_name",
    "data",
    "meta",
    "limit",
    "offset",
    "created_at",
    "kind",
    "value",
    "build",
    "default",
    "self",
    "Self",
    "2nd",
    "a-b",
    "a_b",
    "aB",
    "order",
    "Order",
    "OrderId",
    "Vec",
    "Some",
    "From",
    "body",
    "send",
    "async",
    "gen",
    "Größe",
    "x.y",
    "_",
    "ids",
    "box",
];

const PROSE: [&str; 8] = [
    "",
    " ",
    "A text.",
    "See [this] <b>and</b> https://example.com/a_b.",
    "```\ncode",
    "*/ \"quoted\" \\ {brace}",
    "One\r\ntwo\n\n    three",
    "Ünï `code",
];

const PATTERNS: [&str; 8] = [
    "^[A-Z]{3}$",
    "^[A-Z]{2}$",
    "^[A-Z]{2}[A-Z0-9]{9}[0-9]$",
    "^[0-9]{0,63}(\\.[0-9]{1,27})?$",
    "^-?[0-9]{1,9}(\\.[0-9]{2})?$",
    "^[a-z]+$",
    "(?=x)",
    "^(a|b",
];

const FORMATS: [&str; 12] = [
    "uuid",
    "uuid",
    "date",
    "date-time",
    "decimal",
    "ISO4217",
    "email",
    "byte",
    "binary",
    "time",
    "password",
    "strange",
];

/// The seeds of the environment variable.
pub(crate) fn seeds() -> Option<Range<u64>> {
    let seeds = std::env::var("UPVEST_GEN_SEEDS").ok()?;
    let (start, end) = seeds
        .split_once("..")
        .expect("UPVEST_GEN_SEEDS is written as 100..200");
    Some(start.parse().unwrap()..end.parse().unwrap())
}

/// Generates the code for the description of a seed.
pub(crate) fn fixture(seed: u64) -> Result<Fixture, Errors> {
    let source = Source::new("api.json", description(seed).to_string());
    let api = model(&source, None)?;
    Ok(Fixture {
        name: format!("random-{seed}"),
        api,
        generated: generate(&source, None)?,
    })
}

#[test]
fn random_descriptions_yield_code_or_errors_with_a_remedy() {
    let mut whole = 0;
    let mut rejected = 0;
    for seed in seeds().unwrap_or(SEEDS) {
        let document = description(seed);
        let errors = match fixture(seed) {
            Ok(fixture) => {
                assert_is_closed(&fixture.api, seed);
                for file in &fixture.generated.files {
                    let parsed = syn::parse_file(&file.text);
                    assert!(
                        parsed.is_ok(),
                        "seed {seed}: {} is not Rust:\n{}",
                        file.name,
                        file.text
                    );
                }
                whole += 1;
                fixture
                    .generated
                    .left_out
                    .into_iter()
                    .chain(fixture.generated.notes)
                    .collect()
            }
            Err(errors) => {
                rejected += 1;
                errors.iter().cloned().collect::<Vec<_>>()
            }
        };
        for error in errors {
            let what = format!("seed {seed}: {error}\n{document:#}");
            assert!(
                !error.problem().is_empty()
                    && !error.remedy().is_empty()
                    && error.file() == "api.json",
                "{what}"
            );
            assert!(
                document.pointer(error.pointer()).is_some(),
                "there is no such place: {what}"
            );
            assert!(!error.remedy().contains("defect"), "{what}");
        }
    }
    assert!(
        whole > 9 * rejected,
        "{whole} descriptions were read, {rejected} rejected"
    );
}

/// Checks that every type that is used exists, and that names are unique.
fn assert_is_closed(api: &Api, seed: u64) {
    let schemas = api.schemas.iter().map(|schema| &schema.name);
    let enums = api.enums.iter().map(|item| &item.name);
    let names: Vec<&String> = schemas
        .chain(enums)
        .chain(api.ids.iter().map(|id| &id.name))
        .collect();
    assert_distinct(names.iter(), api, seed);
    let types: BTreeSet<&String> = names.into_iter().collect();
    let mut used: Vec<&Type> = Vec::new();
    for operation in &api.operations {
        used.extend(operation.parameters.iter().map(|parameter| &parameter.kind));
        used.extend(operation.body.iter().map(|body| &body.kind));
        if let Content::Json(kind) | Content::List(kind) = &operation.response.content {
            used.push(kind);
        }
        assert_distinct(
            operation
                .parameters
                .iter()
                .map(|parameter| &parameter.setter),
            api,
            seed,
        );
    }
    for schema in &api.schemas {
        match &schema.shape {
            Shape::Object(fields) => {
                used.extend(fields.iter().map(|field| &field.kind));
                assert_distinct(fields.iter().map(|field| &field.rust), api, seed);
            }
            Shape::Union { variants, .. } => {
                used.extend(variants.iter().map(|variant| &variant.kind));
                assert_distinct(variants.iter().map(|variant| &variant.name), api, seed);
            }
        }
    }
    for item in &api.enums {
        assert_distinct(item.variants.iter().map(|variant| &variant.name), api, seed);
    }
    assert_distinct(
        api.operations
            .iter()
            .map(|operation| &operation.method_name),
        api,
        seed,
    );
    assert_distinct(
        api.operations.iter().map(|operation| &operation.builder),
        api,
        seed,
    );
    while let Some(kind) = used.pop() {
        match kind {
            Type::List(inner) | Type::Map(inner) | Type::Nullable(inner) => used.push(inner),
            Type::Schema(name) | Type::Enum(name) | Type::Id(name) => {
                assert!(
                    types.contains(name),
                    "seed {seed}: there is no {name} in\n{}",
                    outline(api)
                );
            }
            _ => {}
        }
    }
}

fn assert_distinct<T: Ord + std::fmt::Debug>(names: impl Iterator<Item = T>, api: &Api, seed: u64) {
    let mut known = BTreeSet::new();
    for name in names {
        let text = format!("seed {seed}: {name:?} is there twice in\n{}", outline(api));
        assert!(known.insert(name), "{text}");
    }
}

/// Generates a random description from a seed. The operation names contain the seed.
fn description(seed: u64) -> Value {
    let mut dice = Dice(seed);
    let mut author = Author {
        is_new: seed % 2 == 1,
        components: Vec::new(),
        seed,
    };
    let count = dice.below(7);
    author.components = (0..count)
        .map(|_| (*dice.pick(&NAMES)).to_owned())
        .collect();
    author.components.sort();
    author.components.dedup();
    author.components.retain(|name| !name.is_empty());
    let names = author.components.clone();
    let schemas: Map<String, Value> = names
        .into_iter()
        .map(|name| (name, author.schema(&mut dice, 3)))
        .collect();
    let mut paths = Map::new();
    for index in 0..=dice.below(5) {
        let (path, item) = author.path(&mut dice, index);
        paths.insert(path, item);
    }
    let mut document = json!({
        "openapi": if author.is_new { "3.1.0" } else { "3.0.3" },
        "info": { "title": "Random", "version": "1" },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "parameters": { "Shared": { "name": "shared", "in": "query", "schema": author.value(&mut dice) } },
            "responses": { "Fault": { "description": dice.pick(&PROSE), "content": { "application/problem+json": { "schema": author.schema(&mut dice, 1) } } } },
        },
    });
    if dice.once_in(2) {
        document["security"] = json!([{ "oauth": ["a:read", "b:read"] }]);
    }
    document
}

/// Writes descriptions in one dialect.
struct Author {
    is_new: bool,
    components: Vec<String>,
    seed: u64,
}

impl Author {
    fn path(&self, dice: &mut Dice, index: usize) -> (String, Value) {
        let mut path = format!("/s{}/p{index}", self.seed);
        let mut parameters = Vec::new();
        for _ in 0..dice.below(3) {
            let name = *dice.pick(&["order_id", "id", "a-b", "type", "date"]);
            if !path.contains(&format!("{{{name}}}")) {
                path.push_str(&format!("/{{{name}}}"));
                parameters.push(
                    json!({ "name": name, "in": "path", "required": true, "schema": self.value(dice) }),
                );
            }
        }
        let mut item = Map::new();
        for method in ["get", "post", "patch", "delete"] {
            if item.is_empty() && method == "delete" || dice.once_in(3) {
                item.insert(method.to_owned(), self.operation(dice, index, method));
            }
        }
        item.insert("parameters".to_owned(), json!(parameters));
        (path, Value::Object(item))
    }

    fn operation(&self, dice: &mut Dice, index: usize, method: &str) -> Value {
        let mut parameters = vec![json!({ "$ref": "#/components/parameters/Shared" })];
        let mut names = BTreeSet::new();
        for _ in 0..dice.below(5) {
            let name = *dice.pick(&NAMES);
            if names.insert(name) {
                let place = *dice.pick(&["query", "query", "header"]);
                let mut parameter = json!({ "name": name, "in": place, "description": dice.pick(&PROSE), "schema": self.argument(dice) });
                if dice.once_in(3) {
                    parameter["required"] = json!(true);
                }
                if dice.once_in(4) {
                    parameter["explode"] = json!(false);
                }
                // This is not a valid header name.
                if name.is_ascii() || place == "query" {
                    parameters.push(parameter);
                }
            }
        }
        for header in ["idempotency-key", "signature", "upvest-client-id"] {
            if dice.once_in(3) {
                parameters.push(json!({ "name": header, "in": "header", "required": true, "schema": { "type": "string" } }));
            }
        }
        let mut operation = json!({ "parameters": parameters, "summary": dice.pick(&PROSE), "description": dice.pick(&PROSE), "tags": ["T"] });
        if !dice.once_in(5) {
            let verb = dice.pick(&["create", "list", "retrieve", "send", "update"]);
            operation["operationId"] = json!(format!("{verb}S{}P{index} {method}", self.seed));
        }
        if method != "get" && dice.once_in(2) {
            operation["requestBody"] =
                json!({ "description": dice.pick(&PROSE), "content": self.content(dice, false) });
        }
        let mut responses = json!({ "400": { "$ref": "#/components/responses/Fault" }, "default": { "description": "Else." } });
        let status = *dice.pick(&["200", "201", "202", "204", "2XX"]);
        responses[status] = if status == "204" {
            json!({ "description": "Done." })
        } else {
            json!({ "description": dice.pick(&PROSE), "content": self.content(dice, true) })
        };
        operation["responses"] = responses;
        operation
    }

    fn content(&self, dice: &mut Dice, is_answer: bool) -> Value {
        let list = |author: &Self, dice: &mut Dice| {
            let mut list = json!({ "type": "object", "properties": { "data": { "type": "array", "items": author.schema(dice, 2) } } });
            if dice.once_in(2) {
                list["properties"]["meta"] = json!({ "type": "object", "properties": { "offset": { "type": "integer" }, "limit": { "type": "integer" } } });
            }
            list
        };
        match dice.below(8) {
            0 => json!({ "text/plain": { "schema": { "type": "string" } } }),
            1 => json!({ "application/octet-stream": {} }),
            2 if is_answer => {
                json!({ "application/json": { "schema": list(self, dice) }, "application/pdf": {} })
            }
            2 => {
                json!({ "application/x-www-form-urlencoded": { "schema": { "type": "object", "properties": { "a": self.value(dice), "b": self.value(dice) } } } })
            }
            3 | 4 if is_answer => json!({ "application/json": { "schema": list(self, dice) } }),
            5 => json!({ "application/json; charset=utf-8": { "schema": self.schema(dice, 2) } }),
            _ => json!({ "application/json": { "schema": self.schema(dice, 3) } }),
        }
    }

    /// Makes the schema of a scalar.
    fn value(&self, dice: &mut Dice) -> Value {
        let mut schema = match dice.below(9) {
            0 => json!({ "type": "string", "enum": &["A", "B", "a", "", "1x"][..=dice.below(5)] }),
            1 => json!({ "type": "string", "pattern": dice.pick(&PATTERNS) }),
            2 | 3 => json!({ "type": "string", "format": dice.pick(&FORMATS) }),
            4 => {
                json!({ "type": "integer", "minimum": dice.below(2), "maximum": dice.below(5000) })
            }
            5 => {
                json!({ "type": "integer", "format": dice.pick(&["int32", "int64", "uint64", "strange"]) })
            }
            6 => json!({ "type": "number", "format": "double" }),
            7 => json!({ "type": "boolean", "default": true }),
            _ => json!({ "type": "string" }),
        };
        if self.is_new && dice.once_in(10) {
            schema = json!({ "const": dice.pick(&["A", "B"]) });
        }
        schema
    }

    /// Makes a schema for a parameter.
    fn argument(&self, dice: &mut Dice) -> Value {
        if dice.once_in(4) {
            json!({ "type": "array", "items": self.value(dice) })
        } else {
            self.value(dice)
        }
    }

    fn schema(&self, dice: &mut Dice, depth: usize) -> Value {
        let below = depth.saturating_sub(1);
        let mut schema = match if depth == 0 {
            dice.below(3)
        } else {
            dice.below(14)
        } {
            3 | 4 => json!({ "type": "array", "items": self.schema(dice, below) }),
            5 => json!({ "type": "object", "additionalProperties": self.schema(dice, below) }),
            6 | 7 => self.object(dice, depth),
            8 => json!({ "allOf": [self.reference(dice), { "description": dice.pick(&PROSE) }] }),
            9 => json!({ "allOf": [self.reference(dice), self.object(dice, below)] }),
            10 => {
                let alternatives: Vec<Value> = (0..=dice.below(3))
                    .map(|_| self.schema(dice, below))
                    .collect();
                let keyword = *dice.pick(&["oneOf", "anyOf"]);
                json!({ keyword: alternatives })
            }
            11 => self.marked(dice, below),
            12 => self.reference(dice),
            13 => json!({ "type": "object" }),
            _ => self.value(dice),
        };
        let is_reference = schema.get("$ref").is_some();
        if !is_reference || self.is_new {
            for (keyword, value, times) in [
                ("description", json!(dice.pick(&PROSE)), 3),
                (
                    "title",
                    json!(dice.pick(&[
                        "Order - Place - Request",
                        "Some",
                        "1",
                        "",
                        "Cash - Movement"
                    ])),
                    5,
                ),
                ("x-public", json!(true), 9),
                ("default", json!(null), 20),
                ("example", json!({ "$ref": "nowhere" }), 20),
            ] {
                if dice.once_in(times) {
                    schema[keyword] = value;
                }
            }
            if dice.once_in(4) {
                schema = self.nullable(schema);
            }
        }
        schema
    }

    fn nullable(&self, mut schema: Value) -> Value {
        match (self.is_new, schema.get("type").cloned()) {
            (false, _) => schema["nullable"] = json!(true),
            (true, Some(kind)) => {
                schema["type"] = json!([kind, "null"]);
                if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut) {
                    values.push(Value::Null);
                }
            }
            (true, None) => schema = json!({ "oneOf": [schema, { "type": "null" }] }),
        }
        schema
    }

    fn reference(&self, dice: &mut Dice) -> Value {
        if self.components.is_empty() {
            return json!({ "type": "string" });
        }
        json!({ "$ref": format!("#/components/schemas/{}", dice.pick(&self.components)) })
    }

    fn object(&self, dice: &mut Dice, depth: usize) -> Value {
        let mut properties = Map::new();
        for _ in 0..dice.below(6) {
            properties.insert(
                (*dice.pick(&NAMES)).to_owned(),
                self.schema(dice, depth.saturating_sub(1)),
            );
        }
        let required: Vec<String> = properties
            .keys()
            .filter(|_| dice.once_in(2))
            .cloned()
            .collect();
        let mut object = json!({ "type": "object", "properties": properties });
        if !required.is_empty() {
            object["required"] = json!(required);
        }
        if dice.once_in(4) {
            object["additionalProperties"] = json!(false);
        }
        object
    }

    /// Makes a union of objects that a field distinguishes.
    fn marked(&self, dice: &mut Dice, depth: usize) -> Value {
        let alternatives: Vec<Value> = (0..=dice.below(3))
            .map(|index| {
                let mut object = self.object(dice, depth);
                let mark = format!("M{index}");
                object["properties"]["mark"] = if self.is_new {
                    json!({ "const": mark })
                } else {
                    json!({ "type": "string", "enum": [mark] })
                };
                object["required"] = json!(["mark"]);
                object
            })
            .collect();
        let mut schema = json!({ "oneOf": alternatives });
        if dice.once_in(2) {
            schema["discriminator"] = json!({ "propertyName": "mark" });
        }
        schema
    }
}
