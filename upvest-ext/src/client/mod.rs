//! The client and its builder.

pub(crate) mod builder;
pub(crate) mod environment;
mod from_env;
pub(crate) mod upvest;

pub use builder::UpvestBuilder;
pub use environment::Environment;
pub use upvest::Upvest;
