//! How long a commit takes to reach its readers: `cargo bench -p wigeon-server --features bench --bench fanout`.
//!
//! All of it happens on the sequencer's thread: who hears the room, the bytes around the events, and a write to
//! each reader's wire. Readers are level, and their wires end in a count, so the kernel's part, which is most of
//! a delivery, is not in it; `wigeon bench fanout` measures the whole.

use std::cell::RefCell;
use std::fmt;

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
}

impl Case {
    fn readers(&self) -> usize {
        self.rooms * self.readers_each
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { events, rooms, readers_each, by } = self;
        let events = if *events == 1 { "1 event".to_owned() } else { format!("{events} events") };
        let rooms = if *rooms == 1 { String::new() } else { format!(" in each of {rooms} rooms") };
        write!(f, "{by:?}, {events} to {readers_each}{rooms}")
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
            }));
        }
        cases.push(Case { events: 64, rooms: 64, readers_each: 2, by });
    }
    cases
}

/// Items are writes: one for each reader, however many events there are.
#[divan::bench(args = cases())]
fn commit(bencher: Bencher, case: &Case) {
    let fanout = RefCell::new(Fanout::new(case.rooms, case.readers_each, case.by));
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
