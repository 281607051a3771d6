//! Vocabulary of the gateway: chat model, event grammar, usage, losses, errors, secrets. No I/O, no serde.
