//! What can be said to `wigeon bench`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, value_parser};
use wigeon_proto::transport::Transport;

use super::limits::{
    AT_ONCE_MAX, BEHIND_MAX, CONNECTIONS_MAX, GROUP_MEMBERS_MAX, MESSAGES_MAX, NODES_MAX, PAIRS_MAX,
    PHASE_S_MAX, PRODUCERS_MAX, RATE_MAX, REQUESTS_MAX, ROOMS_MAX, ROOMS_PER_CLIENT_MAX, TEXT_BYTES_MAX,
    TEXT_BYTES_MIN, USERS_MAX, WINDOW_MAX,
};
use super::process::{Cpus, parse_cpus};

const PLACE: &str = "Which server";
const REPORT: &str = "Report";

const EXAMPLES: &str = "\
Examples:
  wigeon bench fanout
      A thousand readers of one room.
  wigeon bench resume-storm --plot storm.html
      A thousand clients come back at once; the charts go to a page.
  wigeon bench idle --readers 10000 --json -
      What a connection weighs, as JSON.
  wigeon bench relay --url http://127.0.0.1:8088 --secret-file wigeon-data/secret --pid 4711
      A server that is running already.

wigeon bench SCENARIO --help says what each of them does and takes.";

/// What `wigeon bench` is asked to do.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
#[command(subcommand_value_name = "SCENARIO", subcommand_help_heading = "Scenarios")]
#[command(disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(super) scenario: Scenario,
}

#[derive(Debug, Subcommand)]
pub(super) enum Scenario {
    /// One room, many readers: what a delivery costs
    ///
    /// One publisher, one room, many readers who all get every message. With `--window 1` (the default) a
    /// message is sent when everybody has the one before, so that nothing can be written together: the price
    /// of a single message. A larger window shows what is gained when several leave in one write. `--rate`
    /// sends at a fixed pace, whatever the server does: for latency, and for what a mostly idle server costs.
    #[command(after_help = "\
Examples:
  wigeon bench fanout
  wigeon bench fanout --readers 5000 --rate 20 --seconds 10
  wigeon bench fanout --window 64 --durability memory --server-cpus 0 --client-cpus 1")]
    Fanout(Fanout),
    /// Many pairs: from A through the server to B
    ///
    /// In each pair A sends to a room that B reads, and sends again when B has it: the way of a chat message,
    /// stored before it is shown. With `--rate` that many are sent a second over all pairs.
    #[command(after_help = "\
Examples:
  wigeon bench relay
  wigeon bench relay --pairs 200 --rate 1000")]
    Relay(Relay),
    /// Connections that say nothing: what each of them weighs
    ///
    /// Opens connections and waits. Measures the memory of each, the CPU time to open it, and what the server
    /// spends on so many silent ones; then sends five messages to all, to see that they are alive, and measures
    /// the memory again.
    #[command(after_help = "\
Examples:
  wigeon bench idle
  wigeon bench idle --readers 1000 --transport sse --hold 20")]
    Idle(Idle),
    /// `fanout` by Server-Sent Events
    Sse(Fixed),
    /// `fanout` by long polling: a request for every delivery
    Longpoll(Fixed),
    /// Everybody comes back at once, with a cursor and something missed
    ///
    /// Clients share small rooms in which messages were sent while they were away. They all return in the same
    /// moment, each with its cursor, while new messages keep coming, also into these rooms. Measures how long it
    /// takes until all are level, and the latency of those who were there all the time, before and meanwhile.
    #[command(after_help = "\
Examples:
  wigeon bench resume-storm
  wigeon bench resume-storm --clients 10000 --transport sse")]
    ResumeStorm(ResumeStorm),
    /// Some readers stop reading: do the others notice?
    ///
    /// All follow one room at a steady rate. After a quiet phase some of them stop to read while their
    /// connections stay open. Measures the latency of the others before and meanwhile, and the server's memory;
    /// then the stalled ones read on and must get all they missed, in order.
    #[command(after_help = "\
Examples:
  wigeon bench slow-readers
  wigeon bench slow-readers --readers 1000 --stalled 100 --rate 50")]
    SlowReaders(SlowReaders),
    /// A group of thousands: what a message and a read mark cost
    ///
    /// One group with many members, some of whom are there; one of them writes. Measures how long a message
    /// takes to be acknowledged and to be with them, and how many records of the log it costs. Then every member
    /// marks the room as read, and the frames are counted which that brings to those who are there.
    #[command(after_help = "\
Examples:
  wigeon bench group
  wigeon bench group --members 10000 --readers 1000 --rate 20")]
    Group(Group),
    /// A large archive: how long opening the page, catching up, paging and searching take
    ///
    /// Fills rooms with messages, a few of them large and most small, and makes users members of some of them.
    /// Then they ask what the page asks, one question after the other, first by themselves and then again while
    /// messages are written. Every answer is looked at; a wrong one makes the run a failure.
    #[command(after_help = "\
Examples:
  wigeon bench archive
  wigeon bench archive --rooms 20000 --messages 2000000 --users 500
      What the figures in docs/performance.md are of; some minutes and 2 GB of disk.")]
    Archive(Archive),
    /// A cluster beside a single machine: what sharing the log costs, and how fast a new node catches up
    ///
    /// Starts three installations one after the other, all on this machine: one server with a log of its own, one
    /// node over one server of NATS, and a cluster. Each gets the same load: pairs who talk by different nodes, for
    /// latency, then as many senders as are asked for, who send on as soon as they are acknowledged. At last a new
    /// node with an empty directory catches up with the cluster's log. Every node must have every message.
    ///
    /// `nats-server` (2.9 or later) has to be in PATH, and runs as it comes: it syncs its files every two minutes.
    /// `--durability` is the single server's.
    #[command(after_help = "\
Examples:
  wigeon bench cluster
  wigeon bench cluster --entries 1000000
      What the figures in docs/performance.md are of; some minutes and 5 GB of disk.
  wigeon bench cluster --nodes 1 --nats-servers 1 --producers 1000")]
    Cluster(Cluster),
}

