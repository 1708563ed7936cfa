//! One transport, followed from a cursor: every way down, behind one `next`.

use crate::parse::answer::Answer;
use crate::poller::{self, Poller};
use crate::stream::Stream;
use crate::{Client, Connection, Error, Frame, client};
use form_urlencoded::Serializer;
use std::fmt;
use std::pin::Pin;
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

type Opening = Pin<Box<dyn Future<Output = Result<Kind, Error>> + Send>>;

enum Kind {
    /// The request is under way. It lives here so that [`Reader::next`] may be cancelled.
    Opening(Opening),
    Stream(Stream),
    WebSocket(Box<Connection>),
    Poller(Poller),
    Failed,
}

/// A walk through the log over one transport. Opens itself with the first [`Reader::next`].
pub struct Reader {
    transport: Transport,
    kind: Kind,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("transport", &self.transport).finish_non_exhaustive()
    }
}

impl Client {
    /// One poll.
    pub async fn poll(&self, options: &ReadOptions) -> Result<Answer, Error> {
        poller::ask(self.clone(), Transport::Poll, options.clone(), None).await
    }

    /// Follows the log over one transport.
    pub fn read(&self, transport: Transport, options: ReadOptions) -> Reader {
        Reader::new(self, transport, options)
    }
}

impl Reader {
    pub(crate) fn new(client: &Client, transport: Transport, options: ReadOptions) -> Self {
        let client = client.clone();
        let kind = match transport {
            Transport::Poll | Transport::Longpoll | Transport::Jsonp => {
                Kind::Poller(Poller::new(&client, transport, options))
            }
            Transport::Websocket => Kind::Opening(Box::pin(async move {
                let connection = Connection::open(&client, &options).await?;
                Ok(Kind::WebSocket(Box::new(connection)))
            })),
            _ => Kind::Opening(Box::pin(async move {
                Ok(Kind::Stream(Stream::open(client, transport, options).await?))
            })),
        };
        Self { transport, kind }
    }

    /// Which transport this is.
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// What comes next; `None` when the stream ended by itself, as streams do now and then. Every wait has a
    /// deadline. Cancel-safe. After an error there is only more of it.
    pub async fn next(&mut self) -> Result<Option<Item>, Error> {
        if let Kind::Opening(opening) = &mut self.kind {
            let opened = opening.await;
            self.kind = Kind::Failed;
            self.kind = opened?;
        }
        match &mut self.kind {
            Kind::Stream(stream) => Ok(stream.next().await?.map(Item::Frame)),
            Kind::WebSocket(connection) => Ok(connection.next().await?.map(Item::Frame)),
            Kind::Poller(poller) => poller.next().await.map(Some),
            Kind::Opening(_) | Kind::Failed => Err(Error::Protocol("the reader did not open".to_owned())),
        }
    }

    /// The next frame, passing over the ends of answers.
    pub async fn frame(&mut self) -> Result<Option<Frame>, Error> {
        loop {
            match self.next().await? {
                Some(Item::Frame(frame)) => return Ok(Some(frame)),
                Some(Item::Cursor(_)) => {}
                None => return Ok(None),
            }
        }
    }
}
