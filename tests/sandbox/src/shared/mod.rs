//! The shared state of a running sandbox.

pub(crate) mod clock;
pub(crate) mod delivery;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng};
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::access::Access;
use crate::description::Description;
use crate::domain::state::State;
use crate::engine::Engine;
use crate::faults::FaultPlan;
use crate::hosts::Hosts;
use crate::http::idempotency::Idempotency;
use crate::http::problem::Problem;
use crate::http::server::ServerState;
use crate::log::{DeliveryRecord, Log, RequestRecord};
use crate::shared::clock::Clock;
use crate::shared::delivery::WebhookSender;
use crate::webhooks::keys::WebhookKeys;

/// The state of a client. Locks are held only briefly, and never across an `await`.
pub(crate) struct Shared {
    pub(crate) clock: Clock,
    pub(crate) webhook_sender: WebhookSender,
    /// Notified when something may be due or ready for delivery.
    pub(crate) wake: Notify,
    pub(crate) port: Port,
    pub(crate) client_id: String,
    /// Held while the clock is being advanced.
    turning: tokio::sync::Mutex<()>,
    core: RwLock<Core>,
    access: Mutex<Access>,
    faults: Mutex<FaultPlan>,
    webhook_keys: Mutex<WebhookKeys>,
    requests: Mutex<Log<RequestRecord>>,
    deliveries: Mutex<Log<DeliveryRecord>>,
    secrets: Mutex<StdRng>,
    throttle: Option<Mutex<Throttle>>,
    /// The saved snapshots. The initial state has an empty name.
    snapshots: Mutex<BTreeMap<String, Vec<u8>>>,
    pub(crate) setup: Setup,
}

/// The part of the state that is saved and loaded.
#[derive(Serialize, Deserialize)]
pub(crate) struct Core {
    pub(crate) state: State,
    pub(crate) idempotency: Idempotency,
    /// The additional registered keys, as PEM.
    pub(crate) public_keys: BTreeMap<String, String>,
}

/// The listening port, which all clients share.
#[derive(Clone)]
pub(crate) struct Port {
    pub(crate) server: watch::Sender<ServerState>,
    /// Whether connections are accepted. It follows `server` with a short delay.
    pub(crate) listening: watch::Sender<bool>,
    online_timer: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Default for Port {
    fn default() -> Self {
        Self {
            server: watch::Sender::new(ServerState::Serving),
            listening: watch::Sender::new(true),
            online_timer: Arc::default(),
        }
    }
}

/// The parts from which the state of a client is made.
pub(crate) struct Parts {
    pub(crate) client_id: String,
    pub(crate) port: Port,
    pub(crate) clock: Clock,
    pub(crate) webhook_sender: WebhookSender,
    pub(crate) core: Core,
    pub(crate) access: Access,
    pub(crate) webhook_keys: WebhookKeys,
    pub(crate) seed: u64,
    pub(crate) log_limit: usize,
    pub(crate) throttle: Option<u32>,
    pub(crate) setup: Setup,
}

/// The settings that do not change.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) description: Arc<Description>,
    /// What serves the operations that the rules in `domain` do not.
    pub(crate) engine: Arc<Engine>,
    /// The allowed host names of the control API.
    pub(crate) control_from: Hosts,
    pub(crate) webhook_hosts: Hosts,
    /// The origins of web pages that may call the API.
    pub(crate) cors: Vec<String>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            description: Description::bundled(),
            engine: Engine::bundled(),
            control_from: Hosts::default(),
            webhook_hosts: Hosts::default(),
            cors: Vec::new(),
        }
    }
}

/// The number of requests in the current second of real time.
#[derive(Debug)]
struct Throttle {
    limit: u32,
    second: u64,
    taken: u32,
}

