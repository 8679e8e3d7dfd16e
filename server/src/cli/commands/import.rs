//! `muster import`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use domain::can::Actor;
use domain::id::PersonId;
use domain::import::mapping::source_of;
use domain::import::{MAX_BYTES, Mapping, Note};
use register::assignments::Mode;
use register::imports::{self, Counts, Fate, Plan, Wish};
use register::{By, Db, people};

use crate::cli::{Database, Failure, Output, clock, progress};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    database: Database,
    /// The inventory: CSV with a header, in UTF-8, UTF-16 or Windows-1252, at most 64 MiB
    #[arg(value_name = "FILE.csv")]
    file: PathBuf,
    /// What its columns mean; else the mapping kept for the source, else a guess
    #[arg(long, env = "MUSTER_MAPPING", value_name = "FILE.toml")]
    mapping: Option<PathBuf>,
    /// What the inventory is called: with the key it names an agent for ever; by default the file's name
    #[arg(long, env = "MUSTER_SOURCE", value_name = "NAME")]
    source: Option<String>,
    /// Say what would happen, and write nothing
    #[arg(long, env = "MUSTER_DRY_RUN")]
    dry_run: bool,
    /// Who answers for the wave
    #[arg(long, env = "MUSTER_OWNER", value_name = "EMAIL")]
    owner: Option<String>,
    /// In how many days its gaps are to be closed; by default as the settings say, 90
    #[arg(long, env = "MUSTER_TARGET_DAYS", value_name = "N", value_parser = clap::value_parser!(i64).range(1..=730))]
    target_days: Option<i64>,
    /// Write the mapping that is used into a file, to be read, mended and given again
    #[arg(long, env = "MUSTER_WRITE_MAPPING", value_name = "FILE.toml")]
    write_mapping: Option<PathBuf>,
}

pub(in crate::cli) async fn run(args: Args) -> Result<(), Failure> {
    let given = args.mapping.as_ref().map(|path| read_mapping(path)).transpose()?;
    let name = args.file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    progress(Some("reading"));
    let bytes = Arc::new(read(&args.file)?);
    let db = args.database.open().await?;
    let done = import(&db, &args, name, bytes, given).await;
    progress(None);
    db.close().await;
    done
}

async fn import(
    db: &Db,
    args: &Args,
    name: String,
    bytes: Arc<Vec<u8>>,
    given: Option<Mapping>,
) -> Result<(), Failure> {
    let actor = Actor::cli();
    let by = By { actor: &actor, now: clock().now() };
    let owner = match &args.owner {
        None => None,
        Some(email) => Some(person(db, email).await?),
    };
    let mapping = mapping(db, by, args, &name, &bytes, given).await?;
    if let Some(path) = &args.write_mapping {
        std::fs::write(path, mapping.to_toml())
            .map_err(|e| Failure::refused(format!("the mapping cannot be written to {}: {e}", path.display())))?;
    }
    let staged = aside({
        let bytes = Arc::clone(&bytes);
        move || imports::stage(&name, &bytes, mapping)
    })
    .await?;
    let mut out = Output::default();
    out.line(format!("source {}", staged.mapping.source))?;
    out.line(format!("encoding {}", staged.encoding))?;
    if staged.damaged > 0 {
        out.line(format!("unreadable characters {}", staged.damaged))?;
    }
    if staged.empty > 0 {
        out.line(format!("empty rows passed over {}", staged.empty))?;
    }
    progress(Some("comparing"));
    let plan = imports::preview(db, by, &staged, Mode::Offer).await?;
    let counts = if args.dry_run {
        plan.counts
    } else {
        let wish = Wish { owner, target_days: args.target_days, ..Wish::default() };
        let applied = imports::apply(db, by, &staged, &wish, &|n, of| {
            progress(Some(&format!("written {n} of {of}")));
        })
        .await?;
        if let (Some(wave), Some(target)) = (applied.wave, applied.target_at) {
            out.line(format!("wave {wave} target {}", target.date_naive()))?;
        }
        applied.counts
    };
    progress(None);
    tell(&mut out, &plan)?;
    out.line(counts)?;
    out.done()?;
    whole(counts)
}

/// Rows that were left out make the command say so by its exit: nobody watches a nightly job.
fn whole(counts: Counts) -> Result<(), Failure> {
    match counts.refused {
        0 => Ok(()),
        1 => Err(Failure::refused("1 row was refused; the others are as said")),
        n => Err(Failure::refused(format!("{n} rows were refused; the others are as said"))),
    }
}

