//! A WebSocket echo server over the codec and nothing else, for conformance suites.
//!
//! `cargo run --release -p wigeon-proto --example echo -- 127.0.0.1:9001 [plain]`: with `plain` it agrees on no
//! compression. One thread for each connection. What to run against it: docs/websocket-conformance.md.

use std::env::args;
use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use wigeon_proto::websocket::{Decoder, Deflate, Event, Opcode, Role, encode, handshake, negotiate};

/// Autobahn's largest message.
const MESSAGE_BYTES_MAX: usize = 16 << 20;
/// Bytes of a request's head.
const HEAD_BYTES_MAX: u64 = 8192;
/// Bytes read at once.
const READ_BYTES: usize = 64 * 1024;
/// RFC 6455, 7.4.1: all is well.
const NORMAL: u16 = 1000;
/// How long a peer may take to close after us.
const CLOSE_MAX: Duration = Duration::from_secs(1);

fn main() -> io::Result<()> {
    let address = args().nth(1).unwrap_or_else(|| "127.0.0.1:9001".to_owned());
    let may_deflate = args().nth(2).is_none_or(|word| word != "plain");
    for stream in TcpListener::bind(address)?.incoming() {
        let stream = stream?;
        // A connection that fails has nobody left to tell.
        thread::spawn(move || talk(&stream, may_deflate).ok());
    }
    Ok(())
}

fn talk(mut stream: &TcpStream, may_deflate: bool) -> io::Result<()> {
    let mut reader = BufReader::with_capacity(READ_BYTES, stream);
    let head: Vec<String> = (&mut reader)
        .take(HEAD_BYTES_MAX)
        .lines()
        .take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty()))
        .collect::<Result<_, _>>()?;
    let Some(accept) = values(&head, "sec-websocket-key").next().and_then(handshake::accept) else {
        return stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    };
    let user_agent = values(&head, "user-agent").next().unwrap_or_default();
    let offers = values(&head, "sec-websocket-extensions");
    let deflate = may_deflate.then(|| negotiate(offers, user_agent)).flatten();
    let extensions =
        deflate.map(|deflate| format!("Sec-WebSocket-Extensions: {deflate}\r\n")).unwrap_or_default();
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{extensions}\r\n"
    );
    echo(stream, &mut reader, deflate, answer.into_bytes())?;
    // What is still unread would reset the connection under our last bytes.
    stream.shutdown(Shutdown::Write)?;
    stream.set_read_timeout(Some(CLOSE_MAX))?;
    io::copy(&mut reader, &mut io::sink()).map(drop)
}

/// The values of all headers of one name, in their order.
fn values<'a>(head: &'a [String], name: &str) -> impl Iterator<Item = &'a str> {
    let lines = head.iter().filter_map(|line| line.split_once(':'));
    lines.filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// Answers each message with itself and each close with a close; `out` is what is to be written before.
fn echo(
    mut stream: &TcpStream,
    reader: &mut impl BufRead,
    deflate: Option<Deflate>,
    mut out: Vec<u8>,
) -> io::Result<()> {
    let mut decoder = Decoder::new(Role::Server, MESSAGE_BYTES_MAX).with_deflate(deflate);
    let mut open = true;
    while open {
        stream.write_all(&out)?;
        out.clear();
        let mut input = reader.fill_buf()?;
        let length = input.len();
        open = length > 0;
        while open {
            let event = match decoder.decode(&mut input) {
                Ok(Some(event)) => event,
                Ok(None) => break,
                Err(violation) => {
                    encode::close(&mut out, violation.close_code(), "");
                    open = false;
                    break;
                }
            };
            match event {
                Event::Text(text) => message(&mut out, Opcode::Text, text.as_bytes(), deflate),
                Event::Binary(bytes) => message(&mut out, Opcode::Binary, &bytes, deflate),
                Event::Ping(payload) => encode::pong(&mut out, &payload),
                Event::Pong(_) => {}
                Event::Close(close) => {
                    encode::close(&mut out, close.map_or(NORMAL, |close| close.code), "");
                    open = false;
                }
            }
        }
        reader.consume(length);
    }
    stream.write_all(&out)
}

fn message(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8], deflate: Option<Deflate>) {
    let takes = deflate.is_some_and(|deflate| deflate.takes(payload.len()));
    if !(takes && encode::deflated(out, opcode, payload)) {
        encode::header(out, opcode, payload.len());
        out.extend_from_slice(payload);
    }
}
