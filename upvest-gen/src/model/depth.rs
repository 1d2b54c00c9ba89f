//! Long chains of types.

use std::collections::BTreeMap;

use super::api::{Schema, Shape};
use super::directions::object;

/// The compiler follows a chain of types up to a limit of 128 steps, of which each of our types takes about four, and a
/// list or a map three. A chain may consist of two parts of this length, where a type contains one that contains it.
const LONGEST: usize = 8;

/// Marks fields so that no chain of types is longer than [`LONGEST`] without a marked field.
pub(super) fn mark_deep(schemas: &mut [Schema]) {
    let mut chains = Chains::default();
    for (index, schema) in schemas.iter().enumerate() {
        chains.indices.insert(schema.name.clone(), index);
    }
    chains.states = vec![State::New; schemas.len()];
    for index in 0..schemas.len() {
        chains.visit(schemas, index, 0);
    }
}

#[derive(Clone, Copy)]
enum State {
    New,
    /// It is at this depth of the chain that is being followed.
    Open(usize),
    /// The number of types in the longest chain that begins with it.
    Done(usize),
}

#[derive(Default)]
struct Chains {
    indices: BTreeMap<String, usize>,
    states: Vec<State>,
}

impl Chains {
    /// The number of types in the longest chain that begins with a schema. Of lists and maps directly inside of each
    /// other, all but one are included.
    fn visit(&mut self, schemas: &mut [Schema], index: usize, depth: usize) -> usize {
        match self.states[index] {
            State::Done(length) => return length,
            // A circle ends here, where the compiler recognizes it.
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
                Some(target) => self.visit(schemas, target, depth + 1),
                None => 0,
            };
            let length = inner + containers;
            match &mut schemas[index].shape {
                Shape::Object(fields) if length >= LONGEST => fields[part].deep = true,
                _ => longest = longest.max(length),
            }
        }
        let length = longest + 1;
        self.states[index] = State::Done(length);
        length
    }
}
