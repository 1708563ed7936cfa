//! SockJS 0.3.3 as its document has it, point by point, on the services for test suites: they are the real
//! face with an echo in place of the chat.

use crate::server::{Server, soon};
use crate::sockjs_wire::{Answer, Wire, ask, fresh_session, stream};
use std::time::{Duration, Instant};
use wigeon_proto::limits::SOCKJS_DISCONNECT_MS;

const NEVER_CACHED: &str = "no-store, no-cache, no-transform, must-revalidate, max-age=0";
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// A server with the services for test suites.
pub(crate) async fn services() -> Server {
    Server::start_with(&[("WIGEON_SOCKJS_TEST_SERVICES", "on")]).await
}

async fn post(server: &Server, path: &str, body: &str) -> Answer {
    ask(server, &format!("POST {path}"), &[], body).await
}

async fn get(server: &Server, path: &str) -> Answer {
    ask(server, &format!("GET {path}"), &[], "").await
}

#[tokio::test]
async fn test_services_are_there_only_when_asked_for() {
    let server = Server::start().await;
    for path in ["/echo", "/close/info", "/amplify", "/disabled_websocket_echo", "/cookie_needed_echo"] {
        assert_eq!(get(&server, path).await.head.status, 404, "{path}");
    }
    get(&server, "/sockjs").await.is(200, "Welcome to SockJS!\n");
}

#[tokio::test]
async fn the_greeting_tells_that_there_is_a_server() {
    let server = services().await;
    for path in ["/echo", "/echo/", "/sockjs", "/sockjs/"] {
        let greeting = get(&server, path).await;
        greeting.is(200, "Welcome to SockJS!\n");
        assert_eq!(greeting.head.header("content-type"), Some("text/plain; charset=UTF-8"));
        assert_eq!(greeting.head.header("set-cookie"), None);
    }
    for path in ["/a", "/a.html", "//", "///", "/a/a", "/a/a/", "/a/"] {
        assert_eq!(get(&server, &format!("/echo{path}")).await.head.status, 404, "{path}");
    }
}

#[tokio::test]
async fn the_page_for_frames_is_fixed_and_strongly_cached() {
    let server = services().await;
    let page = get(&server, "/echo/iframe-0.1.2abc-dirty.2144.html?t=qwe").await;
    assert_eq!(page.head.status, 200);
    assert_eq!(page.head.header("content-type"), Some("text/html; charset=UTF-8"));
    assert_eq!(page.head.header("cache-control"), Some("public, max-age=31536000"));
    assert!(page.head.header("expires").is_some() && page.head.header("last-modified").is_none());
    assert!(page.body.contains("<script src=\"/sockjs.min.js\"></script>"), "{}", page.body);
    assert!(page.body.contains("document.domain = document.domain;\n    SockJS.bootstrap_iframe();"));
    let tag = page.head.header("etag").expect("a tag").to_owned();
    let again = ask(&server, "GET /echo/iframe.html", &[("If-None-Match", &tag)], "").await;
    again.is(304, "");
    assert_eq!(again.head.header("content-type"), None);
    for path in ["/iframe.htm", "/iframe", "/IFRAME.HTML", "/iframe.xml", "/iframe-/.html"] {
        assert_eq!(get(&server, &format!("/echo{path}")).await.head.status, 404, "{path}");
    }
}

