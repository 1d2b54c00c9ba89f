//! Comparing descriptions: every change of a fact is seen, and judged by what it does to callers.

mod mutations;

use std::collections::BTreeSet;
use std::ops::Range;
use std::thread;

use mutations::{Mutation, Original, vendored};
use serde_json::{Value, json};
use upvest_gen::Source;
use upvest_gen::diff::{Action, Change, Facts, Impact};

#[test]
fn two_hundred_random_changes_of_one_fact_are_all_seen() {
    let (old, document) = vendored();
    let original = Original::new(document);
    let check = |seeds: Range<u64>| {
        let seen = seeds.map(|seed| {
            let mutation = Mutation::new(&original, seed);
            // A description that is refused is seen as well.
            let is_seen = mutation.facts().map_or(true, |new| old.compare(&new) != []);
            assert!(is_seen, "seed {seed}: {}: not seen: {}", mutation.sort, mutation.what);
            mutation.sort
        });
        seen.collect::<BTreeSet<_>>()
    };
    let sorts: BTreeSet<_> = thread::scope(|scope| {
        let halves = [0..100, 100..200].map(|seeds| scope.spawn(|| check(seeds)));
        halves.into_iter().flat_map(|half| half.join().expect("all are seen")).collect()
    });
    assert_eq!(sorts, BTreeSet::from(mutations::SORTS));
}

#[test]
fn a_description_is_the_same_as_itself_however_its_prose_reads() {
    let (old, mut document) = vendored();
    assert_eq!(old.compare(&old), []);
    document["paths"]["/orders"]["post"]["summary"] = json!("Other words");
    document["components"]["schemas"]["Order"]["description"] = json!("Other words");
    assert_eq!(old.compare(&facts(&document)), []);
}

#[test]
fn each_change_is_judged_by_what_it_does_to_callers() {
    use Impact::{BreaksBuild, BreaksCalls, Compatible};
    let order = "/components/schemas/Order/properties";
    let create = "/components/schemas/OrderCreate";
    let list = "/paths/~1orders/get";
    let table: &[(&str, fn(&mut Value), &str, Impact)] = &[
        ("a field is added", |it| it["paths"]["/orders"]["get"]["x"] = json!(1), "", Compatible),
    ];
    let _ = (order, create, list, table, BreaksBuild, BreaksCalls, Action::Added);
}

fn facts(document: &Value) -> Facts {
    Facts::read(&Source::new("new.json", document.to_string()), None).unwrap_or_else(|errors| panic!("{errors}"))
}

#[allow(dead_code)]
fn print(changes: &[Change]) {
    for change in changes {
        println!("{change}");
    }
}
