//! A call, from its arguments to its response. The generated builders wrap it.

#![allow(
    clippy::missing_errors_doc,
    clippy::return_self_not_must_use,
    reason = "generated code calls it, and documents errors and `must_use` itself"
)]

use std::fmt::{self, Display};

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Request};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::argument::Argument;
use super::body::{Body, Plain, Structured};
use super::body_builder::Buildable;
use super::form::FormField;
use crate::operation_meta::{OperationMeta, ParameterPlace};
use crate::responses::byte_stream::ByteStream;
use crate::responses::decode::read_json;
use crate::responses::error::Error;
use crate::responses::error_kind::ErrorKind;
use crate::responses::file_response::whole_file;
use crate::responses::list_response::{EmptyList, ListResponse, ListWithoutData};
use crate::responses::response::Response;
use crate::transports::api_client::ApiClient;
use crate::values::path_segment::encode_path_list;
use crate::values::reading::{LenientRead, Leniently};
use crate::values::sendable::check_sendable;

const NOT_A_SEGMENT: &str = "an empty value, `.` and `..` would change the path of the request";

/// The parameters and the body of one call, and their problems.
#[derive(Clone)]
pub struct Call<B = ()> {
    client: ApiClient,
    operation: &'static OperationMeta,
    accept: &'static str,
    is_body_optional: bool,
    /// The media type of the body, if it is not that of its format.
    media_type: Option<&'static str>,
    /// The unusual fields, if the body is a form.
    form_fields: &'static [FormField],
    parameters: Vec<Parameter>,
    body: B,
}

#[derive(Clone)]
struct Parameter {
    place: Place,
    name: &'static str,
    /// The text to send. `Ok(None)` omits the parameter. `Err` says why the value cannot be sent.
    text: Result<Option<String>, String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Path,
    Query,
    /// A query parameter with all values of a list in one text.
    JoinedQuery,
    Header,
}

/// Declares one setter per kind of parameter. Each entry gives the method name, the place, and the function that
/// serializes the value.
macro_rules! setters {
    ($($name:ident: $place:ident, $serialize:ident;)*) => {
        $(#[doc = concat!("Sets a parameter of the kind `", stringify!($name), "`.")]
        pub fn $name<T: Serialize, M>(self, name: &'static str, value: impl Argument<T, M>) -> Self {
            let value = value.into_argument().transpose().and_then($serialize);
            self.set(Place::$place, name, value)
        })*
    };
}

/// The value as JSON, which is `null` for a parameter that is left out.
fn plain<T: Serialize>(value: Option<T>) -> Result<Value, String> {
    check_sendable(&value)?;
    serde_json::to_value(value).map_err(|error| error.to_string())
}

/// The text of the value in JSON, for a parameter whose `content` is `application/json`.
fn json_text<T: Serialize>(value: Option<T>) -> Result<Value, String> {
    let Some(value) = value else {
        return Ok(Value::Null);
    };
    check_sendable(&value)?;
    let text = serde_json::to_string(&value).map_err(|error| error.to_string())?;
    Ok(Value::String(text))
}

impl<B: Body> Call<B> {
    /// A call without arguments.
    pub fn new(client: &ApiClient, operation: &'static OperationMeta) -> Self {
        let client = client.clone();
        let accept = operation.accept;
        let body = B::default();
        Self {
            client,
            operation,
            accept,
            is_body_optional: false,
            media_type: None,
            form_fields: &[],
            parameters: Vec::new(),
            body,
        }
    }

    /// Requests other media types than the operation's own.
    pub fn accept(mut self, media_types: &'static str) -> Self {
        self.accept = media_types;
        self
    }

    /// Sends no body unless one is set.
    pub fn optional_body(mut self) -> Self {
        self.is_body_optional = true;
        self
    }

    /// Sends the body as this media type.
    pub fn media_type(mut self, media_type: &'static str) -> Self {
        self.media_type = Some(media_type);
        self
    }

    /// Writes these fields of a form in their own ways.
    pub fn form_fields(mut self, fields: &'static [FormField]) -> Self {
        self.form_fields = fields;
        self
    }

    setters! {
        path: Path, plain;
        query: Query, plain;
        joined_query: JoinedQuery, plain;
        header: Header, plain;
        json_path: Path, json_text;
        json_query: Query, json_text;
        json_header: Header, json_text;
    }

