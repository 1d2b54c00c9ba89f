//! Things by their ids, in the order in which they were made.

use std::collections::HashMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use super::world::Refused;

/// What has an id.
pub(crate) trait Identified: Sized {
    fn id(&self) -> Uuid;
}

/// A list that finds its items by id. Nothing is ever taken out, but for what [`Table::remove`] is told to.
#[derive(Clone, Debug)]
pub(crate) struct Table<T> {
    rows: Vec<T>,
    places: HashMap<Uuid, u32>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), places: HashMap::new() }
    }
}

impl<T: Identified> Table<T> {
    pub(crate) fn insert(&mut self, row: T) -> &mut T {
        let place = self.rows.len();
        // Far more rows than memory has room for.
        self.places.insert(row.id(), u32::try_from(place).unwrap_or(u32::MAX));
        self.rows.push(row);
        &mut self.rows[place]
    }

    pub(crate) fn get(&self, id: Uuid) -> Option<&T> {
        self.rows.get(*self.places.get(&id)? as usize)
    }

    /// The row of an id in a path.
    pub(crate) fn find(&self, id: Uuid) -> Result<&T, Refused> {
        self.get(id).ok_or(Refused::NotFound)
    }

    /// The row of an id in a field of a body.
    pub(crate) fn named(&self, field: &str, id: Uuid) -> Result<&T, Refused> {
        self.get(id).ok_or_else(|| Refused::unknown(field))
    }

    pub(crate) fn get_mut(&mut self, id: Uuid) -> Option<&mut T> {
        self.rows.get_mut(*self.places.get(&id)? as usize)
    }

    /// For lists of a few rows.
    pub(crate) fn remove(&mut self, id: Uuid) -> Option<T> {
        let place = self.places.remove(&id)? as usize;
        let row = self.rows.remove(place);
        self.places.values_mut().filter(|other| **other as usize > place).for_each(|other| *other -= 1);
        Some(row)
    }

    pub(crate) fn rows(&self) -> &[T] {
        &self.rows
    }

    pub(crate) fn rows_mut(&mut self) -> &mut [T] {
        &mut self.rows
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }
}

impl<T: Serialize> Serialize for Table<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.rows.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de> + Identified> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut table = Self::default();
        for row in Vec::deserialize(deserializer)? {
            table.insert(row);
        }
        Ok(table)
    }
}
