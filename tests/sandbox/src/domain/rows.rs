//! The rows of the tables that the engine serves.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// The rows of all tables, by the names of the tables.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Rows {
    tables: BTreeMap<String, TableRows>,
    /// What was seeded: the tables, each with the parents of the rows.
    seeded: BTreeSet<String>,
    count: u64,
}

/// One resource.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Row {
    /// The number of the row, which no other row has.
    pub(crate) number: u64,
    /// The id, as it is in paths.
    pub(crate) id: String,
    pub(crate) value: Value,
    /// The ids of other resources that the request named and the resource may not contain, such as `account_id`.
    pub(crate) links: BTreeMap<String, String>,
    /// What the rules of the table have to know and the resource does not contain.
    pub(crate) facts: Value,
    /// The webhook subscription that the row describes.
    pub(crate) subscription: Option<Uuid>,
}

/// A step in the lifecycle of a row.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Step {
    pub(crate) table: String,
    pub(crate) row: u64,
    /// The status that the row must have. Otherwise the step is dropped.
    pub(crate) from: Option<String>,
    /// The new status. `None` if the row is removed.
    pub(crate) to: Option<String>,
    pub(crate) event: Option<String>,
    /// The status that it gets if the rules of the table do not allow `to`.
    pub(crate) otherwise: Option<String>,
    /// Why the row gets the status, if it has failed or ended.
    pub(crate) why: Option<String>,
}

/// The rows of one table.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Row>", into = "Vec<Row>")]
pub(crate) struct TableRows {
    rows: BTreeMap<u64, Row>,
    /// The numbers of the rows with an id. Several parents can have a row with the same id.
    by_id: HashMap<String, Vec<u64>>,
    /// The numbers of the rows with a link, by the id in it.
    by_link: HashMap<String, Vec<u64>>,
    /// How many rows have a link with a name.
    links: BTreeMap<String, usize>,
}

impl Row {
    pub(crate) fn status(&self) -> String {
        self.value["status"].as_str().unwrap_or_default().to_owned()
    }
}

impl Rows {
    pub(crate) fn table(&self, name: &str) -> Option<&TableRows> {
        self.tables.get(name)
    }

    /// The row with an id.
    pub(crate) fn find(&self, table: &str, id: Uuid) -> Option<&Row> {
        let rows = self.tables.get(table)?.with_id(&id.to_string());
        rows.first().copied()
    }

    pub(crate) fn find_mut(&mut self, table: &str, id: Uuid) -> Option<&mut Row> {
        let number = self.find(table, id)?.number;
        self.get_mut(table, number)
    }

    /// Whether a table has a row with this link.
    pub(crate) fn has_link(&self, table: &str, name: &str, id: Uuid) -> bool {
        let rows = self.tables.get(table);
        let rows = rows.and_then(|rows| rows.linked(name, &id.to_string()));
        rows.is_some_and(|rows| !rows.is_empty())
    }

    /// All rows of a table.
    pub(crate) fn of(&self, table: &str) -> impl Iterator<Item = &Row> {
        self.tables.get(table).into_iter().flat_map(TableRows::all)
    }

    pub(crate) fn get(&self, table: &str, number: u64) -> Option<&Row> {
        self.tables.get(table)?.rows.get(&number)
    }

    /// The row, and the time of its last change is not touched.
    pub(crate) fn get_mut(&mut self, table: &str, number: u64) -> Option<&mut Row> {
        self.tables.get_mut(table)?.rows.get_mut(&number)
    }

    pub(crate) fn insert(
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
            facts: Value::Null,
            subscription: None,
        };
        self.tables.entry(table.to_owned()).or_default().insert(row);
        self.count
    }

    pub(crate) fn remove(&mut self, table: &str, number: u64) -> Option<Row> {
        self.tables.get_mut(table)?.remove(number)
    }

    /// Marks rows as seeded. Returns `false` if they are already.
    pub(crate) fn seed(&mut self, what: String) -> bool {
        self.seeded.insert(what)
    }

    pub(crate) fn is_seeded(&self, what: &str) -> bool {
        self.seeded.contains(what)
    }

    pub(crate) fn count(&self, table: &str) -> usize {
        self.tables.get(table).map_or(0, TableRows::len)
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
    pub(crate) fn all(&self) -> impl DoubleEndedIterator<Item = &Row> {
        self.rows.values()
    }

    /// The rows with this id. An id can say of which kind it is, such as `isin:IE00B3XXRP09` or `urn:uuid:...`; then it
    /// is that of the field with this name, or else the id itself.
    pub(crate) fn with_id(&self, id: &str) -> Vec<&Row> {
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

    /// The rows with a link, if all rows have links with this name.
    pub(crate) fn linked(&self, name: &str, id: &str) -> Option<Vec<&Row>> {
        if self.links.get(name) != Some(&self.rows.len()) {
            return None;
        }
        let rows = self.numbered(self.by_link.get(id).map_or(&[], Vec::as_slice));
        let with_name = |row: &&Row| row.links.get(name).is_some_and(|link| link == id);
        Some(rows.into_iter().filter(with_name).collect())
    }

    fn numbered(&self, numbers: &[u64]) -> Vec<&Row> {
        let rows = numbers.iter();
        rows.filter_map(|number| self.rows.get(number)).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    fn insert(&mut self, row: Row) {
        let numbers = self.by_id.entry(row.id.clone()).or_default();
        numbers.push(row.number);
        for (name, id) in &row.links {
            *self.links.entry(name.clone()).or_default() += 1;
            let numbers = self.by_link.entry(id.clone()).or_default();
            if !numbers.contains(&row.number) {
                numbers.push(row.number);
            }
        }
        self.rows.insert(row.number, row);
    }

    fn remove(&mut self, number: u64) -> Option<Row> {
        let row = self.rows.remove(&number)?;
        if let Some(numbers) = self.by_id.get_mut(&row.id) {
            numbers.retain(|known| *known != number);
        }
        for (name, id) in &row.links {
            if let Some(count) = self.links.get_mut(name) {
                *count -= 1;
            }
            if let Some(numbers) = self.by_link.get_mut(id) {
                numbers.retain(|known| *known != number);
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_a_link_that_all_rows_have() {
        let mut rows = Rows::default();
        let mut insert = |links: &[(&str, &str)]| {
            let links = links
                .iter()
                .map(|(name, id)| ((*name).to_owned(), (*id).to_owned()));
            rows.insert("fees", "id".to_owned(), Value::Null, links.collect())
        };
        let first = insert(&[("account_id", "a")]);
        insert(&[("account_id", "b"), ("user_id", "a")]);
        let last = insert(&[("account_id", "a"), ("user_id", "a")]);
        let other = insert(&[("user_id", "a")]);
        let of_a = |rows: &Rows| -> Option<Vec<u64>> {
            let found = rows.table("fees")?.linked("account_id", "a")?;
            Some(found.into_iter().map(|row| row.number).collect())
        };
        assert_eq!(of_a(&rows), None);
        rows.remove("fees", other);
        assert_eq!(of_a(&rows), Some(vec![first, last]));
        rows.remove("fees", first);
        assert_eq!(of_a(&rows), Some(vec![last]));
    }
}
