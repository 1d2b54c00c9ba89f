//! Prose of the description as documentation that rustdoc takes without a warning.

use syn::{Attribute, parse_quote};

/// Widest line of a doc comment, without what stands before it.
const WIDTH: usize = 100;

/// Replaces the documentation among `attributes` by `text`.
pub(super) fn set(attributes: &mut Vec<Attribute>, text: &str) {
    attributes.retain(|attribute| !attribute.path().is_ident("doc"));
    let docs = doc_lines(text).into_iter().map(|line| {
        let line = if line.is_empty() { line } else { format!(" {line}") };
        parse_quote!(#[doc = #line])
    });
    attributes.splice(0..0, docs);
}

/// Wraps `text` and escapes what rustdoc would take for a link or for HTML.
pub(crate) fn doc_lines(text: &str) -> Vec<String> {
    text.lines().flat_map(|line| wrap(&escape(line))).collect()
}

fn wrap(line: &str) -> Vec<String> {
    // What is indented or a list keeps its form.
    if line.len() <= WIDTH || line.starts_with(' ') {
        return vec![line.to_owned()];
    }
    let indent = if line.starts_with("* ") { "  " } else { "" };
    let mut lines = vec![String::new()];
    for word in line.split_whitespace() {
        let full = lines.last().is_some_and(|line| !line.is_empty() && line.len() + 1 + word.len() > WIDTH);
        match lines.last_mut() {
            Some(line) if !full => {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
            }
            _ => lines.push(format!("{indent}{word}")),
        }
    }
    lines
}

/// Escapes brackets outside code; our own intra-doc links come as `[`name`](path)` and are left alone.
fn escape(line: &str) -> String {
    let mut escaped = String::with_capacity(line.len());
    let mut code = false;
    for (index, c) in line.char_indices() {
        let rest = &line[index..];
        match c {
            '`' => code = !code,
            '<' if !code && !rest.starts_with("<http") => escaped.push('\\'),
            '[' if !code && !rest.starts_with("[`") => escaped.push('\\'),
            _ => {}
        }
        escaped.push(c);
    }
    escaped
}

/// The lines of the documentation among `attributes`, as they were set.
pub(super) fn lines(attributes: &[Attribute]) -> Vec<String> {
    let docs = attributes.iter().filter(|attribute| attribute.path().is_ident("doc"));
    let texts = docs.filter_map(|attribute| match &attribute.meta {
        syn::Meta::NameValue(pair) => Some(&pair.value),
        _ => None,
    });
    texts
        .filter_map(|value| match value {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        })
        .collect()
}
