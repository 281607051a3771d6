//! Control plane HTTP: keys, usage, status.
//!
//! One router for `/api/v1/*`, behind the administrator's password. Everything is closed: also an unknown path says
//! nothing without the password, and without a password nobody gets in. Handlers work through the ports of `gw-store` and
//! the callbacks of [`AdminState`]; they know no adapter, no provider and nothing of the data plane.

mod auth;
mod context;
mod error;
mod password;
mod resources;
mod router;
mod state;
mod throttle;
mod time;

pub use context::RequestContext;
pub use password::{PasswordError, check_password_hash, hash_password, random_password, verify_password};
pub use router::router;
pub use state::{AdminState, JournalFacts, ProviderFacts, StatusFacts};
