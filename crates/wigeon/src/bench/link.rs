//! One connection of the driver: a request out, an answer's head in, then bytes.
//!
//! HTTP by hand, because ten thousand connections of a whole client would cost more than what they measure.
//! There is one read buffer for all of them; a connection keeps only what came in half.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use anyhow::{Context as _, Result, bail, ensure};
use memchr::memmem;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::limits::{CARRY_BYTES_MAX, CONNECT, CONNECTIONS_PER_SOURCE, READ_BYTES};

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES]);
}

/// Where to and how.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dial {
    pub(super) to: SocketAddr,
    /// Which connection of the run this is; from it follows the address it comes from.
    pub(super) number: usize,
    /// Bytes of the kernel's receive buffer, where it matters.
    pub(super) receive_buffer: Option<u32>,
}

#[derive(Debug)]
pub(super) struct Link {
    /// Borrowed while it is polled, and never while something waits.
    stream: RefCell<TcpStream>,
    carry: RefCell<Vec<u8>>,
}

/// The head of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: u16,
    /// Bytes of the head itself.
    pub(super) bytes: usize,
    pub(super) body: Body,
}

/// How the end of the body is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    Length(usize),
    Chunked,
    ToTheEnd,
}

impl Head {
    /// Reads a head; `None` while it is not all there.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<Self>> {
        let Some(end) = memmem::find(bytes, b"\r\n\r\n") else { return Ok(None) };
        let text = std::str::from_utf8(&bytes[..end]).context("an answer's head that is not text")?;
        let mut lines = text.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let mut body = Body::ToTheEnd;
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            if name.eq_ignore_ascii_case("content-length") {
                body = Body::Length(value.trim().parse().context("a length that is no number")?);
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                body = Body::Chunked;
            }
        }
        Ok(Some(Self { status: status.context("an answer that is not HTTP")?, bytes: end + 4, body }))
    }
}

impl Link {
    /// Connects, asks, and reads the head of the answer, which must have this status.
    pub(super) async fn open(dial: Dial, request: &str, status: u16) -> Result<(Self, Head)> {
        let open = async {
            let link = Self::connect(dial).await?;
            link.write(request.as_bytes()).await?;
            let mut head = None;
            while head.is_none() {
                link.read(|bytes| {
                    head = Head::parse(bytes)?;
                    // A refusal's body stays, to be quoted.
                    Ok(head.map_or(0, |head| if head.status == status { head.bytes } else { 0 }))
                })
                .await?;
            }
            let head = head.context("no head")?;
            if head.status != status {
                let carry = link.carry.borrow();
                bail!("status {}: {}", head.status, reason(carry.get(head.bytes..).unwrap_or_default()));
            }
            Ok((link, head))
        };
        timeout(CONNECT, open).await.unwrap_or_else(|_| bail!("no answer within {} s", CONNECT.as_secs()))
    }

    /// Connects, and says nothing yet.
    pub(super) async fn connect(dial: Dial) -> Result<Self> {
        let stream = timeout(CONNECT, connect(dial)).await.context("no connection in time")??;
        Ok(Self { stream: RefCell::new(stream), carry: RefCell::default() })
    }

