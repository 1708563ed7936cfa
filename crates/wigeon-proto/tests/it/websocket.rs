//! The WebSocket codec, case by case, in the order of the RFC's chapters and of Autobahn's.

use wigeon_proto::websocket::{Close, Decoder, Event, Opcode, Role, Violation, encode, handshake};

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
const LIMIT: usize = 70_000;

/// A client's frame from its first byte (FIN, RSV, opcode) and payload.
fn raw(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encode::masked(&mut out, Opcode::Text, KEY, payload);
    out[0] = first;
    out
}

fn decode(bytes: &[u8]) -> (Vec<Event>, Option<Violation>) {
    let (mut decoder, mut input, mut events) = (Decoder::new(Role::Server, LIMIT), bytes, Vec::new());
    loop {
        match decoder.decode(&mut input) {
            Ok(Some(event)) => events.push(event),
            Ok(None) => return (events, None),
            Err(violation) => return (events, Some(violation)),
        }
    }
}

fn good(frames: &[Vec<u8>]) -> Vec<Event> {
    let (events, violation) = decode(&frames.concat());
    assert_eq!(violation, None);
    events
}

fn code(bytes: &[u8]) -> u16 {
    let (events, violation) = decode(bytes);
    assert_eq!(events, [], "nothing is delivered of what is broken");
    violation.expect("a violation").close_code()
}

fn text(text: &str) -> Event {
    Event::Text(text.to_owned())
}

