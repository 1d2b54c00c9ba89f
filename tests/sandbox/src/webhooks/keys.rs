//! The keys for signing deliveries. The newest one signs, and the earlier ones stay in the key set.

use bytes::Bytes;
use http::Request;
use upvest_signing::{DeliverySigner, KeySet};
use upvest_signing::{KeyAlgorithm, KeyError, PublicKey, SignatureVersion, SigningKey};

/// The most earlier keys in the key set.
const KEPT: usize = 3;

/// The signing key and the published public keys.
#[derive(Debug)]
pub(crate) struct WebhookKeys {
    version: SignatureVersion,
    signer: DeliverySigner,
    public: Vec<(String, PublicKey)>,
}

impl WebhookKeys {
    pub(crate) fn new(version: SignatureVersion) -> Result<Self, KeyError> {
        let (signer, public) = new_key(version)?;
        Ok(Self {
            version,
            signer,
            public: vec![public],
        })
    }

    /// Generates a new signing key for future deliveries.
    pub(crate) fn rotate(&mut self) -> Result<(), KeyError> {
        let (signer, public) = new_key(self.version)?;
        self.signer = signer;
        self.public.push(public);
        if self.public.len() > KEPT {
            self.public.remove(0);
        }
        Ok(())
    }

    /// The JSON Web Key Set of `GET /auth/verify_keys`.
    pub(crate) fn key_set(&self) -> String {
        let set = self
            .public
            .iter()
            .fold(KeySet::default(), |set, (id, key)| {
                set.with(id, key.clone())
            });
        set.to_json()
    }

    /// Signs a delivery with the current time.
    pub(crate) fn sign(&self, target: &str, body: Vec<u8>) -> Request<Bytes> {
        self.signer.deliver_raw(target, body)
    }
}

fn new_key(version: SignatureVersion) -> Result<(DeliverySigner, (String, PublicKey)), KeyError> {
    let key = SigningKey::generate(KeyAlgorithm::EcdsaP521)?;
    let public = key.public_key().clone();
    let signer = DeliverySigner::with_key(key).version(version);
    let id = signer.key_id().to_owned();
    Ok((signer, (id, public)))
}
