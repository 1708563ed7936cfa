//! wigeon-core
