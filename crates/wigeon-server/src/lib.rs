//! wigeon-server

pub mod auth;
