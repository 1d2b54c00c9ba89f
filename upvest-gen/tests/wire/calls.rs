//! Tests what the code of the descriptions in this folder sends and reads.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use upvest_api::*;
use upvest_runtime::bytes::Bytes;
use upvest_runtime::http::{HeaderMap, Request, StatusCode};
use upvest_runtime::{ByteStream, Error, Metadata, Operation, OperationMeta, Response, Transport};

/// Answers each request with the same body, and records the requests.
#[derive(Clone, Debug)]
struct Server {
    status: StatusCode,
    body: &'static str,
    seen: Arc<Mutex<Vec<Request<Bytes>>>>,
}

impl Server {
    fn new(status: u16, body: &'static str) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap(),
            body,
            seen: Arc::default(),
        }
    }

    fn request(&self) -> Request<Bytes> {
        self.seen.lock().unwrap().remove(0)
    }
}

impl Transport for Server {
    fn execute<'a>(
        &'a self,
        request: Request<Bytes>,
        _operation: &'a OperationMeta,
    ) -> BoxFuture<'a, Result<Response<ByteStream>, Error>> {
        self.seen.lock().unwrap().push(request);
        let response = Response::new(
            ByteStream::from(self.body),
            HeaderMap::new(),
            Metadata::new(self.status),
        );
        Box::pin(async move { Ok(response) })
    }
}

/// Returns the value that is read from a response with this body.
async fn read<O: Operation>(body: &'static str, call: impl FnOnce(Server) -> O) -> O::Output {
    let response = call(Server::new(200, body)).send().await;
    response.unwrap().into_inner()
}

/// Sends a call whose response has no body, and returns its request.
async fn sent<O: Operation>(call: impl FnOnce(Server) -> O) -> Request<Bytes> {
    let server = Server::new(204, "");
    call(server.clone()).send().await.map(drop).unwrap();
    server.request()
}

/// Returns the problem of a call that is not sent.
async fn rejected<O: Operation>(call: impl FnOnce(Server) -> O) -> String {
    let server = Server::new(204, "");
    let error = call(server.clone()).send().await.map(drop).unwrap_err();
    assert!(server.seen.lock().unwrap().is_empty(), "{error}");
    error.to_string()
}

fn text(request: &Request<Bytes>) -> &str {
    std::str::from_utf8(request.body()).unwrap()
}

macro_rules! client {
    ($module:ident, $server:expr) => {
        $module::Client::new("http://server.invalid", $server)
    };
}

