//! Key files of OpenSSL can be read, and other files cause a clear error.

use std::fs;
use std::path::PathBuf;

use upvest_ext::signing::{KeyAlgorithm, KeyError, PublicKey, SigningKey};

/// The passphrase in `fixtures/keys/make.sh`, the script that generated the files.
const PASSPHRASE: &str = "correct horse, battery staple";

const CURVES: [(&str, KeyAlgorithm); 3] = [
    ("p521", KeyAlgorithm::EcdsaP521),
    ("p384", KeyAlgorithm::EcdsaP384),
    ("p256", KeyAlgorithm::EcdsaP256),
];
const PLAIN: [&str; 3] = ["sec1", "sec1-with-parameters", "pkcs8"];
const ENCRYPTED: [&str; 5] = [
    "sec1-aes128",
    "sec1-aes192",
    "sec1-aes256",
    "pkcs8-pbkdf2",
    "pkcs8-scrypt",
];

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/keys")
        .join(name)
}

fn read(name: &str) -> String {
    let path = path(&format!("{name}.pem"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn open(name: &str, passphrase: Option<&str>) -> Result<SigningKey, KeyError> {
    SigningKey::from_pem(read(name), passphrase)
}

fn assert_opens(key: &str, format: &str, algorithm: KeyAlgorithm, passphrase: Option<&str>) {
    let signing = open(&format!("{key}.{format}"), passphrase)
        .unwrap_or_else(|error| panic!("{key}.{format}: {error}"));
    assert_eq!(signing.algorithm(), algorithm, "{key}.{format}");
    assert_eq!(
        signing.public_key().to_pem(),
        read(&format!("{key}.public")),
        "{key}.{format}"
    );
    let signature = signing.sign_now(b"message").unwrap();
    assert!(
        signing.public_key().verifies(b"message", &signature),
        "{key}.{format}"
    );
    assert!(
        !signing.public_key().verifies(b"another", &signature),
        "{key}.{format}"
    );
}

#[test]
fn all_eight_formats_of_p521_open() {
    for format in PLAIN {
        assert_opens("p521", format, KeyAlgorithm::EcdsaP521, None);
    }
    for format in ENCRYPTED {
        assert_opens("p521", format, KeyAlgorithm::EcdsaP521, Some(PASSPHRASE));
    }
}

#[test]
fn a_curve_that_upvest_does_not_accept_is_refused_by_its_name_in_all_formats() {
    for (key, algorithm) in [
        ("p384", KeyAlgorithm::EcdsaP384),
        ("p256", KeyAlgorithm::EcdsaP256),
    ] {
        let refused = KeyError::UnsupportedKey(algorithm.curve().to_owned());
        for format in PLAIN.into_iter().chain(ENCRYPTED) {
            let error = open(&format!("{key}.{format}"), Some(PASSPHRASE)).unwrap_err();
            assert_eq!(error, refused, "{key}.{format}");
        }
        assert_eq!(SigningKey::generate(algorithm).unwrap_err(), refused);
    }
}

#[test]
fn signatures_of_all_kinds_of_keys_are_verified() {
    for (name, _) in CURVES {
        let key = PublicKey::from_pem(read(&format!("{name}.public"))).unwrap();
        let signature = fs::read(path(&format!("{name}.message.sig"))).unwrap();
        assert!(key.verifies(b"message", &signature), "{name}");
        assert!(!key.verifies(b"another", &signature), "{name}");
    }
}

#[test]
fn all_formats_of_ed25519_open() {
    assert_opens("ed25519", "pkcs8", KeyAlgorithm::Ed25519, None);
    assert_opens(
        "ed25519",
        "pkcs8-pbkdf2",
        KeyAlgorithm::Ed25519,
        Some(PASSPHRASE),
    );
    assert_opens(
        "ed25519",
        "pkcs8-scrypt",
        KeyAlgorithm::Ed25519,
        Some(PASSPHRASE),
    );
}

#[test]
fn a_passphrase_for_a_plain_key_is_ignored() {
    assert_opens("p521", "pkcs8", KeyAlgorithm::EcdsaP521, Some(PASSPHRASE));
}

#[test]
fn line_ends_of_windows_and_text_around_the_key_do_no_harm() {
    let text = format!(
        "Bag Attributes\r\n{}\r\n",
        read("p521.sec1-aes256").replace('\n', "\r\n")
    );
    SigningKey::from_pem(text, Some(PASSPHRASE)).unwrap();
}

#[test]
fn a_wrong_passphrase_is_called_so() {
    for (key, _) in CURVES {
        for format in ENCRYPTED {
            let error = open(&format!("{key}.{format}"), Some("wrong")).unwrap_err();
            assert_eq!(error, KeyError::WrongPassphrase, "{key}.{format}");
        }
    }
    // About one passphrase in 256 produces valid padding by chance.
    for number in 0..600 {
        let error = open("p256.sec1-aes128", Some(&number.to_string())).unwrap_err();
        assert_eq!(error, KeyError::WrongPassphrase, "{number}");
    }
}

#[test]
fn a_missing_passphrase_is_called_so() {
    for (key, _) in CURVES {
        for format in ENCRYPTED {
            let error = open(&format!("{key}.{format}"), None).unwrap_err();
            assert_eq!(error, KeyError::PassphraseMissing, "{key}.{format}");
        }
    }
}

#[test]
fn a_public_key_is_called_so() {
    for key in ["p521", "p384", "p256", "ed25519"] {
        assert_eq!(
            open(&format!("{key}.public"), None).unwrap_err(),
            KeyError::PublicKey
        );
    }
}

#[test]
fn an_unsupported_key_is_called_by_its_name() {
    for (file, name) in [
        ("secp256k1", "secp256k1"),
        ("p224", "P-224"),
        ("ed448", "Ed448"),
        ("rsa", "RSA"),
        ("rsa-traditional", "RSA"),
    ] {
        let error = open(&format!("refused.{file}"), None).unwrap_err();
        assert_eq!(error, KeyError::UnsupportedKey(name.to_owned()), "{file}");
    }
}

#[test]
fn an_unsupported_encryption_is_called_so() {
    let error = open("refused.des3", Some(PASSPHRASE)).unwrap_err();
    assert_eq!(
        error,
        KeyError::UnsupportedEncryption("DES-EDE3-CBC".to_owned())
    );
    let error = open("refused.pkcs8-des3", Some(PASSPHRASE)).unwrap_err();
    assert!(
        matches!(error, KeyError::UnsupportedEncryption(_)),
        "{error:?}"
    );
}

#[test]
fn garbage_is_an_error_that_says_what_it_is() {
    assert_eq!(
        SigningKey::from_pem("", None).unwrap_err(),
        KeyError::NotPem
    );
    assert_eq!(
        SigningKey::from_pem("no key at all", None).unwrap_err(),
        KeyError::NotPem
    );
    assert_eq!(
        SigningKey::from_pem([0xff, 0xfe, 0x00], None).unwrap_err(),
        KeyError::NotPem
    );
    let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let error = SigningKey::from_pem(certificate, None).unwrap_err();
    assert_eq!(error, KeyError::NoPrivateKey("CERTIFICATE".to_owned()));
    for label in ["EC PRIVATE KEY", "PRIVATE KEY"] {
        let noise = format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
        assert!(
            matches!(
                SigningKey::from_pem(noise, None).unwrap_err(),
                KeyError::Damaged(_)
            ),
            "{label}"
        );
    }
}

#[test]
fn a_file_cut_short_anywhere_is_an_error() {
    for name in [
        "p521.sec1",
        "p521.pkcs8",
        "ed25519.pkcs8",
        "p256.sec1-aes256",
    ] {
        let whole = read(name);
        for len in 0..whole.trim_end().len() {
            assert!(
                SigningKey::from_pem(&whole[..len], Some(PASSPHRASE)).is_err(),
                "{name} cut to {len}"
            );
        }
    }
}

#[test]
fn the_public_key_prints_in_the_form_that_onboarding_asks_for() {
    let key = open("p521.sec1", None).unwrap();
    assert_eq!(key.public_key().for_onboarding(), read("p521.public"));
    let key = open("ed25519.pkcs8", None).unwrap();
    let pem = read("ed25519.public");
    let printed = key.public_key().for_onboarding();
    // The 32 bytes are the end of the 44 of the document: 12 bytes, which are 16 letters of base64, come before them.
    assert_eq!(printed.len(), 44);
    assert!(pem.contains(&printed), "{pem} does not end in {printed}");
}

#[test]
fn generated_keys_sign_and_differ() {
    for algorithm in [KeyAlgorithm::EcdsaP521, KeyAlgorithm::Ed25519] {
        for _ in 0..20 {
            let (one, two) = (
                SigningKey::generate(algorithm).unwrap(),
                SigningKey::generate(algorithm).unwrap(),
            );
            let signature = one.sign_now(b"message").unwrap();
            assert!(one.public_key().verifies(b"message", &signature));
            assert!(!two.public_key().verifies(b"message", &signature));
        }
    }
}

#[test]
fn a_public_key_is_read_from_the_pem_that_openssl_writes() {
    for curve in ["p521", "p384", "p256", "ed25519"] {
        let pem = read(&format!("{curve}.public"));
        let key = PublicKey::from_pem(&pem).unwrap();
        assert_eq!(key.to_pem(), pem, "{curve}");
    }
}

#[test]
fn an_invalid_public_key_in_pem_is_rejected_with_a_reason() {
    use KeyError::{Invalid, NoPublicKey, UnsupportedPublicKey};
    assert_eq!(PublicKey::from_pem("no pem").unwrap_err(), NoPublicKey);
    assert_eq!(
        PublicKey::from_pem(read("p521.sec1")).unwrap_err(),
        NoPublicKey
    );
    let noise = pem::encode(&pem::Pem::new("PUBLIC KEY", [1, 2, 3]));
    assert_eq!(
        PublicKey::from_pem(noise).unwrap_err(),
        UnsupportedPublicKey
    );
    let mut der = pem::parse(read("p521.public")).unwrap().into_contents();
    *der.last_mut().unwrap() ^= 1;
    let off_the_curve = pem::encode(&pem::Pem::new("PUBLIC KEY", der));
    assert!(matches!(
        PublicKey::from_pem(off_the_curve).unwrap_err(),
        Invalid(_)
    ));
}
