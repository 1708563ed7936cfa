//! Tokens: JSON Web Tokens (RFC 7519), HS256 and nothing else.
//!
//! Two issuers, two keys. Backends (and `wigeon token`) sign with the secret and may name any plain user
//! id. Guests' tokens are signed by this server with a key derived from it, say so in `kid`, and may name
//! only a guest: so no token from outside can ever speak for a guest, and a guest's for nobody else.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use serde_json::Number;
use wigeon_proto::id::UserId;

use super::{AuthError, Secret};

/// A longer text is refused before it is looked at.
pub const TOKEN_BYTES_MAX: usize = 4096;
/// The `kid` of tokens that this server gave to a guest.
const GUEST_KEY: &str = "wigeon-guest";

/// What the bearer may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Speaks for itself.
    User,
    /// A backend: may act for anyone.
    Service,
}

/// What a valid token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The user (`sub`).
    pub user: UserId,
    /// The name to show, as the issuer wrote it.
    pub name: Option<String>,
    /// Services have `role: "service"`; any other role is a plain user's.
    pub role: Role,
    /// When it ends (`exp`), in milliseconds.
    pub expires_at: u64,
}

/// Signs and verifies tokens.
pub struct Tokens {
    outside: Keys,
    guest: Keys,
    validation: Validation,
}

struct Keys {
    sign: EncodingKey,
    verify: DecodingKey,
}

/// The claims as they travel. Unknown ones are ignored.
#[derive(Serialize, Deserialize)]
struct Wire {
    sub: String,
    /// Seconds; RFC 7519 allows a fraction, and some libraries write one.
    exp: Number,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Any JSON, for issuers that use the claim for something of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<serde_json::Value>,
}

impl Keys {
    fn new(key: &[u8]) -> Self {
        Self { sign: EncodingKey::from_secret(key), verify: DecodingKey::from_secret(key) }
    }
}

impl Tokens {
    /// The keys that follow from the secret.
    pub fn new(secret: &Secret) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        // Time is checked below, against the caller's clock and without leeway. A token with an `aud` is
        // meant for somebody else (RFC 7519 §4.1.3) and stays refused.
        validation.validate_exp = false;
        validation.set_required_spec_claims(&["sub", "exp"]);
        Self {
            outside: Keys::new(secret.token_key()),
            guest: Keys::new(&secret.derive("guest token")),
            validation,
        }
    }

    /// A token for a user: a guest's when the id is a guest's. `ttl_s` is cut to whole seconds from `now_ms`.
    pub fn issue(&self, user: &UserId, name: Option<&str>, role: Role, ttl_s: u64, now_ms: u64) -> String {
        assert!(role == Role::User || !user.is_guest(), "a guest is no service");
        let (keys, kid) =
            if user.is_guest() { (&self.guest, Some(GUEST_KEY)) } else { (&self.outside, None) };
        let header = Header { kid: kid.map(str::to_owned), ..Header::new(Algorithm::HS256) };
        let claims = Wire {
            sub: user.as_str().to_owned(),
            exp: (now_ms / 1000).saturating_add(ttl_s).into(),
            nbf: None,
            name: name.map(str::to_owned),
            role: (role == Role::Service).then(|| "service".into()),
        };
        jsonwebtoken::encode(&header, &claims, &keys.sign).expect("strings and numbers are JSON")
    }

    /// What the token says, if one of our keys signed it and its time is now.
    pub fn verify(&self, token: &str, now_ms: u64) -> Result<Claims, AuthError> {
        let claims = self.read(token).ok_or(AuthError::Unauthenticated)?;
        let user = UserId::parse(&claims.wire.sub).map_err(|_| AuthError::Unauthenticated)?;
        let early = claims.wire.nbf.is_some_and(|from| milliseconds(&from) > now_ms);
        if user.is_guest() != claims.from_guest_key || early {
            return Err(AuthError::Unauthenticated);
        }
        let expires_at = milliseconds(&claims.wire.exp);
        if expires_at <= now_ms {
            return Err(AuthError::TokenExpired);
        }
        let service = claims.wire.role.as_ref().is_some_and(|role| role == "service") && !user.is_guest();
        let role = if service { Role::Service } else { Role::User };
        Ok(Claims { user, name: claims.wire.name, role, expires_at })
    }

    /// Checks the signature and the form.
    fn read(&self, token: &str) -> Option<Signed> {
        if token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let header = jsonwebtoken::decode_header(token).ok()?;
        // RFC 7515 §4.1.11: an extension that must be understood, and we understand none.
        if header.crit.is_some() {
            return None;
        }
        // `kid` only picks the key; a lie about it fails the signature.
        let from_guest_key = header.kid.as_deref() == Some(GUEST_KEY);
        let keys = if from_guest_key { &self.guest } else { &self.outside };
        let wire = jsonwebtoken::decode::<Wire>(token, &keys.verify, &self.validation).ok()?.claims;
        Some(Signed { wire, from_guest_key })
    }
}

struct Signed {
    wire: Wire,
    from_guest_key: bool,
}

