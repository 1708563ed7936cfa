//! Reading by WebSocket.

use anyhow::Result;
use wigeon_proto::websocket::{Opcode, encode};

use super::Reader;
use crate::bench::frames::{self, Said};
use crate::bench::link::Link;
use crate::bench::sender::upgrade;

pub(super) async fn read(reader: &Reader) -> Result<()> {
    let one_of_few = reader.world.connecting.acquire().await?;
    let query = reader.query(reader.reading.after.as_deref());
    let request = upgrade(reader.door(), &query, &reader.token()?);
    let (link, _) = Link::open(reader.dial(), &request, 101).await?;
    drop(one_of_few);
    let mut pongs = Vec::new();
    link.again(|bytes| take(reader, bytes, &mut pongs))?;
    loop {
        if !pongs.is_empty() {
            link.write(&std::mem::take(&mut pongs)).await?;
        }
        reader.unless_stalled().await;
        link.read(|bytes| take(reader, bytes, &mut pongs)).await?;
    }
}

fn take(reader: &Reader, bytes: &[u8], pongs: &mut Vec<u8>) -> Result<usize> {
    let mut used = 0;
    while let Some((said, length)) = frames::first(&bytes[used..])? {
        match said {
            Said::Text(text) => reader.take(text)?,
            Said::Ping(payload) => encode::masked(pongs, Opcode::Pong, [0; 4], payload),
            Said::Nothing => {}
        }
        used += length;
    }
    Ok(used)
}
