//! Ids: names of users, rooms and commands, parsed once at the edge.
//!
//! Ids from outside match `[A-Za-z0-9._-]{1,64}`. Ids with a `:` are the server's own: `d:ann~bob` is the
//! direct room of two users, `self:ann` the audience of one user's devices, `g:4k2m…` a guest. A type
//! that holds an id has been checked; nothing checks it again.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::limits::{COMMAND_ID_BYTES_MAX, ID_BYTES_MAX};

/// Why a text is not an id. The message is for the one who sent it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} must match {pattern}")]
pub struct InvalidId {
    what: &'static str,
    pattern: &'static str,
}

const fn invalid(what: &'static str, pattern: &'static str) -> InvalidId {
    InvalidId { what, pattern }
}

fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= ID_BYTES_MAX
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

/// The part of a guest's id after `g:`.
fn is_guest(text: &str) -> bool {
    text.strip_prefix("g:")
        .is_some_and(|rest| rest.len() <= 32 && is_plain(rest) && !rest.contains(['.', '_', '-']))
}

/// A user: chosen by the application (`ann`), or made by the server for a guest (`g:…`).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserId(Arc<str>);

impl UserId {
    /// Accepts a plain id or a guest's.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        if is_plain(text) || is_guest(text) {
            return Ok(Self(text.into()));
        }
        Err(invalid("a user id", "[A-Za-z0-9._-]{1,64}"))
    }

    /// True for an id that only this server gives out.
    pub fn is_guest(&self) -> bool {
        self.0.starts_with("g:")
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A room, or the audience of one user's own devices.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomId(Arc<str>);

impl RoomId {
    /// Accepts a plain id, a direct room's or a self audience's.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        let own = |prefix: &str| text.strip_prefix(prefix);
        let known = is_plain(text)
            || own("self:").is_some_and(|user| UserId::parse(user).is_ok())
            || own("d:")
                .and_then(|pair| pair.split_once('~'))
                .is_some_and(|(a, b)| a <= b && UserId::parse(a).is_ok() && UserId::parse(b).is_ok());
        if known { Ok(Self(text.into())) } else { Err(invalid("a room id", "[A-Za-z0-9._-]{1,64}")) }
    }

    /// The direct room of two users: the same whoever writes first.
    pub fn direct(one: &UserId, other: &UserId) -> Self {
        let (a, b) = if one <= other { (one, other) } else { (other, one) };
        Self(format!("d:{a}~{b}").into())
    }

    /// The audience of a user's own devices: read marks, preferences, profile.
    pub fn own(user: &UserId) -> Self {
        Self(format!("self:{user}").into())
    }

    /// True for an id that a caller may choose: no direct room, no self audience.
    pub fn is_plain(&self) -> bool {
        !self.0.contains(':')
    }

    /// The two users of a direct room's id.
    pub fn direct_users(&self) -> Option<(UserId, UserId)> {
        let (a, b) = self.0.strip_prefix("d:")?.split_once('~')?;
        Some((UserId::parse(a).ok()?, UserId::parse(b).ok()?))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A client's name for one command: with the acting user, the key of idempotency.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CommandId(Arc<str>);

impl CommandId {
    /// Accepts 1 to 128 visible ASCII characters.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        let fits = !text.is_empty()
            && text.len() <= COMMAND_ID_BYTES_MAX
            && text.bytes().all(|b| b.is_ascii_graphic());
        if fits { Ok(Self(text.into())) } else { Err(invalid("a command id", "[!-~]{1,128}")) }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A code that makes whoever knows it a member of a room; made by the server, and a secret.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InviteCode(Arc<str>);

impl InviteCode {
    /// Accepts 1 to 64 letters and digits, so that it needs no escaping in a link.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        if is_plain(text) && text.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Ok(Self(text.into()));
        }
        Err(invalid("an invitation's code", "[A-Za-z0-9]{1,64}"))
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What every id can do, written once.
macro_rules! text_id {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl TryFrom<&str> for $name {
            type Error = InvalidId;
            fn try_from(text: &str) -> Result<Self, InvalidId> {
                Self::parse(text)
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.as_ref().to_owned()
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Text(PhantomData))
            }
        }
    )*};
}
text_id!(UserId, RoomId, CommandId, InviteCode);

/// Reads an id where it stands: ids are in every command and every event, and a `String` between the text and
/// the id would be one allocation more for each.
struct Text<T>(PhantomData<T>);

impl<T: for<'a> TryFrom<&'a str, Error = InvalidId>> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::try_from(text).map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_direct_room_is_the_same_from_both_sides() {
        let (ann, bob) = (UserId::parse("ann").unwrap(), UserId::parse("g:b0b").unwrap());
        let room = RoomId::direct(&bob, &ann);
        assert_eq!(room, RoomId::direct(&ann, &bob));
        assert_eq!(RoomId::parse(room.as_str()).as_ref(), Ok(&room));
        assert_eq!(room.direct_users(), Some((ann, bob)));
    }

    #[test]
    fn the_servers_own_ids_cannot_be_made_up() {
        for bad in ["", "a b", "d:ann", "d:b~a", "x:y", "self:", "g:", "ü", "a/b", &"a".repeat(65)] {
            assert!(RoomId::parse(bad).is_err(), "{bad}");
            assert!(UserId::parse(bad).is_err(), "{bad}");
        }
        assert!(UserId::parse("self:ann").is_err());
        assert!(CommandId::parse("a\nb").is_err());
        assert!(InviteCode::parse("a-b").is_err());
    }
}
