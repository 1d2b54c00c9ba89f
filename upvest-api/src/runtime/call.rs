//! A call from its first setter to its answer. The generated builders are thin wrappers around it.

use std::fmt::{self, Display};

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Request};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::argument::Argument;
use super::body::{Binary, Body, Structured, Text};
use super::body_builder::Buildable;
use super::byte_stream::ByteStream;
use super::client::Client;
use super::decode::read_json;
use super::error::Error;
use super::error_kind::ErrorKind;
use super::operation::OperationMeta;
use super::response::Response;

/// RFC 3986 section 2.3: everything else in a path argument is percent-encoded, above all the slash.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The parameters and the body of one call, with everything that is wrong with them.
#[derive(Clone)]
pub(crate) struct Call<B = ()> {
    client: Client,
    operation: &'static OperationMeta,
    /// The required parameters that are not in the path.
    required: &'static [&'static str],
    accept: &'static str,
    parameters: Vec<Parameter>,
    body: B,
}

#[derive(Clone)]
struct Parameter {
    place: Place,
    name: &'static str,
    /// As it stands on the wire; `None` to leave it out.
    text: Result<Option<String>, String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Path,
    Query,
    Header,
}

impl<B: Body> Call<B> {
    pub(crate) fn new(client: &Client, operation: &'static OperationMeta) -> Self {
        let accept = operation.accept;
        Self {
            client: client.clone(),
            operation,
            required: &[],
            accept,
            parameters: Vec::new(),
            body: B::default(),
        }
    }

    /// Asks for other media types than the operation's own.
    pub(crate) fn accept(mut self, media_types: &'static str) -> Self {
        self.accept = media_types;
        self
    }

    /// Names the required query and header parameters.
    pub(crate) fn require(mut self, names: &'static [&'static str]) -> Self {
        self.required = names;
        self
    }

    pub(crate) fn path<T: Serialize>(
        self,
        name: &'static str,
        value: impl TryInto<T, Error: Display>,
    ) -> Self {
        self.set(Place::Path, name, required(value))
    }

    pub(crate) fn query<T: Serialize, M>(self, name: &'static str, value: impl Argument<T, M>) -> Self {
        self.set(Place::Query, name, optional(value))
    }

    /// A list whose values stand in one text, joined by commas.
    pub(crate) fn joined_query<T: Serialize, M>(
        self,
        name: &'static str,
        value: impl Argument<T, M>,
    ) -> Self {
        let joined = optional(value)
            .and_then(|value| Ok(Place::Header.text(name, value)?.map_or(Value::Null, Value::String)));
        self.set(Place::Query, name, joined)
    }

    pub(crate) fn required_query<T: Serialize>(
        self,
        name: &'static str,
        value: impl TryInto<T, Error: Display>,
    ) -> Self {
        self.set(Place::Query, name, required(value))
    }

    pub(crate) fn header<T: Serialize, M>(self, name: &'static str, value: impl Argument<T, M>) -> Self {
        self.set(Place::Header, name, optional(value))
    }

    pub(crate) fn required_header<T: Serialize>(
        self,
        name: &'static str,
        value: impl TryInto<T, Error: Display>,
    ) -> Self {
        self.set(Place::Header, name, required(value))
    }

    /// The last value that is set for a parameter wins, also over one that was refused.
    fn set(mut self, place: Place, name: &'static str, value: Result<Value, String>) -> Self {
        let text = value.and_then(|value| place.text(name, value));
        let parameter = Parameter { place, name, text };
        match self.parameters.iter_mut().find(|other| other.place == place && other.name == name) {
            Some(other) => *other = parameter,
            None => self.parameters.push(parameter),
        }
        self
    }

    /// Sends the call and reads the answer as JSON.
    pub(crate) async fn json<T: DeserializeOwned>(self) -> Result<Response<T>, Error> {
        let operation = self.operation;
        let response = whole(self.stream().await?, operation).await?;
        match read_json(&response) {
            Ok(value) => Ok(response.map(|_| value)),
            Err(error) => Err(unread(error, &response, operation)),
        }
    }

    /// Sends the call. A body that the answer may have is ignored.
    pub(crate) async fn empty(self) -> Result<Response<()>, Error> {
        Ok(self.stream().await?.map(drop))
    }

    /// Sends the call and hands on the answer as it arrives.
    pub(crate) async fn stream(self) -> Result<Response<ByteStream>, Error> {
        let (client, operation) = (self.client.clone(), self.operation);
        let request = self.request()?;
        client.exchange(request, operation).await
    }

    /// The request, or everything that is wrong with it.
    pub(crate) fn request(self) -> Result<Request<Bytes>, Error> {
        let operation = self.operation.id;
        self.build().map_err(|error| error.with_operation(operation))
    }

    fn build(mut self) -> Result<Request<Bytes>, Error> {
        let mut problems = Vec::new();
        let path = self.filled_path(&mut problems);
        for name in self.required {
            if !self
                .parameters
                .iter()
                .any(|it| it.name == *name && it.place != Place::Path && it.text != Ok(None))
            {
                problems.push(format!("`{name}` is required"));
            }
        }
        self.parameters.sort_by_key(|parameter| parameter.name);
        let mut request = Request::new(Bytes::new());
        let mut query = String::new();
        for Parameter { place, name, text } in self.parameters {
            match text {
                Err(problem) => problems.push(format!("`{name}`: {problem}")),
                Ok(Some(text)) if place == Place::Query => {
                    query.push_str(if query.is_empty() { "" } else { "&" });
                    query.push_str(&text);
                }
                Ok(Some(text)) if place == Place::Header => {
                    match (HeaderName::try_from(name), HeaderValue::try_from(text)) {
                        (Ok(name), Ok(value)) => drop(request.headers_mut().insert(name, value)),
                        _ => problems.push(format!("`{name}`: a header cannot carry this value")),
                    }
                }
                Ok(_) => {}
            }
        }
        match self.body.encode() {
            Ok(Some((media_type, bytes))) => {
                request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
                *request.body_mut() = bytes;
            }
            Ok(None) => {}
            Err(problem) => problems.push(problem),
        }
        if !problems.is_empty() {
            return Err(Error::new(ErrorKind::InvalidRequest, problems.join("; ")));
        }
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static(self.accept));
        *request.method_mut() = self.operation.method.clone();
        *request.uri_mut() = self.client.url(&path, &query)?;
        Ok(request)
    }

    /// The path of the operation with its arguments in the place of their names.
    fn filled_path(&self, problems: &mut Vec<String>) -> String {
        let mut path = String::with_capacity(self.operation.path.len() + 36);
        let mut template = self.operation.path;
        while let Some((before, rest)) = template.split_once('{') {
            let (name, after) = rest.split_once('}').unwrap_or((rest, ""));
            path.push_str(before);
            let parameter = self.parameters.iter().find(|it| it.place == Place::Path && it.name == name);
            match parameter.map(|parameter| &parameter.text) {
                Some(Ok(Some(text))) => path.push_str(text),
                Some(Ok(None)) | None => problems.push(format!("`{name}` is required")),
                // Reported with the other arguments that were refused.
                Some(Err(_)) => {}
            }
            template = after;
        }
        path.push_str(template);
        path
    }
}

