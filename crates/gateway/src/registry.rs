//! Every dialect in service. The order decides who is asked first about a path: Gemini before OpenAI, because
//! `/v1/models/{m}:generateContent` must not be taken for a model's description.

use std::sync::Arc;

use gw_core::DialectId;
use gw_pipeline::Dialects;

/// Names of all dialects.
pub(crate) const IDS: [DialectId; 3] = [gw_dialect_gemini::ID, gw_dialect_anthropic::ID, gw_dialect_openai_chat::ID];

/// All dialects.
pub(crate) fn dialects() -> Dialects {
    Dialects {
        ingresses: vec![
            Arc::new(gw_dialect_gemini::Ingress),
            Arc::new(gw_dialect_anthropic::Ingress),
            Arc::new(gw_dialect_openai_chat::Ingress),
        ],
        egresses: vec![
            Arc::new(gw_dialect_gemini::Egress),
            Arc::new(gw_dialect_anthropic::Egress),
            Arc::new(gw_dialect_openai_chat::Egress),
        ],
    }
}
