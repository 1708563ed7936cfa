//! What a link leads to, in a few words: fetched by the server, so that the site learns nothing of its readers,
//! and once for all of them.
//!
//! Anybody may name any address, so this is the one place where strangers say where the server goes.
//! `address` judges where that may be and `reach` goes there and nowhere else, `fetch` brings a bounded piece
//! home, `charset`, `tags` and `page` read it whatever it is, `text` makes it fit to be shown, and `kept` sees to
//! it that this happens seldom.

mod address;
mod charset;
mod failure;
mod fetch;
mod kept;
mod page;
mod reach;
mod tags;
mod text;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use url::Url;
use wigeon_proto::error::WireError;
use wigeon_proto::json;
use wigeon_proto::limits::{PREVIEW_FETCHES_MAX, PREVIEW_WAIT_MS_MAX};

pub use address::{InvalidNetwork, Network};
use failure::Failure;
use fetch::Found;
use kept::{Kept, Known, Outcome};
use page::Preview;
use reach::Reach;

/// Fetches previews, and keeps them.
pub(crate) struct Previews {
    parts: Arc<Parts>,
    kept: Kept,
}

struct Parts {
    reach: Reach,
    fetches: Semaphore,
}

impl Previews {
    /// Fetches from the public internet, and from these networks besides.
    pub(crate) fn new(allowed: Vec<Network>) -> Self {
        let parts = Parts { reach: Reach::new(allowed), fetches: Semaphore::new(PREVIEW_FETCHES_MAX) };
        Self { parts: Arc::new(parts), kept: Kept::default() }
    }

    /// The preview of a URL, as JSON: also that there is none, and why. `admit` is asked when it has to be
    /// fetched for this caller.
    pub(crate) async fn of(
        &self,
        url: &str,
        admit: impl FnOnce() -> Result<(), WireError>,
    ) -> Result<Bytes, WireError> {
        let url = fetch::parse(url)?;
        match self.outcome(&url, admit).await? {
            Ok(preview) => Ok(preview),
            Err(failure) if failure.is_of_link() => Ok(json::to_vec(&Preview::without(&url, failure)).into()),
            Err(failure) => Err(failure.into()),
        }
    }

    async fn outcome(
        &self,
        url: &Url,
        admit: impl FnOnce() -> Result<(), WireError>,
    ) -> Result<Outcome, WireError> {
        if let Err(failure) = self.parts.reach.judge(url) {
            return Ok(Err(failure));
        }
        let mut heard = match self.kept.look(url.as_str(), admit)? {
            Known::Landed(outcome) => {
                count("kept");
                return Ok(outcome);
            }
            Known::Flying(heard) => heard,
            Known::Full => return Ok(Err(Failure::Busy)),
            Known::Unknown(flight) => {
                let (heard, parts, url) = (flight.listen(), self.parts.clone(), url.clone());
                // A task of its own: the others still wait when the one who asked first has gone.
                tokio::spawn(async move { flight.land(parts.bring(url).await) });
                heard
            }
        };
        // It ends: each step of the task has a deadline, and if the task breaks, so does the channel.
        let outcome = heard.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone());
        Ok(outcome.unwrap_or(Err(Failure::Unreachable)))
    }

    /// Forgets what is not needed any more; to be called now and then.
    pub(crate) fn forget_quiet(&self) {
        self.parts.reach.forget_quiet();
    }
}

impl Parts {
    async fn bring(self: Arc<Self>, url: Url) -> Outcome {
        let turn = timeout(Duration::from_millis(PREVIEW_WAIT_MS_MAX), self.fetches.acquire()).await;
        let outcome = match turn {
            Ok(Ok(_turn)) => match fetch::fetch(&self.reach, url).await {
                Ok(found) => read(found).await,
                Err(failure) => Err(failure),
            },
            _ => Err(Failure::Busy),
        };
        count(outcome.as_ref().map_or_else(|failure| failure.outcome(), |_| "shown"));
        outcome
    }
}

/// Reads what was found, on a thread that nobody else waits for: half a megabyte of hostile markup takes some
/// milliseconds.
async fn read(found: Found) -> Outcome {
    let reading = tokio::task::spawn_blocking(|| {
        let preview = match found {
            Found::Image { url } => Some(Preview::of_image(&url)),
            Found::Page { url, charset, bytes } => page::read(&bytes, charset.as_deref(), &url),
        };
        preview.map(|preview| Bytes::from(json::to_vec(&preview))).ok_or(Failure::Nothing)
    });
    reading.await.unwrap_or(Err(Failure::Nothing))
}

