use serde_json::{Value, json};

use super::overlay;
use crate::error::Error;
use crate::testing::yaml;

fn apply(document: Value, action: &str) -> Result<Value, Vec<Error>> {
    let action = yaml(action);
    overlay(
        document,
        json!({ "overlay": "1.0.0", "info": { "title": "T", "version": "1" }, "actions": [action] }),
    )
}

/// The one error of an overlay that has to be rejected.
#[track_caller]
fn rejected(result: Result<Value, Vec<Error>>, what: &str) -> Error {
    let [error] = <[Error; 1]>::try_from(result.expect_err(what)).expect(what);
    assert!(
        !error.problem().is_empty() && !error.remedy().is_empty(),
        "{what}: {error}"
    );
    error
}

#[track_caller]
fn assert_becomes(document: &str, action: &str, expected: &str) {
    let action = format!("description: Why.\n{action}");
    assert_eq!(
        apply(yaml(document), &action).unwrap(),
        yaml(expected),
        "{action}"
    );
}

#[test]
fn an_update_is_merged_into_objects_joined_to_lists_and_put_in_place_of_the_rest() {
    for (update, expected) in [
        ("{ y: 2 }", "a: { x: 1, l: [1], o: { p: 1 }, y: 2 }"),
        ("{ x: two }", "a: { x: two, l: [1], o: { p: 1 } }"),
        ("{ l: [2, 1] }", "a: { x: 1, l: [1, 2, 1], o: { p: 1 } }"),
        ("{ o: { q: 2 } }", "a: { x: 1, l: [1], o: { p: 1, q: 2 } }"),
        (
            "{ o: { p: { r: 3 } } }",
            "a: { x: 1, l: [1], o: { p: { r: 3 } } }",
        ),
        ("{ x: null }", "a: { x: null, l: [1], o: { p: 1 } }"),
        ("{}", "a: { x: 1, l: [1], o: { p: 1 } }"),
    ] {
        assert_becomes(
            "a: { x: 1, l: [1], o: { p: 1 } }",
            &format!("target: $.a\nupdate: {update}"),
            expected,
        );
    }
}

#[test]
fn an_update_of_a_list_is_appended() {
    assert_becomes(
        "a: [1]",
        "target: $.a\nupdate: { name: x }",
        "a: [1, { name: x }]",
    );
    assert_becomes("a: [1]", "target: $.a\nupdate: 2", "a: [1, 2]");
    assert_becomes("a: [1]", "target: $.a\nupdate: [2, 3]", "a: [1, 2, 3]");
}

#[test]
fn every_match_is_updated() {
    assert_becomes(
        "a: { t: 1 }\nb: { t: 1 }\nc: { u: 1 }",
        "target: $[?@.t]\nupdate: { seen: true }",
        "a: { t: 1, seen: true }\nb: { t: 1, seen: true }\nc: { u: 1 }",
    );
}

#[test]
fn equal_values_are_told_apart_by_their_places() {
    assert_becomes(
        "a: { x: { t: 1 }, y: { t: 1 } }\nb: { x: { t: 1 } }",
        "target: $..x\nupdate: { seen: true }",
        "a: { x: { t: 1, seen: true }, y: { t: 1 } }\nb: { x: { t: 1, seen: true } }",
    );
}

#[test]
fn match_tests_the_whole_text_and_search_a_part() {
    let document = "a: { t: Order }\nb: { t: Old Order }\nc: { t: 5 }\nd: { u: Order }";
    for (filter, seen) in [
        ("match(@.t, 'Order')", "a"),
        ("match(@.t, '.*Order|5')", "a b"),
        ("search(@.t, 'Ord')", "a b"),
        ("search(@.t, '^Ord')", "a"),
        ("!match(@.t, 'Order')", "b c d"),
        ("search(@.t, '[') || @.u", "d"),
        ("match(@.t, 'Order') || match(@.u, 'Ord.r')", "a d"),
    ] {
        let action = format!("target: \"$[?{filter}]\"\ndescription: Why.\nupdate: {{ seen: 1 }}");
        let changed = apply(yaml(document), &action).unwrap();
        let all = changed.as_object().unwrap().iter();
        let changed = all.filter(|(_, value)| value.get("seen").is_some());
        let changed: Vec<_> = changed.map(|(name, _)| name.as_str()).collect();
        assert_eq!(changed.join(" "), seen, "{filter}");
    }
}

