//! One door to both engines. SQL text is written once; what differs between SQLite and
//! PostgreSQL lives in this folder and nowhere else.
//!
//! Times are stored as microseconds since the epoch, so that they sort, compare and
//! subtract alike on both engines.

mod insert;
mod marks;
mod value;

use std::pin::Pin;
use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::MigrateError;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous};
use sqlx::{AssertSqlSafe, PgPool, Postgres, Sqlite, SqlitePool, Transaction};

pub use copy::{Found, Seized, file_of, look, seize};
pub use marks::marks;
pub use snapshot::Snapshot;
pub use value::{Arg, Cell, FOREVER, micros, time};

/// Between the values of a joined column; no text that is kept holds it.
pub const SEPARATOR: char = '\u{1f}';

/// Arguments of a statement: `args![id, name]`.
#[macro_export]
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::db::Arg::from($value)),*] };
}

/// Why the store could not do as asked. Never shown to people: it goes to the log.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// A unique index refused: somebody else was first.
    #[error("a unique index refused the write")]
    Unique,
    /// The database was written by a newer Muster.
    #[error(
        "This database was written by a newer Muster (it has migration {0}, unknown here). Start that version or a later one."
    )]
    Newer(i64),
    /// The database URL is not one Muster can open.
    #[error("{0}")]
    Url(String),
    /// Anything else.
    #[error(transparent)]
    Other(sqlx::Error),
    /// A migration failed.
    #[error("the database could not be brought up to date: {0}")]
    Migrate(MigrateError),
}

impl DbError {
    /// Whether the database could not be reached at all, so that nothing else will succeed now.
    pub(crate) fn unreachable(&self) -> bool {
        use sqlx::Error as E;
        let Self::Other(e) = self else { return false };
        matches!(e, E::Io(_) | E::Tls(_) | E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed)
    }
}

impl From<sqlx::Error> for DbError {
    fn from(e: sqlx::Error) -> Self {
        match &e {
            sqlx::Error::Database(d) if d.kind() == sqlx::error::ErrorKind::UniqueViolation => Self::Unique,
            _ => Self::Other(e),
        }
    }
}

/// A connection to one of the two engines.
#[derive(Debug, Clone)]
pub struct Db(Pool);

#[derive(Debug, Clone)]
enum Pool {
    Sqlite { read: SqlitePool, write: SqlitePool },
    Postgres(PgPool),
}

/// A row of either engine.
pub enum Row {
    /// From SQLite.
    Sqlite(SqliteRow),
    /// From PostgreSQL.
    Postgres(PgRow),
}

impl Row {
    /// The cell at a position, from 0.
    pub fn get<T: Cell>(&self, at: usize) -> Result<T, DbError> {
        T::read(self, at)
    }
}

/// The rows of a query, to be awaited. Boxed: a future that names the types of what it
/// borrows is not `Send` for every lifetime, and tasks and handlers need that.
pub type Rows<'a> = Pin<Box<dyn Future<Output = Result<Vec<Row>, DbError>> + Send + 'a>>;

/// What can be read from: the pool, a transaction under way (which sees its own writes), or
/// a [`Snapshot`].
pub trait Reads: Send {
    /// Every row of a query.
    fn rows(&mut self, sql: impl Into<Sql>, args: Vec<Arg>) -> Rows<'_>;
}

impl Reads for &Db {
    fn rows(&mut self, sql: impl Into<Sql>, args: Vec<Arg>) -> Rows<'_> {
        let sql = sql.into();
        Box::pin(async move { self.all(sql, args).await })
    }
}

impl Reads for Tx {
    fn rows(&mut self, sql: impl Into<Sql>, args: Vec<Arg>) -> Rows<'_> {
        let sql = sql.into();
        Box::pin(async move { self.all(sql, args).await })
    }
}

/// SQL text: a literal, or built from literals of ours (never from input).
#[derive(Debug, Clone)]
pub enum Sql {
    /// A literal.
    Fixed(&'static str),
    /// Assembled from literals; values are always arguments.
    Built(String),
}

impl From<&'static str> for Sql {
    fn from(s: &'static str) -> Self {
        Self::Fixed(s)
    }
}

impl From<String> for Sql {
    fn from(s: String) -> Self {
        Self::Built(s)
    }
}

