//! Writes the commented configuration file of a fresh installation.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use gw_core::Secret;

/// The file as written on first run, with `@PASSWORD_HASH@` and `@SESSION_SECRET@` still to be filled in. Every
/// option appears in it; options that differ from nothing are commented out as `#name: value`.
pub const TEMPLATE: &str = include_str!("template.yaml");

/// Writes the file for its owner's eyes only (mode 0600) and creates its directory.
///
/// # Errors
/// Fails if the file exists already or cannot be written; an existing file is never changed.
pub fn first_run(path: &Path, admin_password_hash: &Secret, session_secret: &Secret) -> io::Result<()> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent)?;
    }
    let text = TEMPLATE
        .replace("@PASSWORD_HASH@", &quoted(admin_password_hash.expose()))
        .replace("@SESSION_SECRET@", &quoted(session_secret.expose()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// A YAML single-quoted scalar; references would be expanded on load, so they are escaped.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace("${", "$${").replace('\'', "''"))
}
