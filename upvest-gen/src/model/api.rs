//! The data of the model.

use serde::Serialize;

use crate::error::Error;

/// An API: its operations and its types, in the order of the description.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Api {
    /// The title of the description.
    pub title: String,
    /// The version of the description.
    pub version: String,
    /// The operations.
    pub operations: Vec<Operation>,
    /// The objects in requests and responses.
    pub schemas: Vec<Schema>,
    /// The open enums.
    pub enums: Vec<Enum>,
    /// The typed ids.
    pub ids: Vec<Id>,
    /// The types of webhook events.
    pub event_kinds: Vec<Variant>,
    /// The objects in webhook events.
    pub events: Vec<Event>,
    /// The problems of operations that were left out. `operations` does not contain them.
    #[serde(skip)]
    pub left_out: Vec<Error>,
    /// The values that lose information in Rust, each with the reason.
    #[serde(skip)]
    pub notes: Vec<Error>,
}

/// Webhook events with the same type of object.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Event {
    /// The types of the events, such as `ORDER.FILLED`.
    pub types: Vec<String>,
    /// The name of the [`Schema`] of the object.
    pub object: String,
    /// The method name of the operation that reads such an object by its id alone.
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
    /// Whether the operation is deprecated.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub deprecated: bool,
    /// A summary in one line.
    pub summary: String,
    /// The description, in Markdown.
    pub description: String,
    /// All OAuth scopes of its security requirements.
    pub scopes: Vec<String>,
    /// Whether a call needs no access token.
    pub without_token: bool,
    /// The sets of scopes that suffice, the smallest first. A token needs all scopes of one of them.
    pub scope_sets: Vec<Vec<String>>,
    /// The scopes that Upvest does not grant to every client, from `x-optional-scopes` in the overlay.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub optional_scopes: Vec<String>,
    /// Whether the server supports an `idempotency-key`.
    pub idempotency_key: bool,
    /// The parameters that a caller sets, sorted by name. The headers of the transport are not among them.
    pub parameters: Vec<Parameter>,
    /// The body of the request.
    pub body: Option<Body>,
    /// The response of a successful call.
    pub response: Response,
    /// The error statuses with their descriptions.
    pub errors: Vec<(String, String)>,
    /// The bounds of `limit`, if the operation has the parameters `offset` and `limit`.
    pub paging: Option<Paging>,
}

/// A parameter of an operation.
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are independent of each other"
)]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Parameter {
    /// The name in the request.
    pub name: String,
    /// The name of the setter.
    pub setter: String,
    /// The location in the request.
    pub place: Place,
    /// Whether a call must set the parameter.
    pub required: bool,
    /// Whether the values of a list are joined by commas into one text.
    pub joined: bool,
    /// Whether the value is written as JSON.
    pub json: bool,
    /// Whether the parameter is deprecated.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub deprecated: bool,
    /// The type of the value.
    #[serde(rename = "type")]
    pub kind: Type,
    /// The description, in Markdown.
    pub description: String,
    /// The value, as text, that the server uses if the parameter is missing.
    #[serde(skip)]
    pub default: Option<String>,
}

impl Operation {
    /// Returns the query parameters whose defaults filter a list: all parameters with a default, except those that
    /// choose the page or the order.
    pub fn default_filters(&self) -> Vec<&Parameter> {
        let is_arranging = |parameter: &Parameter| ARRANGING.contains(&parameter.name.as_str());
        let is_list = match &self.response.content {
            Content::List(_) | Content::Json(Type::List(_)) => true,
            // The items of a list may also be in a union, or in a field that is not `data`.
            Content::Json(_) => self.parameters.iter().any(is_arranging),
            Content::Empty | Content::Binary => false,
        };
        let is_filter = |parameter: &&Parameter| {
            is_list
                && parameter.place == Place::Query
                && parameter.default.is_some()
                && !is_arranging(parameter)
        };
        self.parameters.iter().filter(is_filter).collect()
    }
}

/// Query parameters that choose a page or an order.
const ARRANGING: &[&str] = &[
    "cursor",
    "direction",
    "limit",
    "offset",
    "order",
    "order_by",
    "page",
    "page_size",
    "per_page",
    "sort",
    "sort_by",
    "sort_order",
];

/// The location of a parameter in the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// In a header.
    Header,
}

/// The body of a request.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Body {
    /// The encoding.
    pub encoding: Encoding,
    /// The media type, if it is not the usual one of the encoding.
    pub media_type: Option<String>,
    /// Whether a request must have the body.
    pub required: bool,
    /// The type. Not used for text and bytes.
    #[serde(rename = "type")]
    pub kind: Type,
    /// The fields of a form that are not written in the usual way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FormField>,
    /// The description, in Markdown.
    pub description: String,
}

/// A field of a form that is not written in the usual way. Usually, each item of a list is a pair of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FormField {
    /// The name in the form.
    pub name: String,
    /// The format of the value.
    pub style: FormStyle,
}

