//! Downloads.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::common::socket::{self, SocketServer};
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use upvest_ext::api::ByteStream;
use upvest_ext::api::types::FileId;
use upvest_ext::{BoxFuture, Environment, ErrorKind, Upvest};
use upvest_ext::{HttpSend, SendError};

const CONTENT: &str = "0123456789abcdefghijklmnopqrstuvwxyz";

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
    std::fs::write(&path, "the old one").unwrap();
    let downloaded = upvest
        .download(upvest.retrieve_file().file_id(file()))
        .to_path(&path)
        .await
        .unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), CONTENT);
    assert_eq!(
        (downloaded.length, downloaded.content_type.as_deref()),
        (36, Some("application/pdf"))
    );
    assert_eq!(names(&folder), ["statement.pdf"]);
}

#[tokio::test]
async fn an_open_file_tells_its_length_and_type_before_its_bytes() {
    let server = server(|_| pdf(36, CONTENT)).await;
    let upvest = server.builder().build().unwrap();
    let file = upvest
        .download(upvest.retrieve_file().file_id(file()))
        .open()
        .await
        .unwrap();
    assert_eq!(
        (file.length(), file.content_type()),
        (Some(36), Some("application/pdf"))
    );
    let bytes: Vec<_> = file.try_collect().await.unwrap();
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
        let folder = tempfile::tempdir().unwrap();
        let (new, old) = (folder.path().join("new.pdf"), folder.path().join("old.pdf"));
        std::fs::write(&old, "the old one").unwrap();
        for path in [&new, &old] {
            let error = upvest
                .download(upvest.retrieve_file().file_id(file()))
                .to_path(path)
                .await
                .unwrap_err();
            assert!(!error.to_string().is_empty());
        }
        assert_eq!(names(&folder), ["old.pdf"]);
        assert_eq!(std::fs::read_to_string(&old).unwrap(), "the old one");
    }
}

#[tokio::test]
async fn a_download_that_is_dropped_leaves_nothing() {
    let api = crate::common::FakeApi::new(|_, _| {
        crate::common::Reply::fate(crate::common::Fate::Silence)
    });
    let folder = tempfile::tempdir().unwrap();
    let upvest = api.client();
    let download = upvest
        .download(upvest.retrieve_file().file_id(file()))
        .to_path(folder.path().join("new.pdf"));
    assert!(
        tokio::time::timeout(Duration::from_millis(1), download)
            .await
            .is_err()
    );
    assert!(names(&folder).is_empty());
}

#[tokio::test]
async fn the_second_host_of_a_redirect_sees_none_of_our_headers() {
    let store =
        SocketServer::start(|_| answer("200 OK", "content-type: application/zip\r\n", CONTENT))
            .await;
    let location = format!(
        "location: http://{}/bucket/file?sig=secret\r\n",
        store.address
    );
    let api = server(move |_| answer("302 Found", &location, "")).await;
    let upvest = api.builder().build().unwrap();
    let mut bytes = Vec::new();
    upvest
        .download(upvest.retrieve_file().file_id(file()))
        .to_writer(&mut bytes)
        .await
        .unwrap();
    assert_eq!(bytes, CONTENT.as_bytes());
    assert!(api.requests()[0].contains("authorization: Bearer socket-token"));
    let seen = store.requests().join("\n").to_lowercase();
    assert!(seen.starts_with("get /bucket/file?sig=secret"));
    for header in [
        "authorization",
        "signature",
        "signature-input",
        "upvest-client-id",
        "upvest-api-version",
        "idempotency-key",
        "socket-token",
        crate::common::CLIENT_ID,
        "upvest",
    ] {
        assert!(!seen.contains(header), "{header} in {seen}");
    }
}

#[tokio::test]
async fn a_host_that_leads_back_to_the_api_gets_nothing_signed() {
    let home = Arc::new(Mutex::new(String::new()));
    let back = Arc::clone(&home);
    let store = SocketServer::start(move |_| {
        answer(
            "302 Found",
            &format!("location: http://{}/orders\r\n", back.lock().unwrap()),
            "",
        )
    })
    .await;
    let location = format!("location: http://{}/\r\n", store.address);
    let api = server(move |request| {
        if request.starts_with("GET /files") {
            answer("302 Found", &location, "")
        } else {
            pdf(36, CONTENT)
        }
    })
    .await;
    *home.lock().unwrap() = api.address.to_string();
    let upvest = api.builder().build().unwrap();
    upvest
        .download(upvest.retrieve_file().file_id(file()))
        .to_writer(&mut Vec::new())
        .await
        .unwrap();
    let requests = api.requests();
    assert!(requests[0].contains("authorization:"));
    assert!(requests[1].starts_with("GET /orders"));
    assert!(!requests[1].contains("authorization:"));
}

#[tokio::test]
async fn redirects_without_end_are_an_error() {
    let api = server(|_| answer("302 Found", "location: /files/again\r\n", "")).await;
    let upvest = api.builder().build().unwrap();
    let error = upvest
        .download(upvest.retrieve_file().file_id(file()))
        .to_writer(&mut Vec::new())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedStatus);
    assert!(api.requests().len() <= 6);
}

