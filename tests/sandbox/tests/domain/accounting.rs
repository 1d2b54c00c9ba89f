//! Property tests: after any steps, the accounts are consistent, so that no money and no units appear or disappear.

use std::collections::{BTreeMap, BTreeSet};

use crate::plain::{Plain, decimal, id, order};
use proptest::prelude::{Strategy, any};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use upvest_sandbox::{EventRecord, Sandbox};
use uuid::Uuid;

const STEPS: usize = 10_000;
/// After this many steps, the books are checked through the API. The audit checks them after each step.
const STEPS_BETWEEN_CHECKS: usize = 250;
/// More events than a step can have.
const EVENTS: usize = 2_000;
const MAX_ACCOUNTS: usize = 12;
/// The number of accounts without transfers, whose positions are the sum of their trades.
const ACCOUNTS_WITHOUT_TRANSFERS: usize = 3;

/// Instruments: normal, with a spread, with partial executions, cancelled in parts, random, oscillating, and in whole
/// units.
const ISINS: [&str; 8] = [
    "IE0032077012",
    "FR0010524777",
    "IE00BGL86Z12",
    "IE00B5M1WJ87",
    "IE00BF2GFH28",
    "IE00B95PGT31",
    "XF0000000017",
    "XF0000000025",
];
/// The instruments with splits. The units of the others are the sum of their executions.
const SPLIT: [&str; 2] = ["IE0032077012", "IE00BGL86Z12"];
const RATIOS: [&str; 6] = ["2", "0.5", "3", "0.25", "1.5", "0.001"];

/// A step. All its parameters are derived from its numbers, so that failing scripts can be shrunk.
#[derive(Clone, Copy, Debug)]
struct Step {
    what: u8,
    who: u8,
    which: u16,
    size: u32,
}

