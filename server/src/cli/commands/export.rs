//! `muster export`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use domain::can::Actor;
use domain::import::neutral::write_row;
use domain::party::Party;
use domain::record::{Event, timestamp};
use register::agents::list::Query;
use register::agents::{self, Agent};
use register::assignments::export as matrices;
use register::{By, Db, audit};
use serde_json::{Value, json};

use crate::cli::{Database, Failure, clock, progress};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    database: Database,
    /// What to write
    what: What,
    /// The form: by default jsonl for the record, csv for the rest
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// The file to write, whole or not at all; by default stdout
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Of the record, only the events after this one
    #[arg(long, value_name = "SEQ", default_value_t = 0, hide_default_value = true)]
    after: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Every agent, a row each
    Agents,
    /// Every cell of every agent's RACI matrix, a row each
    Raci,
    /// Every exception, with where it stands now, a row each
    Exceptions,
    /// The record: every event, with the chain
    Audit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For spreadsheets: cells that would run as formulas get an apostrophe
    Csv,
    /// One array
    Json,
    /// An object a line
    Jsonl,
}

pub(in crate::cli) async fn run(args: Args) -> Result<(), Failure> {
    if args.after != 0 && args.what != What::Audit {
        return Err(Failure::usage("--after is for the record: muster export audit --after SEQ"));
    }
    let format = args.format.unwrap_or(if args.what == What::Audit { Format::Jsonl } else { Format::Csv });
    let db = args.database.open().await?;
    let mut sink = Sink::new(args.output.as_deref())?;
    let mut writer = Writer { format, rows: 0, text: String::new() };
    let actor = Actor::cli();
    let by = By { actor: &actor, now: clock().now() };
    match args.what {
        What::Audit => events(&db, by, args.after, &mut writer, &mut sink).await?,
        What::Agents => agents(&db, by, &mut writer, &mut sink).await?,
        What::Exceptions => exceptions(&db, by, &mut writer, &mut sink).await?,
        What::Raci => raci(&db, by, &mut writer, &mut sink).await?,
    }
    writer.end(&mut sink)?;
    progress(None);
    db.close().await;
    sink.keep()
}

/// The columns of an event in a table.
const EVENT: [&str; 12] =
    ["seq", "id", "at", "actor", "capacity", "action", "subject", "before", "after", "reason", "prev", "hash"];

async fn events(db: &Db, by: By<'_>, after: i64, writer: &mut Writer, sink: &mut Sink) -> Result<(), Failure> {
    let mut export = audit::export(db, by, after).await?;
    writer.head(&EVENT);
    while let Some(events) = export.events().await? {
        for event in &events {
            writer.row(|| json!(event), || event_cells(event));
        }
        sink.write(&mut writer.text)?;
        progress(Some(&format!("{} events, {} to go", writer.rows, export.left())));
    }
    Ok(())
}

fn event_cells(e: &Event) -> Vec<String> {
    vec![
        e.seq.to_string(),
        e.id.clone(),
        e.at.clone(),
        e.actor.clone(),
        e.capacity.clone(),
        e.action.clone(),
        e.subject.clone(),
        e.before.to_string(),
        e.after.to_string(),
        e.reason.clone(),
        e.prev.clone(),
        e.hash.clone(),
    ]
}

async fn agents(db: &Db, by: By<'_>, writer: &mut Writer, sink: &mut Sink) -> Result<(), Failure> {
    let mut export = agents::export::Export::new(by, Query::default())?;
    writer.head(&agents::export::HEADINGS);
    while let Some(rows) = export.next(db, by).await? {
        for row in &rows {
            let party = row.party.as_ref();
            writer.row(|| object(&row.agent, party), || agents::export::cells(&row.agent, party));
        }
        sink.write(&mut writer.text)?;
        progress(Some(&format!("{} agents", writer.rows)));
    }
    Ok(())
}

/// An agent, its members named as the API names them.
fn object(agent: &Agent, party: Option<&(Party, String)>) -> Value {
    let mut out = json!({
        "id": agent.id,
        "version": agent.version,
        "created_at": timestamp(agent.created_at),
        "updated_at": timestamp(agent.updated_at),
        "created_by": agent.created_by,
        "state": agent.state,
        "state_at": timestamp(agent.state_at),
        "tier": agent.tier,
        "tier_points": agent.tier_points,
        "runtime_owner": agent.runtime_owner.map(|state| json!({"state": state, "party": party.map(|(p, _)| p)})),
        "boundary_sha256": agent.boundary_sha256,
        "wave": agent.wave,
    });
    if let (Value::Object(out), Value::Object(facts)) = (&mut out, json!(agent.facts)) {
        out.extend(facts);
    }
    out
}

async fn raci(db: &Db, by: By<'_>, writer: &mut Writer, sink: &mut Sink) -> Result<(), Failure> {
    let mut export = matrices::Export::new(by)?;
    writer.head(&matrices::HEADINGS);
    while let Some(lines) = export.next(db, by).await? {
        for line in &lines {
            let object = || {
                json!({
                    "agent": line.agent,
                    "agent_name": line.agent_name,
                    "duty": line.duty,
                    "role": line.role,
                    "party": line.party,
                    "party_name": line.party_name,
                    "accepted_at": line.accepted_at.map(timestamp),
                    "offered_at": timestamp(line.offered_at),
                })
            };
            writer.row(object, || matrices::cells(line));
        }
        sink.write(&mut writer.text)?;
        progress(Some(&format!("{} cells", writer.rows)));
    }
    Ok(())
}

