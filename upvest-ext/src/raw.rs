//! Requests that the description does not contain.

use std::fmt;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request};
use serde::Serialize;
use serde::de::DeserializeOwned;
use upvest_runtime::{
    ByteStream, Error, ErrorKind, GeneratedClient, IdempotencyKey, OperationMeta, Response,
    encode_path_segment, read_json,
};

use crate::client::UpvestFor;
use crate::options::CallOptions;
use crate::pipeline::{IDEMPOTENCY_KEY, Pipeline, key_header};

/// The entries of raw requests in the operation table. Their path in logs is `raw`, as the real one may contain ids.
static READ: OperationMeta = OperationMeta::custom("raw", Method::GET, "raw");
static WRITE: OperationMeta = OperationMeta::custom("raw", Method::POST, "raw");

/// A request with any method and path, from [`Upvest::request`](UpvestFor::request).
///
/// `GET` and `HEAD` are retried as all reads are. Other methods are retried only with an
/// [idempotency key](RawRequest::idempotency_key). Set one only if the endpoint supports it.
#[must_use = "nothing happens before `send`"]
pub struct RawRequest {
    pipeline: Pipeline,
    operation: &'static OperationMeta,
    method: Method,
    path: Result<String, Error>,
    query: String,
    body: Result<Option<RawBody>, Error>,
    idempotency_key: Option<IdempotencyKey>,
}

struct RawBody {
    media_type: HeaderValue,
    bytes: Bytes,
}

impl<C: GeneratedClient> UpvestFor<C> {
    /// A request to any path, with the same token, signature and retries, for endpoints that the description does not
    /// contain.
    ///
    /// Each segment of the path is percent-encoded, so that a value cannot change the path: `["orders", id]` requests
    /// `/orders/..%2Fusers` for the id `../users`. Segments that are empty, `.` or `..` and the method `CONNECT` make
    /// sending fail.
    ///
    /// ```no_run
    /// # async fn cancel(upvest: upvest_ext::Upvest, id: &str) -> Result<(), upvest_ext::Error> {
    /// use upvest_ext::Method;
    ///
    /// let response = upvest
    ///     .request(Method::DELETE, ["orders", id])
    ///     .send()
    ///     .await?;
    /// println!("{}: {} bytes", response.status(), response.len());
    /// # Ok(()) }
    /// ```
    pub fn request<S: AsRef<str>>(
        &self,
        method: Method,
        segments: impl IntoIterator<Item = S>,
    ) -> RawRequest {
        let is_read = matches!(method, Method::GET | Method::HEAD);
        RawRequest {
            pipeline: self.pipeline().clone(),
            operation: if is_read { &READ } else { &WRITE },
            method,
            path: encode(segments),
            query: String::new(),
            body: Ok(None),
            idempotency_key: None,
        }
    }
}

impl RawRequest {
    /// Adds a query parameter.
    pub fn query(mut self, name: &str, value: impl fmt::Display) -> Self {
        let mut pairs = form_urlencoded::Serializer::new(self.query);
        pairs.append_pair(name, &value.to_string());
        self.query = pairs.finish();
        self
    }

    /// Sends `body` as JSON.
    pub fn json(mut self, body: &impl Serialize) -> Self {
        let json = serde_json::to_vec(body)
            .map_err(|error| invalid("the body cannot be serialized as JSON").with_source(error));
        self.body = json.map(|bytes| {
            Some(RawBody {
                media_type: HeaderValue::from_static("application/json"),
                bytes: bytes.into(),
            })
        });
        self
    }

    /// Sends `body` as it is, with the media type in the header `content-type`.
    pub fn body(mut self, media_type: HeaderValue, body: impl Into<Bytes>) -> Self {
        self.body = Ok(Some(RawBody {
            media_type,
            bytes: body.into(),
        }));
        self
    }

    /// Sends the request with this idempotency key, so that it may be sent again although it changes something.
    pub fn idempotency_key(mut self, key: impl Into<IdempotencyKey>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }

