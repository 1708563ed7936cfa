//! What an append costs: the log beside a plain file that is synced as often.
//!
//! Both sides get the same records from the same producers over the same kind of queue, take what has
//! gathered as one batch, sync once, and answer. So the ratio is what order, rules, idempotency and the
//! tables cost on top of a file. Then the log runs at half the rate it has just reached, and each answer is
//! timed; so is the plain file's at the same rate, since a disk has pauses of its own. Run with `cargo bench -p wigeon-store --bench append -- [seconds] [text bytes]
//! [durability]…`, where texts are 100 to 1,024 bytes and durability is `fsync` if nothing else is said.

// What a benchmark finds is what it prints.
#![allow(clippy::print_stdout)]

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};
use wigeon_core::entry::{Entry, Rights};
use wigeon_proto::command::{Body, Durable, RoomCreate, Send};
use wigeon_proto::id::{CommandId, RoomId, UserId};
use wigeon_proto::limits::{COMMIT_ENTRIES_MAX, SEQUENCER_QUEUE_MAX};
use wigeon_proto::room::{PolicyChange, RoomKind};
use wigeon_store::{Answer, Committed, Durability, Outlet, Sequencer, Store};

const PRODUCERS: u64 = 256;
const ROOMS: u64 = 1000;
/// How many of them each producer writes in: a person talks in a few places.
const ROOMS_EACH: u64 = 8;

/// Answers senders; what was committed is for nobody.
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

/// One side of the comparison: takes an entry, answers when it is durable.
trait Log: Clone + std::marker::Send + 'static {
    fn submit(&self, entry: Entry, reply: Reply);
}

impl Log for Sequencer<(), Reply> {
    fn submit(&self, entry: Entry, reply: Reply) {
        Sequencer::submit(self, entry, reply).expect("a place in line");
    }
}

/// The floor: a file, and a thread that appends to it. Senders encode, as they do for the log.
type Plain = mpsc::Sender<(Vec<u8>, Reply)>;

impl Log for Plain {
    fn submit(&self, entry: Entry, reply: Reply) {
        self.try_send((entry.to_bytes(), reply)).expect("a place in line");
    }
}

fn plain(file: &Path) -> Plain {
    let mut file = File::create(file).expect("a file");
    let (sender, mut inbox) = mpsc::channel(SEQUENCER_QUEUE_MAX);
    let append = move || {
        let (mut bytes, mut waiting) = (Vec::new(), Vec::new());
        while let Some(first) = inbox.blocking_recv() {
            let mut next: Option<(Vec<u8>, Reply)> = Some(first);
            while let Some((record, reply)) = next.take() {
                bytes.extend_from_slice(&(record.len() as u32).to_le_bytes());
                bytes.extend_from_slice(&record);
                waiting.push(reply);
                if waiting.len() < COMMIT_ENTRIES_MAX {
                    next = inbox.try_recv().ok();
                }
            }
            file.write_all(&bytes).expect("room on the disk");
            file.sync_data().expect("a disk");
            bytes.clear();
            for reply in waiting.drain(..) {
                let _ = reply.send(Ok(b"{}".to_vec()));
            }
        }
    };
    std::thread::Builder::new().name("plain".into()).spawn(append).expect("a thread");
    sender
}

/// A cheap generator: what is sent must not cost more than what is measured.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

#[derive(Clone)]
struct Load {
    actors: Arc<Vec<UserId>>,
    rooms: Arc<Vec<RoomId>>,
    text: Arc<str>,
    bytes: Option<u64>,
}

impl Load {
    fn new(bytes: Option<u64>) -> Self {
        let actor = |n| UserId::parse(&format!("user-{n}")).expect("an id");
        let room = |n| RoomId::parse(&format!("room-{n}")).expect("an id");
        Self {
            actors: Arc::new((0..PRODUCERS).map(actor).collect()),
            rooms: Arc::new((0..ROOMS).map(room).collect()),
            text: "what people say to each other ".repeat(40).into(),
            bytes,
        }
    }

    fn entry(&self, actor: u64, n: u64, dice: &mut Dice) -> Entry {
        let bytes = self.bytes.unwrap_or_else(|| 100 + dice.roll(925));
        let mut id = String::with_capacity(32);
        write!(id, "{:016x}-{actor}-{n}", dice.roll(u64::MAX)).expect("memory");
        let room = self.room(actor, dice.roll(ROOMS_EACH)).clone();
        let body = Body { text: self.text[..bytes as usize].to_owned() };
        let send = Send { room: Some(room), body: Some(body), ..Send::default() };
        self.admit(actor, &id, Durable::Send(send), Rights::User)
    }

    fn admit(&self, actor: u64, id: &str, command: Durable, rights: Rights) -> Entry {
        let (actor, id) = (self.actors[actor as usize].clone(), CommandId::parse(id).expect("an id"));
        let at = 1_764_000_000_000;
        Entry::new(actor, rights, at, id, command)
    }

    /// Where an actor writes: each room has two of them or so.
    fn room(&self, actor: u64, choice: u64) -> &RoomId {
        &self.rooms[((actor * ROOMS_EACH / 2 + choice) % ROOMS) as usize]
    }

