//! What a read asks for: the query, and the few headers that count.

use std::num::IntErrorKind;

use http::header::{self, HeaderValue};
use http::request::Parts;
use wigeon_proto::error::{ErrorCode, WireError};
use wigeon_proto::framing::{Framing, iframe, jsonp};
use wigeon_proto::id::{RoomId, UserId};
use wigeon_proto::limits;
use wigeon_proto::transport::Transport;

/// A read, checked.
#[derive(Debug, Clone)]
pub(crate) struct EventsRequest {
    pub(crate) transport: Transport,
    /// The cursor's text; `Last-Event-ID` wins over `after`.
    pub(crate) after: Option<String>,
    /// Seconds a poll may be held; none if the caller named none.
    pub(crate) wait_s: Option<u64>,
    pub(crate) ticket: Option<String>,
    pub(crate) on_behalf_of: Option<UserId>,
    pub(crate) watch: Watch,
    pub(crate) limit: usize,
    pub(crate) last: Option<usize>,
    pub(crate) max_per_room: Option<u64>,
    /// Whether it names a session.
    pub(super) session: bool,
    /// Whether unread counts are told.
    pub(crate) unread: bool,
    pub(crate) nonce: Option<String>,
    pub(crate) padding: usize,
    pub(crate) callback: Option<jsonp::Callback>,
    page: Option<iframe::Page>,
    /// The nonce of the page's scripts.
    pub(crate) page_nonce: String,
}

/// Rooms to watch: those that could be watched, and names that never could.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watch {
    pub(crate) rooms: Vec<RoomId>,
    pub(crate) unavailable: Vec<String>,
}

impl Watch {
    /// Names that are no ids are unavailable like any other unknown room.
    pub(crate) fn of<'a>(names: impl Iterator<Item = &'a str>) -> Result<Self, WireError> {
        let mut watch = Self::default();
        for (i, name) in names.filter(|name| !name.is_empty()).enumerate() {
            if i == limits::WATCH_ROOMS_MAX {
                return Err(bad(format!("at most {} rooms", limits::WATCH_ROOMS_MAX)));
            }
            match RoomId::parse(name) {
                Ok(room) if room.is_plain() && !watch.rooms.contains(&room) => watch.rooms.push(room),
                Ok(room) if room.is_plain() => {}
                _ => watch.unavailable.push(name.chars().take(limits::ID_BYTES_MAX).collect()),
            }
        }
        Ok(watch)
    }
}

