//! Where money is, and proof that it adds up.

pub(crate) mod audit;
pub(crate) mod fees;
pub(crate) mod ledger;
pub(crate) mod payments;
pub(crate) mod valuations;
