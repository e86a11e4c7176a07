//! Connections: one accept loop per listener, HTTP/1.1 and h2c on each connection.
//!
//! Connections are capped over all listeners: one too many is accepted, answered 503 and closed, so that the server
//! stays reachable. A head must arrive in time; a client that leaves its answers unread is closed. On shutdown the
//! loop stops accepting, lets requests in flight finish, and gives up after `drain_timeout`.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::Sleep;

use crate::Api;
use crate::route::{Router, Surface};
use crate::service::HttpService;

/// A place where requests come in.
#[derive(Debug)]
pub struct Listener {
    /// For logs and metrics: `registry`, `rest`, `management`.
    pub name: &'static str,
    /// What clients reach it by; links in answers start with it. `None`: the request's own host.
    pub advertised_url: Option<String>,
    /// The APIs it serves; the first one owns `/`.
    pub surfaces: Vec<Surface>,
    pub(crate) router: Router,
}

impl Listener {
    /// A listener that serves these surfaces.
    pub fn new(name: &'static str, surfaces: Vec<Surface>, advertised_url: Option<String>) -> Arc<Listener> {
        Arc::new(Listener { name, advertised_url, router: Router::new(&surfaces), surfaces })
    }
}

/// A listening socket with a long backlog.
pub fn bind(address: SocketAddr) -> io::Result<StdListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(4096)?;
    Ok(socket.into())
}

/// The connections that all listeners of a process share.
pub fn connection_limit(api: &Api) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(api.settings.max_connections))
}

/// Serves `listener` on `socket` until `stopping` turns true (`api.stopping` as a rule; management goes on longer),
/// then drains. Returns when no request is left, or
/// when `drain_timeout` has passed.
pub async fn serve(
    socket: StdListener,
    api: Arc<Api>,
    listener: Arc<Listener>,
    connections: Arc<Semaphore>,
    mut stopping: watch::Receiver<bool>,
) -> io::Result<()> {
    let socket = TcpListener::from_std(socket)?;
    let graceful = GracefulShutdown::new();
    let builder = Arc::new(connection_builder(&api));
    let open = api.metrics.connections.with_label_values(&[listener.name]);
    let refused = api.metrics.refused.with_label_values(&[listener.name]);
    let service = HttpService::new(api.clone(), listener.clone());
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            // An error means that nobody can ask us to stop any more: as good as being asked.
            _ = stopping.wait_for(|stop| *stop) => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) if is_of_the_connection(&error) => continue,
            Err(error) => {
                // Out of descriptors or memory: closing connections will help, spinning will not.
                tracing::error!(listener = listener.name, "accept: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(permit) = connections.clone().try_acquire_owned() else {
            refused.inc();
            refuse(&stream);
            continue;
        };
        // Without it, an answer in two writes waits for the client's delayed acknowledgement.
        let _ = stream.set_nodelay(true);
        let io = Patient::new(TokioIo::new(stream), api.settings.head_timeout, api.settings.write_timeout);
        let (service, builder, open) = (service.clone(), builder.clone(), open.clone());
        let watcher = graceful.watcher();
        tokio::spawn(async move {
            open.inc();
            // Errors here are the client's: cut connections, broken requests (answered by hyper), timeouts.
            let _ = watcher.watch(builder.serve_connection(io, service).into_owned()).await;
            open.dec();
            drop(permit);
        });
    }
    drop(socket);
    if tokio::time::timeout(api.settings.drain_timeout, graceful.shutdown()).await.is_err() {
        tracing::warn!(listener = listener.name, "requests were still running at the end of the drain timeout");
    }
    Ok(())
}

fn connection_builder(api: &Api) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    let settings = &api.settings;
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.head_timeout)
        // Room to answer 414 and 431 ourselves; hyper refuses what exceeds it.
        .max_buf_size((settings.max_head_bytes * 4).max(64 * 1024));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size((settings.max_head_bytes as u32).saturating_mul(2))
        .max_concurrent_streams(256)
        .keep_alive_interval(settings.head_timeout)
        .keep_alive_timeout(settings.head_timeout);
    builder
}

/// Errors of `accept` that belong to one connection, not to the socket.
fn is_of_the_connection(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(error.kind(), Kind::ConnectionRefused | Kind::ConnectionAborted | Kind::ConnectionReset)
}

/// Says 503 as far as the socket's buffer takes it, and closes.
fn refuse(stream: &TcpStream) {
    const ANSWER: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: 62\r\n\
        Retry-After: 1\r\nConnection: close\r\n\r\n{\"error_code\":503,\"message\":\"Too many connections, try later\"}";
    let _ = stream.try_write(ANSWER);
}

/// Bytes that tell HTTP/1.1 from HTTP/2: the length of the latter's preface.
const PREFACE_BYTES: usize = 24;

/// A connection whose peer must say something and go on reading: silence at the start for `greeting`, or a write that
/// makes no progress for `limit`, ends it. (Slow heads later on are hyper's to time out.)
struct Patient {
    io: TokioIo<TcpStream>,
    limit: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
    greeting: Option<Pin<Box<Sleep>>>,
    received: usize,
}

impl Patient {
    fn new(io: TokioIo<TcpStream>, greeting: Duration, limit: Duration) -> Patient {
        let greeting = Some(Box::pin(tokio::time::sleep(greeting)));
        Patient { io, limit, stalled: None, greeting, received: 0 }
    }

    /// Passes progress on; starts the clock when there is none.
    fn watch<T>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        self.greeting = None;
        if polled.is_ready() {
            self.stalled = None;
            return polled;
        }
        let limit = self.limit;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        match stalled.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the peer does not read"))),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl Read for Patient {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, mut buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        if self.greeting.is_none() {
            return Pin::new(&mut self.io).poll_read(cx, buf);
        }
        // The first bytes go through a buffer of our own, to be counted.
        let mut first = [0u8; 1024];
        let room = first.len().min(buf.remaining());
        let mut counted = ReadBuf::new(&mut first[..room]);
        let polled = Pin::new(&mut self.io).poll_read(cx, counted.unfilled());
        buf.put_slice(counted.filled());
        self.received += counted.filled().len();
        if self.received >= PREFACE_BYTES {
            self.greeting = None;
        }
        if polled.is_pending()
            && let Some(greeting) = self.greeting.as_mut()
            && greeting.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the peer says nothing")));
        }
        polled
    }
}

impl Write for Patient {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write(cx, buf);
        self.watch(cx, polled)
    }

    // A TCP stream has nothing to flush: it is always ready, which says nothing about the peer.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.watch(cx, polled)
    }
}