    /// The rooms, with those who write in them.
    fn prepare(&self, runtime: &Runtime, log: &Sequencer<(), Reply>) {
        for (n, room) in self.rooms.iter().enumerate() {
            let writes = |actor: &u64| (0..ROOMS_EACH).any(|choice| self.room(*actor, choice) == room);
            let members = (0..PRODUCERS).filter(writes).map(|actor| self.actors[actor as usize].clone());
            let create = RoomCreate {
                room: Some(room.clone()),
                kind: RoomKind::Group,
                title: "Bench".into(),
                members: members.collect(),
                policy: PolicyChange::default(),
            };
            let (reply, answer) = oneshot::channel();
            log.submit(
                self.admit(0, &format!("create-{n}"), Durable::RoomCreate(create), Rights::Service),
                reply,
            )
            .expect("a place in line");
            runtime.block_on(answer).expect("an answer").expect("a room");
        }
    }
}

/// Nanoseconds of processor time of this process's threads, all and those of a name.
fn cpu(name: &str) -> (u64, u64) {
    let (mut all, mut named) = (0, 0);
    for task in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let read = |file: &str| std::fs::read_to_string(task.path().join(file)).unwrap_or_default();
        let spent =
            read("schedstat").split(' ').next().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        all += spent;
        if read("comm").trim() == name {
            named += spent;
        }
    }
    (all, named)
}

/// As many appends as go, for a while. Returns how many a second.
fn saturate(runtime: &Runtime, load: &Load, log: &impl Log, time: Duration, thread: &str) -> f64 {
    let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let tasks: Vec<_> = (0..PRODUCERS)
        .map(|actor| {
            let (load, log, stop, count) = (load.clone(), log.clone(), stop.clone(), count.clone());
            let mut dice = Dice(0x9e37_79b9 + actor * 7919);
            runtime.spawn(async move {
                let mut n = 0;
                while !stop.load(Ordering::Relaxed) {
                    let (reply, answer) = oneshot::channel();
                    log.submit(load.entry(actor, n, &mut dice), reply);
                    answer.await.expect("an answer").expect("an append");
                    count.fetch_add(1, Ordering::Relaxed);
                    n += 1;
                }
            })
        })
        .collect();
    let (began, before) = (Instant::now(), cpu(thread));
    std::thread::sleep(time);
    let (took, after, count) = (began.elapsed(), cpu(thread), count.load(Ordering::Relaxed));
    stop.store(true, Ordering::Relaxed);
    for task in tasks {
        runtime.block_on(task).expect("no panic");
    }
    let each = |nanos: u64| nanos as f64 / 1000.0 / count as f64;
    let rate = count as f64 / took.as_secs_f64();
    println!(
        "{thread:>10}: {rate:>8.0} appends/s, CPU a append {:.2} us, of which its thread {:.2} us",
        each(after.0 - before.0),
        each(after.1 - before.1)
    );
    rate
}

/// Appends at a rate, each producer at its own moments; prints how long answers took.
fn pace(runtime: &Runtime, load: &Load, log: &impl Log, time: Duration, rate: f64, name: &str) {
    let period = Duration::from_secs_f64(PRODUCERS as f64 / rate);
    let tasks: Vec<_> = (0..PRODUCERS)
        .map(|actor| {
            let (load, log) = (load.clone(), log.clone());
            let mut dice = Dice(0x51_7cc1 + actor * 104_729);
            runtime.spawn(async move {
                let start = tokio::time::Instant::now() + period.mul_f64(actor as f64 / PRODUCERS as f64);
                let mut ticks = tokio::time::interval_at(start, period);
                let (began, mut n, mut took) = (Instant::now(), 0, Vec::new());
                let mut free = tokio::time::Instant::now();
                while began.elapsed() < time {
                    let due = ticks.tick().await;
                    // A producer that was held up by its last answer has been waiting since its moment.
                    let since = if free > due { due } else { tokio::time::Instant::now() };
                    let (reply, answer) = oneshot::channel();
                    log.submit(load.entry(actor, 1_000_000_000 + n, &mut dice), reply);
                    answer.await.expect("an answer").expect("an append");
                    free = tokio::time::Instant::now();
                    took.push(free - since);
                    n += 1;
                }
                took
            })
        })
        .collect();
    let mut took: Vec<_> =
        tasks.into_iter().flat_map(|task| runtime.block_on(task).expect("no panic")).collect();
    took.sort_unstable();
    let at = |part: f64| took[((took.len() - 1) as f64 * part) as usize].as_secs_f64() * 1000.0;
    println!(
        "{name:>10} at {rate:.0}/s: {} answers, p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms, max {:.2} ms",
        took.len(),
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0)
    );
}

fn main() {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let time = Duration::from_secs(numbers.first().copied().unwrap_or(5));
    let load = Load::new(numbers.get(1).copied());
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().expect("threads");
    let directory = tempfile::tempdir().expect("a directory");
    let floor = plain(&directory.path().join("plain"));
    let plain_rate = saturate(&runtime, &load, &floor, time, "plain");
    let named: Vec<_> = std::env::args().filter_map(|argument| Durability::parse(&argument)).collect();
    for durability in if named.is_empty() { vec![Durability::Fsync] } else { named } {
        let store = Store::open(&directory.path().join(durability.as_str()), durability, 7).expect("a store");
        let (log, thread) = Sequencer::start(store.writer, Nobody, ());
        load.prepare(&runtime, &log);
        println!("{}:", durability.as_str());
        let rate = saturate(&runtime, &load, &log, time, "sequencer");
        println!("ratio to the plain file: {:.3}", rate / plain_rate);
        // What saturation has left behind is not of the half rate: a read waits until it is folded.
        runtime.block_on(store.readers.read(|view| Ok(view.position))).expect("a read");
        pace(&runtime, &load, &log, time, rate / 2.0, "sequencer");
        runtime.block_on(log.close());
        thread.join().expect("no panic").expect("no fault");
        pace(&runtime, &load, &floor, time, rate / 2.0, "plain");
    }
}
