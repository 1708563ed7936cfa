//! The chat behind SockJS: the same frames and commands, and the same doors, as on Wigeon's own transports.

use crate::ops::{frame_of, group, live, now, walk};
use crate::server::{Server, send, soon};
use crate::sockjs_wire::{Answer, Socket, Wire, ask, fresh_session, messages, stream};
use serde_json::{Value, json};
use wigeon_client::Client;
use wigeon_proto::transport::Transport;
use wigeon_proto::websocket::{Opcode, encode};

/// A SockJS session by polls, as `sockjs-client` keeps it: the next poll follows the last.
struct Session<'a> {
    server: &'a Server,
    path: String,
    query: String,
}

impl<'a> Session<'a> {
    async fn open(server: &'a Server, query: &str) -> Self {
        let session = Self { server, path: fresh_session("/sockjs"), query: query.to_owned() };
        session.poll().await.is(200, "o\n");
        session
    }

    async fn poll(&self) -> Answer {
        ask(self.server, &format!("POST {}/xhr{}", self.path, self.query), &[], "").await
    }

    async fn send(&self, commands: &[Value]) -> Answer {
        let texts: Vec<String> = commands.iter().map(Value::to_string).collect();
        let body = serde_json::to_string(&texts).expect("JSON");
        ask(self.server, &format!("POST {}/xhr_send{}", self.path, self.query), &[], &body).await
    }

    /// The frames of the next poll that brings any.
    async fn frames(&self) -> Vec<Value> {
        messages(&self.poll().await.body)
    }

    /// Frames until one of them is like this.
    async fn until(&self, what: &str, found: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut all = Vec::new();
        while !all.iter().any(&found) {
            all.extend(soon(what, self.frames()).await);
        }
        all
    }

    async fn hello(&self, client: &Client, after: Option<&str>) -> Vec<Value> {
        self.send(&[hello(client, after)]).await.is(204, "");
        self.until("the reply to hello", |frame| frame["re"] == "h").await
    }
}

fn hello(client: &Client, after: Option<&str>) -> Value {
    json!({ "id": "h", "type": "hello", "token": client.token(), "after": after })
}

fn texts(frames: &[Value]) -> Vec<&str> {
    frames.iter().filter_map(|frame| frame["body"]["text"].as_str()).collect()
}

#[tokio::test]
async fn both_kinds_of_clients_see_the_same_frames_in_order() {
    let server = Server::start().await;
    let (ann, bob) = (server.user("ann"), server.user("bob"));
    let room = group(&ann, &["bob"]).await;
    let start = now(&bob).await;
    let mut reader = live(&bob, Transport::Sse, &start).await;

    let session = Session::open(&server, "").await;
    let first = session.hello(&ann, Some(&start)).await;
    assert_eq!(first[0], json!({ "type": "ready", "cursor": start }));
    for turn in 0..5 {
        // One message may be an array of commands, as on our own WebSocket.
        let mine: Vec<Value> = (0..3).map(|part| send(&room, &format!("ann {turn}.{part}"))).collect();
        session.send(&[Value::Array(mine)]).await.is(204, "");
        let last = format!("ann {turn}.2");
        session.until("one's own message", |frame| frame["body"]["text"] == last.as_str()).await;
        bob.command(send(&room, &format!("bob {turn}"))).await.expect("an ack");
    }
    let own = walk(&ann, &start).await;
    let mut shown = Vec::new();
    for expected in &own {
        let frame = frame_of(&mut reader, "message").await;
        assert_eq!(frame.raw, expected.raw, "on SSE");
        shown.push(frame);
    }
    let again = Session::open(&server, "").await;
    let mut frames = again.hello(&ann, Some(&start)).await;
    if !texts(&frames).contains(&"bob 4") {
        frames.extend(again.until("the last message", |frame| frame["body"]["text"] == "bob 4").await);
    }
    let events: Vec<Value> = frames.into_iter().filter(|frame| frame["type"] == "message").collect();
    let expected: Vec<Value> = own.iter().map(|frame| serde_json::from_slice(&frame.raw).unwrap()).collect();
    assert_eq!(events, expected, "on SockJS");
    assert_eq!(events.len(), 20);
}

