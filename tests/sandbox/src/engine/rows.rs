//! The rows of all tables, and the steps of their lives that are due later.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// The rows of all tables, by the names of the tables.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Rows {
    tables: BTreeMap<String, TableRows>,
    /// The steps that are due later, sorted by time.
    #[serde(with = "pairs")]
    schedule: BTreeMap<(DateTime<Utc>, u64), Step>,
    /// What was seeded: the tables, each with the parents of the rows.
    seeded: BTreeSet<String>,
    count: u64,
}

/// One resource.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Row {
    /// The number of the row, which no other row has.
    pub(super) number: u64,
    /// The id, as it is in paths.
    pub(super) id: String,
    pub(super) value: Value,
    /// The ids of other resources that the request named and the resource does not contain, such as `account_id`.
    pub(super) links: BTreeMap<String, String>,
    /// The webhook subscription that the row describes.
    pub(super) subscription: Option<Uuid>,
}

/// A step in the life of a row.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Step {
    pub(super) table: String,
    pub(super) row: u64,
    /// The status that the row must have. Otherwise the step is dropped.
    pub(super) from: Option<String>,
    /// The new status. `None` if the row is removed.
    pub(super) to: Option<String>,
    pub(super) event: Option<String>,
}

/// The rows of one table.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Row>", into = "Vec<Row>")]
pub(super) struct TableRows {
    rows: BTreeMap<u64, Row>,
    /// The numbers of the rows with an id. Several parents can have a row with the same id.
    by_id: HashMap<String, Vec<u64>>,
}

impl Rows {
    pub(super) fn table(&self, name: &str) -> Option<&TableRows> {
        self.tables.get(name)
    }

    pub(super) fn get(&self, table: &str, number: u64) -> Option<&Row> {
        self.tables.get(table)?.rows.get(&number)
    }

    /// The row, and the time of its last change is not touched.
    pub(super) fn get_mut(&mut self, table: &str, number: u64) -> Option<&mut Row> {
        self.tables.get_mut(table)?.rows.get_mut(&number)
    }

    pub(super) fn insert(
        &mut self,
        table: &str,
        id: String,
        value: Value,
        links: BTreeMap<String, String>,
    ) -> u64 {
        self.count += 1;
        let row = Row {
            number: self.count,
            id,
            value,
            links,
            subscription: None,
        };
        self.tables.entry(table.to_owned()).or_default().insert(row);
        self.count
    }

    pub(super) fn remove(&mut self, table: &str, number: u64) -> Option<Row> {
        self.tables.get_mut(table)?.remove(number)
    }

    /// Marks rows as seeded. Returns whether they were not.
    pub(super) fn seed(&mut self, what: String) -> bool {
        self.seeded.insert(what)
    }

    pub(super) fn is_seeded(&self, what: &str) -> bool {
        self.seeded.contains(what)
    }

    pub(super) fn plan(&mut self, at: DateTime<Utc>, step: Step) {
        self.count += 1;
        self.schedule.insert((at, self.count), step);
    }

    pub(crate) fn next_due(&self) -> Option<DateTime<Utc>> {
        self.schedule.first_key_value().map(|((at, _), _)| *at)
    }

    /// Removes the next step that is due by `until`.
    pub(super) fn pop(&mut self, until: DateTime<Utc>) -> Option<(DateTime<Utc>, Step)> {
        let entry = self.schedule.first_entry()?;
        let at = entry.key().0;
        (at <= until).then(|| (at, entry.remove()))
    }

    /// The number of rows of each table.
    pub(crate) fn counts(&self) -> BTreeMap<String, usize> {
        let counts = self.tables.iter();
        counts
            .map(|(name, table)| (name.clone(), table.rows.len()))
            .collect()
    }
}

impl TableRows {
    pub(super) fn all(&self) -> impl DoubleEndedIterator<Item = &Row> {
        self.rows.values()
    }

    /// The rows with this id. An id can say of which kind it is, such as `isin:IE00B3XXRP09` or `urn:uuid:...`; then
    /// it is that of the field with this name, or else the id itself.
    pub(super) fn with_id(&self, id: &str) -> Vec<&Row> {
        if let Some(numbers) = self.by_id.get(id) {
            return self.numbered(numbers);
        }
        let Some((kind, id)) = id.rsplit_once(':') else {
            return Vec::new();
        };
        let field = kind.rsplit(':').next().unwrap_or_default();
        match self.by_id.get(id) {
            Some(numbers) => self.numbered(numbers),
            None => self
                .rows
                .values()
                .filter(|row| row.value[field] == id)
                .collect(),
        }
    }

    fn numbered(&self, numbers: &[u64]) -> Vec<&Row> {
        let rows = numbers.iter();
        rows.filter_map(|number| self.rows.get(number)).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    fn insert(&mut self, row: Row) {
        let numbers = self.by_id.entry(row.id.clone()).or_default();
        numbers.push(row.number);
        self.rows.insert(row.number, row);
    }

    fn remove(&mut self, number: u64) -> Option<Row> {
        let row = self.rows.remove(&number)?;
        if let Some(numbers) = self.by_id.get_mut(&row.id) {
            numbers.retain(|known| *known != number);
        }
        Some(row)
    }
}

impl From<Vec<Row>> for TableRows {
    fn from(rows: Vec<Row>) -> Self {
        let mut table = Self::default();
        for row in rows {
            table.insert(row);
        }
        table
    }
}

impl From<TableRows> for Vec<Row> {
    fn from(table: TableRows) -> Self {
        table.rows.into_values().collect()
    }
}

impl Clone for TableRows {
    fn clone(&self) -> Self {
        self.rows.values().cloned().collect::<Vec<_>>().into()
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The resource may contain personal data.
        f.debug_struct("Row")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Writes a map as a list of pairs, as keys in JSON are texts.
mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub(super) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        let pairs = Vec::<(K, V)>::deserialize(deserializer)?;
        Ok(pairs.into_iter().collect())
    }
}
