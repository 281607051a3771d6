//! Rich requests of each client dialect: every word in them is unique, so that it can be found again.

pub mod anthropic;
pub mod gemini;
pub mod openai;

/// A name and a request body.
pub type Input = (&'static str, &'static str);
