//! Corporate actions. They are announced first and processed on their ex date.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::amount;
use crate::domain::lifecycle::Resource as _;
use crate::domain::money::ledger::TransactionType;
use crate::domain::state::{Refused, State};
use crate::domain::table::Identified;
use crate::domain::timeline::Due;

/// As in the API, with the effect on the holders of the instrument.
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
    #[serde(serialize_with = "crate::instant::write")]
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

/// The effect of a corporate action.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Effect {
    /// A dividend: cash for each unit.
    Dividend(Decimal),
    /// A split: the number of units that replace one.
    Split(Decimal),
}

resource!(CorporateAction, "corporate action", corporate_actions, |it| it.view => CorporateActionView, ActionStatus,
    CORPORATE_ACTION_ANNOUNCED => [CORPORATE_ACTION_ANNOUNCED CORPORATE_ACTION_PROCESSED]);

impl State {
    /// Announces a corporate action. It is processed at the start of its ex date, or with the next step of the clock
    /// if that has passed.
    pub(crate) fn announce(
        &mut self,
        instrument_id: Uuid,
        effect: Effect,
        ex_date: NaiveDate,
    ) -> Result<&CorporateActionView, Refused> {
        self.instruments.find(instrument_id)?;
        if let Effect::Split(ratio) = effect {
            // Includes the splits that take effect before this one.
            let announced = self.corporate_actions.rows().iter().filter(|action| {
                action.view.instrument_id == instrument_id
                    && action.view.status == ActionStatus::Announced
            });
            let all = announced.fold(ratio, |ratio, action| match action.effect {
                Effect::Split(other) => ratio.saturating_mul(other),
                Effect::Dividend(_) => ratio,
            });
            self.check_split(instrument_id, all)
                .map_err(|why| Refused::invalid("ratio", &why))?;
        }
        let id = self.time.id();
        let created_at = self.time.now;
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
        self.time
            .at(at.max(self.time.now), Due::CorporateAction(id));
        Ok(&self.add(CorporateAction { view, effect }).view)
    }

    /// Processes a corporate action. One that has become impossible stays announced, with the reason in the log.
    pub(in crate::domain) fn process_corporate_action(&mut self, id: Uuid) {
        let Some(action) = self.corporate_actions.get(id) else {
            return;
        };
        let instrument = action.view.instrument_id;
        let effect = action.effect;
        match effect {
            Effect::Split(ratio) => {
                if let Err(why) = self.check_split(instrument, ratio) {
                    let kind = CorporateAction::CREATED;
                    self.time.emit_because(kind, id, action.view(), Some(why));
                    return;
                }
                self.change::<CorporateAction>(id, ActionStatus::Processed);
                self.split(instrument, ratio);
            }
            Effect::Dividend(per_unit) => {
                self.change::<CorporateAction>(id, ActionStatus::Processed);
                self.pay_dividend(instrument, per_unit);
            }
        }
    }

    /// Pays a dividend. An account whose cash would exceed the maximum gets none.
    fn pay_dividend(&mut self, instrument: Uuid, per_unit: Decimal) {
        let currency = self
            .instruments
            .get(instrument)
            .map_or(amount::EUR, |it| it.view.currency);
        for (account, units) in self.holders(instrument) {
            let dividend = amount::value(units, per_unit);
            if self.check_cash_room(account, dividend, currency).is_ok() {
                self.book(account, TransactionType::Dividend, dividend, currency);
            }
        }
    }

    /// Rejects a split after which the price would be out of range, or an account would exceed the maximum of units.
    fn check_split(&self, instrument: Uuid, ratio: Decimal) -> Result<(), String> {
        let it = self
            .instruments
            .get(instrument)
            .ok_or("there is no such instrument")?;
        for price in [it.bid, it.offer] {
            let new = price.checked_div(ratio).and_then(amount::bounded_price);
            new.ok_or_else(|| format!("leaves no price between 0.0001 and 1000000000 of {price}"))?;
        }
        for (account, units) in self.holders(instrument) {
            self.check_unit_room(account, instrument, units.saturating_mul(ratio) - units)?;
        }
        Ok(())
    }

    /// Processes a split. Open orders are cancelled, because they were placed for other units and another price.
    fn split(&mut self, instrument: Uuid, ratio: Decimal) {
        let orders = self.orders.rows().iter();
        let orders =
            orders.filter(|order| order.view.instrument_id == instrument && !order.view.is_final());
        for order in orders.map(Identified::id).collect::<Vec<_>>() {
            self.cancel_now(order, "a split has changed units and price");
        }
        for (account, units) in self.holders(instrument) {
            let more = amount::units(units.saturating_mul(ratio), Decimal::ONE, true) - units;
            let cost = self.move_in_kind(account, instrument, more, Decimal::ZERO, Decimal::ZERO);
            // The total cost stays the same.
            self.add_cost(account, instrument, cost);
        }
        let Some(it) = self.instruments.get(instrument) else {
            return;
        };
        // Rounded down, so that nobody gains by it.
        let price = |price: Decimal, rounding| {
            price
                .checked_div(ratio)
                .unwrap_or(price)
                .round_dp_with_strategy(10, rounding)
                .normalize()
        };
        let bid = price(it.bid, RoundingStrategy::ToZero);
        let offer = price(it.offer, RoundingStrategy::AwayFromZero);
        let _ = self.set_price(instrument, bid, offer);
    }

    fn holders(&self, instrument: Uuid) -> Vec<(Uuid, Decimal)> {
        let accounts = self.accounts.rows().iter();
        let holders =
            accounts.filter_map(|it| Some((it.view.id, it.holding(instrument)?.view.quantity)));
        holders.collect()
    }
}
