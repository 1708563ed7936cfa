//! Where things are: the root of the repository, and what cargo knows about its packages.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// The repository that this xtask was built in.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
}

impl Workspace {
    /// Finds the root from the place of this crate, so that any working directory will do.
    pub(crate) fn find() -> Result<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = here.parent().context("xtask stands inside the workspace")?.to_path_buf();
        ensure!(root.join("Cargo.lock").is_file(), "{} is not the workspace", root.display());
        Ok(Self { root })
    }

    /// A command that runs at the root.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }

    /// `cargo`, the one that runs us.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(&std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()));
        command.args(arguments);
        command
    }

    /// `cargo metadata`: packages, their licences, and where the target directory is.
    pub(crate) fn metadata(&self) -> Result<Value> {
        let output = self.cargo(&["metadata", "--format-version", "1", "--locked"]).output()?;
        ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// The release binary, as the README builds it.
    pub(crate) fn wigeon(&self) -> Result<PathBuf> {
        let metadata = self.metadata()?;
        let target = metadata["target_directory"].as_str().context("cargo metadata names the target")?;
        Ok(Path::new(target).join("release/wigeon"))
    }

    /// Files that are in git, or would be if they were added: paths from the root, sorted.
    pub(crate) fn files(&self) -> Result<Vec<PathBuf>> {
        let output = self
            .command("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .output()
            .context("git ls-files")?;
        ensure!(output.status.success(), "git ls-files: {}", String::from_utf8_lossy(&output.stderr));
        let listed = String::from_utf8(output.stdout)?;
        let mut files: Vec<PathBuf> = listed
            .split_terminator('\0')
            .map(PathBuf::from)
            .filter(|path| self.root.join(path).is_file())
            .collect();
        files.sort();
        files.dedup();
        Ok(files)
    }
}
