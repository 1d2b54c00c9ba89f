//! Liquidations: everything that an account holds is sold, or half of it.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::events::EventKind;
use super::jobs::{JobEnd, Purpose, Trades};
use super::timeline::Due;
use super::world::{Refused, STEP, World};
use crate::amount;

/// As the API shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Liquidation {
    id: Uuid,
    pub(crate) account_id: Uuid,
    r#type: LiquidationType,
    status: LiquidationStatus,
    created_at: DateTime<Utc>,
}

wire_enum! {
    enum LiquidationType { Full Partial }
}

wire_enum! {
    enum LiquidationStatus { New Processing Completed Failed }
}

#[derive(Deserialize)]
pub(crate) struct LiquidationCreate {
    r#type: LiquidationType,
}

identified!(by id: Liquidation);

impl World {
    pub(crate) fn create_liquidation(
        &mut self,
        account_id: Uuid,
        new: &LiquidationCreate,
    ) -> Result<&Liquidation, Refused> {
        self.account(account_id)?;
        let (id, created_at) = (self.time.id(), self.time.now);
        let status = LiquidationStatus::New;
        let liquidation = Liquidation { id, account_id, r#type: new.r#type, status, created_at };
        self.time.emit(EventKind::LIQUIDATION_NEW, id, &liquidation);
        self.time.after(STEP, Due::Liquidation(id));
        Ok(self.liquidations.insert(liquidation))
    }

    /// `PARTIAL` sells half of each position: the description has no field that says which part.
    pub(super) fn work_off_liquidation(&mut self, id: Uuid) {
        let Some(liquidation) = self.liquidations.get(id) else { return };
        let (account_id, whole) = (liquidation.account_id, liquidation.r#type == LiquidationType::Full);
        let Some(account) = self.accounts.get(account_id) else { return };
        let sales = account.holdings.iter().map(|holding| {
            let instrument = holding.view.instrument_id;
            let divides = |id| self.instruments.get(id).is_some_and(|it| it.view.fractional_trading_enabled);
            let half = || amount::units(holding.free(), Decimal::TWO, divides(instrument));
            (instrument, if whole { holding.free() } else { half() })
        });
        let trades = Trades { sell: sales.collect(), then_buy: Vec::new() };
        self.set_liquidation(id, LiquidationStatus::Processing);
        self.start_job(Purpose::Liquidation(id), account_id, trades);
    }

    pub(super) fn end_liquidation(&mut self, id: Uuid, end: JobEnd) {
        let whole = end == JobEnd::Whole;
        self.set_liquidation(
            id,
            if whole { LiquidationStatus::Completed } else { LiquidationStatus::Failed },
        );
    }

    fn set_liquidation(&mut self, id: Uuid, status: LiquidationStatus) {
        let Some(liquidation) = self.liquidations.get_mut(id) else { return };
        liquidation.status = status;
        let kind = match status {
            LiquidationStatus::New => EventKind::LIQUIDATION_NEW,
            LiquidationStatus::Processing => EventKind::LIQUIDATION_PROCESSING,
            LiquidationStatus::Completed => EventKind::LIQUIDATION_COMPLETED,
            LiquidationStatus::Failed => EventKind::LIQUIDATION_FAILED,
        };
        self.time.emit(kind, id, liquidation);
    }
}
