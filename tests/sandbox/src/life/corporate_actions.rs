//! Corporate actions: announced first, processed on their ex date.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ledger::TransactionType;
use super::orders::OrderStatus;
use super::table::Identified;
use super::timeline::Due;
use super::world::{Refused, World};
use crate::amount;

/// Units and prices go no further by a split: values and sums of them still fit a decimal.
const MOST: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

/// As the API shows it, and what it does to those who hold the instrument.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CorporateAction {
    pub(crate) view: CorporateActionView,
    effect: Effect,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CorporateActionView {
    id: Uuid,
    instrument_id: Uuid,
    r#type: ActionType,
    status: ActionStatus,
    record_date: NaiveDate,
    ex_date: NaiveDate,
    created_at: DateTime<Utc>,
}

wire_enum! {
    enum ActionType { Dividend Split }
}

lifecycle! {
    pub(crate) enum ActionStatus {
        Announced => [Processed]
        Processed => []
    }
}

/// What a corporate action does.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Effect {
    /// Cash for each unit held.
    Dividend(Decimal),
    /// So many units in the place of one.
    Split(Decimal),
}

resource!(CorporateAction, "corporate action", corporate_actions, |it| it.view => CorporateActionView, ActionStatus,
    CORPORATE_ACTION_ANNOUNCED => [CORPORATE_ACTION_ANNOUNCED CORPORATE_ACTION_PROCESSED]);

impl World {
    /// Processed at the beginning of the ex date, or with the next step of the clock where that has passed.
    pub(crate) fn announce(
        &mut self,
        instrument_id: Uuid,
        effect: Effect,
        ex_date: NaiveDate,
    ) -> Result<&CorporateActionView, Refused> {
        self.instruments.find(instrument_id)?;
        let (id, created_at) = (self.time.id(), self.time.now);
        let view = CorporateActionView {
            id,
            instrument_id,
            r#type: if matches!(effect, Effect::Dividend(_)) {
                ActionType::Dividend
            } else {
                ActionType::Split
            },
            status: ActionStatus::Announced,
            record_date: ex_date.succ_opt().unwrap_or(ex_date),
            ex_date,
            created_at,
        };
        let at = ex_date.and_time(NaiveTime::MIN).and_utc();
        self.time.at(at.max(self.time.now), Due::CorporateAction(id));
        Ok(&self.add(CorporateAction { view, effect }).view)
    }

    pub(super) fn process_corporate_action(&mut self, id: Uuid) {
        self.change::<CorporateAction>(id, ActionStatus::Processed);
        let Some(action) = self.corporate_actions.get(id) else { return };
        let (instrument, effect) = (action.view.instrument_id, action.effect);
        match effect {
            Effect::Dividend(per_unit) => self.pay_dividend(instrument, per_unit),
            Effect::Split(ratio) => self.split(instrument, ratio),
        }
    }

    fn pay_dividend(&mut self, instrument: Uuid, per_unit: Decimal) {
        let currency = self.instruments.get(instrument).map_or(amount::EUR, |it| it.view.currency);
        for (account, units) in self.holders(instrument) {
            self.book(account, TransactionType::Dividend, amount::value(units, per_unit), currency);
        }
    }

    /// Orders that are on their way were meant for other units and another price: they are cancelled.
    fn split(&mut self, instrument: Uuid, ratio: Decimal) {
        let orders = self.orders.rows().iter();
        let orders = orders.filter(|order| {
            order.view.instrument_id == instrument && order.view.status == OrderStatus::Processing
        });
        for order in orders.map(Identified::id).collect::<Vec<_>>() {
            self.cancel_now(order, "a split has changed units and price");
        }
        for (account, units) in self.holders(instrument) {
            let new_units = units.checked_mul(ratio).filter(|units| *units <= MOST).unwrap_or(units);
            let new_units = amount::units(new_units, Decimal::ONE, true);
            let more = new_units - units;
            let cost = self.move_in_kind(account, instrument, more, Decimal::ZERO, Decimal::ZERO);
            // Fewer units carry what all of them cost.
            self.add_cost(account, instrument, cost);
        }
        if let Some(it) = self.instruments.get(instrument) {
            let price = |price: Decimal| {
                let new_price = price.checked_div(ratio).filter(|new_price| *new_price <= MOST);
                new_price.unwrap_or(price).round_dp(10).normalize()
            };
            let (bid, offer) = (price(it.bid), price(it.offer));
            let _ = self.set_price(instrument, bid, offer);
        }
    }

    fn holders(&self, instrument: Uuid) -> Vec<(Uuid, Decimal)> {
        let accounts = self.accounts.rows().iter();
        let holders = accounts.filter_map(|it| Some((it.view.id, it.holding(instrument)?.view.quantity)));
        holders.collect()
    }
}
