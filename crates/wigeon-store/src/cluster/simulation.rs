//! A cluster without machines: nodes, their ways and their clients as a scheduler with a seed has them act, over a
//! stream in memory and a store in memory.
//!
//! Real are the rules, the walk along the stream and the outbox. Everything between them may be lost, late, doubled
//! and out of order; nodes are cut off, and die with what they have not written. In the end everything acknowledged is
//! there once, in its sender's order, and all nodes hold the same. `WIGEON_SEED=<number>` repeats one run.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc;
use wigeon_core::entry::Entry;
use wigeon_core::memory::Memory;
use wigeon_core::outcome::Outcome;
use wigeon_proto::cursor::{Cursor, Epoch};
use wigeon_proto::json;

use super::walk::Walk;
use crate::outbox::{Outbox, Outgoing};

const SEEDS: u64 = 300;
const STEPS: usize = 3000;
const NODES: usize = 3;
const CLIENTS: usize = 4;
/// More than it takes when nothing goes wrong any more.
const LAST_STEPS: usize = 200_000;

/// Chance that can be repeated.
struct Dice(u64);

impl Dice {
    /// A number below `sides`.
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % sides as u64).expect("it is below")
    }

    fn one_in(&mut self, sides: usize) -> bool {
        self.roll(sides) == 0
    }
}

/// Which client waits for which of its commands.
type Waits = (usize, usize);
/// Node, run of it, number in its outbox.
type Origin = (usize, u64, u64);

struct Node {
    run: u64,
    store: Memory,
    /// What a crash leaves, and the position of it.
    written: (Memory, u64),
    walk: Walk,
    outbox: Outbox<Waits>,
    outgoing: mpsc::Receiver<Outgoing>,
    is_reachable: Arc<AtomicBool>,
    consumer: Option<Consumer>,
}

/// What a consumer has sent, and what of it is on the way: number and position.
struct Consumer {
    first: u64,
    sent: u64,
    way: VecDeque<(u64, u64)>,
}

impl Node {
    fn start(run: u64, written: (Memory, u64)) -> Self {
        let is_reachable = Arc::new(AtomicBool::new(true));
        let there = is_reachable.clone();
        let (outbox, outgoing) = Outbox::new(move || there.load(Ordering::Relaxed));
        let (store, walk) = (written.0.clone(), Walk::new(written.1 + 1));
        Self { run, store, written, walk, outbox, outgoing, is_reachable, consumer: None }
    }

    fn is_cut_off(&self) -> bool {
        !self.is_reachable.load(Ordering::Relaxed)
    }
}

#[derive(Default)]
struct Client {
    /// The command that is under way; the next one comes after its answer.
    command: usize,
    is_waiting: bool,
    answers: Vec<Vec<u8>>,
}

struct World {
    dice: Dice,
    stream: Vec<(Origin, Entry)>,
    nodes: Vec<Node>,
    clients: Vec<Client>,
    /// Nobody dies, is cut off or begins anything any more.
    is_calm: bool,
}

fn epoch() -> Epoch {
    Epoch::new(7)
}

fn entry(client: usize, command: usize) -> Entry {
    let text = format!(
        r#"{{"v":1,"actor":"backend","rights":"service","at":1,"id":"c{client}-{command}",
            "command":{{"type":"send","room":"storm","body":{{"text":"{client} {command}"}}}}}}"#
    );
    Entry::from_bytes(text.as_bytes()).expect("an entry")
}

fn step(store: &mut Memory, position: u64, entry: &Entry) -> Vec<u8> {
    match store.step(Cursor { epoch: epoch(), position }, entry) {
        Outcome::Applied(applied) => json::to_vec(&applied.reply),
        Outcome::Repeated(reply) => reply,
        Outcome::Rejected(error) => panic!("{error:?}"),
    }
}

impl World {
    fn new(seed: u64) -> Self {
        let nodes = (0..NODES).map(|_| Node::start(0, (Memory::default(), 0))).collect();
        let clients = (0..CLIENTS).map(|_| Client::default()).collect();
        Self { dice: Dice(seed), stream: Vec::new(), nodes, clients, is_calm: false }
    }

    fn act(&mut self) {
        let n = self.dice.roll(NODES);
        match self.dice.roll(40) {
            0..6 => self.ask(n),
            6..14 => self.publish(n),
            14..24 => self.send(n),
            24..34 => self.receive(n),
            34..36 => self.look(n),
            36..38 => self.nodes[n].written = (self.nodes[n].store.clone(), self.nodes[n].walk.next() - 1),
            38 if !self.is_calm && self.dice.one_in(8) => {
                let cut = self.nodes[n].is_cut_off();
                self.nodes[n].is_reachable.store(cut, Ordering::Relaxed);
            }
            39 if !self.is_calm && self.dice.one_in(12) => self.crash(n),
            _ => {}
        }
    }

    /// A client asks a node, for the first time or again.
    fn ask(&mut self, n: usize) {
        let c = self.dice.roll(CLIENTS);
        let client = &mut self.clients[c];
        if client.is_waiting && !self.dice.one_in(4) || self.is_calm && !client.is_waiting {
            return;
        }
        client.is_waiting = true;
        // Who is refused asks another time.
        let _ = self.nodes[n].outbox.submit(entry(c, client.command).to_bytes(), (c, client.command));
    }

