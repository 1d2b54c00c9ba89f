//! The guides, a page each.

// `upvest-ext/guides` is a symbolic link to `docs/guides`, so that the published crate contains the guides.

/// The first definition of a link counts, so those of `links.md` and `drawings.md` replace the ones at the end of each
/// guide. `drawings.md` has the drawings themselves, as rustdoc copies no files.
macro_rules! guides {
    ($($name:ident = $file:literal)*) => {
        $(
            #[doc = include_str!("guide/links.md")]
            #[doc = include_str!("guide/drawings.md")]
            #[doc = include_str!(concat!("../guides/", $file))]
            pub mod $name {}
        )*
    };
}

guides! {
    quickstart = "quickstart.md"
    going_live = "going-live.md"
    onboarding = "onboarding.md"
    orders = "orders.md"
    payments = "payments.md"
    webhooks = "webhooks.md"
    lists = "lists.md"
    files = "files.md"
    user_requests = "user-requests.md"
    testing = "testing.md"
    testing_own = "testing-own.md"
    errors = "errors.md"
    observability = "observability.md"
    performance = "performance.md"
    security = "security.md"
    updating_the_description = "updating-the-description.md"
    overlays = "overlays.md"
    vendored_description = "vendored-description.md"
}

/// The inbox of the guide on [webhooks], a file that you copy and adapt.
///
/// ```rust
#[doc = include_str!("guide/inbox.txt")]
/// ```
pub mod inbox {}
