//! What a store lives through while it is recorded: everything that writes files. And what somebody was told of it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use wigeon_core::entry::Entry;
use wigeon_store::{Durability, IndexSizes, Store};

use crate::scrub::scrub;
use crate::world::{apply, as_user, ask, asker, beginning, said};

/// Something that is done once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// The rooms are made.
    Begin,
    /// The message that will have this seq.
    Say(u64),
    Edit(u64),
    Recall(u64),
    /// From here on until it has been closed, the store promises nothing.
    Forget,
    /// It does again.
    Remember,
}

/// What the message says at first: mostly some hundred bytes, now and then enough to fill a segment.
pub(crate) fn text(seq: u64) -> String {
    let length = if (31..=50).contains(&seq) { 60_000 } else { seq as usize * 97 % 2000 + 1 };
    format!("{seq} ").repeat(length)[..length].to_owned()
}

pub(crate) fn edited(seq: u64) -> String {
    format!("{seq} in other words")
}

impl Step {
    fn entries(self) -> Vec<Entry> {
        match self {
            Self::Begin => beginning(),
            Self::Say(seq) => vec![said("ann", &format!("m{seq}"), &text(seq))],
            Self::Edit(seq) => {
                let edit = json!({"type":"edit","room":"group","seq":seq,"body":{"text":edited(seq)}});
                vec![as_user("ann", &format!("e{seq}"), edit)]
            }
            Self::Recall(seq) => {
                let recall = json!({"type":"recall","room":"group","seq":seq});
                vec![as_user("ann", &format!("r{seq}"), recall)]
            }
            Self::Forget | Self::Remember => Vec::new(),
        }
    }

    fn line(self) -> String {
        format!("{self:?}\n")
    }
}

/// Which steps an account tells of.
pub(crate) fn told(account: &str) -> BTreeSet<Step> {
    let step = |line: &str| {
        let (word, seq) = line.trim_end_matches(')').split_once('(').unwrap_or((line, "0"));
        let seq = seq.parse().unwrap();
        match word {
            "Begin" => Step::Begin,
            "Say" => Step::Say(seq),
            "Edit" => Step::Edit(seq),
            "Recall" => Step::Recall(seq),
            "Forget" => Step::Forget,
            "Remember" => Step::Remember,
            _ => panic!("no step {line}"),
        }
    };
    account.lines().map(step).collect()
}

struct Life<'a> {
    directory: &'a Path,
    /// Where it is noted what was acknowledged.
    account: File,
}

impl Life<'_> {
    fn open(&self, durability: Durability) -> Store {
        let sizes = IndexSizes { stretch: 8, merge: 2 };
        Store::open_with(self.directory, durability, 7, sizes).unwrap()
    }

    fn go(&mut self, store: &mut Store, steps: impl IntoIterator<Item = Step>) {
        // Batches of one to three.
        let (mut batch, mut most) = (Vec::new(), 1);
        for step in steps {
            batch.push(step);
            if batch.len() == most {
                self.commit(store, &std::mem::take(&mut batch));
                most = most % 3 + 1;
            }
        }
        self.commit(store, &batch);
    }

    fn commit(&mut self, store: &mut Store, batch: &[Step]) {
        let entries: Vec<Entry> = batch.iter().flat_map(|step| step.entries()).collect();
        assert!(apply(store, &entries).iter().all(Result::is_ok));
        let lines: String = batch.iter().map(|step| step.line()).collect();
        self.account.write_all(lines.as_bytes()).unwrap();
    }
}

fn close(store: Store) {
    store.writer.close().unwrap();
}

/// The whole of it.
pub(crate) fn live(directory: &Path, account: &Path) {
    use Step::{Begin, Edit, Forget, Recall, Remember, Say};
    let account = File::options().create(true).append(true).open(account).unwrap();
    let mut life = Life { directory, account };
    let mut store = life.open(Durability::Fsync);
    life.go(&mut store, [Begin].into_iter().chain((1..=20).map(Say)));
    ask(&store, |view| Ok(view.position)).unwrap();
    life.go(&mut store, [Edit(4), Say(21), Recall(4), Say(22)]);
    // A crash of the program alone, and a start after it.
    drop(store);
    let mut store = life.open(Durability::Fsync);
    life.go(&mut store, (23..=30).map(Say).chain([Recall(3), Edit(5), Recall(5)]));
    close(store);
    scrub(directory, Durability::Fsync);
    let mut store = life.open(Durability::Fsync);
    life.go(&mut store, (31..=50).map(Say).chain([Recall(32), Edit(33), Recall(50)]));
    drop(store);
    scrub(directory, Durability::Fsync);
    life.account.write_all(Forget.line().as_bytes()).unwrap();
    let mut store = life.open(Durability::Memory);
    life.go(&mut store, (51..=53).map(Say));
    close(store);
    life.account.write_all(Remember.line().as_bytes()).unwrap();
    let mut store = life.open(Durability::Fsync);
    life.go(&mut store, (54..=58).map(Say).chain([Recall(2), Recall(31), Edit(33), Recall(33), Recall(55)]));
    close(store);
    // In the base, too.
    scrub(directory, Durability::Fsync);
    let mut store = life.open(Durability::Fsync);
    life.go(&mut store, (59..=60).map(Say));
    drop(store);
}

/// That a store has what was acknowledged, nothing else, and nothing by half. Returns how many messages there are.
pub(crate) fn is_whole(store: &Store, told: &BTreeSet<Step>) -> u64 {
    let messages = history(store);
    let count = messages.len() as u64;
    let acked = |step| told.contains(&step);
    assert!(!acked(Step::Say(count + 1)), "message {} is gone", count + 1);
    for (i, message) in messages.iter().enumerate() {
        let seq = i as u64 + 1;
        assert_eq!((&message["seq"], &message["id"]), (&json!(seq), &json!(format!("m{seq}"))));
        let found = message["body"]["text"].as_str();
        assert_eq!(found.is_none(), message["recalled"] == true, "{message}");
        match found {
            None => {}
            Some(_) if acked(Step::Recall(seq)) => panic!("the recall of {seq} is gone"),
            Some(found) if found == edited(seq) => {}
            Some(_) if acked(Step::Edit(seq)) => panic!("the edit of {seq} is gone"),
            Some(found) => assert_eq!(found, text(seq)),
        }
    }
    count
}

fn history(store: &Store) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    loop {
        let query =
            serde_json::from_value(json!({"room":"group","after":all.len(),"limit":100})).expect("a query");
        let page = ask(store, move |view| view.history(&asker("ann"), &query));
        // Before the beginning there is no room.
        let Ok(page) = page else { return all };
        let page = serde_json::to_value(page).unwrap();
        all.extend(page["messages"].as_array().unwrap().iter().cloned());
        if page["more"] != true {
            return all;
        }
    }
}
