//! What the guides say about names and defaults is what the code has. Other tests hold what they say about behaviour.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use upvest_ext::api::types::OrderId;
use upvest_ext::signing::SignatureError;
use upvest_ext::webhooks::{VerifyError, WebhookVerifier};
use upvest_ext::{
    BackendError, Error, IdempotencyKey, Method, RetryPolicy, Scopes, Upvest, UpvestBuilder,
};
use upvest_gen::{generate, model};
use upvest_sandbox::Sandbox;
use upvest_tests::description::{source, workspace_file};

const OFFICIAL: &str = "tests/fixtures/official/official-1.9.0.json";
const OFFICIAL_OVERLAY: &str = "spec/official-overlay.yaml";

/// A guide with its paragraphs as lines.
fn guide(name: &str) -> String {
    let path = workspace_file("docs/guides").join(name);
    fs::read_to_string(path).unwrap()
}

/// Asserts that a guide contains the sentence.
fn assert_says(name: &str, claim: &str) {
    let text = guide(name).replace('\n', " ");
    assert!(text.contains(claim), "{name} does not say: {claim}");
}

fn client() -> Upvest {
    Upvest::from_transport(upvest_ext::api::MockTransport::new())
}

#[test]
fn the_defaults_of_retries_are_those_of_the_guides() {
    let policy = format!("{:?}", RetryPolicy::new());
    assert_says("errors.md", "by default 4 attempts within 60 s");
    assert!(policy.contains("max_attempts: 4"), "{policy}");
    assert_says("lists.md", "30 s by default");
    assert!(policy.contains("max_retry_after: 30s"), "{policy}");
}

#[test]
fn the_default_of_waits_is_that_of_the_guide() {
    let id: OrderId = "5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11".parse().unwrap();
    let upvest = client();
    let wait = upvest.wait_for(upvest.retrieve_order().order_id(id));
    let wait = format!("{wait:?}");
    assert_says("testing.md", "gives up after 5 minutes by default");
    assert!(wait.contains("timeout: 300s"), "{wait}");
}

#[test]
fn the_tolerance_of_deliveries_is_that_of_the_guide() {
    let verifier = format!("{:?}", WebhookVerifier::fetching(&client()));
    assert_says(
        "security.md",
        "within its lifetime and the tolerance (300 s)",
    );
    assert!(verifier.contains("300s"), "{verifier}");
}

#[test]
fn the_guide_lists_every_status_of_a_rejected_delivery() {
    let backend = || BackendError::new(std::io::Error::other("broken"));
    let errors = [
        VerifyError::Rejected(SignatureError::UnknownKey),
        VerifyError::KeysUnavailable(backend()),
        VerifyError::TooLarge(1),
        VerifyError::TimedOut(Duration::from_secs(1)),
        VerifyError::BrokenOff(backend()),
    ];
    let statuses = errors
        .iter()
        .map(|error| error.status().as_str().to_owned());
    let mut statuses: BTreeSet<String> = statuses.collect();
    statuses.insert("200".to_owned());
    let listed = first_column(&guide("webhooks.md"), "| status | when |");
    assert_eq!(listed, statuses);
}

/// The sources of the layer.
fn sources() -> String {
    let mut text = String::new();
    for folder in ["upvest-ext/src", "upvest-ext/src/webhooks"] {
        for entry in fs::read_dir(workspace_file(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|found| found == "rs") {
                text += &fs::read_to_string(path).unwrap();
            }
        }
    }
    text
}

/// The names in the first column of the table with this heading.
fn first_column(guide: &str, heading: &str) -> BTreeSet<String> {
    let (_, table) = guide.split_once(heading).unwrap();
    let rows = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let cells = rows.filter_map(|row| row.split('|').nth(1));
    cells.map(|cell| cell.trim().to_owned()).collect()
}

