//! The top-level object under construction: fields can still be dropped or renamed for a server's quirks.

use gw_core::{Field, LossClass};
use gw_wire::JsonWriter;

use super::Plan;
use crate::pointer::field_of;

/// Top-level fields in order.
#[derive(Debug, Default)]
pub(crate) struct Body {
    fields: Vec<(String, Vec<u8>)>,
}

impl Body {
    /// Adds a field unless it is there already.
    pub(crate) fn put(&mut self, name: &str, fill: impl FnOnce(&mut JsonWriter)) {
        if !self.has(name) {
            let mut writer = JsonWriter::new();
            fill(&mut writer);
            self.fields.push((name.to_owned(), writer.finish()));
        }
    }

    /// Adds a field whose JSON is ready.
    pub(crate) fn put_bytes(&mut self, name: &str, json: Vec<u8>) {
        if !self.has(name) {
            self.fields.push((name.to_owned(), json));
        }
    }

    /// Adds all fields of another body.
    pub(crate) fn append(&mut self, other: Self) {
        for (name, json) in other.fields {
            self.put_bytes(&name, json);
        }
    }

    /// Whether the field is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(known, _)| known == name)
    }

    /// Drops and renames what the capability record says.
    pub(crate) fn apply_quirks(&mut self, plan: &mut Plan<'_>) {
        for name in &plan.capabilities.drop_fields {
            let before = self.fields.len();
            self.fields.retain(|(known, _)| known != name);
            if self.fields.len() != before && name != "stream_options" {
                let field = field_of(name).unwrap_or(Field::Unknown);
                plan.drop(field, LossClass::Approximated, format!("the target refuses '{name}'"));
            }
        }
        for (from, to) in &plan.capabilities.rename_fields {
            let taken = self.has(to);
            if taken {
                self.fields.retain(|(known, _)| known != from);
            } else if let Some((name, _)) = self.fields.iter_mut().find(|(known, _)| known == from) {
                name.clone_from(to);
            }
        }
    }

    /// The whole object as JSON.
    pub(crate) fn finish(self) -> Vec<u8> {
        let size: usize = self.fields.iter().map(|(name, json)| name.len() + json.len() + 4).sum();
        let mut writer = JsonWriter::onto(Vec::with_capacity(size + 2));
        writer.object(|object| {
            for (name, json) in &self.fields {
                object.key(name).raw(std::str::from_utf8(json).unwrap_or("null"));
            }
        });
        writer.finish()
    }
}
