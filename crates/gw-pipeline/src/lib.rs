//! One executor from arrival to settlement: plan, attempt, transport, pump, settle.
