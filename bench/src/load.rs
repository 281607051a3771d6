//! The load: N connections that ask, check every answer and ask again; and N streams that are held open.

use std::cell::RefCell;
use std::error::Error;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::arguments::Arguments;
use crate::http::{Counter, Head};
use crate::process::{cpu_micros, resident_kib};
use crate::samples::{INPUT_TOKENS, MARK, TOKEN, request};

/// An answer that takes longer is a failure.
const PATIENCE: Duration = Duration::from_secs(30);

/// What all connections saw within the measured time.
#[derive(Debug, Default)]
struct Tally {
    measuring: bool,
    stop: bool,
    requests: u64,
    failed: u64,
    chunks: u64,
    first_error: Option<String>,
    latencies_us: Vec<u32>,
    first_token_us: Vec<u32>,
}

type Shared = Rc<RefCell<Tally>>;

impl Tally {
    fn fail(&mut self, problem: String) {
        self.failed += 1;
        self.first_error.get_or_insert(problem);
    }
}

/// Runs the load and returns its report as one line of JSON.
pub async fn run(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let shared = Shared::default();
    let mut tasks = Vec::new();
    for number in 0..arguments.connections {
        let (arguments, shared) = (arguments.clone(), Rc::clone(&shared));
        tasks.push(tokio::task::spawn_local(async move {
            // Streams with a pace are started apart, or all their chunks would fall due at once.
            if arguments.stream {
                sleep(Duration::from_micros(number as u64 * 1_000_000 / arguments.connections as u64)).await;
            }
            connection(&arguments, &shared).await;
        }));
    }
    sleep(arguments.warmup).await;
    let cpu_before = cpu_micros(&arguments.pids);
    let started = Instant::now();
    shared.borrow_mut().measuring = true;
    sleep(arguments.measured).await;
    shared.borrow_mut().measuring = false;
    let seconds = started.elapsed().as_secs_f64();
    let cpu = cpu_micros(&arguments.pids).saturating_sub(cpu_before);
    let resident = resident_kib(&arguments.pids);
    shared.borrow_mut().stop = true;
    for task in tasks {
        task.await?;
    }
    let mut tally = shared.take();
    Ok(report(&mut tally, seconds, cpu, resident))
}

/// Opens the streams, waits for the first token of each and reports the memory that each costs.
pub async fn hold(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let before = resident_kib(&arguments.pids);
    let mut open = Vec::new();
    for _ in 0..arguments.connections {
        let mut socket = TcpStream::connect(&arguments.target).await?;
        socket.write_all(&request_bytes(arguments)).await?;
        open.push(socket);
    }
    for socket in &mut open {
        let mut seen = Vec::new();
        let mut counter = Counter::new(TOKEN);
        while counter.count == 0 {
            seen.clear();
            if timeout(PATIENCE, socket.read_buf(&mut seen)).await?? == 0 {
                return Err("a stream ended before its first token".into());
            }
            counter.push(&seen);
        }
    }
    let during = resident_kib(&arguments.pids);
    let per_stream = during.saturating_sub(before) as f64 / arguments.connections.max(1) as f64;
    Ok(format!(
        r#"{{"failed":0,"idle_kib":{before},"held_kib":{during},"streams":{},"kib_per_stream":{per_stream:.2}}}"#,
        open.len()
    ))
}

