//! Each framing as the server writes it, read back in every cut.

use super::*;
use wigeon_proto::framing::{Framing, iframe};

const LIMIT: usize = 4096;
const FRAMES: [&str; 3] = [
    r#"{"type":"ready","cursor":"1abcdefgha0"}"#,
    r#"{"type":"message","cursor":"1abcdefgha1","body":{"text":"\u003c/script\u003e ({\"type\":1}) 中文 🦆 \n\n"}}"#,
    r#"{"type":"typing","room":"lobby","user":"bob"}"#,
];

type Maker = fn(usize) -> Parser;

fn framings() -> [(Framing, Maker); 3] {
    let callback = iframe::Callback::parse("parent.on_frame").unwrap();
    let page = iframe::Page::new(iframe::Receiver::Callback(callback), "bm9uY2U").unwrap();
    [(Framing::Sse, Parser::sse), (Framing::Ndjson, Parser::ndjson), (Framing::Iframe(page), Parser::script)]
}

fn written(framing: &Framing, padding: usize) -> Vec<u8> {
    let mut out = Vec::new();
    framing.prelude(&mut out, padding);
    for frame in FRAMES {
        framing.frame(&mut out, Some("1abcdefgha0"), frame.as_bytes());
    }
    out
}

fn read<'a>(mut parser: Parser, chunks: impl Iterator<Item = &'a [u8]>) -> Result<Vec<String>, BadStream> {
    let mut frames = VecDeque::new();
    for chunk in chunks {
        parser.feed(chunk, &mut frames)?;
    }
    Ok(frames.iter().map(|frame| String::from_utf8(frame.raw.to_vec()).unwrap()).collect())
}

#[test]
fn any_cut_gives_the_same_frames() {
    for (framing, parser) in framings() {
        let bytes = written(&framing, 100);
        for size in 1..=bytes.len() {
            assert_eq!(read(parser(LIMIT), bytes.chunks(size)).unwrap(), FRAMES, "{framing:?} by {size}");
        }
    }
}

#[test]
fn a_frame_that_is_cut_off_is_not_a_frame() {
    for (framing, parser) in framings() {
        let bytes = written(&framing, 0);
        for missing in 3..20 {
            let cut = &bytes[..bytes.len() - missing];
            assert_eq!(
                read(parser(LIMIT), [cut].into_iter()).unwrap(),
                FRAMES[..2],
                "{framing:?} -{missing}"
            );
        }
    }
}

#[test]
fn a_frame_without_end_is_refused_and_not_collected() {
    for (framing, parser) in framings() {
        let mut bytes = written(&framing, 0);
        bytes.resize(3 * LIMIT, b'x');
        assert!(matches!(read(parser(LIMIT), bytes.chunks(100)), Err(BadStream::TooLarge)), "{framing:?}");
    }
}

#[test]
fn a_frame_that_is_not_json_is_refused() {
    for bytes in [&b"data: {\n\n"[..], b"data: {}\ndata: {}\n\n"] {
        assert!(matches!(read(Parser::sse(LIMIT), [bytes].into_iter()), Err(BadStream::NotJson(_))));
    }
    assert!(matches!(read(Parser::ndjson(LIMIT), [&b"{]\n"[..]].into_iter()), Err(BadStream::NotJson(_))));
}

#[test]
fn sse_takes_carriage_returns_comments_and_split_data() {
    let bytes = b": hello\r\nretry: 5\r\n\r\nid\r\ndata:{\r\ndata: \"a\":1}\r\n\r\ndata:\n\n";
    assert_eq!(read(Parser::sse(LIMIT), [&bytes[..]].into_iter()).unwrap(), ["{\n\"a\":1}"]);
}
