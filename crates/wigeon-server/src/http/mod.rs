//! HTTP around the transports: connections, the guard every request passes, errors as bodies, assets.

pub(crate) mod assets;
pub(crate) mod body;
pub(crate) mod connections;
mod front;
pub(crate) mod guard;
pub(crate) mod problem;
pub(crate) mod rewound;
mod tag;

pub(crate) use tag::tag;
