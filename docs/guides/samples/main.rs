//! The code of the guides and of the README: each block is the region `guide` of one file. Their tests run it.
//!
//! `UPDATE_GUIDES=1 cargo test -p upvest-tests --test guides` copies the regions into the guides.

mod errors_report;
mod errors_show;
mod files_copy;
mod files_download;
mod files_statement;
mod going_live_client;
mod lists_export;
mod lists_invested;
mod lists_look_up;
mod observability_metrics;
mod observability_traces;
mod onboarding_apply;
mod onboarding_wait;
mod orders_place;
mod orders_steps;
mod orders_wait;
mod payments_top_up;
mod quickstart_order;
mod readme_call;
mod readme_test;
mod readme_webhook;
mod security_verify;
mod testing_delivery;
mod testing_flow;
mod testing_mock;
mod testing_own;
mod user_requests_buy;
mod webhooks_current;
mod webhooks_inbox;
