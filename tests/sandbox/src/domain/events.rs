//! Events: one for each change of a status, for the log and for the subscriptions to its category.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::domain::customers::subscriptions::Subscription;
use crate::domain::table::Table;

/// A type of event, with its names in both delivery formats (PROTOCOL 2.2).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct EventKind {
    /// The category, for subscriptions.
    pub(crate) category: &'static str,
    /// Its `type` in the official format.
    pub(crate) official: &'static str,
    /// Its `event_type` in the format with references. `None` if that format does not have this type.
    pub(crate) referring: Option<&'static str>,
}

/// The types of events of other descriptions, by their names. There are few, so that they are kept until the process ends.
static DESCRIBED: Mutex<BTreeMap<(String, String), &'static EventKind>> =
    Mutex::new(BTreeMap::new());

impl EventKind {
    /// The type with this category and this name, which a description has.
    pub(crate) fn described(category: &str, name: &str) -> &'static Self {
        let key = (category.to_owned(), name.to_owned());
        let mut known = DESCRIBED.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(key).or_insert_with(|| {
            let name: &str = Box::leak(name.into());
            Box::leak(Box::new(Self {
                category: Box::leak(category.into()),
                official: name,
                referring: Some(name),
            }))
        })
    }

    /// The type with this category and this name, if a description that was read has it.
    fn described_before(category: &str, name: &str) -> Option<&'static Self> {
        let key = (category.to_owned(), name.to_owned());
        let known = DESCRIBED.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&key).copied()
    }
}

/// Something that happened.
#[derive(Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) id: Uuid,
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
    ($($name:ident: $category:literal, $official:literal, $referring:expr;)+) => {
        impl EventKind {
            $(pub(crate) const $name: &'static Self =
                &Self { category: $category, official: $official, referring: $referring };)+
            /// All types.
            pub(crate) const ALL: &'static [&'static Self] = &[$(Self::$name),+];
        }
    };
}

