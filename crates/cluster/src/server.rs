//! The cluster: found, started, stopped.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// Why there is no PostgreSQL to test on, as a sentence.
pub struct Failure(pub(crate) String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self(format!("the test cluster's files: {error}"))
    }
}

/// A running PostgreSQL that tests may fill and throw away.
#[derive(Clone, Debug)]
pub struct Server {
    url: String,
}

/// Not for keeping: a crash may lose everything, and tests run the quicker.
const SETTINGS: [&str; 7] = [
    "listen_addresses=127.0.0.1",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=300",
    "shared_buffers=64MB",
    "timezone=Asia/Kathmandu", // nothing may depend on the server's zone
];

/// After how many minutes without use the cluster stops itself.
const IDLE_MINUTES: u32 = 30;

impl Server {
    /// The cluster of this work tree, started if it does not run. The variable
    /// `MUSTER_TEST_POSTGRES` (`postgres://user:password@host:port`) names
    /// another server instead, and `MUSTER_TEST_CLUSTER` another cluster.
    ///
    /// # Errors
    /// When PostgreSQL is not installed, or does not start.
    pub fn shared() -> Result<Self, Failure> {
        if let Some(url) = given() {
            return Ok(Self { url });
        }
        let place = Place::of_this_tree()?;
        let _lock = place.lock()?;
        if let Some(server) = place.running() {
            return Ok(server);
        }
        place.clear()?;
        place.start()
    }

    /// The cluster of this work tree if it runs; it is not started.
    ///
    /// # Errors
    /// When its files cannot be read.
    pub fn found() -> Result<Option<Self>, Failure> {
        match given() {
            Some(url) => Ok(Some(Self { url })),
            None => Ok(Place::of_this_tree()?.running()),
        }
    }

    /// Stops the cluster of this work tree and removes its folder. Stopping one
    /// that does not run is no error.
    ///
    /// # Errors
    /// When it does not stop, or its folder cannot be removed.
    pub fn stop() -> Result<(), Failure> {
        let place = Place::of_this_tree()?;
        let _lock = place.lock()?;
        place.clear()
    }

    /// `postgres://user:password@host:port`, without a database.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs one statement in the database `postgres`.
    pub(crate) fn execute(&self, statement: &str) -> Result<(), Failure> {
        let output = Command::new(program("psql")?)
            .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement])
            .arg(format!("{}/postgres", self.url))
            .stdin(Stdio::null())
            .output()?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(Failure(format!("PostgreSQL refused `{statement}`: {}", said.trim())))
    }
}

fn given() -> Option<String> {
    let url = std::env::var("MUSTER_TEST_POSTGRES").ok()?;
    (!url.is_empty()).then(|| url.trim_end_matches('/').to_owned())
}

/// Where the cluster of one work tree is written down: `target/postgres/NAME`.
pub(crate) struct Place {
    folder: PathBuf,
}

impl Place {
    pub(crate) fn of_this_tree() -> Result<Self, Failure> {
        let name = std::env::var("MUSTER_TEST_CLUSTER").unwrap_or_else(|_| "shared".into());
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/postgres");
        let folder = target.join(name);
        fs::create_dir_all(&folder)?;
        Ok(Self { folder })
    }

    /// Held while the cluster is looked for, started or stopped, and while a
    /// template is made: many test processes begin at the same moment.
    pub(crate) fn lock(&self) -> Result<File, Failure> {
        let file = File::create(self.folder.join("lock"))?;
        file.lock()?;
        Ok(file)
    }

    /// The server's temporary folder and its address, as written by `start`.
    fn written(&self) -> Option<(PathBuf, String)> {
        let text = fs::read_to_string(self.folder.join("cluster")).ok()?;
        let (folder, url) = text.split_once('\n')?;
        Some((PathBuf::from(folder), url.trim().to_owned()))
    }

    fn running(&self) -> Option<Server> {
        let (folder, url) = self.written()?;
        process(&folder)?;
        let port = url.rsplit_once(':')?.1.parse().ok()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        TcpStream::connect_timeout(&address, Duration::from_secs(5)).ok()?;
        File::create(self.folder.join("used")).ok()?;
        Some(Server { url })
    }

    /// Stops what runs, removes what is left.
    fn clear(&self) -> Result<(), Failure> {
        let Some((folder, _)) = self.written() else { return Ok(()) };
        if let Some(id) = process(&folder) {
            // Quit is PostgreSQL's immediate stop. The shell's own `kill` is
            // always there; the program is not.
            Command::new("sh").args(["-c", &format!("kill -QUIT {id}")]).status()?;
            for _ in 0..100 {
                if process(&folder).is_none() {
                    break;
                }
                sleep(Duration::from_millis(50));
            }
            if process(&folder).is_some() {
                return Err(Failure(format!("the test cluster (process {id}) does not stop")));
            }
        }
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::remove_file(self.folder.join("cluster"))?;
        Ok(())
    }

