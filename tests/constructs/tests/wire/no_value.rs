//! Responses without a value: 204 beside other statuses, 205, HEAD and `default`.

use http::{Method, StatusCode};
use upvest_constructs::Server;
use upvest_constructs::no_value::Client;

const JOB: &str = r#"{"state":"NEW"}"#;

#[tokio::test]
async fn a_204_beside_a_202_with_a_schema_has_no_value() {
    let (client, _) = Server::answering_with::<Client>(StatusCode::NO_CONTENT, "");
    assert!(
        client
            .get_job()
            .send()
            .await
            .unwrap()
            .into_inner()
            .is_none()
    );
    assert!(
        client
            .get_range()
            .send()
            .await
            .unwrap()
            .into_inner()
            .is_none()
    );
    assert_eq!(client.count_jobs().send().await.unwrap().into_inner(), None);
    let (client, _) = Server::answering_with::<Client>(StatusCode::ACCEPTED, JOB);
    let job = client.get_job().send().await.unwrap().into_inner();
    assert_eq!(job.unwrap().state, "NEW");
    let job = client.get_range().send().await.unwrap().into_inner();
    assert_eq!(job.unwrap().state, "NEW");
}

#[tokio::test]
async fn a_205_beside_a_200_with_a_schema_has_no_value() {
    let (client, _) = Server::answering_with::<Client>(StatusCode::RESET_CONTENT, "");
    assert!(
        client
            .reset_job()
            .send()
            .await
            .unwrap()
            .into_inner()
            .is_none()
    );
    let (client, _) = Server::answering::<Client>(JOB);
    let job = client.reset_job().send().await.unwrap().into_inner();
    assert_eq!(job.unwrap().state, "NEW");
}

#[tokio::test]
async fn the_response_to_a_head_request_has_no_value() {
    let (client, server) = Server::answering::<Client>("");
    let () = client.head_job().send().await.unwrap().into_inner();
    assert_eq!(server.last().method, Method::HEAD);
}

#[tokio::test]
async fn a_default_beside_a_success_does_not_change_its_value() {
    let (client, _) = Server::answering_with::<Client>(StatusCode::NO_CONTENT, "");
    let () = client.delete_job().send().await.unwrap().into_inner();
    assert!(client.get_needed().send().await.is_err());
    let (client, _) = Server::answering::<Client>(JOB);
    let job = client.get_needed().send().await.unwrap().into_inner();
    assert_eq!(job.state, "NEW");
}
