//! Events: what the log remembers, as every receiver sees it.
//!
//! An event's JSON is made once, without `type` and `cursor`: those two are put before it when it is
//! read, for a restored log has another epoch and so other cursors.

use serde::{Deserialize, Serialize};

use crate::command::Body;
use crate::id::{CommandId, RoomId, UserId};
use crate::json::{self, Fields};
use crate::room::{Policy, Role, RoomKind};

/// What an event says beside its room, actor and time.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum What {
    /// A message: the only kind that has a `seq` of its own.
    Message {
        /// Dense in the room, from 1.
        seq: u64,
        /// The sender's id for it.
        id: CommandId,
        /// The content.
        body: Body,
        /// The message it answers.
        #[serde(skip_serializing_if = "Option::is_none")]
        reply_to: Option<u64>,
        /// The message that began its thread.
        #[serde(skip_serializing_if = "Option::is_none")]
        thread: Option<u64>,
        /// Users named in it.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        mentions: Vec<UserId>,
        /// Every member is meant.
        #[serde(skip_serializing_if = "is_false")]
        mention_all: bool,
        /// Whose words these are, if the sender's only sent them on.
        #[serde(skip_serializing_if = "Option::is_none")]
        forwarded: Option<Forwarded>,
    },
    /// A message has a new body.
    Edited {
        /// Which message.
        seq: u64,
        /// The new content.
        body: Body,
        /// 1 for the first edit.
        version: u64,
    },
    /// A message was taken back.
    Recalled {
        /// Which message.
        seq: u64,
    },
    /// Messages have gone because their time was over.
    Expired {
        /// The newest of them: all up to here.
        to_seq: u64,
    },
    /// A reaction was put on or taken off.
    Reaction {
        /// Which message.
        seq: u64,
        /// Which reaction.
        emoji: String,
        /// On or off.
        on: bool,
    },
    /// A message was pinned, or its pin taken away.
    Pin {
        /// Which message.
        seq: u64,
        /// On or off.
        on: bool,
    },
    /// Who is in the room has changed.
    Member {
        /// How.
        action: MemberAction,
        /// Whom it concerns.
        users: Vec<UserId>,
        /// The one concerned, when it is one.
        #[serde(skip_serializing_if = "Option::is_none")]
        user: Option<UserId>,
        /// Their role from now on.
        #[serde(skip_serializing_if = "Option::is_none")]
        role: Option<Role>,
        /// Until when they are muted.
        #[serde(skip_serializing_if = "Option::is_none")]
        until: Option<u64>,
    },
    /// The room came into being or was changed.
    Room {
        /// Which of the two.
        action: RoomAction,
        /// Its kind.
        kind: RoomKind,
        /// Its title.
        title: String,
        /// Its rules.
        policy: Policy,
        /// Its first members.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        users: Vec<UserId>,
    },
    /// A user has read up to `seq`.
    Read {
        /// Who.
        user: UserId,
        /// Up to which message.
        seq: u64,
        /// The mark has gone back, by the reader's own wish.
        #[serde(skip_serializing_if = "is_false")]
        back: bool,
    },
    /// A user's settings.
    Prefs {
        /// The room they are about.
        #[serde(skip_serializing_if = "Option::is_none")]
        about: Option<RoomId>,
        /// The settings.
        prefs: serde_json::Map<String, serde_json::Value>,
    },
    /// A user is blocked, or not any more; only who blocks is told.
    Block {
        /// Who.
        user: UserId,
        /// On or off.
        on: bool,
    },
    /// A user's own profile.
    User {
        /// Who.
        user: UserId,
        /// The display name.
        name: String,
    },
}

#[allow(clippy::trivially_copy_pass_by_ref)] // The form serde calls it by.
fn is_false(value: &bool) -> bool {
    !value
}

/// Where a message that was sent on comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forwarded {
    /// Who wrote it first.
    pub from: UserId,
    /// Where. Left out for a direct room, whose name says who talks with whom.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub room: Option<RoomId>,
    /// Which message there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub seq: Option<u64>,
}

/// How membership changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberAction {
    /// By oneself.
    Join,
    /// By oneself.
    Leave,
    /// By somebody else.
    Add,
    /// By somebody else.
    Remove,
    /// Another role.
    Role,
    /// By somebody else, and not to come again.
    Ban,
    /// May come again.
    Unban,
    /// May not write for a time, or may again.
    Mute,
}

