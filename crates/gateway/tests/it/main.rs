//! Tests of the whole gateway.

mod codec;
mod e2e;