#[tokio::test]
async fn additional_properties_are_kept_and_sent() {
    let labels = read(r#"{"name": "a", "x": "1.50", "y": ".5"}"#, |server| {
        client!(extra, server).read_labels()
    });
    let labels = labels.await;
    assert_eq!(labels.name, "a");
    let values: Vec<String> = labels.extra.values().map(ToString::to_string).collect();
    assert_eq!(values, ["1.50", "0.5"]);

    let counts = read(r#"{"extra": "named", "a": 1.0, "b": null}"#, |server| {
        client!(extra, server).read_counts()
    });
    let counts = counts.await;
    assert_eq!(counts.extra.as_deref(), Some("named"));
    assert_eq!(
        counts.extra_,
        BTreeMap::from([("a".to_owned(), Some(1)), ("b".to_owned(), None)])
    );

    let any = read(r#"{"name": "a", "more": [1]}"#, |server| {
        client!(extra, server).read_any()
    });
    assert_eq!(any.await.extra["more"], serde_json::json!([1]));

    let body = extra::types::LabelsUpdate::builder()
        .name("a")
        .extra(BTreeMap::from([("x".to_owned(), "1".to_owned())]));
    let request = sent(|server| client!(extra, server).write_labels().body(body)).await;
    assert_eq!(text(&request), r#"{"name":"a","x":"1"}"#);

    let body = extra::types::LabelsUpdate::builder().name("a").type_("T");
    let request = sent(|server| client!(extra, server).write_labels().body(body)).await;
    assert_eq!(text(&request), r#"{"name":"a","type":"T"}"#);

    // Neither the builder nor a changed value writes a property twice.
    let repeated = BTreeMap::from([("type".to_owned(), "1".to_owned())]);
    let body = extra::types::LabelsUpdate::builder().name("a").type_("T");
    let mut changed = body.clone().build().unwrap();
    changed.extra.clone_from(&repeated);
    let problem = rejected(|server| client!(extra, server).write_labels().body(changed)).await;
    assert!(problem.contains("`type` is a field and"), "{problem}");
    rejected(|server| client!(extra, server).write_labels().body(body.extra(repeated))).await;
}

#[tokio::test]
async fn a_property_is_required_only_in_its_direction() {
    let address = directions::types::Address::builder()
        .city("Ulm")
        .build()
        .unwrap();
    let user = directions::types::User::builder()
        .name("Ada")
        .password("x")
        .address(address);
    let server = Server::new(
        201,
        r#"{"id": "7d052811-c57c-4920-9fd6-bdbaa6c94e47", "created_at": "2026-03-16T09:31:48Z", "name": "Ada",
            "address": {"city": "Ulm", "checked": true}}"#,
    );
    let user = client!(directions, server.clone())
        .create_user()
        .body(user)
        .send()
        .await
        .unwrap();
    assert_eq!(
        text(&server.request()),
        r#"{"name":"Ada","password":"x","address":{"city":"Ulm"}}"#
    );
    assert!(user.id.is_some() && user.password.is_none());
    assert_eq!(user.address.checked, Some(true));

    let missing = directions::types::User::builder()
        .build()
        .unwrap_err()
        .to_string();
    assert!(
        missing.contains("`name`") && !missing.contains("`id`"),
        "{missing}"
    );

    let server = Server::new(201, r#"{"id": "a"}"#);
    let login = directions::types::LoginCreate::builder().pin("1");
    let login = client!(directions, server.clone())
        .create_login()
        .body(login)
        .send()
        .await;
    assert_eq!(text(&server.request()), r#"{"pin":"1"}"#);
    let login = login.unwrap().into_inner();
    assert_eq!(login.id, "a".to_owned());
    assert_eq!(login.pin, None);
}

#[tokio::test]
async fn decimals_are_read_as_their_patterns_allow_them() {
    let amounts = read(
        r#"{"bare": "-.50", "signed": "+1.50", "loose": ".5", "blank": "", "optional": "+.5"}"#,
        |server| client!(decimals, server).read_amounts(),
    );
    let amounts = amounts.await;
    assert_eq!(amounts.bare.unwrap().to_string(), "-0.50");
    assert_eq!(amounts.signed.to_string(), "1.50");
    assert_eq!(amounts.loose.to_string(), "0.5");
    assert_eq!(amounts.blank, None);
    assert_eq!(amounts.optional.unwrap().to_string(), "0.5");
}

#[tokio::test]
async fn an_optional_body_is_sent_only_if_it_is_given() {
    let is_empty = |request: &Request<Bytes>| {
        request.body().is_empty() && !request.headers().contains_key("content-type")
    };
    assert!(is_empty(
        &sent(|server| client!(bodies, server).cancel()).await
    ));
    assert!(is_empty(
        &sent(|server| client!(bodies, server).note()).await
    ));
    assert!(is_empty(
        &sent(|server| client!(bodies, server).text()).await
    ));
    assert!(is_empty(
        &sent(|server| client!(bodies, server).form()).await
    ));

    let request = sent(|server| client!(bodies, server).note().body_map(|note| note)).await;
    assert_eq!(text(&request), "{}");
    let request = sent(|server| client!(bodies, server).text().body("hello")).await;
    assert_eq!(text(&request), "hello");
    let problem =
        rejected(|server| client!(bodies, server).cancel().body_map(|reason| reason)).await;
    assert!(problem.contains("`reason` is required"), "{problem}");

    let request = sent(|server| client!(bodies, server).needed()).await;
    assert_eq!(text(&request), "{}");
}

#[tokio::test]
async fn a_body_has_the_media_type_of_the_description() {
    let request = sent(|server| {
        client!(bodies, server)
            .merge()
            .body_map(|note| note.note("a"))
    })
    .await;
    assert_eq!(
        request.headers()["content-type"],
        "application/merge-patch+json"
    );
    let request = sent(|server| client!(bodies, server).vendor().body(vec!["a".to_owned()])).await;
    assert_eq!(
        request.headers()["content-type"],
        "application/vnd.x.v1+json"
    );
    let request = sent(|server| client!(bodies, server).needed()).await;
    assert_eq!(request.headers()["content-type"], "application/json");
}

#[tokio::test]
async fn a_number_that_is_not_finite_is_rejected() {
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let problems = [
            rejected(|server| client!(numbers, server).read_numbers().price(number)).await,
            rejected(|server| {
                client!(numbers, server)
                    .read_numbers()
                    .prices(vec![1.0, number])
            })
            .await,
            rejected(|server| client!(numbers, server).read_numbers().x_rate(number)).await,
            rejected(|server| {
                client!(numbers, server)
                    .write_numbers()
                    .body_map(|it| it.rate(number))
            })
            .await,
            rejected(|server| {
                client!(numbers, server)
                    .write_numbers()
                    .body_map(|it| it.rates(vec![number]))
            })
            .await,
        ];
        for problem in problems {
            assert!(
                problem.contains("NaN and infinities cannot be sent"),
                "{problem}"
            );
        }
    }
    let request = sent(|server| {
        client!(numbers, server)
            .write_numbers()
            .body_map(|it| it.rate(1.5))
    })
    .await;
    assert_eq!(text(&request), r#"{"rate":1.5}"#);
}

#[tokio::test]
async fn integers_may_have_a_point() {
    let numbers = read(
        r#"{"i": 1.0, "u": 1e1, "big": 18446744073709551615, "list": [1.0, 2], "map": {"a": 3.0, "b": null}, "f": 1}"#,
        |server| client!(numbers, server).read_numbers(),
    );
    let numbers = numbers.await;
    assert_eq!(numbers.i, 1);
    assert_eq!(numbers.u, Some(10));
    assert_eq!(numbers.big, Some(u64::MAX));
    assert_eq!(numbers.list, Some(vec![1, 2]));
    assert_eq!(numbers.map.unwrap()["a"], Some(3));
    let server = Server::new(200, r#"{"i": 1.5}"#);
    assert!(
        client!(numbers, server)
            .read_numbers()
            .send()
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_response_without_a_body_has_no_value_if_it_is_described() {
    let server = Server::new(204, "");
    assert!(
        client!(answers, server.clone())
            .read_thing()
            .send()
            .await
            .unwrap()
            .into_inner()
            .is_none()
    );
    assert!(
        client!(answers, server.clone())
            .list_things()
            .send()
            .await
            .unwrap()
            .data
            .is_empty()
    );
    assert!(
        client!(answers, server.clone())
            .read_strict()
            .send()
            .await
            .is_err()
    );
    client!(answers, server).head_thing().send().await.unwrap();
    let thing = read(r#"{"n": 1}"#, |server| {
        client!(answers, server).read_thing()
    })
    .await;
    assert_eq!(thing.unwrap().n, 1);
    let things = read(r#"{"data": [{"n": 1}]}"#, |server| {
        client!(answers, server).list_things()
    })
    .await;
    assert_eq!(things.data[0].n, 1);
}

#[tokio::test]
async fn parameters_are_written_as_described() {
    let texts = |texts: &[&str]| {
        texts
            .iter()
            .map(|text| (*text).to_owned())
            .collect::<Vec<String>>()
    };
    let filter = parameters::types::Filter::builder().a("x y").b(1);
    let request = sent(|server| {
        client!(parameters, server)
            .find()
            .ids(texts(&["a", "b,c", "d/e"]))
            .csv(texts(&["a", "b,c"]))
            .text("hi")
            .filter(filter.build().unwrap())
            .x_list(vec![1, 2])
    });
    let request = request.await;
    assert_eq!(request.uri().path(), "/find/a,b%2Cc,d%2Fe");
    assert_eq!(
        request.uri().query(),
        Some("csv=a,b%2Cc&filter=%7B%22a%22%3A%22x+y%22%2C%22b%22%3A1%7D&text=%22hi%22")
    );
    assert_eq!(request.headers()["x-list"], "[1,2]");
}

#[tokio::test]
async fn the_tag_of_a_union_must_be_that_of_its_object() {
    let card = |tag: &str| {
        unions::types::Card::builder()
            .type_(tag)
            .number("1")
            .build()
            .unwrap()
    };
    let problem = rejected(|server| client!(unions, server).pay().body(card("WRONG"))).await;
    assert!(
        problem.contains("`type` of this object must be `CARD`"),
        "{problem}"
    );
    let problem = rejected(|server| client!(unions, server).pay().body(card("CASH"))).await;
    assert!(
        problem.contains("`type` of this object must be `CARD`"),
        "{problem}"
    );
    let problem = rejected(|server| {
        client!(unions, server)
            .order()
            .body_map(|order| order.payments(vec![card("").into()]))
    });
    assert!(problem.await.contains("`type` of this object must be"));

    let paid = read(r#"{"type": "CASH", "rate": 1}"#, |server| {
        client!(unions, server).pay().body(card("CARD"))
    });
    assert!(matches!(paid.await, unions::types::Payment::Cash(_)));
}

#[tokio::test]
async fn long_chains_of_types_can_be_sent_to_a_task() {
    fn spawn<O: Operation>(call: O) -> tokio::task::JoinHandle<O::Output> {
        tokio::spawn(async move { call.send().await.unwrap().into_inner() })
    }
    let server = Server::new(200, r#"{"next": {"next": {"next": null}}}"#);
    let ring = tokio::spawn(client!(ring, server.clone()).read_it().send());
    let ring = ring.await.unwrap().unwrap().into_inner();
    assert!(ring.next.is_some());
    let again = tokio::spawn(async move { ring.clone() == ring });
    assert!(again.await.unwrap());

    let server = Server::new(200, r#"{"next": [{"next": []}]}"#);
    let ring = tokio::spawn(client!(ring_of_lists, server.clone()).read_it().send());
    assert_eq!(ring.await.unwrap().unwrap().next.as_ref().unwrap().len(), 1);

    let server = Server::new(200, r#"{"next": {"next": {}}}"#);
    let chain = client!(chain, server.clone());
    let body = chain::types::L0::builder().build().unwrap();
    tokio::spawn(async move { chain.send_it().body(body).send().await })
        .await
        .unwrap()
        .unwrap();
    assert_eq!(text(&server.request()), "{}");
    drop(spawn(client!(chain, server).read_it()));
}

#[tokio::test]
async fn an_object_may_have_260_fields() {
    let request = sent(|server| {
        client!(wide, server)
            .send_it()
            .body_map(|body| body.f0("a").f259("b"))
    })
    .await;
    assert_eq!(text(&request), r#"{"f0":"a","f259":"b"}"#);
    let shown = format!("{:?}", wide::types::L0::builder().f0("a").build().unwrap());
    assert!(shown.contains("f0: Some(<hidden>)"), "{shown}");
}
