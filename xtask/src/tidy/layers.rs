//! Rules about who may depend on whom: the layers of ARCHITECTURE.md, as data.

use super::manifest::{Dependency, Kind, Manifest, manifests};
use super::source::{has_word, production_lines};
use super::{Violation, Workspace};

/// Crates of the workspace that each crate may use. A crate that is not listed may use none, so a new crate begins here.
const EDGES: &[(&str, &[&str])] = &[
    ("gw-core", &[]),
    ("gw-wire", &["gw-core"]),
    ("gw-spi", &["gw-core", "gw-wire"]),
    ("gw-dialect-*", &["gw-core", "gw-wire", "gw-spi"]),
    ("gw-providers", &["gw-core", "gw-wire", "gw-spi"]),
    ("gw-store", &["gw-core"]),
    ("gw-store-*", &["gw-core", "gw-store"]),
    ("gw-config", &["gw-core"]),
    ("gw-identity", &["gw-core", "gw-store"]),
    ("gw-ledger", &["gw-core", "gw-store"]),
    ("gw-telemetry", &["gw-core"]),
    ("gw-pipeline", &["gw-core", "gw-wire", "gw-spi", "gw-store", "gw-ledger", "gw-identity", "gw-telemetry"]),
    ("gw-edge", &["gw-core", "gw-wire", "gw-spi", "gw-identity", "gw-pipeline", "gw-telemetry"]),
    ("gw-admin", &["gw-core", "gw-store", "gw-config", "gw-identity", "gw-telemetry"]),
    ("gw-mock", &[]),
    ("gw-testkit", &["gw-core", "gw-wire", "gw-spi", "gw-mock"]),
    ("gateway", &["gw-*"]),
    ("xtask", &["gw-config"]),
];

/// Crates that any crate may use in its tests.
const TEST_HELPERS: &[&str] = &["gw-testkit", "gw-mock"];

/// Outside crates that only some of ours may use, and why. Tests may use anything.
const CONFINED: &[(&[&str], &[&str], &str)] = &[
    (&["axum"], &["gw-admin", "gateway"], "the data plane is plain hyper; the framework is for the admin API"),
    (&["sqlx"], &["gw-store-*"], "a database is known to its adapter only"),
    (&["clap"], &["gateway"], "only the binary has a command line"),
    (&["anyhow"], &["gateway", "xtask", "gw-testkit"], "a library says what can go wrong in an enum"),
    (&["mimalloc"], &["gateway"], "the binary chooses the allocator"),
    (&["hyper-rustls"], &["gw-pipeline", "gateway"], "one client, shared and pooled, dials upstreams"),
];

/// Crates without runtime, sockets, files and clocks: pure functions from bytes to bytes.
const SANS_IO: &[&str] = &["gw-core", "gw-wire", "gw-spi", "gw-dialect-*"];
const SANS_IO_DEPENDENCIES: &[&str] =
    &["tokio", "tokio-util", "hyper", "hyper-util", "futures-util", "axum", "socket2", "mio", "async-trait", "reqwest"];
const SANS_IO_PATHS: &[&str] = &["std::net", "std::fs", "std::process", "std::thread", "std::env", "tokio", "hyper"];
const CLOCKS: &[&str] = &["Instant", "SystemTime"];

/// Crates whose types must never become a wire or a table by accident.
const SERDE_FREE: &[&str] = &["gw-core", "gw-wire", "gw-spi"];
const SERDE: &[&str] = &["serde", "serde_json", "serde_derive", "serde_core"];

/// Crates that see every request: they read through gw-wire's index and build no tree of JSON values.
const REQUEST_PATH: &[&str] = &["gw-core", "gw-wire", "gw-spi", "gw-dialect-*", "gw-pipeline", "gw-edge"];

/// Each crate uses only the crates below it.
pub fn workspace_edges(workspace: &Workspace) -> Vec<Violation> {
    const RULE: &str = "layers";
    let manifests = manifests(workspace);
    let ours: Vec<&str> = manifests.iter().map(|manifest| manifest.package.as_str()).collect();
    let mut found = Vec::new();
    for manifest in &manifests {
        let Some(allowed) = allowed_edges(&manifest.package) else {
            let message = format!("`{}` has no layer: give it one in xtask/src/tidy/layers.rs", manifest.package);
            found.push(violation(manifest, 0, RULE, message));
            continue;
        };
        for dependency in &manifest.dependencies {
            let name = dependency.name.as_str();
            let is_ours = ours.contains(&name) || name.starts_with("gw-");
            let is_test_helper = dependency.kind == Kind::Development && TEST_HELPERS.contains(&name);
            if is_ours && !is_test_helper && !matches_any(allowed, name) && name != manifest.package {
                let message = format!("`{}` must not depend on `{name}`: {}", manifest.package, explain(allowed));
                found.push(violation(manifest, dependency.line, RULE, message));
            }
        }
    }
    found
}

