//! The shared stores, with real servers that cannot be reached, are slow, lose data, or hang.
#![cfg(unix)]

#[path = "../../upvest-ext/tests/common/log.rs"]
mod log;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use futures_util::future::join_all;
use log::Log;
use serde_json::json;
use upvest_ext::stores::{Postgres, Redis};
use upvest_ext::webhooks::{
    ClaimResult, DedupStore, Event, MemoryDedupStore, Outcome, WebhookHandler, WebhookTester,
    decode_events,
};
use upvest_ext::{
    BoxFuture, CallOptions, Clock, Environment, ErrorKind, Scopes, TokioClock, Upvest,
    UpvestBuilder,
};
use upvest_tests::api::Api;
use upvest_tests::replicas::{CLIENT_ID, CLIENT_SECRET, pool};
use upvest_tests::servers::Server;
use uuid::Uuid;

const SECOND: Duration = Duration::from_secs(1);
/// The time limit of calls during which a server may time out, including time for a busy machine.
const SOON: Duration = Duration::from_secs(5);

fn redis(server: &Server) -> Redis {
    Redis::open(server.url()).unwrap()
}

fn builder(url: &str) -> UpvestBuilder {
    Upvest::builder(Environment::Custom(url.parse().unwrap())).credentials(CLIENT_ID, CLIENT_SECRET)
}

/// A new replica: a client without a token in memory.
fn replica(api: &str, redis: &Redis) -> Upvest {
    builder(api)
        .token_store(Arc::new(redis.token_store(CLIENT_SECRET)))
        .build()
        .unwrap()
}

async fn call(upvest: &Upvest) -> Duration {
    let started = Instant::now();
    upvest.list_orders().send().await.unwrap();
    started.elapsed()
}

async fn api() -> (Arc<Api>, String) {
    Api {
        token_life: 3600,
        ..Api::default()
    }
    .start()
    .await
    .unwrap()
}

fn tokens(api: &Api) -> usize {
    api.seen().tokens.len()
}

async fn command<T: redis::FromRedisValue>(server: &Server, words: &[&str]) -> T {
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    redis::cmd(words[0])
        .arg(&words[1..])
        .query_async(&mut connection)
        .await
        .unwrap()
}

fn claimed(result: ClaimResult) -> (Uuid, u32) {
    match result {
        ClaimResult::Ours { claim, attempt } => (claim, attempt),
        other => panic!("{other:?}"),
    }
}

// Every store of events

/// The requirements on every dedup store, with a lease of a second.
async fn keeps_the_contract(store: &dyn DedupStore) {
    let id = Uuid::new_v4().to_string();
    let answers = join_all((0..20).map(|_| store.claim(&id))).await;
    let ours: Vec<_> = answers
        .into_iter()
        .map(Result::unwrap)
        .filter(|answer| *answer != ClaimResult::Busy)
        .collect();
    assert_eq!(ours.len(), 1, "of twenty claims at a time one is granted");
    let (first, attempt) = claimed(ours[0]);
    assert_eq!(attempt, 1);
    store.failed(&id, first).await.unwrap();
    let (second, attempt) = claimed(store.claim(&id).await.unwrap());
    assert_eq!(attempt, 2, "after a failure the next delivery may try");

    // The holder of the claim crashes.
    let started = Instant::now();
    let third = loop {
        match store.claim(&id).await.unwrap() {
            ClaimResult::Busy => tokio::task::yield_now().await,
            other => break claimed(other),
        }
    };
    assert!(
        started.elapsed() >= SECOND * 8 / 10,
        "a claim holds: {:?}",
        started.elapsed()
    );
    assert_eq!(third.1, 3);
    store.done(&id, second).await.unwrap();
    store.failed(&id, second).await.unwrap();
    assert_eq!(
        store.claim(&id).await.unwrap(),
        ClaimResult::Busy,
        "a claim that lapsed changes nothing"
    );
    store.done(&id, third.0).await.unwrap();
    store.failed(&id, third.0).await.unwrap();
    assert_eq!(store.claim(&id).await.unwrap(), ClaimResult::Done);
    assert!(
        claimed(store.claim("another").await.unwrap()).1 >= 1,
        "events do not meet"
    );
}

