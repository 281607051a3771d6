//! The canonical request to a provider's body, with a loss for everything that it cannot carry.

mod config;
mod contents;
mod media;
mod names;
mod tools;
mod turns;

use gw_core::{ChatRequest, Extra, Field, GatewayError, Loss, LossAction, LossClass, Place};
use gw_spi::{EncodeContext, Encoded, RequestBody};
use gw_wire::JsonWriter;

use crate::ID;
use names::Names;

pub(crate) use contents::arguments_object;

/// Encodes a generate request.
///
/// # Errors
/// A request without turns, or a tool result whose call is unknown.
pub(crate) fn encode(request: &ChatRequest, context: &EncodeContext<'_>) -> Result<Encoded, GatewayError> {
    let mut plan = Plan::new(request, context);
    let mut writer = JsonWriter::new();
    let mut outcome = Ok(());
    writer.object(|writer| {
        outcome = plan.prompt(writer);
        plan.settings(writer);
    });
    outcome?;
    Ok(plan.finish(writer))
}

/// Encodes a count-tokens request: contents alone where they are all there is, else the whole prompt wrapped.
///
/// # Errors
/// As [`encode`].
pub(crate) fn encode_count(request: &ChatRequest, context: &EncodeContext<'_>) -> Result<Encoded, GatewayError> {
    let mut plan = Plan::new(request, context);
    let mut writer = JsonWriter::new();
    let mut outcome = Ok(());
    let only_contents = request.tools.is_empty() && !turns::has_system(request);
    writer.object(|writer| {
        if only_contents {
            outcome = plan.prompt(writer);
        } else {
            writer.field_object("generateContentRequest", |writer| {
                writer.field_str("model", &format!("models/{}", context.model));
                outcome = plan.prompt(writer);
            });
        }
    });
    outcome?;
    Ok(plan.finish(writer))
}

/// What is gathered while one request is written.
struct Plan<'a> {
    request: &'a ChatRequest,
    context: &'a EncodeContext<'a>,
    names: Names,
    losses: Vec<Loss>,
    emulate_stops: Vec<String>,
    emulate_candidates: u32,
}

impl<'a> Plan<'a> {
    fn new(request: &'a ChatRequest, context: &'a EncodeContext<'a>) -> Self {
        let names = Names::of(request);
        Self { request, context, names, losses: Vec::new(), emulate_stops: Vec::new(), emulate_candidates: 0 }
    }

    fn finish(self, writer: JsonWriter) -> Encoded {
        Encoded {
            body: RequestBody { bytes: writer.into_bytes(), headers: Vec::new() },
            losses: self.losses,
            emulate_stops: self.emulate_stops,
            emulate_candidates: self.emulate_candidates,
            renamed_tools: self.names.renamed(),
        }
    }

    /// Whether the request was written in this format: its own fields may then be given back.
    fn own(&self) -> bool {
        self.request.origin == ID
    }

    fn lose(&mut self, field: Field, class: LossClass, action: LossAction, note: &'static str) {
        self.losses.push(Loss::new(field, class, action, note));
    }

    fn lose_at(&mut self, place: Place, field: Field, class: LossClass, action: LossAction, note: &'static str) {
        self.losses.push(Loss::new(field, class, action, note).at(place));
    }

    /// The part of the body that a token count also needs.
    fn prompt(&mut self, writer: &mut JsonWriter) -> Result<(), GatewayError> {
        self.system(writer);
        self.contents(writer)?;
        self.tools(writer);
        Ok(())
    }

    /// Everything besides prompt and tools.
    fn settings(&mut self, writer: &mut JsonWriter) {
        self.tool_config(writer);
        self.safety(writer);
        self.generation_config(writer);
        self.caching(writer);
        self.identity(writer);
        self.service(writer);
        self.state(writer);
        self.extras(writer);
    }

    fn safety(&mut self, writer: &mut JsonWriter) {
        let armor = |raw: &str| raw.starts_with("{\"modelArmorConfig\"");
        let own: Vec<&str> =
            self.request.safety.iter().filter(|entry| entry.0 == ID).map(|entry| entry.1.as_str()).collect();
        if own.iter().any(|raw| !armor(raw)) {
            writer.field_array("safetySettings", |writer| {
                own.iter().filter(|raw| !armor(raw)).for_each(|raw| writer.raw(raw));
            });
        }
        for raw in own.iter().filter(|raw| armor(raw)) {
            let inner = raw.strip_prefix("{\"modelArmorConfig\":").and_then(|rest| rest.strip_suffix('}'));
            if let Some(inner) = inner {
                writer.key("modelArmorConfig").raw(inner);
            }
        }
        let foreign: Vec<bool> =
            self.request.safety.iter().filter(|entry| entry.0 != ID).map(|entry| entry.2).collect();
        for tightens in foreign {
            let class = if tightens { LossClass::Safety } else { LossClass::Approximated };
            self.lose(Field::Safety, class, LossAction::Dropped, "safety settings of another vendor");
        }
    }

