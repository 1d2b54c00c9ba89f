//! Random changes of the vendored description. Each changes one fact.

use std::fs;

use serde_json::{Value, json};
use upvest_gen::diff::Facts;
use upvest_gen::{Errors, Source, describe};

/// The kinds of changes.
pub(crate) const KINDS: [&str; 7] = [
    "type",
    "required",
    "enum value",
    "path",
    "parameter",
    "status",
    "scope",
];

/// The vendored description with its overlay: its facts, and the document.
pub(crate) fn vendored() -> (Facts, Value) {
    let read = |name: &str| {
        let path = format!("{}/../spec/{name}", env!("CARGO_MANIFEST_DIR"));
        Source::new(
            name,
            fs::read_to_string(path).expect("the description is there"),
        )
    };
    let spec = read("upvest-investment-api.yaml");
    let overlay = read("overlay.yaml");
    let document = describe(&spec, Some(&overlay)).unwrap_or_else(|errors| panic!("{errors}"));
    (facts(&document), document)
}

/// The facts of a document.
pub(crate) fn facts(document: &Value) -> Facts {
    read(document).unwrap_or_else(|errors| panic!("{errors}"))
}

fn read(document: &Value) -> Result<Facts, Errors> {
    Facts::read(&Source::new("new.json", document.to_string()), None)
}

/// A description and the places that a mutation can change.
pub(crate) struct Original {
    document: Value,
    operations: Vec<String>,
    plain_values: Vec<String>,
    objects: Vec<String>,
    enums: Vec<String>,
}

impl Original {
    /// Finds the places in a document.
    pub(crate) fn new(document: Value) -> Self {
        let is_operation =
            |at: &str, value: &Value| at.starts_with("/paths") && value.get("responses").is_some();
        let is_plain = |at: &str, value: &Value| {
            let is_schema = at.contains("/properties/") || at.ends_with("/schema");
            is_schema
                && matches!(
                    value["type"].as_str(),
                    Some("string" | "integer" | "boolean" | "number")
                )
        };
        let is_object = |at: &str, value: &Value| {
            at.starts_with("/components/schemas") && value.get("properties").is_some()
        };
        Self {
            operations: pointers(&document, is_operation),
            plain_values: pointers(&document, is_plain),
            objects: pointers(&document, is_object),
            enums: pointers(&document, |_, value| {
                value.get("enum").is_some_and(Value::is_array)
            }),
            document,
        }
    }
}

/// Returns a part of a description: every `parts`th path from `first` on, with the schemas that these paths need.
#[allow(dead_code, reason = "not every test compiles what it changes")]
pub(crate) fn part_of(document: &Value, first: usize, parts: usize) -> Value {
    let mut part = document.clone();
    let mut index = 0;
    let is_kept = |_: &String, _: &mut Value| {
        index += 1;
        index % parts == first % parts
    };
    part["paths"]
        .as_object_mut()
        .expect("there are paths")
        .retain(is_kept);
    let mut needed = part["paths"].to_string() + &part["components"]["responses"].to_string();
    let mut known = 0;
    // Includes the schemas that a schema needs.
    let is_needed = |name: &str, text: &str| text.contains(&format!("schemas/{name}\""));
    let schemas = document["components"]["schemas"]
        .as_object()
        .expect("there are schemas");
    while known < needed.len() {
        known = needed.len();
        let texts = schemas
            .iter()
            .filter(|(name, _)| is_needed(name, &needed))
            .map(|(_, schema)| schema.to_string());
        let texts: String = texts
            .filter(|text| !needed.contains(text.as_str()))
            .collect();
        needed += &texts;
    }
    let schemas = part["components"]["schemas"]
        .as_object_mut()
        .expect("there are schemas");
    schemas.retain(|name, _| is_needed(name, &needed));
    part
}

/// A description with one changed fact.
pub(crate) struct Mutation {
    /// The kind of the change.
    pub(crate) kind: &'static str,
    /// The place and the change, for people.
    pub(crate) description: String,
    /// The whole changed document.
    pub(crate) document: Value,
}

impl Mutation {
    /// Makes a change that depends only on `seed`.
    pub(crate) fn new(original: &Original, seed: u64) -> Self {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let kind = KINDS[random.below(KINDS.len())];
        let mut document = original.document.clone();
        let description = loop {
            if let Some(description) = mutate(&mut document, original, kind, &mut random) {
                break description;
            }
        };
        Self {
            kind,
            description,
            document,
        }
    }

    /// The facts of the changed description, or the error of the generator.
    pub(crate) fn facts(&self) -> Result<Facts, Errors> {
        read(&self.document)
    }
}

