//! A provider that answers at once, or streams at a given pace, in whatever dialect the path asks for.

use std::error::Error;
use std::fmt::Write as _;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep_until};

use crate::http::{Head, find};
use crate::samples::{Dialect, Events, answer, events, stream_plan};

/// Bytes that are written at once when a stream has no pause.
const BURST_BYTES: usize = 16 * 1024;

const STREAM_HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n";

/// All answers, rendered once.
struct Prepared {
    answers: [Vec<u8>; 3],
    streams: [Events; 3],
}

impl Prepared {
    fn new() -> Self {
        let dialects = [Dialect::OpenAi, Dialect::Anthropic, Dialect::Gemini];
        Self {
            answers: dialects.map(|dialect| {
                let body = answer(dialect);
                let length = body.len();
                format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
                    .into_bytes()
            }),
            streams: dialects.map(|dialect| {
                let Events { before, chunk, after } = events(dialect);
                Events { before: chunked(&before), chunk: chunked(&chunk), after: chunked(&after) + "0\r\n\r\n" }
            }),
        }
    }
}

/// Serves until killed.
pub async fn serve(listen: &str) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(listen).await?;
    println!("{}", listener.local_addr()?);
    let prepared = Rc::new(Prepared::new());
    loop {
        let (socket, _) = listener.accept().await?;
        let prepared = Rc::clone(&prepared);
        tokio::task::spawn_local(async move {
            // A client that goes away in the middle of a stream is no error here.
            let _ = connection(socket, &prepared).await;
        });
    }
}

async fn connection(mut socket: TcpStream, prepared: &Prepared) -> Result<(), Box<dyn Error>> {
    socket.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(16 * 1024);
    loop {
        let Some((path, length)) = request(&mut socket, &mut buffer).await? else { return Ok(()) };
        let Some(dialect) = Dialect::from_path(&path) else {
            socket.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").await?;
            buffer.drain(..length);
            continue;
        };
        let text = buffer.get(..length).unwrap_or_default();
        if path.contains(":streamGenerateContent") || asks_for_stream(text) {
            let (chunks, pause) = stream_plan(text);
            if let Some(events) = prepared.streams.get(dialect as usize) {
                stream(&mut socket, events, chunks, Duration::from_millis(pause)).await?;
            }
        } else if let Some(answer) = prepared.answers.get(dialect as usize) {
            socket.write_all(answer).await?;
        }
        buffer.drain(..length);
    }
}

/// Reads one whole request into `buffer`: its path, and its length with the head.
async fn request(socket: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<Option<(String, usize)>, Box<dyn Error>> {
    loop {
        if let Some(mut head) = Head::parse(buffer) {
            let body = buffer.get(head.length..).unwrap_or_default();
            let used = head.body.read(body, |_| {});
            if head.body.is_done() {
                let path = head.first_line.split(' ').nth(1).unwrap_or_default().to_owned();
                return Ok(Some((path, head.length + used)));
            }
        }
        if socket.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

fn asks_for_stream(text: &[u8]) -> bool {
    find(text, b"\"stream\":true").or_else(|| find(text, b"\"stream\": true")).is_some()
}

async fn stream(socket: &mut TcpStream, events: &Events, chunks: usize, pause: Duration) -> Result<(), Box<dyn Error>> {
    let mut burst = String::with_capacity(BURST_BYTES + 4096);
    burst.push_str(STREAM_HEAD);
    burst.push_str(&events.before);
    let started = Instant::now();
    for number in 0..chunks {
        burst.push_str(&events.chunk);
        let is_last = number + 1 == chunks;
        if !pause.is_zero() && !is_last {
            socket.write_all(burst.as_bytes()).await?;
            burst.clear();
            // Counted from the start: a late wake-up does not slow the stream as a whole.
            let due = pause.saturating_mul(u32::try_from(number + 1).unwrap_or(u32::MAX));
            sleep_until(started + due).await;
        } else if burst.len() >= BURST_BYTES {
            socket.write_all(burst.as_bytes()).await?;
            burst.clear();
        }
    }
    burst.push_str(&events.after);
    socket.write_all(burst.as_bytes()).await?;
    Ok(())
}

/// Each event as one chunk of the transfer coding.
fn chunked(events: &str) -> String {
    let mut out = String::new();
    for event in events.split_inclusive("\n\n") {
        // Writing to a string cannot fail.
        let _ = write!(out, "{:x}\r\n{event}\r\n", event.len());
    }
    out
}
