//! An entry: an admitted command, as the log holds it.
//!
//! Everything that cannot be decided again elsewhere (token, role, clock, chance) has been decided and
//! stands in it.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wigeon_proto::command::Durable;
use wigeon_proto::id::{CommandId, InviteCode, RoomId, UserId};

/// The version of the rules an entry was admitted under.
pub const RULES_VERSION: u32 = 1;

/// What the actor may do beyond their roles in rooms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rights {
    /// A user: what their roles allow.
    User,
    /// A backend of the application: everything.
    Service,
}

/// An admitted command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// See [`RULES_VERSION`].
    pub v: u32,
    /// Who acts.
    pub actor: UserId,
    /// With which rights.
    pub rights: Rights,
    /// When it was admitted: milliseconds since 1970.
    pub at: u64,
    /// With `actor`, the key of idempotency.
    pub id: CommandId,
    /// An id for the room it may bring into being.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub new_room: Option<RoomId>,
    /// A code for the invitation it may make.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub new_code: Option<InviteCode>,
    /// What is asked.
    pub command: Durable,
}

/// 128 bits that tell one payload from another under the same id.
pub type PayloadHash = [u8; 16];

impl Entry {
    /// The hash of the command alone: not of when or by whom it came.
    pub fn payload_hash(&self) -> PayloadHash {
        let json = serde_json::to_vec(&self.command).expect("a command is JSON");
        let mut hash = PayloadHash::default();
        hash.copy_from_slice(&Sha256::digest(&json)[..16]);
        hash
    }

    /// The bytes the log keeps.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("an entry is JSON")
    }

    /// Reads what [`Self::to_bytes`] made.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }
}
