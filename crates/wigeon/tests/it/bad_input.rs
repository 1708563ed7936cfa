//! Bad input by every way up: the documented error, a connection that goes on where it may, and a log that
//! does not move.

use crate::ops::{group, live, now, refused};
use crate::server::{Server, send, soon};
use crate::sockjs_wire::ask;
use serde_json::{Value, json};
use wigeon_client::{Client, Connection, Error, Frame, Method, ReadOptions, Uplink};
use wigeon_proto::transport::Transport;
use wigeon_proto::websocket::{Opcode, encode};

/// Texts that are not even a request, as bytes.
fn not_json() -> Vec<Vec<u8>> {
    let deep = [b"[".repeat(50_000), b"]".repeat(50_000)].concat();
    let deep_objects = [b"{\"a\":".repeat(15_000), b"1".to_vec(), b"}".repeat(15_000)].concat();
    let texts: [&[u8]; 11] = [
        b"{nonsense",
        b"{",
        b"\"",
        b"nul",
        b"{\"id\":\"1\",}",
        b"{\"id\":'1'}",
        b"[{\"id\":\"1\",\"type\":\"ping\"}",
        b"\x00",
        b"{\"id\":\"a\nb\",\"type\":\"ping\"}",
        b"{\"id\":\"1\",\"type\":\"ping\"} trailing",
        b"\xef\xbb\xbf{",
    ];
    texts.iter().map(|text| text.to_vec()).chain([deep, deep_objects]).collect()
}

/// Commands that are JSON and nothing else, each with an id.
fn wrong_commands(room: &str) -> Vec<(Value, &'static str)> {
    let bad = "bad_request";
    let text = |text: Value| json!({ "id": "w", "type": "send", "room": room, "body": { "text": text } });
    vec![
        (json!({ "id": "w" }), bad),
        (json!({ "id": "w", "type": null }), bad),
        (json!({ "id": "w", "type": 7 }), bad),
        (json!({ "id": "w", "type": "fly" }), bad),
        (json!({ "id": "w", "type": "send" }), bad),
        (json!({ "id": "w", "type": "send", "room": room }), bad),
        (json!({ "id": "w", "type": "send", "room": room, "body": "hi" }), bad),
        (json!({ "id": "w", "type": "send", "room": 5, "body": { "text": "hi" } }), bad),
        (json!({ "id": "w", "type": "send", "room": "self:ann", "body": { "text": "hi" } }), "not_found"),
        (json!({ "id": "w", "type": "send", "room": "a b", "body": { "text": "hi" } }), bad),
        (json!({ "id": "w", "type": "send", "to": "b/c", "body": { "text": "hi" } }), bad),
        (json!({ "id": "w", "type": "send", "room": room, "to": "bob", "body": { "text": "hi" } }), bad),
        (text(json!(5)), bad),
        (text(json!("")), bad),
        (text(json!("x".repeat(64 * 1024 + 1))), "too_large"),
        (json!({ "id": "w", "type": "edit", "room": room, "seq": -1, "body": { "text": "x" } }), bad),
        (json!({ "id": "w", "type": "edit", "room": room, "seq": 1.5, "body": { "text": "x" } }), bad),
        (
            json!({ "id": "w", "type": "edit", "room": room, "seq": 999, "body": { "text": "x" } }),
            "not_found",
        ),
        (json!({ "id": "w", "type": "room.create", "kind": "palace", "title": "x" }), bad),
        (json!({ "id": "w", "type": "room.create", "kind": "group", "title": "a\nb" }), bad),
        (json!({ "id": "w", "type": "member.add", "room": room, "users": [] }), bad),
        (json!({ "id": "w", "type": "send", "room": "nowhere", "body": { "text": "hi" } }), "not_found"),
        (json!({ "id": "w", "type": "room.join", "room": "nowhere" }), "not_found"),
    ]
}

/// Accepts only what is refused with one of `codes`, whatever the status and the place.
fn assert_refused(way: &str, input: &[u8], result: Result<&Value, &Error>, code: &str) {
    let shown = String::from_utf8_lossy(&input[..input.len().min(80)]);
    let got = match result {
        Ok(reply) => reply["error"]["code"].as_str().unwrap_or("accepted"),
        Err(Error::Refused { error, .. }) => error.code.as_str(),
        Err(other) => panic!("{way}: {shown}: {other}"),
    };
    assert_eq!(got, code, "{way}: {shown}");
}

