//! The handlers of all operations, one per line.

use uuid::Uuid;

use crate::domain::lifecycle::{Status as _, key, name};
use crate::domain::state::{Rejected, State};
use crate::domain::trading::instruments::Instrument;
use crate::domain::trading::orders::OrderStatus;
use crate::http::call::{Call, Response};
use crate::http::problem::Problem;

type Read = fn(&State, &Call) -> Result<Response, Problem>;
type Change = fn(&mut State, &Call) -> Result<Response, Problem>;

/// The handler of an operation. If it returns a problem, nothing has changed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Handler {
    Read(Read),
    Change(Change),
}

impl Handler {
    pub(crate) fn run(self, state: &mut State, call: &Call) -> Result<Response, Problem> {
        match self {
            Self::Read(read) => read(state, call),
            Self::Change(change) => change(state, call),
        }
    }
}

/// The handler of an operation, or `None` if there is none. The token request is handled by
/// [`access`](crate::access).
pub(crate) fn handler(operation: &str) -> Option<Handler> {
    reading(operation)
        .map(Handler::Read)
        .or_else(|| changing(operation).map(Handler::Change))
}

#[rustfmt::skip]
fn reading(operation: &str) -> Option<Read> {
    Some(match operation {
        "listUsers" => |w, c| Ok(c.page(w.users.rows().iter(), |it| &it.view)),
        "retrieveUser" => |w, c| found(w.users.get(c.id("user_id")).map(|it| &it.view)),
        "listUserChecks" => |w, c| Ok(Response::list(&user(w, c)?.checks)),
        "listUserAccounts" => |w, c| {
            let accounts = user(w, c)?.accounts.iter().filter_map(|id| w.accounts.get(*id));
            Ok(Response::counted_list(accounts.map(|it| &it.view)))
        },
        "listAccounts" => |w, c| Ok(c.page(w.accounts.rows().iter(), |it| &it.view)),
        "retrieveAccount" => |w, c| Ok(Response::ok(&w.account(c.id("account_id"))?.view)),
        "listInstruments" => |w, c| {
            let isin = c.query("isin");
            let kind = c.query("type");
            let fits = |wanted: Option<&str>, is: &str| wanted.is_none_or(|wanted| wanted == is);
            let fits = |it: &&Instrument| fits(isin, &it.view.isin) && fits(kind, &it.view.r#type);
            let all = w.instruments.rows().iter();
            if isin.is_none() && kind.is_none() { return Ok(c.page(all, |it| &it.view)); }
            Ok(c.page(all.filter(fits).collect::<Vec<_>>().into_iter(), |it| &it.view))
        },
        "retrieveInstrument" => |w, c| found(w.instruments.get(c.id("instrument_id")).map(|it| &it.view)),
        "listInstrumentPrices" => |w, c| {
            let instrument = w.instruments.find(c.id("instrument_id"))?;
            Ok(Response::list(instrument.prices()))
        },
        "listOrders" => |w, c| {
            let account = c.query("account_id").map(|id| id.parse::<Uuid>().unwrap_or_default().as_u128());
            let status = c.query("status").and_then(|text| OrderStatus::ALL.iter().find(|it| name(**it) == text));
            let keys: Vec<_> = account.into_iter().chain(status.map(|it| key(*it))).collect();
            if keys.is_empty() { return Ok(c.page(w.orders.rows().iter(), |it| &it.view)); }
            Ok(c.page(w.orders.with(&keys), |it| &it.view))
        },
        "retrieveOrder" => |w, c| found(w.orders.get(c.id("order_id")).map(|it| &it.view)),
        "listOrderExecutions" => |w, c| Ok(Response::list(&w.orders.find(c.id("order_id"))?.executions)),
        "listPortfolios" => |w, c| Ok(c.page(w.portfolios.rows().iter(), |it| &it.view)),
        "retrievePortfolio" => |w, c| found(w.portfolios.get(c.id("portfolio_id")).map(|it| &it.view)),
        "listPortfolioAllocations" => |w, c| Ok(Response::list(&w.portfolios.find(c.id("portfolio_id"))?.allocations)),
        "listPositions" => |w, c| Ok(Response::list(w.account(c.id("account_id"))?.holdings.iter().map(|it| &it.view))),
        "retrievePosition" => |w, c| {
            let position = c.id("position_id");
            found(w.account(c.id("account_id"))?.holdings.iter().map(|it| &it.view).find(|it| it.id == position))
        },
        "listValuations" => |w, c| Ok(Response::list(&w.account(c.id("account_id"))?.valuations)),
        "listAccountReturns" => |w, c| Ok(Response::list(w.returns(c.id("account_id"))?)),
        "listCashBalances" => |w, c| Ok(Response::list(w.account(c.id("account_id"))?.cash_balances())),
        "listTransactions" => |w, c| Ok(c.page(w.account(c.id("account_id"))?.transactions.iter(), |it| it)),
        "retrieveFile" => |w, c| { let file = w.file(c.id("file_id"))?; Ok(Response::file(&file.media_type, &file.content)) },
        _ => return None,
    })
}

#[rustfmt::skip]
fn changing(operation: &str) -> Option<Change> {
    Some(match operation {
        "createUser" => |w, c| Ok(Response::created(w.create_user(c.body()?))),
        "updateUser" => |w, c| Ok(Response::ok(w.update_user(c.id("user_id"), c.body()?)?)),
        "createAccount" => |w, c| Ok(Response::created(w.create_account(c.body()?)?)),
        "updateAccount" => |w, c| Ok(Response::ok(w.update_account(c.id("account_id"), c.body()?)?)),
        "closeAccount" => |w, c| { w.close_account(c.id("account_id"))?; Ok(Response::no_content()) },
        "createOrder" => |w, c| {
            let order = w.create_order(&c.body()?)?;
            Ok(Response { order: Some(order.id), ..Response::created(order) })
        },
        "cancelOrder" => |w, c| Ok(Response::ok(w.cancel_order(c.id("order_id"))?)),
        "createPortfolio" => |w, c| Ok(Response::created(w.create_portfolio(c.body()?)?)),
        "updatePortfolio" => |w, c| Ok(Response::ok(w.rename_portfolio(c.id("portfolio_id"), c.body()?)?)),
        "updatePortfolioAllocations" => |w, c| Ok(Response::list(w.replace_allocations(c.id("portfolio_id"), c.body()?)?)),
        "createPortfolioOrder" => |w, c| Ok(Response::created(w.create_portfolio_order(c.id("portfolio_id"), &c.body()?)?)),
        _ => return None,
    })
}

fn found<T: serde::Serialize>(thing: Option<&T>) -> Result<Response, Problem> {
    Ok(Response::ok(thing.ok_or(Rejected::NotFound)?))
}

fn user<'a>(
    state: &'a State,
    call: &Call,
) -> Result<&'a crate::domain::customers::users::User, Rejected> {
    state
        .users
        .get(call.id("user_id"))
        .ok_or(Rejected::NotFound)
}
