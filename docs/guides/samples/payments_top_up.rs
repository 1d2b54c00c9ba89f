// region: guide
// docs/guides/samples/payments_top_up.rs
// crates: futures-util, upvest-ext
use futures_util::TryStreamExt as _;
use upvest_ext::api::types::{AccountGroupId, DirectDebit, MandateStatus, UserId};
use upvest_ext::{Error, IdempotencyKey, PaginateExt as _, Upvest};

/// Collects `amount` from the user's bank account. `None` if no mandate permits it.
async fn top_up(
    upvest: &Upvest,
    key: IdempotencyKey, // stored before, as for an order
    user: UserId,
    group: AccountGroupId,
    amount: &str,
) -> Result<Option<DirectDebit>, Error> {
    let mut mandates = upvest.list_mandates().items();
    while let Some(mandate) = mandates.try_next().await? {
        let is_active = mandate.status == Some(MandateStatus::Active);
        if !is_active || mandate.account_group_id != Some(group) {
            continue;
        }
        let debit = upvest.create_direct_debit().idempotency_key(key);
        let debit = debit.body_map(|body| {
            body.user_id(user)
                .account_group_id(group)
                .mandate_id(mandate.id)
                .cash_amount(amount)
                .currency("EUR")
        });
        return Ok(Some(debit.send().await?.into_inner()));
    }
    Ok(None)
}
// endregion

#[tokio::test]
async fn a_mandate_is_needed_to_top_up() {
    use std::time::Duration;

    use upvest_ext::api::types::{AccountId, DirectDebitStatus};
    use upvest_sandbox::Sandbox;

    let sandbox = Sandbox::start().await.unwrap();
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    let account = AccountId::from(sandbox.open_account("1.00").await.unwrap());
    let account = upvest.retrieve_account().account_id(account);
    let account = account.send().await.unwrap();
    let user = account.user_id.unwrap();
    let group = account.account_group_id.unwrap();
    let key = IdempotencyKey::generate();
    let debit = top_up(&upvest, key, user, group, "100.00").await.unwrap();
    assert_eq!(debit, None);

    let iban = "DE02120300000000202051";
    sandbox.create_mandate(group, iban).await.unwrap();
    let debit = top_up(&upvest, key, user, group, "100.00").await.unwrap();
    let debit = debit.expect("there is a mandate");
    sandbox.advance(Duration::from_secs(7 * 24 * 3600)).await;
    let debit = upvest.wait_for_item(upvest.list_direct_debits(), debit.id);
    assert_eq!(
        debit.await.unwrap().status,
        Some(DirectDebitStatus::Completed)
    );
    let balances = upvest.list_cash_balances().account_id(account.id);
    let balances = balances.send().await.unwrap();
    assert_eq!(balances.data[0].available.unwrap().to_string(), "101.00");
}
