//! One executor from arrival to settlement: plan, attempt, transport, pump, settle.
//!
//! This crate must not know any dialect, vendor or store: it works through `gw_spi` traits and one observer port. It
//! owns streaming and settlement: every call settles exactly once, whatever happens to either socket.

mod attempt;
mod body;
mod chat;
mod clock;
mod count;
mod credentials;
mod deadlines;
mod emulate;
mod executor;
mod held;
mod lane;
mod native;
mod plan;
mod pump;
mod report;
mod sealer;
mod settle;
mod snapshot;
mod tools;
mod transport;

pub use body::{BodyFault, GatewayBody};
pub use clock::now_ms;
pub use executor::{Arrival, Dialects, Gateway, GatewayParts, ModelSource, Rejected};
pub use sealer::EnvelopeSealer;
pub use settle::{Observer, Settled};
pub use snapshot::{ModelEntry, ProviderEntry, Settings, Snapshot, SnapshotParts, Timeouts};
pub use transport::{Pieces, Transport, TransportSettings};