impl<T: Buildable, F> Call<Structured<T, F>> {
    pub(crate) fn body(mut self, value: impl TryInto<T, Error: Display>) -> Self {
        self.body.set(value.try_into());
        self
    }

    pub(crate) fn body_map(mut self, change: impl FnOnce(T::Builder) -> T::Builder) -> Self {
        self.body = self.body.change(change);
        self
    }
}

impl Call<Binary> {
    pub(crate) fn body(mut self, value: impl Into<Bytes>) -> Self {
        self.body = Binary(Some(value.into()));
        self
    }
}

impl Call<Text> {
    pub(crate) fn body(mut self, value: impl Into<String>) -> Self {
        self.body = Text(Some(value.into()));
        self
    }
}

impl Place {
    /// A value as this place has it. Lists are repeated in a query, and joined by commas elsewhere.
    fn text(self, name: &str, value: Value) -> Result<Option<String>, String> {
        let values = match value {
            Value::Null => return Ok(None),
            Value::Array(values) if values.is_empty() => return Ok(None),
            Value::Array(values) => values,
            value => vec![value],
        };
        let texts = values.into_iter().map(|value| match value {
            Value::String(text) => Ok(text),
            Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
            _ => Err("a value with parts cannot be a parameter".to_owned()),
        });
        let texts = texts.collect::<Result<Vec<_>, _>>()?;
        Ok(Some(match self {
            Self::Query => form_urlencoded::Serializer::new(String::new())
                .extend_pairs(texts.iter().map(|text| (name, text)))
                .finish(),
            Self::Header => texts.join(","),
            Self::Path => {
                let text = texts.join(",");
                if matches!(text.as_str(), "" | "." | "..") {
                    return Err(format!("{text:?} would make the request one for another path"));
                }
                utf8_percent_encode(&text, PATH).to_string()
            }
        }))
    }
}

fn required<T: Serialize>(value: impl TryInto<T, Error: Display>) -> Result<Value, String> {
    let value = value.try_into().map_err(|error| error.to_string())?;
    serde_json::to_value(value).map_err(|error| error.to_string())
}

fn optional<T: Serialize, M>(value: impl Argument<T, M>) -> Result<Value, String> {
    serde_json::to_value(value.into_argument()?).map_err(|error| error.to_string())
}

/// Waits for the whole body of a success answer.
async fn whole(response: Response<ByteStream>, operation: &OperationMeta) -> Result<Response<Bytes>, Error> {
    let (stream, headers, metadata) = response.into_parts();
    match stream.bytes().await {
        Ok(body) => Ok(Response::new(body, headers, metadata)),
        Err(error) => {
            let message = format!("the body broke off: {}", cause(&error));
            let error = Error::new(error.kind(), message).with_source(error);
            Err(unread(error, &Response::new((), headers, metadata), operation))
        }
    }
}

