//! The example `listen`, with deliveries of the sandbox and of somebody else.

use crate::support::Server;
use upvest_sandbox::Sandbox;

const LISTEN: &str = env!("CARGO_BIN_EXE_listen");

#[tokio::test]
async fn a_delivery_is_verified_and_its_event_printed() {
    let sandbox = Sandbox::start().await.unwrap();
    for (arguments, has_object) in [(&[][..], false), (&["--json"], true)] {
        let mut server = Server::start(LISTEN, &sandbox, arguments).await;
        sandbox
            .subscribe(&format!("{}/any/path", server.url))
            .await
            .unwrap();
        let event = sandbox.trigger("ORDER.FILLED").await.unwrap();
        let id = event.id.to_string();
        let mut line = server.line().await;
        while !line.contains(&id) {
            line = server.line().await;
        }
        assert!(line.contains("ORDER.FILLED"), "{line}");
        assert_eq!(line.contains("cash_amount"), has_object, "{line}");
    }
}

#[tokio::test]
async fn a_delivery_without_a_signature_is_rejected() {
    let sandbox = Sandbox::start().await.unwrap();
    let mut server = Server::start(LISTEN, &sandbox, &[]).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let response = http.post(&server.url).body("{}").send().await.unwrap();
    assert_eq!(response.status(), 401);
    let line = server.line().await;
    assert!(line.starts_with("rejected with 401"), "{line}");
}
