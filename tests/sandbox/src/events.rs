//! The log of events, and an overview of the state.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::access::KEY_ID;
use crate::demo;
use crate::demo::ACCOUNT_GROUP;
use crate::domain::events::Event;
use crate::instant;
use crate::shared::Shared;

/// The number of entries of each log on the status page.
const SHOWN: usize = 20;

/// An event. It is logged whether or not there is a subscription for it.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct EventRecord {
    /// The id of the event in deliveries.
    pub id: Uuid,
    /// The time of the event on the sandbox's clock.
    #[serde(serialize_with = "crate::instant::write")]
    pub created_at: DateTime<Utc>,
    /// Its `type` in the official format, such as `ORDER.FILLED`.
    pub event_type: &'static str,
    /// The id of the resource.
    pub about: Uuid,
    /// The resource as it was at that time.
    pub object: Box<RawValue>,
    /// Why the resource was rejected or cancelled, or failed.
    pub reason: Option<String>,
}

impl fmt::Debug for EventRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The resource may contain personal data.
        f.debug_struct("EventRecord")
            .field("id", &self.id)
            .field("event_type", &self.event_type)
            .field("about", &self.about)
            .finish_non_exhaustive()
    }
}

impl From<&Event> for EventRecord {
    fn from(event: &Event) -> Self {
        Self {
            id: event.id,
            created_at: event.created_at,
            event_type: event.kind.event_type,
            about: event.about,
            object: event.object.clone(),
            reason: event.reason.clone(),
        }
    }
}

impl Shared {
    pub(crate) fn events(&self) -> Vec<EventRecord> {
        self.core_to_read()
            .state
            .timeline
            .events
            .recent
            .iter()
            .map(|event| EventRecord::from(&**event))
            .collect()
    }

    /// The data of the status page.
    pub(crate) fn overview(&self) -> Value {
        let core = self.core_to_read();
        let events: Vec<_> = core
            .state
            .timeline
            .events
            .recent
            .iter()
            .rev()
            .take(SHOWN)
            .map(|it| {
                let at = it.created_at;
                let kind = it.kind.event_type;
                json!({ "created_at": instant::text(at), "event_type": kind, "about": it.about, "reason": it.reason })
            })
            .collect();
        drop(core);
        let mut overview = json!({
            "state": self.summary(),
            "requests": self.requests().last(SHOWN).collect::<Vec<_>>(),
            "events": events,
            "deliveries": self.deliveries().last(SHOWN).collect::<Vec<_>>(),
            "settings": {
                "client_id": self.client_id,
                "client_secret": self.access().secret(),
                "signing_key_id": KEY_ID,
                "passphrase_of_encrypted_signing_key": demo::PASSPHRASE,
                "account_group": ACCOUNT_GROUP,
            },
        });
        let faults = self.faults();
        overview["faults"] = json!(faults.rules());
        overview["random_rate"] = json!(faults.random_rate());
        overview["clock_shift"] = json!(faults.clock_shift);
        overview["delivery_faults"] = json!(faults.deliveries);
        overview
    }

    /// The number of resources of each type.
    pub(crate) fn summary(&self) -> Value {
        let now = self.clock.now();
        let requests = self.requests().count();
        let deliveries = self.deliveries().count();
        let core = self.core_to_read();
        let state = &core.state;
        if !self.setup.description.has_rules() {
            let mut summary = json!(state.rows.counts());
            summary["now"] = json!(instant::text(now));
            summary["events"] = json!(state.timeline.events.count);
            summary["requests"] = json!(requests);
            summary["deliveries"] = json!(deliveries);
            return summary;
        }
        json!({
            "now": instant::text(now),
            "users": state.users.len(),
            "accounts": state.accounts.len(),
            "instruments": state.instruments.len(),
            "orders": state.orders.len(),
            "portfolios": state.portfolios.len(),
            "savings_plans": state.rows.count("savings_plans"),
            "direct_debits": state.rows.count("direct_debits"),
            "withdrawals": state.rows.count("withdrawals"),
            "reports": state.rows.count("reports"),
            "webhooks": state.timeline.events.subscriptions.len(),
            "events": state.timeline.events.count,
            "requests": requests,
            "deliveries": deliveries,
        })
    }
}
