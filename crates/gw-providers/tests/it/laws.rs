//! Properties: whatever is configured or asked for, a call goes to the configured host or nowhere.

use std::sync::LazyLock;

use gw_core::{Operation, Secret};
use gw_providers::{ProviderSettings, Registry};
use gw_spi::{Provider as _, UpstreamCall};
use http::Method;
use proptest::prelude::*;

static REGISTRY: LazyLock<Registry> = LazyLock::new(crate::registry);

const OPERATIONS: [Operation; 5] =
    [Operation::Chat, Operation::CountTokens, Operation::ListModels, Operation::GetModel, Operation::Native];

fn base_urls() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => "https?://[a-z0-9.-]{1,12}(:[0-9]{1,5})?(/[a-zA-Z0-9._~%-]{0,6}){0,3}/?",
        1 => "(https?://)?[ -~]{0,24}",
        1 => any::<String>(),
    ]
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof!["[a-zA-Z0-9./:_-]{0,24}", "(/|//|\\.\\./|@|\\\\|\\?|#|%2e|models/|[a-z]){0,8}", any::<String>(),]
}

proptest! {
    #[test]
    fn calls_stay_on_the_configured_host(
        kind in prop::sample::select(REGISTRY.kinds().map(str::to_owned).collect::<Vec<_>>()),
        base in base_urls(),
        model in names(),
        path in names(),
        stream in any::<bool>(),
    ) {
        let settings = ProviderSettings {
            name: "p".to_owned(),
            kind,
            base_url: Some(base.clone()),
            api_key: Some(Secret::new("k")),
            ..ProviderSettings::default()
        };
        let default = REGISTRY.kind(&settings.kind).unwrap().base_url();
        let Ok(provider) = REGISTRY.build(&settings) else { return Ok(()) };
        let wanted = if base.trim().is_empty() { default.unwrap() } else { base.trim() };
        let wanted = wanted.split_once("://").unwrap().1.split('/').next().unwrap();
        for operation in OPERATIONS {
            for way in provider.speaks(operation, &model) {
                let method = Method::POST;
                let native_path = (operation == Operation::Native).then_some(path.as_str());
                let call = UpstreamCall { operation, dialect: way.dialect, model: &model, stream, framing: gw_spi::Framing::Sse, native_path, method: &method };
                let Ok(prepared) = provider.prepare(&call) else { continue };
                prop_assert_eq!(prepared.uri.authority().unwrap().as_str(), wanted);
                prop_assert!(prepared.uri.scheme().is_some());
                let climbs = prepared.uri.path().split('/').any(|segment| segment == "..");
                prop_assert!(!climbs, "{}", prepared.uri);
            }
        }
        let _ = provider.capabilities(&model);
    }

    #[test]
    fn a_trailing_version_changes_nothing(host in "[a-z]{1,8}(:[1-9][0-9]{1,3})?", front in "(/[a-u]{1,6}){0,2}") {
        for (kind, dialect, version) in [
            ("openai", crate::CHAT, "/v1"),
            ("anthropic", crate::ANTHROPIC, "/v1"),
            ("gemini", crate::GEMINI, "/v1beta"),
            ("qwen", crate::CHAT, "/compatible-mode/v1"),
        ] {
            let at = |base: String| {
                let settings = ProviderSettings { base_url: Some(base), ..crate::settings(kind) };
                crate::chat_url(&REGISTRY.build(&settings).unwrap(), dialect, "m", false)
            };
            let bare = at(format!("http://{host}{front}"));
            prop_assert_eq!(&bare, &at(format!("http://{host}{front}{version}/")));
            let start = format!("http://{host}{front}{version}/");
            prop_assert!(bare.starts_with(&start), "{} does not start with {}", bare, start);
        }
    }

    #[test]
    fn a_model_in_the_path_decodes_to_the_name_that_was_asked_for(model in "[^\u{0}]{1,40}") {
        prop_assume!(!model.starts_with("models/") && !model.starts_with("tunedModels/") && model != "." && model != "..");
        let settings = ProviderSettings { base_url: Some("http://h".to_owned()), ..crate::settings("gemini") };
        let url = crate::chat_url(&REGISTRY.build(&settings).unwrap(), crate::GEMINI, &model, false);
        let name = url.strip_prefix("http://h/v1beta/models/").unwrap().strip_suffix(":generateContent").unwrap();
        prop_assert_eq!(decoded(name), model);
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next().unwrap(), rest.next().unwrap()];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}
