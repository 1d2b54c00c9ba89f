//! Corporate actions. They are announced first and processed on their ex date.

use chrono::{NaiveDate, NaiveTime};
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::amount;
use crate::domain::money::ledger::TransactionType;
use crate::domain::rows::Row;
use crate::domain::rules::{RowOf, known};
use crate::domain::state::{Rejected, State};
use crate::domain::table::Identified;

/// What the rules know of a corporate action.
#[derive(Deserialize)]
struct CorporateAction {
    instrument_id: Uuid,
    ex_date: NaiveDate,
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

impl State {
    /// Checks a corporate action. Returns its fields.
    pub(crate) fn check_corporate_action(
        &self,
        instrument_id: Uuid,
        effect: Effect,
        ex_date: NaiveDate,
    ) -> Result<Value, Rejected> {
        self.instruments.find(instrument_id)?;
        let kind = match effect {
            Effect::Dividend(_) => "DIVIDEND",
            Effect::Split(ratio) => {
                let all = ratio.saturating_mul(self.announced_ratio(instrument_id));
                self.check_split(instrument_id, all)
                    .map_err(|why| Rejected::invalid("ratio", &why))?;
                "SPLIT"
            }
        };
        Ok(json!({
            "instrument_id": instrument_id,
            "type": kind,
            "record_date": ex_date.succ_opt().unwrap_or(ex_date),
            "ex_date": ex_date,
        }))
    }

    /// The ratio of all splits of an instrument that are announced.
    fn announced_ratio(&self, instrument: Uuid) -> Decimal {
        let actions = self.rows.of("corporate_actions");
        let announced = actions.filter(|row| {
            row.value["instrument_id"] == instrument.to_string()
                && row.value["status"] == "ANNOUNCED"
        });
        let ratios = announced.map(|row| match Effect::deserialize(&row.facts) {
            Ok(Effect::Split(ratio)) => ratio,
            _ => Decimal::ONE,
        });
        ratios.fold(Decimal::ONE, Decimal::saturating_mul)
    }

    /// A corporate action is processed at the start of its ex date, or with the next step of the clock if that has
    /// passed.
    pub(in crate::domain) fn plan_corporate_action(&mut self, row: &Row) {
        let Ok(CorporateAction { ex_date, .. }) = known(row) else {
            return;
        };
        let at = ex_date.and_time(NaiveTime::MIN).and_utc();
        let target = RowOf::new("corporate_actions", row);
        let at = at.max(self.timeline.now);
        self.plan_status_at(at, &target, "ANNOUNCED", "PROCESSED", None);
    }

    /// One that has become impossible stays announced, with the reason in the log.
    pub(in crate::domain) fn may_process(&self, row: &Row) -> Result<(), String> {
        match Effect::deserialize(&row.facts) {
            Ok(Effect::Split(ratio)) => {
                let action: CorporateAction = known(row)?;
                self.check_split(action.instrument_id, ratio)
            }
            _ => Ok(()),
        }
    }

    pub(in crate::domain) fn process_corporate_action(&mut self, row: &Row) {
        let Ok(CorporateAction { instrument_id, .. }) = known(row) else {
            return;
        };
        match Effect::deserialize(&row.facts) {
            Ok(Effect::Split(ratio)) => self.split(instrument_id, ratio),
            Ok(Effect::Dividend(per_unit)) => self.pay_dividend(instrument_id, per_unit),
            Err(_) => {}
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
            new.ok_or_else(|| {
                format!("would move the price {price} out of the range 0.0001 to 1000000000")
            })?;
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
        // The bid is rounded down and the offer up, so that nobody gains by it.
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
