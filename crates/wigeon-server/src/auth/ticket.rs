//! Tickets: short-lived credentials for a URL, where a page cannot set a header.
//!
//! `t1.<payload>.<mac>`: the server keeps nothing, so that any node can take one, and a ticket may be used
//! any number of times while it lives, because streams and polls come back dozens of times a minute. What
//! makes it safe to see in a proxy's log is that it lives ten minutes, only opens `/v1/events`,
//! `/v1/commands` and `/sockjs`, and is bound to the origin that asked for it.
//!
//! A ticket and its renewals are a family, which ends with the token it came from, or when it is revoked.
//! Only a living ticket can be renewed; so a revocation must be remembered for one ticket's life only.

use std::collections::HashMap;
use std::sync::Mutex;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use wigeon_proto::id::UserId;
use wigeon_proto::limits::TICKET_S;

use super::{AuthError, Claims, Origin, Role, Secret};

/// The text's first part, authenticated with the rest: a later form has another.
const VERSION: &str = "t1";
/// Longer than any we make: a name and an origin fit many times.
const TICKET_BYTES_MAX: usize = 4096;
/// Revoked families remembered at once, each for ten minutes: some hundred bytes each.
const REVOKED_MAX: usize = 10_000;

/// What a valid ticket says. It signs the bearer in as a plain user, never as a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// The user.
    #[serde(rename = "u")]
    pub user: UserId,
    /// The name that the token brought.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The origin that asked for it; none when a program did that sends no `Origin`.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// What this ticket and its renewals have in common.
    #[serde(rename = "f")]
    pub family: String,
    /// When it was made, in milliseconds.
    #[serde(rename = "i")]
    pub issued_at: u64,
    /// When it ends.
    #[serde(rename = "e")]
    pub expires_at: u64,
    /// When the token ends: no renewal lives longer.
    #[serde(rename = "x")]
    pub not_after: u64,
}

/// A new ticket, as a text and as what it says.
#[derive(Debug, Clone)]
pub struct Minted {
    /// For the `ticket=` parameter.
    pub text: String,
    /// Seconds from now, rounded down.
    pub expires_in: u64,
    /// The same, as [`Tickets::verify`] would return it.
    pub ticket: Ticket,
}

/// Makes and verifies tickets, and knows which were revoked on this node since it started.
pub struct Tickets {
    key: Hmac<Sha256>,
    revoked: Mutex<Revoked>,
}

impl Tickets {
    /// The key that follows from the secret.
    pub fn new(secret: &Secret) -> Self {
        let key = Hmac::new_from_slice(&secret.derive("ticket")).expect("HMAC takes a key of any length");
        Self { key, revoked: Mutex::default() }
    }

    /// The first ticket of a family, for the bearer of a token. Services get none: theirs would be a
    /// credential for everybody in a URL.
    pub fn mint(&self, claims: &Claims, origin: Option<&Origin>, now_ms: u64) -> Result<Minted, AuthError> {
        if claims.role == Role::Service {
            return Err(AuthError::Forbidden);
        }
        self.seal(
            Ticket {
                user: claims.user.clone(),
                name: claims.name.clone(),
                origin: origin.map(Origin::to_string),
                family: super::random_text(),
                issued_at: 0,
                expires_at: 0,
                not_after: claims.expires_at,
            },
            now_ms,
        )
    }

    /// The next ticket of a family, in exchange for a living one. A stream holds its newest and renews it
    /// before it ends.
    pub fn renew(&self, ticket: &Ticket, now_ms: u64) -> Result<Minted, AuthError> {
        self.alive(ticket, now_ms)?;
        self.seal(ticket.clone(), now_ms)
    }

    /// What the ticket says, if we made it, it lives, and `origin` (of `Origin`, else of `Referer`, where
    /// the request has either) is the one it was made for.
    pub fn verify(&self, text: &str, origin: Option<&Origin>, now_ms: u64) -> Result<Ticket, AuthError> {
        let ticket = self.open(text).ok_or(AuthError::Unauthenticated)?;
        self.alive(&ticket, now_ms)?;
        match (&ticket.origin, origin) {
            (Some(bound), Some(origin)) if *bound != origin.to_string() => Err(AuthError::Forbidden),
            _ => Ok(ticket),
        }
    }

    /// Ends a family: none of its tickets opens anything from now on, on this node. Streams that are
    /// already open are for the caller to end.
    pub fn revoke(&self, ticket: &Ticket, now_ms: u64) {
        self.revoked().add(ticket.family.clone(), now_ms);
    }

    fn alive(&self, ticket: &Ticket, now_ms: u64) -> Result<(), AuthError> {
        if now_ms >= ticket.expires_at {
            return Err(AuthError::TokenExpired);
        }
        if self.revoked().contains(ticket) {
            return Err(AuthError::Unauthenticated);
        }
        Ok(())
    }