    /// The last value of a parameter wins, even over an invalid earlier one.
    fn set(mut self, place: Place, name: &'static str, value: Result<Value, String>) -> Self {
        let text = value.and_then(|value| place.text(name, value));
        self.parameters
            .retain(|other| other.place != place || other.name != name);
        self.parameters.push(Parameter { place, name, text });
        self
    }

    /// Sends the call and decodes the response as JSON.
    pub async fn json<T: DeserializeOwned>(self) -> Result<Response<T>, Error> {
        self.decoded(read_json).await
    }

    /// Sends the call and decodes the response as JSON. A response without a body, or with `null`, has no value.
    pub async fn optional_json<T: DeserializeOwned>(self) -> Result<Response<Option<T>>, Error> {
        let decode = |body: &[u8]| {
            if body.is_empty() {
                Ok(None)
            } else {
                read_json::<Option<T>>(body)
            }
        };
        self.decoded(decode).await
    }

    /// Sends the call and decodes the response as a list, which is also empty in the forms `empty`.
    pub async fn list<T: DeserializeOwned>(
        self,
        empty: &[EmptyList],
    ) -> Result<Response<ListResponse<T>>, Error> {
        let decode = |body: &[u8]| {
            if empty.contains(&EmptyList::NoBody) && is_no_value(body) {
                Ok(ListResponse::new(Vec::new()))
            } else if empty.contains(&EmptyList::NoData) {
                read_json(body).map(|ListWithoutData(list)| list)
            } else {
                read_json(body)
            }
        };
        self.decoded(decode).await
    }

    /// Like [`json`](Self::json), but reads the value with [`LenientRead`], which accepts `1.0` as an integer, for
    /// example.
    pub async fn lenient_json<T: for<'de> LenientRead<'de>>(self) -> Result<Response<T>, Error> {
        let response = self.json::<Leniently<T>>().await?;
        Ok(response.map(|Leniently(value)| value))
    }

    /// Like [`optional_json`](Self::optional_json), but reads the value with [`LenientRead`].
    pub async fn optional_lenient_json<T: for<'de> LenientRead<'de>>(
        self,
    ) -> Result<Response<Option<T>>, Error> {
        let decode = |body: &[u8]| {
            if body.is_empty() {
                Ok(None)
            } else {
                read_json(body).map(|Leniently(value)| value)
            }
        };
        self.decoded(decode).await
    }

    /// Like [`list`](Self::list), but reads the items with [`LenientRead`].
    pub async fn lenient_list<T: for<'de> LenientRead<'de>>(
        self,
        empty: &[EmptyList],
    ) -> Result<Response<ListResponse<T>>, Error> {
        let response = self.list::<Leniently<T>>(empty).await?;
        Ok(response.map(|list| list.map(|Leniently(item)| item)))
    }

    async fn decoded<T>(
        self,
        decode: impl FnOnce(&[u8]) -> Result<T, Error>,
    ) -> Result<Response<T>, Error> {
        let operation = self.operation;
        let (stream, headers, metadata) = self.stream().await?.into_parts();
        let value = stream
            .bytes_within(ByteStream::VALUE_LIMIT)
            .await
            .map_err(broken_off)
            .and_then(|body| decode(&body));
        match value {
            Ok(value) => Ok(Response::new(value, headers, metadata)),
            Err(error) => Err(error.with_call(operation, &metadata)),
        }
    }

    /// Sends the call and ignores the body of the response.
    pub async fn empty(self) -> Result<Response<()>, Error> {
        Ok(self.stream().await?.map(drop))
    }

    /// Sends the call and returns the body of the response as a file, which is a stream of bytes.
    pub async fn file(self) -> Result<Response<ByteStream>, Error> {
        let operation = self.operation;
        let accepted = self.accept;
        let (body, headers, metadata) = self.stream().await?.into_parts();
        match whole_file(metadata.status, &headers, body, Some(accepted)) {
            Ok(body) => {
                let body = body.of_call(operation, &metadata);
                Ok(Response::new(body, headers, metadata))
            }
            Err(error) => Err(error.with_call(operation, &metadata)),
        }
    }

    /// Sends the call and returns the body of the response as a stream.
    async fn stream(self) -> Result<Response<ByteStream>, Error> {
        let client = self.client.clone();
        let operation = self.operation;
        client.exchange(self.request()?, operation).await
    }

