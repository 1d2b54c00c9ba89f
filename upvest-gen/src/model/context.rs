//! The position of a value, from which the name of its type is derived.

use super::names;

/// The position of a value. The name of its generated type is derived from it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'c> {
    /// The name of the object or operation that contains the value.
    pub(super) parent: &'c str,
    /// The entity of the object that contains the value.
    pub(super) entity: &'c str,
    /// The entity whose id the object has. For a branch of a union, this is the entity of the union.
    pub(super) identity: &'c str,
    /// The name of the field or parameter.
    pub(super) field: &'c str,
    /// The component that contains the object around the value.
    pub(super) home: Option<&'c str>,
}

impl<'c> Context<'c> {
    /// The context of the field or parameter `field`.
    pub(super) fn new(parent: &'c str, entity: &'c str, field: &'c str) -> Self {
        Self {
            parent,
            entity,
            identity: entity,
            field,
            home: None,
        }
    }

    /// The context of a body of an operation.
    pub(super) fn of_operation(operation: &'c str, field: &'c str) -> Self {
        Self::new(operation, operation, field)
    }

    /// The context of the items of this list, or the values of this map.
    pub(super) fn inside(self) -> Self {
        Self {
            field: names::singular(self.field),
            ..self
        }
    }
}
