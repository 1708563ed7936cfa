//! Bounds of the load generator: each with its unit and its reason.

use std::time::Duration;

use wigeon_proto::limits;

/// Connections of one run: what the server itself takes.
pub(super) const CONNECTIONS_MAX: i64 = limits::CONNECTIONS_MAX as i64;
/// Files this program needs beside its connections: the runtime's, the report's, the server's pipe.
pub(super) const OTHER_FILES: u64 = 100;
/// Connections from one loopback address: Linux has 28,232 ports to give away for each.
pub(super) const CONNECTIONS_PER_SOURCE: usize = 20_000;
/// Connections on their way at once: below the listener's backlog, so that none waits for a second SYN.
pub(super) const CONNECTING_MAX: usize = 256;

/// Seconds of one phase. Longer runs say nothing new, and fill the disk.
pub(super) const PHASE_S_MAX: i64 = 600;
/// Messages of one run.
pub(super) const MESSAGES_MAX: i64 = 10_000_000;
/// Messages a second: past it the timer's steps of a millisecond make bursts of a hundred and more.
pub(super) const RATE_MAX: i64 = 100_000;
/// Messages under way at once.
pub(super) const WINDOW_MAX: i64 = 10_000;
/// Bytes of a message's text: at least the mark that it is recognised by.
pub(super) const TEXT_BYTES_MIN: i64 = super::message::MARK_BYTES as i64;
/// Bytes of a message's text: what the server takes.
pub(super) const TEXT_BYTES_MAX: i64 = limits::TEXT_BYTES_MAX as i64;
/// Rooms that one client of a storm follows: what one feed may watch.
pub(super) const ROOMS_PER_CLIENT_MAX: i64 = limits::WATCH_ROOMS_MAX as i64;
/// Messages that one client of a storm has missed.
pub(super) const BEHIND_MAX: i64 = 10_000;
/// Rooms of an archive: what a message's mark can tell apart.
pub(super) const ROOMS_MAX: i64 = super::message::ROOMS_MAX as i64;
/// Users of an archive: each keeps a list of rooms here.
pub(super) const USERS_MAX: i64 = 10_000;
/// Answers to one question of an archive.
pub(super) const REQUESTS_MAX: i64 = 1_000_000;
/// Questions under way at once: what one user's page and a few hundred others ask in the same moment.
pub(super) const AT_ONCE_MAX: i64 = 1000;
/// Requests of 100 messages each under way at once while an archive is filled: enough that the server always has a
/// batch to write, and few enough that the queue before its writer (16,384 commands) never refuses one.
pub(super) const FILLING_AT_ONCE: usize = 8;
/// Members of one group.
pub(super) const GROUP_MEMBERS_MAX: i64 = 100_000;
/// Nodes of a cluster: a machine that holds them all is no measure for more.
pub(super) const NODES_MAX: i64 = 9;
/// Pairs who talk in a cluster: they are there for latency, and not to fill it.
pub(super) const PAIRS_MAX: i64 = 10_000;
/// Senders of a cluster who wait for nothing but their acknowledgement: more than a node takes in at once
/// (8,192 entries under way) would measure refusals.
pub(super) const PRODUCERS_MAX: i64 = 8_000;
/// Messages that are written before a storm, over all rooms.
pub(super) const PRELOAD_MAX: u64 = 1_000_000;

/// How long a connection may take, from SYN to the answer's head.
pub(super) const CONNECT: Duration = Duration::from_secs(20);
/// How long our own server may take to start: an election among servers of NATS, or nothing but a slow disk.
pub(super) const START: Duration = Duration::from_secs(60);
/// How long our own server may take to end before it is killed.
pub(super) const END: Duration = Duration::from_secs(8);
/// Without any delivery for this long, what is missing counts as lost.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// Without any further reader becoming level for this long, a catch-up has failed.
pub(super) const LEVEL: Duration = Duration::from_secs(20);
/// How long each installation of a cluster is under load before it is measured.
pub(super) const WARM_UP_S: u32 = 2;
/// How long a new node may take until it is level: a million entries take a tenth of it.
pub(super) const CAUGHT_UP: Duration = Duration::from_secs(600);
/// What a cluster does after a load (indexing, above all) is waited for so long at most.
pub(super) const QUIET: Duration = Duration::from_secs(300);
/// Over this time it must have done next to nothing.
pub(super) const QUIET_LOOK: Duration = Duration::from_secs(1);
/// Without any progress for this long, what was filled is as searchable as it will be.
pub(super) const INDEXED: Duration = Duration::from_secs(5);
/// How long one question is asked at most: a slow one has said enough by then.
pub(super) const QUESTION: Duration = Duration::from_secs(10);
/// Between two looks at a count that nobody announces.
pub(super) const LOOK: Duration = Duration::from_millis(5);
/// Between two samples of deliveries and memory.
pub(super) const SAMPLE: Duration = Duration::from_millis(100);

/// Bytes of one read; all connections share the buffer.
pub(super) const READ_BYTES: usize = 64 * 1024;
/// Bytes of something half received. A poll's answer is the largest thing there is.
pub(super) const CARRY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes that wait for a socket that takes no more: then the server is slower than it was asked to be.
pub(super) const UNSENT_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes of the receive buffer of a reader that will stall: the kernel's part of a stall should be small.
pub(super) const STALLED_BUFFER_BYTES: u32 = 8 * 1024;
/// The longest latency that is told apart, in nanoseconds.
pub(super) const LATENCY_NS_MAX: u64 = 600_000_000_000;
