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
    account_id: Uuid,
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

impl World {
    pub(crate) fn create_liquidation(
        &mut self,
        account_id: Uuid,
        new: &LiquidationCreate,
    ) -> Result<&Liquidation, Refused> {
        let (id, created_at) = (self.time.id(), self.time.now);
        let account = self.accounts.get_mut(account_id).ok_or(Refused::NotFound)?;
        let status = LiquidationStatus::New;
        let liquidation = Liquidation { id, account_id, r#type: new.r#type, status, created_at };
        self.time.emit(EventKind::LIQUIDATION_NEW, id, &liquidation);
        self.time.after(STEP, Due::Liquidation { account: account_id, id });
        account.liquidations.push(liquidation);
        account.liquidations.last().ok_or(Refused::NotFound)
    }

    /// `PARTIAL` sells half of each position: the description has no field that says which part.
    pub(super) fn work_off_liquidation(&mut self, account_id: Uuid, id: Uuid) {
        let Some(account) = self.accounts.get(account_id) else { return };
        let Some(liquidation) = account.liquidations.iter().find(|it| it.id == id) else { return };
        let parts = if liquidation.r#type == LiquidationType::Full { 1 } else { 2 };
        let sales = account.holdings.iter().map(|holding| {
            let instrument = holding.view.instrument_id;
            let instrument_view = self.instruments.get(instrument).map(|it| &it.view);
            let fractional = parts == 1 || instrument_view.is_some_and(|it| it.fractional_trading_enabled);
            (instrument, amount::units(holding.free(), Decimal::from(parts), fractional))
        });
        let trades = Trades { sell: sales.collect(), then_buy: Vec::new() };
        self.set_liquidation(
            account_id,
            id,
            LiquidationStatus::Processing,
            EventKind::LIQUIDATION_PROCESSING,
        );
        self.start_job(Purpose::Liquidation { account: account_id, id }, account_id, trades);
    }

    pub(super) fn end_liquidation(&mut self, account: Uuid, id: Uuid, end: JobEnd) {
        let (status, kind) = match end {
            JobEnd::Whole => (LiquidationStatus::Completed, EventKind::LIQUIDATION_COMPLETED),
            _ => (LiquidationStatus::Failed, EventKind::LIQUIDATION_FAILED),
        };
        self.set_liquidation(account, id, status, kind);
    }

    fn set_liquidation(
        &mut self,
        account: Uuid,
        id: Uuid,
        status: LiquidationStatus,
        kind: &'static EventKind,
    ) {
        let Some(account) = self.accounts.get_mut(account) else { return };
        if let Some(liquidation) = account.liquidations.iter_mut().find(|it| it.id == id) {
            liquidation.status = status;
            self.time.emit(kind, id, liquidation);
        }
    }
}
