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
/// The passphrase of the files in `fixtures/keys/cases`.
const CASES_PASSPHRASE: &str = "correct horse";
const PLAIN: [&str; 3] = ["sec1", "sec1-with-parameters", "pkcs8"];
const ENCRYPTED: [&str; 4] = ["sec1-aes128", "sec1-aes192", "sec1-aes256", "pkcs8-pbkdf2"];

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
fn all_seven_formats_of_p521_open() {
    for format in PLAIN {
        assert_opens("p521", format, KeyAlgorithm::EcdsaP521, None);
    }
    for format in ENCRYPTED {
        assert_opens("p521", format, KeyAlgorithm::EcdsaP521, Some(PASSPHRASE));
    }
}

#[test]
fn a_curve_that_upvest_does_not_accept_is_rejected_by_its_name_in_all_formats() {
    for (key, algorithm) in [
        ("p384", KeyAlgorithm::EcdsaP384),
        ("p256", KeyAlgorithm::EcdsaP256),
    ] {
        let rejected = KeyError::UnsupportedKey(algorithm.curve().to_owned());
        for format in PLAIN.into_iter().chain(ENCRYPTED) {
            let error = open(&format!("{key}.{format}"), Some(PASSPHRASE)).unwrap_err();
            assert_eq!(error, rejected, "{key}.{format}");
        }
        assert_eq!(SigningKey::generate(algorithm).unwrap_err(), rejected);
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
        ("rsa-pss", "RSA-PSS"),
        ("x25519", "X25519"),
        ("brainpoolP512r1", "brainpoolP512r1"),
        ("sect571r1", "sect571r1"),
    ] {
        let error = open(&format!("rejected.{file}"), None).unwrap_err();
        assert_eq!(error, KeyError::UnsupportedKey(name.to_owned()), "{file}");
    }
}

#[test]
fn an_unsupported_encryption_is_called_by_its_name_with_the_command_that_converts_it() {
    const COMMAND: &str = "`openssl pkcs8 -topk8 -v2 aes-256-cbc -in KEY -out NEW`";
    const LEGACY: &str = "`openssl pkcs8 -topk8 -v2 aes-256-cbc -provider legacy -provider default -in KEY -out NEW`";
    for (file, name, command) in [
        ("rejected.des3", "DES-EDE3-CBC", COMMAND),
        ("rejected.pkcs8-des3", "3DES", COMMAND),
        ("cases/k07-pbes2-des3", "3DES", COMMAND),
        ("convert.sec1-des3", "DES-EDE3-CBC", COMMAND),
        ("convert.sec1-des", "DES-CBC", LEGACY),
        ("convert.sec1-camellia-128-cbc", "CAMELLIA-128-CBC", COMMAND),
        ("convert.sec1-camellia-256-cbc", "CAMELLIA-256-CBC", COMMAND),
        ("convert.sec1-aria-128-cbc", "ARIA-128-CBC", COMMAND),
        ("convert.sec1-aria-256-cbc", "ARIA-256-CBC", COMMAND),
        ("convert.pkcs8-des3", "3DES", COMMAND),
        ("convert.pkcs8-camellia-128-cbc", "Camellia-128", COMMAND),
        ("convert.pkcs8-camellia-256-cbc", "Camellia-256", COMMAND),
        ("convert.pkcs8-aria-128-cbc", "ARIA-128", COMMAND),
        ("convert.pkcs8-aria-256-cbc", "ARIA-256", COMMAND),
        (
            "convert.pkcs8-PBE-SHA1-3DES",
            "PKCS#12 PBE with 3DES",
            COMMAND,
        ),
        (
            "convert.pkcs8-PBE-MD5-DES",
            "PBES1 with MD5 and DES",
            LEGACY,
        ),
        (
            "convert.pkcs8-PBE-SHA1-RC2-40",
            "PKCS#12 PBE with RC2-40",
            LEGACY,
        ),
        (
            "convert.pkcs8-PBE-SHA1-RC4-128",
            "PKCS#12 PBE with RC4",
            LEGACY,
        ),
        (
            "convert.pkcs8-hmac-SHA512-256",
            "PBKDF2 with HMAC-SHA-512/256",
            COMMAND,
        ),
        ("convert.pkcs8-hmac-MD5", "PBKDF2 with HMAC-MD5", COMMAND),
        (
            "convert.pkcs8-hmac-SHA224",
            "PBKDF2 with HMAC-SHA-224",
            COMMAND,
        ),
        ("convert.pkcs8-scrypt", "scrypt", COMMAND),
    ] {
        // The encryption is unsupported, so the error is the same with or without a passphrase.
        for passphrase in [Some(PASSPHRASE), None] {
            let error = open(file, passphrase).unwrap_err();
            assert_eq!(
                error,
                KeyError::UnsupportedEncryption(name.to_owned()),
                "{file}"
            );
            assert!(error.to_string().contains(command), "{file}: {error}");
        }
    }
}

