//! Output shape.

use gw_core::{Field, LossAction, LossClass, OutputFormat, RawJson};
use gw_spi::Structured;
use gw_wire::JsonWriter;

use super::schema::{self, View};
use super::{Encoder, Purpose};
use crate::raw::with_parsed;

/// Stands in for the JSON mode that this format does not have.
pub(super) const JSON_INSTRUCTION: &str =
    "Answer with one valid JSON object and nothing else: no prose before or after it, no code fence.";

impl Encoder<'_> {
    /// Plans `output_config`: effort, format and what the client wrote besides.
    pub(super) fn plan_output(&mut self, purpose: Purpose) -> Option<RawJson> {
        let format = self.format(purpose);
        let effort = self.thinking.effort.clone();
        let rest = self.own_extra("output_config");
        if format.is_none() && effort.is_none() && rest.is_none() {
            return None;
        }
        let mut writer = JsonWriter::new();
        writer.object(|w| {
            if let Some(effort) = &effort {
                w.field_str("effort", effort.as_str());
            }
            if let Some(schema) = &format {
                w.field_object("format", |w| {
                    w.field_str("type", "json_schema");
                    w.field_raw("schema", schema);
                });
            }
            write_members(w, rest, &["effort", "format"]);
        });
        Some(writer.into_raw())
    }

    /// The schema to enforce, if any; an instruction where the target cannot enforce one.
    fn format(&mut self, purpose: Purpose) -> Option<RawJson> {
        let (title, description, schema) = match &self.request.output.format {
            OutputFormat::Text => return None,
            OutputFormat::JsonObject => {
                self.instruct(JSON_INSTRUCTION.to_owned());
                return None;
            }
            OutputFormat::JsonSchema { name, description, schema, .. } => {
                (name.as_deref(), description.as_deref(), schema)
            }
            OutputFormat::Mime { mime, .. } if mime == "text/plain" => return None,
            OutputFormat::Mime { mime, schema } if mime == "application/json" => match schema {
                Some(schema) => (None, None, schema),
                None => {
                    self.instruct(JSON_INSTRUCTION.to_owned());
                    return None;
                }
            },
            OutputFormat::Mime { mime, .. } => {
                let note = format!("the target cannot answer in {mime}");
                self.lose(Field::ResponseFormat, LossClass::Semantic, note);
                return None;
            }
        };
        let capabilities = self.context.capabilities;
        let enforced = matches!(capabilities.structured, Structured::Schema | Structured::SchemaOnly)
            && (capabilities.schema_with_tools || self.request.tools.is_empty());
        if !enforced {
            self.output_instruction =
                Some(format!("{JSON_INSTRUCTION} It must follow this JSON schema: {}", schema.as_str()));
            let note = "the schema is asked for in the instructions, not enforced";
            self.losses.push(gw_core::Loss::new(
                Field::ResponseFormat,
                LossClass::Approximated,
                LossAction::Emulated,
                note,
            ));
            return None;
        }
        if self.own {
            return Some(schema.clone());
        }
        let (view, removed) = schema::view(schema, View::Enforced { title, description })?;
        if !removed.is_empty() && purpose == Purpose::Answer {
            let note = format!("schema keywords not enforced: {}", removed.join(", "));
            self.changed(Field::ResponseFormat, LossClass::Approximated, note);
        }
        Some(view)
    }

    fn instruct(&mut self, text: String) {
        self.output_instruction = Some(text);
        self.emulated(Field::ResponseFormat, "JSON output is asked for in the instructions");
    }
}

/// Copies the members of an object into the object being written.
pub(super) fn write_members(w: &mut JsonWriter, object: Option<&RawJson>, written: &[&str]) {
    let Some(object) = object else { return };
    with_parsed(object.as_str(), |json| {
        for (name, value) in json.members().filter(|(name, _)| !written.contains(&name.as_ref())) {
            w.key(&name).raw(value.raw());
        }
    });
}
