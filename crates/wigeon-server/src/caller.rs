//! Who is asking: the one extractor that every transport and every handler uses.
//!
//! Credentials are a Bearer token, a ticket in the URL, or the token in a WebSocket's `hello`. Where the
//! request comes from was judged before (see [`crate::http::guard`]); what a ticket is bound to is
//! compared here.

use http::request::Parts;
use wigeon_core::entry::Rights;
use wigeon_proto::error::{ErrorCode, WireError};
use wigeon_proto::frame::TicketGrant;
use wigeon_proto::id::UserId;

use crate::app::{App, now_ms};
use crate::auth::{AuthError, Claims, Role, Ticket};
use crate::http::guard::Seen;

/// An authenticated caller.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The token's or ticket's user.
    pub(crate) user: UserId,
    /// The name it brought.
    pub(crate) name: Option<String>,
    /// What they may do.
    pub(crate) rights: Rights,
    /// When the credential's token ends, in milliseconds.
    pub(crate) expires_at: u64,
    /// The ticket, if that is what they came with.
    pub(crate) ticket: Option<Ticket>,
}

impl Caller {
    /// Finds the credentials of a request. `Ok(None)` means it has none.
    pub(crate) fn of(app: &App, parts: &Parts, ticket: Option<&str>) -> Result<Option<Self>, WireError> {
        if let Some(header) = parts.headers.get(http::header::AUTHORIZATION) {
            let token = header.to_str().ok().and_then(bearer).ok_or_else(unauthenticated)?;
            return Self::from_token(app, token).map(Some);
        }
        let Some(text) = ticket else { return Ok(None) };
        let seen = Seen::of(parts);
        let ticket = app.tickets.verify(text, seen.verdict.origin(), now_ms()).map_err(refused)?;
        Ok(Some(Self {
            user: ticket.user.clone(),
            name: ticket.name.clone(),
            rights: Rights::User,
            expires_at: ticket.not_after,
            ticket: Some(ticket),
        }))
    }

    /// As [`Self::of`], where there must be some.
    pub(crate) fn required(app: &App, parts: &Parts, ticket: Option<&str>) -> Result<Self, WireError> {
        Self::of(app, parts, ticket)?.ok_or_else(unauthenticated)
    }

    /// The caller a token speaks for.
    pub(crate) fn from_token(app: &App, token: &str) -> Result<Self, WireError> {
        let Claims { user, name, role, expires_at } = app.tokens.verify(token, now_ms()).map_err(refused)?;
        let rights = if role == Role::Service { Rights::Service } else { Rights::User };
        Ok(Self { user, name, rights, expires_at, ticket: None })
    }

    /// Whom a command or a feed is for: a service may name another user.
    pub(crate) fn acting(&self, on_behalf_of: Option<&UserId>) -> Result<UserId, WireError> {
        match on_behalf_of {
            None => Ok(self.user.clone()),
            Some(user) if *user == self.user || self.rights == Rights::Service => Ok(user.clone()),
            Some(_) => Err(WireError::new(ErrorCode::Forbidden, "only services act for others")),
        }
    }

    /// The next ticket of the caller's family, if they came with one.
    pub(crate) fn renewed(&mut self, app: &App) -> Option<TicketGrant> {
        let minted = app.tickets.renew(self.ticket.as_ref()?, now_ms()).ok()?;
        self.ticket = Some(minted.ticket);
        Some(TicketGrant { ticket: minted.text, expires_in: minted.expires_in })
    }

    /// Whether the family of the ticket they came with was ended.
    pub(crate) fn is_revoked(&self, app: &App) -> bool {
        self.ticket.as_ref().is_some_and(|ticket| app.tickets.renew(ticket, now_ms()).is_err())
    }

    /// As [`Self::renewed`], once half of the present ticket's life is over.
    pub(crate) fn renewed_if_old(&mut self, app: &App) -> Option<TicketGrant> {
        if self.ticket_is_old(now_ms()) { self.renewed(app) } else { None }
    }

    /// Whether half of the ticket's life is over at a time.
    pub(crate) fn ticket_is_old(&self, at_ms: u64) -> bool {
        self.ticket
            .as_ref()
            .is_some_and(|ticket| at_ms >= ticket.issued_at + (ticket.expires_at - ticket.issued_at) / 2)
    }
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn unauthenticated() -> WireError {
    refused(AuthError::Unauthenticated)
}

fn refused(error: AuthError) -> WireError {
    let code = match error {
        AuthError::Unauthenticated => ErrorCode::Unauthenticated,
        AuthError::TokenExpired => ErrorCode::TokenExpired,
        AuthError::Forbidden => ErrorCode::Forbidden,
    };
    WireError::new(code, error.to_string())
}
