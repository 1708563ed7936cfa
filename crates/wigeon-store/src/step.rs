//! One entry applied: what it does to state, what its audience is shown, what its sender is told, and what
//! is to be folded into the tables.

use std::sync::Arc;

use wigeon_core::apply::{apply, remembers};
use wigeon_core::entry::{Entry, PayloadHash, UnreadableEntry};
use wigeon_core::outcome::{Applied, Change, Ok as Told, Outcome, RoomRef};
use wigeon_core::state::MessageState;
use wigeon_proto::command::{Durable, Send};
use wigeon_proto::cursor::{Cursor, Epoch};
use wigeon_proto::error::WireError;
use wigeon_proto::event::{Event, What};
use wigeon_proto::id::{RoomId, UserId};
use wigeon_proto::{frame, json};

use crate::Fault;
use crate::overlay::{Audience, Kept, Overlay, Recent, RecentMessage, Reply};
use crate::rows::{AnswerId, Sent, answer_key};
use crate::tables::{AnswerRow, EventRow, Pending};

/// What a sender is told: the reply's `ok` object, or why not.
pub type Answer = Result<Vec<u8>, WireError>;

/// An event that is durable, ready to be shown.
#[derive(Debug)]
pub struct Committed {
    /// Where it stands.
    pub cursor: Cursor,
    /// Its audience.
    pub room: RoomId,
    /// The room it is about.
    pub about: RoomId,
    /// Who did it.
    pub from: UserId,
    /// What happened.
    pub what: What,
    /// Whether anybody may watch its audience.
    pub public: bool,
    /// Whether its members are told what others have read and received.
    pub tells_receipts: bool,
    /// Its frame, the same bytes for every receiver.
    pub json: Arc<[u8]>,
    /// Who has become a member with it.
    pub joined: Vec<UserId>,
    /// Whose membership ends with it.
    pub left: Vec<UserId>,
    /// Members from whom it is kept: it has the words of a message that was said before they came.
    pub kept_from: Vec<UserId>,
}

/// An entry with what is made of it before it waits in line, on its sender's time.
#[derive(Debug)]
pub struct Admitted {
    entry: Entry,
    bytes: Vec<u8>,
    hash: PayloadHash,
    /// See [`answer_key`].
    key: i64,
}

impl From<Entry> for Admitted {
    fn from(entry: Entry) -> Self {
        let (bytes, hash) = entry.to_bytes_and_hash();
        let key = answer_key(&entry.actor, &entry.id);
        Self { entry, bytes, hash, key }
    }
}

impl Admitted {
    /// One that a log has kept.
    pub(crate) fn stored(bytes: &[u8]) -> Result<Self, UnreadableEntry> {
        let entry = Entry::from_bytes(bytes)?;
        let (hash, key) = (entry.payload_hash(), answer_key(&entry.actor, &entry.id));
        Ok(Self { hash, key, bytes: Vec::new(), entry })
    }

    /// What the log is to keep of it.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// What the log keeps of it.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What tells it from others: whose it is, under which id, and what it asks.
    pub(crate) fn mark(&self) -> [u8; 24] {
        let mut mark = [0; 24];
        mark[..8].copy_from_slice(&self.key.to_le_bytes());
        mark[8..].copy_from_slice(&self.hash);
        mark
    }

    /// What the log keeps of it instead, if it passes on what another message says: with the words, since those
    /// of the other one may be scrubbed.
    fn with_words(&self, event: &Event) -> Option<Vec<u8>> {
        let Durable::Send(Send { forward: Some(_), .. }) = &self.entry.command else { return None };
        let What::Message { body, .. } = &event.what else { return None };
        let passed = Some(body.text.clone());
        Some(Entry { passed, ..self.entry.clone() }.to_bytes())
    }
}

/// State at a position, and the way to the next.
#[derive(Debug)]
pub(crate) struct Stepper {
    pub(crate) overlay: Overlay,
    pub(crate) position: u64,
    pub(crate) epoch: Epoch,
    /// Where frames are put together.
    frame: Vec<u8>,
}

/// What an entry comes to.
#[allow(clippy::large_enum_variant)] // Nearly every step is the large one.
pub(crate) enum Step {
    /// It took effect, at the next position.
    Applied(Effect),
    /// It changed nothing: a repeat or a refusal.
    Answered(Answer),
}

/// What an entry that took effect leaves to do.
pub(crate) struct Effect {
    pub(crate) reply: Vec<u8>,
    /// What the log keeps, where that is not the entry as it came.
    pub(crate) logged: Option<Vec<u8>>,
    pub(crate) pending: Pending,
    pub(crate) committed: Option<Committed>,
}

impl Stepper {
    pub(crate) fn new(overlay: Overlay, position: u64, epoch: Epoch) -> Self {
        Self { overlay, position, epoch, frame: Vec::new() }
    }

