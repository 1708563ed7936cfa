//! Sessions over HTTP: what is between two requests of one client.
//!
//! A task owns the conversation. A reader (a held poll, or an open stream) hands it the way to its
//! response; the task asks the conversation for the next frame only while that way takes one, and otherwise only lets
//! it do what it was sent. A reader that
//! goes away in the middle ends the session, since nobody knows what of its last response arrived; one that
//! does not come back in time ends it too. The chat loses nothing by that: its cursors are with the client.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc::{self, Permit};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use wigeon_proto::error::{ErrorCode, WireError};
use wigeon_proto::limits::{SOCKJS_DISCONNECT_MS, SOCKJS_SEND_MS_MAX, SOCKJS_SESSIONS_MAX};
use wigeon_proto::sockjs::Framing;
use wigeon_proto::sockjs::frame::Close;

use super::application::Message;
use super::conversation::{Conversation, Frame};

/// Readers and payloads that wait for a session to look at them; a client has one of each at a time.
const WAITING_MAX: usize = 4;

/// How long a second reader waits for the first to go before it is turned away: a client that drops one request
/// and makes another may be seen doing so in the other order. Clients, and the protocol's own tests, wait a second.
const GOING_MS: u64 = 300;

/// What names a session: its id, and the ticket in the URL it was opened with. The clients' ids have forty
/// bits of chance; who must not guess one must know the ticket as well.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) session: String,
    pub(super) ticket: Option<String>,
}

/// The sessions of one face.
#[derive(Default, Clone)]
pub(super) struct Sessions {
    open: Arc<Mutex<HashMap<Key, Handle>>>,
}

/// The way to a session's task.
#[derive(Clone)]
struct Handle {
    readers: mpsc::Sender<Reader>,
    payloads: mpsc::Sender<Payload>,
}

/// One response on its way to a session.
struct Reader {
    framing: Framing,
    /// Bytes it carries before it ends; a poll ends with its first frame.
    bytes_left: u64,
    way: mpsc::Sender<Bytes>,
}

struct Payload {
    messages: Vec<Message>,
    taken: oneshot::Sender<()>,
}

impl Sessions {
    /// Attaches a reader to a session, which `begin` opens if it is not there yet. What it reads comes out of
    /// the receiver, framed.
    pub(super) fn read(
        &self,
        key: Key,
        framing: Framing,
        bytes_max: u64,
        draining: &CancellationToken,
        begin: impl FnOnce() -> Conversation,
    ) -> Result<mpsc::Receiver<Bytes>, WireError> {
        // One frame at a time, so that nothing is asked of the conversation that nobody takes.
        let (way, frames) = mpsc::channel(1);
        let bytes_left = if framing.is_poll() { 0 } else { bytes_max };
        let mut reader = Reader { framing, bytes_left, way };
        let mut open = self.lock();
        if let Some(handle) = open.get(&key) {
            match handle.readers.try_send(reader) {
                Ok(()) => return Ok(frames),
                Err(mpsc::error::TrySendError::Full(_)) => return Err(busy()),
                // It has just ended, and not left the map yet.
                Err(mpsc::error::TrySendError::Closed(again)) => reader = again,
            }
        } else if open.len() >= SOCKJS_SESSIONS_MAX {
            return Err(busy());
        }
        let (readers, attached) = mpsc::channel(WAITING_MAX);
        let (payloads, coming) = mpsc::channel(WAITING_MAX);
        let session = Session {
            conversation: begin(),
            readers: attached,
            payloads: coming,
            reader: Some(reader),
            newcomer: None,
            ends: disconnect_from_now(),
            draining: draining.clone(),
        };
        let handle = Handle { readers, payloads };
        let leave = Leave { sessions: self.clone(), key: key.clone(), handle: handle.clone() };
        open.insert(key, handle);
        tokio::spawn(async move {
            session.run().await.settle().await;
            drop(leave);
        });
        Ok(frames)
    }

