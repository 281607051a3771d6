//! Rules about single files: size, module doc, unfinished code, words that have no place in the repository.

use super::source::{code_only, has_word, production_lines};
use super::{File, Violation, Workspace};

/// Longest file of non-test code, in lines.
pub const MAX_LINES: usize = 500;

/// First-line marker of tables and generated files, followed by a reason.
const EXEMPT: &str = "// tidy:exempt";

// Written in two pieces so that this file does not break its own rule.
const REGISTRY_HOSTS: &[&str] = &[
    concat!("crates", ".io"),
    concat!("docs", ".rs/crate"),
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("npmjs", ".org"),
    concat!("npmjs", ".com"),
    concat!("deb.debian", ".org"),
];
const HOME_FOLDERS: &[&str] = &[concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/")];

/// A file of production code has at most [`MAX_LINES`] lines outside `#[cfg(test)]`.
pub fn file_size(workspace: &Workspace) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in workspace.files.iter().filter(|file| file.is_rust_production()) {
        match file.text.lines().next().and_then(|line| line.strip_prefix(EXEMPT)) {
            Some(reason) if reason.trim().is_empty() => {
                found.push(violation(file, 1, "file-size", format!("`{EXEMPT}` must be followed by a reason")));
            }
            Some(_) => {}
            None => {
                let lines = production_lines(&file.text).len();
                if lines > MAX_LINES {
                    let message =
                        format!("{lines} lines of non-test code, at most {MAX_LINES}: split it along its concepts");
                    found.push(violation(file, 0, "file-size", message));
                }
            }
        }
    }
    found
}

/// The first item of a file of production code is its `//!` doc.
pub fn module_doc(workspace: &Workspace) -> Vec<Violation> {
    let lacks_doc = |file: &&File| {
        let first = file
            .text
            .lines()
            .map(str::trim)
            .find(|line| !line.is_empty() && !line.starts_with(EXEMPT) && !line.starts_with("// @generated"))
            .unwrap_or_default();
        // A crate may show its README as its doc.
        let is_readme = first.starts_with("#![doc = include_str!(");
        let has_sentence = first.strip_prefix("//!").is_some_and(|doc| !doc.trim().is_empty());
        !is_readme && !has_sentence
    };
    workspace
        .files
        .iter()
        .filter(|file| file.is_rust_production())
        .filter(lacks_doc)
        .map(|file| violation(file, 1, "module-doc", "begin with one `//!` sentence: what this file is for".to_owned()))
        .collect()
}

/// No placeholder and no debugging aid, in tests either.
pub fn unfinished(workspace: &Workspace) -> Vec<Violation> {
    const MACROS: &[&str] = &["todo!", "unimplemented!", "dbg!"];
    find_in_code(workspace, "unfinished", |line| {
        let name = MACROS.iter().find(|name| {
            let word = name.trim_end_matches('!');
            line.contains(**name) && has_word(line, word)
        })?;
        Some(format!("`{name}` is not finished code"))
    })
}

/// A test runs or is deleted. The exception is a test that another test of the same file starts as a process of its own:
/// `#[ignore = "child of <that test>"]`.
pub fn ignored_test(workspace: &Workspace) -> Vec<Violation> {
    let is_child = |file: &File, line: usize| {
        let text = file.text.lines().nth(line - 1).unwrap_or_default();
        let parent = text.split_once("\"child of ").and_then(|(_, rest)| rest.split_once('"')).map(|(name, _)| name);
        parent.is_some_and(|name| file.text.contains(&format!("fn {name}(")))
    };
    let mut found = find_in_code(workspace, "ignored-test", |line| {
        let compact: String = line.chars().filter(|character| !character.is_whitespace()).collect();
        let is_ignored = compact.contains("#[ignore]") || compact.contains("#[ignore=");
        is_ignored.then(|| "an ignored test proves nothing: make it run, or delete it".to_owned())
    });
    found.retain(|violation| {
        let file = workspace.files.iter().find(|file| file.path == violation.path);
        !file.is_some_and(|file| is_child(file, violation.line))
    });
    found
}

/// No path of the machine that the work was done on.
pub fn machine_path(workspace: &Workspace) -> Vec<Violation> {
    let checkout =
        workspace.root.as_deref().and_then(|root| root.to_str()).filter(|root| root.matches('/').count() > 1);
    let mut words: Vec<&str> = HOME_FOLDERS.to_vec();
    words.extend(checkout);
    find_words(workspace, "machine-path", &words, "a path of one machine: use a path relative to the repository")
}

/// No host name of a package registry: which registry is used is the business of the machine that builds.
pub fn registry_host(workspace: &Workspace) -> Vec<Violation> {
    let advice = "name of a package registry's host: which registry serves a build is configured outside";
    find_words(workspace, "registry-host", REGISTRY_HOSTS, advice)
}

fn find_words(workspace: &Workspace, rule: &'static str, words: &[&str], advice: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in workspace.files.iter().filter(|file| !is_lock_file(&file.path)) {
        for (index, line) in file.text.lines().enumerate() {
            if let Some(word) = words.iter().find(|word| line.contains(**word)) {
                found.push(violation(file, index + 1, rule, format!("`{word}`: {advice}")));
            }
        }
    }
    found
}

