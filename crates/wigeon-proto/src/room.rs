//! Rooms: their kinds, roles and policies.

use serde::{Deserialize, Serialize};

/// What a room is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoomKind {
    /// Two users; comes into being with its first message.
    Direct,
    /// Invited members.
    Group,
    /// Public unless its policy says otherwise: anybody may watch and join.
    Channel,
    /// One user's own devices: nobody joins it and nobody sends to it.
    #[serde(rename = "self")]
    Own,
}

impl RoomKind {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Group => "group",
            Self::Channel => "channel",
            Self::Own => "self",
        }
    }

    /// Reads the word on the wire.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Direct, Self::Group, Self::Channel, Self::Own].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What a member may do. Higher roles may all that lower ones may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads and reacts.
    Reader,
    /// Sends.
    Member,
    /// Adds, removes and renames.
    Admin,
    /// Appoints admins.
    Owner,
}

impl Role {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// Reads the word on the wire.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Reader, Self::Member, Self::Admin, Self::Owner].into_iter().find(|role| role.as_str() == text)
    }
}

/// What of the past a member sees in `history`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum History {
    /// Everything.
    Shared,
    /// What was said while they were in.
    Joined,
}

/// How one becomes a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Join {
    /// By oneself.
    Open,
    /// By being added.
    Invite,
}

/// Who may watch without being a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Anybody, and it is listed.
    Public,
    /// Members only.
    Private,
}

/// A room's rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// What of the past members see.
    pub history: History,
    /// How one becomes a member.
    pub join: Join,
    /// Who may watch.
    pub visibility: Visibility,
    /// Seconds a member waits from one message to the next; 0 is none. Admins need not wait.
    #[serde(default)]
    pub slow_s: u32,
    /// Seconds in which authors may take a message back; 0 is always. Admins always may.
    #[serde(default)]
    pub recall_s: u32,
    /// The least role that may mention all.
    #[serde(default = "admin")]
    pub mention_all: Role,
    /// Days after which messages go; 0 keeps them for as long as the server does.
    #[serde(default)]
    pub retention_days: u32,
}

fn admin() -> Role {
    Role::Admin
}

impl Policy {
    /// What a room of this kind begins with.
    pub fn of(kind: RoomKind) -> Self {
        let private = Self {
            history: History::Joined,
            join: Join::Invite,
            visibility: Visibility::Private,
            slow_s: 0,
            recall_s: 0,
            mention_all: Role::Member,
            retention_days: 0,
        };
        match kind {
            RoomKind::Channel => Self {
                history: History::Shared,
                join: Join::Open,
                visibility: Visibility::Public,
                mention_all: Role::Admin,
                ..private
            },
            _ => private,
        }
    }

    /// This policy with the named parts replaced.
    #[must_use]
    pub fn with(self, change: PolicyChange) -> Self {
        Self {
            history: change.history.unwrap_or(self.history),
            join: change.join.unwrap_or(self.join),
            visibility: change.visibility.unwrap_or(self.visibility),
            slow_s: change.slow_s.unwrap_or(self.slow_s),
            recall_s: change.recall_s.unwrap_or(self.recall_s),
            mention_all: change.mention_all.unwrap_or(self.mention_all),
            retention_days: change.retention_days.unwrap_or(self.retention_days),
        }
    }
}

/// The parts of a policy that a command names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PolicyChange {
    /// See [`Policy::history`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<History>,
    /// See [`Policy::join`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub join: Option<Join>,
    /// See [`Policy::visibility`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Visibility>,
    /// See [`Policy::slow_s`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slow_s: Option<u32>,
    /// See [`Policy::recall_s`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recall_s: Option<u32>,
    /// See [`Policy::mention_all`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mention_all: Option<Role>,
    /// See [`Policy::retention_days`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<u32>,
}
