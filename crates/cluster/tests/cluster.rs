//! The cluster itself, tried.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use cluster::{Database, Server};

fn port(url: &str) -> u16 {
    let digits = url.rsplit_once(':').expect("an address has a port").1;
    digits.parse().expect("a port is a number")
}

fn migrations(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).expect("the target folder can be written");
    folder
}

#[test]
fn all_who_ask_at_once_share_one_server() {
    let asked: Vec<_> = (0..4).map(|_| std::thread::spawn(Server::shared)).collect();
    let urls: Vec<_> = asked.into_iter().map(|thread| thread.join().unwrap().unwrap().url().to_owned()).collect();
    assert!(urls.windows(2).all(|pair| pair[0] == pair[1]), "{urls:?}");
    TcpStream::connect(("127.0.0.1", port(&urls[0]))).unwrap();
}

#[tokio::test]
async fn a_template_is_migrated_once_and_each_copy_stands_alone() {
    static MIGRATED: AtomicUsize = AtomicUsize::new(0);
    let folder = migrations("good");
    std::fs::write(folder.join("1.sql"), format!("-- {}", std::process::id())).unwrap();
    let migrate = async |_url: String| {
        MIGRATED.fetch_add(1, Ordering::SeqCst);
        Ok::<(), String>(())
    };
    let first = Database::copy(&folder, migrate).await;
    let second = Database::copy(&folder, migrate).await;
    assert_ne!(first.url(), second.url());
    assert_eq!(MIGRATED.load(Ordering::SeqCst), 1);
}

#[tokio::test]
#[should_panic(expected = "the migration failed: no such column")]
async fn a_migration_that_fails_says_why() {
    let folder = migrations("failing");
    std::fs::write(folder.join("1.sql"), "broken").unwrap();
    Database::copy(&folder, async |_| Err("no such column")).await;
}
