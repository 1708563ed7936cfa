//! The way from a node to NATS. It can be cut: then nothing passes, and nobody is told. Or it loses the log: all else
//! passes, so that the node knows how far it is behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

#[derive(Debug)]
pub(crate) struct Link {
    urls: String,
    cut: watch::Sender<bool>,
    loses: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Link {
    /// To servers of NATS by their ports.
    pub(crate) async fn start(servers: &[u16]) -> Self {
        let (cut, is_cut) = watch::channel(false);
        let loses = Arc::new(AtomicBool::new(false));
        let (mut urls, mut tasks) = (Vec::new(), Vec::new());
        for &server in servers {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            urls.push(format!("nats://{}", listener.local_addr().expect("bound")));
            tasks.push(tokio::spawn(accept(listener, server, is_cut.clone(), loses.clone())));
        }
        Self { urls: urls.join(","), cut, loses, tasks }
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

    /// Whether what the stream brings is lost from now on.
    pub(crate) fn lose_the_log(&self, loses: bool) {
        self.loses.store(loses, Ordering::Relaxed);
    }
}

async fn accept(listener: TcpListener, server: u16, is_cut: watch::Receiver<bool>, loses: Arc<AtomicBool>) {
    loop {
        let Ok((node, _)) = listener.accept().await else { continue };
        let (is_cut, loses) = (is_cut.clone(), loses.clone());
        tokio::spawn(async move {
            let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else { return };
            let ((from_node, to_node), (from_server, to_server)) = (node.into_split(), server.into_split());
            tokio::select! {
                () = carry(from_node, to_server, is_cut.clone()) => {}
                () = bring(from_server, to_node, is_cut, loses) => {}
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

/// As [`carry`], message by message, as the protocol of NATS divides them.
async fn bring(
    from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut is_cut: watch::Receiver<bool>,
    loses: Arc<AtomicBool>,
) {
    let (mut from, mut passed) = (BufReader::with_capacity(64 * 1024, from), Vec::new());
    loop {
        let mut message = Vec::new();
        let Ok(head @ 1..) = from.read_until(b'\n', &mut message).await else { return };
        let line = String::from_utf8_lossy(&message).into_owned();
        if line.starts_with("MSG ") || line.starts_with("HMSG ") {
            let length = line.split_ascii_whitespace().last().and_then(|length| length.parse::<usize>().ok());
            message.resize(head + length.expect("a length") + 2, 0);
            if from.read_exact(&mut message[head..]).await.is_err() {
                return;
            }
        }
        // What a consumer brings says so where an answer would go.
        if !(loses.load(Ordering::Relaxed) && line.contains(" $JS.ACK.")) {
            passed.append(&mut message);
        }
        if from.buffer().is_empty() {
            if is_cut.wait_for(|cut| !cut).await.is_err() || to.write_all(&passed).await.is_err() {
                return;
            }
            passed.clear();
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}
