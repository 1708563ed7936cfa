//! SockJS on WebSockets, with its frames and without, on the services for test suites.

use crate::sockjs::services;
use crate::sockjs_wire::{Socket, UPGRADE, ask, fresh_session};
use wigeon_proto::websocket::{Event, Opcode};

#[tokio::test]
async fn a_websocket_is_a_session_of_its_own() {
    let server = services().await;
    let path = format!("{}/websocket", fresh_session("/echo"));
    let mut one = Socket::open(&server, &path).await;
    let mut other = Socket::open(&server, &path).await;
    for socket in [&mut one, &mut other] {
        assert_eq!(socket.text().await, "o");
    }
    // Nothing, an empty array, and one message without an array are all in order.
    one.send("").await;
    one.send("[]").await;
    one.send("\"a\"").await;
    assert_eq!(one.text().await, r#"a["a"]"#);
    other.send(r#"["b","c"]"#).await;
    assert_eq!(other.text().await, r#"a["b","c"]"#);
    one.send(r#"["a"#).await;
    assert_eq!(one.closed().await.0, 1002, "broken JSON ends it");
    other.send_as(Opcode::Binary, b"[]").await;
    assert_eq!(other.closed().await.0, 1003);
    let mut again = Socket::open(&server, &path).await;
    assert_eq!(again.text().await, "o");
    again.send_as(Opcode::Ping, b"p").await;
    assert_eq!(again.next().await, Some(Event::Pong(b"p".to_vec())));
}

#[tokio::test]
async fn a_websocket_is_closed_after_its_close_frame() {
    let server = services().await;
    let mut socket = Socket::open(&server, &format!("{}/websocket", fresh_session("/close"))).await;
    assert_eq!(socket.text().await, "o");
    assert_eq!(socket.text().await, r#"c[3000,"Go away!"]"#);
    assert_eq!(socket.closed().await.0, 1000);
    assert_eq!(socket.next().await, None);
}

#[tokio::test]
async fn a_bare_websocket_has_no_frames_of_sockjs() {
    let server = services().await;
    let mut socket = Socket::open(&server, "/echo/websocket").await;
    socket.send("Hello world!\u{ffff}").await;
    assert_eq!(socket.text().await, "Hello world!\u{ffff}");
    socket.send_as(Opcode::Binary, &[0, 255]).await;
    assert_eq!(socket.next().await, Some(Event::Binary(vec![0, 255])));
    let mut closing = Socket::open(&server, "/close/websocket").await;
    assert_eq!(closing.closed().await, (3000, "Go away!".to_owned()));
}

#[tokio::test]
async fn what_is_no_handshake_is_refused() {
    let server = services().await;
    for path in ["/echo/0/0/websocket", "/echo/websocket"] {
        ask(&server, &format!("GET {path}"), &[], "").await.is(400, "Can \"Upgrade\" only to \"WebSocket\".");
        let line = format!("GET {path}");
        let dropped = [("Upgrade", "WebSocket"), ("Connection", "close")];
        ask(&server, &line, &dropped, "").await.is(400, "\"Connection\" must be \"Upgrade\".");
        assert_eq!(ask(&server, &line, &UPGRADE[..2], "").await.head.status, 400);
        assert_eq!(ask(&server, &line, &UPGRADE[..3], "").await.head.status, 400);
    }
    for path in ["/0/0/websocket", "/websocket"] {
        let line = format!("GET /disabled_websocket_echo{path}");
        assert_eq!(ask(&server, &line, &UPGRADE, "").await.head.status, 404);
    }
}

#[tokio::test]
async fn amplify_answers_a_number_with_a_power_of_two() {
    let server = services().await;
    let mut socket = Socket::open(&server, "/amplify/websocket").await;
    for (number, length) in [("3", 8), ("18", 1 << 18), ("19", 2), ("x", 2), ("-1", 2)] {
        socket.send(number).await;
        assert_eq!(socket.text().await, "x".repeat(length), "{number}");
    }
}