#[tokio::test]
async fn all_stores_of_events_keep_the_same_contract() {
    let lease = SECOND;
    keeps_the_contract(&MemoryDedupStore::default().lease(lease)).await;
    if let Some(server) = Server::redis().unwrap() {
        keeps_the_contract(&redis(&server).dedup_store().lease(lease)).await;
    }
    if let Some(server) = Server::postgres().unwrap() {
        let store = Postgres::new(pool(&server.url(), 10).unwrap()).lease(lease);
        store.migrate().await.unwrap();
        keeps_the_contract(&store).await;
    }
}

// Tokens in Redis

#[tokio::test]
async fn a_token_is_encrypted_under_a_name_that_tells_nothing() {
    let Some(server) = Server::redis().unwrap() else {
        return;
    };
    let (api, url) = api().await;
    call(&replica(&url, &redis(&server))).await;
    let keys: Vec<String> = command(&server, &["KEYS", "*"]).await;
    assert_eq!(keys.len(), 1, "the claim is released: {keys:?}");
    let value: Vec<u8> = command(&server, &["GET", &keys[0]]).await;
    let kept = [keys[0].as_bytes(), &value].concat();
    for secret in ["token-1", CLIENT_SECRET, CLIENT_ID, "orders:", "127.0.0.1"] {
        let shown = kept
            .windows(secret.len())
            .any(|window| window == secret.as_bytes());
        assert!(!shown, "{secret} is in Redis");
    }
    assert_eq!(tokens(&api), 1);
    // With another secret, the keys have other names.
    let other = builder(&url).token_store(Arc::new(redis(&server).token_store("another secret")));
    call(&other.build().unwrap()).await;
    assert_eq!(tokens(&api), 2);
}

#[tokio::test]
async fn a_stored_token_that_was_changed_or_moved_is_ignored() {
    let Some(server) = Server::redis().unwrap() else {
        return;
    };
    let (api, url) = api().await;
    let redis = redis(&server);
    call(&replica(&url, &redis)).await;
    let keys: Vec<String> = command(&server, &["KEYS", "*"]).await;
    for junk in ["", "short", &"x".repeat(100_000)] {
        let () = command(&server, &["SET", &keys[0], junk]).await;
        let asked = tokens(&api);
        call(&replica(&url, &redis)).await;
        assert_eq!(tokens(&api), asked + 1);
        call(&replica(&url, &redis)).await;
        assert_eq!(tokens(&api), asked + 1, "the junk is replaced");
    }
    // Under the key of another set of scopes, it cannot be decrypted.
    let reading = || {
        let store = Arc::new(redis.token_store(CLIENT_SECRET));
        builder(&url)
            .scopes(Scopes::reading())
            .token_store(store)
            .build()
            .unwrap()
    };
    call(&reading()).await;
    let asked = tokens(&api);
    let both: Vec<String> = command(&server, &["KEYS", "*"]).await;
    let moved = both.iter().find(|key| **key != keys[0]).unwrap();
    let _: i64 = command(&server, &["COPY", &keys[0], moved, "REPLACE"]).await;
    call(&reading()).await;
    assert_eq!(tokens(&api), asked + 1);
}

#[tokio::test]
async fn a_refused_token_is_removed_and_a_newer_one_stays() {
    let Some(server) = Server::redis().unwrap() else {
        return;
    };
    let (api, url) = Api {
        token_life: 3600,
        ..Api::default()
    }
    .start()
    .await
    .unwrap();
    let redis = redis(&server);
    let (first, second) = (replica(&url, &redis), replica(&url, &redis));
    call(&first).await;
    call(&second).await;
    *api.revoked.lock().unwrap() = Some("token-1");
    call(&first).await;
    call(&second).await;
    assert_eq!(
        tokens(&api),
        2,
        "the second finds the token that the first got in the place of the refused one"
    );
}

/// A clock with a wrong wall clock.
#[derive(Clone, Copy, Debug)]
struct Skewed(i32);

impl Clock for Skewed {
    fn now(&self) -> Instant {
        TokioClock.now()
    }

    fn wall(&self) -> SystemTime {
        let by = SECOND * self.0.unsigned_abs();
        if self.0 < 0 {
            SystemTime::now() - by
        } else {
            SystemTime::now() + by
        }
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        TokioClock.sleep(duration)
    }
}