#[tokio::test]
async fn a_websocket_says_hello_or_comes_with_a_ticket() {
    let server = Server::start().await;
    let ann = server.user("ann");
    let room = group(&ann, &[]).await;
    let ticket = ann.ticket(&server.base()).await.expect("a ticket");
    for (query, greeting) in [(String::new(), Some(hello(&ann, None))), (format!("?ticket={ticket}"), None)] {
        let mut framed =
            Socket::open(&server, &format!("{}/websocket{query}", fresh_session("/sockjs"))).await;
        assert_eq!(framed.text().await, "o");
        let mut bare = Socket::open(&server, &format!("/sockjs/websocket{query}")).await;
        if let Some(greeting) = &greeting {
            framed.send(&json!([greeting.to_string()]).to_string()).await;
            bare.send(&greeting.to_string()).await;
        }
        let first = messages(&framed.text().await);
        assert_eq!(first[0]["type"], "ready");
        assert_eq!(first.len(), 1 + usize::from(greeting.is_some()), "{first:?}");
        let ready: Value = serde_json::from_str(&bare.text().await).expect("a frame of its own");
        assert_eq!(ready["type"], "ready");
        framed.send(&json!([send(&room, "over a socket").to_string()]).to_string()).await;
        let mut seen = Vec::new();
        while texts(&seen).is_empty() {
            seen.extend(messages(&framed.text().await));
        }
        loop {
            let frame: Value = serde_json::from_str(&bare.text().await).expect("JSON");
            if frame["body"]["text"] == "over a socket" {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_session_with_a_ticket_in_its_url_hears_no_other() {
    let server = Server::start().await;
    let ann = server.user("ann");
    let ticket = ann.ticket(&server.base()).await.expect("a ticket");
    let session = Session::open(&server, &format!("?ticket={ticket}")).await;
    assert_eq!(session.frames().await[0]["type"], "ready");
    // Who has guessed its id, and even who has another ticket, is nowhere near it.
    let other = server.user("eve").ticket(&server.base()).await.expect("a ticket");
    for query in [String::new(), format!("?ticket={other}")] {
        let guess = Session { server: &server, path: session.path.clone(), query };
        let answer = guess.send(&[json!({ "id": "p", "type": "ping" })]).await;
        assert_eq!(answer.head.status, 404);
    }
    session.send(&[json!({ "id": "p", "type": "ping" })]).await.is(204, "");
    session.until("a pong", |frame| frame["re"] == "p" && frame["ok"]["at"].is_u64()).await;
}

/// A client's poll and its first command race each other: a command that comes first is not left lying until somebody
/// reads.
#[tokio::test]
async fn what_is_sent_while_nobody_reads_is_done_at_once() {
    let server = Server::start().await;
    let (ann, bob) = (server.user("ann"), server.user("bob"));
    let start = now(&bob).await;
    let ticket = ann.ticket(&server.base()).await.expect("a ticket");
    let said = |text: &str| json!({ "id": text, "type": "send", "to": "bob", "body": { "text": text } });

    let with_ticket = Session::open(&server, &format!("?ticket={ticket}")).await;
    with_ticket.send(&[said("1")]).await.is(204, "");
    with_ticket.send(&[said("2"), said("3")]).await.is(204, "");
    let with_hello = Session::open(&server, "").await;
    with_hello.send(&[hello(&ann, None)]).await.is(204, "");
    with_hello.send(&[said("4")]).await.is(204, "");

    let mut reader = live(&bob, Transport::Sse, &start).await;
    let mut got = Vec::new();
    while got.len() < 4 {
        let frame = crate::ops::frame(&mut reader).await;
        got.extend(frame.value["body"]["text"].as_str().map(str::to_owned));
    }
    let last = with_ticket.until("the last reply", |frame| frame["re"] == "3").await;
    assert_eq!(last[0]["type"], "ready", "the first frame stays the first");
    got.sort();
    assert_eq!(got, ["1", "2", "3", "4"]);
    let last = with_hello.until("the reply", |frame| frame["re"] == "4").await;
    assert_eq!((&last[0]["type"], &last[1]["re"]), (&json!("ready"), &json!("h")));
}

#[tokio::test]
async fn who_is_refused_hears_why_and_is_closed() {
    let server = Server::start().await;
    let wrong = json!({ "id": "h", "type": "hello", "token": "nonsense" });
    let refusals = [
        ("", Some(wrong), "h", 4401),
        ("", Some(json!({ "id": "p", "type": "ping" })), "p", 4401),
        ("", Some(json!("no command")), "", 4400),
        ("?ticket=nonsense", None, "", 4401),
        ("?after=x", None, "", 4401),
    ];
    for (query, first, re, code) in refusals {
        let session = Session::open(&server, query).await;
        if let Some(first) = &first {
            session.send(std::slice::from_ref(first)).await.is(204, "");
        }
        let error = &session.frames().await[0];
        assert_eq!(error["re"].as_str().unwrap_or(""), re, "{error}");
        assert!(error["error"]["code"].is_string(), "{error}");
        for _ in 0..2 {
            let close = session.poll().await;
            assert!(close.body.starts_with(&format!("c[{code},\"")), "{query} {first:?}: {}", close.body);
        }
    }
}

#[tokio::test]
async fn the_doors_are_those_of_wigeon_itself() {
    let server = Server::start_with(&[("WIGEON_ALLOW_ORIGIN", "https://app.example")]).await;
    let base = server.base();
    let session = fresh_session("/sockjs");
    let info = ask(&server, "GET /sockjs/info", &[("Origin", "https://app.example")], "").await;
    assert_eq!(info.head.header("access-control-allow-origin"), Some("https://app.example"));
    // sockjs-client asks with credentials and cannot be told otherwise; no cookie means anything here.
    assert_eq!(info.head.header("access-control-allow-credentials"), Some("true"));
    let own = ask(&server, "GET /sockjs/info", &[("Origin", base.as_str())], "").await;
    assert_eq!((own.head.status, own.head.header("access-control-allow-origin")), (200, None));
    for origin in ["https://evil.example", "null", "test"] {
        for line in [
            "GET /sockjs/info",
            "OPTIONS /sockjs/info",
            "GET /sockjs/websocket",
            "POST {}/xhr",
            "POST {}/xhr_send",
        ] {
            let line = line.replace("{}", &session);
            let answer = ask(&server, &line, &[("Origin", origin)], "").await;
            assert_eq!(answer.head.status, 403, "{line}");
            assert_eq!(answer.head.header("access-control-allow-origin"), None, "{line}");
        }
    }
    // Scripts and frames send no origin: a script needs a page we know, a frame one that is not against it.
    let by = |referer: &'static str| [("Referer", referer)];
    let jsonp = format!("GET {session}/jsonp?c=f");
    let htmlfile = format!("GET {}/htmlfile?c=f", fresh_session("/sockjs"));
    assert_eq!(ask(&server, &jsonp, &[], "").await.head.status, 403);
    for line in [&jsonp, &htmlfile] {
        assert_eq!(ask(&server, line, &by("https://evil.example/"), "").await.head.status, 403, "{line}");
    }
    ask(&server, &jsonp, &by("https://app.example/page"), "").await.is(200, "/**/f(\"o\");\r\n");
    let fetched = [("Referer", "https://app.example/"), ("Sec-Fetch-Dest", "empty")];
    assert_eq!(ask(&server, &jsonp, &fetched, "").await.head.status, 403);
    let mut frame = Wire::open(&server).await;
    frame.send(&htmlfile, &[], "").await;
    let head = frame.head().await;
    let policy = head.header("content-security-policy").unwrap_or_default();
    assert!(policy.ends_with("frame-ancestors 'self' https://app.example"), "{policy}");
}

#[tokio::test]
async fn scripts_can_be_switched_off_and_sockjs_as_a_whole() {
    let server = Server::start_with(&[("WIGEON_SCRIPT_TRANSPORTS", "off")]).await;
    let own = format!("{}/", server.base());
    for way in ["jsonp", "htmlfile"] {
        let line = format!("GET {}/{way}?c=f", fresh_session("/sockjs"));
        let answer = ask(&server, &line, &[("Referer", &own)], "").await;
        assert_eq!((answer.head.status, &answer.json()["code"]), (403, &json!("forbidden")), "{way}");
    }
    Session::open(&server, "").await;
    let server = Server::start_with(&[("WIGEON_SOCKJS", "off")]).await;
    for path in ["/sockjs", "/sockjs/info", "/sockjs/websocket"] {
        assert_eq!(ask(&server, &format!("GET {path}"), &[], "").await.head.status, 404, "{path}");
    }
}

#[tokio::test]
async fn the_page_for_frames_needs_a_place_for_its_script() {
    let server = Server::start().await;
    assert_eq!(ask(&server, "GET /sockjs/iframe.html", &[], "").await.head.status, 404);
    let url = "https://cdn.example/sockjs.min.js";
    let environment =
        [("WIGEON_SOCKJS_CLIENT_URL", url), ("WIGEON_ALLOW_ORIGIN", "https://app.example,null")];
    let server = Server::start_with(&environment).await;
    let page = ask(&server, "GET /sockjs/iframe.html", &[], "").await;
    assert!(page.body.contains(&format!("<script src=\"{url}\"></script>")), "{}", page.body);
    let policy = page.head.header("content-security-policy").unwrap_or_default();
    assert!(policy.contains(&format!("script-src {url} 'sha256-")), "{policy}");
    assert!(policy.ends_with("frame-ancestors 'self' https://app.example"), "{policy}");
}

#[tokio::test]
async fn a_lost_session_loses_no_message() {
    let server = Server::start().await;
    let ann = server.user("ann");
    let room = group(&ann, &[]).await;
    let mut cursor = now(&ann).await;
    let mut seen = Vec::new();
    for round in 0..4 {
        ann.command(send(&room, &format!("{round} before"))).await.expect("an ack");
        let mut reader = stream(&server, &format!("POST {}/xhr_streaming", fresh_session("/sockjs"))).await;
        assert_eq!(reader.chunk().await, "o\n");
        drop(reader);
        // A session that is cut in the middle of a poll, after some of what there is.
        let session = Session::open(&server, "").await;
        let mut frames = session.hello(&ann, Some(&cursor)).await;
        if texts(&frames).is_empty() {
            frames.extend(session.until("a message", |frame| frame["type"] == "message").await);
        }
        let mut cut = Wire::open(&server).await;
        cut.send(&format!("POST {}/xhr", session.path), &[], "").await;
        ann.command(send(&room, &format!("{round} after"))).await.expect("an ack");
        drop(cut);
        for frame in frames.iter().filter(|frame| frame["type"] == "message") {
            cursor = frame["cursor"].as_str().expect("a cursor").to_owned();
            seen.extend(frame["body"]["text"].as_str().map(str::to_owned));
        }
    }
    let session = Session::open(&server, "").await;
    let mut rest = session.hello(&ann, Some(&cursor)).await;
    if texts(&rest).is_empty() {
        rest.extend(session.until("the rest", |frame| frame["type"] == "message").await);
    }
    seen.extend(texts(&rest).into_iter().map(str::to_owned));
    let expected: Vec<String> =
        (0..4).flat_map(|round| [format!("{round} before"), format!("{round} after")]).collect();
    assert_eq!(seen, expected);
}

/// 200 KiB and more over responses of 128 KiB: each goes on where the one before ended.
#[tokio::test]
async fn a_stream_rolls_over_and_nothing_is_lost() {
    let server = Server::start().await;
    let ann = server.user("ann");
    let room = group(&ann, &[]).await;
    for way in ["POST {}/xhr_streaming", "GET {}/eventsource"] {
        let start = now(&ann).await;
        let session = fresh_session("/sockjs");
        let line = way.replace("{}", &session);
        let mut reader = stream(&server, &line).await;
        assert!(reader.chunk().await.contains('o'));
        let body = json!([hello(&ann, Some(&start)).to_string()]).to_string();
        ask(&server, &format!("POST {session}/xhr_send"), &[], &body).await.is(204, "");
        let count = 60;
        let say = async {
            for number in 0..count {
                let text = format!("{number} {}", "x".repeat(4000));
                ann.command(send(&room, &text)).await.expect("an ack");
            }
        };
        let (mut numbers, mut responses) = (Vec::<usize>::new(), 1);
        let hear = async {
            while numbers.len() < count {
                let chunk = reader.chunk().await;
                if chunk.is_empty() {
                    reader = stream(&server, &line).await;
                    responses += 1;
                    continue;
                }
                let frame = chunk.trim_end().trim_start_matches("data: ");
                for text in texts(&messages(frame)) {
                    let number = text.split(' ').next().and_then(|number| number.parse().ok());
                    numbers.push(number.expect("a number"));
                }
            }
        };
        // At once: a session whose response has ended waits five seconds for the next reader.
        tokio::join!(say, hear);
        assert_eq!(numbers, (0..count).collect::<Vec<usize>>(), "{way}");
        assert!(responses > 1, "{way}: {responses}");
    }
}

/// Past 256 replies that nobody has read the session takes no more; what was refused was not done.
#[tokio::test]
async fn a_client_that_does_not_read_is_not_heard_for_ever() {
    let server = Server::start().await;
    let session = Session::open(&server, "").await;
    session.hello(&server.user("ann"), None).await;
    let pings: Vec<Value> = (0..300).map(|id| json!({ "id": id.to_string(), "type": "ping" })).collect();
    session.send(&pings).await.is(204, "");
    let more = session.send(&pings[..1]);
    let mut replies = 0;
    let read = async {
        while replies < 301 {
            replies += session.frames().await.iter().filter(|frame| frame["ok"]["at"].is_u64()).count();
        }
    };
    let (more, ()) = tokio::join!(more, read);
    more.is(204, "");
    assert_eq!(replies, 301, "each is answered once");
}

#[tokio::test]
async fn who_is_there_when_the_server_goes_is_told() {
    let mut server = Server::start().await;
    let ann = server.user("ann");
    let session = fresh_session("/sockjs");
    let mut reader = stream(&server, &format!("POST {session}/xhr_streaming")).await;
    assert_eq!(reader.chunk().await, "o\n");
    let body = json!([hello(&ann, None).to_string()]).to_string();
    ask(&server, &format!("POST {session}/xhr_send"), &[], &body).await.is(204, "");
    messages(&reader.chunk().await);
    let mut socket = Socket::open(&server, "/sockjs/0/0/websocket").await;
    assert_eq!(socket.text().await, "o");
    server.terminate();
    let bye = messages(&reader.chunk().await);
    assert_eq!(bye[0]["type"], "bye");
    assert!(reader.chunk().await.starts_with("c[1012,"));
    assert_eq!(reader.chunk().await, "");
    assert_eq!(messages(&socket.text().await)[0]["type"], "bye", "also before hello");
    assert!(socket.text().await.starts_with("c[1012,"));
    assert_eq!(server.exited().await.code(), Some(0));
}

#[tokio::test]
async fn who_says_nothing_is_not_waited_for_long() {
    let server = Server::start().await;
    let mut socket = Socket::open(&server, "/sockjs/0/0/websocket").await;
    assert_eq!(socket.text().await, "o");
    let refusal = messages(&socket.text().await);
    assert_eq!(refusal[0]["error"]["code"], "unauthenticated");
    assert!(socket.text().await.starts_with("c[4401,"));
    assert_eq!(socket.closed().await.0, 1000);
}

/// `send` and at once `close`, as pages do when they leave.
#[tokio::test]
async fn what_was_sent_before_the_end_is_done() {
    let server = Server::start().await;
    let ann = server.user("ann");
    let room = group(&ann, &[]).await;
    let start = now(&ann).await;
    for path in ["/sockjs/0/0/websocket", "/sockjs/websocket"] {
        let mut socket = Socket::open(&server, path).await;
        let bare = path == "/sockjs/websocket";
        let framed = |command: &Value| {
            if bare { command.to_string() } else { json!([command.to_string()]).to_string() }
        };
        socket.send(&framed(&hello(&ann, None))).await;
        while !socket.text().await.contains("\"ready\\") && !bare {}
        let mut last = Vec::new();
        for command in [json!({ "id": "q", "type": "snapshot" }), send(&room, path)] {
            encode::masked(&mut last, Opcode::Text, [0; 4], framed(&command).as_bytes());
        }
        encode::masked(&mut last, Opcode::Close, [0; 4], &encode::close_payload(1000, ""));
        socket.send_raw(&last).await;
        while socket.next().await.is_some() {}
    }
    let session = Session::open(&server, "").await;
    session.hello(&ann, None).await;
    session.send(&[json!({ "id": "q", "type": "snapshot" }), send(&room, "by request")]).await.is(204, "");
    // Somebody reads, and goes away before there is an answer to any of it.
    let mut reader = Wire::open(&server).await;
    reader.send(&format!("POST {}/xhr", session.path), &[], "").await;
    drop(reader);
    let expected = ["/sockjs/0/0/websocket", "/sockjs/websocket", "by request"];
    let mut reader = live(&ann, Transport::Sse, &start).await;
    for text in expected {
        let frame = frame_of(&mut reader, "message").await;
        assert_eq!(frame.value["body"]["text"], text);
    }
}
