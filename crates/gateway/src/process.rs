//! From command line and environment to a checked configuration.

use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use gw_config::{CliOverrides, Loaded, ProviderType, Sources, TypeCatalog};
use gw_providers::Registry;

use crate::cli::{self, ServeArgs};
use crate::registry;

/// All provider kinds.
pub(crate) fn providers() -> anyhow::Result<Registry> {
    Registry::builtin(&registry::IDS).context("a built-in provider profile is broken")
}

/// What the configuration may call a provider's type.
pub(crate) fn types(registry: &Registry) -> TypeCatalog {
    let names: Vec<String> = registry.kinds().map(str::to_owned).collect();
    TypeCatalog::new(names.into_iter().filter_map(|name| {
        let profile = registry.kind(&name)?;
        Some(ProviderType { needs_key: profile.needs_key(), needs_base_url: profile.base_url().is_none(), name })
    }))
}

/// Loads the configuration as this process sees it.
///
/// # Errors
/// Every problem, a line each.
pub(crate) fn load(args: &ServeArgs, types: &TypeCatalog) -> anyhow::Result<(Loaded, Option<PathBuf>)> {
    load_with(args, types, &[])
}

/// Loads the configuration for a command that only needs to know where the data is: provider keys that live in the
/// server's environment must not keep an operator from disabling a leaked client key.
///
/// # Errors
/// Every other problem, a line each.
pub(crate) fn load_for_data(args: &ServeArgs, types: &TypeCatalog) -> anyhow::Result<Loaded> {
    load_with(args, types, &[("ENABLE_MOCK_MODE", "true")]).map(|(loaded, _)| loaded)
}

fn load_with(
    args: &ServeArgs,
    types: &TypeCatalog,
    extra: &[(&str, &str)],
) -> anyhow::Result<(Loaded, Option<PathBuf>)> {
    let path = gw_config::resolve_config_path(args.config.as_deref());
    let overrides = CliOverrides {
        listen: args.listen.clone(),
        port: args.port,
        data_dir: args.data_dir.clone(),
        verbose: args.verbose,
    };
    let mut sources = Sources::from_process(path.clone(), args.env_file.clone(), overrides, types);
    for (name, value) in extra {
        sources.environment.retain(|(known, _)| known != name);
        sources.environment.push(((*name).to_owned(), (*value).to_owned()));
    }
    let loaded =
        gw_config::load(&sources).map_err(|problems| anyhow!("the configuration cannot be used:\n{problems}"))?;
    Ok((loaded, path))
}

/// `irongate check`.
pub(crate) fn check(args: &ServeArgs) -> anyhow::Result<()> {
    let registry = providers()?;
    let (loaded, path) = load(args, &types(&registry))?;
    for warning in &loaded.warnings {
        cli::note(&format!("warning: {warning}"));
    }
    crate::snapshot::check(&loaded.config, &registry)?;
    let file = path.map_or_else(|| "no configuration file".to_owned(), |path| path.display().to_string());
    cli::say(&format!("ok: {file}"));
    cli::say(&loaded.config.redacted_summary());
    Ok(())
}
