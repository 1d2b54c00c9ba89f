//! Reads schemas into types. Each object, enum and id becomes one type, however often it occurs.

use std::collections::{BTreeMap, BTreeSet};

use heck::{ToPascalCase, ToSnakeCase};
use serde_json::Value;

use super::decimal_pattern::is_decimal;
use super::names::{self, Names};
use super::{Alternative, Enum, Field, Id, Schema, Shape, Type};
use crate::document;
use crate::error::{Error, Result};
use crate::normalize::{Node, Part, normalize};
use crate::pointer;

/// The fields of the object that describes a page.
const PAGE: [&str; 7] = [
    "offset",
    "limit",
    "count",
    "total",
    "total_count",
    "sort",
    "order",
];

/// The limits on the depth and the number of nested alternatives.
const DEEPEST_ALTERNATIVES: usize = 16;
const MOST_ALTERNATIVES: usize = 200;

/// The context of a value, for the names of its types.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'c> {
    /// The name of the object or the operation around it.
    pub(super) parent: &'c str,
    /// The entity of the object around it.
    pub(super) entity: &'c str,
    /// The name of the field or parameter.
    pub(super) field: &'c str,
}

/// Reads schemas and collects the types and the errors.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    document: &'a Value,
    pub(super) errors: Vec<Error>,
    /// The values that lose information in Rust.
    pub(super) notes: Vec<Error>,
    names: Names,
    schemas: BTreeMap<String, Schema>,
    /// The names of the components' types.
    components: BTreeMap<&'a str, String>,
    /// The components that have been read, or that a type of the runtime replaces.
    done: BTreeSet<&'a str>,
    /// The components that are the list of an answer, for which the runtime has a type.
    lists: BTreeSet<&'a str>,
    /// The places of the inline objects that are being read, outermost first.
    open: Vec<String>,
    /// The places of the items of lists and the values of maps that are being read, outermost first.
    open_parts: Vec<String>,
    /// The entities in the parameters of paths, such as `order` for `order_id`.
    subjects: BTreeSet<&'a str>,
}

/// A field that distinguishes objects, and its value in each of them.
struct Tag {
    field: String,
    values: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(document: &'a Value) -> Self {
        let mut reader = Self {
            document,
            errors: Vec::new(),
            notes: Vec::new(),
            names: Names::default(),
            schemas: BTreeMap::new(),
            components: BTreeMap::new(),
            done: BTreeSet::new(),
            lists: BTreeSet::new(),
            open: Vec::new(),
            open_parts: Vec::new(),
            subjects: subjects(document),
        };
        reader.name_components();
        reader
    }

    /// Names the objects among the components first, so that inline objects get the remaining names.
    fn name_components(&mut self) {
        let problems = self.problems();
        for (name, value) in components(self.document) {
            let at = pointer::join(document::SCHEMAS, name);
            let read = normalize(self.document, value, &at)
                .and_then(|node| Ok((self.branches(&node)?, node)));
            let (branches, node) = match read {
                Ok(read) => read,
                Err(error) => {
                    self.report(error);
                    self.done.insert(name);
                    continue;
                }
            };
            if node.component.is_some() || !branches.iter().all(is_object) {
                continue;
            }
            if problems.contains(name) || is_page(&node) {
                self.done.insert(name);
            } else {
                let rust = self.claim(&[&names::type_name(name)]);
                self.components.insert(name, rust);
            }
        }
    }

    /// The schema of the component `name`.
    fn component(&self, name: &'a str) -> Result<Node<'a>> {
        let at = pointer::join(document::SCHEMAS, name);
        let mut node = normalize(
            self.document,
            &self.document["components"]["schemas"][name],
            &at,
        )?;
        node.component = Some(name);
        Ok(node)
    }

    /// The components of error answers, which one type of the runtime replaces.
    fn problems(&self) -> BTreeSet<&'a str> {
        let mut problems = BTreeSet::new();
        for operation in document::operations(self.document) {
            let errors = operation
                .responses(self.document)
                .filter(|(status, _)| !document::is_success(status));
            for (_, response) in errors {
                let contents = response
                    .get("content")
                    .and_then(Value::as_object)
                    .into_iter()
                    .flatten();
                problems.extend(contents.filter_map(|(_, media)| {
                    document::schema_name(self.document, &media["schema"])
                }));
            }
        }
        problems
    }

