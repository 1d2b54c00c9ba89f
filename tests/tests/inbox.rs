//! The inbox of the example `webhook_server` handles each event exactly once, in SQLite and in Postgres.
#![cfg(unix)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::process::Stdio;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use bytes::Bytes;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use serde_json::{Value, json};
use sqlx::Row as _;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::Notify;
use tokio::time::timeout;
use upvest_ext::signing::{KeyAlgorithm, SigningKey};
use upvest_ext::webhooks::{Event, WebhookTester, decode_events};
use upvest_tests::inbox::{Connection, Failure, Handler, Inbox};
use upvest_tests::servers::Postgres;
use uuid::Uuid;

const SECOND: Duration = Duration::from_secs(1);

const EFFECTS: &str = "create table effects (event text)";

/// Runs while a test uses it.
static SHARED_POSTGRES: tokio::sync::Mutex<Weak<Postgres>> =
    tokio::sync::Mutex::const_new(Weak::new());

/// An inbox with a database of its own.
struct Database {
    inbox: Inbox,
    postgres: Option<Arc<Postgres>>,
    _folder: Option<TempDir>,
}

impl Database {
    async fn open(url: &str) -> Self {
        let mut inbox = Inbox::connect(url).await.unwrap();
        inbox.create_table().await.unwrap();
        sqlx::query(EFFECTS).execute(&inbox.pool).await.unwrap();
        inbox.max_attempts = 3;
        inbox.pause = Duration::from_millis(1);
        Self {
            inbox,
            postgres: None,
            _folder: None,
        }
    }

    async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}/inbox.db?mode=rwc", folder.path().display());
        Self {
            _folder: Some(folder),
            ..Self::open(&url).await
        }
    }

    /// `None` if Postgres is not installed and its tests are left out.
    async fn postgres() -> Option<Self> {
        let postgres = shared_postgres().await?;
        let name = format!("test_{}", Uuid::new_v4().simple());
        let server = Inbox::connect(&postgres.url()).await.unwrap();
        let create = sqlx::AssertSqlSafe(format!("create database {name}"));
        sqlx::query(create).execute(&server.pool).await.unwrap();
        let url = postgres.url();
        let (server, _) = url.rsplit_once('/').unwrap();
        let database = Self::open(&format!("{server}/{name}")).await;
        Some(Self {
            postgres: Some(postgres),
            ..database
        })
    }

    async fn both() -> Vec<Self> {
        let mut databases = vec![Self::sqlite().await];
        databases.extend(Self::postgres().await);
        databases
    }

    async fn insert(&self, events: &[Value]) {
        let body = json!({ "payload": events }).to_string();
        let events = decode_events(body.as_bytes());
        self.inbox.insert(&events).await.unwrap();
    }

    /// Handles events until all are done or dead.
    async fn handle_all(&self, handler: &impl Handler) {
        let all = async {
            while self.count("open").await > 0 {
                self.inbox.handle_next(handler).await.unwrap();
            }
        };
        timeout(20 * SECOND, all)
            .await
            .expect("an event stays open");
    }

    async fn count(&self, state: &str) -> i64 {
        sqlx::query_scalar("select count(*) from inbox where state = $1")
            .bind(state.to_owned())
            .fetch_one(&self.inbox.pool)
            .await
            .unwrap()
    }

    /// The attempts and the last error of an event.
    async fn attempts_of(&self, key: &str) -> sqlx::any::AnyRow {
        sqlx::query("select attempts, last_error from inbox where key = $1")
            .bind(key.to_owned())
            .fetch_one(&self.inbox.pool)
            .await
            .unwrap()
    }

    async fn effects(&self) -> Vec<String> {
        sqlx::query_scalar("select event from effects")
            .fetch_all(&self.inbox.pool)
            .await
            .unwrap()
    }

    /// The attempts and the last error of each dead letter, by its key.
    async fn dead_letters(&self) -> BTreeMap<String, (i32, String)> {
        let query = "select key, attempts, last_error from inbox where state = 'dead'";
        let rows = sqlx::query(query).fetch_all(&self.inbox.pool).await;
        let letter = |row: sqlx::any::AnyRow| {
            let failure = (row.get("attempts"), row.get("last_error"));
            (row.get("key"), failure)
        };
        rows.unwrap().into_iter().map(letter).collect()
    }
}

