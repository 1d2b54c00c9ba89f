//! Shared helpers of these tests.

use super::*;

/// Asserts that the call fails with a 404 and a problem, as the id does not exist.
#[track_caller]
pub(crate) fn is_unknown<T>(response: Answered<T>) {
    let error = response.err().expect("nothing has this id");
    let Some(problem) = error.problem() else {
        panic!("{error:?}")
    };
    let told = (
        error.status().map(|status| status.as_u16()),
        problem.status,
        problem.code(),
    );
    assert_eq!(told, (Some(404), Some(404), Some("not_found")));
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(
        error.request_id().is_some() && !error.is_outcome_unknown(),
        "{error}"
    );
}

pub(crate) async fn pass(sandbox: &Sandbox, seconds: u64) {
    sandbox.advance(Duration::from_secs(seconds)).await;
}

/// An account of a new user, so that nothing else changes it.
pub(crate) async fn open_account(sandbox: &Sandbox, cash: &str) -> AccountId {
    sandbox.open_account(cash).await.unwrap().into()
}

/// Available, pending and total, in EUR.
pub(crate) async fn cash(upvest: &Upvest, account: AccountId) -> [String; 3] {
    let balances = upvest
        .list_cash_balances()
        .account_id(account)
        .send()
        .await
        .unwrap();
    let [balance] = balances.data.as_slice() else {
        panic!("{:?}", balances.data)
    };
    assert_eq!(balance.account_id, Some(account));
    assert_eq!(
        balance.currency.map(|it| it.to_string()).as_deref(),
        Some("EUR")
    );
    [balance.available, balance.pending, balance.total].map(exact)
}

pub(crate) async fn bookings(
    upvest: &Upvest,
    account: AccountId,
) -> Vec<(TransactionType, String)> {
    let transactions = upvest
        .list_transactions()
        .account_id(account)
        .limit(100)
        .send()
        .await
        .unwrap();
    let transactions = transactions.into_inner().data.into_iter();
    transactions
        .map(|it| (it.type_.unwrap(), exact(it.amount)))
        .collect()
}

pub(crate) async fn file(response: Answered<ByteStream>) -> Vec<u8> {
    response.unwrap().into_inner().bytes().await.unwrap().into()
}

/// The number as text with all digits, as decimals are equal even if their trailing zeros differ.
pub(crate) fn exact(amount: Option<Decimal>) -> String {
    amount.map(|it| it.to_string()).unwrap_or_default()
}

pub(crate) fn purchase(account: AccountId, isin: &str, cash: &str) -> OrderCreate {
    let order = OrderCreate::builder()
        .account_id(account)
        .instrument_id(instrument(isin))
        .currency("EUR");
    order
        .side(OrderSide::Buy)
        .type_(OrderType::Market)
        .cash_amount(cash)
        .build()
        .unwrap()
}

pub(crate) fn instrument(isin: &str) -> InstrumentId {
    Sandbox::instrument(isin).into()
}

pub(crate) fn allocation(isin: &str, weight: &str) -> PortfolioAllocationCreate {
    let allocation = PortfolioAllocationCreate::builder()
        .instrument_id(instrument(isin))
        .weight(weight);
    allocation.build().unwrap()
}

pub(crate) fn person() -> UserCreate {
    let person = UserCreate::builder()
        .first_name("Erika")
        .last_name("Mustermann")
        .email("erika@example.com");
    person
        .date_of_birth(date("1990-12-10"))
        .nationality("DE")
        .address(address())
        .build()
        .unwrap()
}

pub(crate) fn address() -> Address {
    let address = Address::builder()
        .street("Unter den Linden 1")
        .additional_line("3rd floor")
        .city("Berlin");
    address
        .postal_code("10117")
        .state("Berlin")
        .country("DE")
        .build()
        .unwrap()
}

pub(crate) fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub(crate) fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}
