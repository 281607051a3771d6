//! The dialects under test.

pub use gw_testkit::dialect::Dialect;

pub const OPENAI: Dialect = Dialect {
    id: gw_dialect_openai_chat::ID,
    vendor: "openai",
    ingress: &gw_dialect_openai_chat::Ingress,
    egress: &gw_dialect_openai_chat::Egress,
};
pub const ANTHROPIC: Dialect = Dialect {
    id: gw_dialect_anthropic::ID,
    vendor: "anthropic",
    ingress: &gw_dialect_anthropic::Ingress,
    egress: &gw_dialect_anthropic::Egress,
};
pub const GEMINI: Dialect = Dialect {
    id: gw_dialect_gemini::ID,
    vendor: "gemini",
    ingress: &gw_dialect_gemini::Ingress,
    egress: &gw_dialect_gemini::Egress,
};
pub const ALL: [Dialect; 3] = [OPENAI, ANTHROPIC, GEMINI];
