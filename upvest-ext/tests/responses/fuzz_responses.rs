//! Fuzzes responses and paths: no input makes a call panic, hang, or take longer than its length allows.
//!
//! By default each target runs a short while; for longer,
//! `UPVEST_FUZZ_SECONDS=300 cargo test -p upvest-ext --all-features --test responses fuzz_responses`.

use std::future::Future;
use std::sync::{Arc, Mutex};

use crate::fuzz::{fuzz, input, within_its_time};
use arbtest::arbitrary::{Result, Unstructured};
use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{HeaderValue, Request, StatusCode};
use upvest_ext::api::ByteStream;
use upvest_ext::api::runtime::OperationMeta;
use upvest_ext::{
    BoxFuture, CallOptions, Environment, Error, Method, PaginateExt as _, Response, RetryPolicy,
    Transport, Upvest,
};

/// Answers every call with the current response, and token requests with a token.
#[derive(Clone, Debug, Default)]
struct Canned(Arc<Mutex<Script>>);

#[derive(Clone, Debug, Default)]
struct Script {
    status: StatusCode,
    headers: Vec<(&'static str, HeaderValue)>,
    /// The bodies in order. The last one is repeated.
    bodies: Vec<Bytes>,
    asked: usize,
    path: String,
}

impl Transport for Canned {
    fn execute<'a>(
        &'a self,
        request: Request<Bytes>,
        _: &'a OperationMeta,
    ) -> BoxFuture<'a, std::result::Result<Response<ByteStream>, Error>> {
        let mut script = self.0.lock().unwrap();
        let mut response = http::Response::new(ByteStream::from(
            r#"{"access_token": "token", "expires_in": 1799}"#,
        ));
        if request.uri().path() != "/auth/token" {
            let body = script
                .bodies
                .get(script.asked)
                .or(script.bodies.last())
                .cloned()
                .unwrap_or_default();
            script.asked += 1;
            request.uri().path().clone_into(&mut script.path);
            response = http::Response::new(ByteStream::from(body));
            *response.status_mut() = script.status;
            for (name, value) in &script.headers {
                response.headers_mut().insert(*name, value.clone());
            }
        }
        Box::pin(async move { Ok(response.into()) })
    }
}

struct Target {
    runtime: tokio::runtime::Runtime,
    canned: Canned,
    upvest: Upvest,
}

impl Target {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        let canned = Canned::default();
        let entered = runtime.enter();
        let upvest = Upvest::builder(Environment::Custom("http://127.0.0.1:9".parse().unwrap()))
            .credentials(crate::common::CLIENT_ID, crate::common::CLIENT_SECRET)
            .transport(canned.clone())
            .defaults(CallOptions::new().retry(RetryPolicy::new().max_attempts(2)))
            .build()
            .unwrap();
        Self {
            runtime: {
                drop(entered);
                runtime
            },
            canned,
            upvest,
        }
    }

    /// Runs `work` with `script`, which has `size` bytes.
    fn run<T, F: Future<Output = T>>(
        &self,
        script: &Script,
        size: usize,
        work: impl Fn(Upvest) -> F,
    ) -> T {
        within_its_time(size, || {
            *self.canned.0.lock().unwrap() = script.clone();
            self.runtime.block_on(work(self.upvest.clone()))
        })
    }
}

fn status(u: &mut Unstructured<'_>) -> Result<StatusCode> {
    let known = [
        200, 201, 204, 301, 400, 401, 404, 408, 409, 422, 429, 500, 503,
    ];
    let status = if u.ratio(9, 10)? {
        *u.choose(&known)?
    } else {
        u.int_in_range(200..=999)?
    };
    Ok(StatusCode::from_u16(status).unwrap())
}

#[test]
fn fuzz_retry_after() {
    let target = Target::new();
    let seeds = [
        "120",
        "0",
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "18446744073709551615",
        "1e9",
        "-1",
    ]
    .map(|seed| seed.as_bytes().to_vec());
    fuzz(|u| {
        let mut script = Script {
            status: *u.choose(&[
                StatusCode::TOO_MANY_REQUESTS,
                StatusCode::SERVICE_UNAVAILABLE,
            ])?,
            ..Script::default()
        };
        for name in ["retry-after", "date"] {
            if let Ok(value) = HeaderValue::from_bytes(&input(u, &seeds)?) {
                script.headers.push((name, value));
            }
        }
        let size = script.headers.iter().map(|(_, value)| value.len()).sum();
        let error = target.run(&script, size, |upvest| async move {
            upvest.list_orders().send().await.unwrap_err()
        });
        let _ = (error.retry_after(), error.to_string());
        Ok(())
    });
}

