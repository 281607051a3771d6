//! `logprobsResult` and OpenAI's `content[]` items, which the canonical model uses.

use gw_core::RawJson;
use gw_wire::{Document, Json, JsonWriter, Limits};

/// Items for a `logprobsResult`; `None` when it names no token.
pub(crate) fn decode(result: Json<'_>) -> Option<RawJson> {
    let chosen = result.get("chosenCandidates")?;
    chosen.items().next()?;
    let tops: Vec<Json<'_>> = result.get("topCandidates").map(|tops| tops.items().collect()).unwrap_or_default();
    let mut writer = JsonWriter::new();
    writer.array(|writer| {
        for (at, token) in chosen.items().enumerate() {
            writer.object(|writer| {
                item(writer, token);
                writer.field_array("top_logprobs", |writer| {
                    let candidates = tops.get(at).and_then(|top| top.get("candidates"));
                    for alternative in candidates.into_iter().flat_map(|list| list.items()) {
                        writer.object(|writer| item(writer, alternative));
                    }
                });
            });
        }
    });
    Some(writer.into_raw())
}

fn item(writer: &mut JsonWriter, token: Json<'_>) {
    let text = token.get("token").and_then(|text| text.str()).unwrap_or_default();
    writer.field_str("token", &text);
    // A zero is left out by the JSON form of protocol buffers.
    let value = token.get("logProbability").and_then(|value| value.number());
    writer.key("logprob").raw(value.as_ref().map_or("0", |number| number.as_str()));
    writer.field_array("bytes", |writer| text.bytes().for_each(|byte| writer.u64(u64::from(byte))));
}

/// `logprobsResult` for a client.
pub(crate) fn encode(items: &RawJson) -> Option<RawJson> {
    let document = Document::parse(items.as_str(), Limits::default()).ok()?;
    let items: Vec<Json<'_>> = document.root().items().collect();
    let mut writer = JsonWriter::new();
    writer.object(|writer| {
        writer.field_array("topCandidates", |writer| {
            for item in &items {
                writer.object(|writer| {
                    writer.field_array("candidates", |writer| {
                        let tops = item.get("top_logprobs");
                        tops.into_iter().flat_map(|list| list.items()).for_each(|token| google(writer, token));
                    });
                });
            }
        });
        writer.field_array("chosenCandidates", |writer| items.iter().for_each(|token| google(writer, *token)));
    });
    Some(writer.into_raw())
}

fn google(writer: &mut JsonWriter, token: Json<'_>) {
    writer.object(|writer| {
        writer.field_str("token", &token.get("token").and_then(|text| text.str()).unwrap_or_default());
        if let Some(value) = token.get("logprob").and_then(|value| value.number()) {
            writer.field_number("logProbability", &value);
        }
    });
}

#[cfg(test)]
mod tests {
    use gw_wire::{Document, Limits};

    #[test]
    fn there_and_back() {
        let google = r#"{"topCandidates":[{"candidates":[{"token":"é","logProbability":-0.10}]}],"chosenCandidates":[{"token":"é","logProbability":-0.10}]}"#;
        let document = Document::parse(google, Limits::default()).unwrap();
        let items = super::decode(document.root()).unwrap();
        assert_eq!(
            items.as_str(),
            r#"[{"token":"é","logprob":-0.10,"bytes":[195,169],"top_logprobs":[{"token":"é","logprob":-0.10,"bytes":[195,169]}]}]"#
        );
        assert_eq!(super::encode(&items).unwrap().as_str(), google);
    }
}
