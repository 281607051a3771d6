//! Headers of every call to one provider, built once. Whatever a caller sent has no way in here.

use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, USER_AGENT};

use gw_core::Secret;

use crate::endpoint::Problem;
use crate::raw::RawAuth;

/// The gateway's own name; callers' user agents are not forwarded.
const AGENT: &str = concat!("irongate/", env!("CARGO_PKG_VERSION"));

/// Headers that belong to the connection or the body, so nobody may configure them.
const RESERVED: [&str; 13] = [
    "host",
    "content-length",
    "content-type",
    "content-encoding",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "upgrade",
    "accept-encoding",
    "proxy-authorization",
    "proxy-connection",
];

/// Builds the header map of one format, later sources winning: own user agent, profile, credential, operator.
pub(crate) fn build<'a>(
    profile: impl Iterator<Item = (&'a str, &'a str)>,
    auth: &RawAuth,
    key: Option<&Secret>,
    configured: &[(String, String)],
) -> Result<HeaderMap, Problem> {
    let mut headers = HeaderMap::new();
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    for (name, text) in profile {
        headers.insert(header_name(name)?, header_value(name, text)?);
    }
    if let Some((name, text)) = credential(auth, key)? {
        let mut value = HeaderValue::from_str(text.expose()).map_err(|_| {
            Problem::new("api_key", "has characters that cannot stand in a header; check for line breaks")
        })?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    for (name, _) in configured {
        headers.remove(header_name(name)?);
    }
    for (name, text) in configured {
        let mut value = header_value(name, text)?;
        // Nobody can tell whether a configured header is a secret.
        value.set_sensitive(true);
        headers.append(header_name(name)?, value);
    }
    Ok(headers)
}

/// Whether the operator's own headers carry what the credential would.
pub(crate) fn brings_credential(auth: &RawAuth, configured: &[(String, String)]) -> bool {
    let wanted = match auth {
        RawAuth::Bearer => AUTHORIZATION.as_str(),
        RawAuth::Header { name } => name.as_str(),
        RawAuth::Query { .. } | RawAuth::None => return false,
    };
    configured.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted))
}

fn credential(auth: &RawAuth, key: Option<&Secret>) -> Result<Option<(HeaderName, Secret)>, Problem> {
    let Some(key) = key else { return Ok(None) };
    Ok(match auth {
        RawAuth::Bearer => Some((AUTHORIZATION, Secret::new(format!("Bearer {}", key.expose())))),
        RawAuth::Header { name } => Some((header_name(name)?, key.clone())),
        RawAuth::Query { .. } | RawAuth::None => None,
    })
}

fn header_name(name: &str) -> Result<HeaderName, Problem> {
    let field = || format!("headers.{name}");
    let parsed = HeaderName::from_bytes(name.trim().as_bytes())
        .map_err(|_| Problem::new(field(), "is not a valid header name"))?;
    if RESERVED.contains(&parsed.as_str()) {
        return Err(Problem::new(field(), "belongs to the connection and cannot be set; remove it"));
    }
    Ok(parsed)
}

fn header_value(name: &str, text: &str) -> Result<HeaderValue, Problem> {
    HeaderValue::from_str(text.trim())
        .map_err(|_| Problem::new(format!("headers.{name}"), "has a value that cannot stand in a header"))
}
