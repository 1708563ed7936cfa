//! What any open feed does besides events: beat, prove that small writes get through, renew its ticket,
//! and end. Streams and WebSockets share it.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};
use tokio_util::sync::WaitForCancellationFutureOwned;
use wigeon_proto::error::{ErrorCode, WireError};
use wigeon_proto::frame::{Control, TicketGrant};
use wigeon_proto::limits;

use crate::app::{App, now_ms};
use crate::caller::Caller;

/// An alarm that is set again and again and seldom rings: moving it later costs nothing until it rings.
pub(super) struct Alarm {
    sleep: Pin<Box<Sleep>>,
}

impl Default for Alarm {
    fn default() -> Self {
        Self { sleep: Box::pin(sleep_until(Instant::now())) }
    }
}

impl Alarm {
    /// Returns at `until`, or soon after. Cancel-safe.
    pub(crate) async fn at(&mut self, until: Instant) {
        while Instant::now() < until {
            if self.sleep.is_elapsed() || self.sleep.deadline() > until {
                self.sleep.as_mut().reset(until);
            }
            self.sleep.as_mut().await;
        }
    }
}

/// The clock of one open feed.
pub(crate) struct Pulse {
    next_beat: Instant,
    expires: Instant,
    ends: Option<Instant>,
    renews: Option<Instant>,
    alarm: Alarm,
    draining: Pin<Box<WaitForCancellationFutureOwned>>,
}

/// What the clock says is due.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// A heartbeat.
    Beat,
    /// The caller's next ticket.
    Renew,
    /// The credential's time is over.
    Expired,
    /// The stream is old enough: the client comes back with its cursor.
    Old,
    /// The server is going down.
    Bye,
}

impl Pulse {
    /// `proof`: a second small frame follows soon, so that the client can tell a stream that flows from one
    /// that a proxy holds back. `ages`: the stream ends by itself some day.
    pub(crate) fn new(app: &App, caller: &Caller, proof: bool, ages: bool) -> Self {
        let now = Instant::now();
        let in_ms = |ms: u64| now + Duration::from_millis(ms);
        Self {
            next_beat: if proof { in_ms(limits::PROOF_MS) } else { now + heartbeat() },
            // A week at most: timers do not reach further, and the check is made again then.
            expires: in_ms(caller.expires_at.saturating_sub(now_ms()).min(7 * 24 * 3600 * 1000)),
            ends: ages.then(|| in_ms(limits::STREAM_MS_MAX)),
            renews: renewal(caller).map(in_ms),
            alarm: Alarm::default(),
            draining: Box::pin(app.draining.clone().cancelled_owned()),
        }
    }

    /// Waits for the next thing that is due. Cancel-safe.
    pub(crate) async fn due(&mut self) -> Due {
        let (at, due) = self.next();
        tokio::select! {
            () = self.alarm.at(at) => {}
            () = self.draining.as_mut() => return Due::Bye,
        }
        if due == Due::Beat {
            self.next_beat = Instant::now() + heartbeat();
        }
        due
    }

    fn next(&self) -> (Instant, Due) {
        let always = [(self.expires, Due::Expired), (self.next_beat, Due::Beat)];
        let sometimes = [self.ends.map(|at| (at, Due::Old)), self.renews.map(|at| (at, Due::Renew))];
        let first = always.into_iter().chain(sometimes.into_iter().flatten()).min_by_key(|(at, _)| *at);
        first.expect("there is always a next heartbeat")
    }

    /// The caller's next ticket; the renewal after it is scheduled.
    pub(crate) fn renew(&mut self, app: &Arc<App>, caller: &mut Caller) -> Option<TicketGrant> {
        let grant = caller.renewed(app);
        self.renews =
            grant.as_ref().and_then(|_| renewal(caller)).map(|ms| Instant::now() + Duration::from_millis(ms));
        grant
    }
}

/// Why a feed ends whose ticket's family was revoked: noticed at its next heartbeat.
pub(crate) fn revoked() -> WireError {
    WireError::new(ErrorCode::Unauthenticated, "the ticket was revoked")
}

/// Why a feed ends whose credential is over.
pub(crate) fn expired() -> WireError {
    WireError::new(ErrorCode::TokenExpired, "the token has expired")
}

/// The frame before the server goes down.
pub(crate) fn bye() -> Vec<u8> {
    Control::Bye { retry_ms: limits::BYE_RETRY_MS }.to_json()
}

/// Milliseconds until a ticket should be renewed: when two thirds of its life are over. None for a caller
/// without a ticket, or whose token ends with this one.
fn renewal(caller: &Caller) -> Option<u64> {
    let ticket = caller.ticket.as_ref()?;
    let left = ticket.expires_at.saturating_sub(now_ms());
    (ticket.expires_at < ticket.not_after).then_some(left * 2 / 3)
}

/// The time to the next heartbeat, ± 10 %, so that connections opened together do not beat together.
fn heartbeat() -> Duration {
    let mut byte = [0];
    getrandom::fill(&mut byte).expect("the operating system gives random bytes");
    let spread = limits::HEARTBEAT_MS / 5;
    Duration::from_millis(limits::HEARTBEAT_MS - spread / 2 + spread * u64::from(byte[0]) / 255)
}
