//! The commands that make people and tokens, look for what is wrong, and serve: the binary
//! itself, as an operator runs it.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::support::PASSWORD;

/// An empty folder to run in, and nothing in the environment.
struct Place(PathBuf);

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Place {
    fn new() -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{}", register::random::secret()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
        command.args(args).current_dir(&self.0).env_clear();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, args: &[&str], typed: &str) -> Output {
        let mut child = self.command(args).spawn().unwrap();
        // A command that reads nothing may have ended before it is written to.
        let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// Runs it and answers stdout, stderr.
    #[track_caller]
    fn exits(&self, code: i32, args: &[&str], typed: &str) -> (String, String) {
        let done = self.run(args, typed);
        let (out, err) = (String::from_utf8(done.stdout).unwrap(), String::from_utf8(done.stderr).unwrap());
        assert_eq!(done.status.code(), Some(code), "{args:?}\n{out}{err}");
        (out, err)
    }

    fn user(&self, code: i32, email: &str, role: &str, typed: &str) -> (String, String) {
        let args = ["user", "create", "--email", email, "--name", "Ana", "--role", role, "--password-stdin"];
        self.exits(code, &args, typed)
    }
}

#[test]
fn a_person_is_made_who_can_sign_in() {
    let place = Place::new();
    let (out, err) = place.user(0, "Ana@Muster.test", "administrator,auditor", &format!("{PASSWORD}\n"));
    assert!(out.starts_with("PE-1 "), "{out}");
    assert_eq!(err, "");
    assert!(place.0.join("muster.db").exists(), "the default database is here");
    let (_, err) = place.user(1, "ana@muster.test", "member", PASSWORD);
    assert!(err.contains("ana@muster.test") || err.contains("e-mail address"), "{err}");
    assert_eq!(err.lines().count(), 1);
    let (_, err) = place.user(1, "ben@muster.test", "member", "short");
    assert!(err.contains("at least 12 characters"), "{err}");
    let (_, err) = place.user(2, "ben@muster.test", "king", PASSWORD);
    assert!(err.contains("king"), "{err}");
    let args = ["user", "create", "--email", "ben@muster.test", "--name", "Ben", "--role", "member"];
    let (out, _) = place.exits(0, &args, "");
    let made = out.lines().nth(1).unwrap().strip_prefix("password ").unwrap();
    assert!(made.len() >= 40, "{out}");
}

#[test]
fn a_token_is_all_that_is_printed() {
    let place = Place::new();
    let (out, err) = place.exits(0, &["token", "create", "--name", "ci", "--scope", "read", "--scope", "write"], "");
    assert!(out.starts_with("mst_") && out.trim_end().len() == 47 && out.lines().count() == 1, "{out}");
    assert_eq!(err, "");
    let owned = ["token", "create", "--name", "hers", "--scope", "admin", "--owner", "ana@muster.test"];
    let (_, err) = place.exits(1, &owned, "");
    assert!(err.contains("nobody has the e-mail address ana@muster.test"), "{err}");
    place.user(0, "ana@muster.test", "member", PASSWORD);
    place.exits(0, &[&owned[..], &["--expires", "12h"]].concat(), "");
    place.exits(2, &["token", "create", "--name", "ci", "--scope", "king"], "");
    place.exits(2, &["token", "create", "--name", "ci", "--scope", "read", "--expires", "soon"], "");
    place.exits(1, &["token", "create", "--name", "ci", "--scope", "read", "--expires", "9999d"], "");
}

#[test]
fn usage_is_two_and_help_has_examples() {
    let place = Place::new();
    for wrong in [&[][..], &["nothing"], &["serve", "--base-url", "ftp://x"], &["doctor", "--nothing"]] {
        place.exits(2, wrong, "");
    }
    let (out, _) = place.exits(0, &["--help"], "");
    assert!(out.contains("Examples:") && out.contains("serve"), "{out}");
    let (out, _) = place.exits(0, &["user", "create", "--help"], "");
    assert!(out.contains("Example:") && out.contains("MUSTER_DATABASE_URL"), "{out}");
    let (_, err) = place.exits(1, &["doctor", "--database", "mysql://x"], "");
    assert!(err.starts_with("muster: ") && err.lines().count() == 1, "{err}");
    fs::write(place.0.join(".env"), "MUSTER_DATABASE_URL=sqlite://elsewhere.db\n").unwrap();
    place.exits(1, &["doctor"], "");
    assert!(place.0.join("elsewhere.db").exists() && !place.0.join("muster.db").exists());
}

