// region: guide
// docs/guides/samples/onboarding_wait.rs
// crates: upvest-ext
use upvest_ext::api::types::{AccountId, AccountStatus, UserId, UserStatus};
use upvest_ext::{Error, Upvest};

/// A wait for `Active` alone would not end for a user who is blocked.
async fn can_trade(upvest: &Upvest, user: UserId, account: AccountId) -> Result<bool, Error> {
    let user = upvest.retrieve_user().user_id(user);
    let user = upvest.wait_until(user, |it| it.status != Some(UserStatus::Pending));
    if user.await?.status != Some(UserStatus::Active) {
        return Ok(false);
    }
    let account = upvest.retrieve_account().account_id(account);
    let account = upvest.wait_until(account, |it| it.status != Some(AccountStatus::Pending));
    Ok(account.await?.status == Some(AccountStatus::Open))
}
// endregion

#[cfg(test)]
async fn onboarded(checks_pass: bool) -> bool {
    use std::time::Duration;

    use upvest_ext::IdempotencyKey;
    use upvest_ext::api::types::AccountGroupId;
    use upvest_sandbox::Sandbox;

    use crate::onboarding_apply::apply_with;

    let sandbox = Sandbox::start().await.unwrap();
    let upvest = Upvest::from_vars(sandbox.vars()).unwrap();
    let group = AccountGroupId::from(sandbox.account_group());
    let (user, account) = apply_with(&upvest, IdempotencyKey::generate(), group).await;
    sandbox.set_check_result(user, checks_pass).await.unwrap();
    sandbox.advance(Duration::from_secs(2)).await;
    can_trade(&upvest, user, account).await.unwrap()
}

#[tokio::test]
async fn a_user_whose_checks_pass_can_trade() {
    assert!(onboarded(true).await);
}

#[tokio::test]
async fn a_user_whose_checks_fail_cannot_trade() {
    assert!(!onboarded(false).await);
}