    /// The request, or an error that names every problem.
    pub fn request(mut self) -> Result<Request<Bytes>, Error> {
        let mut problems = Vec::new();
        let mut request = Request::new(Bytes::new());
        *request.method_mut() = self.operation.method.clone();
        request
            .headers_mut()
            .insert(ACCEPT, HeaderValue::from_static(self.accept));
        let path = self.filled_path(&mut problems);
        let required = self.operation.parameters.iter().filter(|it| it.required);
        // Those of the path are found while it is filled.
        let elsewhere = required.filter(|it| it.place != ParameterPlace::Path);
        let missing = elsewhere.filter(|it| !self.is_given(it.name));
        problems.extend(missing.map(|it| format!("`{}` is required", it.name)));
        self.parameters.sort_by_key(|parameter| parameter.name);
        let mut query = String::new();
        for Parameter { place, name, text } in self.parameters {
            match (place, text) {
                (_, Err(problem)) => problems.push(format!("`{name}`: {problem}")),
                (_, Ok(None)) | (Place::Path, _) => {}
                (Place::Query | Place::JoinedQuery, Ok(Some(text))) => {
                    query.push_str(if query.is_empty() { "" } else { "&" });
                    query.push_str(&text);
                }
                (Place::Header, Ok(Some(text))) => {
                    match (HeaderName::try_from(name), HeaderValue::try_from(text)) {
                        (Ok(name), Ok(value)) => drop(request.headers_mut().insert(name, value)),
                        _ => problems.push(format!("`{name}`: not a valid HTTP header value")),
                    }
                }
            }
        }
        if self.body.is_given() || !self.is_body_optional {
            match self.body.encode(self.form_fields) {
                Ok(Some((media_type, bytes))) => {
                    let media_type = self.media_type.unwrap_or(media_type);
                    let media_type = HeaderValue::from_static(media_type);
                    request.headers_mut().insert(CONTENT_TYPE, media_type);
                    *request.body_mut() = bytes;
                }
                Ok(None) => {}
                Err(problem) => problems.push(problem),
            }
        }
        let url = if problems.is_empty() {
            self.client.url(&path, &query)
        } else {
            Err(Error::new(ErrorKind::InvalidRequest, problems.join("; ")))
        };
        *request.uri_mut() = url.map_err(|error| {
            error.with_context(|context| context.operation = Some(self.operation.id.into()))
        })?;
        Ok(request)
    }

    /// Whether the query or header parameter is set.
    fn is_given(&self, name: &str) -> bool {
        self.parameters.iter().any(|parameter| {
            parameter.name == name && parameter.place != Place::Path && parameter.text != Ok(None)
        })
    }

    /// The path of the operation with the arguments inserted.
    fn filled_path(&self, problems: &mut Vec<String>) -> String {
        let mut path = String::with_capacity(self.operation.path.len() + 36);
        let mut template = self.operation.path;
        while let Some((before, rest)) = template.split_once('{') {
            let (name, after) = rest.split_once('}').unwrap_or((rest, ""));
            path.push_str(before);
            let parameter = self
                .parameters
                .iter()
                .find(|it| it.place == Place::Path && it.name == name);
            match parameter.map(|parameter| &parameter.text) {
                Some(Ok(Some(text))) => path.push_str(text),
                Some(Ok(None)) | None => problems.push(format!("`{name}` is required")),
                // Reported with the other invalid arguments.
                Some(Err(_)) => {}
            }
            template = after;
        }
        path.push_str(template);
        path
    }
}

impl<T: Buildable, F> Call<Structured<T, F>> {
    /// Sets the body as a whole.
    pub fn body(mut self, value: impl TryInto<T, Error: Display>) -> Self {
        self.body = Structured::new(value.try_into());
        self
    }

    /// Changes fields of the body.
    pub fn body_map(mut self, change: impl FnOnce(T::Builder) -> T::Builder) -> Self {
        self.body = self.body.change(change);
        self
    }
}

impl<T, F> Call<Plain<T, F>> {
    /// Sets the body as a whole.
    pub fn body(mut self, value: impl TryInto<T, Error: Display>) -> Self {
        self.body = Plain::new(value.try_into());
        self
    }
}

