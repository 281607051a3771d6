//! Brings file, environment, `.env` and command line together.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use crate::check::{Check, check};
use crate::config::Config;
use crate::environment::Environment;
use crate::interpolate::Interpolation;
use crate::kind;
use crate::problem::{ConfigErrors, Origin, Problems, Warning};
use crate::raw::{self, RawConfig};
use crate::reader::Context;
use crate::types::TypeCatalog;
use crate::watch::Watch;
use crate::{dotenv, yaml};

/// What the command line may override.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CliOverrides {
    /// `--listen HOST:PORT`; `:PORT` means every interface.
    pub listen: Option<String>,
    /// `--port`; wins over the port of `listen`.
    pub port: Option<u16>,
    /// `--data-dir`.
    pub data_dir: Option<PathBuf>,
    /// `--verbose`: log level debug at least.
    pub verbose: bool,
}

/// Everything the configuration is made of.
#[derive(Clone)]
pub struct Sources<'a> {
    /// The YAML file; it must exist. `None` means that there is none.
    pub config_path: Option<PathBuf>,
    /// The `.env` file; it must exist. `None` means that there is none.
    pub env_file: Option<PathBuf>,
    /// Variables of the process, injected so that tests do not depend on the real ones.
    pub environment: Vec<(String, String)>,
    /// Command line.
    pub overrides: CliOverrides,
    /// Provider types of this build.
    pub types: &'a TypeCatalog,
}

impl<'a> Sources<'a> {
    /// Sources of a real process: its environment, and `.env` in the working directory unless `env_file` is given.
    /// Variables that are not UTF-8 are left out.
    pub fn from_process(
        config_path: Option<PathBuf>,
        env_file: Option<PathBuf>,
        overrides: CliOverrides,
        types: &'a TypeCatalog,
    ) -> Self {
        let env_file = env_file.or_else(|| Some(PathBuf::from(".env")).filter(|path| path.is_file()));
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self { config_path, env_file, environment, overrides, types }
    }
}

/// A usable configuration and what came with it.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The checked configuration.
    pub config: Config,
    /// What the operator should know, in no particular order.
    pub warnings: Vec<Warning>,
    /// Every file that was read: configuration, `.env`, and those of `${file:...}`.
    pub files: Vec<PathBuf>,
    /// Fingerprint of those files as they were when they were read; see [`fingerprint`](crate::fingerprint).
    pub fingerprint: u64,
}

/// The file to use: `explicit` if given, otherwise the first of `irongate.yaml`, `config/proxy-config.yaml` and
/// `config.yaml` that exists in the working directory.
pub fn resolve_config_path(explicit: Option<&Path>) -> Option<PathBuf> {
    match explicit {
        Some(path) => Some(path.to_owned()),
        None => ["irongate.yaml", "config/proxy-config.yaml", "config.yaml"]
            .into_iter()
            .map(PathBuf::from)
            .find(|path| path.is_file()),
    }
}

/// Reads and checks everything.
///
/// # Errors
/// Every problem that was found, each with place, field and remedy; nothing is applied in part.
pub fn load(sources: &Sources<'_>) -> Result<Loaded, ConfigErrors> {
    let mut problems = Problems::default();
    let mut watch = Watch::default();
    let assignments = match &sources.env_file {
        Some(path) => {
            let origin = Origin::EnvFile { path: path.clone(), line: 0 };
            let text = read_text(path, &origin, "--env-file", &mut watch, &mut problems);
            dotenv::parse(&text.unwrap_or_default(), path, &mut problems)
        }
        None => Vec::new(),
    };
    let environment = Environment::new(&sources.environment, assignments, sources.env_file.as_deref());
    let mut raw = RawConfig::default();
    if let Some(path) = &sources.config_path {
        let origin = Origin::File { path: path.clone(), line: 0, column: 0 };
        if let Some(text) = read_text(path, &origin, "--config", &mut watch, &mut problems) {
            raw = read_yaml(path, &text, &environment, &mut watch, &mut problems).unwrap_or_default();
        }
    }
    environment.warn_about_inert(&mut problems);
    let mock_mode = environment.typed("ENABLE_MOCK_MODE", &kind::BOOLEAN, &mut problems);
    let nowhere = match &sources.config_path {
        Some(path) => Origin::File { path: path.clone(), line: 0, column: 0 },
        None => Origin::Nowhere,
    };
    let config = check(
        raw,
        Check {
            environment: &environment,
            overrides: &sources.overrides,
            types: sources.types,
            problems: &mut problems,
            nowhere,
            mock_mode: mock_mode.is_some_and(|located| located.value),
        },
    );
    if !problems.errors.is_empty() {
        problems.errors.sort_by_key(|error| match &error.origin {
            Origin::EnvFile { line, .. } => (0, *line, 0),
            Origin::File { line, column, .. } => (1, *line, *column),
            Origin::Environment { .. } | Origin::CommandLine { .. } | Origin::Nowhere => (2, 0, 0),
        });
        return Err(ConfigErrors(problems.errors));
    }
    Ok(Loaded { config, warnings: problems.warnings, files: watch.files(), fingerprint: watch.fingerprint() })
}

fn read_text(path: &Path, origin: &Origin, flag: &str, watch: &mut Watch, problems: &mut Problems) -> Option<String> {
    match watch.read(path) {
        Err(error) => {
            let message = format!("cannot read the file: {}", error.kind());
            problems.error(origin, "", message, format!("check the path and its permissions, or leave out {flag}"));
            None
        }
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Some(text),
            Err(error) => {
                let line =
                    error.as_bytes().iter().take(error.utf8_error().valid_up_to()).filter(|b| **b == b'\n').count();
                let message = format!("line {} is not UTF-8 text", line + 1);
                problems.error(origin, "", message, "save the file as UTF-8");
                None
            }
        },
    }
}

fn read_yaml(
    path: &Path,
    text: &str,
    environment: &Environment,
    watch: &mut Watch,
    problems: &mut Problems,
) -> Option<RawConfig> {
    let mut root = match yaml::parse(text) {
        Ok(root) => root,
        Err(error) => {
            let origin = Origin::File { path: path.to_owned(), line: error.line, column: error.column };
            problems.error(&origin, "", error.message, "correct the file at this place");
            return None;
        }
    };
    let mut read = |path: &Path| watch.read(path);
    Interpolation { config_path: path, environment, read: &mut read, problems }.apply(&mut root, "");
    let context = Context { path: path.to_owned(), problems: RefCell::new(std::mem::take(problems)) };
    let raw = raw::read(&context, &root);
    *problems = context.problems.into_inner();
    Some(raw)
}
