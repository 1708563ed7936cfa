//! One transport, followed from a cursor: every way down, behind one `next`.

use crate::answer::Answer;
use crate::poller::{self, Poller};
use crate::stream::Stream;
use crate::{Client, Connection, Error, Frame, Item, ReadOptions};
use std::fmt;
use std::pin::Pin;
use wigeon_proto::transport::Transport;

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
