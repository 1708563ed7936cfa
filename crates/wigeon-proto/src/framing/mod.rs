//! Framings.
