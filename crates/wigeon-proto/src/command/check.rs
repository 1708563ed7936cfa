//! What can be wrong with a command's fields whatever the state: sizes, counts, fields that go together.

use serde_json::Value;

use super::{Body, Durable};
use crate::error::{ErrorCode, WireError};
use crate::limits;
use crate::room::{PolicyChange, RoomKind};

impl Durable {
    /// Checks what needs no state: sizes, counts, fields that go together.
    pub(super) fn check(&self) -> Result<(), WireError> {
        match self {
            Self::Send(send) => {
                if send.room.is_some() == send.to.is_some() {
                    return Err(bad("`send` names either `room` or `to`"));
                }
                at_most(send.mentions.len(), limits::MENTIONS_MAX, "mentions")?;
                match (&send.body, &send.forward) {
                    (Some(body), None) => body.check(),
                    (None, Some(_)) => Ok(()),
                    _ => Err(bad("`send` has either `body` or `forward`")),
                }
            }
            Self::Edit(edit) => edit.body.check(),
            Self::React(react) => {
                let short = (1..=limits::EMOJI_BYTES_MAX).contains(&react.emoji.len());
                let sound = short && !react.emoji.contains(|c: char| c.is_whitespace() || c.is_control());
                if sound { Ok(()) } else { Err(bad("`emoji` is 1 to 64 bytes without spaces")) }
            }
            Self::RoomCreate(create) => {
                at_most(create.members.len(), limits::MEMBERS_PER_COMMAND_MAX, "members")?;
                if !matches!(create.kind, RoomKind::Group | RoomKind::Channel) {
                    return Err(bad(
                        "`kind` is `group` or `channel`; a direct room comes with its first message",
                    ));
                }
                create.policy.check()?;
                check_name("title", &create.title, limits::TITLE_BYTES_MAX)
            }
            Self::RoomUpdate(update) => {
                update.policy.check()?;
                update.title.as_deref().map_or(Ok(()), |t| check_name("title", t, limits::TITLE_BYTES_MAX))
            }
            Self::MemberMute(mute) => within(mute.until, 0, limits::TIME_MS_MAX, "until"),
            Self::InviteCreate(create) => {
                within(create.uses.unwrap_or(1), 1, limits::INVITE_USES_MAX, "uses")?;
                within(create.expires_in.unwrap_or(1), 1, limits::INVITE_S_MAX, "expires_in")
            }
            Self::MemberAdd(add) => {
                at_most(add.users.len(), limits::MEMBERS_PER_COMMAND_MAX, "users")?;
                if add.everyone().is_empty() {
                    Err(bad("`member.add` names `user` or `users`"))
                } else {
                    Ok(())
                }
            }
            Self::UserUpdate(update) => check_name("name", &update.name, limits::NAME_BYTES_MAX),
            Self::PrefsSet(set) => {
                let bytes = serde_json::to_vec(&set.prefs).map_or(usize::MAX, |json| json.len());
                at_most(bytes, limits::PREFS_BYTES_MAX, "bytes of prefs")?;
                set.prefs.iter().try_for_each(|(key, value)| check_pref(key, value, set.room.is_some()))
            }
            _ => Ok(()),
        }
    }
}

impl PolicyChange {
    fn check(&self) -> Result<(), WireError> {
        let seconds = u64::from(self.slow_s.unwrap_or(0));
        within(seconds, 0, limits::SLOW_S_MAX, "slow_s")?;
        within(u64::from(self.retention_days.unwrap_or(0)), 0, limits::RETENTION_DAYS_MAX, "retention_days")
    }
}

/// Settings that mean something to every client, and some to the server, have one form; others are the
/// application's own. `null` takes a setting away.
fn check_pref(key: &str, value: &Value, of_room: bool) -> Result<(), WireError> {
    let fits = match key {
        _ if value.is_null() => true,
        "level" => matches!(value.as_str(), Some("all" | "mentions" | "none")),
        "mute" | "pin" | "private_read" => value.is_boolean(),
        "hide" => of_room && value.is_u64(),
        "draft" => of_room && value.get("text").is_some_and(Value::is_string),
        _ => true,
    };
    if fits { Ok(()) } else { Err(bad(format!("`prefs.{key}` has not the form it must have"))) }
}

