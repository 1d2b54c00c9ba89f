//! Syntax, time and coverage of a signature are checked before its key is looked up.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use upvest_ext::signing::{
    IncomingRequest, KeyAlgorithm, PublicKey, SignatureError, SignaturePolicy, SigningKey,
    UnverifiedSignature,
};

const CREATED: u64 = 1_780_854_045;
/// SHA-512 of `{"hello": "world"}` (`PROTOCOL` 1.5).
const DIGEST: &str = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:";
const PARAMS: &str = ";keyid=\"k\";created=1780854045;expires=1780854050;nonce=\"n\"";

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(CREATED)
}

fn parse(
    target: &str,
    headers: &[(&str, &str)],
    policy: &SignaturePolicy,
) -> Result<Vec<UnverifiedSignature>, SignatureError> {
    parse_and_measure(target, headers, policy).0
}

/// As [`parse`], and also returns how long it takes.
fn parse_and_measure(
    target: &str,
    headers: &[(&str, &str)],
    policy: &SignaturePolicy,
) -> (Result<Vec<UnverifiedSignature>, SignatureError>, Duration) {
    let target: Uri = target.parse().unwrap();
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(
            HeaderName::try_from(*name).unwrap(),
            HeaderValue::try_from(*value).unwrap(),
        );
    }
    let received = IncomingRequest::new(&Method::POST, &target, &map, b"{\"hello\": \"world\"}");
    let started = std::time::Instant::now();
    (policy.claims(&received, now()), started.elapsed())
}

/// Parses an otherwise valid request with this `signature-input` and a signature of three zero bytes.
fn parse_with_dummy_signature(
    target: &str,
    input: &str,
) -> Result<Vec<UnverifiedSignature>, SignatureError> {
    parse_with_signature(target, input, &[0, 0, 0])
}

fn parse_with_signature(
    target: &str,
    input: &str,
    signature: &[u8],
) -> Result<Vec<UnverifiedSignature>, SignatureError> {
    let signature = format!("sig1=:{}:", STANDARD.encode(signature));
    let headers = [
        ("signature-input", input),
        ("signature", signature.as_str()),
        ("content-digest", DIGEST),
        ("accept", "*/*"),
    ];
    parse(target, &headers, &SignaturePolicy::deliveries())
}

#[test]
fn method_path_query_and_digest_have_to_be_covered() {
    let all = [
        "\"@method\"",
        "\"@path\"",
        "\"@query\"",
        "\"content-digest\"",
    ];
    let whole = all.join(" ");
    assert!(parse_with_dummy_signature("/x?y=z", &format!("sig1=({whole}){PARAMS}")).is_ok());
    for left_out in all {
        let list: Vec<_> = all.into_iter().filter(|name| *name != left_out).collect();
        let input = format!("sig1=({}){PARAMS}", list.join(" "));
        assert_eq!(
            parse_with_dummy_signature("/x?y=z", &input).unwrap_err(),
            SignatureError::RequiredComponentMissing,
            "{left_out}"
        );
    }
    let without_query = format!("sig1=(\"@method\" \"@path\" \"content-digest\"){PARAMS}");
    assert!(parse_with_dummy_signature("/x", &without_query).is_ok());
    assert!(
        parse_with_dummy_signature("/x?", &without_query).is_ok(),
        "a bare `?` is not a query"
    );
}

#[test]
fn a_component_that_the_request_does_not_have_is_missing() {
    for component in ["date", "@authority", "@query", "x:y", "digest"] {
        let input =
            format!("sig1=(\"@method\" \"@path\" \"content-digest\" \"{component}\"){PARAMS}");
        assert_eq!(
            parse_with_dummy_signature("/x", &input).unwrap_err(),
            SignatureError::ComponentMissing,
            "{component}"
        );
    }
}

#[test]
fn a_malformed_signature_input_is_rejected() {
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
        assert_eq!(
            parse_with_dummy_signature("/x", &input).unwrap_err(),
            SignatureError::MalformedSignatureInput,
            "{input}"
        );
    }
}

#[test]
fn what_is_unusual_and_well_formed_is_read() {
    for input in [
        "sig1=( \"@method\"  \"@path\" \"content-digest\" ) ;keyid=\"k\";created=1780854045".replace(") ;", ");"),
        "sig1=(\"@method\" \"@path\" \"content-digest\"); keyid=\"k\"; created=1780854045;tag=\"t\";alg=\"ecdsa\";flag;n=:AAAA:;t=a/b".to_owned(),
    ] {
        assert!(parse_with_dummy_signature("/x", &input).is_ok(), "{input}");
    }
}

