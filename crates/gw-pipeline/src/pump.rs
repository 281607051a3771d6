//! The pump: pulls an upstream's body through a lane into the client's body, one write per wake-up.
//!
//! It owns keep-alives, idle deadlines, cancellation and settlement of a stream. Nothing is spawned: the client's
//! connection polls it, so a slow client slows the upstream, and dropping it drops the upstream connection.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use gw_core::{Code, EndReason, GatewayError};
use http_body::{Body as _, SizeHint};
use hyper::body::Incoming;
use tokio_util::sync::WaitForCancellationFutureOwned;

use crate::attempt::{OpenFault, Opened};
use crate::body::BodyFault;
use crate::deadlines::{Deadlines, Expiry};
use crate::lane::{Lane, Out, Seen, interrupted};
use crate::settle::Settlement;

/// Bytes gathered before they are handed on even if more are ready.
const DRAIN: usize = 64 * 1024;

/// Polls without news after which gathered bytes are written. Two, because the server polls a body again before it yields
/// to other tasks.
const IDLE_TURNS: u8 = 2;

/// An upstream head that may not have arrived yet.
pub(crate) type Opening = Pin<Box<dyn Future<Output = Result<Opened, OpenFault>> + Send>>;

pub(crate) enum Upstream {
    /// The head is still awaited; the client already got its own.
    Opening(Opening),
    Body(Incoming),
    Closed,
}

/// A stream in flight.
pub struct Pump {
    upstream: Upstream,
    lane: Lane,
    out: Out,
    deadlines: Deadlines,
    settlement: Settlement,
    shutdown: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Something was handed to the client's connection.
    committed: bool,
    /// Content was seen: an upstream fault can no longer become a status.
    meaningful: bool,
    fault: Option<Box<GatewayError>>,
    done: bool,
    broken: bool,
    length: Option<u64>,
    /// Bytes that were ready when the upstream connection last got a turn.
    gathered: usize,
    /// Polls since then that brought nothing.
    idle_turns: u8,
    /// Counts this stream among the calls in flight.
    ticket: Option<std::sync::Arc<()>>,
}

/// How far a stream got before its head was sent.
pub(crate) enum Primed {
    /// Content or the end is there.
    Ready,
    /// The upstream failed first: the caller answers with a status.
    Failed(Box<GatewayError>),
    /// Nothing meaningful yet.
    Waiting,
}

impl Pump {
    pub(crate) fn new(
        upstream: Upstream,
        lane: Lane,
        deadlines: Deadlines,
        settlement: Settlement,
        shutdown: WaitForCancellationFutureOwned,
    ) -> Self {
        Self {
            upstream,
            lane,
            out: Out::default(),
            deadlines,
            settlement,
            shutdown: Box::pin(shutdown),
            committed: false,
            meaningful: false,
            fault: None,
            done: false,
            broken: false,
            length: None,
            gathered: 0,
            idle_turns: 0,
            ticket: None,
        }
    }

    /// Keeps a ticket until the stream is dropped.
    pub(crate) fn hold(&mut self, ticket: std::sync::Arc<()>) {
        self.ticket = Some(ticket);
    }

    /// Announces the exact length of a relayed body.
    pub(crate) fn with_length(mut self, length: Option<u64>) -> Self {
        self.length = length;
        self
    }

    /// Gives the settlement back, for a failure that is answered with a status.
    pub(crate) fn into_settlement(mut self) -> Settlement {
        self.settlement.observed(&self.lane.report());
        self.settlement.take()
    }

    /// Gives the settlement back, for a failure before anything was pumped.
    pub(crate) fn take_settlement(&mut self) -> Settlement {
        self.settlement.take()
    }

    pub(crate) fn lane_mut(&mut self) -> (&mut Lane, &mut Out) {
        (&mut self.lane, &mut self.out)
    }

    /// Takes what a lane saw outside of polling (an answer that came whole).
    pub(crate) fn absorb(&mut self, seen: Seen) {
        self.apply(seen);
    }

