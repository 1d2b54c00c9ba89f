//! A validated request, and its response.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::problem::Problem;
use crate::description::{Description, MAX_NAMED, Operation, Parameter, Schema};
use crate::domain::rules;
use crate::engine;

/// The page size without a `limit` (the description's parameter `Limit`).
const DEFAULT_LIMIT: u64 = 20;
/// The most characters of the text that says what is wrong with a request.
const MAX_DETAIL: usize = 4096;

/// A request with its parameters by name.
pub(crate) struct Call {
    pub(crate) path: Vec<(String, String)>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Value,
}

/// The body of a request, and the schema that it must match.
#[derive(Default)]
pub(crate) struct GivenBody<'a> {
    pub(crate) value: Value,
    pub(crate) schema: Option<&'a Schema>,
}

/// A successful response.
pub(crate) struct Response {
    pub(crate) status: u16,
    /// The media type: `application/json`, or that of a file. Empty if there is no body.
    pub(crate) media_type: String,
    /// The headers that the description has for the response.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
    /// The order that was placed. Its response can be written again from the order itself.
    pub(crate) order: Option<Uuid>,
}

impl Call {
    /// Validates the parameters and the body against the description. Returns the call, or the first violations.
    pub(crate) fn read(
        description: &Description,
        operation: &Operation,
        path: Vec<(String, String)>,
        query: Option<&str>,
        body: GivenBody<'_>,
    ) -> Result<Self, Problem> {
        let query: Vec<(String, String)> =
            form_urlencoded::parse(query.unwrap_or_default().as_bytes())
                .into_owned()
                .collect();
        let mut wrong = Vec::new();
        for parameter in &operation.parameters {
            let given = if parameter.is_path { &path } else { &query };
            wrong.extend(problems_of(parameter, given));
        }
        if let Some(schema) = body.schema {
            wrong.extend(description.problems_of_body(schema, &body.value));
        }
        if wrong.is_empty() {
            Ok(Self {
                path,
                query,
                body: body.value,
            })
        } else {
            // Names of fields can have any length, and problems are kept in the log.
            let detail: String = wrong.join("; ").chars().take(MAX_DETAIL).collect();
            Err(Problem::invalid(detail))
        }
    }

    /// An id in the path. An invalid or missing id becomes the nil UUID, which no resource has.
    pub(crate) fn id(&self, name: &str) -> Uuid {
        let value = self.path.iter().find(|(known, _)| known == name);
        value
            .and_then(|(_, value)| value.parse().ok())
            .unwrap_or_default()
    }

    /// A parameter in the query.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn body<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        Ok(rules::read(&self.body)?)
    }

    /// One page of a list, with the total. The items before the page are skipped without visiting them, which
    /// a mapped iterator could not do. Therefore there is the parameter `view`.
    pub(crate) fn page<R, T: Serialize>(
        &self,
        items: impl ExactSizeIterator<Item = R>,
        view: impl Fn(R) -> T,
    ) -> Response {
        // An offset that is too large for the type is after the end of every list.
        let number = |name, default| {
            self.query(name)
                .map_or(default, |text| text.parse().unwrap_or(u64::MAX))
        };
        let offset = number("offset", 0);
        let limit = number("limit", DEFAULT_LIMIT);
        let total = items.len();
        let size = |number| usize::try_from(number).unwrap_or(usize::MAX);
        let data: Vec<_> = items
            .skip(size(offset))
            .take(size(limit))
            .map(view)
            .collect();
        let meta = Meta {
            offset,
            limit,
            count: data.len(),
            total,
        };
        Response::ok(&List {
            meta: Some(meta),
            data,
        })
    }
}

/// The violations of a parameter by the values that a request gives it.
fn problems_of(parameter: &Parameter, given: &[(String, String)]) -> Vec<String> {
    let name = &parameter.name;
    // A list can be given as `x=1&x=2`, `x[]=1` or `x=1,2`.
    let is_named = |known: &str| {
        known == name || parameter.is_array && known.strip_suffix("[]") == Some(name.as_str())
    };
    let mut values = given.iter().filter(|(known, _)| is_named(known));
    let value = match (values.next(), values.next()) {
        (None, _) if parameter.is_required => return vec![format!("`{name}` is missing")],
        (None, _) => return Vec::new(),
        (Some((_, value)), None) if !parameter.is_array => parameter.json(value),
        (Some(_), Some(_)) if !parameter.is_array => {
            return vec![format!("`{name}` is given more than once")];
        }
        _ => {
            let all = given.iter().filter(|(known, _)| is_named(known));
            let items = all.flat_map(|(_, value)| value.split(','));
            Value::Array(items.map(|item| parameter.json(item)).collect())
        }
    };
    let mismatches = parameter.schema.mismatches(&value);
    mismatches
        .take(MAX_NAMED)
        .map(|it| format!("`{name}` {}", it.problem))
        .collect()
}

