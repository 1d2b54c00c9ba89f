//! The names and types of a model do not depend on the order in which a description lists its parts.

#![allow(clippy::format_push_string, reason = "plain text for people")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use upvest_gen::{Source, describe, model};

#[path = "common/dice.rs"]
mod dice;
#[path = "common/outline.rs"]
mod outline;

use dice::Dice;
use outline::outline;

#[test]
fn names_do_not_depend_on_the_order_of_the_vendored_description() {
    let overlay = source("spec/overlay.yaml");
    let spec = source("spec/upvest-investment-api.yaml");
    let changes = changes("vendored", &spec, Some(&overlay));
    assert_eq!(changes.as_deref(), Some(""));
}

#[test]
fn names_do_not_depend_on_the_order_of_the_official_description() {
    let overlay = source("spec/official-overlay.yaml");
    let spec = source("tests/fixtures/official/official-1.9.0.json");
    let changes = changes("official", &spec, Some(&overlay));
    assert_eq!(changes.as_deref(), Some(""));
}

#[test]
fn names_do_not_depend_on_the_order_of_the_corpus() {
    let entries = fs::read_dir(root().join("tests/fixtures/descriptions"));
    let entries = entries.expect("the corpus is there");
    let paths = entries.map(|entry| entry.expect("it can be listed").path());
    let mut paths: Vec<PathBuf> = paths.filter(|path| path.is_file()).collect();
    paths.sort();
    let mut found = String::new();
    let mut compared = 0;
    for path in paths {
        let name = path.file_name().expect("it is a file").to_string_lossy();
        let text = fs::read_to_string(&path).expect("it can be read");
        // The corpus has some descriptions that have no model.
        if let Some(changes) = changes(&name, &Source::new(name.clone(), text), None) {
            found += &changes;
            compared += 1;
        }
    }
    assert_eq!(found, "");
    assert!(compared > 60, "{compared} descriptions were compared");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn source(path: &str) -> Source {
    let text = fs::read_to_string(root().join(path)).expect("it can be read");
    Source::new(path, text)
}

/// Returns the lines that differ between the models of a description with its parts in three other orders. `None` if it
/// has no model.
fn changes(name: &str, spec: &Source, overlay: Option<&Source>) -> Option<String> {
    let document = describe(spec, overlay).ok()?;
    let expected = facts(&document)?;
    let mut changes = String::new();
    for seed in 0..3 {
        let mut shuffled = document.clone();
        shuffle(&mut shuffled, &mut Dice(seed));
        let found = facts(&shuffled).expect("it has the same parts");
        for fact in expected.symmetric_difference(&found) {
            let sign = if expected.contains(fact) { '-' } else { '+' };
            changes += &format!("{name}: {sign} {fact}\n");
        }
    }
    Some(changes)
}

/// The lines of the model's outline without notes. Lines within an object or an operation begin with its title.
fn facts(document: &Value) -> Option<BTreeSet<String>> {
    let api = model(&Source::new("api.json", document.to_string()), None).ok()?;
    let text = outline(&api);
    let mut facts = BTreeSet::new();
    let mut title = "";
    for line in text.lines() {
        let is_note = line.starts_with("note: ") || line.starts_with("left out: ");
        if is_note || line.is_empty() {
            continue;
        }
        if !line.starts_with(' ') {
            title = line.split(' ').next().unwrap_or_default();
        }
        facts.insert(format!("{title}: {}", sorted_words(line.trim())));
    }
    Some(facts)
}

/// The words of a line, such as the values of an enum, in alphabetical order.
fn sorted_words(line: &str) -> String {
    let mut words: Vec<&str> = line.split([' ', ',', ':']).collect();
    words.sort_unstable();
    words.join(" ")
}

/// Changes the order of paths, operations, webhooks, components and properties.
fn shuffle(document: &mut Value, dice: &mut Dice) {
    for keyword in ["paths", "webhooks", "x-webhooks"] {
        let members = document.get_mut(keyword).and_then(Value::as_object_mut);
        if let Some(members) = members {
            shuffle_members(members, dice);
        }
    }
    if let Some(components) = document["components"].as_object_mut() {
        for (_, members) in components {
            if let Some(object) = members.as_object_mut() {
                shuffle_members(object, dice);
            }
        }
    }
    shuffle_properties(document, dice);
}

fn shuffle_properties(value: &mut Value, dice: &mut Dice) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if name == "properties"
                    && let Some(object) = member.as_object_mut()
                {
                    shuffle_members(object, dice);
                }
                shuffle_properties(member, dice);
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| shuffle_properties(item, dice)),
        _ => {}
    }
}

fn shuffle_members(members: &mut Map<String, Value>, dice: &mut Dice) {
    let mut old: Vec<(String, Value)> = std::mem::take(members).into_iter().collect();
    while !old.is_empty() {
        let (name, value) = old.swap_remove(dice.below(old.len()));
        members.insert(name, value);
    }
}
