//! Writes the builders of the operations: a setter for each parameter, the setters of the body, and `send`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::print::print;
use crate::docs;
use crate::error::Error;
use crate::model::{
    Api, Content, Encoding, FormField, FormStyle, Operation, Parameter, Place, Response,
};

/// The module `builder`.
pub(super) fn builders(api: &Api) -> Result<String, Error> {
    let builders = api
        .operations
        .iter()
        .map(|operation| builder(operation, api));
    print(quote! {
        use std::fmt::Display;

        use upvest_runtime::generated_code::{Binary, Call, EmptyList, Form, Json, JsonValue, Text};
        use upvest_runtime::{Argument, ByteStream, Error, IdempotencyKey, Response, bytes, chrono, serde_json, uuid};

        use super::client::Client;
        use super::{bodies, operations, types};

        #(#builders)*
    })
}

/// ```text
/// /// Builder for [`Client::create_order`].
/// #[derive(Clone, Debug)]
/// #[must_use = "nothing happens before `send`"]
/// pub struct CreateOrder(Call<Json<types::OrderCreate>>);
///
/// impl CreateOrder {
///     pub(crate) fn new(client: &Client) -> Self {
///         Self(Call::new(&client.0, &operations::CREATE_ORDER).require(&["dry_run"]))
///     }
///
///     pub fn dry_run(self, value: impl TryInto<bool, Error: Display>) -> Self { .. }
///
///     pub fn body(self, value: impl TryInto<types::OrderCreate, Error: Display>) -> Self { .. }
///
///     /// Sends `POST /orders`. For the errors, see [`Client::create_order`].
///     pub async fn send(self) -> Result<Response<types::Order>, Error> {
///         self.0.json().await
///     }
/// }
///
/// impl upvest_runtime::Operation for CreateOrder { .. }
/// ```
fn builder(operation: &Operation, api: &Api) -> TokenStream {
    let builder = format_ident!("{}", operation.builder);
    let method = &operation.method_name;
    let title = format!(" Builder for [`Client::{method}`].");
    let sending = format!(
        " Sends `{} {}`. For the errors, see [`Client::{method}`].",
        operation.method, operation.path
    );
    let call = call_type(operation, api);
    let constant = operation.constant();
    let body_settings = body_settings(operation);
    let filters = operation.default_filters();
    let setters = operation
        .parameters
        .iter()
        .map(|parameter| setter(parameter, filters.contains(&parameter)));
    let body_setters = body_setters(operation, api);
    let idempotency_key = operation.idempotency_key.then(idempotency_key);
    let download = download(operation);
    let response_type = operation.response_type();
    let receive = receive(&operation.response);
    let traits = traits(operation);
    quote! {
        #[doc = #title]
        #[derive(Clone, Debug)]
        #[must_use = "nothing happens before `send`"]
        pub struct #builder(#call);

        impl #builder {
            pub(crate) fn new(client: &Client) -> Self {
                Self(Call::new(&client.0, &operations::#constant)#body_settings)
            }

            #(#setters)*

            #body_setters

            #idempotency_key

            #download

            #[doc = #sending]
            pub async fn send(self) -> Result<Response<#response_type>, Error> {
                self.0.#receive.await
            }
        }

        #traits
    }
}

