//! An inbox for webhook events in your own database: each event has its effect exactly once, on one or many processes.
//!
//! Copy this file and adapt it. A delivery is answered with 200 once its events are rows. A worker takes a row, and
//! commits the changes of your handler together with the mark that the row is done. A row whose handler fails is tried
//! again later, and stays as a dead letter after its last attempt.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::FutureExt as _;
use http::{Request, StatusCode};
use http_body::Body;
use sqlx::Row as _;
use sqlx::pool::PoolOptions;
use tokio::time::{sleep, timeout};
use upvest_ext::webhooks::{Event, EventType, UndecodableEvent, WebhookVerifier};

/// SQLite or Postgres, as the URL says. If you have only one, name it here, such as `sqlx::Sqlite`, and delete the call
/// of `install_default_drivers`. Then ids and amounts can be bound as they are.
pub type Db = sqlx::Any;
/// What a handler changes the database with.
pub type Connection = <Db as sqlx::Database>::Connection;
/// The error of a handler.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Times are in milliseconds since 1970. `position` is the place in the delivery. `state` is `open`, `done` or `dead`.
const TABLE: &str = "create table if not exists inbox (
    key text primary key, event_type text not null, json bytea not null, received bigint not null, position integer not null,
    attempts integer not null, next_attempt bigint not null, last_error text, state text not null)";
const INDEX: &str =
    "create index if not exists inbox_due on inbox (next_attempt, position) where state = 'open'";

const INSERT: &str =
    "insert into inbox (key, event_type, json, received, position, attempts, next_attempt, state)
    values ($1, $2, $3, $4, $5, 0, $4, 'open') on conflict do nothing";
/// Counts the attempt before it is made, so that an event that ends its process becomes a dead letter, too.
const CLAIM: &str =
    "update inbox set attempts = attempts + 1, next_attempt = $1 + $2 * (1 << case when attempts < 16 then attempts else 16 end)
    where key = (select key from inbox where state = 'open' and next_attempt <= $1
        order by next_attempt, position limit 1 for update skip locked)
    returning key, json, attempts";
const DONE: &str = "update inbox set state = 'done', last_error = null where key = $1 and attempts = $2 and state = 'open'";
const FAILED: &str =
    "update inbox set last_error = $1, state = case when attempts < $2 then 'open' else 'dead' end
    where key = $3 and attempts = $4 and state = 'open'";
const REPLAY: &str = "update inbox set state = 'open', attempts = 0, next_attempt = $1 where key = $2 and state = 'dead'";

const IDLE: Duration = Duration::from_millis(200);

