//! Measures how CPU time grows with the size of the description. Inputs: 1, 2, 4 and 8 renamed copies of the vendored
//! description, and descriptions that repeat one construct many times.
//!
//! Fails if 8 times the size takes more than 12 times as long: `cargo bench -p upvest-gen --bench linear`.

#[path = "../tests/common/sizes.rs"]
mod sizes;

use std::time::Duration;

use cpu_time::ProcessTime;
use serde_json::{Map, Value, json};
use upvest_gen::{Source, describe, generate};

const SPEC: &str = include_str!("../../spec/upvest-investment-api.yaml");
const OVERLAY: &str = include_str!("../../spec/overlay.yaml");

const COPIES: [usize; 4] = [1, 2, 4, 8];
const ROUNDS: usize = 5;
/// Sorted maps take `n log n`: from 125 to 1,000 operations that is 11.4 times as long. A quadratic step takes 64
/// times.
const LIMIT: f64 = 12.0;

fn main() {
    let whole = describe(
        &Source::new("api.yaml", SPEC),
        Some(&Source::new("overlay.yaml", OVERLAY)),
    );
    let whole = whole.unwrap_or_else(|errors| panic!("{errors}"));
    let sources =
        COPIES.map(|copies| Source::new("api.json", multiplied(&whole, copies).to_string()));
    let mut best = [Duration::MAX; COPIES.len()];
    let mut sizes = [(0, 0); COPIES.len()];
    // Several rounds, and smaller descriptions more often, so that other load on the machine affects all of them.
    for _ in 0..ROUNDS {
        for (((copies, source), best), size) in
            COPIES.iter().zip(&sources).zip(&mut best).zip(&mut sizes)
        {
            let times = COPIES[COPIES.len() - 1] / copies;
            let start = ProcessTime::now();
            for _ in 0..times {
                let generated = generate(source, None).unwrap_or_else(|errors| panic!("{errors}"));
                let lines = generated
                    .files
                    .iter()
                    .map(|file| file.text.lines().count())
                    .sum();
                *size = (generated.operations, lines);
            }
            *best = (start.elapsed() / u32::try_from(times).unwrap_or(u32::MAX)).min(*best);
        }
    }
    println!("copies  operations   lines  seconds  times as long");
    let mut last = 0.0;
    for ((copies, time), (operations, lines)) in COPIES.iter().zip(best).zip(sizes) {
        last = time.as_secs_f64() / best[0].as_secs_f64();
        println!(
            "{copies:>6}  {operations:>10}  {lines:>6}  {:>7.3}  {last:>13.2}",
            time.as_secs_f64()
        );
    }
    assert!(
        last <= LIMIT,
        "8 times the description take {last:.1} times as long, which is more than {LIMIT}"
    );
    measure_constructs();
}

/// Compares the time for as many of each construct as a large API has with the time for an eighth of them.
fn measure_constructs() {
    println!("  size  seconds  times as long as an eighth");
    for ((name, description), size) in sizes::GROWTHS {
        let part = sizes::time(&description(size / 8), ROUNDS).as_secs_f64();
        let whole = sizes::time(&description(size), ROUNDS).as_secs_f64();
        let times = whole / part;
        println!("{size:>6}  {whole:>7.3}  {times:>6.2}  {name}");
        assert!(
            times <= LIMIT,
            "8 times as many {name} take {times:.1} times as long"
        );
    }
}

/// A description that contains the vendored one `copies` times, with different names of paths, operations and schemas.
fn multiplied(whole: &Value, copies: usize) -> Value {
    let mut paths = Map::new();
    let mut schemas = Map::new();
    for copy in 0..copies {
        for (path, item) in members(&whole["paths"]) {
            paths.insert(format!("/copy{copy}{path}"), renamed(item, copy));
        }
        for (name, schema) in members(&whole["components"]["schemas"]) {
            schemas.insert(format!("{name}Copy{copy}"), renamed(schema, copy));
        }
    }
    let mut document = whole.clone();
    document["paths"] = Value::Object(paths);
    document["components"]["schemas"] = Value::Object(schemas);
    // Shared parameters and responses refer to the schemas of the first copy.
    for kind in ["parameters", "responses", "requestBodies"] {
        if let Some(shared) = document["components"].get_mut(kind) {
            *shared = renamed(shared, 0);
        }
    }
    document
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn renamed(value: &Value, copy: usize) -> Value {
    match value {
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| (key.clone(), member(key, value, copy)))
            .collect(),
        Value::Array(items) => items.iter().map(|item| renamed(item, copy)).collect(),
        other => other.clone(),
    }
}

fn member(key: &str, value: &Value, copy: usize) -> Value {
    match value.as_str() {
        Some(target) if key == "$ref" && target.starts_with("#/components/schemas/") => {
            json!(format!("{target}Copy{copy}"))
        }
        Some(id) if key == "operationId" => json!(format!("{id}Copy{copy}")),
        _ => renamed(value, copy),
    }
}
