//! The process environment over `.env`, and the documented list of every variable.

mod table;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

pub use self::table::ENVIRONMENT;
use crate::dotenv::Assignment;
use crate::kind::Kind;
use crate::problem::{Located, Origin, Problems};

/// What the gateway does with a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnvState {
    /// It changes what the gateway does.
    Used,
    /// It is recognised and warned about, but changes nothing yet.
    Accepted,
    /// It has no counterpart here; the note says why or what to use.
    NotApplicable,
}

/// One documented variable, or a family of them when the name contains `*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnvVar {
    /// Name; `*` stands for any text.
    pub name: &'static str,
    /// Which systems know it: `irongate` or three-digit source numbers.
    pub source: &'static str,
    /// What it means, in a few words.
    pub meaning: &'static str,
    /// What the gateway does with it.
    pub state: EnvState,
    /// Precedence, counterpart or reason.
    pub note: &'static str,
}

impl EnvVar {
    /// Whether `name` is this variable or belongs to this family.
    pub fn matches(&self, name: &str) -> bool {
        match self.name.split_once('*') {
            None => self.name == name,
            Some((start, end)) => {
                name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
            }
        }
    }
}

/// The documentation of [`ENVIRONMENT`] as a Markdown page.
pub fn environment_markdown() -> String {
    let mut page = String::from(
        "# Environment variables\n\n\
         Generated from `gw_config::ENVIRONMENT`; edit the table there.\n\n\
         A variable of the process wins over the same variable in `.env`, also when it is empty; an empty variable\n\
         counts as not set. Secrets and addresses written in the configuration file win over the environment;\n\
         variables marked \"overrides the file\" win over it; command-line flags win over everything.\n\n\
         Sources: 000 to 004 are the systems this gateway replaces, `irongate` marks our own.\n",
    );
    let sections = [
        (EnvState::Used, "Used"),
        (EnvState::Accepted, "Accepted, without effect yet"),
        (EnvState::NotApplicable, "Not applicable"),
    ];
    for (state, title) in sections {
        let _ = write!(page, "\n## {title}\n\n| name | source | meaning | note |\n|---|---|---|---|\n");
        for variable in ENVIRONMENT.iter().filter(|variable| variable.state == state) {
            let EnvVar { name, source, meaning, note, .. } = variable;
            let _ = writeln!(page, "| `{name}` | {source} | {meaning} | {note} |");
        }
    }
    page
}

/// All variables that are set, each with its origin.
#[derive(Default)]
pub(crate) struct Environment {
    variables: BTreeMap<String, Located<String>>,
}

impl Environment {
    /// Lays the process environment over the assignments of `.env`.
    pub(crate) fn new(process: &[(String, String)], file: Vec<Assignment>, path: Option<&Path>) -> Self {
        let mut variables = BTreeMap::new();
        for Assignment { name, value, line } in file {
            let path = path.unwrap_or(Path::new(".env")).to_owned();
            variables.insert(name, Located::new(value, Origin::EnvFile { path, line }));
        }
        for (name, value) in process {
            let origin = Origin::Environment { name: name.clone() };
            variables.insert(name.clone(), Located::new(value.clone(), origin));
        }
        Self { variables }
    }

    /// Any variable, for interpolation; empty values are values.
    pub(crate) fn raw(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(|located| located.value.as_str())
    }

    /// A documented variable; blank ones count as not set.
    pub(crate) fn get(&self, name: &str) -> Option<Located<String>> {
        debug_assert!(
            ENVIRONMENT.iter().any(|variable| variable.state == EnvState::Used && variable.name == name),
            "{name} is read but not documented as used"
        );
        let located = self.variables.get(name)?;
        let value = located.value.trim();
        (!value.is_empty()).then(|| Located::new(value.to_owned(), located.origin.clone()))
    }

    /// The first of `names` that is set.
    pub(crate) fn first(&self, names: &[&str]) -> Option<Located<String>> {
        names.iter().find_map(|name| self.get(name))
    }

    /// A documented variable read as `kind`; unreadable ones are reported and count as not set.
    pub(crate) fn typed<T>(&self, name: &str, kind: &Kind<T>, problems: &mut Problems) -> Option<Located<T>> {
        let Located { value: text, origin } = self.get(name)?;
        match (kind.parse)(&text) {
            Some(value) => Some(Located::new(value, origin)),
            None => {
                problems.error(&origin, name, format!("{:?} is not {}", shorten(&text), kind.expected), kind.remedy);
                None
            }
        }
    }

    /// Warns about variables that are set but have no effect: all accepted ones, and the inapplicable ones of `.env`.
    pub(crate) fn warn_about_inert(&self, problems: &mut Problems) {
        for (name, located) in &self.variables {
            let Some(variable) = ENVIRONMENT.iter().find(|variable| variable.matches(name)) else { continue };
            let from_file = matches!(located.origin, Origin::EnvFile { .. });
            match variable.state {
                EnvState::Accepted if !located.value.trim().is_empty() => {
                    problems.warn(&located.origin, name.as_str(), "accepted, not yet enforced");
                }
                EnvState::NotApplicable if from_file && !located.value.trim().is_empty() => {
                    let message = format!("has no effect here: {}", variable.note);
                    problems.warn(&located.origin, name.as_str(), message);
                }
                EnvState::Used | EnvState::Accepted | EnvState::NotApplicable => {}
            }
        }
    }
}

/// At most forty characters of a text that goes into a message.
pub(crate) fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push_str("...");
    }
    short
}
