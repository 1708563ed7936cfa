//! How a feed begins, the same for every transport: whose it is, where it starts, and whether its cursor
//! can be served at all.

use std::sync::Arc;

use wigeon_core::entry::Rights;
use wigeon_proto::command::{Durable, Hello, UserUpdate};
use wigeon_proto::cursor::Cursor;
use wigeon_proto::error::{ErrorCode, WireError};
use wigeon_proto::frame::{Control, ResetReason};
use wigeon_proto::id::{RoomId, UserId};
use wigeon_proto::limits::REPLAY_POSITIONS_MAX;
use wigeon_store::read::QueryError;

use super::request::{EventsRequest, Watch};
use crate::app::{App, new_command_id};
use crate::caller::Caller;
use crate::commands::query_error;
use crate::hub::{FeedError, Start};

/// A feed that may begin.
pub(crate) struct Opening {
    pub(crate) start: Start,
    /// The cursor as `ready` repeats it; none until the feed says where now is.
    pub(crate) echo: Option<String>,
    /// Why it starts from now instead.
    pub(crate) reset: Option<ResetReason>,
    pub(crate) unavailable: Vec<String>,
}

/// What a read names, whether in a query or in `hello`.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) on_behalf_of: Option<UserId>,
    pub(crate) after: Option<String>,
    pub(crate) last: Option<usize>,
    pub(crate) watch: Watch,
    pub(crate) max_per_room: Option<u64>,
    pub(crate) unread: bool,
    /// Whether it is of a session, which then lives on.
    pub(crate) session: bool,
}

impl From<&EventsRequest> for Wanted {
    fn from(asked: &EventsRequest) -> Self {
        Self {
            on_behalf_of: asked.on_behalf_of.clone(),
            after: asked.after.clone(),
            last: asked.last,
            watch: asked.watch.clone(),
            max_per_room: asked.max_per_room,
            unread: asked.unread,
            session: asked.session,
        }
    }
}

impl Wanted {
    /// What `hello` names goes before what the URL names.
    pub(crate) fn by_hello(mut self, on_behalf_of: Option<UserId>, hello: &Hello) -> Result<Self, WireError> {
        self.on_behalf_of = on_behalf_of.or(self.on_behalf_of);
        self.after = hello.after.clone().or(self.after);
        if !hello.rooms.is_empty() {
            self.watch = Watch::of(hello.rooms.iter().map(String::as_str))?;
        }
        Ok(self)
    }
}

impl Opening {
    /// Checks a read against the log as it stands.
    pub(crate) async fn of(app: &Arc<App>, caller: &Caller, wanted: Wanted) -> Result<Self, WireError> {
        let user = caller.acting(wanted.on_behalf_of.as_ref())?;
        let cursor = wanted.after.as_deref().map(Cursor::parse).transpose();
        let cursor = cursor.map_err(|error| WireError::new(ErrorCode::BadRequest, error.to_string()))?;
        let (who, rooms, last) = (user.clone(), wanted.watch.rooms.clone(), wanted.last);
        let found = app.pool.read(move |view| {
            let hidden = view.unwatchable(&rooms)?;
            let newest = last.filter(|_| cursor.is_none());
            let before_last = newest.map(|count| view.before_last(&who, &rooms, count)).transpose()?;
            if cursor.is_some_and(|cursor| cursor.position > view.position) && !view.level {
                // It may be of a node that is further, and must not be called one of the future.
                let cut_off = WireError::new(ErrorCode::Unavailable, "this node is cut off from the log");
                return Err(cut_off.retry_after(1000).into());
            }
            Ok((hidden, before_last, view.position, view.name(&who)?))
        });
        let (hidden, before_last, tail, name) = found.await.map_err(query_error)?;
        let reset = cursor.and_then(|cursor| reset(app, cursor, tail));
        let present = caller.user == user && caller.rights == Rights::User;
        if present {
            note_name(app, caller, name.as_deref());
            if wanted.session {
                app.hub.tell_presence(app.hub.presence.renew(&user));
            }
            if let Some(cursor) = cursor.filter(|_| reset.is_none()) {
                app.hub.acked(&user, cursor.position);
            }
        }
        let after = match reset {
            None => cursor.map(|cursor| cursor.position).or(before_last),
            Some(_) => None,
        };
        let mut unavailable = wanted.watch.unavailable;
        unavailable.extend(hidden.iter().map(|room: &RoomId| room.as_str().to_owned()));
        Ok(Self {
            start: Start {
                user,
                watch: wanted.watch.rooms,
                after,
                max_per_room: wanted.max_per_room,
                unread: wanted.unread,
                present,
            },
            echo: wanted.after.filter(|_| reset.is_none()),
            reset,
            unavailable,
        })
    }

    /// The first frames of a stream: `ready`, and `reset` where the cursor could not be served.
    pub(crate) fn frames(self, cursor: Cursor, nonce: Option<String>) -> Vec<Vec<u8>> {
        let now = cursor.to_string();
        let echo = self.echo.unwrap_or_else(|| now.clone());
        let mut frames =
            vec![Control::Ready { cursor: echo, nonce, unavailable: self.unavailable }.to_json()];
        frames.extend(self.reset.map(|reason| Control::Reset { reason, cursor: now }.to_json()));
        frames
    }
}

/// Why a cursor cannot be served, if it cannot.
fn reset(app: &App, cursor: Cursor, tail: u64) -> Option<ResetReason> {
    if cursor.epoch != app.epoch {
        Some(ResetReason::Epoch)
    } else if cursor.position > tail {
        Some(ResetReason::Future)
    } else if tail - cursor.position > REPLAY_POSITIONS_MAX {
        Some(ResetReason::Behind)
    } else {
        None
    }
}

/// A token may bring a display name. It is the profile's until the user chooses one.
fn note_name(app: &Arc<App>, caller: &Caller, known: Option<&str>) {
    let Some(name) = caller.name.clone().filter(|_| known.is_none()) else { return };
    if wigeon_proto::command::check::check_name("name", &name, wigeon_proto::limits::NAME_BYTES_MAX).is_err()
    {
        return;
    }
    let update = Durable::UserUpdate(UserUpdate { name });
    let done = app.submit(caller.user.clone(), Rights::User, new_command_id(), update);
    tokio::spawn(async move {
        if let Err(error) = done.await {
            tracing::debug!(%error, "a token's name was not kept");
        }
    });
}

/// What a caller is told when a feed ends.
pub(crate) fn feed_error(error: FeedError) -> WireError {
    match error {
        FeedError::Refused(error) => error,
        FeedError::Query(error) => query_error(error),
    }
}

/// As [`feed_error`], for a read without a feed.
pub(crate) fn page_error(error: QueryError) -> WireError {
    query_error(error)
}
