//! The clients of a sandbox. Each has its own state, clock, faults and logs, so that concurrent tests do not affect
//! each other.

pub(crate) mod builder;
#[cfg(feature = "own-description")]
mod given;

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use http::HeaderMap;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::clients::builder::{SandboxBuilder, StartError};
use crate::commands::{Command, CommandError};
use crate::shared::{Core, Port, Shared};

/// The version of the format of saved states.
const VERSION: u32 = 6;
/// The most clients. Test runs have far fewer at a time.
const MAX_CLIENTS: usize = 1000;

pub(crate) struct Clients {
    /// The default client with the id [`crate::access::CLIENT_ID`].
    pub(crate) first: Arc<Shared>,
    others: RwLock<BTreeMap<String, Client>>,
    settings: SandboxBuilder,
}

struct Client {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Drop for Client {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The file with the state.
#[derive(Serialize, Deserialize)]
pub(crate) struct Saved<C> {
    #[serde(deserialize_with = "this_version")]
    version: u32,
    first: C,
    others: BTreeMap<String, SavedClient<C>>,
}

#[derive(Serialize, Deserialize)]
struct SavedClient<C> {
    secret: String,
    core: C,
}

impl Clients {
    /// The saved clients, and those of `settings`.
    pub(crate) fn start(
        settings: SandboxBuilder,
        saved: Option<Saved<Core>>,
    ) -> Result<Self, StartError> {
        let (first, mut saved) = saved.map_or((None, BTreeMap::new()), |saved| {
            (Some(saved.first), saved.others)
        });
        let first = Arc::new(settings.shared(None, first, Port::default())?);
        let named = settings.clients.clone();
        let clients = Self {
            first,
            others: RwLock::default(),
            settings,
        };
        for (id, secret) in named {
            // The secret in the settings replaces the saved one.
            let core = saved.remove(&id).map(|client| client.core);
            let shared = clients.shared(&id, secret, core)?;
            clients.add(id, shared).map_err(StartError::other)?;
        }
        for (id, client) in saved {
            let shared = clients.shared(&id, client.secret, Some(client.core))?;
            clients.add(id, shared).map_err(StartError::other)?;
        }
        Ok(clients)
    }

    fn shared(&self, id: &str, secret: String, core: Option<Core>) -> Result<Shared, StartError> {
        self.settings
            .shared(Some((id, secret)), core, self.first.port.clone())
    }

    fn add(&self, id: String, shared: Shared) -> Result<(), CommandError> {
        if id.is_empty()
            || !id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        {
            return Err(CommandError::new(
                "the id of a client must consist of letters, digits and hyphens",
            ));
        }
        // Locked until the end, so that one of two concurrent commands with the same id fails.
        let mut others = self.others.write().unwrap_or_else(PoisonError::into_inner);
        if id == self.first.client_id || others.contains_key(&id) {
            return Err(CommandError::new(format!("a client `{id}` already exists")));
        }
        if others.len() >= MAX_CLIENTS {
            let problem =
                format!("there are {MAX_CLIENTS} clients: delete some by `delete_client`");
            return Err(CommandError::new(problem));
        }
        let shared = Arc::new(shared);
        let alive = Arc::clone(&shared);
        let task = tokio::spawn(async move { alive.drive().await });
        others.insert(id, Client { shared, task });
        Ok(())
    }

    fn others(&self) -> RwLockReadGuard<'_, BTreeMap<String, Client>> {
        self.others.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        let first = self.first.client_id.clone();
        std::iter::once(first)
            .chain(self.others().keys().cloned())
            .collect()
    }

    pub(crate) fn named(&self, id: &str) -> Option<Arc<Shared>> {
        if id == self.first.client_id {
            return Some(Arc::clone(&self.first));
        }
        self.others()
            .get(id)
            .map(|client| Arc::clone(&client.shared))
    }

    /// The client of a request, by its header or else by its token. If there is neither, the default client.
    pub(crate) fn of_request(&self, headers: &HeaderMap) -> Arc<Shared> {
        let named = headers
            .get("upvest-client-id")
            .and_then(|id| id.to_str().ok());
        let found = if let Some(id) = named {
            self.named(id)
        } else {
            let others = self.others();
            let mut holders = others.values().map(|client| &client.shared);
            holders
                .find(|shared| shared.access().knows_token(headers))
                .map(Arc::clone)
        };
        found.unwrap_or_else(|| Arc::clone(&self.first))
    }

