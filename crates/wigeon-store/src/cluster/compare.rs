//! Whether all nodes come to the same: each tells the others, every so many entries, a digest of what they came
//! to here.
//!
//! Rules and tables are deterministic, so digests differ only where something is broken: a disk, a build, a
//! bug, or NATS, whose servers may come to hold different messages. A node that stands against a majority takes itself out of service, because whoever is shown what it holds is
//! shown something else than everybody else. It notes so in its directory: who starts it again would else bring it
//! back. Where there is no majority, it can only say so.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_nats::HeaderMap;
use futures_util::StreamExt as _;
use tokio::sync::mpsc;
use wigeon_proto::json;
use wigeon_proto::limits::{CLUSTER_DIGEST_ENTRIES, CLUSTER_DIGESTS_KEPT, CLUSTER_NODES_MAX};

use super::{JoinError, ORIGIN};
use crate::Fault;
use crate::digest::Digest;
use crate::nats::{Log, NatsError};
use crate::sequencer::Sequencer;

/// The file that says what is wrong with a directory.
fn mark(directory: &Path) -> PathBuf {
    directory.join("diverged")
}

/// Refuses a directory that was found to be wrong.
pub(super) fn was_right(directory: &Path) -> Result<(), JoinError> {
    match fs::read_to_string(mark(directory)) {
        Ok(text) => Err(JoinError::Apart(format!("when it last ran, {}", text.trim_end()))),
        Err(_) => Ok(()),
    }
}

/// What nodes said of the last stretches.
#[derive(Debug, Default)]
struct Voices {
    own: BTreeMap<u64, Digest>,
    others: BTreeMap<u64, HashMap<String, Digest>>,
    /// Another node was given other entries than we: what differs from then on may follow from it.
    apart: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// No reason to doubt ours.
    Same,
    /// More nodes have come to one other result than to ours.
    Diverged(Cause),
    /// Somebody has come to another, and no majority says who is wrong.
    Divided(Cause),
}

/// Why two nodes have come to different results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// From the same entries, as far as is known.
    Fold,
    /// The stream gave them different ones, here or before.
    Stream,
}

impl Cause {
    /// What is said of the stretch.
    fn text(self) -> &'static str {
        match self {
            Self::Fold => "have come to something else here",
            Self::Stream => {
                "have come to something else here, since the servers of NATS hold different messages,"
            }
        }
    }
}

impl Voices {
    fn own(&mut self, digest: Digest) -> Verdict {
        let last = digest.last;
        self.own.insert(last, digest);
        if self.own.len() > CLUSTER_DIGESTS_KEPT {
            self.own.pop_first();
        }
        self.judge(last)
    }

    fn other(&mut self, node: &str, digest: Digest) -> Verdict {
        let last = digest.last;
        let heard = self.others.entry(last).or_default();
        if heard.len() < CLUSTER_NODES_MAX {
            heard.insert(node.to_owned(), digest);
        }
        if self.others.len() > CLUSTER_DIGESTS_KEPT {
            self.others.pop_first();
        }
        self.judge(last)
    }

    fn judge(&mut self, last: u64) -> Verdict {
        let (Some(own), Some(heard)) = (self.own.get(&last), self.others.get(&last)) else {
            return Verdict::Same;
        };
        let mut votes: HashMap<&str, usize> = HashMap::new();
        for theirs in heard.values() {
            *votes.entry(&theirs.sum).or_default() += 1;
            // An older version does not say what it read.
            self.apart |= !theirs.read.is_empty() && theirs.read != own.read;
        }
        let cause = if self.apart { Cause::Stream } else { Cause::Fold };
        let ours = 1 + votes.remove(own.sum.as_str()).unwrap_or_default();
        let most = votes.into_values().max().unwrap_or_default();
        match most.cmp(&ours) {
            Ordering::Greater => Verdict::Diverged(cause),
            Ordering::Equal => Verdict::Divided(cause),
            // Where there is another result, it is the other one who goes.
            Ordering::Less => Verdict::Same,
        }
    }
}

