//! The waits that most programs need: until a thing is in a state that it does not leave any more.
//!
//! A status that this version does not know is waited through.

use upvest_api::types::{
    AccountId, DirectDebit, DirectDebitId, DirectDebitStatus, Liquidation, LiquidationId, LiquidationStatus,
    Order, OrderId, OrderStatus, PortfolioId, RebalancingExecution, RebalancingExecutionId,
    RebalancingExecutionStatus, Report, ReportId, ReportStatus, Withdrawal, WithdrawalId, WithdrawalStatus,
};
#[cfg(feature = "webhooks")]
use upvest_api::types::{PortfolioOrder, PortfolioOrderId, PortfolioOrderStatus};

use super::wait_until::Wait;
use crate::pages::{ListExt as _, PaginateExt as _};
use crate::upvest::Upvest;

impl Upvest {
    /// Waits until an order is filled, cancelled or rejected.
    pub fn wait_for_order(&self, id: OrderId) -> Wait<Order> {
        let is_final = |order: &Order| {
            matches!(order.status, Some(OrderStatus::Filled | OrderStatus::Cancelled | OrderStatus::Rejected))
        };
        self.wait_until(self.retrieve_order().order_id(id), is_final).about(id)
    }

    /// Waits until a liquidation of an account is completed or has failed.
    pub fn wait_for_liquidation(&self, account: AccountId, id: LiquidationId) -> Wait<Liquidation> {
        let is_final = |liquidation: &Liquidation| {
            matches!(liquidation.status, Some(LiquidationStatus::Completed | LiquidationStatus::Failed))
        };
        let list = self.list_liquidations().account_id(account);
        self.wait_until_listed(move || list.items(), move |it| it.id == id, is_final).about(id)
    }

    /// Waits until a portfolio order is completed or cancelled. It can only be heard of in `events`, as the API has no
    /// operation that reads one.
    #[cfg(feature = "webhooks")]
    pub fn wait_for_portfolio_order(
        &self,
        id: PortfolioOrderId,
        events: impl futures_util::Stream<Item = crate::webhooks::Event> + Send + 'static,
    ) -> Wait<PortfolioOrder> {
        let is_final = |order: &PortfolioOrder| {
            matches!(order.status, Some(PortfolioOrderStatus::Completed | PortfolioOrderStatus::Cancelled))
        };
        self.wait(None, is_final).about(id).events(events)
    }

    /// Waits until a rebalancing of a portfolio is completed or has failed.
    pub fn wait_for_rebalancing(
        &self,
        portfolio: PortfolioId,
        id: RebalancingExecutionId,
    ) -> Wait<RebalancingExecution> {
        use RebalancingExecutionStatus::{Completed, Failed};
        let is_final =
            |execution: &RebalancingExecution| matches!(execution.status, Some(Completed | Failed));
        let list = self.list_rebalancing_executions().portfolio_id(portfolio);
        self.wait_until_listed(move || list.items(), move |it| it.id == id, is_final).about(id)
    }

    /// Waits until a report is ready or has failed.
    pub fn wait_for_report(&self, id: ReportId) -> Wait<Report> {
        let is_final =
            |report: &Report| matches!(report.status, Some(ReportStatus::Ready | ReportStatus::Failed));
        let list = self.list_reports();
        self.wait_until_listed(move || list.clone().items(), move |it| it.id == id, is_final).about(id)
    }

    /// Waits until a withdrawal is completed or has failed.
    pub fn wait_for_withdrawal(&self, id: WithdrawalId) -> Wait<Withdrawal> {
        let is_final = |withdrawal: &Withdrawal| {
            matches!(withdrawal.status, Some(WithdrawalStatus::Completed | WithdrawalStatus::Failed))
        };
        let list = self.list_withdrawals();
        self.wait_until_listed(move || list.clone().items(), move |it| it.id == id, is_final).about(id)
    }

    /// Waits until a direct debit is completed, has failed or was reversed. A completed one can still be reversed.
    pub fn wait_for_direct_debit(&self, id: DirectDebitId) -> Wait<DirectDebit> {
        use DirectDebitStatus::{Completed, Failed, Reversed};
        let is_final = |debit: &DirectDebit| matches!(debit.status, Some(Completed | Failed | Reversed));
        let list = self.list_direct_debits();
        self.wait_until_listed(move || list.clone().items(), move |it| it.id == id, is_final).about(id)
    }
}
