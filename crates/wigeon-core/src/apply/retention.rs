//! Retention: what is older than a room keeps goes, in steps.
//!
//! Which messages those are has been decided by the server's clock before, and stands in the entry; here it
//! only happens. A step that takes no message, but what was done around them, tells nobody.

use wigeon_proto::command::RoomRetain;
use wigeon_proto::error::ErrorCode;
use wigeon_proto::event::What;

use super::{Decision, Step, stop};
use crate::outcome::{Applied, Change};
use crate::state::State;

impl<S: State> Step<'_, S> {
    pub(super) fn room_retain(&self, retain: &RoomRetain) -> Decision<S> {
        if !self.is_service() {
            return stop(ErrorCode::Forbidden, "the server itself sees to what a room keeps");
        }
        let mut room = self.room(&retain.room)?;
        let RoomRetain { to_seq, to_pos, .. } = *retain;
        let there_is = to_seq <= room.head_seq && to_pos <= room.head_pos;
        if !there_is || to_seq < room.gone_seq || to_pos <= room.gone_pos {
            return stop(ErrorCode::Conflict, "there is nothing to go, or it has gone");
        }
        let takes_messages = to_seq > room.gone_seq;
        (room.gone_seq, room.gone_pos) = (to_seq, to_pos);
        let change = Change::Retained { room: room.id.clone(), to_seq, to_pos, at: self.entry.at };
        if takes_messages {
            return Ok(self.in_room(room, What::Expired { to_seq }, vec![change]));
        }
        Ok(Applied { event: None, changes: vec![change, Change::Room(room)], reply: self.ok(None) })
    }
}
