//! Rules that reject calls: blocked users, resources with a final status, and partly filled portfolio orders.

use crate::plain::{Plain, id, number, order};
use serde_json::{Value, json};
use upvest_sandbox::{Direction, Sandbox, UserStatus};
use uuid::Uuid;

/// Bid and offer 100.
const AT_100: &str = "IE0032077012";
const SHARE: &str = "US0378331005";

/// An account with cash and units, another of the same user, and a portfolio.
struct Estate {
    api: Plain,
    user: Uuid,
    account: Uuid,
    second: Uuid,
    mandate: Uuid,
    portfolio: String,
}

impl Estate {
    async fn new() -> Self {
        let api = Plain::start().await;
        let account = api.sandbox.open_account("1000.00").await.unwrap();
        let group = api.sandbox.account_group();
        let user = api.get(&format!("/accounts/{account}"))["user_id"]
            .as_str()
            .unwrap()
            .to_owned();
        let second = id(&api.post(
            "/accounts",
            &json!({ "user_id": user, "account_group_id": group }),
        ));
        let mandate = api
            .sandbox
            .create_mandate(group, "DE89370400440532013000")
            .await
            .unwrap();
        let weights = json!([
            { "instrument_id": Sandbox::instrument(AT_100), "weight": "0.5" },
            { "instrument_id": Sandbox::instrument(SHARE), "weight": "0.5" },
        ]);
        let portfolio = api.post(
            "/portfolios",
            &json!({ "account_id": account, "name": "Halves", "allocations": weights }),
        );
        api.order(account, AT_100, "BUY", &json!({ "cash_amount": "300" }));
        api.seconds(5).await;
        let user = user.parse().unwrap();
        let second = second.parse().unwrap();
        Self {
            user,
            account,
            second,
            mandate,
            portfolio: id(&portfolio),
            api,
        }
    }

    /// All requests that move cash or units, as path and body.
    fn movements(&self) -> Vec<(String, Value)> {
        let Self {
            user,
            account,
            second,
            mandate,
            portfolio,
            ..
        } = self;
        let cash = json!({ "cash_amount": "10.00", "currency": "EUR" });
        vec![
            (
                "/withdrawals".to_owned(),
                json!({ "account_id": account, "cash_amount": "10.00", "currency": "EUR" }),
            ),
            (
                "/direct_debits".to_owned(),
                json!({ "user_id": user, "account_group_id": self.api.sandbox.account_group(),
                    "mandate_id": mandate, "cash_amount": "10.00", "currency": "EUR" }),
            ),
            (
                "/account_transfers".to_owned(),
                json!({ "source_account_id": account, "target_account_id": second }),
            ),
            (format!("/portfolios/{portfolio}/orders"), cash),
            (format!("/portfolios/{portfolio}/rebalancing"), Value::Null),
            (
                format!("/accounts/{account}/liquidations"),
                json!({ "type": "FULL" }),
            ),
        ]
    }

    fn begin(&self, path: &str, body: &Value) -> (u16, Value) {
        self.api
            .call("POST", path, Some(body).filter(|body| !body.is_null()))
    }

    /// The type and the reason of the last event about a resource.
    fn end_of(&self, id: &str) -> (&'static str, Option<String>) {
        let events = self.api.sandbox.events();
        let last = events
            .iter()
            .rfind(|event| event.about.to_string() == id)
            .unwrap();
        (last.event_type, last.reason.clone())
    }

