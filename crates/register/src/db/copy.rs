//! Whole databases as files: a backup is one SQLite file, whichever engine it comes from
//! and whichever it goes to.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _, Row as _, SqlitePool};

use super::{Arg, Db, DbError, Pool, Reads, Row, Tx};

/// Rows read at a time.
const PIECE: i64 = 2_000;

/// What is known of a SQLite file without changing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// There is no file, or an empty one.
    Nothing,
    /// A database of Muster, with so many events.
    Muster(i64),
    /// Something else, or damaged.
    Other,
}

/// Whether a file could be taken for oneself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seized {
    /// Nobody else has it open; its write-ahead log is folded into it.
    Yes,
    /// Somebody has it open.
    InUse,
    /// It is no database, or damaged.
    Damaged,
}

fn plain(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(file).create_if_missing(false).busy_timeout(Duration::from_secs(2))
}

/// The file of a SQLite URL; `None` for the other engine.
pub fn file_of(url: &str) -> Result<Option<PathBuf>, DbError> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(None);
    }
    let file = SqliteConnectOptions::from_str(url)?.get_filename().to_owned();
    if file.as_os_str().is_empty() || file.to_string_lossy().contains(":memory:") {
        return Err(DbError::Url("A database in memory has no file.".into()));
    }
    Ok(Some(file))
}

/// Looks at a SQLite file without changing it.
pub async fn look(file: &Path) -> Found {
    match std::fs::metadata(file) {
        Err(_) => return Found::Nothing,
        Ok(m) if m.is_file() && m.len() == 0 => return Found::Nothing,
        Ok(_) => {}
    }
    async fn events(options: SqliteConnectOptions) -> Result<i64, sqlx::Error> {
        let mut on: SqliteConnection = options.connect().await?;
        let row = sqlx::query("SELECT seq, (SELECT COUNT(*) FROM audit_event LIMIT 1) FROM chain_head")
            .fetch_one(&mut on)
            .await?;
        let (head, count): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        on.close().await?;
        Ok(head.max(count))
    }
    // Without a write-ahead log nobody writes; said so, SQLite makes no files beside it, which
    // it may not be able to, or would leave behind.
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    let alone = !Path::new(&log).exists();
    events(plain(file).read_only(true).immutable(alone)).await.map_or(Found::Other, Found::Muster)
}

/// Folds the write-ahead log of a SQLite file into it, which needs that nobody else has it
/// open: afterwards the one file is all there is of it.
pub async fn seize(file: &Path) -> Seized {
    let mut on: SqliteConnection = match plain(file).connect().await {
        Ok(on) => on,
        Err(_) => return Seized::Damaged,
    };
    let mode = sqlx::query("PRAGMA journal_mode = DELETE").fetch_one(&mut on).await.and_then(|r| r.try_get(0));
    let closed = on.close().await;
    match mode {
        Ok::<String, _>(mode) if mode == "delete" && closed.is_ok() => Seized::Yes,
        Ok(_) => Seized::InUse,
        // 5 and 6: busy and locked.
        Err(sqlx::Error::Database(e)) if matches!(e.code().as_deref(), Some("5" | "6" | "261" | "262")) => {
            Seized::InUse
        }
        Err(_) => Seized::Damaged,
    }
}

/// A connection for what takes long and is meant to, which the log need not mention.
async fn patient(pool: &SqlitePool) -> Result<SqliteConnection, sqlx::Error> {
    (*pool.connect_options()).clone().disable_statement_logging().connect().await
}

/// How a column is carried over.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Int,
    Text,
    Bool,
    Bytes,
}

#[derive(Debug)]
struct Table {
    name: String,
    columns: Vec<(String, Kind)>,
    key: Vec<usize>,
}

impl Table {
    fn read(&self, row: &Row) -> Result<Vec<Arg>, DbError> {
        let cell = |(at, (_, kind)): (usize, &(String, Kind))| -> Result<Arg, DbError> {
            Ok(match kind {
                Kind::Int => Arg::Int(row.get(at)?),
                Kind::Text => Arg::Text(row.get(at)?),
                Kind::Bool => Arg::Bool(row.get(at)?),
                Kind::Bytes => Arg::Bytes(row.get(at)?),
            })
        };
        self.columns.iter().enumerate().map(cell).collect()
    }

    fn names(&self) -> Vec<&str> {
        self.columns.iter().map(|(name, _)| name.as_str()).collect()
    }
}

