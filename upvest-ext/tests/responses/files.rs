//! Files: written completely or not at all, and nothing but the whole file.

use std::path::Path;
use std::time::Duration;

use crate::common::socket::{self, SocketServer};
use crate::common::{FakeApi, Fate, Reply};
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use upvest_ext::api::ByteStream;
use upvest_ext::api::operations;
use upvest_ext::api::runtime::OperationMeta;
use upvest_ext::api::types::FileId;
use upvest_ext::{
    BoxFuture, CallOptions, Environment, Error, ErrorKind, Method, Response, Transport, Upvest,
};

const CONTENT: &str = "0123456789abcdefghijklmnopqrstuvwxyz";
const SHA256: &str = "74e7e5bb9d22d6db26bf76946d40fff3ea9f0346b884fd0694920fccfad15e33";
const OLD: &str = "the old one";

fn file() -> FileId {
    "5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11".parse().unwrap()
}

#[expect(clippy::unnecessary_wraps, reason = "what a script returns")]
fn answer(status: &str, headers: &str, body: &str) -> Option<String> {
    Some(format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\n{headers}\r\n{body}"
    ))
}

/// A PDF with the content length `length`, of which only `sent` arrives.
fn pdf(length: usize, sent: &str) -> Option<String> {
    answer(
        "200 OK",
        &format!("content-type: application/pdf\r\ncontent-length: {length}\r\n"),
        sent,
    )
}

/// A server that answers token requests, and all other requests by `script`.
async fn server(script: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> SocketServer {
    SocketServer::start(move |request| {
        if request.starts_with("POST /auth/token") {
            socket::token()
        } else {
            script(request)
        }
    })
    .await
}

async fn open(upvest: &Upvest) -> Result<ByteStream, Error> {
    let response = upvest.retrieve_file().file_id(file()).send().await?;
    Ok(response.into_inner())
}

async fn save(upvest: &Upvest, path: &Path) -> Result<u64, Error> {
    open(upvest).await?.write_to(path).await
}

/// The file behind a link, requested without the client.
async fn follow(url: &str) -> Result<ByteStream, Error> {
    ByteStream::from_response(reqwest::get(url).await.unwrap())
}

fn names(folder: &tempfile::TempDir) -> Vec<String> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[tokio::test]
async fn a_file_arrives_whole() {
    let server = server(|_| pdf(36, CONTENT)).await;
    let upvest = server.builder().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("statement.pdf");
    std::fs::write(&path, OLD).unwrap();
    assert_eq!(save(&upvest, &path).await.unwrap(), 36);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), CONTENT);
    assert_eq!(names(&folder), ["statement.pdf"]);
}

#[tokio::test]
async fn a_file_tells_its_length_and_type_before_its_bytes() {
    let server = server(|_| pdf(36, CONTENT)).await;
    let upvest = server.builder().build().unwrap();
    let response = upvest.retrieve_file().file_id(file()).send().await.unwrap();
    assert_eq!(response.length(), Some(36));
    assert_eq!(response.headers()["content-type"], "application/pdf");
    let bytes: Vec<_> = response.into_inner().try_collect().await.unwrap();
    assert_eq!(bytes.concat(), CONTENT.as_bytes());
}

#[tokio::test]
async fn a_download_that_fails_leaves_no_file_and_replaces_none() {
    let failures: [fn() -> Option<String>; 4] = [
        || pdf(36, &CONTENT[..20]),
        || socket::http("404 Not Found", "", "{}"),
        || {
            answer(
                "200 OK",
                "content-type: text/html\r\n",
                "<html>the link has expired",
            )
        },
        || {
            answer(
                "200 OK",
                "content-type: application/pdf\r\ntransfer-encoding: chunked\r\n",
                "a\r\n0123",
            )
        },
    ];
    for failure in failures {
        let upvest = server(move |_| failure()).await.builder().build().unwrap();
        assert_nothing_is_written(&upvest).await;
    }
}

