//! Asking and commanding: everything that is one request and one answer.

use crate::answer;
use crate::http::{Answer, Http};
use crate::limits::ANSWER;
use crate::{Error, Reply, fresh_id};
use bytes::Bytes;
use form_urlencoded::Serializer;
use http::Method;
use http_body_util::Full;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// The function that JSONP answers call.
pub(crate) const CALLBACK: &str = "wigeon_cb";

/// How commands reach the server over HTTP. The WebSocket is a [`crate::Connection`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uplink {
    /// `application/json` with a token.
    Json,
    /// `text/plain` with a ticket: no preflight, and all that `XDomainRequest` can do.
    Text,
    /// Field `d` of a form, with a ticket: a hidden form.
    Form,
    /// `?d=` of a script's address, with a ticket.
    Jsonp,
}

impl Uplink {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Json, Self::Text, Self::Form, Self::Jsonp];
}

/// A guest who has just come into being.
#[derive(Debug, Clone, Deserialize)]
pub struct Guest {
    /// The user id.
    pub user: String,
    /// The name as accepted.
    pub name: String,
    /// The token that is the guest.
    pub token: String,
}

/// One user at one server. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    pub(crate) http: Arc<Http>,
    base: Arc<str>,
    token: Option<Arc<str>>,
}

impl Client {
    /// `base` is `http://host:port`.
    pub fn new(base: &str) -> Result<Self, Error> {
        let base = base.trim_end_matches('/');
        Ok(Self { http: Arc::new(Http::new(base)?), base: base.into(), token: None })
    }

    /// The same server as the user of `token`.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.into()), ..self.clone() }
    }

    /// The server's address, which is also the origin of its own pages.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The token, if there is one.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// One request as it stands, without the token, whatever its answer: for what the rest here would not say.
    pub async fn raw(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Answer, Error> {
        self.http.answer(self.request(method, path, headers, body)?, ANSWER).await
    }

    pub(crate) fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<http::Request<Full<Bytes>>, Error> {
        let request = self.http.request(method, path);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        Ok(request.body(Full::new(body.into()))?)
    }

    /// `Bearer <token>`, for the header.
    pub(crate) fn bearer(&self) -> Result<String, Error> {
        let token = self.token.as_deref().ok_or(Error::Protocol("no token".to_owned()))?;
        Ok(format!("Bearer {token}"))
    }

    /// Makes a guest.
    pub async fn guest(&self, name: &str) -> Result<Guest, Error> {
        let body = json!({ "name": name }).to_string();
        let answer =
            self.raw(Method::POST, "/v1/guests", &[("content-type", "application/json")], body).await?;
        Ok(serde_json::from_slice(&answer.success()?.body)?)
    }

    /// A ticket for pages of `origin`.
    pub async fn ticket(&self, origin: &str) -> Result<String, Error> {
        let bearer = self.bearer()?;
        let headers = [("authorization", &*bearer), ("origin", origin), ("content-type", "application/json")];
        let answer = self.raw(Method::POST, "/v1/tickets", &headers, "{}").await?.success()?;
        match answer.json()?["ticket"].as_str() {
            Some(ticket) => Ok(ticket.to_owned()),
            None => Err(Error::Protocol("no ticket".to_owned())),
        }
    }

    /// One command's `ok`. Gives it an id if it has none.
    pub async fn command(&self, mut command: Value) -> Result<Value, Error> {
        if command["id"].is_null() {
            command["id"] = fresh_id().into();
        }
        let mut replies = self.commands(&[command]).await?;
        replies.pop().ok_or(Error::Protocol("no reply".to_owned()))?.into_result()
    }

    /// At most 100 commands in one request; their replies in order.
    pub async fn commands(&self, commands: &[Value]) -> Result<Vec<Reply>, Error> {
        self.commands_over(Uplink::Json, commands).await
    }

    /// The same by the given way. All but [`Uplink::Json`] take a ticket first, as a page would.
    pub async fn commands_over(&self, uplink: Uplink, commands: &[Value]) -> Result<Vec<Reply>, Error> {
        let body = serde_json::to_string(commands)?;
        let answer = if uplink == Uplink::Json {
            let bearer = self.bearer()?;
            let headers = [("authorization", &*bearer), ("content-type", "application/json")];
            self.raw(Method::POST, "/v1/commands", &headers, body).await?
        } else {
            let ticket = self.ticket(&self.base).await?;
            self.with_ticket(uplink, &ticket, &body).await?
        };
        replies(uplink, &answer.success()?, commands.len())
    }

    async fn with_ticket(&self, uplink: Uplink, ticket: &str, body: &str) -> Result<Answer, Error> {
        let path = format!("/v1/commands?{}", form(&[("ticket", ticket)]));
        match uplink {
            Uplink::Jsonp => {
                let query = form(&[("transport", "jsonp"), ("callback", CALLBACK), ("d", body)]);
                let referer = format!("{}/", self.base);
                self.raw(Method::GET, &format!("{path}&{query}"), &[("referer", &referer)], "").await
            }
            Uplink::Form => {
                let headers =
                    [("content-type", "application/x-www-form-urlencoded"), ("origin", self.base())];
                self.raw(Method::POST, &path, &headers, form(&[("d", body)])).await
            }
            Uplink::Text | Uplink::Json => {
                let headers = [("content-type", "text/plain;charset=UTF-8"), ("origin", self.base())];
                self.raw(Method::POST, &path, &headers, body.to_owned()).await
            }
        }
    }
}

/// Fields as a query string or a form's body.
fn form(fields: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// The replies in an answer of `/v1/commands`.
fn replies(uplink: Uplink, answer: &Answer, count: usize) -> Result<Vec<Reply>, Error> {
    #[derive(Deserialize)]
    struct Replies {
        replies: Option<Vec<Reply>>,
    }
    let body = if uplink == Uplink::Jsonp {
        answer::unwrap_jsonp(&answer.body, CALLBACK)?
    } else {
        answer.body.clone()
    };
    match serde_json::from_slice::<Replies>(&body)?.replies {
        None => Err(crate::http::refusal(answer.status, &body)),
        Some(replies) if replies.len() == count => Ok(replies),
        Some(replies) => Err(Error::Protocol(format!("{} replies to {count} commands", replies.len()))),
    }
}
