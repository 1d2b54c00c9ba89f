//! The rules for names of types, methods, setters and fields.

use std::collections::HashSet;

use heck::{ToPascalCase, ToSnakeCase, ToTitleCase};

/// Words in titles that are not part of the entity's name.
const VERBS: &str =
    "Cancel Change Create Data Get List Patch Place Post Request Response Set Trigger Update";

/// Names that generated code uses for types of other crates.
const RESERVED_TYPES: &str = "Box CountryCode CurrencyCode Clone Copy Debug Decimal Default Err Eq From Into Isin Iterator ListResponse Nested \
    None Nullable Ok Option PaginationMeta PartialEq Problem Result Self Some String ToString TryFrom TryInto Uuid \
    Vec";

/// Names of builders that would clash with other types.
const RESERVED_BUILDERS: &str = "Argument Binary Box ByteStream Call Client Clone Debug Default Display Err Error FnOnce Form Into Json \
    JsonValue None Ok Option Response Result Self Some String Text TryInto Vec";

/// Methods of the client and of the clients that dereference to it, and the name of the table of operations.
const RESERVED_METHODS: &str = "base_url builder clone deref exchange from_env from_transport into new operations request retry_budget to_owned \
    transport try_into url with with_transport";

/// Methods that every builder of an operation has.
const RESERVED_SETTERS: &str =
    "body body_map clone download idempotency_key into new send to_owned try_into with_page";

/// Methods that every builder of a body has.
const RESERVED_FIELDS: &str = "build builder clone default into to_owned try_into";

/// Turns a text into the name of a type of the generated crate.
pub(super) fn type_name(text: &str) -> String {
    escape(
        with_first_letter(ascii(text).to_pascal_case(), "N"),
        RESERVED_TYPES,
    )
}

/// Turns an operation id into the name of its builder.
pub(super) fn builder(text: &str) -> String {
    escape(
        with_first_letter(ascii(text).to_pascal_case(), "N"),
        RESERVED_BUILDERS,
    )
}

/// The keywords and reserved words of edition 2024 that are valid identifiers in snake case.
const KEYWORDS: [&str; 51] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Turns an operation id into the name of a client method.
pub(super) fn method(text: &str) -> String {
    escape(identifier(text), RESERVED_METHODS)
}

/// Turns the name of a parameter into the name of its setter.
pub(super) fn setter(text: &str) -> String {
    escape(identifier(text), RESERVED_SETTERS)
}

/// Turns the name of a property into the name of a field.
pub(super) fn field(text: &str) -> String {
    escape(identifier(text), RESERVED_FIELDS)
}

fn identifier(text: &str) -> String {
    let name = with_first_letter(ascii(text).to_snake_case(), "n");
    if KEYWORDS.contains(&name.as_str()) {
        format!("{name}_")
    } else {
        name
    }
}

/// Removes the characters that a name must not contain.
fn ascii(text: &str) -> String {
    text.chars().filter(char::is_ascii).collect()
}

/// Puts `prefix` before a name that does not begin with a letter, because Rust does not allow such names.
fn with_first_letter(name: String, prefix: &str) -> String {
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        name
    } else {
        format!("{prefix}{name}")
    }
}

/// Whether `word` is one of the words of `list`.
fn is_among(word: &str, list: &str) -> bool {
    list.split_whitespace().any(|other| other == word)
}

fn escape(name: String, reserved: &str) -> String {
    if is_among(&name, reserved) {
        name + "_"
    } else {
        name
    }
}

/// Adds a number to a name.
pub(super) fn numbered(name: &str, number: u32) -> String {
    format!("{}{number}", name.trim_end_matches('_'))
}

/// Returns distinct names for the items `texts`, which want the names `wanted`. If several want the same name, it goes
/// to the item whose text is that name, or else to the first in alphabetical order. The others get underscores.
pub(super) fn distinct(texts: &[&str], wanted: Vec<String>) -> Vec<String> {
    let mut names = wanted;
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.sort_by_key(|index| (texts[*index] != names[*index], texts[*index]));
    let mut taken: HashSet<String> = HashSet::new();
    for index in order {
        let name = &mut names[index];
        while !taken.insert(name.clone()) {
            name.push('_');
        }
    }
    names
}

/// The entity of a schema: `Order` for `OrderCreate` and `OrderUpdate`.
pub(super) fn entity(schema: &str) -> String {
    let name = schema.to_pascal_case();
    let entity = ["Create", "Update"]
        .iter()
        .find_map(|suffix| name.strip_suffix(suffix));
    entity
        .filter(|entity| !entity.is_empty())
        .unwrap_or(&name)
        .to_owned()
}

/// The id type of a field: `OrderId` for `id` of an order, and for `order_id` of any object.
pub(super) fn id(entity: &str, field: &str) -> Option<String> {
    let field = field.to_snake_case();
    match field.strip_suffix("_id") {
        Some(thing) => Some(format!("{}Id", thing.to_pascal_case())),
        None => (field == "id").then(|| format!("{entity}Id")),
    }
}

/// Returns the singular of a field name.
pub(super) fn singular(field: &str) -> &str {
    field.strip_suffix('s').unwrap_or(field)
}

/// The words of a title that name the entity, each in the singular. Words such as `Create` or `Request`
/// are left out.
pub(super) fn nouns(title: &str) -> Vec<String> {
    let title = title
        .split('(')
        .map(|part| part.split_once(')').map_or(part, |(_, rest)| rest))
        .collect::<String>();
    let words = title.split(" - ").flat_map(|segment| {
        segment
            .to_title_case()
            .split(' ')
            .map(str::to_owned)
            .collect::<Vec<_>>()
    });
    words
        .filter(|word| !is_among(word, VERBS))
        .map(|word| singular(&word).to_owned())
        .filter(|word| !word.is_empty())
        .collect()
}

/// Returns a name for the response of an operation: `Order` for `retrieveOrder` and `listOrders`.
pub(super) fn answered(operation: &str, field: &str) -> Option<String> {
    match field {
        "event" => return Some(type_name(operation)),
        "response" | "data" => {}
        _ => return None,
    }
    let words = operation.to_snake_case();
    let (verb, noun) = words.split_once('_')?;
    let is_entity = [
        "create", "place", "update", "retrieve", "get", "list", "find", "show", "read",
    ]
    .contains(&verb);
    is_entity.then(|| type_name(singular(noun)))
}

/// Returns a free variant name for a value. `Unknown` is reserved for unknown values.
pub(super) fn variant(wire: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let mut name = match with_first_letter(ascii(wire).to_pascal_case(), "N").as_str() {
        "N" if wire.is_empty() => "Empty".to_owned(),
        name @ ("Unknown" | "Self") => format!("{name}Value"),
        name => name.to_owned(),
    };
    let base = name.clone();
    let mut number = 1;
    while is_taken(&name) {
        number += 1;
        name = format!("{base}{number}");
    }
    name
}
