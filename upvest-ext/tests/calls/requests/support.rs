//! What several of these tests use.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderValue, Request};
use upvest_ext::signing::{SignRequest, SigningError};
use upvest_ext::{BackendError, BoxFuture, Upvest, UpvestBuilder};

/// Numbers its signatures and records the headers that were present.
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbering {
    pub(crate) seen: Arc<Mutex<Vec<(String, bool)>>>,
    pub(crate) broken: bool,
}

impl SignRequest for Numbering {
    fn sign<'a>(
        &'a self,
        request: &'a mut Request<Bytes>,
    ) -> BoxFuture<'a, Result<(), SigningError>> {
        Box::pin(async move {
            if self.broken {
                return Err(BackendError::new("the key is gone").into());
            }
            let mut seen = self.seen.lock().unwrap();
            let authorized = request.headers().contains_key("authorization");
            seen.push((request.uri().path().to_owned(), authorized));
            request
                .headers_mut()
                .insert("signature", HeaderValue::from(seen.len()));
            Ok(())
        })
    }
}

/// A builder with these environment variables.
pub(crate) fn builder_from_vars(vars: &[(&str, &str)]) -> UpvestBuilder {
    UpvestBuilder::from_vars(|name| {
        let mut vars = vars.iter();
        vars.find(|(other, _)| *other == name)
            .map(|(_, value)| (*value).to_owned())
    })
}

/// A client from these environment variables.
pub(crate) fn from_vars(vars: &[(&str, &str)]) -> Result<Upvest, upvest_ext::Error> {
    builder_from_vars(vars).build()
}
