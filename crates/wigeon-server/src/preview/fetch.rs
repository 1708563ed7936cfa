//! One page brought home: its head, a bounded part of its body, and not a byte of ours that says more than which
//! page is meant. No cookies, no `Referer`; each redirect is judged as if somebody had asked for it.

use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;
use url::{Position, Url};
use wigeon_proto::limits::{
    PREVIEW_BODY_BYTES_MAX, PREVIEW_HEAD_BYTES_MAX, PREVIEW_HEADERS_MAX, PREVIEW_MS_MAX,
    PREVIEW_REDIRECTS_MAX, PREVIEW_URL_BYTES_MAX,
};

use super::failure::Failure;
use super::reach::Reach;
use super::tags::charset_of;

/// Who asks, in plain words: a site can know us by it, and turn us away.
const USER_AGENT: &str = concat!("Wigeon/", env!("CARGO_PKG_VERSION"), " (link preview)");

/// What stands at a URL.
pub(super) enum Found {
    /// HTML, or the beginning of it, and what the response says that it is written in.
    Page { url: Url, charset: Option<String>, bytes: Vec<u8> },
    /// An image. Nothing of it was read.
    Image { url: Url },
}

/// Reads the URL of a link. What comes after `#` is the reader's own.
pub(super) fn parse(text: &str) -> Result<Url, Failure> {
    if text.len() > PREVIEW_URL_BYTES_MAX {
        return Err(Failure::Unreadable);
    }
    let mut url = Url::parse(text).map_err(|_| Failure::Unreadable)?;
    url.set_fragment(None);
    Ok(url)
}

/// Fetches a URL, and where it leads to, within one deadline.
pub(super) async fn fetch(reach: &Reach, url: Url) -> Result<Found, Failure> {
    let whole = timeout(Duration::from_millis(PREVIEW_MS_MAX), follow(reach, url));
    whole.await.unwrap_or(Err(Failure::Slow))
}

async fn follow(reach: &Reach, mut url: Url) -> Result<Found, Failure> {
    for _ in 0..=PREVIEW_REDIRECTS_MAX {
        reach.judge(&url)?;
        let (response, _connection) = ask(reach, &url).await?;
        if !response.status().is_redirection() {
            return found(url, response).await;
        }
        url = elsewhere(&url, &response)?;
    }
    // In a circle, most likely.
    Err(Failure::Nothing)
}

/// Sends the request. The connection lives as long as what is returned beside the response.
async fn ask(reach: &Reach, url: &Url) -> Result<(Response<Incoming>, AbortOnDropHandle<()>), Failure> {
    let stream = reach.connect(url).await?;
    let handshake = http1::Builder::new()
        .max_buf_size(PREVIEW_HEAD_BYTES_MAX)
        .max_headers(PREVIEW_HEADERS_MAX)
        .handshake(TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.map_err(|_| Failure::Unreachable)?;
    let connection = AbortOnDropHandle::new(tokio::spawn(async {
        // How it ends is seen at the response.
        let _ = connection.await;
    }));
    let request = Request::get(&url[Position::BeforePath..Position::AfterQuery])
        .header(header::HOST, &url[Position::BeforeHost..Position::AfterPort])
        .header(header::USER_AGENT, USER_AGENT)
        .header(header::ACCEPT, "text/html, application/xhtml+xml, image/*;q=0.8")
        .header(header::ACCEPT_ENCODING, "identity")
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|_| Failure::Unreadable)?;
    let response = sender.send_request(request).await.map_err(|_| Failure::Unreachable)?;
    Ok((response, connection))
}

/// Where a redirect leads.
fn elsewhere(from: &Url, response: &Response<Incoming>) -> Result<Url, Failure> {
    let location = text_of(response.headers(), &header::LOCATION).ok_or(Failure::Nothing)?;
    let to = from.join(location).map_err(|_| Failure::Nothing)?;
    let to = parse(to.as_str()).map_err(|_| Failure::Nothing)?;
    // The link promised that nobody on the way has a hand in what is shown of it.
    if from.scheme() == "https" && to.scheme() == "http" {
        return Err(Failure::Downgrade);
    }
    Ok(to)
}

/// What a response that is no redirect brings.
async fn found(url: Url, response: Response<Incoming>) -> Result<Found, Failure> {
    let status = response.status();
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        return Err(Failure::Unreachable);
    }
    let headers = response.headers();
    let media_type = text_of(headers, &header::CONTENT_TYPE).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let plain = text_of(headers, &header::CONTENT_ENCODING)
        .is_none_or(|coding| coding.eq_ignore_ascii_case("identity"));
    match essence.as_str() {
        _ if status != StatusCode::OK => Err(Failure::Nothing),
        "text/html" | "application/xhtml+xml" if plain => {
            let charset = charset_of(media_type);
            Ok(Found::Page { url, charset, bytes: beginning(response.into_body()).await? })
        }
        _ if essence.starts_with("image/") => Ok(Found::Image { url }),
        _ => Err(Failure::Nothing),
    }
}

/// As much of a body as is read. What breaks off in the middle may have said enough.
async fn beginning(mut body: Incoming) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { break };
        let Some(data) = frame.data_ref() else { continue };
        let room = PREVIEW_BODY_BYTES_MAX - bytes.len();
        bytes.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() >= room {
            break;
        }
    }
    if bytes.is_empty() { Err(Failure::Nothing) } else { Ok(bytes) }
}

/// A header's text. Addresses are not always escaped there, though they should be.
fn text_of<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    std::str::from_utf8(headers.get(name)?.as_bytes()).ok()
}
