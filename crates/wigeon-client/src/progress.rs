//! What has been seen: one cursor, and the rule by which frames pass it.
//!
//! Within one epoch cursors compare as plain text, so two readers of one session may overlap: whatever is at
//! or before the cursor has been seen. A cursor of another epoch means something only after a `reset` or a
//! snapshot has said so.

use crate::{Error, Frame};

/// A version digit and eight of epoch.
const EPOCH_CHARS: usize = 9;

/// What to do with a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Hand it on.
    Deliver,
    /// It has been seen.
    Seen,
    /// It told where the stream is and nothing else.
    Moved,
    /// The cursor was of no use: take a snapshot.
    Reset,
}

/// The cursor of one session.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress {
    cursor: Option<String>,
}

impl Progress {
    pub(crate) fn new(cursor: Option<String>) -> Self {
        Self { cursor }
    }

    pub(crate) fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    /// Goes on from here, whatever was before: after a reset or a snapshot.
    pub(crate) fn jump(&mut self, cursor: &str) {
        self.cursor = Some(cursor.to_owned());
    }

    /// Everything up to `cursor` has been seen, as a heartbeat or a poll says.
    pub(crate) fn advance(&mut self, cursor: &str) -> bool {
        let new = is_new(self.cursor(), cursor);
        if new {
            self.jump(cursor);
        }
        new
    }

    /// Judges a frame and moves the cursor by it. A reset moves nothing: the snapshot after it does, and until
    /// there is one the old cursor brings the reset again.
    pub(crate) fn admit(&mut self, frame: &Frame) -> Result<Verdict, Error> {
        let Some(cursor) = frame.cursor() else { return Ok(Verdict::Deliver) };
        match frame.kind() {
            "ready" | "heartbeat" => {
                self.advance(cursor);
                Ok(Verdict::Moved)
            }
            "reset" => Ok(Verdict::Reset),
            _ if self.advance(cursor) => Ok(Verdict::Deliver),
            _ if self.cursor().is_some_and(|own| same_epoch(own, cursor)) => Ok(Verdict::Seen),
            _ => Err(Error::Protocol("an event of another epoch without a reset".to_owned())),
        }
    }
}

/// Whether `cursor` is of the same epoch as `own` and after it. Everything is new to who has seen nothing.
pub fn is_new(own: Option<&str>, cursor: &str) -> bool {
    own.is_none_or(|own| same_epoch(own, cursor) && cursor > own)
}

fn same_epoch(a: &str, b: &str) -> bool {
    a.get(..EPOCH_CHARS).is_some_and(|prefix| b.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::Verdict::{Deliver, Seen};
    use super::*;
    use bytes::Bytes;

    fn frame(kind: &str, cursor: &str) -> Frame {
        Frame::parse(Bytes::from(format!(r#"{{"type":"{kind}","cursor":"{cursor}"}}"#))).unwrap()
    }

    #[test]
    fn an_event_is_delivered_once_whichever_reader_brings_it() {
        let mut progress = Progress::new(Some("1eeeeeeeebv".to_owned()));
        let brought = ["1eeeeeeeec10", "1eeeeeeeebv", "1eeeeeeeec10", "1eeeeeeeeb1", "1eeeeeeeec11"];
        let verdicts = brought.map(|cursor| progress.admit(&frame("message", cursor)).unwrap());
        assert_eq!(verdicts, [Deliver, Seen, Seen, Seen, Deliver]);
        assert_eq!(progress.cursor(), Some("1eeeeeeeec11"));
    }

    #[test]
    fn a_heartbeat_moves_forward_only() {
        let mut progress = Progress::default();
        for (cursor, expected) in
            [("1eeeeeeeeb5", "b5"), ("1eeeeeeeeb3", "b5"), ("1ffffffffb9", "b5"), ("1eeeeeeeeb6", "b6")]
        {
            assert_eq!(progress.admit(&frame("heartbeat", cursor)).unwrap(), Verdict::Moved);
            assert_eq!(progress.cursor().unwrap(), format!("1eeeeeeee{expected}"));
        }
    }

    #[test]
    fn another_epoch_comes_only_after_a_reset() {
        let mut progress = Progress::new(Some("1eeeeeeeeb5".to_owned()));
        assert!(progress.admit(&frame("message", "1ffffffffb9")).is_err());
        assert_eq!(progress.admit(&frame("reset", "1ffffffffb1")).unwrap(), Verdict::Reset);
        progress.jump("1ffffffffb2");
        assert_eq!(progress.admit(&frame("message", "1ffffffffb9")).unwrap(), Verdict::Deliver);
    }

    #[test]
    fn signals_pass() {
        let typing = Frame::parse(Bytes::from_static(br#"{"type":"typing","room":"r","user":"u"}"#)).unwrap();
        assert_eq!(Progress::default().admit(&typing).unwrap(), Verdict::Deliver);
    }
}
