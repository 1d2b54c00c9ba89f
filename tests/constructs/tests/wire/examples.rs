//! Examples of descriptions: those here, those of the corpus, and those of the vendored description.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use serde_json::{Map, Value};
use upvest_constructs::EXAMPLES;
use upvest_runtime::{Decimal, chrono};

#[test]
fn each_example_is_read_and_written_without_a_loss() {
    let mut faults = Vec::new();
    for (description, examples) in EXAMPLES {
        for example in *examples {
            let before: Value = serde_json::from_str(example.json).unwrap();
            let fault = match (example.rewrite)(example.json) {
                Ok(after) if is_same(&before, &serde_json::from_str(&after).unwrap()) => continue,
                Ok(after) => format!("becomes {after}"),
                Err(error) => error.to_string(),
            };
            faults.push(format!("{description}: {}: {before}: {fault}", example.at));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn examples_are_found_in_all_places() {
    let all = |wanted: &str| {
        let mut examples = EXAMPLES.iter();
        let found = examples.find(|(description, _)| *description == wanted);
        found.map(|(_, examples)| *examples).unwrap_or_default()
    };
    assert!(all("vendored").len() >= 100, "{}", all("vendored").len());
    for place in [
        "/paths/~1orders/get/parameters/0/example",
        "/paths/~1orders/get/parameters/1/examples/one/value",
        "/paths/~1orders/get/responses/200/content/application~1json/example",
        "/paths/~1orders/post/requestBody/content/application~1json/examples/whole/value",
        "/components/examples/Shared/value",
        "/components/schemas/OrderCreate/example",
        "/components/schemas/Order/properties/on/example",
        "/components/schemas/Order/properties/lines/items/properties/text/example",
    ] {
        let mut examples = all("examples").iter();
        assert!(examples.any(|example| example.at == place), "{place}");
    }
}

/// Whether nothing is lost: both are the same number, time or text, and a field that is gone was null or empty.
fn is_same(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => are_same_fields(before, after),
        (Value::Array(before), Value::Array(after)) => {
            let mut pairs = before.iter().zip(after);
            before.len() == after.len() && pairs.all(|(before, after)| is_same(before, after))
        }
        (Value::String(text), Value::Null) => text.is_empty(),
        (Value::String(before), Value::String(after)) => {
            let are_same_times = || Some(time(before)? == time(after)?);
            before == after || are_same_times().unwrap_or_default() || is_same_number(before, after)
        }
        (Value::Number(_) | Value::String(_), Value::Number(_) | Value::String(_)) => {
            is_same_number(&plain(before), &plain(after))
        }
        _ => before == after,
    }
}

fn are_same_fields(before: &Map<String, Value>, after: &Map<String, Value>) -> bool {
    let is_kept = |(name, before): (&String, &Value)| match after.get(name) {
        Some(after) => is_same(before, after),
        None => before.is_null() || before == "",
    };
    let is_no_other = |name: &String| before.contains_key(name);
    before.iter().all(is_kept) && after.keys().all(is_no_other)
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn is_same_number(before: &str, after: &str) -> bool {
    let decimal = |text: &str| serde_json::from_value::<Decimal>(text.into()).ok();
    let both = || Some(decimal(before)? == decimal(after)?);
    both().unwrap_or_default()
}

/// A time in any form that servers send. One without an offset is of UTC.
fn time(text: &str) -> Option<DateTime<Utc>> {
    let text = text.replacen(' ', "T", 1);
    let with_offset = DateTime::parse_from_rfc3339(&text)
        .or_else(|_| DateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f%z"));
    if let Ok(time) = with_offset {
        return Some(time.to_utc());
    }
    let day = || {
        text.parse::<NaiveDate>()
            .map(|day| day.and_time(NaiveTime::MIN))
    };
    let local = text.parse::<NaiveDateTime>().or_else(|_| day());
    Some(local.ok()?.and_utc())
}