/// Tells the others and hears them, until the sequencer has ended, or ends it.
pub(super) async fn run<F: Send + 'static, R: Send + 'static>(
    log: Arc<Log>,
    origin: String,
    sequencer: Sequencer<F, R>,
    mut finished: mpsc::Receiver<Digest>,
    directory: PathBuf,
) -> Result<(), NatsError> {
    let subject = format!("{}.digests.{:010x}", log.stream, log.epoch.bits());
    let mut told = log.listen(&subject).await?;
    let (mut voices, mut divided) = (Voices::default(), 0);
    loop {
        let (last, verdict) = tokio::select! {
            Some(digest) = finished.recv() => {
                let mut headers = HeaderMap::new();
                headers.insert(ORIGIN, origin.as_str());
                // Whoever does not hear it compares the next one.
                let _ = log.client.publish_with_headers(subject.clone(), headers, json::to_vec(&digest).into()).await;
                (digest.last, voices.own(digest))
            }
            Some(message) = told.next() => {
                let node = message.headers.as_ref().and_then(|headers| headers.get(ORIGIN));
                let digest = serde_json::from_slice::<Digest>(&message.payload);
                let (Some(node), Ok(digest)) = (node, digest) else { continue };
                if node.as_str() == origin {
                    continue;
                }
                (digest.last, voices.other(node.as_str(), digest))
            }
            () = sequencer.ended() => return Ok(()),
        };
        let first = last.saturating_sub(CLUSTER_DIGEST_ENTRIES) + 1;
        match verdict {
            Verdict::Same => {}
            Verdict::Diverged(cause) => {
                let text = format!(
                    "entries {first} to {last} {} than with most other nodes: this node's data is wrong. Start it \
                     from a copy of another's (docs/operating.md)",
                    cause.text()
                );
                if let Err(error) = fs::write(mark(&directory), format!("{text}\n")) {
                    tracing::error!(%error, "that this node's data is wrong cannot be noted beside it");
                }
                sequencer.fail(Fault::Stream(text)).await;
            }
            Verdict::Divided(_) if divided == last => {}
            Verdict::Divided(cause) => {
                divided = last;
                let what = cause.text();
                tracing::error!(
                    "entries {first} to {last} {what} than with another node, and no majority says which of them is wrong"
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_wrong_stays_so() {
        let directory = tempfile::tempdir().unwrap();
        was_right(directory.path()).unwrap();
        fs::write(mark(directory.path()), "entries differ\n").unwrap();
        let refused = was_right(directory.path()).unwrap_err();
        assert_eq!(refused.to_string(), "when it last ran, entries differ");
    }

    #[test]
    fn who_stands_against_a_majority_goes() {
        let said = |sum: &str| Digest { last: 9, sum: sum.to_owned(), read: String::new() };
        let mut voices = Voices::default();
        let (diverged, divided) = (Verdict::Diverged(Cause::Fold), Verdict::Divided(Cause::Fold));
        assert_eq!(voices.other("b", said("x")), Verdict::Same, "nothing to compare with yet");
        assert_eq!(voices.own(said("y")), divided);
        assert_eq!(voices.other("c", said("z")), divided, "three opinions");
        assert_eq!(voices.other("d", said("x")), diverged);
        assert_eq!(voices.other("e", said("y")), divided);
        assert_eq!(voices.other("f", said("y")), Verdict::Same, "the others go");
    }

    #[test]
    fn who_read_another_log_is_told_from_who_made_something_else_of_it() {
        let said = |sum: &str, read: &str| Digest { last: 9, sum: sum.to_owned(), read: read.to_owned() };
        let mut voices = Voices::default();
        voices.own(said("x", "1"));
        assert_eq!(voices.other("b", said("y", "1")), Verdict::Divided(Cause::Fold));
        assert_eq!(voices.other("b", said("y", "2")), Verdict::Divided(Cause::Stream));
        assert_eq!(voices.other("c", said("y", "2")), Verdict::Diverged(Cause::Stream));
        let later = |sum: &str| Digest { last: 18, ..said(sum, "3") };
        voices.own(later("x"));
        assert_eq!(voices.other("b", later("y")), Verdict::Divided(Cause::Stream), "it follows from before");
    }
}
