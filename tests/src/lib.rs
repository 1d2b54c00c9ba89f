//! Shared code of the tests of this workspace: fixtures from the description, the check of vector files, the inbox
//! of the guides, a server with signed files, and a real Postgres.

pub mod description;
#[allow(clippy::missing_errors_doc, reason = "it is code to copy")]
#[path = "../../upvest-ext/examples/webhook_server/inbox.rs"]
pub mod inbox;
#[cfg(unix)]
pub mod servers;
pub mod signed_files;
pub mod values;
pub mod vectors;

/// The code of the guides compiles and runs.
#[cfg(doctest)]
mod guides {
    macro_rules! guides {
        ($($name:ident = $file:literal)*) => {
            $(
                #[doc = include_str!(concat!("../../docs/guides/", $file))]
                struct $name;
            )*
        };
    }
    guides! {
        Errors = "errors.md"
        Files = "files.md"
        GoingLive = "going-live.md"
        Lists = "lists.md"
        Observability = "observability.md"
        Orders = "orders.md"
        Performance = "performance.md"
        Quickstart = "quickstart.md"
        Security = "security.md"
        Testing = "testing.md"
        UpdatingTheDescription = "updating-the-description.md"
        UserRequests = "user-requests.md"
        Webhooks = "webhooks.md"
    }
}