/// Asserts that saving the file fails, and that neither a new nor an existing file is written.
async fn assert_nothing_is_written(upvest: &Upvest) -> Error {
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("old.pdf");
    std::fs::write(&old, OLD).unwrap();
    let new = folder.path().join("new.pdf");
    let first = save(upvest, &new).await.unwrap_err();
    let second = save(upvest, &old).await.unwrap_err();
    assert_eq!(first.kind(), second.kind());
    assert_eq!(names(&folder), ["old.pdf"]);
    assert_eq!(std::fs::read_to_string(&old).unwrap(), OLD);
    first
}

#[tokio::test]
async fn nothing_but_the_whole_file_is_accepted_as_the_file() {
    let parts = [
        (
            "206 Partial Content",
            "content-range: bytes 0-9/36",
            "a part of the file",
        ),
        (
            "206 Partial Content",
            "content-range: bytes 0-35/36",
            "a part of the file",
        ),
        ("206 Partial Content", "etag: \"1\"", "a part of the file"),
        ("200 OK", "content-range: bytes 0-9/36", "content-range"),
        ("200 OK", "content-range: bytes 0-9/*", "content-range"),
        ("200 OK", "content-encoding: gzip", "compressed as `gzip`"),
        (
            "200 OK",
            "content-encoding: br, gzip",
            "compressed as `another encoding`",
        ),
    ];
    for (status, header, reason) in parts {
        let headers =
            format!("content-type: application/pdf\r\ncontent-length: 10\r\n{header}\r\n");
        let script = move |_: &str| answer(status, &headers, &CONTENT[..10]);
        let server = server(script).await;
        let upvest = server.builder().build().unwrap();
        let error = assert_nothing_is_written(&upvest).await;
        assert_eq!(error.kind(), ErrorKind::Decode, "{header}");
        assert!(error.to_string().contains(reason), "{error}");
        assert!(open(&upvest).await.is_err(), "{header}");
        let link = format!("http://{}/file", server.address);
        assert!(follow(&link).await.is_err(), "{header}");
    }
}

#[tokio::test]
async fn a_success_without_a_file_is_not_an_empty_file() {
    for status in ["202 Accepted", "204 No Content", "205 Reset Content"] {
        let upvest = server(move |_| answer(status, "", ""))
            .await
            .builder()
            .build()
            .unwrap();
        let error = assert_nothing_is_written(&upvest).await;
        assert_eq!(error.kind(), ErrorKind::Decode, "{status}: {error}");
    }
}

#[tokio::test]
async fn a_file_that_is_longer_than_its_link_says_is_not_read_to_its_end() {
    let endless = futures_util::stream::repeat_with(|| Ok(Bytes::from_static(&[0; 1024])));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.zip");
    let written = ByteStream::new(endless).write_to_checked(&path, 1_000_000, SHA256);
    let error = written.await.unwrap_err();
    assert!(
        error.to_string().contains("more than 1000000 bytes"),
        "{error}"
    );
    assert!(names(&folder).is_empty());
}

#[tokio::test]
async fn a_whole_file_is_accepted_with_each_header_for_its_length() {
    let lengths = [
        "content-length: 36",
        "content-length: 36\r\ncontent-range: bytes 0-35/36",
        "content-length: 36\r\ncontent-encoding: identity",
        "accept-ranges: bytes",
    ];
    for header in lengths {
        let headers = format!("content-type: application/pdf\r\n{header}\r\n");
        let upvest = server(move |_| answer("200 OK", &headers, CONTENT))
            .await
            .builder()
            .build()
            .unwrap();
        let file = open(&upvest).await.unwrap();
        assert_eq!(file.bytes().await.unwrap(), CONTENT, "{header}");
    }
}

#[tokio::test]
async fn compression_is_not_requested_for_a_file() {
    let server = server(|_| pdf(36, CONTENT)).await;
    let upvest = server.builder().build().unwrap();
    open(&upvest).await.unwrap();
    assert!(server.requests()[0].contains("accept-encoding: identity"));
}

