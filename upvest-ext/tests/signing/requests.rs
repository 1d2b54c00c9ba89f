//! Requests are signed as Upvest requires.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderValue, Method, Request};
use reqwest::Url;
use upvest_ext::signing::{
    IncomingRequest, KeyAlgorithm, KeyError, RequestSigner, SignRequest, SignatureError,
    SignaturePolicy, Signer, SigningError, SigningKey, UnverifiedSignature, explain_signature,
};
use upvest_ext::{BackendError, BoxFuture};

const KEY_ID: &str = "2606a727-e55e-4f72-b47d-323f163acfff";
const CREATED: u64 = 1_780_854_045;

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(CREATED)
}

fn signer() -> RequestSigner {
    let key = SigningKey::generate(KeyAlgorithm::EcdsaP521).unwrap();
    RequestSigner::new(KEY_ID, key).unwrap().clock(now)
}

fn request(method: Method, url: &str) -> Request<Bytes> {
    let url = Url::parse(url).unwrap();
    Request::builder()
        .method(method)
        .uri(url.as_str())
        .body(Bytes::new())
        .unwrap()
}

fn claims(
    request: &Request<Bytes>,
    at: SystemTime,
) -> Result<Vec<UnverifiedSignature>, SignatureError> {
    SignaturePolicy::requests()
        .tolerance(Duration::ZERO)
        .claims(
            &IncomingRequest::new(
                request.method(),
                request.uri(),
                request.headers(),
                request.body(),
            ),
            at,
        )
}

/// The signature base without its last line, and that line.
fn base(request: &Request<Bytes>) -> (String, String) {
    let claims = claims(request, now()).unwrap();
    let base = String::from_utf8(claims[0].signature_base().to_vec()).unwrap();
    let (components, params) = base.rsplit_once('\n').unwrap();
    (components.to_owned(), params.to_owned())
}

