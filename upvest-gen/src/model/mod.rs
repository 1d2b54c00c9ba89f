//! What an API is, in the terms of its field. Everything that writes code reads this and nothing else.

mod build;
mod decimal_pattern;
mod names;
mod read;

use serde::Serialize;

pub(crate) use build::build;

/// An API: its operations and its types, in the order of the description.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Api {
    /// The title of the description.
    pub title: String,
    /// The version of the description.
    pub version: String,
    /// The operations.
    pub operations: Vec<Operation>,
    /// The objects that requests and answers consist of.
    pub schemas: Vec<Schema>,
    /// The open enums.
    pub enums: Vec<Enum>,
    /// The typed ids.
    pub ids: Vec<Id>,
    /// What webhook events carry.
    pub events: Vec<Event>,
    /// Operations that cannot be expressed, each with the reason. They are not among the operations.
    #[serde(skip)]
    pub left_out: Vec<crate::Error>,
    /// Values that are expressed with a loss, each with the reason.
    #[serde(skip)]
    pub notes: Vec<crate::Error>,
}

/// Webhook events that carry the same sort of object.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Event {
    /// The types of the events, such as `ORDER.FILLED`.
    pub types: Vec<String>,
    /// The name of the [`Schema`] that they carry.
    pub object: String,
    /// The operation that reads such an object by its id alone, by the name of its method.
    pub retrieved_by: Option<String>,
}

/// One operation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Operation {
    /// The `operationId`, for example `createOrder`.
    pub id: String,
    /// The name of the client's method, for example `create_order`.
    pub method_name: String,
    /// The name of the builder, for example `CreateOrder`.
    pub builder: String,
    /// The HTTP method in capital letters.
    pub method: String,
    /// The path template.
    pub path: String,
    /// The first tag.
    pub tag: String,
    /// One line on what it does.
    pub summary: String,
    /// What it does, in Markdown.
    pub description: String,
    /// The OAuth scopes of which a token needs one.
    pub scopes: Vec<String>,
    /// Whether the server honours an `idempotency-key`.
    pub idempotency_key: bool,
    /// What a caller sets, without the headers that belong to the transport, sorted by name.
    pub parameters: Vec<Parameter>,
    /// The body of the request.
    pub body: Option<Body>,
    /// The answer of a call that succeeds.
    pub answer: Answer,
    /// Error statuses with what they mean.
    pub errors: Vec<(String, String)>,
    /// The bounds of `limit`, where the operation takes `offset` and `limit`.
    pub paging: Option<Paging>,
}

/// A parameter of an operation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Parameter {
    /// Its name on the wire.
    pub name: String,
    /// The name of its setter.
    pub setter: String,
    /// Where it goes.
    pub place: Place,
    /// Whether it is required.
    pub required: bool,
    /// Whether the values of a list stand in one text, joined by commas.
    pub joined: bool,
    /// What it holds.
    #[serde(rename = "type")]
    pub kind: Type,
    /// What it means, in Markdown.
    pub description: String,
}

/// Where a parameter goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// Into the path.
    Path,
    /// Into the query.
    Query,
    /// Into a header.
    Header,
}

/// The body of a request.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Body {
    /// How it is written.
    pub encoding: Encoding,
    /// What it holds; not used where it is text or bytes.
    #[serde(rename = "type")]
    pub kind: Type,
    /// What it means, in Markdown.
    pub description: String,
}

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// As JSON.
    Json,
    /// As an HTML form.
    Form,
    /// As bytes.
    Binary,
    /// As plain text.
    Text,
}

/// The answer of a call that succeeds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// What it holds.
    pub content: Content,
    /// The media types to accept, joined by commas.
    pub accept: String,
    /// The media types in which it can be downloaded besides, joined by commas.
    pub download: Option<String>,
    /// What it means, in Markdown.
    pub description: String,
}

/// What an answer holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// Nothing.
    Empty,
    /// A stream of bytes.
    Binary,
    /// A value in JSON.
    Json(Type),
    /// A list of items under `data`, with or without `meta`.
    List(Type),
}

