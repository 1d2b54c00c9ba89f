//! The metadata of operations.

use http::Method;

/// The metadata of one operation of the description.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperationMeta {
    /// The description's `operationId`, for example `createOrder`.
    pub id: &'static str,
    /// The name of the client's method, for example `create_order`.
    pub name: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The path template, for example `/orders/{order_id}`.
    pub path: &'static str,
    /// The first tag, for example `Orders`.
    pub tag: &'static str,
    /// The OAuth scopes that the call needs. A call that needs a token may need no scope.
    pub scopes: &'static [&'static str],
    /// Whether the call needs an access token.
    pub needs_token: bool,
    /// Whether the call changes nothing, although its method is not `GET` or `HEAD`.
    pub changes_nothing: bool,
    /// The sets of scopes that suffice for the call, the smallest first. A token needs all scopes of one of them.
    pub scope_sets: &'static [&'static [&'static str]],
    /// The scopes that Upvest does not grant to every client. A client requests them only if it is told to.
    pub optional_scopes: &'static [&'static str],
    /// Whether the server supports an `idempotency-key`. Only then may a call that changes something be sent twice.
    pub idempotency_key: bool,
    /// The bounds of the page size, if the operation has pages.
    pub paging: Option<Paging>,
    /// The `accept` header: the media types of a successful response.
    pub accept: &'static str,
    /// The parameters that a caller sets, sorted by name. The body is not among them, nor are the headers of the
    /// transport.
    pub parameters: &'static [ParameterMeta],
}

/// The metadata of one parameter, for programs that call operations by their names.
///
/// ```
/// use upvest_runtime::{ParameterMeta, ParameterPlace, ParameterType};
///
/// fn usage(parameter: &ParameterMeta) -> String {
///     let kind = match parameter.kind {
///         ParameterType::Enum(values) => values.join("|"),
///         kind => format!("{kind:?}").to_lowercase(),
///     };
///     format!("--{}=<{kind}>", parameter.name)
/// }
///
/// let side = ParameterMeta::new(
///     "side",
///     ParameterPlace::Query,
///     ParameterType::Enum(&["BUY", "SELL"]),
/// );
/// assert_eq!(usage(&side), "--side=<BUY|SELL>");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParameterMeta {
    /// The name in the request.
    pub name: &'static str,
    /// The location in the request.
    pub place: ParameterPlace,
    /// The type of its value; for a list, the type of each item.
    pub kind: ParameterType,
    /// Whether it is a list of values.
    pub is_list: bool,
    /// Whether the call cannot be sent without it.
    pub required: bool,
}

impl ParameterMeta {
    /// An optional parameter with a single value.
    pub const fn new(name: &'static str, place: ParameterPlace, kind: ParameterType) -> Self {
        Self {
            name,
            place,
            kind,
            is_list: false,
            required: false,
        }
    }

    /// Marks the parameter as a list.
    #[must_use]
    pub const fn list(mut self) -> Self {
        self.is_list = true;
        self
    }

    /// Marks the parameter as required.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }
}

/// The location of a parameter in the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ParameterPlace {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// In a header.
    Header,
}

/// The type of the value of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ParameterType {
    /// Any text.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// A floating-point number.
    Number,
    /// An exact decimal, written as text.
    Decimal,
    /// A UUID.
    Uuid,
    /// A date.
    Date,
    /// A date with a time (RFC 3339).
    DateTime,
    /// A currency code (ISO 4217).
    Currency,
    /// A country code (ISO 3166-1 alpha-2).
    Country,
    /// An ISIN (ISO 6166).
    Isin,
    /// One of these values, or one of a newer version.
    Enum(&'static [&'static str]),
    /// Any JSON.
    Json,
}

impl OperationMeta {
    /// An operation that the description does not contain, for raw requests, without the optional properties.
    pub const fn custom(id: &'static str, method: Method, path: &'static str) -> Self {
        Self::new(id, id, method, path)
    }

    /// An operation that the client method `name` calls, without the optional properties. For generated code.
    pub const fn new(
        id: &'static str,
        name: &'static str,
        method: Method,
        path: &'static str,
    ) -> Self {
        Self {
            id,
            name,
            method,
            path,
            tag: "",
            scopes: &[],
            needs_token: true,
            changes_nothing: false,
            scope_sets: &[],
            optional_scopes: &[],
            idempotency_key: false,
            paging: None,
            accept: "application/json",
            parameters: &[],
        }
    }

    /// Sets the first tag.
    #[must_use]
    pub const fn tagged(mut self, tag: &'static str) -> Self {
        self.tag = tag;
        self
    }

