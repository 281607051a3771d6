//! Accepting connections, and letting them finish at shutdown.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpSocket};

use crate::entry::Edge;

/// After an accept error such as too many open files, the listener pauses so that it does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Settings of a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenSettings {
    /// Pending connections that the system queues.
    pub backlog: u32,
    /// A client must send its request head within this time.
    pub head_timeout: Duration,
    /// Largest request head over HTTP/1.1, in bytes.
    pub max_head: usize,
}

impl Default for ListenSettings {
    fn default() -> Self {
        Self { backlog: 4_096, head_timeout: Duration::from_secs(10), max_head: 64 * 1024 }
    }
}

/// A bound listener.
pub struct Server {
    listener: TcpListener,
    settings: ListenSettings,
}

impl Server {
    /// Binds a TCP address.
    ///
    /// # Errors
    /// The system's error, for example when the port is taken.
    pub fn bind(address: SocketAddr, settings: ListenSettings) -> io::Result<Self> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(Self { listener: socket.listen(settings.backlog)?, settings })
    }

    /// The bound address.
    ///
    /// # Errors
    /// The system's error.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` resolves, then lets open connections finish. Returns the wait for them.
    pub async fn serve(self, edge: Arc<Edge>, stop: impl Future<Output = ()>) -> GracefulShutdown {
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(self.settings.head_timeout)
            .max_buf_size(self.settings.max_head.max(8_192));
        builder.http2().timer(TokioTimer::new()).keep_alive_interval(Some(Duration::from_secs(30)));
        let graceful = GracefulShutdown::new();
        tokio::pin!(stop);
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = &mut stop => break,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(fault) => {
                    tracing::warn!(error = %fault, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            // Without this the last bytes of small writes wait up to 40 ms.
            let _ = stream.set_nodelay(true);
            let served = Arc::clone(&edge);
            let service = service_fn(move |request: Request<Incoming>| {
                let edge = Arc::clone(&served);
                async move { Ok::<_, std::convert::Infallible>(edge.answer(request, peer).await) }
            });
            let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
            let watched = graceful.watch(connection);
            let edge = Arc::clone(&edge);
            #[expect(clippy::disallowed_methods, reason = "one task per client connection")]
            tokio::spawn(async move {
                (edge.hooks().connections)(1);
                // A client that vanishes is no event for operators.
                let _ = watched.await;
                (edge.hooks().connections)(-1);
            });
        }
        graceful
    }
}
