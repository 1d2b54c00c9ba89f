//! Liquidations, which sell all or half of the positions of an account.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::amount;
use crate::domain::customers::accounts::Way;
use crate::domain::jobs::{Purpose, Trades};
use crate::domain::lifecycle::Progress;
use crate::domain::state::{Refused, STEP, State};
use crate::domain::timeline::Due;

/// As in the API.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Liquidation {
    id: Uuid,
    pub(crate) account_id: Uuid,
    r#type: LiquidationType,
    status: Progress,
    #[serde(serialize_with = "crate::instant::write")]
    created_at: DateTime<Utc>,
}

wire_enum! {
    enum LiquidationType { Full Partial }
}

#[derive(Deserialize)]
pub(crate) struct LiquidationCreate {
    r#type: LiquidationType,
}

resource!(Liquidation, "liquidation", liquidations, |it| *it => Self, Progress,
    LIQUIDATION_NEW => [LIQUIDATION_NEW LIQUIDATION_PROCESSING LIQUIDATION_COMPLETED LIQUIDATION_FAILED]; by account_id);

impl State {
    pub(crate) fn create_liquidation(
        &mut self,
        account_id: Uuid,
        new: &LiquidationCreate,
    ) -> Result<&Liquidation, Refused> {
        self.account(account_id)?;
        self.check_bars(account_id, Way::Out)?;
        let id = self.time.id();
        let created_at = self.time.now;
        self.time.after(STEP, Due::Liquidation(id));
        Ok(self.add(Liquidation {
            id,
            account_id,
            r#type: new.r#type,
            status: Progress::New,
            created_at,
        }))
    }

    /// Starts a liquidation. `PARTIAL` sells half of each position, as the description has no field for the part.
    pub(in crate::domain) fn work_off_liquidation(&mut self, id: Uuid) {
        let Some(liquidation) = self.liquidations.get(id) else {
            return;
        };
        let account_id = liquidation.account_id;
        let whole = liquidation.r#type == LiquidationType::Full;
        if let Err(why) = self.may_trade(account_id, Way::Out) {
            self.change_because::<Liquidation>(id, Progress::Failed, Some(why));
            return;
        }
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
                    holding.free(),
                    rust_decimal::Decimal::TWO,
                    divides(instrument),
                )
            };
            (instrument, if whole { holding.free() } else { half() })
        });
        let trades = Trades {
            sell: sales.collect(),
            then_buy: Vec::new(),
        };
        self.change::<Liquidation>(id, Progress::Processing);
        self.start_job(Purpose::Liquidation(id), account_id, trades);
    }
}