    /// Sets the scopes.
    #[must_use]
    pub const fn scoped(mut self, scopes: &'static [&'static str]) -> Self {
        self.scopes = scopes;
        self
    }

    /// Marks the call as one that needs no access token.
    #[must_use]
    pub const fn without_token(mut self) -> Self {
        self.needs_token = false;
        self
    }

    /// Marks the call as one that changes nothing, so it may be sent any number of times.
    #[must_use]
    pub const fn changing_nothing(mut self) -> Self {
        self.changes_nothing = true;
        self
    }

    /// Sets the alternative sets of scopes. A token needs all scopes of one of them.
    #[must_use]
    pub const fn sufficient(mut self, sets: &'static [&'static [&'static str]]) -> Self {
        self.scope_sets = sets;
        self
    }

    /// Sets the scopes that Upvest does not grant to every client.
    #[must_use]
    pub const fn optional(mut self, scopes: &'static [&'static str]) -> Self {
        self.optional_scopes = scopes;
        self
    }

    /// Marks the operation as one that supports an idempotency key.
    #[must_use]
    pub const fn keyed(mut self) -> Self {
        self.idempotency_key = true;
        self
    }

    /// Sets the bounds of the page size.
    #[must_use]
    pub const fn paged(mut self, paging: Paging) -> Self {
        self.paging = Some(paging);
        self
    }

    /// Sets the `accept` header.
    #[must_use]
    pub const fn accepting(mut self, media_types: &'static str) -> Self {
        self.accept = media_types;
        self
    }

    /// Sets the parameters.
    #[must_use]
    pub const fn with_parameters(mut self, parameters: &'static [ParameterMeta]) -> Self {
        self.parameters = parameters;
        self
    }

    /// Whether a request with this method and path calls the operation. `segments` are the decoded segments of the
    /// path.
    ///
    /// ```
    /// use upvest_runtime::OperationMeta;
    /// use upvest_runtime::http::Method;
    ///
    /// static RETRIEVE: OperationMeta =
    ///     OperationMeta::custom("retrieveOrder", Method::GET, "/orders/{order_id}");
    /// assert!(RETRIEVE.matches(&Method::GET, &["orders", "5e2ad7a4"]));
    /// assert!(!RETRIEVE.matches(&Method::GET, &["orders"]));
    /// assert!(!RETRIEVE.matches(&Method::DELETE, &["orders", "5e2ad7a4"]));
    ///
    /// static CANCEL: OperationMeta =
    ///     OperationMeta::custom("cancelOrder", Method::POST, "/orders/{order_id}:cancel");
    /// assert!(CANCEL.matches(&Method::POST, &["orders", "5e2ad7a4:cancel"]));
    /// assert!(!CANCEL.matches(&Method::POST, &["orders", ":cancel"]));
    /// ```
    pub fn matches(&self, method: &Method, segments: &[impl AsRef<str>]) -> bool {
        let template: Vec<_> = self.path.trim_start_matches('/').split('/').collect();
        let mut pairs = template.iter().zip(segments);
        self.method == *method
            && template.len() == segments.len()
            && pairs.all(|(expected, segment)| segment_matches(expected, segment.as_ref()))
    }

    /// Whether sending the call twice changes nothing: it only reads (`GET` or `HEAD`), or its metadata say so.
    pub fn is_safe(&self) -> bool {
        self.changes_nothing || matches!(self.method, Method::GET | Method::HEAD)
    }
}

/// Whether a segment of a path fits that of a template, which can have text around its variables: `{id}:cancel`.
fn segment_matches(template: &str, segment: &str) -> bool {
    let Some((before, rest)) = template.split_once('{') else {
        return template == segment;
    };
    let after = rest.rsplit('}').next().unwrap_or_default();
    segment.len() > before.len() + after.len()
        && segment.starts_with(before)
        && segment.ends_with(after)
}

/// The bounds that the description sets on `limit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Paging {
    /// The page size if the request has no `limit`.
    pub default_limit: u32,
    /// The smallest `limit` that the server accepts.
    pub min_limit: u32,
    /// The largest `limit` that the server accepts.
    pub max_limit: u32,
}

impl Paging {
    /// The bounds of a page size.
    pub const fn new(default_limit: u32, min_limit: u32, max_limit: u32) -> Self {
        Self {
            default_limit,
            min_limit,
            max_limit,
        }
    }
}

/// Finds an operation by the name of its method in Rust. The table is sorted by that name.
pub fn find_operation(
    table: &[&'static OperationMeta],
    name: &str,
) -> Option<&'static OperationMeta> {
    let index = table
        .binary_search_by(|operation| operation.name.cmp(name))
        .ok()?;
    table.get(index).copied()
}
