//! wigeon-store
