//! How a cluster's log begins: nodes that find no stream agree on the epoch and the base of the one they make.
//!
//! They cannot settle it by making the stream: of two that are made at once under one name and with different
//! subjects, NATS 2.9 keeps the second and tells both makers that theirs was made. So what they make is the same.
//! Each puts a proposal into a small stream, which all make alike; its order decides, and the first proposal since
//! a log was last made holds. Who has made the log notes that there too, so that one who makes another, after
//! this one was deleted, does not find the old proposal.

use async_nats::jetstream::Context;
use async_nats::jetstream::stream::{Config, RetentionPolicy, StorageType, Stream};
use serde::{Deserialize, Serialize};
use wigeon_proto::cursor::Epoch;
use wigeon_proto::json;

use super::Nats;
use super::log::{NewLog, Obstacle, made, wrong};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Note {
    /// Somebody is about to make a log, unless another proposal stands before theirs.
    Proposed { epoch: u64, base: u64 },
    /// A log was made.
    Made,
}

/// Where nodes agree.
pub(super) struct Beginning<'a> {
    context: &'a Context,
    stream: Stream,
    subject: String,
}

impl<'a> Beginning<'a> {
    pub(super) async fn open(context: &'a Context, nats: &Nats) -> Result<Self, Obstacle> {
        let (name, subject) = (format!("{}-begin", nats.stream), format!("{}.begin", nats.stream));
        let config = Config {
            name: name.clone(),
            subjects: vec![subject.clone()],
            description: Some("Where the nodes of a Wigeon cluster agree on how its log begins".into()),
            num_replicas: nats.replicas,
            storage: StorageType::File,
            retention: RetentionPolicy::Limits,
            ..Config::default()
        };
        let stream = made(context.create_stream(config).await, &name)?;
        Ok(Self { context, stream, subject })
    }

    /// Proposes how a log may begin, and returns how it does.
    pub(super) async fn agree(&mut self, new: NewLog) -> Result<NewLog, Obstacle> {
        let note = Note::Proposed { epoch: new.epoch.bits(), base: new.base };
        let last = self.put(&note).await?;
        let notes = self.read(last).await?;
        first_proposal(&notes).ok_or_else(|| Obstacle::Passing("another node made the log".into()))
    }

    /// Notes that the log is made.
    pub(super) async fn made(&self) -> Result<(), Obstacle> {
        self.put(&Note::Made).await.map(drop)
    }

    async fn put(&self, note: &Note) -> Result<u64, Obstacle> {
        let passing =
            |error: async_nats::jetstream::context::PublishError| Obstacle::Passing(error.to_string());
        let ack =
            self.context.publish(self.subject.clone(), json::to_vec(note).into()).await.map_err(passing)?;
        Ok(ack.await.map_err(passing)?.sequence)
    }

    /// All notes, which reach up to `last` at least.
    async fn read(&mut self, last: u64) -> Result<Vec<Note>, Obstacle> {
        let passing = |reason: &dyn ToString| Obstacle::Passing(reason.to_string());
        let state = self.stream.info().await.map_err(|error| passing(&error))?.state.clone();
        if state.last_sequence < last {
            return Err(passing(&"a new leader does not know yet what the last one did"));
        }
        let mut notes = Vec::new();
        for sequence in state.first_sequence..=state.last_sequence {
            let message = self.stream.get_raw_message(sequence).await.map_err(|error| passing(&error))?;
            let note = serde_json::from_slice(&message.payload);
            let name = &self.stream.cached_info().config.name;
            notes.push(
                note.map_err(|error| Obstacle::Lasting(wrong(name, format!("holds no note: {error}"))))?,
            );
        }
        Ok(notes)
    }
}

/// The first proposal since a log was last made.
fn first_proposal(notes: &[Note]) -> Option<NewLog> {
    let open = notes.rsplit(|note| *note == Note::Made).next()?;
    open.iter().find_map(|note| match note {
        Note::Proposed { epoch, base } => Some(NewLog { epoch: Epoch::new(*epoch), base: *base }),
        Note::Made => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_proposal_since_a_log_was_last_made_holds() {
        let proposed = |epoch| Note::Proposed { epoch, base: 0 };
        let first = |notes: &[Note]| first_proposal(notes).map(|new| new.epoch.bits());
        assert_eq!(first(&[proposed(1), proposed(2)]), Some(1));
        assert_eq!(first(&[proposed(1), proposed(2), Note::Made]), None);
        assert_eq!(first(&[proposed(1), Note::Made, proposed(3), proposed(4)]), Some(3));
    }
}
