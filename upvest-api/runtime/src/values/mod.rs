//! The types of fields.

pub(crate) mod code;
pub(crate) mod decimal;
pub(crate) mod foreign_traits;
pub(crate) mod id;
pub(crate) mod idempotency_key;
pub(crate) mod invalid;
pub(crate) mod invalid_body;
mod json;
mod lenient;
pub(crate) mod nested;
pub(crate) mod nullable;
pub mod open_enum;
pub mod open_union;
pub(crate) mod or_empty;
pub(crate) mod path_segment;
#[cfg(feature = "sqlx-postgres")]
pub(crate) mod postgres_numeric;
pub(crate) mod reading;
pub(crate) mod sendable;
pub(crate) mod strict;
pub(crate) mod text;
pub(crate) mod timestamp;
pub(crate) mod unredacted;