/// A query can take its expressions from the document, more of them than are kept.
#[test]
fn many_expressions_are_tried_in_one_query() {
    let all: Vec<_> = (0..250)
        .map(|n| json!({ "t": format!("t{n}"), "e": format!("t{n}|u") }))
        .collect();
    let action = "target: '$[?match(@.t, @.e)]'\ndescription: Why.\nupdate: { seen: 1 }";
    let changed = apply(json!(all), action).unwrap();
    let changed = changed.as_array().unwrap();
    assert!(changed.iter().all(|value| value["seen"] == 1));
}

#[test]
fn a_place_that_matches_twice_is_changed_once() {
    assert_becomes(
        "a: { l: [1] }",
        "target: $['a', 'a']\nupdate: { l: [2] }",
        "a: { l: [1, 2] }",
    );
    assert_becomes(
        "a: [1, 2, 3]",
        "target: $.a[0, 0]\nremove: true",
        "a: [2, 3]",
    );
}

#[test]
fn removal_takes_out_members_and_items_in_any_order() {
    assert_becomes("a: 1\nb: 2", "target: $.a\nremove: true", "b: 2");
    assert_becomes(
        "a: [1, 2, 3, 4]",
        "target: $.a[?@ > 2]\nremove: true",
        "a: [1, 2]",
    );
    assert_becomes(
        "a: [1, 2, 3, 4]",
        "target: $.a[2, 0, 1]\nremove: true",
        "a: [4]",
    );
    assert_becomes(
        "a: { a/b~c: 1, d: 2 }",
        "target: $.a['a/b~c']\nremove: true",
        "a: { d: 2 }",
    );
    assert_becomes(
        "a: { b: { b: 1 } }\nb: 2",
        "target: $..b\nremove: true",
        "a: {}",
    );
}

#[test]
fn removal_takes_precedence_over_an_update() {
    assert_becomes(
        "a: { x: 1 }\nb: 2",
        "target: $.a\nremove: true\nupdate: { y: 2 }",
        "b: 2",
    );
}

#[test]
fn an_action_sees_the_results_of_earlier_actions() {
    let overlay_of_two = yaml(
        "overlay: 1.0.0\nactions:\n\
         - { target: $.a, description: Why., update: { new: {} } }\n\
         - { target: $.a.new, description: Why., update: { x: 1 } }\n",
    );
    assert_eq!(
        overlay(yaml("a: {}"), overlay_of_two).unwrap(),
        yaml("a: { new: { x: 1 } }")
    );
}

#[test]
fn an_action_that_cannot_be_applied_is_an_error_with_its_place() {
    for (action, place, problem) in [
        (
            "target: $.b\ndescription: Why.\nupdate: {}",
            "/actions/0/target",
            "`$.b` matches nothing",
        ),
        (
            "target: $.b\ndescription: Why.\nremove: true",
            "/actions/0/target",
            "`$.b` matches nothing",
        ),
        (
            "target: $.a\nupdate: {}",
            "/actions/0",
            "the action on `$.a` has no reason",
        ),
        (
            "target: $.a\ndescription: ' '\nupdate: {}",
            "/actions/0",
            "the action on `$.a` has no reason",
        ),
        (
            "target: a.b\ndescription: Why.\nupdate: {}",
            "/actions/0/target",
            "`a.b` is not a valid JSONPath: ",
        ),
        (
            "target: $.a[\ndescription: Why.\nupdate: {}",
            "/actions/0/target",
            "`$.a[` is not a valid JSONPath: ",
        ),
        (
            "target: $.a\ndescription: Why.",
            "/actions/0",
            "the action on `$.a` has no effect",
        ),
        (
            "target: $.a\ndescription: Why.\nremove: false",
            "/actions/0",
            "the action on `$.a` has no effect",
        ),
        (
            "target: $.a\ndescription: Why.\nupdate: 1",
            "/actions/0/update",
            "cannot merge the update of `/a`: either it or its target is an object, but not both",
        ),
        (
            "target: $.s\ndescription: Why.\nupdate: {}",
            "/actions/0/update",
            "cannot merge the update of `/s`: either it or its target is an object, but not both",
        ),
    ] {
        let error = rejected(apply(yaml("a: {}\ns: 1"), action), action);
        assert_eq!(error.pointer(), place, "{action}: {error}");
        assert!(error.problem().starts_with(problem), "{action}: {error}");
    }
}

