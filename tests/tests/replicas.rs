//! Twenty processes that share state through real servers.
#![cfg(unix)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc;
use upvest_ext::signing::{KeyAlgorithm, SigningKey};
use upvest_ext::stores::Postgres;
use upvest_ext::webhooks::WebhookTester;
use upvest_tests::api::Api;
use upvest_tests::replicas::{REPLICAS, SPEED, pool};
use upvest_tests::servers::Server;
use uuid::Uuid;

const SECOND: Duration = Duration::from_secs(1);

/// Only one of these tests runs at a time, as they measure time.
static MACHINE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// A replica process, which is killed when this is dropped.
struct Replica {
    process: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Replica {
    fn start(args: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_replica"))
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let input = process.stdin.take().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap()).lines();
        Self {
            process,
            input,
            output,
        }
    }

    async fn line(&mut self) -> String {
        self.output
            .next_line()
            .await
            .unwrap()
            .expect("the replica has ended")
    }

    async fn begin(&mut self) {
        self.input.write_all(b"\n").await.unwrap();
    }
}

/// Twenty replicas that start at the same time.
async fn begin(args: impl Fn(&str) -> Vec<String>) -> BTreeMap<String, Replica> {
    let names = (0..REPLICAS).map(|number| format!("replica-{number}"));
    let mut replicas: BTreeMap<_, _> = names
        .map(|name| {
            let args = args(&name);
            let args: Vec<_> = args.iter().map(String::as_str).collect();
            (name, Replica::start(&args))
        })
        .collect();
    for replica in replicas.values_mut() {
        assert_eq!(replica.line().await, "ready");
    }
    for replica in replicas.values_mut() {
        replica.begin().await;
    }
    replicas
}

async fn end(replicas: BTreeMap<String, Replica>) {
    for (name, mut replica) in replicas {
        assert_eq!(replica.line().await, "done", "{name}");
    }
}

