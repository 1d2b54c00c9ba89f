//! The server receives exactly the request that was signed, although the HTTP library adds headers.

use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use axum::Router;
use axum::body::{Body, to_bytes};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Uri};
use upvest_ext::signing::{
    IncomingRequest, KeyAlgorithm, RequestSigner, SignaturePolicy, SigningKey,
};

type Arrived = Arc<Mutex<Option<(Method, Uri, HeaderMap, Bytes)>>>;

async fn serve(arrived: Arrived) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback(move |request: Request<Body>| {
        let arrived = Arc::clone(&arrived);
        async move {
            let (parts, body) = request.into_parts();
            let body = to_bytes(body, 1 << 20).await.unwrap();
            *arrived.lock().unwrap() = Some((parts.method, parts.uri, parts.headers, body));
        }
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

#[tokio::test]
async fn nothing_reaches_the_server_unsigned_except_what_proxies_change() {
    let arrived = Arrived::default();
    let origin = serve(Arc::clone(&arrived)).await;
    let key = SigningKey::generate(KeyAlgorithm::EcdsaP521).unwrap();
    let public = key.public_key().clone();
    let signer = RequestSigner::new("2606a727-e55e-4f72-b47d-323f163acfff", key).unwrap();
    let client = reqwest::Client::builder()
        .user_agent("sdk/1")
        .no_proxy()
        .build()
        .unwrap();

    for (method, target, body) in [
        (
            Method::GET,
            "/users?status=NEW&status=OLD&note=caf%C3%A9",
            None,
        ),
        (Method::GET, "/files/Pr\u{fc}f bericht.zip?redirect=1", None),
        (Method::GET, "/a//b;v=1/%7Ex?", None),
        (
            Method::GET,
            "/instruments/urn:isin:DE0005933931/prices",
            None,
        ),
        (Method::GET, "/files/@!$&'()*+,;=/x", None),
        (Method::POST, "/webhooks/1/test", None),
        (Method::POST, "/orders", Some("{\"name\": \"Zo\u{eb}\"}")),
        (Method::DELETE, "/orders/1", None),
    ] {
        let url = reqwest::Url::parse(&format!("{origin}{target}")).unwrap();
        let request = Request::builder()
            .method(method)
            .uri(url.as_str())
            .header("authorization", "Bearer token");
        let mut request = request.body(Bytes::from(body.unwrap_or_default())).unwrap();
        signer.sign_request(&mut request).await.unwrap();
        let request = reqwest::Request::try_from(request).unwrap();
        assert!(client.execute(request).await.unwrap().status().is_success());

        let (method, uri, headers, body) = arrived.lock().unwrap().take().unwrap();
        let received = IncomingRequest::new(&method, &uri, &headers, &body);
        let claims = SignaturePolicy::requests()
            .claims(&received, SystemTime::now())
            .unwrap();
        assert!(claims[0].is_signed_by(&public), "{target}");
        let base = String::from_utf8_lossy(claims[0].signature_base()).into_owned();
        for name in headers.keys().map(http::HeaderName::as_str) {
            let is_excused = [
                "host",
                "user-agent",
                "accept-encoding",
                "signature",
                "signature-input",
                "upvest-signature-version",
            ]
            .contains(&name);
            assert!(
                is_excused || base.contains(&format!("\"{name}\": ")),
                "{target}: {name} is not covered"
            );
        }
    }
}
