//! `muster seed`.

use domain::can::Actor;
use register::{By, seed};

use crate::cli::{Database, Failure, Output, clock, progress};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    database: Database,
    /// How many agents: AG-1 to AG-N
    #[arg(long, env = "MUSTER_AGENTS", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    agents: u32,
    /// How many people; by default one for fifty agents, at least 12 and at most 2000
    #[arg(long, env = "MUSTER_PEOPLE", value_name = "N", value_parser = clap::value_parser!(u32).range(4..=100_000))]
    people: Option<u32>,
    /// Where chance begins: the same number makes the same estate
    #[arg(long, env = "MUSTER_RNG_SEED", value_name = "N", default_value_t = 1)]
    rng_seed: u64,
}

pub(in crate::cli) async fn run(args: Args) -> Result<(), Failure> {
    let db = args.database.open().await?;
    let actor = Actor::cli();
    let by = By { actor: &actor, now: clock().now() };
    let people = args.people.map(|n| n as usize);
    progress(Some("people and teams"));
    let done = seed::synthetic(&db, by, args.agents as usize, people, args.rng_seed, |n| {
        progress(Some(&format!("{n} of {} agents", args.agents)));
    })
    .await;
    progress(None);
    db.close().await;
    done?;
    let mut out = Output::default();
    out.line(format!("agents {}", args.agents))?;
    out.done()
}
