//! Operations and resources for generic code.

pub(crate) mod operation;
pub(crate) mod settles;
