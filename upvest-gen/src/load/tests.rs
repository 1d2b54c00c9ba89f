use std::fmt::Write;

use serde_json::json;

use super::{load, parse};
use crate::testing::refused;

#[test]
fn versions_3_0_and_3_1_are_read_and_others_refused_by_name() {
    for version in ["3.0.0", "3.0.3", "3.1.0", "3.1.1"] {
        assert!(load(&format!("openapi: {version}")).is_ok(), "{version}");
    }
    for (text, place, version) in [
        ("openapi: 2.0.0", "/openapi", "2.0.0"),
        ("openapi: 3.2.0", "/openapi", "3.2.0"),
        ("openapi: 3.1", "/openapi", ""),
        ("openapi: [3.1.0]", "/openapi", ""),
        ("swagger: '2.0'", "", ""),
        ("", "", ""),
        ("just a text", "", ""),
        ("[1, 2]", "", ""),
    ] {
        let error = refused(load(text), text);
        assert_eq!(error.pointer(), place, "{text}");
        assert_eq!(
            error.problem(),
            format!("the OpenAPI version {version:?} is not supported"),
            "{text}"
        );
    }
}

#[test]
fn json_is_read_as_well() {
    assert_eq!(
        load(r#"{ "openapi": "3.1.0", "paths": {} }"#).unwrap(),
        json!({ "openapi": "3.1.0", "paths": {} })
    );
}

#[test]
fn a_syntax_error_has_a_line_and_a_column() {
    for (text, place) in [
        ("a: 1\nb: [1,\nc: 2", "line 2 column 4"),
        ("a: 1\na: 2", "line 2 column 1"),
        ("a: 'b", "line 1 column "),
        ("a: 1\n\tb: 2", "line 1 column 4"),
        ("a: *nowhere", "line 1 column "),
        ("{ \"a\": 1", "line 1 column "),
        ("a: 1\n---\nb: 2", "line "),
    ] {
        let error = refused(parse(text), text);
        assert!(error.pointer().starts_with(place), "{text:?}: {error}");
        assert!(
            error.problem().starts_with("invalid YAML: "),
            "{text:?}: {error}"
        );
    }
}

#[test]
fn text_of_any_depth_or_size_is_read_or_refused() {
    let nested = format!("a: {}{}", "[".repeat(20_000), "]".repeat(20_000));
    refused(parse(&nested), "nested lists");
    let mut bomb = "a0: &a0 [x, x]\n".to_owned();
    for level in 1..40 {
        let below = level - 1;
        writeln!(bomb, "a{level}: &a{level} [*a{below}, *a{below}]").unwrap();
    }
    refused(parse(&bomb), "aliases of aliases");
}

#[test]
fn words_numbers_and_keys_keep_their_meaning() {
    let document = parse(
        "country: NO\nanswer: yes\nswitch: off\ntime: 12:30\ndate: 2024-01-02\nversion: 1.10.0\n\
         quoted: '10'\nbig: 9007199254740993\nnothing: ~\n200: status\n",
    )
    .unwrap();
    assert_eq!(
        document,
        json!({
            "country": "NO", "answer": "yes", "switch": "off", "time": "12:30", "date": "2024-01-02",
            "version": "1.10.0", "quoted": "10", "big": 9_007_199_254_740_993_u64,
            "nothing": null, "200": "status",
        })
    );
}

#[test]
fn the_order_of_members_is_kept() {
    let document = parse("z: 1\na: 2\nm: 3").unwrap();
    assert_eq!(
        document.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["z", "a", "m"]
    );
}
