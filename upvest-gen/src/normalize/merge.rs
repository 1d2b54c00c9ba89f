//! Merges schemas that all apply to one value, such as those of an `allOf`.

use std::collections::HashMap;
use std::mem;

use serde_json::Value;

use super::node::{Node, Part};
use crate::error::{Error, Result};

/// The maximum number of pairs when two unions apply to one value. The merged union has all pairs of their
/// alternatives.
const MAX_PAIRS: usize = 100;

impl<'a> Node<'a> {
    /// Merges the keywords of the parent schema into this alternative. Returns an error for each conflict.
    pub(super) fn add_base(&mut self, base: &Self) -> Result<Vec<Error>> {
        let own = mem::take(self);
        *self = Node {
            alternatives: Vec::new(),
            component: None,
            ..base.clone()
        };
        for annotation in ["title", "description", "discriminator"] {
            self.keywords.remove(annotation);
        }
        let is_whole = self.is_annotation();
        let at = own.at.clone();
        let component = own.component;
        let alternatives = own.alternatives.clone();
        let conflicts = self.merge(own)?;
        self.at = at;
        self.alternatives = alternatives;
        self.component = component.filter(|_| is_whole);
        Ok(conflicts)
    }

    /// Restricts the schema to the values that `other` admits too. The annotations of `other` take precedence. Returns
    /// an error for each conflict.
    pub(super) fn merge(&mut self, other: Self) -> Result<Vec<Error>> {
        if let Some(component) = self.component
            && other.bases.contains(component)
        {
            self.become_including(other);
            return Ok(Vec::new());
        }
        if let Some(component) = other.component
            && self.bases.contains(component)
        {
            self.nullable |= other.nullable;
            return Ok(Vec::new());
        }
        self.component = self.merged_component(&other);
        let mut conflicts = Vec::new();
        conflicts.extend(self.merge_kind(&other));
        conflicts.extend(self.merge_values(&other));
        conflicts.extend(self.merge_keywords(&other));
        self.is_contradictory |= other.is_contradictory;
        self.nullable |= other.nullable;
        self.bases.extend(other.bases);
        self.required.extend(other.required);
        self.merge_properties(other.properties);
        merge_part(&mut self.items, other.items);
        merge_part(&mut self.rest, other.rest);
        self.merge_alternatives(other.alternatives)?;
        Ok(conflicts)
    }

    /// Becomes `other`, which includes this schema.
    fn become_including(&mut self, other: Self) {
        let nullable = self.nullable || other.nullable;
        let at = mem::take(&mut self.at);
        *self = Node {
            at,
            nullable,
            ..other
        };
    }

    /// Returns the component of the merged schema. A reference with annotations still means the component, unless it
    /// requires more fields.
    fn merged_component(&self, other: &Self) -> Option<&'a str> {
        match (self.is_annotation(), other.is_annotation()) {
            (true, false) if self.required.is_subset(&other.required) => other.component,
            (false, true) if other.required.is_subset(&self.required) => self.component,
            _ => None,
        }
    }

    /// Merges the types. An integer is a number. Two other types have no common value, so the result is any JSON and a
    /// conflict.
    fn merge_kind(&mut self, other: &Self) -> Option<Error> {
        match (self.kind, other.kind) {
            (Some("number"), Some("integer")) => self.kind = other.kind,
            (Some("integer"), Some("number")) | (_, None) => {}
            (None, kind) => self.kind = kind,
            (Some(one), Some(another)) if one == another => {}
            (Some(one), Some(another)) => {
                self.is_contradictory = true;
                return Some(conflict(
                    other,
                    &format!("`{one}` and `{another}`"),
                    "it is read as any JSON",
                ));
            }
        }
        None
    }

    /// Keeps the values that both schemas have. If there are none, keeps the values of `other`.
    fn merge_values(&mut self, other: &Self) -> Option<Error> {
        let Some(theirs) = &other.values else {
            return None;
        };
        let Some(ours) = &self.values else {
            self.values = Some(theirs.clone());
            return None;
        };
        let common: Vec<&'a Value> = theirs
            .iter()
            .copied()
            .filter(|value| ours.contains(value))
            .collect();
        if !common.is_empty() || theirs.is_empty() {
            self.values = Some(common);
            return None;
        }
        let lists = format!("one of {} and one of {}", list(ours), list(theirs));
        self.values = Some(theirs.clone());
        Some(conflict(other, &lists, "only the latter are known"))
    }

    fn merge_keywords(&mut self, other: &Self) -> Option<Error> {
        let mut conflicts = None;
        for (keyword, theirs) in &other.keywords {
            let Some(ours) = self.keywords.get(keyword).copied() else {
                self.keywords.insert(keyword, theirs);
                continue;
            };
            let is_tighter = match *keyword {
                "minimum" | "exclusiveMinimum" => theirs.as_f64() >= ours.as_f64(),
                "maximum" | "exclusiveMaximum" => theirs.as_f64() <= ours.as_f64(),
                _ => true,
            };
            if *keyword == "format" && ours != *theirs {
                self.keywords.remove(keyword);
                if self.kind() == Some("string") {
                    let both = format!("{ours} and {theirs}");
                    conflicts = Some(conflict(other, &both, "it is read as any text"));
                }
            } else if is_tighter {
                self.keywords.insert(keyword, theirs);
            }
        }
        conflicts
    }

    /// Merges the properties. A property of both must match both schemas.
    fn merge_properties(&mut self, others: Vec<Part<'a>>) {
        let places: HashMap<&str, usize> = self
            .properties
            .iter()
            .enumerate()
            .map(|(place, part)| (part.name, place))
            .collect();
        for part in others {
            match places.get(part.name) {
                Some(place) => self.properties[*place].add(&part),
                None => self.properties.push(part),
            }
        }
    }

    /// Merges the alternatives into all pairs of one alternative of each union.
    pub(super) fn merge_alternatives(&mut self, others: Vec<Part<'a>>) -> Result<()> {
        if self.alternatives.is_empty() || others.is_empty() {
            self.alternatives.extend(others);
            return Ok(());
        }
        let number = self.alternatives.len() * others.len();
        if number > MAX_PAIRS {
            return Err(Error::at(
                &self.at,
                format!("two unions apply to one value, which has {number} combinations"),
                "describe a single union in the overlay",
            ));
        }
        let pairs = mem::take(&mut self.alternatives);
        for first in &pairs {
            for second in &others {
                let mut pair = first.clone();
                pair.add(second);
                self.alternatives.push(pair);
            }
        }
        Ok(())
    }
}

fn merge_part<'a>(part: &mut Option<Part<'a>>, other: Option<Part<'a>>) {
    match (part, other) {
        (Some(part), Some(other)) => part.add(&other),
        (part @ None, other) => *part = other,
        (Some(_), None) => {}
    }
}

fn conflict(node: &Node<'_>, what: &str, result: &str) -> Error {
    Error::at(
        &node.at,
        format!("`allOf` demands a value that is both {what}, which no value is; {result}"),
        "keep one of them in the overlay",
    )
}

pub(super) fn list(values: &[&Value]) -> String {
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    values.join(", ")
}