macro_rules! run {
    ($engine:ty, $sql:expr, $args:expr, $method:ident, $on:expr) => {{
        let count = $args.len();
        let args = value::bind::<$engine>($args)?;
        match $sql {
            Sql::Fixed(text) => sqlx::query_with::<$engine, _>(text, args).$method($on).await,
            Sql::Built(text) => {
                let text = <$engine as $crate::db::marks::Marks>::marked(text, count);
                sqlx::query_with::<$engine, _>(AssertSqlSafe(text), args)
                    .persistent(count <= $crate::db::marks::KEPT)
                    .$method($on)
                    .await
            }
        }
    }};
}

// After the macro, which they use.
mod copy;
mod snapshot;

impl Db {
    /// Opens the database, makes the SQLite file if it is absent, and brings it up to date.
    pub async fn connect(url: &str) -> Result<Self, DbError> {
        let db = Self::open(url).await?;
        db.migrate().await?;
        Ok(db)
    }

    async fn open(url: &str) -> Result<Self, DbError> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let options = PgConnectOptions::from_str(url)?.application_name("muster");
            let pool = PgPoolOptions::new()
                .max_connections(16)
                .acquire_timeout(Duration::from_secs(30))
                .connect_with(options)
                .await?;
            return Ok(Self(Pool::Postgres(pool)));
        }
        if !url.starts_with("sqlite:") {
            return Err(DbError::Url(
                "The database URL must begin with sqlite:// or postgres://, for instance sqlite://muster.db.".into(),
            ));
        }
        Self::open_sqlite(SqliteConnectOptions::from_str(url)?).await
    }

    async fn open_sqlite(options: SqliteConnectOptions) -> Result<Self, DbError> {
        let options = options
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(30))
            // A page is 50 rows and one more: with the usual room for 50, the last row waits
            // until somebody is woken to take the first.
            .row_buffer_size(256);
        private(options.get_filename());
        let write = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_mins(2))
            // A change touches a few pages of many indexes: with the usual 2 MB a large estate reads
            // them anew each time.
            .connect_with(options.clone().pragma("cache_size", "-16384"))
            .await?;
        let read = SqlitePoolOptions::new()
            .max_connections(4)
            .acquire_timeout(Duration::from_secs(30))
            .connect_with(options)
            .await?;
        Ok(Self(Pool::Sqlite { read, write }))
    }

    async fn migrate(&self) -> Result<(), DbError> {
        let done = match &self.0 {
            Pool::Sqlite { write, .. } => sqlx::migrate!("../../migrations/sqlite").run(write).await,
            Pool::Postgres(pool) => sqlx::migrate!("../../migrations/postgres").run(pool).await,
        };
        done.map_err(|e| match e {
            MigrateError::VersionMissing(v) => DbError::Newer(v),
            e => DbError::Migrate(e),
        })
    }

    /// `sqlite` or `postgres`, for `doctor` and the settings page.
    pub const fn engine(&self) -> &'static str {
        match &self.0 {
            Pool::Sqlite { .. } => "sqlite",
            Pool::Postgres(_) => "postgres",
        }
    }

    /// The column `name` of many rows as one value, each after the first behind
    /// [`SEPARATOR`]: a short list costs less as one row than as many.
    pub const fn joined(&self) -> &'static str {
        match &self.0 {
            Pool::Sqlite { .. } => "group_concat(name, char(31))",
            Pool::Postgres(_) => "string_agg(name, chr(31))",
        }
    }

    /// Every row of a query.
    pub async fn all(&self, sql: impl Into<Sql>, args: Vec<Arg>) -> Result<Vec<Row>, DbError> {
        Ok(match &self.0 {
            Pool::Sqlite { read, .. } => {
                run!(Sqlite, sql.into(), args, fetch_all, read)?.into_iter().map(Row::Sqlite).collect()
            }
            Pool::Postgres(pool) => {
                run!(Postgres, sql.into(), args, fetch_all, pool)?.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// The first row of a query, if any.
    pub async fn one(&self, sql: impl Into<Sql>, args: Vec<Arg>) -> Result<Option<Row>, DbError> {
        Ok(match &self.0 {
            Pool::Sqlite { read, .. } => run!(Sqlite, sql.into(), args, fetch_optional, read)?.map(Row::Sqlite),
            Pool::Postgres(pool) => run!(Postgres, sql.into(), args, fetch_optional, pool)?.map(Row::Postgres),
        })
    }

    /// Runs a single statement in a transaction of its own; only for facts outside the
    /// record (sessions, throttles, staged uploads). Answers the affected rows.
    pub async fn run(&self, sql: impl Into<Sql>, args: Vec<Arg>) -> Result<u64, DbError> {
        Ok(match &self.0 {
            Pool::Sqlite { write, .. } => run!(Sqlite, sql.into(), args, execute, write)?.rows_affected(),
            Pool::Postgres(pool) => run!(Postgres, sql.into(), args, execute, pool)?.rows_affected(),
        })
    }

    /// Begins a transaction that will write. On SQLite it takes the write lock at once: an
    /// upgrade later would fail whatever the busy timeout says.
    pub async fn begin(&self) -> Result<Tx, DbError> {
        Ok(Tx(match &self.0 {
            Pool::Sqlite { write, .. } => Inner::Sqlite(write.begin_with("BEGIN IMMEDIATE").await?),
            Pool::Postgres(pool) => Inner::Postgres(pool.begin().await?),
        }))
    }

    /// The plan of a query, one step a line: for the test that refuses full scans.
    pub async fn plan(&self, sql: &str, args: Vec<Arg>) -> Result<Vec<String>, DbError> {
        match &self.0 {
            Pool::Sqlite { .. } => {
                let rows = self.all(format!("EXPLAIN QUERY PLAN {sql}"), args).await?;
                rows.iter().map(|r| r.get::<String>(3)).collect()
            }
            Pool::Postgres(_) => {
                let rows = self.all(format!("EXPLAIN {sql}"), args).await?;
                rows.iter().map(|r| r.get::<String>(0)).collect()
            }
        }
    }

    /// Closes every connection; SQLite then folds its write-ahead log into the file.
    pub async fn close(&self) {
        match &self.0 {
            Pool::Sqlite { read, write } => {
                read.close().await;
                write.close().await;
            }
            Pool::Postgres(pool) => pool.close().await,
        }
    }
}

/// Makes an absent database readable by its owner alone; SQLite gives its side files the
/// same rights. What cannot be made here is said by SQLite, which tries next.
fn private(file: &std::path::Path) {
    // SQLite's own kind of address: no file, or one named within.
    if file.to_string_lossy().starts_with("file:") {
        return;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    drop(options.open(file));
}

/// A transaction that writes. Dropped without [`Tx::commit`], it leaves nothing behind.
pub struct Tx(Inner);

enum Inner {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Tx {
    /// Every row of a query.
    pub async fn all(&mut self, sql: impl Into<Sql>, args: Vec<Arg>) -> Result<Vec<Row>, DbError> {
        Ok(match &mut self.0 {
            Inner::Sqlite(tx) => {
                run!(Sqlite, sql.into(), args, fetch_all, &mut **tx)?.into_iter().map(Row::Sqlite).collect()
            }
            Inner::Postgres(tx) => {
                run!(Postgres, sql.into(), args, fetch_all, &mut **tx)?.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// The first row of a query, if any.
    pub async fn one(&mut self, sql: impl Into<Sql>, args: Vec<Arg>) -> Result<Option<Row>, DbError> {
        Ok(match &mut self.0 {
            Inner::Sqlite(tx) => run!(Sqlite, sql.into(), args, fetch_optional, &mut **tx)?.map(Row::Sqlite),
            Inner::Postgres(tx) => run!(Postgres, sql.into(), args, fetch_optional, &mut **tx)?.map(Row::Postgres),
        })
    }

    /// Runs a statement; answers the affected rows, which the caller checks.
    pub async fn run(&mut self, sql: impl Into<Sql>, args: Vec<Arg>) -> Result<u64, DbError> {
        Ok(match &mut self.0 {
            Inner::Sqlite(tx) => run!(Sqlite, sql.into(), args, execute, &mut **tx)?.rows_affected(),
            Inner::Postgres(tx) => run!(Postgres, sql.into(), args, execute, &mut **tx)?.rows_affected(),
        })
    }

    /// What follows a SELECT that takes rows for itself, so that several servers share the work:
    /// rows that another transaction took are passed over. SQLite has one writer at a time.
    pub const fn taking(&self) -> &'static str {
        match &self.0 {
            Inner::Sqlite(_) => "",
            Inner::Postgres(_) => " FOR UPDATE SKIP LOCKED",
        }
    }

    /// Makes it so.
    pub async fn commit(self) -> Result<(), DbError> {
        match self.0 {
            Inner::Sqlite(tx) => tx.commit().await?,
            Inner::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
}
