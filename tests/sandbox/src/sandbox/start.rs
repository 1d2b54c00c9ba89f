//! The start of a sandbox.

use super::Sandbox;
use crate::clients::builder::{Prepared, SandboxBuilder, StartError};

impl SandboxBuilder {
    /// Starts the sandbox. When this returns, it accepts requests.
    ///
    /// # Errors
    ///
    /// [`StartError`] if the port is in use, a description cannot be served, or the data cannot be read or written.
    pub async fn start(self) -> Result<Sandbox, StartError> {
        let Prepared { clients, listener } = self.prepare().await?;
        Sandbox::serve(clients, listener).map_err(StartError::other)
    }
}
