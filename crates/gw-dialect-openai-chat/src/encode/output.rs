//! Shape of the output: candidates, structured output, verbosity, modalities.

use gw_core::{Field, LossClass, OutputFormat, RawJson};
use gw_spi::Structured;
use gw_wire::JsonWriter;

use super::{Body, Plan};
use crate::ID;

/// Writes the output fields; plans instructions when a schema can only be described.
pub(super) fn encode(plan: &mut Plan<'_>, body: &mut Body) {
    let output = &plan.request.output;
    if let Some(count) = output.candidates {
        let most = plan.capabilities.max_candidates;
        if count > most.max(1) {
            plan.emulate_candidates = count;
            plan.emulate(Field::Candidates, "the gateway makes one call for each candidate");
        } else if most > 1 {
            body.put("n", |writer| writer.u64(u64::from(count)));
        }
    }
    format(plan, body);
    if let Some(verbosity) = &output.verbosity {
        if plan.target.openai || plan.target.aggregator || plan.target.lenient_own {
            body.put("verbosity", |writer| writer.string(verbosity));
        } else {
            plan.drop(Field::Verbosity, LossClass::Advisory, "the target has no verbosity setting");
        }
    }
    modalities(plan, body);
    if let Some(prediction) = &output.prediction {
        if plan.target.openai || plan.target.lenient_own {
            body.put("prediction", |writer| writer.raw(prediction.as_str()));
        } else {
            plan.drop(Field::Prediction, LossClass::Advisory, "the target takes no predicted output");
        }
    }
    if output.media_resolution.is_some() {
        plan.drop(Field::MediaResolution, LossClass::Advisory, "the target has no request-wide resolution");
    }
}

fn modalities(plan: &mut Plan<'_>, body: &mut Body) {
    let output = &plan.request.output;
    let beyond_text = output.modalities.iter().any(|word| word != "text");
    let images_only = output.modalities.iter().all(|word| word == "text" || word == "image");
    let sendable = (plan.target.own && (!plan.capabilities.strict_fields || plan.target.openai))
        || (plan.target.aggregator && images_only);
    if !output.modalities.is_empty() && sendable {
        body.put("modalities", |writer| {
            writer.array(|array| {
                for word in &output.modalities {
                    array.string(word);
                }
            });
        });
    } else if beyond_text {
        plan.drop(Field::Modalities, LossClass::Semantic, "the target answers in text only");
    }
    let wants = |word: &str| {
        if output.modalities.iter().any(|known| known == word) { LossClass::Semantic } else { LossClass::Approximated }
    };
    if let Some((dialect, audio)) = &output.audio {
        if *dialect == ID && sendable {
            body.put("audio", |writer| writer.raw(audio.as_str()));
        } else {
            plan.drop(Field::AudioOutput, wants("audio"), "the target has no such audio output");
        }
    }
    if let Some((dialect, image)) = &output.image {
        if *dialect == ID && plan.target.lenient_own {
            body.put("image_config", |writer| writer.raw(image.as_str()));
        } else {
            plan.drop(Field::ImageOutput, wants("image"), "the target has no such image options");
        }
    }
}

/// A schema as this format writes it.
struct Schema<'s> {
    name: &'s str,
    description: Option<&'s str>,
    schema: &'s RawJson,
    strict: Option<bool>,
}

fn format(plan: &mut Plan<'_>, body: &mut Body) {
    let request = plan.request;
    match &request.output.format {
        OutputFormat::Text => {}
        OutputFormat::JsonObject => json_object(plan, body),
        OutputFormat::JsonSchema { name, description, schema, strict } => {
            let name = name.as_deref().unwrap_or("output");
            json_schema(plan, body, &Schema { name, description: description.as_deref(), schema, strict: *strict });
        }
        OutputFormat::Mime { mime, schema } => match (mime.as_str(), schema) {
            ("application/json", Some(schema)) => {
                json_schema(plan, body, &Schema { name: "output", description: None, schema, strict: None });
            }
            ("application/json", None) => json_object(plan, body),
            ("text/plain", None) => {}
            _ => plan.drop(Field::ResponseFormat, LossClass::Semantic, "the target has no such output type"),
        },
    }
}

fn json_object(plan: &mut Plan<'_>, body: &mut Body) {
    match plan.capabilities.structured {
        Structured::Object | Structured::Schema => {
            body.put("response_format", |writer| writer.object(|format| format.field_str("type", "json_object")));
        }
        Structured::SchemaOnly => {
            let schema = RawJson::from_valid(r#"{"type":"object"}"#);
            let open = Schema { name: "output", description: None, schema: &schema, strict: Some(false) };
            body.put("response_format", |writer| write_schema(writer, &open));
            plan.approximate(Field::ResponseFormat, "sent as a schema that takes any object");
        }
        Structured::None => {
            plan.drop(Field::ResponseFormat, LossClass::Semantic, "the target has no JSON mode");
        }
    }
}

fn json_schema(plan: &mut Plan<'_>, body: &mut Body, schema: &Schema<'_>) {
    if !plan.capabilities.schema_with_tools && !plan.request.tools.is_empty() {
        plan.drop(Field::ResponseFormat, LossClass::Semantic, "the target cannot combine a schema with tools");
        return;
    }
    match plan.capabilities.structured {
        Structured::Schema | Structured::SchemaOnly => {
            body.put("response_format", |writer| write_schema(writer, schema));
        }
        Structured::Object => {
            body.put("response_format", |writer| writer.object(|format| format.field_str("type", "json_object")));
            let about = schema.description.map(|text| format!("\nAbout the object: {text}")).unwrap_or_default();
            plan.schema_instructions = Some(format!(
                "Answer with one JSON object that follows this JSON schema:\n{}{about}",
                schema.schema.as_str()
            ));
            plan.approximate(Field::ResponseFormat, "sent as JSON mode with the schema in the instructions");
        }
        Structured::None => {
            plan.drop(Field::ResponseFormat, LossClass::Semantic, "the target cannot follow a schema");
        }
    }
}

fn write_schema(writer: &mut JsonWriter, schema: &Schema<'_>) {
    writer.object(|format| {
        format.field_str("type", "json_schema");
        format.field_object("json_schema", |inner| {
            inner.field_str("name", schema.name);
            if let Some(description) = schema.description {
                inner.field_str("description", description);
            }
            inner.field_raw("schema", schema.schema);
            if let Some(strict) = schema.strict {
                inner.field_bool("strict", strict);
            }
        });
    });
}
