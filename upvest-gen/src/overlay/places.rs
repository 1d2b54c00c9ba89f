//! Finds the places of the values that a query selects.

use std::collections::BTreeSet;
use std::ptr;

use serde_json::Value;
use serde_json_path::JsonPath;

use crate::pointer;

/// The JSON pointers of the values that `path` selects, each once, in the order of the document.
///
/// `JsonPath::query_located` returns places too, but makes a path for each value that it visits. That takes most of the
/// time of a query over all descendants.
pub(super) fn places(document: &Value, path: &JsonPath) -> Vec<String> {
    let selected = path.query(document);
    let mut search = Search {
        selected: selected.iter().map(|value| ptr::from_ref(*value)).collect(),
        keys: Vec::new(),
        places: Vec::new(),
    };
    search.visit(document);
    search.places
}

struct Search<'a> {
    /// The values that are not found yet, by their addresses: equal values at two places are two values.
    selected: BTreeSet<*const Value>,
    /// The keys that lead to the visited value.
    keys: Vec<Key<'a>>,
    places: Vec<String>,
}

#[derive(Clone, Copy)]
enum Key<'a> {
    Name(&'a str),
    Index(usize),
}

impl<'a> Search<'a> {
    fn visit(&mut self, value: &'a Value) {
        if self.selected.is_empty() {
            return;
        }
        if self.selected.remove(&ptr::from_ref(value)) {
            self.places.push(self.place());
        }
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    self.visit_member(Key::Name(name), field);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.visit_member(Key::Index(index), item);
                }
            }
            _ => {}
        }
    }

    fn visit_member(&mut self, key: Key<'a>, value: &'a Value) {
        self.keys.push(key);
        self.visit(value);
        self.keys.pop();
    }

    fn place(&self) -> String {
        let keys = self.keys.iter();
        keys.fold(String::new(), |place, key| match key {
            Key::Name(name) => pointer::join(&place, name),
            Key::Index(index) => pointer::join(&place, &index.to_string()),
        })
    }
}
