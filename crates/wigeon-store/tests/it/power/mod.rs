//! Power failures: whenever the machine stops, what was acknowledged is there afterwards, and nothing by half.
//!
//! A process that does everything a store does is recorded, write by write and sync by sync. Then, for many
//! moments of its life, the files are made as a disk may have them after a power failure at that moment, and a
//! store is opened on them. Which moments is a matter of chance that `WIGEON_SEED` repeats;
//! `WIGEON_POWER_FAILURES` says how many.

#![allow(clippy::print_stdout, reason = "seeds and figures belong to a test's output")]

mod disk;
mod life;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use wigeon_store::{Durability, Store};

use crate::check::is_right;
use crate::world::{apply, said};
use disk::{Deed, Disk, Fate, deeds};
use life::{Step, is_whole, live, told};

/// Besides one after each acknowledgement.
const FAILURES: u64 = 60;

/// What is recorded: in a process of its own that is told where, and in no other.
#[test]
fn a_life_that_is_recorded() {
    if let Some(directory) = std::env::var_os("WIGEON_RECORD_OF") {
        let directory = Path::new(&directory);
        live(&directory.join("data"), &directory.join("account"));
    }
}

fn record(place: &Path) -> Vec<Deed> {
    let (source, library) = (place.join("record.c"), place.join("record.so"));
    std::fs::write(&source, include_str!("record.c")).unwrap();
    let compiled =
        Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(&source).status();
    assert!(compiled.expect("a C compiler, as SQLite needs one too").success());
    let (root, record) = (place.join("root"), place.join("record"));
    std::fs::create_dir(&root).unwrap();
    let lived = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "power::a_life_that_is_recorded", "--nocapture"])
        .env("LD_PRELOAD", library)
        .env("WIGEON_RECORD_OF", &root)
        .env("WIGEON_RECORD", &record)
        .output()
        .unwrap();
    assert!(lived.status.success(), "{}", String::from_utf8_lossy(&lived.stderr));
    deeds(&record, &root)
}

#[test]
fn what_was_acknowledged_survives_a_power_failure_at_any_moment() {
    let wanted = number("WIGEON_POWER_FAILURES").unwrap_or(FAILURES);
    let seed = number("WIGEON_SEED").unwrap_or_else(|| u64::from(std::process::id()) * 0x9e37_79b9);
    println!("WIGEON_SEED={seed}");
    let mut dice = Dice(seed | 1);
    let place = tempfile::tempdir().unwrap();
    let deeds = record(place.path());
    let (mut disk, mut account, mut failures) = (Disk::default(), Account::default(), 0);
    for (i, deed) in deeds.iter().enumerate() {
        disk.after(deed);
        let was_told = account.hears(deed);
        if account.is_forgetful() {
            continue;
        }
        // Nothing that was said just now may need what is not synced.
        let fate = match dice.roll(3) {
            _ if was_told => Fate::Lost,
            0 => Fate::Lost,
            1 => Fate::Kept,
            _ => Fate::Torn,
        };
        if was_told || dice.roll(deeds.len() as u64) < wanted {
            println!("{fate:?} after {} of {}", i + 1, deeds.len());
            fail(&disk, &account.told(), fate, &mut dice);
            failures += 1;
        }
    }
    assert!(account.told().contains(&Step::Say(60)), "it was lived to the end");
    println!("{failures} power failures");
}

/// Opens what is left, and goes on.
fn fail(disk: &Disk, told: &BTreeSet<Step>, fate: Fate, dice: &mut Dice) {
    let place = tempfile::tempdir().unwrap();
    disk.put(place.path(), fate, |sides| dice.roll(sides));
    let data = place.path().join("data");
    // This time nothing is to survive another one.
    let mut store = Store::open(&data, Durability::Os, 8).unwrap();
    let count = is_whole(&store, told);
    if told.contains(&Step::Begin) {
        let next = apply(&mut store, &[said("ann", "after", "after it")]);
        let next: serde_json::Value = serde_json::from_slice(next[0].as_ref().unwrap()).unwrap();
        assert_eq!(next["seq"], count + 1);
    }
    drop(store);
    is_right(&data);
}

/// What somebody was told so far.
#[derive(Default)]
struct Account {
    file: Option<u64>,
    lines: String,
}

impl Account {
    /// Whether a deed tells something.
    fn hears(&mut self, deed: &Deed) -> bool {
        match deed {
            Deed::Create { path, file } if path == Path::new("account") => self.file = Some(*file),
            Deed::Write { file, bytes, .. } if Some(*file) == self.file => {
                self.lines += std::str::from_utf8(bytes).unwrap();
                return true;
            }
            _ => {}
        }
        false
    }

    fn told(&self) -> BTreeSet<Step> {
        told(&self.lines)
    }

    fn is_forgetful(&self) -> bool {
        let told = self.told();
        told.contains(&Step::Forget) && !told.contains(&Step::Remember)
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Numbers from a seed (xorshift).
struct Dice(u64);

impl Dice {
    /// From 0 to `sides` - 1.
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}
