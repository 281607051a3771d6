//! Capability records by model name, all worked out at start: a lookup compares prefixes and clones a pointer.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use gw_spi::Capabilities;

use crate::capability_patch::CapabilityPatch;

/// What data says about the models of one provider, from general to specific.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    /// For every model.
    pub(crate) general: &'a CapabilityPatch,
    /// By pattern.
    pub(crate) models: &'a BTreeMap<String, CapabilityPatch>,
}

/// The records of one provider.
#[derive(Debug)]
pub(crate) struct ModelTable {
    /// Most specific first.
    rules: Vec<Rule>,
    fallback: Arc<Capabilities>,
    prefixes: Vec<String>,
}

#[derive(Debug)]
struct Rule {
    pattern: Pattern,
    record: Arc<Capabilities>,
}

/// A model name, or the beginning of one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Pattern {
    text: String,
    exact: bool,
}

impl ModelTable {
    /// Works out every record. `layers` go from profile to operator; within a layer all patterns that match a name
    /// apply, shortest first. `prefixes` are removed from a name before it is looked up.
    ///
    /// # Errors
    /// What is wrong with a pattern.
    pub(crate) fn new(layers: &[Facts<'_>], prefixes: &[String]) -> Result<Self, String> {
        let mut parsed = Vec::with_capacity(layers.len());
        for layer in layers {
            let mut rules = Vec::new();
            for (key, patch) in layer.models {
                for pattern in key.split('|') {
                    rules.push((Pattern::parse(pattern.trim(), key)?, patch));
                }
            }
            rules.sort_by_key(|(pattern, _)| pattern.weight());
            parsed.push((layer.general, rules));
        }
        let record = |of: Option<&Pattern>| {
            let mut record = Capabilities::default();
            for (general, rules) in &parsed {
                general.apply(&mut record);
                let matching = rules.iter().filter(|(pattern, _)| of.is_some_and(|of| pattern.covers(of)));
                matching.for_each(|(_, patch)| patch.apply(&mut record));
            }
            Arc::new(record)
        };
        let mut patterns: Vec<Pattern> =
            parsed.iter().flat_map(|(_, rules)| rules.iter().map(|(pattern, _)| pattern.clone())).collect();
        patterns.sort_by(|a, b| Reverse(a.weight()).cmp(&Reverse(b.weight())).then_with(|| a.cmp(b)));
        patterns.dedup();
        let fallback = record(None);
        let rules = patterns.into_iter().map(|pattern| Rule { record: record(Some(&pattern)), pattern }).collect();
        Ok(Self { rules, fallback, prefixes: prefixes.to_vec() })
    }

    /// The record of the most specific pattern that matches, else of the provider.
    pub(crate) fn record(&self, model: &str) -> Arc<Capabilities> {
        let model = self.prefixes.iter().find_map(|prefix| model.strip_prefix(prefix.as_str())).unwrap_or(model);
        let rule = self.rules.iter().find(|rule| rule.pattern.matches(model));
        Arc::clone(rule.map_or(&self.fallback, |rule| &rule.record))
    }
}

impl Pattern {
    fn parse(text: &str, key: &str) -> Result<Self, String> {
        let (text, exact) = text.strip_suffix('*').map_or((text, true), |text| (text, false));
        if text.contains('*') || (exact && text.is_empty()) {
            return Err(format!("has the pattern `{key}`: write a whole model name, or its beginning followed by `*`"));
        }
        Ok(Self { text: text.to_ascii_lowercase(), exact })
    }

    /// Specific patterns weigh more.
    fn weight(&self) -> (usize, bool) {
        (self.text.len(), self.exact)
    }

    fn matches(&self, model: &str) -> bool {
        let wanted = self.text.as_bytes();
        let model = model.as_bytes();
        (!self.exact || model.len() == wanted.len())
            && model.get(..wanted.len()).is_some_and(|start| start.eq_ignore_ascii_case(wanted))
    }

    /// Whether every name that `other` matches is matched by this one too.
    fn covers(&self, other: &Self) -> bool {
        if self.exact { self == other } else { other.text.starts_with(&self.text) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Facts, ModelTable};
    use crate::capability_patch::CapabilityPatch;

    fn patches(text: &str) -> BTreeMap<String, CapabilityPatch> {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn specific_patterns_win_and_inherit() {
        let general = CapabilityPatch { max_output: Some(1), ..CapabilityPatch::default() };
        let models = patches(
            "['a*']\nmax_output = 2\ncontext = 20\n['ab* | x']\nmax_output = 3\n['ab']\nmax_output = 4\n['abc*']\ncontext = 30",
        );
        let operator = CapabilityPatch { max_stops: Some(9), ..CapabilityPatch::default() };
        let own = patches("['ABX*']\nmax_output = 8");
        let layers = [Facts { general: &general, models: &models }, Facts { general: &operator, models: &own }];
        let table = ModelTable::new(&layers, &["models/".to_owned()]).unwrap();
        let facts = |model: &str| {
            let record = table.record(model);
            (record.max_output, record.context, record.max_stops)
        };
        assert_eq!(facts("zzz"), (Some(1), None, 9));
        assert_eq!(facts("a"), (Some(2), Some(20), 9));
        assert_eq!(facts("ab"), (Some(4), Some(20), 9), "a whole name beats a beginning of equal length");
        assert_eq!(facts("abb"), (Some(3), Some(20), 9));
        assert_eq!(facts("models/ABC-1"), (Some(3), Some(30), 9), "case and resource prefix do not matter");
        assert_eq!(facts("abx"), (Some(8), Some(20), 9), "the operator has the last word");
        assert_eq!(facts("x"), (Some(3), None, 9));
        assert_eq!(facts("xy"), (Some(1), None, 9));
        assert!(ModelTable::new(&[Facts { general: &general, models: &patches("['a*b']") }], &[]).is_err());
    }
}
