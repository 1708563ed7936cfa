//! The argument of a script frame: `<script …>p({…})`, its end tag already cut off.

use bytes::Bytes;

/// The JSON of a frame; `None` for the page's first script, which only defines what the others call.
pub(super) fn argument(element: &Bytes) -> Option<Bytes> {
    let start = element.windows(7).rposition(|window| window == b"<script")?;
    let body = start + element[start..].iter().position(|byte| *byte == b'>')? + 1;
    let call = element[body..].strip_prefix(b"p(")?;
    let json = call.trim_ascii_end().strip_suffix(b")")?;
    Some(element.slice_ref(json))
}
