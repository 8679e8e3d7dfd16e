//! Backup and restore: what comes back is what was there, or nothing comes back.

use std::fs;
use std::path::{Path, PathBuf};

use domain::can::Actor;
use register::audit;
use register::backup;
use register::{By, Db, Error, args};

use crate::support::story;

fn by(actor: &Actor) -> By<'_> {
    By { actor, now: chrono::DateTime::from_timestamp_micros(1_783_000_000_000_000).unwrap() }
}

/// A folder of a story's own, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("muster-backup-{}", register::random::secret()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(&self.0).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn url(file: &Path) -> String {
    format!("sqlite://{}", file.display())
}

fn refusal<T: std::fmt::Debug>(answer: Result<T, Error>) -> String {
    match answer {
        Err(Error::Conflict(sentence)) => sentence,
        other => panic!("{other:?}"),
    }
}

async fn settings(db: &Db) -> Vec<(String, String)> {
    let rows = db.all("SELECT key, value FROM setting ORDER BY key", args![]).await.unwrap();
    rows.iter().map(|r| (r.get(0).unwrap(), r.get(1).unwrap())).collect()
}

async fn set(db: &Db, key: &str, value: &str) {
    let cli = Actor::cli();
    let mut c = register::change::Change::begin(db, by(&cli)).await.unwrap();
    let e = c.event("administrator", "setting.changed", format!("setting/{key}"));
    let list = args![key, c.id(e), value];
    c.tx.run(
        "INSERT INTO setting (key, event_id, value) VALUES ($1, $2, $3) \
         ON CONFLICT (key) DO UPDATE SET event_id = excluded.event_id, value = excluded.value",
        list,
    )
    .await
    .unwrap();
    c.wrote(e, &register::change::SETTING, key);
    c.commit().await.unwrap();
}

async fn a_backup_of_either_engine_restores_on_both(db: Db) {
    let cli = Actor::cli();
    let folder = Folder::new();
    set(&db, "name", "Überfirma 😀").await;
    set(&db, "theme", "dark").await;
    db.run(
        "INSERT INTO upload (id, person_id, name, sha256, content, form, at) SELECT 'u', 1, 'f', '', $1, '', 1 WHERE 1 = 0",
        args![vec![0_u8]],
    )
    .await
    .unwrap();
    db.run(
        "INSERT INTO session (id_sha256, public_id, data, created_at, seen_at, expires_at, user_agent, address) \
         VALUES ('s', 'p', '', 1, 1, 1, '', '')",
        args![],
    )
    .await
    .unwrap();
    let file = folder.at("backup.db");
    let head = backup::write(&db, by(&cli), &file).await.unwrap();
    assert_eq!(head, audit::head(&db, by(&cli)).await.unwrap());
    assert_eq!(folder.names(), ["backup.db"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert!(refusal(backup::write(&db, by(&cli), &file).await).contains("overwrites nothing"));

    // Written after the backup, so not in it.
    set(&db, "theme", "light").await;

    let restored = folder.at("restored.db");
    let done = backup::restore(&url(&restored), by(&cli), &file, false).await.unwrap();
    assert_eq!((done.verified.head, done.verified.rows, done.aside), (head.clone(), 2, None));
    assert_eq!(folder.names(), ["backup.db", "restored.db"]);

    let postgres = cluster::Database::empty();
    let done = backup::restore(&postgres.url(), by(&cli), &file, false).await.unwrap();
    assert_eq!(done.verified.head, head);
    assert!(refusal(backup::restore(&postgres.url(), by(&cli), &file, true).await).contains("empty database"));

    for url in [url(&restored), postgres.url()] {
        let back = Db::connect(&url).await.unwrap();
        let expected = [("name".to_owned(), "Überfirma 😀".to_owned()), ("theme".to_owned(), "dark".to_owned())];
        assert_eq!(settings(&back).await, expected);
        assert!(back.one("SELECT 1 FROM session", args![]).await.unwrap().is_none(), "sessions stay behind");
        set(&back, "theme", "system").await;
        assert_eq!(audit::verify(&back, by(&cli), Some(head.clone()), |_| {}).await.unwrap().events, 3);
        back.close().await;
    }
}
story!(a_backup_of_either_engine_restores_on_both, super::a_backup_of_either_engine_restores_on_both);

async fn a_restore_never_destroys_what_is_there(db: Db) {
    let cli = Actor::cli();
    let folder = Folder::new();
    set(&db, "name", "backed up").await;
    let file = folder.at("backup.db");
    backup::write(&db, by(&cli), &file).await.unwrap();

    let target = folder.at("muster.db");
    let live = Db::connect(&url(&target)).await.unwrap();
    set(&live, "name", "live").await;
    let refused = refusal(backup::restore(&url(&target), by(&cli), &file, false).await);
    assert!(refused.contains("1 events") && refused.contains("--force"), "{refused}");
    let refused = refusal(backup::restore(&url(&target), by(&cli), &file, true).await);
    assert!(refused.contains("in use"), "{refused}");
    assert_eq!(settings(&live).await, [("name".to_owned(), "live".to_owned())]);
    live.close().await;

    let done = backup::restore(&url(&target), by(&cli), &file, true).await.unwrap();
    let aside = done.aside.unwrap();
    for (file, value) in [(&target, "backed up"), (&aside, "live")] {
        let db = Db::connect(&url(file)).await.unwrap();
        assert_eq!(settings(&db).await, [("name".to_owned(), value.to_owned())]);
        db.close().await;
    }
    // An empty database is no loss.
    let empty = folder.at("empty.db");
    Db::connect(&url(&empty)).await.unwrap().close().await;
    assert_eq!(backup::restore(&url(&empty), by(&cli), &file, false).await.unwrap().aside, None);
    let left = folder.names();
    assert_eq!(left.len(), 4, "{left:?}");
}
story!(a_restore_never_destroys_what_is_there, super::a_restore_never_destroys_what_is_there);

async fn a_broken_backup_is_not_restored(db: Db) {
    let cli = Actor::cli();
    let folder = Folder::new();
    set(&db, "name", "good").await;
    let file = folder.at("backup.db");
    backup::write(&db, by(&cli), &file).await.unwrap();
    let target = url(&folder.at("muster.db"));

    let bad = folder.at("bad.db");
    fs::copy(&file, &bad).unwrap();
    let open = Db::connect(&url(&bad)).await.unwrap();
    open.run("UPDATE setting SET value = 'bad'", args![]).await.unwrap();
    open.close().await;
    let refused = refusal(backup::restore(&target, by(&cli), &bad, false).await);
    assert!(refused.contains("setting/name") && refused.contains("Nothing was restored"), "{refused}");

    let text = folder.at("notes.txt");
    fs::write(&text, "not a database, though a long enough text to be mistaken for one by a careless reader").unwrap();
    assert!(refusal(backup::restore(&target, by(&cli), &text, false).await).contains("no backup of Muster"));
    let bytes = fs::read(&file).unwrap();
    let torn = folder.at("torn.db");
    fs::write(&torn, &bytes[..bytes.len() / 2]).unwrap();
    assert!(backup::restore(&target, by(&cli), &torn, false).await.is_err());
    assert!(matches!(
        backup::restore(&target, by(&cli), &folder.at("absent.db"), false).await,
        Err(Error::NotFound(_))
    ));
    assert_eq!(folder.names(), ["backup.db", "bad.db", "notes.txt", "torn.db"], "nothing was put in place");
}
story!(a_broken_backup_is_not_restored, super::a_broken_backup_is_not_restored);