#[test]
fn labels_that_repeat_or_differ_are_rejected() {
    let one = format!("(\"@method\" \"@path\" \"content-digest\"){PARAMS}");
    let rejection = |input: &str, signature: &str| {
        let headers = [
            ("signature-input", input),
            ("signature", signature),
            ("content-digest", DIGEST),
        ];
        parse("/x", &headers, &SignaturePolicy::deliveries()).unwrap_err()
    };
    assert_eq!(
        rejection(&format!("sig1={one}, sig1={one}"), "sig1=:AAAA:"),
        SignatureError::DuplicateLabel
    );
    assert_eq!(
        rejection(&format!("sig1={one}"), "sig1=:AAAA:, sig1=:AAAA:"),
        SignatureError::DuplicateLabel
    );
    assert_eq!(
        rejection(&format!("sig1={one}"), "sig2=:AAAA:"),
        SignatureError::LabelMismatch
    );
    for signature in [
        "sig1=AAAA",
        "sig1=:A:",
        "sig1=:AAB=:",
        "sig1=:A A=:",
        "sig1=:____:",
        "sig1=:AAAA",
        "",
    ] {
        assert_eq!(
            rejection(&format!("sig1={one}"), signature),
            SignatureError::MalformedSignature,
            "{signature}"
        );
    }
    let split = [
        ("signature-input", format!("sig1={one}")),
        ("signature-input", format!("sig1={one}")),
        ("signature", "sig1=:AAAA:".to_owned()),
        ("content-digest", DIGEST.to_owned()),
    ];
    let split: Vec<_> = split
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let rejection = parse("/x", &split, &SignaturePolicy::deliveries()).unwrap_err();
    assert_eq!(
        rejection,
        SignatureError::DuplicateLabel,
        "repeated over two header lines"
    );
}

