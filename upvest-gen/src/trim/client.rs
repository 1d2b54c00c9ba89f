//! The client: its constructor, and one documented method for each operation.

use std::fmt::Write;

use syn::{ImplItem, Item};

use super::{docs, unexpected};
use crate::error::Result;
use crate::facts::OperationFacts;

/// Trims the client's struct and impls.
pub(super) fn client(items: Vec<Item>, facts: &[OperationFacts]) -> Result<Vec<Item>> {
    let mut kept = Vec::new();
    for item in items {
        match item {
            Item::Struct(mut item) => {
                // Its `Debug` is written by hand, and says only where it calls.
                item.attrs.retain(|attribute| !attribute.path().is_ident("derive"));
                docs::set(&mut item.attrs, CLIENT);
                item.attrs.push(syn::parse_quote!(#[derive(Clone)]));
                kept.push(Item::Struct(item));
            }
            Item::Impl(mut item) => {
                if item.trait_.is_none() {
                    methods(&mut item.items, facts)?;
                }
                kept.push(Item::Impl(item));
            }
            item => kept.push(item),
        }
    }
    Ok(kept)
}

fn methods(items: &mut Vec<ImplItem>, facts: &[OperationFacts]) -> Result<()> {
    // `new` makes an HTTP client and panics where it cannot.
    items.retain(|item| !matches!(item, ImplItem::Fn(function) if function.sig.ident == "new"));
    for item in items {
        let ImplItem::Fn(function) = item else { continue };
        let name = function.sig.ident.to_string();
        if name == "new_with_client" {
            docs::set(&mut function.attrs, CONSTRUCTOR);
            continue;
        }
        let operation = facts
            .iter()
            .find(|operation| operation.name == name)
            .ok_or_else(|| unexpected(&format!("the client's method `{name}` is no operation")))?;
        docs::set(&mut function.attrs, &documentation(operation));
    }
    Ok(())
}

const CLIENT: &str = "Client for the API: one method for each operation, which returns the operation's builder.\n\n\
    Cheap to clone; clones share the transport.";

const CONSTRUCTOR: &str = "A client for the API at `baseurl`, a URL without a slash at its end. \
    `client` makes the requests, the transport in `inner` sends them.";

fn documentation(operation: &OperationFacts) -> String {
    let OperationFacts { method, path, summary, description, success, errors, scopes, .. } = operation;
    let mut text = format!("{summary}.\n\n{description}\n\nSends `{method} {path}`");
    let _ = match scopes.as_slice() {
        [] => write!(text, " without a token."),
        scopes => write!(text, "; the token needs the scope `{}`.", scopes.join("` or `")),
    };
    if operation.idempotency_key {
        text.push_str(" Takes an idempotency key.");
    }
    if let Some([default, min, max]) = operation.paging {
        let _ = write!(text, " Pages by `offset` and `limit` ({min} to {max}, {default} if not given).");
    }
    let _ = write!(text, "\n\nReturns: {success}\n\n# Errors\n\n");
    for (status, meaning) in errors {
        let _ = writeln!(text, "* `{status}`: {meaning}");
    }
    text.push_str("* Any other error status carries a [`Problem`](crate::types::Problem) too.");
    text
}
