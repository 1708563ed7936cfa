//! Whether all nodes come to the same: each tells the others, every so many entries, a digest of what they came
//! to here.
//!
//! Rules and tables are deterministic, so digests differ only where something is broken: a disk, a build, a
//! bug. A node that stands against a majority takes itself out of service, because whoever is shown what it holds is
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
    own: BTreeMap<u64, String>,
    others: BTreeMap<u64, HashMap<String, String>>,
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// No reason to doubt ours.
    Same,
    /// More nodes have come to one other result than to ours.
    Diverged,
    /// Somebody has come to another, and no majority says who is wrong.
    Divided,
}

impl Voices {
    fn own(&mut self, Digest { last, sum }: Digest) -> Verdict {
        self.own.insert(last, sum);
        if self.own.len() > CLUSTER_DIGESTS_KEPT {
            self.own.pop_first();
        }
        self.judge(last)
    }

    fn other(&mut self, node: &str, Digest { last, sum }: Digest) -> Verdict {
        let heard = self.others.entry(last).or_default();
        if heard.len() < CLUSTER_NODES_MAX {
            heard.insert(node.to_owned(), sum);
        }
        if self.others.len() > CLUSTER_DIGESTS_KEPT {
            self.others.pop_first();
        }
        self.judge(last)
    }

    fn judge(&self, last: u64) -> Verdict {
        let (Some(own), Some(heard)) = (self.own.get(&last), self.others.get(&last)) else {
            return Verdict::Same;
        };
        let mut votes: HashMap<&str, usize> = HashMap::new();
        for sum in heard.values() {
            *votes.entry(sum).or_default() += 1;
        }
        let ours = 1 + votes.remove(own.as_str()).unwrap_or_default();
        let most = votes.into_values().max().unwrap_or_default();
        match most.cmp(&ours) {
            Ordering::Greater => Verdict::Diverged,
            Ordering::Equal => Verdict::Divided,
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
            Verdict::Diverged => {
                let text = format!(
                    "entries {first} to {last} have come to something else here than with most other nodes: this \
                     node's data is wrong. Start it from a copy of another's (docs/operating.md)"
                );
                if let Err(error) = fs::write(mark(&directory), format!("{text}\n")) {
                    tracing::error!(%error, "that this node's data is wrong cannot be noted beside it");
                }
                sequencer.fail(Fault::Stream(text)).await;
            }
            Verdict::Divided if divided == last => {}
            Verdict::Divided => {
                divided = last;
                tracing::error!(
                    first,
                    last,
                    "entries have come to something else here than with another node, and no majority says which \
                     of them is wrong"
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
        let said = |sum: &str| Digest { last: 9, sum: sum.to_owned() };
        let mut voices = Voices::default();
        assert_eq!(voices.other("b", said("x")), Verdict::Same, "nothing to compare with yet");
        assert_eq!(voices.own(said("y")), Verdict::Divided);
        assert_eq!(voices.other("c", said("z")), Verdict::Divided, "three opinions");
        assert_eq!(voices.other("d", said("x")), Verdict::Diverged);
        assert_eq!(voices.other("e", said("y")), Verdict::Divided);
        assert_eq!(voices.other("f", said("y")), Verdict::Same, "the others go");
    }
}
