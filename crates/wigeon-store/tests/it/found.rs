//! Search against the simplest search there is: reading everybody's history.

use proptest::prelude::*;
use serde_json::{Value, json};
use wigeon_proto::command::{Command, Query, Request};
use wigeon_proto::limits::SEARCH_EFFORT_MAX;
use wigeon_store::read::{Asker, QueryError};
use wigeon_store::{Durability, IndexSizes, Store, verify_index};

use crate::search::{index_all, search_as};
use crate::world::{ROOMS, USERS, any_turn, apply, ask, asker, entries};

/// What the histories of a user's rooms have: room, seq and text of each message.
fn shown(store: &Store, who: &str) -> Vec<(String, u64, String)> {
    let mut all = Vec::new();
    for room in member_of(store, who) {
        let fields = json!({"type":"history","room":room,"after":0,"limit":100});
        let Command::Query(Query::History(query)) = Request::decode(&fields.to_string()).unwrap().command
        else {
            panic!("not a history")
        };
        let who = asker(who);
        let history = match ask(store, move |view| view.history(&who, &query)) {
            Ok(history) => serde_json::to_value(&history).unwrap(),
            Err(QueryError::Refused(_)) => continue,
            Err(QueryError::Fault(fault)) => panic!("{fault}"),
        };
        for message in history["messages"].as_array().unwrap() {
            if let Some(text) = message["body"]["text"].as_str() {
                all.push((room.clone(), message["seq"].as_u64().unwrap(), text.to_owned()));
            }
        }
    }
    all
}

fn member_of(store: &Store, who: &str) -> Vec<String> {
    let snapshot = crate::world::snapshot(store, who);
    let rooms = snapshot["rooms"].as_array().unwrap();
    rooms.iter().map(|room| room["id"].as_str().unwrap().to_owned()).collect()
}

fn found(store: &Store, asker: Asker, mut asked: Value) -> Vec<(String, u64)> {
    let mut all = Vec::new();
    loop {
        let page = search_as(store, asker.clone(), asked.clone()).unwrap();
        for hit in page["hits"].as_array().unwrap() {
            all.push((hit["room"].as_str().unwrap().to_owned(), hit["seq"].as_u64().unwrap()));
        }
        match page.get("next") {
            Some(next) => asked["before"] = next.clone(),
            None => return all,
        }
    }
}

fn compare(store: &Store) -> Result<(), TestCaseError> {
    for who in USERS {
        let shown = shown(store, who);
        // Texts of the random histories: letters, and these.
        for q in ["a", "b", "c", "direct", "edited", "@ a"] {
            let Some(word) = q.split_whitespace().last() else { continue };
            let has = |text: &str| text.split(|c: char| !c.is_alphanumeric()).any(|found| found == word);
            let mut expected: Vec<(String, u64)> = shown
                .iter()
                .filter(|(_, _, text)| has(text))
                .map(|(room, seq, _)| (room.clone(), *seq))
                .collect();
            let all = found(store, asker(who), json!({"q":q,"limit":2}));
            let mut sorted = all.clone();
            sorted.sort();
            expected.sort();
            prop_assert_eq!(sorted, expected.clone(), "{} looks for {}", who, q);
            for room in ROOMS.iter().filter(|room| member_of(store, who).contains(&(**room).to_owned())) {
                let of_all: Vec<_> = all.iter().filter(|(place, _)| place == room).cloned().collect();
                prop_assert_eq!(found(store, asker(who), json!({"q":q,"room":room})), of_all);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_search_finds_what_history_shows(
        steps in prop::collection::vec(any_turn(), 1..120),
        stretch in 1..9_u64,
        crash in any::<bool>(),
        // As much as any search makes, and so little that most answers end before they have looked at everything.
        effort in prop_oneof![Just(SEARCH_EFFORT_MAX), 130..200usize],
    ) {
        let dir = tempfile::tempdir().unwrap();
        let open = || {
            let sizes = IndexSizes { stretch, merge: 2 };
            let store = Store::open_with(dir.path(), Durability::Os, 7, sizes).unwrap();
            Store { readers: store.readers.searching(effort), ..store }
        };
        let mut store = open();
        let all = entries(&steps);
        let (first, rest) = all.split_at(all.len() / 2);
        apply(&mut store, first);
        compare(&store)?;
        if crash {
            drop(store);
            store = open();
        }
        // With more or less of it indexed.
        apply(&mut store, rest);
        compare(&store)?;
        if stretch == 1 {
            index_all(&store);
            compare(&store)?;
        }
        drop(store);
        let mut wrong = Vec::new();
        verify_index(&dir.path().join("search.db"), &dir.path().join("wigeon.db"), |found| wrong.push(found)).unwrap();
        prop_assert_eq!(wrong, []);
    }
}
