//! Webhook events in a Postgres table.

use std::time::Duration;

use ::deadpool_postgres::{Object, Pool};
use ::tokio_postgres::types::{ToSql, Type};
use ::tokio_postgres::{Row, Transaction};
use futures_util::future::BoxFuture;
use tokio::time::timeout;
use uuid::Uuid;

use crate::backend_error::BackendError;
use crate::clock::{OsRandom, random_uuid};
use crate::debug_fields::debug_fields;
use crate::webhooks::{ClaimResult, DeadLetter, DeadLetterSink, DedupStore, Event, HandlerError};

/// Does not wait for a transaction that is handling the event, and does not block it: a row that does not match is not locked.
const CLAIM: &str = "with claimed as (update upvest_webhook_events \
    set attempts = attempts + 1, claim = $2, claimed_until = now() + $3 * interval '1 millisecond' \
    where event = $1 and handled_at is null and (claimed_until is null or claimed_until <= now()) returning attempts) \
    select (select attempts from claimed), handled_at is not null from upvest_webhook_events where event = $1";

const CLAIM_NEW: &str = "insert into upvest_webhook_events (event, attempts, claim, claimed_until) \
    values ($1, 1, $2, now() + $3 * interval '1 millisecond') on conflict (event) do nothing returning attempts";

const DONE: &str = "update upvest_webhook_events set handled_at = now(), claim = null, claimed_until = null \
    where event = $1 and claim = $2 and handled_at is null";

const FAILED: &str = "update upvest_webhook_events set claim = null, claimed_until = null \
    where event = $1 and claim = $2 and handled_at is null";

const STORE_DEAD_LETTER: &str = "insert into upvest_webhook_events as kept (event, attempts, dead_letter, event_type, failure) \
    values ($1, $2, $3, $4, $5) on conflict (event) do update \
    set dead_letter = excluded.dead_letter, event_type = excluded.event_type, failure = excluded.failure \
    where kept.handled_at is null";

/// Webhook events and dead letters in one table of a Postgres database (version 12 or later). Clones share the pool.
///
/// Claims work as in any [`DedupStore`]. In addition, [`Postgres::mark_handled`] marks an event as handled in your own transaction,
/// together with the changes that the event causes. Then each event takes effect exactly once, even if a process or the database
/// crashes.
///
/// ```
/// use upvest_ext::stores::Postgres;
/// use upvest_ext::webhooks::{Event, EventType, HandlerError, WebhookHandler, WebhookVerifier, with_state};
///
/// async fn filled(pool: deadpool_postgres::Pool, event: Event) -> Result<(), HandlerError> {
///     let mut connection = pool.get().await?;
///     let transaction = connection.transaction().await?;
///     if Postgres::mark_handled(&transaction, &event).await? {
///         transaction.execute("insert into filled (event) values ($1)", &[&event.id]).await?;
///         transaction.commit().await?;
///     }
///     Ok(())
/// }
///
/// # fn handler(verifier: WebhookVerifier, pool: deadpool_postgres::Pool) -> WebhookHandler {
/// let store = Postgres::new(pool.clone());
/// WebhookHandler::new(verifier)
///     .on(EventType::OrderFilled, with_state(pool, filled))
///     .dedup_store(store.clone())
///     .dead_letter_after(5, store)
/// # }
/// ```
#[derive(Clone)]
pub struct Postgres {
    pool: Pool,
    lease: Duration,
    timeout: Duration,
}

impl Postgres {
    /// The SQL that creates the table, for your migrations. [`Postgres::migrate`] runs it.
    pub const SCHEMA: &str = include_str!("schema.sql");

    /// The SQL that marks an event as handled; `$1` is its id, a `uuid`. Run it in your own transaction with any driver. It changes
    /// one row in exactly one committed transaction. In all others it changes no row, and these must not apply the event again.
    pub const MARK_HANDLED: &str = "insert into upvest_webhook_events as kept (event, attempts, handled_at) \
        values ($1::uuid::text, 1, now()) on conflict (event) do update \
        set handled_at = now(), claim = null, claimed_until = null where kept.handled_at is null";

    /// A store in the database of `pool`, in the default schema of its connections.
    pub fn new(pool: Pool) -> Self {
        Self {
            pool,
            lease: Duration::from_secs(60),
            timeout: Duration::from_secs(5),
        }
    }

    /// How long a claim is valid. Afterwards the event can be claimed again. 60 s by default. It must be longer than the slowest
    /// handler runs. If a replica crashes, its events wait for this time.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// The longest wait for a connection, and the longest wait for an answer. 5 s by default.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Creates the table if it does not exist. Several replicas may call this at the same time.
    ///
    /// # Errors
    ///
    /// [`BackendError`] if the database cannot be reached, or the user may not create tables.
    pub async fn migrate(&self) -> Result<(), BackendError> {
        self.run(async |connection| connection.batch_execute(Self::SCHEMA).await)
            .await
    }

