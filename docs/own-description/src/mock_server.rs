//! A mock server with the parts of the API that both descriptions have.

use std::time::SystemTime;

use serde_json::{Value, json};
use upvest_ext::api::http::Uri;
use upvest_ext::signing::{IncomingRequest, PublicKey, SignaturePolicy, SigningKey};
use wiremock::matchers::{method, path, query_param};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

/// The id of the one order.
pub const ORDER_ID: &str = "2e2b5f0c-6d1f-4a8e-9d0e-0b7c1b0a4f55";

/// Starts a server that accepts only orders with an idempotency key and a valid signature, fills them after the first
/// look, and has three instruments.
pub async fn start(
    key: &SigningKey,
    order: fn(status: &str) -> Value,
    instrument: fn(isin: &str) -> Value,
) -> MockServer {
    let server = MockServer::start().await;
    let public_key = key.public_key().clone();
    let token = json!({ "access_token": "token", "token_type": "Bearer", "expires_in": 86400, "scope": "" });
    let page = |offset: u64, isins: &[&str]| {
        let items: Vec<Value> = isins.iter().map(|isin| instrument(isin)).collect();
        let meta = json!({ "offset": offset, "limit": 2, "count": items.len(), "total_count": 3 });
        response(200, json!({ "meta": meta, "data": items }))
    };
    let order_path = format!("/orders/{ORDER_ID}");
    let mocks = [
        Mock::given(method("POST"))
            .and(path("/auth/token"))
            .respond_with(response(200, token))
            .expect(1),
        Mock::given(method("POST"))
            .and(path("/orders"))
            .and(move |request: &Request| is_signed(request, &public_key))
            .and(|request: &Request| request.headers.contains_key("idempotency-key"))
            .respond_with(response(202, order("NEW"))),
        Mock::given(method("GET"))
            .and(path(order_path.clone()))
            .respond_with(response(200, order("PROCESSING")))
            .up_to_n_times(1),
        Mock::given(method("GET"))
            .and(path(order_path))
            .respond_with(response(200, order("FILLED"))),
        Mock::given(method("GET"))
            .and(path("/instruments"))
            .and(query_param("offset", "0"))
            .respond_with(page(0, &["IE00B3XXRP09", "IE00B4L5Y983"])),
        Mock::given(method("GET"))
            .and(path("/instruments"))
            .and(query_param("offset", "2"))
            .respond_with(page(2, &["DE0007164600"])),
    ];
    for mock in mocks {
        server.register(mock).await;
    }
    server
}

fn response(status: u16, body: Value) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(body)
}

fn is_signed(request: &Request, key: &PublicKey) -> bool {
    let target: Uri = request.url.path().parse().expect("a path is a URI");
    let received = IncomingRequest::new(&request.method, &target, &request.headers, &request.body);
    let claims = SignaturePolicy::requests().claims(&received, SystemTime::now());
    claims.is_ok_and(|claims| claims.iter().any(|claim| claim.is_signed_by(key)))
}

/// The scopes of the token request.
pub async fn requested_scopes(server: &MockServer) -> Vec<String> {
    let requests = server.received_requests().await.unwrap_or_default();
    let token_request = requests
        .iter()
        .find(|request| request.url.path() == "/auth/token")
        .expect("a client asks for a token first");
    // The body is a form, in which the query of a URL has the same format.
    let mut url = token_request.url.clone();
    url.set_query(std::str::from_utf8(&token_request.body).ok());
    let scopes = url.query_pairs().find(|(name, _)| name == "scope");
    let scopes = scopes.map(|(_, scopes)| scopes.into_owned());
    let scopes = scopes.unwrap_or_default();
    scopes.split(' ').map(str::to_owned).collect()
}
