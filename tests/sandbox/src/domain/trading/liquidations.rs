//! Liquidations, which sell all or half of the positions of an account.

use serde::Deserialize;
use uuid::Uuid;

use crate::amount;
use crate::domain::customers::accounts::Way;
use crate::domain::jobs::{Purpose, Trades};
use crate::domain::rows::Row;
use crate::domain::rules::{RowOf, known};
use crate::domain::state::{Rejected, State};

/// A liquidation as requested.
#[derive(Deserialize)]
pub(in crate::domain) struct Liquidation {
    account_id: Uuid,
    r#type: LiquidationType,
}

wire_enum! {
    enum LiquidationType { Full Partial }
}

impl State {
    pub(in crate::domain) fn check_liquidation(&self, new: &Liquidation) -> Result<(), Rejected> {
        self.check_not_blocked(new.account_id, Way::Out)
    }

    pub(in crate::domain) fn may_liquidate(&self, it: &Liquidation) -> Result<(), String> {
        self.may_trade(it.account_id, Way::Out)
    }

    /// Sells the positions. `PARTIAL` sells half of each, as the description has no field for the part.
    pub(in crate::domain) fn start_liquidation(&mut self, row: &Row) {
        let Ok(Liquidation { account_id, r#type }) = known(row) else {
            return;
        };
        let whole = r#type == LiquidationType::Full;
        let Some(account) = self.accounts.get(account_id) else {
            return;
        };
        let sales = account.holdings.iter().map(|holding| {
            let instrument = holding.view.instrument_id;
            let divides = |id| {
                self.instruments
                    .get(id)
                    .is_some_and(|it| it.view.fractional_trading_enabled)
            };
            let half = || {
                amount::units(
                    holding.available(),
                    rust_decimal::Decimal::TWO,
                    divides(instrument),
                )
            };
            (instrument, if whole { holding.available() } else { half() })
        });
        let trades = Trades {
            sell: sales.collect(),
            then_buy: Vec::new(),
        };
        let purpose = Purpose::Row(RowOf::new("liquidations", row));
        self.start_job(purpose, account_id, trades);
    }
}
