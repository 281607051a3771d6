//! Ports and versioned records of everything that is stored, with a conformance suite and a memory adapter.
