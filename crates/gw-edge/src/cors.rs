//! Cross-origin requests from browsers: off unless configured.

use http::{HeaderMap, HeaderValue, header};

/// Who may call from a browser.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CorsPolicy {
    /// Allowed origins; `*` means any.
    pub origins: Vec<String>,
    /// Allowed methods; empty means the ones that are served.
    pub methods: Vec<String>,
    /// Allowed request headers; empty means the ones that are asked for.
    pub headers: Vec<String>,
    /// Whether cookies and authorization may be sent by the browser itself.
    pub credentials: bool,
}

impl CorsPolicy {
    /// Headers for an answer to `origin`; nothing when the origin is not allowed.
    pub(crate) fn apply(&self, request: &HeaderMap, preflight: bool, response: &mut HeaderMap) {
        let Some(origin) = request.get(header::ORIGIN) else { return };
        response.append(header::VARY, HeaderValue::from_static("Origin"));
        let any = self.origins.iter().any(|allowed| allowed == "*");
        if !any && !self.origins.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes()) {
            return;
        }
        let shown = if any && !self.credentials { HeaderValue::from_static("*") } else { origin.clone() };
        response.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, shown);
        if self.credentials {
            response.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        if !preflight {
            response.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("*"));
            return;
        }
        let joined = |list: &[String], otherwise: &'static str| {
            if list.is_empty() {
                Ok(HeaderValue::from_static(otherwise))
            } else {
                HeaderValue::from_str(&list.join(", "))
            }
        };
        if let Ok(methods) = joined(&self.methods, "GET, POST, HEAD, OPTIONS") {
            response.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        }
        let asked = request.get(header::ACCESS_CONTROL_REQUEST_HEADERS);
        // A literal `*` means nothing to browsers once credentials are allowed: name what was asked for.
        let any = self.headers.is_empty() || self.headers.iter().any(|allowed| allowed == "*");
        let headers = match (any, asked) {
            (true, Some(asked)) => Ok(asked.clone()),
            _ => joined(&self.headers, "authorization, content-type"),
        };
        if let Ok(headers) = headers {
            response.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, headers);
        }
        response.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, header};

    use super::CorsPolicy;

    fn answer(policy: &CorsPolicy, origin: &'static str) -> HeaderMap {
        let (mut request, mut response) = (HeaderMap::new(), HeaderMap::new());
        request.insert(header::ORIGIN, HeaderValue::from_static(origin));
        policy.apply(&request, true, &mut response);
        response
    }

    #[test]
    fn only_allowed_origins_are_named() {
        let policy = CorsPolicy { origins: vec!["https://a.example".into()], ..CorsPolicy::default() };
        assert_eq!(answer(&policy, "https://a.example")[header::ACCESS_CONTROL_ALLOW_ORIGIN], "https://a.example");
        assert!(!answer(&policy, "https://b.example").contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
        let any = CorsPolicy { origins: vec!["*".into()], ..CorsPolicy::default() };
        assert_eq!(answer(&any, "https://b.example")[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    }
}