    /// Reads the remaining components, as unused ones become types too.
    pub(super) fn remaining_components(&mut self) {
        for (name, _) in components(self.document) {
            if self.components.contains_key(name)
                && !self.done.contains(name)
                && !self.lists.contains(name)
            {
                let context = Context {
                    parent: name,
                    entity: name,
                    field: name,
                };
                if let Err(error) = self
                    .component(name)
                    .and_then(|node| self.kind(&node, &context))
                {
                    self.report(error);
                }
            }
        }
    }

    /// The types, the errors and the notes, or the problems of names in the overlay.
    #[expect(clippy::type_complexity, reason = "the caller destructures it")]
    pub(super) fn finish(
        self,
    ) -> std::result::Result<(Vec<Schema>, Vec<Enum>, Vec<Id>, Vec<Error>), Vec<Error>> {
        let (enums, ids) = self.names.finish()?;
        let mut notes = self.notes;
        notes.extend(self.errors);
        Ok((self.schemas.into_values().collect(), enums, ids, notes))
    }

    pub(super) fn report(&mut self, error: Error) {
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }

    /// Whether a type is an object whose fields are all single values, as in a form.
    pub(super) fn is_flat(&self, kind: &Type) -> bool {
        let Type::Schema(name) = kind else {
            return false;
        };
        let is_single =
            |field: &Field| !matches!(field.kind, Type::Schema(_) | Type::List(_) | Type::Map(_));
        self.schemas.get(name).is_some_and(|schema| {
            !schema.fields().is_empty() && schema.fields().iter().all(is_single)
        })
    }

    /// The type of a value, and whether it may be null. A schema with a problem is reported and becomes any JSON.
    pub(super) fn value(
        &mut self,
        value: &'a Value,
        at: &str,
        context: &Context<'_>,
    ) -> (Type, bool) {
        let read = normalize(self.document, value, at)
            .and_then(|node| Ok((self.kind(&node, context)?, node.nullable)));
        read.unwrap_or_else(|error| {
            self.report(error);
            (Type::Json, true)
        })
    }

    fn kind(&mut self, node: &Node<'a>, context: &Context<'_>) -> Result<Type> {
        let branches = self.branches(node)?;
        match branches.as_slice() {
            [only] => self.single(only, context),
            several => self.union(node, several, context),
        }
    }

