//! What an error of the driver means for the caller of a port.

use std::path::Path;

use gw_store::StoreError;

/// Primary result codes of SQLite.
const CORRUPT: i32 = 11;
const NOT_A_DATABASE: i32 = 26;

pub(crate) fn store_error(path: &Path, action: &'static str, error: &sqlx::Error) -> StoreError {
    if let sqlx::Error::Database(database) = error {
        // The driver gives the extended code; its low byte is the primary one.
        let code = database.code().and_then(|code| code.parse::<i32>().ok()).map(|code| code & 0xff);
        if matches!(code, Some(CORRUPT | NOT_A_DATABASE)) {
            return StoreError::Corrupt { path: path.to_owned(), detail: database.message().to_owned() };
        }
    }
    if let sqlx::Error::ColumnDecode { index, source } = error {
        return StoreError::InvalidRecord { what: "row", detail: format!("column {index}: {source}") };
    }
    StoreError::Unavailable { action, detail: error.to_string() }
}

/// The column of a broken unique constraint on `table`, if that is what the error is.
pub(crate) fn unique_column<'e>(error: &'e sqlx::Error, table: &str) -> Option<&'e str> {
    let database = error.as_database_error().filter(|database| database.is_unique_violation())?;
    database.message().rsplit_once(": ")?.1.strip_prefix(table)?.strip_prefix('.')
}