#[tokio::test]
async fn replicas_whose_clocks_differ_by_a_minute_share_a_token_for_as_long_as_it_lives() {
    let Some(server) = Server::redis().unwrap() else {
        return;
    };
    // So short that a clock error of a minute would matter.
    let (api, url) = Api {
        token_life: 2,
        ..Api::default()
    }
    .start()
    .await
    .unwrap();
    let replica = |skew| {
        let store = Arc::new(redis(&server).token_store(CLIENT_SECRET));
        builder(&url)
            .clock(Skewed(skew))
            .token_store(store)
            .build()
            .unwrap()
    };
    for (skew, asked) in [(60, 1), (-60, 1), (0, 1)] {
        call(&replica(skew)).await;
        assert_eq!(tokens(&api), asked, "clock ahead by {skew} s");
    }
    let started = Instant::now();
    while tokens(&api) == 1 {
        call(&replica(-60)).await;
        assert!(started.elapsed() < SOON, "the token is used after its end");
    }
}

#[tokio::test]
async fn a_client_works_on_its_own_while_redis_is_away_and_shares_again_when_it_is_back() {
    let Some(mut server) = Server::redis().unwrap() else {
        return;
    };
    let (api, url) = api().await;
    server.kill().unwrap();
    // The server cannot be reached at the start.
    let redis = redis(&server);
    assert!(call(&replica(&url, &redis)).await < SOON);
    assert_eq!(tokens(&api), 1);
    // The server stops. While it is known to be unreachable, no commands are sent.
    server.restart().unwrap();
    let shared = replica(&url, &redis);
    call(&shared).await;
    server.kill().unwrap();
    for _ in 0..100 {
        assert!(
            call(&shared).await < SOON,
            "a token of its own needs no store"
        );
    }
    assert_eq!(tokens(&api), 2);
    // The server is back without data.
    server.restart().unwrap();
    call(&replica(&url, &redis)).await;
    call(&replica(&url, &redis)).await;
    assert_eq!(tokens(&api), 3);
}

#[tokio::test]
async fn no_call_waits_for_a_redis_that_hangs_longer_than_its_deadline() {
    let Some(mut server) = Server::redis().unwrap() else {
        return;
    };
    let (api, url) = api().await;
    let redis = redis(&server).timeout(SECOND / 2);
    let limited = || {
        let limit = redis.rate_limit("name", 1000, 20);
        let store = Arc::new(redis.token_store(CLIENT_SECRET));
        builder(&url)
            .rate_limit(limit)
            .token_store(store)
            .build()
            .unwrap()
    };
    call(&limited()).await;
    server.freeze().unwrap();
    let upvest = limited();
    let hasty = upvest.with(CallOptions::new().call_timeout(SECOND / 5));
    let started = Instant::now();
    let _ = hasty.list_orders().send().await;
    assert!(started.elapsed() < SECOND, "{:?}", started.elapsed());
    // The limit gives up after an eighth of a second, the store after half of one.
    let elapsed = call(&upvest).await;
    assert!(elapsed < SOON, "{elapsed:?}");
    assert!(
        call(&upvest).await < SECOND,
        "who is known to be away is not asked"
    );
    // The server restarts. The old connection must not be used any more, as it would hang.
    server.kill().unwrap();
    server.restart().unwrap();
    let asked = tokens(&api);
    call(&replica(&url, &redis)).await;
    call(&replica(&url, &redis)).await;
    assert_eq!(tokens(&api), asked + 1, "the server that is back is used");
}

#[tokio::test]
async fn a_redis_that_takes_two_seconds_costs_one_time_out_and_then_is_used_again() {
    let Some(server) = Server::redis().unwrap() else {
        return;
    };
    let (api, url) = api().await;
    let redis = redis(&server);
    call(&replica(&url, &redis)).await;
    let () = command(&server, &["CLIENT", "PAUSE", "2000", "ALL"]).await;
    let elapsed = call(&replica(&url, &redis)).await;
    assert!(elapsed >= SECOND / 2 && elapsed < SOON, "{elapsed:?}");
    assert_eq!(tokens(&api), 2);
    let started = Instant::now();
    let asked = loop {
        let asked = tokens(&api);
        call(&replica(&url, &redis)).await;
        if tokens(&api) == asked {
            break asked;
        }
        assert!(started.elapsed() < 10 * SECOND, "never used again");
    };
    println!("{asked} tokens were asked for in the meantime");
}