/// The innermost reason of an error; what lies around it says little more.
fn cause<'a>(error: &'a (dyn std::error::Error + 'static)) -> &'a (dyn std::error::Error + 'static) {
    error.source().map_or(error, cause)
}

/// The error of a success answer that cannot be read. What it was to tell has happened.
fn unread<T>(error: Error, response: &Response<T>, operation: &OperationMeta) -> Error {
    error
        .with_operation(operation.id)
        .with_metadata(response.metadata())
        .with_outcome_unknown(!operation.is_safe())
}

/// Shows what is set, and no value.
impl<B: Body> fmt::Debug for Call<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = self.parameters.iter().filter(|parameter| parameter.text != Ok(None));
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
    use crate::runtime::{Decimal, MockTransport};

    static META: OperationMeta = OperationMeta::custom("thing", Method::GET, "/a/{one}/b/{two}");

    fn call() -> Call {
        call_with()
    }

    fn call_with<B: Body>() -> Call<B> {
        Call::new(&Client::new("http://mock.invalid", MockTransport::new()), &META)
    }

    /// The URL, or what is wrong.
    fn target<B: Body>(call: Call<B>) -> String {
        call.request().map_or_else(|error| error.to_string(), |request| request.uri().to_string())
    }

    #[test]
    fn path_arguments_are_encoded_strictly() {
        let filled = call().path::<String>("two", "a/b?c#d e%2F.ä~-_").path::<u8>("one", 7);
        let expected = "http://mock.invalid/a/7/b/a%2Fb%3Fc%23d%20e%252F.%C3%A4~-_";
        assert_eq!(target(filled), expected);
    }

    #[test]
    fn empty_and_dotted_path_arguments_are_refused() {
        for text in ["", ".", ".."] {
            let problem = target(call().path::<String>("one", text).path::<String>("two", "..."));
            let expected = format!("`one`: {text:?} would make the request one for another path");
            assert_eq!(problem, expected);
        }
        let dots = call().path::<String>("one", "...").path::<String>("two", "a.b");
        assert_eq!(target(dots), "http://mock.invalid/a/.../b/a.b");
        let null = target(call().path::<Vec<u8>>("one", Vec::new()).path::<Value>("two", Value::Null));
        assert_eq!(null, "`one` is required; `two` is required");
        let two = target(call().path::<String>("two", ""));
        let expected = "`one` is required; `two`: \"\" would make the request one for another path";
        assert_eq!(two, expected);
    }

    #[test]
    fn lists_are_repeated_in_a_query_and_sorted_by_name_alone() {
        let filled = call().path::<u8>("one", 1).path::<u8>("two", 2);
        let filled = filled
            .query::<Vec<&str>, _>("z", vec!["b", "a"])
            .query::<bool, _>("flag", true)
            .query::<Vec<u8>, _>("none", Vec::new())
            .query::<Decimal, _>("a", "10.00")
            .query::<chrono::NaiveDate, _>("day", chrono::NaiveDate::from_ymd_opt(2026, 3, 16));
        let expected = "http://mock.invalid/a/1/b/2?a=10.00&day=2026-03-16&flag=true&z=b&z=a";
        assert_eq!(target(filled), expected);
        let parts = call().query::<Value, _>("deep", serde_json::json!({ "a": 1 }));
        assert!(target(parts).contains("`deep`: a value with parts"));
    }

    #[test]
    fn required_parameters_outside_the_path_are_required() {
        let filled = || call().require(&["isin", "x-day"]).path::<u8>("one", 1).path::<u8>("two", 2);
        assert_eq!(target(filled()), "`isin` is required; `x-day` is required");
        let given = filled().required_query::<String>("isin", "DE").required_header::<String>("x-day", "now");
        let request = given.request().expect("nothing is missing");
        assert_eq!(request.uri().query(), Some("isin=DE"));
        assert_eq!(request.headers()["x-day"], "now");
        let wrong =
            filled().required_query::<u8>("isin", 300).header::<Vec<&str>, _>("x-day", vec!["a", "\n"]);
        let problem = target(wrong);
        assert!(
            problem.starts_with("`isin`: ")
                && problem.ends_with("; `x-day`: a header cannot carry this value"),
            "{problem}"
        );
    }

    #[test]
    fn bytes_and_text_are_sent_as_they_are() {
        let filled = |call: Call<Binary>| call.path::<u8>("one", 1).path::<u8>("two", 2);
        let request = filled(call_with::<Binary>().body("%PDF")).request().expect("nothing is missing");
        assert_eq!(
            (request.headers()["content-type"].as_bytes(), &request.body()[..]),
            (&b"application/octet-stream"[..], &b"%PDF"[..])
        );
        assert_eq!(target(filled(call_with())), "`body` is required");
        let text = call_with::<Text>().path::<u8>("one", 1).path::<u8>("two", 2).body("ä");
        assert_eq!(text.request().map(Request::into_body).ok(), Some(Bytes::from("ä")));
    }

    #[test]
    fn a_target_that_is_too_long_is_refused() {
        let filled = call().path::<u8>("one", 1).path::<String>("two", "x".repeat(70_000));
        assert_eq!(target(filled), "the URL of the request is too long or malformed");
    }
}
