//! Prints tokens as Rust source.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::Item;

use super::defect::defect;
use crate::error::Error;

/// The source of the items in `tokens`, with an empty line between items and between methods.
pub(super) fn print(tokens: TokenStream) -> Result<String, Error> {
    let invalid = |error: syn::Error| defect(&format!("the generated code is not Rust: {error}"));
    let file: syn::File = syn::parse2(tokens).map_err(invalid)?;
    let mut source = String::new();
    let mut previous = None;
    for item in file.items {
        let group = Group::of(&item);
        if previous.is_some_and(|previous| previous != group || group == Group::Other) {
            source.push('\n');
        }
        source.push_str(&separate_methods(&print_item(item)));
        previous = Some(group);
    }
    Ok(source)
}

/// Items of one group follow each other without an empty line, unless they are [`Group::Other`].
#[derive(Clone, Copy, PartialEq, Eq)]
enum Group {
    Modules,
    StandardLibrary,
    Crates,
    Own,
    Other,
}

impl Group {
    fn of(item: &Item) -> Self {
        match item {
            Item::Mod(module) if module.content.is_none() => Self::Modules,
            Item::Use(import) => match import.tree.to_token_stream().into_iter().next() {
                Some(first) if first.to_string() == "std" => Self::StandardLibrary,
                Some(first) if first.to_string() == "super" => Self::Own,
                _ => Self::Crates,
            },
            _ => Self::Other,
        }
    }
}

fn print_item(item: Item) -> String {
    prettyplease::unparse(&syn::File {
        shebang: None,
        frontmatter: None,
        attrs: Vec::new(),
        items: vec![item],
    })
}

/// Adds an empty line after each method, as the printer does not.
fn separate_methods(source: &str) -> String {
    source.replace("\n    }\n    ", "\n    }\n\n    ")
}
