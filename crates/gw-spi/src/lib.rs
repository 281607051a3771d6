//! The seams: ingress, egress, provider, codec contexts, capability profile.
