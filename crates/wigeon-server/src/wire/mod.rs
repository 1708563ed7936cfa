//! A wire: the way down to one reader, which whoever has something for it writes to there and then.
//!
//! Waking a task for each frame costs more than all else that is ours in a delivery, so the thread that has
//! the frame writes it to the socket itself. What the socket does not take is kept, and the task that owns the
//! connection sends it after; meanwhile nobody else writes, and the feed behind it collects no bytes but a
//! position. Frames that are due together are staged, and leave in one write.

mod body;
mod form;
mod head;
mod read;
#[cfg(feature = "bench")]
mod sink;

use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Waker;

use tokio::net::TcpStream;
use tokio::sync::Notify;

pub(crate) use form::{Form, Frame};
pub(crate) use head::{head, whole};
pub(crate) use read::until_gone;
#[cfg(feature = "bench")]
pub(crate) use sink::Sink;

/// What became of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    /// They are with the kernel.
    All,
    /// Some wait until the reader takes more.
    Rest,
    /// Nobody reads any more.
    Gone,
}

/// The way down to one reader.
#[derive(Debug)]
pub(crate) struct Wire {
    end: End,
    out: Mutex<Out>,
    /// Told when bytes begin to wait, when they have gone, and when the reader has.
    changed: Notify,
}

/// Where the bytes go.
#[derive(Debug)]
enum End {
    /// A socket of which we know everything.
    Socket(TcpStream),
    /// The body of a response that the HTTP library sends.
    Body,
    /// Nowhere.
    #[cfg(feature = "bench")]
    Sink(Arc<Sink>),
}

#[derive(Debug, Default)]
struct Out {
    /// Bytes that wait: staged, or not taken by the socket. The first `gone` of them are sent.
    rest: Vec<u8>,
    gone: usize,
    /// The socket has not taken all of `rest`; it takes more when it says so.
    full: bool,
    closed: bool,
    body: Option<Waker>,
}

/// Memory a wire keeps for what comes next, once it is clear.
const KEPT_BYTES_MAX: usize = 4 * 1024;

impl Wire {
    pub(crate) fn socket(stream: TcpStream) -> Self {
        Self { end: End::Socket(stream), out: Mutex::default(), changed: Notify::new() }
    }

    /// A wire that nobody reads, and that takes everything.
    #[cfg(feature = "bench")]
    pub(crate) fn sink(sink: Arc<Sink>) -> Self {
        Self { end: End::Sink(sink), out: Mutex::default(), changed: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Out> {
        self.out.lock().expect("nothing panics under a wire's lock")
    }

    /// Sends what is staged and then `bytes`, as far as the reader takes it.
    pub(crate) fn send(&self, bytes: &[u8]) -> Sent {
        let mut out = self.lock();
        if out.closed {
            return Sent::Gone;
        }
        #[cfg(feature = "bench")]
        if let End::Sink(sink) = &self.end {
            sink.swallow(bytes);
            return Sent::All;
        }
        if let (true, End::Socket(stream)) = (out.rest.is_empty(), &self.end) {
            let written = match stream.try_write(bytes) {
                Ok(count) if count == bytes.len() => return Sent::All,
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
                Err(_) => return self.fail(out),
            };
            out.rest.extend_from_slice(&bytes[written..]);
            out.full = true;
            drop(out);
            self.changed.notify_one();
            return Sent::Rest;
        }
        out.rest.extend_from_slice(bytes);
        self.push(out)
    }

    /// Keeps bytes that are to leave with what comes next, or at [`Self::flush`].
    pub(crate) fn stage(&self, bytes: &[u8]) {
        let mut out = self.lock();
        if !out.closed {
            out.rest.extend_from_slice(bytes);
        }
    }

    /// Stages what `write` appends.
    pub(crate) fn stage_with(&self, write: impl FnOnce(&mut Vec<u8>)) {
        let mut out = self.lock();
        if !out.closed {
            write(&mut out.rest);
        }
    }

    /// Sends what is staged.
    pub(crate) fn flush(&self) -> Sent {
        let out = self.lock();
        if out.closed {
            Sent::Gone
        } else if out.rest.is_empty() {
            Sent::All
        } else {
            self.push(out)
        }
    }

    fn push(&self, mut out: MutexGuard<'_, Out>) -> Sent {
        match &self.end {
            End::Body => {
                out.full = true;
                if let Some(waker) = out.body.take() {
                    drop(out);
                    waker.wake();
                }
                Sent::Rest
            }
            // The owner writes on when the socket says that it takes more.
            End::Socket(_) if out.full => Sent::Rest,
            End::Socket(stream) => match out.write(stream) {
                Ok(true) => Sent::All,
                Ok(false) => {
                    drop(out);
                    self.changed.notify_one();
                    Sent::Rest
                }
                Err(_) => self.fail(out),
            },
            #[cfg(feature = "bench")]
            End::Sink(sink) => {
                sink.swallow(&std::mem::take(&mut out.rest));
                Sent::All
            }
        }
    }

    fn fail(&self, mut out: MutexGuard<'_, Out>) -> Sent {
        *out = Out { closed: true, ..Out::default() };
        drop(out);
        self.changed.notify_one();
        Sent::Gone
    }

    /// Whether nothing waits.
    pub(crate) fn is_clear(&self) -> bool {
        self.lock().rest.is_empty()
    }

    /// Bytes that wait.
    pub(crate) fn waiting(&self) -> usize {
        let out = self.lock();
        out.rest.len() - out.gone
    }

    /// Returns when nothing waits: writes whenever the socket takes more. Cancel-safe.
    pub(crate) async fn cleared(&self) -> io::Result<()> {
        loop {
            {
                let mut out = self.lock();
                if out.closed {
                    return Err(ErrorKind::BrokenPipe.into());
                }
                if out.rest.is_empty() {
                    return Ok(());
                }
                if let End::Socket(stream) = &self.end
                    && out.write(stream)?
                {
                    return Ok(());
                }
            }
            match &self.end {
                End::Socket(stream) => stream.writable().await?,
                End::Body => self.changed.notified().await,
                #[cfg(feature = "bench")]
                End::Sink(_) => drop(self.flush()),
            }
        }
    }

    /// Returns when bytes have begun to wait, or nobody reads any more; at once if that was since the last time.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Gives the socket back, for another protocol to go on with. None while somebody else holds the wire.
    pub(crate) fn into_socket(self: Arc<Self>) -> Option<TcpStream> {
        match Arc::into_inner(self)?.end {
            End::Socket(stream) => Some(stream),
            End::Body => None,
            #[cfg(feature = "bench")]
            End::Sink(_) => None,
        }
    }
}

impl Out {
    /// Writes until all is gone (true) or the socket takes no more.
    fn write(&mut self, stream: &TcpStream) -> io::Result<bool> {
        while self.gone < self.rest.len() {
            match stream.try_write(&self.rest[self.gone..]) {
                Ok(count) => self.gone += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.full = true;
                    return Ok(false);
                }
                Err(error) => {
                    self.closed = true;
                    return Err(error);
                }
            }
        }
        (self.gone, self.full) = (0, false);
        if self.rest.capacity() > KEPT_BYTES_MAX {
            self.rest = Vec::new();
        } else {
            self.rest.clear();
        }
        Ok(true)
    }
}