#[tokio::test]
async fn fewer_or_more_bytes_than_announced_are_an_error_for_every_reader() {
    for announced in ["35", "37", "0"] {
        let api = FakeApi::new(move |_, _| {
            let mut reply = Reply::new(200, CONTENT);
            reply.content_type = "application/pdf";
            reply.headers.push(("content-length", announced.to_owned()));
            reply
        });
        let upvest = api.client();
        assert_nothing_is_written(&upvest).await;
        let error = open(&upvest).await.unwrap().bytes().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Interrupted);
        let expected = format!("received 36 of {announced} bytes");
        assert!(error.to_string().contains(&expected), "{error}");
    }
}

#[tokio::test]
async fn a_file_is_compared_with_the_length_and_checksum_of_its_link() {
    let store =
        SocketServer::start(|_| answer("200 OK", "content-type: application/zip\r\n", CONTENT))
            .await;
    let link = format!("http://{}/bucket/file?sig=secret", store.address);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.zip");
    std::fs::write(&path, OLD).unwrap();
    let other = SHA256.replace('7', "8");
    let wrong = [
        (35, SHA256, ErrorKind::Decode),
        (36, other.as_str(), ErrorKind::Decode),
        (36, "74e7", ErrorKind::InvalidRequest),
        (36, "", ErrorKind::InvalidRequest),
    ];
    for (length, sha256, kind) in wrong {
        let file = follow(&link).await.unwrap();
        let error = file
            .write_to_checked(&path, length, sha256)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), kind);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), OLD);
    }
    for sha256 in [SHA256.to_owned(), SHA256.to_uppercase()] {
        let file = follow(&link).await.unwrap();
        file.write_to_checked(&path, 36, &sha256).await.unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), CONTENT);
    assert_eq!(names(&folder), ["file.zip"]);
}

