//! Rules of read marks.
//!
//! A mark rises by `read` and goes back only by `unread`. Others are told of it in direct rooms and small
//! groups, unless its owner reads in private; in larger rooms they may ask (`receipts.get`). What they may
//! know is a mark of its own, which never goes back.

use wigeon_proto::command::Target;
use wigeon_proto::error::ErrorCode;
use wigeon_proto::event::What;
use wigeon_proto::id::RoomId;

use super::{Decision, Step, Stop, stop};
use crate::outcome::{Change, RoomRef};
use crate::state::{Member, Room, State};

impl<S: State> Step<'_, S> {
    pub(super) fn read(&self, target: &Target) -> Decision<S> {
        let room = self.room(&target.room)?;
        let member = self.membership(&room.id)?;
        let seq = target.seq.min(room.head_seq);
        if seq <= member.read_seq {
            return Ok(self.without_event(&room, member.read_seq));
        }
        let private = self.reads_in_private(&room.id)?;
        let told_seq = if private { member.told_seq } else { member.told_seq.max(seq) };
        let marked = Member { read_seq: seq, told_seq, ..member };
        let what = What::Read { user: self.actor().clone(), seq, back: false };
        if room.tells_receipts() && !private {
            let change = Change::Member(room.id.clone(), self.actor().clone(), marked);
            return Ok(self.about_message(room, seq, what, change));
        }
        Ok(self.own_mark(&room, seq, what, marked))
    }

    pub(super) fn unread(&self, target: &Target) -> Decision<S> {
        let room = self.room(&target.room)?;
        let member = self.membership(&room.id)?;
        if target.seq == 0 || target.seq > room.head_seq {
            return stop(ErrorCode::NotFound, "there is no such message");
        }
        let seq = (target.seq - 1).max(member.joined_seq).max(room.gone_seq);
        if member.read_floor(&room) <= seq {
            return Ok(self.without_event(&room, member.read_floor(&room)));
        }
        // One's own later messages must not hold the mark up, or it could not go back past them.
        let marked = Member { read_seq: seq, own_seq: member.own_seq.min(seq), ..member };
        let what = What::Read { user: self.actor().clone(), seq, back: true };
        Ok(self.own_mark(&room, seq, what, marked))
    }

    /// A mark that only its owner's devices hear of.
    fn own_mark(&self, room: &Room, seq: u64, what: What, marked: Member) -> crate::outcome::Applied {
        let change = Change::Member(room.id.clone(), self.actor().clone(), marked);
        let mut applied = self.to_self(Some(room.id.clone()), what, vec![change]);
        applied.reply.room = Some(RoomRef::Id(room.id.clone()));
        applied.reply.seq = Some(seq);
        applied
    }

    /// What the user says of this room, else of all.
    fn reads_in_private(&self, room: &RoomId) -> Result<bool, Stop<S::Error>> {
        for scope in [Some(room), None] {
            let prefs = self.state.prefs(self.actor(), scope).map_err(Stop::Fault)?;
            if let Some(said) = prefs.get("private_read").and_then(serde_json::Value::as_bool) {
                return Ok(said);
            }
        }
        Ok(false)
    }
}
