//! The files of reports, and others.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::json;
use uuid::Uuid;

use super::pdf;
use crate::domain::rows::Row;
use crate::domain::state::{Rejected, State};

/// A file with its media type.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct StoredFile {
    id: Uuid,
    pub(crate) media_type: String,
    #[serde(serialize_with = "to_base64", deserialize_with = "from_base64")]
    pub(crate) content: Bytes,
}

identified!(by id: StoredFile);

impl State {
    /// Makes the file of a report, unless a command wants it to fail.
    pub(in crate::domain) fn finish_report(&mut self, report: &mut Row) -> Result<(), String> {
        if report.facts["fails"] == true {
            return Err("the command that created it requested the failure".to_owned());
        }
        let kind = report.value["type"].as_str().unwrap_or_default();
        report.value["file_id"] = json!(self.store_report_file(kind));
        Ok(())
    }

    pub(crate) fn store_file(&mut self, media_type: String, content: Bytes) -> Uuid {
        let id = self.timeline.id();
        self.files.insert(StoredFile {
            id,
            media_type,
            content,
        });
        id
    }

    pub(crate) fn file(&self, id: Uuid) -> Result<&StoredFile, Rejected> {
        self.files.find(id)
    }

    /// A page with a line for each account. It contains no names, as reports may end up in test folders.
    pub(crate) fn store_report_file(&mut self, kind: &str) -> Uuid {
        let title = format!("{kind} of {}", self.timeline.now.date_naive());
        let lines = self.accounts.rows().iter().map(|account| {
            format!(
                "Account {}: {} EUR",
                account.view.id,
                self.value_of(account)
            )
        });
        let content = pdf::page(&title, &lines.take(pdf::MAX_LINES).collect::<Vec<_>>());
        self.store_file("application/pdf".to_owned(), content.into())
    }
}

impl std::fmt::Debug for StoredFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredFile")
            .field("id", &self.id)
            .field("length", &self.content.len())
            .finish_non_exhaustive()
    }
}

fn to_base64<S: Serializer>(content: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(content))
}

fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
    let text = String::deserialize(deserializer)?;
    STANDARD
        .decode(text)
        .map(Bytes::from)
        .map_err(|_| D::Error::custom("the content of a file is not valid base64"))
}
