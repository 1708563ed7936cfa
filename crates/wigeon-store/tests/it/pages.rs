//! Pages: whatever their size, a user sees exactly the events of their intervals, in order, once; and gaps
//! name exactly the messages that were left out.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::Value;
use wigeon_core::memory::Memory;
use wigeon_core::outcome::{Change, Outcome};
use wigeon_proto::cursor::Cursor;
use wigeon_proto::event::What;
use wigeon_proto::id::{RoomId, UserId};
use wigeon_proto::room::Visibility;
use wigeon_store::Store;
use wigeon_store::read::{Page, PageRequest};

use crate::past::Told;
use crate::world::{ROOMS, USERS, any_turn, ask, entries, room, store, user};

/// What a user should see of an event, by the simplest reckoning.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    position: u64,
    room: RoomId,
    seq: Option<u64>,
    target: Option<u64>,
    is_edit: bool,
}

/// What each user should see, ascending.
type BySeer = BTreeMap<UserId, Vec<Seen>>;

/// Plays a history into the store, and notes for each user what they should see, and for `news`, if it is public,
/// what anybody should. An edit is seen by members who may see its message, or might if they had not left.
fn play(store: &mut Store, steps: &[(usize, Value)]) -> (BySeer, Option<Vec<Seen>>) {
    let mut rooms: BTreeMap<RoomId, Told> = BTreeMap::new();
    let (mut seen, mut news): (BySeer, Option<Vec<Seen>>) = (BTreeMap::new(), None);
    let mut memory = Memory::default();
    for (i, entry) in entries(steps).into_iter().enumerate() {
        let cursor = Cursor { epoch: store.epoch, position: store.writer.position() + 1 };
        let outcome = memory.step(cursor, &entry);
        store.writer.step(&entry.into()).unwrap().ok();
        if i % 3 == 0 {
            store.writer.commit().unwrap();
        }
        let Outcome::Applied(applied) = outcome else { continue };
        let mut leaving = Vec::new();
        for change in &applied.changes {
            match change {
                Change::Joined(room, user, _) => {
                    rooms.entry(room.clone()).or_default().members.insert(user.clone());
                }
                Change::Left { room, user, .. } => leaving.push((room.clone(), user.clone())),
                _ => {}
            }
        }
        if let Some(event) = applied.event {
            let what = Seen {
                position: cursor.position,
                room: event.audience(),
                seq: event.what.seq(),
                target: event.what.target(),
                is_edit: matches!(event.what, What::Edited { .. }),
            };
            if !event.private {
                rooms.entry(event.room.clone()).or_default().take(&event.what);
            }
            for name in USERS {
                let told = rooms.get(&event.audience());
                let member = told.is_some_and(|told| told.members.contains(&user(name)));
                if member || event.audience() == RoomId::own(&user(name)) {
                    seen.entry(user(name)).or_default().push(what.clone());
                }
            }
            if event.audience() == room("news") {
                if let What::Room { policy, .. } = &event.what {
                    // What anybody sees begins anew when it becomes public again.
                    let is_public = policy.visibility == Visibility::Public;
                    news = if is_public { Some(news.unwrap_or_default()) } else { None };
                }
                if let Some(news) = &mut news {
                    news.push(what);
                }
            }
            assert!(!matches!(event.what, What::Message { seq: 0, .. }));
        }
        for left in leaving {
            rooms.entry(left.0).or_default().members.remove(&left.1);
        }
    }
    store.writer.commit().unwrap();
    let edits = |seen: &Seen| seen.is_edit.then(|| (&rooms[&seen.room], seen.target.unwrap()));
    for (who, seen) in &mut seen {
        seen.retain(|seen| edits(seen).is_none_or(|(told, seq)| told.shows(seq, who, true)));
    }
    if let Some(news) = &mut news {
        news.retain(|seen| edits(seen).is_none_or(|(told, seq)| told.opens(seq)));
    }
    (seen, news)
}

/// From the log alone, from rooms alone, and from one after the other.
fn any_near() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), 1..40u64, Just(u64::MAX)]
}

fn page(store: &Store, request: &PageRequest) -> Page {
    let request = request.clone();
    ask(store, move |view| view.page(&request)).unwrap()
}

/// Reads to the end in pages; what is read must ascend, and each page must say whether there is more.
fn walk(store: &Store, mut request: PageRequest) -> (Vec<u64>, Vec<(RoomId, u64, u64)>) {
    let (mut positions, mut gaps) = (Vec::new(), Vec::new());
    loop {
        let page = page(store, &request);
        gaps.extend(page.gaps.into_iter().map(|gap| (gap.room, gap.from_seq, gap.to_seq)));
        positions.extend(page.records.iter().map(|record| record.position));
        assert!(page.records.len() <= request.frames_max);
        assert!(page.position >= request.after);
        request.after = page.position;
        if !page.more {
            assert_eq!(page.position, store.writer.position());
            return (positions, gaps);
        }
    }
}

