//! Reading helpers that every dialect's decoder shares: typed access with the caller's own field path in errors.

use std::borrow::Cow;

use gw_core::{Code, DialectId, Extra, Extras, GatewayError, Number};
use gw_wire::{Json, JsonFault, Kind};

/// The error for a body that is not JSON.
#[must_use]
pub fn bad_json(fault: &JsonFault) -> GatewayError {
    GatewayError::new(Code::BadRequest, format!("the request body is not valid JSON: {fault}"))
}

/// The string of a value, or a default.
#[must_use]
pub fn text_or<'d>(value: Option<Json<'d>>, default: &'static str) -> Cow<'d, str> {
    value.and_then(|value| value.str()).unwrap_or(Cow::Borrowed(default))
}

/// Members of one object with the path that leads to it. Explicit `null` counts as absent.
#[derive(Debug, Clone)]
pub struct Fields<'d> {
    object: Json<'d>,
    path: String,
}

impl<'d> Fields<'d> {
    /// Wraps an object; `path` is how the caller would write it, empty for the body itself.
    ///
    /// # Errors
    /// When the value is not an object or repeats a member name.
    pub fn new(object: Json<'d>, path: impl Into<String>) -> Result<Self, GatewayError> {
        let fields = Self { object, path: path.into() };
        if object.kind() != Kind::Object {
            let place = if fields.path.is_empty() { "the request body" } else { fields.path.as_str() };
            let message = format!("{place} must be an object, not {}", object.kind().described());
            return Err(GatewayError::bad_field(fields.path.clone(), message));
        }
        if let Some(name) = object.duplicate_key() {
            let param = fields.param(&name);
            let message = format!("'{param}' appears more than once; send it once");
            return Err(GatewayError::bad_field(param, message));
        }
        Ok(fields)
    }

    /// The object itself.
    #[must_use]
    pub fn json(&self) -> Json<'d> {
        self.object
    }

    /// The caller's notation for a member.
    #[must_use]
    pub fn param(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// The caller's notation for this object.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// A member, unless absent or `null`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Json<'d>> {
        self.object.get_some(name)
    }

    /// The error for a member of the wrong type.
    #[must_use]
    pub fn wrong(&self, name: &str, wanted: &str) -> GatewayError {
        let param = self.param(name);
        let got = self.object.get(name).map_or("nothing", |value| value.kind().described());
        GatewayError::bad_field(param.clone(), format!("'{param}' must be {wanted}, not {got}"))
    }

    /// The error for a missing member.
    #[must_use]
    pub fn missing(&self, name: &str) -> GatewayError {
        let param = self.param(name);
        GatewayError::bad_field(param.clone(), format!("'{param}' is required"))
    }

    /// A string member.
    ///
    /// # Errors
    /// When it is present and not a string.
    pub fn str(&self, name: &str) -> Result<Option<Cow<'d, str>>, GatewayError> {
        self.typed(name, "a string", |value| value.str())
    }

    /// A string member, owned.
    ///
    /// # Errors
    /// When it is present and not a string.
    pub fn string(&self, name: &str) -> Result<Option<String>, GatewayError> {
        Ok(self.str(name)?.map(Cow::into_owned))
    }

    /// A required string member.
    ///
    /// # Errors
    /// When it is absent or not a string.
    pub fn required_string(&self, name: &str) -> Result<String, GatewayError> {
        self.string(name)?.ok_or_else(|| self.missing(name))
    }

    /// A boolean member.
    ///
    /// # Errors
    /// When it is present and not a boolean.
    pub fn bool(&self, name: &str) -> Result<Option<bool>, GatewayError> {
        self.typed(name, "a boolean", |value| value.bool())
    }

    /// A number member with its exact text.
    ///
    /// # Errors
    /// When it is present and not a number.
    pub fn number(&self, name: &str) -> Result<Option<Number>, GatewayError> {
        self.typed(name, "a number", |value| value.number())
    }

    /// A non-negative integer member.
    ///
    /// # Errors
    /// When it is present and not such an integer.
    pub fn u64(&self, name: &str) -> Result<Option<u64>, GatewayError> {
        self.typed(name, "a non-negative integer", |value| value.u64())
    }

    /// An integer member.
    ///
    /// # Errors
    /// When it is present and not an integer.
    pub fn i64(&self, name: &str) -> Result<Option<i64>, GatewayError> {
        self.typed(name, "an integer", |value| value.i64())
    }

    /// An array member.
    ///
    /// # Errors
    /// When it is present and not an array.
    pub fn array(&self, name: &str) -> Result<Option<Json<'d>>, GatewayError> {
        self.typed(name, "an array", |value| (value.kind() == Kind::Array).then_some(*value))
    }

    /// An object member, wrapped.
    ///
    /// # Errors
    /// When it is present and not an object.
    pub fn object(&self, name: &str) -> Result<Option<Fields<'d>>, GatewayError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        Fields::new(value, self.param(name)).map(Some)
    }

    /// Members whose names are not in `known`, as extras of `dialect`. Explicit nulls are left out.
    #[must_use]
    pub fn unknown(&self, known: &[&str], dialect: DialectId) -> Extras {
        self.object
            .members()
            .filter(|(name, value)| !value.is_null() && !known.contains(&name.as_ref()))
            .map(|(name, value)| Extra { dialect, name: name.into_owned(), value: value.to_raw() })
            .collect()
    }

    fn typed<T>(
        &self,
        name: &str,
        wanted: &str,
        read: impl FnOnce(&Json<'d>) -> Option<T>,
    ) -> Result<Option<T>, GatewayError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        read(&value).map(Some).ok_or_else(|| self.wrong(name, wanted))
    }
}
