//! A TCP proxy that does to connections what networks do: cuts them after some bytes, in either direction,
//! holds them still, or lets them be. After a cut nothing more is passed on: TCP never skips.

use crate::dice::Dice;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::sleep;

pub(crate) struct Chaos {
    port: u16,
    troubled: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

/// What becomes of one connection.
#[derive(Clone, Copy)]
struct Fate {
    /// Bytes that pass from the server before it is cut.
    down: u64,
    /// Bytes that pass to the server before it is cut.
    up: u64,
    /// How long it is held still before the cut.
    stall: Duration,
}

impl Fate {
    fn of(dice: &mut Dice) -> Option<Self> {
        let far = 40_000_000;
        let (down, up) = match dice.roll(4) {
            0 => (dice.roll(60_000), far),
            1 => (far, dice.roll(20_000)),
            2 => (dice.roll(2_000_000), far),
            _ => return None,
        };
        let stall = if dice.roll(3) == 0 { Duration::from_millis(dice.roll(200)) } else { Duration::ZERO };
        Some(Self { down, up, stall })
    }
}

impl Chaos {
    pub(crate) async fn start(server: &str, dice: Dice) -> Self {
        let server = server.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let troubled = Arc::new(AtomicUsize::new(0));
        let (count, dice) = (Arc::clone(&troubled), Mutex::new(dice));
        let task = tokio::spawn(async move {
            loop {
                let Ok((client, _)) = listener.accept().await else { continue };
                let fate = Fate::of(&mut dice.lock().expect("whole"));
                count.fetch_add(usize::from(fate.is_some()), Ordering::Relaxed);
                let server = server.clone();
                tokio::spawn(async move {
                    if let Ok(server) = TcpStream::connect(&server).await {
                        pass(client, server, fate).await;
                    }
                });
            }
        });
        Self { port, troubled, task }
    }

    pub(crate) fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Connections that did not end by themselves.
    pub(crate) fn troubled(&self) -> usize {
        self.troubled.load(Ordering::Relaxed)
    }
}

impl Drop for Chaos {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Passes bytes both ways until one side ends, or its fate is fulfilled; then both are dropped.
async fn pass(client: TcpStream, server: TcpStream, fate: Option<Fate>) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let fate = fate.unwrap_or(Fate { down: u64::MAX, up: u64::MAX, stall: Duration::ZERO });
    tokio::select! {
        () = copy(from_server, to_client, fate.down) => {}
        () = copy(from_client, to_server, fate.up) => {}
    }
    sleep(fate.stall).await;
}

async fn copy(mut from: impl AsyncReadExt + Unpin, mut to: impl AsyncWriteExt + Unpin, mut left: u64) {
    let mut buffer = vec![0; 16 * 1024];
    while left > 0 {
        let Ok(count @ 1..) = from.read(&mut buffer).await else { return };
        let passed = left.min(count as u64);
        if to.write_all(&buffer[..passed as usize]).await.is_err() {
            return;
        }
        left -= passed;
    }
}
