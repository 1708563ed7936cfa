//! Agreeing on `permessage-deflate` (RFC 7692, 7.1): a client's offers in, our answer out.
//!
//! We answer with no context takeover both ways, which a server may do whatever was offered. Then a message is
//! compressed once and the same bytes go to everybody, and an idle connection keeps no window of 32 KiB. The price
//! is that nothing is learnt from one message for the next.

use std::fmt;

const NAME: &str = "permessage-deflate";

/// The window of DEFLATE itself (RFC 1951), and of every offer that names no other.
const WINDOW_BITS_MAX: u8 = 15;

/// An offer that was accepted. Its `Display` is the `Sec-WebSocket-Extensions` of the response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deflate {
    /// The largest window our client can inflate with, if it named one.
    server_max_window_bits: Option<u8>,
}

/// Accepts the first offer we can keep, from the values of all `Sec-WebSocket-Extensions` headers in their order.
/// `None` means that the response carries no such header: an empty one ends Safari's connection.
pub fn negotiate<'a>(offers: impl IntoIterator<Item = &'a str>, user_agent: &str) -> Option<Deflate> {
    if takes_over_regardless(user_agent) {
        return None;
    }
    offers.into_iter().flat_map(|value| split(value, ',')).find_map(accept)
}

impl Deflate {
    /// Whether a message of so many bytes may come compressed. No reference reaches further back than its message
    /// began, so one that fits into the window can be inflated with it, and all clients can share the same bytes.
    pub fn takes(self, message_bytes: usize) -> bool {
        let bits = self.server_max_window_bits.unwrap_or(WINDOW_BITS_MAX);
        bits == WINDOW_BITS_MAX || message_bytes <= 1 << bits
    }
}

impl fmt::Display for Deflate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{NAME}; server_no_context_takeover; client_no_context_takeover")?;
        match self.server_max_window_bits {
            Some(bits) => write!(f, "; server_max_window_bits={bits}"),
            None => Ok(()),
        }
    }
}

/// Reads one offer; `None` where it is of another extension, or has a parameter that is unknown, wrong or repeated.
fn accept(offer: &str) -> Option<Deflate> {
    let mut parts = split(offer, ';');
    if parts.next() != Some(NAME) {
        return None;
    }
    let (mut deflate, mut seen) = (Deflate { server_max_window_bits: None }, Vec::new());
    for parameter in parts {
        let (name, value) = match parameter.split_once('=') {
            Some((name, value)) => (name.trim_end(), Some(unquoted(value.trim_start()))),
            None => (parameter, None),
        };
        if seen.contains(&name) {
            return None;
        }
        seen.push(name);
        match (name, value) {
            (
                "server_no_context_takeover" | "client_no_context_takeover" | "client_max_window_bits",
                None,
            ) => {}
            // We can inflate any window, and need not ask for a smaller one.
            ("client_max_window_bits", Some(value)) if window_bits(value).is_some() => {}
            ("server_max_window_bits", Some(value)) => {
                deflate.server_max_window_bits = Some(window_bits(value)?);
            }
            _ => return None,
        }
    }
    Some(deflate)
}

/// 8 to 15, in decimal, without leading zeros.
fn window_bits(value: &str) -> Option<u8> {
    (8..=WINDOW_BITS_MAX).find(|bits| bits.to_string() == value)
}

fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |c| {
        quoted ^= c == '"';
        c == separator && !quoted
    })
    .map(|part| part.trim_matches([' ', '\t']))
}

fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}

/// Apple's engine of 15.0 to 15.3 agrees to `client_no_context_takeover` and takes over all the same, so that its
/// second message cannot be inflated (uWebSockets issue 1347). On a phone every browser is that engine.
fn takes_over_regardless(user_agent: &str) -> bool {
    let minor_follows = |mark: &str| {
        let minor = user_agent.split_once(mark)?.1;
        minor.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u32>().ok()
    };
    let safari = user_agent.contains(" Safari/").then(|| minor_follows(" Version/15.")).flatten();
    let phone = user_agent.contains(" like Mac OS X").then(|| minor_follows(" OS 15_")).flatten();
    safari.or(phone).is_some_and(|minor| minor <= 3)
}
