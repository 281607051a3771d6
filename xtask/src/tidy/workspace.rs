//! The repository as the rules see it: tracked and new text files, in memory, so that a test can make one up.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

/// A text file of the repository.
#[derive(Debug)]
pub struct File {
    /// Relative to the repository root, with forward slashes.
    pub path: String,
    pub text: String,
}

/// All text files that git knows or would add.
#[derive(Debug)]
pub struct Workspace {
    /// Absolute path of the checkout; `None` when the files are made up by a test.
    pub root: Option<PathBuf>,
    pub files: Vec<File>,
}

impl File {
    /// The crate folder that this file belongs to: `crates/<name>` gives `<name>`, `xtask` gives `xtask`.
    pub fn package(&self) -> Option<&str> {
        match self.path.strip_prefix("crates/") {
            Some(rest) => rest.split('/').next(),
            None => self.path.starts_with("xtask/").then_some("xtask"),
        }
    }

    /// Rust code that ships or builds: not a test folder, not a test module file, not a bench or fuzz target.
    pub fn is_rust_production(&self) -> bool {
        let is_test_file = self.path.ends_with("/tests.rs")
            || self.path.split('/').any(|part| matches!(part, "tests" | "benches" | "fuzz" | "examples"));
        self.is_rust() && !is_test_file
    }

    pub fn is_rust(&self) -> bool {
        Path::new(&self.path).extension().is_some_and(|extension| extension == "rs")
    }
}

impl Workspace {
    /// Reads the checkout at `root`. Files that are not UTF-8 are left out: no rule concerns them.
    ///
    /// # Errors
    /// When git is missing or `root` is not a checkout.
    pub fn load(root: &Path) -> anyhow::Result<Self> {
        let output = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root)
            .output()
            .context("tidy asks git for the list of files: install git")?;
        ensure!(output.status.success(), "git ls-files failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        let listing = String::from_utf8(output.stdout).context("a file name is not UTF-8")?;
        let files = listing
            .split('\0')
            .filter(|path| !path.is_empty())
            // A file deleted but not yet committed is still listed; reading it fails and it is left out.
            .filter_map(|path| {
                std::fs::read_to_string(root.join(path)).ok().map(|text| File { path: path.to_owned(), text })
            })
            .collect();
        Ok(Self { root: Some(root.to_path_buf()), files })
    }

    /// A made-up repository.
    pub fn of(files: &[(&str, &str)]) -> Self {
        let files =
            files.iter().map(|(path, text)| File { path: (*path).to_owned(), text: (*text).to_owned() }).collect();
        Self { root: None, files }
    }
}
