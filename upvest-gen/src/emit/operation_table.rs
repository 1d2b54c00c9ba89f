//! Writes the operation table, with the metadata of each operation.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

use super::print::print;
use crate::error::Error;
use crate::model::{Api, Operation, Parameter, Place, Type};

impl Operation {
    /// The name of the operation's entry in the table.
    pub(super) fn constant(&self) -> Ident {
        format_ident!("{}", self.method_name.to_ascii_uppercase())
    }
}

/// The module `operations`: an entry for each operation, and a list of all entries sorted by the name of their method.
pub(super) fn operation_table(api: &Api) -> Result<String, Error> {
    let entries = api.operations.iter().map(|operation| entry(operation, api));
    let mut sorted: Vec<&Operation> = api.operations.iter().collect();
    sorted.sort_by(|a, b| a.method_name.cmp(&b.method_name));
    let names = sorted.iter().map(|operation| operation.constant());
    let count = Literal::usize_unsuffixed(sorted.len());
    print(quote! {
        use upvest_runtime::generated_code::find_operation;
        use upvest_runtime::http::Method;
        use upvest_runtime::{OperationMeta, Paging, ParameterMeta, ParameterPlace, ParameterType};

        #(#entries)*

        /// All operations, sorted by the name of their method.
        pub static OPERATIONS: [&OperationMeta; #count] = [#(&#names),*];

        /// The operation whose method is called `name`.
        pub fn find(name: &str) -> Option<&'static OperationMeta> {
            find_operation(&OPERATIONS, name)
        }
    })
}

/// ```text
/// /// `GET /orders`
/// pub static LIST_ORDERS: OperationMeta = OperationMeta::new("listOrders", "list_orders", Method::GET, "/orders")
///     .tagged("Orders")
///     .scoped(&["orders:read"])
///     .sufficient(&[&["orders:read"]])
///     .paged(Paging::new(20, 1, 100))
///     .accepting("application/json")
///     .with_parameters(&[ParameterMeta::new("offset", ParameterPlace::Query, ParameterType::Integer)]);
/// ```
fn entry(operation: &Operation, api: &Api) -> TokenStream {
    let Operation {
        id,
        method_name,
        path,
        tag,
        scopes,
        optional_scopes,
        ..
    } = operation;
    let doc = format!(" `{} {path}`", operation.method);
    let constant = operation.constant();
    let method = format_ident!("{}", operation.method);
    let tagged = (!tag.is_empty()).then(|| quote!(.tagged(#tag)));
    let scoped = (!scopes.is_empty()).then(|| quote!(.scoped(&[#(#scopes),*])));
    let without_token = operation.without_token.then(|| quote!(.without_token()));
    let sets = operation.scope_sets.iter().map(|set| quote!(&[#(#set),*]));
    let sufficient = (!operation.scope_sets.is_empty()).then(|| quote!(.sufficient(&[#(#sets),*])));
    let optional =
        (!optional_scopes.is_empty()).then(|| quote!(.optional(&[#(#optional_scopes),*])));
    let keyed = operation.idempotency_key.then(|| quote!(.keyed()));
    let paged = operation.paging.map(|paging| {
        let [default, min, max] =
            [paging.default, paging.min, paging.max].map(Literal::u32_unsuffixed);
        quote!(.paged(Paging::new(#default, #min, #max)))
    });
    let accept = &operation.response.accept;
    let parameters = operation.parameters.iter();
    let parameters: Vec<_> = parameters.map(|it| parameter(it, api)).collect();
    let with_parameters =
        (!parameters.is_empty()).then(|| quote!(.with_parameters(&[#(#parameters),*])));
    quote! {
        #[doc = #doc]
        pub static #constant: OperationMeta = OperationMeta::new(#id, #method_name, Method::#method, #path)
            #tagged
            #scoped
            #without_token
            #sufficient
            #optional
            #keyed
            #paged
            .accepting(#accept)
            #with_parameters;
    }
}

/// `ParameterMeta::new("order_id", ParameterPlace::Path, ParameterType::Uuid).required()`
fn parameter(parameter: &Parameter, api: &Api) -> TokenStream {
    let name = &parameter.name;
    let place = match parameter.place {
        Place::Path => quote!(Path),
        Place::Query => quote!(Query),
        Place::Header => quote!(Header),
    };
    let (value, list) = match &parameter.kind {
        Type::List(item) => (&**item, quote!(.list())),
        kind => (kind, quote!()),
    };
    let kind = parameter_type(value, api);
    let required = parameter.required.then(|| quote!(.required()));
    quote!(ParameterMeta::new(#name, ParameterPlace::#place, ParameterType::#kind)#list #required)
}

fn parameter_type(kind: &Type, api: &Api) -> TokenStream {
    match kind {
        Type::Text => quote!(Text),
        Type::Bool => quote!(Boolean),
        Type::I64 | Type::U32 | Type::U64 => quote!(Integer),
        Type::F64 => quote!(Number),
        Type::Decimal => quote!(Decimal),
        Type::Uuid | Type::Id(_) => quote!(Uuid),
        Type::Date => quote!(Date),
        Type::DateTime => quote!(DateTime),
        Type::Currency => quote!(Currency),
        Type::Country => quote!(Country),
        Type::Isin => quote!(Isin),
        Type::Enum(name) => {
            let item = api.enums.iter().find(|item| item.name == *name);
            let values = item.iter().flat_map(|item| &item.variants);
            let values = values.map(|variant| &variant.wire);
            quote!(Enum(&[#(#values),*]))
        }
        // A parameter is a scalar or a list of scalars.
        Type::Json
        | Type::Schema(_)
        | Type::List(_)
        | Type::Map(_)
        | Type::Nullable(_)
        | Type::OrEmpty(_) => quote!(Json),
    }
}