/// Handles events.
pub trait Handler: Send + Sync {
    /// Handles one event. The changes are committed if this returns `Ok`, and otherwise none of them.
    fn handle(
        &self,
        event: Event,
        changes: &mut Connection,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// The table of events.
#[derive(Clone, Debug)]
pub struct Inbox {
    /// The connections to its database.
    pub pool: sqlx::Pool<Db>,
    /// The number of attempts for each event.
    pub max_attempts: i32,
    /// The pause between the starts of the first two attempts. It doubles with each further attempt.
    pub pause: Duration,
    /// How long storing a delivery may take.
    pub store_timeout: Duration,
    /// How long a handler may take.
    pub handler_timeout: Duration,
    is_postgres: bool,
}

struct ClaimedRow {
    key: String,
    json: Vec<u8>,
    attempts: i32,
}

impl Inbox {
    /// Connects to the database.
    pub async fn connect(url: &str) -> sqlx::Result<Self> {
        sqlx::any::install_default_drivers();
        let is_postgres = url.starts_with("postgres");
        // SQLite has one writer at a time.
        let connections = if is_postgres { 10 } else { 1 };
        let pool = PoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(5))
            .connect(url)
            .await?;
        Ok(Self {
            pool,
            max_attempts: 10,
            pause: Duration::from_secs(1),
            store_timeout: Duration::from_secs(5),
            handler_timeout: Duration::from_secs(30),
            is_postgres,
        })
    }

    /// Creates the table, which is better done by a migration.
    pub async fn create_table(&self) -> sqlx::Result<()> {
        sqlx::query(self.dialect(TABLE)).execute(&self.pool).await?;
        sqlx::query(INDEX).execute(&self.pool).await?;
        Ok(())
    }

    /// SQLite locks the whole database for a writer, and calls bytes `blob`.
    fn dialect(&self, sql: &'static str) -> sqlx::AssertSqlSafe<String> {
        if self.is_postgres {
            return sqlx::AssertSqlSafe(sql.to_owned());
        }
        let sql = sql.replace("bytea", "blob");
        sqlx::AssertSqlSafe(sql.replace("for update skip locked", ""))
    }

    /// Stores the events of a delivery, and returns the status to answer with.
    pub async fn receive<B>(&self, verifier: &WebhookVerifier, request: Request<B>) -> StatusCode
    where
        B: Body<Error: Into<Failure>>,
    {
        let delivery = match verifier.read_delivery(request).await {
            Ok(delivery) => delivery,
            Err(error) => return error.status(),
        };
        let events = match verifier.verify(&delivery).await {
            Ok(events) => events,
            Err(error) => return error.status(),
        };
        match timeout(self.store_timeout, self.insert(&events)).await {
            Ok(Ok(())) => StatusCode::OK,
            Ok(Err(error)) => {
                eprintln!("inbox: the events were not stored: {error}");
                StatusCode::SERVICE_UNAVAILABLE
            }
            Err(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Stores all the events that are new, or none if it fails.
    pub async fn insert(&self, events: &[Result<Event, UndecodableEvent>]) -> sqlx::Result<()> {
        let key = |event: &Result<Event, UndecodableEvent>| {
            event
                .as_ref()
                .map_or_else(UndecodableEvent::key, Event::key)
        };
        let mut rows: Vec<_> = events.iter().zip(0_i32..).collect();
        // Two transactions that insert the same keys in different orders would wait for each other.
        rows.sort_by_cached_key(|(event, _)| key(event));
        let now = now();
        let mut transaction = self.pool.begin().await?;
        for (event, position) in rows {
            let event_type = match event {
                Ok(event) => Some(&event.event_type),
                Err(undecodable) => undecodable.event_type.as_ref(),
            };
            let event_type = event_type.map_or("undecodable", EventType::as_str);
            let json = event.as_ref().map_or_else(|it| &*it.raw, Event::json);
            sqlx::query(INSERT)
                .bind(key(event))
                .bind(storable(event_type))
                .bind(json)
                .bind(now)
                .bind(position)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await
    }

    /// Handles events until the returned future is dropped.
    ///
    /// Run at least one worker per process. If handlers are slow, run several concurrently, but fewer than the database
    /// pool has connections, so that new deliveries can still be stored.
    pub async fn work(&self, handler: &impl Handler) {
        // A connection that hangs must not stop the worker.
        let limit = self.handler_timeout + 2 * self.store_timeout;
        loop {
            match timeout(limit, self.handle_next(handler)).await {
                Ok(Ok(true)) => {}
                Ok(Ok(false)) => sleep(IDLE).await,
                Ok(Err(error)) => {
                    eprintln!("inbox: {error}");
                    sleep(Duration::from_secs(1)).await;
                }
                Err(_elapsed) => eprintln!("inbox: the database does not answer"),
            }
        }
    }

    /// Handles the next event that is due. Returns `false` if there is none.
    pub async fn handle_next(&self, handler: &impl Handler) -> sqlx::Result<bool> {
        let pause = i64::try_from(self.pause.as_millis()).unwrap_or(i64::MAX);
        let claim = sqlx::query(self.dialect(CLAIM)).bind(now()).bind(pause);
        let Some(row) = claim.fetch_optional(&self.pool).await? else {
            return Ok(false);
        };
        let row = ClaimedRow {
            key: row.try_get("key")?,
            json: row.try_get("json")?,
            attempts: row.try_get("attempts")?,
        };
        if let Err(failure) = self.handle(&row, handler).await {
            self.store_failure(&row, &failure).await?;
        }
        Ok(true)
    }

    async fn handle(&self, row: &ClaimedRow, handler: &impl Handler) -> Result<(), Failure> {
        if row.attempts > self.max_attempts {
            return Err("the process or the transaction of the last attempt ended".into());
        }
        let event = Event::decode(&row.json)?;
        let work = AssertUnwindSafe(self.commit(row, event, handler)).catch_unwind();
        match timeout(self.handler_timeout, work).await {
            Ok(Ok(result)) => result,
            Ok(Err(_panic)) => Err("the handler panicked".into()),
            Err(_elapsed) => Err("the handler took too long".into()),
        }
    }

    /// Marks the row as done before it calls the handler, as this locks the row. If another process has taken the row
    /// in the meantime, the handler is not called.
    async fn commit(
        &self,
        row: &ClaimedRow,
        event: Event,
        handler: &impl Handler,
    ) -> Result<(), Failure> {
        let mut transaction = self.pool.begin().await?;
        let done = sqlx::query(DONE).bind(&row.key).bind(row.attempts);
        if done.execute(&mut *transaction).await?.rows_affected() == 1 {
            handler.handle(event, &mut transaction).await?;
            transaction.commit().await?;
        }
        Ok(())
    }

    async fn store_failure(&self, row: &ClaimedRow, failure: &Failure) -> sqlx::Result<()> {
        let failed = sqlx::query(FAILED)
            .bind(storable(&failure.to_string()))
            .bind(self.max_attempts)
            .bind(&row.key)
            .bind(row.attempts);
        failed.execute(&self.pool).await?;
        Ok(())
    }

    /// Handles a dead letter again, once its cause is fixed. Returns `false` if there is no such dead letter.
    pub async fn replay(&self, key: &str) -> sqlx::Result<bool> {
        let replay = sqlx::query(REPLAY).bind(now()).bind(key);
        Ok(replay.execute(&self.pool).await?.rows_affected() == 1)
    }
}

/// Postgres cannot store this character in a text.
fn storable(text: &str) -> String {
    text.replace('\0', "")
}

fn now() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since_1970.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}
