//! Properties of the decoder: where the network cuts a stream changes nothing, and nothing makes it panic.

use proptest::collection::vec;
use proptest::prelude::*;
use wigeon_proto::websocket::{Decoder, Event, Opcode, Role, Violation, encode};

const LIMIT: usize = 1 << 16;

/// Feeds `bytes` in pieces of the given sizes, over and over, then reports all that came out.
fn decode(bytes: &[u8], sizes: &[usize]) -> (Vec<Event>, Option<Violation>) {
    let (mut decoder, mut events) = (Decoder::new(Role::Server, LIMIT), Vec::new());
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

/// One message as a client sends it: its event, and its frames with pings between the fragments.
fn message() -> impl Strategy<Value = (Vec<Event>, Vec<u8>)> {
    let text = prop_oneof!["\\PC{0,40}", "[é中🦆]{100,200}"].prop_map(String::into_bytes);
    let content = prop_oneof![(Just(true), text), (Just(false), vec(any::<u8>(), 0..400))];
    (content, vec(0..50usize, 0..4), any::<[u8; 4]>(), any::<bool>()).prop_map(
        |((text, payload), cuts, key, ping)| {
            let (mut bytes, mut events, mut rest) = (Vec::new(), Vec::new(), &payload[..]);
            let mut opcode = if text { Opcode::Text } else { Opcode::Binary };
            for cut in cuts {
                let (fragment, tail) = rest.split_at(cut.min(rest.len()));
                rest = tail;
                let start = bytes.len();
                encode::masked(&mut bytes, opcode, key, fragment);
                bytes[start] &= 0x7f;
                opcode = Opcode::Continuation;
                if ping {
                    encode::masked(&mut bytes, Opcode::Ping, key, b"between");
                    events.push(Event::Ping(b"between".to_vec()));
                }
            }
            encode::masked(&mut bytes, opcode, key, rest);
            events.push(if text {
                Event::Text(String::from_utf8(payload).expect("made from text"))
            } else {
                Event::Binary(payload)
            });
            (events, bytes)
        },
    )
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same_events(messages in vec(message(), 1..6), sizes in vec(1..40usize, 1..8)) {
        let bytes: Vec<u8> = messages.iter().flat_map(|(_, bytes)| bytes.iter().copied()).collect();
        let events: Vec<Event> = messages.into_iter().flat_map(|(events, _)| events).collect();
        prop_assert_eq!(decode(&bytes, &sizes), (events, None));
    }

    #[test]
    fn random_bytes_never_panic_and_fail_alike(bytes in vec(any::<u8>(), 0..300), sizes in vec(1..20usize, 1..5)) {
        // Masked single-byte openings get past the header more often than pure chance does.
        for bytes in [bytes.clone(), [&[0x01, 0x83, 0, 0, 0, 0][..], &bytes].concat()] {
            prop_assert_eq!(decode(&bytes, &sizes), decode(&bytes, &[bytes.len().max(1)]));
        }
    }
}