fn header<'a>(request: &'a Request<Bytes>, name: &str) -> Option<&'a str> {
    request
        .headers()
        .get(name)
        .map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn the_base_covers_all_that_is_sent_except_what_proxies_change() {
    let mut request = request(Method::POST, "https://sandbox.upvest.co/orders?b=2&a=1");
    for (name, value) in [
        ("authorization", "Bearer token"),
        ("content-type", "application/json"),
        ("if-none-match", "\"e0\""),
        ("test-mode", "on"),
        ("user-agent", "sdk/1"),
        ("accept-encoding", "gzip"),
        ("x-request-id", "1"),
        ("cf-ray", "1"),
        ("cookie", "a=b"),
        ("host", "sandbox.upvest.co"),
        ("te", "trailers"),
        (
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
        ("tracestate", "vendor=1"),
    ] {
        request
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    *request.body_mut() = Bytes::from("{\"hello\": \"world\"}");
    signer().sign_request(&mut request).await.unwrap();
    assert_eq!(
        base(&request).0,
        "\"@method\": POST\n\
         \"@path\": /orders\n\
         \"@query\": ?b=2&a=1\n\
         \"accept\": application/json\n\
         \"authorization\": Bearer token\n\
         \"content-digest\": sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:\n\
         \"content-length\": 18\n\
         \"content-type\": application/json\n\
         \"date\": Sun, 07 Jun 2026 17:40:45 GMT\n\
         \"if-none-match\": \"e0\"\n\
         \"test-mode\": on"
    );
    assert_eq!(header(&request, "upvest-signature-version"), Some("15"));
}

#[tokio::test]
async fn the_parameters_are_those_of_the_documentation() {
    let mut request = request(Method::GET, "https://sandbox.upvest.co/users");
    let signer = signer()
        .lifetime(Duration::from_secs(5))
        .nonce(|| "abcDEF1234567890".to_owned());
    signer.sign_request(&mut request).await.unwrap();
    assert_eq!(
        header(&request, "signature-input").unwrap(),
        "sig1=(\"@method\" \"@path\" \"accept\" \"date\");keyid=\"2606a727-e55e-4f72-b47d-323f163acfff\";\
         created=1780854045;expires=1780854050;nonce=\"abcDEF1234567890\""
    );
    assert!(header(&request, "signature").unwrap().starts_with("sig1=:"));
    assert!(claims(&request, now() + Duration::from_secs(5)).is_ok());
    assert_eq!(
        claims(&request, now() + Duration::from_secs(6)).unwrap_err(),
        SignatureError::Expired
    );
    assert_eq!(
        claims(&request, now() - Duration::from_secs(1)).unwrap_err(),
        SignatureError::CreatedInFuture
    );
}

#[tokio::test]
async fn a_query_is_covered_byte_for_byte_if_there_is_one() {
    for (url, line) in [
        (
            "https://a.example/x?status=NEW&status=FILLED&note=caf%c3%A9+%20&empty=",
            Some("?status=NEW&status=FILLED&note=caf%c3%A9+%20&empty="),
        ),
        ("https://a.example/x?flag", Some("?flag")),
        ("https://a.example/x", None),
        ("https://a.example/x?", None),
    ] {
        let mut request = request(Method::GET, url);
        signer().sign_request(&mut request).await.unwrap();
        let (base, _) = base(&request);
        let found = base
            .lines()
            .find_map(|found| found.strip_prefix("\"@query\": "));
        assert_eq!(found, line, "{url}");
        assert!(
            line.is_some() || request.uri().query().is_none(),
            "a bare `?` would be sent unsigned"
        );
    }
}

#[tokio::test]
async fn the_path_is_signed_as_it_is_sent() {
    for (url, line) in [
        ("https://a.example", "/"),
        (
            "https://a.example/files/Pr%C3%BCfbericht%202024.zip",
            "/files/Pr%C3%BCfbericht%202024.zip",
        ),
        (
            "https://a.example/files/Prüfbericht 2024.zip",
            "/files/Pr%C3%BCfbericht%202024.zip",
        ),
        ("https://a.example/a//b/%2e/c;v=1", "/a//b/c;v=1"),
    ] {
        let mut request = request(Method::GET, url);
        signer().sign_request(&mut request).await.unwrap();
        assert!(
            base(&request).0.contains(&format!("\"@path\": {line}\n")),
            "{url}: {}",
            base(&request).0
        );
    }
}

#[tokio::test]
async fn repeated_headers_are_joined_and_trimmed() {
    let mut request = request(Method::GET, "https://a.example/x");
    for value in [" de-DE\t", " en;q=0.5 ", "*;q=0.1\t"] {
        request
            .headers_mut()
            .append("accept-language", HeaderValue::from_static(value));
    }
    signer().sign_request(&mut request).await.unwrap();
    assert!(
        base(&request)
            .0
            .contains("\"accept-language\": de-DE, en;q=0.5, *;q=0.1\n")
    );
}

#[tokio::test]
async fn an_empty_body_has_no_digest_and_no_length() {
    let mut request = request(Method::POST, "https://a.example/webhooks/1/test");
    signer().sign_request(&mut request).await.unwrap();
    assert_eq!(header(&request, "content-digest"), None);
    assert_eq!(header(&request, "content-length"), None);
    assert!(claims(&request, now()).is_ok());
}

#[tokio::test]
async fn a_digest_that_the_caller_set_is_replaced_or_removed() {
    for body in ["", "{}"] {
        let mut request = request(Method::POST, "https://a.example/orders");
        *request.body_mut() = Bytes::from(body);
        let stale = HeaderValue::from_static("sha-512=:AAAA:");
        request.headers_mut().insert("content-digest", stale);
        signer().sign_request(&mut request).await.unwrap();
        assert_eq!(
            header(&request, "content-digest").is_some(),
            !body.is_empty()
        );
        claims(&request, now()).unwrap();
    }
}

#[tokio::test]
async fn a_signature_is_valid_for_at_least_a_second() {
    for lifetime in [Duration::ZERO, Duration::from_millis(999)] {
        let mut request = request(Method::GET, "https://a.example/x");
        let signer = signer().lifetime(lifetime);
        signer.sign_request(&mut request).await.unwrap();
        let claims = claims(&request, now()).unwrap();
        assert_eq!(claims[0].expires(), Some(CREATED.cast_signed() + 1));
    }
}

#[tokio::test]
async fn what_reqwest_would_add_by_itself_is_set_before_signing() {
    let mut request = request(
        Method::from_bytes(b"delete").unwrap(),
        "https://a.example/x",
    );
    request
        .headers_mut()
        .insert("accept", HeaderValue::from_static("*/*"));
    signer().sign_request(&mut request).await.unwrap();
    assert_eq!(header(&request, "accept"), Some("application/json"));
    assert_eq!(request.method(), Method::DELETE);
    request
        .headers_mut()
        .insert("accept", HeaderValue::from_static("application/pdf"));
    signer().sign_request(&mut request).await.unwrap();
    assert_eq!(header(&request, "accept"), Some("application/pdf"));
}

#[tokio::test]
async fn every_attempt_gets_a_new_nonce_time_and_signature_and_the_same_digest() {
    let seconds = Arc::new(AtomicU64::new(CREATED));
    let clock = Arc::clone(&seconds);
    let signer =
        signer().clock(move || UNIX_EPOCH + Duration::from_secs(clock.load(Ordering::Relaxed)));
    let mut attempt = request(Method::POST, "https://a.example/orders");
    *attempt.body_mut() = Bytes::from("{}");
    let mut seen = Vec::new();
    for _ in 0..50 {
        SignRequest::sign(&signer, &mut attempt).await.unwrap();
        let at = UNIX_EPOCH + Duration::from_secs(seconds.load(Ordering::Relaxed));
        assert!(claims(&attempt, at).is_ok());
        let one = |name: &str| {
            assert_eq!(attempt.headers().get_all(name).iter().count(), 1, "{name}");
            header(&attempt, name).unwrap().to_owned()
        };
        let nonce = one("signature-input")
            .rsplit_once("nonce=")
            .unwrap()
            .1
            .to_owned();
        assert!(!seen.contains(&nonce));
        seen.push(nonce);
        assert_eq!(one("content-digest").len(), 98);
        one("signature");
        seconds.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn times_that_no_header_can_carry_are_errors() {
    for time in [
        UNIX_EPOCH - Duration::from_secs(1),
        UNIX_EPOCH + Duration::from_secs(253_402_300_800),
    ] {
        let mut request = request(Method::GET, "https://a.example/x");
        let error = signer()
            .clock(move || time)
            .sign_request(&mut request)
            .await
            .unwrap_err();
        assert!(matches!(error, SigningError::Clock), "{error:?}");
    }
}

#[tokio::test]
async fn ids_and_nonces_that_would_break_the_header_are_errors() {
    let key = || SigningKey::generate(KeyAlgorithm::Ed25519).unwrap();
    for id in ["", "a\"b", "a b", "a\nb", "ä"] {
        assert_eq!(
            RequestSigner::new(id, key()).unwrap_err(),
            KeyError::InvalidId
        );
    }
    let mut request = request(Method::GET, "https://a.example/x");
    let error = signer()
        .nonce(|| "a\"".to_owned())
        .sign_request(&mut request)
        .await
        .unwrap_err();
    assert!(matches!(error, SigningError::InvalidNonce), "{error:?}");
}

/// A signer that hides its key and is slow.
#[derive(Debug)]
struct KeyService {
    key: SigningKey,
    works: bool,
}

impl Signer for KeyService {
    fn algorithm(&self) -> KeyAlgorithm {
        self.key.algorithm()
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, BackendError>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            if self.works {
                self.key.sign_now(message)
            } else {
                Err(BackendError::new("the key service is away"))
            }
        })
    }
}

#[tokio::test]
async fn a_key_service_signs_in_place_of_a_local_key() {
    let key = SigningKey::generate(KeyAlgorithm::EcdsaP521).unwrap();
    let public = key.public_key().clone();
    let signer = RequestSigner::new(KEY_ID, KeyService { key, works: true })
        .unwrap()
        .clock(now);
    let mut request = request(Method::GET, "https://a.example/x");
    signer.sign_request(&mut request).await.unwrap();
    assert!(claims(&request, now()).unwrap()[0].is_signed_by(&public));
}

#[tokio::test]
async fn the_failure_of_a_key_service_comes_out_with_its_cause() {
    let key = SigningKey::generate(KeyAlgorithm::Ed25519).unwrap();
    let signer = RequestSigner::new(KEY_ID, KeyService { key, works: false }).unwrap();
    let mut request = request(Method::GET, "https://a.example/x");
    let failure = SignRequest::sign(&signer, &mut request).await.unwrap_err();
    assert!(matches!(failure, SigningError::Signer(_)));
    let cause = std::error::Error::source(&failure).unwrap();
    assert_eq!(cause.to_string(), "the key service is away");
}

#[tokio::test]
async fn both_kinds_of_keys_sign_requests() {
    for algorithm in [KeyAlgorithm::EcdsaP521, KeyAlgorithm::Ed25519] {
        let key = SigningKey::generate(algorithm).unwrap();
        let public = key.public_key().clone();
        let mut request = request(Method::GET, "https://a.example/x?y=z");
        RequestSigner::new(KEY_ID, key)
            .unwrap()
            .clock(now)
            .sign_request(&mut request)
            .await
            .unwrap();
        assert!(
            claims(&request, now()).unwrap()[0].is_signed_by(&public),
            "{algorithm}"
        );
    }
}

#[tokio::test]
async fn the_explanation_shows_the_base_and_hides_the_token() {
    let mut request = request(Method::GET, "https://a.example/users?limit=1");
    request.headers_mut().insert(
        "authorization",
        HeaderValue::from_static("Bearer ory_at_CANARY"),
    );
    let mut sensitive = HeaderValue::from_static("CANARY-2");
    sensitive.set_sensitive(true);
    request.headers_mut().insert("partner-secret", sensitive);
    request
        .headers_mut()
        .insert("user-agent", HeaderValue::from_static("sdk/1"));
    assert!(
        explain_signature(&request)
            .unwrap_err()
            .to_string()
            .contains("the request has no signature-input")
    );
    signer().sign_request(&mut request).await.unwrap();

    let explanation = explain_signature(&request).unwrap();
    let text = format!("{explanation}\n{explanation:?}");
    assert!(!text.contains("CANARY"), "{text}");
    assert!(
        text.contains("\"authorization\": Bearer <hidden, 13 bytes>"),
        "{text}"
    );
    assert!(text.contains("\"@query\": ?limit=1"), "{text}");
    assert!(text.contains("valid for 10 s"), "{text}");
    assert!(explanation.uncovered.contains(&"user-agent".to_owned()));
    assert_eq!(explanation.base_sha512.len(), 128);

    request.headers_mut().remove("partner-secret");
    let error = explain_signature(&request).unwrap_err().to_string();
    assert!(
        error.contains("covers `partner-secret`, which the request does not have"),
        "{error}"
    );
}

#[test]
fn no_key_and_no_passphrase_in_debug_or_errors() {
    const PEM: &str = include_str!("../fixtures/keys/p521.sec1.pem");
    let key = SigningKey::from_pem(PEM, None).unwrap();
    let debug = format!("{:?}", RequestSigner::new(KEY_ID, key).unwrap());
    // The lines of the file that contain the private key, in base64.
    for line in PEM.lines().filter(|line| line.len() > 40).take(2) {
        assert!(!debug.contains(&line[10..30]));
    }
    assert!(debug.contains("P521"), "{debug}");
    let encrypted = include_str!("../fixtures/keys/p521.pkcs8-pbkdf2.pem");
    let error = SigningKey::from_pem(encrypted, Some("CANARY")).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("CANARY"));
}
