//! The request log: one line per request, formatted and written by a thread of its own.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use tracing::Level;

use crate::line::{LineBuilder, LogFormat};
use crate::sink::LogSink;

/// How long the writer rests after a batch. While it rests, a push wakes nobody and costs no system call.
const REST: Duration = Duration::from_millis(10);
/// Lines written at once at most.
const BATCH_LINES: usize = 1024;
/// A batch buffer larger than this is given back.
const KEPT_BUFFER_BYTES: usize = 1 << 20;

/// How the request log is kept.
#[derive(Debug, Clone, Copy)]
pub struct RequestLogSettings {
    /// Least important level that is written.
    pub level: Level,
    /// Shape of the lines.
    pub format: LogFormat,
    /// Requests that may wait for the writer; further ones are counted and dropped.
    pub capacity: usize,
}

impl Default for RequestLogSettings {
    fn default() -> Self {
        Self { level: Level::INFO, format: LogFormat::Json, capacity: 2048 }
    }
}

/// One finished request. Empty texts and `None` are left out of the line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestEntry {
    /// Unix milliseconds at which the request ended.
    pub at_ms: i64,
    /// Identifier of the request, as in its `X-Request-ID`.
    pub request_id: String,
    /// Milliseconds from start to end.
    pub duration_ms: u64,
    /// Milliseconds from start to the first byte of the upstream's answer.
    pub first_byte_ms: Option<u64>,
    /// HTTP status that the client saw; decides the level.
    pub status_code: u16,
    /// Dialect of the client.
    pub format: String,
    /// Model name as the client wrote it.
    pub model: String,
    /// Name of the provider.
    pub provider: String,
    /// Model name as the provider got it.
    pub upstream_model: String,
    /// Whether the client asked for a stream.
    pub streaming: bool,
    /// Error family, when the request failed.
    pub error_type: Option<&'static str>,
    /// What went wrong; for logs only, cut at 2000 bytes.
    pub error: Option<String>,
    /// Request method.
    pub method: String,
    /// Request path without query.
    pub path: String,
    /// Name of the client key.
    pub key_name: String,
    /// Identifier of the client key.
    pub key_id: String,
    /// How the request ended, such as `completed`.
    pub end: &'static str,
    /// All input tokens.
    pub input_tokens: u64,
    /// All output tokens.
    pub output_tokens: u64,
    /// What the target could not carry.
    pub losses: Vec<String>,
}

enum Message {
    Entry(Box<RequestEntry>),
    Stop,
}

#[derive(Debug, Default)]
struct Counters {
    dropped: AtomicU64,
}

/// The handle for the request path. Cheap to clone.
#[derive(Clone)]
pub struct RequestLog {
    sender: SyncSender<Message>,
    counters: Arc<Counters>,
    level: Level,
}

impl RequestLog {
    /// Starts the writer thread.
    ///
    /// # Errors
    /// The operating system gave no thread.
    pub fn start(settings: RequestLogSettings, sink: LogSink) -> io::Result<(Self, RequestLogWriter)> {
        let (sender, receiver) = sync_channel(settings.capacity.max(1));
        let counters = Arc::new(Counters::default());
        let log = Self { sender: sender.clone(), counters: Arc::clone(&counters), level: settings.level };
        let writer = Writer { receiver, sink, format: settings.format, counters, reported: 0 };
        let thread = std::thread::Builder::new().name("request-log".to_owned()).spawn(move || writer.run())?;
        Ok((log, RequestLogWriter { sender, thread: Some(thread) }))
    }

    /// Whether a request with this status would be written at all.
    #[must_use]
    pub fn wants(&self, status_code: u16) -> bool {
        request_level(status_code) <= self.level
    }

    /// Hands a request to the writer. Never waits: when the queue is full the entry is counted and dropped.
    pub fn push(&self, entry: RequestEntry) {
        if !self.wants(entry.status_code) {
            return;
        }
        match self.sender.try_send(Message::Entry(Box::new(entry))) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.counters.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Requests that were not logged because the queue was full or the writer had ended.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.counters.dropped.load(Ordering::Relaxed)
    }
}

/// The owner of the writer thread. Dropping it finishes the log as well.
pub struct RequestLogWriter {
    sender: SyncSender<Message>,
    thread: Option<JoinHandle<()>>,
}

