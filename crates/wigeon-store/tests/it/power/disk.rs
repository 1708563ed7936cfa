//! A disk that loses power: what a recorded process did, up to any moment, as the disk may have it afterwards.
//!
//! Of what was written after a file's last sync, any sectors may be there and any not. Names that were made,
//! changed or removed after a directory's last sync may be as they were or as they are, in the order in which it
//! was done. That is harsher than most file systems are.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

const SECTOR: usize = 512;

/// Something that was done to a file or a directory.
#[derive(Debug)]
pub(crate) enum Deed {
    Create { path: PathBuf, file: u64 },
    Write { file: u64, at: usize, bytes: Vec<u8> },
    Truncate { file: u64, length: usize },
    Sync { file: u64 },
    SyncDirectory { path: PathBuf },
    Rename { from: PathBuf, to: PathBuf },
    Remove { path: PathBuf },
    MakeDirectory { path: PathBuf },
}

/// What becomes of that which was not synced.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fate {
    Lost,
    Kept,
    /// Sector by sector, some is and some is not.
    Torn,
}

/// Reads what `record.c` wrote. Paths are told from `root` on.
pub(crate) fn deeds(record: &Path, root: &Path) -> Vec<Deed> {
    let bytes = fs::read(record).unwrap();
    let (mut rest, mut deeds) = (bytes.as_slice(), Vec::new());
    while !rest.is_empty() {
        let mut take = |count: usize| {
            let (taken, left) = rest.split_at(count);
            rest = left;
            taken
        };
        let number = |bytes: &[u8]| bytes.iter().rev().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        let (what, path, other) = (number(take(4)), number(take(4)), number(take(4)));
        take(4);
        let (file, at, length) = (number(take(8)), number(take(8)) as usize, number(take(8)));
        let mut name = |length: u64| {
            let path = Path::new(std::str::from_utf8(take(length as usize)).unwrap());
            path.strip_prefix(root).unwrap_or(Path::new("")).to_owned()
        };
        let (path, other) = (name(path), name(other));
        let bytes = take(length as usize).to_vec();
        deeds.push(match what {
            1 => Deed::Create { path, file },
            2 => Deed::Write { file, at, bytes },
            3 => Deed::Truncate { file, length: at },
            4 => Deed::Sync { file },
            5 => Deed::SyncDirectory { path },
            6 => Deed::Rename { from: path, to: other },
            7 => Deed::Remove { path },
            8 => Deed::MakeDirectory { path },
            _ => panic!("no deed {what}"),
        });
    }
    deeds
}

#[derive(Debug, Default)]
struct File {
    /// As the disk surely has it.
    synced: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    Bytes(usize, Vec<u8>),
    Length(usize),
}

impl Change {
    fn make(&self, bytes: &mut Vec<u8>, mut keeps: impl FnMut() -> bool) {
        match self {
            Self::Length(length) => {
                if keeps() {
                    bytes.resize(*length, 0);
                }
            }
            Self::Bytes(at, written) => {
                let (mut at, mut rest) = (*at, written.as_slice());
                while !rest.is_empty() {
                    let count = (SECTOR - at % SECTOR).min(rest.len());
                    if keeps() {
                        bytes.resize(bytes.len().max(at + count), 0);
                        bytes[at..at + count].copy_from_slice(&rest[..count]);
                    }
                    (at, rest) = (at + count, &rest[count..]);
                }
            }
        }
    }
}

/// Names, and the files they stand for; none for a directory.
type Names = HashMap<PathBuf, Option<usize>>;

#[derive(Debug, Clone)]
enum Naming {
    Put(PathBuf, Option<usize>),
    Move(PathBuf, PathBuf),
    Drop(PathBuf),
}

impl Naming {
    fn is_in(&self, directory: &Path) -> bool {
        let (Self::Put(path, _) | Self::Move(path, _) | Self::Drop(path)) = self;
        path.parent() == Some(directory)
    }

    fn make(&self, names: &mut Names) {
        match self {
            Self::Put(path, file) => drop(names.insert(path.clone(), *file)),
            Self::Move(from, to) => {
                if let Some(file) = names.remove(from) {
                    names.insert(to.clone(), file);
                }
            }
            Self::Drop(path) => drop(names.remove(path)),
        }
    }
}

/// The disk, after some deeds.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    files: Vec<File>,
    /// Which file a number of the system stands for at present.
    numbers: HashMap<u64, usize>,
    names: Names,
    pending: Vec<Naming>,
}

impl Disk {
    pub(crate) fn after(&mut self, deed: &Deed) {
        match deed {
            Deed::Create { path, file } => {
                self.numbers.insert(*file, self.files.len());
                self.pending.push(Naming::Put(path.clone(), Some(self.files.len())));
                self.files.push(File::default());
            }
            Deed::Write { file, at, bytes } => {
                self.file(*file).pending.push(Change::Bytes(*at, bytes.clone()));
            }
            Deed::Truncate { file, length } => self.file(*file).pending.push(Change::Length(*length)),
            Deed::Sync { file } => {
                let File { synced, pending } = self.file(*file);
                pending.drain(..).for_each(|change| change.make(synced, || true));
            }
            Deed::SyncDirectory { path } => {
                let (here, elsewhere): (Vec<_>, _) =
                    self.pending.drain(..).partition(|naming| naming.is_in(path));
                self.pending = elsewhere;
                for naming in here {
                    naming.make(&mut self.names);
                }
            }
            Deed::Rename { from, to } => self.pending.push(Naming::Move(from.clone(), to.clone())),
            Deed::Remove { path } => self.pending.push(Naming::Drop(path.clone())),
            Deed::MakeDirectory { path } => self.pending.push(Naming::Put(path.clone(), None)),
        }
    }

    fn file(&mut self, number: u64) -> &mut File {
        &mut self.files[self.numbers[&number]]
    }

    /// What a machine finds that comes up again, put into a directory.
    pub(crate) fn put(&self, directory: &Path, fate: Fate, mut roll: impl FnMut(u64) -> u64) {
        let mut names = self.names.clone();
        let kept = match fate {
            Fate::Lost => 0,
            Fate::Kept => self.pending.len(),
            Fate::Torn => roll(self.pending.len() as u64 + 1) as usize,
        };
        self.pending[..kept].iter().for_each(|naming| naming.make(&mut names));
        let mut names: Vec<_> = names.into_iter().collect();
        names.sort_unstable();
        for (name, file) in names {
            let path = directory.join(name);
            let Some(file) = file else {
                fs::create_dir_all(path).unwrap();
                continue;
            };
            let File { synced, pending } = &self.files[file];
            let mut bytes = synced.clone();
            let mut keeps = || match fate {
                Fate::Lost => false,
                Fate::Kept => true,
                Fate::Torn => roll(2) == 0,
            };
            for change in pending {
                change.make(&mut bytes, &mut keeps);
            }
            // A file whose directory is not there is not there.
            if path.parent().is_some_and(Path::is_dir) {
                fs::write(path, bytes).unwrap();
            }
        }
    }
}
