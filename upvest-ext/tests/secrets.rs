//! Secrets show up nowhere, in no form.

mod common;

use std::error::Error as StdError;
use std::fmt::Write as _;
use std::sync::Arc;

use common::log::Log;
use common::socket::{SocketServer, http};
use common::{FakeApi, Fate, Reply, order};
use http::HeaderValue;
use tracing_subscriber::fmt::format::FmtSpan;
use upvest_ext::sign_request::{SignFuture, SignRequest};
use upvest_ext::{Error, MemoryTokenStore, Upvest};

const SECRET: &str = "canary+client/secret=1 &%~\"\\end";
const TOKEN: &str = "canary-access.token_2+/=";
const KEY: &str = "canary-private-key-3==";
const PASSPHRASE: &str = "canary passphrase 4 +%";

/// Holds a key and a passphrase, as a signer does, and puts what it makes of them on the request.
#[derive(Clone)]
struct Signer {
    key: &'static str,
    passphrase: &'static str,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").finish_non_exhaustive()
    }
}

impl SignRequest for Signer {
    fn sign<'a>(&'a self, request: &'a mut reqwest::Request) -> SignFuture<'a> {
        Box::pin(async move {
            let length = self.key.len() + self.passphrase.len();
            request.headers_mut().insert("signature", HeaderValue::from(length));
            Ok(())
        })
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks_exact(3) {
        let bits = u32::from(chunk[0]) << 16 | u32::from(chunk[1]) << 8 | u32::from(chunk[2]);
        for shift in [18, 12, 6, 0] {
            out.push(char::from(DIGITS[(bits >> shift) as usize & 63]));
        }
    }
    out
}

/// The forms that `secret` may take, wherever in a larger text it was encoded.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned(), secret.escape_debug().to_string()];
    for skip in 0..3 {
        let encoded = base64(&secret.as_bytes()[skip..]);
        forms.push(encoded.replace('+', "-").replace('/', "_"));
        forms.push(encoded);
    }
    let hex = secret.bytes().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    forms.push(hex.to_uppercase());
    forms.push(hex);
    let form = form_urlencoded::byte_serialize(secret.as_bytes()).collect::<String>();
    forms.push(form.replace('+', "%20"));
    forms.push(form.to_lowercase());
    forms.push(form);
    forms.push(format!("{:?}", secret.as_bytes()).trim_matches(['[', ']']).to_owned());
    forms
}

fn leaks(text: &str) -> Vec<String> {
    let secrets = [SECRET, TOKEN, KEY, PASSPHRASE];
    secrets.iter().flat_map(|secret| forms(secret)).filter(|form| text.contains(form.as_str())).collect()
}