impl Shared {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            clock: parts.clock,
            webhook_sender: parts.webhook_sender,
            wake: Notify::new(),
            port: parts.port,
            client_id: parts.client_id,
            turning: tokio::sync::Mutex::new(()),
            core: RwLock::new(parts.core),
            access: Mutex::new(parts.access),
            faults: Mutex::new(FaultPlan::new(parts.seed)),
            webhook_keys: Mutex::new(parts.webhook_keys),
            requests: Mutex::new(Log::new(parts.log_limit)),
            deliveries: Mutex::new(Log::new(parts.log_limit)),
            secrets: Mutex::new(StdRng::seed_from_u64(parts.seed)),
            throttle: parts.throttle.map(|limit| {
                Mutex::new(Throttle {
                    limit,
                    second: 0,
                    taken: 0,
                })
            }),
            snapshots: Mutex::default(),
            setup: parts.setup,
        }
    }

    /// Saves a snapshot of the state.
    pub(crate) fn take_snapshot(&self, name: &str) {
        let state = self.core_to_read().to_json();
        lock(&self.snapshots).insert(name.to_owned(), state);
    }

    /// Restores a snapshot, including its time. Faults and logs are removed. Tokens stay valid.
    pub(crate) fn restore(&self, name: &str) -> Result<(), String> {
        let none = || format!("there is no snapshot `{name}`");
        let state = lock(&self.snapshots).get(name).cloned().ok_or_else(none)?;
        let state: Core = serde_json::from_slice(&state).map_err(|error| error.to_string())?;
        self.clock.turn_back(state.state.timeline.now);
        let mut core = self.core();
        *core = state;
        core.state.webhook_hosts = self.setup.webhook_hosts.clone();
        drop(core);
        self.faults().clear();
        self.requests().clear();
        self.deliveries().clear();
        Ok(())
    }

    /// The state, to change it.
    pub(crate) fn core(&self) -> RwLockWriteGuard<'_, Core> {
        let core = self.core.write().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        self.faults().keep_state(now, || core.to_json());
        core
    }

    pub(crate) fn core_to_read(&self) -> RwLockReadGuard<'_, Core> {
        self.core.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn access(&self) -> MutexGuard<'_, Access> {
        lock(&self.access)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, FaultPlan> {
        lock(&self.faults)
    }

    pub(crate) fn webhook_keys(&self) -> MutexGuard<'_, WebhookKeys> {
        lock(&self.webhook_keys)
    }

    pub(crate) fn requests(&self) -> MutexGuard<'_, Log<RequestRecord>> {
        lock(&self.requests)
    }

    pub(crate) fn deliveries(&self) -> MutexGuard<'_, Log<DeliveryRecord>> {
        lock(&self.deliveries)
    }

    /// The server's wall clock: that of the machine, plus the shift of a fault.
    pub(crate) fn wall_time(&self) -> SystemTime {
        let shift = self.faults().clock_shift;
        let shifted = match shift {
            0.. => SystemTime::now().checked_add(Duration::from_secs(shift.unsigned_abs())),
            _ => SystemTime::now().checked_sub(Duration::from_secs(shift.unsigned_abs())),
        };
        shifted.unwrap_or_else(SystemTime::now)
    }

    pub(crate) fn token_secret(&self) -> String {
        let bits: u128 = lock(&self.secrets).random();
        format!("sandbox_at_{bits:032x}")
    }

    pub(crate) fn begin_request(&self) -> (u64, Uuid) {
        let id = uuid::Builder::from_random_bytes(lock(&self.secrets).random()).into_uuid();
        (self.requests().number(), id)
    }

    pub(crate) fn end_request(&self, record: RequestRecord) {
        let changes = record.method != "GET";
        self.requests().push(record);
        if changes {
            self.wake.notify_one();
        }
    }

    /// Counts a request, and returns whether the limit per second is exceeded.
    pub(crate) fn throttle(&self) -> Result<(), Problem> {
        let Some(throttle) = &self.throttle else {
            return Ok(());
        };
        let mut throttle = lock(throttle);
        let second = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs();
        if throttle.second != second {
            (throttle.second, throttle.taken) = (second, 0);
        }
        throttle.taken += 1;
        if throttle.taken > throttle.limit {
            Err(Problem::too_many_requests())
        } else {
            Ok(())
        }
    }

    /// Processes everything that is due.
    pub(crate) fn run_due_steps(&self) {
        let now = self.clock.now();
        self.catch_up(&mut self.core(), now);
    }

    /// Processes everything that is due by `now`.
    pub(crate) fn catch_up(&self, core: &mut Core, now: DateTime<Utc>) {
        self.setup.engine.run_until(&mut core.state, now);
    }

    /// When the next step is due: a scheduled step, or another attempt at a delivery.
    fn next_event(&self) -> Option<DateTime<Utc>> {
        let reordering_delay = self.reordering_delay();
        let core = self.core_to_read();
        let subscriptions = core.state.timeline.events.subscriptions.rows().iter();
        subscriptions
            .filter_map(|it| it.next_attempt(reordering_delay))
            .chain(core.state.timeline.next_due())
            .min()
    }

    /// Waits until something is due. Never returns while the clock stands still.
    pub(crate) async fn something_due(&self) {
        if self.clock.stands_still() {
            return std::future::pending().await;
        }
        match self
            .next_event()
            .and_then(|next| self.clock.real_time_until(next))
        {
            Some(pause) => tokio::time::sleep(pause).await,
            None => std::future::pending().await,
        }
    }

    /// Advances the clock and processes everything in order, including deliveries. It is completed even if
    /// the caller stops waiting.
    pub(crate) async fn advance(self: &Arc<Self>, by: TimeDelta) {
        let shared = Arc::clone(self);
        let advanced = tokio::spawn(async move {
            let _one_after_another = shared.turning.lock().await;
            let target = shared.clock.begin_jump(by);
            shared.run_due_steps();
            shared.deliver_due().await;
            while let Some(next) = shared.next_event().filter(|next| *next <= target) {
                shared.clock.turn_to(next);
                shared.run_due_steps();
                shared.deliver_due().await;
            }
            shared.clock.turn_to(target);
            shared.run_due_steps();
            shared.deliver_all().await;
            shared.wake.notify_one();
        });
        // It is cancelled only if the runtime is shut down.
        let _ = advanced.await;
    }

    /// Processes steps when they are due, until the sandbox is stopped.
    pub(crate) async fn drive(self: &Arc<Self>) {
        loop {
            self.run_due_steps();
            self.deliver_due().await;
            tokio::select! {
                () = self.wake.notified() => {}
                () = self.something_due() => {}
            }
        }
    }

    /// Starts the timer that brings the sandbox back online, and replaces an earlier one.
    pub(crate) fn replace_online_timer(&self, timer: Option<JoinHandle<()>>) {
        if let Some(before) = std::mem::replace(&mut *lock(&self.port.online_timer), timer) {
            before.abort();
        }
    }
}

impl Core {
    pub(crate) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("the state can be written as JSON")
    }

    pub(crate) fn new(state: State) -> Self {
        Self {
            state,
            idempotency: Idempotency::default(),
            public_keys: BTreeMap::new(),
        }
    }

    /// Whether there is nothing to process by `now`.
    pub(crate) fn is_up_to_date(&self, now: DateTime<Utc>) -> bool {
        self.state.is_up_to_date(now)
    }
}

/// Locks even after a panic of another thread. The audit checks the state that it left.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