async fn connection(arguments: &Arguments, shared: &Shared) {
    let bytes = request_bytes(arguments);
    let mut socket = None;
    while !shared.borrow().stop {
        let outcome = timeout(PATIENCE, exchange(&mut socket, &bytes, arguments, shared)).await;
        let problem = match outcome {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("no whole answer within 30 s".to_owned()),
        };
        if let Some(problem) = problem {
            socket = None;
            shared.borrow_mut().fail(problem);
            // A target that refuses must not turn the harness into a busy loop.
            sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn exchange(
    slot: &mut Option<TcpStream>,
    bytes: &[u8],
    arguments: &Arguments,
    shared: &Shared,
) -> Result<(), Box<dyn Error>> {
    if slot.is_none() {
        let fresh = TcpStream::connect(&arguments.target).await?;
        fresh.set_nodelay(true)?;
        *slot = Some(fresh);
    }
    let Some(socket) = slot.as_mut() else { return Err("no connection".into()) };
    let started = Instant::now();
    socket.write_all(bytes).await?;
    let mut answer = Answer::new(arguments);
    let mut buffer = Vec::with_capacity(32 * 1024);
    let mut head: Option<Head> = None;
    loop {
        if socket.read_buf(&mut buffer).await? == 0 {
            return Err("the connection ended before the answer did".into());
        }
        if head.is_none() {
            head = Head::parse(&buffer);
            if let Some(head) = &head {
                buffer.drain(..head.length);
            }
        }
        let Some(head) = &mut head else { continue };
        let had = answer.tokens.count;
        head.body.read(&buffer, |data| answer.push(data));
        buffer.clear();
        let fresh = answer.tokens.count - had;
        if fresh > 0 {
            let mut tally = shared.borrow_mut();
            if tally.measuring {
                tally.chunks += fresh as u64;
                if had == 0 {
                    tally.first_token_us.push(micros(started));
                }
            }
        }
        if head.body.is_done() {
            answer.check(head.status())?;
            let mut tally = shared.borrow_mut();
            if tally.measuring {
                tally.requests += 1;
                tally.latencies_us.push(micros(started));
            }
            return Ok(());
        }
    }
}

/// What an answer has shown so far.
struct Answer {
    stream: bool,
    chunks: usize,
    tokens: Counter,
    marks: Vec<Counter>,
    beginning: Vec<u8>,
}

impl Answer {
    fn new(arguments: &Arguments) -> Self {
        let dialect = arguments.dialect;
        let marks: &[&'static str] =
            if arguments.stream { &[dialect.terminal()] } else { &[MARK, INPUT_TOKENS, dialect.shape()] };
        Self {
            stream: arguments.stream,
            chunks: arguments.chunks,
            tokens: Counter::new(TOKEN),
            marks: marks.iter().map(|mark| Counter::new(mark)).collect(),
            beginning: Vec::new(),
        }
    }

    fn push(&mut self, data: &[u8]) {
        if self.stream {
            self.tokens.push(data);
        }
        for mark in &mut self.marks {
            mark.push(data);
        }
        if self.beginning.len() < 300 {
            self.beginning.extend(data.iter().take(300));
        }
    }

    fn check(&self, status: u16) -> Result<(), String> {
        let shown = String::from_utf8_lossy(&self.beginning);
        if status != 200 {
            return Err(format!("status {status}: {shown}"));
        }
        if self.stream && self.tokens.count != self.chunks {
            return Err(format!("{} chunks instead of {}: {shown}", self.tokens.count, self.chunks));
        }
        if self.marks.iter().any(|mark| mark.count == 0) {
            return Err(format!("an answer lacks one of its marks: {shown}"));
        }
        Ok(())
    }
}

fn request_bytes(arguments: &Arguments) -> Vec<u8> {
    let (path, body) = request(arguments.dialect, &arguments.model, arguments.prompt_bytes, arguments.stream);
    format!(
        "POST {prefix}{path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {key}\r\nanthropic-version: 2023-06-01\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}",
        prefix = arguments.prefix,
        host = arguments.target,
        key = arguments.key,
        length = body.len(),
    )
    .into_bytes()
}

fn micros(since: Instant) -> u32 {
    u32::try_from(since.elapsed().as_micros()).unwrap_or(u32::MAX)
}

fn percentile(sorted: &[u32], share: f64) -> u32 {
    let index = (sorted.len() as f64 * share) as usize;
    sorted.get(index.min(sorted.len().saturating_sub(1))).copied().unwrap_or(0)
}

fn report(tally: &mut Tally, seconds: f64, cpu_us: u64, resident_kib: u64) -> String {
    tally.latencies_us.sort_unstable();
    tally.first_token_us.sort_unstable();
    let per = |count: u64| if count == 0 { 0.0 } else { cpu_us as f64 / count as f64 };
    let error = tally.first_error.as_deref().unwrap_or_default().escape_default().to_string().replace("\\'", "'");
    format!(
        r#"{{"requests":{},"failed":{},"first_error":"{error}","seconds":{seconds:.3},"per_second":{:.1},"cpu_share":{:.3},"cpu_us_per_request":{:.3},"p50_us":{},"p99_us":{},"chunks":{},"chunks_per_second":{:.0},"cpu_us_per_chunk":{:.3},"first_token_p50_us":{},"first_token_p99_us":{},"rss_kib":{resident_kib}}}"#,
        tally.requests,
        tally.failed,
        tally.requests as f64 / seconds,
        cpu_us as f64 / 1e6 / seconds,
        per(tally.requests),
        percentile(&tally.latencies_us, 0.50),
        percentile(&tally.latencies_us, 0.99),
        tally.chunks,
        tally.chunks as f64 / seconds,
        per(tally.chunks),
        percentile(&tally.first_token_us, 0.50),
        percentile(&tally.first_token_us, 0.99),
    )
}

#[cfg(test)]
mod tests {
    use super::{Answer, Arguments, percentile};

    fn arguments(words: &str) -> Arguments {
        Arguments::parse(words.split(' ').map(str::to_owned)).unwrap()
    }

    #[test]
    fn a_wrong_answer_is_found() {
        let whole = r#"{"choices":[{"text":"bench-mark-end"}],"usage":{"prompt_tokens":4711}}"#;
        let cases = [
            (200, whole, true),
            (502, whole, false),
            (200, r#"{"choices":[{"text":"bench-mar"}],"usage":{"prompt_tokens":4711}}"#, false),
            (200, r#"{"choices":[{"text":"bench-mark-end"}]}"#, false),
            (200, r#"{"candidates":[{"text":"bench-mark-end"}],"usage":{"prompt_tokens":4711}}"#, false),
        ];
        for (status, body, good) in cases {
            let mut answer = Answer::new(&arguments("load --dialect openai"));
            answer.push(body.as_bytes());
            assert_eq!(answer.check(status).is_ok(), good, "{status} {body}");
        }
    }

    #[test]
    fn a_short_stream_is_found() {
        for (body, good) in [
            ("tk01 tk01 data: [DONE]", true),
            ("tk01 data: [DONE]", false),
            ("tk01 tk01 tk01 data: [DONE]", false),
            ("tk01 tk01", false),
        ] {
            let mut answer = Answer::new(&arguments("load --stream --chunks 2"));
            answer.push(body.as_bytes());
            assert_eq!(answer.check(200).is_ok(), good, "{body}");
        }
    }

    #[test]
    fn percentiles_of_few_values() {
        assert_eq!((percentile(&[], 0.5), percentile(&[7], 0.99), percentile(&[1, 2, 3, 4], 0.5)), (0, 7, 3));
    }
}
