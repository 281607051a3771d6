//! SQLite adapter of the store ports.
