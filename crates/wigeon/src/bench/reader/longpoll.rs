//! Reading by long polls: a request for every answer, over one kept connection.

use std::borrow::Cow;

use anyhow::{Context, Result, bail};
use memchr::memmem;
use wigeon_proto::limits::LONG_POLL_S;

use super::Reader;
use crate::bench::chunks::join;
use crate::bench::link::{Body, Head, Link};

pub(super) async fn read(reader: &Reader) -> Result<()> {
    let mut one_of_few = Some(reader.world.connecting.acquire().await?);
    let headers = format!(
        "HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\r\n",
        reader.door().authority,
        reader.token()?
    );
    // Without a cursor the first answer comes at once and brings one.
    let ask = |after: Option<&str>| {
        let wait = after.map(|_| format!("&wait={LONG_POLL_S}")).unwrap_or_default();
        format!("GET /v1/events{}{wait} {headers}", reader.query(after))
    };
    let link = Link::connect(reader.dial()).await?;
    let mut request = ask(reader.reading.after.as_deref());
    loop {
        reader.unless_stalled().await;
        link.write(request.as_bytes()).await?;
        let mut cursor = None;
        while cursor.is_none() {
            link.read(|bytes| {
                let Some((body, used)) = answer(bytes)? else { return Ok(0) };
                reader.take(&body)?;
                cursor = Some(last_cursor(&body)?);
                Ok(used)
            })
            .await?;
        }
        one_of_few.take();
        reader.is_ready();
        request = ask(cursor.as_deref());
    }
}

/// The body of a whole answer, and the length of all of it.
fn answer(bytes: &[u8]) -> Result<Option<(Cow<'_, [u8]>, usize)>> {
    let Some(head) = Head::parse(bytes)? else { return Ok(None) };
    let rest = &bytes[head.bytes..];
    let found = match head.body {
        Body::Length(length) => rest.get(..length).map(|body| (Cow::Borrowed(body), length)),
        Body::Chunked => join(rest)?.map(|(body, used)| (Cow::Owned(body), used)),
        Body::ToTheEnd => bail!("an answer without a length"),
    };
    let Some((body, used)) = found else { return Ok(None) };
    if head.status != 200 {
        bail!("status {}: {}", head.status, String::from_utf8_lossy(&body));
    }
    Ok(Some((body, head.bytes + used)))
}

/// The answer's own cursor, which stands behind those of its frames.
fn last_cursor(body: &[u8]) -> Result<String> {
    const FIELD: &[u8] = b"\"cursor\":\"";
    let at = memmem::rfind(body, FIELD).context("an answer without a cursor")?;
    let text = body[at + FIELD.len()..].split(|byte| *byte == b'"').next().unwrap_or_default();
    Ok(String::from_utf8(text.to_vec())?)
}
