//! Builders of request bodies, by the runtime's macro: those of types that only come in are not written at all.

use std::collections::BTreeSet;
use std::fmt::Write;

use heck::ToPascalCase;
use quote::ToTokens;
use syn::{Field, GenericArgument, Item, PathArguments, Type};

use super::types::wire_name;
use super::{docs, schema};
use crate::shape::Shaped;

/// The source of the module `bodies`: one `body_builder!` for each struct that goes out.
pub(crate) fn body_builders(types: &[Item], shaped: &Shaped) -> String {
    let sent: BTreeSet<String> = shaped.sent.iter().map(|name| name.to_pascal_case()).collect();
    let mut source = String::new();
    for item in types {
        let Item::Struct(item) = item else { continue };
        let name = item.ident.to_string();
        if !sent.contains(&name) {
            continue;
        }
        let properties = &schema(shaped, &name)["properties"];
        let _ = writeln!(
            source,
            "body_builder! {{\n    /// Builds [`{name}`](super::types::{name}).\n    {name} {{"
        );
        for field in &item.fields {
            let Some(ident) = field.ident.as_ref().map(ToString::to_string) else { continue };
            for line in documentation(field) {
                let _ = writeln!(source, "        ///{line}");
            }
            let (need, kind) = match optional(&field.ty) {
                Some(inner) => ("optional", inner),
                None => ("required", &field.ty),
            };
            let secret =
                if properties[wire_name(field, &ident)]["x-sensitive"] == true { "(secret) " } else { "" };
            let kind = qualified(kind, &sent);
            let _ = writeln!(source, "        {need} {secret}{ident}: {kind},");
        }
        source.push_str("    }\n}\n\n");
    }
    source
}

/// `T` of an `Option<T>`.
pub(super) fn optional(kind: &Type) -> Option<&Type> {
    let Type::Path(path) = kind else { return None };
    let last = path.path.segments.last().filter(|segment| segment.ident == "Option")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first()? {
        GenericArgument::Type(inner) => Some(inner),
        _ => None,
    }
}

/// The type as it is called beside builders of the same names.
fn qualified(kind: &Type, sent: &BTreeSet<String>) -> String {
    let words = kind.to_token_stream().to_string();
    let words = words
        .split(' ')
        .map(|word| if sent.contains(word) { format!("types::{word}") } else { word.to_owned() });
    words.collect()
}

fn documentation(field: &Field) -> Vec<String> {
    docs::lines(&field.attrs)
}
