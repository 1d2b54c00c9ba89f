//! The items of a description, by name.

use std::collections::BTreeMap;

use serde::Serialize;

/// A kind of item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ItemKind {
    /// An operation, by method and path.
    Operation,
    /// A parameter of an operation, by operation, location and name.
    Parameter,
    /// A media type of a request or of a success response.
    MediaType,
    /// A field of an object that is sent or received, by its place in the description.
    Field,
    /// A value of an enum that is sent or received, by its place in the description.
    EnumValue,
    /// A type of webhook events.
    Event,
}

impl ItemKind {
    /// All kinds.
    pub const ALL: [Self; 6] = [
        Self::Operation,
        Self::Parameter,
        Self::MediaType,
        Self::Field,
        Self::EnumValue,
        Self::Event,
    ];

    /// The name of the kind, in the plural.
    pub fn title(self) -> &'static str {
        match self {
            Self::Operation => "operations",
            Self::Parameter => "parameters",
            Self::MediaType => "media types",
            Self::Field => "fields",
            Self::EnumValue => "enum values",
            Self::Event => "events",
        }
    }
}

/// An item of a description.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Item {
    pub(crate) kind: ItemKind,
    pub(crate) name: String,
}

impl Item {
    pub(crate) fn new(kind: ItemKind, name: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
        }
    }
}

/// Whether the crate has an item. A link tells how the item was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// The crate has the item.
    Present,
    /// The crate has the value that contains the item, but not the item by its name.
    Lost(usize),
    /// The crate lacks the operation, or the part of an operation, that contains the item.
    Absent(usize),
}

/// The items of a description. An item that is reached in several ways counts once.
#[derive(Debug, Default)]
pub(crate) struct Items(BTreeMap<Item, Presence>);

impl Items {
    /// Adds an item. An item is lost if one place loses it, and absent if it is absent in all places.
    pub(crate) fn add(&mut self, item: Item, presence: Presence) {
        let known = self.0.entry(item).or_insert(presence);
        let is_stronger = matches!(
            (*known, presence),
            (Presence::Absent(_), Presence::Present | Presence::Lost(_))
                | (Presence::Present, Presence::Lost(_))
        );
        if is_stronger {
            *known = presence;
        }
    }

    /// The items, sorted by kind and name.
    pub(crate) fn into_items(self) -> Vec<(Item, Presence)> {
        self.0.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Item, ItemKind, Items, Presence};

    #[test]
    fn an_item_that_one_place_loses_is_lost() {
        let presence = |found: &[Presence]| {
            let mut items = Items::default();
            for presence in found {
                items.add(Item::new(ItemKind::Field, "/a"), *presence);
            }
            items.into_items().pop().map(|(_, presence)| presence)
        };
        let lost = Presence::Lost(1);
        let absent = Presence::Absent(2);
        assert_eq!(presence(&[Presence::Present, lost, absent]), Some(lost));
        assert_eq!(presence(&[lost, Presence::Present]), Some(lost));
        assert_eq!(
            presence(&[absent, Presence::Present]),
            Some(Presence::Present)
        );
        assert_eq!(presence(&[absent]), Some(absent));
    }
}