impl Place {
    /// Writes a value for this kind of parameter. `None` leaves it out, as do an empty list and `null`.
    fn text(self, name: &str, value: Value) -> Result<Option<String>, String> {
        let texts = match value {
            Value::Null => return Ok(None),
            Value::Array(values) if values.is_empty() => return Ok(None),
            Value::Array(values) => values
                .into_iter()
                .map(text)
                .collect::<Result<Vec<_>, _>>()?,
            value => vec![text(value)?],
        };
        match self {
            Self::Query => Ok(Some(repeated(name, &texts))),
            Self::JoinedQuery => Ok(Some(joined(name, &texts))),
            Self::Header => Ok(Some(texts.join(","))),
            Self::Path => encode_path_list(&texts)
                .map(Some)
                .ok_or_else(|| NOT_A_SEGMENT.to_owned()),
        }
    }
}

/// `tag=a&tag=b`
fn repeated(name: &str, texts: &[String]) -> String {
    let pairs = texts.iter().map(|text| (name, text));
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

/// `tag=a,b`. A comma in a value is encoded, as the others separate the values.
fn joined(name: &str, texts: &[String]) -> String {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let values: Vec<String> = texts.iter().map(|text| encode(text)).collect();
    format!("{}={}", encode(name), values.join(","))
}

fn text(value: Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        _ => Err("an object cannot be a parameter".to_owned()),
    }
}

/// Whether a body is empty or `null`.
fn is_no_value(body: &[u8]) -> bool {
    body.is_empty() || body.trim_ascii() == b"null"
}

fn broken_off(error: Error) -> Error {
    // The number of bytes would look like the index of an item.
    let error = error.with_context(|context| context.position = None);
    if error.kind() == ErrorKind::Decode {
        return error;
    }
    let mut cause: &dyn std::error::Error = &error;
    // Only the innermost error explains the cause.
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    Error::new(
        error.kind(),
        format!("the body could not be received completely: {cause}"),
    )
    .with_source(error)
}