/// The bounds that a description sets on `limit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Paging {
    /// Items on a page where the request does not say.
    pub default: u32,
    /// The least `limit`.
    pub min: u32,
    /// The greatest `limit`.
    pub max: u32,
}

/// An object, or one of several.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Schema {
    /// The name of its type.
    pub name: String,
    /// What it means, in Markdown.
    pub description: String,
    /// Whether a request carries it.
    pub sent: bool,
    /// Whether an answer or an event carries it.
    #[serde(skip)]
    pub received: bool,
    /// What it consists of.
    #[serde(flatten)]
    pub shape: Shape,
    /// Where the description has it, as a JSON pointer.
    pub pointer: String,
}

/// What a [`Schema`] consists of.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// Fields, in the order of the description.
    #[serde(rename = "fields")]
    Object(Vec<Field>),
    /// One of several objects, told apart by the value of the field `tag`.
    Union {
        /// The name of the field.
        tag: String,
        /// The objects.
        variants: Vec<Alternative>,
    },
}

/// One of several objects.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Alternative {
    /// The name of its variant.
    pub name: String,
    /// The value of the field that tells it apart.
    pub wire: String,
    /// The object.
    #[serde(rename = "type")]
    pub kind: Type,
}

impl Schema {
    /// The fields of an object. A union has none of its own.
    pub fn fields(&self) -> &[Field] {
        match &self.shape {
            Shape::Object(fields) => fields,
            Shape::Union { .. } => &[],
        }
    }
}

impl Shape {
    /// Whether both make the same type: what is said of it may differ.
    fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Object(fields), Self::Object(others)) => {
                let key = |field: &Field| {
                    (field.name.clone(), field.kind.clone(), field.required, field.nullable, field.sensitive)
                };
                fields.iter().map(key).eq(others.iter().map(key))
            }
            (union, other) => union == other,
        }
    }
}

/// A field of an object.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Field {
    /// Its name on the wire.
    pub name: String,
    /// Its name in Rust.
    pub rust: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub kind: Type,
    /// Whether it is always there.
    pub required: bool,
    /// Whether it may be `null`.
    pub nullable: bool,
    /// Whether the text may be empty if a value is received, which stands for none.
    pub blank: bool,
    /// Whether it holds personal data or a secret.
    pub sensitive: bool,
    /// Whether the object can be in it again without a list or a map between.
    pub recursive: bool,
    /// What it means, in Markdown.
    pub description: String,
}

/// What a value can be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Type {
    /// Any text.
    Text,
    /// `true` or `false`.
    Bool,
    /// A whole number of 64 bits.
    I64,
    /// A whole number that is never negative, of 32 bits.
    U32,
    /// A whole number that is never negative, of 64 bits.
    U64,
    /// A number with a fraction that need not be exact.
    F64,
    /// An exact decimal, written as text.
    Decimal,
    /// A UUID that is the id of no type.
    Uuid,
    /// A day.
    Date,
    /// A moment.
    DateTime,
    /// ISO 4217.
    Currency,
    /// ISO 3166-1 alpha-2.
    Country,
    /// ISO 6166.
    Isin,
    /// Any JSON.
    Json,
    /// An [`Id`], by name.
    Id(String),
    /// An [`Enum`], by name.
    Enum(String),
    /// A [`Schema`], by name.
    Schema(String),
    /// Values of one type, in order.
    List(Box<Type>),
    /// Values of one type, by name.
    Map(Box<Type>),
    /// A value or `null`, in a list or a map.
    Nullable(Box<Type>),
}

/// A set of texts of which more may come.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Enum {
    /// The name of its type.
    pub name: String,
    /// What it means, in Markdown.
    pub description: String,
    /// The values that are known.
    pub variants: Vec<Variant>,
    /// The names of the variants that are final, where the values are those of a status.
    pub finals: Vec<String>,
}

/// One value of an enum.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Variant {
    /// The name in Rust.
    pub name: String,
    /// The text on the wire.
    pub wire: String,
    /// What it means, in Markdown.
    pub description: String,
}

/// The type of a UUID that identifies one sort of thing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Id {
    /// The name of its type.
    pub name: String,
    /// What it means.
    pub description: String,
}
