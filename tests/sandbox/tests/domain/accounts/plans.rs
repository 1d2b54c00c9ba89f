//! Savings plans.

use super::portfolios::create_portfolio;
use super::*;

fn create_plan(api: &Plain, account: Uuid, frequency: &str, what: &Value) -> String {
    let mut body = json!({
        "account_id": account, "cash_amount": "10.00", "currency": "EUR", "frequency": frequency,
    });
    for (name, value) in what.as_object().unwrap() {
        body[name] = value.clone();
    }
    id(&api.post("/savings_plans", &body))
}

/// The days on which a plan was executed.
fn executions_of(api: &Plain, plan: &str) -> Vec<String> {
    let events = api.sandbox.events();
    let executed = events
        .iter()
        .filter(|it| it.event_type == "SAVINGS_PLAN.EXECUTED" && it.about.to_string() == plan);
    executed
        .map(|event| event.created_at.date_naive().to_string())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_savings_plan_is_executed_on_its_dates() {
    // From the 31st of January: it runs on the last day of shorter months, and on the 31st of later ones.
    let all_dates: [(&str, &[&str]); 4] = [
        (
            "WEEKLY",
            &[
                "2024-02-07",
                "2024-02-14",
                "2024-02-21",
                "2024-02-28",
                "2024-03-06",
            ],
        ),
        (
            "BIWEEKLY",
            &[
                "2024-02-14",
                "2024-02-28",
                "2024-03-13",
                "2024-03-27",
                "2024-04-10",
            ],
        ),
        (
            "MONTHLY",
            &[
                "2024-02-29",
                "2024-03-31",
                "2024-04-30",
                "2024-05-31",
                "2024-06-30",
            ],
        ),
        (
            "QUARTERLY",
            &[
                "2024-04-30",
                "2024-07-31",
                "2024-10-31",
                "2025-01-31",
                "2025-04-30",
            ],
        ),
    ];
    for (frequency, dates) in all_dates {
        let (api, account) = with_cash("1000.00").await;
        let instrument = json!({ "instrument_id": Sandbox::instrument(AT_100) });
        let plan = create_plan(&api, account, frequency, &instrument);
        for (number_of, date) in (1..).zip(dates) {
            let shown = api.get(&format!("/savings_plans/{plan}"));
            assert_eq!(shown["next_execution_date"], **date, "{frequency}");
            let until = plain_midnight(date) - api.sandbox.now();
            api.sandbox.advance(until.to_std().unwrap()).await;
            assert_eq!(executions_of(&api, &plan).len(), number_of);
            api.seconds(5).await;
            assert_eq!(
                api.units(account, AT_100),
                Decimal::from(number_of as u64) / number("10")
            );
        }
        assert_eq!(executions_of(&api, &plan), dates, "{frequency}");
        api.assert_books_add_up();
    }
}

fn plain_midnight(date: &str) -> chrono::DateTime<chrono::Utc> {
    format!("{date}T00:00:00Z").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_savings_plan_can_be_paused_resumed_and_deleted() {
    let (api, account) = with_cash("1000.00").await;
    let instrument = json!({ "instrument_id": Sandbox::instrument(AT_100) });
    let plan = create_plan(&api, account, "WEEKLY", &instrument);
    let path = format!("/savings_plans/{plan}");
    api.days(7).await;
    let paused = api.call("PATCH", &path, Some(&json!({ "status": "PAUSED" })));
    assert_eq!(paused.0, 200);
    assert_eq!(&paused.1["status"], &json!("PAUSED"));
    api.days(14).await;
    api.call(
        "PATCH",
        &path,
        Some(&json!({ "status": "ACTIVE", "cash_amount": "25.00" })),
    );
    api.days(7).await;
    assert_eq!(executions_of(&api, &plan), ["2024-02-07", "2024-02-28"]);
    api.seconds(5).await;
    // 10.00 and 25.00 were invested. There was no execution on the two dates of the pause.
    assert_eq!(api.cash(account), Cash::available("965"));
    assert_eq!(api.call("DELETE", &path, None).0, 204);
    assert_eq!(api.call("GET", &path, None).0, 404);
    assert_eq!(api.call("DELETE", &path, None).0, 404);
    assert_eq!(api.list("/savings_plans"), Vec::<Value>::new());
    api.days(14).await;
    assert_eq!(executions_of(&api, &plan).len(), 2);
    let events = api.sandbox.events();
    let last = events
        .iter()
        .rfind(|event| event.about.to_string() == plan)
        .unwrap();
    assert_eq!(last.event_type, "SAVINGS_PLAN.CANCELLED");
    let cancelled: Value = serde_json::from_str(last.object.get()).unwrap();
    assert_eq!(cancelled["status"], "CANCELLED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_whose_frequency_changes_is_executed_once_a_day() {
    let (api, account) = with_cash("1000.00").await;
    let instrument = json!({ "instrument_id": Sandbox::instrument(AT_100) });
    let plan = create_plan(&api, account, "WEEKLY", &instrument);
    let path = format!("/savings_plans/{plan}");
    for frequency in ["BIWEEKLY", "WEEKLY", "MONTHLY", "WEEKLY"] {
        api.call("PATCH", &path, Some(&json!({ "frequency": frequency })));
    }
    api.days(15).await;
    assert_eq!(executions_of(&api, &plan), ["2024-02-07", "2024-02-14"]);
    assert_eq!(api.list("/orders").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_savings_plan_can_be_for_a_portfolio_of_its_account() {
    let (api, account) = with_cash("100.00").await;
    let portfolio = create_portfolio(&api, account, &[(AT_100, "0.7"), (SHARE, "0.3")]);
    create_plan(
        &api,
        account,
        "MONTHLY",
        &json!({ "portfolio_id": portfolio }),
    );
    api.days(30).await;
    assert_eq!(api.units(account, AT_100), number("0.07"));
    assert_eq!(api.units(account, SHARE), number("0.03"));
    assert_eq!(api.cash(account), Cash::available("90"));
    // A plan cannot use another user's account.
    let other = api.sandbox.open_account("100.00").await.unwrap();
    let mut body = json!({ "account_id": other, "cash_amount": "10", "currency": "EUR", "frequency": "MONTHLY" });
    assert!(
        api.rejected("POST", "/savings_plans", &body)
            .contains("`portfolio_id`")
    );
    body["portfolio_id"] = json!(portfolio);
    assert!(
        api.rejected("POST", "/savings_plans", &body)
            .contains("`portfolio_id`")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_savings_plan_in_a_currency_that_is_not_traded_buys_nothing() {
    let (api, account) = with_cash("100.00").await;
    let instrument = json!({ "instrument_id": Sandbox::instrument(AT_100), "currency": "USD" });
    create_plan(&api, account, "WEEKLY", &instrument);
    api.days(8).await;
    let orders = api.list("/orders");
    assert_eq!(&orders[0]["currency"], &json!("USD"));
    assert_eq!(&orders[0]["status"], &json!("REJECTED"));
    assert_eq!(api.cash(account), Cash::available("100"));
}
