//! The types that have been found so far, and the objects that remain to be read.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use serde_json::Value;

use super::api::{Field, Schema, Shape, Type};
use super::entities::Entities;
use super::enums::{Enums, NamedEnums};
use super::name_table::NameTable;
use crate::document;
use crate::error::{Error, Result};
use crate::normalize::{Node, Part, Schemas};
use crate::pointer;

/// The types that have been found in a description. Until naming, each object has a key, which is also in
/// [`Type::Schema`].
#[derive(Debug)]
pub(super) struct Types<'a> {
    pub(super) document: &'a Value,
    schemas: Rc<Schemas<'a>>,
    pub(super) entities: Entities<'a>,
    /// The problems of schemas.
    pub(super) errors: Vec<Error>,
    /// Notes about values that lose information in Rust.
    pub(super) notes: Vec<Error>,
    pub(super) names: NameTable,
    pub(super) enums: Enums,
    /// The names of the components that are objects.
    pub(super) components: BTreeMap<&'a str, String>,
    /// The components that a type of the runtime replaces, unless they are used in another way too.
    pub(super) replaced: BTreeSet<&'a str>,
    /// For the name of each component, the components that include it with `allOf`.
    pub(super) children: BTreeMap<&'a str, Vec<&'a str>>,
    /// Maps the name of a branch to the entity names, such as `Order` for `OrderCreate`, of all unions in `components`
    /// that have the branch.
    pub(super) unions: BTreeMap<&'a str, BTreeSet<String>>,
    /// The names that an earlier reading gave to objects, by key.
    pub(super) given_names: BTreeMap<String, String>,
    drafts: BTreeMap<String, Draft>,
    unread: VecDeque<Unread<'a>>,
}

/// An object or a union without its final name.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    /// The possible names, the best first.
    pub(super) names: Vec<String>,
    pub(super) is_component: bool,
    /// The object. Its name is its key.
    pub(super) schema: Schema,
}

/// An object whose fields have not been read.
#[derive(Debug)]
pub(super) struct Unread<'a> {
    pub(super) key: String,
    /// The name for the types in its fields.
    pub(super) name: String,
    pub(super) entity: String,
    /// The entity of the union that has this object as a branch.
    pub(super) identity: Option<String>,
    pub(super) branches: Vec<Node<'a>>,
    pub(super) tag: Option<Tag>,
}

/// A field that distinguishes objects.
#[derive(Debug)]
pub(super) struct Tag {
    pub(super) field: String,
    /// The values in each of the objects.
    pub(super) values: Vec<Vec<String>>,
}

impl<'a> Types<'a> {
    pub(super) fn new(schemas: Rc<Schemas<'a>>, given_names: BTreeMap<String, String>) -> Self {
        let document = schemas.document();
        Self {
            document,
            schemas,
            entities: Entities::new(document),
            errors: Vec::new(),
            notes: Vec::new(),
            names: NameTable::default(),
            enums: Enums::default(),
            components: BTreeMap::new(),
            replaced: BTreeSet::new(),
            children: BTreeMap::new(),
            unions: BTreeMap::new(),
            given_names,
            drafts: BTreeMap::new(),
            unread: VecDeque::new(),
        }
    }

    pub(super) fn node(&self, value: &'a Value, at: &str) -> Result<Rc<Node<'a>>> {
        self.schemas.read(value, at)
    }

    pub(super) fn part(&self, part: &Part<'a>) -> Result<Rc<Node<'a>>> {
        self.schemas.read_part(part)
    }

    /// Reads an alternative of `base`, merged with the keywords beside the alternatives.
    pub(super) fn alternative(&self, part: &Part<'a>, base: &Node<'a>) -> Result<Node<'a>> {
        self.schemas.read_alternative(part, base)
    }

    /// Reads the schema of the component `name`.
    pub(super) fn component(&self, name: &'a str) -> Result<Node<'a>> {
        let value = &self.document["components"]["schemas"][name];
        let node = self.node(value, &pointer::join(document::SCHEMAS, name))?;
        let mut node = Rc::unwrap_or_clone(node);
        node.component = Some(name);
        Ok(node)
    }

    pub(super) fn report(&mut self, error: Error) {
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }

    pub(super) fn is_known(&self, key: &str) -> bool {
        self.drafts.contains_key(key)
    }

    /// Adds an object, whose fields are read later.
    pub(super) fn add(&mut self, draft: Draft, unread: Unread<'a>) {
        self.drafts.insert(unread.key.clone(), draft);
        self.unread.push_back(unread);
    }

    /// Gives the object just added the union's identity, unless a path uses the id of the object's own entity.
    pub(super) fn set_union_identity(&mut self, key: &str, union: &str) {
        let own = self.unread.back_mut().filter(|unread| unread.key == key);
        if let Some(unread) = own.filter(|unread| !self.entities.knows(&unread.entity)) {
            unread.identity = Some(union.to_owned());
        }
    }

    /// Returns the entity of the union that has a component as a branch, unless a path uses the id of the component's
    /// own entity. The branch and the union describe the same resource, so they share its id.
    pub(super) fn union_identity(&self, component: &str, entity: &str) -> Option<String> {
        if self.entities.knows(entity) {
            return None;
        }
        let unions = self.unions.get(component)?;
        let known = unions.iter().find(|union| self.entities.knows(union));
        known.or_else(|| unions.first()).cloned()
    }

    pub(super) fn next_unread(&mut self) -> Option<Unread<'a>> {
        self.unread.pop_front()
    }

    pub(super) fn finish(&mut self, key: &str, shape: Shape) {
        if let Some(draft) = self.drafts.get_mut(key) {
            draft.schema.shape = shape;
        }
    }

    pub(super) fn drafts(&self) -> &BTreeMap<String, Draft> {
        &self.drafts
    }

    /// Names all enums, also in the objects that have been read.
    pub(super) fn name_enums(&mut self) -> NamedEnums {
        let enums = std::mem::take(&mut self.enums).name(&mut self.names);
        for draft in self.drafts.values_mut() {
            for kind in draft.schema.shape.kinds_mut() {
                enums.rename(kind);
            }
        }
        enums
    }

    /// Returns the fields of an object that has been read.
    pub(super) fn fields(&self, kind: &Type) -> &[Field] {
        let draft = match kind {
            Type::Schema(key) => self.drafts.get(key),
            _ => None,
        };
        draft.map_or(&[], |draft| draft.schema.fields())
    }
}
