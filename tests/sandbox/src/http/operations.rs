//! What each operation of the description does: one line for each.

use uuid::Uuid;

use crate::domain::lifecycle::{Status as _, key, name};
use crate::domain::state::{Refused, State};
use crate::domain::table::Identified;
use crate::domain::trading::instruments::Instrument;
use crate::domain::trading::orders::OrderStatus;
use crate::http::call::{Answer, Call};
use crate::http::problem::Problem;

/// Does what an operation does. Whatever it answers, a problem changes nothing.
pub(crate) type Handler = fn(&mut State, &Call) -> Result<Answer, Problem>;

/// The handler of an operation; `None` where the description has one that no line handles. The token request is handled
/// by [`access`](crate::access).
#[rustfmt::skip]
#[expect(clippy::too_many_lines, reason = "a table: one line for each operation")]
pub(crate) fn handler(operation: &str) -> Option<Handler> {
    Some(match operation {
        "listUsers" => |w, c| Ok(c.page(w.users.rows().iter(), |it| &it.view)),
        "createUser" => |w, c| Ok(Answer::created(w.create_user(c.body()?))),
        "retrieveUser" => |w, c| found(w.users.get(c.id("user_id")).map(|it| &it.view)),
        "updateUser" => |w, c| Ok(Answer::ok(w.update_user(c.id("user_id"), c.body()?)?)),
        "listUserIdentifiers" => |w, c| Ok(Answer::list(&user(w, c)?.identifiers)),
        "createUserIdentifier" => |w, c| Ok(Answer::created(w.add_identifier(c.id("user_id"), c.body()?)?)),
        "retrieveUserIdentifier" => |w, c| Ok(Answer::ok(w.identifier(c.id("user_id"), c.id("identifier_id"))?)),
        "updateUserIdentifier" => |w, c| Ok(Answer::ok(w.update_identifier(c.id("user_id"), c.id("identifier_id"), c.body()?)?)),
        "listUserChecks" => |w, c| Ok(Answer::list(&user(w, c)?.checks)),
        "listTaxResidencies" => |w, c| Ok(Answer::list(&user(w, c)?.tax_residencies)),
        "createTaxResidency" => |w, c| Ok(Answer::created(w.add_tax_residency(c.id("user_id"), c.body()?)?)),
        "listUserAccounts" => |w, c| {
            let accounts = user(w, c)?.accounts.iter().filter_map(|id| w.accounts.get(*id));
            Ok(Answer::counted_list(accounts.map(|it| &it.view)))
        },
        "listAccounts" => |w, c| Ok(c.page(w.accounts.rows().iter(), |it| &it.view)),
        "createAccount" => |w, c| Ok(Answer::created(w.create_account(c.body()?)?)),
        "retrieveAccount" => |w, c| Ok(Answer::ok(&w.account(c.id("account_id"))?.view)),
        "updateAccount" => |w, c| Ok(Answer::ok(w.update_account(c.id("account_id"), c.body()?)?)),
        "closeAccount" => |w, c| { w.close_account(c.id("account_id"))?; Ok(Answer::no_content()) },
        "listInstruments" => |w, c| {
            let (isin, kind) = (c.query("isin"), c.query("type"));
            let fits = |wanted: Option<&str>, is: &str| wanted.is_none_or(|wanted| wanted == is);
            let fits = |it: &&Instrument| fits(isin, &it.view.isin) && fits(kind, &it.view.r#type);
            let all = w.instruments.rows().iter();
            if isin.is_none() && kind.is_none() { return Ok(c.page(all, |it| &it.view)); }
            Ok(c.page(all.filter(fits).collect::<Vec<_>>().into_iter(), |it| &it.view))
        },
        "retrieveInstrument" => |w, c| found(w.instruments.get(c.id("instrument_id")).map(|it| &it.view)),
        "listInstrumentPrices" => |w, c| {
            let instrument = w.instruments.find(c.id("instrument_id"))?;
            Ok(Answer::list(instrument.prices()))
        },
        "listOrders" => |w, c| {
            let account = c.query("account_id").map(|id| id.parse::<Uuid>().unwrap_or_default().as_u128());
            let status = c.query("status").and_then(|text| OrderStatus::ALL.iter().find(|it| name(**it) == text));
            let keys: Vec<_> = account.into_iter().chain(status.map(|it| key(*it))).collect();
            if keys.is_empty() { return Ok(c.page(w.orders.rows().iter(), |it| &it.view)); }
            Ok(c.page(w.orders.with(&keys), |it| &it.view))
        },
        "createOrder" => |w, c| {
            let order = w.create_order(&c.body()?)?;
            Ok(Answer { order: Some(order.id), ..Answer::created(order) })
        },
        "retrieveOrder" => |w, c| found(w.orders.get(c.id("order_id")).map(|it| &it.view)),
        "cancelOrder" => |w, c| Ok(Answer::ok(w.cancel_order(c.id("order_id"))?)),
        "listOrderExecutions" => |w, c| Ok(Answer::list(&w.orders.find(c.id("order_id"))?.executions)),
        "listPortfolios" => |w, c| Ok(c.page(w.portfolios.rows().iter(), |it| &it.view)),
        "createPortfolio" => |w, c| Ok(Answer::created(w.create_portfolio(c.body()?)?)),
        "retrievePortfolio" => |w, c| found(w.portfolios.get(c.id("portfolio_id")).map(|it| &it.view)),
        "updatePortfolio" => |w, c| Ok(Answer::ok(w.rename_portfolio(c.id("portfolio_id"), c.body()?)?)),
        "listPortfolioAllocations" => |w, c| Ok(Answer::list(&w.portfolios.find(c.id("portfolio_id"))?.allocations)),
        "updatePortfolioAllocations" => |w, c| Ok(Answer::list(w.replace_allocations(c.id("portfolio_id"), c.body()?)?)),
        "createPortfolioOrder" => |w, c| Ok(Answer::created(w.create_portfolio_order(c.id("portfolio_id"), &c.body()?)?)),
        "triggerPortfolioRebalancing" => |w, c| Ok(Answer::created(w.create_rebalancing(c.id("portfolio_id"))?)),
        "listRebalancingExecutions" => |w, c| {
            let portfolio = w.portfolios.find(c.id("portfolio_id"))?.id();
            Ok(Answer::list(w.rebalancings.with(&[portfolio.as_u128()])))
        },
        "listSavingsPlans" => |w, c| Ok(c.page(w.savings_plans.rows().iter(), |it| &it.view)),
        "createSavingsPlan" => |w, c| Ok(Answer::created(w.create_savings_plan(c.body()?)?)),
        "retrieveSavingsPlan" => |w, c| found(w.savings_plans.get(c.id("savings_plan_id")).map(|it| &it.view)),
        "updateSavingsPlan" => |w, c| Ok(Answer::ok(w.update_savings_plan(c.id("savings_plan_id"), &c.body()?)?)),
        "deleteSavingsPlan" => |w, c| { w.delete_savings_plan(c.id("savings_plan_id"))?; Ok(Answer::no_content()) },
        "listPositions" => |w, c| Ok(Answer::list(w.account(c.id("account_id"))?.holdings.iter().map(|it| &it.view))),
        "retrievePosition" => |w, c| {
            let position = c.id("position_id");
            found(w.account(c.id("account_id"))?.holdings.iter().map(|it| &it.view).find(|it| it.id == position))
        },
        "listValuations" => |w, c| Ok(Answer::list(&w.account(c.id("account_id"))?.valuations)),
        "listAccountReturns" => |w, c| Ok(Answer::list(w.returns(c.id("account_id"))?)),
        "listCashBalances" => |w, c| Ok(Answer::list(w.account(c.id("account_id"))?.cash_balances())),
        "createDirectDebit" => |w, c| Ok(Answer::created(w.create_direct_debit(c.body()?)?)),
        "listDirectDebits" => |w, c| Ok(c.page(w.direct_debits.rows().iter(), |it| &it.view)),
        "listMandates" => |w, c| Ok(c.page(w.mandates.rows().iter(), |it| it)),
        "retrieveMandate" => |w, c| found(w.mandates.get(c.id("mandate_id"))),
        "createWithdrawal" => |w, c| Ok(Answer::created(w.create_withdrawal(c.body()?)?)),
        "listWithdrawals" => |w, c| Ok(c.page(w.withdrawals.rows().iter(), |it| it)),
        "listReferenceAccounts" => |w, c| Ok(Answer::list(&w.account(c.id("account_id"))?.reference_accounts)),
        "listFees" => |w, c| Ok(Answer::list(&w.account(c.id("account_id"))?.fees)),
        "listFeeConfigurations" => |w, c| Ok(c.page(w.fee_configurations.rows().iter(), |it| it)),
        "listReports" => |w, c| Ok(c.page(w.reports.rows().iter(), |it| &it.view)),
        "listTreasuryReports" => |w, c| Ok(c.page(w.treasury_reports.rows().iter(), |it| it)),
        "listTransactions" => |w, c| Ok(c.page(w.account(c.id("account_id"))?.transactions.iter(), |it| it)),
        "retrieveFile" => |w, c| { let file = w.file(c.id("file_id"))?; Ok(Answer::file(&file.media_type, &file.content)) },
        "createLiquidation" => |w, c| Ok(Answer::created(w.create_liquidation(c.id("account_id"), &c.body()?)?)),
        "listLiquidations" => |w, c| {
            let account = w.account(c.id("account_id"))?.view.id;
            Ok(Answer::list(w.liquidations.with(&[account.as_u128()])))
        },
        "createSecuritiesTransfer" => |w, c| {
            let new: crate::domain::trading::transfers::SecuritiesTransferCreate = c.body()?;
            Ok(Answer::created(w.create_securities_transfer(new.direction, None)?))
        },
        "listSecuritiesTransfers" => |w, c| Ok(c.page(w.securities_transfers.rows().iter(), |it| &it.view)),
        "createAccountTransfer" => |w, c| Ok(Answer::created(w.create_account_transfer(&c.body()?)?)),
        "listAccountTransfers" => |w, c| Ok(c.page(w.account_transfers.rows().iter(), |it| &it.view)),
        "listCorporateActions" => |w, c| Ok(c.page(w.corporate_actions.rows().iter(), |it| &it.view)),
        "listWebhookSubscriptions" => |w, _| Ok(Answer::list(w.time.events.subscriptions.rows().iter().map(|it| &it.view))),
        "createWebhookSubscription" => |w, c| Ok(Answer::created(w.create_subscription(c.body()?)?)),
        "retrieveWebhookSubscription" => |w, c| found(w.time.events.subscriptions.get(c.id("webhook_id")).map(|it| &it.view)),
        "updateWebhookSubscription" => |w, c| Ok(Answer::ok(w.update_subscription(c.id("webhook_id"), c.body()?)?)),
        "deleteWebhookSubscription" => |w, c| {
            w.time.events.subscriptions.remove(c.id("webhook_id")).ok_or(Refused::NotFound)?;
            Ok(Answer::no_content())
        },
        _ => return None,
    })
}

fn found<T: serde::Serialize>(thing: Option<&T>) -> Result<Answer, Problem> {
    Ok(Answer::ok(thing.ok_or(Refused::NotFound)?))
}

fn user<'a>(state: &'a State, call: &Call) -> Result<&'a crate::domain::customers::users::User, Refused> {
    state.users.get(call.id("user_id")).ok_or(Refused::NotFound)
}
