//! `cargo xtask test`: the list of everything CI checks, the quick and telling ones first.

use anyhow::Result;

use crate::report::{Report, Tally};
use crate::workspace::Workspace;
use crate::{assets, browser, docs, javascript, layers, leftovers, policy, shell, tools};

type Step = fn(&Workspace) -> Result<Tally>;

/// True when all of it holds.
pub(crate) fn everything(workspace: &Workspace) -> bool {
    let mut report = Report::begin();
    if !report.check("tools", tools::ensure) {
        return report.end();
    }
    report.check("format", || shell::run(&mut workspace.cargo(&["fmt", "--all", "--check"])));
    report.check("leftovers", || leftovers::check(workspace));
    report.check("layers", || layers::check(workspace));

    let packages = "npm packages";
    let installed = report.check(packages, || javascript::install(workspace));
    if installed {
        for package in javascript::PACKAGES {
            report.check(&format!("types of {package}"), || javascript::types(workspace, package));
            report.tests(&format!("tests of {package}"), || javascript::tests(workspace, package));
        }
        report.check("built assets and their sizes", || assets::check(workspace));
    }

    report.check("dependency policy", || policy::check(workspace));
    report.check("clippy", || {
        let arguments = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
        shell::run(&mut workspace.cargo(&arguments))
    });
    report.check("clippy with the server's bench", || {
        let server = ["clippy", "-p", "wigeon-server", "--features", "bench"];
        let rest = ["--all-targets", "--locked", "--", "-D", "warnings"];
        shell::run(&mut workspace.cargo(&[&server[..], &rest].concat()))
    });
    report.tests("Rust tests", || {
        shell::run_tests(&mut workspace.cargo(&["test", "--workspace", "--locked", "--no-fail-fast"]))
    });

    // What the README tells a stranger to build is what the examples and the browsers meet.
    let binary = "release build";
    let built =
        report.check(binary, || shell::run(&mut workspace.cargo(&["build", "--release", "--locked"])));
    let missing = if installed { binary } else { packages };
    for (name, run) in [("examples in documents", docs::check as Step), ("browser tests", browser::all)] {
        if built && installed {
            report.tests(name, || run(workspace));
        } else {
            report.blocked(name, missing);
        }
    }
    report.end()
}
