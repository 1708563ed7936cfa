//! wigeon-client
