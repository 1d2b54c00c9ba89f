//! Money from and to banks, and fees.

use super::*;

pub(crate) async fn direct_debits(
    upvest: &Upvest,
    sandbox: &Sandbox,
    account: AccountId,
) -> MandateId {
    let iban = "DE89370400440532013000";
    let group = AccountGroupId::from(sandbox.account_group());
    let mandate = MandateId::from(sandbox.create_mandate(group, iban).await.unwrap());
    let read = upvest
        .retrieve_mandate()
        .mandate_id(mandate)
        .send()
        .await
        .unwrap()
        .into_inner();
    assert_eq!(read.account_group_id, Some(group));
    assert_eq!(read.iban.as_deref(), Some(iban));
    assert_eq!(&read.status, &Some(MandateStatus::Active));
    assert_eq!(read.created_at, Some(sandbox.now()));
    assert_eq!(upvest.list_mandates().send().await.unwrap().data, [read]);

    let user = upvest
        .retrieve_account()
        .account_id(account)
        .send()
        .await
        .unwrap()
        .user_id
        .unwrap();
    let new = DirectDebitCreate::builder()
        .user_id(user)
        .account_group_id(group)
        .mandate_id(mandate);
    let new = new
        .cash_amount("50.25")
        .currency("EUR")
        .remittance_information("Rücklage");
    let mut made = upvest
        .create_direct_debit()
        .body(new)
        .send()
        .await
        .unwrap()
        .into_inner();
    assert_eq!(made.user_id, Some(user));
    assert_eq!(made.mandate_id, Some(mandate));
    assert_eq!(exact(made.cash_amount).as_str(), "50.25");
    assert_eq!(&made.status, &Some(DirectDebitStatus::New));
    assert_eq!(made.remittance_information.as_deref(), Some("Rücklage"));
    let listed = async || {
        upvest
            .list_direct_debits()
            .send()
            .await
            .unwrap()
            .into_inner()
            .data
    };
    for status in [DirectDebitStatus::Processing, DirectDebitStatus::Completed] {
        pass(sandbox, 1).await;
        made.status = Some(status);
        assert_eq!(listed().await, [made.clone()]);
    }
    assert_eq!(cash(upvest, account).await[0], "150.25");
    sandbox
        .execute(Command::ReverseDirectDebit {
            direct_debit_id: made.id.into(),
        })
        .await
        .unwrap();
    made.status = Some(DirectDebitStatus::Reversed);
    assert_eq!(listed().await, [made]);
    assert_eq!(cash(upvest, account).await[0], "100.00");
    sandbox
        .execute(Command::RevokeMandate {
            mandate_id: mandate.into(),
        })
        .await
        .unwrap();
    let read = upvest
        .retrieve_mandate()
        .mandate_id(mandate)
        .send()
        .await
        .unwrap();
    assert_eq!(read.status, Some(MandateStatus::Revoked));
    is_unknown(
        upvest
            .retrieve_mandate()
            .mandate_id(UNKNOWN_ID)
            .send()
            .await,
    );
    mandate
}

pub(crate) async fn withdrawals(upvest: &Upvest, sandbox: &Sandbox, account: AccountId) {
    let of = |amount| {
        WithdrawalCreate::builder()
            .account_id(account)
            .cash_amount(amount)
            .currency("EUR")
            .build()
            .unwrap()
    };
    let mut small = upvest
        .create_withdrawal()
        .body(of("10.00"))
        .send()
        .await
        .unwrap()
        .into_inner();
    let mut large = upvest
        .create_withdrawal()
        .body(of("90.01"))
        .send()
        .await
        .unwrap()
        .into_inner();
    assert_eq!(small.account_id, Some(account));
    assert_eq!(exact(small.cash_amount).as_str(), "10.00");
    assert_eq!(&small.status, &Some(WithdrawalStatus::New));
    assert_eq!(small.created_at, Some(sandbox.now()));
    pass(sandbox, 1).await;
    assert_eq!(cash(upvest, account).await, ["90.00", "10.00", "100.00"]);
    pass(sandbox, 1).await;
    assert_eq!(cash(upvest, account).await, ["90.00", "0.00", "90.00"]);
    (small.status, large.status) = (
        Some(WithdrawalStatus::Completed),
        Some(WithdrawalStatus::Failed),
    );
    assert_eq!(
        upvest.list_withdrawals().send().await.unwrap().data,
        [small, large]
    );
}

pub(crate) async fn reference_accounts(upvest: &Upvest, sandbox: &Sandbox, account: AccountId) {
    let command = Command::AddReferenceAccount {
        account_id: account.into(),
        iban: "DE89370400440532013000".to_owned(),
        bic: "COBADEFFXXX".to_owned(),
        account_holder: "Erika Mustermann".to_owned(),
    };
    sandbox.execute(command).await.unwrap();
    let listed = upvest
        .list_reference_accounts()
        .account_id(account)
        .send()
        .await
        .unwrap();
    // After the top-up that every test account has.
    let [_, bank] = listed.data.as_slice() else {
        panic!("{:?}", listed.data)
    };
    assert_eq!(bank.iban.as_deref(), Some("DE89370400440532013000"));
    assert_eq!(bank.bic.as_deref(), Some("COBADEFFXXX"));
    assert_eq!(bank.account_holder.as_deref(), Some("Erika Mustermann"));
    assert_eq!(&bank.status, &Some(ReferenceAccountStatus::Active));
    is_unknown(
        upvest
            .list_reference_accounts()
            .account_id(UNKNOWN_ID)
            .send()
            .await,
    );
}

pub(crate) async fn fees(upvest: &Upvest, sandbox: &Sandbox, account: AccountId) {
    let charged = sandbox
        .charge_fee(account, "CUSTODY", "1.50")
        .await
        .unwrap();
    let listed = upvest.list_fees().account_id(account).send().await.unwrap();
    let [fee] = listed.data.as_slice() else {
        panic!("{:?}", listed.data)
    };
    assert_eq!(fee.id, charged.into());
    assert_eq!(fee.account_id, Some(account));
    assert_eq!(fee.type_.as_deref(), Some("CUSTODY"));
    assert_eq!(exact(fee.amount).as_str(), "1.50");
    assert_eq!(
        bookings(upvest, account).await.last(),
        Some(&(TransactionType::Fee, "-1.50".to_owned()))
    );
    let rates = upvest
        .list_fee_configurations()
        .send()
        .await
        .unwrap()
        .into_inner()
        .data;
    let rates: Vec<_> = rates
        .iter()
        .map(|it| (it.type_.as_deref().unwrap(), exact(it.rate)))
        .collect();
    assert_eq!(
        rates,
        [
            ("CUSTODY", "0.0012".to_owned()),
            ("ORDER", "0.0000".to_owned())
        ]
    );
    is_unknown(upvest.list_fees().account_id(UNKNOWN_ID).send().await);
}