/// The format of a field of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FormStyle {
    /// The items of a list are joined into one text, with this separator.
    Joined(&'static str),
    /// As JSON.
    Json,
}

/// The encoding of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// JSON.
    Json,
    /// An HTML form.
    Form,
    /// Bytes.
    Binary,
    /// Plain text.
    Text,
}

/// The response of a successful call.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Response {
    /// The content.
    pub content: Content,
    /// Whether a response may also have no content.
    pub optional: bool,
    /// Whether the `data` of a list may be missing or `null`, which means an empty list.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub may_lack_data: bool,
    /// The media types to accept, joined by commas.
    pub accept: String,
    /// Further media types in which the response can be downloaded, joined by commas.
    pub download: Option<String>,
    /// The description, in Markdown.
    pub description: String,
}

/// The content of a response.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// Nothing.
    Empty,
    /// A stream of bytes.
    Binary,
    /// A value in JSON.
    Json(Type),
    /// A list of items in the field `data`, with or without `meta`.
    List(Type),
}

/// The bounds of `limit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Paging {
    /// The page size if the request has no `limit`.
    pub default: u32,
    /// The smallest `limit`.
    pub min: u32,
    /// The largest `limit`.
    pub max: u32,
}

/// An object, or a union of several objects.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Schema {
    /// The name of its type.
    pub name: String,
    /// The description, in Markdown.
    pub description: String,
    /// Whether the object occurs in a request.
    pub sent: bool,
    /// Whether the object occurs in a response or an event.
    #[serde(skip)]
    pub received: bool,
    /// The fields or the alternatives.
    #[serde(flatten)]
    pub shape: Shape,
    /// The place in the description, as a JSON pointer.
    pub pointer: String,
}

/// The fields or the alternatives of a [`Schema`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// An object with these fields, in the order of the description.
    #[serde(rename = "fields")]
    Object(Vec<Field>),
    /// One of several objects, distinguished by the value of the field `tag`.
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
    /// The value of the field `tag`.
    pub wire: String,
    /// Further values of the field `tag` that mean the same object.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub other_wires: Vec<String>,
    /// The object.
    #[serde(rename = "type")]
    pub kind: Type,
}

impl Shape {
    /// The types of the fields or of the alternatives.
    pub(super) fn kinds(&self) -> Vec<&Type> {
        match self {
            Self::Object(fields) => fields.iter().map(|field| &field.kind).collect(),
            Self::Union { variants, .. } => variants.iter().map(|variant| &variant.kind).collect(),
        }
    }

    /// As [`Shape::kinds`], for changes.
    pub(super) fn kinds_mut(&mut self) -> Vec<&mut Type> {
        match self {
            Self::Object(fields) => fields.iter_mut().map(|field| &mut field.kind).collect(),
            Self::Union { variants, .. } => variants
                .iter_mut()
                .map(|variant| &mut variant.kind)
                .collect(),
        }
    }
}

impl Schema {
    /// The fields of an object. Empty for a union.
    pub fn fields(&self) -> &[Field] {
        match &self.shape {
            Shape::Object(fields) => fields,
            Shape::Union { .. } => &[],
        }
    }
}

/// A field of an object.
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are independent of each other"
)]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Field {
    /// The name in JSON.
    pub name: String,
    /// The name in Rust.
    pub rust: String,
    /// The type of the value.
    #[serde(rename = "type")]
    pub kind: Type,
    /// Whether the object must have the field.
    pub required: bool,
    /// Whether the value may be `null`.
    pub nullable: bool,
    /// Whether a received text may be empty, which means that there is no value.
    pub blank: bool,
    /// Whether `Debug` may show the value although it is a text or a date.
    pub public: bool,
    /// The direction in which the field occurs. `None` if it occurs in both.
    pub only: Option<Direction>,
    /// Whether the field holds all properties that the description does not name.
    pub extra: bool,
    /// Whether the field is deprecated.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub deprecated: bool,
    /// Whether the object can contain itself through this field, without a list or a map in between.
    pub recursive: bool,
    /// Whether a long chain of types begins here.
    pub deep: bool,
    /// The description, in Markdown.
    pub description: String,
}

/// The direction of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// In requests: `writeOnly`.
    Sent,
    /// In responses and events: `readOnly`.
    Received,
}

impl Field {
    /// Whether the field is an `Option`.
    pub(crate) fn is_option(&self, schema: &Schema) -> bool {
        let is_blank = self.blank && (schema.received || !schema.sent);
        !self.required || self.nullable || is_blank
    }

    /// Whether `Debug` hides the value. `Debug` shows only values that are not personal: ids, enums, codes, amounts,
    /// instants, counts and flags. A nested object hides its own fields.
    pub fn is_hidden(&self) -> bool {
        !self.public && self.kind.may_be_personal()
    }