fn read(path: &std::path::Path) -> Result<Vec<u8>, Failure> {
    let unread = |e: std::io::Error| Failure::refused(format!("{} cannot be read: {e}", path.display()));
    let size = std::fs::metadata(path).map_err(unread)?;
    if size.is_dir() {
        return Err(Failure::refused(format!("{} is a folder, not a file", path.display())));
    }
    if size.len() > MAX_BYTES as u64 {
        let mib = size.len().div_ceil(1024 * 1024);
        return Err(Failure::refused(format!(
            "the file has {mib} MiB; at most 64 MiB are taken: send it in parts with the same --source"
        )));
    }
    std::fs::read(path).map_err(unread)
}

fn read_mapping(path: &std::path::Path) -> Result<Mapping, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| Failure::refused(format!("the mapping {} cannot be read: {e}", path.display())))?;
    Mapping::from_toml(&text).map_err(|e| Failure::refused(format!("{}: {e}", path.display())))
}

async fn person(db: &Db, email: &str) -> Result<PersonId, Failure> {
    let mut reads = db;
    let found = people::by_email(&mut reads, email).await?;
    found.map(|p| p.id).ok_or_else(|| Failure::refused(format!("nobody has the e-mail address {email}")))
}

/// The mapping that was given, else the one kept for the source, else a guess.
async fn mapping(
    db: &Db,
    by: By<'_>,
    args: &Args,
    name: &str,
    bytes: &Arc<Vec<u8>>,
    given: Option<Mapping>,
) -> Result<Mapping, Failure> {
    if let Some(mut mapping) = given {
        if let Some(source) = &args.source {
            mapping.source.clone_from(source);
        } else if mapping.source.is_empty() {
            mapping.source = source_of(name);
        }
        return Ok(mapping);
    }
    let looked = aside({
        let (name, bytes) = (name.to_owned(), Arc::clone(bytes));
        move || imports::look(&name, &bytes)
    })
    .await?;
    let source = args.source.clone().unwrap_or_else(|| looked.guess.source.clone());
    let header: Vec<String> = looked.profile.columns.iter().map(|c| c.name.clone()).collect();
    // By its source alone: a file of another name is another inventory, unless one says so.
    let kept = imports::mapping_for(db, by, &source, true, &header).await?;
    Ok(Mapping { source, ..kept.unwrap_or(looked.guess) })
}

/// Runs what costs processor time beside the reactor.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, register::Error> + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|e| Failure::refused(format!("the file could not be read: {e}")))?
        .map_err(Failure::from)
}

/// What deserves a look: refused rows with their reasons, drift, names that are nobody,
/// and how often something was taken otherwise than it was written.
fn tell(out: &mut Output, plan: &Plan) -> Result<(), Failure> {
    for line in &plan.lines {
        if let Fate::Refused { reason } = &line.fate {
            out.line(format!("refused row {}: {reason}", line.row))?;
        }
        if !line.drift.is_empty()
            && let Fate::Changed { agent, .. } | Fate::Unchanged { agent } = &line.fate
        {
            let what: Vec<&str> = line.drift.iter().map(|c| c.field.as_str()).collect();
            out.line(format!("drift row {}: {agent} {}", line.row, what.join(" ")))?;
        }
    }
    for (what, name, rows) in &plan.unmatched {
        out.line(format!("unmatched {}: {name} (rows {rows})", what.to_lowercase()))?;
    }
    let mut notes: BTreeMap<&str, usize> = BTreeMap::new();
    for note in plan.lines.iter().flat_map(|l| &l.notes) {
        if let Some(kind) = kind(note) {
            *notes.entry(kind).or_default() += 1;
        }
    }
    for (kind, n) in notes {
        out.line(format!("{kind} {n}"))?;
    }
    Ok(())
}

/// What a note is counted under.
const fn kind(note: &Note) -> Option<&'static str> {
    Some(match note {
        Note::NameMissing => "unnamed",
        Note::KeyMissing => "without key",
        Note::Duplicate(_) => "possible duplicates",
        Note::Shortened { .. } | Note::TooMany { .. } => "shortened",
        Note::Cleaned => "control characters left out",
        Note::NotUnderstood { .. } => "values not understood",
        Note::StageMissing => "without stage",
        Note::KeptAsLabel(_) => "kept as label",
        Note::VendorMissing => "vendor not named",
        Note::IdTaken { .. } => "ids that belong to others",
        Note::SharedRecordHolds { .. } => "shared records kept",
        Note::RetireHere => "to be retired here",
        Note::Contradiction => "retired and running",
        Note::RecordClosed => "retired here",
        Note::SignOfLife => "retired here and running",
        Note::OwnerKept { .. } | Note::OwnerDeclined { .. } | Note::OwnerNotYours { .. } => "owners not asked",
        Note::OwnerUnknown { .. } | Note::OwnerAmbiguous { .. } | Note::OwnerGone { .. } | Note::TeamUnknown { .. } => {
            return None;
        }
    })
}
