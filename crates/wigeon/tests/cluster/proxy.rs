//! A load balancer without any stickiness: every request goes to the next node, and each gets a connection of its
//! own for it. A node that does not take the connection is passed over.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// More than any request's head in these stories.
const HEAD_BYTES_MAX: usize = 64 * 1024;

#[derive(Debug)]
pub(crate) struct Proxy {
    port: u16,
    task: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn start(nodes: Vec<u16>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let (nodes, turn) = (Arc::new(nodes), Arc::new(AtomicUsize::new(0)));
        let task = tokio::spawn(async move {
            loop {
                let Ok((client, _)) = listener.accept().await else { continue };
                let (nodes, turn) = (Arc::clone(&nodes), Arc::clone(&turn));
                // A connection that breaks is the story's affair: whoever is at its ends sees it.
                tokio::spawn(async move { pass(client, &nodes, &turn).await.unwrap_or_default() });
            }
        });
        Self { port, task }
    }

    pub(crate) fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// One request and its answer. It is asked to be the connection's last, unless it becomes a WebSocket.
async fn pass(mut client: TcpStream, nodes: &[u16], turn: &AtomicUsize) -> std::io::Result<()> {
    let mut head = Vec::new();
    let end = loop {
        if let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if head.len() > HEAD_BYTES_MAX || client.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    };
    let text = String::from_utf8_lossy(&head[..end]).into_owned();
    let is = |line: &str, name: &str| line.to_ascii_lowercase().starts_with(name);
    if !text.lines().any(|line| is(line, "upgrade:")) {
        let lines = text.lines().filter(|line| !is(line, "connection:"));
        let kept: Vec<&str> = lines.chain(["Connection: close"]).collect();
        head.splice(..end, kept.join("\r\n").into_bytes());
    }
    let first = turn.fetch_add(1, Ordering::Relaxed);
    for n in 0..nodes.len() {
        if let Ok(mut node) = TcpStream::connect(("127.0.0.1", nodes[(first + n) % nodes.len()])).await {
            node.set_nodelay(true)?;
            client.set_nodelay(true)?;
            node.write_all(&head).await?;
            return copy_bidirectional(&mut client, &mut node).await.map(drop);
        }
    }
    Ok(())
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}
