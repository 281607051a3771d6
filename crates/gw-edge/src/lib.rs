//! Data-plane HTTP: listener, entry, respond, drain.
