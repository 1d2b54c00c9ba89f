//! Tokens, users with their identifiers and tax residencies, and accounts.

use super::*;

/// The SDK requests tokens with its own code. This tests the generated operation.
pub(crate) async fn access_tokens(upvest: &Upvest, sandbox: &Sandbox) {
    let with = |secret| {
        let body = CreateAccessTokenBody::builder().grant_type(GrantType::ClientCredentials);
        body.client_id(sandbox.client_id())
            .client_secret(secret)
            .scope("users:read orders:admin")
    };
    let token = upvest
        .create_access_token()
        .body(with(sandbox.client_secret()))
        .send()
        .await
        .unwrap();
    assert_eq!(&token.token_type, &Some(TokenType::Bearer));
    assert_eq!(token.expires_in, Some(A_YEAR.as_secs()));
    assert_eq!(token.scope.as_deref(), Some("users:read orders:admin"));
    let rejected = upvest
        .create_access_token()
        .body(with("a wrong secret"))
        .send()
        .await;
    let error = rejected.err().unwrap();
    assert!(error.is_authentication(), "{error}");
}

pub(crate) async fn users(upvest: &Upvest, sandbox: &Sandbox) -> UserId {
    let new = person();
    let made = upvest
        .create_user()
        .body(new.clone())
        .send()
        .await
        .unwrap()
        .into_inner();
    assert_eq!(&made.status, &Some(UserStatus::Pending));
    assert_eq!(made.created_at, Some(sandbox.now()));
    let read = upvest
        .retrieve_user()
        .user_id(made.id)
        .send()
        .await
        .unwrap();
    assert_eq!(*read, made);
    assert_eq!(&read.first_name, &Some(new.first_name));
    assert_eq!(&read.last_name, &Some(new.last_name));
    assert_eq!(&read.email, &Some(new.email));
    assert_eq!(read.date_of_birth, Some(new.date_of_birth));
    assert_eq!(read.nationality, Some(new.nationality));
    assert_eq!(&read.address, &Some(new.address));

    let checks = upvest
        .list_user_checks()
        .user_id(made.id)
        .send()
        .await
        .unwrap()
        .into_inner()
        .data;
    let [check] = checks.as_slice() else {
        panic!("{checks:?}")
    };
    assert_eq!(&check.status, &Some(UserCheckStatus::Pending));
    assert_eq!(check.completed_at, None);
    pass(sandbox, 1).await;
    let checks = upvest
        .list_user_checks()
        .user_id(made.id)
        .send()
        .await
        .unwrap()
        .into_inner()
        .data;
    assert_eq!(checks[0].id, check.id);
    let passed = (Some(UserCheckStatus::Passed), Some(sandbox.now()));
    assert_eq!((checks[0].status.clone(), checks[0].completed_at), passed);

    let mut moved = address();
    moved.city = "Leipzig".into();
    let update = UserUpdate::builder()
        .first_name("Erik")
        .address(moved.clone());
    let updated = upvest
        .update_user()
        .user_id(made.id)
        .body(update)
        .send()
        .await
        .unwrap()
        .into_inner();
    assert_eq!(updated.status, Some(UserStatus::Active));
    assert_eq!(&updated.first_name, &Some("Erik".to_owned()));
    assert_eq!(&updated.last_name, &made.last_name);
    assert_eq!(&updated.address, &Some(moved));
    assert_eq!(updated.updated_at, Some(sandbox.now()));
    assert_eq!(updated.created_at, made.created_at);
    let listed = upvest
        .list_users()
        .limit(100)
        .send()
        .await
        .unwrap()
        .into_inner();
    assert_eq!(listed.data, [updated]);
    is_unknown(upvest.retrieve_user().user_id(UNKNOWN_ID).send().await);
    is_unknown(
        upvest
            .update_user()
            .user_id(UNKNOWN_ID)
            .body(UserUpdate::default())
            .send()
            .await,
    );
    made.id
}

pub(crate) async fn identifiers(
    upvest: &Upvest,
    sandbox: &Sandbox,
    user: UserId,
) -> UserIdentifierId {
    let new = UserIdentifierCreate::builder()
        .type_("NATIONAL_ID")
        .value("L01X00T47");
    let made = upvest
        .create_user_identifier()
        .user_id(user)
        .body(new)
        .send()
        .await
        .unwrap()
        .into_inner();
    assert_eq!(made.type_.as_deref(), Some("NATIONAL_ID"));
    assert_eq!(made.value.as_deref(), Some("L01X00T47"));
    assert_eq!(made.created_at, Some(sandbox.now()));
    let update = UserIdentifierUpdate::builder().value("L01X00T48");
    let call = upvest
        .update_user_identifier()
        .user_id(user)
        .identifier_id(made.id);
    let updated = call.body(update).send().await.unwrap().into_inner();
    assert_eq!(updated.id, made.id);
    assert_eq!(updated.value.as_deref(), Some("L01X00T48"));
    let read = upvest
        .retrieve_user_identifier()
        .user_id(user)
        .identifier_id(made.id);
    assert_eq!(*read.send().await.unwrap(), updated);
    let listed = upvest
        .list_user_identifiers()
        .user_id(user)
        .send()
        .await
        .unwrap();
    assert_eq!(listed.data, [updated]);
    is_unknown(
        upvest
            .retrieve_user_identifier()
            .user_id(user)
            .identifier_id(UNKNOWN_ID)
            .send()
            .await,
    );
    made.id
}