/// Outside crates stay in the rooms that they were let into.
pub fn confined_dependencies(workspace: &Workspace) -> Vec<Violation> {
    const RULE: &str = "confined-dependencies";
    let mut found = Vec::new();
    for manifest in &manifests(workspace) {
        let shipped = manifest.dependencies.iter().filter(|dependency| dependency.kind != Kind::Development);
        for Dependency { name, line, .. } in shipped {
            let mut complain = |reason: &str| {
                let message = format!("`{}` must not depend on `{name}`: {reason}", manifest.package);
                found.push(violation(manifest, *line, RULE, message));
            };
            for (outside, rooms, reason) in CONFINED {
                if outside.contains(&name.as_str()) && !matches_any(rooms, &manifest.package) {
                    complain(reason);
                }
            }
            if SANS_IO_DEPENDENCIES.contains(&name.as_str()) && matches_any(SANS_IO, &manifest.package) {
                complain("this layer has no runtime, socket, file or clock");
            }
            if SERDE.contains(&name.as_str()) && matches_any(SERDE_FREE, &manifest.package) {
                complain("types of this layer must not become a wire format or a table by accident");
            } else if name == "serde_json" && matches_any(REQUEST_PATH, &manifest.package) {
                complain("the request path builds no JSON tree, it reads through gw-wire's index");
            }
        }
    }
    found
}

/// The sans-IO layers do not reach for a socket, file, process, thread, environment or clock.
pub fn no_io_in_codecs(workspace: &Workspace) -> Vec<Violation> {
    let mut found = Vec::new();
    let in_layer = |package: Option<&str>| package.is_some_and(|package| matches_any(SANS_IO, package));
    for file in workspace.files.iter().filter(|file| file.is_rust_production() && in_layer(file.package())) {
        for (line, text) in production_lines(&file.text) {
            let path = SANS_IO_PATHS.iter().find(|path| names_path(&text, path));
            let clock = CLOCKS.iter().find(|clock| has_word(&text, clock));
            if let Some(what) = path.or(clock) {
                let message = format!("`{what}`: this layer is pure, take what you need as an argument");
                found.push(Violation { path: file.path.clone(), line, rule: "no-io", message });
            }
        }
    }
    found
}

/// Every crate inherits the lints of the workspace.
pub fn workspace_lints(workspace: &Workspace) -> Vec<Violation> {
    manifests(workspace)
        .iter()
        .filter(|manifest| !manifest.inherits_lints)
        .map(|manifest| violation(manifest, 0, "workspace-lints", "add `[lints]` with `workspace = true`".to_owned()))
        .collect()
}

/// `std::fs` as written, with spaces, or as part of `std::{fs, io}` on one line.
fn names_path(line: &str, path: &str) -> bool {
    let line = line.replace(" ::", "::").replace(":: ", "::");
    let in_group = path.strip_prefix("std::").is_some_and(|module| line.contains("std::{") && has_word(&line, module));
    in_group || has_word(&line, path)
}

/// The most specific entry wins: a name before a pattern.
fn allowed_edges(package: &str) -> Option<&'static [&'static str]> {
    let exact = EDGES.iter().find(|(name, _)| *name == package);
    exact.or_else(|| EDGES.iter().find(|(pattern, _)| matches(pattern, package))).map(|(_, allowed)| *allowed)
}

fn matches_any(patterns: &[&str], name: &str) -> bool {
    patterns.iter().any(|pattern| matches(pattern, name))
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |prefix| name.starts_with(prefix))
}

fn explain(allowed: &[&str]) -> String {
    if allowed.is_empty() {
        return "it may use no crate of the workspace".to_owned();
    }
    format!("it may use {}", allowed.join(", "))
}

fn violation(manifest: &Manifest<'_>, line: usize, rule: &'static str, message: String) -> Violation {
    Violation { path: manifest.file.path.clone(), line, rule, message }
}

#[cfg(test)]
mod tests {
    use super::{confined_dependencies, no_io_in_codecs, workspace_edges, workspace_lints};
    use crate::tidy::{Violation, Workspace};