    /// Hands messages to a session, and waits until it has taken them. None if there is no such session.
    pub(super) async fn send(&self, key: &Key, messages: Vec<Message>) -> Option<Result<(), WireError>> {
        let payloads = self.lock().get(key)?.payloads.clone();
        let (taken, done) = oneshot::channel();
        let handed = async {
            payloads.send(Payload { messages, taken }).await.ok()?;
            done.await.ok()
        };
        match timeout(Duration::from_millis(SOCKJS_SEND_MS_MAX), handed).await {
            Ok(Some(())) => Some(Ok(())),
            Ok(None) => None,
            Err(_elapsed) => Some(Err(busy())),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Handle>> {
        self.open.lock().expect("nothing panics under this lock")
    }
}

fn busy() -> WireError {
    WireError::new(ErrorCode::Busy, "too much waits already").retry_after(1000)
}

/// Takes a session out of the map when its task ends, however it ends.
struct Leave {
    sessions: Sessions,
    key: Key,
    handle: Handle,
}

impl Drop for Leave {
    fn drop(&mut self) {
        if let Entry::Occupied(entry) = self.sessions.lock().entry(self.key.clone()) {
            // Another one of this name may have begun meanwhile.
            if entry.get().readers.same_channel(&self.handle.readers) {
                entry.remove();
            }
        }
    }
}

struct Session {
    conversation: Conversation,
    readers: mpsc::Receiver<Reader>,
    payloads: mpsc::Receiver<Payload>,
    reader: Option<Reader>,
    /// Who came while the reader was still there, and until when they wait for it to go.
    newcomer: Option<(Reader, Instant)>,
    /// When it ends, unless somebody reads.
    ends: Instant,
    draining: CancellationToken,
}

impl Session {
    /// Runs until nobody reads any more; what is left is the conversation.
    async fn run(mut self) -> Conversation {
        loop {
            let reading = self.reader.as_ref().map(|reader| reader.way.clone());
            let patience = self.newcomer.as_ref().map_or(self.ends, |(_, until)| *until);
            tokio::select! {
                // In this order: that the reader has gone is seen before the one who comes in its place.
                biased;
                () = gone(reading.as_ref()) => {
                    self.conversation.settle().await;
                    self.conversation.close(Close::interrupted());
                    self.leave();
                }
                Some(reader) = self.readers.recv() => self.attach(reader),
                Some(payload) = self.payloads.recv(), if self.conversation.has_room() => {
                    // Whose sender was told that it took too long is not taken after all.
                    if !payload.taken.is_closed() {
                        self.conversation.take(payload.messages);
                        let _ = payload.taken.send(());
                    }
                }
                made = frame(reading.as_ref(), &mut self.conversation) => {
                    // Without a reader there is none, but perhaps room for more of what is sent.
                    if let Some((permit, frame)) = made {
                        let reader = self.reader.as_mut().expect("a frame is made for a reader");
                        if reader.hand(permit, &frame) {
                            self.leave();
                        }
                    }
                }
                () = sleep_until(patience), if self.newcomer.is_some() => {
                    self.newcomer.take().inspect(|(newcomer, _)| newcomer.turn_away());
                }
                () = sleep_until(self.ends), if self.reader.is_none() => return self.conversation,
                () = self.draining.cancelled(), if self.reader.is_none() => return self.conversation,
            }
        }
    }

    fn attach(&mut self, reader: Reader) {
        if self.reader.is_none() {
            self.conversation.rest();
            self.reader = Some(reader);
        } else if self.newcomer.is_none() {
            self.newcomer = Some((reader, Instant::now() + Duration::from_millis(GOING_MS)));
        } else {
            reader.turn_away();
        }
    }

    /// Lets the response end, and waits for the next.
    fn leave(&mut self) {
        self.reader = None;
        self.ends = disconnect_from_now();
        if let Some((newcomer, _)) = self.newcomer.take().filter(|(newcomer, _)| !newcomer.way.is_closed()) {
            self.attach(newcomer);
        }
    }
}

impl Reader {
    /// There may be only one.
    fn turn_away(&self) {
        let another: Frame = Frame::Close(Close::another());
        // The way is new, so there is room; if it is closed already, nobody waits for this.
        let _ = self.way.try_send(self.framing.wrap(&another.to_bytes()).into());
    }

    /// Hands a frame over. True when it was the last of this response.
    fn hand(&mut self, permit: Permit<'_, Bytes>, frame: &Frame) -> bool {
        let bytes = self.framing.wrap(&frame.to_bytes());
        self.bytes_left = self.bytes_left.saturating_sub(bytes.len() as u64);
        permit.send(bytes.into());
        self.bytes_left == 0 || matches!(frame, Frame::Close(_))
    }
}

/// Waits until the reader has gone.
async fn gone(way: Option<&mpsc::Sender<Bytes>>) {
    match way {
        Some(way) => way.closed().await,
        None => std::future::pending().await,
    }
}

/// Waits until the reader takes a frame, and then for the frame; where nobody reads, until something of what was sent
/// has been taken in. Cancel-safe.
async fn frame<'a>(
    way: Option<&'a mpsc::Sender<Bytes>>,
    conversation: &mut Conversation,
) -> Option<(Permit<'a, Bytes>, Frame)> {
    let Some(way) = way else {
        conversation.work().await;
        return None;
    };
    // A closed way is the other branch's affair.
    let Ok(permit) = way.reserve().await else { return std::future::pending().await };
    Some((permit, conversation.next().await))
}

fn disconnect_from_now() -> Instant {
    Instant::now() + Duration::from_millis(SOCKJS_DISCONNECT_MS)
}
