//! A command-line program without `async` of its own: `cargo example blocking_cli orders`.

use std::process::ExitCode;

use futures_util::TryStreamExt as _;
use tokio::runtime::Runtime;
use upvest_ext::{Error, PaginateExt as _, Upvest};
use upvest_sandbox::Sandbox;

const USAGE: &str = "usage: blocking_cli instruments | orders | order ID";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            // The hint says what to do, and Upvest's support needs the request id.
            if let Some(error) = error.downcast_ref::<Error>() {
                let hint = error.hint().map(|hint| format!("hint: {hint}"));
                let id = error.request_id().map(|id| format!("request id: {id}"));
                hint.into_iter()
                    .chain(id)
                    .for_each(|line| eprintln!("{line}"));
            }
            ExitCode::FAILURE
        }
    }
}

/// One runtime for the whole program, in which connections and tokens are kept. `block_on` makes a call.
fn run(arguments: &[&str]) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = Runtime::new()?;
    let is_configured = std::env::var_os("UPVEST_ENVIRONMENT").is_some();
    let sandbox = if is_configured {
        None
    } else {
        Some(runtime.block_on(Sandbox::start())?)
    };
    let upvest = sandbox.as_ref().map_or_else(Upvest::from_env, |sandbox| {
        Upvest::from_vars(sandbox.vars())
    })?;
    match arguments {
        [] | ["instruments"] => {
            let items: Vec<_> =
                runtime.block_on(upvest.list_instruments().items().try_collect())?;
            for instrument in items {
                println!("{} {}", instrument.id, instrument.name.unwrap_or_default());
            }
        }
        ["orders"] => {
            let items: Vec<_> = runtime.block_on(upvest.list_orders().items().try_collect())?;
            println!("{} orders", items.len());
        }
        ["order", id] => {
            let order = runtime.block_on(upvest.retrieve_order().order_id(*id).send())?;
            println!("{} is {:?}", order.id, order.status);
        }
        _ => return Err(USAGE.into()),
    }
    Ok(())
}