    fn caching(&mut self, writer: &mut JsonWriter) {
        let cache = &self.request.cache;
        if let Some(handle) = &cache.handle {
            if self.own() {
                writer.field_str("cachedContent", handle);
            } else {
                let note = "a cached prompt of another vendor cannot be used";
                self.lose(Field::CacheHandle, LossClass::Semantic, LossAction::Dropped, note);
            }
        }
        if cache.key.is_some() || cache.options.is_some() || cache.retention.is_some() {
            let note = "Gemini caches by itself and takes no key";
            self.lose(Field::CacheKey, LossClass::Performance, LossAction::Dropped, note);
        }
        if cache.auto_last.is_some() {
            self.lose(Field::CacheMark, LossClass::Performance, LossAction::Dropped, MARK_NOTE);
        }
    }

    fn identity(&mut self, writer: &mut JsonWriter) {
        let identity = &self.request.identity;
        if let Some(metadata) = &identity.metadata {
            if self.context.capabilities.metadata {
                writer.field_raw("labels", metadata);
            } else {
                let note = "the target takes no labels";
                self.lose(Field::Metadata, LossClass::Identity, LossAction::Dropped, note);
            }
        }
        if identity.end_user.is_some() || identity.safety_identifier.is_some() {
            let note = "Gemini takes no end-user identifier";
            self.lose(Field::EndUser, LossClass::Identity, LossAction::Dropped, note);
        }
    }

    fn service(&mut self, writer: &mut JsonWriter) {
        let service = &self.request.service;
        if let Some(tier) = &service.tier {
            let lower = tier.to_ascii_lowercase();
            let lower = lower.strip_prefix("service_tier_").unwrap_or(&lower);
            let (word, exact) = match lower {
                "auto" | "unspecified" => ("", true),
                "default" | "standard" => ("standard", true),
                "flex" => ("flex", true),
                "priority" => ("priority", true),
                "standard_only" => ("standard", false),
                _ => ("", false),
            };
            let taken = self.context.capabilities.service_tier || self.own();
            if taken && !word.is_empty() {
                writer.field_str("serviceTier", word);
            }
            if !exact {
                let note = "no such service tier at the target";
                self.lose(Field::ServiceTier, LossClass::Approximated, LossAction::Approximated, note);
            } else if !taken && !matches!(word, "" | "standard") {
                let note = "the target takes no service tier";
                self.lose(Field::ServiceTier, LossClass::Approximated, LossAction::Dropped, note);
            }
        }
        if self.request.service.speed.as_deref().is_some_and(|speed| speed != "standard") {
            let note = "the target has no speed setting";
            self.lose(Field::ServiceTier, LossClass::Approximated, LossAction::Dropped, note);
        }
        if self.request.service.geo.is_some() {
            let note = "the target cannot promise where inference runs";
            self.lose(Field::ServiceTier, LossClass::Semantic, LossAction::Dropped, note);
        }
    }

    fn state(&mut self, writer: &mut JsonWriter) {
        if let Some(store) = self.request.state.store {
            if self.own() || self.context.capabilities.store {
                writer.field_bool("store", store);
            } else if store {
                let note = "the target keeps no answers";
                self.lose(Field::Store, LossClass::Semantic, LossAction::Dropped, note);
            }
        }
        let foreign = self.request.state.fields.iter().filter(|field| field.dialect != ID).count();
        for _ in 0..foreign {
            let note = "server-side state of another vendor";
            self.lose(Field::ServerState, LossClass::Semantic, LossAction::Dropped, note);
        }
    }

    /// Own unknown top-level fields; those of sub-objects carry the path in their name and are written there.
    fn extras(&mut self, writer: &mut JsonWriter) {
        for extra in &self.request.extras {
            if extra.dialect != ID {
                self.losses.push(unknown(Place::default()));
            } else if !extra.name.contains('.') && !self.context.capabilities.drop_fields.contains(&extra.name) {
                writer.field_raw(&extra.name, &extra.value);
            }
        }
    }

    fn request_extras_under(&self, prefix: &str) -> Vec<(&'a str, &'a Extra)> {
        under(&self.request.extras, prefix)
    }
}

const MARK_NOTE: &str = "Gemini caches by itself and takes no marks";

/// The loss of a field that only its own format knows.
fn unknown(place: Place) -> Loss {
    let note = "a field of another format that has no equal here";
    Loss::new(Field::Unknown, LossClass::Approximated, LossAction::Dropped, note).at(place)
}

/// Objects inside the request, and inside parts, whose unknown fields have names of their own.
const INNER: &[&str] = &["generationConfig.thinkingConfig.", "toolConfig.functionCallingConfig."];

/// Own extras whose name is `prefix` and one more name, which may hold dots itself.
fn under<'e>(extras: &'e [Extra], prefix: &str) -> Vec<(&'e str, &'e Extra)> {
    extras
        .iter()
        .filter(|extra| extra.dialect == ID)
        .filter_map(|extra| {
            let name = extra.name.strip_prefix(prefix)?.strip_prefix('.')?;
            let inner = INNER.iter().any(|inner| extra.name.starts_with(inner) && inner.len() > prefix.len() + 1);
            (!inner).then_some((name, extra))
        })
        .collect()
}
