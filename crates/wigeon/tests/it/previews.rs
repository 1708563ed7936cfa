//! Previews of links, with a site on this machine that behaves well and badly.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use crate::server::{Scratch, Server};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto};
use wigeon_client::{Answer, Client, Method};

const ALLOW: (&str, &str) = ("WIGEON_PREVIEW_ALLOW", "127.0.0.0/8");

const PAGE: &str = "<!doctype html><html><head><title>Ducks &amp; geese</title>\
    <meta property=og:site_name content='The Pond'><meta name=description content='All about \u{202e}ducks.'>\
    <meta property=og:image content='/duck.png'></head><body>…</body></html>";

/// A site: counts what is asked, and keeps each request's head.
#[derive(Clone)]
struct Site {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Site {
    async fn open() -> Self {
        Self::open_with(None).await
    }

    /// One that speaks TLS, if it is given the means.
    async fn open_with(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let site = Self { port, heads: Arc::default() };
        let serving = site.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (site, tls) = (serving.clone(), tls.clone());
                // What a server has read enough of, or does not trust, it closes.
                tokio::spawn(async move {
                    match tls {
                        Some(tls) => site.serve(tls.accept(stream).await?).await,
                        None => site.serve(stream).await,
                    }
                });
            }
        });
        site
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// How often a path was asked for.
    fn asked(&self, path: &str) -> usize {
        let line = format!("GET {path} HTTP/1.1\r\n");
        self.heads.lock().expect("whole").iter().filter(|head| head.starts_with(&line)).count()
    }

    async fn serve(self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        let head = String::from_utf8(head).expect("text");
        let path = head.split(' ').nth(1).expect("a path").to_owned();
        self.heads.lock().expect("whole").push(head);
        let html = |body: &[u8]| answer("200 OK", "Content-Type: text/html; charset=utf-8", body);
        let to = |url: &str| answer("302 Found", &format!("Location: {url}"), b"");
        let bytes = match path.split('?').next().expect("one at least") {
            "/page" => html(PAGE.as_bytes()),
            "/gbk" => answer(
                "200 OK",
                "Content-Type: text/html",
                b"<meta charset=gbk><title>\xd1\xbc\xd7\xd3</title>",
            ),
            "/silent" => html(b"<p>nothing"),
            "/data" => answer("200 OK", "Content-Type: application/json", b"{\"title\":\"no\"}"),
            "/packed" => answer("200 OK", "Content-Type: text/html\r\nContent-Encoding: gzip", b"<title>no"),
            "/duck.png" => answer("200 OK", "Content-Type: image/png", b"no picture"),
            "/gone" => answer("404 Not Found", "Content-Type: text/html", b"<title>Not found"),
            "/broken" => answer("500 Internal Server Error", "Content-Type: text/html", b"<title>Oops"),
            "/garbage" => b"\x16\x03\x01 what?\r\n\r\n".to_vec(),
            "/to-page" => to("/page"),
            "/to-ducks" => to("/鸭"),
            "/to-other" => to(path.split_once('?').expect("where to").1),
            "/to-private" => to("http://10.0.0.1/"),
            "/to-file" => to("file:///etc/passwd"),
            "/circle" => to("/circle"),
            "/endless" => {
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<title>No end</title>")
                    .await?;
                loop {
                    stream.write_all(&[b'x'; 4096]).await?;
                }
            }
            "/endless-head" => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
                loop {
                    stream.write_all(b"X-More: and more\r\n").await?;
                }
            }
            _ => html(format!("<title>{path}</title>").as_bytes()),
        };
        stream.write_all(&bytes).await?;
        stream.shutdown().await
    }
}

fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 {status}\r\n{headers}\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes(), body]
        .concat()
}

async fn ask(client: &Client, url: &str) -> Answer {
    let escaped = url.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
    let bearer = client.token().map(|token| format!("Bearer {token}"));
    let headers: Vec<_> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
    let path = format!("/v1/preview?url={escaped}");
    client.raw(Method::GET, &path, &headers, "").await.expect("an answer")
}

async fn ask_at_once(client: &Client, urls: &[String]) -> Vec<Answer> {
    let mut asked = JoinSet::new();
    for url in urls {
        let (client, url) = (client.clone(), url.clone());
        asked.spawn(async move { ask(&client, &url).await });
    }
    asked.join_all().await
}

async fn shown(client: &Client, url: &str) -> Value {
    let answer = ask(client, url).await;
    let body = answer.json().expect("JSON");
    assert_eq!(answer.status, 200, "{url}: {body}");
    body
}

