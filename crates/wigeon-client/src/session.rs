//! A conversation that outlives its connections.
//!
//! One cursor, at most two readers. A switch of transport makes before it breaks: the new reader starts at the
//! cursor, the old one goes on until the new one has said its first word, and what both bring is dropped once
//! by the cursor. The same rule makes a lost connection nothing special.
//!
//! ```text
//!              switch                 first word of the new one
//!   one reader ──────▶ two readers ───────────────────────────▶ one reader
//!        │ lost               │ one of them lost
//!        ▼                    ▼
//!     pause, then a reader   one reader
//!     at the cursor
//! ```

use crate::backoff::Backoff;
use crate::limits::NOTICES_MAX;
use crate::outbox::{Outbox, Receipt};
use crate::progress::{Progress, Verdict};
use crate::task::Task;
use crate::{Client, Error, Frame, Item, ReadOptions, Reader, Uplink, random};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use wigeon_proto::transport::Transport;

/// What a session tells its owner.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// An event, a signal, or a gap: each event once, in order.
    Frame(Frame),
    /// The cursor could not be served. What was known is void; this is how things stand, and the frames that
    /// follow are after it.
    Reset {
        /// Why.
        reason: String,
        /// The reply to `snapshot`.
        snapshot: Value,
    },
    /// This transport has said its first word and now brings the frames.
    Live(Transport),
    /// The reader that brought the frames is gone; another follows.
    Lost(Transport),
}

/// How a session begins.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// What to read, and from where.
    pub read: ReadOptions,
    /// The first transport.
    pub transport: Transport,
    /// The way up.
    pub uplink: Uplink,
    /// How long to wait after a failure.
    pub backoff: Backoff,
}

impl SessionOptions {
    /// Over `transport` from `after`, commands by POST.
    pub fn new(transport: Transport, after: Option<&str>) -> Self {
        Self { read: ReadOptions::after(after), transport, uplink: Uplink::Json, backoff: Backoff::default() }
    }
}

/// A conversation. Ends when dropped.
#[derive(Debug)]
pub struct Session {
    notices: mpsc::Receiver<Result<Told, Error>>,
    wanted: watch::Sender<Transport>,
    outbox: Outbox,
    cursor: Option<String>,
    _task: Task,
}

/// A notice and the cursor after it.
#[derive(Debug)]
struct Told {
    notice: Notice,
    cursor: Option<String>,
}

impl Session {
    /// Starts at once.
    pub fn start(client: &Client, options: SessionOptions) -> Self {
        let (tell, notices) = mpsc::channel(NOTICES_MAX);
        let (wanted, wish) = watch::channel(options.transport);
        let outbox = Outbox::start(client.clone(), options.uplink, options.backoff.clone());
        let cursor = options.read.after.clone();
        let down = Down {
            client: client.clone(),
            progress: Progress::new(cursor.clone()),
            options: options.read,
            backoff: options.backoff,
            wish,
            tell,
            current: None,
            candidate: None,
            open_at: Instant::now(),
        };
        Self { notices, wanted, outbox, cursor, _task: Task::start(down.run()) }
    }

    /// The next notice. After an error the session is over. Cancel-safe.
    pub async fn next(&mut self) -> Result<Notice, Error> {
        let told = self.notices.recv().await.ok_or(Error::Over)??;
        self.cursor = told.cursor;
        Ok(told.notice)
    }

    /// Up to where [`Self::next`] has told everything.
    pub fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    /// Goes over to another transport, without a pause in what it brings.
    pub fn switch(&self, transport: Transport) {
        self.wanted.send_replace(transport);
    }

    /// Queues a command; it is sent until it is answered. The answer's cursor moves nothing here.
    pub fn submit(&self, command: Value) -> Result<Receipt, Error> {
        self.outbox.submit(command)
    }
}

/// The owner is gone, or the server says something that no further try would change.
enum End {
    Abandoned,
    Failed(Error),
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

struct Down {
    client: Client,
    progress: Progress,
    options: ReadOptions,
    backoff: Backoff,
    wish: watch::Receiver<Transport>,
    tell: mpsc::Sender<Result<Told, Error>>,
    current: Option<Reader>,
    /// The reader that is to replace the current one, or to be the first, until its first word.
    candidate: Option<Reader>,
    open_at: Instant,
}

/// Which reader brought something.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Current,
    Candidate,
}

impl Down {
    async fn run(mut self) {
        loop {
            match self.step().await {
                Ok(()) => {}
                Err(End::Abandoned) => return,
                Err(End::Failed(error)) => {
                    // If nobody listens any more, nobody misses it.
                    let _ = self.tell.send(Err(error)).await;
                    return;
                }
            }
        }
    }

