// region: guide
// docs/guides/samples/testing_flow.rs
// crates: tokio, upvest-ext, upvest-sandbox
use std::time::Duration;

use upvest_ext::Upvest;
use upvest_ext::api::types::{AccountId, SavingsPlanCreate, SavingsPlanFrequency};
use upvest_sandbox::{Fault, Sandbox};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start().await?;
    let upvest = Upvest::from_vars(sandbox.vars())?;
    let account = AccountId::from(sandbox.open_account("1000.00").await?);
    let plan = SavingsPlanCreate::builder()
        .account_id(account)
        .instrument_id(Sandbox::instrument("IE00B3XXRP09"))
        .cash_amount("50.00")
        .currency("EUR")
        .frequency(SavingsPlanFrequency::Monthly);

    // The connection breaks after the plan was made. The client tries again, and there is one plan.
    sandbox
        .fail_next("createSavingsPlan", Fault::ResetAfterCommit)
        .await?;
    upvest.create_savings_plan().body(plan).send().await?;

    sandbox.advance(Duration::from_secs(93 * 24 * 3600)).await;
    let orders = upvest.list_orders().account_id(account).send().await?;
    assert_eq!(orders.data.len(), 3);
    assert!(sandbox.audit().is_empty(), "the books add up");
    Ok(())
}
// endregion

#[test]
fn three_months_of_savings_are_three_orders() {
    main().unwrap();
}
