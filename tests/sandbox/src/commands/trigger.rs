//! Triggers an event by the calls and commands of its recipe in `triggers.json`, for a new account.
//!
//! A step is the name of another recipe, or the name of an operation or command with its fields. Variables such as
//! `$account` are ids. The name of an earlier step is the id of the resource that it created. `wait` advances the clock
//! to an event.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::commands::{Command, CommandError};
use crate::demo::ACCOUNT_GROUP;
use crate::domain::state::State;
use crate::domain::trading::instruments::instrument_id;
use crate::engine::{Engine, Request};
use crate::http::call::Call;
use crate::http::operations::handler;
use crate::http::problem::Problem;
use crate::shared::Shared;

/// The longest time to wait for an event. Savings plans take a week, and nothing takes longer.
const MAX_WAIT: TimeDelta = TimeDelta::days(8);
/// The instrument to buy.
const ISIN: &str = "IE00B3XXRP09";

static RECIPES: LazyLock<BTreeMap<String, Vec<Value>>> =
    LazyLock::new(|| serde_json::from_str(include_str!("triggers.json")).expect("a test reads it"));

/// The variables of a recipe.
type Ids = BTreeMap<String, String>;

impl Shared {
    /// Triggers an event and all events before it, and delivers them.
    pub(super) async fn trigger(self: &Arc<Self>, event: &str) -> Result<Value, CommandError> {
        if !event.contains('.') || !RECIPES.contains_key(event) {
            let problem = format!(
                "the sandbox has no event type `{event}`; `GET /_sandbox/event_types` lists all types"
            );
            return Err(CommandError::new(problem));
        }
        let mut ids = self.household()?;
        let mut steps = steps(event);
        steps.push(json!(["wait", event]));
        let mut happened = Value::Null;
        for step in &steps {
            let name = step[0].as_str().unwrap_or_default();
            let fields = &step[1];
            if let Some(event) = fields.as_str() {
                happened = self.advance_until(event, &ids).await?;
            } else {
                let made = self
                    .core()
                    .state
                    .step(&self.setup.engine, name, fields, &ids)?;
                ids.insert(name.to_owned(), made);
            }
        }
        Ok(happened)
    }

    /// Triggers an event of a description of the user's own, about a new resource, and delivers it.
    pub(super) async fn trigger_described(
        self: &Arc<Self>,
        event: &str,
    ) -> Result<Value, CommandError> {
        let happened = {
            let now = self.clock.now();
            let mut core = self.core();
            self.catch_up(&mut core, now);
            self.setup.engine.trigger(&mut core.state, event)
        };
        let (id, about) = happened.map_err(CommandError::new)?;
        self.advance(TimeDelta::zero()).await;
        Ok(json!({ "id": id, "about": about }))
    }

    /// Creates a new user and account.
    fn household(&self) -> Result<Ids, CommandError> {
        let tomorrow = self.clock.after(TimeDelta::days(1)).date_naive();
        let account = self.demo_account()?;
        let core = self.core();
        let user = core.state.account(account)?.view.user_id;
        let check = json!(core.state.users.find(user)?.checks.first())["id"].take();
        let ids = [
            ("account", account.to_string()),
            ("user", user.to_string()),
            ("check", check.as_str().unwrap_or_default().to_owned()),
            ("group", ACCOUNT_GROUP.to_string()),
            ("fund", instrument_id(ISIN).to_string()),
            ("isin", ISIN.to_owned()),
            ("tomorrow", tomorrow.to_string()),
        ];
        Ok(ids.map(|(name, id)| (name.to_owned(), id)).into())
    }

    /// Advances the clock until there is an event of this type about a resource of this recipe.
    async fn advance_until(
        self: &Arc<Self>,
        event: &str,
        ids: &Ids,
    ) -> Result<Value, CommandError> {
        let latest = self.clock.after(MAX_WAIT);
        let shared = ["group", "fund", "isin", "tomorrow"];
        let own: Vec<_> = ids
            .iter()
            .filter(|(name, _)| !shared.contains(&name.as_str()))
            .collect();
        loop {
            let happened = self
                .core()
                .state
                .timeline
                .events
                .recent
                .iter()
                .rev()
                .find_map(|it| {
                    let named = |id: &str| !id.is_empty() && it.object.get().contains(id);
                    let is_it = it.kind.event_type == event && own.iter().any(|(_, id)| named(id));
                    is_it.then(|| json!({ "id": it.id, "about": it.about }))
                });
            if let Some(happened) = happened {
                return Ok(happened);
            }
            let next = self
                .core()
                .state
                .timeline
                .next_due()
                .filter(|next| *next <= latest);
            let next = next.ok_or_else(|| {
                CommandError::new(format!(
                    "`{event}` did not occur within eight days, or the log of events is too short to keep it"
                ))
            })?;
            self.advance(next - self.clock.now()).await;
        }
    }
}

/// The steps of a recipe, including those of its nested recipes.
fn steps(recipe: &str) -> Vec<Value> {
    let own = RECIPES.get(recipe).into_iter().flatten();
    own.flat_map(|step| step.as_str().map_or_else(|| vec![step.clone()], steps))
        .collect()
}

impl State {
    /// Executes an operation or a command. Returns the id of the resource that it created, if any.
    fn step(
        &mut self,
        engine: &Engine,
        name: &str,
        fields: &Value,
        ids: &Ids,
    ) -> Result<String, CommandError> {
        let mut text = fields.to_string();
        for (name, id) in ids {
            text = text.replace(&format!("\"${name}\""), &json!(id).to_string());
        }
        let mut fields: Value = serde_json::from_str(&text).unwrap_or_default();
        let texts = fields.as_object().into_iter().flatten();
        let path = texts.filter_map(|(name, text)| Some((name.clone(), text.as_str()?.to_owned())));
        let path: Vec<_> = path.collect();
        let failed = |problem: Problem| CommandError::new(problem.detail);
        let made: Value = if let Some(handler) = handler(name) {
            let call = Call {
                path,
                query: Vec::new(),
                body: fields,
            };
            let response = handler.run(self, &call).map_err(failed)?;
            serde_json::from_slice(&response.body).unwrap_or_default()
        } else if let Some(operation) = engine.number_of(name) {
            let request = Request {
                path: &path,
                query: &[],
                body: &fields,
                accept: "",
            };
            let response = engine.serve(operation, self, request);
            let response = response.map_err(|rejected| failed(rejected.into()))?;
            serde_json::from_slice(&response.body).unwrap_or_default()
        } else {
            fields["command"] = name.into();
            let command = serde_json::from_value::<Command>(fields);
            let command = command.map_err(|error| CommandError::new(error.to_string()))?;
            self.execute(engine, command)?
        };
        Ok(made["id"].as_str().unwrap_or_default().to_owned())
    }
}