#[test]
fn fuzz_problem_bodies() {
    let target = Target::new();
    let seeds = [
        br#"{"type": "https://docs.upvest.co/errors/not_found", "title": "Not Found", "status": 404, "detail": "no", "request_id": "r-1"}"#.to_vec(),
        br#"{"error": "invalid_scope", "error_description": "scope not granted"}"#.to_vec(),
        br#"{"title": {"a": [1, null]}, "status": "404", "details": "x"}"#.to_vec(),
        b"<html><body>502 Bad Gateway</body></html>".to_vec(),
        crate::common::CLIENT_SECRET.as_bytes().to_vec(),
        vec![b'['; 4096],
    ];
    fuzz(|u| {
        let body = input(u, &seeds)?;
        let size = body.len();
        let script = Script {
            status: status(u)?,
            bodies: vec![body.into()],
            ..Script::default()
        };
        let result = target.run(&script, size, |upvest| async move {
            upvest.list_orders().send().await
        });
        if let Err(error) = result {
            let shown = error.to_string();
            assert!(
                shown.chars().count() <= 500 && !shown.contains(char::is_control),
                "{shown:?}"
            );
            assert!(!format!("{error:?}").contains(crate::common::CLIENT_SECRET));
        }
        Ok(())
    });
}

#[test]
fn fuzz_page_metadata() {
    let target = Target::new();
    let seeds = [
        br#"{"data": [], "meta": {"offset": 0, "limit": 20, "count": 0, "total_count": 0}}"#
            .to_vec(),
        br#"{"data": [], "meta": {"offset": 0, "limit": 0, "total": 18446744073709551615}}"#
            .to_vec(),
        br#"{"data": [], "meta": null}"#.to_vec(),
        br#"{"data": []}"#.to_vec(),
        format!(
            r#"{{"data": [{0}, {0}], "meta": {{"offset": 2, "limit": 2, "total_count": 9}}}}"#,
            crate::common::ORDER
        )
        .into_bytes(),
        format!(
            r#"{{"data": [{0}], "meta": {{"limit": 1}}}}"#,
            crate::common::ORDER
        )
        .into_bytes(),
    ];
    fuzz(|u| {
        let mut script = Script {
            status: StatusCode::OK,
            ..Script::default()
        };
        for _ in 0..u.int_in_range(1..=6)? {
            script.bodies.push(input(u, &seeds)?.into());
        }
        let page_size = u.int_in_range(0..=100)?;
        let prefetch = u.int_in_range(0..=4)?;
        let size = script.bodies.iter().map(Bytes::len).sum::<usize>();
        // The most pages of a list: as many as there are different ones, with ten empty ones after each.
        let asked = |pages: usize| 11 * (pages + 1) * (prefetch + 1);
        target.run(
            &script,
            size * asked(script.bodies.len()),
            |upvest| async move {
                let mut items = upvest
                    .list_orders()
                    .page_size(page_size)
                    .prefetch(prefetch)
                    .items();
                while let Some(Ok(_)) = items.next().await {}
            },
        );
        let sent = target.canned.0.lock().unwrap().asked;
        assert!(
            sent <= 2 * asked(script.bodies.len()),
            "{sent} requests for {} pages",
            script.bodies.len()
        );
        Ok(())
    });
}

#[test]
fn fuzz_raw_paths() {
    let target = Target::new();
    let seeds = [
        "/orders/5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11",
        "/orders/../users/42",
        "/a/%2e%2e/b",
        "/a/..%5cb",
        "/%252e%252e/",
        "/a;x=1/..;/b",
        "//",
        "/\u{e9}\u{202e}/%c3%a9",
        "/%00%0d%0a",
    ]
    .map(|seed| seed.as_bytes().to_vec());
    fuzz(|u| {
        let path = String::from_utf8_lossy(&input(u, &seeds)?).into_owned();
        let script = Script {
            status: StatusCode::OK,
            ..Script::default()
        };
        let segment = |upvest: Upvest| {
            let request = upvest.request(Method::GET, ["orders", path.as_str()]);
            async move { request.send().await.is_ok() }
        };
        if target.run(&script, path.len(), segment) {
            let received = target.canned.0.lock().unwrap().path.clone();
            assert!(
                received.starts_with("/orders/") && received.matches('/').count() == 2,
                "{path:?} was sent as {received:?}"
            );
            let is_dots = |segment: &str| {
                let decoded = segment.to_lowercase().replace("%2e", ".");
                matches!(decoded.as_str(), "." | "..")
            };
            assert!(
                !received.split('/').any(is_dots),
                "{path:?} was sent as {received:?}"
            );
        }
        Ok(())
    });
}