#[test]
fn more_than_eight_signatures_are_rejected() {
    let one = format!("(\"@method\" \"@path\" \"content-digest\"){PARAMS}");
    let many = |count| {
        (0..count)
            .map(|number| format!("sig{number}={one}"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let signatures = |count| {
        (0..count)
            .map(|number| format!("sig{number}=:AAAA:"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let parse_signatures = |count| {
        let input = many(count);
        let signature = signatures(count);
        let headers = [
            ("signature-input", &*input),
            ("signature", &*signature),
            ("content-digest", DIGEST),
        ];
        parse("/x", &headers, &SignaturePolicy::deliveries()).map(|claims| claims.len())
    };
    assert_eq!(parse_signatures(8), Ok(8));
    assert!(parse_signatures(9).is_err());
}

#[test]
fn the_digest_has_to_fit_the_body_and_be_of_the_right_kind() {
    let input = format!("sig1=(\"@method\" \"@path\" \"content-digest\"){PARAMS}");
    let other = DIGEST.replace("WZDP", "WZDQ");
    let both = format!("sha-256=:AAAA:, {DIGEST}");
    for (digest, expected) in [
        (DIGEST, None),
        (both.as_str(), None),
        (other.as_str(), Some(SignatureError::DigestMismatch)),
        ("sha-512=:AAAA:", Some(SignatureError::DigestMismatch)),
        ("sha-512=AAAA", Some(SignatureError::DigestMismatch)),
        ("sha-256=:AAAA:", Some(SignatureError::UnsupportedDigest)),
        ("md5=:AAAA:", Some(SignatureError::UnsupportedDigest)),
    ] {
        let headers = [
            ("signature-input", &*input),
            ("signature", "sig1=:AAAA:"),
            ("content-digest", digest),
        ];
        let verdict = parse("/x", &headers, &SignaturePolicy::deliveries());
        assert_eq!(verdict.err(), expected, "{digest}");
    }
}

#[test]
fn requests_to_the_api_are_version_15_and_need_a_digest_for_a_body() {
    let input = format!("sig1=(\"@method\" \"@path\" \"digest\"){PARAMS}");
    let digest = "SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=";
    let headers = [
        ("signature-input", &*input),
        ("signature", "sig1=:AAAA:"),
        ("digest", digest),
    ];
    assert!(
        parse("/x", &headers, &SignaturePolicy::deliveries()).is_ok(),
        "version 6 is for deliveries"
    );
    let rejection = parse("/x", &headers, &SignaturePolicy::requests()).unwrap_err();
    assert_eq!(rejection, SignatureError::RequiredComponentMissing);
}

#[test]
fn a_delivery_without_a_body_needs_a_digest_and_a_request_does_not() {
    let mut headers = HeaderMap::new();
    let input = format!("sig1=(\"@method\" \"@path\"){PARAMS}");
    headers.insert("signature-input", HeaderValue::try_from(input).unwrap());
    headers.insert("signature", HeaderValue::from_static("sig1=:AAAA:"));
    let target = Uri::from_static("/x");
    let received = IncomingRequest::new(&Method::POST, &target, &headers, b"");
    let as_delivery = SignaturePolicy::deliveries().claims(&received, now());
    assert_eq!(
        as_delivery.unwrap_err(),
        SignatureError::RequiredComponentMissing
    );
    let as_request = SignaturePolicy::requests().claims(&received, now());
    assert_eq!(as_request.unwrap().len(), 1);
}

#[test]
fn the_name_of_the_old_digest_may_have_any_case() {
    let input = format!("sig1=(\"@method\" \"@path\" \"digest\"){PARAMS}");
    for name in ["SHA-256", "sha-256", "Sha-256"] {
        let digest = format!("{name}=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=");
        let headers = [
            ("signature-input", &*input),
            ("signature", "sig1=:AAAA:"),
            ("digest", &*digest),
        ];
        parse("/x", &headers, &SignaturePolicy::deliveries()).unwrap();
    }
}

#[test]
fn a_signature_without_an_end_is_good_for_the_tolerance() {
    let list = "(\"@method\" \"@path\" \"content-digest\")";
    for (created, verdict) in [
        (CREATED, None),
        (CREATED - 300, None),
        (CREATED - 301, Some(SignatureError::Expired)),
        (CREATED + 300, None),
        (CREATED + 301, Some(SignatureError::CreatedInFuture)),
    ] {
        let input = format!("sig1={list};keyid=\"k\";created={created}");
        assert_eq!(
            parse_with_dummy_signature("/x", &input).err(),
            verdict,
            "{created}"
        );
    }
}

#[test]
fn a_signature_with_a_negative_lifetime_or_one_over_an_hour_is_rejected() {
    let key = SigningKey::generate(KeyAlgorithm::EcdsaP521).unwrap();
    let list = "(\"@method\" \"@path\" \"content-digest\")";
    let created = CREATED.cast_signed();
    for (created, expires, is_accepted) in [
        (created, created, true),
        (created, created + 3600, true),
        (created, created + 3601, false),
        (created, created - 1, false),
        (created - 7200, created + 5, false),
        (-999_999_999_999_999, 999_999_999_999_999, false),
    ] {
        let input = format!("sig1={list};keyid=\"k\";created={created};expires={expires}");
        let with_dummy = parse_with_dummy_signature("/x", &input).unwrap().remove(0);
        let signature = key.sign_now(with_dummy.signature_base()).unwrap();
        let with_signature = parse_with_signature("/x", &input, &signature)
            .unwrap()
            .remove(0);
        assert_eq!(
            with_signature.is_signed_by(key.public_key()),
            is_accepted,
            "{created} to {expires}"
        );
        assert!(
            !with_dummy.is_signed_by(key.public_key()),
            "{created} to {expires}"
        );
    }
}

#[test]
fn only_der_signatures_verify() {
    let key = PublicKey::from_pem(include_str!("../fixtures/keys/p256.public.pem")).unwrap();
    let der = include_bytes!("../fixtures/keys/p256.message.sig");
    // 30 LEN 02 LEN r 02 LEN s, where a zero byte may stand before a number of 32 bytes.
    let number = |at: usize| &der[at + 2..][..usize::from(der[at + 1])];
    let r = number(2);
    let s = number(4 + usize::from(der[3]));
    let raw = [&r[r.len() - 32..], &s[s.len() - 32..]].concat();
    assert!(key.verifies(b"message", der));
    assert!(!key.verifies(b"message", &raw));
    assert!(!key.verifies(b"message", &[]));
    assert!(!key.verifies(b"message", &[&der[..], &[0]].concat()));
}

#[test]
fn a_target_given_as_text_is_read_as_it_was_sent() {
    let input = format!("sig1=(\"@method\" \"@path\" \"@query\" \"content-digest\"){PARAMS}");
    let headers = [
        ("signature-input", &*input),
        ("signature", "sig1=:AAAA:"),
        ("content-digest", DIGEST),
    ];
    let map: HeaderMap = headers
        .iter()
        .map(|(name, value)| {
            (
                name.parse::<HeaderName>().unwrap(),
                value.parse::<HeaderValue>().unwrap(),
            )
        })
        .collect();
    let body = b"{\"hello\": \"world\"}";
    let parts = |target: &str| {
        let received = IncomingRequest::from_text("POST", target, &map, body).unwrap();
        let claims = SignaturePolicy::deliveries()
            .claims(&received, now())
            .unwrap();
        let base = String::from_utf8(claims[0].signature_base().to_vec()).unwrap();
        let lines: Vec<_> = base
            .lines()
            .skip(1)
            .take(2)
            .filter_map(|line| line.split_once(": "))
            .collect();
        (lines[0].1.to_owned(), lines[1].1.to_owned())
    };
    for (target, path, query) in [
        ("/a?b", "/a", "?b"),
        ("/a?b?c=://d", "/a", "?b?c=://d"),
        ("https://host:1/a%20b?c#d", "/a%20b", "?c"),
        ("https://host?c", "/", "?c"),
        ("/a://b?c", "/a://b", "?c"),
    ] {
        assert_eq!(
            parts(target),
            (path.to_owned(), query.to_owned()),
            "{target}"
        );
    }
    for target in ["/a\nb", "/a\u{7f}", "/\r"] {
        let rejection = IncomingRequest::from_text("POST", target, &map, body).unwrap_err();
        assert_eq!(rejection, SignatureError::MalformedRequest);
    }
    assert!(IncomingRequest::from_text("POST\n", "/", &map, body).is_err());
}

#[test]
fn a_claim_tells_its_nonce_and_its_end_so_that_a_server_can_reject_a_replay() {
    let covered = "sig1=(\"@method\" \"@path\" \"content-digest\")";
    let claims = parse_with_dummy_signature("/x", &format!("{covered}{PARAMS}")).unwrap();
    assert_eq!(claims[0].nonce(), Some("n"));
    assert_eq!(claims[0].expires(), Some(1_780_854_050));
    let claims =
        parse_with_dummy_signature("/x", &format!("{covered};keyid=\"k\";created=1780854045"))
            .unwrap();
    assert_eq!(claims[0].nonce(), None);
    assert_eq!(claims[0].expires(), None);
}

/// 380 KiB of the texts that `part` makes of numbers.
fn many(part: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    for number in 0.. {
        if text.len() > 380 * 1024 {
            break;
        }
        text.push_str(&part(number));
    }
    text
}

#[test]
fn unauthenticated_input_costs_linear_time_and_bounded_space() {
    let list = "\"@method\" \"@path\" \"content-digest\"";
    let one = format!("({list}){PARAMS}");
    let good = [
        format!("sig1={one}"),
        "sig1=:AAAA:".to_owned(),
        DIGEST.to_owned(),
    ];
    let attacks = [
        (
            0,
            format!("sig1=({list} {}){PARAMS}", many(|n| format!("\"x{n}\" "))),
        ),
        (0, format!("sig1={one}{}", many(|n| format!(";x{n}")))),
        (
            0,
            format!("sig1={one}{}", many(|n| format!(", s{n}={one}"))),
        ),
        (
            0,
            format!(
                "sig1={one}{}",
                many(|n| format!(", s{n}=();keyid=\"k\";created=1"))
            ),
        ),
        (
            1,
            format!("sig1=:AAAA:{}", many(|n| format!(", s{n}=:AAAA:"))),
        ),
        (1, format!("sig1=:{}:", many(|_| "AAAA".to_owned()))),
        (2, format!("{DIGEST}{}", many(|n| format!(", s{n}=:AAAA:")))),
    ];
    for (place, attack) in attacks {
        let mut headers = good.clone();
        headers[place] = attack;
        let headers = [
            ("signature-input", &*headers[0]),
            ("signature", &*headers[1]),
            ("content-digest", &*headers[2]),
        ];
        let (verdict, took) = parse_and_measure("/x", &headers, &SignaturePolicy::deliveries());
        assert_eq!(
            verdict.unwrap_err(),
            SignatureError::TooLong,
            "attack on {place}"
        );
        assert!(
            took < Duration::from_millis(200),
            "an attack on {place} cost {took:?}"
        );
    }
    let lines = vec![("signature-input", ""); 20_000];
    let (verdict, took) = parse_and_measure("/x", &lines, &SignaturePolicy::deliveries());
    assert_eq!(verdict.unwrap_err(), SignatureError::TooLong);
    assert!(took < Duration::from_millis(200), "{took:?}");
}

#[test]
fn labels_components_and_parameters_have_limits() {
    let list = "\"@method\" \"@path\" \"content-digest\"";
    let numbered = |count, part: fn(usize) -> String| (0..count).map(part).collect::<String>();
    let components = |count: usize| {
        format!(
            "sig1=({list}{}){PARAMS}",
            numbered(count - 3, |n| format!(" \"x{n}\""))
        )
    };
    let parameters = |count: usize| {
        format!(
            "sig1=({list}){PARAMS}{}",
            numbered(count - 4, |n| format!(";x{n}"))
        )
    };
    assert_eq!(
        parse_with_dummy_signature("/x", &components(64)).unwrap_err(),
        SignatureError::ComponentMissing
    );
    assert_eq!(
        parse_with_dummy_signature("/x", &components(65)).unwrap_err(),
        SignatureError::MalformedSignatureInput
    );
    assert!(parse_with_dummy_signature("/x", &parameters(16)).is_ok());
    assert_eq!(
        parse_with_dummy_signature("/x", &parameters(17)).unwrap_err(),
        SignatureError::MalformedSignatureInput
    );
    let padded = |len: usize| {
        let input = format!("sig1=({list}){PARAMS};pad=\"\"");
        input.replace(
            ";pad=\"",
            &format!(";pad=\"{}", "x".repeat(len - input.len())),
        )
    };
    assert!(parse_with_dummy_signature("/x", &padded(8 * 1024)).is_ok());
    assert_eq!(
        parse_with_dummy_signature("/x", &padded(8 * 1024 + 1)).unwrap_err(),
        SignatureError::TooLong
    );
}

#[test]
fn a_body_is_hashed_once_however_many_signatures_cover_it() {
    let body = vec![b' '; 32 * 1024 * 1024];
    let cost = |count: usize| {
        let one = format!("(\"@method\" \"@path\" \"content-digest\"){PARAMS}");
        let join =
            |part: &dyn Fn(usize) -> String| (0..count).map(part).collect::<Vec<_>>().join(", ");
        let mut map = HeaderMap::new();
        map.insert(
            "signature-input",
            join(&|n| format!("sig{n}={one}")).parse().unwrap(),
        );
        map.insert(
            "signature",
            join(&|n| format!("sig{n}=:AAAA:")).parse().unwrap(),
        );
        map.insert("content-digest", DIGEST.parse().unwrap());
        let target = Uri::from_static("/x");
        let received = IncomingRequest::new(&Method::POST, &target, &map, &body);
        let started = std::time::Instant::now();
        let rejection = SignaturePolicy::deliveries()
            .claims(&received, now())
            .unwrap_err();
        assert_eq!(rejection, SignatureError::DigestMismatch);
        started.elapsed()
    };
    let once = cost(1);
    let eight = cost(8);
    assert!(
        eight < 4 * once,
        "{eight:?} for eight signatures, {once:?} for one"
    );
}

#[test]
fn an_ed25519_key_of_small_order_is_rejected() {
    // The points of the orders 1, 2, 4 and 8 (RFC 8032 section 5.1), each with both signs.
    let order_8 = [
        "JuiVj8KyJ7BFw/SJ8u+Y8NXfrAXTxjM5sTgCiG1T/AU=",
        "xxdqcD1N2E+6PAt2DRBnDyogU/osOczGTsf9d5KsA3o=",
    ];
    let mut weak: Vec<[u8; 32]> = order_8
        .map(|text| STANDARD.decode(text).unwrap().try_into().unwrap())
        .to_vec();
    for (first, rest, last) in [(0, 0, 0), (1, 0, 0), (0xec, 0xff, 0x7f)] {
        let mut point = [rest; 32];
        (point[0], point[31]) = (first, last);
        weak.push(point);
    }
    for mut point in weak {
        for _ in 0..2 {
            let accepted = PublicKey::from_bytes(KeyAlgorithm::Ed25519, &point).is_ok();
            assert!(!accepted, "{point:x?}");
            point[31] ^= 0x80;
        }
    }
    let honest = SigningKey::generate(KeyAlgorithm::Ed25519).unwrap();
    assert!(PublicKey::from_bytes(KeyAlgorithm::Ed25519, honest.public_key().as_bytes()).is_ok());
}
