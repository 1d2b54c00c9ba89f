//! Objects: each becomes one type, however often it occurs.

use super::api::{Schema, Shape, Type};
use super::context::Context;
use super::homes::{self, home};
use super::names;
use super::types::{Draft, Tag, Types, Unread};
use super::unions;
use crate::document;
use crate::error::Result;
use crate::normalize::Node;
use crate::pointer;

/// Returns the type of an object that has the properties of all `branches`, or of a union of `branches` if a field
/// distinguishes them. The fields are read later.
pub(super) fn object<'a>(
    types: &mut Types<'a>,
    node: &Node<'a>,
    branches: &[Node<'a>],
    tag: Option<Tag>,
    context: &Context<'_>,
) -> Result<Type> {
    if let Some(component) = node.component
        && let Some(name) = types.components.get(component).cloned()
    {
        return self::component(types, component, name);
    }
    Ok(inline(
        types,
        key(node, branches),
        node,
        branches,
        tag,
        context,
    ))
}

/// Returns the type of one object of the union `union`.
pub(super) fn variant<'a>(
    types: &mut Types<'a>,
    union: &str,
    branch: &Node<'a>,
    context: &Context<'_>,
) -> Result<Type> {
    if let Some(component) = branch.component
        && let Some(name) = types.components.get(component).cloned()
    {
        return self::component(types, component, name);
    }
    if branch.is_plain {
        return Ok(plain(types, branch));
    }
    // The branch also has the properties beside the alternatives, so it differs from the object at its own place.
    let key = format!("{union}|{}", branch.key());
    let branches = std::slice::from_ref(branch);
    let kind = inline(types, key.clone(), branch, branches, None, context);
    types.set_union_identity(&key, context.entity);
    Ok(kind)
}

fn component<'a>(types: &mut Types<'a>, component: &'a str, name: String) -> Result<Type> {
    let key = pointer::join(document::SCHEMAS, component);
    if !types.is_known(&key) {
        // A description next to a reference belongs to that place only.
        let own = types.component(component)?;
        let children = unions::children(types, &own)?;
        let branches = if children.is_empty() {
            unions::alternatives(types, &own)?.branches
        } else {
            children
        };
        let tag = unions::tag(types, &own, &branches);
        let entity = entity(types, &own, component);
        let identity = types.union_identity(component, &entity);
        let draft = Draft {
            schema: schema(&own, &key, &name),
            names: vec![name.clone()],
            is_component: true,
        };
        let unread = Unread {
            key: key.clone(),
            name,
            entity,
            identity,
            branches,
            tag,
        };
        types.add(draft, unread);
    }
    Ok(Type::Schema(key))
}

/// Returns the type of a component itself, not of the union that has its name.
fn plain<'a>(types: &mut Types<'a>, node: &Node<'a>) -> Type {
    let key = pointer::join(&node.key(), "plain");
    if !types.is_known(&key) {
        let component = unions::component_name(node).unwrap_or_default();
        let name = names::type_name(&format!("Plain-{component}"));
        let entity = entity(types, node, component);
        let identity = types.union_identity(component, &entity);
        let draft = Draft {
            schema: schema(node, &key, &name),
            names: vec![name.clone()],
            is_component: false,
        };
        let unread = Unread {
            key: key.clone(),
            name,
            entity,
            identity,
            branches: vec![node.clone()],
            tag: None,
        };
        types.add(draft, unread);
    }
    Type::Schema(key)
}

/// The entity of a component.
pub(super) fn entity(types: &Types<'_>, node: &Node<'_>, component: &str) -> String {
    match title(node) {
        Some(title) => types.entities.subject(title),
        None => names::entity(component),
    }
}

fn inline<'a>(
    types: &mut Types<'a>,
    key: String,
    node: &Node<'a>,
    branches: &[Node<'a>],
    tag: Option<Tag>,
    context: &Context<'_>,
) -> Type {
    if types.is_known(&key) {
        return Type::Schema(key);
    }
    let given = types.given_names.get(&key).map(String::as_str);
    let title = given.or_else(|| title(node));
    // An object that is written in another component may occur in several objects.
    let is_shared = home(&node.at) != context.home;
    let shared = homes::name(&node.at).filter(|_| is_shared);
    let answered = match shared {
        Some(_) => None,
        None => names::answered(context.parent, context.field),
    };
    let own = || names::type_name(&format!("{}-{}", context.parent, context.field));
    let field = shared.unwrap_or_else(own);
    let explicit = given.or_else(|| node.text("x-type-name")).or(title);
    let name = explicit
        .map(names::type_name)
        .or(answered)
        .unwrap_or_else(|| field.clone());
    let entity = types.entities.subject(title.unwrap_or(&name));
    let draft = Draft {
        schema: schema(node, &key, &name),
        names: vec![name.clone(), field],
        is_component: false,
    };
    let unread = Unread {
        key: key.clone(),
        name,
        entity,
        identity: None,
        branches: branches.to_vec(),
        tag,
    };
    types.add(draft, unread);
    Type::Schema(key)
}

/// Returns a key of the places of the object and its alternatives. Equal objects have equal keys.
fn key(node: &Node<'_>, branches: &[Node<'_>]) -> String {
    let own = node.key();
    let others = branches.iter().map(Node::key).filter(|key| *key != own);
    others.fold(own.clone(), |key, branch| format!("{key}|{branch}"))
}

/// Returns the title, if it contains letters for a name.
fn title<'a>(node: &Node<'a>) -> Option<&'a str> {
    node.text("title")
        .filter(|title| title.contains(|c: char| c.is_ascii_alphabetic()))
}

fn schema(node: &Node<'_>, key: &str, name: &str) -> Schema {
    let description = node
        .prose()
        .map_or_else(|| format!("`{name}` of the description."), str::to_owned);
    Schema {
        name: key.to_owned(),
        description,
        sent: false,
        received: false,
        shape: Shape::Object(Vec::new()),
        pointer: node.at.clone(),
    }
}
