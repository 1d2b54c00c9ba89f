//! What the tests of this workspace share: the description as a source of fixtures, the check of vector files, and real servers.

pub mod api;
pub mod description;
pub mod replicas;
#[cfg(unix)]
pub mod servers;
pub mod values;
pub mod vectors;
