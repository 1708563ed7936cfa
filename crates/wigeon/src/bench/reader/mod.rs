//! One reader: connects, keeps count of every message, and tells the tally.
//!
//! A task and a few hundred bytes each, so that ten thousand of them are no load themselves.

mod longpoll;
mod stream;
mod websocket;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use anyhow::{Result, bail};
use memchr::memmem;
use tokio::sync::watch;
use tokio::task::spawn_local;

use super::account::{Account, Seen};
use super::arguments::Read;
use super::host::Door;
use super::link::Dial;
use super::message::marks;
use super::tally::{Tally, count};
use super::volley::Volley;
use super::world::World;

/// What a reader is to do.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) transport: Read,
    /// Which connection of the run it is.
    pub(super) number: usize,
    /// At which node, where that is not the first.
    pub(super) at: Option<Door>,
    pub(super) rooms: Vec<usize>,
    /// The member who reads: all rooms of theirs, as the chat page does. Without one the rooms are watched.
    pub(super) member: Option<String>,
    /// The `seq` of the first message to come in each room.
    pub(super) first: u32,
    /// Where to go on; from now on without it.
    pub(super) after: Option<String>,
    pub(super) tally: Rc<Tally>,
    /// Who is told of each delivery.
    pub(super) volley: Option<Rc<Volley>>,
    /// Goes to `true` while nothing is to be read.
    pub(super) stall: Option<watch::Receiver<bool>>,
    /// Bytes of the receive buffer, where the system's own would hide a stall.
    pub(super) receive_buffer: Option<u32>,
}

impl Reading {
    /// One reader from now on of rooms whose first message is out.
    pub(super) fn new(transport: Read, number: usize, rooms: Vec<usize>, tally: &Rc<Tally>) -> Self {
        Self {
            transport,
            number,
            at: None,
            rooms,
            member: None,
            first: 2,
            after: None,
            tally: tally.clone(),
            volley: None,
            stall: None,
            receive_buffer: None,
        }
    }
}

#[derive(Debug)]
pub(super) struct Reader {
    world: Rc<World>,
    reading: Reading,
    account: RefCell<Account>,
    ready: Cell<bool>,
    level_ns: Cell<Option<u64>>,
}

impl Reader {
    /// Starts to connect.
    pub(super) fn start(world: &Rc<World>, reading: Reading) -> Rc<Self> {
        let account = RefCell::new(Account::new(&reading.rooms, reading.first));
        let reader = Rc::new(Self {
            world: world.clone(),
            reading,
            account,
            ready: Cell::default(),
            level_ns: Cell::default(),
        });
        spawn_local(reader.clone().work());
        reader
    }

    /// Level is from now on when all is here that was sent so far.
    pub(super) fn aim(&self) {
        let mut account = self.account.borrow_mut();
        account.aim(|room| self.world.rooms.last(room));
        self.level_ns.set(account.is_level().then(|| self.world.clock.now_ns()));
    }

    /// When it was level.
    pub(super) fn level_ns(&self) -> Option<u64> {
        self.level_ns.get()
    }

    /// How many messages should have come so far.
    pub(super) fn expected(&self) -> u64 {
        self.account.borrow().expected(|room| self.world.rooms.last(room))
    }

    /// At the end: what has not come is lost.
    pub(super) fn close_account(&self) {
        let missing = self.account.borrow().missing(|room| self.world.rooms.last(room));
        count(&self.reading.tally.lost, missing);
    }

    async fn work(self: Rc<Self>) {
        let outcome = match self.reading.transport {
            Read::Websocket => websocket::read(&self).await,
            Read::Sse => stream::read(&self).await,
            Read::Longpoll => longpoll::read(&self).await,
        };
        if let Err(error) = outcome
            && !self.world.over.get()
        {
            self.reading.tally.fail(format!("a reader: {error:#}"));
        }
    }

    fn dial(&self) -> Dial {
        let Reading { number, receive_buffer, .. } = self.reading;
        Dial { to: self.door().address, number, receive_buffer }
    }

    /// Where it reads.
    fn door(&self) -> &Door {
        self.reading.at.as_ref().unwrap_or(self.world.host.door())
    }

    fn token(&self) -> Result<String> {
        self.world.host.token(&format!("bench-reader-{}", self.reading.number))
    }

    /// The address of what it reads.
    fn query(&self, after: Option<&str>) -> String {
        let rooms: Vec<_> = self.reading.rooms.iter().map(|room| self.world.rooms.name(*room)).collect();
        let what = match &self.reading.member {
            Some(user) => format!("as={user}&unread=1"),
            None => format!("rooms={}", rooms.join(",")),
        };
        let transport = self.reading.transport.as_str();
        let after = after.map(|cursor| format!("&after={cursor}")).unwrap_or_default();
        format!("?transport={transport}&{what}{after}")
    }

    /// Takes whole frames, whatever is between them.
    fn take(&self, bytes: &[u8]) -> Result<()> {
        if !self.ready.get() {
            if memmem::find(bytes, br#""type":"error""#).is_some() {
                bail!("{}", String::from_utf8_lossy(bytes));
            }
            if memmem::find(bytes, br#""type":"ready""#).is_some() {
                self.is_ready();
            }
        }
        let now_ns = self.world.clock.now_ns();
        let tally = &self.reading.tally;
        if self.reading.member.is_some() {
            count(&tally.frames, memmem::find_iter(bytes, br#"{"type":""#).count() as u64);
        }
        for mark in marks(bytes) {
            let seen = self.account.borrow_mut().see(&mark);
            match seen {
                Seen::Next => {}
                Seen::After(missing) => count(&tally.lost, u64::from(missing)),
                Seen::Again => {
                    count(&tally.doubled, 1);
                    continue;
                }
                Seen::Wrong => {
                    tally.fail(format!("a message that belongs elsewhere: {mark:?}"));
                    continue;
                }
            }
            tally.deliver(mark.sent_ns, now_ns);
            if let Some(volley) = &self.reading.volley {
                volley.again(mark.room);
            }
        }
        if self.level_ns.get().is_none() && self.account.borrow().is_level() {
            self.level_ns.set(Some(now_ns));
        }
        Ok(())
    }

    fn is_ready(&self) {
        if !self.ready.replace(true) {
            self.reading.tally.ready.set(self.reading.tally.ready.get() + 1);
        }
    }

    /// Waits while it is told to stall.
    async fn unless_stalled(&self) {
        if let Some(stall) = &self.reading.stall
            && *stall.borrow()
        {
            // An error means that the run is over.
            let _ = stall.clone().wait_for(|stalled| !*stalled).await;
        }
    }
}
