//! A server in the process of a test, for tests with many clients.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::json;
use tokio::sync::Notify;

const SECOND: Duration = Duration::from_secs(1);

/// A server that issues tokens and answers calls.
#[derive(Debug, Default)]
pub struct Api {
    /// Whether the first token request gets no answer.
    pub ignores_first: bool,
    /// The lifetime of tokens in seconds.
    pub token_life: u64,
    /// A token that is rejected.
    pub revoked: Mutex<Option<&'static str>>,
    /// The limit on calls per second of its clock.
    pub limit: Option<usize>,
    /// The requests so far; [`Api::seen`] locks them.
    pub seen: Mutex<Seen>,
    /// Notified of each token request.
    pub token_asked: Notify,
}

/// What has come so far.
#[derive(Debug, Default)]
pub struct Seen {
    /// The clients that requested tokens, and when.
    pub tokens: Vec<(String, Instant)>,
    window: Option<(Instant, usize)>,
    /// Calls that were answered.
    pub answered: usize,
    /// Calls that exceeded the limit.
    pub refused: usize,
}

impl Api {
    /// Starts it on a free port, and returns its URL too.
    ///
    /// # Errors
    ///
    /// If there is no free port.
    pub async fn start(self) -> Result<(Arc<Self>, String)> {
        let api = Arc::new(self);
        let app = axum::Router::new()
            .route("/auth/token", post(Self::token))
            .route("/orders", get(Self::orders))
            .with_state(Arc::clone(&api));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok((api, url))
    }

    async fn token(State(api): State<Arc<Self>>, headers: HeaderMap) -> Response {
        let agent = name(&headers).to_owned();
        let number = {
            let mut seen = api.seen();
            seen.tokens.push((agent, Instant::now()));
            seen.tokens.len()
        };
        api.token_asked.notify_one();
        if api.ignores_first && number == 1 {
            std::future::pending::<()>().await;
        }
        answer(&json!({"access_token": format!("token-{number}"), "expires_in": api.token_life}))
    }

    #[expect(clippy::unused_async, reason = "handlers are asynchronous")]
    async fn orders(State(api): State<Arc<Self>>, headers: HeaderMap) -> Response {
        let revoked = *api.revoked.lock().unwrap_or_else(PoisonError::into_inner);
        let token = headers
            .get("authorization")
            .and_then(|token| token.to_str().ok())
            .unwrap_or_default();
        if revoked.is_some_and(|revoked| token.ends_with(revoked)) {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        let mut seen = api.seen();
        if let Some(limit) = api.limit {
            let now = Instant::now();
            let (start, count) = seen.window.unwrap_or((now, 0));
            let passed = u32::try_from(now.duration_since(start).as_secs()).unwrap_or(u32::MAX);
            let (start, count) = if passed > 0 {
                (start + SECOND * passed, 0)
            } else {
                (start, count)
            };
            seen.window = Some((start, count + 1));
            if count >= limit {
                seen.refused += 1;
                return StatusCode::TOO_MANY_REQUESTS.into_response();
            }
        }
        seen.answered += 1;
        answer(
            &json!({"meta": {"offset": 0, "limit": 100, "count": 0, "total_count": 0}, "data": []}),
        )
    }

    /// What has come so far.
    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name of a client.
fn name(headers: &HeaderMap) -> &str {
    let agent = headers
        .get("user-agent")
        .and_then(|agent| agent.to_str().ok())
        .unwrap_or_default();
    agent.split(' ').next().unwrap_or_default()
}

fn answer(json: &serde_json::Value) -> Response {
    ([("content-type", "application/json")], json.to_string()).into_response()
}
