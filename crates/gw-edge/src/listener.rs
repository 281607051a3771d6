//! Accepting connections, and letting them finish at shutdown.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::entry::{Edge, ReplyBody};

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

    /// Serves until `stop` resolves. Returns what is left to do: letting open connections finish.
    pub async fn serve(self, edge: Arc<Edge>, stop: impl Future<Output = ()>) -> Draining {
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
            tokio::select! {
                accepted = self.listener.accept() => {
                    let Some((stream, peer)) = usable(accepted).await else { continue };
                    let connection = builder.serve_connection(stream, service(&edge, peer)).into_owned();
                    spawn(Arc::clone(&edge), graceful.watch(connection));
                }
                () = &mut stop => break,
            }
        }
        edge.refuse_calls();
        builder.http1().keep_alive(false);
        Draining { listener: self.listener, builder, edge, graceful }
    }
}

/// A server that lets open connections finish. Newcomers are still answered, so that balancers read that it is not
/// ready and callers read why: health as usual, calls with 503.
pub struct Draining {
    listener: TcpListener,
    builder: Builder<TokioExecutor>,
    edge: Arc<Edge>,
    graceful: GracefulShutdown,
}

impl Draining {
    /// Resolves when the last connection that was open when the drain began is done.
    pub async fn finish(self) {
        let finishing = self.graceful.shutdown();
        tokio::pin!(finishing);
        loop {
            tokio::select! {
                () = &mut finishing => return,
                accepted = self.listener.accept() => {
                    let Some((stream, peer)) = usable(accepted).await else { continue };
                    spawn(Arc::clone(&self.edge), self.builder.serve_connection(stream, service(&self.edge, peer)).into_owned());
                }
            }
        }
    }
}

type Answers = Pin<Box<dyn Future<Output = Result<Response<ReplyBody>, Infallible>> + Send>>;

fn service(
    edge: &Arc<Edge>,
    peer: SocketAddr,
) -> impl Service<Request<Incoming>, Response = Response<ReplyBody>, Error = Infallible, Future = Answers> + use<> {
    let edge = Arc::clone(edge);
    service_fn(move |request: Request<Incoming>| -> Answers {
        let edge = Arc::clone(&edge);
        Box::pin(async move { Ok(edge.answer(request, peer).await) })
    })
}

/// A connection ready to serve; after a failure it pauses, so that the listener does not spin.
async fn usable(accepted: io::Result<(TcpStream, SocketAddr)>) -> Option<(TokioIo<TcpStream>, SocketAddr)> {
    match accepted {
        Ok((stream, peer)) => {
            // Without this the last bytes of small writes wait up to 40 ms.
            let _ = stream.set_nodelay(true);
            Some((TokioIo::new(stream), peer))
        }
        Err(fault) => {
            tracing::warn!(error = %fault, "a connection could not be accepted");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

fn spawn<E>(edge: Arc<Edge>, connection: impl Future<Output = Result<(), E>> + Send + 'static)
where
    E: Send,
{
    #[expect(clippy::disallowed_methods, reason = "one task per client connection")]
    tokio::spawn(async move {
        (edge.hooks().connections)(1);
        // A client that vanishes is no event for operators.
        let _ = connection.await;
        (edge.hooks().connections)(-1);
    });
}
