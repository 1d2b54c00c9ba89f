//! What the clients of small descriptions send and read, with a file for each construct.

mod decimals;
mod deprecated;
mod directions;
mod empty_values;
mod examples;
mod extra_properties;
mod forms;
mod hostile;
mod ignored_headers;
mod inheritance;
mod lists;
mod neighbours;
mod no_value;
mod not_finite;
mod optional_bodies;
mod requests;
mod scopes;
mod servers;
mod source_texts;
mod tags;
mod titles;
mod unions;
