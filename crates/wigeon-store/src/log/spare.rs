//! The next segment, made ready while the present one fills.
//!
//! The first sync of a byte that was never written has the file system write where that byte is, too: on
//! ext4 it waits for a commit of the file system's own journal, and with it for whatever else that holds.
//! (So does one of a byte that was only reserved, by `fallocate`.) A byte that was written before has its
//! place. So a segment is filled with zeros, a piece at a time, by a thread that nobody waits for. It also makes
//! names durable, for the same reason: that of the segment in use before it begins, then that of the spare itself.

use std::fs::{self, File};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};

use super::{SPARE, sync_directory};

/// Bytes written and synced at once: what an acknowledgement may find before it in the disk's queue.
const PIECE_BYTES: usize = 1024 * 1024;

/// A segment without a name.
#[derive(Debug)]
pub(crate) struct Spare {
    path: PathBuf,
    /// How large it is to be.
    pub(crate) bytes: u64,
    thread: Option<JoinHandle<io::Result<File>>>,
}

impl Spare {
    /// Begins to make one of `bytes`.
    pub(crate) fn prepare(directory: &Path, bytes: u64, sync: bool) -> Self {
        let path = directory.join(SPARE);
        let (theirs, directory) = (path.clone(), directory.to_owned());
        let run = move || {
            let keep_names = || if sync { sync_directory(&directory) } else { Ok(()) };
            // The one in use may still have this name on the disk.
            keep_names()?;
            let file = File::create(theirs)?;
            fill(&file, 0, bytes, sync)?;
            keep_names()?;
            Ok(file)
        };
        let thread = thread::Builder::new().name("spare".into()).spawn(run).ok();
        Self { path, bytes, thread }
    }

    /// Whether there is nothing to wait for.
    pub(crate) fn is_ready(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Gives it its name, which is not durable yet. `None` if it could not be made: the disk is full, or will soon be.
    pub(crate) fn take(mut self, path: &Path) -> io::Result<Option<File>> {
        let made = self.thread.take().and_then(|thread| thread.join().ok());
        match made {
            Some(Ok(file)) => fs::rename(&self.path, path).map(|()| Some(file)),
            Some(Err(error)) => {
                tracing::warn!(%error, "cannot prepare a segment of the log");
                Ok(None)
            }
            None => Ok(None),
        }
    }
}

impl Drop for Spare {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            // What is left over is removed at the next start.
            let _ = thread.join();
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Fills a file with zeros between two offsets, and leaves it at the first of them.
pub(crate) fn fill(mut file: &File, from: u64, to: u64, sync: bool) -> io::Result<()> {
    let zeros = vec![0; PIECE_BYTES];
    file.seek(SeekFrom::Start(from))?;
    let mut rest = to.saturating_sub(from);
    while rest > 0 {
        let piece = rest.min(PIECE_BYTES as u64);
        file.write_all(&zeros[..piece as usize])?;
        if sync {
            file.sync_data()?;
        }
        rest -= piece;
    }
    file.seek(SeekFrom::Start(from))?;
    Ok(())
}
