//! Breaks chains of types that are too long for the compiler.

use std::collections::BTreeMap;

use super::api::{Schema, Shape};
use super::directions::object;

/// The maximum number of types in a chain without a marked field.
///
/// The compiler stops at 128 nested types. Each of our types costs about four levels, and a list or map around it three
/// more. A recursive type can double the length of a chain, so the limit is 8: 2 x 8 x 7 = 112.
const MAX_CHAIN: usize = 8;

/// Marks fields so that no chain of types is longer than [`MAX_CHAIN`] without a marked field.
pub(super) fn mark_deep(schemas: &mut [Schema]) {
    let mut chains = Chains::default();
    for (index, schema) in schemas.iter().enumerate() {
        chains.indices.insert(schema.name.clone(), index);
    }
    chains.states = vec![State::New; schemas.len()];
    for index in 0..schemas.len() {
        chains.mark(schemas, index, 0);
    }
}

#[derive(Clone, Copy)]
enum State {
    New,
    /// The type is in the chain that is being followed, at this depth.
    Open(usize),
    /// The longest chain that begins with the type has this number of types.
    Done(usize),
}

#[derive(Default)]
struct Chains {
    indices: BTreeMap<String, usize>,
    states: Vec<State>,
}

impl Chains {
    /// Marks the fields of a schema that would make a chain of nested types longer than [`MAX_CHAIN`]. Returns the
    /// number of types in the longest chain that begins with the schema. A list or map directly inside another one
    /// counts as a type too.
    fn mark(&mut self, schemas: &mut [Schema], index: usize, depth: usize) -> usize {
        match self.states[index] {
            State::Done(length) => return length,
            // The schema contains itself. The compiler recognizes such a cycle, so the chain ends here.
            State::Open(start) => return depth - start,
            State::New => {}
        }
        self.states[index] = State::Open(depth);
        let mut longest = 0;
        for part in 0..schemas[index].shape.kinds().len() {
            let kinds = schemas[index].shape.kinds();
            let containers = kinds[part].containers().saturating_sub(1);
            let target = object(kinds[part]).and_then(|name| self.indices.get(name));
            let inner = match target.copied() {
                Some(target) => self.mark(schemas, target, depth + 1),
                None => 0,
            };
            let length = inner + containers;
            match &mut schemas[index].shape {
                Shape::Object(fields) if length >= MAX_CHAIN => fields[part].deep = true,
                _ => longest = longest.max(length),
            }
        }
        let length = longest + 1;
        self.states[index] = State::Done(length);
        length
    }
}