fn count(outcome: &'static str) {
    metrics::counter!("wigeon_previews_total", "outcome" => outcome).increment(1);
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::time::Instant;
    use wigeon_proto::error::ErrorCode;
    use wigeon_proto::limits::PREVIEW_MS_MAX;

    use super::*;

    fn here() -> Previews {
        Previews::new(vec!["127.0.0.0/8".parse().unwrap()])
    }

    async fn code(previews: &Previews, url: &str) -> ErrorCode {
        match previews.of(url, || Ok(())).await {
            Ok(preview) => error(&preview).code,
            Err(error) => error.code,
        }
    }

    fn error(preview: &[u8]) -> WireError {
        let preview: serde_json::Value = serde_json::from_slice(preview).unwrap();
        serde_json::from_value(preview["error"].clone()).unwrap()
    }

    #[tokio::test]
    async fn what_may_not_be_fetched_is_refused_before_anybody_is_asked() {
        let previews = Previews::new(Vec::new());
        for (url, wanted) in [
            ("", ErrorCode::BadRequest),
            ("example.com", ErrorCode::BadRequest),
            ("http://", ErrorCode::BadRequest),
            ("ftp://example.com/", ErrorCode::Forbidden),
            ("file:///etc/passwd", ErrorCode::Forbidden),
            ("javascript:alert(1)", ErrorCode::Forbidden),
            ("http://ann@example.com/", ErrorCode::Forbidden),
            ("http://ann:b@example.com/", ErrorCode::Forbidden),
            ("http://example.com:22/", ErrorCode::Forbidden),
            ("https://example.com:8443/", ErrorCode::Forbidden),
            ("http://127.0.0.1/", ErrorCode::Forbidden),
            ("http://127.1/", ErrorCode::Forbidden),
            ("http://0x7f000001/", ErrorCode::Forbidden),
            ("http://2130706433/", ErrorCode::Forbidden),
            ("http://[::1]/", ErrorCode::Forbidden),
            ("http://[::ffff:10.0.0.1]/", ErrorCode::Forbidden),
            ("http://169.254.169.254/latest/meta-data/", ErrorCode::Forbidden),
            ("http://localhost/", ErrorCode::Forbidden),
        ] {
            assert_eq!(code(&previews, url).await, wanted, "{url}");
        }
        let long = format!("http://example.com/{}", "a".repeat(3000));
        assert_eq!(code(&previews, &long).await, ErrorCode::BadRequest);
    }

    /// A network that is allowed has all its ports, and no other address has them for that.
    #[tokio::test]
    async fn an_allowed_network_opens_nothing_else() {
        let previews = Previews::new(vec!["127.0.0.2".parse().unwrap()]);
        assert_eq!(code(&previews, "http://127.0.0.1:8080/").await, ErrorCode::Forbidden);
        assert_eq!(code(&previews, "http://8.8.8.8:22/").await, ErrorCode::Forbidden);
    }

    #[tokio::test]
    async fn a_site_that_says_nothing_is_given_up_in_time() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (asked, is_asked) = tokio::sync::oneshot::channel();
        let silent = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.read_u8().await.unwrap();
            asked.send(()).unwrap();
            stream.read_to_end(&mut Vec::new()).await
        });
        let (previews, began) = (here(), Instant::now());
        // Only from here on does time jump to whatever is waited for: connections are made in the world's own time.
        let hurries = async {
            is_asked.await.unwrap();
            tokio::time::pause();
            Instant::now()
        };
        let (preview, paused) = tokio::join!(previews.of(&url, || Ok(())), hurries);
        let error = error(&preview.unwrap());
        assert_eq!(error.code, ErrorCode::Unavailable);
        assert!(error.retry_after_ms.is_some());
        let limit = Duration::from_millis(PREVIEW_MS_MAX);
        assert!(began.elapsed() >= limit, "{:?}", began.elapsed());
        // Timers go by whole milliseconds.
        assert!(paused.elapsed() <= limit + Duration::from_millis(2), "{:?}", paused.elapsed());
        // It does not wait for an answer that nobody wants any more.
        silent.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn what_many_ask_for_at_once_is_fetched_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        // Whoever came a second time would not be answered.
        let site = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.read_u8().await.unwrap();
            let page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<title>Duck</title>";
            stream.write_all(page).await.unwrap();
            stream.shutdown().await.unwrap();
            stream.read_to_end(&mut Vec::new()).await.unwrap();
        });
        let (previews, mut fetched) = (here(), 0);
        let admitted = std::cell::Cell::new(0);
        let asks = (0..20).map(|_| {
            previews.of(&url, || {
                admitted.set(admitted.get() + 1);
                Ok(())
            })
        });
        for preview in futures_util::future::join_all(asks).await {
            assert_eq!(preview.unwrap(), format!("{{\"url\":\"{url}\",\"title\":\"Duck\"}}"));
            fetched += 1;
        }
        assert_eq!((fetched, admitted.get()), (20, 1));
        site.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn when_all_are_waiting_the_next_is_told_so() {
        let previews = here();
        let _turns = previews.parts.fetches.acquire_many(PREVIEW_FETCHES_MAX as u32).await.unwrap();
        assert_eq!(code(&previews, "http://127.0.0.1:1/").await, ErrorCode::Busy);
    }
}
