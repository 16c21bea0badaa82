//! A listener whose connections can be cut from inside a handler, as by a gateway that dies.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, Weak,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use futures_util::task::AtomicWaker;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};

/// The listener.
pub struct Lines {
    listener: TcpListener,
    open: Open,
}

/// All connections that are open.
#[derive(Clone, Default)]
pub struct Open(Arc<Mutex<Vec<Weak<State>>>>);

impl Lines {
    /// Listens on `address`.
    pub async fn bind(address: SocketAddr) -> io::Result<Lines> {
        Ok(Lines { listener: TcpListener::bind(address).await?, open: Open::default() })
    }

    /// Where it listens.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Its connections.
    pub fn open(&self) -> Open {
        self.open.clone()
    }
}

impl Open {
    fn all(&self) -> MutexGuard<'_, Vec<Weak<State>>> {
        self.0.lock().unwrap_or_else(|broken| broken.into_inner())
    }

    fn add(&self, line: &Line) {
        let mut all = self.all();
        // Those that have ended go when there is no room for a new one: the cost is spread.
        if all.len() == all.capacity() {
            all.retain(|line| line.strong_count() > 0);
        }
        all.push(Arc::downgrade(&line.0));
    }

    /// Cuts every connection: the server that owns them would let them end by themselves.
    pub fn cut(&self) {
        self.all().drain(..).filter_map(|line| line.upgrade()).for_each(|state| state.cut());
    }
}

impl Listener for Lines {
    type Io = Cuttable;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Cuttable, SocketAddr) {
        let (stream, from) = Listener::accept(&mut self.listener).await;
        // A failure costs latency, nothing else.
        let _ = stream.set_nodelay(true);
        let line = Line::default();
        self.open.add(&line);
        (Cuttable { stream, line }, from)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// The handle of one connection.
#[derive(Clone, Default)]
pub struct Line(Arc<State>);

#[derive(Default)]
struct State {
    cut: AtomicBool,
    reader: AtomicWaker,
}

impl Line {
    /// Ends the connection. Bytes that have not been written are lost, and no answer follows.
    pub async fn cut(&self) -> std::convert::Infallible {
        self.0.cut();
        std::future::pending().await
    }
}

impl State {
    fn cut(&self) {
        self.cut.store(true, Ordering::Release);
        self.reader.wake();
    }
}

impl Connected<IncomingStream<'_, Lines>> for Line {
    fn connect_info(stream: IncomingStream<'_, Lines>) -> Line {
        stream.io().line.clone()
    }
}

/// A connection.
pub struct Cuttable {
    stream: TcpStream,
    line: Line,
}

impl Cuttable {
    fn check(&self, cx: &Context<'_>) -> io::Result<()> {
        self.line.0.reader.register(cx.waker());
        match self.line.0.cut.load(Ordering::Acquire) {
            true => Err(io::ErrorKind::ConnectionAborted.into()),
            false => Ok(()),
        }
    }
}

impl AsyncRead for Cuttable {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Cuttable {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
