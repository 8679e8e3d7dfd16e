//! PostgreSQL for tests.
//!
//! One throw-away cluster serves every test process of this work tree: whoever
//! needs it first starts it, in a temporary folder, as an ordinary user, on a
//! free port of the loopback interface. Each test has a database of its own,
//! copied from a template that is migrated once. `cargo xtask postgres stop`
//! stops the cluster; half an hour after its last use it stops itself.
//!
//! A machine without PostgreSQL fails the test: a skipped engine would be a
//! green run that says nothing.
//!
//! ```no_run
//! # async fn story() {
//! let database = cluster::Database::copy("migrations/postgres".as_ref(), async |url| {
//!     // Connect, migrate, close.
//!     Ok::<(), String>(())
//! })
//! .await;
//! println!("{}", database.url());
//! # }
//! ```

mod database;
mod server;

pub use database::Database;
pub use server::{Failure, Server};