/// Prints which parameters are set, without their values.
impl<B: Body> fmt::Debug for Call<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = self
            .parameters
            .iter()
            .filter(|parameter| parameter.text != Ok(None));
        let set: Vec<_> = set.map(|parameter| parameter.name).collect();
        f.debug_struct("Call")
            .field("operation", &self.operation.id)
            .field("set", &set)
            .field("body", &self.body.describe())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;
    use crate::calls::body::{Binary, Text};
    use crate::{Decimal, MockTransport, ParameterMeta, ParameterType};

    static META: OperationMeta = OperationMeta::custom("thing", Method::GET, "/a/{one}/b/{two}");

    static REQUIRING: OperationMeta =
        OperationMeta::custom("thing", Method::GET, "/a/{one}/b/{two}").with_parameters(&[
            ParameterMeta::new("isin", ParameterPlace::Query, ParameterType::Isin).required(),
            ParameterMeta::new("one", ParameterPlace::Path, ParameterType::Text).required(),
            ParameterMeta::new("two", ParameterPlace::Path, ParameterType::Text).required(),
            ParameterMeta::new("x-day", ParameterPlace::Header, ParameterType::Date).required(),
            ParameterMeta::new("x-other", ParameterPlace::Header, ParameterType::Text),
        ]);

    fn call() -> Call {
        call_with()
    }

    fn call_with<B: Body>() -> Call<B> {
        Call::new(
            &ApiClient::new("http://mock.invalid", MockTransport::new()),
            &META,
        )
    }

    /// The URL, or the error.
    fn target<B: Body>(call: Call<B>) -> String {
        let target = call.request().map_or_else(
            |error| error.to_string(),
            |request| request.uri().to_string(),
        );
        target.trim_start_matches("thing: ").to_owned()
    }

    #[test]
    fn path_arguments_are_encoded_strictly() {
        let filled = call()
            .path::<String, _>("two", "a/b?c#d e%2F.ä~-_:@[]")
            .path::<u8, _>("one", 7);
        let expected = "http://mock.invalid/a/7/b/a%2Fb%3Fc%23d%20e%252F.%C3%A4~-_:@%5B%5D";
        assert_eq!(target(filled), expected);
    }

    #[test]
    fn empty_and_dot_segment_path_arguments_are_rejected() {
        for text in ["", ".", ".."] {
            let problem = target(
                call()
                    .path::<String, _>("one", text)
                    .path::<String, _>("two", "..."),
            );
            assert_eq!(problem, format!("`one`: {NOT_A_SEGMENT}"));
        }
        let dots = call()
            .path::<String, _>("one", "...")
            .path::<String, _>("two", "a.b");
        assert_eq!(target(dots), "http://mock.invalid/a/.../b/a.b");
    }

    #[test]
    fn path_arguments_without_a_value_are_required() {
        let without_values = target(
            call()
                .path::<Vec<u8>, _>("one", Vec::new())
                .path::<Value, _>("two", Value::Null),
        );
        assert_eq!(without_values, "`one` is required; `two` is required");
        let without_one = target(call().path::<String, _>("two", ""));
        assert_eq!(
            without_one,
            format!("`one` is required; `two`: {NOT_A_SEGMENT}")
        );
    }

    #[test]
    fn lists_are_repeated_in_a_query_and_sorted_by_name_alone() {
        let filled = call().path::<u8, _>("one", 1).path::<u8, _>("two", 2);
        let filled = filled
            .query::<Vec<&str>, _>("z", vec!["b", "a"])
            .query::<bool, _>("flag", true)
            .joined_query::<Vec<&str>, _>("joined", vec!["b", "a,c"])
            .query::<Vec<u8>, _>("none", Vec::new())
            .query::<Decimal, _>("a", "10.00")
            .query::<chrono::NaiveDate, _>("day", chrono::NaiveDate::from_ymd_opt(2026, 3, 16));
        let expected =
            "http://mock.invalid/a/1/b/2?a=10.00&day=2026-03-16&flag=true&joined=b,a%2Cc&z=b&z=a";
        assert_eq!(target(filled), expected);
        let parts = call().query::<Value, _>("deep", serde_json::json!({ "a": 1 }));
        assert!(target(parts).contains("`deep`: an object"));
    }

    #[test]
    fn required_parameters_outside_the_path_are_required() {
        let client = ApiClient::new("http://mock.invalid", MockTransport::new());
        let filled = || {
            Call::<()>::new(&client, &REQUIRING)
                .path::<u8, _>("one", 1)
                .path::<u8, _>("two", 2)
        };
        assert_eq!(target(filled()), "`isin` is required; `x-day` is required");
        let given = filled()
            .query::<String, _>("isin", "DE")
            .header::<String, _>("x-day", "now");
        let request = given.request().expect("nothing is missing");
        assert_eq!(request.uri().query(), Some("isin=DE"));
        assert_eq!(request.headers()["x-day"], "now");
        let wrong = filled()
            .query::<u8, _>("isin", 300)
            .header::<Vec<&str>, _>("x-day", vec!["a", "\n"]);
        let problem = target(wrong);
        assert!(
            problem.starts_with("`isin`: ")
                && problem.ends_with("; `x-day`: not a valid HTTP header value"),
            "{problem}"
        );
    }

    #[test]
    fn parameters_with_one_name_in_several_places_are_all_sent() {
        let call = call()
            .query::<u8, _>("one", 3)
            .header::<u8, _>("one", 4)
            .path::<u8, _>("two", 2)
            .path::<u8, _>("one", 1);
        let request = call.request().expect("nothing is missing");
        assert_eq!(request.uri(), "http://mock.invalid/a/1/b/2?one=3");
        assert_eq!(request.headers()["one"], "4");
    }

    #[test]
    fn bytes_and_text_are_sent_as_they_are() {
        let filled = |call: Call<Binary>| call.path::<u8, _>("one", 1).path::<u8, _>("two", 2);
        let request = filled(call_with::<Binary>().body("%PDF"))
            .request()
            .expect("nothing is missing");
        let media_type = &request.headers()["content-type"];
        assert_eq!(media_type, "application/octet-stream");
        assert_eq!(request.body(), "%PDF");
        assert_eq!(target(filled(call_with())), "`body` is required");
        let text = call_with::<Text>()
            .path::<u8, _>("one", 1)
            .path::<u8, _>("two", 2)
            .body("ä");
        assert_eq!(
            text.request().map(Request::into_body).ok(),
            Some(Bytes::from("ä"))
        );
    }

    #[test]
    fn a_target_that_is_too_long_is_rejected() {
        let filled = call()
            .path::<u8, _>("one", 1)
            .path::<String, _>("two", "x".repeat(70_000));
        assert_eq!(
            target(filled),
            "the URL of the request is too long or malformed"
        );
    }
}