#[tokio::test]
async fn what_redis_evicts_or_refuses_is_done_again_and_never_lost() {
    let Some(server) = Server::redis().unwrap() else {
        return;
    };
    let (api, url) = api().await;
    let redis = redis(&server);
    let store = redis.dedup_store();
    let upvest = replica(&url, &redis);
    call(&upvest).await;
    let (claim, _) = claimed(store.claim("event").await.unwrap());
    // The memory is too small, so all keys are evicted.
    let () = command(
        &server,
        &["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"],
    )
    .await;
    let () = command(&server, &["CONFIG", "SET", "maxmemory", "1"]).await;
    while command::<i64>(&server, &["DBSIZE"]).await > 0 {}
    let () = command(&server, &["CONFIG", "SET", "maxmemory", "0"]).await;
    store.done("event", claim).await.unwrap();
    assert_eq!(
        store.claim("event").await.unwrap(),
        ClaimResult::Done,
        "the end of a forgotten claim counts"
    );
    call(&upvest).await;
    assert_eq!(tokens(&api), 1, "the client has the token");
    call(&replica(&url, &redis)).await;
    assert_eq!(tokens(&api), 2);
    // The memory is full and nothing is evicted: an error, so that Upvest sends the event again.
    let () = command(
        &server,
        &["CONFIG", "SET", "maxmemory-policy", "noeviction"],
    )
    .await;
    let () = command(&server, &["CONFIG", "SET", "maxmemory", "1"]).await;
    let error = store.claim("another").await.unwrap_err();
    assert!(error.to_string().contains("memory"), "{error}");
    let other = builder(&url)
        .scopes(Scopes::reading())
        .token_store(Arc::new(redis.token_store(CLIENT_SECRET)));
    call(&other.build().unwrap()).await;
    // A rejected command does not block later ones.
    let () = command(&server, &["CONFIG", "SET", "maxmemory", "0"]).await;
    claimed(store.claim("another").await.unwrap());
}

#[tokio::test]
async fn an_event_whose_key_holds_something_else_fails_alone() {
    let Some(server) = Server::redis().unwrap() else {
        return;
    };
    let store = redis(&server).dedup_store();
    let () = command(&server, &["SET", "upvest:event:spoilt", "a string"]).await;
    for _ in 0..3 {
        store.claim("spoilt").await.unwrap_err();
        let id = Uuid::new_v4().to_string();
        claimed(store.claim(&id).await.unwrap());
    }
}

#[tokio::test]
async fn the_rights_that_the_guide_names_are_enough() {
    let Some(server) = Server::redis().unwrap() else {
        return;
    };
    let guide = include_str!("../../docs/guides/many-replicas.md");
    let (_, rights) = guide.split_once("needs the commands ").unwrap();
    let named = rights
        .split_once("those that begin")
        .unwrap()
        .0
        .split('`')
        .skip(1)
        .step_by(2);
    let named = named.map(|command| format!("+{}", command.to_lowercase().replace(' ', "|")));
    let hashes = ["+hget", "+hset", "+hmget", "+hdel", "+hincrby", "+hello"].map(str::to_owned);
    let user = [
        "ACL",
        "SETUSER",
        "limited",
        "on",
        ">word",
        "~my-service:*",
        "-@all",
    ]
    .map(str::to_owned);
    let words: Vec<String> = user.into_iter().chain(named).chain(hashes).collect();
    let () = command(
        &server,
        &words.iter().map(String::as_str).collect::<Vec<_>>(),
    )
    .await;
    let url = server.url().replace("redis://", "redis://limited:word@");
    let redis = Redis::open(url).unwrap().prefix("my-service:");
    let store = redis.dedup_store();
    for end in [DedupStore::failed, DedupStore::done] {
        let (claim, _) = claimed(store.claim("event").await.unwrap());
        end(&store, "event", claim).await.unwrap();
    }
    let (api, url) = api().await;
    *api.revoked.lock().unwrap() = Some("token-1");
    for _ in 0..2 {
        let builder = builder(&url).rate_limit(redis.rate_limit("name", 1000, 1));
        let upvest = builder
            .token_store(Arc::new(redis.token_store(CLIENT_SECRET)))
            .build()
            .unwrap();
        call(&upvest).await;
    }
    assert_eq!(
        tokens(&api),
        2,
        "the refused one is removed, the new one is shared"
    );
    let (limited, errors): (i64, String) = (
        command(&server, &["EXISTS", "my-service:rate:name"]).await,
        command(&server, &["INFO", "errorstats"]).await,
    );
    assert!(limited == 1 && !errors.contains("NOPERM"), "{errors}");
}

