//! The cost of shared stores: a warm call with and without them, and the handling of an event, with real servers on this machine.
//!
//! `cargo bench -p upvest-tests --bench shared`. Figures are medians of alternating measurements. It fails if a warm
//! call with a shared token store costs over ten percent more than one without, as a token in memory needs no round trip.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use upvest_ext::stores::{Postgres, Redis};
use upvest_ext::webhooks::{ClaimResult, DedupStore, MemoryDedupStore};
use upvest_ext::{Environment, RateLimit, Upvest, UpvestBuilder};
use upvest_tests::api::Api;
use upvest_tests::replicas::{CLIENT_ID, CLIENT_SECRET, pool};
use upvest_tests::servers::Server;
use uuid::Uuid;

const ROUNDS: usize = 3000;
const WARM_UP: usize = 300;
const FAST: u32 = 1_000_000;
const STORE_AT_MOST: f64 = 1.1;

fn main() -> anyhow::Result<ExitCode> {
    let (Some(redis_server), Some(postgres)) = (Server::redis()?, Server::postgres()?) else {
        return Ok(ExitCode::FAILURE);
    };
    // The server has its own threads.
    let servers = tokio::runtime::Runtime::new()?;
    let (_, url) = servers.block_on(
        Api {
            token_life: 86_400,
            ..Api::default()
        }
        .start(),
    )?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let redis = Redis::open(redis_server.url())?;
        let store = || Arc::new(redis.token_store(CLIENT_SECRET));
        let plain = builder(&url)?.build()?;
        let shared = builder(&url)?.token_store(store()).build()?;
        let limited = builder(&url)?.rate_limit(RateLimit::at_most(FAST)).build()?;
        let limited_together = builder(&url)?.rate_limit(redis.rate_limit(CLIENT_ID, FAST, 20)).build()?;
        let [plain, shared, limited, limited_together] =
            in_turn([&plain, &shared, &limited, &limited_together]).await;
        println!("a warm call                                  {plain:>10.1?}");
        println!("  with tokens in Redis                       {shared:>10.1?}");
        println!("  with a rate limit of its own               {limited:>10.1?}");
        println!("  with a rate limit in Redis                 {limited_together:>10.1?}");

        let cold = || async {
            let client = builder(&url).and_then(|builder| Ok(builder.token_store(store()).build()?));
            call(&client.expect("the settings are right")).await;
        };
        println!("the first call of a replica, token in Redis  {:>10.1?}", median(300, cold).await);

        let database = Postgres::new(pool(&postgres.url(), 1)?);
        database.migrate().await?;
        for (name, store) in [
            ("memory", &MemoryDedupStore::default() as &dyn DedupStore),
            ("Redis", &redis.dedup_store()),
            ("Postgres", &database),
        ] {
            let name = format!("an event claimed and done, {name}");
            println!("{name:<45}{:>10.1?}", median(ROUNDS, || handle(store)).await);
        }
        let ratio = shared.as_secs_f64() / plain.as_secs_f64();
        println!(
            "tokens in Redis cost a warm call {ratio:.2} times its time, at most {STORE_AT_MOST} allowed"
        );
        Ok(if ratio <= STORE_AT_MOST { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

fn builder(url: &str) -> anyhow::Result<UpvestBuilder> {
    Ok(Upvest::builder(Environment::Custom(url.parse()?)).credentials(CLIENT_ID, CLIENT_SECRET))
}

async fn call(upvest: &Upvest) {
    upvest
        .list_orders()
        .send()
        .await
        .expect("the server answers");
}

async fn handle(store: &dyn DedupStore) {
    let event = Uuid::new_v4().to_string();
    let Ok(ClaimResult::Ours { claim, .. }) = store.claim(&event).await else {
        panic!("the event is new")
    };
    store.done(&event, claim).await.expect("the store answers");
}

/// One call of each client in each round.
async fn in_turn<const N: usize>(clients: [&Upvest; N]) -> [Duration; N] {
    let mut times = [(); N].map(|()| Vec::with_capacity(ROUNDS));
    for round in 0..WARM_UP + ROUNDS {
        for (client, times) in clients.iter().zip(&mut times) {
            let started = Instant::now();
            call(client).await;
            if round >= WARM_UP {
                times.push(started.elapsed());
            }
        }
    }
    times.map(middle)
}

async fn median<F: Future>(rounds: usize, mut work: impl FnMut() -> F) -> Duration {
    let mut times = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let started = Instant::now();
        work().await;
        times.push(started.elapsed());
    }
    middle(times)
}

fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