/// Sends a body as it is to `/v1/commands` and returns its first reply or the error of the whole.
async fn post(client: &Client, content_type: &str, body: Vec<u8>) -> Result<Value, Error> {
    let bearer = format!("Bearer {}", client.token().expect("a token"));
    let headers = [("authorization", &*bearer), ("content-type", content_type)];
    let answer = client.raw(Method::POST, "/v1/commands", &headers, body).await?;
    let value = answer.json()?;
    if answer.status == 200 {
        return Ok(value["replies"][0].clone());
    }
    assert_eq!(answer.headers["content-type"], "application/problem+json", "{value}");
    Ok(json!({ "error": { "code": value["code"] }, "status": answer.status }))
}

async fn reply(socket: &mut Connection) -> Frame {
    soon("a reply", async {
        loop {
            let frame = socket.next().await.expect("the connection goes on").expect("a frame");
            if frame.value.get("re").is_some() {
                return frame;
            }
        }
    })
    .await
}

async fn open(client: &Client) -> Connection {
    Connection::open(client, &ReadOptions::default()).await.expect("a WebSocket")
}

#[tokio::test]
async fn what_is_not_json_is_a_bad_request_and_moves_nothing() {
    let server = Server::start().await;
    let ann = server.user("ann");
    let room = group(&ann, &[]).await;
    let before = now(&ann).await;
    let mut socket = open(&ann).await;
    for input in not_json() {
        for content_type in ["application/json", "text/plain"] {
            let result = post(&ann, content_type, input.clone()).await;
            assert_refused(content_type, &input, result.as_ref(), "bad_request");
        }
        socket.send(&String::from_utf8(input.clone()).expect("UTF-8")).await.expect("sent");
        let answer = reply(&mut socket).await;
        assert_refused("websocket", &input, Ok(&answer.value), "bad_request");
    }
    assert_eq!(now(&ann).await, before, "the log did not move");
    let replies = soon("a reply", socket.commands(&[send(&room, "still here")])).await.expect("it goes on");
    assert!(replies[0].ok.is_some());
}

#[tokio::test]
async fn bytes_that_are_not_utf_8_are_refused() {
    let server = Server::start().await;
    let ann = server.user("ann");
    let before = now(&ann).await;
    let input = b"{\"id\":\"1\",\"type\":\"send\",\"to\":\"bob\",\"body\":{\"text\":\"\xff\xfe\"}}";
    let result = post(&ann, "application/json", input.to_vec()).await;
    assert_refused("post", input, result.as_ref(), "bad_request");
    let mut socket = open(&ann).await;
    let mut message = Vec::new();
    encode::masked(&mut message, Opcode::Text, [1, 2, 3, 4], input);
    socket.send_raw(&message).await.expect("sent");
    assert_eq!(closed_with(&mut socket).await, 1007);
    assert_eq!(now(&ann).await, before);
}

/// The code the server closes with, passing over what came before.
async fn closed_with(socket: &mut Connection) -> u16 {
    soon("the close", async {
        loop {
            match socket.next().await {
                Ok(Some(_)) => {}
                Ok(None) => return 1000,
                Err(Error::Closed(Some(close))) => return close.code,
                Err(other) => panic!("not closed: {other}"),
            }
        }
    })
    .await
}

#[tokio::test]
async fn wrong_commands_are_answered_alike_by_every_way_and_move_nothing() {
    let server = Server::start().await;
    let ann = server.user("ann");
    let room = group(&ann, &[]).await;
    let before = now(&ann).await;
    let mut socket = open(&ann).await;
    for (command, code) in wrong_commands(&room) {
        let input = command.to_string();
        for uplink in Uplink::ALL {
            // What does not fit into an address cannot come by that way.
            if uplink == Uplink::Jsonp && input.len() > 8000 {
                continue;
            }
            let replies = ann.commands_over(uplink, std::slice::from_ref(&command)).await.expect("a reply");
            assert_eq!(replies[0].code(), Some(code), "{uplink:?}: {input:.100}");
            assert_eq!(replies[0].re.as_deref(), Some("w"), "{uplink:?}: {input:.100}");
        }
        socket.send(&input).await.expect("sent");
        let answer = reply(&mut socket).await;
        assert_refused("websocket", input.as_bytes(), Ok(&answer.value), code);
        assert_eq!(answer.value["re"], "w", "{input:.100}");
    }
    assert_eq!(now(&ann).await, before, "the log did not move");
}

