//! The commands that check, export, back up and restore: the binary itself, as an operator
//! runs it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use register::{Db, args};

/// A folder with a database in which the demonstration organisation is.
struct Place(PathBuf);

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Place {
    async fn new() -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("commands-{}", register::random::secret()));
        fs::create_dir_all(&path).unwrap();
        let place = Self(path);
        let actor = domain::can::Actor::cli();
        let db = Db::connect(&place.url("muster.db")).await.unwrap();
        register::seed::demo(&db, register::By { actor: &actor, now: crate::support::start() }).await.unwrap();
        db.close().await;
        place
    }

    fn url(&self, name: &str) -> String {
        format!("sqlite://{}", self.0.join(name).display())
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }

    /// Runs `muster` there.
    fn muster(&self, args: &[&str]) -> Ran {
        let done = Command::new(env!("CARGO_BIN_EXE_muster"))
            .args(args)
            .current_dir(&self.0)
            .env_clear()
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: done.status.code().unwrap(), out: text(done.stdout), err: text(done.stderr) }
    }

    /// Runs it, and expects that it does as asked.
    #[track_caller]
    fn does(&self, args: &[&str]) -> String {
        let ran = self.muster(args);
        assert_eq!(ran.code, 0, "{args:?}\n{}{}", ran.out, ran.err);
        ran.out
    }

    /// Runs it, and expects one clear line on stderr and exit 1.
    #[track_caller]
    fn refuses(&self, args: &[&str]) -> String {
        let ran = self.muster(args);
        assert_eq!(ran.code, 1, "{args:?}\n{}{}", ran.out, ran.err);
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
        ran.err
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn the_record_is_checked_in_the_database_and_in_a_file() {
    let place = Place::new().await;
    let head = place.does(&["audit", "head"]);
    place.write("head.txt", &head);
    let said = place.does(&["audit", "verify", "--head", "head.txt"]);
    assert!(said.starts_with("the record holds: ") && said.contains(&head), "{said}");
    place.does(&["audit", "verify", "--head", head.trim()]);

    let record = place.does(&["export", "audit"]);
    place.write("record.jsonl", &record);
    place.does(&["export", "audit", "--output", "again.jsonl"]);
    assert_eq!(fs::read_to_string(place.0.join("again.jsonl")).unwrap(), record);
    place.does(&["audit", "verify", "--file", "record.jsonl", "--head", "record.jsonl"]);

    let lines: Vec<&str> = record.lines().collect();
    let without: Vec<&str> = [&lines[..4], &lines[5..]].concat();
    place.write("missing.jsonl", &without.join("\n"));
    assert!(place.refuses(&["audit", "verify", "--file", "missing.jsonl"]).contains("event 6 does not follow event 4"));
    place.write("edited.jsonl", &record.replacen("\"actor\":\"cli\"", "\"actor\":\"PE-1\"", 1));
    assert!(place.refuses(&["audit", "verify", "--file", "edited.jsonl"]).contains("event 1 was edited"));
    place.write("cut.jsonl", &lines[..9].join("\n"));
    place.does(&["audit", "verify", "--file", "cut.jsonl"]);
    assert!(place.refuses(&["audit", "verify", "--file", "cut.jsonl", "--head", "head.txt"]).contains("cut off"));
    let extract = place.does(&["export", "audit", "--after", "9"]);
    place.write("extract.jsonl", &extract);
    place.does(&["audit", "verify", "--file", "extract.jsonl", "--after", "cut.jsonl", "--head", "head.txt"]);
    assert!(place.refuses(&["audit", "verify", "--file", "extract.jsonl"]).contains("event 10 does not follow"));
    assert!(place.refuses(&["audit", "verify", "--file", "head.txt"]).contains("line 1 is not an event"));
    assert!(place.refuses(&["audit", "verify", "--file", "absent.jsonl"]).contains("absent.jsonl cannot be read"));
    assert_eq!(place.muster(&["audit", "verify", "--head", "nonsense"]).code, 2);
    assert_eq!(place.muster(&["audit", "verify", "--after", head.trim()]).code, 2, "--after is for files");

    let db = Db::connect(&place.url("muster.db")).await.unwrap();
    db.run("UPDATE person SET name = 'Mallory' WHERE id = 2", args![]).await.unwrap();
    db.close().await;
    let said = place.refuses(&["audit", "verify"]);
    assert!(said.contains("person/2 was changed without an event"), "{said}");
}

#[tokio::test]
async fn exports_say_the_same_in_every_form() {
    let place = Place::new().await;
    let db = Db::connect(&place.url("muster.db")).await.unwrap();
    let count = async |sql: &'static str| -> usize {
        usize::try_from(db.one(sql, args![]).await.unwrap().unwrap().get::<i64>(0).unwrap()).unwrap()
    };
    let agents = count("SELECT COUNT(*) FROM agent").await;
    let cells = count("SELECT COUNT(*) FROM assignment WHERE valid_to IS NULL AND agent_id IS NOT NULL").await;
    let events = count("SELECT COUNT(*) FROM audit_event").await;
    let exceptions = count("SELECT COUNT(*) FROM exception").await;
    db.close().await;
    for (what, rows) in [("agents", agents), ("raci", cells), ("audit", events), ("exceptions", exceptions)] {
        let table = place.does(&["export", what, "--format", "csv"]);
        let mut reader = csv::Reader::from_reader(table.as_bytes());
        assert_eq!(reader.records().map(Result::unwrap).count(), rows, "{what}");
        let list: Vec<serde_json::Value> =
            serde_json::from_str(&place.does(&["export", what, "--format", "json"])).unwrap();
        assert_eq!(list.len(), rows, "{what}");
        let lines = place.does(&["export", what, "--format", "jsonl"]);
        let each: Vec<serde_json::Value> = lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert_eq!(each, list, "{what}");
    }
    assert!(place.does(&["export", "agents"]).starts_with("reference,name,"));
    assert!(place.does(&["export", "raci"]).starts_with("agent,agent_name,duty,role,party,"));
    assert_eq!(place.muster(&["export", "incidents"]).code, 2);
    assert_eq!(place.muster(&["export", "agents", "--after", "3"]).code, 2);
    place.refuses(&["export", "agents", "--output", "no/such/folder.csv"]);
}

