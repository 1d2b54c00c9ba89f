//! The control API: the commands and views over HTTP.

use std::collections::BTreeSet;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use upvest_ext::api::events::{EventKind, EventObject};
use upvest_ext::api::runtime::{EventObjects as _, EventType};
use upvest_ext::{CallOptions, RetryBudget, RetryPolicy};
use upvest_ext::{Upvest, UpvestBuilder};
use uuid::Uuid;

use crate::bench::{Bench, DOWN, Response, place, soon};

#[tokio::test]
async fn the_control_api_does_what_the_library_does() {
    let bench = Bench::start().await;
    let before = bench.sandbox.now();
    let response = bench.command("advance", json!({"seconds": 1.5})).await;
    assert_eq!(response.status, 200);
    assert_eq!((bench.sandbox.now() - before).num_milliseconds(), 1500);
    assert_eq!(
        response.json()["now"].as_str().unwrap().parse(),
        Ok(bench.sandbox.now())
    );

    let top_up = json!({"account_id": bench.account, "amount": "12.34"});
    assert_eq!(bench.command("top_up", top_up).await.status, 200);
    let balances = bench
        .get(&format!("/accounts/{}/cash_balances", bench.account))
        .await
        .json();
    let balance = if balances["data"].is_array() {
        &balances["data"][0]
    } else {
        &balances
    };
    assert_eq!(balance["available"], "1012.34", "{balances}");

    let group = bench
        .command("create_account_group", json!({}))
        .await
        .json();
    group["id"].as_str().unwrap().parse::<Uuid>().unwrap();
    let rule =
        json!({"operation": "createOrder", "times": 1, "fault": {"kind": "reset_after_commit"}});
    assert_eq!(bench.command("add_fault", rule).await.status, 200);
    bench.order_by_socket().await.unwrap_err();
    assert_eq!(bench.orders().await, 1);
    let random = json!({"rate": 1.0, "faults": [{"kind": "too_many_requests"}]});
    assert_eq!(bench.command("random_faults", random).await.status, 200);
    assert_eq!(bench.order().await.status, 429);
    assert_eq!(bench.command("clear_faults", json!({})).await.status, 200);
    assert_eq!(bench.order().await.status, 201);
}

#[tokio::test]
async fn the_control_api_says_what_is_wrong_with_a_command() {
    let bench = Bench::start().await;
    let account = bench.account;
    for (command, body, words) in [
        ("make_tea", json!({}), "make_tea"),
        ("advance", json!({}), "seconds"),
        ("advance", json!({"seconds": "soon"}), "soon"),
        ("advance", json!({"seconds": -1}), "seconds"),
        ("advance", json!({"seconds": 1e300}), "seconds"),
        ("advance", json!({"seconds": 1, "minutes": 2}), "minutes"),
        (
            "top_up",
            json!({"account_id": Uuid::nil(), "amount": "1.00"}),
            "id",
        ),
        (
            "top_up",
            json!({"account_id": account, "amount": "1.005"}),
            "amount",
        ),
        (
            "top_up",
            json!({"account_id": account, "amount": "1.00", "currency": "euro"}),
            "currency",
        ),
        ("add_fault", json!({"fault": {"kind": "meteor"}}), "meteor"),
        (
            "add_fault",
            json!({"fault": {"kind": "server_error", "status": 404}}),
            "504",
        ),
        ("set_offline", json!({"offline": true}), "seconds"),
        ("advance", json!([1]), "object"),
    ] {
        let response = bench.command(command, body.clone()).await;
        let problem = response.json();
        let problem = problem["error"]
            .as_str()
            .unwrap_or_else(|| panic!("{command} {body} is carried out"));
        assert_eq!(response.status, 400, "{command} {body}: {problem}");
        assert!(problem.contains(words), "{command} {body}: {problem}");
    }
    let url = format!("{}/_sandbox/clear_faults", bench.sandbox.url());
    let without_type = bench.http.post(&url).body("{}").send().await.unwrap();
    assert_eq!(without_type.status(), 400);
    let problem: Value = without_type.json().await.unwrap();
    assert!(
        problem["error"]
            .as_str()
            .unwrap()
            .contains("application/json"),
        "{problem}"
    );
    let broken = bench
        .http
        .post(&url)
        .header(CONTENT_TYPE, "application/json")
        .body("{")
        .send()
        .await
        .unwrap();
    assert_eq!(broken.status(), 400);
    assert_eq!(bench.get("/_sandbox/state").await.json()["orders"], 0);
}

