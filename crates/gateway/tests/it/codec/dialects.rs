//! The dialects under test.

pub(crate) use gw_testkit::dialect::Dialect;

pub(crate) const OPENAI: Dialect = Dialect {
    id: gw_dialect_openai_chat::ID,
    vendor: "openai",
    ingress: &gw_dialect_openai_chat::Ingress,
    egress: &gw_dialect_openai_chat::Egress,
};
pub(crate) const ANTHROPIC: Dialect = Dialect {
    id: gw_dialect_anthropic::ID,
    vendor: "anthropic",
    ingress: &gw_dialect_anthropic::Ingress,
    egress: &gw_dialect_anthropic::Egress,
};
pub(crate) const GEMINI: Dialect = Dialect {
    id: gw_dialect_gemini::ID,
    vendor: "gemini",
    ingress: &gw_dialect_gemini::Ingress,
    egress: &gw_dialect_gemini::Egress,
};
pub(crate) const ALL: [Dialect; 3] = [OPENAI, ANTHROPIC, GEMINI];
