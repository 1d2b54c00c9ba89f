//! Shortens the paths that generators write out in full, since a person reads the result.

use proc_macro2::Span;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Item, LitStr, Meta, Path};

/// Full paths of what the prelude has.
const PRELUDE: [&str; 7] = [
    "std::option::Option",
    "std::string::String",
    "std::vec::Vec",
    "std::result::Result",
    "std::convert::TryInto",
    "std::default::Default",
    "std::ops::FnOnce",
];

/// Shortens all paths in `items`; types of the description stand in `module`, which is empty within their own.
pub(super) fn shorten(items: &mut [Item], module: &'static str) {
    let mut shortener = Shortener { module };
    for item in items {
        shortener.visit_item_mut(item);
    }
}

struct Shortener {
    module: &'static str,
}

impl VisitMut for Shortener {
    fn visit_path_mut(&mut self, path: &mut Path) {
        visit_mut::visit_path_mut(self, path);
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        let full = names.join("::");
        let prelude = PRELUDE.iter().find(|long| full == **long || full.starts_with(&format!("{long}::")));
        let strip = if names.len() > 2 && names[0] == "crate" && names[1] == "types" {
            // `crate::types::Order` is `types::Order`, and `Order` in that module itself.
            if self.module.is_empty() { 2 } else { 1 }
        } else if prelude.is_some() {
            // `std`, and the module within it.
            2
        } else {
            0
        };
        if strip > 0 {
            path.leading_colon = None;
            path.segments = std::mem::take(&mut path.segments).into_iter().skip(strip).collect();
        } else if path.leading_colon.is_some() && names.len() > 1 {
            path.leading_colon = None;
        }
    }

    fn visit_attribute_mut(&mut self, attribute: &mut Attribute) {
        if attribute.path().is_ident("serde")
            && let Meta::List(list) = &mut attribute.meta
        {
            let text = list.tokens.to_string();
            if text.contains("\"::std::option::Option::is_none\"") {
                let short = LitStr::new("Option::is_none", Span::call_site());
                let tokens =
                    text.replace("\"::std::option::Option::is_none\"", &quote::quote!(#short).to_string());
                if let Ok(tokens) = tokens.parse() {
                    list.tokens = tokens;
                }
            }
        }
        if attribute.path().is_ident("derive")
            && let Meta::List(list) = &mut attribute.meta
            && let Ok(tokens) = list
                .tokens
                .to_string()
                .replace(":: serde :: ", "serde::")
                .replace("::serde::", "serde::")
                .parse()
        {
            list.tokens = tokens;
        }
    }
}