    /// Waits for the first meaningful event. Cancel-safe: what was read is kept.
    pub(crate) async fn prime(&mut self) -> Primed {
        std::future::poll_fn(|context| {
            self.fill(context);
            if let Some(fault) = self.fault.take() {
                return Poll::Ready(Primed::Failed(fault));
            }
            if self.meaningful || self.done {
                return Poll::Ready(Primed::Ready);
            }
            match self.deadlines.poll(context) {
                Some(Expiry::FirstByte | Expiry::Idle) => Poll::Ready(Primed::Failed(Box::new(first_byte_late()))),
                Some(Expiry::Heartbeat) => Poll::Ready(Primed::Waiting),
                Some(Expiry::Linger) | None => Poll::Pending,
            }
        })
        .await
    }

    /// The next bytes for the client.
    pub(crate) fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyFault>>> {
        match catch_unwind(AssertUnwindSafe(|| self.poll_inner(context))) {
            Ok(polled) => polled,
            Err(_) => {
                tracing::error!("a panic inside a stream was caught");
                self.upstream = Upstream::Closed;
                self.done = true;
                let error = GatewayError::new(Code::Internal, "the gateway failed inside this stream");
                self.settlement.finish(EndReason::Internal, 500, Some(&error));
                Poll::Ready(Some(Err(BodyFault)))
            }
        }
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }

