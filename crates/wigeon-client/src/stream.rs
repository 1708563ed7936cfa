//! A response that does not end: SSE, NDJSON, iframe and htmlfile.

use crate::limits::{FRAME_BYTES_MAX, SILENCE};
use crate::parse::Parser;
use crate::{Client, Error, Frame, ReadOptions};
use http::Method;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use std::collections::VecDeque;
use tokio::time::timeout;
use wigeon_proto::transport::Transport;

/// An open response and what was read ahead of it.
#[derive(Debug)]
pub(crate) struct Stream {
    body: Incoming,
    parser: Parser,
    frames: VecDeque<Frame>,
}

impl Stream {
    /// Asks and waits for the headers.
    pub(crate) async fn open(
        client: Client,
        transport: Transport,
        options: ReadOptions,
    ) -> Result<Self, Error> {
        let ticket = if transport.is_script() { Some(client.ticket(client.base()).await?) } else { None };
        let path = options.path(transport, ticket.as_deref());
        let (name, value) = match ticket {
            Some(_) => ("referer", format!("{}/", client.base())),
            None => ("authorization", client.bearer()?),
        };
        let request = client.request(Method::GET, &path, &[(name, &value)], "")?;
        let response = client.http.open(request).await?;
        let status = response.status().as_u16();
        if status != 200 {
            let body = response.into_body().collect().await?.to_bytes();
            return Err(crate::http::refusal(status, &body));
        }
        let parser = match transport {
            Transport::Sse => Parser::sse(FRAME_BYTES_MAX),
            Transport::Iframe | Transport::Htmlfile => Parser::script(FRAME_BYTES_MAX),
            _ => Parser::ndjson(FRAME_BYTES_MAX),
        };
        Ok(Self { body: response.into_body(), parser, frames: VecDeque::new() })
    }

    /// The next frame; `None` at the end of the response. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Result<Option<Frame>, Error> {
        loop {
            if let Some(frame) = self.frames.pop_front() {
                return Ok(Some(frame));
            }
            let chunk =
                timeout(SILENCE, self.body.frame()).await.map_err(|_| Error::Deadline("heartbeat"))?;
            match chunk {
                None => return Ok(None),
                Some(chunk) => {
                    if let Some(data) = chunk?.data_ref() {
                        self.parser.feed(data, &mut self.frames)?;
                    }
                }
            }
        }
    }
}
