//! What tests may ask a mock afterwards: which requests came, and which answers the client did not wait for.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, Method};
use tokio::sync::Notify;

/// One request as it arrived, and how its answer is doing.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The method.
    pub method: Method,
    /// Path and query, as sent.
    pub path: String,
    /// All headers, as sent.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
    progress: Arc<Progress>,
}

/// How far an answer got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Still being produced or sent.
    InFlight,
    /// Taken to its end (which a fault option may have made an early one).
    Completed,
    /// The client went away first.
    Aborted,
}

impl Recorded {
    /// How far the answer to this request got by now.
    pub fn outcome(&self) -> Outcome {
        match self.progress.state.load(Ordering::Acquire) {
            0 => Outcome::InFlight,
            1 => Outcome::Completed,
            _ => Outcome::Aborted,
        }
    }

    /// Body bytes handed to the transport by now.
    pub fn bytes_sent(&self) -> u64 {
        self.progress.bytes.load(Ordering::Acquire)
    }
}

#[derive(Debug, Default)]
struct Progress {
    state: AtomicU8,
    bytes: AtomicU64,
}

/// Counters and the ring of recorded requests, shared by all clones of a service.
#[derive(Debug)]
pub(crate) struct Journal {
    capacity: usize,
    started: AtomicU64,
    completed: AtomicU64,
    aborted: AtomicU64,
    changed: Notify,
    ring: Mutex<VecDeque<Recorded>>,
}

impl Journal {
    /// Keeps the last `capacity` requests; zero keeps none and copies nothing.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            started: AtomicU64::new(0),
            completed: AtomicU64::new(0),
            aborted: AtomicU64::new(0),
            changed: Notify::new(),
            ring: Mutex::new(VecDeque::new()),
        }
    }

    /// Opens an entry. The ticket counts the request as aborted if it is dropped before [`Ticket::complete`].
    pub(crate) fn open(self: &Arc<Self>, request: &http::Request<Bytes>) -> Ticket {
        self.started.fetch_add(1, Ordering::AcqRel);
        let progress = (self.capacity > 0).then(|| {
            let progress = Arc::new(Progress::default());
            let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
            let recorded = Recorded {
                method: request.method().clone(),
                path,
                headers: request.headers().clone(),
                body: request.body().clone(),
                progress: Arc::clone(&progress),
            };
            let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
            if ring.len() >= self.capacity {
                ring.pop_front();
            }
            ring.push_back(recorded);
            progress
        });
        self.changed.notify_waiters();
        Ticket { journal: Arc::clone(self), progress, done: false }
    }

    pub(crate) fn recorded(&self) -> Vec<Recorded> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    pub(crate) fn clear(&self) {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(crate) fn started(&self) -> u64 {
        self.started.load(Ordering::Acquire)
    }

    pub(crate) fn completed(&self) -> u64 {
        self.completed.load(Ordering::Acquire)
    }

    pub(crate) fn aborted(&self) -> u64 {
        self.aborted.load(Ordering::Acquire)
    }

    pub(crate) fn in_flight(&self) -> u64 {
        // Read the ends first: a request that starts and ends in between must not make the difference negative.
        let ended = self.completed() + self.aborted();
        self.started().saturating_sub(ended)
    }

    /// Returns when `reached` is true; asks again at every change of a counter.
    pub(crate) async fn wait_until(&self, reached: impl Fn(&Self) -> bool) {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if reached(self) {
                return;
            }
            changed.await;
        }
    }
}

/// One answer in flight.
#[derive(Debug)]
pub(crate) struct Ticket {
    journal: Arc<Journal>,
    progress: Option<Arc<Progress>>,
    done: bool,
}

impl Ticket {
    /// Notes body bytes as handed over.
    pub(crate) fn sent(&self, bytes: usize) {
        if let Some(progress) = &self.progress {
            progress.bytes.fetch_add(bytes as u64, Ordering::AcqRel);
        }
    }

    /// Notes that the answer reached its intended end; later calls do nothing.
    pub(crate) fn complete(&mut self) {
        self.end(1);
    }

    fn end(&mut self, state: u8) {
        if std::mem::replace(&mut self.done, true) {
            return;
        }
        if let Some(progress) = &self.progress {
            progress.state.store(state, Ordering::Release);
        }
        let counter = if state == 1 { &self.journal.completed } else { &self.journal.aborted };
        counter.fetch_add(1, Ordering::AcqRel);
        self.journal.changed.notify_waiters();
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.end(2);
    }
}