#[test]
fn the_guide_lists_every_event_of_tracing() {
    let sources = sources();
    let mut messages = BTreeSet::new();
    for level in ["debug", "info", "warn", "error"] {
        for call in sources.split(&format!("tracing::{level}!(")).skip(1) {
            let (arguments, _) = call.split_once(");").unwrap();
            let message = arguments.rsplit('"').nth(1).unwrap();
            messages.insert(message.to_owned());
        }
    }
    assert!(messages.len() > 5, "{messages:?}");
    let guide = guide("observability.md");
    let listed = first_column(&guide, "| event | level | fields |");
    assert_eq!(listed, messages);
}

#[test]
fn the_guide_lists_every_field_of_the_span() {
    let sources = sources();
    let (_, span) = sources.split_once("info_span!(").unwrap();
    let (span, _) = span.split_once(");\n").unwrap();
    let fields = span.lines().filter_map(|line| line.split_once(" = "));
    let fields = fields.map(|(name, _)| name.trim().trim_matches('"').to_owned());
    let fields: BTreeSet<String> = fields.collect();
    assert!(fields.len() > 5, "{fields:?}");
    let guide = guide("observability.md");
    for field in fields.iter().filter(|field| *field != "otel.kind") {
        assert!(guide.contains(&format!("`{field}`")), "{field}");
    }
}

/// The files of the workspace that are code, descriptions or settings, except for the samples of the guides.
fn find_words(folder: &Path, words: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = entry.path();
        let name = entry.file_name();
        let is_skipped = [".git", "target", "samples"]
            .iter()
            .any(|skipped| name == *skipped);
        let extension = path.extension().and_then(|extension| extension.to_str());
        if entry.file_type().unwrap().is_dir() && !is_skipped {
            find_words(&path, words);
        } else if let Some("rs" | "toml" | "yaml" | "sh") = extension {
            words.extend(words_of(path.file_stem().unwrap().to_str().unwrap()));
            words.extend(words_of(&fs::read_to_string(&path).unwrap()));
        }
    }
}

/// The names in the crate that is generated from Upvest's own description.
fn add_words_of_the_official_crate(words: &mut BTreeSet<String>) {
    let spec = source(OFFICIAL);
    let overlay = source(OFFICIAL_OVERLAY);
    let generated = generate(&spec, Some(&overlay)).unwrap_or_else(|error| panic!("{error}"));
    for file in generated.files {
        words.extend(words_of(&file.text));
    }
}

fn words_of(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    let words = words.filter(|word| word.len() > 3);
    words.map(str::to_owned)
}

/// What stands in backticks outside of blocks.
fn quoted(text: &str) -> Vec<String> {
    let outside: String = text.split("```").step_by(2).collect();
    let quoted = outside.split('`').skip(1).step_by(2);
    quoted.map(str::to_owned).collect()
}

#[test]
fn every_name_that_a_guide_quotes_exists() {
    let mut words = BTreeSet::new();
    find_words(&workspace_file(""), &mut words);
    add_words_of_the_official_crate(&mut words);
    let mut names = 0;
    for entry in fs::read_dir(workspace_file("docs/guides")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for quotation in quoted(&text) {
            for word in words_of(&quotation) {
                let is_known = words.contains(&word);
                assert!(is_known, "{}: `{quotation}`", path.display());
                names += 1;
            }
        }
    }
    assert!(names > 300, "found only {names} names");
}

/// Whether each operation of a description takes an idempotency key, by the name of its method.
fn takes_key(spec: &str, overlay: &str) -> BTreeMap<String, bool> {
    let api = model(&source(spec), Some(&source(overlay)));
    let api = api.unwrap_or_else(|error| panic!("{error}"));
    let operations = api.operations.into_iter();
    operations
        .map(|operation| (operation.method_name, operation.idempotency_key))
        .collect()
}

