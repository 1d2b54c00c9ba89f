//! Creates a portfolio of two funds and invests cash in it: `cargo example portfolio`.

use std::time::Duration;

use upvest_ext::Upvest;
use upvest_ext::api::types::{
    AccountId, Decimal, PortfolioAllocationCreate, PortfolioCreate, PortfolioOrderCreate,
};
use upvest_sandbox::Sandbox;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start().await?;
    let account = AccountId::from(sandbox.open_account("1000.00").await?);
    let upvest = Upvest::from_vars(sandbox.vars())?;

    let weights = [("IE00B3XXRP09", "0.6"), ("IE00BKBF6H24", "0.4")];
    let mut allocations = Vec::new();
    for (isin, weight) in weights {
        let instruments = upvest.list_instruments().isin(isin).send().await?;
        let instrument = instruments.data.first().ok_or("no such instrument")?;
        let allocation = PortfolioAllocationCreate::builder()
            .instrument_id(instrument.id)
            .weight(weight);
        allocations.push(allocation.build()?);
    }
    let portfolio = PortfolioCreate::builder()
        .account_id(account)
        .name("Two funds")
        .allocations(allocations);
    let portfolio = upvest
        .create_portfolio()
        .body(portfolio)
        .send()
        .await?
        .into_inner();
    println!("portfolio {} is {:?}", portfolio.id, portfolio.status);

    let order = PortfolioOrderCreate::builder()
        .cash_amount("500.00")
        .currency("EUR");
    let order = upvest
        .create_portfolio_order()
        .portfolio_id(portfolio.id)
        .body(order)
        .send()
        .await?;
    println!("order {} is {:?}", order.id, order.status);
    sandbox.advance(Duration::from_secs(5)).await;

    // Amounts are exact decimals, never floats.
    let mut spent = Decimal::ZERO;
    let positions = upvest.list_positions().account_id(account).send().await?;
    for position in &positions.data {
        let (Some(quantity), Some(price)) = (position.quantity, position.average_buy_in_price)
        else {
            continue;
        };
        spent += quantity * price;
        println!("{quantity} units at {price} EUR");
    }
    println!("that is {} EUR of 500.00", spent.round_dp(2));
    Ok(())
}