#[tokio::test]
async fn info_says_what_a_client_must_know() {
    let server = services().await;
    let answer = ask(&server, "GET /echo/info", &[("Origin", "test")], "").await;
    assert_eq!(answer.head.status, 200);
    assert_eq!(answer.head.header("content-type"), Some("application/json; charset=UTF-8"));
    assert_eq!(answer.head.header("cache-control"), Some(NEVER_CACHED));
    assert_eq!(answer.head.header("access-control-allow-origin"), Some("test"));
    assert_eq!(answer.head.header("access-control-allow-credentials"), Some("true"));
    let info = answer.json();
    assert_eq!((&info["websocket"], &info["cookie_needed"]), (&true.into(), &false.into()));
    assert_eq!(info["origins"], serde_json::json!(["*:*"]));
    assert!(info["entropy"].as_u64().is_some_and(|entropy| entropy < 1 << 32), "{info}");
    assert_ne!(get(&server, "/echo/info").await.json()["entropy"], info["entropy"]);
    assert_eq!(get(&server, "/disabled_websocket_echo/info").await.json()["websocket"], false);
    let cookie = get(&server, "/cookie_needed_echo/info").await;
    assert_eq!((&cookie.json()["cookie_needed"], cookie.head.header("set-cookie")), (&true.into(), None));
}

#[tokio::test]
async fn preflights_allow_what_was_asked_for_long() {
    let server = services().await;
    for (path, methods) in [
        ("/info", "OPTIONS, GET"),
        ("/abc/abc/xhr", "OPTIONS, POST"),
        ("/abc/abc/xhr_send", "OPTIONS, POST"),
        ("/abc/abc/xhr_streaming", "OPTIONS, POST"),
    ] {
        for (origin, wanted) in [("test", Some("a, b, c")), ("null", Some("")), ("test", None)] {
            let mut headers = vec![("Origin", origin), ("Access-Control-Request-Method", "POST")];
            headers.extend(wanted.map(|names| ("Access-Control-Request-Headers", names)));
            let answer = ask(&server, &format!("OPTIONS /echo{path}"), &headers, "").await;
            answer.is(204, "");
            let header = |name| answer.head.header(name);
            assert_eq!(header("cache-control"), Some("public, max-age=31536000"));
            assert!(header("expires").is_some());
            assert_eq!(header("access-control-max-age"), Some("31536000"));
            assert_eq!(header("access-control-allow-methods"), Some(methods));
            assert_eq!(header("access-control-allow-origin"), Some(origin));
            assert_eq!(header("access-control-allow-credentials"), Some("true"));
            let named = wanted.filter(|names| !names.is_empty());
            assert_eq!(header("access-control-allow-headers"), named);
        }
    }
}

#[tokio::test]
async fn a_path_answers_to_its_own_method_alone() {
    let server = services().await;
    for (line, allow) in [
        ("POST /echo/0/0/websocket", "OPTIONS, GET, HEAD"),
        ("GET /echo/0/0/xhr", "OPTIONS, POST"),
        ("PUT /echo/0/0/xhr_send", "OPTIONS, POST"),
        ("POST /echo/0/0/jsonp", "OPTIONS, GET, HEAD"),
        ("DELETE /echo/info", "OPTIONS, GET, HEAD"),
    ] {
        let answer = ask(&server, line, &[], "").await;
        answer.is(405, "");
        assert_eq!((answer.head.header("allow"), answer.head.header("content-type")), (Some(allow), None));
    }
}

