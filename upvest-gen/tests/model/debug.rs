//! `Debug` of each generated type shows only values that are not personal.

use std::collections::BTreeMap;

use syn::{Fields, Item, ItemStruct, Type};
use upvest_gen::{Source, describe, generate};

const VENDORED: [&str; 2] = [
    include_str!("../../../spec/upvest-investment-api.yaml"),
    include_str!("../../../spec/overlay.yaml"),
];
const OFFICIAL: [&str; 2] = [
    include_str!("../../../tests/fixtures/official/official-1.9.0.json"),
    include_str!("../../../spec/official-overlay.yaml"),
];

#[test]
fn debug_of_each_vendored_type_shows_only_listed_kinds() {
    assert_debug_hides_personal_fields(VENDORED, 50);
}

#[test]
fn debug_of_each_official_type_shows_only_listed_kinds() {
    assert_debug_hides_personal_fields(OFFICIAL, 50);
}

/// Checks that the `Debug` of each struct hides exactly the fields whose types can hold personal data. The description
/// must have at least `min_structs` structs.
fn assert_debug_hides_personal_fields([spec, overlay]: [&str; 2], min_structs: usize) {
    let spec = Source::new("api", spec);
    let overlay = Source::new("overlay", overlay);
    let has_public = describe(&spec, Some(&overlay))
        .unwrap()
        .to_string()
        .contains("x-public");
    let generated = generate(&spec, Some(&overlay)).unwrap();
    let types = generated.files.iter().find(|file| file.name == "types.rs");
    let types = &types.unwrap().text;
    let file = syn::parse_file(types).unwrap();
    let structs: BTreeMap<String, &ItemStruct> = file
        .items
        .iter()
        .filter_map(|item| match item {
            Item::Struct(item) => Some((item.ident.to_string(), item)),
            _ => None,
        })
        .collect();
    assert!(structs.len() >= min_structs, "{} structs", structs.len());
    let mut public = 0;
    for (name, item) in structs {
        let Fields::Named(fields) = &item.fields else {
            continue;
        };
        let shown = debug_of(types, &name);
        for field in &fields.named {
            let field_name = field.ident.as_ref().unwrap().to_string();
            let hidden = format!("\"{field_name}\", &HIDDEN");
            let hidden_option = format!("\"{field_name}\", &hidden_option(");
            let is_hidden = shown.contains(&hidden) || shown.contains(&hidden_option);
            if is_hidden {
                assert!(is_personal(&field.ty), "{name}.{field_name} is hidden");
            } else {
                public += usize::from(is_personal(&field.ty));
            }
        }
    }
    assert_eq!(public > 0, has_public, "{public} texts are shown");
    assert!(public < 40, "{public} texts are shown");
}

/// Returns the code of the `Debug` implementation of a struct, in one line. Empty if it is derived.
fn debug_of(types: &str, name: &str) -> String {
    let start = format!("impl fmt::Debug for {name} {{");
    let Some((_, rest)) = types.split_once(&start) else {
        return String::new();
    };
    let body = rest.split("\n}\n").next().unwrap_or_default();
    body.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a type can hold any text or a date.
fn is_personal(kind: &Type) -> bool {
    let text = quote::quote!(#kind).to_string().replace(' ', "");
    let texts = [
        "String",
        "chrono::NaiveDate",
        "serde_json::Value",
        "BTreeMap",
        "Map<",
    ];
    texts.iter().any(|name| text.contains(name))
}