fn args(args: &[&str]) -> Vec<String> {
    args.iter().map(|arg| (*arg).to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_cold_replicas_with_two_hundred_calls_each_ask_for_one_token() {
    let _machine = MACHINE.lock().await;
    let Some(redis) = Server::redis().unwrap() else {
        return;
    };
    let (api, url) = Api {
        token_life: 3600,
        ..Api::default()
    }
    .start()
    .await
    .unwrap();
    end(begin(|name| args(&["calls", name, &url, &redis.url(), "200"])).await).await;
    let seen = api.seen();
    assert_eq!((seen.tokens.len(), seen.answered), (1, 4000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_is_killed_while_it_asks_costs_one_more_request() {
    let _machine = MACHINE.lock().await;
    let Some(redis) = Server::redis().unwrap() else {
        return;
    };
    let (api, url) = Api {
        token_life: 3600,
        ignores_first: true,
        ..Api::default()
    }
    .start()
    .await
    .unwrap();
    let mut replicas = begin(|name| args(&["calls", name, &url, &redis.url(), "200"])).await;
    api.token_asked.notified().await;
    let holder = api.seen().tokens[0].0.clone();
    let mut killed = replicas.remove(&holder).unwrap();
    killed.process.kill().await.unwrap();
    end(replicas).await;
    let seen = api.seen();
    assert_eq!(
        (seen.tokens.len(), seen.answered),
        (2, 3800),
        "{holder} was killed"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_hour_with_renewals_costs_one_request_per_renewal() {
    let _machine = MACHINE.lock().await;
    let Some(redis) = Server::redis().unwrap() else {
        return;
    };
    // A token is renewed with the next call after 720 s, so there are four renewals in an hour.
    let (api, url) = Api {
        token_life: 900,
        ..Api::default()
    }
    .start()
    .await
    .unwrap();
    let started = Instant::now();
    end(begin(|name| args(&["hour", name, &url, &redis.url()])).await).await;
    let seen = api.seen();
    println!(
        "{:?} of real time at speed {SPEED}, {} calls",
        started.elapsed(),
        seen.answered
    );
    let times: Vec<_> = seen
        .tokens
        .iter()
        .map(|(name, at)| (name.clone(), at.duration_since(started) * SPEED))
        .collect();
    assert_eq!(times.len(), 1 + 4, "{times:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_replicas_use_a_limit_of_300_per_second_and_are_hardly_ever_refused() {
    let _machine = MACHINE.lock().await;
    let Some(redis) = Server::redis().unwrap() else {
        return;
    };
    let (api, url) = Api {
        token_life: 3600,
        limit: Some(300),
        ..Api::default()
    }
    .start()
    .await
    .unwrap();
    let replicas = begin(|name| args(&["rate", name, &url, &redis.url(), "300", "12"])).await;
    let started = Instant::now();
    end(replicas).await;
    let elapsed = started.elapsed().as_secs_f64();
    let count = |number: usize| f64::from(u32::try_from(number).unwrap());
    let seen = api.seen();
    let (answered, refused) = (count(seen.answered), count(seen.refused));
    let (used, share) = (answered / elapsed / 300.0, refused / (answered + refused));
    println!(
        "{:.1} % of the limit used in {elapsed:.1} s, {:.2} % refused",
        used * 100.0,
        share * 100.0
    );
    assert!(used >= 0.85 && share < 0.01, "used {used}, refused {share}");
}

const EVENTS: usize = 10_000;
/// Events in one delivery.
const BATCH: usize = 5;
/// The number of concurrent deliveries.
const SENDERS: usize = 16;

/// The effects of the events with their replicas, and the replicas that were killed.
struct Told {
    ids: Vec<Uuid>,
    killed: BTreeSet<String>,
}

/// Delivers 10,000 events twice, in random order, to twenty replicas of which one is killed every second, until each is accepted.
async fn deliver_all_to_dying_replicas(store: &str, url: &str) -> Told {
    let key = SigningKey::generate(KeyAlgorithm::Ed25519).unwrap();
    let tester = Arc::new(WebhookTester::with_key(key));
    let jwks = tester.key_set().to_json();
    let start = |number: u32| {
        let name = format!("replica-{number}");
        let replica = Replica::start(&["events", &name, store, url, &jwks]);
        (name, replica)
    };
    // The replicas by port.
    let live = Arc::new(Mutex::new(BTreeMap::new()));
    let add = async |(name, mut replica): (String, Replica)| {
        let port: u16 = replica.line().await.parse().unwrap();
        live.lock().unwrap().insert(port, (name, replica));
    };
    for replica in (0..REPLICAS).map(start).collect::<Vec<_>>() {
        add(replica).await;
    }

    let ids: Vec<_> = (0..EVENTS).map(|_| Uuid::new_v4()).collect();
    let mut twice: Vec<_> = ids.iter().chain(&ids).copied().collect();
    twice.shuffle(&mut rand::rng());
    let queue: VecDeque<Vec<Uuid>> = twice.chunks(BATCH).map(<[_]>::to_vec).collect();
    let queue = Arc::new(Mutex::new(queue));
    let (sent, mut all_sent) = mpsc::channel::<()>(1);
    for _ in 0..SENDERS {
        let (queue, live, tester, sent) = (
            Arc::clone(&queue),
            Arc::clone(&live),
            Arc::clone(&tester),
            sent.clone(),
        );
        tokio::spawn(async move {
            let http = reqwest::Client::builder()
                .no_proxy()
                .timeout(10 * SECOND)
                .build()
                .unwrap();
            while let Some(batch) = { queue.lock().unwrap().pop_front() } {
                let ports: Vec<u16> = live.lock().unwrap().keys().copied().collect();
                let port = *ports.choose(&mut rand::rng()).unwrap();
                if !deliver(&http, &tester, port, &batch).await {
                    queue.lock().unwrap().push_back(batch);
                    // A sender waits before it repeats a delivery.
                    tokio::time::sleep(SECOND / 50).await;
                }
            }
            drop(sent);
        });
    }
    drop(sent);

    let mut killed = BTreeSet::new();
    let mut next = REPLICAS;
    let mut every_second = tokio::time::interval(SECOND);
    every_second.tick().await;
    loop {
        tokio::select! {
            biased;
            _ = all_sent.recv() => break,
            _ = every_second.tick() => {
                let (name, mut victim) = {
                    let mut live = live.lock().unwrap();
                    let ports: Vec<u16> = live.keys().copied().collect();
                    live.remove(ports.choose(&mut rand::rng()).unwrap()).unwrap()
                };
                victim.process.kill().await.unwrap();
                killed.insert(name);
                add(start(next)).await;
                next += 1;
            }
        }
    }
    println!("{store}: {} replicas were killed", killed.len());
    assert!(killed.len() >= 3, "too fast for anyone to be killed");
    Told { ids, killed }
}

async fn deliver(
    http: &reqwest::Client,
    tester: &WebhookTester,
    port: u16,
    batch: &[Uuid],
) -> bool {
    let events: Vec<_> = batch.iter().map(|id| event(*id)).collect();
    let delivery = tester.deliver("/webhooks", &events);
    let request = http.post(format!("http://127.0.0.1:{port}/webhooks"));
    // A replica that is killed does not answer; one that finds the event busy asks for it again.
    let Ok(answer) = request
        .headers(delivery.headers)
        .body(delivery.body)
        .send()
        .await
    else {
        return false;
    };
    let status = answer.status();
    assert!(
        [StatusCode::OK, StatusCode::INTERNAL_SERVER_ERROR].contains(&status),
        "{status}"
    );
    status == StatusCode::OK
}

fn event(id: Uuid) -> serde_json::Value {
    json!({"id": id, "created_at": "2026-01-02T03:04:05Z", "type": "ORDER.FILLED", "object": {"id": id}})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_postgres_each_effect_exists_exactly_once_despite_killed_replicas() {
    let _machine = MACHINE.lock().await;
    let Some(server) = Server::postgres().unwrap() else {
        return;
    };
    let pool = pool(&server.url(), 2).unwrap();
    Postgres::new(pool.clone()).migrate().await.unwrap();
    let client = pool.get().await.unwrap();
    client
        .batch_execute("create table effects (event uuid, replica text)")
        .await
        .unwrap();
    let told = deliver_all_to_dying_replicas("postgres", &server.url()).await;
    let rows = client
        .query("select event from effects", &[])
        .await
        .unwrap();
    let effects: BTreeSet<Uuid> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(
        (rows.len(), effects),
        (EVENTS, told.ids.into_iter().collect())
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_redis_each_event_is_handled_and_twice_only_if_a_replica_was_killed() {
    let _machine = MACHINE.lock().await;
    let Some(server) = Server::redis().unwrap() else {
        return;
    };
    let told = deliver_all_to_dying_replicas("redis", &server.url()).await;
    let client = redis::Client::open(server.url()).unwrap();
    let mut redis = client.get_multiplexed_async_connection().await.unwrap();
    let mut repeated = 0;
    for id in told.ids {
        let mut range = redis::cmd("LRANGE");
        range.arg(format!("effect:{id}")).arg(0).arg(-1);
        let handled: Vec<String> = range.query_async(&mut redis).await.unwrap();
        let (_, before) = handled.split_last().expect("an event was lost");
        assert!(
            before.iter().all(|name| told.killed.contains(name)),
            "{handled:?}"
        );
        repeated += before.len();
    }
    println!("handled again after a kill: {repeated} of {EVENTS}");
}
