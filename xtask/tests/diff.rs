//! `cargo xtask diff`, and the differences that `regen` and `export` print.

mod command;

use command::{Folder, ORDERS};
use serde_json::Value;

fn two(change: (&str, &str)) -> Folder {
    let folder = Folder::new();
    folder.write("old.yaml", ORDERS);
    let new = ORDERS.replace(change.0, change.1);
    assert_ne!(new, ORDERS, "nothing was changed");
    folder.write("new.yaml", &new);
    folder
}

#[test]
fn diff_says_what_breaks_and_why() {
    let folder = two(("enum: [BUY, SELL]", "enum: [BUY, HOLD]"));
    let text = folder.xtask(&["diff", "old.yaml", "new.yaml"]).succeeded();
    assert_eq!(
        text,
        "Breaks the build (1):\n  enum OrderSide, variant SELL removed: the variant is gone\n\n\
         Compatible (1):\n  enum OrderSide, variant HOLD added: an enum may get new variants\n\n"
    );
    let text = folder.xtask(&["diff", "old.yaml", "old.yaml"]).succeeded();
    assert_eq!(text, "the descriptions do not differ\n");
}

#[test]
fn diff_is_written_for_a_changelog_and_for_programs() {
    let folder = two(("enum: [BUY, SELL]", "enum: [BUY]"));
    let markdown = folder
        .xtask(&["diff", "old.yaml", "new.yaml", "--format", "markdown"])
        .succeeded();
    assert_eq!(
        markdown,
        "Breaks the build:\n\n* enum OrderSide, variant SELL removed: the variant is gone.\n\n"
    );
    let json = folder
        .xtask(&["diff", "old.yaml", "new.yaml", "--format", "json"])
        .succeeded();
    let json: Value = serde_json::from_str(&json).expect("this is JSON");
    let expected = serde_json::json!([{
        "what": "enum OrderSide", "part": "variant SELL", "fact": "", "action": "removed",
        "before": null, "after": null, "breaking": true, "impact": "build", "reason": "the variant is gone",
    }]);
    assert_eq!(json, expected);
}

#[test]
fn deny_breaking_fails_for_what_breaks_alone() {
    let deny = ["diff", "old.yaml", "new.yaml", "--deny-breaking"];
    let message = two(("enum: [BUY, SELL]", "enum: [BUY]"))
        .xtask(&deny)
        .failed();
    assert_eq!(message, "error: 1 of 1 differences break callers\n");
    two(("enum: [BUY, SELL]", "enum: [BUY, SELL, HOLD]"))
        .xtask(&deny)
        .succeeded();
}

#[test]
fn an_overlay_is_merged_into_both_descriptions_or_into_each_its_own() {
    let folder = two(("description: Orders.", "description: All."));
    let overlay = |value: &str| {
        format!(
            "overlay: 1.0.0\ninfo: {{ title: O, version: '1' }}\nactions:\n  - target: $.components.schemas.Order.properties.side\n    \
             description: Why.\n    update: {{ enum: [{value}] }}\n"
        )
    };
    folder.write("hold.yaml", &overlay("HOLD"));
    folder.write("wait.yaml", &overlay("WAIT"));
    let diff = |flags: &[&str]| {
        folder
            .xtask(&[&["diff", "old.yaml", "new.yaml"], flags].concat())
            .succeeded()
    };
    assert_eq!(
        diff(&["--overlay", "hold.yaml"]),
        "the descriptions do not differ\n"
    );
    let text = diff(&["--overlay", "hold.yaml", "--overlay", "wait.yaml"]);
    assert!(
        text.contains("variant HOLD removed") && text.contains("variant WAIT added"),
        "{text}"
    );
}

#[test]
fn regen_and_export_say_what_is_different_from_what_was_there() {
    for command in ["regen", "export"] {
        let folder = two(("enum: [BUY, SELL]", "enum: [BUY]"));
        let run = |spec: &str| {
            folder
                .xtask(&[command, "--spec", spec, "--out", "out"])
                .succeeded()
        };
        assert!(
            !run("old.yaml").contains("Breaks"),
            "there was nothing to compare with"
        );
        assert!(!run("old.yaml").contains("Breaks"), "nothing is different");
        let text = run("new.yaml");
        let expected =
            "Breaks the build (1):\n  enum OrderSide, variant SELL removed: the variant is gone\n";
        assert!(text.contains(expected), "{command}: {text}");
    }
}

#[test]
fn regen_names_each_operation_that_gained_or_lost_paging_idempotency_or_scopes() {
    let table = [
        (
            "name: limit",
            "name: count",
            "operation listOrders lost paging: none, was yes",
        ),
        (
            "name: idempotency-key",
            "name: other-key",
            "operation createOrder lost idempotency key: none, was yes",
        ),
        (
            "[{ oauth: [\"orders:read\"] }]",
            "[]",
            "operation listOrders lost scopes: none, was orders:read",
        ),
        (
            "orders:read",
            "trades:read",
            "operation listOrders changed scopes: trades:read, was orders:read",
        ),
    ];
    for (old, new, expected) in table {
        let folder = two((old, new));
        let run = |spec: &str| {
            folder
                .xtask(&["regen", "--spec", spec, "--out", "out"])
                .succeeded()
        };
        run("old.yaml");
        assert!(
            run("new.yaml").contains(&format!("{expected}\n")),
            "{expected}"
        );
        let gained = expected.replace(" lost ", " gained ");
        let (what, _) = gained.split_once(':').expect("there is a colon");
        assert!(run("old.yaml").contains(what), "{gained}");
    }
}

#[test]
fn a_success_status_that_changes_costs_no_operation_its_idempotency_or_paging() {
    for status in ["\"200\"", "\"202\""] {
        let folder = two(("\"201\"", status));
        let text = folder.xtask(&["diff", "old.yaml", "new.yaml"]).succeeded();
        assert!(
            text.starts_with("Compatible (1):\n  operation createOrder: statuses changed"),
            "{text}"
        );
    }
}
