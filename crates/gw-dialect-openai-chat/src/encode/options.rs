//! Limits, sampling, cache, state, identity, service and safety of a request for a server.

use gw_core::{Effort, Field, LossClass, Number, Place, Toggle};
use gw_spi::{Sampled, TokenParam};
use gw_wire::{Document, Limits};

use super::{Body, Plan, own_extras};
use crate::ID;
use crate::target::CacheStyle;

/// Writes these groups.
pub(super) fn encode(plan: &mut Plan<'_>, body: &mut Body) {
    if plan.context.stream {
        body.put("stream", |writer| writer.bool(true));
        if plan.capabilities.stream_usage_option {
            body.put("stream_options", |writer| writer.object(|options| options.field_bool("include_usage", true)));
        }
    }
    limits(plan, body);
    sampling(plan, body);
    penalties(plan, body);
    logprobs(plan, body);
    cache(plan, body);
    state(plan, body);
    identity(plan, body);
    service(plan, body);
    safety(plan, body);
}

fn limits(plan: &mut Plan<'_>, body: &mut Body) {
    let limits = &plan.request.limits;
    if let Some(most) = limits.max_output_tokens {
        let name = match plan.capabilities.token_param {
            TokenParam::MaxTokens => "max_tokens",
            TokenParam::MaxCompletionTokens => "max_completion_tokens",
        };
        body.put(name, |writer| writer.u64(most));
    }
    if let Some(least) = limits.min_tokens {
        if plan.target.lenient_own && !plan.target.openai || plan.target.mistral {
            body.put("min_tokens", |writer| writer.u64(least));
        } else {
            plan.drop(Field::MinTokens, LossClass::Approximated, "the target has no minimum length");
        }
    }
    if limits.stop.is_empty() {
        return;
    }
    let (sent, watched) = limits.stop.split_at(limits.stop.len().min(plan.capabilities.max_stops));
    if !sent.is_empty() {
        body.put("stop", |writer| {
            writer.array(|array| {
                for text in sent {
                    array.string(text);
                }
            });
        });
    }
    if !watched.is_empty() {
        plan.emulate_stops = watched.to_vec();
        plan.emulate(Field::Stop, "the gateway watches the output for the stop sequences that the target cannot");
    }
}

/// Whether reasoning is certainly off.
fn reasoning_off(plan: &Plan<'_>) -> bool {
    let reasoning = &plan.request.reasoning;
    reasoning.toggle == Toggle::Off || reasoning.effort == Some(Effort::None) || reasoning.budget_tokens == Some(0)
}

fn sampling(plan: &mut Plan<'_>, body: &mut Body) {
    let sampling = &plan.request.sampling;
    let accepted = match plan.capabilities.sampling {
        Sampled::Always => true,
        Sampled::Never => false,
        Sampled::WithoutReasoning => reasoning_off(plan),
    };
    if let Some(value) = &sampling.temperature {
        let highest = plan.capabilities.max_temperature;
        if !accepted {
            plan.drop(Field::Temperature, LossClass::Approximated, "the target takes no temperature here");
        } else if value.as_f64().is_some_and(|wanted| wanted > highest) {
            let clamped = Number::from(highest);
            plan.approximate(Field::Temperature, format!("lowered to the target's highest, {}", clamped.as_str()));
            number(body, "temperature", &clamped);
        } else {
            number(body, "temperature", value);
        }
    }
    if let Some(value) = &sampling.top_p {
        if accepted {
            number(body, "top_p", value);
        } else {
            plan.drop(Field::TopP, LossClass::Approximated, "the target takes no top_p here");
        }
    }
    let extensions = [
        ("top_k", Field::TopK, &sampling.top_k),
        ("min_p", Field::MinP, &sampling.min_p),
        ("repetition_penalty", Field::RepetitionPenalty, &sampling.repetition_penalty),
    ];
    for (name, field, value) in extensions {
        let Some(value) = value else { continue };
        if accepted && plan.capabilities.top_k {
            number(body, name, value);
        } else {
            plan.drop(field, LossClass::Approximated, format!("the target takes no {name}"));
        }
    }
    if let Some(value) = &sampling.seed {
        if plan.capabilities.seed {
            number(body, plan.capabilities.seed_name.as_deref().unwrap_or("seed"), value);
        } else {
            plan.drop(Field::Seed, LossClass::Approximated, "the target takes no seed");
        }
    }
}

