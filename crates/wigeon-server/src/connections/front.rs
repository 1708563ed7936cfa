//! The front: looks at each request's first bytes, and keeps `GET /v1/events` on the raw socket.
//!
//! An HTTP library's connection costs some 10 KiB of buffers and a pass through its state for each frame,
//! and nobody else may write to its socket. Readers are many and long-lived, so theirs are served here;
//! everything else, and everything in the least unusual, is the library's, from that request on.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Request, header};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use wigeon_proto::limits;

use crate::app::App;
use crate::http::guard::{Ends, judge, turned_away};
use crate::http::rewound::Rewound;
use crate::transport::{Asked, Rest, answer, converse};
use crate::wire::{Wire, whole};

/// How every request starts that is served here.
const OURS: &[u8] = b"GET /v1/events";
/// Headers of one request.
const HEADERS_MAX: usize = 64;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Serves a connection to its end.
pub(super) async fn serve(
    app: Arc<App>,
    router: Router,
    stream: TcpStream,
    ends: Ends,
    stop: CancellationToken,
) -> Result<(), Failure> {
    let wire = Arc::new(Wire::socket(stream));
    let mut input = Vec::new();
    loop {
        let next = tokio::select! {
            next = Box::pin(next_in_time(&wire, &mut input)) => next?,
            () = stop.cancelled() => return Ok(()),
        };
        match next {
            Next::Gone => return Ok(()),
            Next::Events(parts, length) => {
                let behind = input.split_off(length);
                let asked = Asked { parts, head: std::mem::replace(&mut input, behind) };
                // Boxed, and gone before the rest begins: that may last for hours, and connections are many.
                let rest = Box::pin(begin(&app, &wire, asked, std::mem::take(&mut input), ends)).await;
                match rest.await? {
                    Some(behind) => input = behind,
                    None => return Ok(()),
                }
            }
            Next::Other => break,
        }
    }
    let stream = wire.into_socket().ok_or_else(|| io::Error::from(ErrorKind::Other))?;
    drop(app);
    Box::pin(library(router, Rewound::new(input, stream), ends, stop)).await
}

async fn begin(app: &Arc<App>, wire: &Arc<Wire>, mut asked: Asked, input: Vec<u8>, ends: Ends) -> Rest {
    match judge(app, ends, &asked.parts.headers, None) {
        Ok((seen, allowed)) => {
            asked.parts.extensions.insert(seen);
            converse(app, wire, asked, input, allowed).await
        }
        Err(error) => answer(wire, &whole(turned_away(&error)).await, input),
    }
}

/// What comes next on a connection.
enum Next {
    /// Nothing any more.
    Gone,
    /// A read, and how long its head is.
    Events(Box<Parts>, usize),
    /// Something else, or something unusual.
    Other,
}

async fn next_in_time(wire: &Wire, input: &mut Vec<u8>) -> io::Result<Next> {
    timeout(Duration::from_millis(limits::REQUEST_HEAD_MS_MAX), next(wire, input)).await?
}

async fn next(wire: &Wire, input: &mut Vec<u8>) -> io::Result<Next> {
    loop {
        let known = input.len().min(OURS.len());
        if input[..known] != OURS[..known] {
            return Ok(Next::Other);
        }
        if let Some(next) = parse(input) {
            return Ok(next);
        }
        wire.readable().await?;
        match wire.read_into(input)? {
            Some(0) => return Ok(Next::Gone),
            Some(_) if input.len() >= limits::REQUEST_HEAD_BYTES_MAX => return Ok(Next::Other),
            _ => {}
        }
    }
}

/// Parses a head; none while it is incomplete.
fn parse(input: &[u8]) -> Option<Next> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(input) {
        Ok(httparse::Status::Partial) => None,
        Ok(httparse::Status::Complete(length)) => Some(match parts(&request) {
            Some(parts) => Next::Events(Box::new(parts), length),
            None => Next::Other,
        }),
        Err(_) => Some(Next::Other),
    }
}

/// The request as the handlers know it; none if it is for the library: an older HTTP, a body, another path, the
/// last of its connection.
fn parts(request: &httparse::Request<'_, '_>) -> Option<Parts> {
    let target = request.path?;
    if request.version != Some(1) || target.split('?').next() != Some("/v1/events") {
        return None;
    }
    let (mut parts, ()) = Request::builder().uri(target).body(()).ok()?.into_parts();
    for field in request.headers.iter() {
        let name = HeaderName::from_bytes(field.name.as_bytes()).ok()?;
        let closes = name == header::CONNECTION
            && field
                .value
                .split(|byte| *byte == b',')
                .any(|word| word.trim_ascii().eq_ignore_ascii_case(b"close"));
        if closes || [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::EXPECT].contains(&name) {
            return None;
        }
        parts.headers.append(name, HeaderValue::from_bytes(field.value).ok()?);
    }
    Some(parts)
}

/// Hands a connection to the HTTP library.
async fn library(
    router: Router,
    stream: Rewound,
    ends: Ends,
    stop: CancellationToken,
) -> Result<(), Failure> {
    let service = router.map_request(move |mut request: Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(ends);
        request.map(Body::new)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(limits::REQUEST_HEAD_MS_MAX))
        .max_buf_size(limits::REQUEST_HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
        .with_upgrades();
    tokio::pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return Ok(ended?),
        () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    Ok(connection.await?)
}
