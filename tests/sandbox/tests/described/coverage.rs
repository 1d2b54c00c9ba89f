//! Calls every operation of a description, and lists those that are not served as described.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::api::{Api, Operation, Reply};

/// The operations that were called, each with what was wrong.
pub(crate) struct Coverage(Vec<(String, Option<String>)>);

impl Coverage {
    /// Calls all operations: first those that create, then those that read, then those that change, and at last those that delete.
    pub(crate) async fn of(api: &Api) -> Self {
        let mut run = Run {
            api,
            ids: BTreeMap::new(),
            results: Vec::new(),
        };
        let mut operations = api.operations();
        operations.sort_by_key(|it| (rank(it), it.path.matches('/').count()));
        // A resource can need another one whose path is longer. A second round finds it.
        let creates = operations.iter().filter(|it| it.method == "POST");
        for operation in creates {
            run.call(operation).await;
        }
        run.results.clear();
        for operation in &operations {
            let wrong = run.call(operation).await;
            run.results.push((operation.id.clone(), wrong));
        }
        Self(run.results)
    }

    pub(crate) fn served(&self) -> usize {
        self.0.iter().filter(|(_, wrong)| wrong.is_none()).count()
    }

    /// The operations that are not served as described, with the reasons.
    pub(crate) fn others(&self) -> Vec<(&str, &str)> {
        let others = self.0.iter();
        let others = others.filter_map(|(id, wrong)| Some((id.as_str(), wrong.as_deref()?)));
        others.collect()
    }
}

struct Run<'a> {
    api: &'a Api,
    /// The ids of resources, by the names of the parameters for them.
    ids: BTreeMap<String, String>,
    results: Vec<(String, Option<String>)>,
}

impl Run<'_> {
    /// Calls an operation, and returns what is wrong.
    async fn call(&mut self, operation: &Operation) -> Option<String> {
        let path = self.path(operation);
        let body = self.api.body(operation, &self.ids);
        let reply = self.api.call(operation, &path, body.as_ref()).await;
        self.learn(operation, &reply);
        if (200..300).contains(&reply.status) {
            return reply.wrong;
        }
        let body = body.unwrap_or_default();
        Some(format!("{} {path}: {} {} to {body}", operation.method, reply.status, reply.text))
    }

    fn path(&self, operation: &Operation) -> String {
        let mut path = operation.path.clone();
        while let Some((before, rest)) = path.split_once('{') {
            let (name, after) = rest.split_once('}').unwrap();
            let own = format!("{}{}", collection(before), name);
            let known = self.ids.get(&own).or_else(|| self.ids.get(name));
            let unknown = || match name {
                "instrument_id" => "isin:DE0007164600".to_owned(),
                "currency" => "EUR".to_owned(),
                _ => "5b2f8a3e-6f0a-4a3c-9a52-6f0cbd0f1f55".to_owned(),
            };
            let id = known.cloned().unwrap_or_else(unknown);
            path = format!("{before}{id}{after}");
        }
        path + &self.query(operation)
    }

    /// The parameters of the query that are required.
    fn query(&self, operation: &Operation) -> String {
        let names = self.api.required_query(operation);
        let pairs = names.iter().map(|name| {
            let value = self.ids.get(name).cloned();
            format!("{name}={}", value.unwrap_or_else(|| "2026-11-30".to_owned()))
        });
        let pairs: Vec<_> = pairs.collect();
        if pairs.is_empty() {
            String::new()
        } else {
            format!("?{}", pairs.join("&"))
        }
    }

    /// Remembers the id of a resource that a response contains, by the parameter that names it.
    fn learn(&mut self, operation: &Operation, reply: &Reply) {
        let body = reply.json();
        let item = first_item(&body);
        let own_path = operation.path.trim_end_matches(|it| it != '{');
        let names: Vec<_> = self
            .api
            .operations()
            .into_iter()
            .filter_map(|other| {
                let (before, name) = other.path.rsplit_once('{')?;
                let name = name.strip_suffix('}')?.to_owned();
                let same = collection(before) == collection(&format!("{}/", operation.path));
                let same_path = own_path.strip_suffix('{') == Some(before);
                (same || same_path).then(|| (before.to_owned(), name))
            })
            .collect();
        for (before, name) in names {
            let id = item.get(&name).or_else(|| item.get("id"));
            let id = id.and_then(|id| match id {
                Value::String(id) => Some(id.clone()),
                Value::Number(id) => Some(id.to_string()),
                _ => None,
            });
            if let Some(id) = id {
                self.ids.insert(format!("{}{name}", collection(&before)), id.clone());
                self.ids.insert(name, id);
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

fn first_item(body: &Value) -> &Value {
    let lists = body.as_object().into_iter().flatten();
    let mut lists = lists.filter_map(|(_, value)| value.as_array());
    match body {
        Value::Array(items) => items.first().unwrap_or(&Value::Null),
        _ if body.get("id").is_some() => body,
        _ => lists.find_map(|items| items.first()).unwrap_or(body),
    }
}

fn rank(operation: &Operation) -> u8 {
    match operation.method.as_str() {
        "POST" => 0,
        "GET" => 1,
        "PUT" | "PATCH" => 2,
        _ => 3,
    }
}
