//! The ledger: everything in a description is in the crate, or listed with the reason.
//!
//! These tests count with their own walk over the plain document.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use upvest_gen::ledger::{ItemKind, Ledger};
use upvest_gen::{Source, describe};

#[test]
fn the_ledger_counts_what_the_plain_document_contains() {
    for (name, spec, overlay) in descriptions() {
        let ledger = ledger(&name, &spec, overlay.as_ref());
        let document = describe(&spec, overlay.as_ref()).expect("it is read above");
        let counted = Count::of(&document).sizes();
        let rows = ledger.rows.iter().map(|row| (row.kind, row.described));
        assert_eq!(rows.collect::<BTreeMap<_, _>>(), counted, "{name}");
    }
}

#[test]
fn each_item_that_the_crate_lacks_is_listed() {
    let mut unexplained = Vec::new();
    for (name, spec, overlay) in descriptions() {
        let ledger = ledger(&name, &spec, overlay.as_ref());
        for row in &ledger.rows {
            let missing = ledger.missing.iter().filter(|it| it.kind == row.kind);
            assert_eq!(row.described - row.held, missing.count(), "{name}: {row:?}");
        }
        let unlisted = ledger.missing.iter().filter(|it| it.reason.is_none());
        unexplained.extend(unlisted.map(|it| format!("{name}: {}: {}", it.kind.title(), it.name)));
    }
    assert!(
        unexplained.is_empty(),
        "{} without a reason:\n{}",
        unexplained.len(),
        unexplained.join("\n")
    );
}

#[test]
fn a_loss_is_listed_with_the_note_that_reports_it() {
    let ledger = ledger(
        "mixed",
        &mixed("oneOf: [{ type: integer }, { type: object, properties: { a: { enum: [X] } } }]"),
        None,
    );
    let missing = ledger.missing.iter();
    let missing: Vec<_> = missing
        .map(|it| (it.kind, it.name.as_str(), it.reason.as_deref()))
        .collect();
    let place = "/components/schemas/Order/properties/x";
    let a = format!("{place}/oneOf/1/properties/a");
    let x = format!("{a} = \"X\"");
    assert_eq!(missing.len(), 2, "{missing:#?}");
    for (kind, name, reason) in missing {
        assert!(
            [(ItemKind::Field, &a), (ItemKind::EnumValue, &x)].contains(&(kind, &name.to_owned())),
            "{name}"
        );
        let reason = reason.expect("it has a reason");
        assert!(
            reason.starts_with(&format!("mixed.yaml: {place}: ")),
            "{reason}"
        );
        assert!(reason.contains("which is read as any JSON"), "{reason}");
    }
}

#[test]
fn each_alternative_of_a_union_is_counted_with_its_own_type() {
    let union = "oneOf: [{ properties: { t: { enum: [A] }, k: { enum: [ONE] } } }, { properties: { t: { enum: [B] }, k: { enum: [TWO] }, n: {} } }]";
    let ledger = ledger("union", &mixed(union), None);
    assert_eq!(ledger.missing, []);
    let fields = ledger.rows.iter().find(|row| row.kind == ItemKind::Field);
    assert_eq!(fields.map(|row| row.described), Some(6));
}

#[test]
fn equal_unions_at_two_places_have_the_values_of_each_alternative() {
    for tag in ["enum: [{}]", "type: string, default: {}", "const: {}"] {
        let union = format!(
            "oneOf: [{{ title: First, properties: {{ t: {{ {} }}, k: {{ enum: [ONE] }} }} }}, {{ title: Second, properties: {{ t: {{ {} }}, k: {{ enum: [TWO] }} }} }}]",
            tag.replace("{}", "A"),
            tag.replace("{}", "B"),
        );
        let twice = format!("properties: {{ a: {{ {union} }}, b: {{ {union} }} }}");
        let ledger = ledger("unions", &mixed(&twice), None);
        assert_eq!(ledger.missing, [], "{tag}");
    }
}

