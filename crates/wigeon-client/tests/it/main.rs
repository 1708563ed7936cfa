//! The client against a server that misbehaves on purpose.

mod fake;
mod session;