impl Operation {
    /// The Rust type of a successful response, such as `types::Order`.
    fn response_type(&self) -> TokenStream {
        match &self.response.content {
            Content::Empty => quote!(()),
            Content::Binary => quote!(ByteStream),
            Content::Json(kind) if self.response.optional => {
                let kind = kind.tokens("types::");
                quote!(Option<#kind>)
            }
            Content::Json(kind) => kind.tokens("types::"),
            Content::List(item) => {
                let item = item.tokens("types::");
                quote!(types::ListResponse<#item>)
            }
        }
    }
}

/// `Call`, or `Call<Json<types::OrderCreate>>` with a body.
fn call_type(operation: &Operation, api: &Api) -> TokenStream {
    let Some(body) = &operation.body else {
        return quote!(Call);
    };
    let kind = body.kind.tokens("types::");
    match body.encoding {
        Encoding::Json if api.object(&body.kind).is_none() => quote!(Call<JsonValue<#kind>>),
        Encoding::Json => quote!(Call<Json<#kind>>),
        Encoding::Form => quote!(Call<Form<#kind>>),
        Encoding::Binary => quote!(Call<Binary>),
        Encoding::Text => quote!(Call<Text>),
    }
}

/// `.optional_body().media_type("application/merge-patch+json")`, for a body that is unusual in these respects.
fn body_settings(operation: &Operation) -> TokenStream {
    let Some(body) = &operation.body else {
        return TokenStream::new();
    };
    let optional = (!body.required).then(|| quote!(.optional_body()));
    let media_type = body
        .media_type
        .as_ref()
        .map(|media_type| quote!(.media_type(#media_type)));
    let fields = body.fields.iter().map(form_field);
    let fields = (!body.fields.is_empty()).then(|| quote!(.form_fields(const { &[#(#fields),*] })));
    quote!(#optional #media_type #fields)
}

/// `FormField::joined("tags", ",")`
fn form_field(field: &FormField) -> TokenStream {
    let name = &field.name;
    match field.style {
        FormStyle::Joined(separator) => {
            quote!(upvest_runtime::generated_code::FormField::joined(#name, #separator))
        }
        FormStyle::Json => quote!(upvest_runtime::generated_code::FormField::json(#name)),
    }
}

/// ```text
/// /// Only orders of this side.
/// pub fn side<M>(self, value: impl Argument<types::OrderSide, M>) -> Self {
///     Self(self.0.query("side", value))
/// }
/// ```
fn setter(parameter: &Parameter, filters: bool) -> TokenStream {
    let name = &parameter.name;
    let mut text = if parameter.description.is_empty() {
        format!("Sets `{name}`.")
    } else {
        docs::closed(&parameter.description)
    };
    if let Some(default) = parameter.default.as_ref().filter(|_| filters) {
        text = format!(
            "{text}\n\nIf it is not set, the server filters the list by `{default}`, so that other items are missing."
        );
    }
    let docs = docs::attributes(&text);
    let setter = format_ident!("{}", parameter.setter);
    let kind = parameter.kind.tokens("types::");
    let place = match parameter.place {
        Place::Path if parameter.json => quote!(json_path),
        Place::Query if parameter.json => quote!(json_query),
        Place::Header if parameter.json => quote!(json_header),
        Place::Path => quote!(path),
        Place::Query if parameter.joined => quote!(joined_query),
        Place::Query => quote!(query),
        Place::Header => quote!(header),
    };
    let (generics, argument) = if parameter.required && !parameter.joined {
        (quote!(), quote!(TryInto<#kind, Error: Display>))
    } else {
        (quote!(<M>), quote!(Argument<#kind, M>))
    };
    let deprecated = parameter.deprecated.then(|| quote!(#[deprecated]));
    quote! {
        #(#docs)*
        #deprecated
        pub fn #setter #generics(self, value: impl #argument) -> Self {
            Self(self.0.#place(#name, value))
        }
    }
}

/// ```text
/// /// The order to place.
/// pub fn body(self, value: impl TryInto<types::OrderCreate, Error: Display>) -> Self {
///     Self(self.0.body(value))
/// }
///
/// /// Sets fields of the body, by the builder of its type.
/// pub fn body_map(self, change: impl FnOnce(bodies::OrderCreateBuilder) -> bodies::OrderCreateBuilder) -> Self {
///     Self(self.0.body_map(change))
/// }
/// ```
fn body_setters(operation: &Operation, api: &Api) -> TokenStream {
    let Some(body) = &operation.body else {
        return TokenStream::new();
    };
    let docs = if body.description.is_empty() {
        docs::attributes("Sets the body.")
    } else {
        docs::attributes(&body.description)
    };
    let kind = body.kind.tokens("types::");
    let value = match body.encoding {
        Encoding::Json | Encoding::Form => quote!(TryInto<#kind, Error: Display>),
        Encoding::Binary => quote!(Into<bytes::Bytes>),
        Encoding::Text => quote!(Into<String>),
    };
    let body_map = api.object(&body.kind).map(|schema| {
        let builder = format_ident!("{}", schema.builder(api));
        quote! {
            /// Sets fields of the body, by the builder of its type.
            pub fn body_map(self, change: impl FnOnce(bodies::#builder) -> bodies::#builder) -> Self {
                Self(self.0.body_map(change))
            }
        }
    });
    quote! {
        #(#docs)*
        pub fn body(self, value: impl #value) -> Self {
            Self(self.0.body(value))
        }

        #body_map
    }
}

/// The setter of operations that support an idempotency key.
fn idempotency_key() -> TokenStream {
    quote! {
        /// Sends the call with this idempotency key instead of a new one. Use a key for one call only, and send the
        /// same call with the same key again if its outcome is unknown.
        pub fn idempotency_key(self, key: impl TryInto<IdempotencyKey, Error: Display>) -> Self {
            Self(self.0.header::<IdempotencyKey, _>("idempotency-key", key))
        }
    }
}

/// ```text
/// /// Sends `GET /reports` and returns the response as a file: `text/csv`.
/// pub async fn download(self) -> Result<Response<ByteStream>, Error> {
///     self.0.accept("text/csv").file().await
/// }
/// ```
fn download(operation: &Operation) -> Option<TokenStream> {
    let accept = operation.response.download.as_ref()?;
    let doc = format!(
        " Sends `{} {}` and returns the response as a file: `{accept}`.",
        operation.method, operation.path
    );
    Some(quote! {
        #[doc = #doc]
        pub async fn download(self) -> Result<Response<ByteStream>, Error> {
            self.0.accept(#accept).file().await
        }
    })
}

/// Returns the call that sends the request and reads the response: `json()`, or `list(&[EmptyList::NoData])` if the
/// `data` of the list may be missing. A lenient call reads the value with the trait
/// `LenientRead` of the runtime.
fn receive(response: &Response) -> TokenStream {
    match &response.content {
        Content::Empty => quote!(empty()),
        Content::Binary => quote!(file()),
        Content::Json(kind) => match (
            response.optional,
            kind.is_read_by_runtime(response.optional),
        ) {
            (false, false) => quote!(json()),
            (true, false) => quote!(optional_json()),
            (false, true) => quote!(lenient_json()),
            (true, true) => quote!(optional_lenient_json()),
        },
        Content::List(item) => {
            let no_body = response.optional.then(|| quote!(EmptyList::NoBody));
            let no_data = response.may_lack_data.then(|| quote!(EmptyList::NoData));
            let empty: Vec<_> = no_body.into_iter().chain(no_data).collect();
            if item.is_read_by_runtime(false) {
                quote!(lenient_list(&[#(#empty),*]))
            } else if empty.is_empty() {
                quote!(json())
            } else {
                quote!(list(&[#(#empty),*]))
            }
        }
    }
}

/// The traits for code that is generic over operations:
///
/// ```text
/// impl upvest_runtime::Operation for ListOrders {
///     const META: &'static upvest_runtime::OperationMeta = &operations::LIST_ORDERS;
///     type Output = types::ListResponse<types::Order>;
///
///     async fn send(self) -> Result<Response<Self::Output>, Error> {
///         self.send().await
///     }
/// }
///
/// impl upvest_runtime::List for ListOrders { .. }
/// impl upvest_runtime::Paginated for ListOrders {}
/// ```
fn traits(operation: &Operation) -> TokenStream {
    let builder = format_ident!("{}", operation.builder);
    let constant = operation.constant();
    let response_type = operation.response_type();
    let list = list_traits(operation);
    let is_download =
        operation.response.content == Content::Binary || operation.response.download.is_some();
    let download = is_download.then(|| quote!(impl upvest_runtime::Download for #builder {}));
    quote! {
        impl upvest_runtime::Operation for #builder {
            const META: &'static upvest_runtime::OperationMeta = &operations::#constant;

            type Output = #response_type;

            async fn send(self) -> Result<Response<Self::Output>, Error> {
                self.send().await
            }
        }

        #list

        #download
    }
}

/// ```text
/// impl upvest_runtime::List for ListOrders {
///     type Item = types::Order;
///
///     fn page(output: Self::Output) -> upvest_runtime::Page<Self::Item> {
///         output.into()
///     }
///
///     fn with_page(self, offset: u64, limit: u32) -> Self {
///         self.offset(offset).limit(limit)
///     }
/// }
///
/// impl upvest_runtime::Paginated for ListOrders {}
/// ```
fn list_traits(operation: &Operation) -> Option<TokenStream> {
    let Content::List(item) = &operation.response.content else {
        return None;
    };
    let builder = format_ident!("{}", operation.builder);
    let item = item.tokens("types::");
    let is_paginated = operation.paging.is_some();
    let with_page = if is_paginated {
        quote! {
            fn with_page(self, offset: u64, limit: u32) -> Self {
                self.offset(offset).limit(limit)
            }
        }
    } else {
        quote! {
            fn with_page(self, _offset: u64, _limit: u32) -> Self {
                self
            }
        }
    };
    let paginated = is_paginated.then(|| quote!(impl upvest_runtime::Paginated for #builder {}));
    Some(quote! {
        impl upvest_runtime::List for #builder {
            type Item = #item;

            fn page(output: Self::Output) -> upvest_runtime::Page<Self::Item> {
                output.into()
            }

            #with_page
        }

        #paginated
    })
}