    fn seal(&self, mut ticket: Ticket, now_ms: u64) -> Result<Minted, AuthError> {
        ticket.issued_at = now_ms;
        ticket.expires_at = ticket.not_after.min(now_ms + TICKET_S * 1000);
        let left_ms = ticket.expires_at.saturating_sub(now_ms);
        if left_ms == 0 {
            return Err(AuthError::TokenExpired);
        }
        let payload = serde_json::to_vec(&ticket).expect("strings and numbers are JSON");
        let signed = format!("{VERSION}.{}", super::base64_url(&payload));
        let mac = self.key.clone().chain_update(&signed).finalize().into_bytes();
        Ok(Minted {
            text: format!("{signed}.{}", super::base64_url(&mac)),
            expires_in: left_ms / 1000,
            ticket,
        })
    }

    /// Checks the form and the MAC, the latter in constant time.
    fn open(&self, text: &str) -> Option<Ticket> {
        if text.len() > TICKET_BYTES_MAX {
            return None;
        }
        let (signed, mac) = text.rsplit_once('.')?;
        let (version, payload) = signed.split_once('.')?;
        let mac = super::from_base64_url(mac)?;
        self.key.clone().chain_update(signed).verify_slice(&mac).ok()?;
        if version != VERSION {
            return None;
        }
        serde_json::from_slice(&super::from_base64_url(payload)?).ok()
    }

    fn revoked(&self) -> std::sync::MutexGuard<'_, Revoked> {
        self.revoked.lock().expect("nothing panics while it holds this lock")
    }
}

/// Families that were revoked, each until its last ticket has expired.
#[derive(Default)]
struct Revoked {
    until: HashMap<String, u64>,
    /// Tickets issued up to here are refused whatever their family.
    all_issued_up_to: u64,
}

impl Revoked {
    fn add(&mut self, family: String, now_ms: u64) {
        if self.until.len() >= REVOKED_MAX {
            self.until.retain(|_, until| *until > now_ms);
        }
        if self.until.len() >= REVOKED_MAX {
            // Too many to tell apart. Forgetting one would let it live, so all that exist end instead:
            // their owners ask for new ones with their tokens.
            self.until.clear();
            self.all_issued_up_to = now_ms;
        }
        self.until.insert(family, now_ms + TICKET_S * 1000);
    }

