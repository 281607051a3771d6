//! Base URLs as people write them, joined with the roots of the formats behind them.

use http::uri::{Authority, PathAndQuery, Scheme};

/// A checked base URL.
#[derive(Debug, Clone)]
pub(crate) struct BaseUrl {
    pub(crate) scheme: Scheme,
    pub(crate) authority: Authority,
    /// Without trailing slash; empty for the bare host.
    pub(crate) path: String,
}

/// What joining needs to know about one format.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Root<'a> {
    /// Path between host and calls, for example `/v1`.
    pub(crate) path: &'a str,
    /// Path of the chat call, so that an address that was copied whole still works.
    pub(crate) chat: Option<&'a str>,
    /// By custom, base URLs of this format include the version, so a path with one anywhere is already complete.
    pub(crate) base_has_version: bool,
    /// The operator gave this root: append it and guess nothing.
    pub(crate) exact: bool,
}

impl BaseUrl {
    /// Checks a base URL.
    ///
    /// # Errors
    /// What is wrong and what to write instead; never repeats the URL, which may hold a password.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let scheme_end = text.find("://").ok_or("must begin with `http://` or `https://`")?;
        let (scheme, rest) = text.split_at(scheme_end);
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::HTTP,
            "https" => Scheme::HTTPS,
            _ => return Err("must begin with `http://` or `https://`".to_owned()),
        };
        let rest = rest.trim_start_matches("://");
        if !rest.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
            return Err("must consist of printable ASCII without spaces; write other characters percent-encoded".into());
        }
        if rest.contains(['?', '#']) {
            return Err("must not have a query or fragment (`?`, `#`): only scheme, host, port and path".to_owned());
        }
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let authority = check_authority(authority)?;
        let path = path.trim_end_matches('/');
        if has_dot_segment(path) {
            return Err("must not have `.` or `..` in its path".to_owned());
        }
        if !path.is_empty() && path.parse::<PathAndQuery>().is_err() {
            return Err("has a path that is not valid in a URL".to_owned());
        }
        Ok(Self { scheme, authority, path: path.to_owned() })
    }

    /// The path in front of the calls of each format, in the order given; the first format is the preferred one, which
    /// the operator had in mind when writing the base URL.
    pub(crate) fn join(&self, roots: &[Root<'_>]) -> Vec<String> {
        let calls = roots.iter().filter_map(|root| root.chat).filter(|chat| !chat.contains('{'));
        let path = calls.filter_map(|chat| self.path.strip_suffix(chat)).next().unwrap_or(&self.path);
        let stem = stem(path, roots);
        let mut joined = Vec::with_capacity(roots.len());
        for (at, root) in roots.iter().enumerate() {
            joined.push(match &stem {
                _ if root.exact => format!("{path}{}", root.path),
                Stem::Before(stem) => format!("{stem}{}", root.path),
                Stem::Complete { .. } if at == 0 => path.to_owned(),
                Stem::Complete { parent } => format!("{parent}{}", root.path),
            });
        }
        joined
    }
}

/// What the path of a base URL is.
enum Stem<'a> {
    /// What stands before the roots.
    Before(&'a str),
    /// Complete for the preferred format; `parent` is what others hang below.
    Complete { parent: &'a str },
}

fn stem<'a>(path: &'a str, roots: &[Root<'_>]) -> Stem<'a> {
    let named = roots.iter().map(|root| root.path).filter(|root| !root.is_empty());
    if let Some(stem) = named.filter_map(|root| path.strip_suffix(root)).min_by_key(|stem| stem.len()) {
        return Stem::Before(stem);
    }
    if let Some(stem) = roots.iter().find_map(|root| without_overlap(path, root.path)) {
        return Stem::Before(stem);
    }
    let (parent, last) = path.rsplit_once('/').unwrap_or(("", ""));
    let anywhere = roots.first().is_some_and(|root| root.base_has_version);
    if is_version(last) || (anywhere && path.split('/').any(is_version)) {
        return Stem::Complete { parent };
    }
    Stem::Before(path)
}

/// The path without its last segments where those are the first segments of the root (`/openai` of `/openai/v1`).
fn without_overlap<'a>(path: &'a str, root: &str) -> Option<&'a str> {
    let mut end = root.len();
    while let Some(at) = root.get(..end).and_then(|part| part.rfind('/')).filter(|at| *at > 0) {
        end = at;
        if let Some(stem) = root.get(..end).and_then(|part| path.strip_suffix(part)) {
            return Some(stem);
        }
    }
    None
}

