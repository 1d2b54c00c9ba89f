//! What the clients of small descriptions send and read, with a file for each construct.

mod deprecated;
mod empty_values;
mod examples;
mod inheritance;
mod lists;
mod neighbours;
mod requests;
mod scopes;
mod tags;
mod titles;
mod unions;
