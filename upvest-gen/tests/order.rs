//! The names and types of a model do not depend on the order in which a description lists its parts.

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
    check(&source("spec/upvest-investment-api.yaml"), Some(&overlay));
}

#[test]
fn names_do_not_depend_on_the_order_of_the_official_description() {
    let overlay = source("spec/official-overlay.yaml");
    let spec = source("tests/fixtures/official/official-1.9.0.json");
    check(&spec, Some(&overlay));
}

#[test]
fn names_do_not_depend_on_the_order_of_the_corpus() {
    let entries = fs::read_dir(root().join("tests/fixtures/descriptions"));
    let entries = entries.expect("the corpus is there");
    let paths = entries.map(|entry| entry.expect("it can be listed").path());
    let mut paths: Vec<PathBuf> = paths.filter(|path| path.is_file()).collect();
    paths.sort();
    for path in paths {
        let text = fs::read_to_string(&path).expect("it can be read");
        check(&Source::new(path.display().to_string(), text), None);
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn source(path: &str) -> Source {
    let text = fs::read_to_string(root().join(path)).expect("it can be read");
    Source::new(path, text)
}

/// Compares the models of a description with its parts in three other orders.
#[track_caller]
fn check(spec: &Source, overlay: Option<&Source>) {
    let Ok(document) = describe(spec, overlay) else {
        return;
    };
    let Some(expected) = names(&document) else {
        return;
    };
    for seed in 0..3 {
        let mut shuffled = document.clone();
        shuffle(&mut shuffled, &mut Dice(seed));
        let found = names(&shuffled).expect("it has the same parts");
        let changes = changes(&expected, &found);
        assert!(changes.is_empty(), "{spec:?}:\n{}", changes.join("\n"));
    }
}

/// The blocks of the model's outline without notes, each with its lines in alphabetical order.
fn names(document: &Value) -> Option<Vec<String>> {
    let api = model(&Source::new("api.json", document.to_string()), None).ok()?;
    let text = outline(&api);
    let is_fact = |block: &&str| !block.starts_with("note: ") && !block.starts_with("left out: ");
    let mut blocks: Vec<String> = text.split("\n\n").filter(is_fact).map(sorted).collect();
    blocks.sort();
    Some(blocks)
}

fn sorted(block: &str) -> String {
    let mut lines: Vec<String> = block.lines().map(sorted_words).collect();
    lines.sort();
    lines.join("\n")
}

/// A line of names, such as those of the values of an enum.
fn sorted_words(line: &str) -> String {
    let Some((title, words)) = line.split_once(": ") else {
        return line.to_owned();
    };
    let mut words: Vec<&str> = words.split(' ').collect();
    words.sort_unstable();
    format!("{title}: {}", words.join(" "))
}

fn changes(expected: &[String], found: &[String]) -> Vec<String> {
    let gone = expected.iter().filter(|block| !found.contains(block));
    let new = found.iter().filter(|block| !expected.contains(block));
    let gone = gone.map(|block| format!("- {block}"));
    gone.chain(new.map(|block| format!("+ {block}"))).collect()
}

/// Changes the order of paths, operations, components and properties.
fn shuffle(document: &mut Value, dice: &mut Dice) {
    if let Some(paths) = document["paths"].as_object_mut() {
        shuffle_members(paths, dice);
    }
    if let Some(components) = document["components"].as_object_mut() {
        for (_, members) in components {
            members.as_object_mut().map(|it| shuffle_members(it, dice));
        }
    }
    shuffle_properties(document, dice);
}

fn shuffle_properties(value: &mut Value, dice: &mut Dice) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if name == "properties" {
                    member.as_object_mut().map(|it| shuffle_members(it, dice));
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