#[tokio::test]
async fn a_server_killed_in_the_middle_of_a_download_leaves_the_position_and_resuming_gives_the_rest()
 {
    // One server supports ranges, and the other sends the whole file again.
    for knows_ranges in [true, false] {
        let api = server(move |request| match request.lines().find_map(|line| line.strip_prefix("range: bytes=")) {
            Some(range) if knows_ranges => {
                let from: usize = range.trim_end_matches('-').parse().unwrap();
                let rest = &CONTENT[from..];
                let headers = format!(
                    "content-type: application/pdf\r\ncontent-range: bytes {from}-35/36\r\ncontent-length: {}\r\n",
                    rest.len()
                );
                answer("206 Partial Content", &headers, rest)
            }
            Some(_) => pdf(36, CONTENT),
            None => pdf(36, &CONTENT[..20]),
        })
        .await;
        let upvest = api.builder().build().unwrap();
        let mut bytes = Vec::new();
        let error = upvest
            .download(upvest.retrieve_file().file_id(file()))
            .to_writer(&mut bytes)
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.position()),
            (ErrorKind::Interrupted, Some(20)),
            "{error:?}"
        );
        assert_eq!(bytes.len(), 20);
        let resumed = upvest
            .download(upvest.retrieve_file().file_id(file()))
            .resume_at(20)
            .to_writer(&mut bytes)
            .await
            .unwrap();
        assert_eq!((bytes.as_slice(), resumed.length), (CONTENT.as_bytes(), 36));
    }
}

#[tokio::test]
async fn a_file_that_changes_in_the_middle_of_a_download_is_not_spliced() {
    // The later version has other bytes, and another tag, or another date if there is no tag.
    let versions = [
        ("etag: \"1\"", "etag: \"2\""),
        (
            "last-modified: Sun, 06 Nov 1994 08:49:37 GMT",
            "last-modified: Sun, 06 Nov 1994 08:49:38 GMT",
        ),
    ];
    for (old, new) in versions {
        for (heeds_if_range, knows_ranges, changes) in [
            (true, true, true),
            (false, true, true),
            (false, false, true),
            (true, true, false),
            (false, false, false),
        ] {
            let api = server(move |request| {
                let range = request.lines().find_map(|line| line.strip_prefix("range: bytes="));
                let Some(range) = range else {
                    let headers = format!("content-type: application/pdf\r\ncontent-length: 36\r\n{old}\r\n");
                    return answer("200 OK", &headers, &CONTENT[..20]);
                };
                let now = if changes { new } else { old };
                let asked = request.lines().find_map(|line| line.strip_prefix("if-range: ")).unwrap();
                assert!(old.ends_with(asked), "{asked}");
                let content = if changes { CONTENT.to_uppercase() } else { CONTENT.to_owned() };
                let from: usize = range.trim_end_matches('-').parse().unwrap();
                if !knows_ranges || (heeds_if_range && changes) {
                    let headers = format!("content-type: application/pdf\r\ncontent-length: 36\r\n{now}\r\n");
                    return answer("200 OK", &headers, &content);
                }
                let headers = format!(
                    "content-type: application/pdf\r\ncontent-range: bytes {from}-35/36\r\ncontent-length: 16\r\n{now}\r\n",
                );
                answer("206 Partial Content", &headers, &content[from..])
            })
            .await;
            let upvest = api.builder().build().unwrap();
            let download = || upvest.download(upvest.retrieve_file().file_id(file()));
            let mut bytes = Vec::new();
            let error = download().to_writer(&mut bytes).await.unwrap_err();
            assert_eq!(error.position(), Some(20));
            let resumed = download().resume_at(20).to_writer(&mut bytes).await;
            if changes {
                let error = resumed.unwrap_err();
                assert!(
                    error.kind() == ErrorKind::Decode && error.to_string().contains("changed"),
                    "{error}"
                );
                assert_eq!(bytes.len(), 20);
            } else {
                assert_eq!(
                    (resumed.unwrap().length, bytes.as_slice()),
                    (36, CONTENT.as_bytes())
                );
            }
        }
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_downloaded_file_can_be_read_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let upvest = server(|_| pdf(36, CONTENT))
        .await
        .builder()
        .build()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("statement.pdf");
    upvest
        .download(upvest.retrieve_file().file_id(file()))
        .to_path(&path)
        .await
        .unwrap();
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[tokio::test]
async fn a_download_has_no_limit() {
    let api = crate::common::FakeApi::new(|_, _| {
        let mut reply = crate::common::Reply::fate(crate::common::Fate::Huge);
        reply.content_type = "application/pdf";
        reply
    });
    let upvest = api.client();
    let download = upvest.download(upvest.retrieve_file().file_id(file()));
    let downloaded = download.to_writer(&mut tokio::io::sink()).await.unwrap();
    assert_eq!(downloaded.length, 200 * 1024 * 1024);
}

#[tokio::test(start_paused = true)]
async fn a_download_of_which_nothing_comes_any_more_is_given_up() {
    #[derive(Debug)]
    struct Stalls;
    impl HttpSend for Stalls {
        fn send(
            &self,
            request: http::Request<Bytes>,
        ) -> BoxFuture<'_, Result<http::Response<ByteStream>, SendError>> {
            use futures_util::StreamExt;
            let body = if request.uri().path() == "/auth/token" {
                ByteStream::from(r#"{"access_token": "token", "expires_in": 1799}"#)
            } else {
                let first = futures_util::stream::iter([Ok("0123".into())]);
                ByteStream::new(first.chain(futures_util::stream::pending()))
            };
            Box::pin(async move { Ok(http::Response::new(body)) })
        }
    }
    let upvest = Upvest::builder(Environment::Custom("http://127.0.0.1:9".parse().unwrap()))
        .credentials("id", "secret")
        .http_sender(Stalls)
        .build()
        .unwrap();
    let started = tokio::time::Instant::now();
    let download = upvest
        .download(upvest.retrieve_file().file_id(file()))
        .idle_timeout(Duration::from_secs(7));
    let error = download.to_writer(&mut Vec::new()).await.unwrap_err();
    assert_eq!(
        (error.position(), started.elapsed()),
        (Some(4), Duration::from_secs(7))
    );
    assert!(error.is_timeout());
}