impl Body {
    fn check(&self) -> Result<(), WireError> {
        if self.text.is_empty() {
            return Err(bad("`body.text` is empty"));
        }
        at_most(self.text.len(), limits::TEXT_BYTES_MAX, "bytes of text")
    }
}

/// A name or title: something to see, on one line, within its limit.
pub fn check_name(what: &str, text: &str, bytes_max: usize) -> Result<(), WireError> {
    if text.trim().is_empty() || text.contains(char::is_control) {
        return Err(bad(format!("`{what}` is empty or has control characters")));
    }
    at_most(text.len(), bytes_max, &format!("bytes of `{what}`"))
}

fn within(number: u64, min: u64, max: u64, what: &str) -> Result<(), WireError> {
    if (min..=max).contains(&number) { Ok(()) } else { Err(bad(format!("`{what}` is {min} to {max}"))) }
}

fn at_most(count: usize, max: usize, what: &str) -> Result<(), WireError> {
    if count <= max {
        return Ok(());
    }
    Err(WireError::new(ErrorCode::TooLarge, format!("at most {max} {what}")))
}

pub(super) fn bad(message: impl Into<String>) -> WireError {
    WireError::new(ErrorCode::BadRequest, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Request;
    use serde_json::json;

    fn code(json: Value) -> Option<ErrorCode> {
        let mut json = json;
        json["id"] = "1".into();
        Request::decode(&json.to_string()).err().map(|unreadable| unreadable.error.code)
    }

    #[test]
    fn a_message_has_words_of_its_own_or_is_sent_on() {
        let source = json!({"room":"a","seq":1});
        let body = json!({"text":"x"});
        let send = |more: Value| {
            let mut send = json!({"type":"send","room":"r"});
            send.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            code(send)
        };
        assert_eq!(send(json!({"forward":source})), None);
        assert_eq!(send(json!({"body":body})), None);
        assert_eq!(send(json!({"body":body,"forward":source})), Some(ErrorCode::BadRequest));
        assert_eq!(send(json!({})), Some(ErrorCode::BadRequest));
    }

    #[test]
    fn numbers_stay_within_what_can_be_kept() {
        let invite = |field: &str, number: u64| code(json!({"type":"invite.create","room":"r",field:number}));
        let bad = Some(ErrorCode::BadRequest);
        assert_eq!((invite("uses", 1), invite("uses", 0)), (None, bad));
        assert_eq!(invite("uses", limits::INVITE_USES_MAX + 1), bad);
        assert_eq!(invite("expires_in", limits::INVITE_S_MAX), None);
        assert_eq!(invite("expires_in", u64::MAX), bad);
        let mute = |until: u64| code(json!({"type":"member.mute","room":"r","user":"bob","until":until}));
        assert_eq!((mute(0), mute(limits::TIME_MS_MAX), mute(u64::MAX)), (None, None, bad));
        let slow = |slow_s: u64| code(json!({"type":"room.update","room":"r","policy":{"slow_s":slow_s}}));
        assert_eq!((slow(limits::SLOW_S_MAX), slow(limits::SLOW_S_MAX + 1)), (None, bad));
        let keep =
            |days: u64| code(json!({"type":"room.update","room":"r","policy":{"retention_days":days}}));
        assert_eq!((keep(limits::RETENTION_DAYS_MAX), keep(limits::RETENTION_DAYS_MAX + 1)), (None, bad));
    }

    #[test]
    fn settings_that_mean_something_have_their_form() {
        let set = |prefs: Value| code(json!({"type":"prefs.set","room":"r","prefs":prefs}));
        let fine = json!({
            "level":"none","mute":true,"pin":false,"private_read":true,"hide":7,
            "draft":{"text":"","reply_to":3},"theme":"mine"
        });
        assert_eq!(set(fine), None);
        let gone = json!({"level":null,"hide":null,"draft":null});
        assert_eq!(set(gone), None);
        for (key, value) in
            [("level", json!("some")), ("mute", json!(1)), ("hide", json!(-1)), ("draft", json!("text"))]
        {
            assert_eq!(set(json!({key:value})), Some(ErrorCode::BadRequest), "{key}");
        }
        let global = json!({"type":"prefs.set","prefs":{"hide":7}});
        assert_eq!(code(global), Some(ErrorCode::BadRequest), "one hides a room, not all");
    }
}
