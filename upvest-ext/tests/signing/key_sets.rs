//! Key sets keep every kind of key, and a key only for its purpose.

use serde_json::json;
use upvest_ext::signing::{KeyAlgorithm, KeySet, PublicKey, SigningKey};

const ID: &str = "2606a727-e55e-4f72-b47d-323f163acfff";

/// The keys with the id [`ID`] of a set in JSON.
fn read(set: &str) -> Vec<Option<PublicKey>> {
    let set = KeySet::from_json(set).unwrap();
    set.find(ID).map(Option::<&PublicKey>::cloned).collect()
}

#[test]
fn a_key_of_each_algorithm_passes_through_a_key_set() {
    for pem in [
        include_str!("../fixtures/keys/p521.public.pem"),
        include_str!("../fixtures/keys/p384.public.pem"),
        include_str!("../fixtures/keys/p256.public.pem"),
        include_str!("../fixtures/keys/ed25519.public.pem"),
    ] {
        let key = PublicKey::from_pem(pem).unwrap();
        let set = KeySet::single(ID, key.clone());
        assert_eq!(read(&set.to_json()), [Some(key)]);
    }
}

#[test]
fn a_key_that_is_not_for_signatures_cannot_be_used() {
    let key = SigningKey::generate(KeyAlgorithm::EcdsaP521).unwrap();
    let set = KeySet::single(ID, key.public_key().clone()).to_json();
    let mut set: serde_json::Value = serde_json::from_str(&set).unwrap();
    for (usage, is_usable) in [("sig", true), ("enc", false), ("SIG", false)] {
        set["keys"][0]["use"] = json!(usage);
        let found = read(&set.to_string());
        assert_eq!(found.len(), 1, "{usage}");
        assert_eq!(found[0].is_some(), is_usable, "{usage}");
    }
}

#[test]
fn a_public_key_has_one_encoding() {
    let key = PublicKey::from_pem(include_str!("../fixtures/keys/p256.public.pem")).unwrap();
    let algorithm = key.algorithm();
    let point = key.as_bytes();
    assert_eq!(PublicKey::from_bytes(algorithm, point).as_ref(), Ok(&key));
    let is_odd = point[point.len() - 1] & 1;
    let compressed = [&[2 + is_odd], &point[1..=32]].concat();
    let document = pem::parse(key.to_pem()).unwrap().into_contents();
    for other in [&compressed[..], &document[..], &point[1..], &[]] {
        assert!(PublicKey::from_bytes(algorithm, other).is_err());
    }
}