#[tokio::test]
async fn a_cell_that_would_run_as_a_formula_does_not() {
    let place = Place::new().await;
    let db = Db::connect(&place.url("muster.db")).await.unwrap();
    db.run("UPDATE agent SET name = '=cmd()' WHERE id = 1", args![]).await.unwrap();
    db.run("UPDATE agent SET name = '@SUM(A1)' WHERE id = 2", args![]).await.unwrap();
    db.close().await;
    let table = place.does(&["export", "agents"]);
    assert!(table.contains(",'=cmd(),") && table.contains(",'@SUM(A1),"), "{table}");
    let lines = place.does(&["export", "agents", "--format", "jsonl"]);
    assert!(lines.contains(r#""name":"=cmd()""#), "JSON is for programs: faithful");
}

#[tokio::test]
async fn a_backup_comes_back() {
    let place = Place::new().await;
    let head = place.does(&["audit", "head"]);
    let said = place.does(&["backup", "muster.backup"]);
    assert!(said.contains(&head), "{said}");
    assert!(place.refuses(&["backup", "muster.backup"]).contains("overwrites nothing"));

    let elsewhere = place.url("elsewhere.db");
    place.does(&["restore", "muster.backup", "--database", &elsewhere]);
    place.does(&["audit", "verify", "--database", &elsewhere, "--head", head.trim()]);
    assert!(place.refuses(&["restore", "muster.backup"]).contains("--force"));
    let said = place.does(&["restore", "muster.backup", "--force"]);
    assert!(said.contains("what was there is now") && said.contains(".before-"), "{said}");
    place.does(&["audit", "verify", "--head", head.trim()]);
    assert!(place.refuses(&["restore", "absent.backup"]).contains("no file absent.backup"));
    assert!(place.refuses(&["restore", "muster.db", "--force"]).contains("from itself"));
}
