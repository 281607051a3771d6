//! The one error type of all ports.

use std::path::PathBuf;

/// What can go wrong in a store. The texts name what happened and what to do; none contains a stored value that could
/// be a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The record that the call names does not exist.
    #[error("{what} `{id}` does not exist")]
    NotFound {
        /// Kind of record, such as `key`.
        what: &'static str,
        /// The identifier that was asked for.
        id: String,
    },
    /// Another record already has this value in a field that must be unique.
    #[error("a {what} with the same {field} already exists; choose another {field} or delete the existing {what}")]
    Conflict {
        /// Kind of record, such as `key`.
        what: &'static str,
        /// The field that must be unique.
        field: &'static str,
    },
    /// A document was changed by someone else since it was read.
    #[error("document `{name}` is at revision {found}, not {expected}; read it again and repeat the change")]
    RevisionMismatch {
        /// Name of the document.
        name: String,
        /// Revision that the caller based its change on.
        expected: u64,
        /// Revision that is stored.
        found: u64,
    },
    /// The database file is not readable as what it should be.
    #[error("database `{}` is damaged ({detail}); restore a backup or move the file away to start empty", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What the backend reported.
        detail: String,
    },
    /// The database was written by a newer program.
    #[error(
        "database `{}` has schema version {found}, this program supports up to {supported}; start the newer program or restore an older backup",
        path.display()
    )]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// Version found in the database.
        found: i64,
        /// Newest version that this program knows.
        supported: i64,
    },
    /// A stored record cannot be understood by this program.
    #[error("stored {what} is unreadable: {detail}")]
    InvalidRecord {
        /// Kind of record.
        what: &'static str,
        /// Which field, and why.
        detail: String,
    },
    /// The backend did not answer or refused: busy, disk full, no permission, connection lost. Repeating may help.
    #[error("{action} failed: {detail}")]
    Unavailable {
        /// What was attempted.
        action: &'static str,
        /// What the backend reported.
        detail: String,
    },
}

impl StoreError {
    /// Whether the same call may succeed later without any change by the caller.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}
