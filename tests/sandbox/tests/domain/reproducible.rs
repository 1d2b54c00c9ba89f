//! Runs with the same seed are equal, and a saved state can be continued.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use crate::plain::{Plain, Response, id, number, order};
use serde_json::{Value, json};
use upvest_sandbox::{Fault, Sandbox, StartError};
use uuid::Uuid;

const AT_100: &str = "IE0032077012";

/// The responses of a script, without the header `date`, which depends on the machine. `None` if the connection was
/// reset.
type Transcript = Vec<Option<Response>>;

/// A day with orders, a savings plan and a report, under random faults.
async fn run(seed: u64) -> (Transcript, Vec<String>) {
    let api = Plain::of(crate::plain::builder().seed(seed)).await;
    let account = api.sandbox.open_account("100000.00").await.unwrap();
    api.sandbox
        .random_faults(0.3, Fault::common())
        .await
        .unwrap();
    let mut transcript = vec![];
    let mut say = |method: &str, path: &str, key: Option<u128>, body: Option<&Value>| {
        let reply = api.send(method, path, key.map(Uuid::from_u128), body).ok();
        transcript.push(reply.map(|mut reply| {
            reply.headers.retain(|(name, _)| name != "date");
            reply
        }));
    };
    let plan = json!({
        "account_id": account, "instrument_id": Sandbox::instrument("IE00B95PGT31"),
        "cash_amount": "10.00", "currency": "EUR", "frequency": "WEEKLY",
    });
    say("POST", "/savings_plans", Some(1), Some(&plan));
    for key in 100..160 {
        let fields = json!({ "cash_amount": format!("{key}.00") });
        let body = order(account, "IE00B95PGT31", "BUY", &fields);
        say("POST", "/orders", Some(key), Some(&body));
        // Repeated, as if the response had not arrived.
        say("POST", "/orders", Some(key), Some(&body));
        say("GET", "/orders?limit=3&offset=10", None, None);
        api.seconds(600).await;
    }
    api.sandbox
        .create_report("ACCOUNT_STATEMENT")
        .await
        .unwrap();
    api.days(8).await;
    for path in [
        "/reports",
        "/savings_plans",
        "/users",
        "/nothing",
        "/orders?limit=nonsense",
    ] {
        say("GET", path, None, None);
    }
    say(
        "GET",
        &format!("/accounts/{account}/transactions?limit=100"),
        None,
        None,
    );
    let events = api.sandbox.events();
    (
        transcript,
        events
            .iter()
            .map(|event| serde_json::to_string(event).unwrap())
            .collect(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_with_the_same_seed_are_equal() {
    let (first, first_events) = run(42).await;
    let (second, second_events) = run(42).await;
    assert_eq!(first, second);
    assert_eq!(first_events, second_events);
    // The test is meaningful only if every fault occurred and most answers arrived.
    let with = |status: u16| {
        first
            .iter()
            .flatten()
            .filter(|reply| reply.status == status)
            .count()
    };
    assert!(first.iter().any(Option::is_none));
    assert!([429, 503, 504].into_iter().all(|status| with(status) > 0));
    assert!(with(200) + with(201) > first.len() / 2);
    assert!(
        first_events
            .iter()
            .any(|event| event.contains("SAVINGS_PLAN.EXECUTED"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_with_different_seeds_differ() {
    let (first, _) = run(42).await;
    let (second, _) = run(43).await;
    let request_id = |reply: &Response| {
        let mut headers = reply.headers.iter();
        headers
            .find(|(name, _)| name == "upvest-request-id")
            .map(|(_, id)| id.clone())
            .unwrap()
    };
    let ids = |transcript: &Transcript| {
        transcript
            .iter()
            .flatten()
            .map(request_id)
            .collect::<Vec<_>>()
    };
    assert!(ids(&first).iter().all(|id| !ids(&second).contains(id)));
    let missing =
        |transcript: &Transcript| transcript.iter().map(Option::is_none).collect::<Vec<_>>();
    assert_ne!(missing(&first), missing(&second));
}

/// Answers deliveries with a status that can be changed.
fn endpoint() -> (String, Arc<AtomicU16>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/events", listener.local_addr().unwrap());
    let status = Arc::new(AtomicU16::new(500));
    let answered = Arc::clone(&status);
    // It runs until the end of the test.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = Vec::new();
            let mut piece = [0; 4096];
            while !is_whole(&request) {
                match stream.read(&mut piece) {
                    Ok(read @ 1..) => request.extend_from_slice(&piece[..read]),
                    _ => break,
                }
            }
            let status = answered.load(Ordering::SeqCst);
            let response = format!(
                "HTTP/1.1 {status} Status\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
            );
            let _ = stream.write_all(response.as_bytes());
        }
    });
    (url, status)
}

/// Whether a request with its whole body has arrived.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let head = head.to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    length.is_some_and(|length| body.len() >= length.trim().parse().unwrap())
}

/// The responses of all list operations, each with its path.
fn all_lists(api: &Plain, account: Uuid) -> Vec<(String, Value)> {
    let of_account = [
        "positions",
        "valuations",
        "returns",
        "cash_balances",
        "fees",
        "transactions",
    ]
    .iter()
    .chain(&["reference_accounts", "liquidations"])
    .map(|list| format!("/accounts/{account}/{list}"));
    let of_all = [
        "users",
        "accounts",
        "instruments",
        "orders",
        "portfolios",
        "savings_plans",
    ]
    .iter()
    .chain(&[
        "direct_debits",
        "mandates",
        "withdrawals",
        "fee_configurations",
        "reports",
    ])
    .chain(&[
        "treasury_reports",
        "securities_transfers",
        "account_transfers",
        "corporate_actions",
    ])
    .chain(&["webhooks"])
    .map(|list| format!("/{list}"));
    of_all
        .chain(of_account)
        .map(|path| (path.clone(), Value::Array(api.list(&path))))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_continues_from_its_saved_state() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let (url, endpoint_status) = endpoint();
    let api = Plain::start().await;
    let account = fill(&api).await;
    let webhook = api.sandbox.subscribe(&url).await.unwrap();
    let key = Uuid::from_u128(7);
    let body = order(account, AT_100, "BUY", &json!({ "cash_amount": "50.00" }));
    let first = api.send("POST", "/orders", Some(key), Some(&body)).unwrap();
    // In progress. The delivery of its first event has failed.
    api.seconds(1).await;
    let under_way = id(&serde_json::from_slice(&first.body).unwrap());
    assert_eq!(api.order_status(&under_way), "PROCESSING");
    assert!(!api.sandbox.deliveries().is_empty());
    api.sandbox.save(&path).unwrap();
    let before = all_lists(&api, account);
    let events = api.sandbox.events();
    let now = api.sandbox.now();
    drop(api);

    let api = Plain::of(crate::plain::builder().load(&path)).await;
    assert_eq!(api.sandbox.now(), now);
    for (was, is) in before.iter().zip(all_lists(&api, account)) {
        assert_eq!(*was, is);
        assert_ne!(is.1, json!([]), "{} is empty: nothing is compared", is.0);
    }
    let as_text = |event| serde_json::to_string(event).unwrap();
    let is = api.sandbox.events();
    assert_eq!(
        is.iter().map(as_text).collect::<Vec<_>>(),
        events.iter().map(as_text).collect::<Vec<_>>()
    );
    api.assert_books_add_up();

    // The key still belongs to the order that was placed.
    let count = api.list("/orders").len();
    let again = api.send("POST", "/orders", Some(key), Some(&body)).unwrap();
    assert_eq!(again.status, first.status);
    assert_eq!(&again.body, &first.body);
    let other = order(account, AT_100, "BUY", &json!({ "cash_amount": "51.00" }));
    assert_eq!(
        api.send("POST", "/orders", Some(key), Some(&other))
            .unwrap()
            .status,
        409
    );
    assert_eq!(api.list("/orders").len(), count);

    // Open resources are processed, and waiting events are delivered.
    endpoint_status.store(200, Ordering::SeqCst);
    api.seconds(10).await;
    assert_eq!(api.order_status(&under_way), "FILLED");
    let deliveries = api.sandbox.deliveries();
    let taken = deliveries
        .iter()
        .filter(|it| it.is_taken() && it.webhook_id == webhook);
    let taken: Vec<_> = taken.flat_map(|delivery| delivery.events.clone()).collect();
    let of_order = api
        .sandbox
        .events()
        .into_iter()
        .filter(|event| event.about.to_string() == under_way);
    let of_order: Vec<_> = of_order.map(|event| (event.event_type, event.id)).collect();
    assert_eq!(
        of_order.iter().map(|it| it.0).collect::<Vec<_>>(),
        ["ORDER.NEW", "ORDER.PROCESSING", "ORDER.FILLED"]
    );
    for (kind, id) in of_order {
        assert_eq!(
            taken.iter().filter(|taken| **taken == id).count(),
            1,
            "{kind}"
        );
    }
    api.seconds(3_600).await;
    api.assert_books_add_up();
}

/// Creates an item of every list.
async fn fill(api: &Plain) -> Uuid {
    let account = api.sandbox.open_account("10000.00").await.unwrap();
    let user = api.get(&format!("/accounts/{account}"))["user_id"].clone();
    let group = api.sandbox.account_group();
    let second = id(&api.post(
        "/accounts",
        &json!({ "user_id": user, "account_group_id": group }),
    ));
    api.seconds(1).await;
    api.sandbox
        .top_up(second.parse::<Uuid>().unwrap(), "10.00")
        .await
        .unwrap();
    let mandate = api
        .sandbox
        .create_mandate(group, "DE89370400440532013000")
        .await
        .unwrap();
    api.command(json!({
        "command": "add_reference_account", "account_id": account, "iban": "DE89370400440532013000",
        "bic": "COBADEFFXXX", "account_holder": "Erika Mustermann",
    }))
    .await;
    let allocations =
        json!([{ "instrument_id": Sandbox::instrument("IE00B3XXRP09"), "weight": "1" }]);
    let portfolio = json!({ "account_id": account, "name": "One", "allocations": allocations });
    let portfolio = id(&api.post("/portfolios", &portfolio));
    let amount = json!({ "cash_amount": "123.45", "currency": "EUR" });
    api.post(&format!("/portfolios/{portfolio}/orders"), &amount);
    let of_account = |rest: &Value| {
        let mut body = json!({ "account_id": account, "cash_amount": "12.34", "currency": "EUR" });
        body.as_object_mut()
            .unwrap()
            .extend(rest.as_object().unwrap().clone());
        body
    };
    let plan = json!({ "portfolio_id": portfolio, "frequency": "MONTHLY" });
    api.post("/savings_plans", &of_account(&plan));
    api.post("/withdrawals", &of_account(&json!({})));
    let debit = json!({
        "user_id": user, "account_group_id": group, "mandate_id": mandate,
        "cash_amount": "1", "currency": "EUR",
    });
    api.post("/direct_debits", &debit);
    api.order(
        account,
        "IE00B5M1WJ87",
        "BUY",
        &json!({ "cash_amount": "450" }),
    );
    api.order(
        account,
        AT_100,
        "BUY",
        &json!({ "type": "LIMIT", "limit_price": "90", "quantity": "1" }),
    );
    api.order(account, AT_100, "SELL", &json!({ "quantity": "1" }));
    api.sandbox.create_report("TAX").await.unwrap();
    api.command(json!({ "command": "create_treasury_report", "type": "TREASURY" }))
        .await;
    api.sandbox
        .charge_fee(account, "CUSTODY", "1.23")
        .await
        .unwrap();
    let inbound = upvest_sandbox::Direction::Inbound;
    api.sandbox
        .transfer_securities(inbound, account, AT_100, "1.5")
        .await
        .unwrap();
    api.post(
        "/account_transfers",
        &json!({ "source_account_id": second, "target_account_id": account }),
    );
    let ex_date = "2024-02-01".parse().unwrap();
    api.sandbox
        .announce_dividend(AT_100, "0.5", ex_date)
        .await
        .unwrap();
    api.days(1).await;
    api.post(
        &format!("/accounts/{account}/liquidations"),
        &json!({ "type": "PARTIAL" }),
    );
    account
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loaded_sandbox_continues_as_if_it_had_never_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let through = Plain::start().await;
    let account = fill(&through).await;
    let saved = Plain::start().await;
    assert_eq!(fill(&saved).await, account);
    saved.sandbox.save(&path).unwrap();
    drop(saved);
    let loaded = Plain::of(crate::plain::builder().load(&path)).await;
    for api in [&through, &loaded] {
        // Plans, dividends, prices and partial executions, including ids.
        api.order(
            account,
            "IE00B95PGT31",
            "BUY",
            &json!({ "cash_amount": "99.99" }),
        );
        api.days(45).await;
    }
    let both = all_lists(&through, account)
        .into_iter()
        .zip(all_lists(&loaded, account));
    both.for_each(|(one, other)| assert_eq!(one.1, other.1, "{}", one.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_that_expired_before_loading_is_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let api = Plain::start().await;
    let account = api.sandbox.open_account("1000.00").await.unwrap();
    let key = Some(Uuid::from_u128(7));
    let body = order(account, AT_100, "BUY", &json!({ "cash_amount": "50.00" }));
    let first = api.send("POST", "/orders", key, Some(&body)).unwrap();
    api.sandbox.save(&path).unwrap();
    let later = api.sandbox.now() + Duration::from_secs(86_400);
    let api = Plain::of(crate::plain::builder().load(&path).start_at(later)).await;
    assert_eq!(api.sandbox.now(), later);
    assert_eq!(api.cash(account).available, number("950"));
    let second = api.send("POST", "/orders", key, Some(&body)).unwrap();
    assert_eq!(second.status, 201);
    assert_ne!(second.body, first.body);
}

async fn start_error(path: &Path) -> StartError {
    crate::plain::builder()
        .load(path)
        .start()
        .await
        .expect_err("the file is damaged")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_named_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let api = Plain::start().await;
    api.sandbox.open_account("1000.00").await.unwrap();
    api.sandbox.save(&path).unwrap();
    let whole = std::fs::read_to_string(&path).unwrap();
    let halved = whole[..whole.len() / 2].to_owned();
    let of_another_kind = whole.replacen("USER.CREATED", "USER.UNHEARD_OF", 1);
    for content in [
        String::new(),
        "no JSON".to_owned(),
        "{}".to_owned(),
        halved,
        of_another_kind,
    ] {
        std::fs::write(&path, &content).unwrap();
        let error = start_error(&path).await;
        assert!(
            matches!(&error, StartError::Data { path: named, .. } if *named == path),
            "{error:?}"
        );
        assert!(
            error.to_string().contains(path.to_str().unwrap()),
            "{error}"
        );
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        assert!(cause.is_some_and(|cause| !cause.is_empty()));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
    }
    // A folder is not a file either.
    start_error(folder.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_replaces_the_whole_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let api = Plain::start().await;
    api.sandbox.open_account("1.00").await.unwrap();
    api.sandbox.save(&path).unwrap();
    // The next save replaces it completely.
    api.sandbox.open_account("1.00").await.unwrap();
    api.sandbox.save(&path).unwrap();
    drop(api);
    let api = Plain::of(crate::plain::builder().load(&path)).await;
    assert_eq!(api.list("/users").len(), 2);
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(left, [path]);
    assert!(
        api.sandbox
            .save(folder.path().join("nowhere").join("state.json"))
            .is_err()
    );
}
