//! Bounds of this client: each with its unit and its reason.

use std::time::Duration;

/// How long a connection may take: everything here is near.
pub(crate) const CONNECT: Duration = Duration::from_secs(5);

/// How long an answer may take that nobody holds back on purpose.
pub(crate) const ANSWER: Duration = Duration::from_secs(30);

/// What a held long poll may take beyond the time it asked for.
pub(crate) const POLL_SLACK: Duration = Duration::from_secs(10);

/// Without a byte for two heartbeats and some, a stream is dead.
pub(crate) const SILENCE: Duration = Duration::from_secs(35);

/// The greatest frame that is still read: a full message with its framing, and a snapshot's reply.
pub(crate) const FRAME_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The greatest body of an answer.
pub(crate) const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Kept-alive connections of one client; more than a few only matter to benchmarks.
pub(crate) const IDLE_CONNECTIONS_MAX: usize = 16;

/// Commands that wait to be sent, per session.
pub(crate) const OUTBOX_COMMANDS_MAX: usize = 1000;

/// Commands in one request; the server's own limit.
pub(crate) const BATCH_COMMANDS_MAX: usize = wigeon_proto::limits::COMMANDS_PER_REQUEST_MAX;

/// Bytes of commands in one request: below the server's limit for a body, with room for one more command.
pub(crate) const BATCH_BYTES_MAX: usize = wigeon_proto::limits::BODY_BYTES_MAX / 2;

/// Notices that wait for whoever owns a session; past it the socket is not read.
pub(crate) const NOTICES_MAX: usize = 256;