    /// Waits for bytes and shows all that are there; `take` says how many it needs no more.
    ///
    /// Cancel-safe: nothing is read before `take` is called, and it is called without waiting.
    pub(super) async fn read(&self, take: impl FnOnce(&[u8]) -> Result<usize>) -> Result<()> {
        // Not `readable` and `try_read`: those ask the kernel a second time after each delivery, to hear that
        // there is nothing more, where `poll_read` knows it from a buffer that was not filled.
        let poll = |cx: &mut Context<'_>, scratch: &mut Vec<u8>| {
            let mut buffer = ReadBuf::new(scratch);
            let read = ready!(Pin::new(&mut *self.stream.borrow_mut()).poll_read(cx, &mut buffer));
            Poll::Ready(read.map(|()| buffer.filled().len()))
        };
        let length = poll_fn(|cx| SCRATCH.with_borrow_mut(|scratch| poll(cx, scratch))).await?;
        ensure!(length > 0, "the server closed the connection");
        SCRATCH.with_borrow(|scratch| self.show(&scratch[..length], take))
    }

    /// Shows again what was not taken, without waiting.
    pub(super) fn again(&self, take: impl FnOnce(&[u8]) -> Result<usize>) -> Result<()> {
        if self.carry.borrow().is_empty() { Ok(()) } else { self.show(&[], take) }
    }

    fn show(&self, fresh: &[u8], take: impl FnOnce(&[u8]) -> Result<usize>) -> Result<()> {
        let mut carry = self.carry.borrow_mut();
        if carry.is_empty() {
            let taken = take(fresh)?;
            carry.extend_from_slice(&fresh[taken..]);
            return Ok(());
        }
        if carry.len() + fresh.len() > CARRY_BYTES_MAX {
            bail!("an answer or a frame above {CARRY_BYTES_MAX} bytes");
        }
        carry.extend_from_slice(fresh);
        let taken = take(&carry)?;
        if taken == carry.len() {
            // Given back: most connections hold nothing most of the time.
            *carry = Vec::new();
        } else {
            carry.drain(..taken);
        }
        Ok(())
    }

    pub(super) async fn write(&self, bytes: &[u8]) -> Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.try_write(rest)? {
                0 => self.writable().await?,
                length => rest = &rest[length..],
            }
        }
        Ok(())
    }

    /// Writes what the socket takes at once; how much that was.
    pub(super) fn try_write(&self, bytes: &[u8]) -> Result<usize> {
        match self.stream.borrow().try_write(bytes) {
            Ok(length) => Ok(length),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until the socket takes something.
    pub(super) async fn writable(&self) -> Result<()> {
        Ok(poll_fn(|cx| self.stream.borrow().poll_write_ready(cx)).await?)
    }
}

async fn connect(dial: Dial) -> Result<TcpStream> {
    let socket = if dial.to.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if let Some(bytes) = dial.receive_buffer {
        socket.set_recv_buffer_size(bytes)?;
    }
    let source = dial.number / CONNECTIONS_PER_SOURCE;
    if source > 0 && dial.to.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST) {
        // All of 127.0.0.0/8 is this machine, and each address has ports of its own.
        socket.bind(SocketAddr::new(Ipv4Addr::new(127, 0, 0, 1 + source as u8).into(), 0))?;
    }
    let stream = socket.connect(dial.to).await.with_context(|| format!("cannot reach {}", dial.to))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// What a refusal's body says, in one line.
fn reason(body: &[u8]) -> String {
    let problem: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let field = |name: &str| problem[name].as_str();
    let words = field("detail").or(field("message")).or(field("title")).map(str::to_owned);
    words.unwrap_or_else(|| String::from_utf8_lossy(&body[..body.len().min(200)]).replace(['\r', '\n'], " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_says_how_its_body_ends() {
        let parse = |text: &str| Head::parse(text.as_bytes());
        let head = |body| Some(Head { status: 200, bytes: 0, body });
        let ok = "HTTP/1.1 200 OK\r\n";
        for (rest, body) in [
            ("Content-Length: 12\r\n\r\n", Body::Length(12)),
            ("transfer-encoding: chunked\r\nx: y\r\n\r\n", Body::Chunked),
            ("\r\n", Body::ToTheEnd),
        ] {
            let found = parse(&format!("{ok}{rest}")).unwrap().map(|head| Head { bytes: 0, ..head });
            assert_eq!(found, head(body), "{rest}");
        }
        assert_eq!(parse("HTTP/1.1 200 OK\r\nx: y\r\n").unwrap(), None);
        assert!(parse("SSH-2.0-x\r\n\r\n").is_err());
        assert!(parse("HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n").is_err());
    }
}