/// A time in seconds as milliseconds; one before 1970 is 0, one beyond all reckoning the last there is.
fn milliseconds(seconds: &Number) -> u64 {
    match seconds.as_u64() {
        Some(whole) => whole.saturating_mul(1000),
        None => (seconds.as_f64().unwrap_or(0.0) * 1000.0) as u64,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: u64 = 1_764_000_000_500;
    const SECRET: &str = "a secret that is long enough, a secret";

    fn tokens() -> Tokens {
        Tokens::new(&Secret::from_text(SECRET, "").unwrap())
    }

    fn user(text: &str) -> UserId {
        UserId::parse(text).unwrap()
    }

    /// A token as any other program would sign it, with the text of the secret as the key.
    fn sign(header: serde_json::Value, claims: serde_json::Value) -> String {
        use hmac::{Hmac, KeyInit, Mac};
        let part = |json: serde_json::Value| super::super::base64_url(json.to_string().as_bytes());
        let text = format!("{}.{}", part(header), part(claims));
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(text.as_bytes());
        format!("{text}.{}", super::super::base64_url(&mac.finalize().into_bytes()))
    }

    fn verify(claims: serde_json::Value) -> Result<Claims, AuthError> {
        tokens().verify(&sign(json!({"alg": "HS256", "typ": "JWT"}), claims), NOW)
    }

    #[test]
    fn what_is_issued_verifies_until_its_last_millisecond() {
        let token = tokens().issue(&user("ann"), Some("Ann 安"), Role::User, 60, NOW);
        let claims = tokens().verify(&token, NOW).unwrap();
        let expires_at = 1_764_000_060_000;
        assert_eq!(
            claims,
            Claims { user: user("ann"), name: Some("Ann 安".into()), role: Role::User, expires_at }
        );
        assert!(tokens().verify(&token, expires_at - 1).is_ok());
        assert_eq!(tokens().verify(&token, expires_at), Err(AuthError::TokenExpired));
    }

    #[test]
    fn another_programs_token_is_understood() {
        let exp = NOW / 1000 + 5;
        assert_eq!(verify(json!({"sub": "ann", "exp": exp})).unwrap().user, user("ann"));
        assert_eq!(
            verify(json!({"sub": "ann", "exp": exp as f64 + 0.25})).unwrap().expires_at,
            exp * 1000 + 250
        );
        assert_eq!(verify(json!({"sub": "b", "exp": exp, "role": "service"})).unwrap().role, Role::Service);
        assert_eq!(
            verify(json!({"sub": "b", "exp": exp, "role": ["admin"], "x": {}})).unwrap().role,
            Role::User
        );
        assert_eq!(verify(json!({"sub": "ann", "exp": 1})), Err(AuthError::TokenExpired));
    }

    #[test]
    fn claims_that_are_missing_or_malformed_are_refused() {
        let exp = NOW / 1000 + 5;
        for claims in [
            json!({"exp": exp}),
            json!({"sub": "ann"}),
            json!({"sub": "ann", "exp": "soon"}),
            json!({"sub": 7, "exp": exp}),
            json!({"sub": "", "exp": exp}),
            json!({"sub": "a b", "exp": exp}),
            json!({"sub": "self:ann", "exp": exp}),
            json!({"sub": "x".repeat(65), "exp": exp}),
            json!({"sub": "ann", "exp": exp, "name": 7}),
            json!({"sub": "ann", "exp": exp, "nbf": exp - 1}),
            json!({"sub": "ann", "exp": exp, "aud": "another-service"}),
        ] {
            assert_eq!(verify(claims.clone()), Err(AuthError::Unauthenticated), "{claims}");
        }
    }

    #[test]
    fn only_hs256_with_our_key_counts() {
        let claims = json!({"sub": "ann", "exp": NOW / 1000 + 5});
        for header in [
            json!({"alg": "none"}),
            json!({"alg": "HS384"}),
            json!({"alg": "HS512"}),
            json!({"alg": "RS256"}),
            json!({"alg": "HS256", "crit": ["b64"], "b64": false}),
        ] {
            let token = sign(header.clone(), claims.clone());
            assert_eq!(tokens().verify(&token, NOW), Err(AuthError::Unauthenticated), "{header}");
        }
        let good = sign(json!({"alg": "HS256"}), claims);
        assert!(tokens().verify(&good, NOW).is_ok());
        let other = Tokens::new(&Secret::from_text("another secret that is long enough too", "").unwrap());
        assert_eq!(other.verify(&good, NOW), Err(AuthError::Unauthenticated));
        let unsigned = good.rsplit_once('.').unwrap().0;
        for bad in [unsigned, &format!("{unsigned}."), &format!("{good}x"), "", "..", &"x".repeat(10_000)] {
            assert_eq!(tokens().verify(bad, NOW), Err(AuthError::Unauthenticated), "{bad}");
        }
    }

    #[test]
    fn only_the_server_speaks_for_guests_and_guests_for_nobody_else() {
        let guest = user("g:4k2m");
        let token = tokens().issue(&guest, Some("Ann"), Role::User, 60, NOW);
        assert_eq!(tokens().verify(&token, NOW).unwrap().user, guest);

        let exp = NOW / 1000 + 5;
        for header in [json!({"alg": "HS256"}), json!({"alg": "HS256", "kid": GUEST_KEY})] {
            let forged = sign(header, json!({"sub": "g:4k2m", "exp": exp}));
            assert_eq!(tokens().verify(&forged, NOW), Err(AuthError::Unauthenticated));
        }
        // Even the guest key itself signs for guests only, and never for a service.
        let keys = tokens();
        let header = Header { kid: Some(GUEST_KEY.into()), ..Header::new(Algorithm::HS256) };
        let signed = |claims| jsonwebtoken::encode(&header, &claims, &keys.guest.sign).unwrap();
        let ann = signed(json!({"sub": "ann", "exp": exp}));
        assert_eq!(keys.verify(&ann, NOW), Err(AuthError::Unauthenticated));
        let service = signed(json!({"sub": "g:4k2m", "exp": exp, "role": "service"}));
        assert_eq!(keys.verify(&service, NOW).unwrap().role, Role::User);
    }
}
