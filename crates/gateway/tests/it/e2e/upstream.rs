//! A provider that answers with any bytes and keeps what it got; for what the mock's manners do not allow.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Got {
    pub(crate) head: String,
    body: Vec<u8>,
}

impl Got {
    pub(crate) fn body(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// The key that the gateway sent.
    pub(crate) fn key(&self) -> String {
        let names = ["authorization: Bearer ", "x-api-key: ", "x-goog-api-key: "];
        let found = self.head.lines().find_map(|line| names.iter().find_map(|name| line.strip_prefix(name)));
        found.unwrap_or_default().to_owned()
    }
}

/// Listens until it is dropped.
pub(crate) struct Upstream {
    address: SocketAddr,
    got: Arc<Mutex<Vec<Got>>>,
    _task: JoinSet<()>,
}

impl Upstream {
    /// Answers every request with the bytes that `answer` makes of it, and closes.
    pub(crate) async fn answering(answer: impl Fn(&Got) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let got = Arc::<Mutex<Vec<Got>>>::default();
        let (kept, answer) = (Arc::clone(&got), Arc::new(answer));
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
                connections.spawn(async move {
                    if let Some(request) = read(&mut stream).await {
                        let bytes = answer(&request);
                        kept.lock().unwrap().push(request);
                        let (first, rest) = split(&bytes);
                        let _ = stream.write_all(first).await;
                        if !rest.is_empty() {
                            tokio::time::sleep(Duration::from_millis(150)).await;
                            let _ = stream.write_all(rest).await;
                        }
                        let _ = stream.shutdown().await;
                    }
                });
            }
        });
        Self { address, got, _task: task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The request that came last.
    pub(crate) fn last(&self) -> Got {
        self.got.lock().unwrap().last().expect("no request came").clone()
    }
}

/// Between what is sent at once and what is sent a moment later.
pub(crate) const PAUSE: &str = ": pause\n\n";

fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    let at = bytes.windows(PAUSE.len()).position(|window| window == PAUSE.as_bytes());
    bytes.split_at(at.unwrap_or(bytes.len()))
}

async fn read(stream: &mut TcpStream) -> Option<Got> {
    let mut bytes = Vec::new();
    loop {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |text| text.parse().unwrap());
            if bytes.len() >= end + 4 + length {
                return Some(Got { head, body: bytes[end + 4..end + 4 + length].to_vec() });
            }
        }
        if matches!(stream.read_buf(&mut bytes).await, Ok(0) | Err(_)) {
            return None;
        }
    }
}

/// A JSON answer that ends the connection.
pub(crate) fn json_answer(status: u16, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} Whatever\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}").into_bytes()
}

/// A stream of this text.
pub(crate) fn stream_answer(events: &str) -> Vec<u8> {
    let length = events.len();
    format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{events}").into_bytes()
}
