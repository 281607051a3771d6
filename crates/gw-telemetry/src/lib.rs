//! Metrics with fixed labels, logs with fixed field names.