#[tokio::test]
async fn services_with_prefixes_of_their_own_do_not_meet() {
    let Some(server) = Server::redis().unwrap() else {
        return;
    };
    for service in ["orders:", "reports:"] {
        let store = redis(&server).prefix(service).dedup_store();
        let (claim, attempt) = claimed(store.claim("event").await.unwrap());
        assert_eq!(attempt, 1);
        store.done("event", claim).await.unwrap();
    }
}

#[tokio::test]
async fn a_wrong_url_is_an_error_without_its_password() {
    for url in [
        "",
        "http://user:hunter2@host",
        "redis://user:hunter2@host:port/",
    ] {
        let error = Redis::open(url).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        let shown = format!(
            "{error} {error:?} {:?}",
            std::error::Error::source(&error).map(ToString::to_string)
        );
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    let redis = Redis::open("redis://user:hunter2@127.0.0.1:1").unwrap();
    assert!(!format!("{redis:?} {:?}", redis.token_store("hunter2")).contains("hunter2"));
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_or_no_redis_is_an_error_and_no_panic() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut peer, _) = listener.accept().await.unwrap();
            tokio::io::AsyncWriteExt::write_all(&mut peer, b"HTTP/1.1 400 Bad Request\r\n\r\n")
                .await
                .unwrap();
        }
    });
    for scheme in ["redis", "rediss"] {
        let redis = Redis::open(format!("{scheme}://127.0.0.1:{port}")).unwrap();
        let started = Instant::now();
        redis.dedup_store().claim("event").await.unwrap_err();
        assert!(started.elapsed() < SOON);
    }
}

#[test]
fn a_store_is_made_outside_of_a_runtime_and_outlives_one() {
    let Some(server) = Server::redis().unwrap() else {
        return;
    };
    let store = redis(&server).dedup_store();
    for attempt in 1..=2 {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            // The connection of the runtime that has ended may fail once.
            let claim = match store.claim("event").await {
                Ok(claim) => claim,
                Err(_) => loop {
                    if let Ok(claim) = store.claim("event").await {
                        break claim;
                    }
                    tokio::task::yield_now().await;
                },
            };
            let (claim, counted) = claimed(claim);
            assert_eq!(counted, attempt);
            store.failed("event", claim).await.unwrap();
        });
    }
}

// The rate limit

#[tokio::test]
async fn while_redis_is_away_each_replica_keeps_to_its_share_and_the_log_says_so_once() {
    let Some(mut server) = Server::redis().unwrap() else {
        return;
    };
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let (_, url) = api().await;
    let limit = redis(&server).rate_limit("name", 200, 10);
    let upvest = builder(&url).rate_limit(limit).build().unwrap();
    call(&upvest).await;
    server.kill().unwrap();
    let started = Instant::now();
    for _ in 0..40 {
        call(&upvest).await;
    }
    let elapsed = started.elapsed();
    assert!(
        elapsed >= SECOND * 19 / 10 && elapsed < 2 * SOON,
        "40 calls at 20 per second: {elapsed:?}"
    );
    server.restart().unwrap();
    while !log.text().contains("can be used again") {
        call(&upvest).await;
    }
    let said = log.text().matches("cannot be used").count();
    assert_eq!(said, 1, "{}", log.text());
}

#[tokio::test]
async fn a_clock_of_redis_that_is_set_back_blocks_no_request() {
    let Some(server) = Server::redis().unwrap() else {
        return;
    };
    let (_, url) = api().await;
    let upvest = builder(&url)
        .rate_limit(redis(&server).rate_limit("name", 10, 1))
        .build()
        .unwrap();
    call(&upvest).await;
    // As if the server's clock was set back by an hour.
    let later = (SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        + 3600 * SECOND)
        .as_micros();
    let later = later.to_string();
    let times = ["next", &later, "held_until", &later, "refused", &later];
    let _: i64 = command(
        &server,
        &[&["HSET", "upvest:rate:name"], &times[..]].concat(),
    )
    .await;
    for _ in 0..3 {
        assert!(call(&upvest).await < SECOND);
    }
}

