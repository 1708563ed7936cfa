//! wigeon-server
