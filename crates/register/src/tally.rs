//! Counters, moved in the transaction of the change, so that a dashboard over 100,000
//! agents reads a few rows.

use std::collections::BTreeMap;

use crate::db::{Arg, DbError, Tx};

/// Differences to be added to the counters.
#[derive(Debug, Default)]
pub struct Tally(BTreeMap<String, i64>);

impl Tally {
    /// Adds to a facet.
    pub fn add(&mut self, facet: &str, delta: i64) {
        if let Some(n) = self.0.get_mut(facet) {
            *n += delta;
        } else {
            self.0.insert(facet.to_owned(), delta);
        }
    }

    /// Writes the differences. Facets are in one order everywhere, so that two changes at
    /// once cannot wait for each other.
    pub async fn apply(self, tx: &mut Tx) -> Result<(), DbError> {
        let rows: Vec<Vec<Arg>> =
            self.0.into_iter().filter(|(_, n)| *n != 0).map(|(f, n)| vec![Arg::from(f), n.into()]).collect();
        if !rows.is_empty() {
            tx.insert("tally", &["facet", "n"], rows, "ON CONFLICT (facet) DO UPDATE SET n = tally.n + excluded.n")
                .await?;
        }
        Ok(())
    }
}