#[tokio::test]
async fn a_wrong_command_spoils_no_other_in_its_batch() {
    let server = Server::start().await;
    let ann = server.user("ann");
    let room = group(&ann, &[]).await;
    let batch =
        [send(&room, "one"), json!({ "id": "w", "type": "fly" }), json!(7), json!(null), send(&room, "two")];
    let mut socket = open(&ann).await;
    for round in 0..2 {
        let replies = ann.commands(&batch).await.expect("replies");
        let outcomes: Vec<_> =
            replies.iter().map(|reply| reply.ok.as_ref().map(|ok| ok["seq"].clone())).collect();
        assert_eq!(outcomes, [Some(json!(1)), None, None, None, Some(json!(2))], "round {round}");
    }
    socket.send(&serde_json::to_string(&batch).expect("JSON")).await.expect("sent");
    let mut answered = Vec::new();
    for _ in 0..batch.len() {
        answered.push(reply(&mut socket).await.value["ok"]["seq"].clone());
    }
    answered.sort_by_key(Value::as_u64);
    assert_eq!(answered, [json!(null), json!(null), json!(null), json!(1), json!(2)]);
}

#[tokio::test]
async fn too_much_at_once_is_too_large() {
    let server = Server::start().await;
    let ann = server.user("ann");
    let room = group(&ann, &[]).await;
    let before = now(&ann).await;
    let megabyte = send(&room, &"x".repeat(1 << 20)).to_string();
    let result = post(&ann, "application/json", megabyte.clone().into_bytes()).await.expect("an answer");
    assert_eq!((&result["error"]["code"], &result["status"]), (&json!("too_large"), &json!(413)));

    let mut socket = open(&ann).await;
    // The server may close before it has read all of it, so the rest may not go through any more.
    let _ = socket.send(&megabyte).await;
    assert_eq!(closed_with(&mut socket).await, 1009);

    let many: Vec<Value> = (0..101).map(|_| json!({ "id": "p", "type": "ping" })).collect();
    let result = post(&ann, "application/json", serde_json::to_vec(&many).expect("JSON")).await;
    let code = result.expect("an answer")["error"]["code"].as_str().map(str::to_owned);
    assert!(matches!(code.as_deref(), Some("too_large" | "bad_request")), "101 commands: {code:?}");
    assert_eq!(now(&ann).await, before, "the log did not move");
}

#[tokio::test]
async fn an_outsider_is_refused_and_so_is_a_room_that_is_not() {
    let server = Server::start().await;
    let (ann, eve) = (server.user("ann"), server.user("eve"));
    let room = group(&ann, &[]).await;
    let before = now(&ann).await;
    let commands = |room: &str| {
        [
            send(room, "hello?"),
            json!({ "type": "read", "room": room, "seq": 1 }),
            json!({ "type": "history", "room": room, "after": 0 }),
            json!({ "type": "room.get", "room": room }),
            json!({ "type": "room.leave", "room": room }),
            json!({ "type": "member.list", "room": room }),
            json!({ "type": "member.add", "room": room, "user": "eve" }),
        ]
    };
    for (there, nowhere) in commands(&room).into_iter().zip(commands("nowhere")) {
        assert_eq!(refused(&eve, there.clone()).await, "not_member", "{there}");
        assert_eq!(refused(&eve, nowhere.clone()).await, "not_found", "{nowhere}");
    }
    assert_eq!(refused(&eve, json!({ "type": "room.join", "room": room })).await, "forbidden");
    assert_eq!(now(&ann).await, before, "the log did not move");
}

