//! SQLite and memory fold the same history to the same outcomes, and a restart changes nothing.

use proptest::prelude::*;
use wigeon_core::memory::Memory;
use wigeon_core::outcome::Outcome;
use wigeon_proto::cursor::Cursor;
use wigeon_store::{Durability, Store};

use crate::world::{any_step, apply, entries, store};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_medium_comes_to_the_same_outcome(steps in prop::collection::vec(any_step(), 1..80)) {
        let (_dir, mut store) = store();
        let mut memory = Memory::default();
        let mut position = 0;
        for entry in entries(&steps) {
            let (cursor, outcome) = store.writer.step(&entry).unwrap();
            let expected = memory.step(Cursor { position: position + 1, ..cursor }, &entry);
            prop_assert_eq!(&outcome, &expected);
            if let Outcome::Applied(_) = outcome {
                position += 1;
                prop_assert_eq!(cursor.position, position, "positions are dense");
            }
            if position % 3 == 0 {
                store.writer.commit().unwrap();
            }
        }
        store.writer.commit().unwrap();
    }

    #[test]
    fn a_repeat_gets_the_same_answer_also_after_a_restart(steps in prop::collection::vec(any_step(), 1..40)) {
        let (dir, mut store) = store();
        let all = entries(&steps);
        let first = apply(&mut store, &all);
        let position = store.writer.position();
        drop(store);
        let mut store = Store::open(dir.path(), Durability::Os, 8).unwrap();
        for (entry, outcome) in all.iter().zip(first) {
            let Outcome::Applied(applied) = outcome else { continue };
            if !wigeon_core::apply::remembers(&entry.command) {
                continue;
            }
            let again = store.writer.step(entry).unwrap().1;
            let reply = wigeon_proto::json::to_vec(&applied.reply);
            prop_assert_eq!(again, Outcome::Repeated(reply));
        }
        prop_assert_eq!(store.writer.position(), position, "repeats leave no trace");
    }
}