    fn poll_inner(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyFault>>> {
        loop {
            self.committed = true;
            self.meaningful = true;
            if !self.done {
                self.fill(context);
                if let Some(fault) = self.fault.take() {
                    self.fail(&fault, end_of(&fault));
                }
            }
            if self.may_gather() {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            if let Some(bytes) = self.out.take() {
                self.gathered = 0;
                self.idle_turns = 0;
                self.deadlines.sent();
                return Poll::Ready(Some(Ok(bytes)));
            }
            if self.done {
                let broken = std::mem::take(&mut self.broken);
                return Poll::Ready(broken.then_some(Err(BodyFault)));
            }
            if self.shutdown.as_mut().poll(context).is_ready() {
                let error =
                    GatewayError::new(Code::Unavailable, "the gateway is shutting down; send the request again");
                self.fail(&error, EndReason::Shutdown);
                continue;
            }
            match self.deadlines.poll(context) {
                None => return Poll::Pending,
                Some(Expiry::Heartbeat) => {
                    let started = self.deadlines.saw_first();
                    self.out.push(Bytes::from_static(self.lane.heartbeat(started)));
                }
                Some(Expiry::FirstByte) => self.fail(&first_byte_late(), EndReason::Timeout),
                Some(Expiry::Idle) => {
                    let error = GatewayError::new(Code::UpstreamTimeout, "the provider's stream went silent");
                    self.fail(&error, EndReason::Timeout);
                }
                Some(Expiry::Linger) => self.close(),
            }
        }
    }

    /// Whether to give the upstream connection's task one turn before writing. It hands over one chunk a turn, so without
    /// this every chunk would be a write of its own. A turn that brings nothing ends the gathering: bytes wait for work
    /// that is ready, never for time.
    fn may_gather(&mut self) -> bool {
        let ready = self.out.len();
        if self.done || ready == 0 || ready >= DRAIN {
            return false;
        }
        if ready > self.gathered {
            self.gathered = ready;
            self.idle_turns = 0;
        } else {
            self.idle_turns += 1;
        }
        self.idle_turns < IDLE_TURNS
    }

    /// Drains what is ready upstream into `out`, never waiting for more.
    fn fill(&mut self, context: &mut Context<'_>) {
        while !self.done && self.fault.is_none() && self.out.len() < DRAIN {
            match &mut self.upstream {
                Upstream::Closed => return self.close(),
                Upstream::Opening(opening) => match opening.as_mut().poll(context) {
                    Poll::Pending => return,
                    Poll::Ready(Ok(opened)) => {
                        self.settlement.record(|record| record.upstream_status = Some(opened.head.status.as_u16()));
                        self.upstream = Upstream::Body(opened.body);
                    }
                    Poll::Ready(Err(fault)) => {
                        self.upstream = Upstream::Closed;
                        self.fault = Some(Box::new(fault.error));
                    }
                },
                Upstream::Body(body) => match Pin::new(body).poll_frame(context) {
                    Poll::Pending => return,
                    Poll::Ready(Some(Ok(frame))) => {
                        if let Ok(chunk) = frame.into_data() {
                            self.take_chunk(&chunk);
                        }
                    }
                    Poll::Ready(Some(Err(fault))) => self.broke(&fault),
                    Poll::Ready(None) => self.upstream_ended(),
                },
            }
        }
    }

    fn take_chunk(&mut self, chunk: &Bytes) {
        if self.settlement.is_done() {
            // After the terminal event only the rest of the framing comes.
            if !matches!(self.lane, Lane::Translate(_)) {
                self.out.push(chunk.clone());
            }
            return;
        }
        self.deadlines.upstream_active();
        self.settlement.first_byte();
        let before = self.out.len();
        let seen = self.lane.chunk(chunk, &mut self.out);
        let bytes = self.out.len().saturating_sub(before) as u64;
        self.settlement.delivered(seen.events, bytes);
        self.apply(seen);
    }

    fn apply(&mut self, seen: Seen) {
        self.meaningful |= seen.content;
        if let Some(fault) = seen.fault {
            // In a relayed stream the provider's own error event is among the forwarded bytes already.
            if self.committed && matches!(self.lane, Lane::Relay(_)) && fault.code != Code::Interrupted {
                self.settle(end_of(&fault), Some(&fault));
                self.deadlines.linger();
                return;
            }
            self.fault = Some(fault);
            return;
        }
        if seen.terminal {
            self.settle(EndReason::Completed, None);
            self.deadlines.linger();
        }
        if seen.abandon {
            self.upstream = Upstream::Closed;
            self.done = true;
        }
    }

    fn upstream_ended(&mut self) {
        self.upstream = Upstream::Closed;
        if self.settlement.is_done() {
            return self.close();
        }
        let seen = self.lane.end(&mut self.out);
        self.apply(seen);
        if self.fault.is_none() {
            self.close();
        }
    }

    fn broke(&mut self, fault: &hyper::Error) {
        self.upstream = Upstream::Closed;
        if self.settlement.is_done() {
            return self.close();
        }
        let seen = self.lane.end(&mut self.out);
        // Some servers just drop the connection after the last event.
        if seen.fault.is_none() && seen.terminal {
            self.apply(seen);
            return self.close();
        }
        self.fault = Some(Box::new(interrupted().with_cause(fault.to_string())));
    }

    /// Renders a fault inside the stream, settles and ends the body.
    fn fail(&mut self, error: &GatewayError, end: EndReason) {
        if !self.settlement.is_done() {
            let first = !self.deadlines.saw_first();
            self.broken = !self.lane.fail(error, first, &mut self.out);
            self.settle(end, Some(error));
        }
        self.upstream = Upstream::Closed;
        self.done = true;
    }

    fn settle(&mut self, end: EndReason, error: Option<&GatewayError>) {
        self.settlement.observed(&self.lane.report());
        self.settlement.finish(end, 200, error);
    }

    fn close(&mut self) {
        self.upstream = Upstream::Closed;
        self.done = true;
        if !self.settlement.is_done() {
            self.settle(EndReason::Completed, None);
        }
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        if !self.settlement.is_done() {
            self.settlement.observed(&self.lane.report());
        }
    }
}

/// The named end reason of an upstream fault.
pub(crate) fn end_of(error: &GatewayError) -> EndReason {
    match error.code {
        Code::UpstreamTimeout => EndReason::Timeout,
        Code::Interrupted => EndReason::UpstreamTruncated,
        Code::Internal => EndReason::Internal,
        Code::Unavailable => EndReason::Shutdown,
        _ => EndReason::UpstreamError,
    }
}

fn first_byte_late() -> GatewayError {
    GatewayError::new(Code::UpstreamTimeout, "the provider did not begin to answer in time")
        .with_retry(gw_core::Retry::OtherTarget)
}
