//! How long a search takes, and what its index costs.
//!
//! Two million messages in 20,000 rooms, half in English and half in Chinese, words and rooms by Zipf's law; one
//! in a hundred is edited later, one in five hundred recalled. Each kind of question is asked a few hundred times,
//! as a server asks. Run with `cargo bench -p wigeon-store --bench search -- [messages] [directory]`; a
//! directory that has been filled before is used as it is.

// What a benchmark finds is what it prints.
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::time::{Duration, Instant};

use wigeon_core::entry::{Entry, Rights};
use wigeon_proto::command::{Body, Durable, Edit, RoomCreate, Search, Send, Target, When};
use wigeon_proto::id::{CommandId, RoomId, UserId};
use wigeon_proto::room::{PolicyChange, RoomKind};
use wigeon_store::read::Asker;
use wigeon_store::{Durability, Store};

const ROOMS: usize = 20_000;
const WORDS: usize = 60_000;
const HANZI: usize = 3_000;
const SENDERS: u64 = 5_000;
/// When the first message was sent; each follows half a second after the one before.
const BEGINNING: u64 = 1_700_000_000_000;
/// Entries of one commit while the log is filled.
const BATCH: u64 = 1024;
/// Questions of each kind.
const QUESTIONS: u64 = 300;

/// A cheap generator, so that what is measured is not the measuring.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }

    /// A rank by Zipf's law, 0 being the most frequent.
    fn zipf(&mut self, ranks: usize) -> usize {
        let unit = self.roll(1 << 32) as f64 / (1_u64 << 32) as f64;
        ((ranks as f64 + 1.0).powf(unit) - 1.0) as usize
    }
}

/// A word of a rank: the frequent ones are short.
fn word(rank: usize) -> String {
    const SOUNDS: [&str; 20] = [
        "da", "te", "ri", "no", "su", "ka", "me", "li", "po", "wa", "fen", "gor", "bil", "tas", "ven", "mor",
        "duk", "pim", "zal", "hex",
    ];
    let mut rest = rank + 1;
    let mut word = String::new();
    while rest > 0 {
        word.push_str(SOUNDS[rest % SOUNDS.len()]);
        rest /= SOUNDS.len();
    }
    word
}

fn hanzi(rank: usize) -> char {
    char::from_u32(0x4e00 + rank as u32 * 6).expect("an ideograph")
}

fn text(dice: &mut Dice) -> String {
    if dice.roll(2) == 0 {
        let count = 3 + dice.roll(18);
        (0..count).map(|_| word(dice.zipf(WORDS))).collect::<Vec<_>>().join(" ")
    } else {
        let count = 4 + dice.roll(27);
        (0..count).map(|_| hanzi(dice.zipf(HANZI))).collect()
    }
}

fn room(n: usize) -> RoomId {
    RoomId::parse(&format!("r{n}")).expect("an id")
}

fn user(name: &str) -> UserId {
    UserId::parse(name).expect("an id")
}

/// Ann is in every hundredth room, bob in three quiet ones.
fn members(n: usize) -> Vec<UserId> {
    let mut members = Vec::new();
    if n % (ROOMS / 200) == 7 {
        members.push(user("ann"));
    }
    if [9_001, 15_002, 19_003].contains(&n) {
        members.push(user("bob"));
    }
    members
}

struct Filling {
    store: Store,
    ids: u64,
    at: u64,
}

impl Filling {
    fn submit(&mut self, actor: &str, command: Durable) -> Option<u64> {
        self.ids += 1;
        let id = CommandId::parse(&format!("c{}", self.ids)).expect("an id");
        let (actor, at) = (user(actor), self.at + self.ids * 500);
        let rights = Rights::Service;
        let entry = Entry::new(actor, rights, at, id, command);
        let answer = self.store.writer.step(&entry.into()).expect("a disk");
        if self.ids.is_multiple_of(BATCH) {
            self.store.writer.commit().expect("a disk");
        }
        let reply: serde_json::Value = serde_json::from_slice(&answer.ok()?).expect("JSON");
        reply["seq"].as_u64()
    }
}

