//! What every request shares: the log, the hub, the keys, the settings.

use std::net::SocketAddr;

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use wigeon_core::entry::{Entry, Rights};
use wigeon_proto::command::Durable;
use wigeon_proto::cursor::{Cursor, Epoch};
use wigeon_proto::error::{ErrorCode, WireError};
use wigeon_proto::id::{CommandId, InviteCode, RoomId, UserId};
use wigeon_proto::limits;
use wigeon_store::{Answer, Pool, Sequencer};

use crate::auth::{Guests, OriginPolicy, Tickets, Tokens};
pub(crate) use crate::clock::now_ms;
use crate::hub::{Attach, Feed, FeedError, Hub, Start};
use crate::line::{Reply, unconfirmed};
use crate::peers::{Peers, Said};
use crate::preview::Previews;
use crate::rates::Rates;

/// The server's parts, in one place for every handler.
pub(crate) struct App {
    pub(crate) sequencer: Sequencer<Attach, Reply>,
    pub(crate) pool: Pool,
    pub(crate) hub: Hub,
    pub(crate) epoch: Epoch,
    pub(crate) tokens: Tokens,
    pub(crate) tickets: Tickets,
    pub(crate) origins: OriginPolicy,
    pub(crate) guests: Guests,
    pub(crate) listen: Vec<SocketAddr>,
    pub(crate) stream_bytes_max: u64,
    pub(crate) script_transports: bool,
    pub(crate) metrics: PrometheusHandle,
    /// Cancelled when the server begins to go down: streams say `bye` and end.
    pub(crate) draining: CancellationToken,
    pub(crate) rates: Rates,
    /// Where they are on.
    pub(crate) previews: Option<Previews>,
    /// The other nodes of a cluster.
    pub(crate) peers: Peers,
}

impl App {
    /// Opens a live feed.
    pub(crate) async fn open_feed(&self, start: Start) -> Result<Feed, FeedError> {
        Feed::open(&self.hub, &self.sequencer, &self.pool, self.epoch, start).await
    }

    /// What another node says.
    pub(crate) fn hear(&self, node: &str, said: Said) {
        let presence = &self.hub.presence;
        match said {
            Said::Hello => presence.say_who_is_here(),
            Said::Present { users } => self.hub.tell_presence(presence.peer_has(node, &users)),
            Said::Gone { users } => presence.peer_lost(node, &users),
            Said::Watch { watcher, users } => presence.peer_watches(&watcher, users),
            Said::Acked { users } => {
                for (user, position) in users {
                    self.hub.peer_acked(&user, position);
                }
            }
            Said::Typing { room, user, is_large } => self.hub.typing(&room, &user, is_large),
            Said::Delivered { to, room, user, seq } => self.hub.tell_of_delivery(&to, &room, &user, seq),
            Said::Revoked { ticket } => self.tickets.revoke(&ticket, now_ms()),
        }
    }

    /// Refuses script and frame elements where they are switched off.
    pub(crate) fn serves_scripts(&self) -> Result<(), WireError> {
        if self.script_transports {
            return Ok(());
        }
        Err(WireError::new(ErrorCode::Forbidden, "script transports are off on this server"))
    }

    /// The cursor of a position of this log.
    pub(crate) fn cursor(&self, position: u64) -> Cursor {
        Cursor { epoch: self.epoch, position }
    }

    /// Admits a command: what cannot be decided again elsewhere is decided here, and put in line. The future
    /// waits for the commit; the place in line is taken before it is first polled.
    pub(crate) fn submit(
        &self,
        actor: UserId,
        rights: Rights,
        id: CommandId,
        command: Durable,
    ) -> impl Future<Output = Answer> + Send + 'static + use<> {
        let (reply, answer) = oneshot::channel();
        self.submit_for(actor, rights, id, command, Reply::Once(reply));
        async move {
            let commit = std::time::Duration::from_millis(limits::COMMIT_MS_MAX);
            match tokio::time::timeout(commit, answer).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(_)) | Err(_) => Err(unconfirmed()),
            }
        }
    }

    /// As [`Self::submit`], where somebody else waits for the answer.
    pub(crate) fn submit_for(
        &self,
        actor: UserId,
        rights: Rights,
        id: CommandId,
        command: Durable,
        reply: Reply,
    ) {
        let new_room = matches!(command, Durable::RoomCreate(_)).then(new_room_id);
        let new_code = matches!(command, Durable::InviteCreate(_)).then(new_invite_code);
        let entry = Entry { new_room, new_code, ..Entry::new(actor, rights, now_ms(), id, command) };
        if let Err((error, reply)) = self.sequencer.submit(entry, reply) {
            // The caller is still at work on its wire, and flushes it after.
            reply.answer(Err(error));
        }
    }
}

/// Lower-case letters and digits that nobody guesses: five random bits each.
pub(crate) fn random_id(digits: usize) -> String {
    const DIGITS: &[u8; 32] = b"abcdefghijkmnopqrstuvwxyz2345678";
    let mut bytes = vec![0; digits];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes.into_iter().map(|byte| char::from(DIGITS[usize::from(byte & 31)])).collect()
}

fn new_room_id() -> RoomId {
    RoomId::parse(&random_id(16)).expect("letters and digits are an id")
}

/// 100 random bits: a code is a secret that nobody tries out.
fn new_invite_code() -> InviteCode {
    InviteCode::parse(&random_id(20)).expect("letters and digits are a code")
}

/// An id for a command of the server's own.
pub(crate) fn new_command_id() -> CommandId {
    CommandId::parse(&random_id(24)).expect("letters and digits are an id")
}