#[test]
fn the_handshake_example_of_the_rfc() {
    let accept = handshake::accept("dGhlIHNhbXBsZSBub25jZQ==");
    assert_eq!(accept.as_deref(), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_eq!(handshake::key(*b"the sample nonce"), "dGhlIHNhbXBsZSBub25jZQ==");
    for bad in ["", "dGhlIHNhbXBsZQ==", "not base64 at all!!!!!!!", "dGhlIHNhbXBsZSBub25jZQ"] {
        assert_eq!(handshake::accept(bad), None, "{bad}");
    }
}

#[test]
fn the_masked_hello_of_the_rfc() {
    let bytes = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    assert_eq!(good(&[bytes.to_vec()]), [text("Hello")]);
    let mut ours = Vec::new();
    encode::masked(&mut ours, Opcode::Text, KEY, b"Hello");
    assert_eq!(ours, bytes);
}

#[test]
fn every_form_of_length_is_written_and_read() {
    for (length, header) in [(0, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)] {
        let payload = "é".repeat(length / 2) + if length % 2 == 1 { "x" } else { "" };
        assert_eq!(good(&[raw(0x81, payload.as_bytes())]), [text(&payload)]);
        let mut server = Vec::new();
        encode::text(&mut server, &payload);
        assert_eq!(server.len(), header + length);
        let mut decoder = Decoder::new(Role::Client, LIMIT);
        assert_eq!(decoder.decode(&mut &server[..]), Ok(Some(text(&payload))));
    }
}

#[test]
fn control_frames_come_between_fragments() {
    let frames =
        [raw(0x01, b"Hel"), raw(0x89, b"are you there"), raw(0x00, b""), raw(0x8a, b""), raw(0x80, b"lo")];
    let expected = [Event::Ping(b"are you there".to_vec()), Event::Pong(Vec::new()), text("Hello")];
    assert_eq!(good(&frames), expected);
}

#[test]
fn binary_messages_need_not_be_text() {
    assert_eq!(good(&[raw(0x02, b"\xff"), raw(0x80, b"\x00")]), [Event::Binary(vec![0xff, 0x00])]);
}

#[test]
fn a_character_may_be_cut_between_fragments() {
    let duck = "🦆".as_bytes();
    assert_eq!(good(&[raw(0x01, &duck[..1]), raw(0x00, &duck[1..3]), raw(0x80, &duck[3..])]), [text("🦆")]);
}

#[test]
fn text_that_is_not_utf_8_is_1007() {
    let samples: [&[u8]; 7] =
        [b"\xff", b"ab\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xce", b"\xf0\x9f\xa6", b"\x80"];
    for bad in samples {
        assert_eq!(code(&raw(0x81, bad)), 1007, "{bad:x?}");
        assert_eq!(code(&[raw(0x01, bad), raw(0x80, b"")].concat()), 1007, "{bad:x?}");
    }
}

#[test]
fn broken_text_fails_before_its_end_arrives() {
    // Autobahn 6.4: the second half of the character cannot come any more.
    assert_eq!(code(&raw(0x01, b"caf\xc3\xa9\xf4\x90")), 1007, "at the end of a fragment");
    let whole = raw(0x81, b"caf\xc3\xa9\xed\xa0 and much more");
    assert_eq!(code(&whole[..whole.len() - 14]), 1007, "in the middle of a frame");
    assert_eq!(decode(&raw(0x01, b"caf\xc3")), (vec![], None), "this one may still come right");
}

#[test]
fn reserved_bits_and_opcodes_are_1002() {
    for first in [0xc1, 0xa1, 0x91, 0x83, 0x84, 0x87, 0x8b, 0x8f, 0xd9] {
        assert_eq!(code(&raw(first, b"")), 1002, "{first:x}");
    }
}

#[test]
fn control_frames_are_short_and_whole() {
    assert_eq!(code(&raw(0x89, &[0; 126])), 1002);
    assert_eq!(code(&raw(0x09, b"")), 1002);
    assert_eq!(code(&raw(0x08, b"")), 1002);
    assert_eq!(good(&[raw(0x89, &[7; 125])]), [Event::Ping(vec![7; 125])]);
}

#[test]
fn fragments_belong_to_one_message() {
    assert_eq!(code(&raw(0x80, b"of nothing")), 1002);
    assert_eq!(code(&[raw(0x01, b"a"), raw(0x81, b"b")].concat()), 1002);
    assert_eq!(code(&[raw(0x01, b"a"), raw(0x02, b"b")].concat()), 1002);
}

#[test]
fn clients_mask_and_servers_do_not() {
    let mut unmasked = Vec::new();
    encode::text(&mut unmasked, "hi");
    assert_eq!(code(&unmasked), 1002);
    let violation = Decoder::new(Role::Client, LIMIT).decode(&mut &raw(0x81, b"hi")[..]);
    assert_eq!(violation.expect_err("masked by a server").close_code(), 1002);
}

#[test]
fn lengths_have_their_shortest_form() {
    assert_eq!(code(&[0x81, 0xfe, 0, 125, 0, 0, 0, 0]), 1002);
    assert_eq!(code(&[0x81, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0]), 1002);
    assert_eq!(code(&[0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), 1002);
}

#[test]
fn a_message_above_the_limit_is_refused_at_its_header() {
    let whole = raw(0x82, &vec![0; LIMIT + 1]);
    assert_eq!(code(&whole[..14]), 1009, "before any payload");
    let fragments = [raw(0x02, &vec![0; LIMIT]), raw(0x80, &[0])].concat();
    assert_eq!(code(&fragments), 1009, "over all fragments");
    assert_eq!(good(&[raw(0x82, &vec![0; LIMIT])]), [Event::Binary(vec![0; LIMIT])]);
    assert_eq!(code(&[0x82, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0]), 1009);
}

#[test]
fn close_codes_that_may_travel() {
    for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4401, 4999] {
        let frame = raw(0x88, &encode::close_payload(code, "bye 🦆"));
        assert_eq!(good(&[frame]), [Event::Close(Some(Close { code, reason: "bye 🦆".to_owned() }))]);
    }
    assert_eq!(good(&[raw(0x88, b"")]), [Event::Close(None)]);
}

#[test]
fn close_frames_that_are_wrong() {
    for bad in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] {
        assert_eq!(code(&raw(0x88, &encode::close_payload(bad, ""))), 1002, "{bad}");
    }
    assert_eq!(code(&raw(0x88, &[3])), 1002);
    assert_eq!(code(&raw(0x88, &[3, 232, 0xff])), 1007);
}

#[test]
fn nothing_is_read_after_a_close_or_a_violation() {
    let (events, violation) = decode(&[raw(0x88, b""), raw(0x81, b"late"), vec![0xff; 9]].concat());
    assert_eq!((events, violation), (vec![Event::Close(None)], None));
    let mut decoder = Decoder::new(Role::Server, LIMIT);
    assert!(decoder.decode(&mut &[0xff, 0xff][..]).is_err());
    assert_eq!(decoder.decode(&mut &raw(0x81, b"late")[..]).map_err(Violation::close_code), Err(1002));
}

#[test]
fn a_close_reason_is_cut_to_what_fits() {
    let payload = encode::close_payload(1012, &"é".repeat(100));
    assert_eq!(payload.len(), 2 + 122, "123 bytes would cut a character");
    let mut frame = Vec::new();
    encode::close(&mut frame, 1012, &"x".repeat(200));
    assert_eq!(frame[..4], [0x88, 125, 0x03, 0xf4]);
}

#[test]
fn pings_and_pongs_of_the_server() {
    let mut out = Vec::new();
    encode::ping(&mut out, b"a");
    encode::pong(&mut out, &[0; 200]);
    assert_eq!(out[..5], [0x89, 1, b'a', 0x8a, 125]);
    assert_eq!(out.len(), 3 + 2 + 125);
}