async fn shared_postgres() -> Option<Arc<Postgres>> {
    let mut shared = SHARED_POSTGRES.lock().await;
    if let Some(postgres) = shared.upgrade() {
        return Some(postgres);
    }
    let postgres = Arc::new(Postgres::start().unwrap()?);
    *shared = Arc::downgrade(&postgres);
    Some(postgres)
}

fn event(event_type: &str) -> Value {
    WebhookTester::event(event_type, json!({ "id": Uuid::new_v4() }))
}

fn key(event: &Value) -> String {
    event["id"].as_str().unwrap().to_owned()
}

/// The effect of an event is a row. After that, it fails, panics or hangs as its type says.
struct Effects;

impl Handler for Effects {
    async fn handle(&self, event: Event, changes: &mut Connection) -> Result<(), Failure> {
        let insert = sqlx::query("insert into effects (event) values ($1)");
        insert.bind(event.key()).execute(changes).await?;
        match event.event_type.as_str() {
            // A text of Postgres cannot contain a NUL.
            "TEST.FAILS" => Err("the ledger says no\0".into()),
            "TEST.PANICS" => panic!("a bug of the application"),
            "TEST.HANGS" => std::future::pending().await,
            _ => Ok(()),
        }
    }
}

/// Handles what [`Effects`] fails on.
struct RepairedEffects;

impl Handler for RepairedEffects {
    async fn handle(&self, event: Event, changes: &mut Connection) -> Result<(), Failure> {
        let insert = sqlx::query("insert into effects (event) values ($1)");
        insert.bind(event.key()).execute(changes).await?;
        Ok(())
    }
}