    /// Cash, and units of [`AT_100`] and [`SHARE`].
    fn holds(&self) -> [rust_decimal::Decimal; 4] {
        let cash = self.api.cash(self.account);
        [
            cash.available,
            cash.pending,
            self.api.units(self.account, AT_100),
            self.api.units(self.account, SHARE),
        ]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_a_blocked_or_closed_user_are_rejected() {
    for (status, name) in [
        (UserStatus::Blocked, "BLOCKED"),
        (UserStatus::Closed, "CLOSED"),
    ] {
        for half_way in [false, true] {
            let estate = Estate::new().await;
            let api = &estate.api;
            let limit = json!({ "type": "LIMIT", "quantity": "1", "limit_price": "90" });
            let waiting = api.order(estate.account, AT_100, "BUY", &limit);
            let plan = json!({ "account_id": estate.account, "portfolio_id": estate.portfolio,
                "cash_amount": "20.00", "currency": "EUR", "frequency": "WEEKLY" });
            api.post("/savings_plans", &plan);
            api.seconds(2).await;
            let begun: Vec<_> = estate
                .movements()
                .iter()
                .map(|(path, body)| {
                    let (status, thing) = estate.begin(path, body);
                    assert_eq!(status, 201, "{path}: {thing}");
                    id(&thing)
                })
                .collect();
            let inbound = api
                .sandbox
                .transfer_securities(Direction::Inbound, estate.account, SHARE, "1")
                .await
                .unwrap();
            if half_way {
                // The orders of this request have not been executed yet.
                api.seconds(1).await;
            }
            api.sandbox
                .set_user_status(estate.user, status)
                .await
                .unwrap();
            api.sandbox.set_price(AT_100, "80", "80").await.unwrap();
            api.seconds(10).await;
            // The reservation of the waiting order is released too.
            assert_eq!(estate.holds(), ["700", "0", "3", "0"].map(number));
            for id in begun.iter().chain([&inbound.to_string(), &waiting]) {
                let (kind, reason) = estate.end_of(id);
                assert!(
                    kind.ends_with("FAILED") || kind.ends_with("CANCELLED"),
                    "{kind}"
                );
                let reason = reason.unwrap_or_default();
                assert!(
                    reason.contains(&format!("the user is {name}")),
                    "{kind}: {reason}"
                );
            }
            for (path, body) in estate.movements() {
                let (status, problem) = estate.begin(&path, &body);
                assert_eq!(status, 409, "{path}");
                let detail = problem["detail"].as_str().unwrap();
                assert!(
                    detail.contains(&format!("the user is {name}")),
                    "{path}: {detail}"
                );
            }
            let placed = api.order(estate.account, AT_100, "SELL", &json!({ "quantity": "1" }));
            api.days(8).await;
            assert_eq!(
                estate.end_of(&placed),
                ("ORDER.REJECTED", Some(format!("the user is {name}")))
            );
            assert_eq!(estate.holds(), ["700", "0", "3", "0"].map(number));
            api.assert_books_add_up();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn transfers_between_users_are_rejected() {
    let estate = Estate::new().await;
    let stranger = estate.api.sandbox.open_account("1.00").await.unwrap();
    let body = json!({ "source_account_id": estate.account, "target_account_id": stranger });
    assert!(
        estate
            .api
            .rejected("POST", "/account_transfers", &body)
            .contains("`target_account_id`")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_needs_a_reference_account() {
    let estate = Estate::new().await;
    let body = json!({ "account_id": estate.second, "cash_amount": "1.00", "currency": "EUR" });
    let (status, problem) = estate.begin("/withdrawals", &body);
    assert_eq!(status, 409);
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("reference account"),
        "{problem}"
    );
    let reference = json!({ "command": "add_reference_account", "account_id": estate.second,
        "iban": "DE89370400440532013000", "bic": "COBADEFFXXX", "account_holder": "Erika Mustermann" });
    estate.api.command(reference).await;
    estate.api.post("/withdrawals", &body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partly_rejected_portfolio_order_names_the_executed_amount() {
    let estate = Estate::new().await;
    let api = &estate.api;
    api.command(json!({ "command": "set_tradeable", "isin": SHARE, "tradeable": false }))
        .await;
    let body = json!({ "cash_amount": "100.00", "currency": "EUR" });
    let half = id(&api.post(&format!("/portfolios/{}/orders", estate.portfolio), &body));
    api.seconds(5).await;
    let why = "1 of 2 orders filled, 50.00 EUR executed: the instrument is not tradeable";
    assert_eq!(
        estate.end_of(&half),
        ("PORTFOLIO_ORDER.CANCELLED", Some(why.to_owned()))
    );
    assert_eq!(estate.holds(), ["650", "0", "3.5", "0"].map(number));
    api.command(json!({ "command": "set_tradeable", "isin": SHARE, "tradeable": true }))
        .await;
    let whole = id(&api.post(&format!("/portfolios/{}/orders", estate.portfolio), &body));
    api.seconds(5).await;
    let (kind, reason) = estate.end_of(&whole);
    assert!(
        kind.starts_with("PORTFOLIO_ORDER.") && !kind.ends_with("CANCELLED") && reason.is_none()
    );
    assert_eq!(estate.holds(), ["550", "0", "4", "0.5"].map(number));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_with_a_final_status_cannot_be_changed() {
    let estate = Estate::new().await;
    let api = &estate.api;
    let account = estate.account;
    let portfolio = &estate.portfolio;
    let plan = json!({ "account_id": account, "instrument_id": Sandbox::instrument(AT_100),
        "cash_amount": "10.00", "currency": "EUR", "frequency": "WEEKLY" });
    let cancelled = id(&api.post("/savings_plans", &plan));
    estate.begin(
        &format!("/accounts/{account}/liquidations"),
        &json!({ "type": "FULL" }),
    );
    api.seconds(5).await;
    api.post(
        "/withdrawals",
        &json!({ "account_id": account, "cash_amount": "1000", "currency": "EUR" }),
    );
    assert_eq!(
        api.call("DELETE", &format!("/accounts/{account}"), None).0,
        204
    );
    api.seconds(5).await;
    assert_eq!(api.get(&format!("/accounts/{account}"))["status"], "CLOSED");
    let orders = api.list("/orders").len();
    let weights = json!([{ "instrument_id": Sandbox::instrument(AT_100), "weight": "1" }]);
    let mut changes = vec![
        (
            "PATCH",
            format!("/savings_plans/{cancelled}"),
            json!({ "status": "ACTIVE" }),
        ),
        (
            "PATCH",
            format!("/savings_plans/{cancelled}"),
            json!({ "cash_amount": "20" }),
        ),
        (
            "PATCH",
            format!("/accounts/{account}"),
            json!({ "type": "SAVING" }),
        ),
        (
            "PATCH",
            format!("/portfolios/{portfolio}"),
            json!({ "name": "Revived" }),
        ),
        (
            "PUT",
            format!("/portfolios/{portfolio}/allocations"),
            json!({ "allocations": weights }),
        ),
        ("POST", "/savings_plans".to_owned(), plan),
        (
            "POST",
            "/portfolios".to_owned(),
            json!({ "account_id": account, "name": "New", "allocations": weights }),
        ),
    ];
    let of_it = estate
        .movements()
        .into_iter()
        .filter(|(path, _)| path != "/direct_debits");
    changes.extend(of_it.map(|(path, body)| ("POST", path, body)));
    for (method, path, body) in &changes {
        let (status, response) = api.call(method, path, Some(body).filter(|body| !body.is_null()));
        assert_eq!(status, 409, "{method} {path}: {response}");
        assert!(
            response["detail"].as_str().unwrap().contains("CLOSED")
                || path.contains("savings_plans/")
        );
    }
    api.days(30).await;
    assert_eq!(api.list("/orders").len(), orders);
    api.sandbox
        .set_user_status(estate.user, UserStatus::Closed)
        .await
        .unwrap();
    assert!(
        api.sandbox
            .set_user_status(estate.user, UserStatus::Active)
            .await
            .is_err()
    );
    let account =
        json!({ "user_id": estate.user, "account_group_id": api.sandbox.account_group() });
    assert_eq!(estate.begin("/accounts", &account).0, 409);
    let name = json!({ "first_name": "Erik" });
    assert_eq!(
        api.call("PATCH", &format!("/users/{}", estate.user), Some(&name))
            .0,
        409
    );
    // An order is accepted for any account and checked later.
    let order = order(
        estate.account,
        AT_100,
        "BUY",
        &json!({ "cash_amount": "1" }),
    );
    let order = id(&api.post("/orders", &order));
    api.seconds(5).await;
    assert_eq!(estate.end_of(&order).0, "ORDER.REJECTED");
}