#[test]
fn a_format_that_is_not_read_is_called_by_its_name_with_the_command_that_converts_it() {
    let named_curve = "`openssl ec -in KEY -param_enc named_curve -out NEW`";
    let in_place = "`ssh-keygen -p -m PKCS8 -f KEY`";
    for (file, name, command) in [
        (
            "cases/k01-sec1-explicit",
            "explicit curve parameters",
            named_curve,
        ),
        (
            "convert.sec1-explicit",
            "explicit curve parameters",
            named_curve,
        ),
        (
            "convert.pkcs8-explicit",
            "explicit curve parameters",
            named_curve,
        ),
        ("cases/k14-openssh", "format of OpenSSH", in_place),
        ("convert.openssh-p521", "format of OpenSSH", in_place),
        (
            "convert.openssh-ed25519",
            "an Ed25519 key in the format of OpenSSH",
            "`openssl genpkey -algorithm ed25519 -out NEW`",
        ),
    ] {
        let error = open(file, None).unwrap_err().to_string();
        assert!(
            error.contains(name) && error.contains(command),
            "{file}: {error}"
        );
    }
}

#[test]
fn a_key_that_openssl_reads_opens_whatever_wrote_it() {
    for file in [
        "d06-pkcs8-labelled-sec1",
        "d06b-sec1-labelled-pkcs8",
        "k06-pbes2-hmacWithSHA1",
        "k10-legacy-aes256",
    ] {
        let key = open(&format!("cases/{file}"), Some(CASES_PASSPHRASE))
            .unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(key.public_key().to_pem(), read("cases/public"), "{file}");
    }
    // Its attributes are in Latin-1.
    let pkcs12 = fs::read(path("cases/k12-pkcs12-nodes.pem")).unwrap();
    let key = SigningKey::from_pem(pkcs12, None).unwrap();
    assert_eq!(key.public_key().to_pem(), read("cases/public"));
    let key = open("cases/d12-ed-v2-without-public", None).unwrap();
    assert_eq!(key.algorithm(), KeyAlgorithm::Ed25519);
}

#[test]
fn all_ciphers_and_digests_of_pbes2_open() {
    for format in [
        "pkcs8-aes128",
        "pkcs8-aes192",
        "pkcs8-hmac-SHA1",
        "pkcs8-hmac-SHA256",
        "pkcs8-hmac-SHA384",
        "pkcs8-hmac-SHA512",
    ] {
        assert_opens("p521", format, KeyAlgorithm::EcdsaP521, Some(PASSPHRASE));
        let error = open(&format!("p521.{format}"), Some("wrong")).unwrap_err();
        assert_eq!(error, KeyError::WrongPassphrase, "{format}");
    }
}

#[test]
fn the_content_of_a_block_counts_and_not_its_label() {
    let labels = ["EC PRIVATE KEY", "PRIVATE KEY", "ENCRYPTED PRIVATE KEY"];
    for (format, label) in [
        ("sec1", labels[0]),
        ("sec1-with-parameters", labels[0]),
        ("sec1-aes256", labels[0]),
        ("pkcs8", labels[1]),
        ("pkcs8-pbkdf2", labels[2]),
    ] {
        for other in labels {
            let text = read(&format!("p521.{format}"));
            let text = text.replace(&format!(" {label}-----"), &format!(" {other}-----"));
            let key = SigningKey::from_pem(&text, Some(PASSPHRASE));
            let key = key.unwrap_or_else(|error| panic!("{format} as {other}: {error}"));
            assert_eq!(key.public_key().to_pem(), read("p521.public"));
        }
    }
}

fn der_of(name: &str) -> Vec<u8> {
    pem::parse(read(name)).unwrap().into_contents()
}

/// An element of DER.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let len = content.len();
    let mut der = vec![tag];
    match u8::try_from(len) {
        Ok(len) if len < 128 => der.push(len),
        _ => der.extend([
            0x82,
            u8::try_from(len / 256).unwrap(),
            u8::try_from(len % 256).unwrap(),
        ]),
    }
    der.extend(content);
    der
}

