//! Reads 10,000 items in 100 pages from a server that takes 20 ms per page, with and without prefetching.
//!
//! `cargo bench -p upvest-ext --bench pages`. Fails if `prefetch(4)` is not three times as fast.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt;
use http::Request;
use upvest_ext::api::ByteStream;
use upvest_ext::api::runtime::OperationMeta;
use upvest_ext::{BoxFuture, Environment, Error, PaginateExt, Response, Transport, Upvest};

const TOTAL: u64 = 10_000;
const LATENCY: Duration = Duration::from_millis(20);

#[derive(Debug)]
struct Server;

impl Transport for Server {
    fn execute<'a>(
        &'a self,
        request: Request<bytes::Bytes>,
        _: &'a OperationMeta,
    ) -> BoxFuture<'a, Result<Response<ByteStream>, Error>> {
        Box::pin(async move {
            tokio::time::sleep(LATENCY).await;
            let body = if request.uri().path() == "/auth/token" {
                r#"{"access_token":"a-token","expires_in":86400}"#.to_owned()
            } else {
                page(&request)
            };
            Ok(http::Response::new(body.into()).into())
        })
    }
}

fn page(request: &Request<bytes::Bytes>) -> String {
    let mut query = request.uri().query().unwrap().split('&');
    let offset: u64 = query
        .find_map(|pair| pair.strip_prefix("offset="))
        .unwrap()
        .parse()
        .unwrap();
    let orders: Vec<_> = (offset..TOTAL.min(offset + 100))
        .map(|number| {
            format!(r#"{{"id":"00000000-0000-4000-8000-{number:012}","status":"FILLED"}}"#)
        })
        .collect();
    format!(
        r#"{{"data":[{}],"meta":{{"offset":{offset},"total":{TOTAL}}}}}"#,
        orders.join(",")
    )
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (one_by_one, ahead) = runtime.block_on(async {
        let upvest = Upvest::builder(Environment::Custom("http://127.0.0.1:9".parse().unwrap()))
            .credentials("id", "secret")
            .transport(Server)
            .build()
            .unwrap();
        // The first call fetches the token.
        upvest.list_orders().offset(0).send().await.unwrap();
        (read(&upvest, 0).await, read(&upvest, 4).await)
    });
    let ratio = one_by_one.as_secs_f64() / ahead.as_secs_f64();
    println!(
        "one by one {one_by_one:.2?}, prefetch(4) {ahead:.2?}: {ratio:.2} times as fast, 3 wanted"
    );
    if ratio >= 3.0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

async fn read(upvest: &Upvest, prefetch: usize) -> Duration {
    let started = Instant::now();
    let items: Vec<_> = upvest
        .list_orders()
        .prefetch(prefetch)
        .items()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(items.len() as u64, TOTAL);
    started.elapsed()
}
