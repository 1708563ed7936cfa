//! HTTP/1.1 to one server: answers over kept-alive connections, streams over their own.

use crate::Error;
use crate::limits::{ANSWER, BODY_BYTES_MAX, CONNECT, IDLE_CONNECTIONS_MAX};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use wigeon_proto::error::WireError;

type Sender = SendRequest<Full<Bytes>>;

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Result<Value, Error> {
        Ok(serde_json::from_slice(&self.body)?)
    }

    /// The answer if it is a success, else the error it carries.
    pub(crate) fn success(self) -> Result<Self, Error> {
        if (200..300).contains(&self.status) { Ok(self) } else { Err(refusal(self.status, &self.body)) }
    }
}

/// The connections to one server.
#[derive(Debug)]
pub(crate) struct Http {
    authority: String,
    idle: Mutex<Vec<Sender>>,
}

impl Http {
    /// `base` is `http://host:port`.
    pub(crate) fn new(base: &str) -> Result<Self, Error> {
        let authority = base.strip_prefix("http://").ok_or(Error::Base)?.trim_end_matches('/');
        if authority.is_empty() || authority.contains('/') {
            return Err(Error::Base);
        }
        Ok(Self { authority: authority.to_owned(), idle: Mutex::default() })
    }

    /// A request without a body yet; `path` begins with a slash.
    pub(crate) fn request(&self, method: Method, path: &str) -> http::request::Builder {
        Request::builder().method(method).uri(path).header("host", &self.authority)
    }

    /// Sends and reads the whole answer, within `deadline`.
    pub(crate) async fn answer(
        &self,
        request: Request<Full<Bytes>>,
        deadline: Duration,
    ) -> Result<Answer, Error> {
        timeout(deadline, self.answer_unbounded(request)).await.map_err(|_| Error::Deadline("answer"))?
    }

    async fn answer_unbounded(&self, request: Request<Full<Bytes>>) -> Result<Answer, Error> {
        let (response, sender) = self.send(request).await?;
        let (parts, body) = response.into_parts();
        let body =
            Limited::new(body, BODY_BYTES_MAX).collect().await.map_err(|e| Error::Body(e.to_string()))?;
        self.keep(sender);
        Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body: body.to_bytes() })
    }

    /// Sends over a connection that waits, or a new one. The server ends a kept connection when it likes, also
    /// while a request is on its way there (RFC 9112, 9.3.1), so what fails on one is sent again: commands do
    /// nothing twice, and a second guest or ticket does no harm.
    async fn send(&self, request: Request<Full<Bytes>>) -> Result<(Response<Incoming>, Sender), Error> {
        while let Some(mut sender) = self.take() {
            if let Ok(response) = sender.send_request(request.clone()).await {
                return Ok((response, sender));
            }
        }
        let mut sender = self.connect().await?;
        let response = sender.send_request(request).await?;
        Ok((response, sender))
    }

    /// Sends over a connection of its own and returns as soon as the headers are there. Dropping the response
    /// closes the connection.
    pub(crate) async fn open(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Error> {
        let mut sender = self.connect().await?;
        timeout(ANSWER, sender.send_request(request))
            .await
            .map_err(|_| Error::Deadline("headers"))?
            .map_err(Error::from)
    }

    async fn connect(&self) -> Result<Sender, Error> {
        let stream = timeout(CONNECT, TcpStream::connect(&self.authority))
            .await
            .map_err(|_| Error::Deadline("connection"))?
            .map_err(Error::Connect)?;
        stream.set_nodelay(true).map_err(Error::Connect)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // Ends with the connection; what breaks it reaches the request or body that was under way.
        tokio::spawn(connection.with_upgrades());
        Ok(sender)
    }

    fn take(&self) -> Option<Sender> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(sender) = idle.pop() {
            if sender.is_ready() {
                return Some(sender);
            }
        }
        None
    }

    fn keep(&self, sender: Sender) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_CONNECTIONS_MAX {
            idle.push(sender);
        }
    }
}

/// The error in a body: a problem (RFC 9457) or `{"error":{…}}`.
pub(crate) fn refusal(status: u16, body: &[u8]) -> Error {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let error = if value["error"].is_object() { value["error"].clone() } else { problem(&value) };
    match serde_json::from_value::<WireError>(error) {
        Ok(error) => Error::Refused { status, error },
        Err(_) => {
            Error::Status { status, body: String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned() }
        }
    }
}

fn problem(value: &Value) -> Value {
    let message = value.get("message").or(value.get("detail")).or(value.get("title"));
    serde_json::json!({
        "code": value["code"],
        "message": message.and_then(Value::as_str).unwrap_or_default(),
        "retry_after_ms": value["retry_after_ms"],
    })
}