    pub(crate) fn step(&mut self, admitted: &Admitted) -> Result<Step, Fault> {
        let here = Cursor { epoch: self.epoch, position: self.position + 1 };
        self.overlay.take_in_hand(admitted.key);
        match apply(&self.overlay, here, &admitted.entry)? {
            // A mark that is there already, said again: nothing to remember, and no place in the log.
            Outcome::Applied(applied) if applied.is_only_reply() && !remembers(&admitted.entry.command) => {
                Ok(Step::Answered(Ok(json::to_vec(&applied.reply))))
            }
            Outcome::Applied(applied) => self.keep(here, admitted, applied),
            Outcome::Repeated(reply) => Ok(Step::Answered(Ok(reply))),
            Outcome::Rejected(error) => Ok(Step::Answered(Err(error))),
        }
    }

    fn keep(&mut self, here: Cursor, admitted: &Admitted, applied: Applied) -> Result<Step, Fault> {
        let Applied { event, changes, reply } = applied;
        let (entry, position) = (&admitted.entry, here.position);
        let (joined, left) = movements(&changes);
        let mut recent = Recent { position, answer: None, message: None, moves: Vec::new() };
        let mut keyed = Vec::with_capacity(changes.len() + 1);
        for change in changes {
            keyed.push((self.overlay.change(&change, &mut recent.moves)?, change));
        }
        let (mut row, mut committed, mut logged, mut sent) = (None, None, None, None);
        if let Some(event) = event {
            logged = admitted.with_words(&event);
            let audience = event.audience();
            let (Audience { n, public, tells_receipts }, own) = self.overlay.audience(&audience, position)?;
            keyed.extend(own.map(|room| (n, Change::Room(room))));
            sent = follows(here, &event, admitted, &reply);
            let mut shown = self.event_row(n, here, &event);
            shown.sent = sent.is_some().then_some((admitted.key, admitted.hash));
            recent.message = recent_message(n, &event, &shown.json);
            let about = event.about().clone();
            let (public, kept_from) = match &event.what {
                What::Edited { seq, .. } => (
                    public && self.overlay.is_public(&about, *seq)?,
                    self.overlay.too_late_for(&about, *seq)?,
                ),
                _ => (public, Vec::new()),
            };
            committed = Some(Committed {
                cursor: here,
                public,
                tells_receipts,
                room: audience,
                about,
                from: event.from,
                what: event.what,
                json: shown.json.clone(),
                joined,
                left,
                kept_from,
            });
            row = Some(shown);
        }
        let reply = sent.as_ref().map_or_else(|| json::to_vec(&reply), |sent| sent.reply(self.epoch));
        let (mut kept, mut answer) = (None, None);
        if remembers(&entry.command) {
            let (actor, id, hash) = (entry.actor.clone(), entry.id.clone(), admitted.hash);
            recent.answer = Some(AnswerId { key: admitted.key, actor: actor.clone(), id: id.clone() });
            let follows = sent.map(Reply::To);
            if follows.is_none() {
                answer = Some(AnswerRow { actor, id, hash, reply: reply.clone() });
            }
            let reply = follows.unwrap_or_else(|| Reply::Bytes(reply.clone()));
            kept = Some(Kept { hash, reply, until: None });
        }
        self.overlay.note(recent, kept);
        self.position = position;
        let pending = Pending { position, changes: keyed, event: row, answer };
        Ok(Step::Applied(Effect { reply, logged, pending, committed }))
    }

    fn event_row(&mut self, n: i64, here: Cursor, event: &Event) -> EventRow {
        self.frame.clear();
        frame::event_head(&mut self.frame, event.what.kind(), &here.text());
        let head = self.frame.len();
        event.append_tail(&mut self.frame);
        EventRow {
            room: n,
            seq: event.what.seq(),
            target: event.what.target(),
            kind: event.what.kind(),
            json: self.frame.as_slice().into(),
            head,
            sent: None,
        }
    }
}

/// What the rules may ask of a message before it is folded.
fn recent_message(n: i64, event: &Event, json: &Arc<[u8]>) -> Option<RecentMessage> {
    let What::Message { seq, forwarded, .. } = &event.what else { return None };
    let (from, forwarded) = (event.from.clone(), forwarded.clone());
    let state = MessageState { from, version: 0, recalled: false, at: event.at, forwarded };
    Some(RecentMessage { key: (n, *seq), state, json: json.clone() })
}

/// The message that an entry's answer can be made from again, if it is one.
fn follows(here: Cursor, event: &Event, admitted: &Admitted, reply: &Told) -> Option<Sent> {
    let What::Message { seq, id, .. } = &event.what else { return None };
    let Told { room: Some(RoomRef::Id(room)), seq: Some(of), at: Some(at), cursor, version, invite, user } =
        reply
    else {
        return None;
    };
    let named = (&event.from, id) == (&admitted.entry.actor, &admitted.entry.id);
    let told = (room, of, at, cursor) == (&event.room, seq, &event.at, &here);
    let no_more = version.is_none() && invite.is_none() && user.is_none();
    (named && told && no_more).then(|| Sent {
        room: room.clone(),
        seq: *seq,
        at: *at,
        position: here.position,
    })
}

/// Who came and who went.
fn movements(changes: &[Change]) -> (Vec<UserId>, Vec<UserId>) {
    let (mut joined, mut left) = (Vec::new(), Vec::new());
    for change in changes {
        match change {
            Change::Joined(_, user, _) => joined.push(user.clone()),
            Change::Left { user, .. } => left.push(user.clone()),
            _ => {}
        }
    }
    (joined, left)
}
