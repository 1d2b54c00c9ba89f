//! A signature has to be well-formed, in time, and cover what matters, before its key is even looked up.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use upvest_ext::signing::{Claim, KeyAlgorithm, Received, Refusal, SignaturePolicy, SigningKey};

const CREATED: u64 = 1_780_854_045;
/// SHA-512 of `{"hello": "world"}` (`PROTOCOL` 1.5).
const DIGEST: &str =
    "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:";
const PARAMS: &str = ";keyid=\"k\";created=1780854045;expires=1780854050;nonce=\"n\"";

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(CREATED)
}

fn claims(target: &str, headers: &[(&str, &str)], policy: &SignaturePolicy) -> Result<Vec<Claim>, Refusal> {
    let target: Uri = target.parse().unwrap();
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap());
    }
    policy.claims(&Received::new(&Method::POST, &target, &map, b"{\"hello\": \"world\"}"), now())
}

/// What is said of `signature-input` as it stands, with all else in order.
fn judge(target: &str, input: &str) -> Result<Vec<Claim>, Refusal> {
    let headers = [
        ("signature-input", input),
        ("signature", "sig1=:AAAA:"),
        ("content-digest", DIGEST),
        ("accept", "*/*"),
    ];
    claims(target, &headers, &SignaturePolicy::deliveries())
}

#[test]
fn method_path_query_and_digest_have_to_be_covered() {
    let all = ["\"@method\"", "\"@path\"", "\"@query\"", "\"content-digest\""];
    let whole = all.join(" ");
    assert!(judge("/x?y=z", &format!("sig1=({whole}){PARAMS}")).is_ok());
    for left_out in all {
        let list: Vec<_> = all.into_iter().filter(|name| *name != left_out).collect();
        let input = format!("sig1=({}){PARAMS}", list.join(" "));
        assert_eq!(judge("/x?y=z", &input).unwrap_err(), Refusal::RequiredComponentMissing, "{left_out}");
    }
    let without_query = format!("sig1=(\"@method\" \"@path\" \"content-digest\"){PARAMS}");
    assert!(judge("/x", &without_query).is_ok());
    assert!(judge("/x?", &without_query).is_ok(), "a bare `?` is no query");
}

#[test]
fn a_component_that_the_request_does_not_have_is_missing() {
    for component in ["date", "@authority", "@query", "x:y", "digest"] {
        let input = format!("sig1=(\"@method\" \"@path\" \"content-digest\" \"{component}\"){PARAMS}");
        assert_eq!(judge("/x", &input).unwrap_err(), Refusal::ComponentMissing, "{component}");
    }
}

#[test]
fn a_malformed_signature_input_is_refused() {
    let list = "(\"@method\" \"@path\" \"content-digest\")";
    for input in [
        String::new(),
        "sig1".to_owned(),
        "sig1=".to_owned(),
        format!("={list}{PARAMS}"),
        format!("Sig1={list}{PARAMS}"),
        format!("sig1={list}{PARAMS},"),
        format!("sig1={list}{PARAMS} x"),
        format!("sig1={list}"),
        format!("sig1={list};keyid=\"k\""),
        format!("sig1={list};created=1780854045"),
        format!("sig1={list};keyid=k;created=1780854045"),
        format!("sig1={list};keyid=\"k\";created=\"1780854045\""),
        format!("sig1={list};keyid=\"k\";created=1780854045.0"),
        format!("sig1={list};keyid=\"k\";created=9999999999999999"),
        format!("sig1={list};keyid=\"k\";created=1780854045;created=1"),
        format!("sig1={list}{PARAMS};keyid=\"l\""),
        format!("sig1={list};keyid=\"k\\\"\";created=1780854045"),
        format!("sig1=(\"@method\"\"@path\" \"content-digest\"){PARAMS}"),
        format!("sig1=(\"@method\" \"@path\" \"content-digest\"{PARAMS}"),
        format!("sig1=(\"@method\" \"@path\" \"content-digest\";sf){PARAMS}"),
        format!("sig1=(\"@method\" \"@path\" \"Content-Digest\"){PARAMS}"),
        format!("sig1=(\"@method\" \"@path\" \"@path\" \"content-digest\"){PARAMS}"),
        format!("sig1=(@method @path content-digest){PARAMS}"),
    ] {
        assert_eq!(judge("/x", &input).unwrap_err(), Refusal::MalformedSignatureInput, "{input}");
    }
}

