//! What was found, and what is being looked for: a URL that many ask for at once is fetched once, and for a
//! while not again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::Instant;
use wigeon_proto::limits::{PREVIEW_FLIGHTS_MAX, PREVIEW_KEPT_MS, PREVIEWS_KEPT_MAX};

use super::failure::Failure;

/// The preview as JSON, or why there is none.
pub(super) type Outcome = Result<Bytes, Failure>;

/// What is known of a URL.
pub(super) enum Known {
    /// The outcome.
    Landed(Outcome),
    /// Somebody is fetching it; the outcome comes here.
    Flying(watch::Receiver<Option<Outcome>>),
    /// Nothing: the caller fetches it, and lets it land.
    Unknown(Flight),
    /// Too much is being fetched already.
    Full,
}

/// Outcomes and flights. A handle: clones share them.
#[derive(Clone, Default)]
pub(super) struct Kept(Arc<Mutex<State>>);

/// Two halves, each of at most half of what is kept: what is asked for moves into the young one, and when that is
/// full the old one goes. So what nobody asks for goes first, and nobody has to look for it.
#[derive(Default)]
struct State {
    young: HashMap<String, (Outcome, Instant)>,
    old: HashMap<String, (Outcome, Instant)>,
    flights: HashMap<String, watch::Receiver<Option<Outcome>>>,
}

impl Kept {
    /// What is known of a URL. `admit` is asked before the caller gets leave to fetch it.
    pub(super) fn look<E>(&self, url: &str, admit: impl FnOnce() -> Result<(), E>) -> Result<Known, E> {
        let mut state = self.state();
        if let Some(outcome) = state.landed(url) {
            return Ok(Known::Landed(outcome));
        }
        if let Some(flying) = state.flights.get(url) {
            return Ok(Known::Flying(flying.clone()));
        }
        if state.flights.len() >= PREVIEW_FLIGHTS_MAX {
            return Ok(Known::Full);
        }
        admit()?;
        let (told, flying) = watch::channel(None);
        state.flights.insert(url.to_owned(), flying);
        Ok(Known::Unknown(Flight { kept: self.clone(), url: url.to_owned(), told }))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn landed(&mut self, url: &str) -> Option<Outcome> {
        if !self.young.contains_key(url) {
            let (outcome, until) = self.old.remove(url)?;
            self.keep(url.to_owned(), outcome, until);
        }
        let (outcome, until) = self.young.get(url)?;
        if *until > Instant::now() {
            return Some(outcome.clone());
        }
        self.young.remove(url);
        None
    }

    fn keep(&mut self, url: String, outcome: Outcome, until: Instant) {
        if self.young.len() >= PREVIEWS_KEPT_MAX / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(url, (outcome, until));
    }
}

/// The leave to fetch a URL. If it is dropped without an outcome, the next one who asks gets it.
pub(super) struct Flight {
    kept: Kept,
    url: String,
    told: watch::Sender<Option<Outcome>>,
}

impl Flight {
    /// Where the outcome will be heard.
    pub(super) fn listen(&self) -> watch::Receiver<Option<Outcome>> {
        self.told.subscribe()
    }

    /// Tells everybody who waits, and keeps it for those who come.
    pub(super) fn land(self, outcome: Outcome) {
        let kept_ms = outcome.as_ref().map_or_else(|failure| failure.kept_ms(), |_| PREVIEW_KEPT_MS);
        if kept_ms > 0 {
            let until = Instant::now() + Duration::from_millis(kept_ms);
            self.kept.state().keep(self.url.clone(), outcome.clone(), until);
        }
        let _ = self.told.send(Some(outcome));
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.kept.state().flights.remove(&self.url);
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use wigeon_proto::limits::PREVIEW_FAILED_KEPT_MS;

    use super::*;

    fn look(kept: &Kept, url: &str) -> Known {
        let Ok(known) = kept.look(url, || Ok::<_, Infallible>(()));
        known
    }

    fn land(kept: &Kept, url: &str, outcome: Outcome) {
        let Known::Unknown(flight) = look(kept, url) else { panic!("{url} is known") };
        flight.land(outcome);
    }

    fn is_kept(kept: &Kept, url: &str) -> bool {
        matches!(look(kept, url), Known::Landed(_))
    }

    #[tokio::test(start_paused = true)]
    async fn good_news_is_kept_longer_than_bad_and_neither_for_ever() {
        let kept = Kept::default();
        land(&kept, "good", Ok(Bytes::from_static(b"{}")));
        land(&kept, "bad", Err(Failure::Slow));
        land(&kept, "busy", Err(Failure::Busy));
        assert!(is_kept(&kept, "good") && is_kept(&kept, "bad") && !is_kept(&kept, "busy"));
        tokio::time::advance(Duration::from_millis(PREVIEW_FAILED_KEPT_MS)).await;
        assert!(is_kept(&kept, "good") && !is_kept(&kept, "bad"));
        tokio::time::advance(Duration::from_millis(PREVIEW_KEPT_MS)).await;
        assert!(!is_kept(&kept, "good"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_asked_for_stays_and_the_rest_makes_room() {
        let kept = Kept::default();
        land(&kept, "asked", Ok(Bytes::new()));
        land(&kept, "forgotten", Ok(Bytes::new()));
        for number in 0..2 * PREVIEWS_KEPT_MAX {
            land(&kept, &number.to_string(), Ok(Bytes::new()));
            assert!(is_kept(&kept, "asked"), "after {number}");
        }
        assert!(!is_kept(&kept, "forgotten"));
        let state = kept.state();
        assert!(state.young.len() + state.old.len() <= PREVIEWS_KEPT_MAX);
    }

    #[tokio::test]
    async fn a_flight_that_is_given_up_is_the_next_ones() {
        let kept = Kept::default();
        let Known::Unknown(flight) = look(&kept, "url") else { panic!("known") };
        let Known::Flying(mut heard) = look(&kept, "url") else { panic!("not flying") };
        drop(flight);
        assert!(heard.wait_for(Option::is_some).await.is_err(), "nobody waits for what does not come");
        assert!(matches!(look(&kept, "url"), Known::Unknown(_)));
    }

    #[tokio::test]
    async fn there_are_never_more_flights_than_allowed() {
        let kept = Kept::default();
        let flights: Vec<_> =
            (0..PREVIEW_FLIGHTS_MAX).map(|number| look(&kept, &number.to_string())).collect();
        assert!(matches!(look(&kept, "more"), Known::Full));
        drop(flights);
        assert!(matches!(look(&kept, "more"), Known::Unknown(_)));
    }
}