/// The columns of an exception in a table.
const EXCEPTION: [&str; 22] = [
    "id",
    "state",
    "title",
    "agents",
    "control",
    "node",
    "duty",
    "control_owner",
    "requester",
    "likelihood",
    "impact",
    "justification",
    "compensating_controls",
    "tier",
    "starts_at",
    "expires_at",
    "days_left",
    "renews",
    "renewals",
    "approved_at",
    "ended_at",
    "request",
];

async fn exceptions(db: &Db, by: By<'_>, writer: &mut Writer, sink: &mut Sink) -> Result<(), Failure> {
    let mut reads = db;
    let mut last = 0;
    writer.head(&EXCEPTION);
    loop {
        let lines = register::exceptions::export::after(&mut reads, by, last).await?;
        let Some(end) = lines.last() else { break };
        last = end.kept.id().0;
        for line in &lines {
            let object = exception(line);
            writer.row(|| object.clone(), || EXCEPTION.iter().map(|column| cell(&object[*column])).collect());
        }
        sink.write(&mut writer.text)?;
        progress(Some(&format!("{} exceptions", writer.rows)));
    }
    Ok(())
}

/// A member as a cell: a list of words joined, anything deeper as JSON.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(list) if list.iter().all(Value::is_string) => {
            list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    }
}

/// An exception, its members named as the API names them.
fn exception(line: &register::exceptions::list::Line) -> Value {
    let e = &line.kept.exception;
    let ended_at = e.ended.as_ref().map(|x| x.at).or(e.rejected.as_ref().map(|(at, _)| *at));
    json!({
        "id": e.id,
        "version": line.kept.version,
        "created_at": timestamp(line.kept.created_at),
        "updated_at": timestamp(line.kept.updated_at),
        "state": line.state,
        "title": e.title,
        "agents": e.agents,
        "selection": e.selection.to_string(),
        "control": e.control.key(),
        "node": (!e.node.is_empty()).then_some(&e.node),
        "duty": e.duty,
        "control_owner": line.owner.as_ref().map(|(party, _)| party),
        "requester": e.requester,
        "likelihood": e.likelihood,
        "impact": e.impact,
        "justification": e.justification,
        "compensating_controls": e.controls.iter().map(|c| json!({
            "number": c.place, "text": c.text, "owner": c.owner, "check_at": timestamp(c.check_at),
            "checked_at": c.checked.as_ref().map(|x| timestamp(x.at)),
            "checked_by": c.checked.as_ref().map(|x| &x.by),
            "note": c.checked.as_ref().map_or("", |x| &x.note),
        })).collect::<Vec<_>>(),
        "tier": e.tier,
        "starts_at": timestamp(e.starts_at),
        "expires_at": timestamp(e.expires_at),
        "days_left": e.days_left(line.as_of),
        "suspends": e.suspends,
        "renews": e.renews,
        "renewals": e.renewals,
        "request": line.kept.request,
        "subject_sha256": line.kept.subject_sha256,
        "approved_at": e.approved_at.map(timestamp),
        "ended_at": ended_at.map(timestamp),
    })
}

/// Rows in one of the forms. What is written so far waits in `text`.
struct Writer {
    format: Format,
    rows: u64,
    text: String,
}

impl Writer {
    fn head(&mut self, columns: &[&str]) {
        match self.format {
            Format::Csv => write_row(&mut self.text, columns.iter().copied()),
            Format::Json => self.text.push('['),
            Format::Jsonl => {}
        }
    }

    fn row(&mut self, object: impl FnOnce() -> Value, cells: impl FnOnce() -> Vec<String>) {
        self.rows += 1;
        match self.format {
            Format::Csv => write_row(&mut self.text, cells().iter().map(String::as_str)),
            Format::Json => {
                self.text.push_str(if self.rows == 1 { "\n" } else { ",\n" });
                self.text.push_str(&object().to_string());
            }
            Format::Jsonl => {
                self.text.push_str(&object().to_string());
                self.text.push('\n');
            }
        }
    }

    fn end(&mut self, sink: &mut Sink) -> Result<(), Failure> {
        if self.format == Format::Json {
            self.text.push_str(if self.rows == 0 { "]\n" } else { "\n]\n" });
        }
        sink.write(&mut self.text)
    }
}

/// stdout, or a file that appears when it is whole.
enum Sink {
    Stdout(std::io::Stdout),
    File { to: BufWriter<File>, partial: PathBuf, place: PathBuf, kept: bool },
}

impl Sink {
    fn new(output: Option<&Path>) -> Result<Self, Failure> {
        let Some(place) = output.filter(|path| path.as_os_str() != "-") else {
            return Ok(Self::Stdout(std::io::stdout()));
        };
        let mut partial = place.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let file = File::create(&partial)
            .map_err(|error| Failure::refused(format!("{} cannot be written: {error}", place.display())))?;
        Ok(Self::File { to: BufWriter::new(file), partial, place: place.to_owned(), kept: false })
    }

    /// Writes the text and empties it.
    fn write(&mut self, text: &mut String) -> Result<(), Failure> {
        let written = match self {
            Self::Stdout(to) => to.write_all(text.as_bytes()),
            Self::File { to, .. } => to.write_all(text.as_bytes()),
        };
        text.clear();
        match written {
            // A reader that has seen enough is no failure.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
            written => Ok(written?),
        }
    }

    fn keep(mut self) -> Result<(), Failure> {
        match &mut self {
            Self::Stdout(to) => to.flush()?,
            Self::File { to, partial, place, kept } => {
                to.flush()?;
                std::fs::rename(&*partial, &*place)?;
                *kept = true;
            }
        }
        Ok(())
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if let Self::File { partial, kept: false, .. } = self {
            let _ = std::fs::remove_file(partial);
        }
    }
}
