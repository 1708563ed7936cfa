//! Server-Sent Events, as far as frames need them: `data:` lines up to a blank line.

use super::BadStream;
use bytes::{Bytes, BytesMut};

/// The event under way.
#[derive(Debug, Default)]
pub(super) struct Event {
    data: Option<BytesMut>,
}

impl Event {
    /// Takes one line; returns the event's data when the line ends it. Comments, `id:`, `retry:` and empty
    /// events pass unseen, because every frame carries its cursor itself.
    pub(super) fn line(&mut self, line: &[u8], bytes_max: usize) -> Result<Option<Bytes>, BadStream> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return Ok(self.data.take().map(BytesMut::freeze).filter(|data| !data.is_empty()));
        }
        if let Some(value) = line.strip_prefix(b"data:") {
            let value = value.strip_prefix(b" ").unwrap_or(value);
            match &mut self.data {
                Some(data) if data.len() + value.len() > bytes_max => return Err(BadStream::TooLarge),
                Some(data) => {
                    data.extend_from_slice(b"\n");
                    data.extend_from_slice(value);
                }
                None => self.data = Some(value.into()),
            }
        }
        Ok(None)
    }
}
