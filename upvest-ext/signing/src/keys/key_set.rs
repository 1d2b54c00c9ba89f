//! The keys that Upvest signs with, as a JSON Web Key Set (RFC 7517).

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::algorithm::KeyAlgorithm;
use super::key_error::KeyError;
use super::public_key::PublicKey;

/// Upvest sends no padding, and RFC 7515 forbids it. It is accepted here because it does no harm.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// The most keys in a set. Real sets have a few. Verification tries every key with the id, so many keys would cost
/// time.
const MAX_KEYS: usize = 100;
/// The longest key set, in bytes. A hundred keys take 30 KiB.
const MAX_LEN: usize = 1024 * 1024;

/// Public keys by their ids.
///
/// A key that cannot be read does not affect the others: a new type of key in the set must not stop deliveries that the
/// others signed.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: Vec<SetKey>,
}

/// One entry of the set. `key` is `None` if its type is unknown or it is invalid.
#[derive(Clone, Debug)]
struct SetKey {
    id: String,
    key: Option<PublicKey>,
}

impl KeySet {
    /// Parses a JSON Web Key Set, such as the response of `GET /auth/verify_keys`.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidKeySet`] if the text as a whole is not a key set.
    pub fn from_json(json: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        #[derive(Deserialize)]
        struct Set<'a> {
            #[serde(borrow)]
            keys: Vec<&'a RawValue>,
        }
        let json = Some(json.as_ref())
            .filter(|json| json.len() <= MAX_LEN)
            .ok_or(KeyError::InvalidKeySet)?;
        // Some servers write a byte order mark before JSON.
        let json = json.strip_prefix("\u{feff}".as_bytes()).unwrap_or(json);
        let set: Set<'_> = serde_json::from_slice(json).map_err(|_| KeyError::InvalidKeySet)?;
        if set.keys.len() > MAX_KEYS {
            return Err(KeyError::InvalidKeySet);
        }
        Ok(Self {
            keys: set.keys.into_iter().filter_map(set_key).collect(),
        })
    }

    /// A set of one key.
    #[must_use]
    pub fn single(id: impl Into<String>, key: PublicKey) -> Self {
        Self::default().with(id, key)
    }

    /// Adds a key to the set.
    #[must_use]
    pub fn with(mut self, id: impl Into<String>, key: PublicKey) -> Self {
        self.keys.push(SetKey {
            id: id.into(),
            key: Some(key),
        });
        self
    }

    /// The keys with this id, normally one. `None` stands for a key that cannot be used.
    pub fn find<'a>(&'a self, id: &'a str) -> impl Iterator<Item = Option<&'a PublicKey>> {
        self.keys
            .iter()
            .filter(move |entry| entry.id == id)
            .map(|entry| entry.key.as_ref())
    }

    /// The ids and keys of the set. `None` stands for a key that cannot be used.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&PublicKey>)> {
        self.keys
            .iter()
            .map(|entry| (entry.id.as_str(), entry.key.as_ref()))
    }

    /// The set as JSON, for test servers.
    pub fn to_json(&self) -> String {
        let keys: Vec<_> = self
            .keys
            .iter()
            .filter_map(|entry| Some(to_jwk(&entry.id, entry.key.as_ref()?)))
            .collect();
        serde_json::json!({ "keys": keys }).to_string()
    }
}

/// `None` if the entry has no id, as no signature can refer to it then.
fn set_key(raw: &RawValue) -> Option<SetKey> {
    #[derive(Deserialize)]
    struct Identified {
        kid: String,
    }
    let Identified { kid: id } = serde_json::from_str(raw.get()).ok()?;
    Some(SetKey {
        id,
        key: public_key(raw),
    })
}

fn public_key(raw: &RawValue) -> Option<PublicKey> {
    #[derive(Deserialize)]
    struct Jwk {
        kty: String,
        crv: String,
        x: String,
        y: Option<String>,
        #[serde(rename = "use")]
        usage: Option<String>,
    }
    let jwk: Jwk = serde_json::from_str(raw.get()).ok()?;
    if jwk.usage.is_some_and(|usage| usage != "sig") {
        return None;
    }
    let algorithm = KeyAlgorithm::from_curve(&jwk.crv)?;
    let bytes = match (algorithm, jwk.kty.as_str()) {
        (KeyAlgorithm::Ed25519, "OKP") => BASE64URL.decode(&jwk.x).ok()?,
        (KeyAlgorithm::Ed25519, _) => return None,
        (_, "EC") => {
            let mut point = vec![4];
            point.extend(coordinate(algorithm, &jwk.x)?);
            point.extend(coordinate(algorithm, &jwk.y?)?);
            point
        }
        _ => return None,
    };
    PublicKey::from_bytes(algorithm, &bytes).ok()
}

/// RFC 7518 section 6.2.1.2 requires leading zero bytes. Shorter coordinates are accepted and padded.
fn coordinate(algorithm: KeyAlgorithm, text: &str) -> Option<Vec<u8>> {
    let bytes = BASE64URL.decode(text).ok()?;
    let mut padded = vec![0; algorithm.field_len().checked_sub(bytes.len())?];
    padded.extend(bytes);
    Some(padded)
}

fn to_jwk(id: &str, key: &PublicKey) -> serde_json::Value {
    let curve = key.algorithm().curve();
    if key.algorithm() == KeyAlgorithm::Ed25519 {
        let x = unpadded(key.as_bytes());
        return serde_json::json!({ "kid": id, "kty": "OKP", "crv": curve, "x": x });
    }
    let (_, point) = key.as_bytes().split_at(1);
    let (x, y) = point.split_at(key.algorithm().field_len());
    serde_json::json!({ "kid": id, "kty": "EC", "crv": curve, "x": unpadded(x), "y": unpadded(y) })
}

fn unpadded(bytes: &[u8]) -> String {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}
