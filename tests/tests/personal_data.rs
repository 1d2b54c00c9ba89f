//! `Debug` of types with personal data or secrets prints which fields are set, but not the data.

use serde_json::{Value, json};
use upvest_api::runtime::Unredacted;
use upvest_api::types;
use upvest_tests::description::Description;

const CANARY: &str = "Kanarienvogel";

/// A value of the schema in which every text that may be one is the canary.
fn example(description: &Description, schema: &Value) -> Value {
    let schema = description.resolve(schema);
    let properties = schema["properties"].as_object().into_iter().flatten();
    let field = |property: &Value| {
        let property = description.resolve(property);
        match (property["type"].as_str(), property["format"].as_str()) {
            (Some("object"), _) => example(description, property),
            (Some("string"), None | Some("email"))
                if property["enum"].is_null() && property["pattern"].is_null() =>
            {
                json!(CANARY)
            }
            (Some("string"), None) if property["pattern"].is_string() => json!("DE"),
            (Some("string"), Some("date")) => json!("1815-12-10"),
            _ => Value::Null,
        }
    };
    let fields = properties.map(|(name, property)| (name.clone(), field(property)));
    fields.filter(|(_, value)| !value.is_null()).collect()
}

macro_rules! debug {
    ($description:ident, $($name:ident)*) => {
        [$({
            let mut value = example(&$description, &$description.document()["components"]["schemas"][stringify!($name)]);
            // Required fields of an entity, which a request ignores.
            value["id"] = json!("5f1c9f5e-2a35-4c5e-8a14-9d0c6a9a5d1b");
            let typed = serde_json::from_value::<types::$name>(value).expect(stringify!($name));
            (stringify!($name), format!("{typed:?} {typed:#?}"), format!("{:?}", Unredacted(&typed)))
        }),*]
    };
}

#[test]
fn debug_shows_no_personal_data_and_reveal_does() {
    let description = Description::vendored();
    let shown = debug!(description, AccessToken User UserCreate UserUpdate Address UserIdentifier Mandate ReferenceAccount TaxResidency);
    for (name, debug, revealed) in shown {
        // Public texts are printed, such as the type of an identifier or the scopes of a token.
        let debug = debug
            .replace(&format!("type_: Some(\"{CANARY}\")"), "")
            .replace(&format!("scope: Some(\"{CANARY}\")"), "");
        let debug = debug.replace(&format!("Some(\n        \"{CANARY}\",\n    )"), "");
        assert!(debug.contains("<hidden>"), "{name}: {debug}");
        for data in [CANARY, "1815"] {
            assert!(!debug.contains(data), "{name}: {debug}");
        }
        assert!(revealed.contains(CANARY), "{name}: {revealed}");
    }
}

#[test]
fn debug_tells_a_set_field_from_one_that_is_not() {
    let user: types::UserUpdate =
        serde_json::from_value(json!({ "first_name": CANARY })).expect("it fits");
    let debug = format!("{user:?}");
    assert!(
        debug.contains("first_name: Some(<hidden>)") && debug.contains("last_name: None"),
        "{debug}"
    );
}

#[test]
fn debug_of_builders_shows_no_data() {
    let body = types::UserCreate::builder()
        .first_name(CANARY)
        .nationality(CANARY);
    assert_eq!(format!("{body:?}"), "{first_name, nationality}");
    let form = types::CreateAccessTokenBody::builder().client_secret(CANARY);
    assert!(!format!("{form:?}").contains(CANARY));
}

/// `Debug` hides all texts and dates that are not listed here.
#[test]
fn every_text_that_debug_shows_is_reviewed() {
    let description = Description::vendored();
    let mut shown = Vec::new();
    for (name, schema) in description.schemas() {
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            if property["x-public"] == true {
                shown.push(format!("{name}.{field}"));
            }
        }
    }
    insta::assert_snapshot!(shown.join("\n"));
}
