//! The programs that the tests need besides Rust, and where they come from.
//!
//! On Debian as root (as in most CI) what is missing is installed; elsewhere one line says what is.

use std::process::Command;

use anyhow::{Result, bail, ensure};

use crate::shell;

/// A program, how to see that it is there, and Debian's packages for it.
const TOOLS: &[(&str, &[&str], &str)] = &[
    ("cc", &["--version"], "gcc libc6-dev"),
    ("git", &["--version"], "git"),
    ("curl", &["--version"], "curl"),
    ("node", &["--version"], "nodejs"),
    ("npm", &["--version"], "npm"),
    ("chromium", &["--version"], "chromium"),
    // Chinese glyphs, so that the Chinese page is measured with the widths people see.
    ("sh", &["-c", "fc-list :lang=zh | grep -q ."], "fontconfig fonts-noto-cjk"),
    ("nginx", &["-v"], "nginx-light"),
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
    let packages = missing();
    if !packages.is_empty() {
        let packages = packages.join(" ");
        ensure!(may_install(), "missing programs; on Debian: apt-get install {packages}");
        install(&packages)?;
        let still = missing();
        ensure!(still.is_empty(), "still missing after installing: {}", still.join(" "));
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

fn missing() -> Vec<&'static str> {
    TOOLS
        .iter()
        .filter(|(program, arguments, _)| !shell::answers(program, arguments))
        .map(|(_, _, packages)| *packages)
        .collect()
}

fn install(packages: &str) -> Result<()> {
    let apt = |arguments: &[&str]| {
        shell::run(Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    apt(&["update", "-qq"])?;
    let mut arguments = vec!["install", "-qq", "--yes", "--no-install-recommends"];
    arguments.extend(packages.split(' '));
    apt(&arguments)
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
