//! Pieces between delimiters, from bytes that come in any cut.

use super::BadStream;
use bytes::{Bytes, BytesMut};

/// Holds at most one unfinished piece beyond what was fed last.
#[derive(Debug)]
pub(super) struct Splitter {
    delimiter: &'static [u8],
    bytes_max: usize,
    buffer: BytesMut,
    /// No delimiter begins before this index, so that a long piece is not searched again with every byte.
    searched: usize,
}

impl Splitter {
    pub(super) fn new(delimiter: &'static [u8], bytes_max: usize) -> Self {
        Self { delimiter, bytes_max, buffer: BytesMut::new(), searched: 0 }
    }

    pub(super) fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    /// Takes bytes; call [`Self::next_piece`] until there is none before the next.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<(), BadStream> {
        if self.buffer.len() > self.bytes_max {
            return Err(BadStream::TooLarge);
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// The next complete piece, without its delimiter.
    pub(super) fn next_piece(&mut self) -> Option<Bytes> {
        let width = self.delimiter.len();
        let found = self.buffer[self.searched..].windows(width).position(|window| window == self.delimiter);
        let Some(at) = found.map(|at| self.searched + at) else {
            self.searched = (self.buffer.len() + 1).saturating_sub(width);
            return None;
        };
        let piece = self.buffer.split_to(at + width).freeze().slice(..at);
        self.searched = 0;
        Some(piece)
    }
}
