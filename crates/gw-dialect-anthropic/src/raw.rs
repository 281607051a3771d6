//! Small edits of JSON objects that are otherwise carried as they were written.

use gw_core::RawJson;
use gw_wire::{Document, Json, JsonWriter, Limits};

/// The object without the named members; the exact text when it has none of them.
pub(crate) fn object_without(object: Json<'_>, names: &[&str]) -> RawJson {
    if !object.members().any(|(name, _)| names.contains(&name.as_ref())) {
        return object.to_raw();
    }
    let mut writer = JsonWriter::new();
    writer.object(|w| {
        for (name, value) in object.members().filter(|(name, _)| !names.contains(&name.as_ref())) {
            w.key(&name).raw(value.raw());
        }
    });
    writer.into_raw()
}

/// Writes the object with one member set to new JSON text: replaced where it stands, else appended.
pub(crate) fn write_with_member(w: &mut JsonWriter, object: Json<'_>, name: &str, json: &str) {
    w.object(|w| {
        let mut found = false;
        for (key, value) in object.members() {
            let replaced = key == name;
            found |= replaced;
            w.key(&key).raw(if replaced { json } else { value.raw() });
        }
        if !found {
            w.key(name).raw(json);
        }
    });
}

/// Calls `then` with the parsed value; `None` when the text is not JSON (never the case for a [`RawJson`]).
pub(crate) fn with_parsed<T>(text: &str, then: impl FnOnce(Json<'_>) -> T) -> Option<T> {
    let document = Document::parse(text, Limits::default()).ok()?;
    Some(then(document.root()))
}