#[tokio::test]
async fn strange_text_arrives_as_it_was_and_half_characters_do_not() {
    let server = Server::start().await;
    let ann = server.user("ann");
    let room = group(&ann, &[]).await;
    let start = now(&ann).await;
    let half = format!(r#"{{"id":"half","type":"send","room":"{room}","body":{{"text":"a\ud800b"}}}}"#);
    let result = post(&ann, "application/json", half.clone().into_bytes()).await;
    assert_refused("post", half.as_bytes(), result.as_ref(), "bad_request");
    assert_eq!(now(&ann).await, start, "the log did not move");

    let strange = "\u{0}\u{1}\u{8}\t\r\n\u{b}\u{1b}\u{7f}\u{85}\u{2028}\u{2029}\u{feff}\u{fffe}\u{202e}🦆</script><!--&";
    ann.command(send(&room, strange)).await.expect("text is text");
    for transport in Transport::ALL {
        let mut reader = live(&ann, transport, &start).await;
        let message = crate::ops::frame(&mut reader).await;
        assert_eq!(crate::ops::text(&message), strange, "{transport:?}");
        let harmless = |byte: &u8| !matches!(byte, b'<' | b'>' | b'&' | 0..=0x1f);
        assert!(message.raw.iter().all(harmless), "{transport:?}: safe inside a script");
        assert!(!String::from_utf8_lossy(&message.raw).contains(['\u{2028}', '\u{2029}']), "{transport:?}");
    }
}

#[tokio::test]
async fn an_unmasked_frame_ends_the_connection_and_nothing_else() {
    let server = Server::start().await;
    let ann = server.user("ann");
    let before = now(&ann).await;
    let mut socket = open(&ann).await;
    let mut unmasked = Vec::new();
    encode::text(&mut unmasked, &send("lobby", "hi").to_string());
    socket.send_raw(&unmasked).await.expect("sent");
    assert_eq!(closed_with(&mut socket).await, 1002);
    assert_eq!(now(&ann).await, before);
}

#[tokio::test]
async fn a_binary_message_is_a_bad_request_and_the_connection_goes_on() {
    let server = Server::start().await;
    let ann = server.user("ann");
    let mut socket = open(&ann).await;
    let mut binary = Vec::new();
    encode::masked(&mut binary, Opcode::Binary, [0; 4], br#"{"id":"b","type":"ping"}"#);
    socket.send_raw(&binary).await.expect("sent");
    assert_eq!(reply(&mut socket).await.value["error"]["code"], "bad_request");
    let replies =
        soon("a reply", socket.commands(&[json!({ "id": "p", "type": "ping" })])).await.expect("it goes on");
    assert!(replies[0].ok.is_some());
}

#[tokio::test]
async fn a_request_says_once_whom_it_is_for_and_whole_urls_say_it_too() {
    let server = Server::start().await;
    let ours = server.base();
    let host = ours.trim_start_matches("http://");
    let whole = format!("GET {ours}/v1/info");
    let asked: [(&str, &[&str], u16); 5] = [
        (&whole, &[host], 200),
        (&whole, &["evil.example"], 421),
        ("GET http://evil.example/v1/info", &[host], 421),
        ("GET /v1/info", &[host, host], 400),
        ("GET /v1/info", &[host, "evil.example"], 400),
    ];
    for (line, hosts, status) in asked {
        let headers: Vec<_> = hosts.iter().map(|host| ("Host", *host)).collect();
        assert_eq!(ask(&server, line, &headers, "").await.head.status, status, "{line} {hosts:?}");
    }
}

#[tokio::test]
async fn a_number_beyond_all_bounds_is_cut_to_its_own_and_what_is_none_is_refused() {
    let server = Server::start().await;
    let bearer = format!("Bearer {}", server.user("ann").token().expect("a token"));
    let headers = [("Authorization", &*bearer)];
    for name in ["limit", "max_per_room", "padding", "last"] {
        for (number, status) in [("99999999999999999999999", 200), ("-1", 400), ("1.5", 400), ("x", 400)] {
            let line = format!("GET /v1/events?transport=poll&{name}={number}");
            assert_eq!(ask(&server, &line, &headers, "").await.head.status, status, "{line}");
        }
    }
}
