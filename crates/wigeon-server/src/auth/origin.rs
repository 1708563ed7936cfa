//! Which pages may talk to us, and under which names we answer.
//!
//! Two questions, asked of every request before anything else. *Host*: was it meant for us? A page can
//! point its own domain at our address (DNS rebinding); its requests then carry that domain as `Host`, and
//! get 421. *Origin*: does the page that sent it belong to us or to the allow-list? Origins are compared
//! whole: scheme, host and port. No reading of the rules here ever looks at a prefix or a suffix.

use std::net::SocketAddr;

use http::HeaderMap;

use super::site::{HostName, InvalidOrigin, Origin, Site, origin_of_url, parse_authority};

/// A `Host` that we answer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    name: HostName,
    port: Option<u16>,
    of: HostOf,
}

impl Host {
    /// Whether a page from here may have come by TLS: a proxy did it, and told us of it by a public URL.
    pub fn may_be_secure(&self) -> bool {
        matches!(self.of, HostOf::PublicUrl { is_https: true })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HostOf {
    Loopback,
    ListenAddress,
    PublicUrl { is_https: bool },
}

/// The request was not meant for us: 421.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this server does not answer to that host name; name it with --public-url")]
pub struct Misdirected;

/// The page may not talk to us: 403, without CORS headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this origin is not allowed; list it with --allow-origin")]
pub struct ForbiddenOrigin;

/// Where a request comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// A page of ours.
    SameOrigin(Origin),
    /// A page of the allow-list, or of ours under another of our names: answered with CORS headers.
    Listed(Origin),
    /// Only `Referer` speaks, and of a page that is neither: a link from anywhere, or a script tag.
    Unlisted(Origin),
    /// Nothing says: a program, or a page that hides it.
    Unknown,
}

impl Verdict {
    /// The page's origin, for binding and comparing tickets.
    pub fn origin(&self) -> Option<&Origin> {
        match self {
            Self::SameOrigin(origin) | Self::Listed(origin) | Self::Unlisted(origin) => Some(origin),
            Self::Unknown => None,
        }
    }

    /// True for a page that is known and allowed: what JSONP asks for.
    pub fn is_trusted(&self) -> bool {
        matches!(self, Self::SameOrigin(_) | Self::Listed(_))
    }
}

/// The names we answer to and the origins we trust.
#[derive(Debug, Clone)]
pub struct OriginPolicy {
    listen: Vec<SocketAddr>,
    public: Vec<Site>,
    allowed: Vec<Origin>,
}

impl OriginPolicy {
    /// Takes the addresses as bound, and the configured `public_urls` and `allow_origins`.
    pub fn new(
        listen: &[SocketAddr],
        public_urls: &[String],
        allow_origins: &[String],
    ) -> Result<Self, InvalidOrigin> {
        Ok(Self {
            listen: listen.iter().map(|address| canonical(*address)).collect(),
            public: public_urls.iter().map(|url| Site::parse_public_url(url)).collect::<Result<_, _>>()?,
            allowed: allow_origins.iter().map(|text| Origin::parse(text)).collect::<Result<_, _>>()?,
        })
    }

    /// Judges the `Host` of a request that arrived at the address `local`.
    ///
    /// Accepted are `localhost` and loopback addresses (with any port, so that forwarded ports work: a
    /// browser never lets a page choose them), an address and port we listen on, and the host of a public
    /// URL, with its port or none, as proxies often drop it. `local` counts as an address we listen on:
    /// this is what a listener on `0.0.0.0` stands for.
    pub fn check_host(&self, host: Option<&str>, local: SocketAddr) -> Result<Host, Misdirected> {
        let (name, port) = parse_authority(host.ok_or(Misdirected)?).ok_or(Misdirected)?;
        let at =
            |address: SocketAddr| name == HostName::Ip(address.ip()) && port.unwrap_or(80) == address.port();
        let of = if name.is_loopback() {
            HostOf::Loopback
        } else if at(canonical(local)) || self.listen.iter().any(|address| at(*address)) {
            HostOf::ListenAddress
        } else {
            let named = || self.public.iter().filter(|site| site.is_at(&name, port));
            named().next().ok_or(Misdirected)?;
            HostOf::PublicUrl { is_https: named().any(|site| site.scheme == "https") }
        };
        Ok(Host { name, port, of })
    }