fn fill(store: Store, messages: u64) -> Store {
    let mut dice = Dice(0x5eed_1e55);
    let mut filling = Filling { store, ids: 0, at: BEGINNING };
    for n in 0..ROOMS {
        let create = RoomCreate {
            room: Some(room(n)),
            kind: RoomKind::Group,
            title: "Room".into(),
            members: members(n),
            policy: PolicyChange::default(),
        };
        filling.submit("host", Durable::RoomCreate(create));
    }
    let mut sent = Vec::new();
    for i in 0..messages {
        let (n, from) = (dice.zipf(ROOMS), dice.roll(SENDERS));
        let (place, sender) = (room(n), format!("u{from}"));
        let body = Body { text: text(&mut dice) };
        let send = Send { room: Some(place), body: Some(body), ..Send::default() };
        let Some(seq) = filling.submit(&sender, Durable::Send(send)) else { panic!("refused") };
        sent.push((n as u32, seq as u32, from as u32));
        let (n, seq, from) = sent[dice.roll(i + 1) as usize];
        let (place, seq) = (room(n as usize), u64::from(seq));
        if i % 100 == 0 {
            let body = Body { text: text(&mut dice) };
            let edit = Edit { room: place, seq, body, version: None };
            filling.submit(&format!("u{from}"), Durable::Edit(edit));
        } else if i % 500 == 1 {
            filling.submit("host", Durable::Recall(Target { room: place, seq }));
        }
    }
    filling.store.writer.commit().expect("a disk");
    filling.store
}

/// Seconds of processor the thread of a name has had.
fn processor(name: &str) -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let ticks = tasks.filter_map(|task| {
        let stat = std::fs::read_to_string(task.path().join("stat")).ok()?;
        let rest = stat.split_once(&format!("({name}) "))?.1;
        let field = |i: usize| rest.split(' ').nth(i)?.parse::<f64>().ok();
        Some(field(11)? + field(12)?)
    });
    ticks.sum::<f64>() / 100.0
}

fn size(directory: &Path, name: &str) -> f64 {
    std::fs::metadata(directory.join(name)).map_or(0.0, |file| file.len() as f64 / 1e6)
}

/// A kind of question: its name, who asks, in which room, and what.
type Kind = (&'static str, &'static str, Option<usize>, Box<dyn Fn(&mut Dice) -> String>);

fn kinds() -> Vec<Kind> {
    let words =
        |from: usize, to: usize| move |dice: &mut Dice| word(from + dice.roll((to - from) as u64) as usize);
    let pair = |from: usize, to: usize| {
        move |dice: &mut Dice| {
            (0..2).map(|_| hanzi(from + dice.roll((to - from) as u64) as usize)).collect::<String>()
        }
    };
    vec![
        ("common word, 200 rooms", "ann", None, Box::new(words(0, 20))),
        ("usual word, 200 rooms", "ann", None, Box::new(words(300, 2_000))),
        ("rare word, 200 rooms", "ann", None, Box::new(words(30_000, WORDS))),
        ("word that is nowhere, 200 rooms", "ann", None, Box::new(|_| "nowhere".into())),
        (
            "two common words, 200 rooms",
            "ann",
            None,
            Box::new(move |d| format!("{} {}", words(0, 30)(d), words(0, 30)(d))),
        ),
        (
            "phrase of common words, 200 rooms",
            "ann",
            None,
            Box::new(move |d| format!("\"{} {}\"", words(0, 10)(d), words(0, 10)(d))),
        ),
        ("common 字, 200 rooms", "ann", None, Box::new(|d| hanzi(d.roll(20) as usize).to_string())),
        ("rare 字, 200 rooms", "ann", None, Box::new(|d| hanzi(2_000 + d.roll(1_000) as usize).to_string())),
        ("common 文字, 200 rooms", "ann", None, Box::new(pair(0, 20))),
        ("usual 文字, 200 rooms", "ann", None, Box::new(pair(100, 500))),
        ("common word, 3 quiet rooms", "bob", None, Box::new(words(0, 20))),
        ("rare word, 3 quiet rooms", "bob", None, Box::new(words(30_000, WORDS))),
        ("common word, one busy room", "host", Some(0), Box::new(words(0, 20))),
        ("rare word, one busy room", "host", Some(0), Box::new(words(30_000, WORDS))),
        ("common word, one quiet room", "host", Some(15_002), Box::new(words(0, 20))),
        (
            "phrase of common words, one busy room",
            "host",
            Some(0),
            Box::new(move |d| format!("\"{} {}\"", words(0, 10)(d), words(0, 10)(d))),
        ),
        ("common word of one sender, 200 rooms", "ann", None, Box::new(words(0, 20))),
        ("common word of one hour, 200 rooms", "ann", None, Box::new(words(0, 20))),
        ("common word, every room", "host", None, Box::new(words(0, 20))),
        ("rare word, every room", "host", None, Box::new(words(30_000, WORDS))),
    ]
}

