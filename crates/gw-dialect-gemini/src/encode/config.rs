//! `generationConfig`.

use gw_core::{DialectId, Effort, Field, LossAction, LossClass, Number, OutputFormat, RawJson, Toggle, Visibility};
use gw_spi::{ReasoningStyle, Sampled, Structured};
use gw_wire::JsonWriter;

use super::Plan;
use super::contents::object;
use crate::ID;
use crate::schema;

/// Largest seed: the field is a signed 32-bit integer.
const SEEDS: std::ops::RangeInclusive<f64> = -2_147_483_648.0..=2_147_483_647.0;

impl Plan<'_> {
    /// The whole object; left out when it would be empty.
    pub(super) fn generation_config(&mut self, writer: &mut JsonWriter) {
        let config = object(|writer| {
            self.sampling(writer);
            self.limits(writer);
            self.output(writer);
            self.thinking(writer);
            for field in self.request.state.fields.iter().filter(|field| field.dialect == ID) {
                writer.field_raw(&field.name, &field.value);
            }
            for (name, extra) in self.request_extras_under("generationConfig") {
                writer.field_raw(name, &extra.value);
            }
        });
        if config.as_str() != "{}" {
            writer.field_raw("generationConfig", &config);
        }
    }

    fn gone(&mut self, field: Field, note: &'static str) {
        self.lose(field, LossClass::Approximated, LossAction::Dropped, note);
    }

    fn sampling(&mut self, writer: &mut JsonWriter) {
        let sampling = &self.request.sampling;
        let capabilities = self.context.capabilities;
        let sampled = match capabilities.sampling {
            Sampled::Always => true,
            Sampled::Never => false,
            Sampled::WithoutReasoning => self.request.reasoning.toggle == Toggle::Off,
        };
        if let Some(temperature) = &sampling.temperature {
            let over = temperature.as_f64().is_some_and(|value| value > capabilities.max_temperature);
            if !sampled {
                self.gone(Field::Temperature, "the target takes no sampling parameters");
            } else if over {
                writer.field_number("temperature", &Number::from(capabilities.max_temperature));
                let note = "lowered to the target's largest temperature";
                self.lose(Field::Temperature, LossClass::Approximated, LossAction::Approximated, note);
            } else {
                writer.field_number("temperature", temperature);
            }
        }
        let penalties = capabilities.penalties;
        let seed_fits = sampling.seed.as_ref().and_then(Number::as_f64).is_some_and(|seed| SEEDS.contains(&seed));
        let rows: [(&str, &Option<Number>, bool, Field); 5] = [
            ("topP", &sampling.top_p, sampled, Field::TopP),
            ("topK", &sampling.top_k, sampled && (capabilities.top_k || self.own()), Field::TopK),
            ("seed", &sampling.seed, seed_fits && (capabilities.seed || self.own()), Field::Seed),
            ("presencePenalty", &sampling.presence_penalty, penalties, Field::PresencePenalty),
            ("frequencyPenalty", &sampling.frequency_penalty, penalties, Field::FrequencyPenalty),
        ];
        for (name, value, taken, field) in rows {
            let Some(value) = value else { continue };
            if taken {
                writer.field_number(name, value);
            } else {
                self.gone(field, "the target takes no such parameter or value");
            }
        }
        for (value, field) in [(&sampling.min_p, Field::MinP), (&sampling.repetition_penalty, Field::RepetitionPenalty)]
        {
            if value.is_some() {
                self.gone(field, "Gemini has no such parameter");
            }
        }
        if sampling.logit_bias.is_some() {
            let note = "token biases belong to another tokenizer";
            self.lose(Field::LogitBias, LossClass::Semantic, LossAction::Dropped, note);
        }
        self.logprobs(writer);
    }

    fn logprobs(&mut self, writer: &mut JsonWriter) {
        let sampling = &self.request.sampling;
        let wanted = sampling.logprobs == Some(true);
        if (wanted || sampling.top_logprobs.is_some()) && !self.context.capabilities.logprobs && !self.own() {
            if wanted {
                self.gone(Field::Logprobs, "the target gives no log-probabilities");
            }
            if sampling.top_logprobs.is_some() {
                self.gone(Field::TopLogprobs, "the target gives no log-probabilities");
            }
            return;
        }
        if let Some(wanted) = sampling.logprobs.filter(|wanted| *wanted || self.own()) {
            writer.field_bool("responseLogprobs", wanted);
        }
        if let Some(alternatives) = sampling.top_logprobs.filter(|count| wanted && *count > 0 || self.own()) {
            writer.field_u64("logprobs", u64::from(alternatives));
        } else if sampling.top_logprobs.is_some_and(|count| count > 0) {
            self.gone(Field::TopLogprobs, "alternatives were asked for without log-probabilities");
        }
    }

    fn limits(&mut self, writer: &mut JsonWriter) {
        let limits = &self.request.limits;
        if let Some(most) = limits.max_output_tokens {
            writer.field_u64("maxOutputTokens", most);
        }
        if limits.min_tokens.is_some() {
            self.gone(Field::MinTokens, "Gemini has no lower limit");
        }
        let stops: Vec<&String> = limits.stop.iter().filter(|stop| !stop.is_empty()).collect();
        let room = if self.own() { stops.len() } else { self.context.capabilities.max_stops.min(stops.len()) };
        let (sent, emulated) = stops.split_at_checked(room).unwrap_or((&[], &[]));
        if !sent.is_empty() {
            writer.field_array("stopSequences", |writer| sent.iter().for_each(|stop| writer.string(stop)));
        }
        if !emulated.is_empty() {
            self.emulate_stops = emulated.iter().map(|stop| (*stop).clone()).collect();
            let note = "the gateway watches for the stop sequences that the target has no room for";
            self.lose(Field::Stop, LossClass::Emulated, LossAction::Emulated, note);
        }
        if let Some(count) = self.request.output.candidates {
            if self.own() || count <= self.context.capabilities.max_candidates {
                writer.field_u64("candidateCount", u64::from(count));
            } else {
                self.emulate_candidates = count;
                let note = "the gateway asks the target several times";
                self.lose(Field::Candidates, LossClass::Emulated, LossAction::Emulated, note);
            }
        }
    }

    fn output(&mut self, writer: &mut JsonWriter) {
        let output = &self.request.output;
        self.format(writer);
        let only_text = output.modalities.iter().all(|word| word == "text");
        if !output.modalities.is_empty() && (self.own() || !only_text) {
            writer.field_array("responseModalities", |writer| {
                output.modalities.iter().for_each(|word| writer.string(&word.to_ascii_uppercase()));
            });
        }
        if let Some(resolution) = &output.media_resolution {
            if resolution.starts_with("MEDIA_RESOLUTION_") {
                writer.field_str("mediaResolution", resolution);
            } else {
                let note = "no such media resolution at the target";
                self.lose(Field::MediaResolution, LossClass::Advisory, LossAction::Dropped, note);
            }
        }
        self.vendor_options(writer, "speechConfig", output.audio.as_ref(), Field::AudioOutput);
        self.vendor_options(writer, "imageConfig", output.image.as_ref(), Field::ImageOutput);
        if output.verbosity.is_some() {
            let note = "Gemini has no verbosity setting";
            self.lose(Field::Verbosity, LossClass::Advisory, LossAction::Dropped, note);
        }
        if output.prediction.is_some() {
            let note = "Gemini takes no predicted output";
            self.lose(Field::Prediction, LossClass::Advisory, LossAction::Dropped, note);
        }
    }

    fn vendor_options(
        &mut self,
        writer: &mut JsonWriter,
        name: &str,
        value: Option<&(DialectId, RawJson)>,
        field: Field,
    ) {
        match value {
            Some((dialect, raw)) if *dialect == ID => writer.field_raw(name, raw),
            Some(_) => {
                let note = "output options of another vendor";
                self.lose(field, LossClass::Semantic, LossAction::Dropped, note);
            }
            None => {}
        }
    }

    fn format(&mut self, writer: &mut JsonWriter) {
        let capabilities = self.context.capabilities;
        let functions = !self.request.tools.is_empty();
        let format = &self.request.output.format;
        let schema = matches!(format, OutputFormat::JsonSchema { .. } | OutputFormat::Mime { schema: Some(_), .. });
        let possible = self.own()
            || match capabilities.structured {
                Structured::None => false,
                Structured::Object => !schema,
                Structured::SchemaOnly => schema,
                Structured::Schema => true,
            };
        let combined = self.own() || capabilities.schema_with_tools || !functions;
        if *format != OutputFormat::Text && !(possible && combined) {
            let note = if possible {
                "the target cannot combine structured output with tools"
            } else {
                "the target has no such structured output"
            };
            self.lose(Field::ResponseFormat, LossClass::Semantic, LossAction::Dropped, note);
            return;
        }
        match format {
            OutputFormat::Text => {}
            OutputFormat::JsonObject => writer.field_str("responseMimeType", "application/json"),
            OutputFormat::JsonSchema { name, description, schema, .. } => {
                writer.field_str("responseMimeType", "application/json");
                self.response_schema(writer, schema);
                if name.is_some() || description.is_some() {
                    let note = "the schema's name and description are not sent";
                    self.lose(Field::ResponseFormat, LossClass::Advisory, LossAction::Dropped, note);
                }
            }
            OutputFormat::Mime { mime, schema } => {
                writer.field_str("responseMimeType", mime);
                if let Some(schema) = schema {
                    self.response_schema(writer, schema);
                }
            }
        }
    }

    fn response_schema(&mut self, writer: &mut JsonWriter, schema: &RawJson) {
        let standard = self.context.capabilities.json_schema_fields;
        if standard && self.own() {
            writer.field_raw("responseJsonSchema", schema);
            return;
        }
        let fitted = schema::fit(schema, standard);
        self.losses.extend(fitted.lost.iter().map(|lost| lost.loss(Field::ResponseFormat)));
        if let Some(schema) = &fitted.schema {
            writer.field_raw(if standard { "responseJsonSchema" } else { "responseSchema" }, schema);
        }
    }

    fn thinking(&mut self, writer: &mut JsonWriter) {
        let reasoning = &self.request.reasoning;
        let shown = match reasoning.visibility {
            Visibility::Hidden => false,
            Visibility::Default | Visibility::Summary | Visibility::Full => true,
        };
        if reasoning.toggle == Toggle::BetweenTools {
            self.gone(Field::ReasoningToggle, "the target cannot think only between tool calls");
        }
        let (budget, level) = match self.context.capabilities.reasoning {
            ReasoningStyle::None => {
                let asked = matches!(reasoning.toggle, Toggle::On | Toggle::Adaptive)
                    || reasoning.effort.as_ref().is_some_and(|effort| *effort != Effort::None)
                    || reasoning.budget_tokens.is_some_and(|budget| budget != 0);
                if asked {
                    self.gone(Field::ReasoningEffort, "the target does not reason");
                }
                let more = !self.request_extras_under("generationConfig.thinkingConfig").is_empty();
                if !self.own() || !(asked || shown || more) {
                    return;
                }
                (None, None)
            }
            ReasoningStyle::Budget => (self.budget(), None),
            ReasoningStyle::Level
            | ReasoningStyle::Effort
            | ReasoningStyle::Adaptive
            | ReasoningStyle::ThinkingToggle
            | ReasoningStyle::EnableThinking => (None, self.level()),
        };
        let shown = shown && budget != Some(0);
        let own = self.request_extras_under("generationConfig.thinkingConfig");
        if budget.is_none() && level.is_none() && !shown && own.is_empty() {
            return;
        }
        writer.field_object("thinkingConfig", |writer| {
            if shown {
                writer.field_bool("includeThoughts", true);
            }
            if let Some(budget) = budget {
                writer.key("thinkingBudget").i64(budget);
            }
            if let Some(level) = level {
                writer.field_str("thinkingLevel", &level);
            }
            own.iter().for_each(|(name, extra)| writer.field_raw(name, &extra.value));
        });
    }

    /// The thinking budget of older models.
    fn budget(&mut self) -> Option<i64> {
        let reasoning = &self.request.reasoning;
        let (least, most) = self.context.capabilities.budget_range;
        let off = reasoning.toggle == Toggle::Off
            || reasoning.budget_tokens == Some(0)
            || reasoning.effort == Some(Effort::None);
        if off {
            if self.context.capabilities.can_disable_reasoning {
                return Some(0);
            }
            let note = "this model always reasons; its smallest budget was sent";
            self.lose(Field::ReasoningToggle, LossClass::Approximated, LossAction::Approximated, note);
            return Some(least);
        }
        if let Some(budget) = reasoning.budget_tokens {
            if budget < 0 {
                return Some(-1);
            }
            let fitting = budget.clamp(least, most.max(least));
            if fitting != budget {
                let note = "moved into the target's range of budgets";
                self.lose(Field::ReasoningBudget, LossClass::Approximated, LossAction::Approximated, note);
            }
            return Some(fitting);
        }
        if let Some(effort) = &reasoning.effort {
            let note = "an effort was sent as a token budget";
            self.lose(Field::ReasoningEffort, LossClass::Approximated, LossAction::Approximated, note);
            let wanted = if matches!(effort, Effort::XHigh | Effort::Max) { most } else { effort.to_budget() };
            return Some(wanted.clamp(least, most.max(least)));
        }
        (reasoning.toggle == Toggle::Adaptive).then_some(-1)
    }

    /// The thinking level of newer models.
    fn level(&mut self) -> Option<String> {
        let reasoning = &self.request.reasoning;
        let levels: Vec<&Effort> =
            self.context.capabilities.efforts.iter().filter(|effort| **effort != Effort::None).collect();
        let off = reasoning.toggle == Toggle::Off
            || reasoning.effort == Some(Effort::None)
            || reasoning.budget_tokens == Some(0);
        if off {
            let note = "this model always reasons; its lowest level was sent";
            self.lose(Field::ReasoningToggle, LossClass::Approximated, LossAction::Approximated, note);
            return levels.first().map(|lowest| word(lowest));
        }
        let wanted = match (&reasoning.effort, reasoning.budget_tokens) {
            (Some(effort), budget) => {
                if budget.is_some_and(|budget| budget > 0) {
                    self.gone(Field::ReasoningBudget, "the effort was sent instead of the budget");
                }
                effort.clone()
            }
            (None, Some(budget)) => {
                let effort = Effort::from_budget(budget)?;
                let note = "a token budget was sent as a thinking level";
                self.lose(Field::ReasoningBudget, LossClass::Approximated, LossAction::Approximated, note);
                effort
            }
            (None, None) => return None,
        };
        let Some(snapped) = self.context.capabilities.snap_effort(&wanted).filter(|effort| **effort != Effort::None)
        else {
            self.gone(Field::ReasoningEffort, "the target has no thinking levels");
            return None;
        };
        if *snapped != wanted {
            let note = "moved to the nearest thinking level of the target";
            self.lose(Field::ReasoningEffort, LossClass::Approximated, LossAction::Approximated, note);
        }
        Some(word(snapped))
    }
}

fn word(effort: &Effort) -> String {
    effort.as_str().to_ascii_uppercase()
}
