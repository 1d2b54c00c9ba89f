//! How users, accounts, orders and money live on, by calls and by time.

#[path = "../plain/mod.rs"]
mod plain;

mod accounts;
mod books;
mod orders;
mod reproducible;
mod rules;
