//! Object access in either spelling: Google's JSON takes `camelCase` and `snake_case` at every level of its own
//! messages. Never used inside tool arguments, results and schemas, whose names belong to the client.

use std::borrow::Cow;

use gw_core::{Extra, Extras, GatewayError, Number};
use gw_spi::Fields;
use gw_wire::{Json, Kind};

use crate::ID;

/// An object whose members are named in camel case and may be written in either.
#[derive(Debug, Clone)]
pub(crate) struct View<'d> {
    fields: Fields<'d>,
}

impl<'d> View<'d> {
    /// Wraps an object; `path` is how the caller would write it.
    ///
    /// # Errors
    /// When the value is not an object, or gives a member twice (also when the two spellings differ).
    pub(crate) fn new(object: Json<'d>, path: impl Into<String>) -> Result<Self, GatewayError> {
        let fields = Fields::new(object, path)?;
        let snake = object.members().map(|(name, _)| name).find(|name| {
            name.contains('_') && !name.starts_with('_') && object.get(&camel(name)).is_some() && camel(name) != *name
        });
        if let Some(name) = snake {
            let param = fields.param(&name);
            let message = format!("'{param}' is given in two spellings; send it once");
            return Err(GatewayError::bad_field(param, message));
        }
        Ok(Self { fields })
    }

    /// The name as the caller wrote it, else the camel-case one.
    fn name<'n>(&self, name: &'n str) -> Cow<'n, str> {
        if self.fields.get(name).is_some() || !name.bytes().any(|letter| letter.is_ascii_uppercase()) {
            return Cow::Borrowed(name);
        }
        let other = snake(name);
        if self.fields.get(&other).is_some() { Cow::Owned(other) } else { Cow::Borrowed(name) }
    }

    pub(crate) fn json(&self) -> Json<'d> {
        self.fields.json()
    }

    pub(crate) fn param(&self, name: &str) -> String {
        self.fields.param(&self.name(name))
    }

    pub(crate) fn get(&self, name: &str) -> Option<Json<'d>> {
        self.fields.get(&self.name(name))
    }

    pub(crate) fn wrong(&self, name: &str, wanted: &str) -> GatewayError {
        self.fields.wrong(&self.name(name), wanted)
    }

    pub(crate) fn missing(&self, name: &str) -> GatewayError {
        self.fields.missing(name)
    }

    pub(crate) fn str(&self, name: &str) -> Result<Option<Cow<'d, str>>, GatewayError> {
        self.fields.str(&self.name(name))
    }

    pub(crate) fn string(&self, name: &str) -> Result<Option<String>, GatewayError> {
        self.fields.string(&self.name(name))
    }

    pub(crate) fn bool(&self, name: &str) -> Result<Option<bool>, GatewayError> {
        self.fields.bool(&self.name(name))
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<Number>, GatewayError> {
        self.fields.number(&self.name(name))
    }

    pub(crate) fn u64(&self, name: &str) -> Result<Option<u64>, GatewayError> {
        self.fields.u64(&self.name(name))
    }

    pub(crate) fn u32(&self, name: &str) -> Result<Option<u32>, GatewayError> {
        let Some(value) = self.u64(name)? else { return Ok(None) };
        u32::try_from(value).map(Some).map_err(|_| self.wrong(name, "an integer below 4294967296"))
    }

    pub(crate) fn i64(&self, name: &str) -> Result<Option<i64>, GatewayError> {
        self.fields.i64(&self.name(name))
    }

    /// A member that must be an object, wrapped.
    pub(crate) fn view(&self, name: &str) -> Result<Option<View<'d>>, GatewayError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        View::new(value, self.param(name)).map(Some)
    }

    /// The elements of a list member with their paths. A single object counts as a list of one: Google's parser takes
    /// it so.
    pub(crate) fn list(&self, name: &str) -> Result<Vec<(Json<'d>, String)>, GatewayError> {
        let Some(value) = self.get(name) else { return Ok(Vec::new()) };
        let path = self.param(name);
        match value.kind() {
            Kind::Array => Ok(value.items().enumerate().map(|(at, item)| (item, format!("{path}[{at}]"))).collect()),
            Kind::Object | Kind::String => Ok(vec![(value, path)]),
            _ => Err(self.wrong(name, "an array")),
        }
    }

    /// Members not in `known` (camel case) as extras, their names led by `prefix`.
    pub(crate) fn unknown(&self, known: &[&str], prefix: &str) -> Extras {
        let object = self.json();
        object
            .members()
            .filter(|(name, value)| !value.is_null() && !known.contains(&camel(name).as_ref()))
            .map(|(name, value)| Extra { dialect: ID, name: format!("{prefix}{name}"), value: value.to_raw() })
            .collect()
    }
}

/// `some_name` as `someName`; a leading underscore stays.
pub(crate) fn camel(name: &str) -> Cow<'_, str> {
    if !name.contains('_') {
        return Cow::Borrowed(name);
    }
    let mut out = String::with_capacity(name.len());
    let mut upper = false;
    for (at, letter) in name.char_indices() {
        match letter {
            '_' if at == 0 => out.push('_'),
            '_' => upper = true,
            _ if upper => {
                out.push(letter.to_ascii_uppercase());
                upper = false;
            }
            _ => out.push(letter),
        }
    }
    Cow::Owned(out)
}

/// `someName` as `some_name`.
fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}
