//! For any description, `generate` returns code or an error with a remedy. It never panics.

#[allow(dead_code, reason = "other tests use the rest")]
#[path = "common/dice.rs"]
mod dice;

use std::collections::BTreeSet;
use std::panic::catch_unwind;

use dice::Dice;
use serde_json::{Value, json};
use upvest_gen::{Error, Source, describe, generate};

const SPEC: &str = include_str!("../../spec/upvest-investment-api.yaml");
const OVERLAY: &str = include_str!("../../spec/overlay.yaml");

/// The number of damaged descriptions.
const ROUNDS: u64 = 400;

#[test]
fn a_damaged_description_never_makes_the_generator_panic() {
    let whole = whole();
    let mut whole_ones = 0;
    let mut partial = 0;
    let mut rejected = 0;
    for seed in 0..ROUNDS {
        let mut dice = Dice(seed);
        let mut document = slice(&whole, &mut dice);
        let damage: Vec<String> = (0..=dice.below(4))
            .map(|_| damage(&mut document, &mut dice))
            .collect();
        let what = format!("seed {seed}, {}", damage.join(", "));
        match try_to_generate(&document.to_string(), &what) {
            Outcome::Whole => whole_ones += 1,
            Outcome::Partial => partial += 1,
            Outcome::Rejected => rejected += 1,
        }
    }
    // The test is meaningful only if some descriptions are rejected and some are not.
    let counts =
        format!("{whole_ones} descriptions were read, {partial} in part, {rejected} not at all");
    assert!(whole_ones > 20 && partial > 20 && rejected > 2, "{counts}");
}

#[test]
fn a_damaged_text_never_makes_the_generator_panic() {
    let text: Vec<char> = slice(&whole(), &mut Dice(0)).to_string().chars().collect();
    let others: Vec<char> = "{}[]\",:#&*!|>'%@`-?\0\t\n\\~$ é\u{feff}\u{2028}"
        .chars()
        .collect();
    let rejected = (0..ROUNDS / 2).filter(|seed| {
        let mut dice = Dice(*seed);
        let mut text = text.clone();
        for _ in 0..=dice.below(3) {
            let start = dice.below(text.len());
            let other = others[dice.below(others.len())];
            let end = text.len().min(start + dice.below(6));
            text.splice(start..end, (0..dice.below(3)).map(|_| other));
        }
        try_to_generate(
            &text.into_iter().collect::<String>(),
            &format!("seed {seed}"),
        ) == Outcome::Rejected
    });
    assert!(rejected.count() > 20);
}

fn whole() -> Value {
    describe(
        &Source::new("api.yaml", SPEC),
        Some(&Source::new("overlay.yaml", OVERLAY)),
    )
    .unwrap()
}

/// The result of running the generator.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Whole,
    Partial,
    Rejected,
}

/// Tries to generate code for `text`. Each error must have the file, the problem, the
/// remedy, and a place that is in the file.
fn try_to_generate(text: &str, what: &str) -> Outcome {
    let source = Source::new("api.json", text);
    let result =
        catch_unwind(|| generate(&source, None)).unwrap_or_else(|_| panic!("{what}: panicked"));
    let (mut outcome, errors): (Outcome, Vec<Error>) = match result {
        Ok(generated) => {
            for file in &generated.files {
                let parsed = syn::parse_file(&file.text);
                assert!(
                    parsed.is_ok(),
                    "{what}: {} is not Rust:\n{}",
                    file.name,
                    file.text
                );
            }
            (
                Outcome::Whole,
                generated
                    .left_out
                    .into_iter()
                    .chain(generated.notes)
                    .collect(),
            )
        }
        Err(errors) => (Outcome::Rejected, errors.iter().cloned().collect()),
    };
    if outcome == Outcome::Whole && !errors.is_empty() {
        outcome = Outcome::Partial;
    }
    let document: Option<Value> = serde_json::from_str(text).ok();
    for error in errors {
        assert!(
            !error.problem().is_empty() && !error.remedy().is_empty(),
            "{what}: {error}"
        );
        assert_eq!(error.file(), "api.json", "{what}: {error}");
        assert!(
            !error.problem().contains("progenitor"),
            "{what}: the model let it through: {error}"
        );
        if let Some(document) = &document {
            assert!(
                document.pointer(error.pointer()).is_some(),
                "{what}: there is no such place: {error}"
            );
        }
    }
    outcome
}

