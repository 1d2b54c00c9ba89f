//! Trading: orders, instruments, portfolios, savings plans, transfers and corporate actions.

pub(crate) mod cancellations;
pub(crate) mod corporate_actions;
mod executions;
pub(crate) mod instruments;
pub(crate) mod liquidations;
pub(crate) mod orders;
pub(crate) mod portfolios;
pub(crate) mod savings_plans;
pub(crate) mod transfers;
pub(in crate::domain) mod venue;
