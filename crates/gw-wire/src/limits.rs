//! Bounds on what is read.

/// Bounds for indexing one JSON document.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Deepest nesting of arrays and objects.
    pub depth: u32,
    /// Most values in a document.
    pub nodes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 128, nodes: 2_000_000 }
    }
}
