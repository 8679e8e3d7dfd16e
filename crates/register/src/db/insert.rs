//! Writing many rows.

use super::{Arg, DbError, Tx};

/// Arguments of the longest statement: beyond this the engines gain little.
const ARGUMENTS: usize = super::marks::KEPT;

impl Tx {
    /// Inserts many rows. `tail` is what follows the values, for instance an `ON CONFLICT`
    /// clause. Rows go in pieces of two sizes and singly, so that a table has three
    /// statements, prepared once, however many rows there are.
    pub async fn insert(
        &mut self,
        table: &str,
        columns: &[&str],
        rows: Vec<Vec<Arg>>,
        tail: &str,
    ) -> Result<u64, DbError> {
        let large = (ARGUMENTS / columns.len().max(1)).max(1);
        let middle = (large / 6).max(1);
        let mut affected = 0;
        let mut left = rows.len();
        let mut rows = rows.into_iter();
        for size in [large, middle, 1] {
            let text = if left >= size { text(table, columns, size, tail) } else { continue };
            while left >= size {
                let args = rows.by_ref().take(size).flatten().collect();
                affected += self.run(text.clone(), args).await?;
                left -= size;
            }
        }
        Ok(affected)
    }
}

fn text(table: &str, columns: &[&str], rows: usize, tail: &str) -> String {
    let mut sql = format!("INSERT INTO {table} ({}) VALUES ", columns.join(", "));
    for row in 0..rows {
        if row > 0 {
            sql.push_str(", ");
        }
        sql.push_str(&super::marks(row * columns.len() + 1, columns.len()));
    }
    sql.push(' ');
    sql.push_str(tail);
    sql
}
