//! How long a commit takes to reach its readers: `cargo bench -p wigeon-server --features bench --bench fanout`.
//!
//! All of it happens on the sequencer's thread: who hears the room, the bytes around the events, and a write to
//! each reader's wire. Readers are level, and their wires end in a count, so the kernel's part, which is most of
//! a delivery, is not in it; `wigeon bench fanout` measures the whole.

use std::cell::RefCell;
use std::fmt::{self, Write as _};

use divan::Bencher;
use divan::counter::ItemsCount;
use wigeon_server::fanout::{By, Fanout};

fn main() {
    divan::main();
}

/// What is committed at once, and to whom.
struct Case {
    events: usize,
    rooms: usize,
    readers_each: usize,
    by: By,
    /// A kilobyte, and not a line.
    long: bool,
}

impl Case {
    fn readers(&self) -> usize {
        self.rooms * self.readers_each
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { events, rooms, readers_each, by, long } = self;
        let events = if *events == 1 { "1 event".to_owned() } else { format!("{events} events") };
        let rooms = if *rooms == 1 { String::new() } else { format!(" in each of {rooms} rooms") };
        let long = if *long { " of a kilobyte" } else { "" };
        write!(f, "{by:?}, {events}{long} to {readers_each}{rooms}")
    }
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for by in [By::WebSocket, By::Sse] {
        for events in [1, 64] {
            cases.extend([100, 1_000, 10_000].map(|readers_each| Case {
                events,
                rooms: 1,
                readers_each,
                by,
                long: false,
            }));
        }
        cases.push(Case { events: 64, rooms: 64, readers_each: 2, by, long: false });
    }
    for by in [By::WebSocket, By::Deflated] {
        cases.extend([1, 100, 10_000].map(|readers_each| Case {
            events: 1,
            rooms: 1,
            readers_each,
            by,
            long: true,
        }));
    }
    cases
}

/// What most messages look like.
const LINE: &str = "could we meet tomorrow at the office about the release notes? thanks, see you there";

/// Words in no order that repeats: a kilobyte that deflates as prose does, and no better.
fn kilobyte() -> String {
    let words: Vec<&str> = LINE.split(' ').collect();
    let mut dice = 1_u64;
    let mut text = String::new();
    while text.len() < 1024 {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push_str(words[(dice >> 33) as usize % words.len()]);
        let _ = write!(text, " {} ", (dice >> 40) % 1000);
    }
    text
}

/// Items are writes: one for each reader, however many events there are.
#[divan::bench(args = cases())]
fn commit(bencher: Bencher, case: &Case) {
    let text = if case.long { kilobyte() } else { LINE.to_owned() };
    let fanout = RefCell::new(Fanout::new(case.rooms, case.readers_each, case.by, text));
    let mut commits = 0;
    bencher
        .counter(ItemsCount::new(case.readers()))
        .with_inputs(|| fanout.borrow_mut().messages(case.events))
        .bench_local_values(|events| {
            commits += 1;
            fanout.borrow_mut().commit(events);
        });
    let (writes, bytes) = fanout.borrow().written();
    assert_eq!(writes, commits * case.readers() as u64, "every reader gets every commit, in one write");
    assert!(bytes > writes * 100, "whole frames are written");
}
