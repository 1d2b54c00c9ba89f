//! Events: one for each change of a status, for the log and for the subscriptions to its category.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::domain::customers::subscriptions::Subscription;
use crate::domain::table::Table;

/// A type of event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct EventKind {
    /// The category of the subscriptions that get it.
    pub(crate) category: &'static str,
    /// Its name, which is the same in both formats of deliveries (PROTOCOL 2.2).
    pub(crate) event_type: &'static str,
}

/// The event types of other descriptions, by their names. There are few, so they are kept until the process ends.
static DESCRIBED: Mutex<BTreeMap<String, &'static EventKind>> = Mutex::new(BTreeMap::new());

impl EventKind {
    /// The event type with this name. The first call creates it.
    pub(crate) fn described(category: &str, name: &str) -> &'static Self {
        let mut known = DESCRIBED.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(name.to_owned()).or_insert_with(|| {
            Box::leak(Box::new(Self {
                category: Box::leak(category.into()),
                event_type: Box::leak(name.into()),
            }))
        })
    }

    /// The type with this name that the rules have, or else the description.
    pub(crate) fn of_rules(category: &str, name: &str) -> &'static Self {
        let mut kinds = Self::ALL.iter().copied();
        let own = kinds.find(|kind| kind.event_type == name);
        own.unwrap_or_else(|| Self::described(category, name))
    }

    /// The type with this name, if a description that was read has it.
    fn described_before(name: &str) -> Option<&'static Self> {
        let known = DESCRIBED.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(name).copied()
    }
}

/// Something that happened.
#[derive(Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) id: Uuid,
    #[serde(serialize_with = "crate::instant::write")]
    pub(crate) created_at: DateTime<Utc>,
    #[serde(with = "kind_by_name")]
    pub(crate) kind: &'static EventKind,
    pub(crate) about: Uuid,
    pub(crate) object: Box<RawValue>,
    /// Why the resource was rejected or cancelled, or failed.
    pub(crate) reason: Option<String>,
}

debug_by_id! { Event }

/// The latest events, and the subscriptions with their queues.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Events {
    pub(crate) subscriptions: Table<Subscription>,
    pub(crate) recent: VecDeque<Arc<Event>>,
    pub(crate) count: u64,
    pub(crate) limit: usize,
}

impl Events {
    pub(in crate::domain) fn new(limit: usize) -> Self {
        Self {
            subscriptions: Table::default(),
            recent: VecDeque::new(),
            count: 0,
            limit,
        }
    }

    pub(in crate::domain) fn take(&mut self, event: Event) {
        self.count += 1;
        let event = Arc::new(event);
        for subscription in self.subscriptions.rows_mut() {
            subscription.take(&event);
        }
        if self.recent.len() >= self.limit {
            self.recent.pop_front();
        }
        self.recent.push_back(event);
    }
}

macro_rules! kinds {
    ($($name:ident: $category:literal, $event_type:literal;)+) => {
        impl EventKind {
            $(pub(crate) const $name: &'static Self =
                &Self { category: $category, event_type: $event_type };)+
            /// All types.
            pub(crate) const ALL: &'static [&'static Self] = &[$(Self::$name),+];
        }
    };
}

