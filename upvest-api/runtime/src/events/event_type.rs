//! The types of events.

// The types in the description of events, and those in Upvest's own description (`PROTOCOL` 2.2).
crate::open_enum! {
    /// The type of an event. `ORDER.FILLED`, for example, is the action `FILLED` of the category `ORDER`.
    ///
    /// Upvest adds types in minor releases, so an unknown type is kept and is not an error. [`str::parse`] accepts any type;
    /// `EventType::try_from` accepts only known ones. The `EventObject` of a generated crate has the types of their objects.
    #[allow(missing_docs, reason = "each has the name of its value")]
    EventType {
        AccountActivated = "ACCOUNT.ACTIVATED", AccountClosed = "ACCOUNT.CLOSED", AccountClosing = "ACCOUNT.CLOSING",
        AccountClosingInitiated = "ACCOUNT.CLOSING_INITIATED", AccountCreated = "ACCOUNT.CREATED",
        AccountLocked = "ACCOUNT.LOCKED", AccountOpened = "ACCOUNT.OPENED", AccountUpdated = "ACCOUNT.UPDATED",
        AccountGroupActivated = "ACCOUNT_GROUP.ACTIVATED", AccountGroupClosed = "ACCOUNT_GROUP.CLOSED",
        AccountGroupClosingInitiated = "ACCOUNT_GROUP.CLOSING_INITIATED",
        AccountGroupCreated = "ACCOUNT_GROUP.CREATED", AccountGroupLocked = "ACCOUNT_GROUP.LOCKED",
        AccountGroupUpdated = "ACCOUNT_GROUP.UPDATED", AccountLiquidationCancelled = "ACCOUNT_LIQUIDATION.CANCELLED",
        AccountLiquidationFilled = "ACCOUNT_LIQUIDATION.FILLED", AccountLiquidationNew = "ACCOUNT_LIQUIDATION.NEW",
        AccountLiquidationProcessing = "ACCOUNT_LIQUIDATION.PROCESSING",
        AccountLiquidationSettled = "ACCOUNT_LIQUIDATION.SETTLED", AccountReturnsCreated = "ACCOUNT_RETURNS.CREATED",
        AccountTransferCompleted = "ACCOUNT_TRANSFER.COMPLETED", AccountTransferFailed = "ACCOUNT_TRANSFER.FAILED",
        AccountTransferProcessing = "ACCOUNT_TRANSFER.PROCESSING",
        AccountValuationCreated = "ACCOUNT_VALUATION.CREATED", CashBalanceUpdated = "CASH_BALANCE.UPDATED",
        CashTransactionExecuted = "CASH_TRANSACTION.EXECUTED",
        CorporateActionAnnounced = "CORPORATE_ACTION.ANNOUNCED",
        CorporateActionProcessed = "CORPORATE_ACTION.PROCESSED", DirectDebitCancelled = "DIRECT_DEBIT.CANCELLED",
        DirectDebitCompleted = "DIRECT_DEBIT.COMPLETED", DirectDebitConfirmed = "DIRECT_DEBIT.CONFIRMED",
        DirectDebitFailed = "DIRECT_DEBIT.FAILED", DirectDebitNew = "DIRECT_DEBIT.NEW",
        DirectDebitProcessing = "DIRECT_DEBIT.PROCESSING", DirectDebitReversed = "DIRECT_DEBIT.REVERSED",
        ExecutionCancelled = "EXECUTION.CANCELLED", ExecutionFilled = "EXECUTION.FILLED",
        ExecutionNew = "EXECUTION.NEW", ExecutionSettled = "EXECUTION.SETTLED", FeeCharged = "FEE.CHARGED",
        FeeCollectionCancelled = "FEE_COLLECTION.CANCELLED", FeeCollectionCreated = "FEE_COLLECTION.CREATED",
        FeeCollectionFinalised = "FEE_COLLECTION.FINALISED", InstrumentActivated = "INSTRUMENT.ACTIVATED",
        InstrumentDeactivated = "INSTRUMENT.DEACTIVATED", InstrumentOnboarded = "INSTRUMENT.ONBOARDED",
        IntradayAccountValuationCreated = "INTRADAY_ACCOUNT_VALUATION.CREATED",
        LiquidationCompleted = "LIQUIDATION.COMPLETED", LiquidationFailed = "LIQUIDATION.FAILED",
        LiquidationProcessing = "LIQUIDATION.PROCESSING", MandateCreated = "MANDATE.CREATED",
        MandateRevoked = "MANDATE.REVOKED", OrderCancelled = "ORDER.CANCELLED", OrderFilled = "ORDER.FILLED",
        OrderNew = "ORDER.NEW", OrderProcessing = "ORDER.PROCESSING", OrderRejected = "ORDER.REJECTED",
        OrderCancellationConfirmed = "ORDER_CANCELLATION.CONFIRMED",
        OrderCancellationPending = "ORDER_CANCELLATION.PENDING",
        OrderCancellationRejected = "ORDER_CANCELLATION.REJECTED", PortfolioClosed = "PORTFOLIO.CLOSED",
        PortfolioCreated = "PORTFOLIO.CREATED", PortfolioUpdated = "PORTFOLIO.UPDATED",
        PortfolioAllocationChanged = "PORTFOLIO_ALLOCATION.CHANGED",
        PortfolioAllocationCreated = "PORTFOLIO_ALLOCATION.CREATED",
        PortfolioOrderCancelled = "PORTFOLIO_ORDER.CANCELLED", PortfolioOrderFilled = "PORTFOLIO_ORDER.FILLED",
        PortfolioOrderNew = "PORTFOLIO_ORDER.NEW", PortfolioOrderProcessing = "PORTFOLIO_ORDER.PROCESSING",
        PortfolioOrderSettled = "PORTFOLIO_ORDER.SETTLED", PositionClosed = "POSITION.CLOSED",
        PositionCreated = "POSITION.CREATED", PositionUpdated = "POSITION.UPDATED",
        RebalancingCompleted = "REBALANCING.COMPLETED", RebalancingFailed = "REBALANCING.FAILED",
        RebalancingProcessing = "REBALANCING.PROCESSING", ReportCreated = "REPORT.CREATED",
        ReportFailed = "REPORT.FAILED", ReportReady = "REPORT.READY", SavingsPlanCancelled = "SAVINGS_PLAN.CANCELLED",
        SavingsPlanCreated = "SAVINGS_PLAN.CREATED", SavingsPlanExecuted = "SAVINGS_PLAN.EXECUTED",
        SavingsPlanPaused = "SAVINGS_PLAN.PAUSED", SecuritiesTransferCompleted = "SECURITIES_TRANSFER.COMPLETED",
        SecuritiesTransferFailed = "SECURITIES_TRANSFER.FAILED",
        SecuritiesTransferProcessing = "SECURITIES_TRANSFER.PROCESSING",
        SecurityTransactionExecuted = "SECURITY_TRANSACTION.EXECUTED",
        TreasuryReportCreated = "TREASURY_REPORT.CREATED", UserActivated = "USER.ACTIVATED",
        UserBlocked = "USER.BLOCKED", UserClosed = "USER.CLOSED", UserCreated = "USER.CREATED",
        UserDataChanged = "USER.DATA_CHANGED", UserDataChangeFailed = "USER.DATA_CHANGE_FAILED",
        UserDeactivated = "USER.DEACTIVATED", UserOffboarded = "USER.OFFBOARDED",
        UserOffboardingInitiated = "USER.OFFBOARDING_INITIATED", UserUpdated = "USER.UPDATED",
        UserCheckCreated = "USER_CHECK.CREATED", UserCheckFailed = "USER_CHECK.FAILED",
        UserCheckPassed = "USER_CHECK.PASSED", VirtualCashDecreaseCancelled = "VIRTUAL_CASH_DECREASE.CANCELLED",
        VirtualCashDecreaseConfirmed = "VIRTUAL_CASH_DECREASE.CONFIRMED",
        VirtualCashDecreaseIssued = "VIRTUAL_CASH_DECREASE.ISSUED",
        VirtualCashDecreaseQueued = "VIRTUAL_CASH_DECREASE.QUEUED",
        VirtualCashIncreaseConfirmed = "VIRTUAL_CASH_INCREASE.CONFIRMED",
        VirtualCashIncreaseIssued = "VIRTUAL_CASH_INCREASE.ISSUED", WithdrawalCancelled = "WITHDRAWAL.CANCELLED",
        WithdrawalCompleted = "WITHDRAWAL.COMPLETED", WithdrawalConfirmed = "WITHDRAWAL.CONFIRMED",
        WithdrawalFailed = "WITHDRAWAL.FAILED", WithdrawalNew = "WITHDRAWAL.NEW",
        WithdrawalProcessing = "WITHDRAWAL.PROCESSING",
    }
}

impl EventType {
    /// The category, such as `ORDER`: the part before the dot. Subscriptions are for categories.
    pub fn category(&self) -> &str {
        let wire = self.as_str();
        wire.split_once('.').map_or(wire, |(category, _)| category)
    }

    /// The action, such as `FILLED`: the part after the dot. Empty if there is no dot.
    pub fn action(&self) -> &str {
        self.as_str()
            .split_once('.')
            .map_or("", |(_, action)| action)
    }
}
