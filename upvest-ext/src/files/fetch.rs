//! From a file's id to the answer that holds it, over redirects that are followed by hand.

use http::header::{ACCEPT, ACCEPT_ENCODING, LOCATION, RANGE};
use http::{HeaderValue, Method, StatusCode};
use reqwest::{Request, Response, Url};
use upvest_api::ResponseValue;
use upvest_api::operations::RETRIEVE_FILE;
use upvest_api::types::{FileId, Problem};

use crate::error::{Error, ErrorKind};
use crate::http_send::SendError;
use crate::pipeline::{Pipeline, is_same_origin};

const MOST_REDIRECTS: usize = 5;

/// The answer that holds the bytes of `file` from `offset` on, if the server heeds that, and whether it is the API's own.
pub(super) async fn fetch(pipeline: &Pipeline, file: FileId, offset: u64) -> Result<(Response, bool), Error> {
    let base = &pipeline.core.base_url;
    let mut url = base.clone();
    url.set_path(&format!("{}/files/{file}", base.path().trim_end_matches('/')));
    // Another host may send us anywhere, and must not choose what we sign: once left, the API is a stranger too.
    let mut is_ours = true;
    for _ in 0..=MOST_REDIRECTS {
        let request = request(url.clone(), offset);
        let response = if is_ours {
            pipeline.call(request, &RETRIEVE_FILE).await?
        } else {
            send_bare(pipeline, request).await?
        };
        if !response.status().is_redirection() {
            return Ok((response, is_ours));
        }
        url = target(&url, &response)?;
        is_ours = is_ours && is_same_origin(&url, base);
    }
    Err(Error::new(ErrorKind::UnexpectedStatus, "too many redirects on the way to a file"))
}

/// The error that an answer without a file stands for.
pub(super) async fn refusal(response: Response, is_ours: bool) -> Error {
    let (status, headers) = (response.status(), response.headers().clone());
    if !is_ours {
        return Error::new(ErrorKind::of(status), "the host of the file refused to give it")
            .with_status(status, None);
    }
    if !(status.is_client_error() || status.is_server_error()) {
        return Error::unexpected(status, &headers);
    }
    let body = response.bytes().await.unwrap_or_default();
    let problem = Problem::from_body(status, &body);
    upvest_api::Error::ErrorResponse(ResponseValue::new(problem, status, headers)).into()
}

fn request(url: Url, offset: u64) -> Request {
    let mut request = Request::new(Method::GET, url);
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
async fn send_bare(pipeline: &Pipeline, mut request: Request) -> Result<Response, Error> {
    let core = &pipeline.core;
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("*/*"));
    let timeout = pipeline.options.attempt_timeout.unwrap_or(core.attempt_timeout);
    let answer = tokio::select! {
        biased;
        answer = core.http.send(request) => answer,
        () = core.ambient.clock.sleep(timeout) => Err(SendError::timed_out("the host of the file does not answer")),
    };
    answer.map_err(Error::interrupted)
}

/// Where a redirect leads; never from `https` to `http`.
fn target(from: &Url, response: &Response) -> Result<Url, Error> {
    let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    let target = location
        .filter(|_| response.status() != StatusCode::NOT_MODIFIED)
        .and_then(|location| from.join(location).ok());
    match target {
        Some(target)
            if target.scheme() == "https" || (target.scheme() == "http" && from.scheme() == "http") =>
        {
            Ok(target)
        }
        // The target may hold a signature that opens the file, so it is not repeated.
        _ => Err(Error::new(ErrorKind::UnexpectedStatus, "a redirect to nowhere that a file may come from")
            .with_status(response.status(), None)),
    }
}