    /// Sets options. What they do not set stays as it is.
    pub fn options(mut self, options: CallOptions) -> Self {
        self.pipeline.options = options.or(&self.pipeline.options);
        self
    }

    /// Treats the request as a call of `operation`: its metadata say whether it is retried, whether it gets an
    /// idempotency key, and which media types it accepts. Errors, spans and reports name it.
    ///
    /// For programs that know operations only by their metadata, such as the examples `call` and `signing_proxy`.
    ///
    /// ```no_run
    /// # async fn list<C: upvest_ext::api::runtime::GeneratedClient>(
    /// #     upvest: upvest_ext::UpvestFor<C>,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// let operation = C::OPERATIONS
    ///     .iter()
    ///     .find(|it| it.id == "listOrders")
    ///     .ok_or("no such operation")?;
    /// let segments = operation.path.trim_start_matches('/').split('/');
    /// let request = upvest
    ///     .request(operation.method.clone(), segments)
    ///     .for_operation(operation);
    /// println!("{} bytes", request.send().await?.len());
    /// # Ok(()) }
    /// ```
    pub fn for_operation(mut self, operation: &'static OperationMeta) -> Self {
        self.operation = operation;
        self
    }

    /// Sends the request and returns the body as bytes.
    ///
    /// # Errors
    ///
    /// A response that is not a success, or no response.
    pub async fn send(self) -> Result<Response<Bytes>, Error> {
        let (body, headers, metadata) = self.send_stream().await?.into_parts();
        Ok(Response::new(body.bytes().await?, headers, metadata))
    }

    /// Sends the request and returns the body as a stream, for files. JSON is read into memory before.
    ///
    /// # Errors
    ///
    /// A response that is not a success, or no response.
    pub async fn send_stream(self) -> Result<Response<ByteStream>, Error> {
        let operation = self.operation;
        let pipeline = self.pipeline.clone();
        let request = self.into_request().map_err(|error| {
            error.with_context(|context| context.operation = Some(operation.id.into()))
        })?;
        let response = pipeline.call(request, operation).await?;
        let metadata = response.metadata().clone();
        Ok(response.map(|body| body.of_call(operation, &metadata)))
    }

    /// Sends the request and decodes the body as JSON.
    ///
    /// # Errors
    ///
    /// As [`RawRequest::send`], and [`ErrorKind::Decode`] if the body does not match `T`.
    pub async fn send_json<T: DeserializeOwned>(self) -> Result<Response<T>, Error> {
        let operation = self.operation;
        let response = self.send().await?;
        match read_json(&response) {
            Ok(value) => Ok(response.map(|_| value)),
            Err(error) => Err(error.with_call(operation, response.metadata())),
        }
    }

    fn into_request(self) -> Result<Request<Bytes>, Error> {
        if self.method == Method::CONNECT {
            return Err(invalid("`CONNECT` opens a tunnel and has no path"));
        }
        let mut request = Request::new(Bytes::new());
        *request.method_mut() = self.method;
        *request.uri_mut() = self.pipeline.core.base_url.join(&self.path?, &self.query)?;
        let headers = request.headers_mut();
        if let Some(key) = self.idempotency_key {
            headers.insert(IDEMPOTENCY_KEY, key_header(key));
        }
        if let Some(body) = self.body? {
            headers.insert(CONTENT_TYPE, body.media_type);
            *request.body_mut() = body.bytes;
        }
        Ok(request)
    }
}

/// The path of `segments`.
fn encode<S: AsRef<str>>(segments: impl IntoIterator<Item = S>) -> Result<String, Error> {
    let mut path = String::new();
    for segment in segments {
        let segment = encode_path_segment(segment.as_ref()).ok_or_else(|| {
            invalid("a segment of a raw request's path must not be empty, `.` or `..`")
        })?;
        path.push('/');
        path.push_str(&segment);
    }
    Ok(path)
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidRequest, message)
}

impl fmt::Debug for RawRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawRequest")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}