#[test]
fn a_document_that_is_not_an_overlay_is_rejected() {
    for (text, place, problem) in [
        (
            "overlay: 2.0.0\nactions: []",
            "/overlay",
            "the overlay version \"2.0.0\" is not supported",
        ),
        (
            "overlay: 1.1.0\nactions: []",
            "/overlay",
            "the overlay version \"1.1.0\" is not supported",
        ),
        (
            "actions: []",
            "",
            "invalid overlay: missing field `overlay`",
        ),
        (
            "overlay: 1.0.0",
            "",
            "invalid overlay: missing field `actions`",
        ),
        (
            "overlay: 1.0.0\nactions: [{ update: {} }]",
            "",
            "invalid overlay: missing field `target`",
        ),
        ("overlay: 1.0.0\nactions: {}", "", "invalid overlay: "),
        ("[]", "", "invalid overlay: "),
    ] {
        let error = rejected(overlay(json!({}), yaml(text)), text);
        assert_eq!(error.pointer(), place, "{text}: {error}");
        assert!(error.problem().starts_with(problem), "{text}: {error}");
    }
}

#[test]
fn all_invalid_actions_are_reported_in_one_run() {
    let actions = "[{ target: $.gone, description: Why., remove: true }, { target: $.a, update: {} }, \
         { target: $.a, description: Why., update: { x: 1 } }, { target: '$.a[', description: Why., remove: true }]";
    let errors = overlay(
        yaml("a: {}"),
        yaml(&format!("overlay: 1.0.0\nactions: {actions}")),
    )
    .unwrap_err();
    let places: Vec<&str> = errors.iter().map(Error::pointer).collect();
    assert_eq!(
        places,
        ["/actions/0/target", "/actions/1", "/actions/3/target"]
    );
}

#[test]
fn a_misspelt_extension_of_an_action_or_its_update_is_an_error() {
    for (action, place) in [
        (
            "{ target: $.b, description: Why., x-optinal: true, remove: true }",
            "/actions/0/x-optinal",
        ),
        (
            "{ target: $.a, description: Why., update: { x-finals: [1] } }",
            "/actions/0/update/x-finals",
        ),
    ] {
        let errors = apply(yaml("a: {}"), action).unwrap_err();
        let places: Vec<_> = errors.iter().map(Error::pointer).collect();
        assert!(places.contains(&place), "{places:?}");
    }
}

#[test]
fn an_update_of_a_map_may_add_a_name_like_an_extension() {
    let document = "headers: {}\nparameters: [{ name: a }]";
    let action = "{ target: $.headers, description: Why., update: { X-Final: { schema: {} } } }";
    assert!(apply(yaml(document), action).is_ok());
    for target in ["$.parameters", "$.parameters[0]"] {
        let action =
            format!("{{ target: '{target}', description: Why., update: {{ X-Final: 1 }} }}");
        let errors = apply(yaml(document), &action).unwrap_err();
        let places: Vec<_> = errors.iter().map(Error::pointer).collect();
        assert_eq!(places, ["/actions/0/update/X-Final"], "{target}");
    }
}
