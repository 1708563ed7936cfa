//! Reading: what a peer sends, from the same socket that whoever has frames for it writes to.
//!
//! Connections are many and most of them quiet, so none keeps a buffer to read into: each thread has one, and
//! what was read is handed on before anybody else reads.

use std::cell::RefCell;
use std::io::{self, ErrorKind, Read as _};

use socket2::SockRef;
use tokio::io::Interest;
use wigeon_proto::limits::REQUEST_HEAD_BYTES_MAX;

use super::{End, Wire};

/// Bytes read at once: some hundred commands of a busy sender.
const READ_BYTES: usize = 16 * 1024;

impl Wire {
    /// Returns when there is something to read, or the peer is gone. A body is never read from.
    pub(crate) async fn readable(&self) -> io::Result<()> {
        match &self.end {
            End::Socket(stream) => stream.readable().await,
            End::Body => std::future::pending().await,
            #[cfg(feature = "bench")]
            End::Sink(_) => std::future::pending().await,
        }
    }

    /// Hands on what is there to read, up to one buffer, nothing at the end; `Ok(None)` if there is nothing yet.
    pub(crate) fn read<T>(&self, take: impl FnOnce(&[u8]) -> T) -> io::Result<Option<T>> {
        thread_local! {
            // One for each thread, not for each connection: those are many.
            static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into());
        }
        let End::Socket(stream) = &self.end else { return Ok(None) };
        BUFFER.with_borrow_mut(|buffer| {
            let mut read = None;
            let tried = stream.try_io(Interest::READABLE, || {
                let count = (&*SockRef::from(stream)).read(buffer)?;
                read = Some(count);
                // Less than there was room for: the socket is empty, and need not be asked to say so. What comes
                // after is a new event.
                if (1..READ_BYTES).contains(&count) { Err(ErrorKind::WouldBlock.into()) } else { Ok(()) }
            });
            match (read, tried) {
                (Some(count), _) => Ok(Some(take(&buffer[..count]))),
                (None, Err(error)) if error.kind() != ErrorKind::WouldBlock => Err(error),
                (None, _) => Ok(None),
            }
        })
    }

    /// As [`Self::read`], appending; says how much.
    pub(crate) fn read_into(&self, input: &mut Vec<u8>) -> io::Result<Option<usize>> {
        self.read(|bytes| {
            input.extend_from_slice(bytes);
            bytes.len()
        })
    }
}

/// Reads what a peer sends that has nothing to say now, for later; returns when it has gone, or says too much.
pub(crate) async fn until_gone(wire: &Wire, input: &mut Vec<u8>) {
    while wire.readable().await.is_ok() {
        match wire.read_into(input) {
            Ok(Some(count)) if count == 0 || input.len() > REQUEST_HEAD_BYTES_MAX => return,
            Ok(_) => {}
            Err(_) => return,
        }
    }
}