fn penalties(plan: &mut Plan<'_>, body: &mut Body) {
    let sampling = &plan.request.sampling;
    let both = [
        ("frequency_penalty", Field::FrequencyPenalty, &sampling.frequency_penalty),
        ("presence_penalty", Field::PresencePenalty, &sampling.presence_penalty),
    ];
    for (name, field, value) in both {
        let Some(value) = value else { continue };
        if plan.capabilities.penalties {
            number(body, name, value);
        } else {
            plan.drop(field, LossClass::Approximated, format!("the target takes no {name}"));
        }
    }
    if let Some(bias) = &sampling.logit_bias {
        if plan.capabilities.logit_bias && plan.target.own {
            body.put("logit_bias", |writer| writer.raw(bias.as_str()));
        } else {
            plan.drop(Field::LogitBias, LossClass::Semantic, "token ids mean nothing to the target's tokenizer");
        }
    }
}

fn logprobs(plan: &mut Plan<'_>, body: &mut Body) {
    let sampling = &plan.request.sampling;
    if plan.capabilities.logprobs {
        if let Some(wanted) = sampling.logprobs {
            body.put("logprobs", |writer| writer.bool(wanted));
        } else if sampling.top_logprobs.is_some() {
            body.put("logprobs", |writer| writer.bool(true));
        }
        if let Some(count) = sampling.top_logprobs {
            body.put("top_logprobs", |writer| writer.u64(u64::from(count)));
        }
        return;
    }
    if sampling.logprobs == Some(true) {
        plan.drop(Field::Logprobs, LossClass::Approximated, "the target has no log-probabilities");
    }
    if sampling.top_logprobs.is_some() {
        plan.drop(Field::TopLogprobs, LossClass::Approximated, "the target has no log-probabilities");
    }
}

fn cache(plan: &mut Plan<'_>, body: &mut Body) {
    let cache = &plan.request.cache;
    let takes_key = plan.target.openai || plan.target.mistral || plan.target.lenient_own;
    if let Some(key) = &cache.key {
        if takes_key {
            body.put("prompt_cache_key", |writer| writer.string(key));
        } else {
            plan.drop(Field::CacheKey, LossClass::Performance, "the target has no cache key");
        }
    }
    let takes_options = plan.target.openai || plan.target.lenient_own;
    if let Some((dialect, options)) = &cache.options {
        if *dialect == ID && takes_options {
            body.put("prompt_cache_options", |writer| writer.raw(options.as_str()));
        } else {
            plan.drop(Field::CacheKey, LossClass::Performance, "the target has no such cache options");
        }
    }
    if let Some(retention) = &cache.retention {
        if takes_options {
            body.put("prompt_cache_retention", |writer| writer.string(retention));
        } else {
            plan.drop(Field::CacheKey, LossClass::Performance, "the target has no cache retention");
        }
    }
    if cache.handle.is_some() {
        plan.drop(Field::CacheHandle, LossClass::Semantic, "cached content of another vendor cannot be read");
    }
    if let Some(mark) = &cache.auto_last {
        if plan.capabilities.cache_marks && plan.target.cache == CacheStyle::Control {
            body.put("cache_control", |writer| super::parts::write_cache_control(writer, mark));
        } else {
            plan.drop(Field::CacheMark, LossClass::Performance, "the target caches by itself or not at all");
        }
    }
}

