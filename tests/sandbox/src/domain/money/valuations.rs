//! Daily valuations of accounts, and their returns.

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::amount::{self, Currency, EUR};
use crate::domain::customers::accounts::{Account, AccountStatus};
use crate::domain::events::EventKind;
use crate::domain::money::ledger::TransactionType;
use crate::domain::state::{Rejected, State};
use crate::domain::table::Identified;

/// What an account was worth at the end of a day, as it is sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Valuation {
    id: Uuid,
    account_id: Uuid,
    total_value: Decimal,
    currency: Currency,
    #[serde(serialize_with = "crate::instant::write")]
    valued_at: DateTime<Utc>,
}

/// The gain or loss of an account in a calendar month, as it is sent.
#[derive(Debug, Serialize)]
pub(crate) struct AccountReturn {
    account_id: Uuid,
    total_return: Decimal,
    total_return_percentage: Decimal,
    period_start: NaiveDate,
    period_end: NaiveDate,
    currency: Currency,
}

impl State {
    /// The value of an account: its cash and its positions at their bid prices.
    pub(crate) fn value_of(&self, account: &Account) -> Decimal {
        let holdings = account.holdings.iter().map(|holding| {
            let price = self
                .instruments
                .get(holding.view.instrument_id)
                .map_or(Decimal::ZERO, |it| it.bid);
            amount::value(holding.view.quantity, price)
        });
        let cash = account
            .cash
            .get(&EUR)
            .map_or(Decimal::ZERO, crate::domain::money::ledger::Cash::total);
        amount::rounded_down(cash + holdings.sum::<Decimal>())
    }

    pub(in crate::domain) fn value_all_accounts(&mut self) {
        let open = self.accounts.rows().iter();
        let open = open.filter(|account| account.view.status != AccountStatus::Closed);
        let values: Vec<_> = open
            .map(|account| (account.id(), self.value_of(account)))
            .collect();
        for (account_id, total_value) in values {
            let id = self.timeline.id();
            let valued_at = self.timeline.now;
            let valuation = Valuation {
                id,
                account_id,
                total_value,
                currency: EUR,
                valued_at,
            };
            self.timeline.emit(EventKind::VALUATION, id, &valuation);
            if let Some(account) = self.accounts.get_mut(account_id) {
                account.valuations.push(valuation);
            }
        }
    }

    /// The return of each calendar month since the account was created, including the current month: the value at the
    /// end minus that at the start, minus deposits, plus withdrawals.
    pub(crate) fn returns(&self, account: Uuid) -> Result<Vec<AccountReturn>, Rejected> {
        let account = self.account(account)?;
        let today = self.timeline.now.date_naive();
        let mut returns = Vec::new();
        let mut start = account.view.created_at.date_naive();
        let mut value_at_start = Decimal::ZERO;
        while start <= today {
            let next = first_of_next_month(start);
            let value_at_end = match account
                .valuations
                .iter()
                .find(|it| it.valued_at == midnight(next))
            {
                Some(valuation) => valuation.total_value,
                None if next > today => self.value_of(account),
                // A closed account is empty and no longer valued.
                None => Decimal::ZERO,
            };
            let flows = flows_between(account, midnight(start), midnight(next));
            let gain = value_at_end - value_at_start - flows.net;
            let base = value_at_start + flows.deposits;
            let percentage = gain
                .saturating_mul(Decimal::ONE_HUNDRED)
                .checked_div(base)
                .unwrap_or(Decimal::ZERO);
            returns.push(AccountReturn {
                account_id: account.view.id,
                total_return: amount::rounded_down(gain),
                total_return_percentage: percentage.round_dp(4).normalize(),
                period_start: start,
                period_end: next.pred_opt().unwrap_or(next).min(today),
                currency: EUR,
            });
            (start, value_at_start) = (next, value_at_end);
        }
        Ok(returns)
    }
}

/// Cash and units that entered or left an account, in EUR.
struct Flows {
    /// The deposits minus the withdrawals.
    net: Decimal,
    deposits: Decimal,
}

fn flows_between(account: &Account, from: DateTime<Utc>, until: DateTime<Utc>) -> Flows {
    use TransactionType::{DirectDebit, Transfer, Withdrawal};
    let cash = account.transactions.iter();
    let cash = cash.filter(|it| {
        it.currency == EUR && matches!(it.r#type, DirectDebit | Transfer | Withdrawal)
    });
    let cash = cash.map(|it| (it.created_at, it.amount));
    let within = cash
        .chain(account.in_kind.iter().map(|it| (it.at, it.value)))
        .filter(|(at, _)| *at >= from && *at < until);
    let amounts: Vec<_> = within.map(|(_, amount)| amount).collect();
    Flows {
        net: amounts.iter().sum(),
        deposits: amounts
            .iter()
            .filter(|amount| amount.is_sign_positive())
            .sum(),
    }
}

fn first_of_next_month(date: NaiveDate) -> NaiveDate {
    let (year, month) = if date.month() == 12 {
        (date.year() + 1, 1)
    } else {
        (date.year(), date.month() + 1)
    };
    NaiveDate::from_ymd_opt(year, month, 1).unwrap_or(NaiveDate::MAX)
}

fn midnight(date: NaiveDate) -> DateTime<Utc> {
    date.and_time(NaiveTime::MIN).and_utc()
}
