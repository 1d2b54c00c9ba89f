//! A test of your code without a server, a key or a network: `cargo example mock`.

use upvest_ext::Upvest;
use upvest_ext::api::types::{ListResponse, Order, OrderStatus, Problem};
use upvest_ext::api::{Error, ErrorKind, MockTransport, builder};

/// The code under test: the number of open orders, or `None` if the API cannot be reached.
async fn under_way(upvest: &Upvest) -> Result<Option<usize>, Error> {
    match upvest.list_orders().send().await {
        Ok(orders) => {
            let is_final =
                |order: &&Order| order.status.as_ref().is_some_and(OrderStatus::is_final);
            Ok(Some(
                orders.data.iter().filter(|order| !is_final(order)).count(),
            ))
        }
        Err(error) if error.is_server_error() || error.is_timeout() => Ok(None),
        Err(error) => Err(error),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let order = |status: &str| -> Result<Order, serde_json::Error> {
        let id = "5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11";
        serde_json::from_value(serde_json::json!({ "id": id, "status": status }))
    };
    // A new status is not an error.
    let orders = vec![order("NEW")?, order("FILLED")?, order("ENTANGLED")?];
    let mock = MockTransport::new()
        .respond::<builder::ListOrders>(ListResponse::new(orders))
        .fail::<builder::ListOrders>(Error::new(ErrorKind::Timeout, "no response in time"))
        .problem::<builder::ListOrders>(serde_json::from_value::<Problem>(
            serde_json::json!({ "status": 403, "title": "Forbidden" }),
        )?);
    let upvest = Upvest::from_transport(mock.clone());

    assert_eq!(under_way(&upvest).await?, Some(2));
    assert_eq!(under_way(&upvest).await?, None);
    let error = under_way(&upvest).await.map(drop);
    println!("{error:?}");
    assert!(error.is_err_and(|error| error.status().is_some_and(|status| status == 403)));
    for request in mock.requests() {
        println!("asked: {} {}", request.method, request.path);
    }
    Ok(())
}
