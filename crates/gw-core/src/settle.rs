//! How an attempt ended: every attempt has exactly one named reason.

/// Why an attempt is over. Tables decide what each reason costs; nothing else may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// The answer reached its terminal event and was handed to the client.
    Completed,
    /// The client went away before the end.
    ClientCancelled,
    /// The upstream answered with an error, before or inside the stream.
    UpstreamError,
    /// The upstream's stream ended without its terminal event.
    UpstreamTruncated,
    /// A connect, first-byte, idle or total deadline passed.
    Timeout,
    /// The gateway refused before calling upstream (bad request, policy, key, unknown model).
    Refused,
    /// The gateway shut down before the stream was over.
    Shutdown,
    /// A fault of the gateway itself.
    Internal,
}

impl EndReason {
    /// Stable name for records, logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::ClientCancelled => "client_cancelled",
            Self::UpstreamError => "upstream_error",
            Self::UpstreamTruncated => "upstream_truncated",
            Self::Timeout => "timeout",
            Self::Refused => "refused",
            Self::Shutdown => "shutdown",
            Self::Internal => "internal",
        }
    }
}
