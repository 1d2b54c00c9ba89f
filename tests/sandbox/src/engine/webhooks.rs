//! Webhook subscriptions that are rows of a table: a row with a URL in a collection of webhooks.

use serde_json::{Value, json};

use super::Engine;
use super::tables::Table;
use super::words::{self, is_one_of, plain};
use crate::domain::customers::subscriptions::Subscription;
use crate::domain::state::{Rejected, State};

impl Engine {
    /// Subscribes an endpoint to all events by hand, and enables the subscription. Returns its id.
    pub(crate) fn subscribe(&self, state: &mut State, url: &str) -> Result<String, Rejected> {
        let all = json!({ "url": url, "event_categories": ["ALL"], "status": "ACTIVE" });
        let all = state.check_new("webhooks", all)?;
        if self.description.has_rules() {
            let added = self.add(state, "webhooks", &all, Value::Null);
            return added.map_err(Rejected::Conflict);
        }
        let now = state.timeline.now;
        let mut subscription = Subscription::new(state.timeline.id(), now);
        subscription.set(url.to_owned(), event_types(&all), true, now);
        let subscriptions = &mut state.timeline.events.subscriptions;
        Ok(subscriptions.insert(subscription).view.id.to_string())
    }

    /// As [`Self::subscribe`], unless the subscription already exists.
    pub(crate) fn subscribe_once(&self, state: &mut State, url: &str) -> Result<(), Rejected> {
        let subscriptions = state.timeline.events.subscriptions.rows();
        let is_subscribed = |it: &Subscription| {
            it.view.url == url && it.view.event_categories.iter().any(|name| name == "ALL")
        };
        if subscriptions.iter().any(is_subscribed) {
            return Ok(());
        }
        self.subscribe(state, url).map(drop)
    }

    /// Makes deliveries follow the row of a subscription, which is new or was changed.
    pub(super) fn follow_subscription(&self, state: &mut State, at: usize, number: u64) {
        let table = &self.tables[at];
        if !has_subscriptions(table) {
            return;
        }
        let Some(row) = state.rows.get(&table.name, number) else {
            return;
        };
        let Some(url) = field(&row.value, &words::URL).and_then(Value::as_str) else {
            return;
        };
        let url = url.to_owned();
        let categories = event_types(&row.value);
        let is_enabled = is_enabled(&row.value);
        let known = row.subscription;
        let id = known.or_else(|| row.id.parse().ok());
        let id = id.unwrap_or_else(|| state.timeline.id());
        let now = state.timeline.now;
        let subscriptions = &mut state.timeline.events.subscriptions;
        if subscriptions.get(id).is_none() {
            subscriptions.insert(Subscription::new(id, now));
        }
        if let Some(subscription) = subscriptions.get_mut(id) {
            subscription.set(url, categories, is_enabled, now);
        }
        if let Some(row) = state.rows.get_mut(&table.name, number) {
            row.subscription = Some(id);
        }
    }

    /// Ends the deliveries of a row that is removed.
    pub(super) fn end_subscription(&self, state: &mut State, at: usize, number: u64) {
        let row = state.rows.get(&self.tables[at].name, number);
        if let Some(id) = row.and_then(|row| row.subscription) {
            state.timeline.events.subscriptions.remove(id);
        }
    }
}

fn has_subscriptions(table: &Table) -> bool {
    let name = plain(&words::singular(&table.collection));
    words::WEBHOOKS.iter().any(|word| name.contains(word))
}

fn field<'a>(row: &'a Value, words: &[&str]) -> Option<&'a Value> {
    let mut fields = row.as_object()?.iter();
    let (_, value) = fields.find(|(name, _)| is_one_of(name, words))?;
    Some(value)
}

/// Returns the types or categories of events that the subscription wants. An empty list means all.
fn event_types(row: &Value) -> Vec<String> {
    let named = match field(row, &words::EVENTS) {
        Some(Value::Array(types)) => types.clone(),
        Some(Value::String(only)) => vec![Value::String(only.clone())],
        _ => Vec::new(),
    };
    let types: Vec<String> = named
        .iter()
        .filter_map(|name| Some(name.as_str()?.to_owned()))
        .collect();
    if types.is_empty() || types.iter().any(|name| name == "*") {
        return vec!["ALL".to_owned()];
    }
    types
}

/// Whether the subscription is enabled, according to a flag or else its status. Without either, it is enabled.
fn is_enabled(row: &Value) -> bool {
    let flag = field(row, &words::ENABLED).and_then(Value::as_bool);
    let status = field(row, &words::STATUS).and_then(Value::as_str);
    flag.unwrap_or_else(|| {
        status.is_none_or(|status| matches!(plain(status).as_str(), "active" | "enabled"))
    })
}
