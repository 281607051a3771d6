//! Services: URL shapes, authentication, capability data, error classification.