#[test]
fn the_public_key_in_version_2_of_pkcs8_is_optional_and_has_to_match() {
    let open = |public: Option<&[u8]>, attributes: &[u8]| {
        let version_1 = der_of("ed25519.pkcs8");
        let mut content = version_1[2..].to_vec();
        content[2] = 1;
        content.extend(attributes);
        if let Some(public) = public {
            content.extend(element(0x81, &[&[0], public].concat()));
        }
        let text = pem::encode(&pem::Pem::new("PRIVATE KEY", element(0x30, &content)));
        SigningKey::from_pem(text, None)
    };
    let right = der_of("ed25519.public").split_off(12);
    let wrong = SigningKey::generate(KeyAlgorithm::Ed25519).unwrap();
    for attributes in [&[][..], &[0xa0, 0]] {
        for public in [None, Some(&right[..])] {
            let key = open(public, attributes).unwrap();
            assert_eq!(key.public_key().as_bytes(), right);
        }
        for public in [wrong.public_key().as_bytes(), &[], &right[..31]] {
            let error = open(Some(public), attributes).unwrap_err();
            assert_eq!(error, KeyError::Invalid(KeyAlgorithm::Ed25519));
        }
    }
}

/// A file whose encryption has these parameters.
fn encrypted_with(derivation: &[u8], parameters: &[u8]) -> String {
    let derivation = element(
        0x30,
        &[element(6, derivation), element(0x30, parameters)].concat(),
    );
    let aes256 = element(6, b"\x60\x86\x48\x01\x65\x03\x04\x01\x2a");
    let cipher = element(0x30, &[aes256, element(4, &[0; 16])].concat());
    let pbes2 = element(6, b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d");
    let scheme = [pbes2, element(0x30, &[derivation, cipher].concat())].concat();
    let key = [element(0x30, &scheme), element(4, &[0; 32])].concat();
    pem::encode(&pem::Pem::new("ENCRYPTED PRIVATE KEY", element(0x30, &key)))
}

#[test]
fn a_key_derivation_that_costs_too_much_is_an_error_with_the_limit() {
    let pbkdf2 = b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c";
    // DER has no leading zeros, except before a byte that would make the number negative.
    let number = |value: u64| {
        let bytes = [&[0], &value.to_be_bytes()[..]].concat();
        let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(8);
        let is_negative = bytes[first] > 127;
        element(2, &bytes[first - usize::from(is_negative)..])
    };
    let salt = element(4, b"12345678");
    let open = |derivation: &[u8], numbers: &[u64]| {
        let mut parameters = salt.clone();
        parameters.extend(numbers.iter().flat_map(|value| number(*value)));
        SigningKey::from_pem(encrypted_with(derivation, &parameters), Some(PASSPHRASE)).unwrap_err()
    };
    assert_eq!(open(pbkdf2, &[1]), KeyError::WrongPassphrase);
    for rounds in [10_000_001, u64::from(u32::MAX), u64::MAX >> 1] {
        let error = open(pbkdf2, &[rounds]).to_string();
        assert!(error.contains("the limit of 10000000"), "{error}");
    }
    let damaged = |error| matches!(error, KeyError::Damaged(_));
    assert!(damaged(open(pbkdf2, &[0])));
    assert!(
        damaged(open(pbkdf2, &[1, 31])),
        "a key of a wrong length is reported as damaged"
    );
}

/// The changes that environment variables and secret stores make to a text.
fn distortions(text: &str) -> Vec<(&'static str, String)> {
    let each_line = |change: &dyn Fn(&str) -> String| text.lines().map(change).collect::<String>();
    vec![
        ("literal \\n", text.replace('\n', "\\n")),
        ("literal \\r\\n", text.replace('\n', "\\r\\n")),
        ("doubly escaped", text.replace('\n', "\\\\n")),
        ("literal and real", text.replace('\n', "\\n\n")),
        ("CRLF", text.replace('\n', "\r\n")),
        ("CR", text.replace('\n', "\r")),
        ("spaces at line ends", text.replace('\n', "  \t\n")),
        ("indented", each_line(&|line| format!("    {line}\n"))),
        ("indented by tabs", each_line(&|line| format!("\t{line}\n"))),
        ("a space for each line break", text.replace('\n', " ")),
        ("no blank lines", text.replace("\n\n", "\n")),
        ("a blank line after each line", text.replace('\n', "\n\n")),
        ("double quotes", format!("\"{text}\"")),
        ("single quotes", format!("'{}'", text.trim_end())),
        (
            "quotes and literal \\n",
            format!("\"{}\"", text.replace('\n', "\\n")),
        ),
        ("quoted lines", each_line(&|line| format!("  \"{line}\"\n"))),
        ("no line break at the end", text.trim_end().to_owned()),
        ("text around it", format!("\u{feff}key: |\n{text}\nmore")),
        ("continued lines", text.replace('\n', "\\\n")),
    ]
}

#[test]
fn a_key_that_went_through_an_environment_variable_opens() {
    for format in PLAIN.into_iter().chain(ENCRYPTED) {
        for (distortion, text) in distortions(&read(&format!("p521.{format}"))) {
            let key = SigningKey::from_pem(&text, Some(PASSPHRASE))
                .unwrap_or_else(|error| panic!("{format}, {distortion}: {error}\n{text}"));
            assert_eq!(key.public_key().to_pem(), read("p521.public"));
        }
    }
    for (distortion, text) in distortions(&read("p521.public")) {
        let key = PublicKey::from_pem(&text);
        assert!(key.is_ok(), "{distortion}");
    }
}

#[test]
fn a_key_file_in_utf_16_opens() {
    let text = format!("\u{feff}{}", read("p521.sec1-aes256"));
    for to_bytes in [u16::to_le_bytes, u16::to_be_bytes] {
        let bytes: Vec<u8> = text.encode_utf16().flat_map(to_bytes).collect();
        SigningKey::from_pem(bytes, Some(PASSPHRASE)).unwrap();
    }
}

#[test]
fn headers_of_a_block_may_be_written_in_other_ways() {
    let text = read("p521.sec1-aes256");
    for (old, new) in [
        ("Proc-Type: 4,ENCRYPTED", "Proc-Type:4,ENCRYPTED"),
        ("Proc-Type: 4,ENCRYPTED", "Proc-Type: 4, ENCRYPTED"),
        (
            "Proc-Type: 4,ENCRYPTED",
            "proc-type: 4,ENCRYPTED\nComment: made by a test",
        ),
        ("AES-256-CBC,", "AES-256-CBC, "),
        ("AES-256-CBC,", "aes-256-cbc,"),
    ] {
        let changed = text.replace(old, new);
        assert_ne!(changed, text);
        SigningKey::from_pem(&changed, Some(PASSPHRASE))
            .unwrap_or_else(|error| panic!("{new}: {error}"));
    }
}

#[test]
fn a_block_without_an_end_is_called_so_and_hides_no_key() {
    let cut = "-----BEGIN CERTIFICATE-----\nAAAA\n";
    let key = read("p521.sec1");
    assert!(SigningKey::from_pem(format!("{cut}{key}"), None).is_ok());
    let (start, _) = key.split_once("-----END").unwrap();
    let error = SigningKey::from_pem(start, None).unwrap_err();
    assert!(error.to_string().contains("-----END"), "{error}");
}

#[test]
fn no_damage_to_a_file_puts_a_part_of_the_key_into_the_error() {
    for name in [
        "p521.sec1",
        "p521.pkcs8",
        "p521.sec1-aes256",
        "ed25519.pkcs8",
    ] {
        let text = read(name);
        let is_base64 = |line: &&str| !line.contains(['-', ':']) && line.len() > 20;
        let lines: Vec<&str> = text.lines().filter(is_base64).collect();
        let parts: Vec<&str> = lines.iter().map(|line| &line[..8]).collect();
        let mut errors = 0;
        for at in 0..text.len() {
            for replacement in ["", "\n", ":", ",", "-----BEGIN ", "PRIVATE KEY-----"] {
                let mut damaged = text.clone();
                damaged.replace_range(at..=at, replacement);
                let Err(error) = SigningKey::from_pem(&damaged, None) else {
                    continue;
                };
                let message = format!("{error} {error:?}");
                let leak = parts.iter().find(|part| message.contains(**part));
                assert_eq!(leak, None, "{replacement:?} at {at} of {name}: {message}");
                errors += 1;
            }
        }
        assert!(errors > text.len(), "{name}: {errors} errors");
    }
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
fn a_file_of_more_than_a_mebibyte_is_not_read() {
    let key = read("p521.pkcs8");
    let padded = |len: usize| " ".repeat(len - key.len()) + &key;
    assert!(SigningKey::from_pem(padded(1024 * 1024), None).is_ok());
    let error = SigningKey::from_pem(padded(1024 * 1024 + 1), None).unwrap_err();
    assert_eq!(error, KeyError::Damaged("it is over 1 MiB long"));
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
    // The PEM file holds 12 bytes and then the 32 of the key. 12 bytes are exactly 16 characters of base64, so the file
    // contains the base64 of the key itself, which has 44 characters.
    assert_eq!(printed.len(), 44);
    assert!(pem.contains(&printed), "{pem} does not contain {printed}");
}

#[test]
fn generated_keys_sign_and_differ() {
    for algorithm in [KeyAlgorithm::EcdsaP521, KeyAlgorithm::Ed25519] {
        for _ in 0..20 {
            let one = SigningKey::generate(algorithm).unwrap();
            let two = SigningKey::generate(algorithm).unwrap();
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