#[tokio::test]
async fn a_sandbox_that_goes_offline_over_http_comes_back_by_itself() {
    let bench = Bench::start().await;
    let patient = RetryPolicy::new().max_attempts(200).backoff(soon());
    let builder = UpvestBuilder::from_vars(bench.sandbox.vars());
    let upvest = builder
        .retry_budget(RetryBudget::new(10_000))
        .defaults(CallOptions::new().retry(patient))
        .build()
        .unwrap();
    // The token is cached, but calls are repeated.
    upvest.list_orders().send().await.unwrap();
    let offline = bench
        .http
        .post(format!("{}/_sandbox/set_offline", bench.sandbox.url()));
    // The connection of the command is also reset, before or after its response.
    let _ = offline
        .json(&json!({"offline": true, "seconds": 1}))
        .send()
        .await;
    TcpStream::connect(bench.sandbox.address())
        .await
        .unwrap_err();
    place(&upvest, bench.account).await.unwrap();
}

#[tokio::test]
async fn the_control_api_shows_the_state_and_the_logs() {
    let bench = Bench::start().await;
    bench.order().await;
    bench.sandbox.advance(Duration::from_secs(2)).await;
    bench.fail(DOWN).await;

    let state = bench.get("/_sandbox/state").await.json();
    for (what, count) in [
        ("users", 1),
        ("accounts", 1),
        ("orders", 1),
        ("requests", 1),
        ("deliveries", 0),
    ] {
        assert_eq!(state[what], count, "{what}: {state}");
    }
    let requests = bench.get("/_sandbox/requests").await.json();
    assert_eq!(
        requests,
        serde_json::to_value(bench.sandbox.requests()).unwrap()
    );
    assert_eq!(requests[0]["operation"], "createOrder");
    assert_eq!(requests[0]["status"], 201);
    let events = bench.get("/_sandbox/events").await.json();
    assert_eq!(
        events,
        serde_json::to_value(bench.sandbox.events()).unwrap()
    );
    assert_eq!(state["events"], events.as_array().unwrap().len());
    assert!(
        events
            .as_array()
            .unwrap()
            .iter()
            .any(|it| it["event_type"] == "ORDER.FILLED"),
        "{events}"
    );
    assert_eq!(bench.get("/_sandbox/deliveries").await.json(), json!([]));
    assert_eq!(
        bench.get("/_sandbox/faults").await.json()[0]["operation"],
        "createOrder"
    );
    assert_eq!(bench.get("/_sandbox/audit").await.json(), json!([]));
}

#[tokio::test]
async fn the_control_api_is_described_as_openapi_from_the_types_of_its_commands() {
    let bench = Bench::start().await;
    let document = bench.get("/_sandbox/control.json").await.json();
    let commands = bench.get("/_sandbox/commands").await.json()["commands"].clone();
    let commands = commands.as_array().unwrap();
    assert!(commands.len() > 30);
    for command in commands {
        let operation =
            &document["paths"][format!("/_sandbox/{}", command["name"].as_str().unwrap())]["post"];
        assert_eq!(operation["summary"], command["description"], "{command}");
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        assert!(
            schema["properties"].get("command").is_none(),
            "the name is in the path"
        );
        for field in command["fields"].as_array().unwrap() {
            let name = field["name"].as_str().unwrap();
            assert!(
                schema["properties"].get(name).is_some(),
                "{command} has no {name} in {schema}"
            );
        }
    }
    let text = document.to_string();
    for reference in text
        .split("\"$ref\":\"#")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
    {
        assert!(
            document.pointer(reference).is_some(),
            "{reference} leads nowhere"
        );
    }
    for (path, item) in document["paths"].as_object().unwrap() {
        if item.get("get").is_some() {
            assert_eq!(bench.get(path).await.status, 200, "{path}");
        }
    }
}

#[tokio::test]
async fn the_served_description_names_this_sandbox_and_no_other_server() {
    let sandbox = upvest_sandbox::Sandbox::start().await.unwrap();
    let url = format!("{}/_sandbox/openapi.json", sandbox.url());
    let document = reqwest::get(url).await.unwrap().text().await.unwrap();
    let document: Value = serde_json::from_str(&document).unwrap();
    let servers = document["servers"].as_array().unwrap();
    assert_eq!(servers.len(), 1);
    assert_eq!(servers[0]["url"], sandbox.url());
    for (path, item) in document["paths"].as_object().unwrap() {
        let operations = item.as_object().unwrap().values();
        let own = operations
            .chain([item])
            .filter(|it| it.get("servers").is_some())
            .count();
        assert_eq!(own, 0, "{path} has servers of its own");
    }
}

