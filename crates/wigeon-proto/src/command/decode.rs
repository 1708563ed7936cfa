//! Reading a command: from text to a checked [`Request`], or to an error that its sender can act on.
//!
//! Two looks at the text: a short one for the head, then one for exactly the fields of that type.
//! Unknown fields are ignored. What needs state (rights, rooms) is not checked here but in the rules.

use std::borrow::Cow;

use serde::Deserialize;

use super::check::bad;
use super::{Command, Durable, Live, Query, Request};
use crate::error::{ErrorCode, WireError};
use crate::id::{CommandId, UserId};
use crate::limits;

/// A command that could not be read, with the id to answer to, if that much could be.
#[derive(Debug, Clone, PartialEq)]
pub struct Unreadable {
    /// The command's id.
    pub id: Option<CommandId>,
    /// What is wrong with it.
    pub error: WireError,
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(rename = "type", borrow)]
    kind: Option<Text<'a>>,
    #[serde(rename = "as")]
    on_behalf_of: Option<UserId>,
}

/// A text where it stands, unless it has escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Only the id, for the answer to a command whose head is wrong elsewhere.
#[derive(Deserialize)]
struct OnlyId {
    id: Option<CommandId>,
}

impl Request {
    /// Decodes and checks one command's JSON.
    pub fn decode(json: &str) -> Result<Self, Unreadable> {
        let blame = |error| Unreadable {
            id: serde_json::from_str::<OnlyId>(json).ok().and_then(|head| head.id),
            error,
        };
        if json.len() > limits::COMMAND_BYTES_MAX {
            return Err(blame(WireError::new(
                ErrorCode::TooLarge,
                format!("a command has at most {} bytes", limits::COMMAND_BYTES_MAX),
            )));
        }
        Self::read(json).map_err(blame)
    }

    fn read(json: &str) -> Result<Self, WireError> {
        let head: Head<'_> = fields(json)?;
        let id = head.id.map(|Text(id)| CommandId::parse(&id)).transpose().map_err(|e| bad(e.to_string()))?;
        let Text(kind) = head.kind.ok_or_else(|| bad("missing field `type`"))?;
        let command = Command::of(&kind, json)?;
        if let Command::Durable(durable) = &command {
            if id.is_none() {
                return Err(bad("this command needs an `id`: it is what makes a retry safe"));
            }
            durable.check()?;
        }
        Ok(Self { id, on_behalf_of: head.on_behalf_of, command })
    }
}

impl Command {
    fn of(kind: &str, json: &str) -> Result<Self, WireError> {
        use {Command as C, Durable as D, Live as L, Query as Q};
        Ok(match kind {
            "send" => C::Durable(D::Send(fields(json)?)),
            "edit" => C::Durable(D::Edit(fields(json)?)),
            "recall" => C::Durable(D::Recall(fields(json)?)),
            "react" => C::Durable(D::React(fields(json)?)),
            "read" => C::Durable(D::Read(fields(json)?)),
            "unread" => C::Durable(D::Unread(fields(json)?)),
            "pin" => C::Durable(D::Pin(fields(json)?)),
            "room.create" => C::Durable(D::RoomCreate(fields(json)?)),
            "room.update" => C::Durable(D::RoomUpdate(fields(json)?)),
            "room.join" => C::Durable(D::RoomJoin(fields(json)?)),
            "room.leave" => C::Durable(D::RoomLeave(fields(json)?)),
            "member.add" => C::Durable(D::MemberAdd(fields(json)?)),
            "member.remove" => C::Durable(D::MemberRemove(fields(json)?)),
            "member.role" => C::Durable(D::MemberRole(fields(json)?)),
            "member.ban" => C::Durable(D::MemberBan(fields(json)?)),
            "member.unban" => C::Durable(D::MemberUnban(fields(json)?)),
            "member.mute" => C::Durable(D::MemberMute(fields(json)?)),
            "invite.create" => C::Durable(D::InviteCreate(fields(json)?)),
            "invite.accept" => C::Durable(D::InviteAccept(fields(json)?)),
            "invite.revoke" => C::Durable(D::InviteRevoke(fields(json)?)),
            "user.update" => C::Durable(D::UserUpdate(fields(json)?)),
            "prefs.set" => C::Durable(D::PrefsSet(fields(json)?)),
            "block.set" => C::Durable(D::BlockSet(fields(json)?)),
            "history" => C::Query(Q::History(fields(json)?)),
            "snapshot" => C::Query(Q::Snapshot(fields(json)?)),
            "room.get" => C::Query(Q::RoomGet(fields(json)?)),
            "room.list" => C::Query(Q::RoomList(fields(json)?)),
            "member.list" => C::Query(Q::MemberList(fields(json)?)),
            "ban.list" => C::Query(Q::BanList(fields(json)?)),
            "message.versions" => C::Query(Q::MessageVersions(fields(json)?)),
            "receipts.get" => C::Query(Q::ReceiptsGet(fields(json)?)),
            "invite.list" => C::Query(Q::InviteList(fields(json)?)),
            "invite.get" => C::Query(Q::InviteGet(fields(json)?)),
            "block.list" => C::Query(Q::BlockList(fields(json)?)),
            "user.get" => C::Query(Q::UserGet(fields(json)?)),
            "user.search" => C::Query(Q::UserSearch(fields(json)?)),
            "search" => C::Query(Q::Search(fields(json)?)),
            "hello" => C::Live(L::Hello(fields(json)?)),
            "ack" => C::Live(L::Ack(fields(json)?)),
            "typing" => C::Live(L::Typing(fields(json)?)),
            "focus" => C::Live(L::Focus(fields(json)?)),
            "presence.watch" => C::Live(L::PresenceWatch(fields(json)?)),
            "ticket.revoke" => C::Live(L::TicketRevoke(fields(json)?)),
            "ping" => C::Live(L::Ping),
            _ => return Err(bad("unknown command type")),
        })
    }
}

