//! Shared code of the tests of this workspace: fixtures from the description, the check of vector files, the inbox
//! of the guides, a server with signed files, and a real Postgres.

pub mod description;
#[allow(clippy::missing_errors_doc, reason = "it is code to copy")]
#[path = "../../upvest-ext/examples/src/bin/webhook_server/inbox.rs"]
pub mod inbox;
#[cfg(unix)]
pub mod servers;
pub mod signed_files;
pub mod values;
pub mod vectors;
