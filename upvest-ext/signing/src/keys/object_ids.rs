//! The names of algorithms by their object identifiers.

use der::asn1::ObjectIdentifier;

pub(super) const EC_PUBLIC_KEY: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// The name of a type of key or of a curve, to say what is not supported.
pub(super) fn key_name(id: ObjectIdentifier) -> String {
    let id = id.to_string();
    let name = match id.as_str() {
        "1.3.132.0.35" => "P-521",
        "1.3.101.112" => "Ed25519",
        "1.3.132.0.34" => "P-384",
        "1.2.840.10045.3.1.7" => "P-256",
        "1.3.132.0.33" => "P-224",
        "1.2.840.10045.3.1.1" => "P-192",
        "1.3.132.0.10" => "secp256k1",
        "1.3.132.0.32" => "secp224k1",
        "1.3.132.0.31" => "secp192k1",
        "1.3.36.3.3.2.8.1.1.7" => "brainpoolP256r1",
        "1.3.36.3.3.2.8.1.1.8" => "brainpoolP256t1",
        "1.3.36.3.3.2.8.1.1.11" => "brainpoolP384r1",
        "1.3.36.3.3.2.8.1.1.12" => "brainpoolP384t1",
        "1.3.36.3.3.2.8.1.1.13" => "brainpoolP512r1",
        "1.3.36.3.3.2.8.1.1.14" => "brainpoolP512t1",
        "1.3.132.0.36" => "sect409k1",
        "1.3.132.0.37" => "sect409r1",
        "1.3.132.0.38" => "sect571k1",
        "1.3.132.0.39" => "sect571r1",
        "1.2.156.10197.1.301" => "SM2",
        "1.2.840.113549.1.1.1" => "RSA",
        "1.2.840.113549.1.1.10" => "RSA-PSS",
        "1.2.840.10040.4.1" => "DSA",
        "1.2.840.113549.1.3.1" => "Diffie-Hellman",
        "1.3.101.113" => "Ed448",
        "1.3.101.110" => "X25519",
        "1.3.101.111" => "X448",
        other => other,
    };
    name.to_owned()
}

/// The name of an encryption, to say what is not supported.
#[cfg(feature = "encrypted-keys")]
pub(super) fn encryption_name(id: ObjectIdentifier) -> String {
    let id = id.to_string();
    let name = match id.as_str() {
        "1.2.840.113549.3.7" => "3DES",
        "1.3.14.3.2.7" => "DES",
        "1.2.840.113549.3.2" => "RC2",
        "1.2.840.113549.3.9" => "RC5",
        "1.2.392.200011.61.1.1.1.2" => "Camellia-128",
        "1.2.392.200011.61.1.1.1.3" => "Camellia-192",
        "1.2.392.200011.61.1.1.1.4" => "Camellia-256",
        "1.2.410.200046.1.1.2" => "ARIA-128",
        "1.2.410.200046.1.1.7" => "ARIA-192",
        "1.2.410.200046.1.1.12" => "ARIA-256",
        "1.2.410.200004.1.4" => "SEED",
        "1.2.156.10197.1.104.2" => "SM4",
        "1.3.6.1.4.1.3029.1.2" => "Blowfish",
        "1.2.840.113533.7.66.10" => "CAST5",
        "2.16.840.1.101.3.4.1.6" => "AES-128-GCM",
        "2.16.840.1.101.3.4.1.26" => "AES-192-GCM",
        "2.16.840.1.101.3.4.1.46" => "AES-256-GCM",
        "1.2.840.113549.1.5.1" => "PBES1 with MD2 and DES",
        "1.2.840.113549.1.5.3" => "PBES1 with MD5 and DES",
        "1.2.840.113549.1.5.4" => "PBES1 with MD2 and RC2",
        "1.2.840.113549.1.5.6" => "PBES1 with MD5 and RC2",
        "1.2.840.113549.1.5.10" => "PBES1 with SHA-1 and DES",
        "1.2.840.113549.1.5.11" => "PBES1 with SHA-1 and RC2",
        "1.2.840.113549.1.12.1.1" => "PKCS#12 PBE with RC4",
        "1.2.840.113549.1.12.1.2" => "PKCS#12 PBE with RC4-40",
        "1.2.840.113549.1.12.1.3" | "1.2.840.113549.1.12.1.4" => "PKCS#12 PBE with 3DES",
        "1.2.840.113549.1.12.1.5" => "PKCS#12 PBE with RC2",
        "1.2.840.113549.1.12.1.6" => "PKCS#12 PBE with RC2-40",
        "1.3.6.1.4.1.11591.4.11" => "scrypt",
        "1.2.840.113549.2.8" => "PBKDF2 with HMAC-SHA-224",
        "1.2.840.113549.2.6" => "PBKDF2 with HMAC-MD5",
        "1.2.840.113549.2.12" => "PBKDF2 with HMAC-SHA-512/224",
        "1.2.840.113549.2.13" => "PBKDF2 with HMAC-SHA-512/256",
        "2.16.840.1.101.3.4.2.13" => "PBKDF2 with HMAC-SHA3-224",
        "2.16.840.1.101.3.4.2.14" => "PBKDF2 with HMAC-SHA3-256",
        "2.16.840.1.101.3.4.2.15" => "PBKDF2 with HMAC-SHA3-384",
        "2.16.840.1.101.3.4.2.16" => "PBKDF2 with HMAC-SHA3-512",
        "1.2.156.10197.1.401.3.1" => "PBKDF2 with HMAC-SM3",
        other => other,
    };
    name.to_owned()
}