#[tokio::test]
async fn the_control_api_accepts_only_host_names_of_this_machine() {
    let bench = Bench::start().await;
    let asked_as = async |host: &str| {
        let url = format!("{}/_sandbox/events", bench.sandbox.url());
        Response::read(bench.http.get(url).header("host", host))
            .await
            .status
    };
    for host in ["localhost", "127.0.0.1:1", "[::1]"] {
        assert_eq!(asked_as(host).await, 200, "{host}");
    }
    for host in [
        "example.com",
        "127.0.0.1.example.com",
        "localhost.example.com:80",
        "10.0.0.1",
    ] {
        assert_eq!(asked_as(host).await, 400, "{host}");
    }
}

#[tokio::test]
async fn a_sandbox_is_reset_to_its_start_and_restored_from_a_snapshot() {
    let sandbox = upvest_sandbox::Sandbox::start().await.unwrap();
    let start = (sandbox.now(), sandbox.events().len());
    let account = sandbox.open_account("100.00").await.unwrap();
    sandbox.snapshot("with an account").await.unwrap();
    let then = sandbox.now();
    sandbox.top_up(account, "1.00").await.unwrap();
    sandbox.advance(Duration::from_secs(86_400)).await;
    sandbox.take_token_endpoint_down().await;
    sandbox.restore("with an account").await.unwrap();
    assert_eq!(sandbox.now(), then);
    let last = sandbox.events().pop().unwrap();
    assert!(
        last.object.get().contains("100.00"),
        "the last top-up is gone: {}",
        last.object
    );
    // The state continues from there, and faults are cleared.
    sandbox.top_up(account, "2.00").await.unwrap();
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    upvest.list_users().send().await.unwrap();
    sandbox.reset().await;
    assert_eq!((sandbox.now(), sandbox.events().len()), start);
    assert!(sandbox.top_up(account, "1.00").await.is_err());
    assert!(sandbox.restore("another").await.is_err());
    let again = sandbox.open_account("100.00").await.unwrap();
    assert_eq!(
        again, account,
        "the same seed and the same steps make the same ids"
    );
    assert_eq!(sandbox.audit(), [""; 0]);
}

