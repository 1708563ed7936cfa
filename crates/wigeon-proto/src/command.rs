//! Commands: what a client asks, decoded once at the edge.
//!
//! A command is one JSON object with `type` and usually `id`. This file lists them all; [`write`], [`ask`]
//! and [`live`] have their fields, [`decode`] reads them and [`check`] looks at what they hold.

pub mod ask;
pub mod check;
pub mod decode;
pub mod live;
pub mod write;

use serde::{Deserialize, Serialize};

use crate::id::{CommandId, UserId};

pub use ask::{History, MemberList, Page, Search, UserGet, UserSearch, When};
pub use live::{Ack, Focus, Hello, PresenceWatch, TicketRevoke};
pub use write::{
    BlockSet, Body, Edit, InviteCreate, MemberAdd, MemberMute, MemberRole, OfInvite, OfMember, OfRoom, Pin,
    PrefsSet, React, RoomCreate, RoomRetain, RoomUpdate, Send, Target, UserUpdate,
};

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
    /// Marks everything from `seq` on as unread.
    #[serde(rename = "unread")]
    Unread(Target),
    /// Pins a message to its room, or takes the pin away.
    #[serde(rename = "pin")]
    Pin(Pin),
    /// A new group or channel.
    #[serde(rename = "room.create")]
    RoomCreate(RoomCreate),
    /// A new title or policy.
    #[serde(rename = "room.update")]
    RoomUpdate(RoomUpdate),
    /// Takes away what is older than a room keeps; nobody can ask for it.
    #[serde(rename = "room.retain")]
    RoomRetain(RoomRetain),
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
    /// Ends a membership and keeps the user out.
    #[serde(rename = "member.ban")]
    MemberBan(OfMember),
    /// Lets a banned user come again.
    #[serde(rename = "member.unban")]
    MemberUnban(OfMember),
    /// Keeps a member from writing for a time.
    #[serde(rename = "member.mute")]
    MemberMute(MemberMute),
    /// A code by which others become members.
    #[serde(rename = "invite.create")]
    InviteCreate(InviteCreate),
    /// Becomes a member by a code.
    #[serde(rename = "invite.accept")]
    InviteAccept(OfInvite),
    /// Ends a code.
    #[serde(rename = "invite.revoke")]
    InviteRevoke(OfInvite),
    /// A new display name.
    #[serde(rename = "user.update")]
    UserUpdate(UserUpdate),
    /// One user's settings for a room, or for all.
    #[serde(rename = "prefs.set")]
    PrefsSet(PrefsSet),
    /// Ends or permits what another user writes to one directly.
    #[serde(rename = "block.set")]
    BlockSet(BlockSet),
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
    /// Who may not come into a room.
    BanList(MemberList),
    /// A message in every form it has had.
    MessageVersions(Target),
    /// Who has read a message.
    ReceiptsGet(Target),
    /// A room's codes.
    InviteList(OfRoom),
    /// The room a code leads to.
    InviteGet(OfInvite),
    /// Whom the asker has blocked.
    BlockList(Page),
    /// Users by id.
    UserGet(UserGet),
    /// Users by the beginning of a word of their name.
    UserSearch(UserSearch),
    /// Messages by what they say.
    Search(Search),
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
    /// Who of these is there, now and for a while.
    PresenceWatch(PresenceWatch),
    /// Is anybody there?
    Ping,
    /// Ends a family of tickets.
    TicketRevoke(TicketRevoke),
}
