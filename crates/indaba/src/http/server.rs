//! The listener: a connection that sends its headers too slowly is closed, and on the way out those that are being answered are
//! let finish.
use axum::{Router, body::Body, extract::ConnectInfo};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use std::{
    net::SocketAddr,
    task::{Context, Poll},
    time::Duration,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::Service;

/// How long the headers of a request may take to come.
const HEADERS: Duration = Duration::from_secs(15);

/// Answers what comes to `listener` until `stop`; then takes nothing new and waits up to `last` for what is being answered.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken, last: Duration) {
    let mut http = Builder::new(TokioExecutor::new());
    http.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS).max_buf_size(64 * 1024);
    http.http2().timer(TokioTimer::new()).max_concurrent_streams(200).keep_alive_interval(Duration::from_secs(30));
    let open = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let (socket, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(e) => {
                // out of file descriptors, most likely: some will be given back
                tracing::warn!(error = %e, "a connection was not accepted: {e}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let _ = socket.set_nodelay(true);
        let service = TowerToHyperService::new(Peer { router: router.clone(), peer });
        let connection = http.serve_connection_with_upgrades(TokioIo::new(socket), service).into_owned();
        let connection = open.watch(connection);
        tokio::spawn(async move {
            if let Err(e) = connection.await {
                tracing::debug!(error = %e, "a connection ended: {e}");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(last, open.shutdown()).await.is_err() {
        tracing::warn!("some requests were cut off");
    }
}

/// The router, told who is at the other end.
#[derive(Clone)]
struct Peer {
    router: Router,
    peer: SocketAddr,
}

impl<B> Service<axum::http::Request<B>> for Peer
where
    B: axum::body::HttpBody<Data = axum::body::Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = axum::response::Response;
    type Error = std::convert::Infallible;
    type Future = <Router as Service<axum::http::Request<Body>>>::Future;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: axum::http::Request<B>) -> Self::Future {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(self.peer));
        self.router.call(request)
    }
}
