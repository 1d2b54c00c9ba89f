//! What the clients of small descriptions send and read, with a file for each construct.

mod examples;
mod lists;
mod neighbours;
mod requests;
mod scopes;
mod unions;
