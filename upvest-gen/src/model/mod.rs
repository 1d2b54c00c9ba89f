//! The model of an API. The code that writes Rust reads only this.

mod api;
mod bodies;
mod build;
mod components;
mod context;
mod decimal_pattern;
mod depth;
mod directions;
mod entities;
mod enums;
mod events;
mod fields;
mod homes;
mod lists;
mod media_types;
mod name_table;
mod names;
mod naming;
mod numbers;
mod objects;
mod operations;
mod paging;
mod parameters;
mod paths;
mod recursion;
mod references;
mod responses;
mod sameness;
mod schemas;
mod scopes;
mod texts;
mod types;
mod unions;
mod values;

pub use api::{
    Alternative, Api, Body, Content, Direction, Encoding, Enum, Event, Field, FormField, FormStyle,
    Id, Operation, Paging, Parameter, Place, Response, Schema, Shape, Type, Variant,
};
pub(crate) use build::build;
pub(crate) use lists::PAGE_FIELDS;
pub(crate) use media_types::is_media_type_of_body;
pub(crate) use parameters::TRANSPORT_HEADERS;