/// A sandbox and its resources.
struct Driver {
    api: Plain,
    users: Vec<String>,
    accounts: Vec<Uuid>,
    orders: Vec<String>,
    portfolios: Vec<String>,
    plans: Vec<String>,
    mandates: Vec<String>,
    debits: Vec<String>,
    /// Accounts and instruments with movements of units that are not orders.
    moved: BTreeSet<(Uuid, &'static str)>,
    books: Books,
    lifecycles: Lifecycles,
    bids: BTreeMap<String, Decimal>,
}

/// The test's own books, which are derived only from events.
#[derive(Default)]
struct Books {
    last: Option<Uuid>,
    /// Account, side and instrument of each order.
    orders: BTreeMap<String, (String, bool, String)>,
    accounts: BTreeMap<String, Book>,
}

#[derive(Default)]
struct Book {
    cash: Decimal,
    paid_in: Decimal,
    /// The exact value of the sales minus that of the purchases, at the prices of the trades.
    traded: Decimal,
    units: BTreeMap<String, Decimal>,
}

/// The statuses of resources according to their events, which are checked against the tables of the sandbox.
#[derive(Default)]
struct Lifecycles {
    /// The resource, the status and the following statuses, by event.
    table: BTreeMap<String, (String, String, BTreeSet<String>)>,
    /// The last event about a resource.
    last: BTreeMap<Uuid, &'static str>,
    steps: BTreeSet<(&'static str, &'static str)>,
}

#[test]
fn cash_and_units_are_conserved_over_ten_thousand_random_steps() {
    runtime().block_on(async {
        let mut draws = StdRng::seed_from_u64(7);
        let mut driver = Driver::start().await;
        driver.lifecycles.read(&driver.api.sandbox).await;
        for number in 1..=STEPS {
            let step = Step {
                what: draws.random(),
                who: draws.random(),
                which: draws.random(),
                size: draws.random(),
            };
            driver.take(step).await;
            let findings = driver.api.sandbox.audit();
            assert!(
                findings.is_empty(),
                "after step {number}, {step:?}: {findings:#?}"
            );
            let happened = driver.books.news(&driver.api.sandbox);
            driver.lifecycles.follow(&happened);
            driver.check_that_nobody_got_rich(step, &happened);
            if number % STEPS_BETWEEN_CHECKS == 0 {
                driver.check_from_outside();
            }
        }
        driver.check_units();
        driver.assert_much_has_happened();
        assert!(
            driver.lifecycles.steps.len() > 30,
            "few changes of status: {:?}",
            driver.lifecycles.steps
        );
    });
}

#[test]
fn short_scripts_keep_the_books_consistent_and_failing_ones_shrink() {
    let config = Config {
        cases: 100,
        failure_persistence: None,
        ..Config::default()
    };
    // Always the same scripts, so that failures are reproducible.
    let draws = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let step = (any::<u8>(), any::<u8>(), any::<u16>(), any::<u32>());
    let step = step.prop_map(|(what, who, which, size)| Step {
        what,
        who,
        which,
        size,
    });
    let script = proptest::collection::vec(step, 1..40);
    let runtime = runtime();
    let outcome = TestRunner::new_with_rng(config, draws).run(&script, |script| {
        let findings = runtime.block_on(async {
            let mut driver = Driver::start().await;
            for step in script {
                driver.take(step).await;
                let findings = driver.api.sandbox.audit();
                if !findings.is_empty() {
                    return findings;
                }
            }
            driver.check_from_outside();
            Vec::new()
        });
        if findings.is_empty() {
            Ok(())
        } else {
            Err(TestCaseError::fail(findings.join("; ")))
        }
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_tiny_orders_never_create_money() {
    // Bid 113.03, offer 115.05.
    const FUND: &str = "IE00B3XXRP09";
    let api = Plain::start().await;
    let empty = api.sandbox.open_account("0.01").await.unwrap();
    let place = |account, side, quantity: &str| {
        id(&api.post(
            "/orders",
            &order(account, FUND, side, &json!({ "quantity": quantity })),
        ))
    };
    // Each is worth half a cent, which must not be rounded down to nothing.
    let bought: Vec<_> = (0..50).map(|_| place(empty, "BUY", "0.00004")).collect();
    api.seconds(5).await;
    assert!(
        bought
            .iter()
            .all(|order| api.order_status(order) == "REJECTED")
    );
    let sold = place(empty, "SELL", "0.002");
    api.seconds(5).await;
    assert_eq!(api.order_status(&sold), "REJECTED");
    assert_eq!(api.cash(empty).available, crate::plain::number("0.01"));
    // Each is worth a little more than half a cent, which must not be rounded up.
    let rich = api.sandbox.open_account("1000.00").await.unwrap();
    api.post(
        "/orders",
        &order(rich, FUND, "BUY", &json!({ "cash_amount": "100.00" })),
    );
    api.seconds(5).await;
    let sold: Vec<_> = (0..500).map(|_| place(rich, "SELL", "0.00005")).collect();
    let dearer: Vec<_> = (0..500).map(|_| place(rich, "SELL", "0.00014")).collect();
    api.seconds(5).await;
    assert!(
        sold.iter()
            .all(|order| api.order_status(order) == "REJECTED")
    );
    assert!(
        dearer
            .iter()
            .all(|order| api.order_status(order) == "FILLED")
    );
    // 500 times 1.58 cents, of which one cent each is paid.
    assert_eq!(api.cash(rich).available, crate::plain::number("905.00"));
    // The rest of a position can be sold, even if it is worth less than a cent.
    let rest = api.units(rich, FUND) - crate::plain::number("0.00001");
    for (quantity, cash) in [
        (rest, "995.33"),
        (crate::plain::number("0.00001"), "995.33"),
    ] {
        let all = place(rich, "SELL", &quantity.to_string());
        api.seconds(5).await;
        assert_eq!(api.order_status(&all).as_str(), "FILLED");
        assert_eq!(api.cash(rich).available, crate::plain::number(cash));
    }
    assert_eq!(api.position(rich, FUND), None);
    api.assert_books_add_up();
}

/// The sandbox runs on one thread and the steps on the other.
fn runtime() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

impl Driver {
    async fn start() -> Self {
        let api = Plain::of(
            crate::plain::builder()
                .seed(7)
                .event_limit(EVENTS)
                .log_limit(16),
        )
        .await;
        let account = api.sandbox.open_account("10000.00").await.unwrap();
        let user = api.get(&format!("/accounts/{account}"))["user_id"]
            .as_str()
            .unwrap()
            .to_owned();
        Self {
            api,
            users: vec![user],
            accounts: vec![account],
            orders: Vec::new(),
            portfolios: Vec::new(),
            plans: Vec::new(),
            mandates: Vec::new(),
            debits: Vec::new(),
            moved: BTreeSet::new(),
            books: Books::default(),
            lifecycles: Lifecycles::default(),
            bids: BTreeMap::new(),
        }
    }

    async fn take(&mut self, step: Step) {
        match step.what % 64 {
            0..=12 => self.place_order(step),
            13..=15 => self.cancel_order(step),
            16..=26 => self.advance(step).await,
            27..=29 => self.set_price(step).await,
            30..=33 => self.top_up(step).await,
            34..=36 => self.withdraw(step),
            37 | 38 => self.debit(step).await,
            39 => self.undo_debit(step).await,
            40 => self.open_account(step).await,
            41 => self.change_user(step).await,
            42 => self.close_account(step),
            43 | 44 => self.create_portfolio(step),
            45..=47 => self.order_portfolio(step),
            48..=50 => self.rebalance(step),
            51 | 52 => self.plan(step),
            53 => self.change_plan(step),
            54 | 55 => self.liquidate(step),
            56 | 57 => self.transfer_securities(step).await,
            58 => self.transfer_account(step),
            59 | 60 => self.act_on_instrument(step).await,
            61 => self.set_tradeable(step).await,
            _ => self.charge_fee(step).await,
        }
    }

    fn account(&self, step: Step) -> Uuid {
        self.accounts[usize::from(step.who) % self.accounts.len()]
    }

    fn place_order(&mut self, step: Step) {
        let price = in_cents(step.size % 30_000 + 1);
        let amount = if step.which & 1 == 0 {
            json!({ "cash_amount": in_cents(step.size % 90_000 + 1) })
        } else {
            json!({ "quantity": Decimal::new(i64::from(step.size % 500_000_000) + 1, 8) })
        };
        let whole = (step.size % 9 + 1).to_string();
        let fields = match step.which >> 1 & 7 {
            0..=3 => amount,
            4 | 5 => json!({ "type": "LIMIT", "limit_price": price, "quantity": whole }),
            _ => json!({ "type": "STOP", "stop_price": price, "quantity": whole }),
        };
        // Nearly as many sales as purchases. Sales without units are rejected.
        let side = if step.which >> 4 & 7 < 4 {
            "BUY"
        } else {
            "SELL"
        };
        let body = order(self.account(step), isin(step.which >> 7), side, &fields);
        self.orders.push(id(&self.api.post("/orders", &body)));
    }

    fn cancel_order(&mut self, step: Step) {
        // One of the latest, as earlier ones have ended.
        let recent = &self.orders[self.orders.len().saturating_sub(40)..];
        if let Some(order) = choose(recent, step) {
            let (status, _) = self
                .api
                .call("POST", &format!("/orders/{order}/cancellation"), None);
            assert_eq!(status, 200);
        }
    }

    async fn advance(&mut self, step: Step) {
        let millis = u64::from(step.size);
        let by = match step.which % 100 {
            0..60 => millis % 4_000,
            60..85 => millis % 60_000,
            85..96 => millis % 7_200_000,
            _ => millis % 400_000_000,
        };
        self.api
            .sandbox
            .advance(std::time::Duration::from_millis(by))
            .await;
    }

    async fn set_price(&mut self, step: Step) {
        let bid = in_cents(step.size % 30_000 + 1);
        let offer = in_cents(step.size % 30_000 + u32::from(step.who) + 1);
        self.api
            .sandbox
            .set_price(isin(step.which), &bid, &offer)
            .await
            .unwrap();
    }

    async fn top_up(&mut self, step: Step) {
        let currency = if step.which.is_multiple_of(8) {
            "USD"
        } else {
            "EUR"
        };
        let amount = in_cents(step.size % 300_000 + 1);
        let account = self.account(step);
        let command = json!({ "command": "top_up", "account_id": account, "amount": amount, "currency": currency });
        // Rejected if the account is closed.
        let _ = self
            .api
            .sandbox
            .execute(serde_json::from_value(command).unwrap())
            .await;
    }

    fn withdraw(&mut self, step: Step) {
        let currency = if step.which.is_multiple_of(8) {
            "USD"
        } else {
            "EUR"
        };
        let amount = in_cents(step.size % 200_000 + 1);
        let body = json!({ "account_id": self.account(step), "cash_amount": amount, "currency": currency });
        self.try_post("/withdrawals", &body);
    }

    async fn debit(&mut self, step: Step) {
        let group = self.api.sandbox.account_group();
        if self.mandates.len() < 4 {
            let iban = "DE89370400440532013000";
            let mandate = self.api.sandbox.create_mandate(group, iban).await.unwrap();
            self.mandates.push(mandate.to_string());
        }
        let body = json!({
            "user_id": choose(&self.users, step), "account_group_id": group,
            "mandate_id": self.mandates[usize::from(step.which) % self.mandates.len()],
            "cash_amount": in_cents(step.size % 100_000 + 1), "currency": "EUR",
        });
        let debit = self.try_post("/direct_debits", &body);
        self.debits.extend(debit);
    }

    /// Rejected if the debit is not completed.
    async fn undo_debit(&mut self, step: Step) {
        if let Some(debit) = choose(&self.debits, step) {
            let command = json!({ "command": "reverse_direct_debit", "direct_debit_id": debit });
            let _ = self
                .api
                .sandbox
                .execute(serde_json::from_value(command).unwrap())
                .await;
        }
    }

    async fn open_account(&mut self, step: Step) {
        if self.accounts.len() >= MAX_ACCOUNTS {
            return;
        }
        if step.which.is_multiple_of(2) {
            let body = json!({
                "first_name": "Erika", "last_name": "Mustermann", "email": "erika@example.com",
                "date_of_birth": "1990-12-10", "nationality": "DE",
                "address": { "street": "Ring 1", "city": "Berlin", "postal_code": "10117", "country": "DE" },
            });
            self.users.push(id(&self.api.post("/users", &body)));
        }
        let group = self.api.sandbox.account_group();
        let user = &self.users[usize::from(step.who) % self.users.len()];
        let account = id(&self.api.post(
            "/accounts",
            &json!({ "user_id": user, "account_group_id": group }),
        ));
        if !step.size.is_multiple_of(8) {
            let reference = json!({ "command": "add_reference_account", "account_id": account, "iban": "DE8937",
                "bic": "COBADEFFXXX", "account_holder": "Erika Mustermann" });
            self.api.command(reference).await;
        }
        self.accounts.push(account.parse().unwrap());
    }

    /// The id of the new resource, or `None` if the rules did not allow it.
    fn try_post(&self, path: &str, body: &Value) -> Option<String> {
        let (status, response) =
            self.api
                .call("POST", path, Some(body).filter(|body| !body.is_null()));
        assert!(status == 201 || status == 409, "{path}: {response}");
        (status == 201).then(|| id(&response))
    }

    async fn change_user(&mut self, step: Step) {
        // Mostly active, so that the user can act.
        let status = if step.which.is_multiple_of(5) {
            "BLOCKED"
        } else {
            "ACTIVE"
        };
        let user = &self.users[usize::from(step.who) % self.users.len()];
        self.api
            .command(json!({ "command": "set_user_status", "user_id": user, "status": status }))
            .await;
    }

    fn close_account(&mut self, step: Step) {
        // The first accounts stay open, so that some are always active.
        if self.accounts.len() == MAX_ACCOUNTS && step.which.is_multiple_of(4) {
            let account = self.accounts[4 + usize::from(step.who) % (MAX_ACCOUNTS - 4)];
            let (status, _) = self
                .api
                .call("DELETE", &format!("/accounts/{account}"), None);
            assert_eq!(status, 204);
        }
    }

    fn create_portfolio(&mut self, step: Step) {
        let allocations: Vec<_> = ["0.3333", "0.3333", "0.3334"]
            .iter()
            .zip(step.which..)
            .map(|(weight, at)| json!({ "instrument_id": Sandbox::instrument(isin(at)), "weight": weight }))
            .collect();
        match choose(&self.portfolios, step) {
            Some(portfolio) if self.portfolios.len() >= 2 * MAX_ACCOUNTS => {
                let path = format!("/portfolios/{portfolio}/allocations");
                let (status, _) =
                    self.api
                        .call("PUT", &path, Some(&json!({ "allocations": allocations })));
                assert!(status == 200 || status == 409);
            }
            _ => {
                let account = self.account(step);
                let body =
                    json!({ "account_id": account, "name": "Thirds", "allocations": allocations });
                let portfolio = self.try_post("/portfolios", &body);
                self.portfolios.extend(portfolio);
            }
        }
    }

    fn order_portfolio(&mut self, step: Step) {
        if let Some(portfolio) = choose(&self.portfolios, step) {
            let amount = in_cents(step.size % 100_000 + 1);
            let body = json!({ "cash_amount": amount, "currency": "EUR" });
            self.try_post(&format!("/portfolios/{portfolio}/orders"), &body);
        }
    }

    fn rebalance(&mut self, step: Step) {
        if let Some(portfolio) = choose(&self.portfolios, step) {
            self.try_post(
                &format!("/portfolios/{portfolio}/rebalancing"),
                &Value::Null,
            );
        }
    }

    fn plan(&mut self, step: Step) {
        if self.plans.len() >= MAX_ACCOUNTS {
            return;
        }
        let frequency = ["WEEKLY", "BIWEEKLY", "MONTHLY", "QUARTERLY"][usize::from(step.which) % 4];
        let mut body = json!({
            "account_id": self.account(step), "cash_amount": in_cents(step.size % 20_000 + 1),
            "currency": "EUR", "frequency": frequency,
        });
        match choose(&self.portfolios, step) {
            Some(portfolio) if step.which.is_multiple_of(3) => {
                let account =
                    self.api.get(&format!("/portfolios/{portfolio}"))["account_id"].clone();
                (body["account_id"], body["portfolio_id"]) = (account, json!(portfolio));
            }
            _ => body["instrument_id"] = json!(Sandbox::instrument(isin(step.which))),
        }
        let plan = self.try_post("/savings_plans", &body);
        self.plans.extend(plan);
    }

    fn change_plan(&mut self, step: Step) {
        let Some(plan) = choose(&self.plans, step) else {
            return;
        };
        let path = format!("/savings_plans/{plan}");
        let changes = match step.which % 4 {
            0 => json!({ "status": "PAUSED" }),
            1 => json!({ "status": "ACTIVE", "frequency": "WEEKLY" }),
            2 => json!({ "cash_amount": in_cents(step.size % 30_000 + 1) }),
            _ => {
                assert_eq!(self.api.call("DELETE", &path, None).0, 204);
                self.plans.retain(|kept| *kept != plan);
                return;
            }
        };
        let (status, _) = self.api.call("PATCH", &path, Some(&changes));
        assert!(status == 200 || status == 409);
    }

    fn liquidate(&mut self, step: Step) {
        let kind = if step.which.is_multiple_of(2) {
            "PARTIAL"
        } else {
            "FULL"
        };
        let path = format!("/accounts/{}/liquidations", self.account(step));
        self.try_post(&path, &json!({ "type": kind }));
    }

    async fn transfer_securities(&mut self, step: Step) {
        if usize::from(step.who) % self.accounts.len() < ACCOUNTS_WITHOUT_TRANSFERS {
            return;
        }
        let inbound = !step.which.is_multiple_of(3);
        let direction = if inbound {
            upvest_sandbox::Direction::Inbound
        } else {
            upvest_sandbox::Direction::Outbound
        };
        let account = self.account(step);
        let isin = isin(step.which);
        let quantity = Decimal::new(i64::from(step.size % 1_000_000) + 1, 4).to_string();
        self.api
            .sandbox
            .transfer_securities(direction, account, isin, &quantity)
            .await
            .unwrap();
        self.moved.insert((account, isin));
    }

    /// A transfer between accounts of one user, or sometimes of two, which is rejected.
    fn transfer_account(&mut self, step: Step) {
        let others = &self.accounts[self.accounts.len().min(ACCOUNTS_WITHOUT_TRANSFERS)..];
        let Some(source) = others.get(usize::from(step.who) % others.len().max(1)) else {
            return;
        };
        let target = others[usize::from(step.which) % others.len()];
        let body = json!({ "source_account_id": source, "target_account_id": target });
        let (status, response) = self.api.call("POST", "/account_transfers", Some(&body));
        assert!(matches!(status, 201 | 400 | 409), "{response}");
        self.moved.extend(
            ISINS
                .iter()
                .flat_map(|isin| [(*source, *isin), (target, *isin)]),
        );
    }

    async fn act_on_instrument(&mut self, step: Step) {
        let ex_date =
            self.api.sandbox.now().date_naive() + chrono::Days::new(u64::from(step.who % 3));
        if step.which.is_multiple_of(2) {
            let per_unit = Decimal::new(i64::from(step.size % 100_000) + 1, 4).to_string();
            self.api
                .sandbox
                .announce_dividend(isin(step.which >> 1), &per_unit, ex_date)
                .await
                .unwrap();
        } else {
            let isin = SPLIT[usize::from(step.which >> 1) % SPLIT.len()];
            let ratio = RATIOS[step.size as usize % RATIOS.len()];
            let _ = self.api.sandbox.announce_split(isin, ratio, ex_date).await;
            // The ratio keeps the price in a range in which purchases are possible.
            self.api
                .sandbox
                .set_price(isin, "100", "101")
                .await
                .unwrap();
        }
    }

    async fn set_tradeable(&mut self, step: Step) {
        let tradeable = !step.size.is_multiple_of(5);
        let command =
            json!({ "command": "set_tradeable", "isin": isin(step.which), "tradeable": tradeable });
        self.api.command(command).await;
    }

    /// Rejected if the account has too little.
    async fn charge_fee(&mut self, step: Step) {
        let amount = in_cents(step.size % 2_000 + 1);
        let _ = self
            .api
            .sandbox
            .charge_fee(self.account(step), "CUSTODY", &amount)
            .await;
    }

    /// Checks through the API that the bookings sum to the balance, and that only debts from banks are negative.
    fn check_from_outside(&self) {
        for account in &self.accounts {
            let mut booked: BTreeMap<String, Decimal> = BTreeMap::new();
            let mut taken_back = Decimal::ZERO;
            for transaction in self.api.list(&format!("/accounts/{account}/transactions")) {
                let currency = transaction["currency"].as_str().unwrap().to_owned();
                let amount = decimal(&transaction["amount"]);
                if transaction["type"] == "DIRECT_DEBIT" {
                    taken_back -= amount.min(Decimal::ZERO);
                }
                *booked.entry(currency).or_default() += amount;
            }
            for balance in self.api.list(&format!("/accounts/{account}/cash_balances")) {
                let [available, pending, total] =
                    ["available", "pending", "total"].map(|it| decimal(&balance[it]));
                assert_eq!(available + pending, total, "{balance}");
                assert!(
                    available >= -taken_back && pending >= Decimal::ZERO,
                    "{balance}"
                );
                let currency = balance["currency"].as_str().unwrap();
                assert_eq!(
                    booked.remove(currency).unwrap_or_default(),
                    total,
                    "{balance}"
                );
            }
            assert!(booked.is_empty(), "bookings without a balance: {booked:?}");
            let positions = self.api.list(&format!("/accounts/{account}/positions"));
            assert!(
                positions
                    .iter()
                    .all(|position| decimal(&position["quantity"]) > Decimal::ZERO)
            );
            let status = self.api.get(&format!("/accounts/{account}"))["status"].clone();
            assert!(
                status != "CLOSED" || positions.is_empty(),
                "a closed account holds {positions:?}"
            );
            assert!(
                status != "CLOSED" || self.api.cash(*account).available.is_zero(),
                "a closed account has cash"
            );
        }
    }

    /// Checks that no account is worth more than its deposits plus its gains at the traded prices.
    fn check_that_nobody_got_rich(&mut self, step: Step, happened: &[EventRecord]) {
        self.books.follow(happened);
        // Prices change with time, by commands, and by splits.
        if self.bids.is_empty() || matches!(step.what % 64, 16..=29 | 59 | 60) {
            let bid = |isin: &&str| (Sandbox::instrument(isin).to_string(), self.api.bid(isin));
            self.bids = ISINS.iter().map(bid).collect();
        }
        let bids = &self.bids;
        for (account, book) in &self.books.accounts {
            let worth = book
                .units
                .iter()
                .map(|(instrument, units)| bids[instrument] * units);
            let liquidated: Decimal = worth.clone().map(|worth| worth.trunc_with_scale(2)).sum();
            let most = book.paid_in + book.traded + worth.sum::<Decimal>();
            let got = book.cash + liquidated;
            assert!(got <= most, "{account} would get {got} for {most}");
        }
    }

    /// Checks that the executions sum to the position, if units moved only by orders.
    fn check_units(&self) {
        let mut traded: BTreeMap<(String, String), Decimal> = BTreeMap::new();
        for order in self.api.list("/orders") {
            let text = |name: &str| order[name].as_str().unwrap().to_owned();
            let sign = if order["side"] == "BUY" {
                Decimal::ONE
            } else {
                Decimal::NEGATIVE_ONE
            };
            if order["status"] == "NEW" || order["status"] == "REJECTED" {
                continue;
            }
            let executions = self.api.list(&format!("/orders/{}/executions", id(&order)));
            let units: Decimal = executions.iter().map(|it| decimal(&it["quantity"])).sum();
            *traded
                .entry((text("account_id"), text("instrument_id")))
                .or_default() += sign * units;
        }
        let mut compared = 0;
        for account in &self.accounts {
            for isin in ISINS.iter().filter(|isin| !SPLIT.contains(isin)) {
                if self.moved.contains(&(*account, *isin)) {
                    continue;
                }
                let instrument = Sandbox::instrument(isin).to_string();
                let units = traded
                    .remove(&(account.to_string(), instrument))
                    .unwrap_or_default();
                assert_eq!(self.api.units(*account, isin), units, "{isin} of {account}");
                compared += 1;
            }
        }
        assert!(compared > 0, "everything moved otherwise");
    }

    /// The test is meaningful only if enough calls succeeded.
    fn assert_much_has_happened(&self) {
        let with = |path: &str, status: &str| {
            let items = self.api.list(path);
            items.iter().filter(|item| item["status"] == status).count()
        };
        for status in ["FILLED", "CANCELLED", "REJECTED"] {
            assert!(with("/orders", status) > 100, "few orders are {status}");
        }
        for status in ["COMPLETED", "FAILED"] {
            for path in ["/withdrawals", "/securities_transfers"] {
                assert!(with(path, status) > 10, "few of {path} are {status}");
            }
        }
        assert!(with("/direct_debits", "COMPLETED") > 10);
        assert!(with("/direct_debits", "REVERSED") > 0);
        assert!(with("/account_transfers", "COMPLETED") > 0);
        assert!(with("/corporate_actions", "PROCESSED") > 10);
        assert!(with("/accounts", "CLOSED") > 0);
        assert!(
            self.api.sandbox.now() - crate::plain::start_of_tests() > chrono::TimeDelta::days(90)
        );
    }
}

impl Lifecycles {
    async fn read(&mut self, sandbox: &Sandbox) {
        let table = reqwest::get(format!("{}/_sandbox/lifecycles", sandbox.url()))
            .await
            .unwrap();
        let table: Value = serde_json::from_str(&table.text().await.unwrap()).unwrap();
        for (resource, statuses) in table.as_object().unwrap() {
            for (status, row) in statuses.as_object().unwrap() {
                let next = row["next"].as_array().unwrap().iter();
                let next = next
                    .map(|status| status.as_str().unwrap().to_owned())
                    .collect();
                let event = row["event"].as_str().unwrap().to_owned();
                let before = self
                    .table
                    .insert(event, (resource.clone(), status.clone(), next));
                assert_eq!(before, None, "one event stands for two statuses");
            }
        }
    }

    fn follow(&mut self, happened: &[EventRecord]) {
        for event in happened {
            let Some((resource, status, _)) = self.table.get(event.event_type) else {
                continue;
            };
            let object: Value = serde_json::from_str(event.object.get()).unwrap();
            assert_eq!(object["status"], **status, "{}", event.event_type);
            if let Some(before) = self.last.insert(event.about, event.event_type) {
                let (same, from, next) = &self.table[before];
                assert_eq!(resource, same);
                assert!(
                    next.contains(status),
                    "a {resource} went from {from} to {status}"
                );
                self.steps.insert((before, event.event_type));
            }
        }
    }
}

impl Books {
    /// The events since the last call.
    fn news(&mut self, sandbox: &Sandbox) -> Vec<EventRecord> {
        let mut events = sandbox.events();
        let seen = events.iter().rposition(|event| Some(event.id) == self.last);
        assert!(
            seen.is_some() || events.len() < EVENTS,
            "more happened in one step than the log holds"
        );
        events.drain(..seen.map_or(0, |seen| seen + 1));
        self.last = events.last().map(|event| event.id).or(self.last);
        events
    }

    fn follow(&mut self, happened: &[EventRecord]) {
        for event in happened {
            let object: Value = serde_json::from_str(event.object.get()).unwrap();
            let text = |field: &str| object[field].as_str().unwrap_or_default().to_owned();
            match event.event_type {
                "ORDER.NEW" => {
                    let order = (
                        text("account_id"),
                        text("side") == "BUY",
                        text("instrument_id"),
                    );
                    self.orders.insert(text("id"), order);
                }
                "EXECUTION.FILLED" => {
                    let (account, buys, _) = &self.orders[&text("order_id")];
                    let worth = decimal(&object["quantity"]) * decimal(&object["price"]);
                    let book = self.accounts.entry(account.clone()).or_default();
                    book.traded += if *buys { -worth } else { worth };
                }
                "CASH_TRANSACTION.EXECUTED" if object["currency"] == "EUR" => {
                    let book = self.accounts.entry(text("account_id")).or_default();
                    let amount = decimal(&object["amount"]);
                    book.cash += amount;
                    if object["type"] != "ORDER_EXECUTION" {
                        book.paid_in += amount;
                    }
                }
                "POSITION.UPDATED" => {
                    let book = self.accounts.entry(text("account_id")).or_default();
                    book.units
                        .insert(text("instrument_id"), decimal(&object["quantity"]));
                }
                _ => {}
            }
        }
    }
}

fn isin(which: u16) -> &'static str {
    ISINS[usize::from(which) % ISINS.len()]
}

fn in_cents(cents: u32) -> String {
    Decimal::new(cents.into(), 2).to_string()
}

fn choose(items: &[String], step: Step) -> Option<String> {
    items
        .get(usize::from(step.which) % items.len().max(1))
        .cloned()
}
