//! Rules for client keys that the configuration itself defines.

use std::collections::BTreeSet;

use super::Check;
use crate::config::{KeyMaterial, StaticKey};
use crate::problem::{Located, Origin};
use crate::raw::{RawKey, Written};
use crate::reader::split_list;
use gw_core::Secret;

/// Shorter keys can be guessed; they are allowed, with a warning.
const SHORT_KEY: usize = 20;

impl Check<'_> {
    pub(super) fn keys(&mut self, raw: Vec<RawKey>) -> Vec<StaticKey> {
        let mut names = BTreeSet::new();
        let mut keys: Vec<StaticKey> = raw.into_iter().filter_map(|key| self.key(key, &mut names)).collect();
        if let Some(Located { value, origin }) = self.environment.get("GATEWAY_API_KEYS") {
            for (index, text) in split_list(&value).into_iter().enumerate() {
                let key = Secret::new(text);
                if self.usable(&key, &origin, "GATEWAY_API_KEYS") {
                    let name = format!("env-{}", index + 1);
                    keys.push(StaticKey { name, material: KeyMaterial::Plain(key), prefix: None, enabled: true });
                }
            }
        }
        keys
    }

    fn key(&mut self, raw: RawKey, names: &mut BTreeSet<String>) -> Option<StaticKey> {
        let RawKey { field, origin, .. } = raw;
        let Some(name) = raw.name else {
            self.problems.error(
                &origin,
                field,
                "the key has no name",
                "add a `name:`, it appears in logs and statistics",
            );
            return None;
        };
        if !names.insert(name.value.clone()) {
            let message = format!("key name `{}` is used twice", name.value);
            self.problems.error(&name.origin, format!("{field}.name"), message, "give each key its own name");
        }
        let material = match (raw.key, raw.key_hash) {
            (Some(key), None) => {
                if !self.usable(&key.value, &key.origin, &format!("{field}.key")) {
                    return None;
                }
                KeyMaterial::Plain(key.value)
            }
            (None, Some(hash)) => {
                let text = hash.value.trim().trim_start_matches("sha256:").to_ascii_lowercase();
                if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                    let remedy = "write the 64 hexadecimal digits of the key's SHA-256";
                    let message = "the value is not a SHA-256 hash";
                    self.problems.error(&hash.origin, format!("{field}.key_hash"), message, remedy);
                    return None;
                }
                KeyMaterial::Sha256(text)
            }
            (Some(_), Some(hash)) => {
                let message = "`key` and `key_hash` are both given";
                self.problems.error(&hash.origin, format!("{field}.key_hash"), message, "keep one of them");
                return None;
            }
            (None, None) => {
                let message = format!("key `{}` has no value", name.value);
                self.problems.error(&origin, field, message, "add `key:` or `key_hash:`");
                return None;
            }
        };
        Some(StaticKey {
            name: name.value,
            material,
            prefix: raw.prefix.map(|located| located.value),
            enabled: raw.enabled.is_none_or(|located| located.value),
        })
    }

    /// Whether a client can send the key at all; warns when it is easy to guess.
    fn usable(&mut self, key: &Secret, origin: &Origin, field: &str) -> bool {
        if !key.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
            let remedy = "use letters, digits and punctuation only";
            self.problems.error(origin, field, "the key contains blanks or characters outside ASCII", remedy);
            return false;
        }
        if key.expose().len() < SHORT_KEY {
            let message = format!("the key is shorter than {SHORT_KEY} characters and may be guessed");
            self.problems.warn(origin, field, message);
        }
        true
    }

    pub(super) fn key_prefix(&mut self, written: Written<String>) -> String {
        let Some(prefix) = written.or_else(|| self.environment.get("API_KEY_PREFIX")) else { return "ig-".to_owned() };
        let fits =
            prefix.value.len() <= 32 && prefix.value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        if !fits {
            let message = format!("{:?} is not a key prefix", crate::environment::shorten(&prefix.value));
            let remedy = "use at most 32 letters, digits, `-` and `_`";
            self.problems.error(&prefix.origin, "key_prefix", message, remedy);
        }
        prefix.value
    }
}