kinds! {
    USER_CREATED: "USER", "USER.CREATED", Some("USER.CREATED");
    USER_ACTIVATED: "USER", "USER.ACTIVATED", Some("USER.UPDATED");
    USER_CHANGED: "USER", "USER.DATA_CHANGED", Some("USER.UPDATED");
    USER_BLOCKED: "USER", "USER.DEACTIVATED", Some("USER.BLOCKED");
    USER_CLOSED: "USER", "USER.OFFBOARDED", Some("USER.CLOSED");
    CHECK_CREATED: "USER_CHECK", "USER_CHECK.CREATED", None;
    CHECK_PASSED: "USER_CHECK", "USER_CHECK.PASSED", Some("USER_CHECK.PASSED");
    CHECK_FAILED: "USER_CHECK", "USER_CHECK.FAILED", Some("USER_CHECK.FAILED");
    GROUP_CREATED: "ACCOUNT_GROUP", "ACCOUNT_GROUP.CREATED", Some("ACCOUNT_GROUP.CREATED");
    ACCOUNT_CREATED: "ACCOUNT", "ACCOUNT.CREATED", None;
    ACCOUNT_OPENED: "ACCOUNT", "ACCOUNT.ACTIVATED", Some("ACCOUNT.OPENED");
    ACCOUNT_CHANGED: "ACCOUNT", "ACCOUNT.UPDATED", Some("ACCOUNT.UPDATED");
    ACCOUNT_CLOSING: "ACCOUNT", "ACCOUNT.CLOSING_INITIATED", Some("ACCOUNT.CLOSING");
    ACCOUNT_CLOSED: "ACCOUNT", "ACCOUNT.CLOSED", Some("ACCOUNT.CLOSED");
    ORDER_NEW: "ORDER", "ORDER.NEW", Some("ORDER.NEW");
    ORDER_PROCESSING: "ORDER", "ORDER.PROCESSING", Some("ORDER.PROCESSING");
    ORDER_FILLED: "ORDER", "ORDER.FILLED", Some("ORDER.FILLED");
    ORDER_CANCELLED: "ORDER", "ORDER.CANCELLED", Some("ORDER.CANCELLED");
    ORDER_REJECTED: "ORDER", "ORDER.REJECTED", Some("ORDER.REJECTED");
    CANCELLATION_PENDING: "ORDER_CANCELLATION", "ORDER_CANCELLATION.PENDING", Some("ORDER_CANCELLATION.PENDING");
    CANCELLATION_CONFIRMED: "ORDER_CANCELLATION", "ORDER_CANCELLATION.CONFIRMED", Some("ORDER_CANCELLATION.CONFIRMED");
    CANCELLATION_REJECTED: "ORDER_CANCELLATION", "ORDER_CANCELLATION.REJECTED", Some("ORDER_CANCELLATION.REJECTED");
    EXECUTION_FILLED: "EXECUTION", "EXECUTION.FILLED", Some("EXECUTION.NEW");
    EXECUTION_SETTLED: "EXECUTION", "EXECUTION.SETTLED", Some("EXECUTION.SETTLED");
    POSITION_CREATED: "POSITION", "POSITION.UPDATED", Some("POSITION.CREATED");
    POSITION_CHANGED: "POSITION", "POSITION.UPDATED", Some("POSITION.UPDATED");
    POSITION_CLOSED: "POSITION", "POSITION.UPDATED", Some("POSITION.CLOSED");
    CASH_CHANGED: "CASH_BALANCE", "CASH_BALANCE.UPDATED", Some("CASH_BALANCE.UPDATED");
    TRANSACTION: "CASH_TRANSACTION", "CASH_TRANSACTION.EXECUTED", None;
    VALUATION: "ACCOUNT_VALUATION", "ACCOUNT_VALUATION.CREATED", None;
    PORTFOLIO_CREATED: "PORTFOLIO", "PORTFOLIO.CREATED", Some("PORTFOLIO.CREATED");
    PORTFOLIO_CHANGED: "PORTFOLIO", "PORTFOLIO.UPDATED", Some("PORTFOLIO.UPDATED");
    ALLOCATION_CHANGED: "PORTFOLIO", "PORTFOLIO_ALLOCATION.CHANGED", Some("PORTFOLIO.UPDATED");
    PORTFOLIO_CLOSED: "PORTFOLIO", "PORTFOLIO.CLOSED", Some("PORTFOLIO.CLOSED");
    PORTFOLIO_ORDER_NEW: "PORTFOLIO", "PORTFOLIO_ORDER.NEW", None;
    PORTFOLIO_ORDER_PROCESSING: "PORTFOLIO", "PORTFOLIO_ORDER.PROCESSING", None;
    PORTFOLIO_ORDER_COMPLETED: "PORTFOLIO", "PORTFOLIO_ORDER.FILLED", None;
    PORTFOLIO_ORDER_CANCELLED: "PORTFOLIO", "PORTFOLIO_ORDER.CANCELLED", None;
    REBALANCING_NEW: "REBALANCING", "REBALANCING.NEW", None;
    REBALANCING_PROCESSING: "REBALANCING", "REBALANCING.PROCESSING", Some("REBALANCING.PROCESSING");
    REBALANCING_COMPLETED: "REBALANCING", "REBALANCING.COMPLETED", Some("REBALANCING.COMPLETED");
    REBALANCING_FAILED: "REBALANCING", "REBALANCING.FAILED", Some("REBALANCING.FAILED");
    PLAN_CREATED: "SAVINGS_PLAN", "SAVINGS_PLAN.CREATED", Some("SAVINGS_PLAN.CREATED");
    PLAN_CHANGED: "SAVINGS_PLAN", "SAVINGS_PLAN.UPDATED", None;
    PLAN_EXECUTED: "SAVINGS_PLAN", "SAVINGS_PLAN.EXECUTED", Some("SAVINGS_PLAN.EXECUTED");
    PLAN_PAUSED: "SAVINGS_PLAN", "SAVINGS_PLAN.PAUSED", Some("SAVINGS_PLAN.PAUSED");
    PLAN_RESUMED: "SAVINGS_PLAN", "SAVINGS_PLAN.RESUMED", None;
    PLAN_CANCELLED: "SAVINGS_PLAN", "SAVINGS_PLAN.CANCELLED", Some("SAVINGS_PLAN.CANCELLED");
    DEBIT_NEW: "DIRECT_DEBIT", "DIRECT_DEBIT.NEW", None;
    DEBIT_PROCESSING: "DIRECT_DEBIT", "DIRECT_DEBIT.PROCESSING", Some("DIRECT_DEBIT.PROCESSING");
    DEBIT_COMPLETED: "DIRECT_DEBIT", "DIRECT_DEBIT.COMPLETED", Some("DIRECT_DEBIT.COMPLETED");
    DEBIT_FAILED: "DIRECT_DEBIT", "DIRECT_DEBIT.FAILED", Some("DIRECT_DEBIT.FAILED");
    DEBIT_REVERSED: "DIRECT_DEBIT", "DIRECT_DEBIT.REVERSED", Some("DIRECT_DEBIT.REVERSED");
    WITHDRAWAL_NEW: "WITHDRAWAL", "WITHDRAWAL.NEW", None;
    WITHDRAWAL_PROCESSING: "WITHDRAWAL", "WITHDRAWAL.PROCESSING", Some("WITHDRAWAL.PROCESSING");
    WITHDRAWAL_COMPLETED: "WITHDRAWAL", "WITHDRAWAL.COMPLETED", Some("WITHDRAWAL.COMPLETED");
    WITHDRAWAL_FAILED: "WITHDRAWAL", "WITHDRAWAL.FAILED", Some("WITHDRAWAL.FAILED");
    MANDATE_CREATED: "MANDATE", "MANDATE.CREATED", Some("MANDATE.CREATED");
    MANDATE_REVOKED: "MANDATE", "MANDATE.REVOKED", Some("MANDATE.REVOKED");
    SECURITIES_TRANSFER_NEW: "SECURITIES_TRANSFER", "SECURITIES_TRANSFER.NEW", None;
    SECURITIES_TRANSFER_PROCESSING: "SECURITIES_TRANSFER", "SECURITIES_TRANSFER.PROCESSING", Some("SECURITIES_TRANSFER.PROCESSING");
    SECURITIES_TRANSFER_COMPLETED: "SECURITIES_TRANSFER", "SECURITIES_TRANSFER.COMPLETED", Some("SECURITIES_TRANSFER.COMPLETED");
    SECURITIES_TRANSFER_FAILED: "SECURITIES_TRANSFER", "SECURITIES_TRANSFER.FAILED", Some("SECURITIES_TRANSFER.FAILED");
    ACCOUNT_TRANSFER_NEW: "ACCOUNT_TRANSFER", "ACCOUNT_TRANSFER.NEW", None;
    ACCOUNT_TRANSFER_PROCESSING: "ACCOUNT_TRANSFER", "ACCOUNT_TRANSFER.PROCESSING", Some("ACCOUNT_TRANSFER.PROCESSING");
    ACCOUNT_TRANSFER_COMPLETED: "ACCOUNT_TRANSFER", "ACCOUNT_TRANSFER.COMPLETED", Some("ACCOUNT_TRANSFER.COMPLETED");
    ACCOUNT_TRANSFER_FAILED: "ACCOUNT_TRANSFER", "ACCOUNT_TRANSFER.FAILED", Some("ACCOUNT_TRANSFER.FAILED");
    CORPORATE_ACTION_ANNOUNCED: "CORPORATE_ACTION", "CORPORATE_ACTION.ANNOUNCED", Some("CORPORATE_ACTION.ANNOUNCED");
    CORPORATE_ACTION_PROCESSED: "CORPORATE_ACTION", "CORPORATE_ACTION.PROCESSED", Some("CORPORATE_ACTION.PROCESSED");
    LIQUIDATION_NEW: "LIQUIDATION", "ACCOUNT_LIQUIDATION.NEW", None;
    LIQUIDATION_PROCESSING: "LIQUIDATION", "LIQUIDATION.PROCESSING", Some("LIQUIDATION.PROCESSING");
    LIQUIDATION_COMPLETED: "LIQUIDATION", "LIQUIDATION.COMPLETED", Some("LIQUIDATION.COMPLETED");
    LIQUIDATION_FAILED: "LIQUIDATION", "LIQUIDATION.FAILED", Some("LIQUIDATION.FAILED");
    REPORT_REQUESTED: "REPORT", "REPORT.PENDING", None;
    REPORT_READY: "REPORT", "REPORT.READY", Some("REPORT.READY");
    REPORT_FAILED: "REPORT", "REPORT.FAILED", Some("REPORT.FAILED");
    TREASURY_REPORT: "REPORT", "TREASURY_REPORT.CREATED", None;
    FEE_CHARGED: "FEE", "FEE_COLLECTION.FINALISED", Some("FEE.CHARGED");
}

/// Writes a type with its category and both of its names, as a single name can be ambiguous.
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
        (kind.category, kind.official, kind.referring).serialize(serializer)
    }

    pub(in crate::domain) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<&'static EventKind, D::Error> {
        let (category, official, referring) =
            <(String, String, Option<String>)>::deserialize(from)?;
        let mut kinds = EventKind::ALL.iter().copied();
        let known = kinds.find(|kind| {
            kind.category == category
                && kind.official == official
                && kind.referring == referring.as_deref()
        });
        known
            .or_else(|| EventKind::described_before(&category, &official))
            .ok_or_else(|| D::Error::custom("an event of a type that this version does not know"))
    }
}
