//! Uses two OpenAPI descriptions in one program: Upvest's own (1.9.0) and that of the SDK. Each has its own crate and
//! its own local sandbox.
//!
//! With Upvest's description, the program does what a bank does: it creates a user, reports its identity check, opens
//! an account group and an account, places a signed order, learns by webhook that the order is filled, lists positions
//! and transactions, and pays out. With the SDK's description, it places an order.
//!
//! Names in `official_api` follow the operation ids of Upvest's description, such as `place_order`.
//! `spec/official-overlay.yaml` says which statuses are final, so that `wait_for` compiles.

mod endpoint;

use std::error::Error;
use std::time::{Duration, SystemTime};

use endpoint::Endpoint;
use futures_util::TryStreamExt as _;
use official_api::chrono::NaiveDate;
use official_api::events::EventObject;
use official_api::types::{
    AccountGroupId, AccountGroupType, AccountId, AccountStatus, Address, KnowYourCustomerStatus,
    OrderInstrumentIdType, OrderStatus, TaxResidencyForCreateRequest, UserCheck,
    UserCheckKnowYourCustomerCreateRequest, UserCreateRequestDataPrivacyAndSharingAgreement,
    UserCreateRequestFatca, UserCreateRequestTermsAndConditions, UserId, UserStatus,
};
use upvest_ext::api::runtime::CountryCode;
use upvest_ext::api::types::{OrderSide, OrderType};
use upvest_ext::{PaginateExt as _, Upvest, UpvestFor};
use upvest_sandbox::Sandbox;

/// The client for Upvest's own description. [`Upvest`] is the client for the description of the SDK.
type OfficialUpvest = UpvestFor<official_api::Client>;

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// A step in the lifecycle of a resource takes a second of the sandbox's clock.
const STEP: Duration = Duration::from_secs(1);

/// The documents that users agree to. Upvest gives you the ids of yours.
const TERMS: &str = "6a1c6a52-5c0e-4f0b-8d0a-3f0f2b7c9d11";
const PRIVACY: &str = "c7f4d0e8-91b3-4a6d-a5c2-8e1d6b3f7a22";

#[tokio::main]
async fn main() -> Result {
    with_the_official_description().await?;
    with_the_description_of_the_sdk().await
}

async fn with_the_official_description() -> Result {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let sandbox = Sandbox::builder()
        .description(format!(
            "{root}/tests/fixtures/official/official-1.9.0.json"
        ))
        .overlay(format!("{root}/spec/official-overlay.yaml"))
        .lifecycles(format!("{root}/tests/sandbox/lifecycles/official.yaml"))
        .start()
        .await?;
    let upvest = OfficialUpvest::from_vars(sandbox.vars())?;
    let mut endpoint = Endpoint::start(&upvest).await?;
    subscribe(&upvest, &endpoint.url).await?;

    let user = onboard(&upvest, &sandbox).await?;
    let (group, account) = open_account(&upvest, &sandbox, user).await?;
    buy(&upvest, &sandbox, &mut endpoint, user, account).await?;
    list_what_there_is(&upvest, group, account).await?;
    pay_out(&upvest, &sandbox, &mut endpoint, user, group).await
}

/// Creates a webhook subscription and enables it, as new ones are disabled.
async fn subscribe(upvest: &OfficialUpvest, url: &str) -> Result {
    let create = upvest.create_webhook();
    let webhook = create.body_map(|body| body.title("All").url(url));
    let webhook = webhook.send().await?;
    let update = upvest.update_webhook().webhook_id(webhook.id);
    update.body_map(|body| body.enabled(true)).send().await?;
    Ok(())
}

