//! What the tests of this workspace share: the description as a source of fixtures, and the check of vector files.

pub mod description;
pub mod values;
pub mod vectors;
