//! Tickets near their end: every way down hands out the next one in time, and the conversation goes on with
//! it. And script elements, which live by tickets alone, are served only where they are switched on.

use crate::connections::feeds;
use crate::ops::now;
use crate::server::{SECRET, Server, send, soon};
use crate::sockjs_wire::{Wire, ask};
use serde_json::json;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wigeon_proto::id::UserId;
use wigeon_proto::limits::TICKET_S;
use wigeon_proto::transport::Transport;
use wigeon_server::auth::{Claims, Origin, Role, Secret, Tickets};

/// What is left of the ticket: streams renew it when two thirds of that are over. On a slow machine, too, all of them
/// must be open before the last third.
const LEFT_MS: u64 = 9000;

/// A ticket of Bob's, made long ago by a server of the same secret.
fn old_ticket(origin: &str) -> String {
    ticket(origin, TICKET_S * 1000 - LEFT_MS)
}

/// A ticket of Bob's of an age.
fn ticket(origin: &str, age_ms: u64) -> String {
    ticket_of_token(origin, age_ms, 3_600_000)
}

/// A ticket of Bob's of an age, from a token that ends so much later.
fn ticket_of_token(origin: &str, age_ms: u64, left_ms: u64) -> String {
    let tickets = Tickets::new(&Secret::from_text(SECRET, "the test").expect("long enough"));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as u64;
    let claims = Claims {
        user: UserId::parse("bob").expect("an id"),
        name: None,
        role: Role::User,
        expires_at: now + left_ms,
    };
    let origin = Origin::parse(origin).expect("an origin");
    tickets.mint(&claims, Some(&origin), now - age_ms).expect("a user's").text
}

/// Asks with a ticket, as a page of the server does, and reads until `found` finds something.
async fn read(base: &str, query: &str, found: impl Fn(&str) -> Option<String>) -> String {
    let host = base.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).await.expect("a connection");
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let extra = if query.contains("websocket") { upgrade } else { "" };
    let head = format!("GET /v1/events?{query} HTTP/1.1\r\nHost: {host}\r\nReferer: {base}/\r\n{extra}\r\n");
    stream.write_all(head.as_bytes()).await.expect("sent");
    let mut seen = Vec::new();
    soon(query, async {
        loop {
            if let Some(found) = found(&String::from_utf8_lossy(&seen)) {
                return found;
            }
            let count = stream.read_buf(&mut seen).await.expect("bytes");
            assert!(count > 0, "{query} ended: {}", String::from_utf8_lossy(&seen));
        }
    })
    .await
}

/// The ticket in a `ticket` frame or field.
fn next_ticket(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("\"ticket\":\"")?;
    rest.split_once('"').map(|(ticket, _)| ticket.to_owned())
}

#[tokio::test]
async fn every_way_down_hands_out_the_next_ticket_in_time() {
    let server = Server::start().await;
    let base = server.base();
    let start = now(&server.user("bob")).await;
    let mut renewing = Vec::new();
    for transport in Transport::ALL {
        let (base, ticket) = (base.clone(), old_ticket(&base));
        let callback = if transport.is_script() { "&callback=f" } else { "" };
        let query = format!("transport={}&after={start}&wait=0{callback}&ticket=", transport.as_str());
        renewing.push(tokio::spawn(async move {
            let next = read(&base, &format!("{query}{ticket}"), next_ticket).await;
            assert_ne!(next, ticket);
            (transport, format!("{query}{next}"))
        }));
    }
    let mut renewed = Vec::new();
    for task in renewing {
        renewed.push(task.await.expect("a ticket"));
    }
    let direct = send("d:ann~bob", "with the next ticket");
    server.user("ann").command(direct).await.expect("a message");
    for (transport, query) in renewed {
        let shown = |text: &str| text.contains("with the next ticket").then(String::new);
        read(&base, &query, shown).await;
        println!("{transport:?} went on");
    }
}

#[tokio::test]
async fn a_script_that_waits_is_called_with_what_it_waited_for() {
    let server = Server::start().await;
    let base = server.base();
    let start = now(&server.user("bob")).await;
    let query = format!("transport=jsonp&callback=f&wait=20&after={start}&ticket={}", ticket(&base, 0));
    let waiting = tokio::spawn(async move {
        let whole = |text: &str| text.contains("waited for").then(|| text.to_owned());
        read(&base, &query, whole).await
    });
    // Held, and so a feed, before there is anything.
    let service = server.service();
    soon("a feed", async { while feeds(&service).await == "0" {} }).await;
    server.user("ann").command(send("d:ann~bob", "waited for")).await.expect("a message");
    let answer = waiting.await.expect("an answer");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    assert!(body.starts_with("/**/f({") && body.trim_end().ends_with("});"), "{answer}");
}

#[tokio::test]
async fn what_is_held_ends_with_its_token_and_with_a_ticket_that_is_revoked() {
    let server = Server::start().await;
    let (base, bob) = (server.base(), server.user("bob"));
    let (began, start) = (Instant::now(), now(&bob).await);
    // HTTP/1.0 is the library's; the other is served on the raw connection.
    let hold = async |ticket: &str| {
        let mut held = Vec::new();
        for version in ["", " HTTP/1.0"] {
            let mut wire = Wire::open(&server).await;
            let line = format!("GET /v1/events?wait=60&after={start}&ticket={ticket}{version}");
            wire.send(&line, &[("Origin", &base)], "").await;
            held.push(wire);
        }
        held
    };
    let revoked = ticket(&base, 0);
    let mut held = hold(&revoked).await;
    let service = server.service();
    soon("two feeds", async { while feeds(&service).await != "2" {} }).await;
    let revoke = json!({ "type": "ticket.revoke", "ticket": &revoked });
    bob.command(revoke).await.expect("an own ticket");
    let short = ticket_of_token(&base, 0, 8_000);
    held.extend(hold(&short).await);
    for mut wire in held {
        let head = wire.head().await;
        let length = head.header("content-length").and_then(|length| length.parse().ok()).expect("a length");
        let body = String::from_utf8(wire.bytes(length).await).expect("UTF-8");
        assert!(head.status == 200 && body.starts_with("{\"frames\":[],"), "{head:?} {body}");
    }
    // Long before the minute: one at its token's end, the other when an open stream would have noticed.
    assert!(began.elapsed() < Duration::from_secs(50), "after {:?}", began.elapsed());
    for (ticket, code) in [(revoked, "unauthenticated"), (short, "token_expired")] {
        let line = format!("GET /v1/events?after={start}&ticket={ticket}");
        assert_eq!(ask(&server, &line, &[("Origin", &base)], "").await.json()["code"], code);
    }
}

#[tokio::test]
async fn script_transports_can_be_switched_off() {
    let server = Server::start_with(&[("WIGEON_SCRIPT_TRANSPORTS", "off")]).await;
    let base = server.base();
    let ticket = server.user("bob").ticket(&base).await.expect("a ticket");
    for transport in Transport::ALL.into_iter().filter(|transport| transport.is_script()) {
        let query = format!("transport={}&callback=f&ticket={ticket}", transport.as_str());
        let refused = |text: &str| text.contains("\"forbidden\"").then(String::new);
        read(&base, &query, refused).await;
    }
    let query = format!("transport=poll&ticket={ticket}");
    read(&base, &query, |text| text.contains("\"frames\":[]").then(String::new)).await;
}
