//! `permessage-deflate` (RFC 7692): what is agreed on, what is sent, and what a peer cannot do to us.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use proptest::collection::vec;
use proptest::prelude::*;
use wigeon_proto::limits::DEFLATE_BYTES_MIN;
use wigeon_proto::websocket::{Decoder, Deflate, Event, Opcode, Role, Violation, encode, negotiate};

const LIMIT: usize = 70_000;
const ANSWER: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
/// "Hello", compressed (RFC 7692, 7.2.3.1).
const HELLO: [u8; 7] = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];

fn answer(offer: &str) -> Option<String> {
    negotiate([offer], "").map(|deflate| deflate.to_string())
}

fn deflate() -> Option<Deflate> {
    negotiate(["permessage-deflate"], "")
}

/// A client's frame from its first byte (FIN, RSV, opcode) and payload.
fn raw(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encode::masked(&mut out, Opcode::Text, [0x37, 0xfa, 0x21, 0x3d], payload);
    out[0] = first;
    out
}

/// Feeds `bytes` in pieces of the given sizes, over and over.
fn decode(bytes: &[u8], sizes: &[usize]) -> (Vec<Event>, Option<Violation>) {
    let (mut decoder, mut events) = (Decoder::new(Role::Server, LIMIT).with_deflate(deflate()), Vec::new());
    let (mut rest, mut sizes) = (bytes, sizes.iter().cycle());
    while !rest.is_empty() {
        let (mut chunk, tail) = rest.split_at((*sizes.next().expect("endless")).min(rest.len()));
        rest = tail;
        loop {
            match decoder.decode(&mut chunk) {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                Err(violation) => return (events, Some(violation)),
            }
        }
    }
    (events, None)
}

fn good(frames: &[Vec<u8>]) -> Vec<Event> {
    let (events, violation) = decode(&frames.concat(), &[usize::MAX]);
    assert_eq!(violation, None);
    events
}

fn code(bytes: &[u8]) -> u16 {
    let (events, violation) = decode(bytes, &[usize::MAX]);
    assert_eq!(events, [], "nothing is delivered of what is broken");
    violation.expect("a violation").close_code()
}

fn hello() -> Event {
    Event::Text("Hello".to_owned())
}

/// One message as a peer compresses it: one flush at its end, whose tail does not travel.
fn compressed(compress: &mut Compress, message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + message.len() / 100 + 64);
    compress.compress_vec(message, &mut out, FlushCompress::Sync).expect("room");
    // A second flush with nothing new adds nothing, as zlib says in its manual; then there is no tail.
    out.truncate(out.strip_suffix(&[0, 0, 0xff, 0xff]).map_or(out.len(), <[u8]>::len));
    out
}

fn fresh(level: u32) -> Compress {
    Compress::new(Compression::new(level), false)
}

#[test]
fn what_browsers_offer_is_accepted() {
    for offer in ["permessage-deflate; client_max_window_bits", "permessage-deflate"] {
        assert_eq!(answer(offer).as_deref(), Some(ANSWER), "{offer}");
    }
}

#[test]
fn the_first_offer_we_can_keep_is_taken() {
    let bits = |bits| Some(format!("{ANSWER}; server_max_window_bits={bits}"));
    let offer =
        "x-webkit-deflate-frame, permessage-deflate; mux, permessage-deflate;server_max_window_bits=10";
    assert_eq!(answer(offer), bits(10));
    let headers =
        ["permessage-bzip2", "permessage-deflate; server_max_window_bits=\"9\", permessage-deflate"];
    assert_eq!(negotiate(headers, "").map(|deflate| deflate.to_string()), bits(9));
    let comma_in_quotes = "x-other; a=\"b, permessage-deflate\"";
    assert_eq!(answer(comma_in_quotes), None);
}

