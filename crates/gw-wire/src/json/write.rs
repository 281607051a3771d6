//! Deterministic JSON output: members appear in the order of the calls, numbers keep their text.

use bytes::Bytes;
use gw_core::{Number, RawJson};

use super::text::write_string;

/// Appends JSON to a buffer and puts the commas.
#[derive(Debug, Default)]
pub struct JsonWriter {
    out: Vec<u8>,
    comma: bool,
}

impl JsonWriter {
    /// An empty writer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A writer that appends to what is already there (frames in a shared buffer).
    #[must_use]
    pub fn onto(out: Vec<u8>) -> Self {
        Self { out, comma: false }
    }

    /// The bytes written.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.out
    }

    /// The bytes written, shared.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        Bytes::from(self.out)
    }

    /// The value written, as exact text. Everything this writer emits is UTF-8.
    #[must_use]
    pub fn into_raw(self) -> RawJson {
        RawJson::from_valid(String::from_utf8_lossy(&self.out).into_owned())
    }

    /// `{ ... }` as the next value.
    pub fn object(&mut self, fill: impl FnOnce(&mut Self)) {
        self.before();
        self.out.push(b'{');
        self.comma = false;
        fill(self);
        self.out.push(b'}');
        self.comma = true;
    }

    /// `[ ... ]` as the next value.
    pub fn array(&mut self, fill: impl FnOnce(&mut Self)) {
        self.before();
        self.out.push(b'[');
        self.comma = false;
        fill(self);
        self.out.push(b']');
        self.comma = true;
    }

    /// A member name; its value must follow.
    pub fn key(&mut self, name: &str) -> &mut Self {
        self.before();
        write_string(name, &mut self.out);
        self.out.push(b':');
        self.comma = false;
        self
    }

    /// A string as the next value.
    pub fn string(&mut self, text: &str) {
        self.before();
        write_string(text, &mut self.out);
        self.comma = true;
    }

    /// Valid JSON text as the next value.
    pub fn raw(&mut self, json: &str) {
        self.before();
        self.out.extend_from_slice(json.as_bytes());
        self.comma = true;
    }

    /// An unsigned integer as the next value.
    pub fn u64(&mut self, value: u64) {
        self.before();
        self.out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
        self.comma = true;
    }

    /// A signed integer as the next value.
    pub fn i64(&mut self, value: i64) {
        self.before();
        self.out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
        self.comma = true;
    }

    /// A boolean as the next value.
    pub fn bool(&mut self, value: bool) {
        self.raw(if value { "true" } else { "false" });
    }

    /// `null` as the next value.
    pub fn null(&mut self) {
        self.raw("null");
    }

    /// `"name": "text"`.
    pub fn field_str(&mut self, name: &str, text: &str) {
        self.key(name).string(text);
    }

    /// `"name": <json>`.
    pub fn field_raw(&mut self, name: &str, json: &RawJson) {
        self.key(name).raw(json.as_str());
    }

    /// `"name": <number>` with the number's own text.
    pub fn field_number(&mut self, name: &str, number: &Number) {
        self.key(name).raw(number.as_str());
    }

    /// `"name": <integer>`.
    pub fn field_u64(&mut self, name: &str, value: u64) {
        self.key(name).u64(value);
    }

    /// `"name": <bool>`.
    pub fn field_bool(&mut self, name: &str, value: bool) {
        self.key(name).bool(value);
    }

    /// `"name": null`.
    pub fn field_null(&mut self, name: &str) {
        self.key(name).null();
    }

    /// `"name": { ... }`.
    pub fn field_object(&mut self, name: &str, fill: impl FnOnce(&mut Self)) {
        self.key(name).object(fill);
    }

    /// `"name": [ ... ]`.
    pub fn field_array(&mut self, name: &str, fill: impl FnOnce(&mut Self)) {
        self.key(name).array(fill);
    }

    fn before(&mut self) {
        if self.comma {
            self.out.push(b',');
        }
        self.comma = false;
    }
}
