//! Connections: accepted here, bounded here, and waited for when the server goes down.
//!
//! Our own loop, because what matters cannot be set from outside a framework's: a deadline for a
//! request's head, the socket's options, and knowing which connections are still open.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;
use wigeon_proto::limits;

use super::guard::Ends;

/// Accepts until `stop` is cancelled. Connections run on in `open`.
pub(crate) async fn accept(
    listener: TcpListener,
    router: Router,
    open: TaskTracker,
    stop: CancellationToken,
) {
    let room = Arc::new(Semaphore::new(limits::CONNECTIONS_MAX));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                // Most often no file descriptor is left: one must be closed before the next can come.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(permit) = room.clone().try_acquire_owned() else {
            tracing::warn!(limit = limits::CONNECTIONS_MAX, "too many connections");
            continue;
        };
        let (router, stop) = (router.clone(), stop.clone());
        open.spawn(async move {
            metrics::gauge!("wigeon_connections").increment(1.0);
            if let Err(error) = serve(stream, peer, router, stop).await {
                tracing::debug!(%error, %peer, "a connection ended early");
            }
            metrics::gauge!("wigeon_connections").decrement(1.0);
            drop(permit);
        });
    }
}

async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    stop: CancellationToken,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    prepare(&stream)?;
    let ends = Ends { local: stream.local_addr()?, peer };
    let service = router.map_request(move |mut request: http::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(ends);
        request.map(Body::new)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(limits::REQUEST_HEAD_MS_MAX))
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
        .with_upgrades();
    tokio::pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return Ok(ended?),
        () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    Ok(connection.await?)
}

/// Small writes leave at once; a peer that vanished, or takes nothing at all, is noticed by the kernel.
fn prepare(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    let keepalive =
        TcpKeepalive::new().with_time(Duration::from_secs(60)).with_interval(Duration::from_secs(15));
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(Duration::from_millis(limits::WRITE_STALL_MS_MAX)))?;
    Ok(())
}