async fn onboard(upvest: &OfficialUpvest, sandbox: &Sandbox) -> Result<UserId> {
    let user = create_user(upvest).await?;
    let residency = TaxResidencyForCreateRequest::builder()
        .country("DE")
        .tax_identifier_number("86095742719")
        .build()?;
    let residencies = upvest.set_tax_residencies().user_id(user);
    let residencies = residencies.body_map(|body| body.tax_residencies(vec![residency]));
    residencies.send().await?;
    report_identity_check(upvest, user).await?;

    sandbox.advance(STEP).await;
    for check in &upvest.list_user_checks().user_id(user).send().await?.data {
        if let UserCheck::Kyc(check) = check {
            assert_eq!(check.status, KnowYourCustomerStatus::Passed);
        }
    }
    let read = upvest.retrieve_user().user_id(user).send().await?;
    assert_eq!(read.status, UserStatus::Active);
    println!("official: user {user} is {}", read.status);
    Ok(user)
}

/// Creates a user under Upvest's licence, who has agreed to the terms. With a licence of your own, leave out the email
/// and the last three fields.
async fn create_user(upvest: &OfficialUpvest) -> Result<UserId> {
    let now = SystemTime::now();
    let address = Address::builder()
        .address_line1("Ring 1")
        .postcode("10117")
        .city("Berlin")
        .country("DE");
    let birth_date: NaiveDate = "1990-12-10".parse()?;
    let german: CountryCode = "DE".parse()?;
    let fatca = UserCreateRequestFatca::builder()
        .status(false)
        .confirmed_at(now);
    let terms = UserCreateRequestTermsAndConditions::builder()
        .consent_document_id(TERMS)
        .confirmed_at(now);
    let privacy = UserCreateRequestDataPrivacyAndSharingAgreement::builder()
        .consent_document_id(PRIVACY)
        .confirmed_at(now);
    let user = upvest.create_user().body_map(|body| {
        body.first_name("Erika")
            .last_name("Mustermann")
            .email("erika@example.com")
            .birth_date(birth_date)
            .birth_city("Berlin")
            .birth_country("DE")
            .nationalities(vec![german])
            .address(address)
            .fatca(fatca)
            .terms_and_conditions(terms)
            .data_privacy_and_sharing_agreement(privacy)
    });
    Ok(user.send().await?.id)
}

/// Reports that a provider has checked the user's identity. The call takes no idempotency key, so it is made only if
/// the user has no such check yet.
async fn report_identity_check(upvest: &OfficialUpvest, user: UserId) -> Result {
    let checks = upvest.list_user_checks().user_id(user).send().await?;
    let mut checks = checks.data.iter();
    if checks.any(|check| matches!(check, UserCheck::Kyc(_))) {
        return Ok(());
    }
    let expires: NaiveDate = "2035-01-31".parse()?;
    let check = UserCheckKnowYourCustomerCreateRequest::builder()
        .type_("KYC")
        .check_confirmed_at(SystemTime::now())
        .data_download_link("https://files.example.com/checks/1.zip")
        .document_type("PASSPORT")
        .document_expiration_date(expires)
        .nationality("DE")
        .provider("Example Ident")
        .method("VIDEO_ID")
        .build()?;
    let report = upvest.create_user_check().user_id(user);
    report.body(check).send().await?;
    Ok(())
}

async fn open_account(
    upvest: &OfficialUpvest,
    sandbox: &Sandbox,
    user: UserId,
) -> Result<(AccountGroupId, AccountId)> {
    let group = upvest.create_account_group();
    let group = group.body_map(|body| body.user_id(user).type_(AccountGroupType::Personal));
    let group = group.send().await?;
    let account = upvest.create_account().body_map(|body| {
        body.user_id(user)
            .account_group_id(group.id)
            .type_("TRADING")
    });
    let account = account.send().await?;
    sandbox.advance(STEP).await;
    let read = upvest.retrieve_account().account_id(account.id);
    let read = read.send().await?;
    assert_eq!(read.status, AccountStatus::Active);
    println!("official: account {} is {}", account.id, read.status);
    Ok((group.id, account.id))
}

