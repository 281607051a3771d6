//! Mock providers: every served endpoint answered locally, streaming and not, with configurable delay, chunking, errors and usage.