#[tokio::test]
async fn what_redis_refuses_is_logged_once() {
    let Some(server) = Server::redis().unwrap() else {
        return;
    };
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let (_, url) = api().await;
    let upvest = builder(&url)
        .rate_limit(redis(&server).rate_limit("name", 1000, 1))
        .build()
        .unwrap();
    let () = command(&server, &["CONFIG", "SET", "maxmemory", "1"]).await;
    for _ in 0..5 {
        call(&upvest).await;
    }
    let text = log.text();
    assert!(
        text.matches("cannot be used").count() == 1 && text.contains("memory"),
        "{text}"
    );
}

#[tokio::test]
async fn replicas_share_one_rate() {
    let Some(server) = Server::redis().unwrap() else {
        return;
    };
    let (api, url) = api().await;
    let replicas = (0..4).map(|_| {
        let limit = redis(&server).rate_limit("name", 100, 4);
        builder(&url).rate_limit(limit).build().unwrap()
    });
    let replicas: Vec<_> = replicas.collect();
    let started = Instant::now();
    join_all(replicas.iter().map(async |upvest| {
        for _ in 0..25 {
            call(upvest).await;
        }
    }))
    .await;
    let elapsed = started.elapsed();
    assert_eq!(api.seen().answered, 100);
    assert!(
        elapsed >= SECOND * 95 / 100 && elapsed < SOON,
        "100 calls at 100 per second: {elapsed:?}"
    );
}

#[tokio::test]
async fn a_turn_that_would_be_too_late_is_refused_and_left_to_others() {
    let Some(server) = Server::redis().unwrap() else {
        return;
    };
    let (_, url) = api().await;
    let upvest = builder(&url)
        .rate_limit(redis(&server).rate_limit("name", 1, 1))
        .build()
        .unwrap();
    call(&upvest).await;
    let hasty = upvest.with(CallOptions::new().call_timeout(SECOND / 2));
    for _ in 0..20 {
        let started = Instant::now();
        let error = hasty.list_orders().send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RateLimited, "{error}");
        assert!(started.elapsed() < SECOND / 2);
    }
    // They are dropped while they wait in line: only the first of them had taken a turn.
    let waiting = join_all((0..50).map(|_| upvest.list_orders().send()));
    tokio::time::timeout(SECOND / 10, waiting)
        .await
        .unwrap_err();
    let elapsed = call(&upvest).await;
    assert!(elapsed < 3 * SECOND, "{elapsed:?}");
}

#[tokio::test]
async fn a_refusal_of_one_replica_makes_all_of_them_pause() {
    let Some(server) = Server::redis().unwrap() else {
        return;
    };
    let (api, url) = Api {
        token_life: 3600,
        limit: Some(0),
        ..Api::default()
    }
    .start()
    .await
    .unwrap();
    let replica = || {
        builder(&url)
            .rate_limit(redis(&server).rate_limit("name", 1000, 2))
            .build()
            .unwrap()
    };
    let (first, second) = (replica(), replica());
    let once = first.with(CallOptions::new().retry(upvest_ext::RetryPolicy::never()));
    let error = once.list_orders().send().await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(429));
    assert_eq!(api.seen().refused, 1);
    let hasty = second.with(CallOptions::new().call_timeout(SECOND / 5));
    assert_eq!(
        hasty.list_orders().send().await.unwrap_err().kind(),
        ErrorKind::RateLimited
    );
    assert_eq!(api.seen().refused, 1, "the second has not asked");
}

// Webhooks, and Postgres

fn event(id: Uuid) -> serde_json::Value {
    json!({"id": id, "created_at": "2026-01-02T03:04:05Z", "type": "ORDER.FILLED", "object": {"id": id}})
}

fn decoded(id: Uuid) -> Event {
    decode_events(event(id).to_string().as_bytes())
        .remove(0)
        .unwrap()
}

async fn deliver(
    tester: &WebhookTester,
    handler: &WebhookHandler,
    events: &[serde_json::Value],
) -> Outcome {
    handler
        .handle(&tester.deliver("/webhooks", events).received())
        .await
}

