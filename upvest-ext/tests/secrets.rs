//! Secrets do not appear in errors, `Debug` or logs in any encoding.

mod common;

use std::error::Error as StdError;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::log::Log;
use common::socket::{SocketServer, http};
use common::{FakeApi, Fate, Reply, order};
use tracing_subscriber::fmt::format::FmtSpan;
use upvest_ext::Upvest;
use upvest_ext::signing::{RequestSigner, SigningKey};

const SECRET: &str = "canary+client/secret=1 &%~\"\\<'é'>END";
const TOKEN: &str = "canary-access.token_2+/=";
/// The passphrase of the key file, see `fixtures/keys/make.sh`.
const PASSPHRASE: &str = "correct horse, battery staple";
const WRONG_PASSPHRASE: &str = "canary passphrase 4 +%";

fn key_file(name: &str) -> String {
    std::fs::read_to_string(format!(
        "{}/tests/fixtures/keys/{name}.pem",
        env!("CARGO_MANIFEST_DIR")
    ))
    .unwrap()
}

/// The private number in the key file.
fn private_key() -> Vec<u8> {
    let pem = key_file("p521.sec1");
    let der = STANDARD
        .decode(
            pem.lines()
                .filter(|line| !line.starts_with("---"))
                .collect::<String>(),
        )
        .unwrap();
    // RFC 5915 section 3: a sequence of the version 1, an octet string of 66 bytes, and public values.
    assert_eq!(der[..8], [0x30, 0x81, 0xdc, 2, 1, 1, 4, 66]);
    der[8..74].to_vec()
}

fn signer() -> RequestSigner {
    let key = SigningKey::from_pem(key_file("p521.sec1-aes256"), Some(PASSPHRASE)).unwrap();
    RequestSigner::new("2606a727-e55e-4f72-b47d-323f163acfff", key).unwrap()
}

/// The possible encodings of `secret`, at any offset in a longer text.
fn forms(secret: &[u8]) -> Vec<String> {
    let mut forms = Vec::new();
    for skip in 0..3 {
        // The last group may depend on the text after it.
        let whole = (secret.len() - skip) / 3 * 3;
        let encoded = STANDARD.encode(&secret[skip..skip + whole]);
        forms.push(encoded.replace('+', "-").replace('/', "_"));
        forms.push(encoded);
    }
    let hex = secret.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    forms.push(hex.to_uppercase());
    forms.push(hex);
    forms.push(format!("{secret:?}").trim_matches(['[', ']']).to_owned());
    if let Ok(text) = std::str::from_utf8(secret) {
        let form = form_urlencoded::byte_serialize(secret).collect::<String>();
        forms.push(form.replace('+', "%20"));
        forms.push(percent(secret, |code| code.to_lowercase()));
        forms.push(html(text, "&#39;"));
        forms.push(html(text, "&#x27;"));
        forms.push(form);
        forms.push(text.escape_debug().to_string());
        forms.push(text.to_owned());
    }
    forms
}

/// Every byte but letters and digits in percent-encoding, as `case` writes its digits.
fn percent(secret: &[u8], case: impl Fn(String) -> String) -> String {
    let byte = |byte: &u8| match byte {
        byte if byte.is_ascii_alphanumeric() => char::from(*byte).to_string(),
        byte => case(format!("%{byte:02X}")),
    };
    secret.iter().map(byte).collect()
}

fn html(secret: &str, apostrophe: &str) -> String {
    let escaped = secret
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    escaped.replace('"', "&quot;").replace('\'', apostrophe)
}

fn secrets() -> Vec<Vec<u8>> {
    let mut secrets = [SECRET, TOKEN, PASSPHRASE, WRONG_PASSPHRASE]
        .map(|secret| secret.as_bytes().to_vec())
        .to_vec();
    secrets.push(private_key());
    secrets
}

fn leaks(text: &str) -> Vec<String> {
    secrets()
        .iter()
        .flat_map(|secret| forms(secret))
        .filter(|form| text.contains(form.as_str()))
        .collect()
}