pub(crate) async fn tax_residencies(upvest: &Upvest, sandbox: &Sandbox, user: UserId) {
    let new = TaxResidencyCreate::builder()
        .country("DE")
        .tax_identification_number("02476291358");
    let made = upvest
        .create_tax_residency()
        .user_id(user)
        .body(new)
        .send()
        .await
        .unwrap()
        .into_inner();
    assert_eq!(made.country.map(|it| it.to_string()).as_deref(), Some("DE"));
    assert_eq!(
        made.tax_identification_number.as_deref(),
        Some("02476291358")
    );
    assert_eq!(made.created_at, Some(sandbox.now()));
    let new = TaxResidencyCreate::builder().country("FR");
    let other = upvest
        .create_tax_residency()
        .user_id(user)
        .body(new)
        .send()
        .await
        .unwrap()
        .into_inner();
    assert_eq!(other.tax_identification_number, None);
    let listed = upvest
        .list_tax_residencies()
        .user_id(user)
        .send()
        .await
        .unwrap();
    assert_eq!(listed.data, [made, other]);
    is_unknown(
        upvest
            .list_tax_residencies()
            .user_id(UNKNOWN_ID)
            .send()
            .await,
    );
}

pub(crate) async fn accounts(upvest: &Upvest, sandbox: &Sandbox, user: UserId) -> AccountId {
    let group = AccountGroupId::from(sandbox.account_group());
    let new = AccountCreate::builder()
        .user_id(user)
        .account_group_id(group);
    let made = upvest
        .create_account()
        .body(new.clone().type_("TRADING"))
        .send()
        .await
        .unwrap()
        .into_inner();
    assert_eq!(made.user_id, Some(user));
    assert_eq!(made.account_group_id, Some(group));
    assert_eq!(made.type_.as_deref(), Some("TRADING"));
    assert_eq!(&made.status, &Some(AccountStatus::Pending));
    let other = upvest.create_account().body(new).send().await.unwrap().id;
    pass(sandbox, 1).await;
    let update = AccountUpdate::builder().type_("SAVING");
    let updated = upvest
        .update_account()
        .account_id(made.id)
        .body(update)
        .send()
        .await
        .unwrap()
        .into_inner();
    assert_eq!(updated.type_.as_deref(), Some("SAVING"));
    assert_eq!(&updated.status, &Some(AccountStatus::Open));
    assert_eq!(
        *upvest
            .retrieve_account()
            .account_id(made.id)
            .send()
            .await
            .unwrap(),
        updated
    );

    let of_user = upvest
        .list_user_accounts()
        .user_id(user)
        .send()
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        of_user.data.iter().map(|it| it.id).collect::<Vec<_>>(),
        [made.id, other]
    );
    assert_eq!(of_user.meta.and_then(|meta| meta.total), Some(2));
    let second = upvest
        .list_accounts()
        .offset(1)
        .limit(1)
        .send()
        .await
        .unwrap()
        .into_inner();
    let meta = second.meta.unwrap();
    assert_eq!(meta.offset, Some(1));
    assert_eq!(meta.limit, Some(1));
    assert_eq!(meta.count, Some(1));
    assert_eq!(meta.total, Some(2));
    assert_eq!(second.data[0].id, other);

    assert_eq!(
        upvest
            .close_account()
            .account_id(other)
            .send()
            .await
            .unwrap()
            .status()
            .as_u16(),
        204
    );
    let status = async || {
        upvest
            .retrieve_account()
            .account_id(other)
            .send()
            .await
            .unwrap()
            .status
            .clone()
    };
    assert_eq!(status().await, Some(AccountStatus::Closing));
    pass(sandbox, 1).await;
    assert_eq!(status().await, Some(AccountStatus::Closed));
    is_unknown(
        upvest
            .retrieve_account()
            .account_id(UNKNOWN_ID)
            .send()
            .await,
    );
    is_unknown(upvest.close_account().account_id(UNKNOWN_ID).send().await);
    made.id
}
