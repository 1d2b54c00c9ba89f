//! Requests a file and follows redirects. Our headers are not sent to other hosts.

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, IF_RANGE, LOCATION, RANGE};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use reqwest::Url;
use upvest_api::runtime::OperationMeta;
use upvest_api::{ByteStream, Error, ErrorKind, Response};

use super::download::Source;
use crate::call::call_info::CallInfo;
use crate::call::http_send::SendError;
use crate::call::pipeline::{Link, Pipeline, to_uri};

const MOST_REDIRECTS: usize = 5;

/// An answer that is not a redirect.
pub(super) struct Fetched {
    pub(super) answer: Response<ByteStream>,
    /// Information about the call. `None` if another host than the API's answered.
    info: Option<CallInfo>,
}

/// The bytes to request: from `offset` on, and of the same `version` as the bytes before, if that is known.
#[derive(Clone, Copy)]
pub(super) struct Rest<'a> {
    pub(super) offset: u64,
    pub(super) version: Option<&'a HeaderValue>,
}

/// Requests the `rest` of the file, which a server may ignore and send the whole file.
pub(super) async fn fetch(source: &Source, rest: Rest<'_>) -> Result<Fetched, Error> {
    let pipeline = &source.pipeline;
    let base = &pipeline.core.base_url;
    let asked = source.request.clone()?;
    let no_url =
        |error| Error::new(ErrorKind::InvalidRequest, "the request has no URL").with_source(error);
    let mut url = Url::parse(&asked.uri().to_string()).map_err(no_url)?;
    // Another host must not choose which requests we sign, so a redirect from it back to the API is not signed either.
    let mut is_ours = true;
    for _ in 0..=MOST_REDIRECTS {
        let mut request = asked.clone();
        *request.uri_mut() = to_uri(&url)?;
        prepare(request.headers_mut(), rest);
        let (answer, info) = if is_ours {
            let (answer, info) = pipeline.exchange(request, source.operation).await?;
            (answer, Some(info))
        } else {
            (send_bare(pipeline, bare(&url, rest)?).await?, None)
        };
        if !answer.status().is_redirection() {
            return Ok(Fetched { answer, info });
        }
        url = target(&url, &answer)?;
        is_ours = is_ours && url.origin() == base.origin();
    }
    Err(Error::new(
        ErrorKind::UnexpectedStatus,
        format!("more than {MOST_REDIRECTS} redirects"),
    ))
}

impl Fetched {
    pub(super) fn is_ours(&self) -> bool {
        self.info.is_some()
    }

    /// The error for an answer without a file.
    pub(super) async fn into_error(self, operation: &'static OperationMeta) -> Error {
        if let Some(info) = self.info {
            return info.error_from(self.answer, operation).await;
        }
        let status = self.answer.status();
        Error::new(
            ErrorKind::of(status),
            "the host to which the file was redirected answered with an error",
        )
        .with_status(status)
    }
}

fn prepare(headers: &mut HeaderMap, Rest { offset, version }: Rest<'_>) {
    // Without compression, the content length is the length of the file.
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if offset > 0 {
        let range =
            HeaderValue::try_from(format!("bytes={offset}-")).expect("digits are visible ASCII");
        headers.insert(RANGE, range);
        if let Some(version) = version {
            headers.insert(IF_RANGE, version.clone());
        }
    }
}

/// A request to another host than the API's, without any header of the original one.
fn bare(url: &Url, rest: Rest<'_>) -> Result<Request<Bytes>, Error> {
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = to_uri(url)?;
    prepare(request.headers_mut(), rest);
    Ok(request)
}

/// Sends a request to another host than the API's, without token, signature or client id.
async fn send_bare(
    pipeline: &Pipeline,
    mut request: Request<Bytes>,
) -> Result<Response<ByteStream>, Error> {
    let core = &pipeline.core;
    let Link::Network(network) = &core.link else {
        let message = "the transport of this client cannot follow a redirect to another host";
        return Err(Error::new(ErrorKind::UnexpectedStatus, message));
    };
    request
        .headers_mut()
        .insert(ACCEPT, HeaderValue::from_static("*/*"));
    let timeout = pipeline
        .options
        .attempt_timeout
        .unwrap_or(core.attempt_timeout);
    let answer = tokio::select! {
        biased;
        answer = network.http.send(request) => answer,
        () = core.clock_and_rng.clock.sleep(timeout) => Err(SendError::timed_out("the host to which the file was redirected did not answer in time")),
    };
    Ok(answer?.into())
}

/// The target of a redirect. A redirect from `https` to `http` is not allowed.
fn target(from: &Url, answer: &Response<ByteStream>) -> Result<Url, Error> {
    let location = answer
        .headers()
        .get(LOCATION)
        .and_then(|location| location.to_str().ok());
    let target = location
        .filter(|_| answer.status() != StatusCode::NOT_MODIFIED)
        .and_then(|location| from.join(location).ok());
    match target {
        Some(target)
            if target.scheme() == "https"
                || (target.scheme() == "http" && from.scheme() == "http") =>
        {
            Ok(target)
        }
        // The error does not contain the target, as it may include a signature that gives access to the file.
        _ => Err(Error::new(
            ErrorKind::UnexpectedStatus,
            "the redirect target is not allowed",
        )
        .with_status(answer.status())),
    }
}
