//! A small HTTP/1.1 client that shows every byte: requests as written, answers piece by piece.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::gateway::soon;

/// A request as it goes over the wire.
#[derive(Clone)]
pub(crate) struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    pub(crate) fn new(method: &str, path: &str) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    pub(crate) fn post(path: &str) -> Self {
        Self::new("POST", path)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The key as Bearer token, unless a key is there already.
    pub(crate) fn key(self, key: &str) -> Self {
        let places = ["authorization", "x-api-key", "x-goog-api-key", "api-key"];
        let has = self.headers.iter().any(|(name, _)| places.contains(&name.as_str())) || self.path.contains("key=");
        if has { self } else { self.header("authorization", &format!("Bearer {key}")) }
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body(body.to_string())
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("content-type", "application/json")
    }

    pub(crate) fn raw_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut text = format!("{} {} HTTP/1.1\r\nhost: gateway\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        let framed = self.headers.iter().any(|(name, _)| name == "transfer-encoding" || name == "content-length");
        if !framed && (self.method == "POST" || !self.body.is_empty()) {
            text.push_str(&format!("content-length: {}\r\n", self.body.len()));
        }
        text.push_str("\r\n");
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// Status line and headers.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
}

impl Head {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A complete answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
    /// The body ended as HTTP says that it ends.
    pub(crate) whole: bool,
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.head.status
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.header(name)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|fault| panic!("{fault}: {} {}", self.status(), self.text()))
    }

    /// The JSON of an answer that must be a success.
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status(), 200, "{}", self.text());
        assert!(self.whole, "{}", self.text());
        self.json()
    }

    pub(crate) fn request_id(&self) -> String {
        self.header("x-request-id").expect("every answer has a request id").to_owned()
    }
}

/// How the body's end is found.
#[derive(Clone, Copy)]
enum Framing {
    Nothing,
    Length(usize),
    Chunked,
    Close,
}

/// One connection.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    framing: Framing,
    bodiless: bool,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self::over(stream)
    }

    pub(crate) fn over(stream: TcpStream) -> Self {
        Self { stream, buffer: Vec::new(), framing: Framing::Nothing, bodiless: false }
    }

    /// Writes a request.
    pub(crate) async fn send(&mut self, request: &Request) {
        self.bodiless = request.method == "HEAD";
        self.write(&request.bytes()).await;
    }

    /// Writes bytes as they are; a peer that has closed already is no failure here.
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
    }

    /// Reads more into the buffer; false at the end of the connection.
    async fn more(&mut self) -> bool {
        self.buffer.reserve(64 * 1024);
        let read = soon("the gateway writes or closes", self.stream.read_buf(&mut self.buffer)).await;
        !matches!(read, Ok(0) | Err(_))
    }

    /// Reads until the peer closes; true when it did so without another byte.
    pub(crate) async fn closed(&mut self) -> bool {
        while self.more().await {}
        self.buffer.is_empty()
    }

    /// The head of the next answer, `None` when the connection ended first.
    pub(crate) async fn try_head(&mut self) -> Option<Head> {
        let end = loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end;
            }
            if !self.more().await {
                return None;
            }
        };
        let text = String::from_utf8(self.buffer.drain(..end + 4).collect()).unwrap();
        let mut lines = text.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let head = Head { status, headers };
        self.framing = match (head.header("transfer-encoding"), head.header("content-length")) {
            _ if self.bodiless || status == 204 || status == 304 => Framing::Nothing,
            (Some(_), _) => Framing::Chunked,
            (None, Some(length)) => Framing::Length(length.parse().unwrap()),
            (None, None) => Framing::Close,
        };
        Some(head)
    }

    pub(crate) async fn head(&mut self) -> Head {
        self.try_head().await.expect("the connection ended without an answer")
    }

    /// The next piece of the body: `Ok(None)` at its end, `Err` when the connection ended before the body did.
    pub(crate) async fn piece(&mut self) -> Result<Option<Vec<u8>>, ()> {
        match self.framing {
            Framing::Nothing | Framing::Length(0) => Ok(None),
            Framing::Length(left) => {
                if self.buffer.is_empty() && !self.more().await {
                    return Err(());
                }
                let taken: Vec<u8> = self.buffer.drain(..left.min(self.buffer.len())).collect();
                self.framing = Framing::Length(left - taken.len());
                Ok(Some(taken))
            }
            Framing::Close => {
                if self.buffer.is_empty() && !self.more().await {
                    return Ok(None);
                }
                Ok(Some(std::mem::take(&mut self.buffer)))
            }
            Framing::Chunked => loop {
                if let Some(line) = find(&self.buffer, b"\r\n") {
                    let size = usize::from_str_radix(std::str::from_utf8(&self.buffer[..line]).unwrap(), 16).unwrap();
                    let total = line + 2 + size + 2;
                    if self.buffer.len() >= total {
                        let chunk: Vec<u8> = self.buffer.drain(..total).collect();
                        if size == 0 {
                            self.framing = Framing::Nothing;
                            return Ok(None);
                        }
                        return Ok(Some(chunk[line + 2..line + 2 + size].to_vec()));
                    }
                }
                if !self.more().await {
                    return Err(());
                }
            },
        }
    }

    /// The rest of the body, and whether it ended properly.
    pub(crate) async fn rest(&mut self) -> (Vec<u8>, bool) {
        let mut body = Vec::new();
        loop {
            match self.piece().await {
                Ok(Some(piece)) => body.extend_from_slice(&piece),
                Ok(None) => return (body, true),
                Err(()) => return (body, false),
            }
        }
    }

    /// Reads the body until it contains `part`; panics when it ends before.
    pub(crate) async fn until(&mut self, part: &str) -> String {
        let mut body = Vec::new();
        loop {
            match self.piece().await {
                Ok(Some(piece)) => body.extend_from_slice(&piece),
                _ => panic!("the body ended without {part:?}: {}", String::from_utf8_lossy(&body)),
            }
            let text = String::from_utf8_lossy(&body);
            if text.contains(part) {
                return text.into_owned();
            }
        }
    }

    /// The whole answer.
    pub(crate) async fn answer(&mut self) -> Answer {
        let head = self.head().await;
        let (body, whole) = self.rest().await;
        Answer { head, body, whole }
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}