#[test]
fn parameters_are_known_right_and_named_once() {
    let good = [
        "server_no_context_takeover",
        " client_no_context_takeover\t; server_no_context_takeover",
        "client_max_window_bits=8",
        "client_max_window_bits = \"15\"",
    ];
    for parameters in good {
        assert_eq!(
            answer(&format!("permessage-deflate;{parameters}")).as_deref(),
            Some(ANSWER),
            "{parameters}"
        );
    }
    let bad = [
        "",
        "level=9",
        "server_no_context_takeover=1",
        "client_no_context_takeover=\"\"",
        "server_no_context_takeover; server_no_context_takeover",
        "client_max_window_bits; client_max_window_bits=10",
        "client_max_window_bits=",
        "client_max_window_bits=7",
        "client_max_window_bits=16",
        "server_max_window_bits",
        "server_max_window_bits=08",
        "server_max_window_bits=+9",
        "server_max_window_bits=9.5",
        "server_max_window_bits=265",
        "server_max_window_bits=\"9",
    ];
    for parameters in bad {
        assert_eq!(answer(&format!("permessage-deflate;{parameters}")), None, "{parameters}");
    }
    for nothing in ["", ",", ";", "deflate-frame", "permessage-deflates", "=\"", "\"permessage-deflate\""] {
        assert_eq!(answer(nothing), None, "{nothing}");
    }
}

#[test]
fn engines_that_keep_a_context_against_their_word_are_left_alone() {
    let mac =
        |version| format!("Mozilla/5.0 (Macintosh; Intel Mac OS X 12_2) Version/{version} Safari/605.1.15");
    let phone = |version| {
        format!(
            "Mozilla/5.0 (iPhone; CPU iPhone OS {version} like Mac OS X) CriOS/96.0 Mobile/15E148 Safari/604.1"
        )
    };
    for broken in [mac("15.0"), mac("15.3"), mac("15.3.1"), phone("15_0"), phone("15_2_1")] {
        assert_eq!(negotiate(["permessage-deflate"], &broken), None, "{broken}");
    }
    let edge = "Mozilla/5.0 (Windows NT 10.0) Chrome/97.0.4692.99 Safari/537.36 Edg/97.0".to_owned();
    for whole in [mac("14.1.2"), mac("15.4"), mac("15.10"), mac("16.0"), phone("15_4"), phone("17_3"), edge] {
        assert_eq!(negotiate(["permessage-deflate"], &whole), deflate(), "{whole}");
    }
}

#[test]
fn the_examples_of_the_rfc() {
    assert_eq!(good(&[raw(0xc1, &HELLO)]), [hello()], "one block");
    assert_eq!(good(&[raw(0x41, &HELLO[..3]), raw(0x80, &HELLO[3..])]), [hello()], "two fragments");
    let stored = [0x00, 0x05, 0x00, 0xfa, 0xff, b'H', b'e', b'l', b'l', b'o', 0x00];
    assert_eq!(good(&[raw(0xc1, &stored)]), [hello()], "a block without compression");
    let last = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
    assert_eq!(good(&[raw(0xc1, &last)]), [hello()], "a last block");
    let two = [0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00];
    assert_eq!(good(&[raw(0xc1, &two)]), [hello()], "two blocks");
    assert_eq!(good(&[raw(0xc2, &[0x00])]), [Event::Binary(Vec::new())], "an empty message");
}

#[test]
fn messages_may_come_plain_and_control_frames_between_fragments() {
    let frames = [
        raw(0x81, b"Hello"),
        raw(0x41, &HELLO[..1]),
        raw(0x89, b"?"),
        raw(0x80, &HELLO[1..]),
        raw(0xc1, &HELLO),
    ];
    assert_eq!(good(&frames), [hello(), Event::Ping(b"?".to_vec()), hello(), hello()]);
}

#[test]
fn only_the_first_frame_of_a_message_says_that_it_is_compressed() {
    assert_eq!(code(&[raw(0x41, &HELLO[..3]), raw(0xc0, &HELLO[3..])].concat()), 1002);
    assert_eq!(code(&[raw(0x01, b"Hel"), raw(0xc0, &HELLO)].concat()), 1002);
    for control in [0xc8, 0xc9, 0xca] {
        assert_eq!(code(&raw(control, b"")), 1002, "{control:x}");
    }
    for other in [0xa1, 0x91, 0xe1, 0xd1, 0xc3] {
        assert_eq!(code(&raw(other, &HELLO)), 1002, "{other:x}");
    }
    let violation = Decoder::new(Role::Server, LIMIT).decode(&mut &raw(0xc1, &HELLO)[..]);
    assert_eq!(violation.map_err(Violation::close_code), Err(1002), "nothing was agreed on");
}

