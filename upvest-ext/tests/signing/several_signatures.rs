//! Deliveries with several signatures: one valid signature is enough, and the error is that of the signature that
//! passed most checks.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use upvest_ext::signing::{
    IncomingRequest, KeyAlgorithm, SignatureError, SignaturePolicy, SigningKey,
};
use upvest_ext::webhooks::{KeySet, VerifyError, WebhookVerifier};

const CREATED: i64 = 1_780_854_045;
const BODY: &[u8] = b"{\"hello\": \"world\"}";
/// The digests of [`BODY`] (`PROTOCOL` 1.5 and 2.3).
const SHA512: &str = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:";
const SHA256: &str = "SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=";

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(CREATED.cast_unsigned())
}

/// The header that covers the body: of version 15 or of version 6.
#[derive(Clone, Copy, PartialEq)]
enum Digest {
    V15,
    V6,
}

impl Digest {
    fn header(self) -> &'static str {
        match self {
            Self::V15 => "content-digest",
            Self::V6 => "digest",
        }
    }

    fn of_body(self) -> &'static str {
        match self {
            Self::V15 => SHA512,
            Self::V6 => SHA256,
        }
    }
}

/// A delivery, to which signatures are added label by label.
struct Delivery {
    key: SigningKey,
    inputs: Vec<String>,
    signatures: Vec<String>,
    digests: [(Digest, String); 2],
}

impl Delivery {
    fn new() -> Self {
        Self {
            key: SigningKey::generate(KeyAlgorithm::EcdsaP521).unwrap(),
            inputs: Vec::new(),
            signatures: Vec::new(),
            digests: [Digest::V15, Digest::V6].map(|digest| (digest, digest.of_body().to_owned())),
        }
    }

    /// Adds a label to each header, as text.
    fn add(&mut self, input: impl Into<String>, signature: impl Into<String>) {
        self.inputs.push(input.into());
        self.signatures.push(signature.into());
    }

    /// Adds a signature by the key.
    fn sign(&mut self, label: &str, input: &str) {
        let signature = STANDARD.encode(self.signature(input));
        self.add(format!("{label}={input}"), format!("{label}=:{signature}:"));
    }

    fn signature(&self, input: &str) -> Vec<u8> {
        let headers = self.headers(&format!("x={input}"), "x=:AAAA:");
        let target = Uri::from_static("/webhooks");
        let received = IncomingRequest::new(&Method::POST, &target, &headers, BODY);
        let claims = SignaturePolicy::deliveries()
            .claims(&received, now())
            .unwrap();
        self.key.sign_now(claims[0].signature_base()).unwrap()
    }

