//! Calls every operation of a description, and lists those that are not served as described.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::api::{Api, Operation, Response};

/// The operations that were called, each with its problem, if there was one.
pub(crate) struct Coverage(Vec<(String, Option<String>)>);

impl Coverage {
    /// Calls all operations: first those that create, then those that read, then those that change, and last those that
    /// delete.
    pub(crate) async fn of(api: &Api) -> Self {
        let credentials = [
            ("client_id", api.sandbox.client_id()),
            ("client_secret", api.sandbox.client_secret()),
            ("scope", api.scope()),
        ];
        let ids = credentials.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut run = Run {
            api,
            ids: ids.into(),
            results: Vec::new(),
        };
        let mut operations = api.operations();
        operations.sort_by_key(|it| (rank(it), it.path.matches('/').count()));
        // A resource can need another one whose path is longer. A second round finds it.
        let mut created = BTreeSet::new();
        for operation in operations.iter().filter(|it| it.method == "POST") {
            if run.call(operation).await.is_none() {
                created.insert(&operation.id);
            }
        }
        for operation in &operations {
            let problem = run.call(operation).await;
            // A resource with an id in its body cannot be created twice.
            let problem = problem
                .filter(|problem| !created.contains(&operation.id) || !problem.contains(": 409 "));
            run.results.push((operation.id.clone(), problem));
        }
        Self(run.results)
    }

    /// The operations that are not served as described, each with its problem.
    pub(crate) fn problems(&self) -> Vec<(&str, &str)> {
        let problems = self.0.iter();
        let problems =
            problems.filter_map(|(id, problem)| Some((id.as_str(), problem.as_deref()?)));
        problems.collect()
    }
}

struct Run<'a> {
    api: &'a Api,
    /// The ids of resources, by the names of the parameters for them.
    ids: BTreeMap<String, String>,
    results: Vec<(String, Option<String>)>,
}

impl Run<'_> {
    /// Calls an operation, and returns its problem, if there was one.
    async fn call(&mut self, operation: &Operation) -> Option<String> {
        let path = self.path(operation);
        let body = self.api.body(operation, &self.ids);
        let reply = self.api.call(operation, &path, body.as_ref()).await;
        self.learn(operation, &reply);
        if (200..300).contains(&reply.status) {
            return reply.mismatch;
        }
        let body = body.unwrap_or_default();
        Some(format!(
            "{} {path}: {} {} to {body}",
            operation.method, reply.status, reply.text
        ))
    }

    fn path(&self, operation: &Operation) -> String {
        let parameters = self.api.parameters(operation, &self.ids);
        let mut path = operation.path.clone();
        for (at, _) in operation.path.match_indices('{') {
            let (before, rest) = operation.path.split_at(at);
            let (name, _) = rest[1..].split_once('}').unwrap();
            let own = self.ids.get(&format!("{}{name}", collection(before)));
            let mut of_path = parameters.iter().filter(|it| it.is_path);
            let parameter = of_path.find(|it| it.name == name).unwrap();
            let known = own.or_else(|| self.ids.get(name));
            let known = known.and_then(|id| parameter.accepted(id));
            let id = known.unwrap_or_else(|| parameter.value.clone());
            path = path.replace(&format!("{{{name}}}"), &id);
        }
        let query = parameters.iter().filter(|it| !it.is_path && it.is_required);
        let pairs = query.map(|it| format!("{}={}", it.name, it.value));
        let pairs: Vec<_> = pairs.collect();
        if pairs.is_empty() {
            path
        } else {
            format!("{path}?{}", pairs.join("&"))
        }
    }

    /// Remembers the id of a resource that a response contains, by the parameters that name it.
    fn learn(&mut self, operation: &Operation, reply: &Response) {
        let body = reply.json();
        let item = first_item(&body);
        let own = match operation.path.strip_suffix('}') {
            Some(path) => path.rsplit_once('{').unwrap().0.to_owned(),
            None => format!("{}/", operation.path),
        };
        for other in self.api.operations() {
            let opened = other.path.match_indices('{').map(|(at, _)| at);
            for at in opened {
                let (before, rest) = other.path.split_at(at);
                let name = rest[1..].split_once('}').unwrap().0;
                let is_same = collection(before) == collection(&own);
                if last(before) != last(&own) {
                    continue;
                }
                let nested = &item[name.trim_end_matches("_id")];
                let id = item.get(name).or_else(|| item.get("id"));
                let id = id.or_else(|| nested.get("uuid"));
                let id = id.and_then(|id| match id {
                    Value::String(id) => Some(id.clone()),
                    Value::Number(id) => Some(id.to_string()),
                    _ => None,
                });
                if let Some(id) = id {
                    let own = format!("{}{name}", collection(before));
                    if is_same || !self.ids.contains_key(&own) {
                        self.ids.insert(own, id.clone());
                        self.ids.insert(name.to_owned(), id);
                    }
                }
            }
        }
    }
}

/// The last two fixed segments before an id, which tell portfolio orders from orders.
fn collection(before: &str) -> String {
    let segments = before.trim_end_matches('/').split('/');
    let fixed: Vec<_> = segments.filter(|it| !it.contains('{')).collect();
    fixed[fixed.len().saturating_sub(2)..].join("/")
}

/// The last fixed segment before an id.
fn last(before: &str) -> &str {
    let mut segments = before.trim_end_matches('/').split('/');
    segments.rfind(|it| !it.contains('{')).unwrap_or_default()
}

fn first_item(body: &Value) -> &Value {
    let lists = body.as_object().into_iter().flatten();
    let mut lists = lists.filter_map(|(_, value)| value.as_array());
    match body {
        Value::Array(items) => items.first().unwrap_or(&Value::Null),
        Value::Object(fields) if fields.len() == 1 && body["book"].is_object() => &body["book"],
        _ if body.get("id").is_some() => body,
        _ => lists.find_map(|items| items.first()).unwrap_or(body),
    }
}

fn rank(operation: &Operation) -> u8 {
    let is_item = operation.path.ends_with('}');
    match operation.method.as_str() {
        "POST" => 0,
        "GET" if !is_item => 1,
        "PUT" => 2,
        "GET" => 3,
        "PATCH" => 4,
        _ => 5,
    }
}
