//! Fetches the webhook keys from Upvest with the signed client (`PROTOCOL` 2.4).

use futures_util::future::BoxFuture;
use http::Method;
use upvest_api::runtime::OperationMeta;

use super::fetch_keys::FetchKeys;
use crate::client::upvest::Upvest;
use crate::signing::BackendError;

/// Defined here because the description does not contain the endpoint.
static VERIFY_KEYS: OperationMeta =
    OperationMeta::custom("verifyKeys", Method::GET, "/auth/verify_keys")
        .scoped(&["webhooks:read"]);

/// Fetches the keys by `GET /auth/verify_keys`, with the client's token, signature and retries.
///
/// ```no_run
/// # async fn run(upvest: upvest_ext::Upvest) {
/// use upvest_ext::webhooks::WebhookVerifier;
///
/// let verifier = WebhookVerifier::fetching(upvest.clone());
/// # let _ = verifier; }
/// ```
impl FetchKeys for Upvest {
    fn fetch(&self) -> BoxFuture<'_, Result<Vec<u8>, BackendError>> {
        Box::pin(async move {
            let answer = self
                .request(VERIFY_KEYS.method.clone(), VERIFY_KEYS.path)
                .facts_of(&VERIFY_KEYS)
                .send()
                .await;
            answer.map(|body| body.to_vec()).map_err(BackendError::new)
        })
    }
}
