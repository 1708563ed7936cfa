//! From the bytes of a stream back to frames, wherever the network cut them.
//!
//! Only what is complete counts: a line with its newline, an event with its blank line, a script with its end
//! tag. A stream that was cut off ends with half a frame, which is thrown away; the cursor brings it again.

mod script;
mod split;
mod sse;

use crate::Frame;
use bytes::Bytes;
use split::Splitter;
use std::collections::VecDeque;

/// The stream is not what its framing promises.
#[derive(Debug, thiserror::Error)]
pub enum BadStream {
    /// A frame above the limit.
    #[error("a frame above the limit")]
    TooLarge,
    /// A complete frame that is not JSON.
    #[error("a frame that is not JSON: {0}")]
    NotJson(#[from] serde_json::Error),
}

/// One framing's reader. All state is in here, so feeding may stop and go on at any byte.
#[derive(Debug)]
pub struct Parser {
    splitter: Splitter,
    form: Form,
}

#[derive(Debug)]
enum Form {
    Lines,
    Sse(sse::Event),
    Script,
}

impl Parser {
    /// Reads newline-delimited JSON.
    pub fn ndjson(frame_bytes_max: usize) -> Self {
        Self { splitter: Splitter::new(b"\n", frame_bytes_max), form: Form::Lines }
    }

    /// Reads Server-Sent Events.
    pub fn sse(frame_bytes_max: usize) -> Self {
        Self { splitter: Splitter::new(b"\n", frame_bytes_max), form: Form::Sse(sse::Event::default()) }
    }

    /// Reads the page of a forever iframe.
    pub fn script(frame_bytes_max: usize) -> Self {
        Self { splitter: Splitter::new(b"</script>", frame_bytes_max), form: Form::Script }
    }

    /// Takes all of `bytes` and appends the frames that are now complete.
    pub fn feed(&mut self, bytes: &[u8], frames: &mut VecDeque<Frame>) -> Result<(), BadStream> {
        self.splitter.feed(bytes)?;
        while let Some(piece) = self.splitter.next_piece() {
            let json = match &mut self.form {
                Form::Lines => not_blank(piece),
                Form::Sse(event) => event.line(&piece, self.splitter.bytes_max())?,
                Form::Script => script::argument(&piece),
            };
            if let Some(json) = json {
                frames.push_back(Frame::parse(json)?);
            }
        }
        Ok(())
    }
}

fn not_blank(line: Bytes) -> Option<Bytes> {
    (!line.trim_ascii().is_empty()).then_some(line)
}

#[cfg(test)]
mod tests;
