//! Model lists and token counts for clients.

use bytes::Bytes;
use gw_spi::ModelCard;
use gw_wire::JsonWriter;

/// `{models: [...]}`, one page.
pub(crate) fn list(models: &[ModelCard]) -> Bytes {
    let mut writer = JsonWriter::new();
    writer.object(|writer| {
        writer.field_array("models", |writer| models.iter().for_each(|model| card(writer, model)));
    });
    writer.into_bytes()
}

/// One model.
pub(crate) fn one(model: &ModelCard) -> Bytes {
    let mut writer = JsonWriter::new();
    card(&mut writer, model);
    writer.into_bytes()
}

fn card(writer: &mut JsonWriter, model: &ModelCard) {
    writer.object(|writer| {
        writer.field_str("name", &format!("models/{}", model.id));
        writer.field_str("baseModelId", &model.id);
        writer.field_str("displayName", model.display_name.as_deref().unwrap_or(&model.id));
        if let Some(context) = model.context {
            writer.field_u64("inputTokenLimit", context);
        }
        if let Some(most) = model.max_output {
            writer.field_u64("outputTokenLimit", most);
        }
        writer.field_array("supportedGenerationMethods", |writer| {
            for method in ["generateContent", "streamGenerateContent", "countTokens"] {
                writer.string(method);
            }
        });
    });
}

/// `{totalTokens}`.
pub(crate) fn count(input_tokens: u64) -> Bytes {
    let mut writer = JsonWriter::new();
    writer.object(|writer| writer.field_u64("totalTokens", input_tokens));
    writer.into_bytes()
}
