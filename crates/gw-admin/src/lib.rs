//! Control plane HTTP: keys, usage, status.
