//! Accepts connections of the API, and not more than it can hold; serves HTTP/1.1, and HTTP/2 to whoever begins with it
//! (RFC 9113 §3.3) or agrees on it within TLS (§3.2).

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{self, AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::super::certificate::Certificate;
use super::door::Peer;

/// Connections at once. A guess: a monitoring system, some operators, some vantages.
const CONNECTION_COUNT_MAX: usize = 512;

/// A connection that neither reads nor writes for this long is closed.
const IDLE_MAX: Duration = Duration::from_secs(120);

/// How long a handshake of TLS may take.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);

/// How long the head of a request may take to arrive.
const HEAD_MAX: Duration = Duration::from_secs(30);

/// Octets of a head.
const HEAD_LEN_MAX: u32 = 32 * 1024;

/// Requests under way on one connection of HTTP/2.
const STREAM_COUNT_MAX: u32 = 64;

/// How long nothing is accepted when the system has no room for one more.
const FULL_PAUSE: Duration = Duration::from_millis(100);

/// Serves `router` on `listener`, behind `certificate` where there is one, until `stop` is done; requests in flight are
/// finished. Beyond the bound, connections wait in the kernel's queue.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    certificate: Option<Certificate>,
    stop: impl Future<Output = ()> + Send,
) {
    let free = Arc::new(Semaphore::new(CONNECTION_COUNT_MAX));
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = accept(&listener, &free) => accepted,
        };
        match accepted {
            Ok((connection, peer)) => {
                let asked = Asked { peer, inner: TowerToHyperService::new(router.clone()) };
                let watcher = graceful.watcher();
                match certificate.clone() {
                    None => tokio::spawn(converse(connection, asked, watcher)),
                    Some(certificate) => tokio::spawn(async move {
                        if let Some(stream) = shake(connection, peer, &certificate).await {
                            converse(stream, asked, watcher).await;
                        }
                    }),
                };
            }
            Err(error) if is_of_peer(&error) => {}
            Err(error) => {
                tracing::error!(event = "api-accept-failed", %error);
                tokio::time::sleep(FULL_PAUSE).await;
            }
        }
    }
    drop(listener);
    graceful.shutdown().await;
}

async fn accept(
    listener: &TcpListener,
    free: &Arc<Semaphore>,
) -> io::Result<(Connection, SocketAddr)> {
    // Never closed while we hold it; a closed one would only mean no bound.
    let permit = Arc::clone(free).acquire_owned().await.ok();
    let (stream, peer) = listener.accept().await?;
    // Small answers leave at once; without it they only leave later.
    let _ = stream.set_nodelay(true);
    Ok((Connection::new(stream, permit), peer))
}

/// Whether the other side gave up before it was accepted: no fault of this machine.
fn is_of_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// Makes the handshake of TLS; none if it failed, which is the other side's to mend.
async fn shake(
    connection: Connection,
    peer: SocketAddr,
    certificate: &Certificate,
) -> Option<TlsStream<Connection>> {
    let shaken = match certificate.served() {
        Some(served) => {
            let shaking = TlsAcceptor::from(served).accept(connection);
            let timely = tokio::time::timeout(HANDSHAKE_MAX, shaking).await;
            timely.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        }
        // The alarm says why.
        None => Err(io::Error::other("no certificate was ever read")),
    };
    shaken
        .inspect_err(|error| {
            metrics::counter!("homing_api_handshakes_failed_total").increment(1);
            tracing::debug!(event = "api-handshake-failed", %peer, %error);
        })
        .ok()
}

/// Speaks HTTP on one connection to its end.
async fn converse<I>(io: I, asked: Asked, watcher: Watcher)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = Builder::new(TokioExecutor::new());
    let mut http1 = builder.http1();
    http1.timer(TokioTimer::new()).header_read_timeout(HEAD_MAX);
    http1.max_buf_size(2 * HEAD_LEN_MAX as usize);
    let mut http2 = builder.http2();
    http2.max_concurrent_streams(STREAM_COUNT_MAX).max_header_list_size(HEAD_LEN_MAX);
    // One that ends badly has said so on the wire, or is gone.
    let _ = watcher.watch(builder.serve_connection(TokioIo::new(io), asked)).await;
}

/// The API as asked over one connection: each request carries where it comes from.
#[derive(Clone)]
struct Asked {
    peer: SocketAddr,
    inner: TowerToHyperService<Router>,
}

impl hyper::service::Service<Request<Incoming>> for Asked {
    type Response =
        <TowerToHyperService<Router> as hyper::service::Service<Request<Incoming>>>::Response;
    type Error = <TowerToHyperService<Router> as hyper::service::Service<Request<Incoming>>>::Error;
    type Future =
        <TowerToHyperService<Router> as hyper::service::Service<Request<Incoming>>>::Future;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(Peer(self.peer));
        self.inner.call(request)
    }
}

/// One connection: it gives its place back when it ends, and ends when it is idle.
pub struct Connection {
    stream: TcpStream,
    idle: Pin<Box<tokio::time::Sleep>>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Connection {
    fn new(stream: TcpStream, permit: Option<OwnedSemaphorePermit>) -> Connection {
        Connection { stream, idle: Box::pin(tokio::time::sleep(IDLE_MAX)), _permit: permit }
    }

    fn moved(&mut self) {
        self.idle.as_mut().reset(tokio::time::Instant::now() + IDLE_MAX);
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Ready(result) => {
                self.moved();
                Poll::Ready(result)
            }
            Poll::Pending => {
                self.idle.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        if written.is_ready() {
            self.moved();
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
