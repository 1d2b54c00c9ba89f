// region: guide
// docs/guides/samples/security_verify.rs
// crates: bytes, http, tokio, upvest-signing
use std::time::SystemTime;

use bytes::Bytes;
use http::Request;
use upvest_signing::{IncomingRequest, KeyAlgorithm, KeySet, RequestSigner};
use upvest_signing::{SignatureError, SignaturePolicy, SigningKey};

/// Returns the id of the key that signed the request.
fn verify(request: &Request<Bytes>, keys: &KeySet) -> Result<String, SignatureError> {
    let received = IncomingRequest::from_request(request);
    let mut reason = SignatureError::UnknownKey;
    let signatures = SignaturePolicy::requests().claims(&received, SystemTime::now())?;
    for signature in signatures {
        for key in keys.find(signature.key_id()).flatten() {
            match signature.check(key) {
                Ok(()) => return Ok(signature.key_id().to_owned()),
                Err(error) => reason = reason.furthest(error),
            }
        }
    }
    Err(reason)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let key = SigningKey::generate(KeyAlgorithm::Ed25519)?;
    let keys = KeySet::single("key-1", key.public_key().clone());
    let signer = RequestSigner::new("key-1", key)?;
    let mut request = Request::post("https://gateway.internal/orders").body(Bytes::from("{}"))?;
    signer.sign_request(&mut request).await?;

    assert_eq!(verify(&request, &keys)?, "key-1");
    *request.body_mut() = Bytes::from("forged");
    assert_eq!(verify(&request, &keys), Err(SignatureError::DigestMismatch));
    Ok(())
}
// endregion

#[test]
fn a_forged_request_is_rejected() {
    main().unwrap();
}