#[test]
fn the_guide_says_which_calls_of_onboarding_take_a_key() {
    let vendored = takes_key("spec/upvest-investment-api.yaml", "spec/overlay.yaml");
    let official = takes_key(OFFICIAL, OFFICIAL_OVERLAY);
    let guide = guide("onboarding.md");
    let rows = guide
        .lines()
        .filter(|line| line.ends_with(" yes |") || line.ends_with(" no |"));
    let mut compared = 0;
    for row in rows {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        for (cell, operations) in [(cells[2], &vendored), (cells[3], &official)] {
            let Some((name, _)) = cell.trim_start_matches('`').split_once("()`") else {
                continue;
            };
            assert_eq!(operations[name], cells[4] == "yes", "{row}");
            compared += 1;
        }
    }
    assert_eq!(compared, 10);
}

async fn official_sandbox() -> (Sandbox, Upvest) {
    let sandbox = Sandbox::builder()
        .description(workspace_file(OFFICIAL))
        .overlay(workspace_file(OFFICIAL_OVERLAY))
        .lifecycles(workspace_file("tests/sandbox/lifecycles/official.yaml"));
    let sandbox = sandbox.start().await.unwrap();
    let scopes = Scopes::new(["checks:read", "users:admin"]);
    let upvest = UpvestBuilder::from_vars(sandbox.vars()).scopes(scopes);
    (sandbox, upvest.build().unwrap())
}

async fn create_user(upvest: &Upvest, more: Value) -> Result<Value, Error> {
    let mut user = json!({
        "first_name": "Ada", "last_name": "Lovelace", "birth_date": "1990-12-10", "nationalities": ["DE"],
        "address": {"address_line1": "Ring 1", "postcode": "10117", "city": "Berlin", "country": "DE"},
    });
    let more = more.as_object().unwrap().clone();
    user.as_object_mut().unwrap().extend(more);
    let request = upvest.request(Method::POST, ["users"]).json(&user);
    let request = request.idempotency_key(IdempotencyKey::generate());
    Ok(request.send_json::<Value>().await?.into_inner())
}

#[tokio::test]
async fn a_user_of_both_alternatives_of_the_guide_is_rejected() {
    let (_sandbox, upvest) = official_sandbox().await;
    let consent = json!({"consent_document_id": IdempotencyKey::generate().as_uuid(), "confirmed_at": "2026-01-31T10:00:00Z"});
    let under_their_licence = json!({
        "email": "ada@example.com", "birth_city": "London", "birth_country": "GB",
        "fatca": {"status": false, "confirmed_at": "2026-01-31T10:00:00Z"},
        "terms_and_conditions": consent, "data_privacy_and_sharing_agreement": consent,
    });
    create_user(&upvest, under_their_licence.clone())
        .await
        .unwrap();
    let place_of_birth = json!({"birth_city": "London", "birth_country": "GB"});
    create_user(&upvest, place_of_birth).await.unwrap();

    for (name, value) in under_their_licence.as_object().unwrap() {
        let mut without = under_their_licence.clone();
        without.as_object_mut().unwrap().remove(name);
        let rejected = create_user(&upvest, without).await.unwrap_err();
        assert_eq!(rejected.status().map(|it| it.as_u16()), Some(400), "{name}");
        let alone = create_user(&upvest, json!({ name: value })).await;
        assert_eq!(alone.is_ok(), name.starts_with("birth_"), "{name}");
    }
    let phone = json!({"phone_number": "+4930123456"});
    assert!(create_user(&upvest, phone).await.is_err());
}

#[tokio::test]
async fn the_sandbox_activates_a_user_without_a_check() {
    let (sandbox, upvest) = official_sandbox().await;
    let user = create_user(&upvest, json!({})).await.unwrap();
    let id = user["id"].as_str().unwrap();
    sandbox.advance(Duration::from_secs(1)).await;
    let user = upvest.request(Method::GET, ["users", id]);
    let user = user.send_json::<Value>().await.unwrap().into_inner();
    assert_eq!(user["status"], "ACTIVE");
    let checks = upvest.request(Method::GET, ["users", id, "checks"]);
    let checks = checks.send_json::<Value>().await.unwrap().into_inner();
    assert_eq!(checks["data"], json!([]));
}
