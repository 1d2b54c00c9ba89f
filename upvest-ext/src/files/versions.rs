//! Remembers the versions of files, so that a resumed download continues with the same version.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::header::{ETAG, LAST_MODIFIED};
use http::{HeaderMap, HeaderValue, Uri};

/// The most versions that are remembered. There are fewer downloads at a time.
const MOST_VERSIONS: usize = 1000;

/// The versions of the files that a client has started to download, by the URI of the request.
#[derive(Debug, Default)]
pub(crate) struct Versions(Mutex<HashMap<String, HeaderValue>>);

impl Versions {
    pub(super) fn get(&self, uri: &Uri) -> Option<HeaderValue> {
        self.lock().get(&uri.to_string()).cloned()
    }

    pub(super) fn set(&self, uri: &Uri, version: Option<HeaderValue>) {
        let mut versions = self.lock();
        if versions.len() >= MOST_VERSIONS {
            versions.clear();
        }
        match version {
            Some(version) => versions.insert(uri.to_string(), version),
            None => versions.remove(&uri.to_string()),
        };
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, HeaderValue>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The version of a file for `if-range`: a strong entity tag, or else its date (RFC 9110 section 13.1.5).
pub(super) fn version(headers: &HeaderMap) -> Option<HeaderValue> {
    let tag = headers
        .get(ETAG)
        .filter(|tag| !tag.as_bytes().starts_with(b"W/"));
    tag.or_else(|| headers.get(LAST_MODIFIED)).cloned()
}