/// Makes one random change of the kind `kind` and returns its description, or `None` if the chosen place has nothing to
/// change.
fn mutate(
    document: &mut Value,
    original: &Original,
    kind: &str,
    random: &mut Random,
) -> Option<String> {
    let operation = random.pick(&original.operations);
    Some(match kind {
        "type" => {
            let at = random.pick(&original.plain_values);
            let schema = document.pointer_mut(&at)?;
            let before = schema["type"].clone();
            let others: Vec<&str> = ["string", "integer", "boolean"]
                .into_iter()
                .filter(|other| before != *other)
                .collect();
            let after = random.pick(&others);
            // Another type has other keywords.
            *schema = json!({ "type": after, "description": schema["description"] });
            format!("{at}: {before} is {after}")
        }
        "required" => {
            let at = random.pick(&original.objects);
            let schema = document.pointer_mut(&at)?;
            let names: Vec<String> = schema["properties"].as_object()?.keys().cloned().collect();
            let name = random.pick(&names);
            if schema.get("required").is_none() {
                schema["required"] = json!([]);
            }
            let required = schema["required"].as_array_mut()?;
            match required.iter().position(|it| *it == name) {
                Some(place) => _ = required.remove(place),
                None => required.push(json!(name)),
            }
            format!("{at}: {name}")
        }
        "enum value" => {
            let at = random.pick(&original.enums);
            let values = document.pointer_mut(&at)?["enum"].as_array_mut()?;
            if values.len() > 1 && random.below(2) == 0 {
                let place = random.below(values.len());
                let gone = values.remove(place);
                let schema = document.pointer_mut(&at)?;
                for extension in ["x-enum-descriptions", "x-final"] {
                    match schema.get_mut(extension) {
                        Some(Value::Object(texts)) => _ = texts.remove(gone.as_str()?),
                        Some(Value::Array(texts)) => texts.retain(|text| *text != gone),
                        _ => {}
                    }
                }
                format!("{at}: without {gone}")
            } else {
                values.push(json!("A_NEW_VALUE"));
                format!("{at}: with A_NEW_VALUE")
            }
        }
        "path" => {
            let paths = document["paths"].as_object_mut()?;
            let names: Vec<String> = paths.keys().cloned().collect();
            let name = random.pick(&names);
            let item = paths.remove(&name)?;
            paths.insert(format!("/v2{name}"), item);
            name
        }
        "parameter" => {
            let value = document.pointer_mut(&operation)?;
            if value.get("parameters").is_none() {
                value["parameters"] = json!([]);
            }
            let parameters = value["parameters"].as_array_mut()?;
            let of_query: Vec<usize> = (0..parameters.len())
                .filter(|index| parameters[*index]["in"] == "query")
                .collect();
            match random.below(3) {
                0 => {
                    let required = random.below(2) == 0;
                    parameters.push(json!({ "name": "novel", "in": "query", "required": required, "schema": { "type": "string" } }));
                    format!("{operation}: novel, required: {required}")
                }
                how if !of_query.is_empty() => {
                    let place = random.pick(&of_query);
                    let name = parameters[place]["name"].clone();
                    if how == 1 {
                        parameters.remove(place);
                    } else {
                        let required = parameters[place]["required"] != true;
                        parameters[place]["required"] = json!(required);
                    }
                    format!("{operation}: {name}, {how}")
                }
                _ => return None,
            }
        }
        "status" => {
            let responses = document.pointer_mut(&operation)?["responses"].as_object_mut()?;
            let statuses: Vec<String> = responses.keys().cloned().collect();
            let status = random.pick(&statuses);
            let response = responses.get(&status)?.clone();
            match (status.as_str(), random.below(2)) {
                (status, _) if status.starts_with('2') => {
                    responses.remove(status);
                    responses.insert("203".to_owned(), response);
                }
                (status, 0) => _ = responses.remove(status),
                _ => _ = responses.insert("418".to_owned(), response),
            }
            format!("{operation}: {status}")
        }
        _ => {
            document.pointer_mut(&operation)?["security"] =
                json!([{ "oauth2ClientCredentials": ["novel:read"] }]);
            format!("{operation}: novel:read")
        }
    })
}

/// Returns the pointers of all objects for which `is_wanted` is true. Examples are skipped.
fn pointers(document: &Value, is_wanted: impl Fn(&str, &Value) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![(String::new(), document)];
    while let Some((at, value)) = open.pop() {
        match value {
            Value::Object(object) => {
                let members = object.iter().filter(|(key, _)| !key.starts_with("example"));
                let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
                open.extend(members.map(|(key, value)| (format!("{at}/{}", escaped(key)), value)));
                if is_wanted(&at, value) {
                    found.push(at);
                }
            }
            Value::Array(items) => {
                open.extend(
                    items
                        .iter()
                        .enumerate()
                        .map(|(index, item)| (format!("{at}/{index}"), item)),
                );
            }
            _ => {}
        }
    }
    found
}

/// A pseudo-random number generator (xorshift64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        for shift in [13_i32, -7, 17] {
            self.0 ^= if shift > 0 {
                self.0 << shift
            } else {
                self.0 >> -shift
            };
        }
        usize::try_from(self.0 >> 16).expect("48 bits fit") % bound
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }
}
