//! The file of a fresh installation loads, is private, and mentions everything that can be configured.

use gw_config::{CliOverrides, Secret, Sources, TEMPLATE, first_run, load};

use crate::support::{Case, types};

#[test]
fn writes_a_private_file_that_loads() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("new/irongate.yaml");
    let hash = "$argon2id$v=19$m=1,t=1,p=1$it's${HOME}\\x";
    first_run(&path, &Secret::new(hash.to_owned()), &Secret::new("s: # e".to_owned())).unwrap();
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o7777, 0o600);
    }
    let types = types();
    let sources = Sources {
        config_path: Some(path.clone()),
        env_file: None,
        environment: Vec::new(),
        overrides: CliOverrides::default(),
        types: &types,
    };
    let loaded = load(&sources).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(loaded.warnings, []);
    assert_eq!(loaded.config.admin.password_hash.as_ref().unwrap().expose(), hash);
    assert_eq!(loaded.config.admin.session_secret.as_ref().unwrap().expose(), "s: # e");
    let defaults = Case::empty().ok().config;
    assert_eq!(gw_config::Config { admin: defaults.admin.clone(), ..loaded.config }, defaults);

    let before = std::fs::read(&path).unwrap();
    assert!(first_run(&path, &Secret::new("x".to_owned()), &Secret::new("y".to_owned())).is_err());
    assert_eq!(std::fs::read(&path).unwrap(), before, "an existing file is never changed");
}

/// The template with every option switched on: `#name:` becomes `name:`, prose stays a comment.
fn everything() -> String {
    let switch_on = |line: &str| match line.strip_prefix('#') {
        Some(rest) if rest.starts_with(' ') && !rest.starts_with("  ") => line.to_owned(),
        Some(rest) => rest.to_owned(),
        None => line.to_owned(),
    };
    let text: Vec<String> = TEMPLATE.lines().map(switch_on).collect();
    text.join("\n").replace("@PASSWORD_HASH@", "h").replace("@SESSION_SECRET@", "s")
}

#[test]
fn every_option_of_the_template_is_valid() {
    let keys = |case: Case| case.env("OPENAI_API_KEY", "k").env("ANTHROPIC_API_KEY", "k");
    let config = keys(Case::yaml(everything())).ok().config;
    assert_eq!((config.providers.len(), config.models.len(), config.keys.len()), (5, 2, 2));
    let defaults = Case::empty().ok().config;
    let shown = (config.listen, config.body_limit_bytes, config.drain_timeout, config.logging.level, config.key_prefix);
    let built_in = (
        defaults.listen,
        defaults.body_limit_bytes,
        defaults.drain_timeout,
        defaults.logging.level,
        defaults.key_prefix,
    );
    assert_eq!(shown, built_in, "what the template shows as default is the default");
    assert_eq!((config.timeouts, config.streaming), (defaults.timeouts, defaults.streaming));
    assert_eq!((config.limits, config.upstream), (defaults.limits, defaults.upstream));
    assert_eq!(
        (config.fidelity, config.native, config.ledger_fsync),
        (defaults.fidelity, defaults.native, defaults.ledger_fsync)
    );
}

#[test]
fn every_field_that_exists_is_in_the_template() {
    let template = everything();
    let sections = [
        "zzzzzzzz: 1",
        "server: {zzzzzzzz: 1, https: {zzzzzzzz: 1}, cors: {zzzzzzzz: 1}}",
        "admin: {zzzzzzzz: 1}\nlogging: {zzzzzzzz: 1}\ndatabase: {zzzzzzzz: 1}\nledger: {zzzzzzzz: 1}\nnative: {zzzzzzzz: 1}",
        "providers: {ollama: {zzzzzzzz: 1}}\nmodels: [{name: a, provider: ollama, zzzzzzzz: 1}]",
        "keys: [{name: a, key: ig-0123456789abcdef0123, zzzzzzzz: 1}]\nstreaming: {zzzzzzzz: 1}",
        "limits: {zzzzzzzz: 1}\nupstream: {zzzzzzzz: 1}",
        "defaults: {zzzzzzzz: 1, rate_limit: {zzzzzzzz: 1}, quota: {zzzzzzzz: 1}}",
    ];
    let mut count = 0;
    for yaml in sections {
        for error in Case::yaml(yaml).load().unwrap_err().0 {
            let known = error.remedy.strip_prefix("known fields here: ").expect("lists the known fields");
            for field in known.split(", ").filter(|field| *field != "gemini") {
                count += 1;
                let written = template.lines().any(|line| {
                    let line = line.trim_start().trim_start_matches("- ");
                    line.strip_prefix(field).is_some_and(|rest| rest.starts_with(':'))
                });
                assert!(written, "{} does not mention `{field}`", error.field);
            }
        }
    }
    assert!(count > 80, "only {count} fields were compared");
}