/// Every table of ours in a SQLite database, in the order in which they were made, so that
/// a row comes after those it refers to.
async fn tables(sqlite: &Db) -> Result<Vec<Table>, DbError> {
    let names = sqlite
        .all(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' \
             AND name NOT LIKE '%sqlx%' ORDER BY rowid",
            args![],
        )
        .await?;
    let mut out = Vec::with_capacity(names.len());
    for row in names {
        let name: String = row.get(0)?;
        let mut table = Table { name, columns: Vec::new(), key: Vec::new() };
        let mut key = Vec::new();
        let rows =
            sqlite.all("SELECT name, type, pk FROM pragma_table_info($1) ORDER BY cid", args![&table.name]).await?;
        for row in rows {
            let kind = match row.get::<String>(1)?.as_str() {
                "INTEGER" | "BIGINT" => Kind::Int,
                "TEXT" => Kind::Text,
                "BOOLEAN" => Kind::Bool,
                "BLOB" => Kind::Bytes,
                other => return Err(DbError::Url(format!("{}: no way to copy a column of type {other}", table.name))),
            };
            let place: i64 = row.get(2)?;
            if place > 0 {
                key.push((place, table.columns.len()));
            }
            table.columns.push((row.get(0)?, kind));
        }
        key.sort_unstable();
        table.key = key.into_iter().map(|(_, at)| at).collect();
        out.push(table);
    }
    Ok(out)
}

/// Copies every row of every table. What migrations put into the target gives way.
async fn transfer(tables: &[Table], from: &mut impl Reads, to: &mut Tx) -> Result<(), DbError> {
    for table in tables {
        if to.one(format!("SELECT 1 FROM {} LIMIT 1", table.name), args![]).await?.is_some() {
            to.run(format!("DELETE FROM {}", table.name), args![]).await?;
        }
        let columns = table.names();
        let keys: Vec<&str> = table.key.iter().map(|at| columns[*at]).collect();
        let key = keys.join(", ");
        let mut last: Option<Vec<Arg>> = None;
        loop {
            let mut args = last.clone().unwrap_or_default();
            let after = match &last {
                None => String::new(),
                Some(edge) => format!("WHERE ({key}) > {}", super::marks(1, edge.len())),
            };
            args.push(PIECE.into());
            let sql = format!(
                "SELECT {} FROM {} {after} ORDER BY {key} LIMIT ${}",
                columns.join(", "),
                table.name,
                args.len()
            );
            let rows = from.rows(sql, args).await?.iter().map(|r| table.read(r)).collect::<Result<Vec<_>, _>>()?;
            let Some(edge) = rows.last() else { break };
            last = Some(table.key.iter().map(|at| edge[*at].clone()).collect());
            to.insert(&table.name, &columns, rows, "").await?;
        }
    }
    Ok(())
}

impl Db {
    /// Opens a SQLite file by its path and brings it up to date.
    pub async fn connect_file(file: &Path) -> Result<Self, DbError> {
        let db = Self::open_sqlite(SqliteConnectOptions::new().filename(file)).await?;
        db.migrate().await?;
        Ok(db)
    }

    /// Writes a consistent copy of the database into a SQLite file that is empty or absent,
    /// while others go on writing.
    pub async fn copy_into(&self, file: &Path) -> Result<(), DbError> {
        match &self.0 {
            Pool::Sqlite { read, .. } => {
                let Some(name) = file.to_str() else {
                    return Err(DbError::Url("The name of the file is not text.".into()));
                };
                let mut on = patient(read).await?;
                sqlx::query("VACUUM INTO $1").bind(name).execute(&mut on).await?;
                on.close().await?;
            }
            Pool::Postgres(_) => {
                let copy = Self::connect_file(file).await?;
                let tables = tables(&copy).await?;
                let mut from = self.snapshot().await?;
                let mut to = copy.begin().await?;
                transfer(&tables, &mut from, &mut to).await?;
                to.commit().await?;
                copy.close().await;
            }
        }
        Ok(())
    }

    /// Takes over every row of a SQLite database, in one transaction. This one must hold
    /// nothing but what migrations put there.
    pub async fn take_over(&self, sqlite: &Self) -> Result<(), DbError> {
        let tables = tables(sqlite).await?;
        let mut from = sqlite.snapshot().await?;
        let mut to = self.begin().await?;
        transfer(&tables, &mut from, &mut to).await?;
        to.commit().await
    }

    /// Whether the engine finds its own file undamaged; on PostgreSQL that is the server's work.
    pub async fn sound(&self) -> Result<bool, DbError> {
        match &self.0 {
            Pool::Postgres(_) => Ok(true),
            Pool::Sqlite { read, .. } => {
                let mut on = patient(read).await?;
                let rows = sqlx::query("PRAGMA integrity_check").fetch_all(&mut on).await?;
                on.close().await?;
                Ok(rows.len() == 1 && rows[0].try_get::<String, _>(0)? == "ok")
            }
        }
    }
}
