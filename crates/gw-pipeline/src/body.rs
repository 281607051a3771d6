//! Bodies of the gateway's answers.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::pump::Pump;

/// Why a body could not be continued. After the first byte a fault is rendered in the caller's dialect instead, so this
/// happens only for relayed binary answers whose upstream broke off.
#[derive(Debug, thiserror::Error)]
#[error("the upstream broke off")]
pub struct BodyFault;

/// An answer's body.
pub enum GatewayBody {
    /// Everything is there.
    Full(Option<Bytes>),
    /// Pumped from an upstream.
    Stream(Box<Pump>),
}

impl GatewayBody {
    /// Lets a stream hold a ticket until it is over. A complete body gives it back at once.
    #[must_use]
    pub fn ticketed(body: Self, ticket: std::sync::Arc<()>) -> Self {
        match body {
            Self::Full(bytes) => Self::Full(bytes),
            Self::Stream(mut pump) => {
                pump.hold(ticket);
                Self::Stream(pump)
            }
        }
    }

    /// A complete body.
    #[must_use]
    pub fn full(bytes: impl Into<Bytes>) -> Self {
        Self::Full(Some(bytes.into()))
    }

    /// No body.
    #[must_use]
    pub const fn empty() -> Self {
        Self::Full(None)
    }
}

impl Body for GatewayBody {
    type Data = Bytes;
    type Error = BodyFault;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyFault>>> {
        match self.get_mut() {
            Self::Full(bytes) => {
                Poll::Ready(bytes.take().filter(|bytes| !bytes.is_empty()).map(|bytes| Ok(Frame::data(bytes))))
            }
            Self::Stream(pump) => pump.poll_chunk(context).map(|chunk| chunk.map(|bytes| bytes.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Full(bytes) => bytes.as_ref().is_none_or(Bytes::is_empty),
            Self::Stream(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Stream(pump) => pump.size_hint(),
        }
    }
}
