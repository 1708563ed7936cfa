//! The rules, told as short stories over state in memory.

mod invites;
mod marks;
mod messages;
mod mischief;
mod moderation;
mod retention;
mod rules;
mod users;
mod versions;
mod world;