impl Parameter {
    /// A text of the query or the path as a value of the type that the parameter has.
    fn json(&self, text: &str) -> Value {
        let is_number = |byte: u8| byte.is_ascii_digit() || byte == b'-';
        let is_value = match self.kind.as_deref() {
            Some("integer") => text.bytes().all(is_number),
            Some("number") => text.parse::<f64>().is_ok_and(f64::is_finite),
            Some("boolean") => matches!(text, "true" | "false"),
            _ => false,
        };
        match serde_json::from_str(text) {
            Ok(value) if is_value => value,
            _ => Value::String(text.to_owned()),
        }
    }
}

#[derive(Serialize)]
struct List<T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<Meta>,
    data: Vec<T>,
}

#[derive(Serialize)]
struct Meta {
    offset: u64,
    limit: u64,
    count: usize,
    total: usize,
}

impl From<engine::Response> for Response {
    fn from(response: engine::Response) -> Self {
        Self {
            status: response.status,
            media_type: response.media_type,
            headers: response.headers,
            body: response.body,
            order: None,
        }
    }
}

impl Response {
    pub(crate) fn ok(value: &impl Serialize) -> Self {
        Self::json(200, value)
    }

    pub(crate) fn created(value: &impl Serialize) -> Self {
        Self::json(201, value)
    }

    pub(crate) fn no_content() -> Self {
        Self {
            status: 204,
            media_type: String::new(),
            headers: Vec::new(),
            body: Bytes::new(),
            order: None,
        }
    }

    /// A list without pages.
    pub(crate) fn list<T: Serialize>(items: impl IntoIterator<Item = T>) -> Self {
        Self::ok(&List {
            meta: None,
            data: items.into_iter().collect(),
        })
    }

    /// A list without pages, with the total.
    pub(crate) fn counted_list<T: Serialize>(items: impl IntoIterator<Item = T>) -> Self {
        let data: Vec<_> = items.into_iter().collect();
        let count = data.len();
        let limit = u64::try_from(count).unwrap_or(u64::MAX).max(DEFAULT_LIMIT);
        Self::ok(&List {
            meta: Some(Meta {
                offset: 0,
                limit,
                count,
                total: count,
            }),
            data,
        })
    }

    pub(crate) fn file(media_type: &str, content: &Bytes) -> Self {
        Self {
            status: 200,
            media_type: media_type.to_owned(),
            headers: Vec::new(),
            body: content.clone(),
            order: None,
        }
    }

    /// A response from existing JSON.
    pub(crate) fn json_text(text: &str) -> Self {
        let body = Bytes::copy_from_slice(text.as_bytes());
        Self {
            status: 200,
            media_type: "application/json".to_owned(),
            headers: Vec::new(),
            body,
            order: None,
        }
    }

    fn json(status: u16, value: &impl Serialize) -> Self {
        // The length of most pages, so that the buffer need not grow.
        let mut body = Vec::with_capacity(8 * 1024);
        serde_json::to_writer(&mut body, value).expect("the state can be written as JSON");
        Self {
            status,
            media_type: "application/json".to_owned(),
            headers: Vec::new(),
            body: body.into(),
            order: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An iterator that counts how many items are visited, and so not skipped.
    struct Steps(std::ops::Range<u32>, u32);

    impl Iterator for Steps {
        type Item = u32;

        fn next(&mut self) -> Option<u32> {
            self.nth(0)
        }

        fn nth(&mut self, count: usize) -> Option<u32> {
            self.1 += 1;
            assert!(self.1 <= 21, "the page walks to where it begins");
            self.0.nth(count)
        }

        fn size_hint(&self) -> (usize, Option<usize>) {
            self.0.size_hint()
        }
    }

    impl ExactSizeIterator for Steps {}

    #[test]
    fn a_page_far_back_in_a_list_costs_as_much_as_the_first() {
        let query = vec![
            ("offset".to_owned(), "999990".to_owned()),
            ("limit".to_owned(), "20".to_owned()),
        ];
        let call = Call {
            path: Vec::new(),
            query,
            body: Value::Null,
        };
        let response = call.page(Steps(0..1_000_000, 0), |number| number);
        let page: Value = serde_json::from_slice(&response.body).unwrap();
        assert_eq!(&page["data"][0], &Value::from(999_990));
        assert_eq!(&page["data"][9], &Value::from(999_999));
        assert_eq!(page["meta"]["total"], 1_000_000);
    }
}