#[tokio::test]
async fn an_event_is_not_acknowledged_while_its_store_is_away_and_handled_when_it_is_back() {
    let tester = WebhookTester::new().unwrap();
    let check = async |handler: WebhookHandler, server: &mut Server| {
        let id = Uuid::new_v4();
        server.kill().unwrap();
        let started = Instant::now();
        let outcome = deliver(&tester, &handler, &[event(id)]).await;
        assert_eq!(
            (outcome.status.as_u16(), outcome.handled),
            (500, 0),
            "{outcome:?}"
        );
        assert!(started.elapsed() < SOON);
        server.restart().unwrap();
        let started = Instant::now();
        while deliver(&tester, &handler, &[event(id)]).await.handled == 0 {
            assert!(started.elapsed() < 10 * SECOND);
        }
        assert_eq!(deliver(&tester, &handler, &[event(id)]).await.repeated, 1);
    };
    let handler = || WebhookHandler::new(tester.verifier()).otherwise(async |_| Ok(()));
    if let Some(mut server) = Server::redis().unwrap() {
        check(
            handler().dedup_store(redis(&server).dedup_store()),
            &mut server,
        )
        .await;
    }
    if let Some(mut server) = Server::postgres().unwrap() {
        let store = Postgres::new(pool(&server.url(), 2).unwrap());
        store.migrate().await.unwrap();
        check(handler().dedup_store(store), &mut server).await;
    }
}

#[tokio::test]
async fn twenty_replicas_create_the_table_at_once() {
    let Some(server) = Server::postgres().unwrap() else {
        return;
    };
    let migrations = (0..20).map(|_| {
        let store = Postgres::new(pool(&server.url(), 1).unwrap());
        tokio::spawn(async move { store.migrate().await })
    });
    for migrated in join_all(migrations).await {
        migrated.unwrap().unwrap();
    }
}

#[tokio::test]
async fn only_one_of_two_transactions_marks_an_event() {
    let Some(server) = Server::postgres().unwrap() else {
        return;
    };
    let pool = pool(&server.url(), 4).unwrap();
    let store = Postgres::new(pool.clone());
    store.migrate().await.unwrap();
    for first_commits in [true, false] {
        let event = decoded(Uuid::new_v4());
        let (mut one, mut two) = (pool.get().await.unwrap(), pool.get().await.unwrap());
        let first = one.transaction().await.unwrap();
        assert!(Postgres::mark_handled(&first, &event).await.unwrap());
        let waits = async {
            let second = two.transaction().await.unwrap();
            let is_first = Postgres::mark_handled(&second, &event).await.unwrap();
            second.commit().await.unwrap();
            is_first
        };
        let ends = async {
            if first_commits {
                first.commit().await
            } else {
                first.rollback().await
            }
        };
        let (goes_on, ended) = tokio::join!(waits, ends);
        ended.unwrap();
        assert_eq!(goes_on, !first_commits);
        assert_eq!(
            store.claim(&event.id.to_string()).await.unwrap(),
            ClaimResult::Done
        );
    }
}

#[tokio::test]
async fn a_claim_does_not_wait_for_the_transaction_that_is_handling_the_event() {
    let Some(server) = Server::postgres().unwrap() else {
        return;
    };
    let pool = pool(&server.url(), 4).unwrap();
    let store = Postgres::new(pool.clone());
    store.migrate().await.unwrap();
    let event = decoded(Uuid::new_v4());
    let id = event.id.to_string();
    let (claim, _) = claimed(store.claim(&id).await.unwrap());
    let mut connection = pool.get().await.unwrap();
    let transaction = connection.transaction().await.unwrap();
    assert!(Postgres::mark_handled(&transaction, &event).await.unwrap());
    assert_eq!(store.claim(&id).await.unwrap(), ClaimResult::Busy);
    transaction.commit().await.unwrap();
    store.failed(&id, claim).await.unwrap();
    assert_eq!(
        store.claim(&id).await.unwrap(),
        ClaimResult::Done,
        "what was committed stays"
    );
}

#[tokio::test]
async fn a_database_that_takes_too_long_is_an_error_in_time() {
    let Some(server) = Server::postgres().unwrap() else {
        return;
    };
    let pool = pool(&server.url(), 4).unwrap();
    let store = Postgres::new(pool.clone()).timeout(SECOND / 2);
    store.migrate().await.unwrap();
    let mut connection = pool.get().await.unwrap();
    let lock = connection.transaction().await.unwrap();
    lock.batch_execute("lock table upvest_webhook_events")
        .await
        .unwrap();
    let started = Instant::now();
    let error = store.claim("event").await.unwrap_err();
    assert!(started.elapsed() < 2 * SECOND, "{:?}", started.elapsed());
    assert!(error.to_string().contains("500ms"), "{error}");
    lock.rollback().await.unwrap();
    // The cancelled statement may have claimed the event, so another event is used.
    claimed(store.claim("another").await.unwrap());
}