async fn buy(
    upvest: &OfficialUpvest,
    sandbox: &Sandbox,
    endpoint: &mut Endpoint,
    user: UserId,
    account: AccountId,
) -> Result {
    let order = upvest.place_order().body_map(|body| {
        body.user_id(user)
            .account_id(account)
            .side("BUY")
            .instrument_id("IE00B3XXRP09")
            .instrument_id_type(OrderInstrumentIdType::Isin)
            .order_type("MARKET")
            .cash_amount("250.00")
            .currency("EUR")
    });
    let placed = order.send().await?;
    println!("official: placed order {}", placed.id);

    sandbox.advance(2 * STEP).await;
    let event = endpoint.next("ORDER.FILLED").await?;
    let EventObject::Order(filled) = event.object::<EventObject>()? else {
        return Err("the object of `ORDER.FILLED` is not an order".into());
    };
    assert_eq!(filled.id, placed.id);
    assert_eq!(filled.status, OrderStatus::Filled);
    println!("official: {} of order {}", event.event_type, filled.id);

    let order = upvest.retrieve_order().order_id(placed.id);
    let order = upvest.wait_for(order).await?;
    assert_eq!(order.status, OrderStatus::Filled);
    let orders = upvest.list_account_orders().account_id(account);
    let orders: Vec<_> = orders.items().try_collect().await?;
    assert_eq!(orders[0].id, placed.id);
    Ok(())
}

async fn list_what_there_is(
    upvest: &OfficialUpvest,
    group: AccountGroupId,
    account: AccountId,
) -> Result {
    let positions = upvest.list_positions().account_id(account);
    let positions: Vec<_> = positions.page_size(2).items().try_collect().await?;
    for position in &positions {
        assert_eq!(position.account_id, account);
    }
    let transactions = upvest.list_cash_transactions().account_group_id(group);
    let transactions: Vec<_> = transactions.items().try_collect().await?;
    for transaction in &transactions {
        assert_eq!(transaction.account_group_id, group);
    }
    assert!(!positions.is_empty() && !transactions.is_empty());
    println!(
        "official: {} positions and {} transactions",
        positions.len(),
        transactions.len()
    );
    Ok(())
}

async fn pay_out(
    upvest: &OfficialUpvest,
    sandbox: &Sandbox,
    endpoint: &mut Endpoint,
    user: UserId,
    group: AccountGroupId,
) -> Result {
    let reference = upvest.create_reference_account().body_map(|body| {
        body.user_id(user)
            .account_owner("Erika Mustermann")
            .iban("DE02120300000000202051")
            .bic("BYLADEM1001")
            .confirmed_at(SystemTime::now())
    });
    let reference = reference.send().await?;
    let withdrawal = upvest.create_cash_withdrawal().body_map(|body| {
        body.user_id(user)
            .account_group_id(group)
            .reference_account_id(reference.id)
            .amount("100.00")
    });
    let withdrawal = withdrawal.send().await?;
    sandbox.advance(2 * STEP).await;
    let event = endpoint.next("WITHDRAWAL.CONFIRMED").await?;
    let paid = upvest.retrieve_cash_withdrawal();
    let paid = paid.withdrawal_id(withdrawal.id);
    let paid = upvest.wait_for(paid).await?;
    println!("official: {}, {} EUR", event.event_type, paid.amount);
    Ok(())
}

async fn with_the_description_of_the_sdk() -> Result {
    let sandbox = Sandbox::start().await?;
    let upvest = Upvest::from_vars(sandbox.vars())?;
    let mut endpoint = Endpoint::start(&upvest).await?;
    sandbox.subscribe(&endpoint.url).await?;

    let account = sandbox.open_account("1000.00").await?;
    let order = upvest.create_order().body_map(|body| {
        body.account_id(account)
            .instrument_id(Sandbox::instrument("IE00B3XXRP09"))
            .side(OrderSide::Buy)
            .type_(OrderType::Market)
            .cash_amount("250.00")
            .currency("EUR")
    });
    let placed = order.send().await?;
    sandbox.advance(2 * STEP).await;
    let event = endpoint.next("ORDER.FILLED").await?;
    println!("sdk: {} of order {}", event.event_type, placed.id);
    Ok(())
}
