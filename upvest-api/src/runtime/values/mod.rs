//! The types of fields.

pub(crate) mod code;
pub(crate) mod decimal;
pub(crate) mod foreign_traits;
pub(crate) mod id;
pub(crate) mod invalid;
pub(crate) mod nullable;
pub(crate) mod open_enum;
pub(crate) mod open_union;
pub(crate) mod request_json;
pub(crate) mod text;
pub(crate) mod timestamp;
pub(crate) mod unredacted;
