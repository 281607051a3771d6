//! Rules for listening, CORS, logging and the administrator.

use std::path::{Path, PathBuf};

use super::Check;
use crate::config::{Admin, Cors, Https, ListenAddress, LogFormat, LogLevel, Logging};
use crate::kind;
use crate::problem::Origin;
use crate::raw::{RawAdmin, RawLogging, RawServer, Written};
use crate::reader::split_list;
use gw_core::Secret;

impl Check<'_> {
    /// Command line over `PORT` over `IRONGATE_LISTEN` over `listen` over `server.host` and `server.port`.
    pub(super) fn listen(&mut self, listen: &Written<String>, server: &RawServer) -> ListenAddress {
        let mut address = ListenAddress { host: "127.0.0.1".to_owned(), port: 8080 };
        if let Some(host) = &server.host {
            address.host = host.value.trim().trim_start_matches('[').trim_end_matches(']').to_owned();
        }
        if let Some(port) = &server.port {
            address.port = port.value;
        }
        if let Some(listen) = listen {
            if let Some(ignored) =
                server.host.as_ref().map(|host| &host.origin).or(server.port.as_ref().map(|p| &p.origin))
            {
                self.problems.warn(ignored, "server", "`listen` is given as well and wins over `host` and `port`");
            }
            address = self.address(&listen.value, &listen.origin, "listen").unwrap_or(address);
        }
        if let Some(listen) = self.environment.get("IRONGATE_LISTEN") {
            address = self.address(&listen.value, &listen.origin, "IRONGATE_LISTEN").unwrap_or(address);
        }
        if let Some(port) = self.environment.typed("PORT", &kind::PORT, self.problems) {
            address.port = port.value;
        }
        if let Some(listen) = &self.overrides.listen {
            let origin = Origin::CommandLine { flag: "--listen" };
            address = self.address(listen, &origin, "").unwrap_or(address);
        }
        if let Some(port) = self.overrides.port {
            address.port = port;
        }
        address
    }

    /// Reads `HOST:PORT`, `[IPV6]:PORT` or `:PORT`, which means every interface.
    fn address(&mut self, text: &str, origin: &Origin, field: &str) -> Option<ListenAddress> {
        let text = text.trim();
        let parsed = text.rsplit_once(':').and_then(|(host, port)| {
            let port = port.parse().ok()?;
            let host = match host.strip_prefix('[') {
                Some(host) => host.strip_suffix(']')?,
                None if host.contains(':') => return None,
                None if host.is_empty() || host == "*" => "0.0.0.0",
                None => host,
            };
            (!host.is_empty() && !host.contains(char::is_whitespace))
                .then(|| ListenAddress { host: host.to_owned(), port })
        });
        if parsed.is_none() {
            let message = format!("{:?} is not an address to listen on", crate::environment::shorten(text));
            self.problems.error(
                origin,
                field,
                message,
                "write HOST:PORT such as 127.0.0.1:8080, with a port up to 65535",
            );
        }
        parsed
    }

    pub(super) fn https(&mut self, server: &RawServer) -> Option<Https> {
        let enabled = server.https_enabled.as_ref().filter(|enabled| enabled.value)?;
        let mut path = |written: &Written<String>, field: &str, what: &str| match written {
            Some(located) => Some(PathBuf::from(&located.value)),
            None => {
                let message = format!("HTTPS is enabled without a {what}");
                self.problems.error(
                    &enabled.origin,
                    field,
                    message,
                    "name a PEM file, or set server.https.enabled: false",
                );
                None
            }
        };
        let cert_file = path(&server.cert_file, "server.https.cert_file", "certificate");
        let key_file = path(&server.key_file, "server.https.key_file", "private key");
        Some(Https { cert_file: cert_file?, key_file: key_file? })
    }

    pub(super) fn cors(&mut self, server: RawServer) -> Option<Cors> {
        let list = |written: Written<Vec<String>>, names: &[&str]| match written {
            Some(located) => Some(located.value),
            None => self.environment.first(names).map(|located| split_list(located.value.trim_matches(['[', ']']))),
        };
        let origins = list(server.origins, &["CORS_ALLOWED_ORIGINS", "CORS_ORIGIN", "CORS_ALLOW_ORIGINS"]);
        let methods = list(server.methods, &["CORS_METHODS", "CORS_ALLOW_METHODS"]);
        let headers = list(server.headers, &["CORS_HEADERS", "CORS_ALLOW_HEADERS"]);
        let from_environment = self.environment.typed("CORS_ALLOW_CREDENTIALS", &kind::BOOLEAN, self.problems);
        let credentials = server.credentials.or(from_environment);
        // One list in the environment may be JSON, as source 004 writes it.
        let unquote = |items: Vec<String>| items.iter().map(|item| item.trim_matches(['"', '\'']).to_owned()).collect();
        let origins: Vec<String> = origins.map(unquote).filter(|origins: &Vec<String>| !origins.is_empty())?;
        let mut allow_credentials = credentials.as_ref().is_some_and(|located| located.value);
        if let Some(located) = credentials.filter(|_| allow_credentials && origins.iter().any(|origin| origin == "*")) {
            let message = "ignored, because browsers refuse credentials together with origin `*`; list the origins";
            self.problems.warn(&located.origin, "server.cors.credentials", message);
            allow_credentials = false;
        }
        let default_methods = || ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].map(str::to_owned).to_vec();
        let methods: Vec<String> = methods.map_or_else(default_methods, unquote);
        Some(Cors {
            origins,
            methods: methods.iter().map(|method| method.to_ascii_uppercase()).collect(),
            headers: headers.map_or_else(|| vec!["*".to_owned()], unquote),
            credentials: allow_credentials,
        })
    }

    pub(super) fn data_dir(&mut self, written: Written<String>) -> PathBuf {
        if let Some(path) = &self.overrides.data_dir {
            return path.clone();
        }
        let text = self.environment.get("IRONGATE_DATA_DIR").or(written).map(|located| located.value);
        PathBuf::from(text.unwrap_or_else(|| "./data".to_owned()))
    }

    pub(super) fn logging(&mut self, raw: RawLogging) -> Logging {
        let problems = &mut *self.problems;
        let debug = self.environment.typed("DEBUG_MODE", &kind::BOOLEAN, problems).is_some_and(|located| located.value);
        let level = self.environment.typed("LOG_LEVEL", &kind::LOG_LEVEL, problems).map(|located| located.value);
        let level = level.or(debug.then_some(LogLevel::Debug)).or(raw.level.map(|located| located.value));
        let mut level = level.unwrap_or(LogLevel::Info);
        if self.overrides.verbose {
            level = level.max(LogLevel::Debug);
        }
        let format = self.environment.typed("LOG_FORMAT", &kind::LOG_FORMAT, problems).or(raw.format);
        let save_bodies = self.environment.typed("LOG_SAVE_BODY", &kind::BOOLEAN, problems).or(raw.save_bodies);
        let file = raw.file.map(|located| PathBuf::from(located.value));
        let in_directory = || self.environment.get("LOG_DIR").map(|dir| Path::new(&dir.value).join("gateway.log"));
        Logging {
            level,
            format: format.map_or(LogFormat::Json, |located| located.value),
            file: file.or_else(in_directory),
            save_bodies: save_bodies.is_some_and(|located| located.value),
        }
    }

    pub(super) fn admin(&mut self, raw: RawAdmin) -> Admin {
        let username = raw.username.or_else(|| self.environment.get("DEFAULT_ADMIN_USERNAME"));
        let from_environment = || {
            let located = self.environment.first(&["JWT_SECRET", "SECRET_KEY"])?;
            Some(Secret::new(located.value))
        };
        Admin {
            username: username.map_or_else(|| "admin".to_owned(), |located| located.value),
            password_hash: raw.password_hash.map(|located| located.value),
            session_secret: raw.session_secret.map(|located| located.value).or_else(from_environment),
        }
    }
}
