//! The mock on a socket: HTTP/1.1 and HTTP/2 without TLS.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use crate::body::MockBody;
use crate::service::{ConnectionReset, MockService, Settings};

/// Request bodies above this are refused by closing the connection.
const MAX_BODY_BYTES: usize = 256 * 1024 * 1024;

/// How long running answers may still take after a shutdown was asked for; a stalled answer never ends by itself.
const DRAIN: Duration = Duration::from_secs(2);

/// Serves until `shutdown` resolves, then lets running answers end for up to two seconds.
///
/// # Errors
/// Only if accepting connections fails for good; trouble with one connection ends that connection.
pub async fn serve(listener: TcpListener, service: MockService, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let (stop, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, service.clone(), stopped.clone()));
                }
                Err(error) if is_about_one_connection(&error) => {}
                // Out of descriptors, most likely: one will be given back.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
    drop(listener);
    let _ = stop.send(true);
    let drained = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(DRAIN, drained).await;
    Ok(())
}

fn is_about_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn connection(stream: TcpStream, service: MockService, mut stopped: watch::Receiver<bool>) {
    // Without this, the last chunk of a stream waits for the client's acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().header_read_timeout(None);
    let answer = service_fn(move |request| {
        let service = service.clone();
        async move { respond(&service, request).await }
    });
    let connection = builder.serve_connection(TokioIo::new(stream), answer);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopped.wait_for(|stopped| *stopped) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// An error makes hyper close the connection without an answer, which is what a reset is.
async fn respond(service: &MockService, request: Request<Incoming>) -> io::Result<Response<MockBody>> {
    let (head, body) = request.into_parts();
    let body: Bytes = Limited::new(body, MAX_BODY_BYTES).collect().await.map_err(io::Error::other)?.to_bytes();
    let response = service.respond(Request::from_parts(head, body)).await;
    match response.extensions().get::<ConnectionReset>() {
        Some(_) => Err(io::ErrorKind::ConnectionReset.into()),
        None => Ok(response),
    }
}

/// A mock on a free port of 127.0.0.1, for tests; dropping it ends it at once.
#[derive(Debug)]
pub struct MockServer {
    address: SocketAddr,
    service: MockService,
    stop: Option<oneshot::Sender<Infallible>>,
    task: JoinSet<io::Result<()>>,
}

impl MockServer {
    /// Binds and serves in the background of the current runtime.
    ///
    /// # Errors
    /// No port could be bound.
    pub async fn start(settings: Settings) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let service = MockService::new(settings);
        let (stop, stopped) = oneshot::channel::<Infallible>();
        let mut task = JoinSet::new();
        task.spawn(serve(listener, service.clone(), async move {
            let _ = stopped.await;
        }));
        Ok(Self { address, service, stop: Some(stop), task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The service behind it, for its journal and counters.
    pub fn service(&self) -> &MockService {
        &self.service
    }

    /// Stops accepting, lets running answers end for up to two seconds, and returns.
    pub async fn shutdown(mut self) {
        drop(self.stop.take());
        while self.task.join_next().await.is_some() {}
    }
}