fn state(plan: &mut Plan<'_>, body: &mut Body) {
    match plan.request.state.store {
        Some(store) if plan.capabilities.store => body.put("store", |writer| writer.bool(store)),
        Some(true) => plan.drop(Field::Store, LossClass::Semantic, "the target does not store answers"),
        Some(false) => plan.drop(Field::Store, LossClass::Advisory, "the target does not store answers"),
        None => {}
    }
    for extra in &plan.request.state.fields {
        if extra.dialect == ID && plan.target.lenient_own {
            body.put(&extra.name, |writer| writer.raw(extra.value.as_str()));
        } else {
            let note = format!("'{}' refers to state that the target does not have", extra.name);
            plan.drop(Field::ServerState, LossClass::Semantic, note);
        }
    }
}

fn identity(plan: &mut Plan<'_>, body: &mut Body) {
    let identity = &plan.request.identity;
    if let Some(user) = &identity.end_user {
        if plan.capabilities.end_user {
            body.put("user", |writer| writer.string(user));
        } else {
            plan.drop(Field::EndUser, LossClass::Identity, "the target takes no end user");
        }
    }
    if let Some(identifier) = &identity.safety_identifier {
        if plan.target.openai {
            body.put("safety_identifier", |writer| writer.string(identifier));
        } else if plan.capabilities.end_user && identity.end_user.is_none() {
            body.put("user", |writer| writer.string(identifier));
        } else {
            plan.drop(Field::EndUser, LossClass::Identity, "the target takes no safety identifier");
        }
    }
    if let Some(metadata) = &identity.metadata {
        if plan.capabilities.metadata {
            body.put("metadata", |writer| writer.raw(metadata.as_str()));
        } else {
            plan.drop(Field::Metadata, LossClass::Identity, "the target takes no metadata");
        }
    }
}

fn service(plan: &mut Plan<'_>, body: &mut Body) {
    let service = &plan.request.service;
    if let Some(tier) = &service.tier {
        let word = match tier.as_str() {
            _ if plan.target.own => tier.as_str(),
            "standard" | "standard_only" => "default",
            other => other,
        };
        if plan.capabilities.service_tier {
            body.put("service_tier", |writer| writer.string(word));
            if word != tier {
                plan.approximate(Field::ServiceTier, format!("sent as '{word}'"));
            }
        } else if tier == "auto" {
            plan.drop(Field::ServiceTier, LossClass::Advisory, "the target has one tier");
        } else {
            plan.drop(Field::ServiceTier, LossClass::Approximated, "the target has one tier");
        }
    }
    if service.speed.is_some() {
        plan.drop(Field::ServiceTier, LossClass::Approximated, "the target has no speed setting");
    }
    if service.geo.is_some() {
        plan.drop(Field::ServiceTier, LossClass::Approximated, "the target has no region setting");
    }
}

fn safety(plan: &mut Plan<'_>, body: &mut Body) {
    for (dialect, settings, tightens) in &plan.request.safety {
        let mut sent = false;
        if *dialect == ID
            && let Ok(document) = Document::parse(settings.as_str(), Limits::default())
        {
            for (name, value) in document.root().members() {
                let takes = match name.as_ref() {
                    "safe_prompt" => plan.target.mistral,
                    "moderation" => plan.target.openai,
                    _ => false,
                };
                if takes {
                    body.put(&name, |writer| writer.raw(value.raw()));
                    sent = true;
                }
            }
        }
        if !sent {
            let class = if *tightens { LossClass::Safety } else { LossClass::Approximated };
            plan.drop(Field::Safety, class, "the target has no such safety setting");
        }
    }
}

/// Unknown top-level fields: written last, never over a field that is there.
pub(super) fn extras(plan: &mut Plan<'_>, body: &mut Body) {
    let request = plan.request;
    for extra in own_extras(plan, &request.extras, Place::default()) {
        if body.has(&extra.name) {
            let note = format!("'{}' was written from what the gateway understood of it", extra.name);
            plan.drop(Field::Unknown, LossClass::Approximated, note);
        } else {
            body.put(&extra.name, |writer| writer.raw(extra.value.as_str()));
        }
    }
}

fn number(body: &mut Body, name: &str, value: &Number) {
    body.put(name, |writer| writer.raw(value.as_str()));
}
