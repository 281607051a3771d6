//! A kind of provider: a folder of data, checked.

use crate::error::ProfileError;
use crate::raw::RawProfile;

/// What is known about a kind of provider.
#[derive(Debug, Clone)]
pub struct Profile {
    pub(crate) raw: RawProfile,
}

impl Profile {
    /// Reads a profile; what it extends is resolved when it is registered. The format is described in the README.
    ///
    /// # Errors
    /// A syntax error with line and column, an unknown or misspelt field, or a `kind` that cannot be a name.
    pub fn from_toml(text: &str) -> Result<Self, ProfileError> {
        let raw: RawProfile = toml::from_str(text).map_err(|error| ProfileError::Syntax(error.to_string()))?;
        for name in std::iter::once(&raw.kind).chain(&raw.aliases) {
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
            if name.is_empty() || !name.bytes().all(plain) {
                let problem = "must consist of lower-case letters, digits, `-` and `_`".to_owned();
                return Err(ProfileError::Field { kind: raw.kind.clone(), field: "kind".to_owned(), problem });
            }
        }
        Ok(Self { raw })
    }

    /// Reads a profile whose models stand in a file of their own: a table per pattern.
    pub(crate) fn from_folder(profile: &str, models: &str) -> Result<Self, ProfileError> {
        let mut read = Self::from_toml(profile)?;
        read.raw.models = toml::from_str(models)
            .map_err(|error| ProfileError::Syntax(format!("models of `{}`: {error}", read.raw.kind)))?;
        Ok(read)
    }

    /// Its name in configuration, for example `openai`.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.raw.kind
    }

    /// Other names that configuration may use.
    #[must_use]
    pub fn aliases(&self) -> &[String] {
        &self.raw.aliases
    }

    /// Readable name.
    #[must_use]
    pub fn display_name(&self) -> &str {
        self.raw.display_name.as_deref().unwrap_or(&self.raw.kind)
    }

    /// Vendor whose opaque state the service can verify.
    #[must_use]
    pub fn vendor(&self) -> &str {
        self.raw.vendor.as_deref().unwrap_or(&self.raw.kind)
    }

    /// Address when the operator gives none. `mock://local` stands for the server inside the process: the wiring
    /// replaces it with a real address.
    #[must_use]
    pub fn base_url(&self) -> Option<&str> {
        self.raw.base_url.as_deref()
    }

    /// Environment variables that may hold the address, first one wins.
    #[must_use]
    pub fn base_url_env(&self) -> &[String] {
        &self.raw.base_url_env
    }

    /// Environment variables that may hold the credential, first one wins.
    #[must_use]
    pub fn key_env(&self) -> &[String] {
        &self.raw.key_env
    }

    /// Whether calls without a credential are pointless.
    #[must_use]
    pub fn needs_key(&self) -> bool {
        self.raw.needs_key.unwrap_or(true)
    }

    /// Names of the formats it can speak, preferred first; some only on the vendor's own hosts or on request.
    #[must_use]
    pub fn dialects(&self) -> &[String] {
        self.raw.speaks.as_deref().unwrap_or_default()
    }

    /// Whether `host` belongs to the vendor, so that everything the vendor documents is known to be there.
    pub(crate) fn owns(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let listed = self.raw.own_hosts.iter().any(|own| match own.strip_prefix('*') {
            Some(suffix) => host.ends_with(suffix),
            None => host == *own,
        });
        let default = self.base_url().and_then(|url| url.parse::<http::Uri>().ok());
        listed || default.is_some_and(|url| url.host().is_some_and(|own| own.eq_ignore_ascii_case(&host)))
    }
}
