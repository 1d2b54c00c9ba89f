//! NaN and the infinities: in lists of parameters, in JSON parameters, in nested fields and in maps.

use std::collections::BTreeMap;

use upvest_constructs::Server;
use upvest_constructs::not_finite::Client;
use upvest_constructs::not_finite::bodies::RatesBuilder;
use upvest_constructs::not_finite::types::{Filter, Rates};
use upvest_runtime::{Error, Response};

const NOT_FINITE: [f64; 3] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];

/// Checks that the call was rejected because of the number, and that nothing was sent.
#[track_caller]
fn assert_rejected(result: Result<Response<()>, Error>, server: &Server) {
    let problem = result.unwrap_err().to_string();
    assert!(problem.contains("NaN and infinities"), "{problem}");
    assert!(server.received().is_empty(), "{:?}", server.received());
}

fn map(number: f64) -> BTreeMap<String, f64> {
    BTreeMap::from([("fine".to_owned(), 1.5), ("wrong".to_owned(), number)])
}

#[tokio::test]
async fn a_parameter_with_a_number_that_is_not_finite_is_rejected() {
    let (client, server) = Server::answering::<Client>("");
    let find = |factor: f64| client.find_rates().factor(factor);
    for number in NOT_FINITE {
        assert_rejected(find(number).send().await, &server);
        assert_rejected(find(1.0).steps(vec![1.0, number]).send().await, &server);
        assert_rejected(find(1.0).x_steps(vec![number]).send().await, &server);
        let filter = Filter::builder().least(number).build().unwrap();
        assert_rejected(find(1.0).filter(filter).send().await, &server);
    }
    let call = find(0.5).steps(vec![1.5, 2.0]).x_steps(vec![0.25]);
    let filter = Filter::builder().least(1.5).build().unwrap();
    call.filter(filter).send().await.unwrap();
    assert_eq!(
        server.last().url,
        "http://api.invalid/rates/0.5?filter=%7B%22least%22%3A1.5%7D&steps=1.5,2.0"
    );
    assert_eq!(server.last().headers["x-steps"], "0.25");
}

#[tokio::test]
async fn a_field_with_a_number_that_is_not_finite_is_rejected() {
    let (client, server) = Server::answering::<Client>("");
    for number in NOT_FINITE {
        let rejected: [fn(RatesBuilder, f64) -> RatesBuilder; 4] = [
            |rates, number| rates.by_name(map(number)),
            |rates, number| rates.filters(vec![Filter::builder().least(number).build().unwrap()]),
            |rates, number| rates.last(number),
            |rates, number| rates.extra(map(number)),
        ];
        for change in rejected {
            let body = change(Rates::builder(), number);
            assert_rejected(client.create_rates().body(body).send().await, &server);
        }
    }
}

#[tokio::test]
async fn a_map_with_a_number_that_is_not_finite_is_rejected() {
    let (client, server) = Server::answering::<Client>("");
    for number in NOT_FINITE {
        assert_rejected(
            client.replace_rates().body(map(number)).send().await,
            &server,
        );
    }
    client.replace_rates().body(map(2.5)).send().await.unwrap();
    assert_eq!(server.last().body, r#"{"fine":1.5,"wrong":2.5}"#);
}
