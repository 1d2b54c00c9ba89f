//! The functions `match` and `search` of JSONPath (RFC 9535 sections 2.4.6 and 2.4.7).
//!
//! The functions of `serde_json_path` compile their expression for each value that they test. These functions compile
//! it once.

use std::cell::RefCell;
use std::collections::HashMap;

use regex::Regex;
use serde_json::Value;
use serde_json_path::functions::{LogicalType, ValueType};

/// The maximum number of compiled expressions. A query can take expressions from the document.
const KEPT: usize = 100;

thread_local! {
    /// The compiled expressions. `None` if an expression is not valid: it matches nothing.
    static EXPRESSIONS: RefCell<HashMap<String, Option<Regex>>> = RefCell::default();
}

#[serde_json_path_macros::function(name = "match")]
fn match_function(value: ValueType, expression: ValueType) -> LogicalType {
    test(&value, &expression, |expression| {
        format!("(?R)^({expression})$")
    })
}

#[serde_json_path_macros::function(name = "search")]
fn search_function(value: ValueType, expression: ValueType) -> LogicalType {
    test(&value, &expression, |expression| {
        format!("(?R)({expression})")
    })
}

fn test(value: &ValueType, expression: &ValueType, whole: fn(&str) -> String) -> LogicalType {
    let (Some(Value::String(text)), Some(Value::String(expression))) =
        (value.as_value(), expression.as_value())
    else {
        return LogicalType::False;
    };
    is_match(text, &whole(expression)).into()
}

fn is_match(text: &str, expression: &str) -> bool {
    EXPRESSIONS.with_borrow_mut(|expressions| {
        if !expressions.contains_key(expression) {
            if expressions.len() == KEPT {
                expressions.clear();
            }
            expressions.insert(expression.to_owned(), Regex::new(expression).ok());
        }
        let compiled = expressions.get(expression).and_then(Option::as_ref);
        compiled.is_some_and(|compiled| compiled.is_match(text))
    })
}