kinds! {
    USER_CREATED: "USER", "USER.CREATED";
    USER_ACTIVATED: "USER", "USER.ACTIVATED";
    USER_CHANGED: "USER", "USER.DATA_CHANGED";
    USER_BLOCKED: "USER", "USER.DEACTIVATED";
    USER_CLOSED: "USER", "USER.OFFBOARDED";
    CHECK_CREATED: "USER_CHECK", "USER_CHECK.CREATED";
    CHECK_PASSED: "USER_CHECK", "USER_CHECK.PASSED";
    CHECK_FAILED: "USER_CHECK", "USER_CHECK.FAILED";
    GROUP_CREATED: "ACCOUNT_GROUP", "ACCOUNT_GROUP.CREATED";
    ACCOUNT_CREATED: "ACCOUNT", "ACCOUNT.CREATED";
    ACCOUNT_OPENED: "ACCOUNT", "ACCOUNT.ACTIVATED";
    ACCOUNT_CHANGED: "ACCOUNT", "ACCOUNT.UPDATED";
    ACCOUNT_CLOSING: "ACCOUNT", "ACCOUNT.CLOSING_INITIATED";
    ACCOUNT_CLOSED: "ACCOUNT", "ACCOUNT.CLOSED";
    ORDER_NEW: "ORDER", "ORDER.NEW";
    ORDER_PROCESSING: "ORDER", "ORDER.PROCESSING";
    ORDER_FILLED: "ORDER", "ORDER.FILLED";
    ORDER_CANCELLED: "ORDER", "ORDER.CANCELLED";
    ORDER_REJECTED: "ORDER", "ORDER.REJECTED";
    CANCELLATION_PENDING: "ORDER_CANCELLATION", "ORDER_CANCELLATION.PENDING";
    CANCELLATION_CONFIRMED: "ORDER_CANCELLATION", "ORDER_CANCELLATION.CONFIRMED";
    CANCELLATION_REJECTED: "ORDER_CANCELLATION", "ORDER_CANCELLATION.REJECTED";
    EXECUTION_FILLED: "EXECUTION", "EXECUTION.FILLED";
    EXECUTION_SETTLED: "EXECUTION", "EXECUTION.SETTLED";
    POSITION_CHANGED: "POSITION", "POSITION.UPDATED";
    CASH_CHANGED: "CASH_BALANCE", "CASH_BALANCE.UPDATED";
    TRANSACTION: "CASH_TRANSACTION", "CASH_TRANSACTION.EXECUTED";
    VALUATION: "ACCOUNT_VALUATION", "ACCOUNT_VALUATION.CREATED";
    PORTFOLIO_CREATED: "PORTFOLIO", "PORTFOLIO.CREATED";
    PORTFOLIO_CHANGED: "PORTFOLIO", "PORTFOLIO.UPDATED";
    ALLOCATION_CHANGED: "PORTFOLIO", "PORTFOLIO_ALLOCATION.CHANGED";
    PORTFOLIO_CLOSED: "PORTFOLIO", "PORTFOLIO.CLOSED";
    PORTFOLIO_ORDER_NEW: "PORTFOLIO", "PORTFOLIO_ORDER.NEW";
    PORTFOLIO_ORDER_PROCESSING: "PORTFOLIO", "PORTFOLIO_ORDER.PROCESSING";
    PORTFOLIO_ORDER_COMPLETED: "PORTFOLIO", "PORTFOLIO_ORDER.FILLED";
    PORTFOLIO_ORDER_CANCELLED: "PORTFOLIO", "PORTFOLIO_ORDER.CANCELLED";
    REBALANCING_NEW: "REBALANCING", "REBALANCING.NEW";
    REBALANCING_PROCESSING: "REBALANCING", "REBALANCING.PROCESSING";
    REBALANCING_COMPLETED: "REBALANCING", "REBALANCING.COMPLETED";
    REBALANCING_FAILED: "REBALANCING", "REBALANCING.FAILED";
    PLAN_CREATED: "SAVINGS_PLAN", "SAVINGS_PLAN.CREATED";
    PLAN_CHANGED: "SAVINGS_PLAN", "SAVINGS_PLAN.UPDATED";
    PLAN_EXECUTED: "SAVINGS_PLAN", "SAVINGS_PLAN.EXECUTED";
    PLAN_PAUSED: "SAVINGS_PLAN", "SAVINGS_PLAN.PAUSED";
    PLAN_RESUMED: "SAVINGS_PLAN", "SAVINGS_PLAN.RESUMED";
    PLAN_CANCELLED: "SAVINGS_PLAN", "SAVINGS_PLAN.CANCELLED";
    DEBIT_NEW: "DIRECT_DEBIT", "DIRECT_DEBIT.NEW";
    DEBIT_PROCESSING: "DIRECT_DEBIT", "DIRECT_DEBIT.PROCESSING";
    DEBIT_COMPLETED: "DIRECT_DEBIT", "DIRECT_DEBIT.COMPLETED";
    DEBIT_FAILED: "DIRECT_DEBIT", "DIRECT_DEBIT.FAILED";
    DEBIT_REVERSED: "DIRECT_DEBIT", "DIRECT_DEBIT.REVERSED";
    WITHDRAWAL_NEW: "WITHDRAWAL", "WITHDRAWAL.NEW";
    WITHDRAWAL_PROCESSING: "WITHDRAWAL", "WITHDRAWAL.PROCESSING";
    WITHDRAWAL_COMPLETED: "WITHDRAWAL", "WITHDRAWAL.COMPLETED";
    WITHDRAWAL_FAILED: "WITHDRAWAL", "WITHDRAWAL.FAILED";
    MANDATE_CREATED: "MANDATE", "MANDATE.CREATED";
    MANDATE_REVOKED: "MANDATE", "MANDATE.REVOKED";
    SECURITIES_TRANSFER_NEW: "SECURITIES_TRANSFER", "SECURITIES_TRANSFER.NEW";
    SECURITIES_TRANSFER_PROCESSING: "SECURITIES_TRANSFER", "SECURITIES_TRANSFER.PROCESSING";
    SECURITIES_TRANSFER_COMPLETED: "SECURITIES_TRANSFER", "SECURITIES_TRANSFER.COMPLETED";
    SECURITIES_TRANSFER_FAILED: "SECURITIES_TRANSFER", "SECURITIES_TRANSFER.FAILED";
    ACCOUNT_TRANSFER_NEW: "ACCOUNT_TRANSFER", "ACCOUNT_TRANSFER.NEW";
    ACCOUNT_TRANSFER_PROCESSING: "ACCOUNT_TRANSFER", "ACCOUNT_TRANSFER.PROCESSING";
    ACCOUNT_TRANSFER_COMPLETED: "ACCOUNT_TRANSFER", "ACCOUNT_TRANSFER.COMPLETED";
    ACCOUNT_TRANSFER_FAILED: "ACCOUNT_TRANSFER", "ACCOUNT_TRANSFER.FAILED";
    CORPORATE_ACTION_ANNOUNCED: "CORPORATE_ACTION", "CORPORATE_ACTION.ANNOUNCED";
    CORPORATE_ACTION_PROCESSED: "CORPORATE_ACTION", "CORPORATE_ACTION.PROCESSED";
    LIQUIDATION_NEW: "LIQUIDATION", "ACCOUNT_LIQUIDATION.NEW";
    LIQUIDATION_PROCESSING: "LIQUIDATION", "LIQUIDATION.PROCESSING";
    LIQUIDATION_COMPLETED: "LIQUIDATION", "LIQUIDATION.COMPLETED";
    LIQUIDATION_FAILED: "LIQUIDATION", "LIQUIDATION.FAILED";
    REPORT_REQUESTED: "REPORT", "REPORT.PENDING";
    REPORT_READY: "REPORT", "REPORT.READY";
    REPORT_FAILED: "REPORT", "REPORT.FAILED";
    TREASURY_REPORT: "REPORT", "TREASURY_REPORT.CREATED";
    FEE_CHARGED: "FEE", "FEE_COLLECTION.FINALISED";
}

/// Writes a type as its name.
mod kind_by_name {
    use super::EventKind;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    // serde requires this signature.
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde's `with` passes a reference to the field"
    )]
    pub(in crate::domain) fn serialize<S: Serializer>(
        kind: &&EventKind,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        kind.event_type.serialize(serializer)
    }

    pub(in crate::domain) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<&'static EventKind, D::Error> {
        let name = String::deserialize(from)?;
        let mut kinds = EventKind::ALL.iter().copied();
        kinds
            .find(|kind| kind.event_type == name)
            .or_else(|| EventKind::described_before(&name))
            .ok_or_else(|| D::Error::custom("an event of a type that this version does not know"))
    }
}
