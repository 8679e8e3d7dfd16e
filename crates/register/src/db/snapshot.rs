//! A reader that sees one moment of the database, whatever is written meanwhile.

use sqlx::{AssertSqlSafe, Postgres, Sqlite, Transaction};

use super::{Arg, Db, DbError, Pool, Reads, Row, Rows, Sql, value};

/// One moment of the database. It holds a reading connection until it is dropped, and on
/// SQLite keeps the write-ahead log from being folded, so it is not kept over a slow client.
pub struct Snapshot(Inner);

enum Inner {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Db {
    /// The database as it is now: every read through it sees the same moment.
    pub async fn snapshot(&self) -> Result<Snapshot, DbError> {
        let mut snapshot = Snapshot(match &self.0 {
            Pool::Sqlite { read, .. } => Inner::Sqlite(read.begin().await?),
            Pool::Postgres(pool) => {
                Inner::Postgres(pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?)
            }
        });
        // Both engines take the moment at the first read, not at the beginning.
        snapshot.rows("SELECT seq FROM chain_head", Vec::new()).await?;
        Ok(snapshot)
    }
}

impl Reads for Snapshot {
    fn rows(&mut self, sql: impl Into<Sql>, args: Vec<Arg>) -> Rows<'_> {
        let sql = sql.into();
        Box::pin(async move {
            Ok(match &mut self.0 {
                Inner::Sqlite(tx) => {
                    run!(Sqlite, sql, args, fetch_all, &mut **tx)?.into_iter().map(Row::Sqlite).collect()
                }
                Inner::Postgres(tx) => {
                    run!(Postgres, sql, args, fetch_all, &mut **tx)?.into_iter().map(Row::Postgres).collect()
                }
            })
        })
    }
}