    /// Judges where a request to `host` comes from.
    ///
    /// An `Origin` that is neither ours nor listed is refused. Without one, `Referer` says who asks but
    /// refuses nobody: a link from another site is not an attack.
    pub fn judge(
        &self,
        origin: Option<&str>,
        host: &Host,
        referer: Option<&str>,
    ) -> Result<Verdict, ForbiddenOrigin> {
        if let Some(text) = origin {
            let origin = Origin::parse(text).map_err(|_| ForbiddenOrigin)?;
            return self.trust(origin, host).map_err(|_| ForbiddenOrigin);
        }
        let Some(origin) = referer.and_then(origin_of_url) else { return Ok(Verdict::Unknown) };
        Ok(self.trust(origin, host).unwrap_or_else(Verdict::Unlisted))
    }

    /// The sites that are trusted besides the one asked, as a page's policy lists them.
    pub fn sites(&self) -> Vec<String> {
        let allowed = self.allowed.iter().filter_map(|origin| match origin {
            Origin::Site(site) => Some(site),
            Origin::Null => None,
        });
        self.public.iter().chain(allowed).map(Site::to_string).collect()
    }

    /// Gives the origin back when it is not trusted.
    fn trust(&self, origin: Origin, host: &Host) -> Result<Verdict, Origin> {
        if let Origin::Site(site) = &origin {
            // Where a public URL names the host, it alone says what the scheme is: we cannot see whether
            // the proxy was reached by TLS.
            let plain = site.scheme == "http" && site.is_at(&host.name, Some(host.port.unwrap_or(80)));
            if plain && !matches!(host.of, HostOf::PublicUrl { .. }) {
                return Ok(Verdict::SameOrigin(origin));
            }
            if self.public.contains(site) {
                let here = site.is_at(&host.name, host.port);
                return Ok(if here { Verdict::SameOrigin(origin) } else { Verdict::Listed(origin) });
            }
        }
        if self.allowed.contains(&origin) { Ok(Verdict::Listed(origin)) } else { Err(origin) }
    }
}

/// True when nobody but this machine can have sent the request: it arrived on a loopback address, asks
/// for a loopback host, and no proxy left a mark. A proxy on this machine that passes `Host: localhost`
/// and adds no header at all cannot be told from a person at the keyboard.
pub fn is_direct_loopback(local: SocketAddr, host: &Host, headers: &HeaderMap) -> bool {
    let from_proxy =
        |name: &str| matches!(name, "forwarded" | "via" | "x-real-ip") || name.starts_with("x-forwarded-");
    local.ip().to_canonical().is_loopback()
        && host.of == HostOf::Loopback
        && !headers.keys().any(|name| from_proxy(name.as_str()))
}

/// `::ffff:192.0.2.1` is how a listener on `[::]` sees `192.0.2.1`.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    const LOCAL: &str = "127.0.0.1:8088";

    fn policy(listen: &[&str], public: &[&str], allow: &[&str]) -> OriginPolicy {
        let listen: Vec<SocketAddr> = listen.iter().map(|text| text.parse().unwrap()).collect();
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        OriginPolicy::new(&listen, &owned(public), &owned(allow)).unwrap()
    }

    fn host(policy: &OriginPolicy, host: &str) -> Host {
        policy.check_host(Some(host), LOCAL.parse().unwrap()).unwrap()
    }

    fn judge(policy: &OriginPolicy, origin: &str, at: &str) -> Result<Verdict, ForbiddenOrigin> {
        policy.judge(Some(origin), &host(policy, at), None)
    }

    fn same(origin: &str) -> Verdict {
        Verdict::SameOrigin(Origin::parse(origin).unwrap())
    }

    fn listed(origin: &str) -> Verdict {
        Verdict::Listed(Origin::parse(origin).unwrap())
    }