    /// The alternatives of a value, or the value itself if there are none.
    fn branches(&self, node: &Node<'a>) -> Result<Vec<Node<'a>>> {
        let mut branches = Vec::new();
        self.collect_branches(node.clone(), 0, &mut branches)?;
        Ok(branches)
    }

    fn collect_branches(
        &self,
        mut node: Node<'a>,
        depth: usize,
        found: &mut Vec<Node<'a>>,
    ) -> Result<()> {
        if depth > DEEPEST_ALTERNATIVES || found.len() > MOST_ALTERNATIVES {
            return Err(Error::at(
                &node.at,
                "the alternatives are circular or too many",
                "remove the cycle, or describe a single schema in the overlay",
            ));
        }
        let alternatives = std::mem::take(&mut node.alternatives);
        for part in &alternatives {
            let mut branch = normalize(self.document, part.value, &part.at)?;
            branch.add_base(&node);
            self.collect_branches(branch, depth + 1, found)?;
        }
        if alternatives.is_empty() {
            found.push(node);
        }
        Ok(())
    }

    fn single(&mut self, node: &Node<'a>, context: &Context<'_>) -> Result<Type> {
        match node.kind() {
            Some("string") => self.text(std::slice::from_ref(node), node, context),
            Some("integer") => Ok(integer(node)),
            Some("number") => Ok(self.number(node, context)),
            Some("boolean") => Ok(Type::Bool),
            Some("array") => Ok(Type::List(Box::new(
                self.part(node.items.as_ref(), context),
            ))),
            Some("object") if node.properties.is_empty() => {
                Ok(Type::Map(Box::new(self.part(node.rest.as_ref(), context))))
            }
            Some("object") => self.object(node, std::slice::from_ref(node), context),
            Some("null") | None => Ok(Type::Json),
            Some(other) => Err(Error::at(
                &node.at,
                format!("{other:?} is not a type"),
                "use a type of OpenAPI, such as `string`",
            )),
        }
    }

    /// The type of a value with alternatives. Objects that a field distinguishes become an enum. Other objects become one struct,
    /// in which only fields are required that all of them require. Texts become a text and lists become a list. Everything else
    /// becomes any JSON.
    fn union(
        &mut self,
        node: &Node<'a>,
        branches: &[Node<'a>],
        context: &Context<'_>,
    ) -> Result<Type> {
        let kinds: BTreeSet<_> = branches.iter().map(Node::kind).collect();
        let only = if kinds.len() == 1 {
            kinds.into_iter().next().flatten()
        } else {
            None
        };
        match (only, branches) {
            (Some("object"), _) if branches.iter().all(is_object) => match self.tag(node, branches)
            {
                Some(tag) => self.tagged(node, branches, &tag, context),
                None => self.object(node, branches, context),
            },
            (Some("string"), _) => self.text(branches, node, context),
            (Some("array"), _) => {
                let items: Option<Vec<Part<'a>>> =
                    branches.iter().map(|branch| branch.items.clone()).collect();
                let Some(items) = items else {
                    return Ok(Type::List(Box::new(Type::Json)));
                };
                let node = Node::one_of(distinct(items), &node.at);
                let context = Context {
                    field: names::singular(context.field),
                    ..*context
                };
                Ok(Type::List(Box::new(self.kind(&node, &context)?)))
            }
            (Some("integer" | "boolean" | "number"), [first, ..]) => self.single(first, context),
            _ => Ok(Type::Json),
        }
    }

    /// The type of the items of a list, or of the values of a map.
    fn part(&mut self, part: Option<&Part<'a>>, context: &Context<'_>) -> Type {
        let Some(part) = part else { return Type::Json };
        if self.open_parts.contains(&part.at) {
            self.report(Error::at(
                &part.at,
                format!("the list or map `{}` contains itself", context.field),
                "make it a field of an object",
            ));
            return Type::Json;
        }
        let context = Context {
            field: names::singular(context.field),
            ..*context
        };
        self.open_parts.push(part.at.clone());
        let value = self.value(part.value, &part.at, &context);
        self.open_parts.pop();
        match value {
            (Type::Json, _) => Type::Json,
            (kind, true) => Type::Nullable(Box::new(kind)),
            (kind, false) => kind,
        }
    }

    /// The type of a text, whose alternatives are `branches`.
    fn text(
        &mut self,
        branches: &[Node<'a>],
        node: &Node<'a>,
        context: &Context<'_>,
    ) -> Result<Type> {
        let first = branches.first().unwrap_or(node);
        let same = |keyword: &str| {
            let text = first.text(keyword);
            text.filter(|_| branches.iter().all(|branch| branch.text(keyword) == text))
                .unwrap_or_default()
        };
        let explicit = node
            .text("x-type-name")
            .or_else(|| first.text("x-type-name"));
        let values = branches
            .iter()
            .map(|branch| branch.values().filter(|values| !values.is_empty()));
        let values: Option<Vec<_>> = values.collect();
        Ok(match (same("format"), same("pattern"), values) {
            ("uuid", _, _) => {
                match explicit
                    .map(str::to_owned)
                    .or_else(|| names::id(context.entity, context.field))
                {
                    Some(name) => Type::Id(self.names.id(&name)),
                    None => Type::Uuid,
                }
            }
            ("decimal", _, _) => Type::Decimal,
            (_, "^[A-Z]{3}$", _) | ("ISO4217", _, _) => Type::Currency,
            (_, "^[A-Z]{2}$", _) => Type::Country,
            (_, "^[A-Z]{2}[A-Z0-9]{9}[0-9]$", _) => Type::Isin,
            (_, _, Some(values))
                if values
                    .iter()
                    .flatten()
                    .all(|value| **value == "ASC" || **value == "DESC") =>
            {
                Type::Enum(self.names.values("SortOrder", first, &values.concat())?)
            }
            (_, _, Some(values)) => {
                let field = || format!("{}-{}", context.entity, context.field).to_pascal_case();
                let name = explicit
                    .or(node.component)
                    .map_or_else(field, str::to_owned);
                Type::Enum(self.names.values(&name, first, &values.concat())?)
            }
            _ if explicit.is_some() => {
                Type::Enum(self.names.mention(explicit.unwrap_or_default(), &node.at))
            }
            ("date", _, _) => Type::Date,
            ("date-time", _, _) => Type::DateTime,
            (_, pattern, _) if is_decimal(pattern) => Type::Decimal,
            _ => Type::Text,
        })
    }

    fn number(&mut self, node: &Node<'a>, context: &Context<'_>) -> Type {
        if !matches!(node.text("format"), Some("float" | "double")) {
            let field = context.field;
            let entity = context.entity;
            self.notes.push(Error::at(
                &node.at,
                format!("`{field}` of {entity} is a JSON number, which is read as a float and not exactly"),
                "give it `format: double` in the overlay if it is not an amount, or make it a decimal text",
            ));
        }
        Type::F64
    }

    /// The type of an object: its own properties, and those of all `branches`.
    fn object(
        &mut self,
        node: &Node<'a>,
        branches: &[Node<'a>],
        context: &Context<'_>,
    ) -> Result<Type> {
        self.named(node, context, |reader, name, entity| {
            Ok(Shape::Object(reader.fields(branches, name, entity)))
        })
    }

    /// The type of an object that is one of `branches`, which a field distinguishes.
    fn tagged(
        &mut self,
        node: &Node<'a>,
        branches: &[Node<'a>],
        tag: &Tag,
        context: &Context<'_>,
    ) -> Result<Type> {
        self.named(node, context, |reader, name, entity| {
            let mut variants: Vec<Alternative> = Vec::new();
            for (branch, wire) in branches.iter().zip(&tag.values) {
                let context = Context {
                    parent: name,
                    entity,
                    field: wire,
                };
                let kind = reader.single(branch, &context)?;
                let name =
                    names::variant(wire, variants.iter().map(|variant| variant.name.as_str()));
                variants.push(Alternative {
                    name,
                    wire: wire.clone(),
                    kind,
                });
            }
            Ok(Shape::Union {
                tag: tag.field.clone(),
                variants,
            })
        })
    }

    /// Names the object that `read` reads, unless it already has a name.
    fn named(
        &mut self,
        node: &Node<'a>,
        context: &Context<'_>,
        read: impl FnOnce(&mut Self, &str, &str) -> Result<Shape>,
    ) -> Result<Type> {
        if let Some(component) = node.component
            && let Some(name) = self.components.get(component).cloned()
        {
            if self.done.insert(component) {
                // A description next to a reference belongs to that place only.
                let own = self.component(component)?;
                let entity = title(&own)
                    .map_or_else(|| names::entity(component), |title| self.subject(title));
                let shape = read(self, &name, &entity);
                let shape = shape.unwrap_or_else(|error| {
                    self.report(error);
                    Shape::Object(Vec::new())
                });
                self.schemas
                    .insert(name.clone(), schema(&own, &name, shape));
            }
            return Ok(Type::Schema(name));
        }
        let title = title(node);
        if self.open.contains(&node.at) {
            return Err(Error::at(
                &node.at,
                format!("`{}` contains itself", context.field),
                "make it a component, and refer to that without `allOf`",
            ));
        }
        let field = names::type_name(&format!("{}-{}", context.parent, context.field));
        let explicit = node.text("x-type-name").or(title).map(names::type_name);
        let wanted = explicit
            .or_else(|| names::answered(context.parent, context.field))
            .unwrap_or_else(|| field.clone());
        let entity = self.subject(title.unwrap_or(&wanted));
        self.open.push(node.at.clone());
        let shape = read(self, &wanted, &entity);
        self.open.pop();
        let shape = shape?;
        // The same object under the same name is the same type.
        let mut known = [&wanted, &field]
            .into_iter()
            .filter_map(|name| self.schemas.get(name));
        if let Some(known) = known.find(|known| known.shape.is_like(&shape)) {
            return Ok(Type::Schema(known.name.clone()));
        }
        let name = self.claim(&[&wanted, &field]);
        self.schemas
            .insert(name.clone(), schema(node, &name, shape));
        Ok(Type::Schema(name))
    }

    /// The entity in a title or in the name of a type: `Order` for `Order - Place - Request`. If a path
    /// has a `withdrawal_id`, it is `Withdrawal` for `Payments - Withdrawal`.
    pub(super) fn subject(&self, title: &str) -> String {
        let nouns = names::nouns(title);
        let mut candidates = (0..nouns.len())
            .filter_map(|start| nouns.get(start..))
            .map(|nouns| nouns.join(" "));
        let known =
            candidates.find(|candidate| self.subjects.contains(candidate.to_snake_case().as_str()));
        let last = title
            .split(" - ")
            .filter(|segment| !names::nouns(segment).is_empty())
            .last();
        known.map_or_else(
            || names::entity(&names::type_name(last.unwrap_or(title))),
            |known| known.to_pascal_case(),
        )
    }

    /// The first of the names that is not used, or the last one with a number.
    fn claim(&mut self, wanted: &[&str]) -> String {
        let last = wanted.last().copied().unwrap_or_default();
        let numbered = (2..).map(|number| names::numbered(last, number));
        let mut candidates = wanted.iter().map(|name| (*name).to_owned()).chain(numbered);
        candidates
            .find(|name| self.names.claim(name))
            .unwrap_or_default()
    }

    fn fields(&mut self, branches: &[Node<'a>], name: &str, entity: &str) -> Vec<Field> {
        let mut properties: Vec<(&str, Vec<Part<'a>>)> = Vec::new();
        for property in branches.iter().flat_map(|branch| &branch.properties) {
            match properties
                .iter_mut()
                .find(|(name, _)| *name == property.name)
            {
                Some((_, parts)) => parts.push(property.clone()),
                None => properties.push((property.name, vec![property.clone()])),
            }
        }
        let mut fields: Vec<Field> = Vec::new();
        for (wire, parts) in properties {
            let mut nodes = parts
                .iter()
                .filter_map(|part| normalize(self.document, part.value, &part.at).ok());
            let explicit = nodes.clone().find_map(|node| node.text("x-rust-name"));
            let sensitive =
                names::is_personal(wire) || nodes.any(|node| node.is_true("x-sensitive"));
            let mut rust = names::field(explicit.unwrap_or(wire));
            while fields.iter().any(|field| field.rust == rust) {
                rust.push('_');
            }
            let (kind, nullable) = self.any(
                &parts,
                &Context {
                    parent: name,
                    entity,
                    field: wire,
                },
            );
            let description = parts
                .first()
                .map(|part| self.description(part, wire))
                .unwrap_or_default();
            let required = branches.iter().all(|branch| branch.required.contains(wire));
            let blank = kind == Type::Decimal && parts.iter().all(|part| self.admits_nothing(part));
            let name = wire.to_owned();
            fields.push(Field {
                name,
                rust,
                kind,
                required,
                nullable,
                blank,
                sensitive,
                recursive: false,
                description,
            });
        }
        fields
    }

    /// A schema for a value that matches any of `parts`.
    fn any(&mut self, parts: &[Part<'a>], context: &Context<'_>) -> (Type, bool) {
        let parts = distinct(parts.to_vec());
        if let [only] = parts.as_slice() {
            return self.value(only.value, &only.at, context);
        }
        let nullable = |part: &Part<'a>| {
            normalize(self.document, part.value, &part.at).is_ok_and(|node| node.nullable)
        };
        let is_nullable = parts.iter().any(nullable);
        let at = parts
            .first()
            .map(|part| part.at.clone())
            .unwrap_or_default();
        let kind = self.kind(&Node::one_of(parts, &at), context);
        let kind = kind.unwrap_or_else(|error| {
            self.report(error);
            Type::Json
        });
        (kind, is_nullable)
    }

    /// The description of a value, or that of its component.
    fn description(&self, part: &Part<'a>, name: &str) -> String {
        let node = normalize(self.document, part.value, &part.at).unwrap_or_default();
        let text = node.prose();
        text.map_or_else(|| format!("`{name}` of the description."), str::to_owned)
    }

    /// Whether a pattern for numbers also matches an empty text.
    fn admits_nothing(&self, part: &Part<'a>) -> bool {
        let node = normalize(self.document, part.value, &part.at).unwrap_or_default();
        let pattern = node
            .text("pattern")
            .unwrap_or_default()
            .replace("\\d", "[0-9]");
        let rest = pattern.trim_start_matches('^').trim_start_matches("-?");
        (rest.starts_with("[0-9]{0,") || rest.starts_with("[0-9]*")) && rest.ends_with(")?$")
    }

    /// The field that distinguishes `branches`: that of a discriminator, or one with a different value in each of them.
    fn tag(&self, node: &Node<'a>, branches: &[Node<'a>]) -> Option<Tag> {
        let constant = |branch: &Node<'a>, field: &str| {
            let property = branch
                .properties
                .iter()
                .find(|property| property.name == field)?;
            let node = normalize(self.document, property.value, &property.at).ok()?;
            match node.values()?.as_slice() {
                [Value::String(only)] => Some(only.clone()),
                _ => None,
            }
        };
        let tag = |field: &str, value: &dyn Fn(&Node<'a>) -> Option<String>| {
            let values: Vec<String> = branches.iter().map(value).collect::<Option<_>>()?;
            let distinct: BTreeSet<&String> = values.iter().collect();
            (distinct.len() == values.len()).then(|| Tag {
                field: field.to_owned(),
                values,
            })
        };
        let Some(discriminator) = node.object("discriminator") else {
            let mut names = branches
                .first()?
                .properties
                .iter()
                .map(|property| property.name);
            return names.find_map(|field| tag(field, &|branch| constant(branch, field)));
        };
        let field = discriminator.get("propertyName")?.as_str()?;
        let mapping = discriminator.get("mapping").and_then(Value::as_object);
        let mapped = |branch: &Node<'a>| {
            let component = branch.component?;
            let leads_there = |target: &Value| {
                target
                    .as_str()
                    .is_some_and(|target| target.rsplit('/').next() == Some(component))
            };
            let value = mapping
                .into_iter()
                .flatten()
                .find(|(_, target)| leads_there(target));
            Some(value.map_or(component, |(value, _)| value).to_owned())
        };
        tag(field, &|branch| {
            constant(branch, field).or_else(|| mapped(branch))
        })
    }

    /// The schema of the items of an answer that is a list: an object with only `data`, and `meta` if it has pages.
    pub(super) fn list(
        &mut self,
        value: &'a Value,
        at: &str,
        context: &Context<'_>,
    ) -> Option<Type> {
        let node = normalize(self.document, value, at).ok()?;
        if !node.alternatives.is_empty() {
            return None;
        }
        let mut data = None;
        let mut page = None;
        for property in &node.properties {
            match property.name {
                "data" => data = Some(property),
                "meta" => {
                    page = Some(
                        normalize(self.document, property.value, &property.at)
                            .ok()
                            .filter(is_page)?,
                    );
                }
                _ => return None,
            }
        }
        let data = data?;
        let (Type::List(item), _) = self.value(
            data.value,
            &data.at,
            &Context {
                field: "data",
                ..*context
            },
        ) else {
            return None;
        };
        self.lists.extend(node.component);
        self.lists.extend(page.and_then(|page| page.component));
        Some(*item)
    }
}

/// The title, if it contains letters for a name.
fn title<'a>(node: &Node<'a>) -> Option<&'a str> {
    node.text("title")
        .filter(|title| title.contains(|c: char| c.is_ascii_alphabetic()))
}

fn schema(node: &Node<'_>, name: &str, shape: Shape) -> Schema {
    let description = node
        .prose()
        .map_or_else(|| format!("`{name}` of the description."), str::to_owned);
    Schema {
        name: name.to_owned(),
        description,
        sent: false,
        received: false,
        shape,
        pointer: node.at.clone(),
    }
}

/// The parts without duplicates.
fn distinct(parts: Vec<Part<'_>>) -> Vec<Part<'_>> {
    let mut distinct: Vec<Part<'_>> = Vec::new();
    for part in parts {
        if distinct.iter().all(|known| known.value != part.value) {
            distinct.push(part);
        }
    }
    distinct
}

fn components(document: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let schemas = document
        .pointer(document::SCHEMAS)
        .and_then(Value::as_object);
    schemas
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str(), value))
}

fn is_object(node: &Node<'_>) -> bool {
    node.kind() == Some("object") && !node.properties.is_empty()
}

/// Whether an object describes a page, for which the runtime has a type.
fn is_page(node: &Node<'_>) -> bool {
    let has = |name: &str| node.properties.iter().any(|property| property.name == name);
    let is_known = node
        .properties
        .iter()
        .all(|property| PAGE.contains(&property.name));
    is_known
        && ["offset", "limit", "total", "total_count"]
            .into_iter()
            .any(has)
}

/// The entities in the parameters of paths.
fn subjects(document: &Value) -> BTreeSet<&str> {
    let paths = document["paths"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(path, _)| path.as_str());
    let names = paths.flat_map(|path| {
        path.split('{')
            .skip(1)
            .filter_map(|rest| rest.split('}').next())
    });
    names.filter_map(|name| name.strip_suffix("_id")).collect()
}

/// The integer type for the bounds. The bounds themselves are checked only by the server.
fn integer(node: &Node<'_>) -> Type {
    let bound = |keyword: &str| node.number(keyword).and_then(Value::as_u64);
    let lower = bound("minimum").or(bound("exclusiveMinimum"));
    let upper = bound("maximum").or(bound("exclusiveMaximum"));
    match (lower, upper, node.text("format")) {
        (Some(_), Some(max), _) if u32::try_from(max).is_ok() => Type::U32,
        (_, _, Some("uint32")) => Type::U32,
        (Some(_), _, _) | (_, _, Some("uint64")) => Type::U64,
        _ => Type::I64,
    }
}