#[tokio::test]
async fn a_session_is_known_by_its_own_part_of_the_path() {
    let server = services().await;
    let id = wigeon_client::fresh_id();
    post(&server, &format!("/echo/000/{id}/xhr"), "").await.is(200, "o\n");
    post(&server, &format!("/echo/111/{id}/xhr_send"), r#"["a"]"#).await.is(204, "");
    post(&server, &format!("/echo/999/{id}/xhr"), "").await.is(200, "a[\"a\"]\n");
    // Another service has sessions of its own.
    let elsewhere = post(&server, &format!("/cookie_needed_echo/0/{id}/xhr_send"), r#"["a"]"#).await;
    assert_eq!(elsewhere.head.status, 404);
    for part in ["/_/_", "/1/1", "/abcdefgh_i-j%20/abcdefg_i-j%20"] {
        post(&server, &format!("/echo{part}{id}/xhr"), "").await.is(200, "o\n");
    }
    for part in ["//", "/a./a", "/a/a.", "/./.", "/", "///"] {
        for method in ["GET", "POST"] {
            let line = format!("{method} /echo{part}/xhr");
            assert_eq!(ask(&server, &line, &[], "").await.head.status, 404, "{line}");
        }
    }
}

/// The ways down: method and path, type, prelude, and what stands around a frame.
type WayDown = (&'static str, &'static str, fn(&str) -> bool, fn(&str) -> String);

fn in_script(frame: &str) -> String {
    serde_json::to_string(frame).expect("a string")
}

const STREAMS: [WayDown; 3] = [
    (
        "POST {}/xhr_streaming",
        "application/javascript; charset=UTF-8",
        |prelude| prelude == "h".repeat(2048) + "\n",
        |frame| format!("{frame}\n"),
    ),
    (
        "GET {}/eventsource",
        "text/event-stream",
        |prelude| prelude == "\r\n",
        |frame| format!("data: {frame}\r\n\r\n"),
    ),
    (
        "GET {}/htmlfile?c=%63allback",
        "text/html; charset=UTF-8",
        |prelude| prelude.len() > 1024 && prelude.contains("var c = parent.callback;\n    c.start();"),
        |frame| format!("<script>\np({});\n</script>\r\n", in_script(frame)),
    ),
];

const POLLS: [WayDown; 2] = [
    ("POST {}/xhr", "application/javascript; charset=UTF-8", str::is_empty, |frame| format!("{frame}\n")),
    ("GET {}/jsonp?c=%63allback", "application/javascript; charset=UTF-8", str::is_empty, |frame| {
        format!("/**/callback({});\r\n", in_script(frame))
    }),
];

#[tokio::test]
async fn every_stream_carries_frames_in_its_own_form_and_ends_after_its_limit() {
    let server = services().await;
    for (line, content_type, is_prelude, framed) in STREAMS {
        let session = fresh_session("/echo");
        let mut wire = Wire::open(&server).await;
        wire.send(&line.replace("{}", &session), &[("Origin", "test")], "").await;
        let head = wire.head().await;
        assert_eq!((head.status, head.header("content-type")), (200, Some(content_type)), "{line}");
        assert_eq!(head.header("cache-control"), Some(NEVER_CACHED));
        assert_eq!(head.header("access-control-allow-origin"), Some("test"));
        assert_eq!(head.header("x-content-type-options"), Some("nosniff"));
        let prelude = wire.chunk().await;
        assert!(is_prelude(&prelude), "{line}: {prelude}");
        assert_eq!(wire.chunk().await, framed("o"));
        let send = format!("{session}/xhr_send");
        post(&server, &send, r#"["x"]"#).await.is(204, "");
        assert_eq!(wire.chunk().await, framed(r#"a["x"]"#));
        post(&server, &send, r#"["  \u0000\n\r "]"#).await.is(204, "");
        assert_eq!(wire.chunk().await, framed(r#"a["  \u0000\n\r "]"#));
        // Not before the limit of 4096 bytes, which the prelude does not count to, and not after.
        let text = "x".repeat(1024);
        let mut sent = 0;
        loop {
            post(&server, &send, &format!("[\"{text}\"]")).await.is(204, "");
            let chunk = wire.chunk().await;
            if chunk.is_empty() {
                break;
            }
            assert_eq!(chunk, framed(&format!("a[\"{text}\"]")));
            sent += 1;
        }
        assert_eq!(sent, 4, "{line}");
        // What came after the end waits for the next response of the session.
        let mut next = stream(&server, &line.replace("{}", &session)).await;
        assert_eq!(next.chunk().await, framed(&format!("a[\"{text}\"]")));
    }
}

#[tokio::test]
async fn every_poll_carries_one_frame() {
    let server = services().await;
    for (line, content_type, _, framed) in POLLS {
        let session = fresh_session("/echo");
        let line = line.replace("{}", &session);
        let open = ask(&server, &line, &[("Origin", "test")], "").await;
        open.is(200, &framed("o"));
        assert_eq!(open.head.header("content-type"), Some(content_type));
        assert_eq!(open.head.header("cache-control"), Some(NEVER_CACHED));
        assert_eq!(open.head.header("access-control-allow-credentials"), Some("true"));
        post(&server, &format!("{session}/xhr_send"), r#"["x","</script>"]"#).await.is(204, "");
        post(&server, &format!("{session}/xhr_send"), "[]").await.is(204, "");
        post(&server, &format!("{session}/xhr_send"), r#"["y"]"#).await.is(204, "");
        let answer = ask(&server, &line, &[], "").await;
        let expected = framed(r#"a["x","</script>","y"]"#);
        let expected = if line.contains("jsonp") {
            expected.replace('<', "\\u003c").replace('>', "\\u003e")
        } else {
            expected
        };
        answer.is(200, &expected);
    }
}

#[tokio::test]
async fn payloads_are_arrays_of_strings_whatever_their_type_says() {
    let server = services().await;
    let session = fresh_session("/echo");
    post(&server, &format!("{session}/xhr"), "").await.is(200, "o\n");
    let send = format!("{session}/xhr_send");
    post(&server, &send, r#"["x"#).await.is(500, "Broken JSON encoding.");
    post(&server, &send, r"[1]").await.is(500, "Broken JSON encoding.");
    post(&server, &send, "").await.is(500, "Payload expected.");
    let types = ["text/plain", "T", "application/json", "application/xml", "", "text/xml; charset=utf-8"];
    for content_type in types {
        let line = format!("POST {send}");
        let answer = ask(&server, &line, &[("Content-Type", content_type)], r#"["a"]"#).await;
        answer.is(204, "");
        // Old Firefox takes an answer without a type for XML.
        assert_eq!(answer.head.header("content-type"), Some("text/plain; charset=UTF-8"));
        assert_eq!(answer.head.header("cache-control"), Some(NEVER_CACHED));
    }
    let all = vec!["\"a\""; types.len()].join(",");
    post(&server, &format!("{session}/xhr"), "").await.is(200, &format!("a[{all}]\n"));
    let nowhere = post(&server, &format!("{}/xhr_send", fresh_session("/echo")), r#"["a"]"#).await;
    assert_eq!(nowhere.head.status, 404);
}

#[tokio::test]
async fn a_form_sends_in_its_field() {
    let server = services().await;
    let session = fresh_session("/echo");
    get(&server, &format!("{session}/jsonp?c=x")).await.is(200, "/**/x(\"o\");\r\n");
    let line = format!("POST {session}/jsonp_send");
    ask(&server, &line, &[FORM], "d=%5B%22x").await.is(500, "Broken JSON encoding.");
    for nothing in ["", "d=", "p=p"] {
        ask(&server, &line, &[FORM], nothing).await.is(500, "Payload expected.");
    }
    let sent = ask(&server, &line, &[FORM], "d=%5B%22abc%22%5D").await;
    sent.is(200, "ok");
    assert_eq!(sent.head.header("content-type"), Some("text/plain; charset=UTF-8"));
    ask(&server, &line, &[("Content-Type", "text/plain")], r#"["%61bc"]"#).await.is(200, "ok");
    let both = r#"/**/x("a[\"abc\",\"%61bc\"]");"#.to_owned() + "\r\n";
    get(&server, &format!("{session}/jsonp?c=x")).await.is(200, &both);
}

#[tokio::test]
async fn what_a_script_calls_is_a_name() {
    let server = services().await;
    for way in ["jsonp", "htmlfile"] {
        get(&server, &format!("/echo/a/a/{way}")).await.is(500, "\"callback\" parameter required");
        for bad in ["%20", "*", "abc(", "abc%28", "a;b"] {
            let answer = get(&server, &format!("/echo/a/a/{way}?c={bad}")).await;
            answer.is(500, "invalid \"callback\" parameter");
        }
    }
}

/// The protocol's list of what browsers mangle, as it comes back: escaped.
#[tokio::test]
async fn what_browsers_mangle_comes_back_escaped() {
    let server = services().await;
    let mangled =
        |code: &u32| matches!(code, 0x200c..=0x200f | 0x2028..=0x202f | 0x2060..=0x206f | 0xfff0..=0xffff);
    let text: String = (0xff..=0xffff_u32).filter(mangled).filter_map(char::from_u32).collect();
    let session = fresh_session("/echo");
    post(&server, &format!("{session}/xhr"), "").await.is(200, "o\n");
    post(&server, &format!("{session}/xhr_send"), &format!("[\"{text}\"]")).await.is(204, "");
    let escaped: Vec<String> = text.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
    let escaped = escaped.concat();
    post(&server, &format!("{session}/xhr"), "").await.is(200, &format!("a[\"{escaped}\"]\n"));
}

#[tokio::test]
async fn a_second_reader_is_turned_away() {
    let server = services().await;
    let session = fresh_session("/echo");
    post(&server, &format!("{session}/xhr"), "").await.is(200, "o\n");
    let (turned_away, mut first) = rivals(&server, &format!("POST {session}/xhr")).await;
    assert_eq!(turned_away, "c[2010,\"Another connection still open\"]\n");
    for (line, _, _, framed) in STREAMS {
        let mut second = stream(&server, &line.replace("{}", &session)).await;
        assert_eq!(second.chunk().await, framed(r#"c[2010,"Another connection still open"]"#));
        assert_eq!(second.chunk().await, "");
    }
    // The first has lost nothing by it.
    post(&server, &format!("{session}/xhr_send"), r#"["a"]"#).await.is(204, "");
    assert_eq!(first.head().await.status, 200);
    assert_eq!(first.bytes(7).await, b"a[\"a\"]\n");
}

#[tokio::test]
async fn a_reader_that_goes_away_ends_its_session() {
    let server = services().await;
    for (line, _, _, framed) in STREAMS.into_iter().chain(POLLS) {
        let session = fresh_session("/echo");
        let line = line.replace("{}", &session);
        let polls = line.ends_with("/xhr") || line.contains("/jsonp");
        let mut reader;
        if polls {
            ask(&server, &line, &[], "").await.is(200, &framed("o"));
            (_, reader) = rivals(&server, &line).await;
        } else {
            reader = stream(&server, &line).await;
            assert_eq!(reader.chunk().await, framed("o"));
        }
        drop(reader);
        let told = async || {
            if polls {
                ask(&server, &line, &[], "").await.body
            } else {
                stream(&server, &line).await.chunk().await
            }
        };
        // A server with much to do sees late that a connection has ended; the next one may be turned away till then.
        let mut said = told().await;
        while said.contains("c[2010,") {
            said = told().await;
        }
        assert_eq!(said, framed(r#"c[1002,"Connection interrupted"]"#));
    }
}

/// Two readers at once: what the one hears that is turned away, and the one that stays.
async fn rivals(server: &Server, line: &str) -> (String, Wire) {
    let (mut one, mut other) = (Wire::open(server).await, Wire::open(server).await);
    for wire in [&mut one, &mut other] {
        wire.send(line, &[], "").await;
    }
    let (head, mut turned_away, stays) = tokio::select! {
        head = one.head() => (head, one, other),
        head = other.head() => (head, other, one),
    };
    let length = head.header("content-length").and_then(|length| length.parse().ok()).expect("a length");
    (String::from_utf8(turned_away.bytes(length).await).expect("UTF-8"), stays)
}

#[tokio::test]
async fn a_closed_session_says_so_again_and_again() {
    let server = services().await;
    for (line, _, _, framed) in POLLS {
        let line = line.replace("{}", &fresh_session("/close"));
        ask(&server, &line, &[], "").await.is(200, &framed("o"));
        for _ in 0..3 {
            ask(&server, &line, &[], "").await.is(200, &framed(r#"c[3000,"Go away!"]"#));
        }
    }
    for (line, _, _, framed) in STREAMS {
        let line = line.replace("{}", &fresh_session("/close"));
        let mut first = stream(&server, &line).await;
        assert_eq!(first.chunk().await, framed("o"));
        assert_eq!(first.chunk().await, framed(r#"c[3000,"Go away!"]"#));
        assert_eq!(first.chunk().await, "", "the response ends with the session");
        assert_eq!(stream(&server, &line).await.chunk().await, framed(r#"c[3000,"Go away!"]"#));
    }
}

#[tokio::test]
async fn a_session_without_a_reader_ends_after_five_seconds() {
    let server = services().await;
    let session = fresh_session("/echo");
    let since = Instant::now();
    post(&server, &format!("{session}/xhr"), "").await.is(200, "o\n");
    soon("the end of the session", async {
        while post(&server, &format!("{session}/xhr_send"), "[]").await.head.status == 204 {}
    })
    .await;
    let lived = since.elapsed();
    assert!(lived >= Duration::from_millis(SOCKJS_DISCONNECT_MS), "{lived:?}");
    post(&server, &format!("{session}/xhr"), "").await.is(200, "o\n");
}

#[tokio::test]
async fn the_cookie_for_load_balancers_is_said_again() {
    let server = services().await;
    for (line, ..) in STREAMS.into_iter().chain(POLLS) {
        for (sent, expected) in
            [("", "JSESSIONID=dummy; path=/"), ("a=b; JSESSIONID=abc", "JSESSIONID=abc; path=/")]
        {
            let line = line.replace("{}", &fresh_session("/cookie_needed_echo"));
            let mut wire = Wire::open(&server).await;
            wire.send(&line, &[("Cookie", sent)], "").await;
            assert_eq!(wire.head().await.header("set-cookie"), Some(expected), "{line}");
            let plain = line.replace("/cookie_needed_echo", "/echo");
            let mut wire = Wire::open(&server).await;
            wire.send(&plain, &[("Cookie", sent)], "").await;
            assert_eq!(wire.head().await.header("set-cookie"), None, "{plain}");
        }
    }
}

#[tokio::test]
async fn old_http_gets_no_chunks_and_new_http_keeps_its_connection() {
    let server = services().await;
    for version in ["1.0", "1.1"] {
        let mut wire = Wire::open(&server).await;
        for _ in 0..2 {
            let line = format!("GET /echo HTTP/{version}");
            let answer = wire.ask(&line, &[("Connection", "Keep-Alive")], "").await;
            answer.is(200, "Welcome to SockJS!\n");
            assert_eq!(answer.head.header("transfer-encoding"), None);
        }
    }
    let line = format!("POST {}/xhr_streaming", fresh_session("/close"));
    let mut new = Wire::open(&server).await;
    new.send(&line, &[], "").await;
    assert_eq!(new.head().await.header("transfer-encoding"), Some("chunked"));
    let line = format!("POST {}/xhr_streaming HTTP/1.0", fresh_session("/close"));
    let mut old = Wire::open(&server).await;
    old.send(&line, &[("Connection", "Keep-Alive")], "").await;
    let head = old.head().await;
    assert_eq!((head.header("transfer-encoding"), head.header("content-length")), (None, None));
    assert_eq!(old.rest().await, "h".repeat(2048) + "\no\nc[3000,\"Go away!\"]\n");
}

/// The test services know nobody, but they do not answer to a stranger's name either.
#[tokio::test]
async fn every_service_answers_to_our_names_alone() {
    let server = services().await;
    for face in ["/echo", "/sockjs"] {
        let answer = ask(&server, &format!("GET {face}/info"), &[("Host", "evil.example")], "").await;
        assert_eq!(answer.head.status, 421, "{face}");
    }
}
