//! The whole body of a poll, a long poll or JSONP.

use crate::{Error, Frame};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// What was after the cursor.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The frames, in order.
    pub frames: Vec<Frame>,
    /// Where to go on.
    pub cursor: String,
    /// Whether to go on at once.
    pub more: bool,
    /// The next ticket.
    pub ticket: Option<String>,
    /// Rooms that cannot be watched.
    pub unavailable: Vec<String>,
}

/// Reads an answer; the frames' bytes are slices of the body.
pub(crate) fn parse(body: &Bytes) -> Result<Answer, Error> {
    #[derive(Deserialize)]
    struct Wire<'a> {
        #[serde(borrow)]
        frames: Vec<&'a RawValue>,
        cursor: String,
        more: bool,
        #[serde(default)]
        ticket: Value,
        #[serde(default)]
        unavailable: Vec<String>,
    }
    let Ok(wire) = serde_json::from_slice::<Wire<'_>>(body) else {
        return Err(crate::http::refusal(200, body));
    };
    let frames = wire.frames.iter().map(|raw| Frame::parse(body.slice_ref(raw.get().as_bytes())));
    Ok(Answer {
        frames: frames.collect::<Result<_, _>>()?,
        cursor: wire.cursor,
        more: wire.more,
        ticket: wire.ticket["ticket"].as_str().map(str::to_owned),
        unavailable: wire.unavailable,
    })
}

/// What a JSONP answer calls back with.
pub(crate) fn unwrap_jsonp(body: &Bytes, callback: &str) -> Result<Bytes, Error> {
    let call = body.strip_prefix(b"/**/").and_then(|rest| rest.strip_prefix(callback.as_bytes()));
    let json = call.and_then(|call| call.strip_prefix(b"(")).and_then(|call| {
        let call = call.trim_ascii_end();
        call.strip_suffix(b");").or(call.strip_suffix(b")"))
    });
    json.map(|json| body.slice_ref(json))
        .ok_or_else(|| Error::Protocol("not a call of the callback".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wigeon_proto::framing::{jsonp, poll};

    const FRAMES: [&str; 3] = [
        r#"{"type":"ready","cursor":"1abcdefgha0"}"#,
        r#"{"type":"message","cursor":"1abcdefgha1","body":{"text":"\u003c/script\u003e ({\"type\":1})"}}"#,
        r#"{"type":"typing","room":"lobby","user":"bob"}"#,
    ];

    #[test]
    fn an_answer_is_read_with_its_raw_frames() {
        let mut answer = poll::Answer::default();
        for frame in FRAMES {
            answer.push(frame.as_bytes());
        }
        let tail = poll::Tail {
            cursor: "1abcdefgha1",
            more: true,
            ticket: Some(("t", 600)),
            unavailable: &["secret"],
        };
        let body = answer.finish(tail);
        let call = Bytes::from(jsonp::wrap(&jsonp::Callback::parse("f").unwrap(), &body));
        let unwrapped = unwrap_jsonp(&call, "f").unwrap();
        assert_eq!(unwrapped, body);
        let answer = parse(&unwrapped).unwrap();
        assert!(answer.frames.iter().zip(FRAMES).all(|(frame, raw)| frame.raw == raw));
        assert_eq!((answer.cursor.as_str(), answer.more, answer.frames.len()), ("1abcdefgha1", true, 3));
        assert_eq!(answer.ticket.as_deref(), Some("t"));
        assert_eq!(answer.unavailable, ["secret"]);
    }

    #[test]
    fn an_answer_may_be_an_error() {
        let body = Bytes::from_static(br#"{"error":{"code":"unauthenticated","message":"no"}}"#);
        assert!(matches!(parse(&body), Err(crate::Error::Refused { .. })));
        for body in ["/**/g({})", "f({});", "/**/f({}", ""] {
            assert!(unwrap_jsonp(&Bytes::from(body), "f").is_err(), "{body}");
        }
    }
}
