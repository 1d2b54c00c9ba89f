//! Reports and their files.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use super::pdf;
use crate::domain::events::EventKind;
use crate::domain::state::{Refused, STEP, State};
use crate::domain::timeline::Due;

/// A report as in the API, and whether it fails.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) view: ReportView,
    fails: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ReportView {
    id: Uuid,
    r#type: String,
    status: ReportStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_id: Option<Uuid>,
    #[serde(serialize_with = "crate::instant::write")]
    created_at: DateTime<Utc>,
}

lifecycle! {
    pub(crate) enum ReportStatus {
        Pending => [Ready Failed]
        Ready => []
        Failed => []
    }
}

/// As in the API.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TreasuryReport {
    id: Uuid,
    r#type: String,
    file_id: Uuid,
    #[serde(serialize_with = "crate::instant::write")]
    created_at: DateTime<Utc>,
}

/// A file with its media type.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct StoredFile {
    id: Uuid,
    pub(crate) media_type: String,
    #[serde(serialize_with = "to_base64", deserialize_with = "from_base64")]
    pub(crate) content: Bytes,
}

resource!(Report, "report", reports, |it| it.view => ReportView, ReportStatus,
    REPORT_REQUESTED => [REPORT_REQUESTED REPORT_READY REPORT_FAILED]);
identified!(by id: TreasuryReport StoredFile);

impl State {
    /// Creates a report. Its file is available one step later, unless the report fails.
    pub(crate) fn create_report(&mut self, kind: String, fails: bool) -> &ReportView {
        let id = self.time.id();
        let created_at = self.time.now;
        let view = ReportView {
            id,
            r#type: kind,
            status: ReportStatus::Pending,
            file_id: None,
            created_at,
        };
        self.time.after(STEP, Due::FinishReport(id));
        &self.add(Report { view, fails }).view
    }

    pub(in crate::domain) fn finish_report(&mut self, id: Uuid) {
        let Some(report) = self.reports.get(id) else {
            return;
        };
        if report.fails {
            let why = "the command that created it requested the failure".to_owned();
            self.change_because::<Report>(id, ReportStatus::Failed, Some(why));
            return;
        }
        let title = format!("{} of {}", report.view.r#type, self.time.now.date_naive());
        let file_id = self.store_report_file(&title);
        let Some(report) = self.reports.get_mut(id) else {
            return;
        };
        report.view.file_id = Some(file_id);
        self.change::<Report>(id, ReportStatus::Ready);
    }

    pub(crate) fn create_treasury_report(&mut self, kind: String) -> &TreasuryReport {
        let file_id = self.store_report_file(&format!("{kind} of {}", self.time.now.date_naive()));
        let id = self.time.id();
        let created_at = self.time.now;
        let report = TreasuryReport {
            id,
            r#type: kind,
            file_id,
            created_at,
        };
        self.time.emit(EventKind::TREASURY_REPORT, id, &report);
        self.treasury_reports.insert(report)
    }

    pub(crate) fn store_file(&mut self, media_type: String, content: Bytes) -> Uuid {
        let id = self.time.id();
        self.files.insert(StoredFile {
            id,
            media_type,
            content,
        });
        id
    }

    pub(crate) fn file(&self, id: Uuid) -> Result<&StoredFile, Refused> {
        self.files.find(id)
    }

    /// A page with a line for each account. It contains no names, as reports may end up in test folders.
    fn store_report_file(&mut self, title: &str) -> Uuid {
        let lines = self.accounts.rows().iter().map(|account| {
            format!(
                "Account {}: {} EUR",
                account.view.id,
                self.value_of(account)
            )
        });
        let content = pdf::page(title, &lines.take(pdf::MAX_LINES).collect::<Vec<_>>());
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