    fn manifest(package: &str, dependencies: &str, development: &str) -> (String, String) {
        let lines =
            |names: &str| names.split_whitespace().map(|name| format!("{name}.workspace = true\n")).collect::<String>();
        let text = format!(
            "[package]\nname = \"{package}\"\n[lints]\nworkspace = true\n[dependencies]\n{}[dev-dependencies]\n{}",
            lines(dependencies),
            lines(development)
        );
        (format!("crates/{package}/Cargo.toml"), text)
    }

    fn check(rule: fn(&Workspace) -> Vec<Violation>, manifests: &[(String, String)]) -> Vec<String> {
        let files: Vec<(&str, &str)> = manifests.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        rule(&Workspace::of(&files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn edges_that_follow_the_layers_pass() {
        let manifests = [
            manifest("gw-core", "bytes", ""),
            manifest("gw-dialect-gemini", "gw-core gw-wire gw-spi", "gw-testkit"),
            manifest("gw-store-postgres", "gw-core gw-store sqlx", ""),
            manifest("gateway", "gw-dialect-gemini gw-store-postgres gw-edge clap anyhow", ""),
        ];
        assert!(check(workspace_edges, &manifests).is_empty());
        assert!(check(confined_dependencies, &manifests).is_empty());
    }

    #[test]
    fn edges_against_the_layers_fail() {
        let bad = [
            ("gw-dialect-gemini", "gw-dialect-anthropic", ""),
            ("gw-dialect-gemini", "", "gw-dialect-anthropic"),
            ("gw-pipeline", "gw-dialect-anthropic", ""),
            ("gw-pipeline", "gw-providers", ""),
            ("gw-pipeline", "gw-store-sqlite", ""),
            ("gw-core", "gw-wire", ""),
            ("gw-admin", "gw-store-sqlite", ""),
            ("gw-edge", "gw-testkit", ""),
            ("gw-store-sqlite", "gateway", ""),
            ("unheard-of", "", ""),
        ];
        for (package, dependencies, development) in bad {
            let manifests = [manifest(package, dependencies, development), manifest("gateway", "", "")];
            let found = check(workspace_edges, &manifests);
            assert_eq!(found.len(), 1, "{package} -> {dependencies}{development}: {found:?}");
        }
    }

    #[test]
    fn the_line_of_the_dependency_is_named() {
        let found = check(workspace_edges, &[manifest("gw-core", "bytes gw-wire", "")]);
        assert_eq!(
            found,
            [
                "crates/gw-core/Cargo.toml:7: layers: `gw-core` must not depend on `gw-wire`: it may use no crate of the workspace"
            ]
        );
    }

    #[test]
    fn confined_crates_do_not_leave_their_room() {
        let bad = [
            ("gw-edge", "axum"),
            ("gw-pipeline", "sqlx"),
            ("gw-core", "serde"),
            ("gw-wire", "tokio"),
            ("gw-dialect-openai-chat", "hyper"),
            ("gw-config", "anyhow"),
            ("gw-pipeline", "serde_json"),
            ("gw-dialect-gemini", "serde_json"),
        ];
        for (package, dependency) in bad {
            assert_eq!(check(confined_dependencies, &[manifest(package, dependency, "")]).len(), 1, "{package}");
            assert!(check(confined_dependencies, &[manifest(package, "", dependency)]).is_empty(), "tests may");
        }
    }

    #[test]
    fn codecs_do_no_io() {
        let text = "//! Reads std::fs in words only.\nuse std::time::Instant;\nuse std :: net::TcpStream;\nfn f() { std::fs::read(\"x\"); }\nfn g(instant: u64) {}\nuse std::{env, fmt};\n#[cfg(test)]\nmod tests { use std::fs; }\n";
        let workspace = Workspace::of(&[
            ("crates/gw-wire/src/sse.rs", text),
            ("crates/gw-dialect-x/src/tests.rs", text),
            ("crates/gw-edge/src/lib.rs", text),
        ]);
        let lines: Vec<(String, usize)> =
            no_io_in_codecs(&workspace).into_iter().map(|violation| (violation.path, violation.line)).collect();
        assert_eq!(lines, [2, 3, 4, 6].map(|line| ("crates/gw-wire/src/sse.rs".to_owned(), line)));
    }

    #[test]
    fn a_crate_without_the_lints_fails() {
        let text = "[package]\nname = \"gw-core\"\n";
        assert_eq!(workspace_lints(&Workspace::of(&[("crates/gw-core/Cargo.toml", text)])).len(), 1);
        assert!(check(workspace_lints, &[manifest("gw-core", "", "")]).is_empty());
    }
}
