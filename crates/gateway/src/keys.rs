//! Client keys: the commands, and the index that requests are checked against.

use anyhow::{Context as _, anyhow, bail};
use clap::Subcommand;
use gw_config::{Config, KeyMaterial};
use gw_core::Secret;
use gw_identity::{KeyHash, KeyIndex, KeySource, Principal};
use gw_store::{KeyRecord, KeyRepo};
use gw_store_sqlite::SqliteStore;

use crate::cli::{self, ServeArgs};
use crate::process;

/// `irongate keys ...`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create a key; prints the key, once, and nothing else on standard output.
    Create {
        /// Unique name.
        #[arg(long)]
        name: String,
        /// Use this key instead of a generated one.
        #[arg(long)]
        key: Option<String>,
    },
    /// List the keys (never the keys themselves).
    List,
    /// Disable a key at once.
    Disable {
        /// Its name.
        #[arg(long)]
        name: String,
    },
    /// Enable a disabled key again.
    Enable {
        /// Its name.
        #[arg(long)]
        name: String,
    },
    /// Replace a key; the old one stops working at once. Prints the new key and nothing else on standard output.
    Rotate {
        /// Its name.
        #[arg(long)]
        name: String,
    },
}

/// Runs a key command on the database that the gateway uses.
pub(crate) async fn run(command: Command, args: &ServeArgs) -> anyhow::Result<()> {
    let registry = process::providers()?;
    let loaded = process::load_for_data(args, &process::types(&registry))?;
    let store = open(&loaded.config).await?;
    let done = apply(command, &store, &loaded.config).await;
    store.close().await;
    done
}

/// Opens the store, making its directory.
pub(crate) async fn open(config: &Config) -> anyhow::Result<SqliteStore> {
    let path = &config.database_path;
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
    }
    SqliteStore::open(path).await.with_context(|| format!("cannot open the database {}", path.display()))
}

async fn apply(command: Command, store: &SqliteStore, config: &Config) -> anyhow::Result<()> {
    let now = gw_pipeline::now_ms();
    match command {
        Command::Create { name, key } => {
            let secret = match key {
                Some(key) => custom(key)?,
                None => gw_identity::generate(&config.key_prefix)?,
            };
            create(store, &name, &secret).await?;
            cli::say(secret.expose());
        }
        Command::List => {
            for key in store.list().await? {
                let state = if key.enabled { "enabled" } else { "disabled" };
                cli::say(&format!("{}\t{}\t{}\t{state}", key.name, key.hint, key.id));
            }
        }
        Command::Disable { name } => store.set_enabled(&find(store, &name).await?.id, false, now).await?,
        Command::Enable { name } => store.set_enabled(&find(store, &name).await?.id, true, now).await?,
        Command::Rotate { name } => {
            let key = find(store, &name).await?;
            let secret = gw_identity::generate(&config.key_prefix)?;
            let hint = gw_identity::hint(secret.expose());
            store.rotate(&key.id, KeyHash::of(secret.expose()).0, &hint, now).await?;
            cli::say(secret.expose());
        }
    }
    Ok(())
}

fn custom(key: String) -> anyhow::Result<Secret> {
    for warning in gw_identity::validate_custom(&key).map_err(|refused| anyhow!("--key: {refused}"))? {
        cli::note(&format!("warning: {warning}"));
    }
    Ok(Secret::new(key))
}

async fn create(store: &SqliteStore, name: &str, secret: &Secret) -> anyhow::Result<()> {
    if name.trim().is_empty() {
        bail!("--name must not be empty");
    }
    let now = gw_pipeline::now_ms();
    let record = KeyRecord {
        v: KeyRecord::VERSION,
        id: gw_identity::new_key_id()?,
        name: name.to_owned(),
        hash: KeyHash::of(secret.expose()).0,
        hint: gw_identity::hint(secret.expose()),
        enabled: true,
        expires_at_ms: None,
        allowed_models: None,
        created_at_ms: now,
        updated_at_ms: now,
    };
    store.insert(&record).await.with_context(|| format!("key '{name}' was not created"))
}

async fn find(store: &SqliteStore, name: &str) -> anyhow::Result<KeyRecord> {
    store.get_by_name(name).await?.with_context(|| format!("there is no key named '{name}'; see 'irongate keys list'"))
}

/// All keys of file and store as one index.
pub(crate) async fn index(config: &Config, store: &dyn KeyRepo) -> anyhow::Result<KeyIndex> {
    let mut builder = KeyIndex::builder();
    for key in &config.keys {
        let (hash, hint) = match &key.material {
            KeyMaterial::Plain(secret) => (KeyHash::of(secret.expose()), gw_identity::hint(secret.expose())),
            KeyMaterial::Sha256(hex) => (from_hex(hex).context("keys[].key_hash")?, "sha256".to_owned()),
        };
        let principal = Principal {
            key_id: format!("file:{}", key.name),
            name: key.name.clone(),
            hint,
            enabled: key.enabled,
            expires_at_ms: None,
            allowed_models: None,
            created_at_ms: 0,
            source: KeySource::File,
        };
        insert(&mut builder, hash, principal);
    }
    for record in store.list().await? {
        let principal = Principal {
            key_id: record.id,
            name: record.name,
            hint: record.hint,
            enabled: record.enabled,
            expires_at_ms: record.expires_at_ms,
            allowed_models: record.allowed_models,
            created_at_ms: record.created_at_ms,
            source: KeySource::Store,
        };
        insert(&mut builder, KeyHash(record.hash), principal);
    }
    Ok(builder.build())
}

fn insert(builder: &mut gw_identity::KeyIndexBuilder, hash: KeyHash, principal: Principal) {
    if let Err(duplicate) = builder.insert(hash, principal) {
        tracing::warn!(kept = %duplicate.kept, refused = %duplicate.refused, "two entries have the same key");
    }
}

fn from_hex(hex: &str) -> anyhow::Result<KeyHash> {
    let mut hash = [0_u8; 32];
    if hex.len() != 64 || !hex.is_ascii() {
        bail!("a SHA-256 hash has 64 hexadecimal digits");
    }
    for (at, slot) in hash.iter_mut().enumerate() {
        let digits = hex.get(at * 2..at * 2 + 2).unwrap_or_default();
        *slot = u8::from_str_radix(digits, 16).context("a SHA-256 hash has only hexadecimal digits")?;
    }
    Ok(KeyHash(hash))
}
