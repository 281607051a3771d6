//! Rules that need more than the text of files: generated files and the resolved dependency tree.

use std::path::Path;
use std::process::Command;

use super::{Violation, Workspace};
use crate::codegen;

/// Every generated file is what its generator writes now.
pub fn generated(workspace: &Workspace) -> Vec<Violation> {
    let Some(root) = &workspace.root else { return Vec::new() };
    stale_to_violations(&codegen::stale(root))
}

/// Nothing that the binary links brings a second crypto provider.
pub fn one_crypto_provider(workspace: &Workspace) -> Vec<Violation> {
    let Some(root) = &workspace.root else { return Vec::new() };
    let message = match inverse_tree(root, "ring") {
        Ok(tree) if tree.trim().is_empty() => return Vec::new(),
        Ok(tree) => second_provider(&tree),
        Err(problem) => problem,
    };
    vec![Violation { path: "Cargo.toml".to_owned(), line: 0, rule: "one-crypto-provider", message }]
}

fn stale_to_violations(stale: &[&str]) -> Vec<Violation> {
    let message = "stale: run `cargo run -p xtask -- codegen` and commit the result";
    let violation =
        |path: &&str| Violation { path: (*path).to_owned(), line: 0, rule: "generated", message: message.to_owned() };
    stale.iter().map(violation).collect()
}

/// Who needs `package` in the shipped binary, as `cargo tree` prints it; empty when nobody does.
fn inverse_tree(root: &Path, package: &str) -> Result<String, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["tree", "--locked", "--package", "gateway", "--edges", "normal,build", "--target", "all"])
        .args(["--prefix", "none", "--invert", package])
        .current_dir(root)
        .output()
        .map_err(|error| format!("cannot run cargo tree: {error}"))?;
    let problem = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    // Not even an optional dependency of anything.
    if problem.contains("did not match any packages") {
        return Ok(String::new());
    }
    Err(format!("cargo tree failed: {}", problem.trim()))
}

fn second_provider(tree: &str) -> String {
    let users: Vec<&str> = tree.lines().skip(1).take(3).map(|line| line.split(" (").next().unwrap_or(line)).collect();
    format!("`ring` is linked by way of {}: choose its features so that only aws-lc-rs is", users.join(" <- "))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{inverse_tree, second_provider, stale_to_violations};

    #[test]
    fn a_stale_file_is_a_violation() {
        assert_eq!(stale_to_violations(&["docs/environment.md"]).len(), 1);
        assert!(stale_to_violations(&[]).is_empty());
    }

    #[test]
    fn the_tree_of_a_linked_crate_is_not_empty() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let tree = inverse_tree(root, "aws-lc-rs").unwrap();
        assert!(tree.lines().count() > 1, "the chosen provider is linked, so the check sees providers: {tree}");
        assert_eq!(inverse_tree(root, "no-such-package").unwrap(), "");
    }

    #[test]
    fn the_message_names_who_brings_it() {
        let message = second_provider("ring v0.17.0\nrustls v0.23.0\nhyper-rustls v0.27.0\n");
        assert!(message.contains("rustls v0.23.0 <- hyper-rustls v0.27.0"), "{message}");
    }
}
