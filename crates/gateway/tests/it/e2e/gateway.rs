//! The program as a child process in a directory of its own, with mock providers as its upstreams.

use std::io::{BufRead as _, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gw_mock::{MockServer, Settings};
use gw_store::{UsageFilter, UsageRecord, UsageRepo as _};
use gw_store_sqlite::SqliteStore;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::{Notify, OnceCell};
use tokio::task::LocalSet;

use super::client::{Answer, Connection, Request};
use super::dialect::{ALL, Dialect};

/// The client key that every test configuration has.
pub(crate) const KEY: &str = "ig-e2e-client-key-0123456789abcdef";
/// What the gateway sends to its providers.
pub(crate) const PROVIDER_KEY: &str = "sk-upstream-0123456789abcdefghijklmnop";
/// Nothing that these tests wait for takes this long; it only ends a test that would hang.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Lines of a child's output, and a signal that there are more.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<(Mutex<Vec<String>>, Notify)>);

impl Lines {
    fn follow(source: impl Read + Send + 'static) -> Self {
        let lines = Self::default();
        let kept = lines.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(source).lines() {
                let Ok(line) = line else { break };
                kept.0.0.lock().unwrap().push(line);
                kept.0.1.notify_waiters();
            }
            kept.0.1.notify_waiters();
        });
        lines
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.0.0.lock().unwrap().clone()
    }

    pub(crate) fn text(&self) -> String {
        self.all().join("\n")
    }

    /// The first line that contains `part`, as soon as it is there.
    pub(crate) async fn wait_for(&self, part: &str) -> String {
        self.wait(part, |line| line.contains(part)).await
    }

    pub(crate) async fn wait(&self, what: &str, matches: impl Fn(&str) -> bool) -> String {
        let search = async {
            loop {
                let mut changed = std::pin::pin!(self.0.1.notified());
                changed.as_mut().enable();
                if let Some(line) = self.all().into_iter().find(|line| matches(line)) {
                    return line;
                }
                changed.await;
            }
        };
        match tokio::time::timeout(PATIENCE, search).await {
            Ok(line) => line,
            Err(_) => panic!("no line with {what:?} in:\n{}", self.text()),
        }
    }
}

/// How a gateway is started.
pub(crate) struct Setup {
    directory: TempDir,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    config: Option<String>,
}