    async fn step(&mut self) -> Result<(), End> {
        let wanted = *self.wish.borrow();
        let missing =
            self.candidate.is_none() && self.current.as_ref().map(Reader::transport) != Some(wanted);
        tokio::select! {
            changed = self.wish.changed() => {
                changed.map_err(|_| End::Abandoned)?;
                self.open_candidate();
            }
            () = sleep_until(self.open_at), if missing => self.open_candidate(),
            item = next(&mut self.current) => self.take(Side::Current, item).await?,
            item = next(&mut self.candidate) => self.take(Side::Candidate, item).await?,
        }
        Ok(())
    }

    fn open_candidate(&mut self) {
        let wanted = *self.wish.borrow_and_update();
        if self.current.as_ref().is_some_and(|current| current.transport() == wanted) {
            self.candidate = None;
            return;
        }
        let after = self.progress.cursor().map(str::to_owned);
        self.candidate = Some(self.client.read(wanted, ReadOptions { after, ..self.options.clone() }));
    }

    async fn take(&mut self, side: Side, item: Result<Option<Item>, Error>) -> Result<(), End> {
        match item {
            Ok(Some(item)) => {
                if side == Side::Candidate {
                    self.promote(&item).await?;
                }
                match item {
                    Item::Frame(frame) => self.frame(frame).await,
                    Item::Cursor(cursor) => {
                        self.progress.advance(&cursor);
                        Ok(())
                    }
                }
            }
            Ok(None) if side == Side::Current => self.lost(side, Duration::ZERO).await,
            Ok(None) => {
                let pause = self.backoff.next();
                self.lost(side, pause).await
            }
            Err(error) if error.is_retryable() => {
                let asked = match &error {
                    Error::Refused { error, .. } => error.retry_after_ms.map(Duration::from_millis),
                    _ => None,
                };
                let pause = self.backoff.next().max(asked.unwrap_or_default());
                self.lost(side, pause).await
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The candidate has said its first word, so the one before it may go.
    async fn promote(&mut self, first: &Item) -> Result<(), End> {
        let Some(reader) = self.candidate.take() else { return Ok(()) };
        let live = Notice::Live(reader.transport());
        self.current = Some(reader);
        self.backoff.reset();
        match first {
            Item::Cursor(cursor) => {
                self.progress.advance(cursor);
            }
            Item::Frame(frame) if frame.kind() == "ready" => {
                self.progress.admit(frame)?;
            }
            Item::Frame(_) => {}
        }
        self.tell(live).await
    }

    async fn frame(&mut self, frame: Frame) -> Result<(), End> {
        match frame.kind() {
            "error" => {
                let error = serde_json::from_value(frame.value["error"].clone()).map_err(Error::from)?;
                let refused = Error::Refused { status: 200, error };
                return if refused.is_retryable() {
                    let pause = self.backoff.next();
                    self.lost(Side::Current, pause).await
                } else {
                    Err(refused.into())
                };
            }
            "bye" => {
                let within = Duration::from_millis(frame.number("retry_ms").unwrap_or_default());
                return self.lost(Side::Current, random::up_to(within)).await;
            }
            "ticket" => return Ok(()),
            _ => {}
        }
        match self.progress.admit(&frame)? {
            Verdict::Seen | Verdict::Moved => Ok(()),
            Verdict::Deliver => self.tell(Notice::Frame(frame)).await,
            Verdict::Reset => {
                let reason = frame.text("reason").to_owned();
                match self.client.command(json!({ "type": "snapshot" })).await {
                    Ok(snapshot) => self.reset(reason, snapshot).await,
                    Err(error) if error.is_retryable() => {
                        let pause = self.backoff.next();
                        self.lost(Side::Current, pause).await
                    }
                    Err(error) => Err(error.into()),
                }
            }
        }
    }

    async fn reset(&mut self, reason: String, snapshot: Value) -> Result<(), End> {
        let cursor = snapshot["cursor"].as_str();
        let cursor = cursor.ok_or_else(|| Error::Protocol("a snapshot without a cursor".to_owned()))?;
        self.progress.jump(cursor);
        self.tell(Notice::Reset { reason, snapshot }).await
    }

    /// A reader is gone. If the one wanted is missing now, it opens after the pause.
    async fn lost(&mut self, side: Side, pause: Duration) -> Result<(), End> {
        self.open_at = Instant::now() + pause;
        if side == Side::Candidate {
            self.candidate = None;
            return Ok(());
        }
        match self.current.take() {
            Some(reader) => self.tell(Notice::Lost(reader.transport())).await,
            None => Ok(()),
        }
    }

    async fn tell(&mut self, notice: Notice) -> Result<(), End> {
        let cursor = self.progress.cursor().map(str::to_owned);
        self.tell.send(Ok(Told { notice, cursor })).await.map_err(|_| End::Abandoned)
    }
}

/// The next item of a reader; without one, never.
async fn next(reader: &mut Option<Reader>) -> Result<Option<Item>, Error> {
    match reader {
        Some(reader) => reader.next().await,
        None => std::future::pending().await,
    }
}
