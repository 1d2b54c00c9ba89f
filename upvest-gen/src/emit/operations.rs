//! Writes the operations: the methods of the client, their builders, and the operation table.

use std::fmt::Write;

use super::document;
use crate::model::{Api, Content, Encoding, Operation, Parameter, Place, Schema, Type};

impl Operation {
    /// The name of the operation's entry in the table.
    fn constant(&self) -> String {
        self.method_name.to_ascii_uppercase()
    }

    /// The value of a successful answer.
    fn output(&self) -> String {
        match &self.answer.content {
            Content::Empty => "()".to_owned(),
            Content::Binary => "ByteStream".to_owned(),
            Content::Json(kind) => kind.rust("types::"),
            Content::List(item) => format!("types::ListResponse<{}>", item.rust("types::")),
        }
    }
}

/// The client without its operations.
const CLIENT: &str = "\
use std::fmt;

use upvest_runtime::{ApiClient, GeneratedClient, OperationMeta, Transport};

use super::events::EventObject;
use super::{builder, operations};

/// A client for the API. It has a method for each operation, which returns the operation's builder.
///
/// Cheap to clone; clones share the transport.
#[derive(Clone)]
pub struct Client(pub(super) ApiClient);

impl Client {
    /// A client for the API at `base_url` that sends its requests over `transport`.
    ///
    /// A base URL has the scheme `http` or `https`, a host, and optionally a port and a path: `https://api.example.com/v1`. A slash
    /// at its end makes no difference. With an invalid base URL every call fails with
    /// [`ErrorKind::Configuration`](upvest_runtime::ErrorKind::Configuration).
    pub fn new(base_url: &str, transport: impl Transport + 'static) -> Self {
        Self(ApiClient::new(base_url, transport))
    }

    /// A client for the same API that sends its requests over `transport`.
    #[must_use]
    pub fn with_transport(&self, transport: impl Transport + 'static) -> Self {
        Self(self.0.with_transport(transport))
    }

    /// The base URL, without a slash at its end.
    pub fn base_url(&self) -> &str {
        self.0.base_url()
    }
}

impl GeneratedClient for Client {
    type EventObject = EventObject;

