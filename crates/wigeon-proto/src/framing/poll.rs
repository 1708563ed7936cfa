//! The answer to a poll or a long poll: what is after the cursor, as one JSON object.
//!
//! `{"frames":[…],"cursor":"…","more":false}`, then, where there is one, `"ticket"` and `"unavailable"`. Built
//! while reading the log, so that the reader can stop at a number of bytes.

/// JSON like any other.
pub const CONTENT_TYPE: &str = "application/json; charset=utf-8";

const BEGIN: &[u8] = b"{\"frames\":[";

/// An answer being written: frames first, the rest with [`Answer::finish`].
#[derive(Debug)]
pub struct Answer {
    body: Vec<u8>,
    frames: usize,
}

/// What comes after the frames.
#[derive(Debug, Clone, Copy)]
pub struct Tail<'a> {
    /// Where the next poll goes on.
    pub cursor: &'a str,
    /// Whether the answer was cut short: poll again at once.
    pub more: bool,
    /// The next ticket and its life in seconds.
    pub ticket: Option<(&'a str, u64)>,
    /// Watched rooms that cannot be read.
    pub unavailable: &'a [&'a str],
}

impl Default for Answer {
    fn default() -> Self {
        Self { body: BEGIN.to_vec(), frames: 0 }
    }
}

impl Answer {
    /// Appends one frame.
    pub fn push(&mut self, json: &[u8]) {
        if self.frames > 0 {
            self.body.push(b',');
        }
        self.frames += 1;
        self.body.extend_from_slice(json);
    }

    /// How many frames there are so far.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// The bytes written so far; the tail will add some.
    pub fn bytes(&self) -> usize {
        self.body.len()
    }

    /// The whole body.
    pub fn finish(self, tail: Tail<'_>) -> Vec<u8> {
        let mut out = self.body;
        out.extend_from_slice(b"],\"cursor\":");
        super::json_string(&mut out, tail.cursor);
        out.extend_from_slice(if tail.more { b",\"more\":true" } else { b",\"more\":false" });
        if let Some((ticket, expires_in)) = tail.ticket {
            out.extend_from_slice(b",\"ticket\":{\"ticket\":");
            super::json_string(&mut out, ticket);
            out.extend_from_slice(format!(",\"expires_in\":{expires_in}}}").as_bytes());
        }
        if !tail.unavailable.is_empty() {
            out.extend_from_slice(b",\"unavailable\":[");
            for (i, room) in tail.unavailable.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                super::json_string(&mut out, room);
            }
            out.push(b']');
        }
        out.push(b'}');
        out
    }
}