/// A response with the field `x` of this schema.
fn mixed(schema: &str) -> Source {
    let text = format!(
        "openapi: 3.1.0\ninfo: {{ title: T, version: '1' }}\npaths: {{ /o: {{ get: {{ operationId: readOrder, responses: {{ '200': {{ \
         content: {{ application/json: {{ schema: {{ $ref: '#/components/schemas/Order' }} }} }} }} }} }} }} }}\n\
         components: {{ schemas: {{ Order: {{ properties: {{ x: {{ {schema} }} }} }} }} }}\n"
    );
    Source::new("mixed.yaml", text)
}

fn ledger(name: &str, spec: &Source, overlay: Option<&Source>) -> Ledger {
    Ledger::read(spec, overlay).unwrap_or_else(|errors| panic!("{name}: {errors}"))
}

/// The corpus, the vendored description, the official one, and the newer constructs.
fn descriptions() -> Vec<(String, Source, Option<Source>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let source = |path: &str| {
        let text = fs::read_to_string(root.join(path)).expect("the description is there");
        Source::new(path, text)
    };
    let mut descriptions = vec![
        (
            "vendored".to_owned(),
            source("spec/upvest-investment-api.yaml"),
            Some(source("spec/overlay.yaml")),
        ),
        (
            "official".to_owned(),
            source("tests/fixtures/official/official-1.9.0.json"),
            Some(source("spec/official-overlay.yaml")),
        ),
        (
            "newer constructs".to_owned(),
            source("tests/fixtures/official/newer-constructs.yaml"),
            None,
        ),
    ];
    let corpus = root.join("tests/fixtures/descriptions");
    let entries = fs::read_dir(corpus).expect("the corpus is there");
    let paths = entries.map(|entry| entry.expect("it can be listed").path());
    let mut paths: Vec<PathBuf> = paths.filter(|path| path.is_file()).collect();
    paths.sort();
    assert!(paths.len() > 60, "{} descriptions", paths.len());
    for path in paths {
        let name = path.file_name().expect("it is a file").to_string_lossy();
        let text = fs::read_to_string(&path).expect("it can be read");
        let source = Source::new(name.clone(), text);
        descriptions.push((name.into_owned(), source, None));
    }
    descriptions
}

const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// The headers that the client sets by itself. Callers do not set their values.
const TRANSPORT: [&str; 7] = [
    "accept",
    "authorization",
    "idempotency-key",
    "signature",
    "signature-input",
    "upvest-api-version",
    "upvest-client-id",
];

/// The names of the items of a document.
#[derive(Default)]
struct Count {
    names: BTreeMap<ItemKind, BTreeSet<String>>,
    /// The visited schemas, and whether each was visited as the base of another one.
    visited: BTreeSet<(String, bool)>,
}

impl Count {
    fn of(document: &Value) -> Self {
        let mut count = Self::default();
        for kind in ItemKind::ALL {
            count.names.insert(kind, BTreeSet::new());
        }
        for (path, item) in members(&document["paths"]) {
            if !path.starts_with("x-") {
                let at = format!("/paths/{}", escaped(path));
                count.path_item(document, path, item, &at);
            }
        }
        for keyword in ["webhooks", "x-webhooks"] {
            for (group, item) in members(&document[keyword]) {
                let at = format!("/{keyword}/{}", escaped(group));
                count.webhook(document, &format!("{keyword} {group}"), item, &at);
            }
        }
        count
    }

    fn sizes(&self) -> BTreeMap<ItemKind, usize> {
        let sizes = self.names.iter().map(|(kind, names)| (*kind, names.len()));
        sizes.collect()
    }

    fn add(&mut self, kind: ItemKind, name: String) {
        self.names.entry(kind).or_default().insert(name);
    }

    fn path_item(&mut self, document: &Value, path: &str, item: &Value, at: &str) {
        let mut shared = Vec::new();
        let mut operations = BTreeMap::new();
        let mut next = Some((at.to_owned(), item));
        while let Some((at, item)) = next {
            for (method, operation) in members(item) {
                if METHODS.contains(&method) {
                    let at = format!("{at}/{method}");
                    operations.entry(method).or_insert((at, operation));
                }
            }
            shared.extend(list(&item["parameters"], &format!("{at}/parameters")));
            next = match item.get("$ref") {
                Some(reference) => {
                    let target = follow(document, reference);
                    if target.is_none() {
                        self.add(ItemKind::Operation, format!("all of {path}"));
                    }
                    target
                }
                None => None,
            };
        }
        for (method, (at, operation)) in operations {
            let route = format!("{method} {path}");
            self.operation(document, &route, operation, &at, &shared);
        }
    }

