//! The response body: steps played one after another, with pauses, faults and re-cutting.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use crate::journal::Ticket;

/// One step of a body.
#[derive(Debug)]
pub(crate) enum Step {
    /// Bytes to send as one piece.
    Send(Bytes),
    /// The same bytes so many times, each as one piece.
    Repeat(Bytes, usize),
    /// A pause of its own, besides the pause between pieces.
    Pause(Duration),
    /// Nothing more, ever; the body does not end.
    Stall,
    /// The connection breaks.
    Break,
}

/// A response body whose pieces appear when they are asked for and their time has come.
///
/// Dropping it before its end counts as an abort by the client.
#[derive(Debug)]
pub struct MockBody {
    steps: VecDeque<Step>,
    gap: Duration,
    yields: bool,
    yielded: bool,
    first: bool,
    due: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
    length: Option<u64>,
    ticket: Ticket,
}

impl MockBody {
    /// A body of known length, sent in one piece.
    pub(crate) fn whole(bytes: Bytes, ticket: Ticket) -> Self {
        let length = Some(bytes.len() as u64);
        let steps = if bytes.is_empty() { VecDeque::new() } else { VecDeque::from([Step::Send(bytes)]) };
        Self { length, ..Self::stream(steps, Duration::ZERO, ticket) }
    }

    /// A body of steps, `gap` apart; its length is not announced.
    pub(crate) fn stream(steps: VecDeque<Step>, gap: Duration, mut ticket: Ticket) -> Self {
        if steps.is_empty() {
            ticket.complete();
        }
        Self { steps, gap, yields: false, yielded: false, first: true, due: None, timer: None, length: None, ticket }
    }

    /// Announces the length, for a body that is one JSON document in several pieces.
    pub(crate) fn with_length(mut self, length: Option<u64>) -> Self {
        self.length = length;
        self
    }

    /// Re-cuts the bytes into pieces of `size`, across the borders of steps, and makes the transport write each alone.
    pub(crate) fn recut(mut self, size: usize) -> Self {
        let mut steps = VecDeque::new();
        let mut pending = BytesMut::new();
        for step in std::mem::take(&mut self.steps) {
            match step {
                Step::Send(bytes) => pending.extend_from_slice(&bytes),
                Step::Repeat(bytes, count) => (0..count).for_each(|_| pending.extend_from_slice(&bytes)),
                other => {
                    cut(&mut pending, size, &mut steps);
                    steps.push_back(other);
                }
            }
        }
        cut(&mut pending, size, &mut steps);
        self.steps = steps;
        self.yields = true;
        self
    }

    /// Waits for the pause before the next piece; ready when it is over.
    fn poll_pause(&mut self, ctx: &mut Context<'_>, pause: Duration) -> Poll<()> {
        if pause.is_zero() {
            return Poll::Ready(());
        }
        if self.due.is_none() {
            let due = Instant::now() + pause;
            self.due = Some(due);
            match &mut self.timer {
                Some(timer) => timer.as_mut().reset(due),
                None => self.timer = Some(Box::pin(tokio::time::sleep_until(due))),
            }
        }
        if let Some(timer) = &mut self.timer
            && timer.as_mut().poll(ctx).is_pending()
        {
            return Poll::Pending;
        }
        self.due = None;
        Poll::Ready(())
    }

    /// Pending once: a pending body is what makes hyper write what it has, each piece on its own.
    fn must_yield(&mut self, ctx: &mut Context<'_>) -> bool {
        let now = !std::mem::replace(&mut self.yielded, true);
        if now {
            ctx.waker().wake_by_ref();
        }
        now
    }

    fn take_bytes(&mut self) -> Option<Bytes> {
        match self.steps.pop_front() {
            Some(Step::Send(bytes)) => Some(bytes),
            Some(Step::Repeat(bytes, count)) => {
                if count > 1 {
                    self.steps.push_front(Step::Repeat(bytes.clone(), count - 1));
                }
                Some(bytes)
            }
            _ => None,
        }
    }
}

fn cut(pending: &mut BytesMut, size: usize, steps: &mut VecDeque<Step>) {
    while !pending.is_empty() {
        let at = size.clamp(1, pending.len());
        steps.push_back(Step::Send(pending.split_to(at).freeze()));
    }
}

impl Body for MockBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, ctx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = self.get_mut();
        loop {
            match this.steps.front() {
                None => {
                    this.ticket.complete();
                    return Poll::Ready(None);
                }
                Some(Step::Stall) => return Poll::Pending,
                Some(Step::Break) => {
                    // What was sent before must leave first: hyper throws its buffer away on an error.
                    if this.must_yield(ctx) {
                        return Poll::Pending;
                    }
                    this.steps.clear();
                    this.ticket.complete();
                    let error = io::Error::new(io::ErrorKind::ConnectionReset, "the mock breaks the connection here");
                    return Poll::Ready(Some(Err(error)));
                }
                Some(Step::Pause(pause)) => {
                    let pause = *pause;
                    if this.poll_pause(ctx, pause).is_pending() {
                        return Poll::Pending;
                    }
                    this.steps.pop_front();
                }
                Some(Step::Repeat(_, 0)) => {
                    this.steps.pop_front();
                }
                Some(Step::Send(_) | Step::Repeat(..)) => {
                    if !this.first {
                        let gap = this.gap;
                        if this.poll_pause(ctx, gap).is_pending() {
                            return Poll::Pending;
                        }
                        if this.yields && gap.is_zero() && this.must_yield(ctx) {
                            return Poll::Pending;
                        }
                    }
                    this.yielded = false;
                    this.first = false;
                    let Some(bytes) = this.take_bytes() else { continue };
                    this.ticket.sent(bytes.len());
                    this.length = this.length.map(|length| length.saturating_sub(bytes.len() as u64));
                    if this.steps.is_empty() {
                        this.ticket.complete();
                    }
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.steps.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