fn describe(error: &(dyn StdError + 'static), out: &mut String) {
    let mut next = Some(error);
    while let Some(error) = next {
        let _ = write!(out, "{error}\n{error:?}\n{error:#?}\n{error:#}\n");
        next = error.source();
    }
}

/// Error bodies that repeat the secret, each in another encoding, as some servers and gateways send them. `pad` shifts
/// the base64 alignment.
fn bodies_with_secrets() -> Vec<String> {
    let form = form_urlencoded::byte_serialize(SECRET.as_bytes()).collect::<String>();
    let problem =
        serde_json::json!({"title": "bad", "detail": format!("client_secret {SECRET} is wrong")})
            .to_string();
    let basic = |pad: &str| STANDARD.encode(format!("{pad}{}:{SECRET}", common::CLIENT_ID));
    let mixed = format!(
        "{}{}",
        percent(&SECRET.as_bytes()[..14], |code| code),
        html(&SECRET[14..], "&#39;")
    );
    vec![
        format!(
            "<p>client_secret={}</p>",
            percent(SECRET.as_bytes(), |code| code.to_lowercase())
        ),
        format!(
            "<p>client_secret={}</p>",
            percent(SECRET.as_bytes(), |code| code)
        ),
        format!(
            "<p>{} or {}</p>",
            html(SECRET, "&#39;"),
            html(SECRET, "&#x27;")
        ),
        format!("<p>{mixed}</p>"),
        format!(r#"{{"detail": "authorization: Basic {}"}}"#, basic("")),
        format!(
            "authorization: Basic {}",
            basic("x").replace('+', "-").replace('/', "_")
        ),
        format!("authorization: Basic {}", basic("xx")),
        problem.replace('&', "\\u0026"),
        problem,
        format!(r#"{{"error": "bad", "error_description": "body was client_secret={form}"}}"#),
        format!(r#"{{"title": "authorization: Bearer {TOKEN}"}}"#),
        format!("<html>{SECRET} {TOKEN}</html>"),
    ]
}

fn replies() -> Vec<Reply> {
    let mut replies: Vec<_> = [Fate::NotSent, Fate::Broken, Fate::BrokenBody, Fate::Silence]
        .map(Reply::fate)
        .to_vec();
    for body in bodies_with_secrets() {
        for status in [400, 401, 403, 409, 422, 429, 500, 502, 503] {
            replies.push(Reply::new(status, body.clone()));
        }
        // Success statuses with invalid bodies.
        replies.push(Reply::new(200, body.clone()));
        replies.push(Reply::new(201, body));
    }
    replies
}

#[test]
fn secrets_are_in_no_debug_display_error_chain_or_trace_log() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_writer(move || writer.clone())
        .init();

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    let shown = runtime.block_on(text_of_all_errors());
    // With a real socket, for the logs of the HTTP libraries.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let shown = shown + &runtime.block_on(text_of_errors_on_a_socket());

    let logged = log.text();
    assert!(
        shown.len() > 100_000 && logged.len() > 100_000,
        "{} {}",
        shown.len(),
        logged.len()
    );
    assert!(logged.contains("upvest.call"));
    assert!(logged.contains("hyper"), "nothing was logged");
    assert_eq!(leaks(&shown), [""; 0], "shown");
    assert_eq!(leaks(&logged), [""; 0], "logged");
}

#[test]
fn the_search_finds_every_form_of_a_secret() {
    for secret in secrets() {
        for form in forms(&secret) {
            assert!(leaks(&format!("before {form} after")).contains(&form));
        }
        for pad in ["", "x", "xx"] {
            let encoded = STANDARD.encode([pad.as_bytes(), &secret, b"zzzz"].concat());
            assert!(!leaks(&encoded).is_empty(), "{encoded}");
        }
    }
}

/// Causes each error and returns everything that was printed.
async fn text_of_all_errors() -> String {
    let mut out = format!("{:?}{:#?}", signer(), signer());
    let wrong =
        SigningKey::from_pem(key_file("p521.sec1-aes256"), Some(WRONG_PASSPHRASE)).unwrap_err();
    describe(&wrong, &mut out);
    for reply in replies() {
        // The token endpoint never receives an access token, so its response cannot contain one.
        if !reply.body.contains(TOKEN) {
            let broken = reply.clone();
            let api_with_broken_tokens =
                FakeApi::with_tokens(move |_, _| broken.clone(), |_, _| Reply::order());
            call(&api_with_broken_tokens, &mut out).await;
        }
        let api = FakeApi::with_tokens(|_, _| Reply::token(TOKEN, 1799), move |_, _| reply.clone());
        call(&api, &mut out).await;
    }
    out
}

async fn call(api: &FakeApi, out: &mut String) {
    let builder = api
        .builder()
        .credentials(common::CLIENT_ID, SECRET)
        .signer(signer());
    let _ = write!(out, "{builder:?}");
    let upvest = builder.build().unwrap();
    show(&upvest, out).await;
}

async fn show(upvest: &Upvest, out: &mut String) {
    let list = upvest.list_orders();
    let _ = write!(out, "{upvest:?}{upvest:#?}{list:?}");
    let order_result = upvest.create_order().body(order()).send().await;
    let raw = upvest
        .request(upvest_ext::Method::GET, ["x"])
        .send_json::<u8>()
        .await;
    match list.send().await {
        Ok(response) => drop(write!(out, "{:?}{:?}", response, response.headers())),
        Err(error) => describe(&error, out),
    }
    if let Err(error) = order_result {
        describe(&error, out);
    }
    if let Err(error) = raw {
        describe(&error, out);
    }
    // Now there is a token in the cache.
    let _ = write!(out, "{upvest:?}{:?}{:#?}", upvest.list_orders(), **upvest);
}

/// Causes errors over a real connection and returns everything that was printed.
async fn text_of_errors_on_a_socket() -> String {
    let mut out = String::new();
    for body in bodies_with_secrets() {
        let server = SocketServer::start(move |request| {
            if request.starts_with("POST /auth/token") {
                let token = serde_json::json!({"access_token": TOKEN, "expires_in": 1799});
                return http("200 OK", "", &token.to_string());
            }
            if request.starts_with("POST") {
                None
            } else {
                http("502 Bad Gateway", "", &body)
            }
        })
        .await;
        let builder = server.builder().credentials(common::CLIENT_ID, SECRET);
        let upvest = builder.signer(signer()).build().unwrap();
        show(&upvest, &mut out).await;
    }
    out
}
