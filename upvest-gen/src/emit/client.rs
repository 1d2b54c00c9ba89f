//! Writes the client, with a documented method for each operation.

use std::fmt::Write;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::print::print;
use crate::docs;
use crate::error::Error;
use crate::model::{Api, Operation};

/// The module `client`.
pub(super) fn client(api: &Api) -> Result<String, Error> {
    let methods = api.operations.iter().map(method);
    print(quote! {
        use std::fmt;

        use upvest_runtime::{ApiClient, GeneratedClient, OperationMeta, Transport};

        use super::events::EventObject;
        use super::{builder, operations};

        /// A client for the API. It has a method for each operation, which returns the operation's builder.
        ///
        /// Cheap to clone; clones share the transport.
        #[derive(Clone)]
        pub struct Client(pub(super) ApiClient);

        impl Client {
            /// A client for the API at `base_url` that sends its requests over `transport`.
            ///
            /// A base URL has the scheme `http` or `https`, a host, and optionally a port and a path:
            /// `https://api.example.com/v1`. A slash at its end makes no difference. With an invalid base URL every
            /// call fails with [`ErrorKind::Configuration`](upvest_runtime::ErrorKind::Configuration).
            pub fn new(base_url: &str, transport: impl Transport + 'static) -> Self {
                Self(ApiClient::new(base_url, transport))
            }

            /// A client for the same API that sends its requests over `transport`.
            #[must_use]
            pub fn with_transport(&self, transport: impl Transport + 'static) -> Self {
                Self(self.0.with_transport(transport))
            }

            /// The base URL, without a slash at its end.
            pub fn base_url(&self) -> &str {
                self.0.base_url()
            }
        }

        impl GeneratedClient for Client {
            type EventObject = EventObject;

            const OPERATIONS: &'static [&'static OperationMeta] = &operations::OPERATIONS;

            fn new(base_url: &str, transport: impl Transport + 'static) -> Self {
                Self::new(base_url, transport)
            }
        }

        impl fmt::Debug for Client {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        /// The operations.
        impl Client {
            #(#methods)*
        }
    })
}

/// ```text
/// /// List orders.
/// ///
/// /// Sends `GET /orders`; the token needs the scope `orders:read`.
/// pub fn list_orders(&self) -> builder::ListOrders {
///     builder::ListOrders::new(self)
/// }
/// ```
fn method(operation: &Operation) -> TokenStream {
    let docs = docs::attributes(&documentation(operation));
    let name = format_ident!("{}", operation.method_name);
    let builder = format_ident!("{}", operation.builder);
    let deprecated = operation.deprecated.then(|| quote!(#[deprecated]));
    quote! {
        #(#docs)*
        #deprecated
        pub fn #name(&self) -> builder::#builder {
            builder::#builder::new(self)
        }
    }
}

fn documentation(operation: &Operation) -> String {
    let Operation {
        id,
        method,
        path,
        summary,
        description,
        response,
        errors,
        scopes,
        ..
    } = operation;
    let summary = if summary.is_empty() {
        format!("`{id}`")
    } else {
        docs::closed(summary.trim_end_matches('.'))
    };
    let mut text = format!("{summary}.\n\n");
    if !description.is_empty() {
        let _ = write!(text, "{}\n\n", docs::closed(description));
    }
    let _ = write!(text, "Sends `{method} {path}`");
    let sets = operation.scope_sets.iter();
    let sets: Vec<String> = sets
        .map(|set| format!("`{}`", set.join("` and `")))
        .collect();
    let _ = match scopes.as_slice() {
        [] if operation.without_token => write!(text, " without a token."),
        [] => write!(text, " with a token."),
        _ if operation.scope_sets.iter().any(Vec::is_empty) => {
            write!(text, "; the token needs no scope.")
        }
        _ => write!(text, "; the token needs the scope {}.", sets.join(", or ")),
    };
    if operation.idempotency_key {
        text.push_str(" Supports an idempotency key.");
    }
    if let Some(paging) = operation.paging {
        let _ = write!(
            text,
            " Has pages, by `offset` and `limit` ({} to {}, {} if not given).",
            paging.min, paging.max, paging.default
        );
    }
    for filter in operation.default_filters() {
        let name = &filter.name;
        let default = filter.default.as_deref().unwrap_or_default();
        let _ = write!(
            text,
            "\n\n**The list is filtered by default:** the server uses `{name}` = `{default}` if it is not set."
        );
    }
    if !response.description.is_empty() {
        let _ = write!(text, "\n\nReturns: {}", docs::closed(&response.description));
    }
    if !errors.is_empty() {
        text.push_str("\n\n# Errors\n\n");
    }
    for (status, meaning) in errors {
        let _ = writeln!(text, "* `{status}`: {}", docs::closed(meaning));
    }
    text
}
