//! A node's way along the stream, as a state machine without a network: which message may be taken, and when the
//! consumer that brings them is of no use any more.

/// Where a node is.
#[derive(Debug)]
pub(super) struct Walk {
    next: u64,
    /// Messages that the present consumer has brought.
    delivered: u64,
}

/// Something has not come that should have: the consumer has to be made anew, from [`Walk::next`].
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Missing(pub(super) &'static str);

impl Walk {
    /// From a position on.
    pub(super) fn new(next: u64) -> Self {
        Self { next, delivered: 0 }
    }

    /// The position that comes next.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Another consumer begins at [`Self::next`].
    pub(super) fn begin(&mut self) {
        self.delivered = 0;
    }

    /// The consumer's message of this number has come, and stands at this position: it is to be taken.
    pub(super) fn message(&mut self, number: u64, position: u64) -> Result<(), Missing> {
        if number != self.delivered + 1 || position != self.next {
            return Err(Missing("a message is missing"));
        }
        (self.delivered, self.next) = (number, position + 1);
        Ok(())
    }

    /// The consumer has sent so many, and there is nothing on the way.
    pub(super) fn heartbeat(&self, sent: u64) -> Result<(), Missing> {
        if sent > self.delivered { Err(Missing("the last messages are missing")) } else { Ok(()) }
    }
}
