//! Polling, long polling and JSONP: one answer after another, made to look like a stream.

use crate::answer::{self, Answer};
use crate::client::CALLBACK;
use crate::limits::{ANSWER, POLL_SLACK};
use crate::{Client, Error, Item, ReadOptions};
use http::Method;
use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::time::Duration;
use tokio::time::sleep;
use wigeon_proto::transport::Transport;

type Pending = Pin<Box<dyn Future<Output = Result<Answer, Error>> + Send>>;

/// Asks again and again.
pub(crate) struct Poller {
    client: Client,
    transport: Transport,
    options: ReadOptions,
    ticket: Option<String>,
    /// The question under way lives here and not in [`Poller::next`], which may be cancelled.
    pending: Option<Pending>,
    items: VecDeque<Item>,
}

impl fmt::Debug for Poller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Poller").field("transport", &self.transport).finish_non_exhaustive()
    }
}

impl Poller {
    pub(crate) fn new(client: &Client, transport: Transport, options: ReadOptions) -> Self {
        Self {
            client: client.clone(),
            transport,
            options,
            ticket: None,
            pending: None,
            items: VecDeque::new(),
        }
    }

    /// The next frame, or where an answer ended. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Result<Item, Error> {
        loop {
            if let Some(item) = self.items.pop_front() {
                return Ok(item);
            }
            if self.pending.is_none() {
                self.pending = Some(Box::pin(self.question(Duration::ZERO)));
            }
            let Some(pending) = &mut self.pending else { continue };
            let answer = pending.await;
            self.pending = None;
            // A ticket ends with its time or its key; the next question takes a new one.
            if matches!(&answer, Err(Error::Refused { status: 200 | 401, .. }))
                && self.ticket.take().is_some()
            {
                continue;
            }
            let answer = answer?;
            self.options.after = Some(answer.cursor.clone());
            self.ticket = answer.ticket.or(self.ticket.take());
            let pause = if self.transport == Transport::Poll && !answer.more {
                self.options.poll_interval
            } else {
                Duration::ZERO
            };
            self.items.extend(answer.frames.into_iter().map(Item::Frame));
            self.items.push_back(Item::Cursor(answer.cursor));
            self.pending = Some(Box::pin(self.question(pause)));
        }
    }

    fn question(&self, pause: Duration) -> impl Future<Output = Result<Answer, Error>> + use<> {
        let question = ask(self.client.clone(), self.transport, self.options.clone(), self.ticket.clone());
        async move {
            sleep(pause).await;
            question.await
        }
    }
}

/// One question and its answer. JSONP takes a ticket first unless it has one.
pub(crate) async fn ask(
    client: Client,
    transport: Transport,
    options: ReadOptions,
    ticket: Option<String>,
) -> Result<Answer, Error> {
    let script = transport == Transport::Jsonp;
    let ticket = match ticket {
        None if script => Some(client.ticket(client.base()).await?),
        ticket => ticket,
    };
    let path = options.path(transport, ticket.as_deref());
    let (name, value) =
        if script { ("referer", format!("{}/", client.base())) } else { ("authorization", client.bearer()?) };
    let deadline = if transport == Transport::Poll { ANSWER } else { options.wait + POLL_SLACK };
    let request = client.request(Method::GET, &path, &[(name, &value)], "")?;
    let whole = client.http.answer(request, deadline).await?.success()?;
    let body = if script { answer::unwrap_jsonp(&whole.body, CALLBACK)? } else { whole.body };
    answer::parse(&body)
}
