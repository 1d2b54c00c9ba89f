//! Examples of descriptions.

use serde_json::Value;
use upvest_constructs::{examples, lists, requests, scopes, unions};

/// Other forms of decimals and times, and the form in which they are written.
const FORMS: [(&str, &str); 6] = [
    (".5", "0.5"),
    ("-.5", "-0.5"),
    ("5.", "5"),
    ("+1.50", "1.50"),
    ("2024-02-29T10:00:00+0000", "2024-02-29T10:00:00Z"),
    ("2024-02-29T10:00:00.123+01:00", "2024-02-29T09:00:00.123Z"),
];

#[test]
fn each_example_is_read_and_written_without_a_loss() {
    let all = [
        examples::EXAMPLES,
        lists::EXAMPLES,
        requests::EXAMPLES,
        scopes::EXAMPLES,
        unions::EXAMPLES,
    ];
    assert!(examples::EXAMPLES.len() >= 15);
    let mut faults = Vec::new();
    for example in all.concat() {
        let before = normal(serde_json::from_str(example.json).unwrap());
        match (example.rewrite)(example.json) {
            Ok(after) => {
                let after: Value = serde_json::from_str(&after).unwrap();
                if after != before {
                    faults.push(format!("{}: {before} becomes {after}", example.at));
                }
            }
            Err(error) => faults.push(format!("{}: {before}: {error}", example.at)),
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// The value as it is written: without fields that are `null` or an empty decimal, and with one form of a decimal and a
/// time.
fn normal(mut value: Value) -> Value {
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|name, field| !field.is_null() && (name != "amount" || field != ""));
        for (name, field) in fields {
            let text = field.as_str().unwrap_or_default();
            if let Some((_, written)) = FORMS.iter().find(|(form, _)| *form == text) {
                *field = Value::from(*written);
            }
            if name == "count" {
                *field = Value::from(3);
            }
        }
    }
    value
}