#[tokio::test]
async fn containers_and_browsers_have_access_if_they_are_configured() {
    let sandbox = upvest_sandbox::Sandbox::builder()
        .host(std::net::Ipv4Addr::UNSPECIFIED.into())
        .allow_control_from("upvest-sandbox")
        .cors("http://localhost:3000")
        .start()
        .await
        .unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let get = |path: &str, host: &str| {
        http.get(format!("{}{path}", sandbox.url()))
            .header("host", host)
    };
    assert_eq!(
        get("/_sandbox/state", "upvest-sandbox:8080")
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    assert_eq!(
        get("/_sandbox/state", "attacker.example")
            .send()
            .await
            .unwrap()
            .status(),
        400
    );
    // Health checks of containers use an address that is not known in advance.
    assert_eq!(
        get("/_sandbox/health", "10.1.2.3")
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    for (origin, allowed) in [
        ("http://localhost:3000", true),
        ("http://attacker.example", false),
    ] {
        let asked = http.request(
            http::Method::OPTIONS,
            format!("{}/_sandbox/advance", sandbox.url()),
        );
        let asked = asked
            .header("origin", origin)
            .header("access-control-request-method", "POST");
        let response = asked.send().await.unwrap();
        let allows = response
            .headers()
            .get("access-control-allow-origin")
            .is_some();
        assert_eq!(allows, allowed, "{origin}");
        assert_eq!(response.status() == 204, allowed, "{origin}");
    }
}

/// Events whose last word is another word for the status, in Upvest's own list (PROTOCOL 2.2).
const OTHER_WORDS: [(&str, &str); 11] = [
    ("ACCOUNT.CREATED", "PENDING"),
    ("ACCOUNT.ACTIVATED", "OPEN"),
    ("ACCOUNT.CLOSING_INITIATED", "CLOSING"),
    ("USER.CREATED", "PENDING"),
    ("USER.ACTIVATED", "ACTIVE"),
    ("USER.DEACTIVATED", "BLOCKED"),
    ("USER.OFFBOARDED", "CLOSED"),
    ("MANDATE.CREATED", "ACTIVE"),
    ("PORTFOLIO.CREATED", "ACTIVE"),
    ("PORTFOLIO_ORDER.FILLED", "COMPLETED"),
    ("SAVINGS_PLAN.RESUMED", "ACTIVE"),
];

#[tokio::test]
async fn an_event_and_the_status_in_it_agree_for_every_resource() {
    let bench = Bench::start().await;
    let lifecycles = bench.get("/_sandbox/lifecycles").await.json();
    let mut types = BTreeSet::new();
    for (resource, statuses) in lifecycles.as_object().unwrap() {
        for (status, row) in statuses.as_object().unwrap() {
            let event = row["event"].as_str().unwrap();
            let word = event.rsplit('.').next().unwrap();
            let is_other = OTHER_WORDS.contains(&(event, status));
            assert!(
                word == status || is_other,
                "{resource} is {status} in {event}"
            );
            assert!(types.insert(event), "{event} stands for two statuses");
        }
    }
    assert!(types.len() > 50, "{types:?}");
}

#[tokio::test]
async fn the_sandbox_lacks_the_events_that_the_guide_calls_never_sent() {
    let guide = include_str!("../../README.md");
    let never = guide.split("## Events that it never sends").nth(1).unwrap();
    let never = never.split("\n\nDirect debits").next().unwrap();
    let words = never.split('`').skip(1).step_by(2);
    let never: Vec<_> = words.filter(|word| word.contains('.')).collect();
    assert!(never.len() > 20);
    let types = Bench::start().await.get("/_sandbox/event_types").await;
    let types = types.json();
    let types = types.as_array().unwrap();
    assert!(types.len() > 60);
    for name in types {
        assert!(!never.contains(&name.as_str().unwrap()), "{name}");
    }
}

#[tokio::test]
async fn every_event_of_the_sandbox_can_be_triggered() {
    let bench = Bench::start().await;
    let lifecycles = bench.get("/_sandbox/lifecycles").await.json();
    let statuses = lifecycles
        .as_object()
        .unwrap()
        .values()
        .flat_map(|statuses| statuses.as_object().unwrap().values());
    let of_statuses = statuses.map(|status| status["event"].as_str().unwrap().to_owned());
    let types: BTreeSet<String> = bench
        .get("/_sandbox/event_types")
        .await
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_str().unwrap().to_owned())
        .collect();
    assert!(types.len() > 60 && of_statuses.into_iter().all(|event| types.contains(&event)));
    for event_type in &types {
        let response = bench
            .command("trigger", json!({ "event_type": event_type }))
            .await;
        assert_eq!(response.status, 200, "{event_type}: {}", response.json());
        let id = &response.json()["id"];
        let about = &response.json()["about"];
        let events = bench.sandbox.events();
        let event = events.iter().find(|it| id == &it.id.to_string()).unwrap();
        assert_eq!(event.event_type, &**event_type);
        assert_eq!(about, &json!(event.about));
        let failed = ["FAILED", "REJECTED", "CANCELLED", "REVERSED"]
            .iter()
            .any(|word| event_type.ends_with(word));
        assert!(
            !failed || event.reason.is_some(),
            "{event_type} says no reason"
        );
    }
    // Concurrent triggers do not affect each other.
    let trigger = || bench.sandbox.trigger("ORDER.FILLED");
    let (one, other, plan) = tokio::join!(
        trigger(),
        trigger(),
        bench.sandbox.trigger("SAVINGS_PLAN.EXECUTED")
    );
    assert!(
        one.unwrap().about != other.unwrap().about
            && plan.unwrap().event_type == "SAVINGS_PLAN.EXECUTED"
    );
    assert_eq!(bench.sandbox.audit(), [""; 0]);
    let unknown = bench
        .command("trigger", json!({ "event_type": "ORDER.EATEN" }))
        .await;
    assert_eq!(unknown.status, 400);
    assert!(
        unknown.json()["error"]
            .as_str()
            .unwrap()
            .contains("ORDER.EATEN")
    );
}

#[tokio::test]
async fn every_event_of_the_sandbox_has_an_object_of_a_described_type() {
    let bench = Bench::start().await;
    let types = bench.get("/_sandbox/event_types").await.json();
    for event_type in types.as_array().unwrap() {
        let event_type = event_type.as_str().unwrap();
        bench.sandbox.trigger(event_type).await.unwrap();
    }
    let events = bench.sandbox.events();
    let sent: BTreeSet<&str> = events.iter().map(|event| event.event_type).collect();
    assert!(sent.len() > 60, "{sent:?}");
    for event in &events {
        let event_type = EventType::new(event.event_type);
        assert!(EventKind::from(&event_type).is_known(), "{event_type}");
        let object = EventObject::read(&event_type, event.object.get().as_bytes());
        let object = object.unwrap_or_else(|error| panic!("{event_type}: {error}"));
        assert!(!matches!(object, EventObject::Unknown(_)), "{event_type}");
    }
}