#[test]
fn what_cannot_be_inflated_is_1007() {
    assert_eq!(code(&raw(0xc1, &[])), 1007, "not even an empty block");
    assert_eq!(code(&raw(0xc1, &[0xff; 20])), 1007, "a reserved kind of block");
    for end in 1..HELLO.len() - 1 {
        assert_eq!(code(&raw(0xc1, &HELLO[..end])), 1007, "cut after {end}");
    }
    assert_eq!(code(&raw(0xc1, &[&HELLO[..], b"more"].concat())), 1007);
    assert_eq!(code(&raw(0xc1, &compressed(&mut fresh(6), b"caf\xc3"))), 1007, "text that is not UTF-8");
}

#[test]
fn a_bomb_is_1009() {
    let limit = compressed(&mut fresh(9), &vec![b'a'; LIMIT]);
    assert_eq!(good(&[raw(0xc1, &limit)]), [Event::Text("a".repeat(LIMIT))]);
    for size in [LIMIT + 1, 10 << 20, 50 << 20] {
        let bomb = compressed(&mut fresh(9), &vec![0; size]);
        assert!(bomb.len() < LIMIT, "it would pass as it comes");
        assert_eq!(code(&raw(0xc2, &bomb)), 1009, "{size}");
    }
    assert_eq!(
        code(&raw(0xc2, &vec![0; LIMIT + 1])[..14]),
        1009,
        "above the limit as it comes, at its header"
    );
    // In blocks that each end a stream, the limit is over all of them.
    let last = |size| {
        let mut out = Vec::with_capacity(1000);
        fresh(9).compress_vec(&vec![0; size], &mut out, FlushCompress::Finish).expect("room");
        out
    };
    assert_eq!(code(&raw(0xc2, &[last(LIMIT), last(1), vec![0]].concat())), 1009);
}

#[test]
fn what_was_not_agreed_on_cannot_be_referred_to() {
    // RFC 7692, 7.2.3.2: the second "Hello" of a sender that takes its window over.
    let (events, violation) =
        decode(&[raw(0xc1, &HELLO), raw(0xc1, &[0xf2, 0, 0x11, 0, 0])].concat(), &[100]);
    assert_eq!((events, violation.map(Violation::close_code)), (vec![hello()], Some(1007)));
}

#[test]
fn short_or_random_messages_stay_as_they_are() {
    let mut out = b"before".to_vec();
    assert!(!encode::deflated(&mut out, Opcode::Text, "a".repeat(DEFLATE_BYTES_MIN - 1).as_bytes()));
    let mut seed = 7_u64;
    let random: Vec<u8> = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 56) as u8
    })
    .take(100_000)
    .collect();
    for length in [DEFLATE_BYTES_MIN, 4096, 100_000] {
        assert!(!encode::deflated(&mut out, Opcode::Binary, &random[..length]), "{length}");
    }
    assert_eq!(out, b"before");
    assert!(encode::deflated(&mut out, Opcode::Text, "a".repeat(DEFLATE_BYTES_MIN).as_bytes()));
    assert_eq!(out[6], 0xc1);
    assert!(out.len() < 30);
}

#[test]
fn a_small_window_suffices_for_what_it_takes() {
    for bits in 9..15_u8 {
        let offer = format!("permessage-deflate; server_max_window_bits={bits}");
        let deflate = negotiate([&*offer], "").expect("accepted");
        let length = 1 << bits;
        assert!(deflate.takes(length) && !deflate.takes(length + 1));
        // Its end repeats its beginning, from as far away as can be.
        let mut message: Vec<u8> = (0..length).map(|i| (i * i / 7) as u8).collect();
        message.copy_within(..200, length - 200);
        let mut frame = Vec::new();
        assert!(encode::deflated(&mut frame, Opcode::Binary, &message));
        let payload = if frame[1] == 126 { &frame[4..] } else { &frame[2..] };
        let mut inflated = Vec::with_capacity(length + 1);
        let mut window = Decompress::new_with_window_bits(false, bits);
        let whole = [payload, &[0, 0, 0xff, 0xff]].concat();
        window.decompress_vec(&whole, &mut inflated, FlushDecompress::Sync).expect("inflates");
        assert_eq!(inflated, message, "{bits}");
    }
    for offer in ["permessage-deflate", "permessage-deflate; server_max_window_bits=15"] {
        assert!(negotiate([offer], "").expect("accepted").takes(usize::MAX), "{offer}");
    }
}