/// Returns the description with only two random paths, one random webhook, and the components that they need. The whole
/// description would take a second per round.
fn slice(whole: &Value, dice: &mut Dice) -> Value {
    let mut document = whole.clone();
    let paths = document["paths"].as_object_mut().unwrap();
    while paths.len() > 2 {
        let name = paths.keys().nth(dice.below(paths.len())).unwrap().clone();
        paths.shift_remove(&name);
    }
    let webhooks = document["x-webhooks"].as_object_mut().unwrap();
    while webhooks.len() > 1 {
        let name = webhooks
            .keys()
            .nth(dice.below(webhooks.len()))
            .unwrap()
            .clone();
        webhooks.shift_remove(&name);
    }
    let mut reached = BTreeSet::new();
    reach(&document["paths"], whole, &mut reached);
    reach(&document["x-webhooks"], whole, &mut reached);
    for (kind, components) in document["components"].as_object_mut().unwrap() {
        components.as_object_mut().unwrap().retain(|name, _| {
            kind == "securitySchemes" || reached.contains(&format!("/components/{kind}/{name}"))
        });
    }
    document
}

fn reach(value: &Value, whole: &Value, reached: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            if let Some(target) = object.get("$ref").and_then(Value::as_str) {
                let pointer = target.trim_start_matches('#');
                if reached.insert(pointer.to_owned()) {
                    reach(whole.pointer(pointer).unwrap(), whole, reached);
                }
            }
            object
                .values()
                .for_each(|child| reach(child, whole, reached));
        }
        Value::Array(items) => items.iter().for_each(|child| reach(child, whole, reached)),
        _ => {}
    }
}

/// Deletes or replaces a random member or item, and returns a description of the change.
fn damage(document: &mut Value, dice: &mut Dice) -> String {
    let mut places = Vec::new();
    list(document, "", &mut places);
    let place = places.swap_remove(dice.below(places.len()));
    let (parent, key) = place.rsplit_once('/').unwrap();
    let replacements = [
        json!(null),
        json!(-1),
        json!(1.5),
        json!(""),
        json!("a {b} c"),
        json!(true),
        json!([]),
        json!([{}]),
        json!({}),
        json!({ "$ref": "#/components/schemas" }),
        json!({ "type": "object", "properties": { "a": { "type": "string", "enum": ["A", "B"] } } }),
        json!({ "oneOf": [{ "type": "string" }, { "type": "integer" }] }),
    ];
    let choice = dice.below(replacements.len() + 3);
    match (
        document.pointer_mut(parent).unwrap(),
        replacements.get(choice),
    ) {
        (Value::Object(parent), None) => {
            parent.shift_remove(&key.replace("~1", "/").replace("~0", "~"));
            format!("{place} deleted")
        }
        (Value::Array(parent), None) => {
            parent.remove(key.parse().unwrap());
            format!("{place} deleted")
        }
        (_, Some(replacement)) => {
            *document.pointer_mut(&place).unwrap() = replacement.clone();
            format!("{place} is {replacement}")
        }
        _ => unreachable!("only objects and arrays have members"),
    }
}

fn list(value: &Value, at: &str, places: &mut Vec<String>) {
    let mut add = |key: &str, child: &Value| {
        let place = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
        places.push(place.clone());
        list(child, &place, places);
    };
    match value {
        Value::Object(object) => object.iter().for_each(|(key, child)| add(key, child)),
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, child)| add(&index.to_string(), child));
        }
        _ => {}
    }
}
