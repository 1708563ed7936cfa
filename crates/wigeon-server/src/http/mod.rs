//! HTTP around the transports: the guard every request passes, errors as bodies, assets.

pub(crate) mod assets;
pub(crate) mod body;
pub(crate) mod guard;
pub(crate) mod problem;
pub(crate) mod rewound;
mod tag;

pub(crate) use tag::tag;