/// Why a link has no preview.
async fn without(client: &Client, url: &str) -> String {
    let body = shown(client, url).await;
    assert_eq!(body.as_object().map(serde_json::Map::len), Some(2), "{url}: {body}");
    body["error"]["code"].as_str().unwrap_or_else(|| panic!("{url}: {body}")).to_owned()
}

/// Status and code of a request that is refused.
async fn refused(client: &Client, url: &str) -> (u16, String) {
    let answer = ask(client, url).await;
    let body = answer.json().expect("JSON");
    (answer.status, body["code"].as_str().unwrap_or_else(|| panic!("{url}: {body}")).to_owned())
}

#[tokio::test]
async fn a_link_is_shown_as_the_page_says_and_fetched_once() {
    let (server, site) = (Server::start_with(&[ALLOW]).await, Site::open().await);
    let (ann, bob) = (server.user("ann"), server.user("bob"));
    let wanted = json!({
        "url": site.url("/page"), "title": "Ducks & geese", "description": "All about ducks.",
        "site_name": "The Pond", "image": site.url("/duck.png"),
    });
    let url = site.url("/page#part");
    for answer in ask_at_once(&ann, &[url.clone(), url.clone(), url]).await {
        assert_eq!(answer.json().expect("JSON"), wanted);
    }
    assert_eq!(shown(&bob, &site.url("/page")).await, wanted);
    assert_eq!(site.asked("/page"), 1);

    assert_eq!(shown(&ann, &site.url("/gbk")).await["title"], json!("鸭子"));
    assert_eq!(shown(&ann, &site.url("/to-page")).await, wanted, "it is where it led to");
    let ducks = shown(&ann, &site.url("/to-ducks")).await;
    assert_eq!(ducks["url"], json!(site.url("/%E9%B8%AD")));
    let image = site.url("/duck.png");
    assert_eq!(shown(&ann, &image).await, json!({ "url": image, "image": image }));
    assert_eq!(site.asked("/duck.png"), 1, "the page's image was not asked for");

    let metrics = server.anybody().raw(Method::GET, "/metrics", &[], "").await.expect("metrics");
    let metrics = String::from_utf8_lossy(&metrics.body).into_owned();
    assert!(metrics.contains("wigeon_previews_total{outcome=\"shown\"} 5"), "{metrics}");
}

#[tokio::test]
async fn the_site_learns_nothing_of_who_asks() {
    let (server, site) = (Server::start_with(&[ALLOW]).await, Site::open().await);
    shown(&server.user("ann"), &site.url("/a%20b?c=d&e=%C3%A9")).await;
    let head = site.heads.lock().expect("whole")[0].clone();
    let mut lines: Vec<_> = head.trim_end().lines().map(str::to_lowercase).collect();
    lines.sort();
    assert_eq!(
        lines,
        [
            "accept-encoding: identity".to_owned(),
            "accept: text/html, application/xhtml+xml, image/*;q=0.8".to_owned(),
            "connection: close".to_owned(),
            "get /a%20b?c=d&e=%c3%a9 http/1.1".to_owned(),
            format!("host: 127.0.0.1:{}", site.port),
            format!("user-agent: wigeon/{} (link preview)", env!("CARGO_PKG_VERSION")),
        ]
    );
}

#[tokio::test]
async fn what_is_not_a_page_or_makes_no_sense_has_no_preview() {
    let (server, site) = (Server::start_with(&[ALLOW]).await, Site::open().await);
    let ann = server.user("ann");
    for (path, code) in [
        ("/silent", "not_found"),
        ("/data", "not_found"),
        ("/packed", "not_found"),
        ("/gone", "not_found"),
        ("/circle", "not_found"),
        ("/broken", "unavailable"),
        ("/garbage", "unavailable"),
        ("/endless-head", "unavailable"),
        ("/to-private", "forbidden"),
        ("/to-file", "forbidden"),
    ] {
        // Twice: what is kept is the same.
        for _ in 0..2 {
            assert_eq!(without(&ann, &site.url(path)).await, code, "{path}");
        }
        assert_eq!(site.asked(path), if path == "/circle" { 4 } else { 1 }, "{path}");
    }
    let broken = shown(&ann, &site.url("/broken")).await;
    assert!(broken["error"]["retry_after_ms"].is_u64(), "it says when to come back: {broken}");
    assert_eq!(refused(&ann, "no url").await, (400, "bad_request".to_owned()));
    assert_eq!(shown(&ann, &site.url("/endless")).await["title"], json!("No end"));
}