#[tokio::test]
async fn a_connection_that_hangs_is_replaced() {
    let Some(server) = Server::postgres().unwrap() else {
        return;
    };
    let pool = pool(&server.url(), 1).unwrap();
    let store = Postgres::new(pool.clone()).timeout(SECOND / 2);
    store.migrate().await.unwrap();
    let row = pool
        .get()
        .await
        .unwrap()
        .query_one("select pg_backend_pid()", &[])
        .await
        .unwrap();
    let pid = row.get::<_, i32>(0).to_string();
    let signal = |signal: &str| {
        std::process::Command::new("kill")
            .args([signal, &pid])
            .status()
            .unwrap()
    };
    signal("-STOP");
    let error = store.claim("event").await.unwrap_err();
    assert!(error.to_string().contains("500ms"), "{error}");
    let result = store.claim("event").await;
    signal("-CONT");
    claimed(result.unwrap());
}

#[tokio::test]
async fn dead_letters_are_kept_in_the_table_and_can_be_handled_again() {
    let Some(server) = Server::postgres().unwrap() else {
        return;
    };
    let pool = pool(&server.url(), 4).unwrap();
    let store = Postgres::new(pool.clone());
    store.migrate().await.unwrap();
    let tester = WebhookTester::new().unwrap();
    let handler = WebhookHandler::new(tester.verifier())
        .otherwise(async |_| Err("no such\0 account".into()))
        .dedup_store(store.clone())
        .dead_letter_after(2, store);
    let id = Uuid::new_v4();
    let events = [event(id), json!({"id": "not an event"})];
    let outcome = deliver(&tester, &handler, &events).await;
    assert_eq!(
        (
            outcome.status.as_u16(),
            outcome.dead_lettered,
            outcome.failures.len()
        ),
        (500, 1, 1)
    );
    let outcome = deliver(&tester, &handler, &events).await;
    assert_eq!(
        (
            outcome.status.as_u16(),
            outcome.dead_lettered,
            outcome.repeated
        ),
        (200, 1, 1),
        "{outcome:?}"
    );
    let query = "select event, attempts, dead_letter, event_type, failure from upvest_webhook_events \
        where dead_letter is not null order by event_type nulls last";
    let rows = pool.get().await.unwrap().query(query, &[]).await.unwrap();
    assert_eq!(rows.len(), 2);
    let (name, attempts): (String, i32) = (rows[0].get(0), rows[0].get(1));
    let (json, kind, reason): (Vec<u8>, Option<String>, String) =
        (rows[0].get(2), rows[0].get(3), rows[0].get(4));
    assert_eq!((name, attempts), (id.to_string(), 2));
    assert_eq!(
        (kind.as_deref(), &*reason),
        (Some("ORDER.FILLED"), "no such account")
    );
    assert_eq!(decode_events(&json).remove(0).unwrap().id, id);
    let (name, json): (String, Vec<u8>) = (rows[1].get(0), rows[1].get(2));
    assert!(
        name.starts_with("sha256:") && json == br#"{"id":"not an event"}"#,
        "{name}"
    );
    // After the claim is released as in the guide, the next delivery is handled.
    let free = "update upvest_webhook_events set handled_at = null, dead_letter = null, attempts = 0 where event = $1";
    pool.get()
        .await
        .unwrap()
        .execute(free, &[&id.to_string()])
        .await
        .unwrap();
    let mended = WebhookHandler::new(tester.verifier())
        .otherwise(async |_| Ok(()))
        .dedup_store(Postgres::new(pool.clone()));
    assert_eq!(deliver(&tester, &mended, &[event(id)]).await.handled, 1);
}

#[tokio::test]
async fn an_error_of_the_database_shows_no_values_of_rows() {
    let Some(server) = Server::postgres().unwrap() else {
        return;
    };
    let pool = pool(&server.url(), 4).unwrap();
    let store = Postgres::new(pool.clone());
    let error = store.claim("event").await.unwrap_err();
    assert!(
        error.to_string().contains("upvest_webhook_events"),
        "the missing table is named: {error}"
    );
    store.migrate().await.unwrap();
    let check = "alter table upvest_webhook_events add constraint short check (length(event) < 3)";
    pool.get()
        .await
        .unwrap()
        .batch_execute(check)
        .await
        .unwrap();
    let error = store.claim("a value").await.unwrap_err();
    assert!(
        !format!("{error} {error:?}").contains("a value"),
        "{error:?}"
    );
}