    /// Marks `event` as handled in your own transaction. Call it first and continue only if it returns `true`. `false` means
    /// that another transaction has already handled the event. If one is still handling it, this waits for it.
    ///
    /// With other drivers, run [`Postgres::MARK_HANDLED`].
    ///
    /// # Errors
    ///
    /// [`BackendError`] if the statement failed. The transaction cannot continue then. Return the error, and Upvest sends the event
    /// again.
    pub async fn mark_handled(
        transaction: &Transaction<'_>,
        event: &Event,
    ) -> Result<bool, BackendError> {
        let changed = transaction
            .execute_typed(Self::MARK_HANDLED, &[(&event.id, Type::UUID)])
            .await;
        Ok(changed.map_err(failure)? == 1)
    }

    async fn run<T>(
        &self,
        work: impl AsyncFnOnce(&Object) -> Result<T, ::tokio_postgres::Error>,
    ) -> Result<T, BackendError> {
        let late =
            |_| BackendError::new(format!("no answer from Postgres within {:?}", self.timeout));
        let connection = timeout(self.timeout, self.pool.get())
            .await
            .map_err(late)?
            .map_err(BackendError::new)?;
        let result = timeout(self.timeout, work(&connection)).await.map_err(late);
        if result.is_err() {
            // The connection may be dead, so it is removed from the pool.
            drop(Object::take(connection));
        }
        result?.map_err(failure)
    }

    async fn query(&self, statement: &str, args: Args<'_>) -> Result<Option<Row>, BackendError> {
        self.run(async |connection| connection.query_typed_opt(statement, args).await)
            .await
    }

    async fn claim_now(&self, event: &str) -> Result<ClaimResult, BackendError> {
        let claim = random_uuid(&OsRandom);
        let lease = self.lease.as_secs_f64() * 1000.0;
        let args: Args<'_> = &[
            (&event, Type::TEXT),
            (&claim, Type::UUID),
            (&lease, Type::FLOAT8),
        ];
        let ours = |attempts: i32| ClaimResult::Ours {
            claim,
            attempt: attempts.unsigned_abs(),
        };
        let Some(row) = self.query(CLAIM, args).await? else {
            let new = self.query(CLAIM_NEW, args).await?;
            return Ok(new.map_or(ClaimResult::Busy, |_| ours(1)));
        };
        match (
            row.try_get(0).map_err(failure)?,
            row.try_get(1).map_err(failure)?,
        ) {
            (Some(attempts), _) => Ok(ours(attempts)),
            (None, true) => Ok(ClaimResult::Done),
            (None, false) => Ok(ClaimResult::Busy),
        }
    }

    async fn end(&self, statement: &str, event: &str, claim: Uuid) -> Result<(), BackendError> {
        self.query(statement, &[(&event, Type::TEXT), (&claim, Type::UUID)])
            .await
            .map(drop)
    }
}

type Args<'a> = &'a [(&'a (dyn ToSql + Sync), Type)];

/// The server's message without its detail, which may contain values of a row.
fn failure(error: ::tokio_postgres::Error) -> BackendError {
    match error.as_db_error() {
        Some(db) => BackendError::new(format!("Postgres: {} ({})", db.message(), db.code().code())),
        None => BackendError::new(error),
    }
}

impl DedupStore for Postgres {
    fn claim<'a>(&'a self, event: &'a str) -> BoxFuture<'a, Result<ClaimResult, BackendError>> {
        Box::pin(self.claim_now(event))
    }

    fn done<'a>(&'a self, event: &'a str, claim: Uuid) -> BoxFuture<'a, Result<(), BackendError>> {
        Box::pin(self.end(DONE, event, claim))
    }

    fn failed<'a>(
        &'a self,
        event: &'a str,
        claim: Uuid,
    ) -> BoxFuture<'a, Result<(), BackendError>> {
        Box::pin(self.end(FAILED, event, claim))
    }
}

impl DeadLetterSink for Postgres {
    fn store(&self, letter: DeadLetter) -> BoxFuture<'_, Result<(), HandlerError>> {
        Box::pin(async move {
            let (name, attempts, json, event_type, reason) = match letter {
                DeadLetter::Unhandled {
                    event,
                    attempts,
                    error,
                } => {
                    let json = serde_json::to_vec(&event)?;
                    (
                        event.id.to_string(),
                        attempts,
                        json,
                        Some(event.event_type.to_string()),
                        error.to_string(),
                    )
                }
                DeadLetter::Undecodable(event) => {
                    (event.name(), 1, event.raw.to_vec(), None, event.to_string())
                }
            };
            // Unlike JSON and error messages, a text in Postgres cannot contain NUL characters.
            let (event_type, reason) = (
                event_type.map(|text| text.replace('\0', "")),
                reason.replace('\0', ""),
            );
            let attempts = i32::try_from(attempts).unwrap_or(i32::MAX);
            let args: Args<'_> = &[
                (&name, Type::TEXT),
                (&attempts, Type::INT4),
                (&json, Type::BYTEA),
                (&event_type, Type::TEXT),
                (&reason, Type::TEXT),
            ];
            Ok(self.query(STORE_DEAD_LETTER, args).await.map(drop)?)
        })
    }
}

debug_fields!(Postgres, |self| lease = self.lease, timeout = self.timeout);
