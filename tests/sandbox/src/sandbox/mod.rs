//! A running sandbox.

mod shorthands;
mod start;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use axum::middleware::from_fn_with_state;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::access::{CLIENT_ID, CLIENT_SECRET, KEY_ID};
use crate::clients::Clients;
use crate::clients::builder::{SandboxBuilder, StartError};
use crate::commands::{Command, CommandError};
use crate::control;
use crate::demo;
use crate::events::EventRecord;
use crate::http::server::{self, Limits, ServerState};
use crate::log::{DeliveryRecord, RequestRecord};
use crate::request_handling;
use crate::shared::Shared;
use crate::shared::clock::A_CENTURY;

/// A server with the whole API on a port of this machine. It is stopped when this value is dropped.
///
/// Its clock stands still until it is [advanced](Sandbox::advance), unless it was built with a
/// [speed](SandboxBuilder::speed):
///
/// ```
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use upvest_ext::Upvest;
/// use upvest_ext::api::types::{OrderCreate, OrderSide, OrderStatus, OrderType};
/// use upvest_sandbox::Sandbox;
///
/// let sandbox = Sandbox::start().await?;
/// let upvest = Upvest::from_vars(sandbox.vars())?;
/// let account = sandbox.open_account("1000.00").await?;
///
/// let order = OrderCreate::builder()
///     .account_id(account)
///     .instrument_id(Sandbox::instrument("IE00B3XXRP09"))
///     .side(OrderSide::Buy)
///     .type_(OrderType::Market)
///     .cash_amount("250.00");
/// let order = upvest.create_order().body(order).send().await?;
/// sandbox.advance(Duration::from_secs(2)).await;
///
/// let order = upvest.retrieve_order().order_id(order.id).send().await?;
/// assert_eq!(order.status, Some(OrderStatus::Filled));
/// # Ok(()) }
/// ```
pub struct Sandbox {
    /// The state of the default client.
    pub(crate) shared: Arc<Shared>,
    clients: Arc<Clients>,
    address: SocketAddr,
    server: Option<JoinHandle<()>>,
    /// The task that follows the clock.
    task: JoinHandle<()>,
}

impl Sandbox {
    /// Starts a sandbox on a free port. The clock stands still and all checks are enabled.
    ///
    /// # Errors
    ///
    /// [`StartError`] if no port of this machine is free.
    pub async fn start() -> Result<Self, StartError> {
        SandboxBuilder::default().start().await
    }

