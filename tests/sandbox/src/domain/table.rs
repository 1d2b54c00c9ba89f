//! A table of resources with an index, in the order of their creation.

use std::borrow::Cow;
use std::collections::HashMap;

use roaring::RoaringBitmap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::domain::state::Rejected;

/// A resource with an id.
pub(crate) trait Identified: Sized {
    fn id(&self) -> Uuid;

    /// The keys of the index: ids of resources to which it belongs, and its status.
    fn keys(&self) -> Vec<u128> {
        Vec::new()
    }
}

/// A list whose items can be found by id and by other keys. Items are removed only by [`Table::remove`].
#[derive(Clone, Debug)]
pub(crate) struct Table<T> {
    rows: Vec<T>,
    places: HashMap<Uuid, u32>,
    /// The rows with each key.
    index: HashMap<u128, RoaringBitmap>,
}

/// A selection of rows in their order. Each row can be accessed in constant time.
pub(crate) struct Found<'a, T> {
    rows: &'a [T],
    places: Cow<'a, RoaringBitmap>,
    next: u32,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            places: HashMap::new(),
            index: HashMap::new(),
        }
    }
}

impl<T: Identified> Table<T> {
    pub(crate) fn insert(&mut self, row: T) -> &mut T {
        let place = self.rows.len();
        // There is no memory for that many rows.
        self.places
            .insert(row.id(), u32::try_from(place).unwrap_or(u32::MAX));
        self.enter(place, &row.keys());
        self.rows.push(row);
        &mut self.rows[place]
    }

    pub(crate) fn get(&self, id: Uuid) -> Option<&T> {
        self.rows.get(*self.places.get(&id)? as usize)
    }

    /// The row with an id from the path.
    pub(crate) fn find(&self, id: Uuid) -> Result<&T, Rejected> {
        self.get(id).ok_or(Rejected::NotFound)
    }

    /// The row with this id. If there is none, rejects the request because of `field`, the field that contains the id.
    pub(crate) fn find_or_reject(&self, field: &str, id: Uuid) -> Result<&T, Rejected> {
        self.get(id).ok_or_else(|| Rejected::unknown(field))
    }

    pub(crate) fn get_mut(&mut self, id: Uuid) -> Option<&mut T> {
        self.rows.get_mut(*self.places.get(&id)? as usize)
    }

    /// Changes an existing row and updates its keys.
    pub(crate) fn update(&mut self, id: Uuid, change: impl FnOnce(&mut T)) {
        let Some(place) = self.places.get(&id).copied() else {
            return;
        };
        let Some(row) = self.rows.get_mut(place as usize) else {
            return;
        };
        let before = row.keys();
        change(row);
        let keys = row.keys();
        for key in before {
            self.index
                .entry(key)
                .and_modify(|places| _ = places.remove(place));
        }
        self.enter(place as usize, &keys);
    }

    fn enter(&mut self, place: usize, keys: &[u128]) {
        for key in keys {
            self.index
                .entry(*key)
                .or_default()
                .insert(u32::try_from(place).unwrap_or(u32::MAX));
        }
    }

    /// The rows with all of these keys, of which there must be at least one.
    pub(crate) fn with(&self, keys: &[u128]) -> Found<'_, T> {
        let mut found = keys.iter().map(|key| self.index.get(key));
        let first = found
            .next()
            .flatten()
            .map_or_else(Cow::default, Cow::Borrowed);
        let places = found.fold(first, |all, places| match places {
            Some(places) => Cow::Owned(&*all & places),
            None => Cow::default(),
        });
        Found {
            rows: &self.rows,
            places,
            next: 0,
        }
    }

    /// Removes a row. All indexes are built again, so use it for small tables only.
    pub(crate) fn remove(&mut self, id: Uuid) -> Option<T> {
        let place = self.places.remove(&id)? as usize;
        let row = self.rows.remove(place);
        let rest = std::mem::take(&mut self.rows);
        *self = Self::default();
        for row in rest {
            self.insert(row);
        }
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

impl<'a, T> Iterator for Found<'a, T> {
    type Item = &'a T;

    fn next(&mut self) -> Option<&'a T> {
        self.nth(0)
    }

    fn nth(&mut self, count: usize) -> Option<&'a T> {
        self.next = self
            .next
            .saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        let place = self.places.select(self.next)?;
        self.next += 1;
        self.rows.get(place as usize)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.places.len().saturating_sub(self.next.into());
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        (left, Some(left))
    }
}

impl<T> ExactSizeIterator for Found<'_, T> {}

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

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    struct Row(u128);

    impl Identified for Row {
        fn id(&self) -> Uuid {
            Uuid::from_u128(self.0)
        }

        fn keys(&self) -> Vec<u128> {
            vec![1_000 + self.0 % 7, self.0 % 5]
        }
    }

    #[test]
    fn a_page_of_a_filtered_list_comes_at_once_however_many_rows_there_are() {
        const MANY: u128 = 200_000;
        let mut table = Table::default();
        for number in 0..MANY {
            table.insert(Row(number));
        }
        for keys in [&[1_003][..], &[2], &[1_003, 2]] {
            let fits = |row: &&Row| keys.iter().all(|key| row.keys().contains(key));
            let all: Vec<_> = table.rows().iter().filter(fits).map(|row| row.0).collect();
            assert_eq!(table.with(keys).len(), all.len());
            for offset in [0, 2_345, all.len() - 20, all.len() + 1] {
                let began = Instant::now();
                let page: Vec<_> = table
                    .with(keys)
                    .skip(offset)
                    .take(20)
                    .map(|row| row.0)
                    .collect();
                let took = began.elapsed();
                assert!(
                    took < Duration::from_millis(10),
                    "{keys:?} at {offset} took {took:?}"
                );
                assert_eq!(
                    page,
                    all.iter()
                        .copied()
                        .skip(offset)
                        .take(20)
                        .collect::<Vec<_>>()
                );
            }
        }
        table.update(Uuid::from_u128(2), |row| row.0 = 3);
        assert!(table.with(&[2]).all(|row| row.0 != 3));
        assert_eq!(table.with(&[3]).next().map(|row| row.0), Some(3));
        assert_eq!(
            table.with(&[9_999]).len() + table.with(&[2, 9_999]).len(),
            0
        );
    }
}
