//! A server on a real socket, for behaviour that only a network has.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use upvest_ext::{Backoff, CallOptions, Environment, RetryPolicy, Upvest, UpvestBuilder};

#[derive(Clone)]
pub struct SocketServer {
    pub address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl SocketServer {
    /// `script` gives what is written before the connection closes; without anything it closes without a response.
    pub async fn start(script: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            requests: Arc::default(),
        };
        let requests = Arc::clone(&server.requests);
        let script = Arc::new(script);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let requests = Arc::clone(&requests);
                let script = Arc::clone(&script);
                tokio::spawn(async move {
                    let request = read(&mut stream).await;
                    requests.lock().unwrap().push(request.clone());
                    if let Some(response) = script(&request) {
                        stream.write_all(response.as_bytes()).await.unwrap();
                    }
                });
            }
        });
        server
    }

    /// The requests that came in, token requests left out.
    pub fn requests(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        requests
            .iter()
            .filter(|request| !request.starts_with("POST /auth/token"))
            .cloned()
            .collect()
    }

    pub fn builder(&self) -> UpvestBuilder {
        builder(self.address)
    }
}

/// A client for `address` that does not wait before it tries again.
pub fn builder(address: SocketAddr) -> UpvestBuilder {
    let url = format!("http://{address}").parse().unwrap();
    let at_once = Backoff::new(Duration::ZERO, Duration::ZERO);
    Upvest::builder(Environment::Custom(url))
        .credentials(super::CLIENT_ID, super::CLIENT_SECRET)
        .defaults(CallOptions::new().retry(RetryPolicy::new().backoff(at_once)))
}

/// The next request of a connection, or nothing at its end.
pub async fn read(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let count = stream.read(&mut chunk).await.unwrap_or(0);
        request.extend_from_slice(&chunk[..count]);
        let text = String::from_utf8_lossy(&request).into_owned();
        if count == 0 {
            return text;
        }
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        if body.len() >= length.unwrap_or(0) {
            return text;
        }
    }
}

/// Answers one request, and then accepts no more connections.
pub async fn serve_once(listener: TcpListener, response: Option<String>) {
    let (mut stream, _) = listener.accept().await.unwrap();
    drop(listener);
    read(&mut stream).await;
    let response = response.unwrap_or_default();
    stream.write_all(response.as_bytes()).await.unwrap();
}

#[expect(clippy::unnecessary_wraps, reason = "what a script returns")]
pub fn http(status: &str, headers: &str, body: &str) -> Option<String> {
    let length = body.len();
    Some(format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}"
    ))
}

pub fn token() -> Option<String> {
    http(
        "200 OK",
        "",
        r#"{"access_token": "socket-token", "expires_in": 1799}"#,
    )
}