/// Text of a kind that compresses, and text of a kind that does not.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,60}",
        "(\\{\"type\":\"message\",\"text\":\"[a-f é🦆]{0,9}\"\\}\n){0,80}",
        "[ab]{400,3000}"
    ]
}

/// One message as a client sends it, compressed at any level, in any fragments.
fn message() -> impl Strategy<Value = (Event, Vec<u8>)> {
    (text(), 0..=9_u32, any::<bool>(), vec(0..200_usize, 0..4)).prop_map(|(text, level, plain, cuts)| {
        let payload =
            if plain { text.clone().into_bytes() } else { compressed(&mut fresh(level), text.as_bytes()) };
        let (mut bytes, mut rest, mut first) = (Vec::new(), &payload[..], if plain { 0x01 } else { 0x41 });
        for cut in cuts {
            let (fragment, tail) = rest.split_at(cut.min(rest.len()));
            bytes.extend(raw(first, fragment));
            (rest, first) = (tail, 0x00);
        }
        bytes.extend(raw(first | 0x80, rest));
        (Event::Text(text), bytes)
    })
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same_messages(messages in vec(message(), 1..6), sizes in vec(1..300_usize, 1..8)) {
        let bytes: Vec<u8> = messages.iter().flat_map(|(_, bytes)| bytes.iter().copied()).collect();
        let events: Vec<Event> = messages.into_iter().map(|(event, _)| event).collect();
        prop_assert_eq!(decode(&bytes, &sizes), (events, None));
    }

    #[test]
    fn what_we_compress_is_what_a_client_reads(texts in vec(text(), 1..6)) {
        let (mut bytes, mut plain_bytes) = (Vec::new(), 0);
        for text in &texts {
            if !encode::deflated(&mut bytes, Opcode::Text, text.as_bytes()) {
                encode::text(&mut bytes, text);
            }
            plain_bytes += text.len() + 10;
        }
        prop_assert!(bytes.len() <= plain_bytes);
        let mut decoder = Decoder::new(Role::Client, LIMIT).with_deflate(deflate());
        let mut input = &bytes[..];
        for text in texts {
            prop_assert_eq!(decoder.decode(&mut input), Ok(Some(Event::Text(text))));
        }
        prop_assert_eq!(decoder.decode(&mut input), Ok(None));
    }

    #[test]
    fn a_context_taken_over_is_read_right_or_refused(texts in vec(text(), 2..6)) {
        let mut compress = fresh(6);
        let bytes: Vec<u8> =
            texts.iter().flat_map(|text| raw(0xc1, &compressed(&mut compress, text.as_bytes()))).collect();
        let (events, violation) = decode(&bytes, &[usize::MAX]);
        let right: Vec<Event> = texts.iter().take(events.len()).cloned().map(Event::Text).collect();
        prop_assert_eq!(&events, &right);
        prop_assert_eq!(violation, (events.len() < texts.len()).then_some(Violation::NotDeflate));
    }

    #[test]
    fn random_payloads_never_panic_and_fail_alike(payload in vec(any::<u8>(), 0..300), sizes in vec(1..20_usize, 1..5)) {
        let bytes = raw(0xc1, &payload);
        prop_assert_eq!(decode(&bytes, &sizes), decode(&bytes, &[usize::MAX]));
    }

    #[test]
    fn random_offers_never_panic(offer in "[a-z_=;,\" 0-9]{0,60}", bits in 0..20_u8) {
        let near = format!("permessage-deflate; server_max_window_bits={bits}{offer}, {offer}");
        for offer in [offer, near] {
            if let Some(answer) = answer(&offer) {
                prop_assert!(answer.starts_with(ANSWER));
            }
        }
    }
}
