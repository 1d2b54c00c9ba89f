//! The operation builders: what a call needs, how it is sent, and what comes of it.

use heck::ToSnakeCase;
use quote::{ToTokens, format_ident, quote};
use syn::visit_mut::{self, VisitMut};
use syn::{
    Block, Expr, ExprMethodCall, Field, GenericArgument, Ident, ImplItem, ImplItemFn, Item, ItemImpl,
    ItemStruct, Pat, PathArguments, ReturnType, Stmt, Type, parse_quote,
};

use super::{bodies, docs, unexpected};
use crate::error::Result;
use crate::facts::OperationFacts;

/// What the `send` of a builder returns.
pub(crate) struct Send {
    /// The builder's name, for example `CreateOrder`.
    pub(crate) builder: String,
    /// The operation's method name.
    pub(crate) operation: String,
    /// The type in the `ResponseValue`.
    pub(crate) output: Type,
}

/// Trims the builders of all operations.
pub(super) fn builders(items: Vec<Item>, facts: &[OperationFacts]) -> Result<(Vec<Item>, Vec<Send>)> {
    let mut kept = Vec::new();
    let mut sends = Vec::new();
    let mut fields = Vec::new();
    for item in items {
        match item {
            Item::Use(_) => {}
            Item::Struct(item) => {
                fields = item.fields.iter().cloned().collect();
                kept.push(Item::Struct(builder(item)));
            }
            Item::Impl(mut item) => {
                sends.push(implementation(&mut item, &fields, facts)?);
                kept.push(Item::Impl(item));
            }
            _ => return Err(unexpected("`builder` holds something that is neither a struct nor an impl")),
        }
    }
    for item in &mut kept {
        Bodies.visit_item_mut(item);
    }
    Ok((kept, sends))
}

