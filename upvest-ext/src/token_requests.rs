//! Token requests, which are ordinary calls.

use std::sync::Arc;

use http::HeaderValue;
use tokio::time::Instant;
use upvest_runtime::Error;

use crate::options::CallOptions;
use crate::pipeline::Core;
use crate::refreshing::Expiring;
use crate::token::{Credentials, TOKEN, Tokens, read_token};

/// A token request is repeated less often than a call, as calls wait for it.
const ATTEMPTS: u32 = 3;

/// The same core, with a token for each call that needs one. `options` are those of the token requests.
pub(crate) fn with_tokens(core: Core, credentials: Credentials, options: &CallOptions) -> Core {
    let sender = Arc::new(core.clone());
    let credentials = Arc::new(credentials);
    // Calls wait for a token, so all its attempts together take no longer than one of theirs.
    let limit = options.attempt_limit();
    let options = CallOptions::new()
        .retry(options.policy().at_most(ATTEMPTS))
        .attempt_timeout(limit)
        .call_timeout(limit);
    let form = Arc::clone(&credentials);
    let request = move || {
        let sender = Arc::clone(&sender);
        let form = Arc::clone(&form);
        let options = options.clone();
        Box::pin(async move { request_token(&sender, &form, &options).await }) as _
    };
    Core {
        tokens: Some(Arc::new(Tokens::new(credentials, limit, request))),
        ..core
    }
}

async fn request_token(
    core: &Core,
    credentials: &Credentials,
    options: &CallOptions,
) -> Result<Expiring<HeaderValue>, Error> {
    let request = credentials.request(core.base_url.join(TOKEN.path, "")?);
    let sent_at = Instant::now();
    let response = core.call(request, &TOKEN, options).await?;
    let (body, _, metadata) = response.into_parts();
    let token = read_token(&body.bytes().await?, sent_at);
    token.map_err(|error| error.with_metadata(&metadata))
}
