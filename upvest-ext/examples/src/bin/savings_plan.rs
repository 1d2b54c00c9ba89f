//! Creates a monthly savings plan and simulates a quarter: `cargo example savings_plan`.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use upvest_ext::PaginateExt as _;
use upvest_ext::Upvest;
use upvest_ext::api::types::{
    AccountId, SavingsPlanCreate, SavingsPlanFrequency, SavingsPlanStatus, SavingsPlanUpdate,
};
use upvest_sandbox::Sandbox;

const DAY: Duration = Duration::from_secs(24 * 3600);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start().await?;
    let account = AccountId::from(sandbox.open_account("1000.00").await?);
    let upvest = Upvest::from_vars(sandbox.vars())?;

    let plan = SavingsPlanCreate::builder()
        .account_id(account)
        .instrument_id(Sandbox::instrument("IE00B3XXRP09"))
        .cash_amount("50.00")
        .currency("EUR")
        .frequency(SavingsPlanFrequency::Monthly);
    let plan = upvest
        .create_savings_plan()
        .body(plan)
        .send()
        .await?
        .into_inner();
    println!(
        "plan {} buys next on {:?}",
        plan.id, plan.next_execution_date
    );

    for _ in 0..3 {
        sandbox.advance(31 * DAY).await;
        let plan = upvest
            .retrieve_savings_plan()
            .savings_plan_id(plan.id)
            .send()
            .await?;
        println!(
            "{}: next on {:?}",
            sandbox.now().date_naive(),
            plan.next_execution_date
        );
    }
    let orders: Vec<_> = upvest
        .list_orders()
        .account_id(account)
        .items()
        .try_collect()
        .await?;
    println!("{} orders so far", orders.len());

    // Pauses and then deletes the plan. A deleted plan cannot be resumed.
    let pause = SavingsPlanUpdate::builder().status(SavingsPlanStatus::Paused);
    upvest
        .update_savings_plan()
        .savings_plan_id(plan.id)
        .body(pause)
        .send()
        .await?;
    sandbox.advance(62 * DAY).await;
    let after: Vec<_> = upvest
        .list_orders()
        .account_id(account)
        .items()
        .try_collect()
        .await?;
    assert_eq!(
        after.len(),
        orders.len(),
        "nothing is bought during a pause"
    );
    upvest
        .delete_savings_plan()
        .savings_plan_id(plan.id)
        .send()
        .await?;
    let resume = SavingsPlanUpdate::builder().status(SavingsPlanStatus::Active);
    if let Err(error) = upvest
        .update_savings_plan()
        .savings_plan_id(plan.id)
        .body(resume)
        .send()
        .await
    {
        println!("after its end: {error}");
    }
    Ok(())
}