/// Who or when, for the kinds that say so: any sender, and an hour out of the first ninety.
fn narrowed(name: &str, query: Search, dice: &mut Dice) -> Search {
    const HOUR_MS: u64 = 3_600_000;
    if name.contains("one sender") {
        return Search { from: Some(user(&format!("u{}", dice.roll(SENDERS)))), ..query };
    }
    if name.contains("one hour") {
        let at = BEGINNING + dice.roll(90) * HOUR_MS;
        return Search { after: Some(When::At(at)), before: Some(When::At(at + HOUR_MS)), ..query };
    }
    query
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let messages: u64 = arguments.first().map_or(2_000_000, |text| text.parse().expect("a number"));
    let own = tempfile::tempdir().expect("a directory");
    let directory = arguments.get(1).map_or(own.path(), Path::new);
    let mut store = Store::open(directory, Durability::Os, 1).expect("a store");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().expect("threads");
    let begun = Instant::now();
    if store.writer.position() == 0 {
        store = fill(store, messages);
        println!("filled with {messages} messages in {:.0} s", begun.elapsed().as_secs_f64());
    }
    let whole = store.writer.position().saturating_sub(2_000);
    assert!(runtime.block_on(store.readers.index_reaches(whole)), "it is indexed");
    println!(
        "indexed after {:.0} s, {:.1} µs of processor a message; tables {:.0} MB, index {:.0} MB",
        begun.elapsed().as_secs_f64(),
        processor("index") * 1e6 / messages as f64,
        size(directory, "wigeon.db") + size(directory, "wigeon.db-wal"),
        size(directory, "search.db") + size(directory, "search.db-wal"),
    );
    println!("{:44} {:>8} {:>8} {:>8} {:>7} {:>6}", "", "p50 ms", "p99 ms", "max ms", "hits", "more");
    let mut dice = Dice(77);
    for (name, who, place, ask) in kinds() {
        let mut times: Vec<Duration> = Vec::new();
        let (mut hits, mut more) = (0, 0);
        for _ in 0..QUESTIONS {
            let q = ask(&mut dice);
            let asker = Asker { user: user(who), service: who == "host" };
            let (room, limit) = (place.map(room), Some(20));
            let query = Search { q, room, from: None, before: None, after: None, limit };
            let query = narrowed(name, query, &mut dice);
            let begun = Instant::now();
            let found = runtime.block_on(store.readers.read(move |view| view.search(&asker, &query)));
            times.push(begun.elapsed());
            let found = found.expect("an answer");
            hits += found.hits.len();
            more += u32::from(found.more);
        }
        times.sort_unstable();
        let ms = |rank: usize| times[rank].as_secs_f64() * 1e3;
        let count = times.len();
        println!(
            "{name:44} {:8.2} {:8.2} {:8.2} {:7.1} {:5.0}%",
            ms(count / 2),
            ms(count * 99 / 100),
            ms(count - 1),
            hits as f64 / count as f64,
            f64::from(more) * 100.0 / count as f64
        );
    }
    store.writer.close().expect("a disk");
}
