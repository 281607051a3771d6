//! Tests of the whole gateway.

mod e2e;