#[test]
fn the_doctor_says_what_is_wrong() {
    let place = Place::new();
    let (out, _) = place.exits(1, &["doctor"], "");
    assert!(out.contains("engine      sqlite") && out.contains("nobody can sign in"), "{out}");
    for email in ["ana@muster.test", "ben@muster.test"] {
        place.user(0, email, "administrator", PASSWORD);
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(place.0.join("muster.db"), fs::Permissions::from_mode(0o600)).unwrap();
    }
    let (out, _) = place.exits(0, &["doctor"], "");
    assert!(out.contains("people      2") && out.ends_with("nothing is wrong\n"), "{out}");
    let (out, _) = place.exits(1, &["doctor", "--listen", "0.0.0.0:3000"], "");
    assert!(out.contains("MUSTER_BASE_URL") && out.contains("2 to look at"), "{out}");
}

/// A server that is stopped with the test.
struct Running {
    child: Child,
    address: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

impl Running {
    fn start(place: &Place, args: &[&str]) -> Self {
        let address = free_address();
        let child = place.command(&[&["serve", "--listen", address.as_str()][..], args].concat()).spawn().unwrap();
        Self { child, address }
    }

    fn ask(&self, head: &str) -> Option<String> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        write!(stream, "{head} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address).ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).ok()?;
        Some(text)
    }

    fn ready(&self) {
        let end = Instant::now() + Duration::from_secs(30);
        while Instant::now() < end {
            if self.ask("GET /readyz").is_some_and(|answer| answer.starts_with("HTTP/1.1 200")) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it is not ready after half a minute");
    }

    /// Asks it to stop, and answers the exit code and what it said.
    fn stop(mut self) -> (Option<i32>, String, String) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let status = self.child.wait().unwrap();
        let (mut out, mut err) = (String::new(), String::new());
        self.child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        (status.code(), out, err)
    }
}

#[test]
fn it_serves_shows_the_set_up_code_and_stops_when_asked() {
    let place = Place::new();
    let server = Running::start(&place, &[]);
    server.ready();
    let answer = server.ask("GET /").unwrap();
    assert!(answer.contains("location: /setup"), "{answer}");
    assert!(server.ask("GET /metrics").unwrap().starts_with("HTTP/1.1 200"), "from this machine");
    let taken = place.run(&["serve", "--listen", &server.address], "");
    assert_eq!(taken.status.code(), Some(1));
    assert!(String::from_utf8(taken.stderr).unwrap().contains("cannot listen at"));
    // Another command works beside it, and is seen at once.
    place.user(0, "ana@muster.test", "administrator", PASSWORD);
    assert!(server.ask("GET /").unwrap().contains("location: /login"));
    let url = format!("http://{}/setup", server.address);
    let (code, out, err) = server.stop();
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(out, "", "logs go to stderr");
    assert!(err.contains(&url) && err.contains("enter this code: "), "{err}");
}

#[test]
fn the_demonstration_prints_who_signs_in_and_is_not_mixed_with_records() {
    let place = Place::new();
    let server = Running::start(&place, &["--demo", "--log-format", "json"]);
    server.ready();
    let (code, out, err) = server.stop();
    assert_eq!(code, Some(0), "{err}");
    for line in out.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        assert!(matches!(words[..], ["demo", email, _, _] if email.contains('@')), "{line}");
    }
    assert!(out.lines().count() >= 5, "{out}");
    for line in BufReader::new(err.as_bytes()).lines() {
        let line = line.unwrap();
        assert!(serde_json::from_str::<serde_json::Value>(&line).is_ok(), "a line of the log is JSON: {line}");
    }
    place.user(0, "ana@muster.test", "member", PASSWORD);
    let other = Place::new();
    other.user(0, "ana@muster.test", "member", PASSWORD);
    let (_, err) = other.exits(1, &["serve", "--demo", "--listen", &free_address()], "");
    assert!(err.contains("--demo"), "{err}");
}