fn describe(error: &(dyn StdError + 'static), out: &mut String) {
    let mut next = Some(error);
    while let Some(error) = next {
        let _ = write!(out, "{error}\n{error:?}\n{error:#?}\n{error:#}\n");
        next = error.source();
    }
}

/// Bodies that repeat what was sent, as some servers and gateways do.
fn echoes() -> Vec<String> {
    let form = form_urlencoded::byte_serialize(SECRET.as_bytes()).collect::<String>();
    let problem =
        serde_json::json!({"title": "bad", "detail": format!("client_secret {SECRET} is wrong")}).to_string();
    vec![
        problem.replace('&', "\\u0026"),
        problem,
        format!(r#"{{"error": "bad", "error_description": "body was client_secret={form}"}}"#),
        format!(r#"{{"title": "authorization: Bearer {TOKEN}"}}"#),
        format!("<html>{SECRET} {TOKEN}</html>"),
    ]
}

fn replies() -> Vec<Reply> {
    let mut replies: Vec<_> =
        [Fate::NotSent, Fate::Broken, Fate::BrokenBody, Fate::Silence].map(Reply::fate).to_vec();
    for echo in echoes() {
        for status in [400, 401, 403, 409, 422, 429, 500, 502, 503] {
            replies.push(Reply::new(status, echo.clone()));
        }
        // Success statuses with nonsense in them.
        replies.push(Reply::new(200, echo.clone()));
        replies.push(Reply::new(201, echo));
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

    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let shown = runtime.block_on(provoke());
    // Over a real socket, for the logs of the HTTP libraries.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let shown = shown + &runtime.block_on(provoke_on_a_socket());

    let logged = log.text();
    assert!(shown.len() > 100_000 && logged.len() > 100_000, "{} {}", shown.len(), logged.len());
    assert!(logged.contains("upvest.call") && logged.contains("hyper"), "nothing was logged");
    assert_eq!(leaks(&shown), [""; 0], "shown");
    assert_eq!(leaks(&logged), [""; 0], "logged");
}

#[test]
fn the_search_finds_every_form_of_a_secret() {
    for secret in [SECRET, TOKEN, KEY, PASSPHRASE] {
        for form in forms(secret) {
            assert!(leaks(&format!("before {form} after")).contains(&form));
        }
        for pad in ["", "x", "xx"] {
            let encoded = base64(format!("{pad}{secret}zzz").as_bytes());
            assert!(!leaks(&encoded).is_empty(), "{pad}{secret}");
        }
    }
}

async fn provoke() -> String {
    let mut out = String::new();
    for reply in replies() {
        // The token endpoint has seen no token yet that it could repeat.
        if !reply.body.contains(TOKEN) {
            let broken = reply.clone();
            let token = FakeApi::with_tokens(move |_, _| broken.clone(), |_, _| Reply::order());
            call(&token, &mut out).await;
        }
        let api = FakeApi::with_tokens(|_, _| Reply::token(TOKEN, 1799), move |_, _| reply.clone());
        call(&api, &mut out).await;
    }
    out
}

async fn call(api: &FakeApi, out: &mut String) {
    let store = Arc::new(MemoryTokenStore::default());
    let builder = api
        .builder()
        .credentials(common::CLIENT_ID, SECRET)
        .signer(Signer { key: KEY, passphrase: PASSPHRASE })
        .token_store(Arc::clone(&store));
    let _ = write!(out, "{builder:?}");
    let upvest = builder.build().unwrap();
    show(&upvest, out).await;
    let _ = write!(out, "{store:?}{store:#?}");
}

async fn show(upvest: &Upvest, out: &mut String) {
    let list = upvest.list_orders();
    let _ = write!(out, "{upvest:?}{upvest:#?}{list:?}");
    let order_result = upvest.create_order().body(order()).send().await;
    let raw = upvest.request(upvest_ext::Method::GET, "/x").send_json::<u8>().await;
    match list.send().await {
        Ok(answer) => drop(write!(out, "{:?}{:?}", answer, answer.headers())),
        Err(error) => {
            // Before it is ours and after.
            describe(&error, out);
            describe(&Error::from(error), out);
        }
    }
    if let Err(error) = order_result {
        describe(&Error::from(error), out);
    }
    if let Err(error) = raw {
        describe(&error, out);
    }
    // Now that there is a token in the cache.
    let _ = write!(out, "{upvest:?}{:?}{:#?}", upvest.list_orders(), **upvest);
}

async fn provoke_on_a_socket() -> String {
    let mut out = String::new();
    for echo in echoes() {
        let body = echo.clone();
        let server = SocketServer::start(move |request| {
            if request.starts_with("POST /auth/token") {
                let token = serde_json::json!({"access_token": TOKEN, "expires_in": 1799});
                return http("200 OK", "", &token.to_string());
            }
            if request.starts_with("POST") { None } else { http("502 Bad Gateway", "", &body) }
        })
        .await;
        let builder = server.builder().credentials(common::CLIENT_ID, SECRET);
        let upvest = builder.signer(Signer { key: KEY, passphrase: PASSPHRASE }).build().unwrap();
        show(&upvest, &mut out).await;
    }
    out
}
