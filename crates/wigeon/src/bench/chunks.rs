//! Lines out of a response body that has no end, wherever the network and the chunks cut them.

use anyhow::{Context, Result, bail};
use memchr::{memmem, memrchr};

use super::link::Body;

/// The reading half of one stream.
#[derive(Debug)]
pub(super) struct Lines {
    chunked: bool,
    /// Bytes still to come of the chunk under way, without its CRLF.
    left: usize,
    /// Whether a CRLF ends the chunk that was read.
    ending: bool,
    /// A line that is not whole.
    line: Vec<u8>,
}

impl Lines {
    pub(super) fn new(body: Body) -> Self {
        Self { chunked: body == Body::Chunked, left: 0, ending: false, line: Vec::new() }
    }

    /// Gives every run of whole lines to `take`; returns how many bytes of `bytes` were used.
    pub(super) fn feed(&mut self, bytes: &[u8], mut take: impl FnMut(&[u8])) -> Result<usize> {
        if !self.chunked {
            self.lines(bytes, &mut take);
            return Ok(bytes.len());
        }
        let mut used = 0;
        loop {
            let rest = &bytes[used..];
            if self.left > 0 {
                let data = &rest[..rest.len().min(self.left)];
                self.lines(data, &mut take);
                used += data.len();
                self.left -= data.len();
                self.ending = self.left == 0;
                if self.left > 0 {
                    return Ok(used);
                }
            } else if self.ending {
                if rest.len() < 2 {
                    return Ok(used);
                }
                used += 2;
                self.ending = false;
            } else {
                let Some(end) = memmem::find(rest, b"\r\n") else { return Ok(used) };
                self.left = length(&rest[..end]).context("not a chunk of a body")?;
                used += end + 2;
                if self.left == 0 {
                    bail!("the server ended the stream");
                }
            }
        }
    }

    fn lines(&mut self, data: &[u8], take: &mut impl FnMut(&[u8])) {
        let Some(end) = memrchr(b'\n', data) else {
            self.line.extend_from_slice(data);
            return;
        };
        let (whole, begun) = data.split_at(end + 1);
        if self.line.is_empty() {
            take(whole);
        } else {
            self.line.extend_from_slice(whole);
            take(&std::mem::take(&mut self.line));
        }
        self.line.extend_from_slice(begun);
    }
}

/// A chunk's length; extensions after a semicolon are nobody's.
fn length(line: &[u8]) -> Option<usize> {
    let digits = line.split(|byte| *byte == b';').next()?;
    usize::from_str_radix(std::str::from_utf8(digits).ok()?.trim(), 16).ok()
}

/// A whole body that has an end.
pub(super) fn join(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>> {
    let (mut body, mut used) = (Vec::new(), 0);
    loop {
        let rest = &bytes[used..];
        let Some(end) = memmem::find(rest, b"\r\n") else { return Ok(None) };
        let length = length(&rest[..end]).context("not a chunk of a body")?;
        let Some(data) = rest[end + 2..].get(..length + 2) else { return Ok(None) };
        body.extend_from_slice(&data[..length]);
        used += end + 2 + length + 2;
        if length == 0 {
            return Ok(Some((body, used)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "id: 1\ndata: one\n\ndata: two\n\n";

    #[test]
    fn any_cut_by_chunks_and_reads_gives_the_same_lines() {
        for chunk in [1, 3, 7, 100] {
            let framed: Vec<u8> = BODY
                .as_bytes()
                .chunks(chunk)
                .flat_map(|data| [format!("{:x};x=y\r\n", data.len()).as_bytes(), data, b"\r\n"].concat())
                .collect();
            for read in 1..framed.len() {
                let (mut lines, mut found, mut carry) = (Lines::new(Body::Chunked), Vec::new(), Vec::new());
                for bytes in framed.chunks(read) {
                    carry.extend_from_slice(bytes);
                    let used = lines.feed(&carry, |lines| found.extend_from_slice(lines)).unwrap();
                    carry.drain(..used);
                }
                assert_eq!(String::from_utf8_lossy(&found), BODY, "chunks of {chunk} read by {read}");
            }
            let whole = [&framed[..], b"0\r\n\r\nHTTP"].concat();
            assert_eq!(join(&whole).unwrap(), Some((BODY.as_bytes().to_vec(), whole.len() - 4)));
            assert_eq!(join(&framed).unwrap(), None);
        }
        assert!(Lines::new(Body::Chunked).feed(b"0\r\n\r\n", |_| {}).is_err());
        assert!(Lines::new(Body::Chunked).feed(b"zz\r\n", |_| {}).is_err());
    }
}