#[derive(Debug, Args)]
pub(super) struct Fanout {
    /// Readers of the room
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = value_parser!(u32).range(1..=CONNECTIONS_MAX))]
    pub(super) readers: u32,
    #[command(flatten)]
    pub(super) way: Way,
    #[command(flatten)]
    pub(super) load: Load,
    #[command(flatten)]
    pub(super) common: Common,
}

/// [`Fanout`] where the transport is the scenario's name.
#[derive(Debug, Args)]
pub(super) struct Fixed {
    /// Readers of the room
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = value_parser!(u32).range(1..=CONNECTIONS_MAX))]
    pub(super) readers: u32,
    #[command(flatten)]
    pub(super) load: Load,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Args)]
pub(super) struct Relay {
    /// Pairs; each has two connections
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = value_parser!(u32).range(1..=CONNECTIONS_MAX / 2))]
    pub(super) pairs: u32,
    #[command(flatten)]
    pub(super) way: Way,
    #[command(flatten)]
    pub(super) load: Load,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Args)]
pub(super) struct Idle {
    /// Connections
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = value_parser!(u32).range(1..=CONNECTIONS_MAX))]
    pub(super) readers: u32,
    /// Seconds of silence
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = value_parser!(u32).range(1..=PHASE_S_MAX))]
    pub(super) hold: u32,
    #[command(flatten)]
    pub(super) way: Way,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Args)]
pub(super) struct ResumeStorm {
    /// Clients that come back
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = value_parser!(u32).range(1..=CONNECTIONS_MAX))]
    pub(super) clients: u32,
    /// Rooms of each client
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = value_parser!(u32).range(1..=ROOMS_PER_CLIENT_MAX))]
    pub(super) rooms: u32,
    /// Messages that each client has missed, over its rooms
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = value_parser!(u32).range(1..=BEHIND_MAX))]
    pub(super) behind: u32,
    /// Clients that share the same rooms
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = value_parser!(u32).range(1..=CONNECTIONS_MAX))]
    pub(super) sharing: u32,
    /// Readers who were there all the time
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = value_parser!(u32).range(1..=CONNECTIONS_MAX))]
    pub(super) witnesses: u32,
    /// Live messages a second to the witnesses, and as many to the rooms of those who come back
    #[arg(long, value_name = "PER_SECOND", default_value_t = 50, value_parser = value_parser!(u32).range(1..=RATE_MAX))]
    pub(super) rate: u32,
    /// Seconds of quiet before the storm
    #[arg(long, value_name = "SECONDS", default_value_t = 3, value_parser = value_parser!(u32).range(1..=PHASE_S_MAX))]
    pub(super) quiet: u32,
    /// Bytes of a message's text
    #[arg(long, value_name = "BYTES", default_value_t = 128, value_parser = value_parser!(u32).range(TEXT_BYTES_MIN..=TEXT_BYTES_MAX))]
    pub(super) size: u32,
    #[command(flatten)]
    pub(super) way: Way,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Args)]
