//! The programs that the tests need besides Rust, and where they come from.
//!
//! On Debian as root (as in most CI) what is missing is installed; elsewhere one line says what is.

use std::process::Command;

use anyhow::{Result, bail, ensure};

use crate::shell;

/// A program, how to see that it is there, and Debian's packages for it.
type Tool = (&'static str, &'static [&'static str], &'static str);

const TOOLS: &[Tool] = &[
    ("cc", &["--version"], "gcc libc6-dev"),
    ("git", &["--version"], "git"),
    ("curl", &["--version"], "curl"),
    ("node", &["--version"], "nodejs"),
    ("npm", &["--version"], "npm"),
    ("chromium", &["--version"], "chromium"),
    // Chinese glyphs, so that the Chinese page is measured with the widths people see.
    ("sh", &["-c", "fc-list :lang=zh | grep -q ."], "fontconfig fonts-noto-cjk"),
    ("nginx", &["-v"], "nginx-light"),
    ("nats-server", &["--version"], "nats-server"),
    ("openssl", &["version"], "openssl"),
    // Engines of the age of the legacy build.
    ("rhino", &["-e", "1"], "rhino"),
    ("duk", &["/dev/null"], "duktape"),
];

/// playwright-core and the type checker ask for this much.
const NODE_MAJOR_MIN: u32 = 20;

/// Components of the Rust toolchain that plain `rustup` may have left out.
const COMPONENTS: &[(&str, &str)] = &[("cargo-fmt", "rustfmt"), ("cargo-clippy", "clippy")];

/// Checks all of them, and installs what is missing where that is allowed.
pub(crate) fn ensure() -> Result<()> {
    let packages: Vec<&str> =
        TOOLS.iter().filter(|tool| is_missing(tool)).map(|(_, _, packages)| *packages).collect();
    if !packages.is_empty() {
        ensure!(may_install(), "missing programs; on Debian: apt-get install {}", packages.join(" "));
        apt(&["update", "-qq"])?;
    }
    // One after the other, looking again before each: the Node.js of some sources brings npm with it, and
    // then conflicts with Debian's.
    for tool in TOOLS {
        if is_missing(tool) {
            let mut arguments = vec!["install", "-qq", "--yes", "--no-install-recommends"];
            arguments.extend(tool.2.split(' '));
            apt(&arguments)?;
            ensure!(!is_missing(tool), "{} does not answer after installing {}", tool.0, tool.2);
        }
    }
    for (program, component) in COMPONENTS {
        ensure!(shell::answers(program, &["--version"]), "missing: rustup component add {component}");
    }
    node_is_new_enough()
}

/// Root on a Debian may use apt.
pub(crate) fn may_install() -> bool {
    let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    root && shell::answers("apt-get", &["--version"])
}

fn is_missing((program, arguments, _): &Tool) -> bool {
    !shell::answers(program, arguments)
}

fn apt(arguments: &[&str]) -> Result<()> {
    shell::run(Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
}

fn node_is_new_enough() -> Result<()> {
    let output = Command::new("node").arg("--version").output()?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let major: u32 = version.trim_start_matches('v').split('.').next().unwrap_or("0").parse().unwrap_or(0);
    if major < NODE_MAJOR_MIN {
        bail!("node is {version}; the tests need {NODE_MAJOR_MIN} or newer");
    }
    Ok(())
}
