//! Descriptions of any size, with a function for each kind of growth.

use std::time::Duration;

use cpu_time::ProcessTime;
use serde_json::{Map, Value, json};
use upvest_gen::{Source, generate};

/// A kind of growth: a name, and a description with `size` parts of this kind.
pub(crate) type Growth = (&'static str, fn(usize) -> Value);

/// Each kind of growth, and how many such parts the description of a large API may have.
pub(crate) const GROWTHS: [(Growth, usize); 6] = [
    (("operations", operations), 1_000),
    (("properties", properties), 2_000),
    (("values of an enum", values), 5_000),
    (("branches of a union", branches), 100),
    (("events", events), 300),
    (("levels of a doubled `allOf`", levels), 60),
];

/// The shortest of several times that it takes to generate the code of `description`.
pub(crate) fn time(description: &Value, rounds: usize) -> Duration {
    let source = Source::new("api.json", description.to_string());
    let times = (0..rounds).map(|_| {
        let start = ProcessTime::now();
        let generated = generate(&source, None).unwrap_or_else(|errors| panic!("{errors}"));
        assert!(generated.left_out.is_empty(), "{:?}", generated.left_out);
        start.elapsed()
    });
    times.min().unwrap_or_default()
}

fn operations(size: usize) -> Value {
    let mut paths = Map::new();
    let mut schemas = Map::new();
    for index in 0..size {
        let name = format!("Order{index}");
        let mut path = reading(&name);
        path["parameters"] = json!([
            { "name": "order_id", "in": "path", "required": true, "schema": { "type": "string", "format": "uuid" } },
        ]);
        paths.insert(format!("/orders{index}/{{order_id}}"), path);
        let schema = json!({ "type": "object", "properties": {
            "id": { "type": "string", "format": "uuid" },
            "status": { "type": "string", "enum": ["NEW", "FILLED"] },
        } });
        schemas.insert(name, schema);
    }
    description(&paths, &schemas)
}

fn properties(size: usize) -> Value {
    let properties = (0..size).map(|index| (format!("field{index}"), json!({ "type": "string" })));
    let properties: Map<String, Value> = properties.collect();
    of_schema(json!({ "type": "object", "properties": properties }))
}

fn values(size: usize) -> Value {
    let values: Vec<String> = (0..size).map(|index| format!("VALUE_{index}")).collect();
    let property = json!({ "type": "string", "enum": values });
    of_schema(json!({ "type": "object", "properties": { "value": property } }))
}

fn branches(size: usize) -> Value {
    let branch = |index| {
        let kind = json!({ "type": "string", "enum": [format!("KIND_{index}")] });
        let properties = json!({ "type": kind, format!("field{index}"): { "type": "string" } });
        json!({ "type": "object", "title": format!("Branch{index}"), "required": ["type"], "properties": properties })
    };
    let branches: Vec<Value> = (0..size).map(branch).collect();
    of_schema(json!({ "oneOf": branches, "discriminator": { "propertyName": "type" } }))
}

fn events(size: usize) -> Value {
    let event = |index| {
        let properties = json!({ format!("field{index}"): { "type": "string" } });
        let object = json!({ "type": "object", "title": format!("Object{index}"), "properties": properties });
        let kind = json!({ "type": "string", "enum": [format!("OBJECT_{index}.CREATED")] });
        let event = json!({ "type": "object", "properties": { "type": kind, "object": object } });
        let content = json!({ "application/json": { "schema": event } });
        let webhook = json!({ "post": { "requestBody": { "content": content } } });
        (format!("object{index}"), webhook)
    };
    let webhooks: Map<String, Value> = (0..size).map(event).collect();
    let mut description = of_schema(json!({ "type": "object" }));
    description["webhooks"] = Value::Object(webhooks);
    description
}

/// Each level includes the one below it twice, so the last level includes the first one `2^size` times.
fn levels(size: usize) -> Value {
    let mut schemas = Map::new();
    let base = json!({ "type": "object", "properties": { "field": { "type": "string" } } });
    schemas.insert("Level0".to_owned(), base);
    for index in 1..=size {
        let below = json!({ "$ref": format!("#/components/schemas/Level{}", index - 1) });
        schemas.insert(format!("Level{index}"), json!({ "allOf": [below, below] }));
    }
    let paths = Map::from_iter([("/level".to_owned(), reading(&format!("Level{size}")))]);
    description(&paths, &schemas)
}

/// A description of one operation that returns `schema`.
fn of_schema(schema: Value) -> Value {
    let paths = Map::from_iter([("/order".to_owned(), reading("Order"))]);
    description(&paths, &Map::from_iter([("Order".to_owned(), schema)]))
}

fn reading(schema: &str) -> Value {
    let schema = json!({ "$ref": format!("#/components/schemas/{schema}") });
    let response =
        json!({ "description": "It.", "content": { "application/json": { "schema": schema } } });
    json!({ "get": { "responses": { "200": response } } })
}

fn description(paths: &Map<String, Value>, schemas: &Map<String, Value>) -> Value {
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Large", "version": "1" },
        "paths": paths,
        "components": { "schemas": schemas },
    })
}