    fn headers(&self, inputs: &str, signatures: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let digests = self
            .digests
            .iter()
            .map(|(digest, value)| (digest.header(), value.as_str()));
        let signatures = [("signature-input", inputs), ("signature", signatures)];
        for (name, value) in digests.chain(signatures) {
            headers.insert(
                HeaderName::from_static(name),
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
        }
        headers
    }

    fn verify(&self) -> Result<(), SignatureError> {
        self.verify_headers(&self.headers(&self.inputs.join(", "), &self.signatures.join(", ")))
    }

    fn verify_headers(&self, headers: &HeaderMap) -> Result<(), SignatureError> {
        let other = SigningKey::generate(KeyAlgorithm::Ed25519).unwrap();
        let keys = KeySet::single("known", self.key.public_key().clone())
            .with("ed25519", other.public_key().clone());
        let verifier = WebhookVerifier::new(keys).clock(now);
        let mut delivery = http::Request::post("/webhooks").body(BODY).unwrap();
        delivery.headers_mut().clone_from(headers);
        let verdict = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(verifier.verify(&delivery));
        match verdict {
            Ok(_) => Ok(()),
            Err(VerifyError::Rejected(error)) => Err(error),
            Err(other) => panic!("{other:?}"),
        }
    }
}

fn list(digest: Digest) -> String {
    format!("(\"@method\" \"@path\" \"{}\")", digest.header())
}

fn times(created: i64, expires: i64) -> String {
    format!(";created={created};expires={expires}")
}

fn valid(digest: Digest) -> String {
    let times = times(CREATED, CREATED + 5);
    format!("{}{times};keyid=\"known\"", list(digest))
}

/// The errors of one signature, in the order of the checks.
const IN_ORDER: [SignatureError; 13] = [
    SignatureError::MalformedSignatureInput,
    SignatureError::LabelMismatch,
    SignatureError::MalformedSignature,
    SignatureError::RequiredComponentMissing,
    SignatureError::CreatedInFuture,
    SignatureError::Expired,
    SignatureError::ComponentMissing,
    SignatureError::TooLong,
    SignatureError::UnsupportedDigest,
    SignatureError::DigestMismatch,
    SignatureError::UnknownKey,
    SignatureError::KeyNotAllowed,
    SignatureError::SignatureMismatch,
];

fn is_of_digest(error: SignatureError) -> bool {
    use SignatureError::{DigestMismatch, TooLong, UnsupportedDigest};
    matches!(error, TooLong | UnsupportedDigest | DigestMismatch)
}

/// Adds a signature that covers `digest` and fails with `error`.
fn add_failing(delivery: &mut Delivery, label: &str, error: SignatureError, digest: Digest) {
    let good = valid(digest);
    let list = list(digest);
    let wrong = format!("{label}=:AAAA:");
    let input = match error {
        SignatureError::MalformedSignatureInput => list,
        SignatureError::LabelMismatch => {
            delivery.inputs.push(format!("{label}={good}"));
            return;
        }
        SignatureError::MalformedSignature => {
            delivery.add(format!("{label}={good}"), format!("{label}=AAAA"));
            return;
        }
        SignatureError::RequiredComponentMissing => good.replace("\"@path\" ", ""),
        SignatureError::CreatedInFuture => {
            format!(
                "{list}{};keyid=\"known\"",
                times(CREATED + 301, CREATED + 306)
            )
        }
        SignatureError::Expired => {
            format!(
                "{list}{};keyid=\"known\"",
                times(CREATED - 306, CREATED - 301)
            )
        }
        SignatureError::ComponentMissing => good.replace("\"@path\"", "\"@path\" \"date\""),
        SignatureError::TooLong
        | SignatureError::UnsupportedDigest
        | SignatureError::DigestMismatch => {
            let value = failing_digest(error, digest);
            let of_header = delivery
                .digests
                .iter_mut()
                .find(|(other, _)| *other == digest);
            of_header.unwrap().1 = value;
            good
        }
        SignatureError::UnknownKey => good.replace("known", "unknown"),
        SignatureError::KeyNotAllowed => good.replace("known", "ed25519"),
        SignatureError::SignatureMismatch => good,
        SignatureError::InvalidLifetime => {
            let input = format!("{list}{};keyid=\"known\"", times(CREATED, CREATED + 3601));
            return delivery.sign(label, &input);
        }
        other => panic!("not an error of one signature: {other:?}"),
    };
    delivery.add(format!("{label}={input}"), wrong);
}

fn failing_digest(error: SignatureError, digest: Digest) -> String {
    match (error, digest) {
        (SignatureError::TooLong, _) => "x".repeat(8 * 1024 + 1),
        (SignatureError::UnsupportedDigest, _) => "md5=:AAAA:".to_owned(),
        (_, Digest::V15) => "sha-512=:AAAA:".to_owned(),
        (_, Digest::V6) => "SHA-256=AAAA".to_owned(),
    }
}

#[test]
fn the_error_is_that_of_the_signature_that_passed_more_checks() {
    let mut errors = IN_ORDER.to_vec();
    errors.push(SignatureError::InvalidLifetime);
    for (place, lesser) in errors.iter().enumerate() {
        for greater in &errors[place..] {
            for [first, second] in [[*lesser, *greater], [*greater, *lesser]] {
                // Each digest header has one value, so two errors of a digest need both headers.
                let digest = |error| match (is_of_digest(*lesser), is_of_digest(*greater)) {
                    (true, true) if lesser != greater && error == *greater => Digest::V6,
                    (true, false) if error == *greater => Digest::V6,
                    (false, true) if error == *lesser => Digest::V6,
                    _ => Digest::V15,
                };
                let mut delivery = Delivery::new();
                add_failing(&mut delivery, "sig1", first, digest(first));
                add_failing(&mut delivery, "sig2", second, digest(second));
                delivery.signatures.push("other=:AAAA:".to_owned());
                assert_eq!(delivery.verify(), Err(*greater), "{first:?}, {second:?}");
            }
        }
    }
}

#[test]
fn each_error_has_a_stage_and_a_code_of_its_own() {
    let mut all = IN_ORDER.to_vec();
    all.extend([
        SignatureError::InvalidLifetime,
        SignatureError::MalformedRequest,
        SignatureError::MissingSignature,
        SignatureError::DuplicateLabel,
        SignatureError::OtherWebhook,
    ]);
    for (place, one) in all.iter().enumerate() {
        for other in &all[..place] {
            assert_ne!(one.stage(), other.stage(), "{one:?}, {other:?}");
            assert_ne!(one.code(), other.code(), "{one:?}, {other:?}");
        }
    }
}

/// Labels of both headers that cannot be read, or that do not make a pair.
const UNREADABLE: &[(&str, &str)] = &[
    (
        "proxy=(\"@method\";req);created=1;keyid=\"p\"",
        "proxy=:AAAA:",
    ),
    (
        "proxy=(\"x\";sf \"y\";key=\"a, b\" \"@query-param\";name=\"q\");created=1;keyid=\"p\"",
        "proxy=:AAAA:",
    ),
    ("proxy=(\"@method\");keyid=\"p\"", "proxy=:AAAA:"),
    ("proxy=(\"@method\");created=1", "proxy=:AAAA:"),
    ("proxy=();created=1;keyid=\"p\"", "proxy=:AAAA:"),
    (
        "proxy=(\"@method\");created=1.5;keyid=\"p\"",
        "proxy=:AAAA:",
    ),
    ("proxy=(\"@method\");created=@1;keyid=\"p\"", "proxy=:AAAA:"),
    ("proxy=(\"@method\");created=1;keyid=p", "proxy=:AAAA:"),
    (
        "proxy=(\"@method\");created=1;keyid=\"a\\\"b, c\"",
        "proxy=:AAAA:",
    ),
    (
        "proxy=(\"@method\");created=1;keyid=\"p\";x={}",
        "proxy=:AAAA:",
    ),
    (
        "proxy=(\"@method\");created=1;created=2;keyid=\"p\"",
        "proxy=:AAAA:",
    ),
    (
        "proxy=(\"@method\" \"@method\");created=1;keyid=\"p\"",
        "proxy=:AAAA:",
    ),
    (
        "proxy=(\"Content-Type\");created=1;keyid=\"p\"",
        "proxy=:AAAA:",
    ),
    (
        "proxy=(token 1 ?1 :AAAA:);created=1;keyid=\"p\"",
        "proxy=:AAAA:",
    ),
    (
        "proxy=(\"@method\"\"@path\");created=1;keyid=\"p\"",
        "proxy=:AAAA:",
    ),
    ("proxy=(\"@method\";created=1;keyid=\"p\"", "proxy=:AAAA:"),
    ("proxy=\"@method\";created=1", "proxy=:AAAA:"),
    ("proxy=1", "proxy=:AAAA:"),
    ("proxy=", "proxy=:AAAA:"),
    ("proxy", "proxy"),
    ("proxy;a=b", "proxy;a=b"),
    ("Proxy=(\"@method\");created=1;keyid=\"p\"", "Proxy=:AAAA:"),
    (
        "sig1Proxy=(\"@method\");created=1;keyid=\"p\"",
        "sig1Proxy=:AAAA:",
    ),
    ("=(\"@method\")", "=:AAAA:"),
    ("proxy=(\"\u{fc}\");created=1;keyid=\"p\"", "proxy=:\u{fc}:"),
    (
        "proxy=(\"@method\" \"@path\");created=1;keyid=\"p\"",
        "proxy=:A:",
    ),
    (
        "proxy=(\"@method\" \"@path\");created=1;keyid=\"p\"",
        "proxy=AAAA",
    ),
    (
        "proxy=(\"@method\" \"@path\");created=1;keyid=\"p\"",
        "proxy=:____:",
    ),
    (
        "proxy=(\"@method\" \"@path\");created=1;keyid=\"p\"",
        "proxy=:AAAA:;by=\"a, b\"",
    ),
    (
        "proxy=(\"@method\" \"@path\");created=1;keyid=\"p\"",
        "proxy=\"text\"",
    ),
    (
        "proxy=(\"@method\" \"@path\");created=1;keyid=\"p\"",
        "other=:AAAA:",
    ),
];

#[test]
fn a_label_that_cannot_be_read_does_not_affect_the_other_one() {
    let good = valid(Digest::V15);
    for (input, signature) in UNREADABLE {
        for is_first in [true, false] {
            let mut delivery = Delivery::new();
            if is_first {
                delivery.add(*input, *signature);
            }
            delivery.sign("sig1", &good);
            if !is_first {
                delivery.add(*input, *signature);
            }
            assert_eq!(delivery.verify(), Ok(()), "{input}, {signature}");
        }
    }
    // One label more in one of the headers.
    for (inputs, signatures) in [(1, 0), (0, 1)] {
        let mut delivery = Delivery::new();
        delivery.sign("sig1", &good);
        let more = format!("proxy={}", list(Digest::V15));
        delivery.inputs.extend(vec![more; inputs]);
        let more = "proxy=:AAAA:".to_owned();
        delivery.signatures.extend(vec![more; signatures]);
        assert_eq!(delivery.verify(), Ok(()));
    }
}

#[test]
fn a_label_that_cannot_be_read_is_reported_if_no_other_got_further() {
    let mut delivery = Delivery::new();
    delivery.add("proxy=(\"@method\";req);created=1", "proxy=:AAAA:");
    assert_eq!(
        delivery.verify(),
        Err(SignatureError::MalformedSignatureInput)
    );
    delivery.add(
        format!("sig1={}", valid(Digest::V15).replace("known", "unknown")),
        "sig1=:AAAA:",
    );
    assert_eq!(delivery.verify(), Err(SignatureError::UnknownKey));
}

#[test]
fn a_parameter_that_is_ignored_may_have_any_type_of_value() {
    for parameter in [
        ";a",
        ";a=?1",
        ";a=-1.5",
        ";a=@1659578233",
        ";a=token/x",
        ";a=:AAA:",
        ";a=\"b, \\\"c\\\" \\\\\"",
        ";a=%\"f%c3%bc\"",
    ] {
        let mut delivery = Delivery::new();
        delivery.sign("sig1", &format!("{}{parameter}", valid(Digest::V15)));
        assert_eq!(delivery.verify(), Ok(()), "{parameter}");
    }
}

#[test]
fn a_label_that_occurs_twice_is_rejected_even_if_one_of_the_two_cannot_be_read() {
    let good = valid(Digest::V15);
    for odd in ["sig1", "sig1=1", "sig1=(\"@method\";req)", "sig1;a=b"] {
        for is_first in [true, false] {
            let mut delivery = Delivery::new();
            delivery.sign("sig1", &good);
            let place = usize::from(!is_first);
            delivery.inputs.insert(place, odd.to_owned());
            assert_eq!(
                delivery.verify(),
                Err(SignatureError::DuplicateLabel),
                "{odd}"
            );
            delivery.inputs.remove(place);
            delivery.signatures.insert(place, odd.to_owned());
            assert_eq!(
                delivery.verify(),
                Err(SignatureError::DuplicateLabel),
                "{odd}"
            );
        }
    }
}

#[test]
fn a_header_that_is_not_a_list_is_rejected_as_a_whole() {
    let good = valid(Digest::V15);
    for end in [",", ", , a"] {
        let mut delivery = Delivery::new();
        delivery.sign("sig1", &good);
        delivery.inputs[0].push_str(end);
        assert_eq!(
            delivery.verify(),
            Err(SignatureError::MalformedSignatureInput)
        );
        let mut delivery = Delivery::new();
        delivery.sign("sig1", &good);
        delivery.signatures[0].push_str(end);
        assert_eq!(delivery.verify(), Err(SignatureError::MalformedSignature));
    }
}

#[test]
fn a_second_header_line_with_bytes_that_are_not_ascii_does_not_affect_the_first() {
    let mut delivery = Delivery::new();
    delivery.sign("sig1", &valid(Digest::V15));
    let mut headers = delivery.headers(&delivery.inputs[0], &delivery.signatures[0]);
    let odd = HeaderValue::from_bytes(b"proxy=(\"\xfc\")").unwrap();
    headers.append("signature-input", odd.clone());
    headers.append("signature", odd);
    assert_eq!(delivery.verify_headers(&headers), Ok(()));
}

#[test]
fn base64_without_padding_is_accepted() {
    let mut delivery = Delivery::new();
    // A DER signature with a length that needs padding.
    let input = valid(Digest::V15);
    let signature = loop {
        let signature = delivery.signature(&input);
        if !signature.len().is_multiple_of(3) {
            break STANDARD_NO_PAD.encode(signature);
        }
    };
    delivery.add(format!("sig1={input}"), format!("sig1=:{signature}:"));
    assert_eq!(delivery.verify(), Ok(()));

    let mut delivery = Delivery::new();
    delivery.digests[0].1 = SHA512.replace("==:", ":");
    delivery.sign("sig1", &input);
    assert_eq!(delivery.verify(), Ok(()));
}
