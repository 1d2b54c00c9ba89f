//! The first steps with the sandbox, as its README shows them.

#[path = "../src/endpoint.rs"]
mod endpoint;

use std::time::Duration;

use endpoint::Endpoint;
use official_api::chrono::NaiveDate;
use official_api::types::Address;
use upvest_ext::UpvestFor;
use upvest_ext::api::runtime::CountryCode;
use upvest_sandbox::{Fault, Sandbox};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The paths are those of the repository.
    std::env::set_current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))?;
    // [README]
    let sandbox = Sandbox::builder()
        .description("tests/fixtures/official/official-1.9.0.json")
        .overlay("spec/official-overlay.yaml")
        .lifecycles("tests/sandbox/lifecycles/official.yaml")
        .start()
        .await?;
    let upvest = UpvestFor::<official_api::Client>::from_vars(sandbox.vars())?;
    let mut endpoint = Endpoint::start(&upvest).await?; // verifies deliveries
    sandbox.subscribe(&endpoint.url).await?;

    // The user is created, but the connection breaks. The client repeats the call with the same key.
    sandbox
        .fail_next("create_user", Fault::ResetAfterCommit)
        .await?;
    let address = Address::builder().address_line1("Ring 1").postcode("10117");
    let address = address.city("Berlin").country("DE");
    let birth_date: NaiveDate = "1990-12-10".parse()?;
    let german: CountryCode = "DE".parse()?;
    let ada = upvest.create_user().body_map(|body| {
        body.first_name("Ada")
            .last_name("Lovelace")
            .birth_date(birth_date)
            .nationalities(vec![german])
            .address(address)
    });
    let user = ada.send().await?;
    sandbox.advance(Duration::from_secs(1)).await;
    let event = endpoint.next("USER.ACTIVATED").await?;
    assert_eq!(event.reference().map(|user| user.id), Some(user.id.into()));
    // [README]
    assert_eq!(upvest.list_users().send().await?.data.len(), 1);
    Ok(())
}
