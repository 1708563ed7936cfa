//! A backup holds what was acknowledged before it began, and what is made of it is another log.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;
use wigeon_store::backup::{Backup, BackupError, backup};
use wigeon_store::{Answer, Durability, Store};

use crate::check::is_right;
use crate::world::{apply, ask, beginning, play, said, store};

fn copy(from: &Path, to: &Path) -> Result<Backup, BackupError> {
    backup(from, to, &["secret"], &mut |_| ())
}

fn seq(answer: &Answer) -> Option<u64> {
    serde_json::from_slice::<Value>(answer.as_ref().unwrap()).unwrap()["seq"].as_u64()
}

fn names(directory: &Path) -> Vec<String> {
    let names = fs::read_dir(directory).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    names.collect()
}

#[test]
fn a_backup_beside_a_running_store_has_also_what_the_tables_lack() {
    let (dir, mut store) = store();
    apply(&mut store, &beginning());
    ask(&store, |view| Ok(view.position)).unwrap();
    // Durable, and not folded: nobody has asked.
    let all = [said("ann", "m1", "x"), said("bob", "m2", "y")];
    let first = apply(&mut store, &all);
    let place = tempfile::tempdir().unwrap();
    let to = place.path().join("copy");
    fs::write(dir.path().join("secret"), "a secret").unwrap();
    assert_eq!(copy(dir.path(), &to).unwrap().position, 5);
    apply(&mut store, &[said("ann", "m3", "after it")]);

    assert_eq!(names(place.path()), ["copy"], "nothing half-made beside it");
    let mode = |file: &str| fs::metadata(to.join(file)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("."), mode("secret")), (0o700, 0o600));
    assert_eq!(is_right(&to).position, 5, "before any server has used it");

    let mut restored = Store::open(&to, Durability::Fsync, 8).unwrap();
    assert_eq!(restored.epoch.bits(), 8, "what clients know of the old positions says nothing of the new");
    assert_eq!(restored.writer.position(), 5);
    let again = apply(&mut restored, &all);
    assert_eq!(again.iter().map(seq).collect::<Vec<_>>(), first.iter().map(seq).collect::<Vec<_>>());
    assert_eq!(restored.writer.position(), 5, "what was answered is still known");
    apply(&mut restored, &[said("bob", "m4", "another future")]);
    restored.writer.close().unwrap();
    drop((restored.readers, restored.lock));
    let report = is_right(&to);
    assert_eq!((report.from, report.position), (5, 6));
    assert_eq!(Store::open(&to, Durability::Fsync, 9).unwrap().epoch.bits(), 8, "once is enough");
    drop(store);
    is_right(dir.path());
}

#[test]
fn tables_that_are_removed_without_what_is_beside_them_are_made_again() {
    let (dir, store) = play(vec![said("ann", "m1", "x")]);
    let place = tempfile::tempdir().unwrap();
    let to = place.path().join("copy");
    copy(dir.path(), &to).unwrap();
    drop(store);
    let mut store = Store::open(&to, Durability::Fsync, 8).unwrap();
    apply(&mut store, &[said("ann", "m2", "y")]);
    ask(&store, |view| Ok(view.position)).unwrap();
    // As after a crash: what was folded last is in a file beside the tables.
    let crashed = place.path().join("crashed");
    fs::create_dir_all(crashed.join("log")).unwrap();
    for part in ["", "log"] {
        for file in fs::read_dir(to.join(part)).unwrap().map(|file| file.unwrap().path()) {
            if file.is_file() && !file.ends_with("wigeon.db") {
                fs::copy(&file, crashed.join(part).join(file.file_name().unwrap())).unwrap();
            }
        }
    }
    assert!(fs::metadata(crashed.join("wigeon.db-wal")).unwrap().len() > 0);
    drop(Store::open(&crashed, Durability::Fsync, 9).unwrap());
    assert_eq!(is_right(&crashed).position, 5);
}

#[test]
fn a_backup_never_takes_the_place_of_anything() {
    let (dir, _store) = play(vec![said("ann", "m1", "x")]);
    let place = tempfile::tempdir().unwrap();
    let to = place.path().join("copy");
    fs::create_dir(&to).unwrap();
    copy(dir.path(), &to).unwrap();
    assert!(matches!(copy(dir.path(), &to), Err(BackupError::Exists(_))), "that was an empty directory");
    let file = place.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(matches!(copy(dir.path(), &file), Err(BackupError::Exists(_))));
    let nowhere = place.path().join("no/where");
    assert!(matches!(copy(dir.path(), &nowhere), Err(BackupError::Write { .. })));
}

#[test]
fn nothing_is_left_of_a_backup_that_came_to_nothing() {
    let (dir, store) = play((0..200).map(|i| said("ann", &format!("m{i}"), &"x".repeat(1000))).collect());
    store.writer.close().unwrap();
    drop((store.readers, store.lock));
    // One page of the tables is not what was written.
    let file = dir.path().join("wigeon.db");
    let mut bytes = fs::read(&file).unwrap();
    let end = bytes.len() - 4096 * 3;
    bytes[end..end + 4096].fill(0xff);
    fs::write(&file, bytes).unwrap();
    let place = tempfile::tempdir().unwrap();
    let error = copy(dir.path(), &place.path().join("copy")).unwrap_err();
    assert!(matches!(error, BackupError::Unsound(_)), "{error}");
    assert_eq!(names(place.path()), Vec::<String>::new());
    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(copy(empty.path(), &place.path().join("copy")), Err(BackupError::NoData(_))));
    assert_eq!(names(empty.path()), Vec::<String>::new());
}
