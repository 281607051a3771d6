//! A directory with a configuration in it.

use gw_config::{CliOverrides, ConfigErrors, Loaded, ProviderType, Sources, TypeCatalog, load};
use std::path::{Path, PathBuf};

pub(crate) fn types() -> TypeCatalog {
    let kind =
        |name: &str, needs_key, needs_base_url| ProviderType { name: name.to_owned(), needs_key, needs_base_url };
    TypeCatalog::new([
        kind("openai", true, false),
        kind("anthropic", true, false),
        kind("gemini", true, false),
        kind("mistral", true, false),
        kind("deepseek", true, false),
        kind("qwen", true, false),
        kind("ollama", false, false),
        kind("lmstudio", false, false),
        kind("openai-compatible", false, true),
        kind("mock", false, false),
    ])
}

/// One way to load; the file is called `irongate.yaml` and messages show no directory.
#[derive(Default)]
pub(crate) struct Case {
    pub(crate) yaml: Option<Vec<u8>>,
    pub(crate) dotenv: Option<String>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) overrides: CliOverrides,
    pub(crate) files: Vec<(String, String)>,
}

impl Case {
    pub(crate) fn yaml(text: impl AsRef<[u8]>) -> Self {
        Self { yaml: Some(text.as_ref().to_vec()), ..Self::default() }
    }

    pub(crate) fn empty() -> Self {
        Self::default()
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn dotenv(mut self, text: &str) -> Self {
        self.dotenv = Some(text.to_owned());
        self
    }

    pub(crate) fn file(mut self, name: &str, text: &str) -> Self {
        self.files.push((name.to_owned(), text.to_owned()));
        self
    }

    pub(crate) fn overrides(mut self, overrides: CliOverrides) -> Self {
        self.overrides = overrides;
        self
    }

    pub(crate) fn load(self) -> Result<Loaded, ConfigErrors> {
        self.load_in(tempfile::tempdir().unwrap().path())
    }

    pub(crate) fn load_in(self, directory: &Path) -> Result<Loaded, ConfigErrors> {
        let write = |name: &str, text: &[u8]| -> PathBuf {
            let path = directory.join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        for (name, text) in &self.files {
            write(name, text.as_bytes());
        }
        let types = types();
        load(&Sources {
            config_path: self.yaml.map(|yaml| write("irongate.yaml", &yaml)),
            env_file: self.dotenv.map(|text| write(".env", text.as_bytes())),
            environment: self.environment,
            overrides: self.overrides,
            types: &types,
        })
    }

    /// The configuration, or a failure that shows why there is none.
    pub(crate) fn ok(self) -> Loaded {
        self.load().unwrap_or_else(|errors| panic!("{errors}"))
    }

    /// The errors as printed, without the directory.
    pub(crate) fn errors(self) -> String {
        let directory = tempfile::tempdir().unwrap();
        let errors = self.load_in(directory.path()).expect_err("the configuration is wrong");
        without(directory.path(), &errors.to_string())
    }

    /// The warnings as printed, without the directory.
    pub(crate) fn warnings(self) -> String {
        let directory = tempfile::tempdir().unwrap();
        let loaded = self.load_in(directory.path()).unwrap_or_else(|errors| panic!("{errors}"));
        let lines: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
        without(directory.path(), &lines.join("\n"))
    }
}

fn without(directory: &Path, text: &str) -> String {
    text.replace(&format!("{}/", directory.display()), "")
}
