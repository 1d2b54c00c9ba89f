//! What signing and verifying cost beyond the bare signature: `cargo bench -p upvest-ext --all-features --bench
//! signing`.
//!
//! Bare and whole calls alternate in one run, so that other load on the machine affects both; medians are compared.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::process::ExitCode;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant, SystemTime};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P521_SHA512_ASN1, ECDSA_P521_SHA512_ASN1_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, ParsedPublicKey,
};
use bytes::Bytes;
use http::{HeaderValue, Request};
use upvest_ext::signing::{
    IncomingRequest, KeyAlgorithm, RequestSigner, SignaturePolicy, SignatureVersion, SigningKey,
};
use upvest_ext::webhooks::WebhookTester;

const ROUNDS: usize = 2_000;

fn main() -> ExitCode {
    println!(
        "{:<38} {:>10} {:>10} {:>10} {:>8}",
        "microseconds, median", "bare", "whole", "over bare", "allowed"
    );
    let mut all = true;
    for algorithm in [KeyAlgorithm::EcdsaP521, KeyAlgorithm::Ed25519] {
        all &= sign(algorithm);
        all &= verify(algorithm, SignatureVersion::V6);
        all &= verify(algorithm, SignatureVersion::V15);
    }
    if all {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn sign(algorithm: KeyAlgorithm) -> bool {
    let key = SigningKey::generate(algorithm).expect("randomness");
    let signer = RequestSigner::new("2606a727-e55e-4f72-b47d-323f163acfff", key).expect("a key id");
    let request = order();
    let message = signature_base(&signer, &request);
    let bare = bare_signer(algorithm);
    compare(
        &format!("sign a 1 KiB POST, {}", algorithm.curve()),
        15.0,
        || bare(&message),
        || {
            let mut request = request.clone();
            let start = Instant::now();
            ready(signer.sign_request(&mut request)).expect("a local key signs");
            let took = start.elapsed();
            black_box(request);
            took
        },
    )
}

/// Returns the signature base of the request. The benchmark of the key alone signs it.
fn signature_base(signer: &RequestSigner, request: &Request<Bytes>) -> Vec<u8> {
    let mut request = request.clone();
    ready(signer.sign_request(&mut request)).expect("a local key signs");
    let received = IncomingRequest::new(
        request.method(),
        request.uri(),
        request.headers(),
        request.body(),
    );
    let claims = SignaturePolicy::requests()
        .claims(&received, SystemTime::now())
        .expect("just signed");
    claims
        .first()
        .expect("one signature")
        .signature_base()
        .to_vec()
}

fn verify(algorithm: KeyAlgorithm, version: SignatureVersion) -> bool {
    let tester = WebhookTester::with_key(SigningKey::generate(algorithm).expect("randomness"))
        .version(version);
    let verifier = tester.verifier().tolerance(Duration::from_secs(3600));
    let events: Vec<_> = (0..20)
        .map(|_| {
            WebhookTester::event(
                "ORDER.FILLED",
                serde_json::json!({ "note": "x".repeat(325) }),
            )
        })
        .collect();
    let delivery = tester.deliver("/webhooks", &events);
    assert!(
        (10_000..10_500).contains(&delivery.body().len()),
        "{}",
        delivery.body().len()
    );
    let bare = bare_verifier(algorithm, 400);
    compare(
        &format!("verify 10 KiB, {}, {version:?}", algorithm.curve()),
        40.0,
        bare,
        || {
            let start = Instant::now();
            ready(verifier.verify(&delivery)).expect("what was signed stands");
            start.elapsed()
        },
    )
}

fn order() -> Request<Bytes> {
    let body = Bytes::from(format!("{{\"note\": \"{}\"}}", "x".repeat(1024 - 12)));
    let mut request = Request::post("https://sandbox.upvest.co/orders")
        .body(body)
        .expect("a URL");
    for (name, value) in [
        (
            "authorization",
            "Bearer ory_at_N_KI3XaeAlI8F5T4_b-ehLymZbZJ3r8D1pH_3j6t.EPb0WlPFoOE0wkvn7_Ih3onvaoEruRhou0NBMhAo",
        ),
        ("content-type", "application/json"),
        ("idempotency-key", "6f380ae4-268e-40c5-ba00-3ee7eabc7bfc"),
        ("upvest-api-version", "1"),
        ("upvest-client-id", "f0fbd742-0de4-4892-bb33-3bd205f4bf27"),
    ] {
        request
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    request
}

type BareSigner = Box<dyn Fn(&[u8]) -> Duration>;

fn bare_signer(algorithm: KeyAlgorithm) -> BareSigner {
    if algorithm == KeyAlgorithm::Ed25519 {
        let pair = Ed25519KeyPair::generate().expect("randomness");
        return Box::new(move |message| timed(|| pair.sign(message)));
    }
    let pair = EcdsaKeyPair::generate(&ECDSA_P521_SHA512_ASN1_SIGNING).expect("randomness");
    let random = SystemRandom::new();
    Box::new(move |message| timed(|| pair.sign(&random, message).expect("signs")))
}

fn bare_verifier(algorithm: KeyAlgorithm, base_len: usize) -> Box<dyn Fn() -> Duration> {
    let message = vec![b'x'; base_len];
    let (key, signature) = if algorithm == KeyAlgorithm::Ed25519 {
        let pair = Ed25519KeyPair::generate().expect("randomness");
        (
            ParsedPublicKey::new(&ED25519, pair.public_key().as_ref()),
            pair.sign(&message),
        )
    } else {
        let pair = EcdsaKeyPair::generate(&ECDSA_P521_SHA512_ASN1_SIGNING).expect("randomness");
        let signature = pair.sign(&SystemRandom::new(), &message).expect("signs");
        (
            ParsedPublicKey::new(&ECDSA_P521_SHA512_ASN1, pair.public_key().as_ref()),
            signature,
        )
    };
    let key = key.expect("a public key");
    Box::new(move || {
        timed(|| {
            key.verify_sig(&message, signature.as_ref())
                .expect("verifies");
        })
    })
}

fn compare(
    name: &str,
    allowed: f64,
    mut bare: impl FnMut() -> Duration,
    mut whole: impl FnMut() -> Duration,
) -> bool {
    let mut bares = Vec::with_capacity(ROUNDS);
    let mut wholes = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        bares.push(bare());
        wholes.push(whole());
    }
    let bare = median(bares);
    let whole = median(wholes);
    println!(
        "{name:<38} {bare:>10.1} {whole:>10.1} {:>10.1} {allowed:>8.1}",
        whole - bare
    );
    whole - bare <= allowed
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e6
}

fn timed<T>(call: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    black_box(call());
    start.elapsed()
}

/// Signing with a local key never waits, so one poll is enough.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("nothing to wait for"),
    }
}
