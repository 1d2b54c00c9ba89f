//! Money: the books, payments, fees and valuations, and the audit of the books.

pub(crate) mod audit;
pub(crate) mod ledger;
pub(crate) mod payments;
pub(crate) mod valuations;
