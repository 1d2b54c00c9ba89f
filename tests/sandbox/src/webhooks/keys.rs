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
    /// The last one signs. Empty until a key is needed, as the first key of a process takes most of the time of a
    /// start: the library tests its source of random numbers.
    keys: Vec<WebhookKey>,
}

#[derive(Debug)]
struct WebhookKey {
    signer: DeliverySigner,
    public: PublicKey,
}

impl WebhookKeys {
    pub(crate) fn new(version: SignatureVersion) -> Self {
        Self {
            version,
            keys: Vec::new(),
        }
    }

    /// Generates a new signing key for future deliveries.
    pub(crate) fn rotate(&mut self) -> Result<(), KeyError> {
        self.newest()?;
        self.generate()?;
        if self.keys.len() > KEPT {
            self.keys.remove(0);
        }
        Ok(())
    }

    /// The JSON Web Key Set of `GET /auth/verify_keys`.
    pub(crate) fn key_set(&mut self) -> Result<String, KeyError> {
        self.newest()?;
        let keys = self.keys.iter();
        let set = keys.fold(KeySet::default(), |set, key| {
            set.with(key.signer.key_id(), key.public.clone())
        });
        Ok(set.to_json())
    }

    /// Signs a delivery with the current time.
    pub(crate) fn sign(&mut self, target: &str, body: Vec<u8>) -> Result<Request<Bytes>, KeyError> {
        Ok(self.newest()?.signer.deliver_raw(target, body))
    }

    /// The key that signs. The first one is generated when it is needed.
    fn newest(&mut self) -> Result<&WebhookKey, KeyError> {
        if self.keys.is_empty() {
            self.generate()?;
        }
        Ok(self.keys.last().expect("there is a key now"))
    }

    fn generate(&mut self) -> Result<(), KeyError> {
        let key = SigningKey::generate(KeyAlgorithm::EcdsaP521)?;
        let public = key.public_key().clone();
        let signer = DeliverySigner::with_key(key).version(self.version);
        self.keys.push(WebhookKey { signer, public });
        Ok(())
    }
}
