//! What entries came to, as a short digest of each stretch of them: the same on every node of a cluster.
//! A second sum, of the entries themselves, says of nodes that differ whether they read the same log.
//!
//! A digest covers one stretch of positions and nothing before it: so a node that starts joins in with the next
//! stretch, and needs to keep nothing.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use wigeon_proto::limits::{CLUSTER_DIGEST_ENTRIES, CLUSTER_DIGESTS_KEPT};

use crate::step::{Admitted, Answer};

/// What a stretch of entries came to, as a node tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Digest {
    /// The stretch's last position.
    pub(crate) last: u64,
    pub(crate) sum: String,
    /// Of the entries that were read.
    #[serde(default)]
    pub(crate) read: String,
}

/// On the thread that applies: gathers what entries come to.
#[derive(Debug)]
pub(crate) struct Digester {
    sum: Sha256,
    read: Sha256,
    /// The stretch was seen from its beginning.
    is_whole: bool,
    finished: mpsc::Sender<Digest>,
}

impl Digester {
    pub(crate) fn new() -> (Self, mpsc::Receiver<Digest>) {
        let (finished, digests) = mpsc::channel(CLUSTER_DIGESTS_KEPT);
        (Self { sum: Sha256::new(), read: Sha256::new(), is_whole: false, finished }, digests)
    }

    /// Takes in the entry at a position, if it is one, and what it came to.
    pub(crate) fn note(
        &mut self,
        position: u64,
        entry: Option<&Admitted>,
        answer: &Answer,
        event: Option<&[u8]>,
    ) {
        if position % CLUSTER_DIGEST_ENTRIES == 1 {
            (self.sum, self.read, self.is_whole) = (Sha256::new(), Sha256::new(), true);
        }
        self.read.update(entry.map(Admitted::mark).unwrap_or_default());
        // Of a refusal only the code: its words may be another version's.
        let (kind, bytes) = match answer {
            Ok(reply) => (0_u8, reply.as_slice()),
            Err(error) => (1, error.code.as_str().as_bytes()),
        };
        self.sum.update([kind]);
        for part in [bytes, event.unwrap_or_default()] {
            self.sum.update((part.len() as u64).to_le_bytes());
            self.sum.update(part);
        }
        if position.is_multiple_of(CLUSTER_DIGEST_ENTRIES) && std::mem::take(&mut self.is_whole) {
            let [sum, read] = [&mut self.sum, &mut self.read].map(hex);
            // With a full line one is left out.
            let _ = self.finished.try_send(Digest { last: position, sum, read });
        }
    }
}

/// 128 bits of a sum, which begins anew.
fn hex(sum: &mut Sha256) -> String {
    sum.finalize_reset().iter().take(16).fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use wigeon_core::entry::{Entry, Rights};
    use wigeon_proto::error::{ErrorCode, WireError};
    use wigeon_proto::id::{CommandId, UserId};

    const LENGTH: u64 = CLUSTER_DIGEST_ENTRIES;

    /// The digests of a node that sees these positions.
    fn digests(positions: impl Iterator<Item = u64>, answer: impl Fn(u64) -> Answer) -> Vec<Digest> {
        let (mut digester, mut finished) = Digester::new();
        positions.for_each(|position| digester.note(position, None, &answer(position), Some(b"event")));
        std::iter::from_fn(|| finished.try_recv().ok()).collect()
    }

    fn reply(position: u64) -> Vec<u8> {
        position.to_string().into_bytes()
    }

    #[test]
    fn nodes_that_start_at_different_positions_agree_on_whole_stretches() {
        let whole = digests(1..=3 * LENGTH, |position| Ok(reply(position)));
        assert_eq!(
            whole.iter().map(|digest| digest.last).collect::<Vec<_>>(),
            [LENGTH, 2 * LENGTH, 3 * LENGTH]
        );
        assert_eq!(
            digests(7..=3 * LENGTH, |position| Ok(reply(position))),
            whole[1..],
            "the first one is left out"
        );
    }

    #[test]
    fn whatever_an_entry_came_to_is_in_the_digest() {
        let same = digests(1..=LENGTH, |position| Ok(reply(position)));
        let other = |answer: fn(u64) -> Answer| {
            digests(1..=LENGTH, move |p| if p == 5 { answer(p) } else { Ok(reply(p)) })
        };
        assert_ne!(other(|_| Ok(b"other".to_vec())), same);
        let refused = other(|_| Err(WireError::new(ErrorCode::NotFound, "none")));
        assert_ne!(refused, same);
        assert_eq!(
            other(|_| Err(WireError::new(ErrorCode::NotFound, "no such thing"))),
            refused,
            "in other words"
        );
    }

    #[test]
    fn who_read_something_else_says_so_whatever_it_came_to() {
        let entry = |id: &str| {
            let (ann, id) = (UserId::parse("ann").unwrap(), CommandId::parse(id).unwrap());
            let name = serde_json::from_value(json!({"type":"user.update","name":"Ann"})).unwrap();
            Admitted::from(Entry::new(ann, Rights::User, 1, id, name))
        };
        let read = |fifth: Option<&str>| {
            let (mut digester, mut finished) = Digester::new();
            for position in 1..=LENGTH {
                let entry = fifth.filter(|_| position == 5).map(entry);
                digester.note(position, entry.as_ref(), &Ok(reply(position)), None);
            }
            finished.try_recv().unwrap()
        };
        let (none, one, other) = (read(None), read(Some("1")), read(Some("2")));
        assert!(none.sum == one.sum && one.sum == other.sum);
        assert!(none.read != one.read && one.read != other.read);
        assert_eq!(one, read(Some("1")));
    }
}
