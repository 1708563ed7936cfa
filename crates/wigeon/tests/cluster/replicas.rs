//! What each server of NATS has of a stream on its own disk.
//!
//! Servers that keep different messages under one number have come apart by themselves: what nodes then make of the
//! log is not their fault, though they have to notice. NATS 2.9 comes apart now and then when a leader goes.

use std::collections::HashMap;
use std::path::Path;

/// The first number under which two servers keep different messages.
pub(crate) fn come_apart<'a>(stores: impl Iterator<Item = &'a Path>, stream: &str) -> Option<u64> {
    let mut seen: HashMap<u64, Vec<u8>> = HashMap::new();
    let mut apart = Vec::new();
    for store in stores {
        let messages = messages(&store.join("jetstream/$G/streams").join(stream).join("msgs"));
        assert!(!messages.is_empty(), "{} holds nothing that we can read", store.display());
        for (number, message) in messages {
            if *seen.entry(number).or_insert_with(|| message.clone()) != message {
                apart.push(number);
            }
        }
    }
    apart.into_iter().min()
}

/// Subject, headers and payload of each message, by its number.
fn messages(directory: &Path) -> HashMap<u64, Vec<u8>> {
    let files = std::fs::read_dir(directory).into_iter().flatten().flatten().map(|file| file.path());
    let blocks = files.filter(|path| path.extension().is_some_and(|extension| extension == "blk"));
    blocks.flat_map(|block| records(&std::fs::read(block).unwrap_or_default())).collect()
}

/// A record is its length, whose highest bit stands for headers, the message's number and time, what it holds, and
/// a checksum, all little-endian. The last one may be cut short.
fn records(mut block: &[u8]) -> Vec<(u64, Vec<u8>)> {
    const BEFORE: usize = 4 + 8 + 8;
    const CHECKSUM: usize = 8;
    let mut records = Vec::new();
    while let Some((head, _)) = block.split_first_chunk::<12>() {
        let [a, b, c, d, number @ ..] = *head;
        let length = (u32::from_le_bytes([a, b, c, d]) & 0x7fff_ffff) as usize;
        let Some((record, rest)) = block.split_at_checked(length) else { break };
        let Some(held) = record.get(BEFORE..length.saturating_sub(CHECKSUM)) else { break };
        records.push((u64::from_le_bytes(number), held.to_vec()));
        block = rest;
    }
    records
}

#[test]
fn servers_that_keep_different_messages_are_found() {
    let record = |number: u64, text: &str| {
        let held = [&[1, 0, b's'], text.as_bytes()].concat();
        let length = (20 + held.len() + 8) as u32;
        [&length.to_le_bytes()[..], &number.to_le_bytes(), &[7; 8], &held, &[9; 8]].concat()
    };
    let scratch = crate::single::Scratch::new();
    let stores = ["a", "b"].map(|name| scratch.path().join(name));
    let put = |store: &Path, records: &[Vec<u8>]| {
        let directory = store.join("jetstream/$G/streams/log/msgs");
        std::fs::create_dir_all(&directory).expect("a directory");
        std::fs::write(directory.join("1.blk"), records.concat()).expect("a file");
    };
    let found = || come_apart(stores.iter().map(std::path::PathBuf::as_path), "log");
    put(&stores[0], &[record(1, "one"), record(2, "two"), record(3, "three")]);
    let mut cut_short = record(3, "another");
    cut_short.pop();
    put(&stores[1], &[record(1, "one"), record(2, "two"), cut_short]);
    assert_eq!(found(), None);
    put(&stores[1], &[record(1, "one"), record(2, "three"), record(3, "two")]);
    assert_eq!(found(), Some(2));
}
