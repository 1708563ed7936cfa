//! Commands: what a client asks, decoded once at the edge.
//!
//! A command is one JSON object with `type` and usually `id`. This file has its forms; [`decode`] reads
//! and checks them.

pub mod decode;

use serde::{Deserialize, Serialize};

use crate::id::{CommandId, RoomId, UserId};
use crate::room::{PolicyChange, Role, RoomKind};

/// A decoded command with its envelope.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Echoed as `re`; durable commands must have one.
    pub id: Option<CommandId>,
    /// For whom a service acts.
    pub on_behalf_of: Option<UserId>,
    /// What is asked.
    pub command: Command,
}

/// The three ways a command can go.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Into the log.
    Durable(Durable),
    /// Answered from committed state.
    Query(Query),
    /// Answered by the connection or the hub; leaves no trace.
    Live(Live),
}

/// A message's content. Only known fields are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// 1 to [`crate::limits::TEXT_BYTES_MAX`] bytes.
    pub text: String,
}

/// Commands that become entries of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Durable {
    /// A message to a room, or to a user's direct room.
    #[serde(rename = "send")]
    Send(Send),
    /// A new body for a message of one's own.
    #[serde(rename = "edit")]
    Edit(Edit),
    /// Takes a message back, for all.
    #[serde(rename = "recall")]
    Recall(Target),
    /// Puts on or takes off one's reaction.
    #[serde(rename = "react")]
    React(React),
    /// Marks everything up to `seq` as read.
    #[serde(rename = "read")]
    Read(Target),
    /// A new group or channel.
    #[serde(rename = "room.create")]
    RoomCreate(RoomCreate),
    /// A new title or policy.
    #[serde(rename = "room.update")]
    RoomUpdate(RoomUpdate),
    /// Becomes a member of an open room.
    #[serde(rename = "room.join")]
    RoomJoin(OfRoom),
    /// Stops being a member.
    #[serde(rename = "room.leave")]
    RoomLeave(OfRoom),
    /// Makes users members.
    #[serde(rename = "member.add")]
    MemberAdd(MemberAdd),
    /// Ends a membership.
    #[serde(rename = "member.remove")]
    MemberRemove(OfMember),
    /// Gives a member another role.
    #[serde(rename = "member.role")]
    MemberRole(MemberRole),
    /// A new display name.
    #[serde(rename = "user.update")]
    UserUpdate(UserUpdate),
    /// One user's settings for a room, or for all.
    #[serde(rename = "prefs.set")]
    PrefsSet(PrefsSet),
}

/// `send`: exactly one of `room` and `to`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Send {
    /// The room, if it is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub room: Option<RoomId>,
    /// The other user of a direct room, which comes into being if need be.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub to: Option<UserId>,
    /// The content.
    pub body: Body,
    /// The `seq` this answers.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reply_to: Option<u64>,
    /// Users named in the text.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub mentions: Vec<UserId>,
}

/// `edit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// Where.
    pub room: RoomId,
    /// Which message.
    pub seq: u64,
    /// The new content.
    pub body: Body,
    /// The version the editor saw; another one there is a `conflict`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<u64>,
}

/// A message of a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Where.
    pub room: RoomId,
    /// Which message.
    pub seq: u64,
}

/// `react`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct React {
    /// Where.
    pub room: RoomId,
    /// Which message.
    pub seq: u64,
    /// Any short text without spaces; an emoji by custom.
    pub emoji: String,
    /// On or off.
    pub on: bool,
}

/// `room.create`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomCreate {
    /// The id; only services choose it, for all others the server does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub room: Option<RoomId>,
    /// `group` or `channel`.
    pub kind: RoomKind,
    /// What people see.
    pub title: String,
    /// Members beside the creator.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub members: Vec<UserId>,
    /// What differs from the kind's own policy.
    #[serde(default)]
    pub policy: PolicyChange,
}

/// `room.update`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomUpdate {
    /// Where.
    pub room: RoomId,
    /// The new title.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub title: Option<String>,
    /// What changes of the policy.
    #[serde(default)]
    pub policy: PolicyChange,
}

