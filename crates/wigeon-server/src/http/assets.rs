//! The pages and the client library, built into the program.
//!
//! Text is compressed once, at its first use. Files have stable names, so browsers ask each time
//! (`no-cache`) and are told 304 by the hash of what they hold.

use std::io::Write as _;
use std::sync::LazyLock;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{self, HeaderValue};
use http::{Method, Request, StatusCode};
use wigeon_proto::error::{ErrorCode, WireError};

use super::guard::Seen;
use super::problem::problem;
use super::tag;
use crate::auth::Host;

/// A page of ours runs only our own files, talks only to us, and is framed by nobody. Frames and scripts
/// from `'self'` are the transports that are made of them; `blob:` and `data:` are for pictures alone. `$media`
/// are the schemes by which it may show what stands elsewhere: an image, a film, a sound.
macro_rules! policy {
    ($($media:literal)*) => {
        concat!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:", $(" ", $media,)*
            $("; media-src ", $media,)* "; connect-src 'self' ws: wss:; frame-src 'self'; font-src 'self'; \
            manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        )
    };
}

/// What a page may do. The chat page shows what links lead to, when the reader asks for it and from wherever it
/// is; whoever could slip an address into the page could have it fetched, and nothing of it read or run. A page
/// that came by TLS shows nothing that did not.
fn policy_of(page: &str, host: &Host) -> &'static str {
    match (page, host.may_be_secure()) {
        ("/", true) => policy!("https:"),
        ("/", false) => policy!("https: http:"),
        _ => policy!(),
    }
}

struct File {
    path: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
}

macro_rules! files {
    ($($path:literal $content_type:ident $file:literal),* $(,)?) => {
        &[$(File { path: $path, content_type: $content_type, bytes: include_bytes!(concat!("../../../../", $file)) }),*]
    };
}

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const SVG: &str = "image/svg+xml";
const PNG: &str = "image/png";
const TEXT: &str = "text/plain; charset=utf-8";

const FILES: &[File] = files![
    "/" HTML "web/dist/index.html",
    "/assets/chat.js" SCRIPT "web/dist/chat.js",
    "/assets/chat.css" STYLE "web/dist/chat.css",
    "/lab" HTML "web/dist/lab.html",
    "/assets/lab.js" SCRIPT "web/dist/lab.js",
    "/assets/lab.css" STYLE "web/dist/lab.css",
    "/assets/logo.svg" SVG "web/dist/logo.svg",
    "/assets/icon-180.png" PNG "web/dist/icon-180.png",
    "/favicon.ico" SVG "web/dist/logo.svg",
    "/wigeon.js" SCRIPT "client/dist/wigeon.js",
    "/wigeon.mjs" SCRIPT "client/dist/wigeon.mjs",
    "/wigeon.d.ts" TEXT "client/dist/wigeon.d.ts",
    "/wigeon-legacy.js" SCRIPT "client/dist/wigeon-legacy.js",
];

/// A file ready to be sent.
struct Ready {
    file: &'static File,
    tag: HeaderValue,
    gzip: Option<Bytes>,
}

static READY: LazyLock<Vec<Ready>> = LazyLock::new(|| FILES.iter().map(Ready::of).collect());

impl Ready {
    fn of(file: &'static File) -> Self {
        let tag = tag(&[file.bytes]);
        Self { file, tag, gzip: (file.content_type != PNG).then(|| gzip(file.bytes)) }
    }

    fn respond(&self, request: &Request<Body>) -> Response {
        let asked =
            |name: header::HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
        let known =
            asked(header::IF_NONE_MATCH).is_some_and(|tags| tags.contains(self.tag.to_str().unwrap_or("\"")));
        let compressed = asked(header::ACCEPT_ENCODING).is_some_and(takes_gzip);
        let gzip = self.gzip.as_ref().filter(|_| compressed);
        let mut response = Response::new(match (known, gzip) {
            (true, _) => Body::empty(),
            (false, Some(gzip)) => Body::from(gzip.clone()),
            (false, None) => Body::from(self.file.bytes),
        });
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.file.content_type));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(header::ETAG, self.tag.clone());
        headers.append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        if !known && gzip.is_some() {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if self.file.content_type == HTML {
            let seen: &Seen = request.extensions().get().expect("the guard comes before every handler");
            let policy = policy_of(self.file.path, &seen.host);
            headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
            headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
            // A page's own address travels with its JSONP requests; nothing of it leaves for other sites.
            headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        }
        if self.file.path.starts_with("/wigeon") {
            // The library is for other sites' pages too.
            headers.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
        }
        if known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        response
    }
}

/// Whether `Accept-Encoding` names gzip, and not only to refuse it (`gzip;q=0`).
fn takes_gzip(codings: &str) -> bool {
    codings.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let refused = |part: &str| part.strip_prefix("q=").and_then(|q| q.parse().ok()) == Some(0.0);
        parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip")) && !parts.any(refused)
    })
}

fn gzip(bytes: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes everything").into()
}

/// Every path that is not of `/v1`.
pub(crate) async fn serve(request: Request<Body>) -> Response {
    let path = request.uri().path();
    let found = READY.iter().find(|ready| ready.file.path == path);
    match (found, request.method()) {
        (Some(ready), &Method::GET | &Method::HEAD) => ready.respond(&request),
        _ => problem(&WireError::new(ErrorCode::NotFound, "there is nothing at this path")),
    }
}

#[cfg(test)]
mod tests {
    use crate::auth::OriginPolicy;

    use super::*;

    #[test]
    fn gzip_goes_to_those_who_take_it() {
        for yes in ["gzip", "deflate, gzip;q=1.0, *;q=0.5", "br,GZIP ; q=0.1"] {
            assert!(takes_gzip(yes), "{yes}");
        }
        for no in ["", "identity", "br", "gzip;q=0, br", "gzip; q=0.0", "x-gzipped"] {
            assert!(!takes_gzip(no), "{no}");
        }
    }

    #[test]
    fn only_the_chat_page_shows_what_stands_elsewhere_and_one_of_https_nothing_of_http() {
        let public = ["https://chat.example".to_owned(), "http://plain.example".to_owned()];
        let local = "127.0.0.1:8088".parse().unwrap();
        let origins = OriginPolicy::new(&[local], &public, &[]).unwrap();
        let media = |page: &str, host: &str| {
            let policy = policy_of(page, &origins.check_host(Some(host), local).unwrap());
            let directives = policy.split(';').map(str::trim);
            directives.filter(|directive| directive.contains("http")).collect::<Vec<_>>().join("; ")
        };
        let anywhere = "img-src 'self' data: blob: https: http:; media-src https: http:";
        assert_eq!(media("/", "chat.example"), "img-src 'self' data: blob: https:; media-src https:");
        assert_eq!(media("/", "plain.example"), anywhere);
        assert_eq!(media("/", "localhost:8088"), anywhere);
        assert_eq!(media("/lab", "chat.example"), "");
    }
}