/// `v1`, `v1beta`, `v4`: a `v`, digits, perhaps letters and digits.
fn is_version(segment: &str) -> bool {
    segment.strip_prefix('v').is_some_and(|rest| {
        rest.bytes().next().is_some_and(|byte| byte.is_ascii_digit())
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// Whether a path tries to climb: plain, or with the dots percent-encoded.
pub(crate) fn has_dot_segment(path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    path.split('/').any(|segment| {
        let plain = segment.to_ascii_lowercase().replace("%2e", ".");
        plain == "." || plain == ".."
    })
}

fn check_authority(text: &str) -> Result<Authority, String> {
    if text.contains('@') {
        return Err("must not contain credentials; use `api_key` or `headers`".to_owned());
    }
    let authority: Authority = text.parse().map_err(|_| "has no valid host".to_owned())?;
    if authority.host().is_empty() {
        return Err("has no host".to_owned());
    }
    let after_host = authority.as_str().get(authority.host().len()..).unwrap_or_default();
    let port_is_fine = match after_host.strip_prefix(':') {
        Some(port) => port.parse::<u16>().is_ok_and(|port| port > 0) && !port.starts_with('+'),
        None => after_host.is_empty(),
    };
    if port_is_fine { Ok(authority) } else { Err("has a port that is not a number from 1 to 65535".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::{BaseUrl, Root};

    fn problem(text: &str) -> String {
        BaseUrl::parse(text).map(|base| format!("{base:?}")).unwrap_err()
    }

    #[test]
    fn bad_base_urls_are_explained() {
        assert!(problem("api.example.com/v1").contains("must begin with"));
        assert!(problem("mock://local").contains("must begin with"));
        assert!(problem("ftp://example.com").contains("must begin with"));
        assert!(problem("https://").contains("host"));
        assert!(problem("https:///v1").contains("host"));
        assert!(problem("https://user:secret@example.com").contains("credentials"));
        assert!(!problem("https://user:secret@example.com").contains("secret"));
        assert!(problem("https://example.com/v1?key=a").contains("query"));
        assert!(problem("https://example.com/#x").contains("query or fragment"));
        assert!(problem("https://example.com:99999").contains("port"));
        assert!(problem("https://example.com:").contains("port"));
        assert!(problem("https://example.com:0").contains("port"));
        assert!(problem("https://exa mple.com").contains("spaces"));
        assert!(problem("https://example.com/a/%2E%2e/b").contains("`..`"));
    }

    #[test]
    fn a_root_is_appended_once() {
        let openai = Root { path: "/v1", chat: Some("/chat/completions"), base_has_version: true, exact: false };
        let nested = Root { path: "/openai/v1", ..openai };
        let exact = Root { path: "/x", exact: true, ..openai };
        let versionless = Root { chat: Some("/messages"), base_has_version: false, ..openai };
        for (base, root, path) in [
            ("http://h", openai, "/v1"),
            ("http://h:1/", openai, "/v1"),
            ("http://h/v1/", openai, "/v1"),
            ("http://h/p/v1", openai, "/p/v1"),
            ("http://h/p", openai, "/p/v1"),
            ("http://h/api/paas/v4", openai, "/api/paas/v4"),
            ("http://h/v1beta/openai/", openai, "/v1beta/openai"),
            ("http://h/v1/chat/completions", openai, "/v1"),
            ("http://h/voice", openai, "/voice/v1"),
            ("http://h/v1/account/anthropic", versionless, "/v1/account/anthropic/v1"),
            ("http://h/v1/messages", versionless, "/v1"),
            ("http://h/openai", nested, "/openai/v1"),
            ("http://h/openai/v1", nested, "/openai/v1"),
            ("http://h/v1", nested, "/v1"),
            ("http://h/v1", exact, "/v1/x"),
        ] {
            let joined = BaseUrl::parse(base).unwrap().join(&[root]);
            assert_eq!(joined, [path], "{base} with root {}", root.path);
        }
    }
}
