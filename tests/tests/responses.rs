//! Responses that the description does not allow end in an error with the operation and the status, never in a panic.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use upvest_api::runtime::{HttpTransport, Problem};
use upvest_api::types::{ListResponse, Order};
use upvest_api::{Client, Error, ErrorKind, Response};
use upvest_tests::description::workspace_file;
use wiremock::matchers::{any, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

const ORDER: &str = "5f1c9f5e-2a35-4c5e-8a14-9d0c6a9a5d1b";

fn client(base_url: &str) -> Client {
    let transport = HttpTransport::new(|| HttpTransport::settings().build());
    Client::new(base_url, transport.expect("the client is made"))
}

async fn retrieve(response: ResponseTemplate) -> Result<Response<Order>, Error> {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(response)
        .mount(&server)
        .await;
    client(&server.uri())
        .retrieve_order()
        .order_id(ORDER)
        .send()
        .await
}

async fn list(body: &str) -> Error {
    let server = MockServer::start().await;
    let response = ResponseTemplate::new(200).set_body_raw(body, "application/json");
    Mock::given(any())
        .respond_with(response)
        .mount(&server)
        .await;
    let outcome: Result<Response<ListResponse<Order>>, _> =
        client(&server.uri()).list_orders().send().await;
    outcome.expect_err("the body does not fit")
}

/// The operation and the status in the error of an invalid response.
fn place(error: &Error) -> (Option<&str>, Option<u16>) {
    (
        error.operation(),
        error.status().map(|status| status.as_u16()),
    )
}

#[tokio::test]
async fn html_from_a_gateway_keeps_its_status_and_its_text_is_not_displayed() {
    for status in [502, 503, 504, 403, 413] {
        let html = "<html><body><h1>Bad gateway</h1></body></html>";
        let outcome = retrieve(ResponseTemplate::new(status).set_body_raw(html, "text/html")).await;
        let error = outcome.expect_err("an error status is an error");
        assert_eq!(place(&error), (Some("retrieveOrder"), Some(status)));
        let problem = error
            .problem()
            .expect("every error status carries a problem");
        assert_eq!(problem.status, Some(status));
        assert_eq!(problem.body(), Some(html));
        assert!(!format!("{problem} {problem:?} {error} {error:?}").contains("<html>"));
    }
}

#[tokio::test]
async fn html_with_a_success_status_is_an_error_with_operation_and_status() {
    let outcome =
        retrieve(ResponseTemplate::new(200).set_body_raw("<html>log in</html>", "text/html")).await;
    let error = outcome.expect_err("HTML is not an order");
    assert_eq!(place(&error), (Some("retrieveOrder"), Some(200)));
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(
        error
            .to_string()
            .starts_with("retrieveOrder: 200 OK, but the body is not valid JSON"),
        "{error}"
    );
    assert!(!format!("{error} {error:?}").contains("log in"), "{error}");
}

#[tokio::test]
async fn wrong_types_are_an_error_that_names_the_field_and_not_its_content() {
    let cases = [
        (
            r#"{"data": [{"id": "5f1c9f5e-2a35-4c5e-8a14-9d0c6a9a5d1b", "cash_amount": "1e400"}]}"#,
            "data[0].cash_amount",
        ),
        (
            r#"{"data": [{"id": "5f1c9f5e-2a35-4c5e-8a14-9d0c6a9a5d1b", "cash_amount": 1234567890123456.25}]}"#,
            "data[0].cash_amount",
        ),
        (
            r#"{"data": [{"id": "5f1c9f5e-2a35-4c5e-8a14-9d0c6a9a5d1b", "quantity": "0.12345678901234567890123456789"}]}"#,
            "data[0].quantity",
        ),
        (r#"{"data": [{"id": "Ada Lovelace"}]}"#, "data[0].id"),
        (r#"{"data": [{}]}"#, "data[0]"),
        (r#"{"data": [], "meta": {"total": -1}}"#, "meta.total"),
        (r#"{"data": {}}"#, "data"),
        ("{}", ""),
        (r#"{"errors": []}"#, ""),
    ];
    for (body, path) in cases {
        let error = list(body).await;
        assert_eq!(place(&error), (Some("listOrders"), Some(200)));
        assert_eq!(error.kind(), ErrorKind::Decode);
        let at = if path.is_empty() {
            String::new()
        } else {
            format!(" at {path}")
        };
        let message = format!("listOrders: 200 OK, but the body does not match the schema{at}: ");
        assert!(error.to_string().starts_with(&message), "{error}");
        for content in ["1e400", "1234567890123456", "0.1234", "Ada", "-1"] {
            assert!(!format!("{error} {error:?}").contains(content), "{error:?}");
        }
    }
}

#[tokio::test]
async fn a_body_that_ends_early_is_an_error() {
    let error = list(r#"{"data": [{"id": "5f1c9f5e-2a35-4c5e"#).await;
    assert_eq!(place(&error), (Some("listOrders"), Some(200)));
    assert_eq!(error.kind(), ErrorKind::Decode);

    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("the port is known");
    let server = tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.expect("the client connects");
        let mut request = [0; 4096];
        let read = connection
            .read(&mut request)
            .await
            .expect("the client asks");
        assert!(read > 0);
        let response =
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{\"data\":";
        connection
            .write_all(response)
            .await
            .expect("the client listens");
    });
    let outcome = client(&format!("http://{address}"))
        .list_orders()
        .send()
        .await;
    let error = outcome.expect_err("half a body is not a list");
    assert_eq!(place(&error), (Some("listOrders"), Some(200)));
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert!(
        error
            .to_string()
            .starts_with("listOrders: 200 OK, but the body could not be received completely: "),
        "{error}"
    );
    server.await.expect("the server saw a request");
}

#[tokio::test]
async fn a_status_that_is_neither_success_nor_error_is_unexpected() {
    for status in [304, 399] {
        let error = retrieve(ResponseTemplate::new(status))
            .await
            .expect_err("it is not a success");
        assert_eq!(error.kind(), ErrorKind::UnexpectedStatus);
        assert_eq!(place(&error), (Some("retrieveOrder"), Some(status)));
        assert_eq!(error.problem(), None);
    }
}

#[tokio::test]
async fn another_status_of_success_than_the_described_one_is_a_success() {
    for status in [200, 201, 202] {
        let body = format!(r#"{{"id": "{ORDER}"}}"#);
        let response = ResponseTemplate::new(status).set_body_raw(body, "application/json");
        let order = retrieve(response).await.expect("the order is there");
        assert_eq!(order.status().as_u16(), status);
        assert_eq!(order.id.to_string().as_str(), ORDER);
    }
    let error = retrieve(ResponseTemplate::new(204))
        .await
        .expect_err("no body is not an order");
    assert_eq!(
        error.to_string(),
        "retrieveOrder: 204 No Content, but the body is empty"
    );
    for status in [200, 202, 204] {
        let server = MockServer::start().await;
        Mock::given(any())
            .respond_with(ResponseTemplate::new(status))
            .mount(&server)
            .await;
        let outcome = client(&server.uri())
            .close_account()
            .account_id(ORDER)
            .send()
            .await;
        assert_eq!(
            outcome.expect("the account is closed").status().as_u16(),
            status
        );
    }
}

#[tokio::test]
async fn a_slash_at_the_end_of_the_base_url_does_no_harm() {
    let server = MockServer::start().await;
    let response = ResponseTemplate::new(200).set_body_raw(r#"{"data": []}"#, "application/json");
    Mock::given(path("/v1/orders"))
        .respond_with(response)
        .mount(&server)
        .await;
    let outcome = client(&format!("{}/v1/", server.uri()))
        .list_orders()
        .send()
        .await;
    assert!(outcome.expect("it is found").data.is_empty());
}

#[tokio::test]
async fn what_was_found_is_told_by_its_kind() {
    let cases = [
        (
            r#"{"data": [], "meta": {"total": 1.5}}"#,
            "expected u64, found floating point",
        ),
        (
            r#"{"data": [], "meta": {"total": -1}}"#,
            "expected u64, found integer",
        ),
        (
            r#"{"data": [], "meta": {"total": "Ada, expected 3"}}"#,
            "expected u64, found string",
        ),
        (r#"{"data": null}"#, "expected a sequence, found null"),
    ];
    for (body, problem) in cases {
        let error = list(body).await;
        assert!(
            error.to_string().ends_with(&format!(": {problem}")),
            "{error}"
        );
    }
}

#[tokio::test]
async fn odd_problem_documents_are_read_as_far_as_they_go() {
    let cases = [
        (
            r#"{"type": "https://docs.upvest.co/errors/not_found", "details": "plural"}"#,
            Some("not_found"),
            Some("plural"),
        ),
        (
            r#"{"error": "invalid_client", "error_description": "who?"}"#,
            None,
            Some("who?"),
        ),
        (
            r#"{"status": "404", "detail": {"field": "x"}, "title": null}"#,
            None,
            Some(r#"{"field":"x"}"#),
        ),
        (r#"["no", "object"]"#, None, None),
        ("", None, None),
    ];
    for (body, code, detail) in cases {
        let outcome =
            retrieve(ResponseTemplate::new(404).set_body_raw(body, "application/json")).await;
        let error = outcome.expect_err("404 is an error");
        let problem = error
            .problem()
            .expect("every error status carries a problem");
        assert_eq!(problem.status, Some(404), "{body}");
        assert_eq!(problem.code(), code, "{body}");
        assert_eq!(problem.detail.as_deref(), detail, "{body}");
    }
}

#[test]
fn json_that_is_no_problem_document_is_kept() {
    for body in [
        r#"{"message": "Forbidden"}"#,
        r#"{"errors": [{"field": "iban"}]}"#,
        "{}",
        r#"{"type": null}"#,
    ] {
        let problem = Problem::from_body(http::StatusCode::FORBIDDEN, body.as_bytes());
        assert_eq!(problem.title.as_deref(), Some("Forbidden"));
        assert_eq!(problem.body(), Some(body));
        assert_eq!(problem.to_string(), "403 Forbidden");
    }
}

#[test]
fn the_fields_of_a_problem_are_read_independently() {
    let read = |body: &str| Problem::from_body(http::StatusCode::CONFLICT, body.as_bytes());
    // RFC 9457 section 4.2.1: this type means that the status is the only information.
    assert_eq!(
        read(r#"{"type": "about:blank", "title": "Conflict"}"#).to_string(),
        "409 Conflict"
    );
    let both: Problem =
        serde_json::from_str(r#"{"status": "409", "detail": "one", "details": "two"}"#)
            .expect("`Problem` accepts a status as a string, and both `detail` and `details`");
    assert_eq!(both.status, Some(409));
    assert_eq!(both.detail.as_deref(), Some("one"));
}

#[tokio::test]
async fn the_readme_quotes_the_error_that_is_printed() {
    let readme = std::fs::read_to_string(workspace_file("README.md")).expect("there is a README");
    let quoted = readme
        .split('`')
        .find(|text| text.starts_with("listOrders: "))
        .expect("it quotes an error");
    let (beginning, _) = quoted.split_once('…').expect("the quotation is cut short");
    let order = |amount| json!({ "id": ORDER, "cash_amount": amount });
    let error =
        list(&json!({ "data": [order("1"), order("2"), order("3"), order("4e0")] }).to_string())
            .await;
    assert!(error.to_string().starts_with(beginning), "{error}");
}

#[tokio::test]
async fn a_connection_that_fails_says_whether_the_request_may_have_arrived() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!(
        "http://{}",
        listener.local_addr().expect("the port is known")
    );
    let server = tokio::spawn(async move {
        for _ in 0..2 {
            let (mut connection, _) = listener.accept().await.expect("the client connects");
            let mut request = [0; 4096];
            assert!(
                connection
                    .read(&mut request)
                    .await
                    .expect("the client asks")
                    > 0
            );
        }
    });
    let error = client(&url)
        .list_orders()
        .send()
        .await
        .expect_err("no response");
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert!(!error.is_outcome_unknown());
    let error = client(&url)
        .close_account()
        .account_id(ORDER)
        .send()
        .await
        .expect_err("no response");
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert!(error.is_outcome_unknown());
    assert_eq!(error.operation(), Some("closeAccount"));
    assert!(error.is_transient());
    server.await.expect("the server saw both requests");
    let error = client(&url)
        .close_account()
        .account_id(ORDER)
        .send()
        .await
        .expect_err("nobody listens");
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(!error.is_outcome_unknown());
    assert!(
        !format!("{error} {error:?}").contains(ORDER),
        "an error shows no URL: {error:?}"
    );
}
