//! The builder and the variables of the environment: every problem is named.

use super::support::{Numbering, builder_from_vars, from_vars};
use crate::common::{CLIENT_ID, FakeApi, Reply};
use upvest_ext::{CallOptions, Environment, ErrorKind, Upvest, UpvestBuilder};

#[test]
fn a_client_id_or_secret_with_whitespace_around_it_is_rejected_with_a_clear_message() {
    let url = || Environment::Custom("http://127.0.0.1:9".parse().unwrap());
    for (id, secret) in [
        (" id", "secret"),
        ("id\n", "secret"),
        ("id", "secret\n"),
        ("id", "\tsecret"),
    ] {
        let error = Upvest::builder(url())
            .credentials(id, secret)
            .build()
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains("whitespace"), "{error}");
        assert!(!error.to_string().contains("secret\n"));
    }
    Upvest::builder(url())
        .credentials("id", "a secret with blanks inside")
        .build()
        .unwrap();
}

#[test]
fn a_builder_reports_everything_that_is_wrong_at_once() {
    let url = "http://example.com".parse().unwrap();
    let error = Upvest::builder(Environment::Custom(url))
        .user_agent("line\nbreak")
        .build()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let message = error.to_string();
    for part in ["https", "user agent", "client secret"] {
        assert!(message.contains(part), "{message}");
    }
    let error = Upvest::builder(Environment::Live)
        .credentials("id", "secret")
        .build()
        .unwrap_err();
    assert!(error.to_string().contains("unsigned"));
}

#[tokio::test]
async fn the_values_of_the_variables_are_sent() {
    let api = FakeApi::new(|_, _| Reply::empty_list());
    let key_id = "2606a727-e55e-4f72-b47d-323f163acfff";
    let builder = builder_from_vars(&[
        ("UPVEST_ENVIRONMENT", "http://localhost"),
        ("UPVEST_CLIENT_ID", CLIENT_ID),
        ("UPVEST_CLIENT_SECRET", "hush"),
        ("UPVEST_SCOPES", "users:read orders:read"),
        ("UPVEST_SIGNING_KEY_ID", key_id),
        (
            "UPVEST_SIGNING_KEY",
            include_str!("../../fixtures/keys/p521.sec1.pem"),
        ),
    ]);
    let upvest = builder.transport(api.clone()).build().unwrap();
    upvest.list_orders().send().await.unwrap();
    let tokens = api.seen_tokens();
    let form = String::from_utf8(tokens[0].body.clone()).unwrap();
    assert_eq!(
        form,
        format!(
            "client_id={CLIENT_ID}&client_secret=hush&grant_type=client_credentials\
             &scope=orders%3Aread+users%3Aread"
        )
    );
    let seen = api.seen();
    assert_eq!(seen[0].header("upvest-client-id"), CLIENT_ID);
    let signer = format!("keyid=\"{key_id}\"");
    assert!(seen[0].header("signature-input").contains(&signer));
}

#[test]
fn the_error_of_the_environment_also_names_the_problems_that_build_would_report() {
    let error = from_vars(&[
        ("UPVEST_ENVIRONMENT", "http://example.com"),
        ("UPVEST_CLIENT_ID", "id\n"),
        ("UPVEST_SIGNING_KEY_ID", "not an id"),
        (
            "UPVEST_SIGNING_KEY",
            include_str!("../../fixtures/keys/p521.sec1.pem"),
        ),
    ])
    .unwrap_err()
    .to_string();
    for part in [
        "UPVEST_CLIENT_SECRET is not set",
        "https",
        "whitespace",
        "the id of the signing key",
    ] {
        assert_eq!(error.matches(part).count(), 1, "{part}: {error}");
    }
}

#[test]
fn a_key_that_cannot_be_read_is_not_called_missing() {
    let base = [
        ("UPVEST_ENVIRONMENT", "live"),
        ("UPVEST_CLIENT_ID", CLIENT_ID),
        ("UPVEST_CLIENT_SECRET", "hush"),
        (
            "UPVEST_SIGNING_KEY_ID",
            "2606a727-e55e-4f72-b47d-323f163acfff",
        ),
    ];
    let encrypted = include_str!("../../fixtures/keys/p521.sec1-aes256.pem");
    let public = include_str!("../../fixtures/keys/p521.public.pem");
    for (name, value, problem) in [
        (
            "UPVEST_SIGNING_KEY",
            "no key",
            "UPVEST_SIGNING_KEY: no PEM block",
        ),
        (
            "UPVEST_SIGNING_KEY",
            public,
            "UPVEST_SIGNING_KEY: this is a public key",
        ),
        (
            "UPVEST_SIGNING_KEY",
            encrypted,
            "no passphrase was given in UPVEST_SIGNING_KEY_PASSPHRASE",
        ),
        (
            "UPVEST_SIGNING_KEY_FILE",
            "/nowhere/key.pem",
            "UPVEST_SIGNING_KEY_FILE: /nowhere/key.pem",
        ),
    ] {
        let mut vars = base.to_vec();
        vars.push((name, value));
        let error = from_vars(&vars).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
        assert!(!error.contains("not set"), "{error}");
        // With another problem, both are named and nothing else.
        vars.remove(1);
        let error = from_vars(&vars).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
        assert!(error.contains("UPVEST_CLIENT_ID is not set"), "{error}");
        assert_eq!(error.matches("not set").count(), 1, "{error}");
    }
}

