//! Onboards a person and opens an account that can trade: `cargo example onboarding`.

use std::time::Duration;

use upvest_ext::Upvest;
use upvest_ext::api::types::{
    Account, AccountCreate, AccountGroupId, AccountStatus, Address, TaxResidencyCreate, User,
    UserCreate, UserIdentifierCreate,
};
use upvest_sandbox::Sandbox;

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    // With Upvest: `let upvest = Upvest::from_env()?;`. There the clock need not be advanced.
    let sandbox = Sandbox::start().await?;
    let upvest = Upvest::from_vars(sandbox.vars())?;

    let user = create_user(&upvest).await?;
    println!("user {} is {}", user.id, shown(user.status));
    sandbox.advance(Duration::from_secs(1)).await; // the checks of the user pass
    for check in upvest
        .list_user_checks()
        .user_id(user.id)
        .send()
        .await?
        .into_inner()
        .data
    {
        println!("  check {} is {}", check.id, shown(check.status));
    }

    let group = AccountGroupId::from(sandbox.account_group()); // Upvest gives you the id of yours
    let account = AccountCreate::builder()
        .user_id(user.id)
        .account_group_id(group)
        .type_("TRADING");
    let account = upvest
        .create_account()
        .body(account)
        .send()
        .await?
        .into_inner();
    sandbox.advance(Duration::from_secs(1)).await;
    let is_open = |account: &Account| account.status == Some(AccountStatus::Open);
    let account = upvest.wait_until(upvest.retrieve_account().account_id(account.id), is_open);
    match account.timeout(Duration::from_secs(30)).await {
        Ok(account) => println!("account {} is {}", account.id, shown(account.status)),
        Err(error) => println!("the account is not ready yet: {error}"),
    }
    Ok(())
}

/// One error names all invalid fields of the person.
async fn create_user(upvest: &Upvest) -> Result<User, Failure> {
    let address = Address::builder()
        .street("Unter den Linden 1")
        .city("Berlin")
        .postal_code("10117")
        .country("DE");
    let user = UserCreate::builder()
        .first_name("Ada")
        .last_name("Lovelace")
        .email("ada@example.com")
        .date_of_birth("1990-12-10".parse::<chrono::NaiveDate>()?)
        .nationality("DE")
        .address(address.build()?);
    // The call has an idempotency key, so there is one user even if a network failure makes the SDK send it twice.
    let user = upvest.create_user().body(user).send().await?.into_inner();

    let residency = TaxResidencyCreate::builder()
        .country("DE")
        .tax_identification_number("86095742719");
    upvest
        .create_tax_residency()
        .user_id(user.id)
        .body(residency)
        .send()
        .await?;
    let passport = UserIdentifierCreate::builder()
        .type_("PASSPORT")
        .value("C01X00T47");
    upvest
        .create_user_identifier()
        .user_id(user.id)
        .body(passport)
        .send()
        .await?;
    // `Debug` prints which fields are set, but no personal data.
    println!("{user:?}");
    Ok(user)
}

fn shown(status: Option<impl std::fmt::Display>) -> String {
    status.map_or_else(
        || "in an unknown state".to_owned(),
        |status| status.to_string(),
    )
}
