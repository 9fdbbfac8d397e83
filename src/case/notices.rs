//! Notices that were drafted, and what became of them.
//!
//! A notice goes to a host, and then weeks pass: a ticket number comes, a revision is asked for, pages go down, a counter notice
//! starts a clock. The case keeps which rows a notice claimed when it was drafted, and what people say happened since; the
//! program itself sends nothing and hears nothing. Rows are only ever added.

use rusqlite::params;
use serde::{Deserialize, Serialize};

use super::store::{Case, CaseError, json};

/// A notice as it was drafted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Its name: `n1`, `n2`, … in the order of drafting.
    pub id: String,
    /// Id of the host in `signatures/hosts.toml`.
    pub host: String,
    /// Root address of the fork network, where it is of one.
    pub network: Option<String>,
    /// When it was drafted, RFC 3339, UTC.
    pub drafted: String,
    /// Who drafted it, as the system says.
    pub actor: String,
    /// The folder it was written to, as given.
    pub folder: String,
    /// SHA-256 of the notice's text, hex.
    pub sha256: String,
    /// Ids of the rows that it claims ([`copy_id`](super::copy_id)).
    pub rows: Vec<String>,
    /// What it was drafted in spite of, with the reason given; each is stamped on every page.
    pub overrides: Vec<String>,
    /// The notice that this one revises or takes back.
    pub follows: Option<String>,
}

/// What a person says has become of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NoticeState {
    /// It was sent.
    Sent,
    /// The host gave it a number.
    Ticket,
    /// The host asked for a revision, or one was sent.
    Revised,
    /// What it names was removed.
    Removed,
    /// A counter notice came.
    Counter,
    /// It was taken back.
    Retracted,
}

/// One thing that happened to a notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeEvent {
    /// The notice.
    pub notice: String,
    /// What happened.
    pub state: NoticeState,
    /// On which day, or when, as given: `YYYY-MM-DD` or RFC 3339.
    pub date: String,
    /// Who says so, as the system says.
    pub actor: String,
    /// When that was written down, RFC 3339, UTC.
    pub time: String,
    /// A ticket number, an address.
    pub reference: Option<String>,
    /// What was noted.
    pub note: Option<String>,
}

impl Case {
    /// Writes down a notice that was drafted.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn add_notice(&self, notice: &Notice) -> Result<(), CaseError> {
        self.add_row(
            "INSERT INTO notice (id, json) VALUES (?1, ?2)",
            &notice.id,
            notice,
        )
    }

    /// All notices, in the order of drafting.
    ///
    /// # Errors
    /// When the file cannot be read, or what is there is none.
    pub fn notices(&self) -> Result<Vec<Notice>, CaseError> {
        self.kept_rows("SELECT json FROM notice ORDER BY seq")
    }

    /// Writes down what happened to a notice.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn add_notice_event(&self, event: &NoticeEvent) -> Result<(), CaseError> {
        let sql = "INSERT INTO notice_event (notice, json) VALUES (?1, ?2)";
        self.add_row(sql, &event.notice, event)
    }

    /// What happened to notices, in the order in which it was written down.
    ///
    /// # Errors
    /// When the file cannot be read, or what is there is none.
    pub fn notice_events(&self) -> Result<Vec<NoticeEvent>, CaseError> {
        self.kept_rows("SELECT json FROM notice_event ORDER BY seq")
    }

    fn add_row(&self, sql: &str, of: &str, row: &impl Serialize) -> Result<(), CaseError> {
        json(row)
            .and_then(|text| self.db.execute(sql, params![of, text]))
            .map(drop)
            .map_err(|error| self.wrap(error))
    }

    /// The rows of a table that keeps JSON and is only ever added to.
    pub(super) fn kept_rows<T: serde::de::DeserializeOwned>(
        &self,
        sql: &str,
    ) -> Result<Vec<T>, CaseError> {
        let read = || -> rusqlite::Result<Vec<String>> {
            let mut query = self.db.prepare(sql)?;
            query.query_map([], |row| row.get(0))?.collect()
        };
        let rows = read().map_err(|error| self.wrap(error))?;
        rows.iter()
            .map(|text| {
                serde_json::from_str(text).map_err(|error| CaseError::Damaged {
                    what: format!("{sql}: {error}"),
                })
            })
            .collect()
    }
}