pub(super) struct SlowReaders {
    /// Readers of the room, with those that will stall
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = value_parser!(u32).range(2..=CONNECTIONS_MAX))]
    pub(super) readers: u32,
    /// How many of them stall
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = value_parser!(u32).range(1..=CONNECTIONS_MAX))]
    pub(super) stalled: u32,
    /// Messages a second
    #[arg(long, value_name = "PER_SECOND", default_value_t = 100, value_parser = value_parser!(u32).range(1..=RATE_MAX))]
    pub(super) rate: u32,
    /// Seconds of quiet, and again of stalling
    #[arg(long, value_name = "SECONDS", default_value_t = 8, value_parser = value_parser!(u32).range(1..=60))]
    pub(super) seconds: u32,
    /// Bytes of a message's text: large, so that no socket's buffer holds what a stalled reader misses
    #[arg(long, value_name = "BYTES", default_value_t = 8192, value_parser = value_parser!(u32).range(TEXT_BYTES_MIN..=TEXT_BYTES_MAX))]
    pub(super) size: u32,
    #[command(flatten)]
    pub(super) way: Way,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Args)]
pub(super) struct Group {
    /// Members of the group
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = value_parser!(u32).range(1..=GROUP_MEMBERS_MAX))]
    pub(super) members: u32,
    /// How many of them are there
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = value_parser!(u32).range(1..=CONNECTIONS_MAX))]
    pub(super) readers: u32,
    #[command(flatten)]
    pub(super) way: Way,
    #[command(flatten)]
    pub(super) load: Load,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Args)]
pub(super) struct Archive {
    /// Rooms; the n-th largest has an n-th of the messages of the largest
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = value_parser!(u32).range(1..=ROOMS_MAX))]
    pub(super) rooms: u32,
    /// Messages in all of them
    #[arg(long, value_name = "N", default_value_t = 200_000, value_parser = value_parser!(u32).range(1..=MESSAGES_MAX))]
    pub(super) messages: u32,
    /// Users who ask
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = value_parser!(u32).range(1..=USERS_MAX))]
    pub(super) users: u32,
    /// Rooms that each of them is a member of; the largest is everybody's
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = value_parser!(u32).range(1..=ROOMS_MAX))]
    pub(super) rooms_each: u32,
    /// Rooms of one further user, who is in more than anybody else
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = value_parser!(u32).range(1..=ROOMS_MAX))]
    pub(super) rooms_of_busiest: u32,
    /// Answers to measure for each question, alone and again beside writers; at most 10 s of each
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = value_parser!(u32).range(1..=REQUESTS_MAX))]
    pub(super) requests: u32,
    /// Questions under way at once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u32).range(1..=AT_ONCE_MAX))]
    pub(super) at_once: u32,
    /// Messages a second that are written meanwhile, the second time
    #[arg(long, value_name = "PER_SECOND", default_value_t = 500, value_parser = value_parser!(u32).range(1..=RATE_MAX))]
    pub(super) rate: u32,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Args)]
pub(super) struct Cluster {
    /// Nodes of the cluster
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = value_parser!(u32).range(1..=NODES_MAX))]
    pub(super) nodes: u32,
    /// Its servers of NATS, each with a copy of the log
    #[arg(long, value_name = "N", default_value = "3", value_parser = ["1", "3", "5"])]
    pub(super) nats_servers: String,
    /// Pairs who talk; the two of a pair are at different nodes
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = value_parser!(u32).range(1..=PAIRS_MAX))]
    pub(super) pairs: u32,
    /// Messages a second of all pairs: far below what is possible
    #[arg(long, value_name = "PER_SECOND", default_value_t = 200, value_parser = value_parser!(u32).range(1..=RATE_MAX))]
    pub(super) rate: u32,
    /// Senders who send as fast as they are acknowledged, each one message at a time
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = value_parser!(u32).range(1..=PRODUCERS_MAX))]
    pub(super) producers: u32,
    /// Seconds to measure each of the two
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = value_parser!(u32).range(1..=PHASE_S_MAX))]
    pub(super) seconds: u32,
    /// Entries of the log, at least, with which the new node has to catch up
    #[arg(long, value_name = "N", default_value_t = 200_000, value_parser = value_parser!(u32).range(1..=MESSAGES_MAX))]
    pub(super) entries: u32,
    /// Bytes of a message's text
    #[arg(long, value_name = "BYTES", default_value_t = 128, value_parser = value_parser!(u32).range(TEXT_BYTES_MIN..=TEXT_BYTES_MAX))]
    pub(super) size: u32,
    #[command(flatten)]
    pub(super) own: Own,
    #[command(flatten)]
    pub(super) output: Output,
}

