//! The keys that deliveries are signed with. The newest signs; those before it stay in the set.

use upvest_ext::signing::{KeyAlgorithm, KeyError, PublicKey, SignatureVersion, SigningKey};
use upvest_ext::webhooks::{KeySet, TestDelivery, WebhookTester};

/// More than a receiver needs for what is still on its way.
const KEPT: usize = 3;

/// The signing key and the public keys that are given out.
#[derive(Debug)]
pub(crate) struct WebhookKeys {
    version: SignatureVersion,
    signer: WebhookTester,
    public: Vec<(String, PublicKey)>,
}

impl WebhookKeys {
    pub(crate) fn new(version: SignatureVersion) -> Result<Self, KeyError> {
        let (signer, public) = new_key(version)?;
        Ok(Self { version, signer, public: vec![public] })
    }

    /// From now on deliveries are signed with another key.
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
        let set = self.public.iter().fold(KeySet::default(), |set, (id, key)| set.with(id, key.clone()));
        set.to_json()
    }

    /// Signs a delivery, now.
    pub(crate) fn sign(&self, target: &str, body: Vec<u8>) -> TestDelivery {
        self.signer.deliver_raw(target, body)
    }
}

fn new_key(version: SignatureVersion) -> Result<(WebhookTester, (String, PublicKey)), KeyError> {
    let key = SigningKey::generate(KeyAlgorithm::EcdsaP521)?;
    let public = key.public_key().clone();
    let signer = WebhookTester::with_key(key).version(version);
    let id = signer.key_id().to_owned();
    Ok((signer, (id, public)))
}
