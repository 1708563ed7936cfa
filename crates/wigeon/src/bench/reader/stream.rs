//! Reading by Server-Sent Events: one answer without end.

use anyhow::{Result, bail};

use super::Reader;
use crate::bench::chunks::Lines;
use crate::bench::link::Link;

pub(super) async fn read(reader: &Reader) -> Result<()> {
    let one_of_few = reader.world.connecting.acquire().await?;
    let request = format!(
        "GET /v1/events{} HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\nAuthorization: Bearer {}\r\n\r\n",
        reader.query(reader.reading.after.as_deref()),
        reader.door().authority,
        reader.token()?
    );
    let (link, head) = Link::open(reader.dial(), &request, 200).await?;
    drop(one_of_few);
    let mut lines = Lines::new(head.body);
    link.again(|bytes| take(reader, &mut lines, bytes))?;
    loop {
        reader.unless_stalled().await;
        link.read(|bytes| take(reader, &mut lines, bytes)).await?;
    }
}

fn take(reader: &Reader, lines: &mut Lines, bytes: &[u8]) -> Result<usize> {
    let mut bad = None;
    let used = lines.feed(bytes, |lines| bad = bad.take().or(reader.take(lines).err()))?;
    if let Some(error) = bad {
        bail!(error);
    }
    Ok(used)
}