#[tokio::test]
async fn an_event_that_always_fails_blocks_no_other_and_ends_as_a_dead_letter() {
    for mut database in Database::both().await {
        database.inbox.handler_timeout = Duration::from_millis(200);
        let failing = event("TEST.FAILS");
        let panicking = event("TEST.PANICS");
        let hanging = event("TEST.HANGS");
        let undecodable = json!({ "id": "no uuid" });
        let good = event("ORDER.FILLED");
        let events = [&failing, &panicking, &hanging, &undecodable, &good];
        database.insert(&events.map(Value::clone)).await;

        // Each is tried once before any is tried again, so the good one is the fifth.
        for _ in 0..5 {
            let next = timeout(20 * SECOND, database.inbox.handle_next(&Effects));
            assert!(next.await.expect("the handler hangs").unwrap());
        }
        assert_eq!(database.effects().await, [key(&good)]);

        database.handle_all(&Effects).await;
        assert_eq!(database.effects().await, [key(&good)], "others are undone");
        let undecodable = Event::decode(undecodable.to_string().as_bytes()).unwrap_err();
        let expected = [
            (key(&failing), "the ledger says no"),
            (key(&panicking), "the handler panicked"),
            (key(&hanging), "the handler took too long"),
            (
                undecodable.key(),
                "the event cannot be decoded, at `id`: it does not match the schema of events",
            ),
        ];
        let expected = expected.map(|(key, error)| (key, (3, error.to_owned())));
        assert_eq!(database.dead_letters().await, BTreeMap::from(expected));
    }
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_stored_with_its_id_and_type() {
    let id = "5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11";
    for database in Database::both().await {
        let broken =
            json!({ "id": id, "type": "COMET.SEEN", "created_at": "yesterday", "object": {} });
        let timeless = json!({ "id": Uuid::new_v4(), "type": "ISA_WRAPPER.NEW", "object": {} });
        database.insert(&[broken.clone(), timeless, broken]).await;
        let types: Vec<String> =
            sqlx::query_scalar("select event_type from inbox order by event_type")
                .fetch_all(&database.inbox.pool)
                .await
                .unwrap();
        assert_eq!(types, ["COMET.SEEN", "ISA_WRAPPER.NEW"]);
        let key: String =
            sqlx::query_scalar("select key from inbox where event_type = 'COMET.SEEN'")
                .fetch_one(&database.inbox.pool)
                .await
                .unwrap();
        assert_eq!(key, id);
    }
}

#[tokio::test]
async fn a_failed_event_is_tried_again_after_a_pause_that_doubles() {
    for mut database in Database::both().await {
        database.inbox.pause = 100 * SECOND;
        database.insert(&[event("TEST.FAILS")]).await;
        for (attempts, pause) in [(1, 100_000), (2, 200_000)] {
            let before = now();
            assert!(database.inbox.handle_next(&Effects).await.unwrap());
            assert!(!database.inbox.handle_next(&Effects).await.unwrap());
            let row = sqlx::query("select attempts, next_attempt, last_error, state from inbox");
            let row = row.fetch_one(&database.inbox.pool).await.unwrap();
            assert_eq!(row.get::<i32, _>("attempts"), attempts);
            assert_eq!(row.get::<String, _>("last_error"), "the ledger says no");
            assert_eq!(row.get::<String, _>("state"), "open");
            let next_attempt: i64 = row.get("next_attempt");
            let expected = before + pause..=now() + pause;
            assert!(
                expected.contains(&next_attempt),
                "{expected:?} {next_attempt}"
            );

            let due = sqlx::query("update inbox set next_attempt = 0");
            due.execute(&database.inbox.pool).await.unwrap();
        }
    }
}

fn now() -> i64 {
    let since_1970 = std::time::UNIX_EPOCH.elapsed().unwrap();
    i64::try_from(since_1970.as_millis()).unwrap()
}

#[tokio::test]
async fn a_dead_letter_that_is_replayed_has_its_effect_once() {
    for database in Database::both().await {
        let failing = event("TEST.FAILS");
        let key = key(&failing);
        database.insert(std::slice::from_ref(&failing)).await;
        database.handle_all(&Effects).await;
        assert_eq!(database.count("dead").await, 1);
        // Another delivery does not bring it back to life.
        database.insert(&[failing]).await;
        assert!(!database.inbox.handle_next(&RepairedEffects).await.unwrap());

        assert!(database.inbox.replay(&key).await.unwrap());
        database.handle_all(&RepairedEffects).await;
        assert_eq!(database.effects().await, [key.as_str()]);
        assert!(
            !database.inbox.replay(&key).await.unwrap(),
            "it is no longer dead"
        );
        assert!(!database.inbox.handle_next(&RepairedEffects).await.unwrap());
    }
}

/// Never ends, and reports when it has begun.
#[derive(Default)]
struct Stuck {
    begun: Notify,
}

impl Handler for Stuck {
    async fn handle(&self, event: Event, changes: &mut Connection) -> Result<(), Failure> {
        RepairedEffects.handle(event, changes).await?;
        self.begun.notify_one();
        std::future::pending().await
    }
}

#[tokio::test]
async fn an_event_that_ends_its_process_ends_as_a_dead_letter() {
    for database in Database::both().await {
        let fatal = event("ORDER.FILLED");
        database.insert(std::slice::from_ref(&fatal)).await;
        let mut ended = 0;
        let attempts = async {
            while database.count("open").await > 0 {
                let stuck = Stuck::default();
                tokio::select! {
                    handled = database.inbox.handle_next(&stuck) => drop(handled.unwrap()),
                    () = stuck.begun.notified() => ended += 1,
                }
            }
        };
        let attempts = timeout(20 * SECOND, attempts);
        attempts.await.expect("the event stays open");
        assert_eq!(ended, 3);
        let letters = database.dead_letters().await;
        let failure = "the process or the transaction of the last attempt ended".to_owned();
        assert_eq!(letters, BTreeMap::from([(key(&fatal), (4, failure))]));
        assert!(database.effects().await.is_empty());
    }
}

#[tokio::test]
async fn an_event_that_is_being_handled_is_not_handled_by_another_worker() {
    let Some(database) = Database::postgres().await else {
        return;
    };
    let slow = event("ORDER.FILLED");
    database.insert(&[slow, event("ORDER.NEW")]).await;
    let stuck = Stuck::default();
    let other_worker = async {
        stuck.begun.notified().await;
        // The time after which the slow event could be taken again passes while it is still being handled.
        tokio::time::sleep(Duration::from_millis(20)).await;
        while database.inbox.handle_next(&RepairedEffects).await.unwrap() {}
    };
    tokio::select! {
        handled = database.inbox.handle_next(&stuck) => panic!("{handled:?}"),
        () = other_worker => {}
    }
    assert_eq!(database.effects().await.len(), 1);
    assert_eq!(database.count("open").await, 1);
}

#[tokio::test]
async fn an_event_is_stored_once_and_exactly_as_it_was_sent() {
    let id = Uuid::new_v4();
    let odd = [
        // Spaces, the order of the fields, and a number beyond the range of f64.
        format!(
            r#"{{ "object":{{"a":1e999}},  "type":"A.\u0000B","id":"{id}","created_at":"2026-01-02T03:04:05Z" }}"#
        ),
        r#""no event \u0000""#.to_owned(),
        r#"{"id": "5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11"}"#.to_owned(),
    ];
    for database in Database::both().await {
        let tester = WebhookTester::new().unwrap();
        let body = format!(r#"{{"payload": [{}]}}"#, odd.join(" , "));
        for body in [
            body.clone().into_bytes(),
            body.into_bytes(),
            b"\0\xff".to_vec(),
        ] {
            let delivery = tester.deliver_raw("/webhooks", body).map(Body::from);
            let status = database.inbox.receive(&tester.verifier(), delivery).await;
            assert_eq!(status, StatusCode::OK);
        }
        let rows = sqlx::query("select key, json from inbox order by received, position");
        let rows = rows.fetch_all(&database.inbox.pool).await.unwrap();
        let stored: BTreeMap<String, Vec<u8>> = rows
            .iter()
            .map(|row| (row.get("key"), row.get("json")))
            .collect();
        assert_eq!(stored.len(), 4);
        for json in odd
            .iter()
            .map(String::as_bytes)
            .chain([b"\0\xff".as_slice()])
        {
            let key = match Event::decode(json) {
                Ok(event) => event.key(),
                Err(undecodable) => undecodable.key(),
            };
            assert_eq!(stored[&key], json, "{key}");
        }
    }
}

#[tokio::test]
async fn the_events_of_a_delivery_are_stored_together_or_not_at_all() {
    for database in Database::both().await {
        let tester = WebhookTester::new().unwrap();
        let verifier = tester.verifier();
        let receive = async |events: &[Value]| {
            let delivery = tester.deliver("/webhooks", events).map(Body::from);
            database.inbox.receive(&verifier, delivery).await
        };
        let two = [event("A.B"), event("A.B")];
        assert_eq!(receive(&two).await, StatusCode::OK);
        let check = if database.postgres.is_some() {
            "alter table inbox add check (position < 2)"
        } else {
            "create trigger full before insert on inbox when new.position > 1 begin select raise(abort, 'full'); end"
        };
        sqlx::query(check)
            .execute(&database.inbox.pool)
            .await
            .unwrap();
        let three = [event("A.B"), event("A.B"), event("A.B")];
        assert_eq!(receive(&three).await, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(database.count("open").await, 2);
    }
}

#[tokio::test]
async fn deliveries_of_the_same_events_in_other_orders_do_not_block_each_other() {
    for database in Database::both().await {
        for _ in 0..5 {
            let events: Vec<Value> = (0..100).map(|_| event("ORDER.FILLED")).collect();
            let reversed: Vec<Value> = events.iter().rev().cloned().collect();
            tokio::join!(database.insert(&events), database.insert(&reversed));
        }
        assert_eq!(database.count("open").await, 500);
    }
}

#[tokio::test]
async fn a_forged_delivery_is_not_stored() {
    for database in Database::both().await {
        let tester = WebhookTester::new().unwrap();
        let mut delivery = tester.deliver("/webhooks", &[event("ORDER.FILLED")]);
        *delivery.body_mut() = Bytes::from(delivery.body().to_vec().repeat(2));
        delivery.headers_mut().remove("content-length");
        let status = database
            .inbox
            .receive(&tester.verifier(), delivery.map(Body::from))
            .await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert_eq!(database.count("open").await, 0);
    }
}

#[tokio::test]
async fn while_the_database_is_down_a_delivery_is_answered_503_and_nothing_is_lost() {
    let Some(mut postgres) = Postgres::start().unwrap() else {
        return;
    };
    let mut database = Database::open(&postgres.url()).await;
    database.inbox.store_timeout = SECOND;
    let tester = WebhookTester::new().unwrap();
    let verifier = tester.verifier();
    let inbox = database.inbox.clone();
    let receive = async |event: &Value| {
        let delivery: Request<Bytes> = tester.deliver("/webhooks", std::slice::from_ref(event));
        inbox.receive(&verifier, delivery.map(Body::from)).await
    };
    let before = event("ORDER.FILLED");
    let meanwhile = event("ORDER.FILLED");
    assert_eq!(receive(&before).await, StatusCode::OK);

    postgres.kill().unwrap();
    assert_eq!(receive(&meanwhile).await, StatusCode::SERVICE_UNAVAILABLE);
    inbox.handle_next(&Effects).await.unwrap_err();
    postgres.restart().unwrap();

    assert_eq!(receive(&meanwhile).await, StatusCode::OK);
    database.handle_all(&Effects).await;
    let effects = BTreeSet::from_iter(database.effects().await);
    assert_eq!(effects, BTreeSet::from([key(&before), key(&meanwhile)]));
}

#[tokio::test]
async fn while_the_database_hangs_a_delivery_is_answered_503_in_time() {
    for mut database in Database::both().await {
        database.inbox.store_timeout = Duration::from_millis(100);
        let stored = event("ORDER.FILLED");
        let events = decode_events(json!({ "payload": [stored] }).to_string().as_bytes());
        // An insert of the same key waits for the transaction.
        let mut transaction = database.inbox.pool.begin().await.unwrap();
        let insert = "insert into inbox values ($1, '', '', 0, 0, 0, 0, null, 'open')";
        let insert = sqlx::query(insert).bind(key(&stored));
        insert.execute(&mut *transaction).await.unwrap();

        let tester = WebhookTester::new().unwrap();
        let delivery = tester.deliver("/webhooks", &[stored]).map(Body::from);
        let started = Instant::now();
        let status = database.inbox.receive(&tester.verifier(), delivery).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(started.elapsed() < 2 * SECOND);
        transaction.rollback().await.unwrap();
        database.inbox.insert(&events).await.unwrap();
        assert_eq!(database.count("open").await, 1);
    }
}

const REPLICAS: usize = 20;
const EVENTS: usize = 10_000;
/// Events in one delivery.
const BATCH: usize = 5;
/// The number of concurrent deliveries.
const SENDERS: usize = 8;

/// The replicas by their ports. They are killed when this is dropped.
type Replicas = Arc<Mutex<BTreeMap<u16, Child>>>;

async fn start_replica(url: &str, jwks: &str, replicas: &Replicas) {
    let mut process = Command::new(env!("CARGO_BIN_EXE_replica"))
        .args([url, jwks])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let output = process.stdout.take().unwrap();
    let line = BufReader::new(output).lines().next_line().await.unwrap();
    let port = line.expect("the replica has ended").parse().unwrap();
    replicas.lock().unwrap().insert(port, process);
}

/// Kills a replica while it works, and starts another one.
async fn replace_replica(url: &str, jwks: &str, replicas: &Replicas) {
    let mut victim = {
        let mut replicas = replicas.lock().unwrap();
        let ports: Vec<u16> = replicas.keys().copied().collect();
        let port = ports.choose(&mut rand::rng()).unwrap();
        replicas.remove(port).unwrap()
    };
    victim.kill().await.unwrap();
    start_replica(url, jwks, replicas).await;
}

/// Delivers batches to random replicas until each was accepted, as Upvest does.
async fn deliver_all(
    queue: Arc<Mutex<VecDeque<Vec<Value>>>>,
    replicas: Replicas,
    tester: Arc<WebhookTester>,
) {
    let http = reqwest::Client::builder().no_proxy().timeout(10 * SECOND);
    let http = http.build().unwrap();
    loop {
        let Some(batch) = queue.lock().unwrap().pop_front() else {
            return;
        };
        let ports: Vec<u16> = replicas.lock().unwrap().keys().copied().collect();
        let port = *ports.choose(&mut rand::rng()).unwrap();
        if !is_accepted(&http, port, tester.deliver("/webhooks", &batch)).await {
            queue.lock().unwrap().push_back(batch);
            tokio::time::sleep(SECOND / 50).await;
        }
    }
}

async fn is_accepted(http: &reqwest::Client, port: u16, delivery: Request<Bytes>) -> bool {
    let response = http
        .post(format!("http://127.0.0.1:{port}/webhooks"))
        .headers(delivery.headers().clone())
        .body(delivery.into_body())
        .send()
        .await;
    // A replica that is killed does not answer.
    let Ok(response) = response else { return false };
    let status = response.status();
    let expected = [StatusCode::OK, StatusCode::SERVICE_UNAVAILABLE];
    assert!(expected.contains(&status), "{status}");
    status == StatusCode::OK
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_event_has_its_effect_exactly_once_although_a_replica_is_killed_each_second() {
    let Some(postgres) = Postgres::start().unwrap() else {
        return;
    };
    let url = postgres.url();
    let database = Database::open(&url).await;
    let key_of_upvest = SigningKey::generate(KeyAlgorithm::Ed25519).unwrap();
    let tester = Arc::new(WebhookTester::with_key(key_of_upvest));
    let jwks = tester.key_set().to_json();
    let replicas = Replicas::default();
    for _ in 0..REPLICAS {
        start_replica(&url, &jwks, &replicas).await;
    }

    let poisoned = event("ORDER.REJECTED");
    let mut events: Vec<Value> = (1..EVENTS).map(|_| event("ORDER.FILLED")).collect();
    let expected: BTreeSet<String> = events.iter().map(key).collect();
    events.push(poisoned.clone());
    let mut twice = [events.clone(), events].concat();
    twice.shuffle(&mut rand::rng());
    let queue: VecDeque<_> = twice.chunks(BATCH).map(<[_]>::to_vec).collect();
    let queue = Arc::new(Mutex::new(queue));

    let started = Instant::now();
    let mut senders = tokio::task::JoinSet::new();
    for _ in 0..SENDERS {
        let queue = Arc::clone(&queue);
        senders.spawn(deliver_all(
            queue,
            Arc::clone(&replicas),
            Arc::clone(&tester),
        ));
    }
    let mut kills = 0;
    let mut every_second = tokio::time::interval(SECOND);
    every_second.tick().await;
    // Until everything is delivered, and all but the poisoned event are done.
    while !senders.is_empty() || database.count("open").await > 1 {
        every_second.tick().await;
        replace_replica(&url, &jwks, &replicas).await;
        kills += 1;
        while let Some(sender) = senders.try_join_next() {
            sender.unwrap();
        }
    }
    println!(
        "{EVENTS} events in {:?}, {kills} replicas killed",
        started.elapsed()
    );
    assert!(kills >= 3, "too fast for anyone to be killed");

    let effects = database.effects().await;
    assert_eq!(effects.len(), EVENTS - 1);
    assert_eq!(BTreeSet::from_iter(effects), expected);
    let mut row = database.attempts_of(&key(&poisoned)).await;
    // On a slow machine all others may be done before its second attempt.
    while row.get::<i32, _>("attempts") <= 1 {
        every_second.tick().await;
        row = database.attempts_of(&key(&poisoned)).await;
    }
    assert_eq!(row.get::<String, _>("last_error"), "the ledger says no");
}