impl EventsRequest {
    /// Reads and checks it. What is wrong is a 400 that echoes nothing.
    pub(crate) fn read(parts: &Parts) -> Result<Self, WireError> {
        let query = parts.uri.query().unwrap_or("");
        let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        let field = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_ref());
        let wait_s = number(field("wait"), "wait", limits::LONG_POLL_S_MAX)?;
        let transport = transport(parts, field("transport"), wait_s)?;
        let header = parts.headers.get("last-event-id").map(HeaderValue::to_str).transpose();
        // To go on from somewhere else would lose what is in between.
        let header = header.map_err(|_| bad("unreadable cursor"))?;
        let after = header.filter(|text| !text.is_empty()).or(field("after").filter(|text| !text.is_empty()));
        let on_behalf_of =
            field("as").map(UserId::parse).transpose().map_err(|error| bad(error.to_string()))?;
        let nonce = field("nonce").map(str::to_owned);
        if nonce.as_ref().is_some_and(|nonce| nonce.len() > limits::NONCE_BYTES_MAX) {
            return Err(bad("`nonce` is too long"));
        }
        let callback = field("callback").or(field("cb"));
        let page_nonce = crate::app::random_id(22);
        let (callback, page) = match transport {
            Transport::Jsonp => {
                let callback =
                    jsonp::Callback::parse(callback.unwrap_or("")).map_err(|error| bad(error.to_string()))?;
                (Some(callback), None)
            }
            Transport::Iframe | Transport::Htmlfile => {
                let receiver = match (callback, field("target")) {
                    (Some(path), None) => iframe::Callback::parse(path).map(iframe::Receiver::Callback),
                    (None, Some(origin)) => iframe::Target::parse(origin).map(iframe::Receiver::Target),
                    _ => return Err(bad("name either `callback` or `target`")),
                };
                let page = receiver.and_then(|receiver| iframe::Page::new(receiver, &page_nonce));
                (None, Some(page.map_err(|error| bad(error.to_string()))?))
            }
            _ => (None, None),
        };
        Ok(Self {
            transport,
            after: after.map(str::to_owned),
            wait_s,
            ticket: field("ticket").map(str::to_owned),
            on_behalf_of,
            watch: Watch::of(field("rooms").unwrap_or("").split(','))?,
            limit: number(field("limit"), "limit", u64::MAX)?
                .map_or(limits::PAGE_FRAMES_MAX, |limit| (limit as usize).clamp(1, limits::PAGE_FRAMES_MAX)),
            last: number(field("last"), "last", limits::LAST_MAX as u64)?.map(|last| last as usize),
            max_per_room: number(field("max_per_room"), "max_per_room", u64::MAX)?.map(|max| max.max(1)),
            session: field("session").is_some_and(|name| !name.is_empty()),
            unread: field("unread") == Some("1"),
            nonce,
            padding: number(field("padding"), "padding", u64::MAX)?
                .map_or(0, |padding| (padding as usize).min(limits::PADDING_BYTES_MAX)),
            callback,
            page,
            page_nonce,
        })
    }

    /// The framing, where the answer is a stream.
    pub(crate) fn framing(&self) -> Option<Framing> {
        match self.transport {
            Transport::Sse => Some(Framing::Sse),
            Transport::Ndjson => Some(Framing::Ndjson),
            Transport::Iframe | Transport::Htmlfile => self.page.clone().map(Framing::Iframe),
            Transport::Websocket => Some(Framing::WebSocket),
            Transport::Poll | Transport::Longpoll | Transport::Jsonp => None,
        }
    }

    /// Where a frame posts to another origin's page: that page may then embed it.
    pub(crate) fn target(&self) -> Option<&str> {
        match &self.page.as_ref()?.receiver() {
            iframe::Receiver::Target(target) => Some(target.as_str()),
            iframe::Receiver::Callback(_) => None,
        }
    }
}

/// By name; else by what the request accepts; else a poll, held or not.
fn transport(parts: &Parts, named: Option<&str>, wait_s: Option<u64>) -> Result<Transport, WireError> {
    if let Some(name) = named {
        return Transport::parse(name).ok_or_else(|| bad("unknown `transport`"));
    }
    let has = |name: header::HeaderName, word: &str| {
        let values = parts.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values
            .flat_map(|value| value.split(','))
            .any(|item| item.split(';').next().is_some_and(|item| item.trim().eq_ignore_ascii_case(word)))
    };
    Ok(if has(header::UPGRADE, "websocket") {
        Transport::Websocket
    } else if has(header::ACCEPT, "text/event-stream") {
        Transport::Sse
    } else if has(header::ACCEPT, "application/x-ndjson") {
        Transport::Ndjson
    } else if wait_s.unwrap_or(0) > 0 {
        Transport::Longpoll
    } else {
        Transport::Poll
    })
}

fn number(text: Option<&str>, name: &str, max: u64) -> Result<Option<u64>, WireError> {
    let Some(text) = text else { return Ok(None) };
    match text.parse::<u64>() {
        Ok(number) => Ok(Some(number.min(max))),
        Err(error) if *error.kind() == IntErrorKind::PosOverflow => Ok(Some(max)),
        Err(_) => Err(bad(format!("`{name}` has to be a whole number"))),
    }
}

fn bad(message: impl Into<String>) -> WireError {
    WireError::new(ErrorCode::BadRequest, message)
}
