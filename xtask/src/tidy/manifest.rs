//! What the layer rules need to know of a Cargo.toml.

use super::{File, Workspace};

/// Which table of a manifest a dependency stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Normal,
    Build,
    Development,
}

/// One dependency line.
#[derive(Debug, PartialEq, Eq)]
pub struct Dependency {
    pub name: String,
    pub kind: Kind,
    /// Counted from 1; 0 when the line could not be found again.
    pub line: usize,
}

/// A parsed Cargo.toml of one crate of the workspace.
#[derive(Debug)]
pub struct Manifest<'a> {
    pub file: &'a File,
    pub package: String,
    pub dependencies: Vec<Dependency>,
    pub inherits_lints: bool,
}

/// Manifests of all crates, in the order of their files. A manifest that does not parse is cargo's to report.
pub fn manifests(workspace: &Workspace) -> Vec<Manifest<'_>> {
    workspace.files.iter().filter(|file| is_crate_manifest(&file.path)).filter_map(parse).collect()
}

fn is_crate_manifest(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    matches!(parts.as_slice(), ["crates", _, "Cargo.toml"] | ["xtask", "Cargo.toml"])
}

fn parse(file: &File) -> Option<Manifest<'_>> {
    let table: toml::Table = file.text.parse().ok()?;
    let package = table.get("package")?.get("name")?.as_str()?.to_owned();
    let inherits_lints =
        table.get("lints").and_then(|lints| lints.get("workspace")) == Some(&toml::Value::Boolean(true));
    let mut dependencies = Vec::new();
    collect(&table, file, &mut dependencies);
    if let Some(targets) = table.get("target").and_then(toml::Value::as_table) {
        for target in targets.values().filter_map(toml::Value::as_table) {
            collect(target, file, &mut dependencies);
        }
    }
    Some(Manifest { file, package, dependencies, inherits_lints })
}

fn collect(table: &toml::Table, file: &File, out: &mut Vec<Dependency>) {
    let sections =
        [("dependencies", Kind::Normal), ("build-dependencies", Kind::Build), ("dev-dependencies", Kind::Development)];
    for (section, kind) in sections {
        let Some(entries) = table.get(section).and_then(toml::Value::as_table) else { continue };
        for (key, value) in entries {
            let name = value.get("package").and_then(toml::Value::as_str).unwrap_or(key).to_owned();
            out.push(Dependency { line: line_of(&file.text, section, key), name, kind });
        }
    }
}

fn line_of(text: &str, section: &str, key: &str) -> usize {
    let header = format!("{section}]");
    let mut in_section = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('[') {
            // `dev-dependencies]` also ends with `dependencies]`.
            in_section = line.trim_start_matches('[').rsplit('.').next() == Some(header.as_str());
        } else if in_section && line.split(['.', '=', ' ']).next() == Some(key) {
            return index + 1;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::{Dependency, Kind, manifests};
    use crate::tidy::Workspace;

    #[test]
    fn dependencies_keep_their_kind_and_line() {
        let text = "[package]\nname = \"a\"\n[lints]\nworkspace = true\n[dependencies]\nb.workspace = true\nalias = { package = \"c\", version = \"1\" }\n[dev-dependencies]\nb = \"1\"\n[target.'cfg(unix)'.dependencies]\nd = \"1\"\n";
        let workspace = Workspace::of(&[("crates/a/Cargo.toml", text), ("bench/Cargo.toml", text)]);
        let found = manifests(&workspace);
        assert_eq!(found.len(), 1, "only crates of the workspace");
        assert!(found[0].inherits_lints);
        let mut dependencies: Vec<(&str, Kind, usize)> =
            found[0].dependencies.iter().map(|Dependency { name, kind, line }| (name.as_str(), *kind, *line)).collect();
        dependencies.sort_by_key(|(_, _, line)| *line);
        let expected =
            [("b", Kind::Normal, 6), ("c", Kind::Normal, 7), ("b", Kind::Development, 9), ("d", Kind::Normal, 11)];
        assert_eq!(dependencies, expected);
    }
}
