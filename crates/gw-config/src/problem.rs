//! What can be wrong with a configuration, where, and what to do about it.

use std::fmt;
use std::path::PathBuf;

/// Where a value came from, precise enough to open an editor at the right spot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A place in the YAML file; lines and columns count from 1, 0 means unknown.
    File {
        /// The file as it was named by the caller.
        path: PathBuf,
        /// Line, from 1.
        line: u32,
        /// Column in characters, from 1.
        column: u32,
    },
    /// A line of the `.env` file, from 1; 0 means the file as a whole.
    EnvFile {
        /// The file as it was named by the caller.
        path: PathBuf,
        /// Line, from 1.
        line: u32,
    },
    /// A variable of the process environment.
    Environment {
        /// Name of the variable.
        name: String,
    },
    /// A command-line flag.
    CommandLine {
        /// The flag with its dashes.
        flag: &'static str,
    },
    /// Nobody wrote it: a built-in default or something that is missing altogether.
    Nowhere,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line: 0, .. } | Self::EnvFile { path, line: 0 } => write!(f, "{}", path.display()),
            Self::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
            Self::EnvFile { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment { name } => write!(f, "environment variable {name}"),
            Self::CommandLine { flag } => write!(f, "command line {flag}"),
            Self::Nowhere => f.write_str("configuration"),
        }
    }
}

/// One reason to refuse the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Where the offending text stands.
    pub origin: Origin,
    /// Field path such as `models[0].provider`; empty when the file as a whole is meant.
    pub field: String,
    /// What is wrong; never contains a secret.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_place(f, &self.origin, &self.field)?;
        write!(f, "{}; {}", self.message, self.remedy)
    }
}

/// Every reason to refuse the configuration, in the order of the file; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// Something the operator should know although the configuration is usable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where the text in question stands.
    pub origin: Origin,
    /// Field path or variable name.
    pub field: String,
    /// What will happen instead; never contains a secret.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_place(f, &self.origin, &self.field)?;
        f.write_str(&self.message)
    }
}

/// Origin and field, without saying the name of a variable twice.
fn write_place(f: &mut fmt::Formatter<'_>, origin: &Origin, field: &str) -> fmt::Result {
    write!(f, "{origin}: ")?;
    match origin {
        Origin::Environment { name } if name == field => Ok(()),
        _ if field.is_empty() => Ok(()),
        _ => write!(f, "{field}: "),
    }
}

/// A value together with the place that gave it.
#[derive(Debug, Clone)]
pub(crate) struct Located<T> {
    pub(crate) value: T,
    pub(crate) origin: Origin,
}

impl<T> Located<T> {
    pub(crate) fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }
}

/// Collects everything that is wrong, so that one run shows all of it.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    pub(crate) errors: Vec<ConfigError>,
    pub(crate) warnings: Vec<Warning>,
}

impl Problems {
    pub(crate) fn error(
        &mut self,
        origin: &Origin,
        field: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let error =
            ConfigError { origin: origin.clone(), field: field.into(), message: message.into(), remedy: remedy.into() };
        self.errors.push(error);
    }

    pub(crate) fn warn(&mut self, origin: &Origin, field: impl Into<String>, message: impl Into<String>) {
        self.warnings.push(Warning { origin: origin.clone(), field: field.into(), message: message.into() });
    }
}