    fn operation(
        &mut self,
        document: &Value,
        route: &str,
        operation: &Value,
        at: &str,
        shared: &[(String, &Value)],
    ) {
        self.add(ItemKind::Operation, route.to_owned());
        let own = list(&operation["parameters"], &format!("{at}/parameters"));
        let own: Vec<_> = own
            .into_iter()
            .map(|(at, it)| resolved(document, it, at))
            .collect();
        let shared = shared
            .iter()
            .map(|(at, it)| resolved(document, it, at.clone()));
        let is_replaced = |it: &Value| {
            own.iter()
                .any(|(_, own)| own["name"] == it["name"] && own["in"] == it["in"])
        };
        let shared: Vec<_> = shared.filter(|(_, it)| !is_replaced(it)).collect();
        for (at, parameter) in own.iter().chain(&shared) {
            let name = parameter["name"].as_str().unwrap_or_default();
            let place = &parameter["in"];
            self.add(ItemKind::Parameter, format!("{route} {place} {name}"));
            let name = name.to_ascii_lowercase();
            if place == "header" && TRANSPORT.contains(&name.as_str()) {
                continue;
            }
            if let Some(schema) = parameter.get("schema") {
                self.schema(document, schema, format!("{at}/schema"), false);
            }
            self.contents(document, parameter, at, None);
        }
        let (at_body, body) = resolved(
            document,
            &operation["requestBody"],
            format!("{at}/requestBody"),
        );
        self.contents(document, body, &at_body, Some(&format!("{route} request")));
        for (status, response) in members(&operation["responses"]) {
            if status.starts_with('2') {
                let at = format!("{at}/responses/{status}");
                let (at, response) = resolved(document, response, at);
                self.contents(document, response, &at, Some(&format!("{route} {status}")));
            }
        }
        for (name, _) in members(&operation["callbacks"]) {
            self.add(ItemKind::Event, format!("{route} {name}"));
        }
    }

    fn contents(&mut self, document: &Value, body: &Value, at: &str, owner: Option<&str>) {
        for (media_type, media) in members(&body["content"]) {
            if let Some(owner) = owner {
                self.add(ItemKind::MediaType, format!("{owner} {media_type}"));
            }
            if let Some(schema) = media.get("schema") {
                let at = format!("{at}/content/{}/schema", escaped(media_type));
                self.schema(document, schema, at, false);
            }
        }
    }

    fn schema(&mut self, document: &Value, schema: &Value, at: String, is_base: bool) {
        let mut open = vec![(schema, at, is_base)];
        while let Some((schema, at, is_base)) = open.pop() {
            if !self.visited.insert((at.clone(), is_base)) {
                continue;
            }
            for (keyword, value) in members(schema) {
                let at = format!("{at}/{keyword}");
                match keyword {
                    "$ref" => {
                        let target = follow(document, value);
                        open.extend(target.map(|(at, schema)| (schema, at, is_base)));
                    }
                    "allOf" => {
                        open.extend(list(value, &at).into_iter().map(|(at, it)| (it, at, true)));
                    }
                    "oneOf" | "anyOf" | "prefixItems" => {
                        open.extend(list(value, &at).into_iter().map(|(at, it)| (it, at, false)));
                    }
                    "properties" => {
                        for (name, schema) in members(value) {
                            let at = format!("{at}/{}", escaped(name));
                            self.add(ItemKind::Field, at.clone());
                            open.push((schema, at, false));
                        }
                    }
                    "patternProperties" | "dependentSchemas" => {
                        for (name, schema) in members(value) {
                            open.push((schema, format!("{at}/{}", escaped(name)), false));
                        }
                    }
                    "items"
                    | "additionalProperties"
                    | "unevaluatedProperties"
                    | "then"
                    | "else" => {
                        open.push((value, at, false));
                    }
                    _ => {}
                }
            }
            self.values(schema, &at);
            if schema.get("discriminator").is_some() && !is_base {
                for (name, heir) in members(&document["components"]["schemas"]) {
                    let mut bases = list(&heir["allOf"], "").into_iter();
                    if bases.any(|(_, base)| {
                        follow(document, &base["$ref"]).is_some_and(|it| it.0 == at)
                    }) {
                        let at = format!("/components/schemas/{}", escaped(name));
                        open.push((heir, at, false));
                    }
                }
            }
        }
    }