/// A command that names only a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfRoom {
    /// Where.
    pub room: RoomId,
}

/// `member.add`: `user` or `users`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberAdd {
    /// Where.
    pub room: RoomId,
    /// The one to add.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user: Option<UserId>,
    /// The ones to add.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub users: Vec<UserId>,
    /// `member` if left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub role: Option<Role>,
}

impl MemberAdd {
    /// Everybody named, each once, in the order named.
    pub fn everyone(&self) -> Vec<UserId> {
        let mut all: Vec<UserId> = Vec::new();
        for user in self.user.iter().chain(&self.users) {
            if !all.contains(user) {
                all.push(user.clone());
            }
        }
        all
    }
}

/// A command about one member of a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfMember {
    /// Where.
    pub room: RoomId,
    /// Who.
    pub user: UserId,
}

/// `member.role`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRole {
    /// Where.
    pub room: RoomId,
    /// Who.
    pub user: UserId,
    /// The new role.
    pub role: Role,
}

/// `user.update`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserUpdate {
    /// The new display name.
    pub name: String,
}

/// `prefs.set`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PrefsSet {
    /// The room they are about; all if left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub room: Option<RoomId>,
    /// The settings: an object of at most [`crate::limits::PREFS_BYTES_MAX`] bytes.
    pub prefs: serde_json::Map<String, serde_json::Value>,
}

/// Questions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// Messages of one room by `seq`.
    History(History),
    /// All of the asker's rooms, and the cursor to go on from.
    Snapshot(Page),
    /// One room.
    RoomGet(OfRoom),
    /// The public channels.
    RoomList(Page),
    /// A room's members.
    MemberList(MemberList),
    /// Users by id.
    UserGet(UserGet),
    /// Users by the beginning of a word of their name.
    UserSearch(UserSearch),
}

/// `history`: bounds are exclusive; without one, the newest.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct History {
    /// Where.
    pub room: RoomId,
    /// Messages before this `seq`.
    pub before: Option<u64>,
    /// Messages after this `seq`.
    pub after: Option<u64>,
    /// Messages on both sides of this `seq`, and itself.
    pub around: Option<u64>,
    /// At most [`crate::limits::HISTORY_MAX`].
    pub limit: Option<usize>,
}

/// A part of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Page {
    /// `next` of the part before.
    pub after: Option<String>,
    /// How many rows.
    pub limit: Option<usize>,
}

/// `member.list`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct MemberList {
    /// Where.
    pub room: RoomId,
    /// `next` of the part before.
    pub after: Option<String>,
    /// How many rows.
    pub limit: Option<usize>,
}

/// `user.get`: `user` or `users`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct UserGet {
    /// The one asked for.
    pub user: Option<UserId>,
    /// The ones asked for.
    #[serde(default)]
    pub users: Vec<UserId>,
}

/// `user.search`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct UserSearch {
    /// The beginning of a name or an id.
    pub q: String,
    /// How many rows.
    pub limit: Option<usize>,
}

/// Commands that leave no trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Live {
    /// Who a WebSocket speaks for, and from where it reads on.
    Hello(Hello),
    /// What the client has taken in.
    Ack(Ack),
    /// The sender is typing.
    Typing(OfRoom),
    /// The rooms the client has before its eyes.
    Focus(Focus),
    /// Is anybody there?
    Ping,
    /// Ends a family of tickets.
    TicketRevoke(TicketRevoke),
}

/// `hello`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Hello {
    /// Where the upgrade carried none.
    pub token: Option<String>,
    /// The client's own name for its session.
    pub session: Option<String>,
    /// The cursor to go on from.
    pub after: Option<String>,
    /// Public channels to watch.
    #[serde(default)]
    pub rooms: Vec<String>,
}

/// `ack`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Ack {
    /// Everything up to here has been taken in.
    pub cursor: String,
}

/// `focus`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Focus {
    /// The rooms; an empty list is none.
    pub rooms: Vec<RoomId>,
}

/// `ticket.revoke`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TicketRevoke {
    /// Any ticket of the family.
    pub ticket: String,
}