fn request(who: &str, after: u64, frames_max: usize) -> PageRequest {
    PageRequest {
        user: user(who),
        watch: vec![],
        after,
        frames_max,
        bytes_max: usize::MAX,
        max_per_room: None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_user_sees_their_intervals_and_nothing_else(
        steps in prop::collection::vec(any_turn(), 1..100),
        frames_max in 1..20usize,
        start in 0..60u64,
        near in any_near(),
    ) {
        let (_dir, mut store) = store();
        store.readers = store.readers.looking(near);
        let (seen, _) = play(&mut store, &steps);
        let start = start.min(store.writer.position());
        for name in USERS {
            let expected: Vec<u64> = seen.get(&user(name)).into_iter().flatten()
                .map(|event| event.position).filter(|position| *position > start).collect();
            let (got, gaps) = walk(&store, request(name, start, frames_max));
            prop_assert_eq!(&got, &expected, "{}", name);
            prop_assert!(gaps.is_empty());
        }
    }

    #[test]
    fn watching_a_channel_shows_all_of_it_once(
        steps in prop::collection::vec(any_turn(), 1..80),
        frames_max in 1..20usize,
        near in any_near(),
    ) {
        let (_dir, mut store) = store();
        store.readers = store.readers.looking(near);
        let (seen, news) = play(&mut store, &steps);
        for name in USERS {
            let mut expected: BTreeSet<u64> = news.iter().flatten().map(|event| event.position).collect();
            expected.extend(seen.get(&user(name)).into_iter().flatten().map(|event| event.position));
            let mut request = request(name, 0, frames_max);
            request.watch = vec![room("news"), room("group"), room("nowhere")];
            let hidden = ["news", "group", "nowhere"].into_iter().filter(|name| *name != "news" || news.is_none());
            prop_assert_eq!(page(&store, &request).unavailable, hidden.map(room).collect::<Vec<_>>());
            let (got, _) = walk(&store, request);
            prop_assert_eq!(got, expected.into_iter().collect::<Vec<_>>(), "{}", name);
        }
    }

    #[test]
    fn gaps_name_exactly_what_was_left_out(
        steps in prop::collection::vec(any_turn(), 1..120),
        frames_max in 1..20usize,
        max_per_room in 1..4u64,
        near in any_near(),
    ) {
        let (_dir, mut store) = store();
        store.readers = store.readers.looking(near);
        let (seen, _) = play(&mut store, &steps);
        for name in USERS {
            let expected = seen.get(&user(name)).cloned().unwrap_or_default();
            let (got, gaps) = walk(&store, PageRequest { max_per_room: Some(max_per_room), ..request(name, 0, frames_max) });
            prop_assert!(got.is_sorted());
            let in_gap = |room: &RoomId, seq: u64| gaps.iter().filter(|gap| gap.0 == *room && (gap.1..=gap.2).contains(&seq)).count();
            for event in &expected {
                let shown = got.contains(&event.position);
                match (event.seq, event.target) {
                    (Some(seq), _) => prop_assert_eq!(usize::from(shown) + in_gap(&event.room, seq), 1, "{} {:?}", name, event),
                    // An edit of a message in a gap may be left out, nothing else may.
                    (None, Some(target)) => prop_assert!(shown || in_gap(&event.room, target) == 1, "{} {:?}", name, event),
                    (None, None) => prop_assert!(shown, "{} {:?}", name, event),
                }
            }
            let count = |room: &RoomId| expected.iter().filter(|event| event.room == *room && event.seq.is_some()).count() as u64;
            for name in ROOMS {
                if count(&room(name)) <= max_per_room {
                    prop_assert!(gaps.iter().all(|gap| gap.0 != room(name)), "a gap where nothing had to be left out");
                }
            }
        }
    }

    #[test]
    fn the_newest_n_begin_at_the_nth_newest(steps in prop::collection::vec(any_turn(), 1..60), count in 1..10usize) {
        let (_dir, mut store) = store();
        let (seen, _) = play(&mut store, &steps);
        for name in USERS {
            let who = user(name);
            let before = ask(&store, move |view| view.before_last(&who, &[], count)).unwrap();
            let (got, _) = walk(&store, request(name, before, 100));
            let all: Vec<u64> = seen.get(&user(name)).into_iter().flatten().map(|event| event.position).collect();
            prop_assert_eq!(got, all[all.len().saturating_sub(count)..].to_vec());
        }
    }
}