#[tokio::test]
async fn an_error_of_a_link_does_not_contain_the_link() {
    for status in [
        "403 Forbidden",
        "404 Not Found",
        "500 Internal Server Error",
        "206 Partial Content",
    ] {
        let store = SocketServer::start(move |_| answer(status, "", "gone")).await;
        let link = format!("http://{}/bucket/file?sig=secret", store.address);
        let error = follow(&link).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("secret"));
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_its_target_not_shown() {
    let store = SocketServer::start(|_| pdf(36, CONTENT)).await;
    let location = format!("location: http://{}/file?sig=secret\r\n", store.address);
    let api = server(move |_| answer("302 Found", &location, "")).await;
    let error = open(&api.builder().build().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedStatus);
    assert!(!format!("{error} {error:?}").contains("secret"));
    assert!(store.requests().is_empty());
}

#[tokio::test]
async fn a_download_that_is_dropped_leaves_nothing() {
    let api = FakeApi::new(|_, _| Reply::fate(Fate::Silence));
    let folder = tempfile::tempdir().unwrap();
    let upvest = api.client();
    let path = folder.path().join("new.pdf");
    let download = save(&upvest, &path);
    assert!(
        tokio::time::timeout(Duration::from_millis(1), download)
            .await
            .is_err()
    );
    let endless = ByteStream::new(futures_util::stream::pending());
    let download = endless.write_to(&path);
    assert!(
        tokio::time::timeout(Duration::from_millis(1), download)
            .await
            .is_err()
    );
    assert!(names(&folder).is_empty());
}

#[tokio::test]
async fn a_path_that_cannot_be_written_is_an_io_error() {
    let folder = tempfile::tempdir().unwrap();
    for path in [
        folder.path().join("missing/file"),
        folder.path().join(".."),
        "".into(),
    ] {
        let error = ByteStream::from(CONTENT).write_to(&path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io, "{}", path.display());
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_downloaded_file_can_be_read_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("statement.pdf");
    ByteStream::from(CONTENT).write_to(&path).await.unwrap();
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[tokio::test]
async fn a_download_has_no_limit() {
    let api = FakeApi::new(|_, _| {
        let mut reply = Reply::fate(Fate::Huge);
        reply.content_type = "application/pdf";
        reply
    });
    let mut file = open(&api.client()).await.unwrap();
    let mut length = 0;
    while let Some(chunk) = file.try_next().await.unwrap() {
        length += chunk.len();
    }
    assert_eq!(length, 200 * 1024 * 1024);
}

#[tokio::test(start_paused = true)]
async fn a_body_may_take_any_time_while_bytes_arrive() {
    let chunks = stream::iter(0..5).then(async |_| {
        tokio::time::sleep(Duration::from_secs(19)).await;
        Ok(Bytes::from_static(b"abcd"))
    });
    let body = ByteStream::new(chunks).bytes().await;
    assert_eq!(body.unwrap(), "abcd".repeat(5));
}

#[tokio::test(start_paused = true)]
async fn a_download_of_which_nothing_comes_any_more_is_given_up() {
    #[derive(Debug)]
    struct Stalls;
    impl Transport for Stalls {
        fn execute<'a>(
            &'a self,
            request: http::Request<Bytes>,
            _: &'a OperationMeta,
        ) -> BoxFuture<'a, Result<Response<ByteStream>, Error>> {
            let body = if request.uri().path() == "/auth/token" {
                ByteStream::from(r#"{"access_token": "token", "expires_in": 1799}"#)
            } else {
                let first = stream::iter([Ok("0123".into())]);
                ByteStream::new(first.chain(stream::pending()))
            };
            Box::pin(async move { Ok(http::Response::new(body).into()) })
        }
    }
    let upvest = Upvest::builder(Environment::Custom("http://127.0.0.1:9".parse().unwrap()))
        .credentials("id", "secret")
        .transport(Stalls)
        .build()
        .unwrap();
    let started = tokio::time::Instant::now();
    let options = CallOptions::new().attempt_timeout(Duration::from_secs(7));
    let file = open(&upvest.with(options)).await.unwrap();
    let error = file.bytes().await.unwrap_err();
    assert_eq!(started.elapsed(), Duration::from_secs(7));
    assert!(error.is_timeout());
    assert_eq!(error.operation(), Some("retrieveFile"));
    assert_eq!(error.position(), Some(4));
    assert_eq!(error.elapsed(), Some(Duration::from_secs(7)));
}

/// Reads a file to its end in each way, and returns the errors.
async fn read_in_each_way(upvest: &Upvest) -> Vec<Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let mut chunks = open(upvest).await.unwrap();
    let streamed = async {
        while chunks.try_next().await?.is_some() {}
        Ok::<_, Error>(())
    };
    let checked = open(upvest).await.unwrap();
    let errors = [
        streamed.await.err(),
        open(upvest).await.unwrap().bytes().await.err(),
        save(upvest, &path).await.err(),
        checked.write_to_checked(&path, 36, SHA256).await.err(),
    ];
    errors.into_iter().map(Option::unwrap).collect()
}

/// Asserts that an error about a body has all facts of the call that returned it.
fn assert_has_facts(error: &Error, operation: &str, position: u64) {
    assert_eq!(error.operation(), Some(operation), "{error}");
    assert_eq!(error.request_id(), Some("request-1"), "{error}");
    assert_eq!(error.status().map(|status| status.as_u16()), Some(200));
    assert_eq!(error.attempts(), 2);
    assert_eq!(error.position(), Some(position), "{error}");
    assert!(error.elapsed().is_some());
    assert!(error.hint().is_some(), "{error}");
    let start = format!("{operation}: 200 OK, but {} (request ", error.message());
    assert!(error.to_string().starts_with(&start), "{error}");
}

/// A server that fails the first attempt of each call, and then sends `reply` as a file.
fn file_api(reply: Reply) -> FakeApi {
    let reply = reply.content_type("application/pdf");
    let reply = reply.header("upvest-request-id", "request-1");
    FakeApi::new(move |_, n| match n % 2 {
        0 => Reply::status(503),
        _ => reply.clone(),
    })
}

#[tokio::test(start_paused = true)]
async fn an_error_of_each_reader_of_a_file_has_the_facts_of_its_call() {
    let short = Reply::new(200, CONTENT).header("content-length", "37");
    let broken = Reply {
        fate: Fate::BrokenBody,
        ..Reply::new(200, CONTENT)
    };
    for (reply, position) in [(short, 36), (broken, 4)] {
        let api = file_api(reply);
        let errors = read_in_each_way(&api.client()).await;
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::Interrupted, "{error}");
            assert_has_facts(&error, "retrieveFile", position);
            let hint = error.hint().unwrap();
            assert!(hint.contains("call the operation again"), "{hint}");
            assert!(error.is_transient() && !error.is_outcome_unknown());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_not_the_expected_one_has_the_facts_of_its_call() {
    let api = file_api(Reply::new(200, CONTENT));
    let upvest = api.client();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let other = SHA256.replace('7', "8");
    for (length, sha256) in [(35, SHA256), (37, SHA256), (36, &other)] {
        let file = open(&upvest).await.unwrap();
        let written = file.write_to_checked(&path, length, sha256).await;
        let error = written.unwrap_err();
        assert_has_facts(&error, "retrieveFile", 36);
        assert!(error.hint().unwrap().contains("checksum"), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_with_a_local_cause_does_not_advise_to_repeat_the_call() {
    let api = file_api(Reply::new(200, CONTENT));
    let upvest = api.client();
    let folder = tempfile::tempdir().unwrap();
    let file = open(&upvest).await.unwrap();
    let path = folder.path().join("file");
    let written = file.write_to_checked(&path, 36, "no checksum").await;
    let error = written.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert_eq!(error.hint(), None);
    for path in [&folder.path().join("missing/file"), folder.path()] {
        let error = save(&upvest, path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert_eq!(error.operation(), Some("retrieveFile"));
        assert_eq!(error.position(), None);
        assert_eq!(error.hint(), None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_beyond_a_limit_has_the_facts_of_its_call() {
    let api = file_api(Reply::fate(Fate::Huge));
    let file = open(&api.client()).await.unwrap();
    let error = file.bytes_within(1_500_000).await.unwrap_err();
    assert_has_facts(&error, "retrieveFile", 2 * 1024 * 1024);
    assert!(error.hint().unwrap().contains("stream"), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn the_body_of_a_raw_request_has_the_facts_of_its_call() {
    let api = file_api(Reply {
        fate: Fate::BrokenBody,
        ..Reply::new(200, CONTENT)
    });
    let request = || {
        let request = api.client().request(Method::GET, ["files"]);
        request.for_operation(&operations::RETRIEVE_FILE)
    };
    let error = request().send().await.unwrap_err();
    assert_has_facts(&error, "retrieveFile", 4);
    let mut stream = request().send_stream().await.unwrap().into_inner();
    stream.try_next().await.unwrap();
    let error = stream.try_next().await.unwrap_err();
    assert_has_facts(&error, "retrieveFile", 4);
}

#[tokio::test(start_paused = true)]
async fn a_truncated_list_gives_an_error_with_a_request_id_alone() {
    let api = FakeApi::new(|_, _| {
        let reply = Reply::fate(Fate::BrokenBody);
        reply.header("upvest-request-id", "request-1")
    });
    let error = api.client().list_orders().send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert_eq!(error.operation(), Some("listOrders"));
    assert_eq!(error.request_id(), Some("request-1"));
    assert_eq!(
        error.position(),
        None,
        "an index could be mistaken for that of an item of the list"
    );
    assert!(error.is_transient());
    assert_eq!(api.api_calls(), 4);
}
