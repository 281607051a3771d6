//! Project tasks as a library, so that each rule and generator has tests of its own.

pub mod codegen;
pub mod tidy;
