//! Limits, sampling, identity, service and whatever else stands at the top level.

use gw_core::{Field, LossClass, Number};
use gw_wire::JsonWriter;

use super::output::write_members;
use super::{Encoder, Purpose};
use crate::marks::{lifetime_loss, write_mark};
use crate::{ID, VENDOR};

/// Output limit where neither the client nor the model's record says one: every current model takes it.
pub(super) const DEFAULT_MAX_TOKENS: u64 = 8_192;

impl Encoder<'_> {
    /// The output limit that is sent.
    pub(super) fn output_limit(&self) -> u64 {
        let most = self.context.capabilities.max_output;
        match self.request.limits.max_output_tokens {
            Some(wanted) => most.map_or(wanted, |most| wanted.min(most)),
            None => most.unwrap_or(DEFAULT_MAX_TOKENS),
        }
    }

    pub(super) fn max_tokens(&mut self, w: &mut JsonWriter) {
        let limit = self.output_limit();
        if self.request.limits.max_output_tokens.is_some_and(|wanted| wanted != limit) {
            let note = format!("output limit sent as {limit}, the model's largest");
            self.changed(Field::MaxOutputTokens, LossClass::Approximated, note);
        }
        if self.request.limits.min_tokens.is_some() {
            self.lose(Field::MinTokens, LossClass::Approximated, "the target has no minimum length");
        }
        if self.top(w, "max_tokens") {
            w.u64(limit);
        }
    }

    pub(super) fn sampling(&mut self, w: &mut JsonWriter) {
        let sampling = &self.request.sampling;
        let refused = self.refuses_sampling();
        let class = LossClass::Approximated;
        let mut top_p = sampling.top_p.as_ref();
        if !self.own && !refused && self.context.vendor == VENDOR && sampling.temperature.is_some() && top_p.is_some() {
            // Current models take one of the two; a top_p of 1 has no effect anyway.
            if top_p.and_then(Number::as_f64) != Some(1.0) {
                self.lose(Field::TopP, class, "the model takes temperature or top_p, not both");
            }
            top_p = None;
        }
        let temperature = if refused { sampling.temperature.clone() } else { self.temperature() };
        let top_k = sampling.top_k.as_ref();
        for (field, name, value, taken) in [
            (Field::Temperature, "temperature", temperature.as_ref(), true),
            (Field::TopP, "top_p", top_p, true),
            (Field::TopK, "top_k", top_k, self.context.capabilities.top_k),
        ] {
            let Some(value) = value else { continue };
            if refused || !taken {
                self.lose(field, class, "the model takes no such sampling parameter");
            } else if self.top(w, name) {
                w.raw(value.as_str());
            }
        }
        self.lost_sampling();
    }

    fn temperature(&mut self) -> Option<Number> {
        let wanted = self.request.sampling.temperature.clone()?;
        let mut most = self.context.capabilities.max_temperature;
        if self.context.vendor == VENDOR {
            most = most.min(1.0);
        }
        if wanted.as_f64().is_none_or(|value| value <= most) {
            return Some(wanted);
        }
        let sent = Number::from(most);
        self.changed(Field::Temperature, LossClass::Approximated, format!("temperature sent as {}", sent.as_str()));
        Some(sent)
    }

    fn lost_sampling(&mut self) {
        let sampling = &self.request.sampling;
        let differs = |number: &Option<Number>, neutral: f64| {
            number.as_ref().is_some_and(|number| number.as_f64() != Some(neutral))
        };
        for (field, present, class) in [
            (Field::MinP, differs(&sampling.min_p, 0.0), LossClass::Approximated),
            (Field::Seed, sampling.seed.is_some(), LossClass::Approximated),
            (Field::FrequencyPenalty, differs(&sampling.frequency_penalty, 0.0), LossClass::Approximated),
            (Field::PresencePenalty, differs(&sampling.presence_penalty, 0.0), LossClass::Approximated),
            (Field::RepetitionPenalty, differs(&sampling.repetition_penalty, 1.0), LossClass::Approximated),
            (Field::LogitBias, sampling.logit_bias.is_some(), LossClass::Semantic),
            (Field::Logprobs, sampling.logprobs == Some(true), LossClass::Approximated),
            (Field::TopLogprobs, sampling.top_logprobs.is_some_and(|count| count > 0), LossClass::Approximated),
        ] {
            if present {
                self.lose(field, class, "the target has no such parameter");
            }
        }
    }

    pub(super) fn stops(&mut self, w: &mut JsonWriter) {
        let most = self.context.capabilities.max_stops;
        let mut sent: Vec<&str> = Vec::new();
        for stop in &self.request.limits.stop {
            if stop.is_empty() {
                self.losses.push(gw_core::Loss::new(
                    Field::Stop,
                    LossClass::Advisory,
                    gw_core::LossAction::Dropped,
                    "an empty stop sequence matches nothing",
                ));
            } else if sent.len() < most && !stop.trim().is_empty() {
                sent.push(stop);
            } else {
                self.emulate_stops.push(stop.clone());
            }
        }
        if !self.emulate_stops.is_empty() {
            self.emulated(Field::Stop, "the gateway watches for stop sequences that the target does not take");
        }
        if !sent.is_empty() && self.top(w, "stop_sequences") {
            w.array(|w| sent.iter().for_each(|stop| w.string(stop)));
        }
    }

    pub(super) fn identity(&mut self, w: &mut JsonWriter) {
        let identity = &self.request.identity;
        let mut user = identity.end_user.as_deref();
        match (&identity.safety_identifier, user) {
            (Some(_), Some(_)) => self.lose(Field::EndUser, LossClass::Identity, "one user id is sent, not two"),
            (Some(id), None) => user = Some(id),
            (None, _) => {}
        }
        if identity.metadata.is_some() {
            self.lose(Field::Metadata, LossClass::Identity, "the target takes no metadata besides a user id");
        }
        if user.is_some() && !self.context.capabilities.end_user {
            self.lose(Field::EndUser, LossClass::Identity, "the target takes no user id");
            user = None;
        }
        let rest = self.own_extra("metadata");
        if (user.is_some() || rest.is_some()) && self.top(w, "metadata") {
            w.object(|w| {
                if let Some(user) = user {
                    w.field_str("user_id", user);
                }
                write_members(w, rest, &["user_id"]);
            });
        }
    }

    pub(super) fn service(&mut self, w: &mut JsonWriter) {
        let service = &self.request.service;
        let taken = self.context.capabilities.service_tier;
        if let Some(tier) = service.tier.as_deref() {
            let (word, exact) = match tier {
                "auto" => (None, true),
                "standard_only" => (Some("standard_only"), true),
                "default" | "standard" | "on_demand" => (Some("standard_only"), true),
                "priority" | "scale" => (Some("auto"), false),
                _ => (None, false),
            };
            let word = if self.own { Some(tier) } else { word };
            match word {
                Some(word) if taken => {
                    if !self.own && !exact {
                        self.changed(Field::ServiceTier, LossClass::Approximated, format!("tier sent as {word}"));
                    }
                    if self.top(w, "service_tier") {
                        w.string(word);
                    }
                }
                // The standard tier is what a target without tiers gives.
                Some("standard_only" | "auto") if exact => {}
                None if exact => {}
                Some(_) | None => self.lose(Field::ServiceTier, LossClass::Approximated, "the tier has no equivalent"),
            }
        }
        if let Some(speed) = service.speed.as_deref() {
            if self.context.vendor != VENDOR {
                self.lose(Field::ServiceTier, LossClass::Approximated, "the target has no speed setting");
            } else if self.top(w, "speed") {
                w.string(speed);
                self.betas.insert("fast-mode-2026-02-01");
            }
        }
        if let Some(geo) = service.geo.as_deref() {
            if self.context.vendor != VENDOR {
                self.lose(Field::ServiceTier, LossClass::Semantic, "the target cannot be held to a region");
            } else if self.top(w, "inference_geo") {
                w.string(geo);
            }
        }
    }

    /// The top-level mark, and cache fields that this format does not have.
    pub(super) fn cache(&mut self, w: &mut JsonWriter) {
        let cache = &self.request.cache;
        let class = LossClass::Performance;
        if let Some(mark) = &cache.auto_last {
            if !self.context.capabilities.cache_marks {
                self.lose(Field::CacheMark, class, "the target takes no cache marks");
            } else if self.top(w, "cache_control") {
                self.losses.extend(lifetime_loss(Some(mark), gw_core::Place::default()));
                write_mark(w, mark);
            }
        }
        for present in [cache.key.is_some(), cache.options.is_some(), cache.retention.is_some()] {
            if present {
                self.lose(Field::CacheKey, class, "the target has no cache keys or options");
            }
        }
        if cache.handle.is_some() {
            self.lose(Field::CacheHandle, LossClass::Semantic, "cached content of another vendor cannot be used");
        }
    }

    pub(super) fn candidates(&mut self) {
        if let Some(count) = self.request.output.candidates.filter(|count| *count > 1) {
            self.emulate_candidates = count;
            self.emulated(Field::Candidates, "each candidate is a call of its own");
        }
    }

    /// Whole-request fields that have no place in this format at all.
    pub(super) fn losses_of_request(&mut self) {
        let output = &self.request.output;
        let foreign_modality = output.modalities.iter().any(|modality| modality != "text");
        for (field, present, class, note) in [
            (Field::Modalities, foreign_modality, LossClass::Semantic, "the target answers in text only"),
            (Field::AudioOutput, output.audio.is_some(), LossClass::Semantic, "the target answers in text only"),
            (Field::ImageOutput, output.image.is_some(), LossClass::Semantic, "the target answers in text only"),
            (Field::Prediction, output.prediction.is_some(), LossClass::Advisory, "no predicted output"),
            (Field::Verbosity, output.verbosity.is_some(), LossClass::Advisory, "no verbosity setting"),
            (Field::MediaResolution, output.media_resolution.is_some(), LossClass::Advisory, "no media resolution"),
            (Field::Store, self.request.state.store == Some(true), LossClass::Semantic, "nothing is stored"),
        ] {
            if present {
                self.lose(field, class, note);
            }
        }
        for (_, _, tightens) in &self.request.safety {
            let class = if *tightens { LossClass::Safety } else { LossClass::Approximated };
            self.lose(Field::Safety, class, "the target has no such safety setting");
        }
    }

    /// Server-side state.
    pub(super) fn state(&mut self, w: &mut JsonWriter, purpose: Purpose) {
        for extra in &self.request.state.fields {
            if extra.dialect != ID {
                self.lose(Field::ServerState, LossClass::Semantic, format!("'{}' cannot cross vendors", extra.name));
            } else if (purpose == Purpose::Answer || extra.name != "container") && self.top(w, &extra.name) {
                w.raw(extra.value.as_str());
                match extra.name.as_str() {
                    "mcp_servers" => drop(self.betas.insert("mcp-client-2025-11-20")),
                    "context_management" => drop(self.betas.insert("context-management-2025-06-27")),
                    _ => {}
                }
            }
        }
    }

    /// Unknown top-level fields: given back to this format, reported for every other.
    pub(super) fn extras(&mut self, w: &mut JsonWriter, purpose: Purpose) {
        for extra in &self.request.extras {
            if extra.dialect != ID {
                self.lose(Field::Unknown, LossClass::Approximated, format!("field '{}'", extra.name));
            } else if matches!(extra.name.as_str(), "thinking" | "output_config" | "metadata") {
                // Merged into the object that it came from.
            } else if self.context.capabilities.strict_fields && self.context.vendor != VENDOR {
                self.lose(Field::Unknown, LossClass::Approximated, format!("the target refuses '{}'", extra.name));
            } else if purpose == Purpose::Answer && self.top(w, &extra.name) {
                w.raw(extra.value.as_str());
                if extra.name == "context_management" {
                    self.betas.insert("context-management-2025-06-27");
                }
            }
        }
    }
}
