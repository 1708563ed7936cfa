//! The fields of the commands that become entries of the log.
//!
//! An entry keeps its command as it came, so a field that was left out is left out there as well: what is
//! added later must have a default that means what its absence meant.

use serde::{Deserialize, Serialize};

use crate::id::{InviteCode, RoomId, UserId};
use crate::room::{PolicyChange, Role, RoomKind};

/// A message's content. Only known fields are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// 1 to [`crate::limits::TEXT_BYTES_MAX`] bytes.
    pub text: String,
}

/// `send`: exactly one of `room` and `to`, and exactly one of `body` and `forward`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Send {
    /// The room, if it is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub room: Option<RoomId>,
    /// The other user of a direct room, which comes into being if need be.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub to: Option<UserId>,
    /// The content.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub body: Option<Body>,
    /// The message whose content is sent on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub forward: Option<Target>,
    /// The `seq` this answers.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reply_to: Option<u64>,
    /// The `seq` that began the thread this belongs to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub thread: Option<u64>,
    /// Users named in the text.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub mentions: Vec<UserId>,
    /// Every member is meant.
    #[serde(skip_serializing_if = "is_false", default)]
    pub mention_all: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // The form serde calls it by.
fn is_false(value: &bool) -> bool {
    !value
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

/// `pin`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// Where.
    pub room: RoomId,
    /// Which message.
    pub seq: u64,
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

/// `member.mute`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberMute {
    /// Where.
    pub room: RoomId,
    /// Who.
    pub user: UserId,
    /// Until when, in milliseconds since 1970; 0, or any time that has passed, ends it.
    pub until: u64,
}

/// `invite.create`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteCreate {
    /// Where it leads.
    pub room: RoomId,
    /// How many may use it; any number if left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub uses: Option<u64>,
    /// For how many seconds it is good; until it is revoked if left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_in: Option<u64>,
}

/// A command about one invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfInvite {
    /// Its code.
    pub code: InviteCode,
}

/// `room.retain`: takes away what is older than a room keeps. Only the server itself says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomRetain {
    /// Where.
    pub room: RoomId,
    /// The newest message that goes.
    pub to_seq: u64,
    /// Its position: every event up to there goes.
    pub to_pos: u64,
}

/// `user.update`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserUpdate {
    /// The new display name.
    pub name: String,
}

/// `prefs.set`: what is named replaces what there was, and what is `null` goes away.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PrefsSet {
    /// The room they are about; all if left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub room: Option<RoomId>,
    /// The settings that change; all together have at most [`crate::limits::PREFS_BYTES_MAX`] bytes.
    pub prefs: serde_json::Map<String, serde_json::Value>,
}

/// `block.set`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockSet {
    /// Whom.
    pub user: UserId,
    /// Blocked, or not any more.
    pub on: bool,
}
