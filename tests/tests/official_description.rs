//! Upvest's own description with `spec/official-overlay.yaml`.

use std::collections::{BTreeMap, BTreeSet};

use upvest_gen::Source;
use upvest_gen::model;
use upvest_gen::model::{Api, Event, Field, Operation, Schema, Type};
use upvest_tests::description::{source, workspace_file};

fn official() -> Api {
    let spec = source("tests/fixtures/official/official-1.9.0.json");
    let overlay = source("spec/official-overlay.yaml");
    model(&spec, Some(&overlay)).unwrap_or_else(|error| panic!("{error}"))
}

/// The operations in a column of the table in the guide.
fn operations_in_column(column: usize) -> BTreeSet<String> {
    let guide = workspace_file("docs/guides/updating-the-description.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let (_, table) = guide
        .split_once("## Names in Upvest's own description")
        .expect("the guide has the table");
    let rows = table.lines().filter(|line| line.starts_with("| "));
    let cells = rows.filter_map(|row| row.split(" | ").nth(column));
    let words = cells.flat_map(|cell| cell.split(|c: char| !c.is_alphanumeric() && c != '_'));
    // Other words are setters, types and methods of the SDK.
    let verbs = ["create_", "list_", "place_", "retrieve_", "set_"];
    words
        .filter(|word| verbs.iter().any(|verb| word.starts_with(verb)))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_operations_that_the_guide_compares_exist() {
    let methods = |api: Api| -> BTreeSet<String> {
        let operations = api.operations.into_iter();
        operations.map(|operation| operation.method_name).collect()
    };
    let vendored = source("spec/upvest-investment-api.yaml");
    let overlay = source("spec/overlay.yaml");
    let vendored = model(&vendored, Some(&overlay)).unwrap_or_else(|error| panic!("{error}"));
    for (column, api) in [(0, vendored), (1, official())] {
        let named = operations_in_column(column);
        assert!(named.len() > 8, "{named:?}");
        let missing: Vec<_> = named.difference(&methods(api)).cloned().collect();
        assert!(missing.is_empty(), "column {column}: {missing:?}");
    }
}

/// `wait_for` works for an object with an id and a status if the final statuses are known.
#[test]
fn the_official_overlay_says_for_each_resource_that_ends_which_statuses_are_final() {
    let api = official();
    let finals: BTreeMap<&str, &[String]> = api
        .enums
        .iter()
        .map(|item| (item.name.as_str(), item.finals.as_slice()))
        .collect();
    let mut found = Vec::new();
    for schema in &api.schemas {
        let field = |name: &str| schema.fields().iter().find(|field| field.name == name);
        let (Some(_), Some(status)) = (field("id"), field("status")) else {
            continue;
        };
        if let Type::Enum(name) = &status.kind {
            found.push((schema.name.as_str(), finals[name.as_str()].join(" ")));
        }
    }
    found.sort();
    let expected = [
        ("Account", ""),
        ("AccountGroup", ""),
        ("AccountLiquidation", "Settled Cancelled"),
        ("AccountLiquidationItem", "Filled Cancelled"),
        ("DirectDebit", "Confirmed Cancelled"),
        ("FeeCollection", "Finalised Cancelled"),
        ("Order", "Filled Cancelled"),
        ("OrderExecution", "Settled Cancelled"),
        ("PortfolioOrder", "Settled Cancelled"),
        ("PortfolioOrderItem", "Filled Cancelled"),
        ("User", ""),
        ("UserCheckCompliance", "Passed Failed"),
        ("UserCheckInstrumentFit", "Passed Failed"),
        ("UserCheckKnowYourCustomer", "Passed Failed"),
        ("UserCheckProofOfResidency", "Passed Failed"),
        ("UserCreateRequest", ""),
        ("UserEvent", ""),
        ("UserGetResponse", ""),
        ("VirtualCashDecrease", "Confirmed Cancelled"),
        ("VirtualCashIncrease", "Confirmed"),
        ("Withdrawal", "Confirmed Cancelled"),
    ];
    let expected = expected.map(|(name, finals)| (name, finals.to_owned()));
    assert_eq!(found, expected);
}

/// An order of a portfolio order is not the portfolio order.
#[test]
fn the_ids_of_a_whole_and_of_its_parts_are_different_types() {
    let api = official();
    for (object, id) in [
        ("PortfolioOrder", "PortfolioOrderId"),
        ("PortfolioOrderItem", "OrderId"),
        ("AccountLiquidationItem", "AccountLiquidationItemId"),
    ] {
        let schema = api.schemas.iter().find(|schema| schema.name == object);
        let mut fields = schema.into_iter().flat_map(Schema::fields);
        let kind = fields.find(|field| field.name == "id").map(|id| &id.kind);
        assert_eq!(kind, Some(&Type::Id(id.to_owned())), "{object}");
    }
}

/// The whole and its parts have the same title.
#[test]
fn a_portfolio_order_and_a_liquidation_are_one_type_in_every_response_and_event() {
    let api = official();
    for (object, retrieve) in [
        ("PortfolioOrder", Some("retrieve_portfolios_order")),
        ("AccountLiquidation", None),
    ] {
        let event = api.events.iter().find(|event| event.object == object);
        let event = event.unwrap_or_else(|| panic!("{object} is in no event"));
        assert_eq!(event.retrieved_by.as_deref(), retrieve, "{object}");
        let with_orders = api.schemas.iter().filter(|schema| {
            let has = |name: &str| schema.fields().iter().any(|field| field.name == name);
            has("orders") && schema.name.contains("Order") == object.contains("Order")
        });
        let names: Vec<&str> = with_orders.map(|schema| schema.name.as_str()).collect();
        assert_eq!(names, [object]);
    }
}

#[test]
fn no_operation_of_the_official_description_is_left_out() {
    let api = official();
    assert_eq!(api.left_out.len(), 0, "{:?}", api.left_out);
    assert_eq!(api.operations.len(), 94);
}

/// Actions that match nothing have no effect, so a typo would not be noticed otherwise.
#[test]
fn every_action_of_the_official_overlay_matches_version_1_9_0() {
    let spec = source("tests/fixtures/official/official-1.9.0.json");
    let text = std::fs::read_to_string(workspace_file("spec/official-overlay.yaml"));
    let text = text.expect("the overlay can be read");
    let overlay = Source::new("overlay", text.replace("    x-optional: true\n", ""));
    model(&spec, Some(&overlay)).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn types_of_the_official_description_do_not_repeat_their_section() {
    let api = official();
    let schemas = api.schemas.iter().map(|schema| schema.name.as_str());
    let enums = api.enums.iter().map(|item| item.name.as_str());
    let names: Vec<&str> = schemas.chain(enums).collect();
    for name in [
        "OrderType",
        "Withdrawal",
        "PortfolioOrder",
        "VirtualCashIncrease",
        "AccessToken",
    ] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    let repeats = |name: &&&str| {
        let prefixes = [
            "OrderOrder",
            "Payments",
            "Portfolios",
            "VirtualCashBalance",
            "Auth",
            "RequestAuth",
        ];
        prefixes.iter().any(|prefix| name.starts_with(prefix))
    };
    let long: Vec<_> = names.iter().filter(repeats).collect();
    assert!(long.is_empty(), "{long:?}");
}

#[test]
fn the_orders_of_an_account_are_filtered_by_default() {
    let api = official();
    let filtered = api.operations.iter().filter_map(|operation| {
        let filters = operation.default_filters();
        let filter = filters.first()?;
        Some((
            operation.id.as_str(),
            filter.name.as_str(),
            filter.default.as_deref(),
        ))
    });
    let filtered: Vec<_> = filtered.collect();
    assert_eq!(
        filtered,
        [("list_account_orders", "status", Some("FILLED"))]
    );
}

/// Codes, names of securities, kinds and names of permissions. No text that a customer or an operator wrote.
#[test]
fn every_official_text_that_debug_shows_is_reviewed() {
    let api = official();
    let mut shown = BTreeSet::new();
    for schema in &api.schemas {
        for field in schema.fields() {
            let hidden = Field {
                public: false,
                ..field.clone()
            };
            if hidden.is_hidden() && !field.is_hidden() {
                shown.insert(format!("{}.{}", schema.name, field.name));
            }
        }
    }
    let shown: Vec<String> = shown.into_iter().collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn the_rules_of_a_subscription_are_in_its_documentation() {
    let api = official();
    let schemas = api.schemas.iter();
    let subscriptions = schemas.filter(|schema| schema.name.starts_with("Webhook"));
    let mut documented = 0;
    for schema in subscriptions {
        for field in schema.fields() {
            let rule = match field.name.as_str() {
                "title" => "1 to 32 letters",
                "url" => "at most 1,000 characters",
                _ => continue,
            };
            assert!(field.description.contains(rule), "{}", schema.name);
            documented += 1;
        }
    }
    assert_eq!(documented, 6);
}

#[test]
fn a_failed_tax_exemption_has_an_object_of_its_own() {
    let spec = source("tests/fixtures/official/newer-constructs.yaml");
    let overlay = source("spec/official-overlay.yaml");
    let api = model(&spec, Some(&overlay)).unwrap_or_else(|error| panic!("{error}"));
    for (event_type, object) in [
        ("TAX_EXEMPTION.CREATED", "TaxExemption"),
        ("TAX_EXEMPTION.DELETED", "TaxExemption"),
        ("TAX_EXEMPTION.CREATION_FAILED", "TaxExemptionFailure"),
        ("TAX_EXEMPTION.DELETION_FAILED", "TaxExemptionFailure"),
    ] {
        let has_type = |event: &&Event| event.types.iter().any(|it| it == event_type);
        let events = api.events.iter().filter(has_type);
        let objects: Vec<&str> = events.map(|event| event.object.as_str()).collect();
        assert_eq!(objects, [object], "{event_type}");
    }
}

#[test]
fn a_read_of_the_official_description_needs_no_scope_for_changes() {
    let mut alternatives = 0;
    for operation in official().operations.iter().filter(|it| it.method == "GET") {
        let Some(first) = operation.scope_sets.first() else {
            continue;
        };
        for scope in first.iter().filter(|scope| scope.ends_with(":admin")) {
            let reading = scope.replace(":admin", ":read");
            let is_listed = operation.scopes.contains(&reading);
            assert!(!is_listed, "{}: {first:?}", operation.id);
        }
        alternatives += usize::from(operation.scope_sets.len() > 1);
    }
    assert!(alternatives > 30, "{alternatives}");
}

/// The README says how much of Upvest's own description the default crate has.
#[test]
fn the_readme_counts_the_operations_that_both_descriptions_have() {
    let official = official();
    let vendored = model(
        &source("spec/upvest-investment-api.yaml"),
        Some(&source("spec/overlay.yaml")),
    );
    let vendored = vendored.unwrap_or_else(|error| panic!("{error}"));
    let official_calls: BTreeSet<String> = official.operations.iter().map(call).collect();
    let vendored_calls: BTreeSet<String> = vendored.operations.iter().map(call).collect();
    let shared = official_calls.intersection(&vendored_calls).count();
    let count = format!("shares {shared} of the {} operations", official_calls.len());
    let readme = std::fs::read_to_string(workspace_file("README.md")).expect("it can be read");
    assert!(readme.replace('\n', " ").contains(&count), "{count}");
}

/// The method and the path, whatever its parameters are called.
fn call(operation: &Operation) -> String {
    let segments = operation.path.split('/');
    let segments = segments.map(|segment| {
        if segment.starts_with('{') {
            "{}"
        } else {
            segment
        }
    });
    format!(
        "{} {}",
        operation.method,
        segments.collect::<Vec<_>>().join("/")
    )
}
