//! A log is kept, and folded again by whatever version of the program comes later. So what an entry came to under
//! the rules of its day, it comes to for good.
//!
//! `tests/golden/rules-1.jsonl` is a log: an entry as it is kept, and under it what came of it. A rule that changes
//! asks for the entry's version, and a form that grows leaves older entries as they were. A new version of the
//! rules is a new file, and the old one stays. `WIGEON_BLESS=1` writes what comes of the entries by now; read what
//! that changes: with a field that says nothing of an old entry it is right, and with anything else it is not.

use std::fmt::Write as _;
use std::fs;

use serde_json::{Value, json};
use wigeon_core::entry::{Entry, RULES_VERSION, UnreadableEntry};
use wigeon_core::outcome::Outcome;
use wigeon_proto::json;

use crate::world::World;

const LOG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/rules-1.jsonl");

#[test]
fn a_log_of_the_first_rules_comes_to_the_same() {
    let recorded = fs::read_to_string(LOG).unwrap();
    let mut world = World::default();
    let mut now = String::new();
    for line in recorded.lines().step_by(2) {
        let entry = Entry::from_bytes(line.as_bytes()).unwrap();
        let outcome = world.apply(&entry);
        let Outcome::Applied(applied) = outcome else { panic!("{line}\n{outcome:?}") };
        let event = applied
            .event
            .map(|event| serde_json::from_slice::<Value>(&[b"{", &event.tail()[..]].concat()).unwrap());
        let reply: Value = serde_json::from_slice(&json::to_vec(&applied.reply)).unwrap();
        let changes: Vec<String> = applied.changes.iter().map(|change| format!("{change:?}")).collect();
        let hash = entry.payload_hash().map(|byte| format!("{byte:02x}")).concat();
        let came = json!({"event":event,"changes":changes,"reply":reply,"hash":hash});
        writeln!(now, "{}\n{came}", String::from_utf8(entry.to_bytes()).unwrap()).unwrap();
    }
    if std::env::var_os("WIGEON_BLESS").is_some() {
        return fs::write(LOG, now).unwrap();
    }
    for (i, (recorded, now)) in recorded.lines().zip(now.lines()).enumerate() {
        assert_eq!(recorded, now, "line {} of {LOG}", i + 1);
    }
}

#[test]
fn every_command_has_been_recorded() {
    let recorded = fs::read_to_string(LOG).unwrap();
    let kinds =
        ["send", "edit", "recall", "react", "read", "unread", "pin", "prefs.set", "block.set", "user.update"];
    let rooms = ["create", "update", "retain", "join", "leave"].map(|kind| format!("room.{kind}"));
    let members = ["add", "remove", "role", "ban", "unban", "mute"].map(|kind| format!("member.{kind}"));
    let invites = ["create", "accept", "revoke"].map(|kind| format!("invite.{kind}"));
    let all = kinds.map(str::to_owned).into_iter().chain(rooms).chain(members).chain(invites);
    for kind in all {
        assert!(recorded.contains(&format!("\"command\":{{\"type\":\"{kind}\"")), "{kind}");
    }
}

#[test]
fn an_entry_of_rules_to_come_is_not_taken_for_one_of_ours() {
    let line = fs::read_to_string(LOG).unwrap().lines().next().unwrap().to_owned();
    let newer = RULES_VERSION + 1;
    let mut entry: Value = serde_json::from_str(&line).unwrap();
    entry["v"] = json!(newer);
    // Also one that has a form that nobody has thought of yet.
    let mut unknown = entry.clone();
    unknown["command"] = json!({"type":"room.fold","how":"in half"});
    for entry in [entry, unknown.clone()] {
        let error = Entry::from_bytes(entry.to_string().as_bytes()).unwrap_err();
        assert!(matches!(error, UnreadableEntry::Newer { found } if found == newer), "{error}");
    }
    unknown["v"] = json!(RULES_VERSION);
    let error = Entry::from_bytes(unknown.to_string().as_bytes()).unwrap_err();
    assert!(matches!(error, UnreadableEntry::Form(_)), "{error}");
}