    fn publish(&mut self, n: usize) {
        let node = &mut self.nodes[n];
        let Ok(Outgoing { number, bytes }) = node.outgoing.try_recv() else { return };
        let arrives = !node.is_cut_off() && (self.is_calm || !self.dice.one_in(10));
        if arrives {
            let entry = Entry::from_bytes(&bytes).expect("an entry");
            self.stream.push(((n, node.run, number), entry));
        }
        // Its confirmation may be lost although it has arrived.
        if !arrives || !self.is_calm && self.dice.one_in(10) {
            node.outbox.take(number);
        }
    }

    fn send(&mut self, n: usize) {
        let node = &mut self.nodes[n];
        if node.is_cut_off() {
            return;
        }
        let Some(consumer) = &mut node.consumer else {
            node.walk.begin();
            node.consumer = Some(Consumer { first: node.walk.next(), sent: 0, way: VecDeque::new() });
            return;
        };
        let position = consumer.first + consumer.sent;
        if position > self.stream.len() as u64 {
            return;
        }
        consumer.sent += 1;
        let message = (consumer.sent, position);
        // To the end: the very last message may be lost, too.
        match self.dice.roll(60) {
            57 => {}
            58 => consumer.way.extend([message, message]),
            59 => consumer.way.push_front(message),
            _ => consumer.way.push_back(message),
        }
    }

    fn receive(&mut self, n: usize) {
        let node = &mut self.nodes[n];
        let Some((number, position)) = node.consumer.as_mut().and_then(|consumer| consumer.way.pop_front())
        else {
            return;
        };
        if node.walk.message(number, position).is_err() {
            node.consumer = None;
            return;
        }
        let index = usize::try_from(position - 1).expect("a short stream");
        let ((origin, run, number), entry) = &self.stream[index];
        let reply = step(&mut node.store, position, entry);
        if (*origin, *run) != (n, node.run) {
            return;
        }
        if let Some((c, command)) = node.outbox.take(*number) {
            let client = &mut self.clients[c];
            // An answer to an earlier attempt at the same is as good; one to what was answered before is not new.
            if client.command == command && client.is_waiting {
                client.answers.push(reply);
                (client.command, client.is_waiting) = (command + 1, false);
            }
        }
    }

    /// With nothing on the way, the consumer says how many it has sent.
    fn look(&mut self, n: usize) {
        let node = &mut self.nodes[n];
        let is_wrong =
            |consumer: &Consumer| consumer.way.is_empty() && node.walk.heartbeat(consumer.sent).is_err();
        if !node.is_cut_off() && node.consumer.as_ref().is_some_and(is_wrong) {
            node.consumer = None;
        }
    }

    fn crash(&mut self, n: usize) {
        let Node { run, written, .. } = &self.nodes[n];
        self.nodes[n] = Node::start(run + 1, written.clone());
    }

    /// Lets everything come to its end.
    fn settle(&mut self) {
        self.is_calm = true;
        for node in &self.nodes {
            node.is_reachable.store(true, Ordering::Relaxed);
        }
        for _ in 0..LAST_STEPS {
            let end = self.stream.len() as u64;
            let are_level = self.nodes.iter().all(|node| node.walk.next() == end + 1);
            let is_quiet = self.nodes.iter().all(|node| node.outgoing.is_empty());
            if are_level && is_quiet && self.clients.iter().all(|client| !client.is_waiting) {
                return;
            }
            self.act();
        }
        panic!("it does not come to an end");
    }

    fn verify(&self) {
        let (mut store, mut first) = (Memory::default(), BTreeMap::new());
        for (n, (_, entry)) in self.stream.iter().enumerate() {
            let reply = step(&mut store, n as u64 + 1, entry);
            let known = first.entry(entry.id.to_string()).or_insert_with(|| (n, reply.clone()));
            assert_eq!(known.1, reply, "a repeat gets the first answer");
        }
        for node in &self.nodes {
            assert!(node.store == store, "all hold what the stream says");
        }
        for (c, client) in self.clients.iter().enumerate() {
            let mut before = None;
            for (command, answer) in client.answers.iter().enumerate() {
                let (at, reply) = &first[&format!("c{c}-{command}")];
                assert_eq!(answer, reply, "what was acknowledged is what came of it");
                assert!(before < Some(at), "in the order of its sender");
                before = Some(at);
            }
        }
    }
}

fn run(seed: u64) -> usize {
    let mut world = World::new(seed);
    for _ in 0..STEPS {
        world.act();
    }
    world.settle();
    world.verify();
    world.clients.iter().map(|client| client.answers.len()).sum()
}

#[test]
fn whatever_is_lost_late_or_doubled_nodes_come_to_the_same_and_answers_hold() {
    if let Some(seed) = std::env::var("WIGEON_SEED").ok().and_then(|seed| seed.parse().ok()) {
        run(seed);
        return;
    }
    let mut answered = 0;
    for seed in 0..SEEDS {
        let ran = std::panic::catch_unwind(|| run(seed));
        answered += ran.unwrap_or_else(|_| panic!("WIGEON_SEED={seed}"));
    }
    assert!(answered > 5_000, "clients got on: {answered}");
}
