//! Connections: accepted here, bounded here, and waited for when the server goes down.
//!
//! Our own loop, because what matters cannot be set from outside a framework's: a deadline for a
//! request's head, the socket's options, and knowing which connections are still open.

mod front;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wigeon_proto::limits;

use crate::app::App;
use crate::http::guard::Ends;

/// Accepts until `stop` is cancelled. Connections run on in `open`.
pub(crate) async fn accept(
    listener: TcpListener,
    app: Arc<App>,
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
        let Ok(ends) = prepare(&stream, peer) else { continue };
        let (app, router, stop) = (app.clone(), router.clone(), stop.clone());
        open.spawn(async move {
            metrics::gauge!("wigeon_connections").increment(1.0);
            if let Err(error) = front::serve(app, router, stream, ends, stop).await {
                tracing::debug!(%error, %peer, "a connection ended early");
            }
            metrics::gauge!("wigeon_connections").decrement(1.0);
            drop(permit);
        });
    }
}

/// Small writes leave at once; a peer that vanished, or takes nothing at all, is noticed by the kernel.
fn prepare(stream: &TcpStream, peer: SocketAddr) -> std::io::Result<Ends> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    let keepalive =
        TcpKeepalive::new().with_time(Duration::from_secs(60)).with_interval(Duration::from_secs(15));
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(Duration::from_millis(limits::WRITE_STALL_MS_MAX)))?;
    Ok(Ends { local: stream.local_addr()?, peer })
}
