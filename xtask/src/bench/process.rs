//! A server under measurement: a child process on a loopback port, and what the kernel
//! says of it.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::client::{Connection, get};

/// The kernel counts a process's time in hundredths of a second.
const TICK: Duration = Duration::from_millis(10);

pub(super) struct Server {
    child: Child,
    pub(super) address: SocketAddr,
    /// From its start to its first answer that it is ready.
    pub(super) started_in: Duration,
}

impl Server {
    /// Starts `program` with the arguments that `arguments` makes of its address, and waits
    /// until `ready` is answered 200.
    pub(super) fn start(
        program: &Path,
        ready: &str,
        log: &Path,
        arguments: impl FnOnce(&str) -> Vec<String>,
    ) -> Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let log = File::create(log)?;
        let mut command = Command::new(program);
        command
            .args(arguments(&address.to_string()))
            // Not the repository: a `.env` of somebody's own must not be measured.
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("MUSTER_") || name == "RUST_LOG") {
            command.env_remove(name);
        }
        let began = Instant::now();
        let child = command.spawn().with_context(|| format!("{} does not start", program.display()))?;
        let mut server = Self { child, address, started_in: Duration::ZERO };
        let ask = get(ready, "", "identity");
        while began.elapsed() < Duration::from_mins(1) {
            if let Some(status) = server.child.try_wait()? {
                bail!("{} ended with {status}", program.display());
            }
            let answer = Connection::open(address).and_then(|mut connection| connection.ask(&ask));
            if answer.is_ok_and(|answer| answer.status == 200) {
                server.started_in = began.elapsed();
                return Ok(server);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        bail!("{} was not ready within a minute", program.display())
    }

    /// The processor's time it has used, in itself and in the kernel.
    pub(super) fn used(&self) -> Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name, in parentheses, may hold blanks.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u32>().ok()).context("no times in stat");
        Ok(TICK * (ticks(11)? + ticks(12)?))
    }

    /// The most memory it has ever had resident, in bytes.
    pub(super) fn peak(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
        let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kib * 1024)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It writes nothing that is kept: its database is a copy.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
