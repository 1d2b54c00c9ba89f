//! Shared settings of the tests of shared stores and their replicas.

use std::str::FromStr as _;

use anyhow::Result;
use deadpool_postgres::Pool;

/// How many replicas there are.
pub const REPLICAS: u32 = 20;

/// How many seconds of a simulated hour pass in one second.
pub const SPEED: u32 = 240;

/// The client id of all replicas.
pub const CLIENT_ID: &str = "0b8f1c5e-6f0a-4b7d-9c3e-2a4d5e6f7081";

/// The client secret of all replicas.
pub const CLIENT_SECRET: &str = "a secret that no store may hold";

/// A pool of up to `size` connections.
///
/// # Errors
///
/// If `url` is not the URL of a database.
pub fn pool(url: &str, size: usize) -> Result<Pool> {
    let config = tokio_postgres::Config::from_str(url)?;
    let manager = deadpool_postgres::Manager::new(config, tokio_postgres::NoTls);
    Ok(Pool::builder(manager).max_size(size).build()?)
}
