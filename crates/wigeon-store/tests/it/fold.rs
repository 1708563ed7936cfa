//! Log, tables and memory fold the same history to the same state, wherever it was cut short.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use rusqlite::Connection;
use rusqlite::types::Value;
use wigeon_core::entry::Entry;
use wigeon_core::memory::Memory;
use wigeon_core::outcome::Outcome;
use wigeon_proto::cursor::Cursor;
use wigeon_proto::{frame, json};
use wigeon_store::{Answer, Durability, Store};

use crate::check::is_right;
use crate::world::{any_step, apply, ask, entries, expired, store};

/// What a sender is told, and the frame that is shown, if the rules are asked with a state in memory.
fn expected(memory: &mut Memory, here: Cursor, entry: &Entry) -> (Answer, Option<Vec<u8>>) {
    match memory.step(here, entry) {
        Outcome::Applied(applied) => {
            let shown = |event: wigeon_proto::event::Event| {
                frame::event(event.what.kind(), &here.to_string(), &event.tail())
            };
            (Ok(json::to_vec(&applied.reply)), applied.event.map(shown))
        }
        Outcome::Repeated(reply) => (Ok(reply), None),
        Outcome::Rejected(error) => (Err(error), None),
    }
}

/// Every row of every table.
fn tables(directory: &Path) -> BTreeMap<String, Vec<Vec<Value>>> {
    let db = Connection::open(directory.join("wigeon.db")).unwrap();
    let list = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name != 'meta'";
    let names: Vec<String> =
        db.prepare(list).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let rows = |name: &String| {
        let mut statement = db.prepare(&format!("SELECT * FROM {name}")).unwrap();
        let width = statement.column_count();
        let row = |row: &rusqlite::Row<'_>| (0..width).map(|i| row.get(i)).collect();
        statement.query_map([], row).unwrap().map(Result::unwrap).collect()
    };
    names.iter().map(|name| (name.clone(), rows(name))).collect()
}

/// What happens between two entries.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Between {
    Nothing,
    Commit,
    /// Somebody reads, and so the tables catch up.
    CommitAndFold,
    /// Old messages go. Readers come with it: the clock looks at the tables.
    Expire,
    /// A sender who has no answer sends again, which may be a month later.
    Again,
    /// What was committed is in the log, and the tables are somewhere behind it.
    Crash,
}

fn any_between() -> impl Strategy<Value = Between> {
    prop_oneof![
        8 => Just(Between::Nothing),
        4 => Just(Between::Commit),
        2 => Just(Between::CommitAndFold),
        2 => Just(Between::Expire),
        2 => Just(Between::Again),
        1 => Just(Between::Crash),
    ]
}

fn reopen(directory: &Path, store: Store) -> Store {
    drop(store);
    is_right(directory);
    Store::open(directory, Durability::Os, 8).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn wherever_it_crashes_it_comes_to_the_same_state(
        steps in prop::collection::vec((any_step(), any_between()), 1..120),
    ) {
        let (dir, mut store) = store();
        let (steps, between): (Vec<_>, Vec<_>) = steps.into_iter().unzip();
        let all = entries(&steps);
        // The rooms every history begins with come first.
        let begun = all.len() - between.len();
        let (mut memory, mut log, mut shown) = (Memory::default(), Vec::new(), Vec::new());
        // As they were at the last commit: the part that survives.
        let mut durable = (memory.clone(), 0);
        for (i, entry) in all.iter().enumerate() {
            let between = i.checked_sub(begun).map_or(Between::Commit, |i| between[i]);
            let mut next = vec![entry.clone()];
            if between == Between::Again {
                // Mostly within the month in which its id is known, sometimes past it.
                next.extend([i / 8, i.saturating_sub(7)].map(|i| Entry { at: entry.at, ..all[i].clone() }));
            }
            if between == Between::Expire {
                shown.clear();
                store.writer.commit().unwrap();
                durable = (memory.clone(), log.len());
                next.extend(expired(&store, entry.at));
            }
            for entry in next {
                let here = Cursor { epoch: store.epoch, position: store.writer.position() + 1 };
                let (answer, frame) = expected(&mut memory, here, &entry);
                shown.extend(frame);
                prop_assert_eq!(store.writer.step(&entry.clone().into()).unwrap(), answer);
                if store.writer.position() == here.position {
                    log.push(entry);
                }
            }
            if matches!(between, Between::Commit | Between::CommitAndFold) {
                let events = store.writer.commit().unwrap();
                let frames: Vec<_> = events.iter().map(|event| event.json.to_vec()).collect();
                prop_assert_eq!(&frames, &shown);
                shown.clear();
                durable = (memory.clone(), log.len());
            }
            if between == Between::CommitAndFold {
                prop_assert_eq!(ask(&store, |view| Ok(view.position)).unwrap(), log.len() as u64);
            }
            if between == Between::Crash {
                store = reopen(dir.path(), store);
                log.truncate(durable.1);
                prop_assert_eq!(store.writer.position(), log.len() as u64, "nothing lost, nothing made up");
                memory = durable.0.clone();
                shown.clear();
            }
        }
        store.writer.commit().unwrap();
        drop(store.writer.close());

        let (straight, mut other) = crate::world::store();
        apply(&mut other, &log);
        other.writer.close().unwrap();
        let straight = tables(straight.path());
        prop_assert_eq!(&tables(dir.path()), &straight);

        drop((store.readers, store.lock));
        is_right(dir.path());

        // And once more from the log alone.
        std::fs::remove_file(dir.path().join("wigeon.db")).unwrap();
        drop(Store::open(dir.path(), Durability::Os, 7).unwrap().writer.close());
        prop_assert_eq!(&tables(dir.path()), &straight);
    }

    #[test]
    fn a_repeat_gets_the_same_answer_also_after_a_restart(steps in prop::collection::vec(any_step(), 1..40)) {
        let (dir, mut store) = store();
        let all = entries(&steps);
        let first = apply(&mut store, &all);
        let position = store.writer.position();
        for restart in [false, true] {
            if restart {
                store = reopen(dir.path(), store);
            }
            for (entry, answer) in all.iter().zip(&first) {
                if answer.is_ok() && wigeon_core::apply::remembers(&entry.command) {
                    prop_assert_eq!(&store.writer.step(&entry.clone().into()).unwrap(), answer);
                }
            }
            prop_assert_eq!(store.writer.position(), position, "repeats leave no trace");
        }
    }
}