fn find_in_code(
    workspace: &Workspace,
    rule: &'static str,
    complain: impl Fn(&str) -> Option<String>,
) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in workspace.files.iter().filter(|file| file.is_rust()) {
        for (index, line) in code_only(&file.text).lines().enumerate() {
            if let Some(message) = complain(line) {
                found.push(violation(file, index + 1, rule, message));
            }
        }
    }
    found
}

fn is_lock_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    matches!(name, "Cargo.lock" | "package-lock.json")
}

fn violation(file: &File, line: usize, rule: &'static str, message: String) -> Violation {
    Violation { path: file.path.clone(), line, rule, message }
}

#[cfg(test)]
mod tests {
    use super::{MAX_LINES, file_size, ignored_test, machine_path, module_doc, registry_host, unfinished};
    use crate::tidy::{Violation, Workspace};

    fn lines_of(found: &[Violation]) -> Vec<(&str, usize)> {
        found.iter().map(|violation| (violation.path.as_str(), violation.line)).collect()
    }

    #[test]
    fn size_counts_code_outside_tests() {
        let long = "fn f() {}\n".repeat(MAX_LINES + 1);
        let fits = "fn f() {}\n".repeat(MAX_LINES);
        let with_tests = format!("{fits}#[cfg(test)]\nmod tests {{\n{long}}}\n");
        let exempt = format!("// tidy:exempt generated table\n{long}");
        let no_reason = format!("// tidy:exempt\n{long}");
        let workspace = Workspace::of(&[
            ("crates/a/src/long.rs", &long),
            ("crates/a/src/fits.rs", &fits),
            ("crates/a/src/with_tests.rs", &with_tests),
            ("crates/a/src/exempt.rs", &exempt),
            ("crates/a/src/no_reason.rs", &no_reason),
            ("crates/a/tests/it.rs", &long),
            ("crates/a/src/tests.rs", &long),
        ]);
        let found = file_size(&workspace);
        assert_eq!(lines_of(&found), [("crates/a/src/long.rs", 0), ("crates/a/src/no_reason.rs", 1)]);
    }

    #[test]
    fn a_file_begins_with_its_doc() {
        let workspace = Workspace::of(&[
            ("crates/a/src/bare.rs", "use std::fmt;\n"),
            ("crates/a/src/empty_doc.rs", "//!\nuse std::fmt;\n"),
            ("crates/a/src/lib.rs", "#![doc = include_str!(\"../README.md\")]\n"),
            ("crates/a/src/good.rs", "// tidy:exempt table\n\n//! Says what it is for.\n"),
        ]);
        assert_eq!(lines_of(&module_doc(&workspace)), [("crates/a/src/bare.rs", 1), ("crates/a/src/empty_doc.rs", 1)]);
    }

    #[test]
    fn placeholders_are_found_in_code_only() {
        let text = "//! todo!() in words is fine.\nfn f() { todo!() }\nfn g() { let s = \"dbg!(x)\"; dbg!(s); }\nfn h() { my_todo!(); }\n";
        let workspace = Workspace::of(&[("crates/a/src/lib.rs", text)]);
        assert_eq!(lines_of(&unfinished(&workspace)), [("crates/a/src/lib.rs", 2), ("crates/a/src/lib.rs", 3)]);
    }

    #[test]
    fn ignored_tests_are_found() {
        let text = "//! x\n#[test]\n#[ignore]\nfn a() {}\n#[ignore = \"slow\"]\nfn b() {}\nfn ignore() {}\n";
        let workspace = Workspace::of(&[("crates/a/tests/it.rs", text)]);
        assert_eq!(lines_of(&ignored_test(&workspace)), [("crates/a/tests/it.rs", 3), ("crates/a/tests/it.rs", 5)]);
        let child = "//! x\n#[ignore = \"child of a_crash\"]\nfn b() {}\nfn a_crash() {}\n";
        let orphan = "//! x\n#[ignore = \"child of nobody\"]\nfn b() {}\n";
        let workspace = Workspace::of(&[("crates/a/tests/child.rs", child), ("crates/a/tests/orphan.rs", orphan)]);
        assert_eq!(lines_of(&ignored_test(&workspace)), [("crates/a/tests/orphan.rs", 2)]);
    }

    #[test]
    fn paths_of_one_machine_are_found() {
        let home = concat!("see /ho", "me/someone/x\n");
        let mut workspace = Workspace::of(&[
            ("README.md", home),
            ("docs/a.md", "clone to /srv/checkout/irongate\n"),
            ("b.md", "/data\n"),
        ]);
        assert_eq!(lines_of(&machine_path(&workspace)), [("README.md", 1)]);
        workspace.root = Some("/srv/checkout".into());
        assert_eq!(lines_of(&machine_path(&workspace)), [("README.md", 1), ("docs/a.md", 1)]);
    }

    #[test]
    fn registry_hosts_are_found_outside_lock_files() {
        let text = concat!("from https://pypi", ".org/simple\n");
        let workspace = Workspace::of(&[("README.md", text), ("bench/Cargo.lock", text)]);
        assert_eq!(lines_of(&registry_host(&workspace)), [("README.md", 1)]);
    }
}
