//! Client keys: generation, hashing, prefixes, lookup index.
