//! A local proxy that adds token and signature, for curl, Postman, and programs in other languages:
//! `cargo example signing_proxy`, then `curl http://127.0.0.1:8088/orders`.
//!
//! The settings come from the environment, as for `Upvest::from_env`. Programs on this machine use the proxy as your
//! client; web pages are rejected. Bodies of requests have at most 10 MiB, and files are passed on as they arrive.

use std::net::Ipv4Addr;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use clap::Parser;
use percent_encoding::percent_decode_str;
use serde_json::json;
use upvest_ext::api::{Client, runtime::GeneratedClient, runtime::OperationMeta};
use upvest_ext::signing::explain_signature;
use upvest_ext::{BoxFuture, ByteStream, CallOptions, Error, ErrorKind, HttpTransport, Transport};
use upvest_ext::{IdempotencyKey, UpvestBuilderFor, UpvestFor};

/// Adds token and signature to requests from this machine.
#[derive(Parser)]
struct Flags {
    /// Port on 127.0.0.1; 0 for a free one.
    #[arg(long, default_value_t = 8088)]
    port: u16,
    /// Print what is signed. Secrets are masked, but URLs can contain personal data.
    #[arg(long)]
    explain: bool,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let flags = Flags::parse();
    let mut builder = UpvestBuilderFor::<Client>::from_env();
    if flags.explain {
        // The proxy settings of the environment are ignored, as a proxy could not reach a server on this machine.
        let transport = HttpTransport::new(|| HttpTransport::settings().no_proxy().build())?;
        builder = builder.transport(ExplainingTransport(transport));
    }
    let app = Router::new().fallback(forward::<Client>);
    let app = app.with_state(builder.build()?);
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, flags.port)).await?;
    println!("signs requests to http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

/// Prints the signed parts of each request before it sends the request.
#[derive(Debug)]
struct ExplainingTransport(HttpTransport);

impl Transport for ExplainingTransport {
    fn execute<'a>(
        &'a self,
        request: axum::http::Request<Bytes>,
        operation: &'a OperationMeta,
    ) -> BoxFuture<'a, Result<upvest_ext::Response<ByteStream>, Error>> {
        if let Ok(explanation) = explain_signature(&request) {
            println!("{}: {explanation}\n", operation.id);
        }
        self.0.execute(request, operation)
    }
}

async fn forward<C: GeneratedClient>(upvest: State<UpvestFor<C>>, request: Request) -> Response {
    match send(&upvest, request).await {
        Ok(response) => {
            let (body, headers, metadata) = response.into_parts();
            (metadata.status, headers, Body::from_stream(body)).into_response()
        }
        Err(error) => failure(&error),
    }
}

async fn send<C: GeneratedClient>(
    upvest: &UpvestFor<C>,
    request: Request,
) -> Result<upvest_ext::Response<ByteStream>, Error> {
    let (mut parts, body) = request.into_parts();
    check_sender(&parts.headers)?;
    let body = to_bytes(body, 10 * 1024 * 1024).await;
    let body = body.map_err(|_| rejected(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long"))?;
    let segments = parts.uri.path().trim_start_matches('/').split('/');
    let segments = segments.map(|segment| percent_decode_str(segment).decode_utf8_lossy());
    let segments: Vec<_> = segments.collect();

    let mut call = upvest.request(parts.method.clone(), &segments);
    for (name, value) in form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()) {
        call = call.query(&name, value);
    }
    // The operation knows whether it takes an idempotency key. Of two paths that match, the one without a variable.
    let operations = C::OPERATIONS.iter();
    let matching = operations.filter(|it| it.matches(&parts.method, &segments));
    if let Some(operation) = matching.min_by_key(|it| it.path.matches('{').count()) {
        call = call.for_operation(operation);
    }
    if let Some(key) = parts.headers.get("idempotency-key") {
        let key: IdempotencyKey = key.to_str().unwrap_or_default().parse()?;
        call = call.idempotency_key(key);
    }
    if !body.is_empty() {
        let json = HeaderValue::from_static("application/json");
        let media_type = parts.headers.get(header::CONTENT_TYPE).unwrap_or(&json);
        call = call.body(media_type.clone(), body);
    }
    // Cookies are those of other servers on this machine. curl accepts anything, the operation what it returns.
    parts.headers.remove(header::COOKIE);
    parts.headers.remove(header::ACCEPT);
    let options = CallOptions::new().forward(&parts.headers);
    call.options(options).send_stream().await
}

/// A browser names the page in `origin`. A page that lets its name lead to this machine has that name in `host`.
fn check_sender(headers: &HeaderMap) -> Result<(), Error> {
    let host = headers
        .get(header::HOST)
        .map_or("", |host| host.to_str().unwrap_or_default());
    let name = host.split(':').next();
    if matches!(name, Some("127.0.0.1" | "localhost")) && !headers.contains_key(header::ORIGIN) {
        return Ok(());
    }
    Err(rejected(StatusCode::FORBIDDEN, "web pages are rejected"))
}

fn rejected(status: StatusCode, message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidRequest, message).with_status(status)
}

/// The problem document of the server, or one like it, with what the SDK knows.
fn failure(error: &Error) -> Response {
    let status = match (error.status(), error.kind()) {
        (Some(status), _) if status.as_u16() >= 400 => status,
        (_, ErrorKind::InvalidRequest) => StatusCode::BAD_REQUEST,
        (_, ErrorKind::Timeout) => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::BAD_GATEWAY,
    };
    let mut problem = json!(error.problem());
    if problem.is_null() {
        problem = json!({ "status": status.as_u16(), "title": error.to_string() });
    }
    problem["hint"] = json!(error.hint());
    problem["idempotency_key"] = json!(error.idempotency_key());
    problem["may_have_been_carried_out"] = json!(error.is_outcome_unknown());
    let media_type = [(header::CONTENT_TYPE, "application/problem+json")];
    (status, media_type, problem.to_string()).into_response()
}
