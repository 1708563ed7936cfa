//! The way from a node to NATS, which can be cut: then nothing passes, and nobody is told.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

#[derive(Debug)]
pub(crate) struct Link {
    urls: String,
    cut: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Link {
    /// To servers of NATS by their ports.
    pub(crate) async fn start(servers: &[u16]) -> Self {
        let (cut, is_cut) = watch::channel(false);
        let (mut urls, mut tasks) = (Vec::new(), Vec::new());
        for &server in servers {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            urls.push(format!("nats://{}", listener.local_addr().expect("bound")));
            tasks.push(tokio::spawn(accept(listener, server, is_cut.clone())));
        }
        Self { urls: urls.join(","), cut, tasks }
    }

    /// For `--nats`.
    pub(crate) fn urls(&self) -> &str {
        &self.urls
    }

    pub(crate) fn cut(&self) {
        self.cut.send_replace(true);
    }

    pub(crate) fn mend(&self) {
        self.cut.send_replace(false);
    }
}

async fn accept(listener: TcpListener, server: u16, is_cut: watch::Receiver<bool>) {
    loop {
        let Ok((node, _)) = listener.accept().await else { continue };
        let is_cut = is_cut.clone();
        tokio::spawn(async move {
            let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else { return };
            let ((from_node, to_node), (from_server, to_server)) = (node.into_split(), server.into_split());
            tokio::select! {
                () = carry(from_node, to_server, is_cut.clone()) => {}
                () = carry(from_server, to_node, is_cut) => {}
            }
        });
    }
}

/// Passes on what comes, as long as the link is whole; what comes meanwhile arrives when it is again.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut is_cut: watch::Receiver<bool>) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if is_cut.wait_for(|cut| !cut).await.is_err() || to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}