    fn start(&self) -> Result<Server, Failure> {
        let user = OrdinaryUser::find()?;
        let folder = std::env::temp_dir().join(format!("muster-postgres-{}", random(6)?));
        fs::DirBuilder::new().mode(0o700).create(&folder)?;
        let password = random(16)?;
        let secret = folder.join("password");
        fs::write(&secret, &password)?;
        user.own(&folder)?;
        // Written before the first process, so that a failed start is cleared.
        fs::write(self.folder.join("cluster"), format!("{}\n", folder.display()))?;

        let data = folder.join("data");
        // A locale in which 'a' < 'B', unlike bytes: a list that forgets to ask
        // for its order fails here and not at a customer's.
        user.run(
            Command::new(program("initdb")?)
                .args(["--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"])
                .args(["--locale-provider=icu", "--icu-locale=en-US"])
                .args(["--auth=scram-sha-256", "--username=muster"])
                .arg(format!("--pwfile={}", secret.display()))
                .arg(format!("--pgdata={}", data.display())),
        )?;
        let log = folder.join("log");
        for attempt in 1.. {
            let port = free_port()?;
            let settings: Vec<String> = SETTINGS.iter().map(|setting| format!("-c {setting}")).collect();
            let started = user.run(
                Command::new(program("pg_ctl")?)
                    .args(["start", "--wait", "--silent", "--timeout=60"])
                    .arg(format!("--pgdata={}", data.display()))
                    .arg(format!("--log={}", log.display()))
                    .arg(format!("--options=-p {port} -k {} {}", folder.display(), settings.join(" "))),
            );
            if let Err(failure) = started {
                // The port may have been taken in between.
                if attempt < 3 {
                    continue;
                }
                let log = fs::read_to_string(&log).unwrap_or_default();
                return Err(Failure(format!("{failure}\n{}", log.trim())));
            }
            let url = format!("postgres://muster:{password}@127.0.0.1:{port}");
            fs::write(self.folder.join("cluster"), format!("{}\n{url}\n", folder.display()))?;
            fs::set_permissions(self.folder.join("cluster"), fs::Permissions::from_mode(0o600))?;
            File::create(self.folder.join("used"))?;
            self.watch(&folder)?;
            return Ok(Server { url });
        }
        unreachable!("the loop ends by returning")
    }

    /// Leaves a small shell behind that stops the cluster once nobody uses it:
    /// a test run by hand has no end at which it could.
    fn watch(&self, folder: &Path) -> Result<(), Failure> {
        let script = format!(
            r#"while sleep 10; do
                 [ -d "$1" ] || exit 0
                 [ -n "$(find "$2" -mmin -{IDLE_MINUTES})" ] && continue
                 kill -QUIT "$(head -n 1 "$1/data/postmaster.pid")"
                 sleep 5
                 rm -rf "$1"
               done"#
        );
        Command::new("sh")
            .args(["-c", &script, "sh"])
            .arg(folder)
            .arg(self.folder.join("used"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        Ok(())
    }
}

/// Who runs PostgreSQL, which refuses root.
enum OrdinaryUser {
    Myself,
    /// Debian's user of that name, by whose leave root starts it.
    Postgres,
}

impl OrdinaryUser {
    fn find() -> Result<Self, Failure> {
        if fs::metadata("/proc/self")?.uid() != 0 {
            return Ok(Self::Myself);
        }
        let users = fs::read_to_string("/etc/passwd")?;
        if users.lines().any(|line| line.starts_with("postgres:")) {
            Ok(Self::Postgres)
        } else {
            Err(Failure("root cannot run PostgreSQL, and there is no user `postgres`".into()))
        }
    }

    fn own(&self, folder: &Path) -> Result<(), Failure> {
        match self {
            Self::Myself => Ok(()),
            Self::Postgres => output(Command::new("chown").args(["--recursive", "postgres:postgres"]).arg(folder)),
        }
    }

    fn run(&self, command: &Command) -> Result<(), Failure> {
        let mut whole = match self {
            Self::Myself => Command::new(command.get_program()),
            Self::Postgres => {
                let mut whole = Command::new("setpriv");
                whole.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--"]);
                whole.arg(command.get_program());
                whole
            }
        };
        // Not the caller's folder, which the ordinary user may not enter.
        output(whole.args(command.get_args()).current_dir("/").env("LC_ALL", "C"))
    }
}

/// Runs a program whose output matters only if it fails. Its output goes to a
/// file, not to a pipe: the server it leaves behind would keep the pipe open.
fn output(command: &mut Command) -> Result<(), Failure> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(|error| Failure(format!("{name} does not run: {error}")))?;
    if status.success() {
        return Ok(());
    }
    let line: Vec<_> = command.get_args().map(|arg| arg.to_string_lossy()).collect();
    Err(Failure(format!("`{name} {}` ended with {status}", line.join(" "))))
}

/// The server's process, if it is alive.
fn process(folder: &Path) -> Option<u32> {
    let text = fs::read_to_string(folder.join("data/postmaster.pid")).ok()?;
    let id: u32 = text.lines().next()?.trim().parse().ok()?;
    let name = fs::read_to_string(format!("/proc/{id}/comm")).ok()?;
    name.starts_with("postgres").then_some(id)
}

/// One of PostgreSQL's programs: the newest that Debian has, or from the path.
fn program(name: &str) -> Result<PathBuf, Failure> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|version| *version >= 15)
        .map(|version| (version, format!("/usr/lib/postgresql/{version}/bin/{name}")))
        .filter(|(_, path)| Path::new(path).exists())
        .max();
    if let Some((_, path)) = newest {
        return Ok(path.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.exists()).ok_or(Failure(format!(
        "PostgreSQL's `{name}` is missing, and the tests need it: \
             apt-get install postgresql (15 or newer), or `./test`, which does"
    )))
}

fn free_port() -> Result<u16, Failure> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Hexadecimal digits of so many random bytes.
pub(crate) fn random(bytes: usize) -> Result<String, Failure> {
    let mut buffer = vec![0; bytes];
    File::open("/dev/urandom")?.read_exact(&mut buffer)?;
    Ok(buffer.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat())
}