#[test]
fn a_missing_key_is_an_error_of_build_and_named_with_other_problems() {
    let client = [
        ("UPVEST_CLIENT_ID", CLIENT_ID),
        ("UPVEST_CLIENT_SECRET", "hush"),
    ];
    for environment in ["sandbox", "live"] {
        let mut vars = client.to_vec();
        vars.push(("UPVEST_ENVIRONMENT", environment));
        let error = from_vars(&vars).unwrap_err().to_string();
        assert!(
            error.contains("UPVEST_SIGNING_KEY_ID and UPVEST_SIGNING_KEY"),
            "{error}"
        );
        vars.remove(0);
        let error = from_vars(&vars).unwrap_err().to_string();
        assert!(
            error.contains("UPVEST_SIGNING_KEY_ID and UPVEST_SIGNING_KEY"),
            "{error}"
        );
    }
    // Another server may accept unsigned requests.
    let error = from_vars(&[("UPVEST_ENVIRONMENT", "http://localhost")]).unwrap_err();
    assert!(!error.to_string().contains("SIGNING_KEY"), "{error}");
}

#[test]
fn an_empty_variable_is_called_empty() {
    let error = from_vars(&[("UPVEST_ENVIRONMENT", "live"), ("UPVEST_CLIENT_ID", " ")]);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("UPVEST_CLIENT_ID is empty"), "{error}");
    assert!(error.contains("UPVEST_CLIENT_SECRET is not set"), "{error}");
}

#[test]
fn all_missing_variables_are_reported_in_one_error() {
    let error = UpvestBuilder::from_vars(|_| None).build().unwrap_err();
    for name in [
        "UPVEST_ENVIRONMENT",
        "UPVEST_CLIENT_ID",
        "UPVEST_CLIENT_SECRET",
    ] {
        assert!(error.to_string().contains(name), "{error}");
    }
    let sandbox = |name: &str| (name == "UPVEST_ENVIRONMENT").then(|| "sandbox".to_owned());
    let error = UpvestBuilder::from_vars(sandbox).build().unwrap_err();
    for name in [
        "UPVEST_CLIENT_ID",
        "UPVEST_CLIENT_SECRET",
        "UPVEST_SIGNING_KEY_ID",
        "UPVEST_SIGNING_KEY ",
    ] {
        assert!(error.to_string().contains(name), "{error}");
    }
    let with = |environment: &'static str| {
        UpvestBuilder::from_vars(move |name| match name {
            "UPVEST_ENVIRONMENT" => Some(environment.to_owned()),
            "UPVEST_CLIENT_ID" => Some(CLIENT_ID.to_owned()),
            "UPVEST_CLIENT_SECRET" => Some("hush".to_owned()),
            _ => None,
        })
    };
    let error = with("production").build().unwrap_err();
    assert!(error.to_string().contains("sandbox") && !error.to_string().contains("hush"));
    for environment in ["sandbox", "live", "http://127.0.0.1:8080"] {
        let builder = with(environment).signer(Numbering::default());
        builder.build().unwrap();
    }
}

#[test]
fn plain_http_to_another_host_needs_an_explicit_variable() {
    let build = |insecure: Option<&'static str>| {
        Upvest::from_vars(move |name| {
            let value = match name {
                "UPVEST_ENVIRONMENT" => "http://upvest-sandbox:8080",
                "UPVEST_CLIENT_ID" | "UPVEST_CLIENT_SECRET" => "x",
                "UPVEST_INSECURE_HTTP" => insecure?,
                _ => return None,
            };
            Some(value.to_owned())
        })
        .map_or_else(|error| error.to_string(), |_| String::new())
    };
    for rejected in [None, Some("0"), Some("")] {
        let error = build(rejected);
        assert!(error.contains("UPVEST_INSECURE_HTTP=1"), "{error}");
    }
    assert!(build(Some("yes")).contains("neither 1 nor 0"));
    let error = build(Some("1"));
    assert!(!error.contains("https"), "{error}");
}

#[test]
fn a_default_header_that_is_not_valid_is_reported_by_build() {
    let api = FakeApi::new(|_, _| Reply::empty_list());
    let options = CallOptions::new().header("not a name", "value");
    let error = api.builder().defaults(options).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("default settings"), "{error}");
}

#[test]
fn a_setting_that_is_set_again_has_no_problem_any_more() {
    let vars = |name: &str| match name {
        "UPVEST_ENVIRONMENT" => Some("live".to_owned()),
        "UPVEST_SIGNING_KEY" => Some("no key".to_owned()),
        _ => None,
    };
    let builder = UpvestBuilder::from_vars(vars).credentials(CLIENT_ID, "hush");
    let error = builder.build().unwrap_err().to_string();
    assert!(!error.contains("CLIENT"), "{error}");
    assert!(error.contains("UPVEST_SIGNING_KEY"), "{error}");
    let builder = UpvestBuilder::from_vars(vars).credentials(CLIENT_ID, "hush");
    builder.signer(Numbering::default()).build().unwrap();
}
