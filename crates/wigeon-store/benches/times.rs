//! How long a page of the log takes: `cargo bench -p wigeon-store --bench times`.
//!
//! One user's rooms hold the same number of messages in turn, so that a page is merged from as many rooms as it
//! can be. Asked as a feed asks: over the pool, with the hand-over to its thread.

use std::fmt;

use divan::Bencher;
use divan::counter::ItemsCount;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use wigeon_core::entry::{Entry, Rights};
use wigeon_proto::command::{Body, Durable, RoomCreate, Send};
use wigeon_proto::id::{CommandId, RoomId, UserId};
use wigeon_proto::limits::{PAGE_BYTES_MAX, PAGE_FRAMES_MAX};
use wigeon_proto::room::{PolicyChange, RoomKind};
use wigeon_store::read::{Page, PageRequest, Pool};
use wigeon_store::{Answer, Committed, Durability, Outlet, Sequencer, Store};

const MESSAGES: usize = 10_000;

/// What most messages look like.
const TEXT: &str = "could we meet tomorrow at the office about the release notes? thanks, see you there";

fn main() {
    divan::main();
}

/// Answers who appends; what was committed is for nobody.
struct Nobody;

type Reply = oneshot::Sender<Answer>;

impl Outlet for Nobody {
    type Feed = ();
    type Reply = Reply;

    fn answer(&mut self, reply: Reply, answer: Answer) {
        let _ = reply.send(answer);
    }

    fn commit(&mut self, _: Vec<Committed>, _: u64) {}

    fn attach(&mut self, (): (), _: Vec<RoomId>, _: u64) {}
}

/// A reader's rooms, and how many messages have come since their cursor.
struct Case {
    rooms: usize,
    behind: usize,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} behind in {} rooms", self.behind, self.rooms)
    }
}

fn cases() -> Vec<Case> {
    let rooms = [10, 100, 1_000];
    let behind = [1, 20, MESSAGES];
    behind.into_iter().flat_map(|behind| rooms.map(|rooms| Case { rooms, behind })).collect()
}

fn entry(n: usize, rights: Rights, command: Durable) -> Entry {
    let (actor, id) = (ann(), CommandId::parse(&format!("c{n}")).expect("an id"));
    let at = 1_764_000_000_000;
    Entry::new(actor, rights, at, id, command)
}

fn ann() -> UserId {
    UserId::parse("ann").expect("a user")
}

fn room(n: usize) -> Option<RoomId> {
    RoomId::parse(&format!("room-{n}")).ok()
}

/// The rooms, and after them the messages.
fn entries(rooms: usize) -> impl Iterator<Item = Entry> {
    let create = |n| {
        let (kind, title) = (RoomKind::Group, "Bench".to_owned());
        let (members, policy) = (vec![ann()], PolicyChange::default());
        let create = RoomCreate { room: room(n), kind, title, members, policy };
        entry(n, Rights::Service, Durable::RoomCreate(create))
    };
    let send = move |n| {
        let body = Some(Body { text: TEXT.to_owned() });
        let send = Send { room: room(n % rooms), body, ..Send::default() };
        entry(rooms + n, Rights::Service, Durable::Send(send))
    };
    (0..rooms).map(create).chain((0..MESSAGES).map(send))
}

fn page(runtime: &Runtime, pool: &Pool, request: &PageRequest) -> Page {
    let request = request.clone();
    runtime.block_on(pool.read(move |view| view.page(&request))).expect("a page")
}

/// Items are the page's frames.
#[divan::bench(args = cases())]
fn merge(bencher: Bencher, case: &Case) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let directory = tempfile::tempdir().expect("a directory");
    let store = Store::open(directory.path(), Durability::Memory, 7).expect("a store");
    let (log, thread) = Sequencer::start(store.writer, Nobody, ());
    for entry in entries(case.rooms) {
        let (reply, answer) = oneshot::channel();
        log.submit(entry, reply).expect("a place in line");
        runtime.block_on(answer).expect("an answer").expect("an append");
    }
    let mut request = PageRequest {
        user: ann(),
        watch: Vec::new(),
        after: u64::MAX,
        frames_max: PAGE_FRAMES_MAX,
        bytes_max: PAGE_BYTES_MAX,
        max_per_room: None,
    };
    let end = runtime.block_on(store.readers.read(|view| Ok(view.position))).expect("a position");
    request.after = end - case.behind as u64;
    let frames = page(&runtime, &store.readers, &request).records.len();
    assert_eq!(frames, case.behind.min(PAGE_FRAMES_MAX), "the page holds what the reader has missed");
    bencher.counter(ItemsCount::new(frames)).bench_local(|| page(&runtime, &store.readers, &request));
    runtime.block_on(log.close());
    thread.join().expect("no panic").expect("no fault");
}
