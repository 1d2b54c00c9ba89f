// region: guide
// docs/guides/samples/onboarding_apply.rs
// crates: upvest-ext, uuid
use upvest_ext::api::types::{AccountGroupId, AccountId, UserCreate, UserId};
use upvest_ext::{Error, IdempotencyKey, Upvest};
use uuid::Uuid;

/// `key` was stored with the data of the person. After a failure or a restart, call it again with both.
async fn apply(
    upvest: &Upvest,
    key: IdempotencyKey,
    person: UserCreate,
    tax_number: &str,
    group: AccountGroupId,
) -> Result<(UserId, AccountId), Error> {
    let key_of = |step: &str| Uuid::new_v5(key.as_uuid(), step.as_bytes());
    let user = upvest.create_user().idempotency_key(key_of("user"));
    let user = user.body(person).send().await?.id;

    let tax = upvest.create_tax_residency().user_id(user);
    let tax = tax.idempotency_key(key_of("tax residency"));
    let tax = tax.body_map(|body| body.country("DE").tax_identification_number(tax_number));
    tax.send().await?;

    let account = upvest.create_account().idempotency_key(key_of("account"));
    let account = account.body_map(|it| it.user_id(user).account_group_id(group).type_("TRADING"));
    Ok((user, account.send().await?.id))
}

/// This call takes no key, so it is made only if the user has no such identifier yet.
async fn add_national_id(upvest: &Upvest, user: UserId, number: &str) -> Result<(), Error> {
    let identifiers = upvest.list_user_identifiers().user_id(user).send().await?;
    let mut types = identifiers.data.iter().map(|it| it.type_.as_deref());
    if !types.any(|found| found == Some("NATIONAL_ID")) {
        let call = upvest.create_user_identifier().user_id(user);
        let call = call.body_map(|body| body.type_("NATIONAL_ID").value(number));
        call.send().await?;
    }
    Ok(())
}
// endregion

/// Applies for an account, for the tests of other samples.
#[cfg(test)]
pub(crate) async fn apply_with(
    upvest: &Upvest,
    key: IdempotencyKey,
    group: AccountGroupId,
) -> (UserId, AccountId) {
    use upvest_ext::api::chrono::NaiveDate;
    use upvest_ext::api::types::Address;

    let address = Address::builder()
        .street("Unter den Linden 1")
        .city("Berlin")
        .postal_code("10117")
        .country("DE");
    let person = UserCreate::builder()
        .first_name("Ada")
        .last_name("Lovelace")
        .email("ada@example.com")
        .date_of_birth("1990-12-10".parse::<NaiveDate>().unwrap())
        .nationality("DE")
        .address(address);
    let person = person.build().unwrap();
    apply(upvest, key, person, "86095742719", group)
        .await
        .unwrap()
}

#[tokio::test]
async fn an_application_that_is_resumed_does_no_step_twice() {
    use upvest_sandbox::{Fault, Sandbox};

    let sandbox = Sandbox::start().await.unwrap();
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    let group = AccountGroupId::from(sandbox.account_group());
    let key = IdempotencyKey::generate();
    let first = apply_with(&upvest, key, group).await;
    let again = apply_with(&upvest, key, group).await;
    assert_eq!(first, again);

    // The identifier is created, but the response is lost. The client does not repeat this call.
    let (user, _) = first;
    let fault = Fault::ResetAfterCommit;
    let fault = sandbox.fail_next("createUserIdentifier", fault);
    fault.await.unwrap();
    let lost = add_national_id(&upvest, user, "C01X00T47").await;
    assert!(lost.unwrap_err().is_outcome_unknown());
    let again = add_national_id(&upvest, user, "C01X00T47").await;
    again.unwrap();

    let identifiers = upvest.list_user_identifiers().user_id(user).send().await;
    assert_eq!(identifiers.unwrap().data.len(), 1);
    let residencies = upvest.list_tax_residencies().user_id(user).send().await;
    assert_eq!(residencies.unwrap().data.len(), 1);
    assert_eq!(upvest.list_users().send().await.unwrap().data.len(), 1);
}
