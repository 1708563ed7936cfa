//! Which addresses this server may fetch from: those of the public internet, and what the operator lists.
//!
//! Whoever may ask for a preview could else make the server knock at doors that only it can reach: the
//! router, the database beside it, the cloud's metadata service. So an address is public only where a
//! registry of IANA says that everybody can reach it, and one that carries another inside (a mapped one, a
//! tunnel's, a translator's) is what that other is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Addresses that begin alike: `10.1.0.0/16`, or one of them alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    prefix_bits: u8,
}

impl Network {
    /// Whether an address is one of these. An IPv4 address is the same in its IPv6 form.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address.to_canonical()) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                begin_alike(first.to_bits().into(), address.to_bits().into(), 32, self.prefix_bits)
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                begin_alike(first.to_bits(), address.to_bits(), 128, self.prefix_bits)
            }
            _ => false,
        }
    }
}

fn begin_alike(one: u128, other: u128, width: u8, bits: u8) -> bool {
    bits == 0 || (one ^ other) >> (width - bits) == 0
}

/// The text names no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write an address, or the first of a network and its bits, like 10.1.2.3, 10.1.0.0/16 or fd00::/8")]
pub struct InvalidNetwork;

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(begin, end)| (begin, Some(end)));
        let first: IpAddr = address.parse().map_err(|_| InvalidNetwork)?;
        let width = if first.is_ipv4() { 32 } else { 128 };
        let prefix_bits = bits.map_or(Ok(width), |bits| bits.parse().map_err(|_| InvalidNetwork))?;
        let network = Self { first, prefix_bits };
        // `10.1.2.3/8` is a slip of somebody who meant less, or more.
        let zeros = match first {
            IpAddr::V4(first) => first.to_bits().trailing_zeros(),
            IpAddr::V6(first) => first.to_bits().trailing_zeros(),
        };
        let whole = prefix_bits <= width && u32::from(width - prefix_bits) <= zeros;
        if whole { Ok(network) } else { Err(InvalidNetwork) }
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix_bits)
    }
}

/// Whether an address is one that everybody on the internet can reach.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// What <https://www.iana.org/assignments/iana-ipv4-special-registry> does not call globally reachable, and
/// what is no single machine's.
const NOT_PUBLIC_V4: &[(Ipv4Addr, u8)] = &[
    (Ipv4Addr::UNSPECIFIED, 8),           // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),      // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),   // behind a provider's translator
    (Ipv4Addr::new(127, 0, 0, 0), 8),     // this machine
    (Ipv4Addr::new(169, 254, 0, 0), 16),  // this cable; also where clouds tell a machine its secrets
    (Ipv4Addr::new(172, 16, 0, 0), 12),   // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),    // for protocols
    (Ipv4Addr::new(192, 0, 2, 0), 24),    // for documents
    (Ipv4Addr::new(192, 88, 99, 0), 24),  // where 6to4 relays were
    (Ipv4Addr::new(192, 168, 0, 0), 16),  // private
    (Ipv4Addr::new(198, 18, 0, 0), 15),   // for benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24), // for documents
    (Ipv4Addr::new(203, 0, 113, 0), 24),  // for documents
    (Ipv4Addr::new(224, 0, 0, 0), 4),     // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),     // reserved, and broadcast
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    let among = |&(first, bits): &(Ipv4Addr, u8)| {
        begin_alike(first.to_bits().into(), address.to_bits().into(), 32, bits)
    };
    !NOT_PUBLIC_V4.iter().any(among)
}

/// Of IPv6 only 2000::/3 has been given out, so what is not in it is not public; of what is, this neither.
const NOT_PUBLIC_V6: &[(Ipv6Addr, u8)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // for protocols, benchmarks, names of hosts
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // for documents
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // for documents
];

fn is_public_v6(address: Ipv6Addr) -> bool {
    let inside = carried(address);
    if !inside.is_empty() {
        return inside.into_iter().all(is_public_v4);
    }
    let within = |first: Ipv6Addr, bits: u8| begin_alike(first.to_bits(), address.to_bits(), 128, bits);
    within(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3)
        && !NOT_PUBLIC_V6.iter().any(|&(first, bits)| within(first, bits))
}

/// The IPv4 addresses that packets to this one reach in the end, on a machine that has the tunnel or translator.
fn carried(address: Ipv6Addr) -> Vec<Ipv4Addr> {
    let of = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        // Mapped, NAT64's well-known prefix (RFC 6052), 6to4 (RFC 3056).
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => vec![of(high, low)],
        // Teredo (RFC 4380): its server, and its client with each bit turned over.
        [0x2001, 0, high, low, _, _, client_high, client_low] => {
            vec![of(high, low), of(!client_high, !client_low)]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_everybody_can_reach_is_public() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2001:4860:4860::8888",
            "2001:200::1",
            "2a00:1450::1",
            "3ffe::1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
            // A Teredo client 8.8.8.8 of the server 1.1.1.1.
            "2001:0:101:101:0:0:f7f7:f7f7",
        ] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn what_is_near_reserved_or_nobodys_is_not_public() {
        for text in [
            "0.0.0.0",
            "0.255.255.255",
            "10.0.0.0",
            "10.255.255.255",
            "100.64.0.0",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.0.1",
            "169.254.169.254",
            "172.16.0.0",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.0",
            "192.168.255.255",
            "198.18.0.0",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.255",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.0",
            "255.255.255.255",
            "::",
            "::1",
            "::8.8.8.8",
            "100::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "3fff::1",
            "3fff:fff::1",
            "2001:2::1",
            "2001:10::1",
            "2001:1ff::1",
            "4000::1",
            "5f00::1",
            "64:ff9b:1::8.8.8.8",
            "::ffff:0:8.8.8.8",
            // Those that carry another.
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::10.0.0.1",
            "64:ff9b::127.0.0.1",
            "2002:7f00:1::1",
            "2002:a00:1::1",
            "2002:c0a8:101::1",
            // Teredo: a client at home, and a server at home.
            "2001:0:101:101:0:0:f5ff:fffe",
            "2001:0:a00:1:0:0:f7f7:f7f7",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn a_network_holds_what_begins_like_it() {
        let network = |text: &str| text.parse::<Network>().unwrap();
        for (text, inside, outside) in [
            ("10.1.0.0/16", "10.1.255.255", "10.2.0.0"),
            ("10.1.2.3", "10.1.2.3", "10.1.2.2"),
            ("10.1.2.3", "::ffff:10.1.2.3", "::10.1.2.3"),
            ("0.0.0.0/0", "255.0.0.1", "::1"),
            ("fd00::/8", "fdff::1", "fc00::1"),
            ("::/0", "fe80::1", "10.0.0.1"),
        ] {
            assert!(network(text).contains(inside.parse().unwrap()), "{inside} in {text}");
            assert!(!network(text).contains(outside.parse().unwrap()), "{outside} in {text}");
        }
        assert_eq!(network("10.1.0.0/16").to_string(), "10.1.0.0/16");
        assert_eq!(network("fd00::1").to_string(), "fd00::1/128");
        for bad in
            ["", "10", "10.0.0.0/33", "10.0.0.1/8", "fd00::/129", "10.0.0.0/", "10.0.0.0/x", "localhost"]
        {
            assert_eq!(bad.parse::<Network>(), Err(InvalidNetwork), "{bad}");
        }
    }
}
