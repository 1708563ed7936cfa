//! A publisher: one WebSocket that sends and listens only for replies.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use memchr::memmem;
use tokio::sync::Notify;
use tokio::task::spawn_local;
use wigeon_client::Reply;
use wigeon_proto::websocket::{Opcode, encode, handshake};

use super::frames::{self, Said};
use super::host::Door;
use super::limits::UNSENT_BYTES_MAX;
use super::link::{Dial, Link};
use super::tally::{Tally, histogram};
use super::volley::Volley;
use super::world::World;

#[derive(Debug)]
pub(super) struct Sender {
    world: Rc<World>,
    link: Link,
    tally: Rc<Tally>,
    /// What the socket has not taken yet.
    unsent: RefCell<Vec<u8>>,
    /// Told when a write did not take everything.
    blocked: Notify,
    /// Room and time of the messages that have no reply yet; replies come in the same order.
    unanswered: RefCell<VecDeque<(usize, u64)>>,
    answered: Rc<RefCell<Histogram<u64>>>,
    /// Who is told of each acknowledgement. It knows its senders, so that they only look up to it.
    volley: RefCell<Weak<Volley>>,
}

/// The request that makes a connection a WebSocket; `query` begins with a question mark, or is empty.
pub(super) fn upgrade(door: &Door, query: &str, token: &str) -> String {
    // A constant: who wants a fresh one are proxies that cache, and there is none.
    let key = handshake::key(*b"wigeon bench key");
    let authority = &door.authority;
    format!(
        "GET /v1/events{query} HTTP/1.1\r\nHost: {authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nAuthorization: Bearer {token}\r\n\r\n"
    )
}

impl Sender {
    /// Opens connection `number`. What is answered goes into `answered`, what fails into `tally`.
    pub(super) async fn open(
        world: &Rc<World>,
        number: usize,
        tally: &Rc<Tally>,
        answered: &Rc<RefCell<Histogram<u64>>>,
    ) -> Result<Rc<Self>> {
        Self::open_at(world, world.host.door(), number, tally, answered).await
    }

    /// The same at this node.
    pub(super) async fn open_at(
        world: &Rc<World>,
        door: &Door,
        number: usize,
        tally: &Rc<Tally>,
        answered: &Rc<RefCell<Histogram<u64>>>,
    ) -> Result<Rc<Self>> {
        let _one_of_few = world.connecting.acquire().await?;
        let token = world.host.token(&format!("bench-sender-{number}"))?;
        let dial = Dial { to: door.address, number, receive_buffer: None };
        let opened = Link::open(dial, &upgrade(door, "", &token), 101).await;
        let (link, _) = opened.with_context(|| door.base.clone())?;
        let sender = Rc::new(Self {
            world: world.clone(),
            link,
            tally: tally.clone(),
            unsent: RefCell::default(),
            blocked: Notify::new(),
            unanswered: RefCell::default(),
            answered: answered.clone(),
            volley: RefCell::default(),
        });
        spawn_local(sender.clone().work());
        Ok(sender)
    }

    /// Puts the room's next message in line; [`Self::flush`] sends what is in line with one write.
    pub(super) fn queue(&self, room: usize) {
        let mut unsent = self.unsent.borrow_mut();
        if unsent.len() > UNSENT_BYTES_MAX {
            self.tally.refuse("the socket takes no more");
            return;
        }
        let command = self.world.rooms.next(room);
        let now_ns = self.world.clock.now_ns();
        self.unanswered.borrow_mut().push_back((room, now_ns));
        self.world.unanswered.set(self.world.unanswered.get() + 1);
        encode::masked(&mut unsent, Opcode::Text, (now_ns as u32).to_ne_bytes(), command.as_bytes());
    }

    /// Sends what the socket takes at once; the rest follows by itself.
    pub(super) fn flush(&self) {
        match self.write() {
            Ok(true) => {}
            Ok(false) => self.blocked.notify_one(),
            Err(error) => self.tally.fail(format!("a publisher: {error:#}")),
        }
    }

    /// Puts one message in line and sends it.
    pub(super) fn send(&self, room: usize) {
        self.queue(room);
        self.flush();
    }

    /// What is acknowledged sets off the next from now on.
    pub(super) fn answers_to(&self, volley: &Rc<Volley>) {
        *self.volley.borrow_mut() = Rc::downgrade(volley);
    }

    /// Whether nothing is left to be written.
    fn write(&self) -> Result<bool> {
        let mut unsent = self.unsent.borrow_mut();
        if !unsent.is_empty() {
            let sent = self.link.try_write(&unsent)?;
            unsent.drain(..sent);
        }
        Ok(unsent.is_empty())
    }

    async fn work(self: Rc<Self>) {
        if let Err(error) = self.exchange().await
            && !self.world.over.get()
        {
            self.tally.fail(format!("a publisher: {error:#}"));
        }
    }

    async fn exchange(&self) -> Result<()> {
        let mut pongs = Vec::new();
        loop {
            let blocked = !self.write()?;
            tokio::select! {
                writable = self.link.writable(), if blocked => writable?,
                () = self.blocked.notified() => {}
                read = self.link.read(|bytes| self.take(bytes, &mut pongs)) => read?,
            }
            for pong in pongs.drain(..) {
                encode::masked(&mut self.unsent.borrow_mut(), Opcode::Pong, [0; 4], &pong);
            }
        }
    }

    fn take(&self, bytes: &[u8], pongs: &mut Vec<Vec<u8>>) -> Result<usize> {
        let now_ns = self.world.clock.now_ns();
        let mut used = 0;
        while let Some((said, length)) = frames::first(&bytes[used..])? {
            match said {
                Said::Text(text) => {
                    text.split(|byte| *byte == b'\n').for_each(|frame| self.reply(frame, now_ns));
                }
                Said::Ping(payload) => pongs.push(payload.to_vec()),
                Said::Nothing => {}
            }
            used += length;
        }
        Ok(used)
    }

    fn reply(&self, frame: &[u8], now_ns: u64) {
        if !frame.starts_with(b"{\"re\":") {
            return;
        }
        let Some((room, sent_ns)) = self.unanswered.borrow_mut().pop_front() else { return };
        self.world.unanswered.set(self.world.unanswered.get() - 1);
        if memmem::find(frame, b"\"error\":{").is_some() {
            let reply: Option<Reply> = serde_json::from_slice(frame).ok();
            let error = reply.and_then(|reply| reply.error).map(|error| error.to_string());
            self.tally.refuse(error.unwrap_or_default());
        } else {
            self.world.rooms.taken(room);
            self.answered.borrow_mut().saturating_record(now_ns.saturating_sub(sent_ns).max(1));
            let volley = self.volley.borrow().upgrade();
            if let Some(volley) = volley {
                volley.again(room);
            }
        }
    }
}

/// Where replies are measured.
pub(super) fn answered() -> Rc<RefCell<Histogram<u64>>> {
    Rc::new(RefCell::new(histogram()))
}
