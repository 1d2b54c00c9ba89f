//! Fees. They are charged only by a command, so that no test gets an unexpected one.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::amount::{Currency, EUR};
use crate::domain::events::EventKind;
use crate::domain::money::ledger::TransactionType;
use crate::domain::state::{Refused, State};

/// As in the API.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Fee {
    id: Uuid,
    account_id: Uuid,
    r#type: String,
    amount: Decimal,
    currency: Currency,
    #[serde(serialize_with = "crate::instant::write")]
    created_at: DateTime<Utc>,
}

/// As in the API.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FeeConfiguration {
    id: Uuid,
    name: String,
    r#type: String,
    rate: Decimal,
    currency: Currency,
}

identified!(by id: FeeConfiguration);

impl State {
    /// What there is to list. Nothing is charged by these rates.
    pub(in crate::domain) fn configure_fees(&mut self) {
        for (name, kind, rate) in [
            ("Custody fee", "CUSTODY", "0.0012"),
            ("Order fee", "ORDER", "0.0000"),
        ] {
            let id = self.time.id();
            let rate = crate::amount::parse(rate).expect("the rates are decimals");
            let configuration = FeeConfiguration {
                id,
                name: name.to_owned(),
                r#type: kind.to_owned(),
                rate,
                currency: EUR,
            };
            self.fee_configurations.insert(configuration);
        }
    }

    pub(crate) fn charge_fee(
        &mut self,
        account_id: Uuid,
        kind: String,
        amount: Decimal,
    ) -> Result<&Fee, Refused> {
        if self.account(account_id)?.available(EUR) < amount {
            return Err(Refused::invalid(
                "amount",
                "is more than the account has available",
            ));
        }
        let id = self.time.id();
        let created_at = self.time.now;
        let fee = Fee {
            id,
            account_id,
            r#type: kind,
            amount,
            currency: EUR,
            created_at,
        };
        self.time.emit(EventKind::FEE_CHARGED, id, &fee);
        self.book(account_id, TransactionType::Fee, -amount, EUR);
        let account = self.accounts.get_mut(account_id).ok_or(Refused::NotFound)?;
        account.fees.push(fee);
        account.fees.last().ok_or(Refused::NotFound)
    }
}
