//! House rules that no compiler checks, each a pure function from the repository's files to violations.

pub mod documents;
pub mod files;
pub mod layers;
pub mod manifest;
pub mod source;
pub mod tools;
mod workspace;

use std::fmt;

pub use workspace::{File, Workspace};

/// One breach of one rule. `line` counts from 1; 0 means the file as a whole.
#[derive(Debug, PartialEq, Eq)]
pub struct Violation {
    pub path: String,
    pub line: usize,
    pub rule: &'static str,
    pub message: String,
}

/// What a run of all rules found.
#[derive(Debug)]
pub struct Report {
    pub violations: Vec<Violation>,
    pub passed: usize,
    pub failed: usize,
}

/// A rule: its name as printed, and its check.
pub type Rule = (&'static str, fn(&Workspace) -> Vec<Violation>);

/// Every rule, in the order in which they are reported.
pub const RULES: &[Rule] = &[
    ("layers", layers::workspace_edges),
    ("confined-dependencies", layers::confined_dependencies),
    ("no-io", layers::no_io_in_codecs),
    ("workspace-lints", layers::workspace_lints),
    ("file-size", files::file_size),
    ("module-doc", files::module_doc),
    ("unfinished", files::unfinished),
    ("ignored-test", files::ignored_test),
    ("machine-path", files::machine_path),
    ("registry-host", files::registry_host),
    ("acceptance", documents::acceptance),
    ("adr", documents::adr),
    ("generated", tools::generated),
    ("one-crypto-provider", tools::one_crypto_provider),
];

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, rule, message } = self;
        write!(formatter, "{path}:{line}: {rule}: {message}")
    }
}

/// Runs every rule.
pub fn run(workspace: &Workspace) -> Report {
    let mut report = Report { violations: Vec::new(), passed: 0, failed: 0 };
    for (_, check) in RULES {
        let mut found = check(workspace);
        if found.is_empty() {
            report.passed += 1;
        } else {
            report.failed += 1;
        }
        report.violations.append(&mut found);
    }
    report
}

#[cfg(test)]
mod tests {
    use super::{RULES, Workspace, run};

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = RULES.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), RULES.len());
    }

    #[test]
    fn a_rule_with_violations_counts_as_failed() {
        let workspace = Workspace::of(&[("crates/gw-core/src/lib.rs", "fn f() {}\n")]);
        let report = run(&workspace);
        assert!(report.failed >= 1, "{report:?}");
        assert!(report.violations.iter().any(|violation| violation.rule == "module-doc"), "{report:?}");
        assert_eq!(report.passed + report.failed, RULES.len());
    }
}
