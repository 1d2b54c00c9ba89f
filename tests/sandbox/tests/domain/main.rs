//! Tests of the behaviour of users, accounts, orders and money over time.

#[path = "../plain/mod.rs"]
mod plain;

mod accounting;
mod accounts;
mod orders;
mod reproducible;
mod rules;
