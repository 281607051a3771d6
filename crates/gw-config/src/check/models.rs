//! Rules for models, aliases and the default model.

use std::collections::{BTreeMap, BTreeSet};

use super::Check;
use super::providers::Candidate;
use crate::config::{Alias, Model, Provider};
use crate::environment::shorten;
use crate::problem::{Located, Origin};
use crate::raw::{RawAlias, RawModel, Written};

/// A model that still knows where it was written.
pub(super) struct Draft {
    pub(super) model: Model,
    pub(super) field: String,
    /// Place of the provider's name.
    pub(super) origin: Origin,
    aliases: Written<Vec<String>>,
}

impl Check<'_> {
    /// Checks the list and adds providers that models name by their type alone, as source 001 does.
    pub(super) fn models(
        &mut self,
        written: Written<Vec<RawModel>>,
        mut candidates: Vec<Candidate>,
        default_provider: Option<&Located<String>>,
        timeouts: &crate::config::Timeouts,
    ) -> (Vec<Candidate>, Vec<Draft>) {
        let mut drafts = Vec::new();
        if let Some(Located { value: models, origin }) = written {
            if models.is_empty() {
                let remedy = "list at least one model, or remove `models:`";
                self.problems.error(&origin, "models", "the list of models is empty", remedy);
            }
            let mut seen = BTreeMap::new();
            drafts = models.into_iter().filter_map(|raw| self.model(raw, &mut seen, &candidates)).collect();
        }
        let references = drafts.iter().map(|draft| (draft.model.provider.clone(), draft.origin.clone()));
        let by_default = default_provider.map(|located| (located.value.clone(), located.origin.clone()));
        let references: Vec<(String, Origin)> = references.chain(by_default).collect();
        for (name, origin) in references {
            let listed = candidates.iter().any(|candidate| candidate.provider.name == name);
            if !listed && self.types.find(&name).is_some() {
                let mut candidate = self.implicit(&name, &name, origin, timeouts);
                self.complete(&mut candidate);
                candidates.push(candidate);
            }
        }
        (candidates, drafts)
    }

    fn model(&mut self, raw: RawModel, seen: &mut BTreeMap<String, Origin>, candidates: &[Candidate]) -> Option<Draft> {
        let RawModel { field, origin, name, provider, .. } = raw;
        if name.is_none() {
            self.problems.error(&origin, format!("{field}.name"), "the model has no name", "add `name:`");
        }
        if provider.is_none() {
            self.problems.error(&origin, format!("{field}.provider"), "the model has no provider", "add `provider:`");
        }
        if let Some(name) = &name {
            if let Some(first) = seen.get(&name.value) {
                let line = match first {
                    Origin::File { line, .. } => format!(", first on line {line}"),
                    _ => String::new(),
                };
                let message = format!("model `{}` is listed twice{line}", shorten(&name.value));
                self.problems.error(&name.origin, format!("{field}.name"), message, "remove or rename one of them");
            } else {
                seen.insert(name.value.clone(), name.origin.clone());
            }
        }
        let (name, provider) = (name?, provider?);
        let known = candidates.iter().any(|candidate| candidate.provider.name == provider.value)
            || self.types.find(&provider.value).is_some();
        if !known {
            let message = format!("unknown provider {:?}", shorten(&provider.value));
            let remedy = self.provider_remedy(&provider.value, candidates);
            self.problems.error(&provider.origin, format!("{field}.provider"), message, remedy);
        }
        let model = Model {
            target: raw.target.map_or_else(|| name.value.clone(), |located| located.value),
            name: name.value,
            provider: provider.value,
            description: raw.description.map(|located| located.value),
        };
        Some(Draft { model, field, origin: provider.origin, aliases: raw.aliases })
    }

    /// Settles models and aliases: every name is unique, every alias leads somewhere and never in a circle.
    pub(super) fn names(
        &mut self,
        drafts: Vec<Draft>,
        written: Vec<RawAlias>,
        has_default_provider: bool,
        providers: &[Provider],
    ) -> (Vec<Model>, Vec<Alias>) {
        let mut places: Vec<(String, Origin)> = Vec::new();
        let mut aliases = Vec::new();
        let mut models = Vec::new();
        for draft in drafts {
            for alias in draft.aliases.iter().flat_map(|located| &located.value) {
                places.push((format!("{}.aliases", draft.field), draft.origin.clone()));
                aliases.push(Alias { name: alias.clone(), target: draft.model.name.clone() });
            }
            models.push(draft.model);
        }
        for raw in written {
            places.push((raw.field, raw.target.origin));
            aliases.push(Alias { name: raw.name, target: raw.target.value });
        }
        let mut taken: BTreeSet<&str> = models.iter().map(|model| model.name.as_str()).collect();
        for (alias, (field, origin)) in aliases.iter().zip(&places) {
            if !taken.insert(&alias.name) {
                let message = format!("the name `{}` is already taken", shorten(&alias.name));
                self.problems.error(origin, field.as_str(), message, "rename the alias or remove it");
            }
        }
        for (alias, (field, origin)) in aliases.iter().zip(&places) {
            if circular(alias, &aliases) {
                let message = format!("alias `{}` leads back to itself", shorten(&alias.name));
                self.problems.error(origin, field.as_str(), message, "let it end at a model");
            } else if !has_default_provider && !resolvable(&alias.target, providers, &models, &aliases) {
                let message = format!("{:?} is neither a model nor `provider/model`", shorten(&alias.target));
                self.problems.error(origin, field.as_str(), message, model_remedy(&alias.target, &models));
            }
        }
        (models, aliases)
    }

    pub(super) fn default_model(
        &mut self,
        written: Written<String>,
        has_default_provider: bool,
        providers: &[Provider],
        models: &[Model],
        aliases: &[Alias],
    ) -> Option<String> {
        let Located { value, origin } = written?;
        if !has_default_provider && !resolvable(&value, providers, models, aliases) {
            let message = format!("{:?} is neither a model nor `provider/model`", shorten(&value));
            self.problems.error(&origin, "default_model", message, model_remedy(&value, models));
        }
        Some(value)
    }
}

fn resolvable(target: &str, providers: &[Provider], models: &[Model], aliases: &[Alias]) -> bool {
    let prefixed = target
        .split_once('/')
        .is_some_and(|(first, model)| !model.is_empty() && providers.iter().any(|provider| provider.name == first));
    let offered = providers.iter().any(|provider| {
        provider.default_model.as_deref() == Some(target) || provider.allowed_models.iter().any(|name| name == target)
    });
    prefixed
        || offered
        || models.iter().any(|model| model.name == target)
        || aliases.iter().any(|alias| alias.name == target)
}

fn circular(start: &Alias, aliases: &[Alias]) -> bool {
    let mut target = start.target.as_str();
    for _ in 0..=aliases.len() {
        if target == start.name {
            return true;
        }
        match aliases.iter().find(|alias| alias.name == target) {
            Some(next) => target = &next.target,
            None => return false,
        }
    }
    // A circle further along the way; its members report it.
    false
}

fn model_remedy(unknown: &str, models: &[Model]) -> String {
    match crate::suggest::nearest(unknown, models.iter().map(|model| model.name.as_str())) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "list it under `models`, write `provider/model`, or set `default_provider`".to_owned(),
    }
}