    fn contains(&self, ticket: &Ticket) -> bool {
        ticket.issued_at <= self.all_issued_up_to || self.until.contains_key(&ticket.family)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_764_000_000_500;
    const LIFE: u64 = TICKET_S * 1000;
    const DAY: u64 = 86_400_000;

    fn tickets() -> Tickets {
        Tickets::new(&Secret::from_text(&"x".repeat(32), "").unwrap())
    }

    fn claims(expires_at: u64) -> Claims {
        let user = UserId::parse("ann").unwrap();
        Claims { user, name: Some("Ann".into()), role: Role::User, expires_at }
    }

    fn origin(text: &str) -> Origin {
        Origin::parse(text).unwrap()
    }

    #[test]
    fn a_ticket_lives_ten_minutes_and_any_number_of_uses() {
        let tickets = tickets();
        let minted = tickets.mint(&claims(NOW + DAY), None, NOW).unwrap();
        assert!(minted.text.starts_with("t1."));
        assert_eq!(minted.expires_in, 600);
        for now in [NOW, NOW + 1, NOW + LIFE - 1] {
            assert_eq!(tickets.verify(&minted.text, None, now).as_ref(), Ok(&minted.ticket));
        }
        assert_eq!(tickets.verify(&minted.text, None, NOW + LIFE), Err(AuthError::TokenExpired));
    }

    #[test]
    fn any_node_with_the_secret_takes_it_and_no_other() {
        let text = tickets().mint(&claims(NOW + DAY), None, NOW).unwrap().text;
        assert!(tickets().verify(&text, None, NOW).is_ok());
        let other = Tickets::new(&Secret::from_text(&"y".repeat(32), "").unwrap());
        assert_eq!(other.verify(&text, None, NOW), Err(AuthError::Unauthenticated));
    }

    #[test]
    fn a_ticket_is_good_only_at_the_origin_that_asked() {
        let (app, other) = (origin("https://app.example"), origin("https://other.example"));
        let tickets = tickets();
        let text = tickets.mint(&claims(NOW + DAY), Some(&app), NOW).unwrap().text;
        assert!(tickets.verify(&text, Some(&origin("https://APP.example:443")), NOW).is_ok());
        assert!(tickets.verify(&text, None, NOW).is_ok(), "neither Origin nor Referer was sent");
        assert_eq!(tickets.verify(&text, Some(&other), NOW), Err(AuthError::Forbidden));
        assert_eq!(tickets.verify(&text, Some(&Origin::Null), NOW), Err(AuthError::Forbidden));
        let unbound = tickets.mint(&claims(NOW + DAY), None, NOW).unwrap().text;
        assert!(tickets.verify(&unbound, Some(&other), NOW).is_ok());
    }

    #[test]
    fn neither_a_ticket_nor_a_renewal_outlives_the_token() {
        let tickets = tickets();
        let not_after = NOW + LIFE + LIFE / 2;
        let first = tickets.mint(&claims(not_after), Some(&origin("https://a.example")), NOW).unwrap();
        let second = tickets.renew(&first.ticket, NOW + LIFE - 1000).unwrap();
        assert_eq!(second.ticket.expires_at, not_after);
        assert_eq!(second.expires_in, 301);
        assert_eq!(
            (&second.ticket.family, &second.ticket.origin),
            (&first.ticket.family, &first.ticket.origin)
        );
        assert_eq!(tickets.verify(&second.text, None, not_after), Err(AuthError::TokenExpired));
        assert_eq!(tickets.renew(&second.ticket, not_after).unwrap_err(), AuthError::TokenExpired);
        assert_eq!(tickets.mint(&claims(NOW), None, NOW).unwrap_err(), AuthError::TokenExpired);
    }

    #[test]
    fn a_dead_ticket_cannot_be_renewed() {
        let tickets = tickets();
        let first = tickets.mint(&claims(NOW + DAY), None, NOW).unwrap();
        assert_eq!(tickets.renew(&first.ticket, NOW + LIFE).unwrap_err(), AuthError::TokenExpired);
    }

    #[test]
    fn services_get_no_ticket() {
        let service = Claims { role: Role::Service, ..claims(NOW + DAY) };
        assert_eq!(tickets().mint(&service, None, NOW).unwrap_err(), AuthError::Forbidden);
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let tickets = tickets();
        let text = tickets.mint(&claims(NOW + DAY), None, NOW).unwrap().text;
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(tickets.verify(&changed, None, NOW), Err(AuthError::Unauthenticated), "{changed}");
        }
        for bad in
            ["", ".", "t1..", "t1.e30", &text[..text.len() - 1], &format!("{text}="), &"t1.".repeat(9999)]
        {
            assert_eq!(tickets.verify(bad, None, NOW), Err(AuthError::Unauthenticated), "{bad}");
        }
    }

    #[test]
    fn revoking_ends_a_ticket_and_its_renewals_and_nobody_elses() {
        let tickets = tickets();
        let first = tickets.mint(&claims(NOW + DAY), None, NOW).unwrap();
        let second = tickets.renew(&first.ticket, NOW + 1).unwrap();
        let other = tickets.mint(&claims(NOW + DAY), None, NOW).unwrap();
        tickets.revoke(&first.ticket, NOW + 2);
        for text in [&first.text, &second.text] {
            assert_eq!(tickets.verify(text, None, NOW + 3), Err(AuthError::Unauthenticated));
        }
        assert_eq!(tickets.renew(&second.ticket, NOW + 3).unwrap_err(), AuthError::Unauthenticated);
        assert!(tickets.verify(&other.text, None, NOW + 3).is_ok());
    }

    #[test]
    fn the_set_of_revoked_families_is_bounded_and_forgets_only_what_has_expired() {
        let tickets = tickets();
        let ticket = tickets.mint(&claims(NOW + DAY), None, NOW).unwrap().ticket;
        let revoke = |n: usize, now| tickets.revoke(&Ticket { family: n.to_string(), ..ticket.clone() }, now);
        for n in 0..REVOKED_MAX {
            revoke(n, NOW);
        }
        assert!(tickets.renew(&ticket, NOW + 1).is_ok());

        // One more while all are needed: everything issued so far ends, and new tickets are good.
        revoke(REVOKED_MAX, NOW + 1);
        assert_eq!(tickets.revoked().until.len(), 1);
        assert_eq!(tickets.renew(&ticket, NOW + 2).unwrap_err(), AuthError::Unauthenticated);
        let later = tickets.mint(&claims(NOW + DAY), None, NOW + 2).unwrap().ticket;
        assert!(tickets.renew(&later, NOW + 3).is_ok());

        // And one more when the others have expired: they are forgotten, nobody else is touched.
        for n in 0..REVOKED_MAX - 1 {
            revoke(n, NOW + 3);
        }
        let now = NOW + 4 + LIFE;
        let living = tickets.mint(&claims(NOW + DAY), None, now).unwrap().ticket;
        revoke(REVOKED_MAX, now);
        assert_eq!(tickets.revoked().until.len(), 1);
        assert!(tickets.renew(&living, now).is_ok());
    }
}