    /// Executes a command for a client.
    pub(crate) async fn execute(
        &self,
        client: &Arc<Shared>,
        command: Command,
    ) -> Result<Value, CommandError> {
        match command {
            Command::CreateClient {
                client_id,
                client_secret,
            } => {
                let id = client_id.unwrap_or_else(|| Uuid::new_v4().to_string());
                let secret = client_secret.unwrap_or_else(|| Uuid::new_v4().to_string());
                let shared = self.shared(&id, secret.clone(), None);
                let shared = shared.map_err(|error| CommandError::new(error.to_string()))?;
                self.add(id.clone(), shared)?;
                Ok(json!({ "client_id": id, "client_secret": secret }))
            }
            Command::DeleteClient { client_id } => {
                let mut others = self.others.write().unwrap_or_else(PoisonError::into_inner);
                let deleted = others.remove(&client_id).map(|_| json!({}));
                deleted.ok_or_else(|| {
                    CommandError::new(format!(
                        "there is no client `{client_id}` that can be deleted"
                    ))
                })
            }
            Command::Save => self.save_on_command(),
            command => client.execute(command).await,
        }
    }

    /// Writes the state of all clients to `path`, completely or not at all.
    pub(crate) fn save(&self, path: &Path) -> io::Result<()> {
        let mut file = file_beside(path)?;
        // The states are serialized first, so that no call waits while the file is written.
        let text = |shared: &Shared| serde_json::value::to_raw_value(&*shared.core_to_read());
        let others = self.others();
        let others = others.iter().map(|(id, client)| {
            let secret = client.shared.access().secret().to_owned();
            Ok((
                id.clone(),
                SavedClient {
                    secret,
                    core: text(&client.shared)?,
                },
            ))
        });
        let others = others.collect::<io::Result<_>>()?;
        let saved: Saved<Box<RawValue>> = Saved {
            version: VERSION,
            first: text(&self.first)?,
            others,
        };
        file.write_all(&serde_json::to_vec(&saved)?)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    }

    /// Writes the state to the file of the settings, if there is one.
    pub(crate) fn save_to_file(&self) -> Result<(), SaveError> {
        let Some(path) = &self.settings.save else {
            return Ok(());
        };
        self.save(path).map_err(|source| SaveError {
            path: path.clone(),
            source,
        })
    }

    fn save_on_command(&self) -> Result<Value, CommandError> {
        let Some(path) = &self.settings.save else {
            let problem = "there is no file for the state: start the sandbox with `--save FILE`";
            return Err(CommandError::new(problem));
        };
        self.save_to_file().map_err(|error| {
            let reason = error.source.to_string();
            CommandError::new(format!("{error}: {reason}"))
        })?;
        Ok(json!({ "file": path.display().to_string() }))
    }
}

/// Why the state was not saved.
#[derive(Debug, thiserror::Error)]
#[error("the state cannot be saved in {}", .path.display())]
pub(crate) struct SaveError {
    path: PathBuf,
    source: io::Error,
}

impl From<SaveError> for io::Error {
    fn from(error: SaveError) -> Self {
        Self::new(error.source.kind(), error)
    }
}

/// A new file beside `path`, which replaces it when it is complete.
fn file_beside(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    tempfile::NamedTempFile::new_in(folder)
}

/// Whether a state can be saved in `path`, so that a wrong path is an error at the start and not at the end.
pub(crate) fn check_file(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    file_beside(path).map(drop)
}

impl Saved<Core> {
    /// Reads a file that [`Clients::save`] has written.
    pub(crate) fn load(path: &Path) -> io::Result<Self> {
        Ok(serde_json::from_slice(&std::fs::read(path)?)?)
    }
}

fn this_version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let version = u32::deserialize(deserializer)?;
    let other =
        || format!("the state is of version {version}, and this sandbox reads version {VERSION}");
    (version == VERSION)
        .then_some(version)
        .ok_or_else(|| serde::de::Error::custom(other()))
}