/// How a room changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RoomAction {
    /// It came into being.
    Create,
    /// Its title or policy changed.
    Update,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// The room it is about, and its audience unless it is [`Self::private`].
    pub room: RoomId,
    /// Who did it.
    pub from: UserId,
    /// When it was admitted: milliseconds since 1970.
    pub at: u64,
    /// Only the actor's own devices are told.
    #[serde(skip)]
    pub private: bool,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

impl What {
    /// A `member` event; `user` repeats the only one concerned.
    pub fn member(action: MemberAction, users: Vec<UserId>, role: Option<Role>) -> Self {
        let user = if let [only] = users.as_slice() { Some(only.clone()) } else { None };
        Self::Member { action, users, user, role, until: None }
    }

    /// The frame's `type`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Message { .. } => "message",
            Self::Edited { .. } => "message.edited",
            Self::Recalled { .. } => "message.recalled",
            Self::Expired { .. } => "message.expired",
            Self::Reaction { .. } => "reaction",
            Self::Pin { .. } => "pin",
            Self::Member { .. } => "member",
            Self::Room { .. } => "room",
            Self::Read { .. } => "read",
            Self::Prefs { .. } => "prefs",
            Self::Block { .. } => "block",
            Self::User { .. } => "user",
        }
    }

    /// The `seq` of a message; no other event has one of its own.
    pub fn seq(&self) -> Option<u64> {
        match self {
            Self::Message { seq, .. } => Some(*seq),
            _ => None,
        }
    }

    /// The message an event is only about: what a `gap` over that message stands for as well. A pin is
    /// about its room: history does not tell it.
    pub fn target(&self) -> Option<u64> {
        match self {
            Self::Edited { seq, .. } | Self::Recalled { seq } | Self::Reaction { seq, .. } => Some(*seq),
            _ => None,
        }
    }
}

impl Event {
    /// Who is told: a room, or the actor's own devices.
    pub fn audience(&self) -> RoomId {
        if self.private { RoomId::own(&self.from) } else { self.room.clone() }
    }

    /// The room it is about: of settings, the one they are for.
    pub fn about(&self) -> &RoomId {
        match &self.what {
            What::Prefs { about: Some(room), .. } => room,
            _ => &self.room,
        }
    }

    /// The JSON after `{"type":…,"cursor":…,`: it begins with `"room"` and ends with `}`.
    pub fn tail(&self) -> Vec<u8> {
        let mut json = Vec::new();
        self.append_tail(&mut json);
        json
    }

    /// Appends what [`Self::tail`] makes.
    pub fn append_tail(&self, out: &mut Vec<u8>) {
        let What::Message { seq, id, body, reply_to, thread, mentions, mention_all, forwarded } = &self.what
        else {
            let start = out.len();
            json::append(out, self);
            out.remove(start);
            return;
        };
        let Body { text } = body;
        // Room for a usual one, so that it is not moved while it grows.
        out.reserve(256 + text.len());
        let mut fields = Fields::new(out);
        fields.text("room", self.room.as_str());
        fields.text("from", self.from.as_str());
        fields.value("at", &self.at);
        fields.value("seq", seq);
        fields.text("id", id.as_str());
        fields.object("body", |body| body.text("text", text));
        for (name, seq) in [("reply_to", reply_to), ("thread", thread)] {
            if let Some(seq) = seq {
                fields.value(name, seq);
            }
        }
        if !mentions.is_empty() {
            fields.value("mentions", mentions);
        }
        if *mention_all {
            fields.value("mention_all", &true);
        }
        if let Some(forwarded) = forwarded {
            fields.value("forwarded", forwarded);
        }
        fields.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_by_hand_is_what_its_form_says() {
        let user = |id| UserId::parse(id).unwrap();
        let room = RoomId::parse("r").unwrap();
        let texts = ["", "plain", "a<b>&c", "\"q\" \\ \n\0\u{1f}\u{7f}", "\u{2028}\u{2029}中文🦆â", "é"];
        for (n, text) in texts.into_iter().enumerate() {
            let full = n % 2 == 0;
            let forwarded = Forwarded { from: user("cat"), room: Some(room.clone()), seq: None };
            let what = What::Message {
                seq: 7,
                id: CommandId::parse("k\"<1").unwrap(),
                body: Body { text: text.into() },
                reply_to: full.then_some(1),
                thread: full.then_some(2),
                mentions: if full { vec![user("ann"), user("bob")] } else { Vec::new() },
                mention_all: full,
                forwarded: full.then_some(forwarded),
            };
            let event = Event { room: room.clone(), from: user("ann"), at: 5, private: false, what };
            let json = [b"{", event.tail().as_slice()].concat();
            assert_eq!(String::from_utf8(json), String::from_utf8(json::to_vec(&event)));
        }
    }
}
