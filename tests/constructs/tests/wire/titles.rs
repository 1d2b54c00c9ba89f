//! One schema is one type, whatever its title is and wherever it occurs.

use upvest_constructs::Server;
use upvest_constructs::titles::Client;
use upvest_constructs::titles::types::{FetchLatestResponse, Liquidation, LiquidationOrder, Order};

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