/// How many messages of which size, and when.
#[derive(Debug, Args)]
pub(super) struct Load {
    /// Messages under way at once (in each pair): the next is sent when the oldest has reached everybody
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u32).range(1..=WINDOW_MAX))]
    pub(super) window: u32,
    /// Messages a second instead, whatever the server does
    #[arg(long, value_name = "PER_SECOND", conflicts_with = "window", value_parser = value_parser!(u32).range(1..=RATE_MAX))]
    pub(super) rate: Option<u32>,
    /// Bytes of a message's text
    #[arg(long, value_name = "BYTES", default_value_t = 128, value_parser = value_parser!(u32).range(TEXT_BYTES_MIN..=TEXT_BYTES_MAX))]
    pub(super) size: u32,
    /// Seconds to measure
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = value_parser!(u32).range(1..=PHASE_S_MAX))]
    pub(super) seconds: u32,
    /// Seconds under load before that
    #[arg(long, value_name = "SECONDS", default_value_t = 1, value_parser = value_parser!(u32).range(0..=PHASE_S_MAX))]
    pub(super) warm_up: u32,
    /// Exactly so many messages instead, measured from the first on
    #[arg(long, value_name = "N", conflicts_with_all = ["seconds", "warm_up"], value_parser = value_parser!(u32).range(1..=MESSAGES_MAX))]
    pub(super) messages: Option<u32>,
}

#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Way {
    /// How readers read
    #[arg(long, value_enum, default_value_t = Read::Websocket)]
    pub(super) transport: Read,
}

/// The transports with a driver of their own: one for each delivery there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Read {
    Websocket,
    Sse,
    Longpoll,
}

impl Read {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Websocket => Transport::Websocket.as_str(),
            Self::Sse => Transport::Sse.as_str(),
            Self::Longpoll => Transport::Longpoll.as_str(),
        }
    }
}

/// What every scenario takes that has one server.
#[derive(Debug, Args)]
pub(super) struct Common {
    #[command(flatten)]
    pub(super) place: Where,
    #[command(flatten)]
    pub(super) output: Output,
}

#[derive(Debug, Args)]
pub(super) struct Output {
    /// Write all figures to a file, or to stdout (-)
    #[arg(long, value_name = "FILE", help_heading = REPORT)]
    pub(super) json: Option<PathBuf>,
    /// Write a page with charts, complete in one file
    #[arg(long, value_name = "FILE.html", help_heading = REPORT)]
    pub(super) plot: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Where {
    /// Measure this server and not one started for the run. It keeps the rooms that are made
    #[arg(long, value_name = "URL", conflicts_with_all = ["durability", "scratch"], help_heading = PLACE)]
    pub(super) url: Option<String>,
    /// The file with that server's secret [or: WIGEON_AUTH_SECRET]
    #[arg(long, value_name = "FILE", requires = "url", help_heading = PLACE)]
    pub(super) secret_file: Option<PathBuf>,
    /// A token of a service there [or: WIGEON_BENCH_TOKEN, which no process list shows]
    #[arg(long, value_name = "TOKEN", requires = "url", conflicts_with = "secret_file", help_heading = PLACE)]
    pub(super) token: Option<String>,
    /// That server's process, if it is on this machine: for its CPU time and memory
    #[arg(long, value_name = "PID", requires = "url", help_heading = PLACE)]
    pub(super) pid: Option<u32>,
    #[command(flatten)]
    pub(super) own: Own,
    /// Processors it may use, like 0 or 0,2 or 4-7
    #[arg(long, value_name = "CPUS", value_parser = cpus, conflicts_with = "url", help_heading = PLACE)]
    pub(super) server_cpus: Option<Processors>,
    /// Processors this program may use
    #[arg(long, value_name = "CPUS", value_parser = cpus, help_heading = PLACE)]
    pub(super) client_cpus: Option<Processors>,
}

/// Servers that are started for the run.
#[derive(Debug, Args)]
pub(super) struct Own {
    /// When the server that is started calls a message stored
    #[arg(long, value_enum, default_value_t = Durability::Fsync, help_heading = PLACE)]
    pub(super) durability: Durability,
    /// Where it keeps its data for the run [default: the system's directory for temporary files]
    #[arg(long, value_name = "DIRECTORY", help_heading = PLACE)]
    pub(super) scratch: Option<PathBuf>,
}

impl Own {
    pub(super) fn scratch(&self) -> PathBuf {
        self.scratch.clone().unwrap_or_else(std::env::temp_dir)
    }
}

/// A list as one value: clap would take a vector for a repeated flag.
#[derive(Debug, Clone)]
pub(super) struct Processors(Cpus);

impl std::ops::Deref for Processors {
    type Target = [usize];

    fn deref(&self) -> &[usize] {
        &self.0
    }
}

fn cpus(text: &str) -> Result<Processors, String> {
    parse_cpus(text).map(Processors)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Durability {
    Fsync,
    Os,
    Memory,
}

impl Durability {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Fsync => "fsync",
            Self::Os => "os",
            Self::Memory => "memory",
        }
    }
}