/// The fields of one type. The parser's message names the field and the place, and no value of the caller's.
fn fields<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, WireError> {
    serde_json::from_str(json).map_err(|error| {
        let kind = match error.classify() {
            serde_json::error::Category::Data => "wrong fields",
            _ => "not JSON",
        };
        bad(format!("{kind}: {}", without_values(&error.to_string())))
    })
}

/// The parser's message without the caller's values and our own type names: it ends up in logs and pages.
/// A missing field's name and the sentences of our own ids are kept; of the rest, the place.
fn without_values(message: &str) -> String {
    let quotes = ["invalid type", "invalid value", "invalid length", "unknown variant", "duplicate field"];
    if !quotes.iter().any(|start| message.starts_with(start)) {
        return message.to_owned();
    }
    let place = message.rfind(" at line ").map_or("", |at| &message[at..]);
    format!("a field has the wrong type or value{place}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(json: &str) -> (Option<String>, ErrorCode) {
        let unreadable = Request::decode(json).expect_err(json);
        (unreadable.id.map(String::from), unreadable.error.code)
    }

    #[test]
    fn a_send_keeps_known_fields_only() {
        let json = r#"{"id":"1","type":"send","to":"bob","body":{"text":"hi","html":"<b>"},"extra":[1]}"#;
        let request = Request::decode(json).unwrap();
        let Command::Durable(durable @ Durable::Send(_)) = &request.command else { panic!("{request:?}") };
        assert_eq!(
            serde_json::to_string(durable).unwrap(),
            r#"{"type":"send","to":"bob","body":{"text":"hi"}}"#
        );
    }

    #[test]
    fn bad_commands_are_told_apart_and_answered_under_their_id() {
        let bad = ErrorCode::BadRequest;
        assert_eq!(refused("nonsense"), (None, bad));
        assert_eq!(refused("[]"), (None, bad));
        assert_eq!(refused(r#"{"id":"1"}"#), (Some("1".into()), bad));
        assert_eq!(refused(r#"{"id":"1","type":"fly"}"#), (Some("1".into()), bad));
        assert_eq!(refused(r#"{"id":"a b","type":"ping"}"#), (None, bad));
        assert_eq!(refused(r#"{"type":"send","to":"bob","body":{"text":"no id"}}"#), (None, bad));
        assert_eq!(
            refused(r#"{"id":"1","type":"send","to":"bob","room":"x","body":{"text":"both"}}"#),
            (Some("1".into()), bad)
        );
        assert_eq!(
            refused(r#"{"id":"1","type":"send","to":"bob","body":{"text":""}}"#),
            (Some("1".into()), bad)
        );
        assert_eq!(
            refused(r#"{"id":"1","type":"send","to":"b b","body":{"text":"x"}}"#),
            (Some("1".into()), bad)
        );
        assert_eq!(
            refused(r#"{"id":"1","type":"send","to":"bob","body":{"text":"\ud800"}}"#),
            (Some("1".into()), bad)
        );
        let deep = format!(r#"{{"id":"1","type":"send","x":{}{}}}"#, "[".repeat(5000), "]".repeat(5000));
        assert_eq!(refused(&deep).1, bad);
        let long = format!(
            r#"{{"id":"1","type":"send","to":"bob","body":{{"text":"{}"}}}}"#,
            "x".repeat(limits::TEXT_BYTES_MAX + 1)
        );
        assert_eq!(refused(&long), (Some("1".into()), ErrorCode::TooLarge));
    }

    #[test]
    fn an_error_never_repeats_what_was_sent() {
        let unreadable =
            Request::decode(r#"{"id":"1","type":"history","room":"r","limit":"secret <b>"}"#).unwrap_err();
        assert_eq!(
            unreadable.error.message,
            "wrong fields: a field has the wrong type or value at line 1 column 58"
        );
        let unreadable = Request::decode("5").unwrap_err();
        assert_eq!(
            unreadable.error.message,
            "wrong fields: a field has the wrong type or value at line 1 column 1"
        );
    }
}
