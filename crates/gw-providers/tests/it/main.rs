//! What profiles, addresses, credentials and model facts must be, seen from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod builtin;
mod credentials;
mod custom;
mod facts;
mod laws;
mod urls;

use std::sync::Arc;

use gw_core::{DialectId, GatewayError, Operation, Secret};
use gw_providers::{ConfiguredProvider, ProviderSettings, Registry};
use gw_spi::{Prepared, Provider as _, UpstreamCall};
use http::Method;

pub const CHAT: DialectId = DialectId("openai-chat");
pub const ANTHROPIC: DialectId = DialectId("anthropic");
pub const GEMINI: DialectId = DialectId("gemini");
pub const DIALECTS: [DialectId; 3] = [CHAT, ANTHROPIC, GEMINI];

pub fn registry() -> Registry {
    Registry::builtin(&DIALECTS).expect("the built-in profiles are sound")
}

pub fn settings(kind: &str) -> ProviderSettings {
    ProviderSettings {
        name: "main".to_owned(),
        kind: kind.to_owned(),
        api_key: Some(Secret::new("sk-canary")),
        base_url: (kind == "mock" || kind == "openai-compatible").then(|| "http://127.0.0.1:9".to_owned()),
        ..ProviderSettings::default()
    }
}

pub fn build(settings: &ProviderSettings) -> Arc<ConfiguredProvider> {
    registry().build(settings).unwrap_or_else(|error| panic!("{error}"))
}

pub fn problem(settings: &ProviderSettings) -> String {
    registry().build(settings).map(|provider| format!("{provider:?}")).unwrap_err().to_string()
}

pub fn prepare(
    provider: &ConfiguredProvider,
    dialect: DialectId,
    operation: Operation,
    model: &str,
    stream: bool,
) -> Result<Prepared, GatewayError> {
    let method = Method::POST;
    provider.prepare(&UpstreamCall {
        operation,
        dialect,
        model,
        stream,
        framing: gw_spi::Framing::Sse,
        native_path: None,
        method: &method,
    })
}

pub fn native(provider: &ConfiguredProvider, dialect: DialectId, path: &str) -> Result<Prepared, GatewayError> {
    let method = Method::PUT;
    provider.prepare(&UpstreamCall {
        operation: Operation::Native,
        dialect,
        model: "m",
        stream: false,
        framing: gw_spi::Framing::Sse,
        native_path: Some(path),
        method: &method,
    })
}

pub fn chat_url(provider: &ConfiguredProvider, dialect: DialectId, model: &str, stream: bool) -> String {
    prepare(provider, dialect, Operation::Chat, model, stream).unwrap().uri.to_string()
}
