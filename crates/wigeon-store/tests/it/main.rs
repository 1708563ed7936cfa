//! The log and what is folded from it, against models that are too simple to be wrong.

mod asked;
mod backup;
mod check;
mod fold;
mod found;
mod history;
mod kept;
mod log;
mod pages;
mod past;
mod power;
mod retention;
mod scrub;
mod search;
mod shown;
mod world;
