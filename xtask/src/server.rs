//! A Wigeon of our own to run examples against: the release binary, a free port, an empty data
//! directory; gone when it is dropped.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// A start is a few milliseconds; a busy machine may need longer.
const START_MAX: Duration = Duration::from_secs(20);

pub(crate) struct Server {
    process: Child,
    pub(crate) port: u16,
    pub(crate) folder: PathBuf,
}

impl Server {
    pub(crate) fn start(wigeon: &Path) -> Result<Self> {
        // Free at this moment, and nobody on a test machine races for it.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let folder = std::env::temp_dir().join(format!("wigeon-xtask-{}-{port}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let process = Command::new(wigeon)
            .args(["--listen", &format!("127.0.0.1:{port}"), "--data"])
            .arg(folder.join("wigeon-data"))
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(fs::File::create(folder.join("stdout"))?)
            .stderr(fs::File::create(folder.join("stderr"))?)
            .spawn()
            .with_context(|| format!("cannot start {}", wigeon.display()))?;
        let mut server = Self { process, port, folder };
        server.wait_until_ready()?;
        Ok(server)
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if let Some(status) = self.process.try_wait()? {
                let said = fs::read_to_string(self.folder.join("stderr")).unwrap_or_default();
                bail!("wigeon ended with {status}: {said}");
            }
            if began.elapsed() > START_MAX {
                bail!("wigeon does not listen after {} s", START_MAX.as_secs());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