    #[test]
    fn a_page_that_points_its_own_domain_at_us_is_misdirected() {
        let policy = policy(&[LOCAL], &["https://chat.example"], &["https://app.example"]);
        let local = LOCAL.parse().unwrap();
        for good in [
            "localhost",
            "LocalHost:9000",
            "127.0.0.1:8088",
            "127.9.9.9",
            "[::1]:8088",
            "chat.example:443",
            "Chat.Example",
        ] {
            assert!(policy.check_host(Some(good), local).is_ok(), "{good}");
        }
        for bad in [
            "evil.example",
            "app.example",
            "chat.example.evil.example",
            "evilchat.example",
            "chat.example:8088",
            "chat.example.",
            "x.localhost",
            "192.0.2.1:8088",
            "10.0.0.1",
            "user@localhost",
            "localhost:80:80",
            "localhost:",
            "localhost:+80",
            "localhost:99999",
            "[::1",
            "[::1]80",
            "::1",
            "",
            " localhost",
            "localhost/",
        ] {
            assert_eq!(policy.check_host(Some(bad), local), Err(Misdirected), "{bad}");
        }
        assert_eq!(policy.check_host(None, local), Err(Misdirected));
    }

    #[test]
    fn a_wildcard_listener_answers_to_the_address_that_was_reached() {
        let policy = policy(&["0.0.0.0:8088", "[::]:8089"], &[], &[]);
        let at = |host: &str, local: &str| policy.check_host(Some(host), local.parse().unwrap()).is_ok();
        assert!(at("192.0.2.7:8088", "192.0.2.7:8088"));
        assert!(at("192.0.2.7:8089", "[::ffff:192.0.2.7]:8089"));
        assert!(at("[2001:DB8::7]:8089", "[2001:db8::7]:8089"));
        assert!(!at("192.0.2.8:8088", "192.0.2.7:8088"));
        assert!(!at("192.0.2.7:9999", "192.0.2.7:8088"));
        assert!(!at("192.0.2.7", "192.0.2.7:8088"));
        assert!(at("192.0.2.7", "192.0.2.7:80"));
        assert!(!at("0.0.0.0:8089", "192.0.2.7:8088"));
    }

    #[test]
    fn every_address_we_listen_on_is_ours_whichever_was_reached() {
        let policy = policy(&[LOCAL, "192.0.2.7:8088"], &[], &[]);
        assert!(policy.check_host(Some("192.0.2.7:8088"), LOCAL.parse().unwrap()).is_ok());
    }

    #[test]
    fn a_page_is_of_our_origin_when_it_came_from_the_host_it_asks() {
        let policy = policy(&[LOCAL], &[], &[]);
        assert_eq!(judge(&policy, "http://127.0.0.1:8088", LOCAL), Ok(same("http://127.0.0.1:8088")));
        assert_eq!(judge(&policy, "http://localhost", "localhost:80"), Ok(same("http://localhost")));
        assert_eq!(judge(&policy, "http://localhost:80", "localhost"), Ok(same("http://localhost")));
        assert_eq!(
            judge(&policy, "HTTP://LOCALHOST:8088", "localhost:8088"),
            Ok(same("http://localhost:8088"))
        );
        assert_eq!(judge(&policy, "http://[::1]:8088", "[0:0::1]:8088"), Ok(same("http://[::1]:8088")));
        for other in [
            "https://127.0.0.1:8088",
            "http://127.0.0.1:8089",
            "http://127.0.0.1",
            "http://localhost:8088",
            "http://127.0.0.1.evil.example:8088",
            "http://127.0.0.1:8088.evil.example",
            "http://evil@127.0.0.1:8088",
            "http://127.0.0.1:8088/",
            "http://",
            "//127.0.0.1:8088",
            "null",
            "",
            "*",
        ] {
            assert_eq!(judge(&policy, other, LOCAL), Err(ForbiddenOrigin), "{other}");
        }
    }

    #[test]
    fn behind_a_proxy_the_public_url_says_what_our_origin_is() {
        let policy = policy(&[LOCAL], &["https://chat.example/", "https://chat.example:8443"], &[]);
        assert_eq!(judge(&policy, "https://chat.example", "chat.example"), Ok(same("https://chat.example")));
        assert_eq!(
            judge(&policy, "https://chat.example:8443", "chat.example"),
            Ok(same("https://chat.example:8443"))
        );
        assert_eq!(
            judge(&policy, "https://chat.example:443", "chat.example:443"),
            Ok(same("https://chat.example"))
        );
        // Another of our names, or a proxy that rewrites Host: trusted, and CORS headers do no harm.
        assert_eq!(
            judge(&policy, "https://chat.example", "chat.example:8443"),
            Ok(listed("https://chat.example"))
        );
        assert_eq!(judge(&policy, "https://chat.example", LOCAL), Ok(listed("https://chat.example")));
        // The page came over plain HTTP, where anybody on the way could have written it.
        assert_eq!(judge(&policy, "http://chat.example", "chat.example"), Err(ForbiddenOrigin));
        assert_eq!(judge(&policy, "http://chat.example:443", "chat.example:443"), Err(ForbiddenOrigin));
    }

