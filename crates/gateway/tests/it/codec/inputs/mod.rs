//! Rich requests of each client dialect: every word in them is unique, so that it can be found again.

pub(crate) mod anthropic;
pub(crate) mod gemini;
pub(crate) mod openai;

/// A name and a request body.
pub(crate) type Input = (&'static str, &'static str);