    /// Whether a request distinguishes a missing field from one that is `null`.
    pub(crate) fn distinguishes_null(&self, schema: &Schema) -> bool {
        schema.sent && self.nullable && !self.required
    }
}

impl Type {
    /// Whether the value can be personal data: a text, a date, any JSON, or a map, whose keys are texts.
    fn may_be_personal(&self) -> bool {
        match self {
            Self::Text | Self::Date | Self::Json | Self::Map(_) => true,
            Self::List(inner) | Self::Nullable(inner) | Self::OrEmpty(inner) => {
                inner.may_be_personal()
            }
            _ => false,
        }
    }
}

/// The type of a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Type {
    /// Any text.
    Text,
    /// `true` or `false`.
    Bool,
    /// A signed integer of 64 bits.
    I64,
    /// An unsigned integer of 32 bits.
    U32,
    /// An unsigned integer of 64 bits.
    U64,
    /// A floating-point number.
    F64,
    /// An exact decimal, written as text.
    Decimal,
    /// A UUID without an id type of its own.
    Uuid,
    /// A date.
    Date,
    /// A date with a time.
    DateTime,
    /// A currency code (ISO 4217).
    Currency,
    /// A country code (ISO 3166-1 alpha-2).
    Country,
    /// An ISIN (ISO 6166).
    Isin,
    /// Any JSON.
    Json,
    /// An [`Id`], by name.
    Id(String),
    /// An [`Enum`], by name.
    Enum(String),
    /// A [`Schema`], by name.
    Schema(String),
    /// A list.
    List(Box<Type>),
    /// A map with texts as keys.
    Map(Box<Type>),
    /// A value or `null`, in a list or a map.
    Nullable(Box<Type>),
    /// A value, or an empty object or list if there is none.
    OrEmpty(Box<Type>),
}

impl Type {
    /// The type of the value itself, without lists and maps around it.
    pub(super) fn innermost(&self) -> &Self {
        match self {
            Self::List(inner) | Self::Map(inner) | Self::Nullable(inner) | Self::OrEmpty(inner) => {
                inner.innermost()
            }
            kind => kind,
        }
    }

    /// The type without `null` or an empty value as alternatives.
    pub(crate) fn present(&self) -> &Self {
        match self {
            Self::Nullable(inner) | Self::OrEmpty(inner) => inner.present(),
            kind => kind,
        }
    }

    /// The number of lists, maps and the like around the innermost value.
    pub(super) fn containers(&self) -> usize {
        match self {
            Self::List(inner) | Self::Map(inner) | Self::Nullable(inner) | Self::OrEmpty(inner) => {
                1 + inner.containers()
            }
            _ => 0,
        }
    }

    /// Returns the type of a value that may also be `null`. Any JSON may be `null` anyway.
    pub(super) fn or_null(self) -> Self {
        match self {
            Self::Json | Self::Nullable(_) => self,
            kind => Self::Nullable(Box::new(kind)),
        }
    }

    /// Returns the type without `null`.
    pub(super) fn without_null(self) -> Self {
        match self {
            Self::Nullable(kind) => *kind,
            kind => kind,
        }
    }

    /// Returns the object that the value itself is. `None` for an object in a list or a map.
    pub(super) fn direct_object(&self) -> Option<&str> {
        match self.present() {
            Self::Schema(name) => Some(name),
            _ => None,
        }
    }

    /// As [`Type::innermost`], for changes.
    pub(super) fn innermost_mut(&mut self) -> &mut Self {
        match self {
            Self::List(inner) | Self::Map(inner) | Self::Nullable(inner) | Self::OrEmpty(inner) => {
                inner.innermost_mut()
            }
            kind => kind,
        }
    }
}

impl Content {
    /// The type of the JSON body; for a list, the type of its items. `None` if the body is not JSON.
    pub(super) fn json_type(&self) -> Option<&Type> {
        match self {
            Self::Json(kind) | Self::List(kind) => Some(kind),
            Self::Empty | Self::Binary => None,
        }
    }

    /// As [`Content::json_type`], for changes.
    pub(super) fn json_type_mut(&mut self) -> Option<&mut Type> {
        match self {
            Self::Json(kind) | Self::List(kind) => Some(kind),
            Self::Empty | Self::Binary => None,
        }
    }
}

/// A set of texts. The API can add more later.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Enum {
    /// The name of its type.
    pub name: String,
    /// The description, in Markdown.
    pub description: String,
    /// The known values.
    pub variants: Vec<Variant>,
    /// The names of the variants that are final, if this is a status.
    pub finals: Vec<String>,
}

/// One value of an enum.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Variant {
    /// The name in Rust.
    pub name: String,
    /// Whether the value is deprecated.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub deprecated: bool,
    /// The value in JSON.
    pub wire: String,
    /// The description, in Markdown.
    pub description: String,
}

/// The type of a UUID that identifies one type of resource.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Id {
    /// The name of its type.
    pub name: String,
    /// The description.
    pub description: String,
}
