//! One schema is one type, whatever its title is and wherever it occurs.

use upvest_constructs::Server;
use upvest_constructs::titles::Client;
use upvest_constructs::titles::types::{
    Charge, FetchLatestResponse, Layer, Liquidation, LiquidationOrder, Order, Report, ReportStatus,
};

#[tokio::test]
async fn of_two_objects_with_one_title_the_outer_has_the_name() {
    let id = "7d052811-c57c-4920-9fd6-bdbaa6c94e47";
    let json = format!(r#"{{"id":"{id}","orders":[{{"id":"{id}","side":"BUY"}}]}}"#);
    let (client, server) = Server::answering::<Client>(json);
    let call = client.retrieve_liquidation().liquidation_id(id);
    let read: Liquidation = call.send().await.unwrap().into_inner();
    let order: &LiquidationOrder = &read.orders[0];
    assert_eq!(order.side.as_deref(), Some("BUY"));
    let again = client.retrieve_liquidation().liquidation_id(read.id);
    again.send().await.unwrap();
    assert!(server.last().url.ends_with(id));
}

#[tokio::test]
async fn a_component_of_an_error_response_stays_one_type() {
    let (client, _) = Server::answering::<Client>(r#"{"id":"a","child":{"id":"b"}}"#);
    let created: Order = client.create_order().send().await.unwrap().into_inner();
    assert_eq!(created.child.unwrap().id, "b");
    let (client, _) = Server::answering::<Client>(r#"{"order":{"id":"a"},"previous":{"id":"b"}}"#);
    let latest: FetchLatestResponse = client.fetch_latest().send().await.unwrap().into_inner();
    let both: [Order; 2] = [latest.order, latest.previous.unwrap()];
    assert_eq!(both.map(|order| order.id), ["a", "b"]);
}

#[tokio::test]
async fn equal_responses_of_two_operations_are_one_type_with_one_enum() {
    let id = "7d052811-c57c-4920-9fd6-bdbaa6c94e47";
    let json = format!(r#"{{"id":"{id}","status":"DONE"}}"#);
    let (client, server) = Server::answering::<Client>(json);
    let call = client.retrieve_report().report_id(id);
    let read: Report = call.send().await.unwrap().into_inner();
    let call = client.replace_report().report_id(read.id);
    // A request may have only some of the values.
    let call = call.body_map(|body| body.status(ReportStatus::Done));
    let replaced: Report = call.send().await.unwrap().into_inner();
    assert_eq!(replaced, read);
    assert_eq!(server.last().body, r#"{"status":"DONE"}"#);
}

#[tokio::test]
async fn an_inline_object_that_equals_the_component_of_its_title_is_that_component() {
    let json = r#"{"one":{"amount":"1"},"other":{"amount":"2"}}"#;
    let (client, _) = Server::answering::<Client>(json);
    let charges = client.get_charges().send().await.unwrap().into_inner();
    let both: [Charge; 2] = [charges.one, charges.other];
    assert_eq!(both.map(|charge| charge.amount), ["1", "2"]);
}

#[tokio::test]
async fn of_three_objects_with_one_title_the_outermost_has_the_name() {
    let json = r#"{"inner":{"deep":{"end":"e"}}}"#;
    let (client, _) = Server::answering::<Client>(json);
    let layer: Layer = client.get_layer().send().await.unwrap().into_inner();
    assert_eq!(layer.inner.deep.end.as_deref(), Some("e"));
    assert_eq!(serde_json::to_string(&layer).unwrap(), json);
}