    const OPERATIONS: &'static [&'static OperationMeta] = &operations::OPERATIONS;

    fn new(base_url: &str, transport: impl Transport + 'static) -> Self {
        Self::new(base_url, transport)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The operations.
impl Client {
";

/// The client, with one documented method for each operation.
pub(super) fn client(api: &Api) -> String {
    let mut source = CLIENT.to_owned();
    for (index, operation) in api.operations.iter().enumerate() {
        if index > 0 {
            source.push('\n');
        }
        document(&mut source, "    ", &documentation(operation));
        let Operation {
            method_name,
            builder,
            ..
        } = operation;
        let _ = writeln!(
            source,
            "    pub fn {method_name}(&self) -> builder::{builder} {{"
        );
        let _ = writeln!(source, "        builder::{builder}::new(self)\n    }}");
    }
    source.push_str("}\n");
    source
}

fn documentation(operation: &Operation) -> String {
    let Operation {
        id,
        method,
        path,
        summary,
        description,
        answer,
        errors,
        scopes,
        ..
    } = operation;
    let summary = if summary.is_empty() {
        format!("`{id}`")
    } else {
        summary.trim_end_matches('.').to_owned()
    };
    let mut text = format!("{summary}.\n\n");
    if !description.is_empty() {
        let _ = write!(text, "{description}\n\n");
    }
    let _ = write!(text, "Sends `{method} {path}`");
    let _ = match scopes.as_slice() {
        [] if operation.without_token => write!(text, " without a token."),
        [] => write!(text, " with a token."),
        scopes => write!(
            text,
            "; the token needs the scope `{}`.",
            scopes.join("` or `")
        ),
    };
    if operation.idempotency_key {
        text.push_str(" Supports an idempotency key.");
    }
    if let Some(paging) = operation.paging {
        let _ = write!(
            text,
            " Has pages, by `offset` and `limit` ({} to {}, {} if not given).",
            paging.min, paging.max, paging.default
        );
    }
    if !answer.description.is_empty() {
        let _ = write!(text, "\n\nReturns: {}", answer.description);
    }
    if !errors.is_empty() {
        text.push_str("\n\n# Errors\n\n");
    }
    for (status, meaning) in errors {
        let _ = writeln!(text, "* `{status}`: {meaning}");
    }
    text
}

/// The builders, with a setter for each parameter and `send`.
pub(super) fn builders(api: &Api) -> String {
    let mut source = String::from(
        "use std::fmt::Display;\n\n\
         use upvest_runtime::generated_code::{Binary, Call, Form, Json, JsonValue, Text};\n\
         use upvest_runtime::{\n    \
         Argument, ByteStream, Error, IdempotencyKey, Response, bytes, chrono, download, list, operation, serde_json, uuid,\n};\n\n\
         use super::client::Client;\nuse super::{bodies, operations, types};\n",
    );
    for operation in &api.operations {
        builder(&mut source, operation, api);
    }
    source
}

fn builder(source: &mut String, operation: &Operation, api: &Api) {
    let Operation {
        builder,
        method_name,
        method,
        path,
        parameters,
        ..
    } = operation;
    let constant = operation.constant();
    let output = operation.output();
    let call =
        body(operation, api).map_or_else(|| "Call".to_owned(), |body| format!("Call<{body}>"));
    let required: Vec<&str> = parameters
        .iter()
        .filter(|parameter| parameter.required && parameter.place != Place::Path)
        .map(|parameter| parameter.name.as_str())
        .collect();
    let required = if required.is_empty() {
        String::new()
    } else {
        format!(".require(&{required:?})")
    };
    let _ = write!(
        source,
        "\n/// Builder for [`Client::{method_name}`].\n#[derive(Clone, Debug)]\n\
         #[must_use = \"nothing happens before `send`\"]\npub struct {builder}({call});\n\n\
         impl {builder} {{\n    pub(crate) fn new(client: &Client) -> Self {{\n        \
         Self(Call::new(&client.0, &operations::{constant}){required})\n    }}\n\n",
    );
    for parameter in parameters {
        setter(source, parameter);
    }
    body_setters(source, operation, api);
    if operation.idempotency_key {
        source.push_str(IDEMPOTENCY_KEY);
    }
    if let Some(accept) = &operation.answer.download {
        let _ = write!(
            source,
            "    /// Sends `{method} {path}` and hands on the answer as a file: `{accept}`.\n    \
             pub async fn download(self) -> Result<Response<ByteStream>, Error> {{\n        \
             self.0.accept({accept:?}).file().await\n    }}\n\n",
        );
    }
    let how = match operation.answer.content {
        Content::Empty => "empty",
        Content::Binary => "file",
        Content::Json(_) | Content::List(_) => "json",
    };
    let _ = write!(
        source,
        "    /// Sends `{method} {path}`. For the errors, see [`Client::{method_name}`].\n    \
         pub async fn send(self) -> Result<Response<{output}>, Error> {{\n        self.0.{how}().await\n    }}\n}}\n\n\
         operation!({builder}, {constant} -> {output});\n",
    );
    match &operation.answer.content {
        Content::List(item) => {
            let item = item.rust("types::");
            let paginated = operation.paging.map_or("", |_| ", paginated");
            let _ = writeln!(source, "list!({builder}, {item}{paginated});");
        }
        Content::Binary => {
            let _ = writeln!(source, "download!({builder});");
        }
        Content::Empty | Content::Json(_) => {}
    }
    if operation.answer.download.is_some() {
        let _ = writeln!(source, "download!({builder});");
    }
}

/// The setter of operations that support an idempotency key.
const IDEMPOTENCY_KEY: &str = "    \
    /// Sends the call with this idempotency key instead of a new one. Use a key for one call only, and send the same call with the
    /// same key again if its outcome is unknown.
    pub fn idempotency_key(self, key: impl TryInto<IdempotencyKey, Error: Display>) -> Self {
        Self(self.0.header::<IdempotencyKey, _>(\"idempotency-key\", key))
    }

";

fn setter(source: &mut String, parameter: &Parameter) {
    let Parameter {
        name,
        setter,
        place,
        required,
        joined,
        kind,
        description,
    } = parameter;
    let kind = kind.rust("types::");
    let described = if description.is_empty() {
        format!("Sets `{name}`.")
    } else {
        description.clone()
    };
    document(source, "    ", &described);
    let place = match (place, required) {
        (Place::Path, _) => "path",
        (Place::Query, _) if *joined => "joined_query",
        (Place::Query, true) => "required_query",
        (Place::Query, false) => "query",
        (Place::Header, true) => "required_header",
        (Place::Header, false) => "header",
    };
    let (generics, argument) = if *required && !joined {
        ("", format!("TryInto<{kind}, Error: Display>"))
    } else {
        ("<M>", format!("Argument<{kind}, M>"))
    };
    let _ = write!(
        source,
        "    pub fn {setter}{generics}(self, value: impl {argument}) -> Self {{\n        \
         Self(self.0.{place}({name:?}, value))\n    }}\n\n",
    );
}

/// The type parameter of the call.
fn body(operation: &Operation, api: &Api) -> Option<String> {
    let body = operation.body.as_ref()?;
    let kind = body.kind.rust("types::");
    Some(match body.encoding {
        Encoding::Json if object(&body.kind, api).is_none() => format!("JsonValue<{kind}>"),
        Encoding::Json => format!("Json<{kind}>"),
        Encoding::Form => format!("Form<{kind}>"),
        Encoding::Binary => "Binary".to_owned(),
        Encoding::Text => "Text".to_owned(),
    })
}

fn body_setters(source: &mut String, operation: &Operation, api: &Api) {
    let Some(body) = &operation.body else { return };
    let described = if body.description.is_empty() {
        "Sets the body."
    } else {
        &body.description
    };
    document(source, "    ", described);
    let value = match body.encoding {
        Encoding::Json | Encoding::Form => {
            format!("TryInto<{}, Error: Display>", body.kind.rust("types::"))
        }
        Encoding::Binary => "Into<bytes::Bytes>".to_owned(),
        Encoding::Text => "Into<String>".to_owned(),
    };
    let _ = write!(
        source,
        "    pub fn body(self, value: impl {value}) -> Self {{\n        Self(self.0.body(value))\n    }}\n\n"
    );
    if let Some(schema) = object(&body.kind, api) {
        let builder = format!("bodies::{}", schema.builder(api));
        let _ = write!(
            source,
            "    /// Sets fields of the body, by the builder of its type.\n    \
             pub fn body_map(self, change: impl FnOnce({builder}) -> {builder}) -> Self {{\n        \
             Self(self.0.body_map(change))\n    }}\n\n",
        );
    }
}

/// The schema of an object with fields. Such an object has a builder.
fn object<'a>(kind: &Type, api: &'a Api) -> Option<&'a Schema> {
    let Type::Schema(name) = kind else {
        return None;
    };
    api.schemas
        .iter()
        .find(|schema| schema.name == *name && !schema.fields().is_empty())
}

/// The operation table: an entry for each operation, and a list of all entries sorted by the name of their method.
pub(super) fn table(api: &Api) -> String {
    let uses = if api
        .operations
        .iter()
        .any(|operation| operation.paging.is_some())
    {
        "{OperationMeta, Paging}"
    } else {
        "OperationMeta"
    };
    let mut source = format!(
        "use upvest_runtime::generated_code::find_operation;\nuse upvest_runtime::http::Method;\n\
         use upvest_runtime::{uses};\n"
    );
    for operation in &api.operations {
        entry(&mut source, operation);
    }
    let mut sorted: Vec<&Operation> = api.operations.iter().collect();
    sorted.sort_by(|a, b| a.method_name.cmp(&b.method_name));
    let _ = write!(
        source,
        "\n/// All operations, sorted by the name of their method.\npub static OPERATIONS: [&OperationMeta; {}] = [\n",
        sorted.len()
    );
    for operation in sorted {
        let _ = writeln!(source, "    &{},", operation.constant());
    }
    source.push_str(
        "];\n\n/// The operation whose method is called `name`.\n\
         pub fn find(name: &str) -> Option<&'static OperationMeta> {\n    find_operation(&OPERATIONS, name)\n}\n",
    );
    source
}

/// The metadata of one operation:
///
/// ```text
/// /// `GET /orders`
/// pub static LIST_ORDERS: OperationMeta = OperationMeta::new("listOrders", "list_orders", Method::GET, "/orders")
///     .tagged("Orders")
///     .scoped(&["orders:read"])
///     .paged(Paging::new(20, 1, 100))
///     .accepting("application/json");
/// ```
fn entry(source: &mut String, operation: &Operation) {
    let Operation {
        id,
        method_name,
        method,
        path,
        tag,
        scopes,
        ..
    } = operation;
    let _ = writeln!(
        source,
        "\n/// `{method} {path}`\npub static {}: OperationMeta = OperationMeta::new({id:?}, {method_name:?}, Method::{method}, {path:?})",
        operation.constant(),
    );
    if !tag.is_empty() {
        let _ = writeln!(source, "    .tagged({tag:?})");
    }
    if !scopes.is_empty() {
        let _ = writeln!(source, "    .scoped(&{scopes:?})");
    }
    if operation.without_token {
        source.push_str("    .without_token()\n");
    }
    if operation.idempotency_key {
        source.push_str("    .keyed()\n");
    }
    if let Some(paging) = operation.paging {
        let _ = writeln!(
            source,
            "    .paged(Paging::new({}, {}, {}))",
            paging.default, paging.min, paging.max
        );
    }
    let _ = writeln!(source, "    .accepting({:?});", operation.answer.accept);
}
