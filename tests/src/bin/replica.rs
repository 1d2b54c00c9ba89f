//! A replica, which the tests of shared stores start twenty times and kill.
//!
//! `replica calls|hour|rate|events NAME SETTINGS...`. It says `ready` (or its port) and begins when it reads a line.

use std::fmt::Display;
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result, bail};
use upvest_ext::signing::KeyAlgorithm;
use upvest_ext::stores::{Postgres, Redis, RedisTokenStore};
use upvest_ext::webhooks::{HandlerError, KeySet, WebhookHandler, WebhookVerifier, axum};
use upvest_ext::{
    BoxFuture, Clock, Environment, ErrorKind, StoredToken, TokenClaim, TokenKey, TokenStore,
    Upvest, UpvestBuilder,
};
use upvest_tests::replicas::{CLIENT_ID, CLIENT_SECRET, REPLICAS, SPEED};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["calls", name, api, redis, calls] => make_calls(name, api, redis, calls.parse()?).await,
        ["hour", name, api, redis] => live_an_hour(name, api, redis).await,
        ["rate", name, api, redis, per_second, seconds] => {
            keep_calling(name, api, redis, per_second.parse()?, seconds.parse()?).await
        }
        ["events", name, store, url, jwks] => handle_events(name, store, url, jwks).await,
        _ => bail!("unknown arguments: {args:?}"),
    }
}

fn builder(name: &str, api: &str) -> Result<UpvestBuilder> {
    let builder = Upvest::builder(Environment::Custom(api.parse()?));
    Ok(builder
        .credentials(CLIENT_ID, CLIENT_SECRET)
        .user_agent(name))
}

fn say(what: impl Display) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{what}")?;
    Ok(out.flush()?)
}

fn begin_together() -> Result<()> {
    say("ready")?;
    std::io::stdin().read_line(&mut String::new())?;
    Ok(())
}

async fn make_calls(name: &str, api: &str, redis: &str, calls: usize) -> Result<()> {
    let store = Redis::open(redis)?.token_store(CLIENT_SECRET);
    // A claim is valid for a quarter of this.
    let upvest = builder(name, api)?
        .token_store(Arc::new(store))
        .timeout(Duration::from_secs(8))
        .build()?;
    begin_together()?;
    for _ in 0..calls {
        upvest.list_orders().send().await?;
    }
    say("done")
}

/// An hour by a clock that runs faster than the machine's.
async fn live_an_hour(name: &str, api: &str, redis: &str) -> Result<()> {
    let clock = FastClock(Instant::now(), SystemTime::now());
    let store = FastStore(Redis::open(redis)?.token_store(CLIENT_SECRET));
    let hour = Duration::from_secs(3600);
    let builder = builder(name, api)?
        .clock(clock)
        .token_store(Arc::new(store));
    let upvest = builder.timeout(hour / 4).call_timeout(hour).build()?;
    begin_together()?;
    let started = clock.now();
    while clock.now() - started < hour {
        upvest.list_orders().send().await?;
        clock.sleep(hour / 60).await;
    }
    say("done")
}

#[derive(Clone, Copy, Debug)]
struct FastClock(Instant, SystemTime);

impl Clock for FastClock {
    fn now(&self) -> Instant {
        self.0 + self.0.elapsed() * SPEED
    }

    fn wall(&self) -> SystemTime {
        self.1 + self.0.elapsed() * SPEED
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration / SPEED))
    }
}

/// Converts the lifetime of a token for a server that runs at the speed of the machine.
#[derive(Debug)]
struct FastStore(RedisTokenStore);

impl TokenStore for FastStore {
    fn load<'a>(&'a self, key: &'a TokenKey) -> BoxFuture<'a, Option<StoredToken>> {
        Box::pin(async {
            let stored = self.0.load(key).await?;
            Some(StoredToken {
                left: stored.left * SPEED,
                ..stored
            })
        })
    }

    fn save<'a>(&'a self, key: &'a TokenKey, token: StoredToken) -> BoxFuture<'a, ()> {
        self.0.save(
            key,
            StoredToken {
                left: token.left / SPEED,
                ..token
            },
        )
    }

    fn remove<'a>(
        &'a self,
        key: &'a TokenKey,
        refused: &'a secrecy::SecretString,
    ) -> BoxFuture<'a, ()> {
        self.0.remove(key, refused)
    }

    fn claim<'a>(&'a self, key: &'a TokenKey, lease: Duration) -> BoxFuture<'a, TokenClaim> {
        self.0.claim(key, lease / SPEED)
    }

    fn release<'a>(&'a self, key: &'a TokenKey, claim: uuid::Uuid) -> BoxFuture<'a, ()> {
        self.0.release(key, claim)
    }
}

/// Makes as many calls as the limit allows, four at a time.
async fn keep_calling(
    name: &str,
    api: &str,
    redis: &str,
    per_second: u32,
    seconds: u64,
) -> Result<()> {
    let redis = Redis::open(redis)?;
    let limit = redis.rate_limit(CLIENT_ID, per_second, REPLICAS);
    let builder = builder(name, api)?.token_store(Arc::new(redis.token_store(CLIENT_SECRET)));
    let upvest = builder.rate_limit(limit).build()?;
    begin_together()?;
    let until = Instant::now() + Duration::from_secs(seconds);
    let calls = (0..4).map(|_| async {
        while Instant::now() < until {
            match upvest.list_orders().send().await {
                Err(error) if error.kind() != ErrorKind::RateLimited => return Err(error),
                _ => {}
            }
        }
        Ok(())
    });
    futures_util::future::try_join_all(calls).await?;
    say("done")
}

/// Handles deliveries until it is killed. The effect of each event is a row, or an entry of a list, with the name of this replica.
async fn handle_events(name: &str, store: &str, url: &str, jwks: &str) -> Result<()> {
    let handler = WebhookHandler::new(
        WebhookVerifier::new(KeySet::from_json(jwks)?).allow([KeyAlgorithm::Ed25519]),
    );
    let lease = Duration::from_secs(5);
    let name: Arc<str> = name.into();
    let handler = match store {
        "postgres" => {
            let pool = upvest_tests::replicas::pool(url, 2)?;
            let effects = pool.clone();
            handler
                .otherwise(move |event| {
                    let (effects, name) = (effects.clone(), Arc::clone(&name));
                    async move {
                        let mut connection = effects.get().await?;
                        let transaction = connection.transaction().await?;
                        if Postgres::mark_handled(&transaction, &event).await? {
                            let insert = "insert into effects (event, replica) values ($1, $2)";
                            transaction.execute(insert, &[&event.id, &&*name]).await?;
                            transaction.commit().await?;
                        }
                        Ok::<_, HandlerError>(())
                    }
                })
                .dedup_store(Postgres::new(pool).lease(lease))
        }
        "redis" => {
            let effects = redis::aio::ConnectionManager::new(redis::Client::open(url)?).await?;
            handler
                .otherwise(move |event| {
                    let (mut effects, name) = (effects.clone(), Arc::clone(&name));
                    async move {
                        let mut push = redis::cmd("RPUSH");
                        push.arg(format!("effect:{}", event.id)).arg(&*name);
                        Ok::<_, HandlerError>(push.exec_async(&mut effects).await?)
                    }
                })
                .dedup_store(
                    Redis::open(url)?
                        .timeout(Duration::from_secs(5))
                        .dedup_store()
                        .lease(lease),
                )
        }
        other => bail!("unknown store {other}"),
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    say(listener.local_addr().context("a port")?.port())?;
    let app = ::axum::Router::new().route("/webhooks", axum::route(handler));
    Ok(::axum::serve(listener, app).await?)
}