#[test]
fn what_is_unusual_and_well_formed_is_read() {
    for input in [
        "sig1=( \"@method\"  \"@path\" \"content-digest\" ) ;keyid=\"k\";created=1780854045".replace(") ;", ");"),
        "sig1=(\"@method\" \"@path\" \"content-digest\"); keyid=\"k\"; created=1780854045;tag=\"t\";alg=\"ecdsa\";flag;n=:AAAA:;t=a/b".to_owned(),
    ] {
        assert!(judge("/x", &input).is_ok(), "{input}");
    }
}

#[test]
fn labels_that_repeat_or_differ_are_refused() {
    let one = format!("(\"@method\" \"@path\" \"content-digest\"){PARAMS}");
    let refusal = |input: &str, signature: &str| {
        let headers = [("signature-input", input), ("signature", signature), ("content-digest", DIGEST)];
        claims("/x", &headers, &SignaturePolicy::deliveries()).unwrap_err()
    };
    assert_eq!(refusal(&format!("sig1={one}, sig1={one}"), "sig1=:AAAA:"), Refusal::DuplicateLabel);
    assert_eq!(refusal(&format!("sig1={one}"), "sig1=:AAAA:, sig1=:AAAA:"), Refusal::DuplicateLabel);
    assert_eq!(refusal(&format!("sig1={one}"), "sig2=:AAAA:"), Refusal::LabelMismatch);
    for signature in
        ["sig1=AAAA", "sig1=:AAA:", "sig1=:AAB=:", "sig1=:A A=:", "sig1=:____:", "sig1=:AAAA", ""]
    {
        assert_eq!(refusal(&format!("sig1={one}"), signature), Refusal::MalformedSignature, "{signature}");
    }
    let split = [
        ("signature-input", format!("sig1={one}")),
        ("signature-input", format!("sig1={one}")),
        ("signature", "sig1=:AAAA:".to_owned()),
        ("content-digest", DIGEST.to_owned()),
    ];
    let split: Vec<_> = split.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let refusal = claims("/x", &split, &SignaturePolicy::deliveries()).unwrap_err();
    assert_eq!(refusal, Refusal::DuplicateLabel, "repeated over two header lines");
}

#[test]
fn more_signatures_than_any_rotation_needs_are_refused() {
    let one = format!("(\"@method\" \"@path\" \"content-digest\"){PARAMS}");
    let many = |count| (0..count).map(|number| format!("sig{number}={one}")).collect::<Vec<_>>().join(", ");
    let signatures =
        |count| (0..count).map(|number| format!("sig{number}=:AAAA:")).collect::<Vec<_>>().join(", ");
    let judge = |count| {
        let (input, signature) = (many(count), signatures(count));
        let headers = [("signature-input", &*input), ("signature", &*signature), ("content-digest", DIGEST)];
        claims("/x", &headers, &SignaturePolicy::deliveries()).map(|claims| claims.len())
    };
    assert_eq!(judge(8), Ok(8));
    assert!(judge(9).is_err());
}

#[test]
fn the_digest_has_to_fit_the_body_and_be_of_the_right_kind() {
    let input = format!("sig1=(\"@method\" \"@path\" \"content-digest\"){PARAMS}");
    let other = DIGEST.replace("WZDP", "WZDQ");
    let both = format!("sha-256=:AAAA:, {DIGEST}");
    for (digest, expected) in [
        (DIGEST, None),
        (both.as_str(), None),
        (other.as_str(), Some(Refusal::DigestMismatch)),
        ("sha-512=:AAAA:", Some(Refusal::DigestMismatch)),
        ("sha-512=AAAA", Some(Refusal::DigestMismatch)),
        ("sha-256=:AAAA:", Some(Refusal::UnsupportedDigest)),
        ("md5=:AAAA:", Some(Refusal::UnsupportedDigest)),
    ] {
        let headers =
            [("signature-input", &*input), ("signature", "sig1=:AAAA:"), ("content-digest", digest)];
        let verdict = claims("/x", &headers, &SignaturePolicy::deliveries());
        assert_eq!(verdict.err(), expected, "{digest}");
    }
}

