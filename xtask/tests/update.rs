//! `cargo xtask update` replaces the description and updates the files that depend on it.

mod command;

use command::{Folder, ORDERS};

const OVERLAY: &str = "\
overlay: 1.0.0
info: { title: O, version: '1' }
actions:

  # About sides.
  - target: $.components.schemas.Order.properties.side
    description: Why.
    update: { description: Which way. }

  - target: $.components.schemas.Order.properties.id
    description: Why.
    update: { description: Its id. }
";

/// A workspace with the files that the command uses.
fn workspace() -> Folder {
    let folder = Folder::new();
    folder.write("spec/upvest-investment-api.yaml", ORDERS);
    folder.write("spec/overlay.yaml", OVERLAY);
    folder.write(
        "spec/README.md",
        &format!(
            "SHA-256 of `upvest-investment-api.yaml`: `{}`\n",
            "0".repeat(64)
        ),
    );
    folder.write(
        "CHANGELOG.md",
        "# Changelog\n\n## 0.2.0, unreleased\n\n### Added\n\n* A thing.\n\n## 0.1.0\n\n* Old.\n",
    );
    folder.write(
        "tests/tests/lists.rs",
        "fn lists() { upvest.list_orders(); }\n",
    );
    folder
}

fn update(folder: &Folder, description: &str) -> command::Run {
    folder.write("new.yaml", description);
    folder.xtask(&["update", "new.yaml", "--workspace", "."])
}

#[test]
fn update_replaces_the_description_and_all_that_follows_from_it() {
    let folder = workspace();
    let new = ORDERS.replace("enum: [BUY, SELL]", "enum: [BUY, SELL, HOLD]");
    let text = update(&folder, &new).succeeded();
    assert_eq!(folder.read("spec/upvest-investment-api.yaml"), new);
    assert_eq!(folder.read("spec/overlay.yaml"), OVERLAY);
    assert!(
        folder
            .read("upvest-api/src/generated/enums.rs")
            .contains("Hold = \"HOLD\"")
    );
    let digest = sha2::Digest::finalize(sha2::Digest::chain_update(
        <sha2::Sha256 as sha2::Digest>::new(),
        &new,
    ));
    let digest: String = digest
        .iter()
        .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    assert!(folder.read("spec/README.md").contains(&digest));
    assert_eq!(
        folder.read("CHANGELOG.md"),
        "# Changelog\n\n## 0.2.0, unreleased\n\n### Added\n\n* A thing.\n\n### Description 2.0\n\nCompatible:\n\n\
         * enum OrderSide, variant HOLD added: an enum may get new variants.\n\n## 0.1.0\n\n* Old.\n"
    );
    assert!(
        text.contains("enum OrderSide, variant HOLD added"),
        "{text}"
    );
    let left = "left to do by hand:\n  run `cargo test --workspace` and review the snapshots that changed (`cargo insta review`)\n";
    assert!(text.ends_with(left), "{text}");
}

#[test]
fn update_says_what_is_bound_to_the_old_description_by_name() {
    let folder = workspace();
    let new = ORDERS.replace("listOrders", "searchOrders").replace(
        "    post:\n      operationId: createOrder",
        "    put:\n      operationId: replaceOrder",
    );
    let text = update(&folder, &new).succeeded();
    assert!(
        text.contains(
            "tests/tests/lists.rs mentions operations or types that no longer exist: list_orders\n"
        ),
        "{text}"
    );
    assert!(
        text.contains("a handler in tests/sandbox/src/http/operations.rs: replaceOrder\n"),
        "{text}"
    );
}

#[test]
fn update_lists_all_actions_that_match_nothing_and_writes_nothing() {
    let folder = workspace();
    let new = ORDERS
        .replace("id: {", "order_id: {")
        .replace("[id]", "[order_id]")
        .replace("side:", "direction:");
    let message = update(&folder, &new).failed();
    assert!(
        message.contains("nothing was written: 2 problems (1 kind)"),
        "{message}"
    );
    assert!(
        message.contains("/actions/0/target") && message.contains("/actions/1/target"),
        "{message}"
    );
    assert_eq!(folder.read("spec/upvest-investment-api.yaml"), ORDERS);
    assert!(!folder.path("upvest-api").exists());
}

#[test]
fn a_description_that_cannot_be_read_changes_nothing() {
    let folder = workspace();
    update(&folder, "just a text").failed();
    assert_eq!(folder.read("spec/upvest-investment-api.yaml"), ORDERS);
}
