//! Deadlines of one stream with a single timer: activity only notes the time, the timer re-arms itself when it fires.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::clock;
use crate::snapshot::Timeouts;

/// How long a finished upstream body may take to say that it is over, so that its connection can be used again.
const LINGER: Duration = Duration::from_millis(250);

/// What a stream's silence means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expiry {
    /// The client needs a sign of life.
    Heartbeat,
    /// The first event is too late.
    FirstByte,
    /// The upstream went silent.
    Idle,
    /// The upstream does not close after its terminal event.
    Linger,
}

pub(crate) struct Deadlines {
    timer: Pin<Box<Sleep>>,
    timeouts: Timeouts,
    heartbeat: Duration,
    started: Instant,
    last_upstream: Instant,
    last_sent: Instant,
    got_first: bool,
    lingering: Option<Instant>,
}

impl Deadlines {
    pub(crate) fn new(timeouts: Timeouts, heartbeat: Duration, started: Instant) -> Self {
        let now = clock::now();
        let mut deadlines = Self {
            timer: Box::pin(sleep_until(now)),
            timeouts,
            heartbeat,
            started,
            last_upstream: now,
            last_sent: now,
            got_first: false,
            lingering: None,
        };
        deadlines.rearm();
        deadlines
    }

    /// Whether anything came from the upstream.
    pub(crate) fn saw_first(&self) -> bool {
        self.got_first
    }

    /// Bytes came from the upstream.
    pub(crate) fn upstream_active(&mut self) {
        self.last_upstream = clock::now();
        if !self.got_first {
            // From now on the idle deadline counts, and it may be nearer than what the timer waits for.
            self.got_first = true;
            self.rearm();
        }
    }

    /// Bytes go to the client.
    pub(crate) fn sent(&mut self) {
        self.last_sent = clock::now();
    }

    /// The terminal event came: only the end of the body is still awaited.
    pub(crate) fn linger(&mut self) {
        if self.lingering.is_none() {
            self.lingering = Some(clock::now() + LINGER);
            self.rearm();
        }
    }

    /// What has expired, if anything; otherwise the task is woken at the next deadline.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Option<Expiry> {
        loop {
            match self.timer.as_mut().poll(context) {
                Poll::Pending => return None,
                Poll::Ready(()) => {
                    let expiry = self.expired(clock::now());
                    if expiry == Some(Expiry::Heartbeat) {
                        self.sent();
                    }
                    self.rearm();
                    if expiry.is_some() {
                        return expiry;
                    }
                }
            }
        }
    }

    fn expired(&self, now: Instant) -> Option<Expiry> {
        if let Some(until) = self.lingering {
            return (now >= until).then_some(Expiry::Linger);
        }
        if self.got_first && now >= self.last_upstream + self.timeouts.idle {
            return Some(Expiry::Idle);
        }
        if !self.got_first && now >= self.started + self.timeouts.first_byte {
            return Some(Expiry::FirstByte);
        }
        (now >= self.last_sent + self.heartbeat).then_some(Expiry::Heartbeat)
    }

    fn rearm(&mut self) {
        let silence = if self.got_first {
            self.last_upstream + self.timeouts.idle
        } else {
            self.started + self.timeouts.first_byte
        };
        let next = self.lingering.unwrap_or_else(|| silence.min(self.last_sent + self.heartbeat));
        self.timer.as_mut().reset(next);
    }
}
