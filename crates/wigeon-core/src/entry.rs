//! An entry: an admitted command, as the log holds it.
//!
//! Everything that cannot be decided again elsewhere (token, role, clock, chance) has been decided and
//! stands in it.

use memchr::memmem;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wigeon_proto::command::Durable;
use wigeon_proto::id::{CommandId, InviteCode, RoomId, UserId};

/// The version of the rules an entry was admitted under.
///
/// A log is kept, and folded again by later versions of the program: after a crash, for a check, for tables that
/// are lost. So an entry comes for good to what it came to first, and a rule that is changed asks for the
/// entry's version. `tests/it/versions.rs` has a log of each version.
pub const RULES_VERSION: u32 = 1;

/// Why bytes of a log are no entry.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableEntry {
    /// Its rules may mean by it what ours do not.
    #[error("was written by a newer wigeon (rules {found}, this one knows {RULES_VERSION}): start that one")]
    Newer {
        /// The entry's version.
        found: u32,
    },
    /// It is none.
    #[error("is no entry: {0}")]
    Form(#[from] serde_json::Error),
}

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
    /// Of a message that passes another one on: the words it found there, which may be gone from the log when
    /// it is folded again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub passed: Option<String>,
    /// Of a command whose text was taken out of the log: the hash it had with it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scrubbed: Option<PayloadHash>,
    /// What is asked.
    pub command: Durable,
}

/// 128 bits that tell one payload from another under the same id.
pub type PayloadHash = [u8; 16];

impl Entry {
    /// A command of these rules, admitted at `at` (milliseconds since 1970), with nothing made for it beforehand.
    pub fn new(actor: UserId, rights: Rights, at: u64, id: CommandId, command: Durable) -> Self {
        Self {
            v: RULES_VERSION,
            actor,
            rights,
            at,
            id,
            new_room: None,
            new_code: None,
            passed: None,
            scrubbed: None,
            command,
        }
    }

    /// The hash of the command alone: not of when or by whom it came.
    pub fn payload_hash(&self) -> PayloadHash {
        if let Some(hash) = self.scrubbed {
            return hash;
        }
        hash(&serde_json::to_vec(&self.command).expect("a command is JSON"))
    }

    /// What [`Self::to_bytes`] and [`Self::payload_hash`] make, for one look at the command.
    pub fn to_bytes_and_hash(&self) -> (Vec<u8>, PayloadHash) {
        const COMMAND: &[u8] = b",\"command\":";
        let bytes = self.to_bytes();
        // It is the last field. Nothing before it can look like its name: in a string the quotes would be escaped.
        let at = memmem::find(&bytes, COMMAND);
        let start = at.expect("every entry has a command") + COMMAND.len();
        let hash = self.scrubbed.unwrap_or_else(|| hash(&bytes[start..bytes.len() - 1]));
        (bytes, hash)
    }

    /// Takes out what somebody said, and leaves what the entry does: folded again, it comes to the same but
    /// for the text. False where there is none, or none any more.
    pub fn scrub(&mut self) -> bool {
        let hash = self.payload_hash();
        let text = match &mut self.command {
            Durable::Send(send) if send.forward.is_some() => self.passed.as_mut(),
            Durable::Send(send) => send.body.as_mut().map(|body| &mut body.text),
            Durable::Edit(edit) => Some(&mut edit.body.text),
            _ => None,
        };
        let Some(text) = text.filter(|text| !text.is_empty()) else { return false };
        text.clear();
        self.scrubbed = Some(hash);
        true
    }

    /// The bytes the log keeps.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Room for most messages, which grows twice otherwise.
        let mut bytes = Vec::with_capacity(512);
        serde_json::to_writer(&mut bytes, self).expect("an entry is JSON");
        bytes
    }

    /// Reads what [`Self::to_bytes`] made.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, UnreadableEntry> {
        #[derive(Deserialize)]
        struct Version {
            v: u32,
        }
        let newer = |found| UnreadableEntry::Newer { found };
        match serde_json::from_slice::<Self>(bytes) {
            Ok(entry) if entry.v > RULES_VERSION => Err(newer(entry.v)),
            Ok(entry) => Ok(entry),
            // A command of rules to come is of no form that we know.
            Err(error) => match serde_json::from_slice(bytes) {
                Ok(Version { v }) if v > RULES_VERSION => Err(newer(v)),
                _ => Err(error.into()),
            },
        }
    }
}

fn hash(payload: &[u8]) -> PayloadHash {
    let mut hash = PayloadHash::default();
    hash.copy_from_slice(&Sha256::digest(payload)[..16]);
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_in_the_bytes_is_the_payloads() {
        let command = r#"{"type":"send","room":"a","body":{"text":"{\",\"command\":1}"}}"#;
        let entry = Entry {
            v: RULES_VERSION,
            actor: UserId::parse("ann").unwrap(),
            rights: Rights::User,
            at: 1,
            id: CommandId::parse(r#",\"command\":"#).unwrap(),
            new_room: RoomId::parse("a").ok(),
            new_code: None,
            passed: Some("said \"once\",\"command\":".into()),
            scrubbed: None,
            command: serde_json::from_str(command).unwrap(),
        };
        assert_eq!(entry.to_bytes_and_hash(), (entry.to_bytes(), entry.payload_hash()));
    }
}