fn builder(mut item: ItemStruct) -> ItemStruct {
    let method = item.ident.to_string().to_snake_case();
    docs::set(
        &mut item.attrs,
        &format!("Builder for [`Client::{method}`](super::client::Client::{method})."),
    );
    item.attrs.push(parse_quote!(#[must_use = "nothing happens before `send`"]));
    item
}

fn implementation(item: &mut ItemImpl, fields: &[Field], facts: &[OperationFacts]) -> Result<Send> {
    let Type::Path(path) = &*item.self_ty else {
        return Err(unexpected("a builder's impl is for no path"));
    };
    let builder = path.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
    let operation = facts
        .iter()
        .find(|operation| operation.name == builder.to_snake_case())
        .ok_or_else(|| unexpected(&format!("the builder `{builder}` is no operation")))?;
    let mut output = None;
    for item in &mut item.items {
        let ImplItem::Fn(function) = item else { continue };
        match function.sig.ident.to_string().as_str() {
            "new" => constructor(function),
            "send" => output = Some(send(function, operation)?),
            name => setter(function, fields, name, operation)?,
        }
    }
    // A lifetime that nothing names reads better without a name.
    let name = format_ident!("{builder}");
    if !item.items.iter().any(|item| matches!(item, ImplItem::Fn(function) if function.sig.ident == "new")) {
        return Err(unexpected(&format!("the builder `{builder}` has no constructor")));
    }
    item.self_ty = parse_quote!(#name<'a>);
    let output = output.ok_or_else(|| unexpected(&format!("the builder `{builder}` has no `send`")))?;
    Ok(Send { builder, operation: operation.name.clone(), output })
}

fn constructor(function: &mut ImplItemFn) {
    function.vis = parse_quote!(pub(crate));
    docs::set(&mut function.attrs, "A builder in which nothing is set.");
    NotSet.visit_block_mut(&mut function.block);
    Shorthand.visit_block_mut(&mut function.block);
}

fn setter(function: &mut ImplItemFn, fields: &[Field], name: &str, operation: &OperationFacts) -> Result<()> {
    if name == "body_map" {
        docs::set(&mut function.attrs, "Sets fields of the body, by the builder of its type.");
        return Ok(());
    }
    let field = fields.iter().find(|field| field.ident.as_ref().is_some_and(|ident| ident == name));
    let kind = field.and_then(|field| result_of(&field.ty)).ok_or_else(|| {
        unexpected(&format!("`{}` has no field `{name}` that is a `Result`", operation.name))
    })?;
    let ident: Ident = function.sig.ident.clone();
    let described = operation
        .parameters
        .iter()
        .find(|(parameter, _)| parameter.to_snake_case() == name.trim_end_matches('_'));
    let new: ImplItemFn = if name == "body" && kind.to_token_stream().to_string().contains("builder") {
        let name =
            kind.to_token_stream().to_string().rsplit("::").next().unwrap_or_default().trim().to_owned();
        let body = format_ident!("{name}");
        parse_quote! {
            pub fn body(mut self, value: impl TryInto<types::#body, Error: Display>) -> Self {
                self.body = argument("body", value).map(Into::into);
                self
            }
        }
    } else {
        let (kind, some) = match bodies::optional(kind) {
            Some(inner) => (inner, Some(quote!(.map(Some)))),
            None => (kind, None),
        };
        parse_quote! {
            pub fn #ident(mut self, value: impl TryInto<#kind, Error: Display>) -> Self {
                self.#ident = argument(#name, value)#some;
                self
            }
        }
    };
    *function = new;
    let text = match (name, described, &operation.body) {
        ("body", None, Some(text)) | (_, Some((_, text)), _) if !text.is_empty() => text.clone(),
        _ => format!("Sets `{name}`."),
    };
    docs::set(&mut function.attrs, &text);
    Ok(())
}

/// Rewrites the end of `send`, where an answer becomes a value or an error, and drops the header that Upvest does not have.
fn send(function: &mut ImplItemFn, operation: &OperationFacts) -> Result<Type> {
    let what = |what: &str| unexpected(&format!("the `send` of `{}` {what}", operation.name));
    docs::set(
        &mut function.attrs,
        &format!(
            "Sends `{} {}`.\n\n# Errors\n\nSee the method of the client.",
            operation.method, operation.path
        ),
    );
    let ReturnType::Type(_, kind) = &function.sig.output else {
        return Err(what("returns nothing"));
    };
    let output = result_of(kind)
        .and_then(first_argument)
        .cloned()
        .ok_or_else(|| what("returns no `Result<ResponseValue<_>, _>`"))?;
    let Block { stmts, .. } = &mut function.block;
    let mut kept: Vec<Stmt> = Vec::new();
    let mut success = None;
    let mut own_headers = false;
    for mut stmt in std::mem::take(stmts) {
        let text = stmt.to_token_stream().to_string();
        if text.contains("\"api-version\"")
            || text.starts_with("client . pre")
            || text.starts_with("client . post")
        {
            continue;
        }
        match &mut stmt {
            Stmt::Expr(Expr::Match(answer), None) => {
                success = answer.arms.iter().find(|arm| is_success(&arm.pat)).cloned();
                continue;
            }
            Stmt::Local(local)
                if binds(&local.pat, "info")
                    || binds(&local.pat, "result")
                    || binds(&local.pat, "response") =>
            {
                continue;
            }
            Stmt::Local(local) if binds(&local.pat, "request") => {
                local.attrs.clear();
                local.pat = parse_quote!(request);
            }
            _ => own_headers |= text.contains("header_map . append"),
        }
        kept.push(stmt);
    }
    if !own_headers {
        kept.retain(|stmt| !matches!(stmt, Stmt::Local(local) if binds(&local.pat, "header_map")));
        let mut headers = NoHeaders;
        for stmt in &mut kept {
            headers.visit_stmt_mut(stmt);
        }
    }
    let success = success.ok_or_else(|| what("matches no status of success"))?;
    let name = &operation.name;
    let id = &operation.id;
    let body = decoded(&success.body).unwrap_or_else(|| quote!(decode::json(response, #id).await));
    kept.push(parse_quote! {
        let response = client.exec(request, &OperationInfo { operation_id: #name }).await?;
    });
    // Any status of success, not the described one alone: an order that was accepted with 202 instead of 201 is placed, and
    // an error would have it placed again (PROTOCOL 10). `check` has seen to it that all have one type.
    let answer: Expr = parse_quote! {
        match response.status().as_u16() {
            200..=299 => #body,
            _ => Err(decode::failure(response).await),
        }
    };
    kept.push(Stmt::Expr(answer, None));
    *stmts = kept;
    Ok(output)
}

/// The arm's own way to read an answer that is no JSON; `None` for JSON.
fn decoded(arm: &Expr) -> Option<proc_macro2::TokenStream> {
    let text = arm.to_token_stream().to_string();
    if text.contains("ResponseValue :: stream") {
        Some(quote!(Ok(ResponseValue::stream(response))))
    } else if text.contains("ResponseValue :: empty") {
        Some(quote!(Ok(ResponseValue::empty(response))))
    } else {
        None
    }
}

fn is_success(pattern: &Pat) -> bool {
    pattern.to_token_stream().to_string().starts_with('2')
}

fn binds(pattern: &Pat, name: &str) -> bool {
    matches!(pattern, Pat::Ident(pattern) if pattern.ident == name)
}

/// `T` of a `Result<T, _>`.
fn result_of(kind: &Type) -> Option<&Type> {
    let Type::Path(path) = kind else { return None };
    path.path.segments.last().filter(|segment| segment.ident == "Result")?;
    first_argument(kind)
}

fn first_argument(kind: &Type) -> Option<&Type> {
    let Type::Path(path) = kind else { return None };
    let PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else {
        return None;
    };
    match arguments.args.first()? {
        GenericArgument::Type(kind) => Some(kind),
        _ => None,
    }
}

/// `types::builder::OrderCreate` is `bodies::OrderCreate` here.
struct Bodies;

impl VisitMut for Bodies {
    fn visit_path_mut(&mut self, path: &mut syn::Path) {
        visit_mut::visit_path_mut(self, path);
        let names: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if names.len() == 3 && names[0] == "types" && names[1] == "builder" {
            let last = &path.segments[2];
            *path = parse_quote!(bodies::#last);
        }
    }
}

/// `request.headers(header_map)` without the headers.
struct NoHeaders;

impl VisitMut for NoHeaders {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        visit_mut::visit_expr_mut(self, expr);
        if let Expr::MethodCall(ExprMethodCall { receiver, method, args, .. }) = expr
            && method == "headers"
            && args.to_token_stream().to_string() == "header_map"
        {
            *expr = (**receiver).clone();
        }
    }
}

/// `"order_id was not initialized"` in the words of the body builders.
struct NotSet;

impl VisitMut for NotSet {
    fn visit_lit_str_mut(&mut self, literal: &mut syn::LitStr) {
        if let Some(name) = literal.value().strip_suffix(" was not initialized") {
            *literal = syn::LitStr::new(&format!("`{name}` is required"), literal.span());
        }
    }
}

/// `Self { client: client }` as `Self { client }`.
struct Shorthand;

impl VisitMut for Shorthand {
    fn visit_field_value_mut(&mut self, field: &mut syn::FieldValue) {
        if field.expr.to_token_stream().to_string() == field.member.to_token_stream().to_string() {
            field.colon_token = None;
        }
    }
}
