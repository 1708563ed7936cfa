//! Rates: how fast one user may command and have links looked up, and how fast one address may bring in guests.

use std::net::IpAddr;
use std::num::NonZeroU32;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, NotUntil, Quota, RateLimiter};
use wigeon_proto::error::{ErrorCode, Outcome, WireError};
use wigeon_proto::id::UserId;
use wigeon_proto::limits::{
    COMMANDS_BURST, COMMANDS_PER_SECOND, GUESTS_PER_MINUTE, PREVIEWS_BURST, PREVIEWS_PER_MINUTE,
};

/// Who has asked how much of late.
pub(crate) struct Rates {
    commands: DefaultKeyedRateLimiter<UserId>,
    newcomers: DefaultKeyedRateLimiter<IpAddr>,
    previews: DefaultKeyedRateLimiter<UserId>,
}

impl Default for Rates {
    fn default() -> Self {
        let limit = |number| NonZeroU32::new(number).expect("no limit is zero");
        let commands = Quota::per_second(limit(COMMANDS_PER_SECOND)).allow_burst(limit(COMMANDS_BURST));
        let newcomers = Quota::per_minute(limit(GUESTS_PER_MINUTE));
        let previews = Quota::per_minute(limit(PREVIEWS_PER_MINUTE)).allow_burst(limit(PREVIEWS_BURST));
        Self {
            commands: RateLimiter::keyed(commands),
            newcomers: RateLimiter::keyed(newcomers),
            previews: RateLimiter::keyed(previews),
        }
    }
}

impl Rates {
    /// Counts a command of a user.
    pub(crate) fn command(&self, user: &UserId) -> Result<(), WireError> {
        self.commands.check_key(user).map_err(|denied| too_fast("commands", &denied))
    }

    /// Counts a new guest from an address.
    pub(crate) fn newcomer(&self, address: IpAddr) -> Result<(), WireError> {
        self.newcomers.check_key(&address).map_err(|denied| too_fast("guests", &denied))
    }

    /// Counts a link that is fetched for a user.
    pub(crate) fn preview(&self, user: &UserId) -> Result<(), WireError> {
        self.previews.check_key(user).map_err(|denied| too_fast("previews", &denied))
    }

    /// Forgets those who have been quiet; to be called now and then.
    pub(crate) fn forget_quiet(&self) {
        self.commands.retain_recent();
        self.newcomers.retain_recent();
        self.previews.retain_recent();
    }
}

fn too_fast(what: &str, denied: &NotUntil<<DefaultClock as Clock>::Instant>) -> WireError {
    let wait = denied.wait_time_from(DefaultClock::default().now());
    let wait_ms = wait.as_millis() as u64 + 1;
    WireError::new(ErrorCode::RateLimited, format!("too many {what}"))
        .retry_after(wait_ms)
        .outcome(Outcome::None)
}
