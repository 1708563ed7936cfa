//! Rules of users: their profile and their settings.

use wigeon_proto::command::{PrefsSet, UserUpdate};
use wigeon_proto::event::What;

use super::Step;
use crate::outcome::{Applied, Change, UserRef};
use crate::state::State;

impl<S: State> Step<'_, S> {
    pub(super) fn user_update(&self, update: &UserUpdate) -> Applied {
        let (user, name) = (self.actor().clone(), update.name.clone());
        let mut applied = self.to_self(
            None,
            What::User { user: user.clone(), name: name.clone() },
            Change::User(user.clone(), name.clone()),
        );
        applied.reply.user = Some(UserRef { id: user, name });
        applied
    }

    pub(super) fn prefs_set(&self, set: &PrefsSet) -> Applied {
        let json = serde_json::to_string(&set.prefs).expect("a map of JSON is JSON");
        let what = What::Prefs { about: set.room.clone(), prefs: set.prefs.clone() };
        self.to_self(None, what, Change::Prefs(self.actor().clone(), set.room.clone(), json))
    }
}