#[tokio::test]
async fn this_machine_is_not_asked_unless_it_is_listed() {
    let (server, site) = (Server::start().await, Site::open().await);
    let ann = server.user("ann");
    for url in [site.url("/page"), format!("http://localhost:{}/page", site.port), server.base()] {
        assert_eq!(without(&ann, &url).await, "forbidden", "{url}");
    }
    let there = Server::start_with(&[("WIGEON_PREVIEW_ALLOW", "10.0.0.0/8,127.0.0.2")]).await;
    assert_eq!(without(&there.user("ann"), &site.url("/page")).await, "forbidden");
    assert_eq!(site.heads.lock().expect("whole").len(), 0, "nobody knocked");
}

#[tokio::test]
async fn only_who_is_logged_in_may_ask_and_not_without_end() {
    let (server, site) = (Server::start_with(&[ALLOW]).await, Site::open().await);
    assert_eq!(refused(&server.anybody(), &site.url("/page")).await, (401, "unauthenticated".to_owned()));
    assert_eq!(site.asked("/page"), 0);

    let (ann, bob) = (server.user("ann"), server.user("bob"));
    let mut codes: HashMap<u16, u32> = HashMap::new();
    let urls: Vec<String> = (0..100).map(|number| site.url(&format!("/number/{number}"))).collect();
    for answer in ask_at_once(&ann, &urls).await {
        *codes.entry(answer.status).or_default() += 1;
        assert_eq!(answer.status == 429, answer.headers.contains_key("retry-after"));
    }
    assert!(codes[&200] >= 60 && codes.contains_key(&429) && codes.len() == 2, "{codes:?}");
    assert_eq!(shown(&bob, &urls[99]).await["title"], json!("/number/99"), "the others have their own");
}

#[tokio::test]
async fn where_it_is_off_nothing_is_fetched_and_pages_are_told() {
    let site = Site::open().await;
    for (switch, is_on) in [("on", true), ("off", false)] {
        let server = Server::start_with(&[ALLOW, ("WIGEON_PREVIEWS", switch)]).await;
        let info = server.anybody().raw(Method::GET, "/v1/info", &[], "").await.expect("an answer");
        assert_eq!(info.json().expect("JSON")["previews"], json!(is_on));
        if !is_on {
            let refusal = refused(&server.user("ann"), &site.url("/page")).await;
            assert_eq!(refusal, (403, "forbidden".to_owned()));
        }
    }
    assert_eq!(site.asked("/page"), 0);
}

/// A certificate for `localhost`, and a site that has it.
fn certified(directory: &Path) -> TlsAcceptor {
    let (key, certificate) = (directory.join("key.pem"), directory.join("certificate.pem"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .expect("there is openssl");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has the versions")
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_file(certificate).expect("a certificate")],
            PrivateKeyDer::from_pem_file(key).expect("a key"),
        );
    Arc::new(config.expect("a key and its certificate")).into()
}

#[tokio::test]
async fn a_site_of_https_is_who_it_says_and_does_not_lead_to_http() {
    let scratch = Scratch::new();
    let site = Site::open_with(Some(certified(scratch.path()))).await;
    let plain = Site::open().await;
    let trusted = scratch.path().join("certificate.pem");
    let trusted = ("SSL_CERT_FILE", trusted.to_str().expect("a plain path"));
    let url = |host: &str, path: &str| format!("https://{host}:{}{path}", site.port);

    let server = Server::start_with(&[("WIGEON_PREVIEW_ALLOW", "127.0.0.0/8,::1"), trusted]).await;
    let ann = server.user("ann");
    assert_eq!(shown(&ann, &url("localhost", "/page")).await["site_name"], json!("The Pond"));
    let onward = url("localhost", &format!("/to-other?{}", url("localhost", "/gbk")));
    assert_eq!(shown(&ann, &onward).await["title"], json!("鸭子"));
    let down = url("localhost", &format!("/to-other?{}", plain.url("/page")));
    assert_eq!(without(&ann, &down).await, "forbidden");
    let up = plain.url(&format!("/to-other?{}", url("localhost", "/page")));
    assert_eq!(shown(&ann, &up).await["url"], json!(url("localhost", "/page")));
    // The certificate is not for this name.
    assert_eq!(without(&ann, &url("127.0.0.1", "/page")).await, "unavailable");
    assert_eq!(plain.asked("/page"), 0);

    let stranger = Server::start_with(&[("WIGEON_PREVIEW_ALLOW", "127.0.0.0/8,::1")]).await;
    assert_eq!(without(&stranger.user("ann"), &url("localhost", "/page")).await, "unavailable");
}
