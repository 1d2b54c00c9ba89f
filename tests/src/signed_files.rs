//! Upvest's own way to return a file: a link to another host that works once (`PROTOCOL` 11.4).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;
use upvest_ext::{Environment, Upvest};

/// The content of the file.
pub const CONTENT: &str = "content";

/// A client for a server that has the file `reports/2026.zip`, and says that it has this length and checksum.
///
/// # Panics
///
/// If the server cannot be started.
pub async fn upvest_with_file(length: u64, checksum: &str) -> Upvest {
    let link = format!("{}/2026.zip?signature=secret", storage().await);
    let file = json!({
        "id": "8f3a9a0e-53b5-4a0a-8d0c-0d2f8d8d4a11",
        "signed_url": link,
        "file_name": "2026.zip",
        "content_length": length,
        "checksum": checksum,
    });
    let token = json!({ "access_token": "token", "expires_in": 60, "token_type": "bearer" });
    let app = Router::new()
        .route("/files/reports/2026.zip", get(async move || Json(file)))
        .route("/auth/token", post(async move || Json(token)));
    let url = serve(app).await.parse().expect("it is a URL");
    Upvest::builder(Environment::Custom(url))
        .credentials("client-id", "client-secret")
        .build()
        .expect("the settings are complete")
}

/// Another host. It returns the file once, and rejects requests with headers that are meant for Upvest.
async fn storage() -> String {
    let used = Arc::new(AtomicBool::new(false));
    let file = async move |headers: HeaderMap| {
        let is_for_upvest = headers.keys().any(|name| {
            let name = name.as_str();
            name == "authorization" || name.starts_with("signature") || name.starts_with("upvest")
        });
        if is_for_upvest || used.swap(true, Ordering::SeqCst) {
            return Err(StatusCode::FORBIDDEN);
        }
        Ok(CONTENT)
    };
    serve(Router::new().route("/2026.zip", get(file))).await
}

async fn serve(app: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port is free");
    let address = listener.local_addr().expect("the listener is bound");
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}")
}
