//! From a file's id to the answer that holds it, over redirects that are followed by hand.

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, LOCATION, RANGE};
use http::{HeaderValue, Request, StatusCode, Uri};
use reqwest::Url;
use upvest_api::operations::RETRIEVE_FILE;
use upvest_api::types::FileId;
use upvest_api::{ByteStream, Error, ErrorKind, Response};

use crate::call_info::CallInfo;
use crate::http_send::SendError;
use crate::pipeline::{Link, Pipeline, to_uri};

const MOST_REDIRECTS: usize = 5;

/// An answer that is not a redirect.
pub(super) struct Fetched {
    pub(super) answer: Response<ByteStream>,
    /// What is known of the call; `None` where another host than the API's answered.
    info: Option<CallInfo>,
}

/// The answer that holds the bytes of `file` from `offset` on, if the server heeds that.
pub(super) async fn fetch(pipeline: &Pipeline, file: FileId, offset: u64) -> Result<Fetched, Error> {
    let base = &pipeline.core.base_url;
    let mut url = base.clone();
    url.set_path(&format!("{}/files/{file}", base.path().trim_end_matches('/')));
    // Another host may send us anywhere, and must not choose what we sign: once left, the API is a stranger too.
    let mut is_ours = true;
    for _ in 0..=MOST_REDIRECTS {
        let request = request(to_uri(&url)?, offset);
        let (answer, info) = if is_ours {
            let (answer, info) = pipeline.exchange(request, &RETRIEVE_FILE).await?;
            (answer, Some(info))
        } else {
            (send_bare(pipeline, request).await?, None)
        };
        if !answer.status().is_redirection() {
            return Ok(Fetched { answer, info });
        }
        url = target(&url, &answer)?;
        is_ours = is_ours && url.origin() == base.origin();
    }
    Err(Error::new(ErrorKind::UnexpectedStatus, "too many redirects on the way to a file"))
}

impl Fetched {
    pub(super) fn is_ours(&self) -> bool {
        self.info.is_some()
    }

    /// The error that an answer without a file stands for.
    pub(super) async fn refusal(self) -> Error {
        if let Some(info) = self.info {
            return info.refusal(self.answer, &RETRIEVE_FILE).await;
        }
        let status = self.answer.status();
        Error::new(ErrorKind::of(status), "the host of the file refused to give it").with_status(status)
    }
}

fn request(uri: Uri, offset: u64) -> Request<Bytes> {
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = uri;
    let headers = request.headers_mut();
    // The length is that of the file only where nothing on the way packs it.
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if offset > 0 {
        let range = HeaderValue::try_from(format!("bytes={offset}-")).expect("digits are visible ASCII");
        headers.insert(RANGE, range);
    }
    request
}

/// Sends to another host than the API's: no token, no signature, nothing that names the client.
async fn send_bare(pipeline: &Pipeline, mut request: Request<Bytes>) -> Result<Response<ByteStream>, Error> {
    let core = &pipeline.core;
    let Link::Network(network) = &core.link else {
        let message = "a redirect to another host, for which the transport is not made";
        return Err(Error::new(ErrorKind::UnexpectedStatus, message));
    };
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("*/*"));
    let timeout = pipeline.options.attempt_timeout.unwrap_or(core.attempt_timeout);
    let answer = tokio::select! {
        biased;
        answer = network.http.send(request) => answer,
        () = core.ambient.clock.sleep(timeout) => Err(SendError::timed_out("the host of the file does not answer")),
    };
    Ok(answer?.into())
}

/// Where a redirect leads; never from `https` to `http`.
fn target(from: &Url, answer: &Response<ByteStream>) -> Result<Url, Error> {
    let location = answer.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    let target = location
        .filter(|_| answer.status() != StatusCode::NOT_MODIFIED)
        .and_then(|location| from.join(location).ok());
    match target {
        Some(target)
            if target.scheme() == "https" || (target.scheme() == "http" && from.scheme() == "http") =>
        {
            Ok(target)
        }
        // The target may hold a signature that opens the file, so it is not repeated.
        _ => Err(Error::new(ErrorKind::UnexpectedStatus, "the redirect target is not allowed")
            .with_status(answer.status())),
    }
}
