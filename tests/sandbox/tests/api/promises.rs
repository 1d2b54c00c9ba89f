//! Commands and calls that once failed without an error.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use upvest_sandbox::{Command, Sandbox};
use upvest_signing::{RequestSigner, SigningKey};

const YEAR: Duration = Duration::from_secs(366 * 86_400);

/// The status and the body of the response to a command over HTTP.
async fn command(sandbox: &Sandbox, name: &str, fields: Value) -> (u16, Value) {
    let url = format!("{}/_sandbox/{name}", sandbox.url());
    let request = reqwest::Client::new()
        .post(url)
        .header("content-type", "application/json");
    let response = request.body(fields.to_string()).send().await.unwrap();
    let status = response.status().as_u16();
    let body = response.bytes().await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

async fn plain() -> Sandbox {
    Sandbox::builder().plain_http().start().await.unwrap()
}

/// Sends a request over a new connection, and returns the head of the response.
async fn head_of(sandbox: &Sandbox, request: &str) -> String {
    let mut stream = TcpStream::connect(sandbox.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap().to_ascii_lowercase()
}

#[tokio::test]
async fn a_control_error_names_the_invalid_field() {
    let sandbox = plain().await;
    for (name, fields, field) in [
        ("set_venue_hours", json!({ "opens": "08" }), "`opens`"),
        ("advance", json!({ "seconds": "5" }), "`seconds`"),
        ("advance", json!({}), "`seconds`"),
        (
            "top_up",
            json!({ "account_id": "7", "amount": "1" }),
            "`account_id`",
        ),
        (
            "announce_split",
            json!({ "isin": "X", "ratio": "2", "ex_date": "2024" }),
            "`ex_date`",
        ),
        (
            "add_fault",
            json!({ "times": -1, "fault": { "kind": "invalid_json" } }),
            "`times`",
        ),
        (
            "add_fault",
            json!({ "fault": { "kind": "delay", "millis": "x" } }),
            "`fault`",
        ),
    ] {
        let (status, response) = command(&sandbox, name, fields.clone()).await;
        let error = response["error"].as_str().unwrap();
        assert!(
            status == 400 && error.contains(field),
            "{name} {fields}: {error}"
        );
    }
}

#[tokio::test]
async fn unknown_fields_are_rejected_by_every_command() {
    let sandbox = plain().await;
    let faults = json!([{ "kind": "reset_after_commit", "millis": 5 }]);
    for (name, fields, field) in [
        ("reset", json!({ "hard": true }), "`hard`"),
        ("clear_faults", json!({ "all": true }), "`all`"),
        ("issue_token", json!({ "scope": "x" }), "`scope`"),
        (
            "advance",
            json!({ "seconds": 1, "minutes": 1 }),
            "`minutes`",
        ),
        (
            "add_fault",
            json!({ "fault": { "kind": "invalid_json", "millis": 5 } }),
            "`fault.millis`",
        ),
        (
            "random_faults",
            json!({ "rate": 0.5, "faults": faults }),
            "`faults.0.millis`",
        ),
    ] {
        let (status, response) = command(&sandbox, name, fields).await;
        let error = response["error"].as_str().unwrap();
        assert!(status == 400 && error.contains(field), "{name}: {error}");
    }
    assert_eq!(command(&sandbox, "reset", json!({})).await.0, 200);
}

#[tokio::test]
async fn a_signed_command_is_rejected() {
    let sandbox = plain().await;
    let request = reqwest::Client::new()
        .post(format!("{}/_sandbox/reset", sandbox.url()))
        .header("content-type", "application/json")
        .header("signature-input", "sig1=()");
    assert_eq!(request.body("{}").send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn no_delivery_goes_to_the_control_api() {
    let sandbox = plain().await;
    let group = sandbox.create_account_group().await.unwrap();
    for path in ["/_sandbox/reset", "/a/../_sandbox/reset"] {
        let url = format!("{}{path}", sandbox.url());
        sandbox.execute(Command::Subscribe { url }).await.unwrap();
    }
    sandbox.create_account_group().await.unwrap();
    sandbox.settle().await;
    let deliveries = sandbox.deliveries();
    assert!(deliveries.len() >= 2);
    for delivery in deliveries {
        assert!(delivery.outcome.unwrap_err().contains("control API"));
    }
    let twice = Command::CreateAccountGroup { id: Some(group) };
    sandbox.execute(twice).await.unwrap_err();
}

#[tokio::test]
async fn going_offline_over_http_is_answered_first() {
    let sandbox = plain().await;
    for _ in 0..3 {
        let offline = json!({ "offline": true, "seconds": 600 });
        assert_eq!(
            command(&sandbox, "set_offline", offline).await,
            (200, json!({}))
        );
        TcpStream::connect(sandbox.address()).await.unwrap_err();
        sandbox.execute(Command::ClearFaults).await.unwrap();
    }
}

#[tokio::test]
async fn an_early_error_after_the_whole_request_keeps_the_connection() {
    let sandbox = plain().await;
    let mut stream = TcpStream::connect(sandbox.address()).await.unwrap();
    let body = "x".repeat(200_000);
    for (fault, status) in [
        (json!({ "kind": "too_many_requests" }), "429"),
        (json!({ "kind": "server_error", "status": 503 }), "503"),
        (
            json!({ "kind": "server_error", "status": 502, "html": true }),
            "502",
        ),
    ] {
        let rule = json!({ "times": 1, "fault": fault });
        assert_eq!(command(&sandbox, "add_fault", rule).await.0, 200);
        let length = body.len();
        let request =
            format!("POST /orders HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n{body}");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut response = [0; 4096];
        let count = stream.read(&mut response).await.unwrap();
        let response = String::from_utf8_lossy(&response[..count]);
        assert!(
            response.starts_with(&format!("HTTP/1.1 {status}")),
            "{response}"
        );
        assert!(!response.contains("connection: close"), "{response}");
    }
}

#[tokio::test]
async fn an_early_response_before_the_end_of_a_request_says_that_it_closes() {
    let sandbox = plain().await;
    let too_long = format!("content-length: 9000000\r\n\r\n{}", "x".repeat(5 << 20));
    let unfinished = "content-length: 9\r\n\r\n";
    let json = "content-type: application/json\r\n";
    for (request, status) in [
        (
            format!("POST /orders HTTP/1.1\r\nhost: a\r\n{too_long}"),
            413,
        ),
        (
            format!("GET /nowhere HTTP/1.1\r\nhost: a\r\n{too_long}"),
            404,
        ),
        (
            format!("TRACE /orders HTTP/1.1\r\nhost: a\r\n{too_long}"),
            405,
        ),
        (
            format!("POST /_sandbox/reset HTTP/1.1\r\nhost: localhost\r\n{json}{too_long}"),
            413,
        ),
        (
            format!("POST /_sandbox/reset HTTP/1.1\r\nhost: a\r\n{json}{unfinished}"),
            400,
        ),
        (
            format!("GET /_sandbox/state HTTP/1.1\r\nhost: localhost\r\n{unfinished}"),
            200,
        ),
        (
            format!("GET /_sandbox/health HTTP/1.1\r\nhost: a\r\n{unfinished}"),
            200,
        ),
        (
            format!("PUT / HTTP/1.1\r\nhost: localhost\r\n{unfinished}"),
            405,
        ),
        ("no request\r\n\r\n".to_owned(), 400),
        (format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(70_000)), 414),
        (
            format!("GET / HTTP/1.1\r\nhost: {}\r\n\r\n", "x".repeat(900_000)),
            431,
        ),
    ] {
        let head = head_of(&sandbox, &request).await;
        let shown = &request[..request.len().min(80)];
        assert!(
            head.starts_with(&format!("http/1.1 {status}")),
            "{shown}: {head}"
        );
        assert!(head.contains("connection: close"), "{shown}: {head}");
    }
}

#[tokio::test]
async fn all_times_have_milliseconds() {
    let start = "2024-01-02T03:04:05Z".parse().unwrap();
    let builder = Sandbox::builder().plain_http().start_at(start);
    let sandbox = builder.start().await.unwrap();
    sandbox.open_account("10.00").await.unwrap();
    sandbox.advance(Duration::from_micros(1_250_900)).await;
    for view in ["state", "events", "requests", "overview"] {
        let url = format!("{}/_sandbox/{view}", sandbox.url());
        let text = reqwest::get(url).await.unwrap().text().await.unwrap();
        let mut times = text
            .match_indices("2024-01-")
            .map(|(at, _)| &text[at..])
            .filter(|time| time[10..].starts_with('T'));
        let wrong = times.find(|time| &time[19..20] != "." || &time[23..24] != "Z");
        assert!(wrong.is_none(), "{view}: {}", &wrong.unwrap()[..30]);
    }
}

#[tokio::test]
async fn a_granted_scope_that_does_not_exist_is_an_error_at_the_start() {
    let builder = Sandbox::builder().granted_scopes(["orders:read", "foo:bar"]);
    let error = builder.start().await.unwrap_err();
    assert!(error.to_string().contains("foo:bar"), "{error}");
}

#[tokio::test]
async fn an_unknown_client_id_is_called_unknown() {
    let sandbox = plain().await;
    let token = sandbox.execute(Command::IssueToken).await.unwrap();
    let request = reqwest::Client::new()
        .get(format!("{}/orders", sandbox.url()))
        .bearer_auth(token["access_token"].as_str().unwrap())
        .header("upvest-client-id", "5b1d2f3c-7c1e-4a51-9d1c-000000000001");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 401);
    let text = response.text().await.unwrap();
    assert!(text.contains("No client has the id"), "{text}");
}

#[tokio::test]
async fn a_signature_is_rejected_as_soon_as_it_expires() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let token = sandbox.execute(Command::IssueToken).await.unwrap();
    let token = token["access_token"].as_str().unwrap();
    let key = SigningKey::from_pem(sandbox.signing_key_pem(), None).unwrap();
    let signer = RequestSigner::new(sandbox.key_id(), key).unwrap();
    let mut request = http::Request::get(format!("{}/orders", sandbox.url()))
        .header("authorization", format!("Bearer {token}"))
        .header("upvest-client-id", sandbox.client_id())
        .header("accept", "application/json")
        .body(bytes::Bytes::new())
        .unwrap();
    signer.sign_request(&mut request).await.unwrap();
    // The signature is valid for ten seconds. The server's clock is just past its end.
    sandbox.shift_clock(12).await;
    let request = reqwest::Request::try_from(request).unwrap();
    let response = reqwest::Client::new().execute(request).await.unwrap();
    assert_eq!(response.status(), 401);
    let text = response.text().await.unwrap();
    assert!(text.contains("expired"), "{text}");
}

/// Issues a hundred tokens ten times, and returns the shortest of the ten durations. Other programs can only make a
/// duration longer.
async fn time_of_100_tokens(sandbox: &Sandbox) -> Duration {
    let mut shortest = Duration::MAX;
    for _ in 0..10 {
        let started = Instant::now();
        for _ in 0..100 {
            sandbox.execute(Command::IssueToken).await.unwrap();
        }
        shortest = shortest.min(started.elapsed());
    }
    shortest
}

#[tokio::test(flavor = "multi_thread")]
async fn issuing_a_token_does_not_slow_down_after_100_000_tokens() {
    let sandbox = plain().await;
    let first = time_of_100_tokens(&sandbox).await;
    // Each measurement issues 1,000 of the 100,000 tokens.
    for _ in 0..98_000 {
        sandbox.execute(Command::IssueToken).await.unwrap();
    }
    let last = time_of_100_tokens(&sandbox).await;
    assert!(last < first * 5, "{first:?}, then {last:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jump_of_a_year_makes_few_attempts_at_a_dead_endpoint() {
    let sandbox = plain().await;
    let url = "http://127.0.0.1:1/hook".to_owned();
    sandbox.execute(Command::Subscribe { url }).await.unwrap();
    sandbox.create_account_group().await.unwrap();
    let started = Instant::now();
    sandbox.advance(YEAR).await;
    let attempts = sandbox.deliveries().len();
    assert!((100..200).contains(&attempts), "{attempts}");
    println!("a year took {:?}", started.elapsed());
    // After a day of failures, a jump makes one attempt when it begins and one when it ends.
    sandbox.advance(YEAR).await;
    assert!(sandbox.deliveries().len() <= attempts + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jump_of_a_year_waits_once_for_a_receiver_that_hangs() {
    let sandbox = plain().await;
    let silent = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    sandbox.execute(Command::Subscribe { url }).await.unwrap();
    sandbox.create_account_group().await.unwrap();
    let started = Instant::now();
    sandbox.advance(YEAR).await;
    println!("a year took {:?}", started.elapsed());
    assert!(sandbox.deliveries().len() <= 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_subscriptions_do_not_stall_a_read() {
    let sandbox = plain().await;
    for at in 0..10_000 {
        let url = format!("http://127.0.0.1:1/{at}");
        sandbox.execute(Command::Subscribe { url }).await.unwrap();
    }
    sandbox.create_account_group().await.unwrap();
    let url = format!("{}/_sandbox/state", sandbox.url());
    let client = reqwest::Client::new();
    let started = Instant::now();
    let mut longest = Duration::ZERO;
    while sandbox.deliveries().len() < 10_000 {
        let sent = Instant::now();
        client.get(&url).send().await.unwrap();
        longest = longest.max(sent.elapsed());
    }
    println!(
        "a read took {longest:?}, all deliveries {:?}",
        started.elapsed()
    );
    assert!(longest < Duration::from_secs(2), "{longest:?}");
}
