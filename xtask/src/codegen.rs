//! Files that are written from code: a list of generators, each the only author of one path.

use std::path::Path;

use anyhow::Context as _;

/// One generated file.
pub struct Generator {
    /// Where the file lives, relative to the repository root.
    pub path: &'static str,
    /// The whole text of the file.
    pub render: fn() -> String,
}

/// Every generated file of the repository.
pub const GENERATORS: &[Generator] =
    &[Generator { path: "docs/environment.md", render: gw_config::environment_markdown }];

/// Writes every generated file whose text changed and returns the paths written.
///
/// # Errors
/// When a file or its folder cannot be written; the message names the path.
pub fn write(root: &Path) -> anyhow::Result<Vec<&'static str>> {
    write_all(root, GENERATORS)
}

/// Paths of generated files that are missing or differ from what their generator renders.
pub fn stale(root: &Path) -> Vec<&'static str> {
    stale_among(root, GENERATORS)
}

fn write_all(root: &Path, generators: &[Generator]) -> anyhow::Result<Vec<&'static str>> {
    let mut written = Vec::new();
    for generator in generators {
        if is_fresh(root, generator) {
            continue;
        }
        let target = root.join(generator.path);
        if let Some(folder) = target.parent() {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        }
        std::fs::write(&target, (generator.render)()).with_context(|| format!("cannot write {}", target.display()))?;
        written.push(generator.path);
    }
    Ok(written)
}

fn stale_among(root: &Path, generators: &[Generator]) -> Vec<&'static str> {
    generators.iter().filter(|generator| !is_fresh(root, generator)).map(|generator| generator.path).collect()
}

fn is_fresh(root: &Path, generator: &Generator) -> bool {
    std::fs::read_to_string(root.join(generator.path)).is_ok_and(|text| text == (generator.render)())
}

#[cfg(test)]
mod tests {
    use super::{Generator, stale_among, write_all};

    const EXAMPLE: &[Generator] = &[Generator { path: "docs/example.md", render: || "# Example\n".to_owned() }];

    #[test]
    fn a_missing_or_edited_file_is_stale_until_written() {
        let root = std::env::temp_dir().join(format!("xtask-codegen-{}", std::process::id()));
        assert_eq!(stale_among(&root, EXAMPLE), ["docs/example.md"]);
        assert_eq!(write_all(&root, EXAMPLE).unwrap(), ["docs/example.md"]);
        assert!(stale_among(&root, EXAMPLE).is_empty());
        assert!(write_all(&root, EXAMPLE).unwrap().is_empty(), "a fresh file is left alone");
        std::fs::write(root.join("docs/example.md"), "# Edited\n").unwrap();
        assert_eq!(stale_among(&root, EXAMPLE), ["docs/example.md"]);
        std::fs::remove_dir_all(&root).unwrap();
    }
}