#[test]
fn requests_to_the_api_are_version_15_and_need_a_digest_for_a_body() {
    let input = format!("sig1=(\"@method\" \"@path\" \"digest\"){PARAMS}");
    let digest = "SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=";
    let headers = [("signature-input", &*input), ("signature", "sig1=:AAAA:"), ("digest", digest)];
    assert!(claims("/x", &headers, &SignaturePolicy::deliveries()).is_ok(), "version 6 is for deliveries");
    let refusal = claims("/x", &headers, &SignaturePolicy::requests()).unwrap_err();
    assert_eq!(refusal, Refusal::RequiredComponentMissing);
}

#[test]
fn a_signature_without_an_end_is_good_for_the_tolerance() {
    let list = "(\"@method\" \"@path\" \"content-digest\")";
    for (created, verdict) in [
        (CREATED, None),
        (CREATED - 300, None),
        (CREATED - 301, Some(Refusal::Expired)),
        (CREATED + 301, Some(Refusal::CreatedInFuture)),
    ] {
        let input = format!("sig1={list};keyid=\"k\";created={created}");
        assert_eq!(judge("/x", &input).err(), verdict, "{created}");
    }
    let input = format!("sig1={list};keyid=\"k\";created=-999999999999999;expires=999999999999999");
    assert!(judge("/x", &input).is_ok());
}

#[test]
fn only_der_signatures_verify() {
    let key = SigningKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let der = key.sign_now(b"message").unwrap();
    let raw: Vec<u8> = {
        let signature = p256::ecdsa::Signature::from_der(&der).unwrap();
        signature.to_bytes().to_vec()
    };
    assert!(key.public_key().verifies(b"message", &der));
    assert!(!key.public_key().verifies(b"message", &raw));
    assert!(!key.public_key().verifies(b"message", &[]));
    let mut trailing = der.clone();
    trailing.push(0);
    assert!(!key.public_key().verifies(b"message", &trailing));
}

#[test]
fn a_target_given_as_text_is_read_as_it_was_sent() {
    let input = format!("sig1=(\"@method\" \"@path\" \"@query\" \"content-digest\"){PARAMS}");
    let headers = [("signature-input", &*input), ("signature", "sig1=:AAAA:"), ("content-digest", DIGEST)];
    let map: HeaderMap = headers
        .iter()
        .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap()))
        .collect();
    let body = b"{\"hello\": \"world\"}";
    let parts = |target: &str| {
        let received = Received::from_text("POST", target, &map, body).unwrap();
        let claims = SignaturePolicy::deliveries().claims(&received, now()).unwrap();
        let base = String::from_utf8(claims[0].signature_base().to_vec()).unwrap();
        let lines: Vec<_> = base.lines().skip(1).take(2).filter_map(|line| line.split_once(": ")).collect();
        (lines[0].1.to_owned(), lines[1].1.to_owned())
    };
    for (target, path, query) in [
        ("/a?b", "/a", "?b"),
        ("/a?b?c=://d", "/a", "?b?c=://d"),
        ("https://host:1/a%20b?c#d", "/a%20b", "?c"),
        ("https://host?c", "/", "?c"),
        ("/a://b?c", "/a://b", "?c"),
    ] {
        assert_eq!(parts(target), (path.to_owned(), query.to_owned()), "{target}");
    }
    for target in ["/a\nb", "/a\u{7f}", "/\r"] {
        let refusal = Received::from_text("POST", target, &map, body).unwrap_err();
        assert_eq!(refusal, Refusal::MalformedRequest);
    }
    assert!(Received::from_text("POST\n", "/", &map, body).is_err());
}

#[test]
fn a_claim_tells_its_nonce_and_its_end_so_that_a_server_can_refuse_a_replay() {
    let covered = "sig1=(\"@method\" \"@path\" \"content-digest\")";
    let claims = judge("/x", &format!("{covered}{PARAMS}")).unwrap();
    assert_eq!((claims[0].nonce(), claims[0].expires()), (Some("n"), Some(1_780_854_050)));
    let claims = judge("/x", &format!("{covered};keyid=\"k\";created=1780854045")).unwrap();
    assert_eq!((claims[0].nonce(), claims[0].expires()), (None, None));
}