    fn values(&mut self, schema: &Value, at: &str) {
        let values = list(&schema["enum"], "")
            .into_iter()
            .map(|(_, value)| value);
        for value in values.chain(schema.get("const")) {
            if !value.is_null() && !value.is_object() && !value.is_array() {
                self.add(ItemKind::EnumValue, format!("{at} {value}"));
            }
        }
    }

    fn webhook(&mut self, document: &Value, group: &str, item: &Value, at: &str) {
        let before = self.names[&ItemKind::Event].len();
        let (at, item) = resolved(document, item, at.to_owned());
        for (method, delivery) in members(item) {
            if !METHODS.contains(&method) {
                continue;
            }
            let at = format!("{at}/{method}/requestBody");
            let (at, body) = resolved(document, &delivery["requestBody"], at);
            for (media_type, media) in members(&body["content"]) {
                let at = format!("{at}/content/{}/schema", escaped(media_type));
                self.delivery(document, &media["schema"], at);
            }
        }
        if self.names[&ItemKind::Event].len() == before {
            self.add(ItemKind::Event, group.to_owned());
        }
    }

    /// A delivery is an event, a list of events, or a union of events.
    fn delivery(&mut self, document: &Value, schema: &Value, at: String) {
        let (at, schema) = resolved(document, schema, at);
        if schema.get("properties").is_none() {
            for keyword in ["oneOf", "anyOf"] {
                for (at, branch) in list(&schema[keyword], &format!("{at}/{keyword}")) {
                    self.delivery(document, branch, at);
                }
            }
            if let Some(items) = schema.get("items") {
                self.delivery(document, items, format!("{at}/items"));
            }
        }
        for (name, property) in members(&schema["properties"]) {
            let at = format!("{at}/properties/{}", escaped(name));
            self.add(ItemKind::Field, at.clone());
            if name != "type" {
                self.schema(document, property, at, false);
                continue;
            }
            let (_, kind) = resolved(document, property, at);
            for value in list(&kind["enum"], "")
                .into_iter()
                .map(|it| it.1)
                .chain(kind.get("const"))
            {
                self.add(ItemKind::Event, value.to_string());
            }
        }
    }
}

/// Returns the value, or the target of its reference.
fn resolved<'d>(document: &'d Value, value: &'d Value, at: String) -> (String, &'d Value) {
    match value.get("$ref").and_then(|it| follow(document, it)) {
        Some((at, value)) => resolved(document, value, at),
        None => (at, value),
    }
}

/// The target of a reference in the document.
fn follow<'d>(document: &'d Value, reference: &Value) -> Option<(String, &'d Value)> {
    let encoded = reference.as_str()?.strip_prefix('#')?;
    let mut bytes = Vec::new();
    let mut rest = encoded.bytes();
    while let Some(byte) = rest.next() {
        let is_encoded = byte == b'%';
        bytes.push(if is_encoded {
            let digits = [rest.next()?, rest.next()?];
            u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
        } else {
            byte
        });
    }
    let pointer = String::from_utf8(bytes).ok()?;
    let value = document.pointer(&pointer)?;
    Some((pointer, value))
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let members = value.as_object().into_iter().flatten();
    members.map(|(name, value)| (name.as_str(), value))
}

fn list<'d>(value: &'d Value, at: &str) -> Vec<(String, &'d Value)> {
    let items = value.as_array().into_iter().flatten().enumerate();
    items
        .map(|(index, value)| (format!("{at}/{index}"), value))
        .collect()
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