impl RequestLogWriter {
    /// Writes everything pushed so far and ends the thread. Entries pushed afterwards count as dropped.
    pub fn finish(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        // Waits for a place in the queue, which the writer is emptying. An error means that the thread is gone already.
        let _ = self.sender.send(Message::Stop);
        thread.thread().unpark();
        let _ = thread.join();
    }
}

impl Drop for RequestLogWriter {
    fn drop(&mut self) {
        self.end();
    }
}

/// Error for 5xx, warn for 4xx, info otherwise.
#[must_use]
pub const fn request_level(status_code: u16) -> Level {
    match status_code {
        500.. => Level::ERROR,
        400..=499 => Level::WARN,
        _ => Level::INFO,
    }
}

struct Writer {
    receiver: Receiver<Message>,
    sink: LogSink,
    format: LogFormat,
    counters: Arc<Counters>,
    reported: u64,
}

impl Writer {
    fn run(mut self) {
        let mut buffer = Vec::new();
        // Waiting here is the only place where a push has to wake the thread: it happens when the log was idle.
        while let Ok(first) = self.receiver.recv() {
            let running = self.batch(first, &mut buffer);
            self.flush(&mut buffer);
            if !running {
                return;
            }
            std::thread::park_timeout(REST);
        }
    }

    /// Formats the first message and what else is there. Returns false when the log is to end.
    fn batch(&mut self, first: Message, buffer: &mut Vec<u8>) -> bool {
        let mut stopping = false;
        let mut lines = 0;
        let mut next = Ok(first);
        loop {
            match next {
                Ok(Message::Entry(entry)) => {
                    format_entry(buffer, self.format, &entry);
                    lines += 1;
                }
                Ok(Message::Stop) => stopping = true,
                Err(TryRecvError::Empty) => return !stopping,
                Err(TryRecvError::Disconnected) => return false,
            }
            if lines >= BATCH_LINES {
                self.flush(buffer);
                lines = 0;
            }
            next = self.receiver.try_recv();
        }
    }

    fn flush(&mut self, buffer: &mut Vec<u8>) {
        let dropped = self.counters.dropped.load(Ordering::Relaxed);
        if dropped > self.reported {
            LineBuilder::begin(buffer, self.format, Timestamp::now(), Level::WARN)
                .message("request log is full, lines were dropped; a slower log level or a faster disk helps")
                .plain("dropped", dropped - self.reported)
                .end();
            self.reported = dropped;
        }
        if !buffer.is_empty() {
            self.sink.write(buffer);
        }
        if buffer.capacity() > KEPT_BUFFER_BYTES {
            *buffer = Vec::new();
        }
        buffer.clear();
    }
}

fn format_entry(out: &mut Vec<u8>, format: LogFormat, entry: &RequestEntry) {
    let at = Timestamp::from_millisecond(entry.at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    let mut line = LineBuilder::begin(out, format, at, request_level(entry.status_code));
    let message = match entry.end {
        "client_cancelled" => "request cancelled",
        _ if entry.status_code >= 400 || entry.error_type.is_some() => "request failed",
        _ => "request completed",
    };
    if format == LogFormat::Json {
        line.text("request_id", &entry.request_id);
    }
    line.message(message)
        .plain("duration_ms", entry.duration_ms)
        .plain("status_code", entry.status_code)
        .trusted("format", &entry.format)
        .text("model", &entry.model)
        .trusted("provider", &entry.provider)
        .plain("streaming", entry.streaming);
    if let Some(error_type) = entry.error_type {
        line.text("error_type", error_type);
    }
    line.text_if_any("method", &entry.method)
        .text_if_any("path", &entry.path)
        .text_if_any("key_name", &entry.key_name)
        .text_if_any("key_id", &entry.key_id)
        .text_if_any("upstream_model", &entry.upstream_model)
        .trusted("end", entry.end)
        .plain("input_tokens", entry.input_tokens)
        .plain("output_tokens", entry.output_tokens);
    if let Some(first_byte_ms) = entry.first_byte_ms {
        line.plain("first_byte_ms", first_byte_ms);
    }
    if let Some(error) = &entry.error {
        line.text("error", error);
    }
    if !entry.losses.is_empty() {
        line.texts("losses", &entry.losses);
    }
    if format == LogFormat::Text {
        line.text_if_any("request_id", &entry.request_id);
    }
    line.end();
}

#[cfg(test)]
mod tests;
