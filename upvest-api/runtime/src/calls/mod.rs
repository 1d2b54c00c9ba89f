//! Calls: from the arguments of a builder to a request.

pub(crate) mod argument;
pub(crate) mod body;
pub(crate) mod body_builder;
pub(crate) mod call;
pub(crate) mod form;
