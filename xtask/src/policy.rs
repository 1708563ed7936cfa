//! What may come in from outside: licences, registries and banned crates, as deny.toml says.
//!
//! The advisory database is left out on purpose: its answer depends on the day and not on the commit,
//! and fetching it needs the open network. `cargo deny check advisories` asks it.

use anyhow::{Result, bail};

use crate::shell;
use crate::tools;
use crate::workspace::Workspace;

/// The version that CI uses. Building it takes two to three minutes on two cores.
const CARGO_DENY: &str = "0.20.2";

pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    if !shell::answers("cargo-deny", &["--version"]) {
        if !tools::may_install() {
            bail!("cargo-deny is missing: cargo install cargo-deny --locked --version {CARGO_DENY}");
        }
        shell::run(&mut workspace.cargo(&["install", "cargo-deny", "--locked", "--version", CARGO_DENY]))?;
    }
    let deny = ["deny", "--offline", "check", "--hide-inclusion-graph", "licenses", "bans", "sources"];
    shell::run(&mut workspace.cargo(&deny))
}