impl Setup {
    /// An empty directory, no configuration, no environment.
    pub(crate) fn empty() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            arguments: vec!["--listen".into(), "127.0.0.1:0".into()],
            environment: Vec::new(),
            config: None,
        }
    }

    /// A configuration of the usual three providers at `upstream`, and what `more` adds.
    pub(crate) fn with(upstream: &str, more: &str) -> Self {
        let mut setup = Self::empty();
        setup.config = Some(config(upstream, more));
        setup
    }

    pub(crate) fn config(mut self, text: &str) -> Self {
        self.config = Some(text.to_owned());
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Replaces the arguments, which are `--listen 127.0.0.1:0` otherwise.
    pub(crate) fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        self
    }

    pub(crate) fn file(self, name: &str, text: &str) -> Self {
        let path = self.directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    fn command(&self, arguments: &[String]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_irongate"));
        command.args(arguments).current_dir(self.directory.path()).env_clear().stdin(Stdio::null());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    fn write_config(&self) {
        if let Some(text) = &self.config {
            std::fs::write(self.directory.path().join("irongate.yaml"), text).unwrap();
        }
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.write_config();
        self.run_again(arguments)
    }

    /// Runs a command to its end, with the files as they are.
    pub(crate) fn run_again(&self, arguments: &[&str]) -> Output {
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        self.command(&arguments).output().unwrap()
    }

    /// Runs a start that is expected to be refused.
    pub(crate) fn refused(&self) -> (ExitStatus, String) {
        self.write_config();
        let output = self.command(&self.arguments).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status, text)
    }

    pub(crate) async fn start(self) -> Gateway {
        self.write_config();
        self.start_again().await
    }

    /// Starts with the files as they are.
    pub(crate) async fn start_again(self) -> Gateway {
        let mut child = self.command(&self.arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = Lines::follow(child.stdout.take().unwrap());
        let stderr = Lines::follow(child.stderr.take().unwrap());
        let mut gateway = Gateway {
            setup: Some(self),
            child,
            stdout,
            stderr,
            address: ([127, 0, 0, 1], 0).into(),
            store: OnceCell::new(),
        };
        let listening = gateway.stdout.wait("listening on http://", |line| line.contains("listening on http://"));
        let line = listening.await;
        let rest = line.split("listening on http://").nth(1).unwrap();
        let end =
            rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.' && letter != ':').unwrap_or(rest.len());
        gateway.address = rest[..end].parse().unwrap();
        gateway
    }
}

/// The usual configuration: three providers, one per dialect, at one mock.
pub(crate) fn config(upstream: &str, more: &str) -> String {
    format!(
        "keys:\n  - name: e2e\n    key: {KEY}\n\
         providers:\n\
         \x20 openai: {{type: openai, api_key: {PROVIDER_KEY}, base_url: '{upstream}/v1'}}\n\
         \x20 anthropic: {{type: anthropic, api_key: {PROVIDER_KEY}, base_url: '{upstream}'}}\n\
         \x20 gemini: {{type: gemini, api_key: {PROVIDER_KEY}, base_url: '{upstream}'}}\n{more}\n"
    )
}

/// A running gateway; dropping it kills it.
pub(crate) struct Gateway {
    setup: Option<Setup>,
    store: OnceCell<SqliteStore>,
    child: Child,
    pub(crate) stdout: Lines,
    pub(crate) stderr: Lines,
    pub(crate) address: SocketAddr,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Gateway {
    pub(crate) fn directory(&self) -> &Path {
        self.setup.as_ref().unwrap().directory()
    }

    pub(crate) fn config_path(&self) -> PathBuf {
        self.directory().join("irongate.yaml")
    }

    /// Everything that it wrote to its outputs.
    pub(crate) fn output(&self) -> String {
        format!("{}\n{}", self.stdout.text(), self.stderr.text())
    }

    pub(crate) async fn connect(&self) -> Connection {
        Connection::open(self.address).await
    }

    /// One request on a connection of its own, with the test key.
    pub(crate) async fn send(&self, request: Request) -> Answer {
        self.send_bare(request.key(KEY)).await
    }

    /// One request on a connection of its own, as it is.
    pub(crate) async fn send_bare(&self, request: Request) -> Answer {
        let mut connection = self.connect().await;
        connection.send(&request).await;
        connection.answer().await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Request::post(path).json(body)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path)).await
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let done = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status().unwrap();
        assert!(done.success());
    }

    /// Kills it without a chance to do anything, and gives back how to start it again.
    pub(crate) fn kill(mut self) -> Setup {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.setup.take().unwrap()
    }

    /// Waits for it to end by itself.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let waiting = async {
            loop {
                if let Some(status) = self.child.try_wait().unwrap() {
                    return status;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("it does not end")
    }

    /// Asks it to stop and waits for the end.
    pub(crate) async fn stop(&mut self) -> ExitStatus {
        self.signal("TERM");
        self.ended().await
    }

    /// Whether the process still runs.
    pub(crate) fn alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.setup.as_ref().unwrap().run_again(arguments)
    }

    /// The only usage record of a request, once it is in the database.
    pub(crate) async fn record(&self, request_id: &str) -> UsageRecord {
        let filter = UsageFilter { request_id: Some(request_id.to_owned()), ..UsageFilter::default() };
        let found = self.find(&filter, 1).await;
        assert_eq!(found.len(), 1, "{request_id}: {found:?}");
        found.into_iter().next().unwrap()
    }

    /// All usage records, once there are at least `least`.
    pub(crate) async fn records(&self, least: usize) -> Vec<UsageRecord> {
        self.find(&UsageFilter::default(), least).await
    }

    /// Records that match, once there are at least `least`.
    async fn find(&self, filter: &UsageFilter, least: usize) -> Vec<UsageRecord> {
        let path = database(self.directory());
        let store = self.store.get_or_init(|| async { SqliteStore::open(&path).await.unwrap() }).await;
        at_least(store, filter, least).await
    }

    /// The value of a metric line, 0 when there is none.
    pub(crate) async fn metric(&self, line: &str) -> f64 {
        let text = self.get("/metrics").await.text();
        let found = text.lines().find_map(|candidate| candidate.strip_prefix(line)?.strip_prefix(' '));
        found.map_or(0.0, |value| value.parse().unwrap())
    }
}

/// Records of a data directory once there are at least `least`.
pub(crate) async fn records(directory: &Path, filter: &UsageFilter, least: usize) -> Vec<UsageRecord> {
    let store = SqliteStore::open(&database(directory)).await.unwrap();
    let found = at_least(&store, filter, least).await;
    store.close().await;
    found
}

async fn at_least(store: &SqliteStore, filter: &UsageFilter, least: usize) -> Vec<UsageRecord> {
    let search = async {
        loop {
            let found = store.recent(100_000, filter).await.unwrap();
            if found.len() >= least {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    };
    tokio::time::timeout(PATIENCE, search).await.expect("the records do not appear")
}

/// Where the database of a test's gateway is.
pub(crate) fn database(directory: &Path) -> PathBuf {
    directory.join("data").join(gw_store_sqlite::DATABASE_FILE)
}

/// A mock that records what it gets.
pub(crate) async fn mock() -> MockServer {
    MockServer::start(Settings::recording()).await.unwrap()
}

/// A mock, and a gateway in front of it.
pub(crate) async fn both() -> (MockServer, Gateway) {
    both_with("").await
}

/// A mock, and a gateway in front of it with more configuration.
pub(crate) async fn both_with(more: &str) -> (MockServer, Gateway) {
    let mock = mock().await;
    let gateway = Setup::with(&mock.url(), more).start().await;
    (mock, gateway)
}

/// Ends a wait that would hang.
pub(crate) async fn soon<T>(what: &str, waiting: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, waiting).await {
        Ok(done) => done,
        Err(_) => panic!("does not happen: {what}"),
    }
}

/// Runs calls side by side, for tests that mostly wait.
pub(crate) async fn together<F>(calls: impl IntoIterator<Item = F>)
where
    F: Future<Output = ()> + 'static,
{
    let here = LocalSet::new();
    let running: Vec<_> = calls.into_iter().map(|call| here.spawn_local(call)).collect();
    here.await;
    for call in running {
        call.await.unwrap();
    }
}

/// Every client dialect with every provider.
pub(crate) fn pairs() -> Vec<(Dialect, Dialect)> {
    ALL.into_iter().flat_map(|client| ALL.map(|upstream| (client, upstream))).collect()
}
