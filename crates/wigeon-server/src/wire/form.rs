//! Forms: what frames look like on one wire, down to the last byte.
//!
//! Two wires of equal form read equal bytes, so those are made once for all of them.

use std::sync::Arc;
use std::time::SystemTime;

use wigeon_proto::framing::{Framing, poll};

/// A frame: its cursor, where it has one, and its JSON.
pub(crate) type Frame<'a> = (Option<&'a str>, &'a [u8]);

/// How frames look on a wire.
#[derive(Debug, Clone)]
pub(crate) enum Form {
    /// One after the other, as long as the stream lasts.
    Stream {
        framing: Framing,
        /// Whether each write is a chunk of HTTP/1.1's `chunked` coding.
        chunked: bool,
    },
    /// One whole response to a held request.
    Answer {
        /// The response's head without its last headers.
        head: Arc<[u8]>,
        /// Whether the head is the same for everybody: it names no origin.
        common: bool,
    },
}

impl Form {
    /// How many forms share their bytes.
    pub(crate) const SHARED: usize = 7;

    /// Which of the forms it is that share their bytes; none where each wire reads its own.
    pub(crate) fn shared(&self) -> Option<usize> {
        match self {
            Self::Stream { framing: Framing::WebSocket, .. } => Some(0),
            Self::Stream { framing: Framing::Sse, chunked } => Some(1 + usize::from(*chunked)),
            Self::Stream { framing: Framing::Ndjson, chunked } => Some(3 + usize::from(*chunked)),
            Self::Answer { common: true, .. } => Some(5),
            Self::Stream { framing: Framing::WebSocketDeflated, .. } => Some(6),
            Self::Stream { framing: Framing::Iframe(_), .. } | Self::Answer { common: false, .. } => None,
        }
    }

    /// Appends frames that are written together.
    pub(crate) fn write<'a>(&self, out: &mut Vec<u8>, frames: impl Iterator<Item = Frame<'a>>) {
        match self {
            Self::Stream { framing, chunked: false } => {
                frames.for_each(|(cursor, json)| framing.frame(out, cursor, json));
            }
            Self::Stream { framing, chunked: true } => {
                let mut chunk = Vec::new();
                frames.for_each(|(cursor, json)| framing.frame(&mut chunk, cursor, json));
                self.bytes(out, &chunk);
            }
            Self::Answer { head, .. } => {
                let mut answer = poll::Answer::default();
                let mut last = "";
                for (cursor, json) in frames {
                    answer.push(json);
                    last = cursor.unwrap_or(last);
                }
                let tail = poll::Tail { cursor: last, more: false, ticket: None, unavailable: &[] };
                let body = answer.finish(tail);
                out.extend_from_slice(head);
                finish_head(out, body.len());
                out.extend_from_slice(&body);
            }
        }
    }

    /// Appends bytes of a stream that are framed already.
    pub(crate) fn bytes(&self, out: &mut Vec<u8>, bytes: &[u8]) {
        let chunked = matches!(self, Self::Stream { chunked: true, .. });
        // An empty chunk would be the end.
        if chunked && !bytes.is_empty() {
            out.extend_from_slice(format!("{:x}\r\n", bytes.len()).as_bytes());
            out.extend_from_slice(bytes);
            out.extend_from_slice(b"\r\n");
        } else {
            out.extend_from_slice(bytes);
        }
    }

    /// Appends what ends the stream's response, so that the connection can carry another.
    pub(crate) fn end(&self, out: &mut Vec<u8>) {
        if let Self::Stream { chunked: true, .. } = self {
            out.extend_from_slice(b"0\r\n\r\n");
        }
    }
}

/// Appends the last headers of a response whose body has `length` bytes.
pub(super) fn finish_head(out: &mut Vec<u8>, length: usize) {
    let date = httpdate::fmt_http_date(SystemTime::now());
    out.extend_from_slice(format!("date: {date}\r\ncontent-length: {length}\r\n\r\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_that_is_the_same_for_everybody_has_a_place_of_its_own() {
        let stream = |framing: &Framing, chunked| Form::Stream { framing: framing.clone(), chunked };
        let mut forms = vec![Form::Answer { head: Arc::default(), common: true }];
        forms.extend(
            [Framing::WebSocket, Framing::WebSocketDeflated].iter().map(|framing| stream(framing, false)),
        );
        for framing in [Framing::Sse, Framing::Ndjson] {
            forms.extend([false, true].map(|chunked| stream(&framing, chunked)));
        }
        let mut places: Vec<_> = forms.iter().map(Form::shared).collect();
        places.sort_unstable();
        assert_eq!(places, (0..Form::SHARED).map(Some).collect::<Vec<_>>());
    }
}
