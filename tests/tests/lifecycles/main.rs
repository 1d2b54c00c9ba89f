//! The generated client with a stateful server: written data is read back, statuses change as time passes, and
//! amounts keep every digit. The requests and invalid responses are tested in `operations.rs` and `responses.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use upvest_api::chrono::{DateTime, NaiveDate, Utc};
use upvest_api::types::*;
use upvest_api::uuid::Uuid;
use upvest_api::{ByteStream, Response};
use upvest_ext::{Error, ErrorKind, Method, Upvest};
use upvest_sandbox::{Command, Direction, Sandbox};
use upvest_tests::description::Description;

mod helpers;
mod lossless;
mod market;
mod money;
mod people;
mod plans;
mod reports;
mod trading;

use helpers::*;
use lossless::*;
use market::*;
use money::*;
use people::*;
use plans::*;
use reports::*;
use trading::*;

/// Bid 113.03, offer 115.05.
const FUND: &str = "IE00B3XXRP09";
/// Bid and offer 100.
const AT_100: &str = "IE0032077012";
/// At 100 too.
const SHARE: &str = "US0378331005";
/// A token lifetime that is longer than this test.
const A_YEAR: Duration = Duration::from_secs(365 * 86_400);
/// An id that does not exist.
const UNKNOWN_ID: Uuid = Uuid::from_u128(1);

type Answered<T> = Result<Response<T>, Error>;

/// Ids of resources that [`call_every_operation`] created, for further reads.
struct Resources {
    user: UserId,
    identifier: UserIdentifierId,
    /// An account with purchases and sales.
    account: AccountId,
    order: OrderId,
    position: PositionId,
    portfolio: PortfolioId,
    savings_plan: SavingsPlanId,
    /// An account with fees and a reference account.
    payer: AccountId,
    mandate: MandateId,
    liquidated: AccountId,
    webhook: WebhookId,
}

#[tokio::test]
async fn every_operation_of_the_client_works_with_a_stateful_server() {
    let sandbox = sandbox().await;
    call_every_operation(&Upvest::from_vars(sandbox.vars()).unwrap(), &sandbox).await;
    let requests = sandbox.requests().into_iter();
    let succeeded =
        requests.filter(|request| request.status.is_some_and(|it| (200..300).contains(&it)));
    let succeeded: BTreeSet<_> = succeeded.filter_map(|request| request.operation).collect();
    let described = Description::vendored().operations().into_iter();
    let described: BTreeSet<_> = described.map(|operation| operation.id).collect();
    assert_eq!(described.len(), 70);
    let left_out: Vec<_> = described.difference(&succeeded).collect();
    assert!(
        left_out.is_empty(),
        "`call_every_operation` does not call {left_out:?}: add the calls"
    );
    assert_eq!(sandbox.audit(), [""; 0]);
}

#[tokio::test]
async fn no_field_of_a_response_is_lost_or_changed_by_its_type() {
    let sandbox = sandbox().await;
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    let resources = call_every_operation(&upvest, &sandbox).await;
    let calls_before = sandbox.requests().len();
    user_responses_lose_nothing(&upvest, &resources).await;
    trading_responses_lose_nothing(&upvest, &resources).await;
    plan_responses_lose_nothing(&upvest, &resources).await;
    account_responses_lose_nothing(&upvest, &resources).await;
    report_responses_lose_nothing(&upvest, &resources).await;
    let mut reads = BTreeMap::new();
    for request in sandbox.requests().into_iter().skip(calls_before) {
        *reads.entry(request.operation.unwrap()).or_insert(0) += 1;
    }
    for operation in Description::vendored().operations() {
        if operation.method == "GET" && operation.media_type.as_deref() == Some("application/json")
        {
            let id = operation.id;
            assert_eq!(
                reads.get(&id),
                Some(&2),
                "{id} must be read twice, typed and raw, to compare both: add the call in `lossless.rs`"
            );
        }
    }
}

async fn sandbox() -> Sandbox {
    let a_monday = time("2026-03-02T09:00:00.123456Z");
    Sandbox::builder()
        .start_at(a_monday)
        .token_lifetime(A_YEAR)
        .start()
        .await
        .unwrap()
}

/// Calls each operation at least once, and checks the statuses and amounts that change with time.
async fn call_every_operation(upvest: &Upvest, sandbox: &Sandbox) -> Resources {
    access_tokens(upvest, sandbox).await;
    let user = users(upvest, sandbox).await;
    let identifier = identifiers(upvest, sandbox, user).await;
    tax_residencies(upvest, sandbox, user).await;
    let account = accounts(upvest, sandbox, user).await;
    instruments(upvest, sandbox).await;
    let order = orders(upvest, sandbox, account).await;
    cancellations(upvest, sandbox, account).await;
    let position = positions(upvest, sandbox, account, order).await;
    transactions(upvest, sandbox, account).await;
    valuations(upvest, sandbox).await;
    let portfolio = portfolios(upvest, sandbox).await;
    let savings_plan = savings_plans(upvest, sandbox).await;
    let payer = open_account(sandbox, "100.00").await;
    let mandate = direct_debits(upvest, sandbox, payer).await;
    withdrawals(upvest, sandbox, payer).await;
    reference_accounts(upvest, sandbox, payer).await;
    fees(upvest, sandbox, payer).await;
    reports(upvest, sandbox).await;
    treasury_reports(upvest, sandbox).await;
    let liquidated = liquidations(upvest, sandbox).await;
    securities_transfers(upvest, sandbox).await;
    account_transfers(upvest, sandbox).await;
    corporate_actions(upvest, sandbox).await;
    let webhook = webhooks(upvest, sandbox).await;
    Resources {
        user,
        identifier,
        account,
        order,
        position,
        portfolio,
        savings_plan,
        payer,
        mandate,
        liquidated,
        webhook,
    }
}
