//! All kinds of providers that this gateway knows, and how configured ones are built from them.

use std::collections::BTreeMap;
use std::sync::Arc;

use gw_core::{DialectId, Secret};

use crate::builtin;
use crate::configured::ConfiguredProvider;
use crate::error::{BuildError, ProfileError};
use crate::profile::Profile;
use crate::settings::ProviderSettings;

/// Kinds by name.
#[derive(Debug, Clone)]
pub struct Registry {
    dialects: Vec<DialectId>,
    profiles: BTreeMap<String, Profile>,
    /// Alias to kind.
    aliases: BTreeMap<String, String>,
}

impl Registry {
    /// The kinds that come with the gateway. `dialects` are the formats that the gateway can write: profiles name
    /// formats, and this table gives the names their meaning.
    ///
    /// # Errors
    /// When a profile is broken or names a format that is not in the table.
    pub fn builtin(dialects: &[DialectId]) -> Result<Self, ProfileError> {
        let mut registry = Self { dialects: dialects.to_vec(), profiles: BTreeMap::new(), aliases: BTreeMap::new() };
        for (profile, models) in builtin::FOLDERS {
            registry.register(Profile::from_folder(profile, models)?)?;
        }
        Ok(registry)
    }

    /// Adds a kind. What it extends must be there already.
    ///
    /// # Errors
    /// When a name is taken or something in the profile cannot work; the error names the field.
    pub fn register(&mut self, mut profile: Profile) -> Result<(), ProfileError> {
        let kind = profile.raw.kind.clone();
        for name in std::iter::once(&kind).chain(&profile.raw.aliases) {
            if self.kind(name).is_some() {
                return Err(ProfileError::Taken { kind: name.clone() });
            }
        }
        if let Some(parent) = &profile.raw.extends {
            let Some(parent) = self.kind(parent) else {
                return Err(ProfileError::UnknownParent { kind, parent: parent.clone() });
            };
            profile.raw = profile.raw.over(&parent.raw);
        }
        self.try_out(&profile)?;
        for alias in &profile.raw.aliases {
            self.aliases.insert(alias.clone(), kind.clone());
        }
        self.profiles.insert(kind, profile);
        Ok(())
    }

    /// Names of all kinds, in alphabetical order, without aliases.
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        self.profiles.keys().map(String::as_str)
    }

    /// A kind by name or alias.
    #[must_use]
    pub fn kind(&self, name: &str) -> Option<&Profile> {
        self.profiles.get(self.aliases.get(name).map_or(name, String::as_str))
    }

    /// Builds a provider: everything that can be worked out before the first call is worked out here.
    ///
    /// # Errors
    /// When the kind is unknown or a setting cannot work; the error names the provider and the field.
    pub fn build(&self, settings: &ProviderSettings) -> Result<Arc<ConfiguredProvider>, BuildError> {
        let Some(profile) = self.kind(&settings.kind) else {
            return Err(BuildError::UnknownKind {
                provider: settings.name.clone(),
                kind: settings.kind.clone(),
                hint: self
                    .nearest(&settings.kind)
                    .map_or_else(String::new, |name| format!(" (did you mean `{name}`?)")),
                known: self.kinds().collect::<Vec<_>>().join(", "),
            });
        };
        let provider = ConfiguredProvider::new(profile, &self.dialects, settings);
        provider.map(Arc::new).map_err(|problem| BuildError::Field {
            provider: settings.name.clone(),
            field: problem.field,
            problem: problem.text,
        })
    }

    /// Builds a provider with every format switched on, so that broken data is found now and not at the first use.
    fn try_out(&self, profile: &Profile) -> Result<(), ProfileError> {
        let real = profile.base_url().filter(|url| *url != builtin::IN_PROCESS);
        let settings = ProviderSettings {
            name: profile.kind().to_owned(),
            kind: profile.kind().to_owned(),
            base_url: Some(real.unwrap_or("http://localhost").to_owned()),
            api_key: Some(Secret::new("trial")),
            options_json: Some(format!("{{\"speaks\":{:?}}}", profile.dialects())),
            ..ProviderSettings::default()
        };
        let trial = ConfiguredProvider::new(profile, &self.dialects, &settings);
        trial.map(|_| ()).map_err(|problem| ProfileError::Field {
            kind: profile.kind().to_owned(),
            field: problem.field,
            problem: problem.text,
        })
    }

    fn nearest(&self, wanted: &str) -> Option<&str> {
        let wanted = wanted.trim().to_ascii_lowercase();
        let names = self.profiles.keys().chain(self.aliases.keys());
        let (distance, name) = names.map(|name| (distance(&wanted, name), name.as_str())).min()?;
        (distance <= 1 + name.len() / 4).then_some(name)
    }
}

/// Edit distance, over bytes: names are ASCII.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, from) in left.bytes().enumerate() {
        let mut diagonal = at;
        let mut before = at + 1;
        for (cell, to) in row.iter_mut().skip(1).zip(right.bytes()) {
            let above = *cell;
            *cell = (diagonal + usize::from(from != to)).min(above + 1).min(before + 1);
            diagonal = above;
            before = *cell;
        }
        if let Some(first) = row.first_mut() {
            *first = at + 1;
        }
    }
    row.last().copied().unwrap_or(left.len())
}
