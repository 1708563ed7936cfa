//! HTTP around the transports: connections, the guard every request passes, errors as bodies, assets.

pub(crate) mod assets;
pub(crate) mod body;
pub(crate) mod connections;
pub(crate) mod guard;
pub(crate) mod problem;
mod tag;

pub(crate) use tag::tag;
