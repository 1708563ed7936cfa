//! What a scenario needs of the server it runs against, and whether its numbers go together.

use anyhow::{Result, ensure};

use super::arguments::{Cluster, Common, Output, Read, ResumeStorm, Scenario, Where};
use wigeon_proto::limits::WATCH_ROOMS_MAX;

use super::limits::{FILLING_AT_ONCE, PRELOAD_MAX, TEXT_BYTES_MIN};

/// Bytes of what is written beside the questions of `archive`.
const ARCHIVE_TEXT_BYTES: u32 = 128;

impl Scenario {
    /// Which server, unless it starts several by itself, and where the report goes.
    pub(super) fn common(&self) -> (Option<&Where>, &Output) {
        let Common { place, output } = match self {
            Self::Fanout(asked) => &asked.common,
            Self::Relay(asked) => &asked.common,
            Self::Idle(asked) => &asked.common,
            Self::Sse(asked) | Self::Longpoll(asked) => &asked.common,
            Self::ResumeStorm(asked) => &asked.common,
            Self::SlowReaders(asked) => &asked.common,
            Self::Group(asked) => &asked.common,
            Self::Archive(asked) => &asked.common,
            Self::Cluster(asked) => return (None, &asked.output),
        };
        (Some(place), output)
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Fanout(_) => "fanout",
            Self::Relay(_) => "relay",
            Self::Idle(_) => "idle",
            Self::Sse(_) => "sse",
            Self::Longpoll(_) => "longpoll",
            Self::ResumeStorm(_) => "resume-storm",
            Self::SlowReaders(_) => "slow-readers",
            Self::Group(_) => "group",
            Self::Archive(_) => "archive",
            Self::Cluster(_) => "cluster",
        }
    }

    /// How readers read, or who asks asks.
    pub(super) fn transport(&self) -> &'static str {
        let transport = match self {
            Self::Fanout(asked) => asked.way.transport,
            Self::Relay(asked) => asked.way.transport,
            Self::Idle(asked) => asked.way.transport,
            Self::Sse(_) => Read::Sse,
            Self::Longpoll(_) => Read::Longpoll,
            Self::ResumeStorm(asked) => asked.way.transport,
            Self::SlowReaders(asked) => asked.way.transport,
            Self::Group(asked) => asked.way.transport,
            Self::Archive(_) => return "http",
            Self::Cluster(_) => Read::Websocket,
        };
        transport.as_str()
    }

    /// How many rooms it takes, and the size of a text; fails where numbers do not go together.
    pub(super) fn rooms(&self) -> Result<(usize, u32)> {
        match self {
            Self::Fanout(asked) => Ok((1, asked.load.size)),
            Self::Sse(asked) | Self::Longpoll(asked) => Ok((1, asked.load.size)),
            Self::Relay(asked) => Ok((asked.pairs as usize, asked.load.size)),
            Self::Idle(_) => Ok((1, TEXT_BYTES_MIN as u32)),
            Self::ResumeStorm(asked) => {
                ensure!(
                    asked.preload() <= PRELOAD_MAX,
                    "{} messages would have to be written first, and {PRELOAD_MAX} is the most\n  hint: a smaller --behind, or a larger --sharing",
                    asked.preload()
                );
                Ok((asked.rooms_in_all(), asked.size))
            }
            Self::SlowReaders(asked) => {
                ensure!(
                    asked.stalled < asked.readers,
                    "--stalled must be less than --readers: somebody has to go on"
                );
                Ok((1, asked.size))
            }
            Self::Group(asked) => {
                ensure!(asked.readers <= asked.members, "--readers are members, so at most --members");
                Ok((1, asked.load.size))
            }
            Self::Archive(asked) => {
                let most = asked.rooms_each.max(asked.rooms_of_busiest);
                ensure!(
                    most <= asked.rooms,
                    "nobody can be in {most} of {} rooms\n  hint: a larger --rooms, or smaller --rooms-each and --rooms-of-busiest",
                    asked.rooms
                );
                Ok((asked.rooms as usize, ARCHIVE_TEXT_BYTES))
            }
            Self::Cluster(asked) => Ok((asked.rooms(), asked.size)),
        }
    }

    /// Whether its rooms are public channels that come into being by a first message; else it makes them itself.
    pub(super) fn is_in_public(&self) -> bool {
        !matches!(self, Self::Group(_) | Self::Archive(_))
    }

    /// Connections to be open at once.
    pub(super) fn connections(&self) -> usize {
        let connections = match self {
            Self::Fanout(asked) => asked.readers,
            Self::Relay(asked) => 2 * asked.pairs,
            Self::Idle(asked) => asked.readers,
            Self::Sse(asked) | Self::Longpoll(asked) => asked.readers,
            Self::ResumeStorm(asked) => asked.clients.saturating_add(asked.witnesses),
            Self::SlowReaders(asked) => asked.readers,
            Self::Group(asked) => asked.readers,
            Self::Archive(asked) => asked.at_once,
            Self::Cluster(asked) => asked.connections(),
        };
        connections as usize
    }
}

impl Cluster {
    /// A room for each producer, one for each pair, and those that are filled for the new node.
    pub(super) fn rooms(&self) -> usize {
        (self.producers + self.pairs) as usize + FILLING_AT_ONCE
    }

    /// Connections to one installation: pairs and producers, and on each node readers who look whether all is there.
    fn connections(&self) -> u32 {
        2 * self.pairs + self.producers + (self.nodes + 1) * self.rooms().div_ceil(WATCH_ROOMS_MAX) as u32
    }
}

impl ResumeStorm {
    pub(super) fn groups(&self) -> usize {
        self.clients.div_ceil(self.sharing) as usize
    }

    /// The rooms of a group.
    pub(super) fn rooms_of(&self, group: usize) -> Vec<usize> {
        let first = 1 + group * self.rooms as usize;
        (first..first + self.rooms as usize).collect()
    }

    /// All rooms there are.
    pub(super) fn rooms_in_all(&self) -> usize {
        1 + self.groups() * self.rooms as usize
    }

    /// Messages to be written before it begins.
    pub(super) fn preload(&self) -> u64 {
        self.groups() as u64 * u64::from(self.behind)
    }
}
