//! Closed loops: what has arrived, or was acknowledged, sets off the next message to the same room.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::sender::Sender;

#[derive(Debug)]
pub(super) struct Volley {
    /// One for each room.
    senders: RefCell<Vec<Rc<Sender>>>,
    /// Messages that may still be sent.
    left: Cell<u64>,
}

impl Volley {
    pub(super) fn new(messages: u64) -> Rc<Self> {
        Rc::new(Self { senders: RefCell::default(), left: Cell::new(messages) })
    }

    /// Begins: `window` messages in each room.
    pub(super) fn begin(&self, senders: &[Rc<Sender>], window: u32) {
        *self.senders.borrow_mut() = senders.to_vec();
        for room in 0..senders.len() {
            (0..window).for_each(|_| self.again(room));
        }
    }

    /// Sends one more to the room, unless all are sent.
    pub(super) fn again(&self, room: usize) {
        let left = self.left.get();
        if left > 0 {
            self.left.set(left - 1);
            if let Some(sender) = self.senders.borrow().get(room) {
                sender.send(room);
            }
        }
    }

    /// Nothing more is sent.
    pub(super) fn end(&self) {
        self.left.set(0);
    }
}
