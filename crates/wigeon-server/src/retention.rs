//! The clock of retention: finds what is older than its room keeps, and puts in line that it goes.
//!
//! The rules have no clock, so what goes is said in an entry, like everything else. Each entry takes a bounded
//! number of rows, and the next one follows after a pause: whoever sends meanwhile does not notice. Nothing is
//! lost when the server stops in between: the next look finds the rest.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use wigeon_core::entry::Rights;
use wigeon_proto::command::{Durable, RoomRetain};
use wigeon_proto::error::{ErrorCode, WireError};
use wigeon_proto::id::UserId;
use wigeon_proto::limits::{RETENTION_AGAIN_MS, RETENTION_EVERY_MS, RETENTION_PACE_MS};
use wigeon_store::Lease;
use wigeon_store::read::{Expired, Sweep};

use crate::app::{App, new_command_id, now_ms};
use crate::commands::query_error;

const PACE: Duration = Duration::from_millis(RETENTION_PACE_MS);
/// Between two looks at whether it is time, and our turn.
const LOOK: Duration = Duration::from_secs(1);
const EVERY: Duration = Duration::from_millis(RETENTION_EVERY_MS);
const AGAIN: Duration = Duration::from_millis(RETENTION_AGAIN_MS);

/// Sees to it that messages go in time, for as long as the server runs. Nothing is kept for longer than
/// `days_max`; 0 is no bound. In a cluster it is done by the node whose turn it is.
pub(crate) async fn keep_in_bounds(app: Arc<App>, days_max: u32, lease: Option<Lease>) {
    let mut due = Instant::now();
    loop {
        let is_ours = lease.as_ref().is_none_or(Lease::is_held);
        let now = Instant::now();
        if is_ours && now >= due {
            due = now + EVERY;
            if let Err(error) = sweep(&app, days_max, lease.as_ref()).await {
                tracing::warn!(%error, "retention stopped half-way; it goes on soon");
                due = Instant::now() + AGAIN;
            }
        }
        sleep(LOOK).await;
    }
}

/// Goes through all rooms once, or until it is another node's turn. A room of which more than one step is due stays in turn until it is done.
async fn sweep(app: &App, days_max: u32, lease: Option<&Lease>) -> Result<(), WireError> {
    let mut after = 0;
    loop {
        let look = app.pool.read(move |view| view.expired(after, days_max, now_ms()));
        let Sweep { expired, next } = look.await.map_err(query_error)?;
        if expired.is_empty() {
            match next {
                Some(last) => after = last,
                None => return Ok(()),
            }
        }
        for step in expired {
            if !lease.is_none_or(Lease::is_held) {
                return Ok(());
            }
            let gone = retain(app, step).await;
            if let Err(error) = gone
                && error.code != ErrorCode::Conflict
            {
                return Err(error);
            }
            sleep(PACE).await;
        }
        sleep(PACE).await;
    }
}

async fn retain(app: &App, step: Expired) -> Result<(), WireError> {
    let Expired { room, to_seq, to_pos } = step;
    tracing::debug!(%room, to_seq, "messages go, their time is over");
    let server = UserId::parse("wigeon").expect("a plain id");
    let retain = Durable::RoomRetain(RoomRetain { room, to_seq, to_pos });
    app.submit(server, Rights::Service, new_command_id(), retain).await.map(drop)
}
