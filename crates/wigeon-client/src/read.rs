//! What a reader is asked, and what it brings, whatever the transport.

use crate::{Frame, client};
use form_urlencoded::Serializer;
use std::time::Duration;
use wigeon_proto::transport::Transport;

/// What to read.
#[derive(Debug, Clone)]
pub struct ReadOptions {
    /// The cursor to go on from; `None` is from now on.
    pub after: Option<String>,
    /// Begin with the newest N instead.
    pub last: Option<u32>,
    /// Public rooms to watch.
    pub rooms: Vec<String>,
    /// Echoed in `ready`.
    pub nonce: Option<String>,
    /// Bytes before the first frame.
    pub padding: usize,
    /// Frames in one answer.
    pub limit: Option<u32>,
    /// Messages of one room before a gap stands for the older ones.
    pub max_per_room: Option<u32>,
    /// Whether to be told the user's unread counts as they change (`unread` signals).
    pub unread: bool,
    /// The presence lease.
    pub session: Option<String>,
    /// How long a long poll or JSONP is held.
    pub wait: Duration,
    /// Between two polls with nothing to say.
    pub poll_interval: Duration,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            after: None,
            last: None,
            rooms: Vec::new(),
            nonce: None,
            padding: 0,
            limit: None,
            max_per_room: None,
            unread: false,
            session: None,
            wait: Duration::from_secs(25),
            poll_interval: Duration::from_millis(200),
        }
    }
}

impl ReadOptions {
    /// From a cursor on, or from now on.
    pub fn after(cursor: Option<&str>) -> Self {
        Self { after: cursor.map(str::to_owned), ..Self::default() }
    }

    /// The address of this read.
    pub(crate) fn path(&self, transport: Transport, ticket: Option<&str>) -> String {
        let mut query = Serializer::new("/v1/events?".to_owned());
        query.append_pair("transport", transport.as_str());
        let mut optional = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                query.append_pair(name, &value);
            }
        };
        optional("after", self.after.clone());
        optional("last", self.last.map(|last| last.to_string()));
        optional("rooms", (!self.rooms.is_empty()).then(|| self.rooms.join(",")));
        optional("nonce", self.nonce.clone());
        optional("padding", (self.padding > 0).then(|| self.padding.to_string()));
        optional("limit", self.limit.map(|limit| limit.to_string()));
        optional("max_per_room", self.max_per_room.map(|max| max.to_string()));
        optional("unread", self.unread.then(|| "1".to_owned()));
        optional("session", self.session.clone());
        optional("ticket", ticket.map(str::to_owned));
        let held = matches!(transport, Transport::Longpoll | Transport::Jsonp);
        optional("wait", held.then(|| self.wait.as_secs().to_string()));
        optional("callback", transport.is_script().then(|| client::CALLBACK.to_owned()));
        query.finish()
    }
}

/// What a reader brings.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// A frame.
    Frame(Frame),
    /// The end of a poll's answer, which moves the cursor as a heartbeat does.
    Cursor(String),
}