    #[test]
    fn listed_origins_are_compared_whole() {
        let allow = ["https://App.Example:443", "http://[2001:DB8::1]:3000", "chrome-extension://abcdef"];
        let policy = policy(&[LOCAL], &[], &allow);
        for good in ["https://app.example", "http://[2001:db8:0::1]:3000", "chrome-extension://abcdef"] {
            assert_eq!(judge(&policy, good, LOCAL), Ok(listed(good)));
        }
        assert_eq!(Origin::parse(allow[0]).unwrap().to_string(), "https://app.example");
        assert_eq!(Origin::parse(allow[1]).unwrap().to_string(), "http://[2001:db8::1]:3000");
        for bad in [
            "http://app.example",
            "https://app.example:444",
            "https://app.example.evil.example",
            "https://evil-app.example",
            "https://sub.app.example",
            "https://app.example@evil.example",
            "https://evil.example/https://app.example",
            "null",
        ] {
            assert_eq!(judge(&policy, bad, LOCAL), Err(ForbiddenOrigin), "{bad}");
        }
    }

    #[test]
    fn null_is_allowed_only_when_listed() {
        let policy = policy(&[LOCAL], &[], &["null"]);
        assert_eq!(judge(&policy, "null", LOCAL), Ok(Verdict::Listed(Origin::Null)));
        assert_eq!(Origin::Null.to_string(), "null");
    }

    #[test]
    fn without_an_origin_the_referer_says_who_asks_and_refuses_nobody() {
        let policy = policy(&[LOCAL], &[], &["https://app.example"]);
        let here = host(&policy, LOCAL);
        let judge = |referer| policy.judge(None, &here, referer).unwrap();
        let site = |text: &str| Origin::parse(text).unwrap();
        assert_eq!(
            judge(Some("http://127.0.0.1:8088/lab?x=1")),
            Verdict::SameOrigin(site("http://127.0.0.1:8088"))
        );
        assert_eq!(judge(Some("https://app.example?x://y/")), Verdict::Listed(site("https://app.example")));
        assert_eq!(
            judge(Some("https://evil.example/#http://127.0.0.1:8088")),
            Verdict::Unlisted(site("https://evil.example"))
        );
        for nothing in [None, Some(""), Some("about:blank"), Some("https://app.example@evil.example/")] {
            assert_eq!(judge(nothing), Verdict::Unknown, "{nothing:?}");
        }
        assert!(judge(Some("https://app.example/")).is_trusted());
        assert!(!judge(Some("https://evil.example/")).is_trusted());
        assert!(!judge(None).is_trusted());
        // An Origin settles it, whatever the Referer claims.
        let claimed = Some("http://127.0.0.1:8088/");
        assert_eq!(policy.judge(Some("https://evil.example"), &here, claimed), Err(ForbiddenOrigin));
    }

    #[test]
    fn guests_by_themselves_come_only_from_this_machine() {
        let policy = policy(&[LOCAL, "192.0.2.7:8088"], &["https://chat.example"], &[]);
        let direct = |local: &str, at: &str, header: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            if let Some(name) = header {
                headers.insert(HeaderName::from_static(name), "x".parse().unwrap());
            }
            is_direct_loopback(local.parse().unwrap(), &host(&policy, at), &headers)
        };
        assert!(direct(LOCAL, LOCAL, None));
        assert!(direct("[::1]:8088", "localhost:9000", Some("accept")));
        assert!(direct("[::ffff:127.0.0.1]:8088", "localhost:8088", None));
        assert!(!direct("192.0.2.7:8088", LOCAL, None));
        assert!(!direct(LOCAL, "chat.example", None));
        assert!(!direct(LOCAL, "192.0.2.7:8088", None));
        for mark in ["forwarded", "x-forwarded-for", "x-forwarded-proto", "x-real-ip", "via"] {
            assert!(!direct(LOCAL, LOCAL, Some(mark)), "{mark}");
        }
    }
}