    /// Starts building a sandbox with other settings.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::default()
    }

    /// Starts the server and the clock of these clients, and returns without waiting for requests.
    pub(crate) fn serve(clients: Arc<Clients>, listener: TcpListener) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let shared = Arc::clone(&clients.first);
        let router = request_handling::routes(&clients).merge(control::routes(&clients));
        let router = match shared.setup.cors.as_slice() {
            [] => router,
            _ => router.layer(from_fn_with_state(Arc::clone(&shared), control::cors)),
        };
        let state = shared.port.server.subscribe();
        let listening = shared.port.listening.clone();
        let server = tokio::spawn(server::serve(
            listener,
            router,
            state,
            listening,
            Limits::default(),
        ));
        let alive = Arc::clone(&shared);
        let task = tokio::spawn(async move { alive.drive().await });
        Ok(Self {
            shared,
            clients,
            address,
            server: Some(server),
            task,
        })
    }

    /// The base URL, such as `http://127.0.0.1:40123`.
    pub fn url(&self) -> String {
        // `0.0.0.0` stands for all addresses. A client needs one of them.
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        format!("http://{address}")
    }

    /// The address on which it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The id of the default client. The methods of this type use this client.
    pub fn client_id(&self) -> &'static str {
        CLIENT_ID
    }

    /// The secret of that client.
    pub fn client_secret(&self) -> &'static str {
        CLIENT_SECRET
    }

    /// The id of the key that this client signs with.
    pub fn key_id(&self) -> &'static str {
        KEY_ID
    }

    /// The private key as PEM, not encrypted.
    pub fn signing_key_pem(&self) -> &'static str {
        demo::KEY
    }

    /// The settings of a client for this sandbox, under the names of the environment variables that the SDK reads:
    /// address, credentials and signing key. Other settings are as in production.
    ///
    /// ```
    /// use upvest_ext::Upvest;
    /// use upvest_sandbox::Sandbox;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sandbox = Sandbox::start().await?;
    /// let upvest = Upvest::from_vars(sandbox.vars())?;
    /// assert!(upvest.list_orders().send().await?.data.is_empty());
    /// # Ok(()) }
    /// ```
    pub fn vars(&self) -> impl Fn(&str) -> Option<String> + Clone + use<> {
        let url = self.url();
        move |name| {
            let value = match name {
                "UPVEST_ENVIRONMENT" => url.as_str(),
                "UPVEST_CLIENT_ID" => CLIENT_ID,
                "UPVEST_CLIENT_SECRET" => CLIENT_SECRET,
                "UPVEST_SIGNING_KEY_ID" => KEY_ID,
                "UPVEST_SIGNING_KEY" => demo::KEY,
                _ => return None,
            };
            Some(value.to_owned())
        }
    }

    /// The time of the sandbox's clock.
    pub fn now(&self) -> DateTime<Utc> {
        self.shared.clock.now()
    }

    /// Advances the clock, by a hundred years at most. When this returns, everything that is due by then has happened:
    /// orders are filled, plans are executed, and events are delivered, again if an endpoint has failed.
    pub async fn advance(&self, by: Duration) {
        self.shared
            .advance(
                TimeDelta::from_std(by)
                    .unwrap_or(TimeDelta::MAX)
                    .min(A_CENTURY),
            )
            .await;
    }

    /// Waits until all events that can be delivered now have been delivered.
    pub async fn settle(&self) {
        self.advance(Duration::ZERO).await;
    }

    /// Executes a command of the control API.
    ///
    /// # Errors
    ///
    /// [`CommandError`] with the reason. Nothing has changed then.
    pub async fn execute(&self, command: Command) -> Result<Value, CommandError> {
        self.clients.execute(&self.shared, command).await
    }

    /// As [`Sandbox::execute`], for a client that [`SandboxBuilder::client`] or [`Command::CreateClient`] has created.
    ///
    /// # Errors
    ///
    /// As [`Sandbox::execute`], and if there is no such client.
    pub async fn execute_for(
        &self,
        client_id: &str,
        command: Command,
    ) -> Result<Value, CommandError> {
        let client = self
            .clients
            .named(client_id)
            .ok_or_else(|| CommandError::no_client(client_id))?;
        self.clients.execute(&client, command).await
    }

    /// The requests so far, oldest first. By default the latest hundred thousand are kept.
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.shared.requests().records()
    }

    /// The events so far, oldest first. By default the latest ten thousand are kept.
    pub fn events(&self) -> Vec<EventRecord> {
        self.shared.events()
    }

    /// The delivery attempts so far, oldest first. By default the latest hundred thousand are kept.
    pub fn deliveries(&self) -> Vec<DeliveryRecord> {
        self.shared.deliveries().records()
    }

    /// All errors in the books. Empty unless the sandbox has a bug.
    pub fn audit(&self) -> Vec<String> {
        self.shared.core_to_read().state.audit()
    }

    /// Writes the state to a file that [`SandboxBuilder::load`] reads, completely or not at all: all resources of the
    /// API, idempotency keys, events that wait for delivery, and registered public keys. Tokens, faults, the logs of
    /// requests and deliveries, and the keys that sign deliveries are not part of it.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.clients.save(path.as_ref())
    }

    /// Stops gracefully: open calls are answered within five seconds, and the state is saved if
    /// [`SandboxBuilder::save`] is set.
    ///
    /// # Errors
    ///
    /// If the state cannot be saved.
    pub async fn stop(mut self) -> io::Result<()> {
        self.shared.port.server.send_replace(ServerState::Stopping);
        if let Some(server) = self.server.take() {
            let _ = server.await;
        }
        Ok(self.clients.save_to_file()?)
    }

    /// Stops immediately: open connections break, and no new ones are accepted.
    pub async fn kill(mut self) {
        self.shared.port.server.send_replace(ServerState::Killed);
        if let Some(server) = self.server.take() {
            let _ = server.await;
        }
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.shared.port.server.send_replace(ServerState::Killed);
        self.task.abort();
        if let Some(server) = self.server.take() {
            server.abort();
        }
    }
}
