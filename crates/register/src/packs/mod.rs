//! The dossier of an agent, and the evidence pack that an auditor takes away: everything that is
//! kept about one agent at one moment, with the extract of the record that proves it. What is
//! gathered is of one snapshot; the files themselves never change, and are read one at a time.

mod rows;
mod tables;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use domain::assignment::RaciRole;
use domain::can::{Action, can};
use domain::duty::Duty;
use domain::id::{AgentId, PersonId, RequestId, SystemId};
use domain::party::Party;
use domain::record::{Event, Head};
use domain::request::RequestKind;
use domain::stop::{Method, Surface};
use serde_json::json;

use crate::agents::assess::{Judged, judge, party_names};
use crate::agents::read::visible;
use crate::agents::relation::{capacity, relation};
use crate::change::{By, Change};
use crate::db::{Arg, Db, DbError, Reads, Snapshot, marks, time};
use crate::error::Error;
use crate::exceptions;
use crate::{args, audit, stops};
use rows::Kept;

/// How long the part of the record from the agent's first event to the head may be, to be put into
/// a pack whole.
pub const CHAIN_MAX: i64 = 10_000;

/// A duty that somebody has or had, or that was only offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assigned {
    /// The duty.
    pub duty: Duty,
    /// In which role.
    pub role: RaciRole,
    /// By whom.
    pub party: Party,
    /// The platform whose duty it is, where the agent inherits it.
    pub platform: Option<SystemId>,
    /// When it was offered.
    pub offered_at: DateTime<Utc>,
    /// By whom: a reference.
    pub offered_by: String,
    /// Who accepted it, or recorded it as accepted: a reference.
    pub accepted_by: String,
    /// Recorded as already so, instead of offered and accepted.
    pub recorded: bool,
    /// Why.
    pub reason: String,
    /// From when it held; `None` while it is an offer or where nobody accepted.
    pub from: Option<DateTime<Utc>>,
    /// Until when; `None` while it holds or is open.
    pub until: Option<DateTime<Utc>>,
    /// How it ended; empty while it has not.
    pub ended: String,
}

/// A decision about the agent, and on what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// The request.
    pub request: RequestId,
    /// What was asked.
    pub kind: RequestKind,
    /// When it was asked.
    pub opened_at: DateTime<Utc>,
    /// By whom.
    pub requester: PersonId,
    /// How it ended; empty while it is open.
    pub outcome: String,
    /// In which capacity it was decided.
    pub duty: Duty,
    /// What was decided; empty while it is not.
    pub verdict: String,
    /// When.
    pub at: Option<DateTime<Utc>>,
    /// By whom.
    pub by: Option<PersonId>,
    /// In whose place.
    pub on_behalf_of: Option<PersonId>,
    /// Why.
    pub reason: String,
    /// The SHA-256 of exactly what was decided on.
    pub sha256: String,
}

/// A drill: that somebody showed how the agent is stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drilled {
    /// When.
    pub at: DateTime<Utc>,
    /// What was rehearsed.
    pub surface: Surface,
    /// Whose duty it was.
    pub party: Party,
    /// With which version of the method.
    pub version: i64,
    /// Whether it was passed.
    pub passed: bool,
    /// How long it took.
    pub seconds: i64,
    /// Who watched it.
    pub witness: Option<PersonId>,
    /// The SHA-256 of the file that shows it.
    pub evidence: Option<String>,
    /// What was written about it.
    pub note: String,
}

/// That somebody stopped the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// When.
    pub at: DateTime<Utc>,
    /// By whom: a reference.
    pub by: String,
    /// By virtue of what.
    pub capacity: String,
    /// Why.
    pub reason: String,
    /// When it was reviewed.
    pub reviewed_at: Option<DateTime<Utc>>,
    /// By whom: a reference.
    pub reviewed_by: String,
    /// What the review said.
    pub review: String,
}

/// A file that was brought as evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Its SHA-256, under which it is kept.
    pub sha256: String,
    /// What it is called.
    pub name: String,
    /// How many bytes it has.
    pub size: i64,
    /// When it was stored.
    pub stored_at: DateTime<Utc>,
}

impl Evidence {
    /// Where it lies in a pack: a name that every system can write.
    pub fn path(&self) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' };
        let name: String = self.name.chars().map(plain).take(80).collect();
        format!("evidence/{}-{name}", self.sha256.get(..16).unwrap_or(&self.sha256))
    }
}

/// Everything that is kept about an agent, at a moment.
#[derive(Debug, Clone)]
pub struct Dossier {
    /// The moment.
    pub as_of: DateTime<Utc>,
    /// The agent, who holds what, what is wrong.
    pub judged: Judged,
    /// The names of everybody named.
    pub names: BTreeMap<Party, String>,
    /// The multi-agent system that it belongs to.
    pub parent: Option<(SystemId, String)>,
    /// The platform that it runs on.
    pub platform: Option<(SystemId, String)>,
    /// Who had which duty when, the newest first within a duty.
    pub assignments: Vec<Assigned>,
    /// What was decided, the newest request first.
    pub decisions: Vec<Decided>,
    /// Its exceptions, newest first.
    pub exceptions: Vec<exceptions::stored::Kept>,
    /// How it is stopped now.
    pub methods: Vec<Method>,
    /// Its drills, newest first.
    pub drills: Vec<Drilled>,
    /// When it was stopped, newest first.
    pub stops: Vec<Stopped>,
    /// The files that were brought.
    pub evidence: Vec<Evidence>,
    /// Where the record stands.
    pub head: Head,
}

impl Dossier {
    /// The name of a party, or its reference where it has none.
    pub fn name(&self, party: Party) -> String {
        self.names.get(&party).cloned().unwrap_or_else(|| party.to_string())
    }

    /// A reference of the record with the name behind it: `PE-5 Ana Silva`.
    pub fn who(&self, reference: &str) -> String {
        match reference.parse::<Party>() {
            Ok(party) => match self.names.get(&party) {
                Some(name) => format!("{party} {name}"),
                None => party.to_string(),
            },
            Err(_) => reference.to_owned(),
        }
    }
}

/// What an evidence pack is made of, apart from the files of evidence and what the server adds.
#[derive(Debug, Clone)]
pub struct Gathered {
    /// What is known, for the pages of the pack.
    pub dossier: Dossier,
    rows: Vec<Kept>,
    extract: Vec<Event>,
    chain: Option<Vec<Event>>,
}

/// A file of a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Where it lies, with `/` between folders.
    pub path: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Part {
    /// A file with this text.
    pub fn text(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), bytes: text.into().into_bytes() }
    }
}

impl Gathered {
    /// The tables, the rows and the record, as files.
    pub fn parts(&self) -> Vec<Part> {
        let mut out = tables::parts(&self.dossier);
        let mut lines: BTreeMap<&str, String> = BTreeMap::new();
        for row in &self.rows {
            lines.entry(row.table).or_default().push_str(&row.line());
        }
        out.extend(lines.into_iter().map(|(table, text)| Part::text(format!("rows/{table}.jsonl"), text)));
        let jsonl = |events: &[Event]| events.iter().map(|e| format!("{}\n", json!(e))).collect::<String>();
        out.push(Part::text("record/extract.jsonl", jsonl(&self.extract)));
        if let Some(chain) = &self.chain {
            out.push(Part::text("record/chain.jsonl", jsonl(chain)));
        }
        out.push(Part::text("record/head.txt", format!("{}\n", self.dossier.head)));
        out
    }

    /// Whether the record from the agent's first event to the head is in it whole.
    pub const fn has_chain(&self) -> bool {
        self.chain.is_some()
    }

    /// How many events of the record are about the agent.
    pub fn events(&self) -> usize {
        self.extract.len()
    }
}

/// The dossier of an agent: for whoever may see how it is stopped, and its past.
pub async fn dossier(db: &Db, by: By<'_>, agent: AgentId) -> Result<Dossier, Error> {
    let mut snapshot = db.snapshot().await?;
    let (judged, _) = allowed(&mut snapshot, by, agent, &[Action::AgentReadControls, Action::AgentHistory]).await?;
    let rows = rows::read(&mut snapshot, agent).await?;
    described(&mut snapshot, by, judged, &rows).await
}

/// What an evidence pack of an agent is made of.
pub async fn gather(db: &Db, by: By<'_>, agent: AgentId) -> Result<Gathered, Error> {
    let mut snapshot = db.snapshot().await?;
    let (judged, _) = allowed(&mut snapshot, by, agent, &[Action::EvidencePack]).await?;
    let rows = rows::read(&mut snapshot, agent).await?;
    let dossier = described(&mut snapshot, by, judged, &rows).await?;
    let whole = can(by.actor, Action::AuditRead, domain::can::Relation::None).is_ok();
    let extract = extract(&mut snapshot, agent, &rows, whole).await?;
    let first = extract.first().map_or(0, |e| e.seq);
    let chain = if whole && first > 0 && dossier.head.seq - first < CHAIN_MAX {
        Some(audit::following(&mut snapshot, first - 1, dossier.head.seq, CHAIN_MAX).await?)
    } else {
        None
    };
    Ok(Gathered { dossier, rows, extract, chain })
}

/// Notes that a pack was made and given out, with the SHA-256 of its manifest: whoever is shown a
/// pack later can tell that it is this one.
pub async fn made(db: &Db, by: By<'_>, agent: AgentId, manifest_sha256: &str, files: usize) -> Result<(), Error> {
    let mut change = Change::begin(db, by).await?;
    let (_, stands) = allowed(&mut change.tx, by, agent, &[Action::EvidencePack]).await?;
    let event = change.event(capacity(by.actor, stands), "evidence-pack.made", agent);
    change.describe(event, serde_json::Value::Null, json!({"manifest_sha256": manifest_sha256, "files": files}));
    change.commit().await?;
    Ok(())
}

/// The bytes of a file that a pack holds; whoever asks has gathered the pack.
pub async fn content(db: &Db, evidence: &Evidence) -> Result<Vec<u8>, Error> {
    let row = db.one("SELECT content FROM evidence_file WHERE sha256 = $1", args![&evidence.sha256]).await?;
    row.map(|r| r.get(0)).transpose()?.ok_or_else(|| Error::NotFound("such evidence".into()))
}

async fn allowed(
    reads: &mut impl Reads,
    by: By<'_>,
    agent: AgentId,
    actions: &[Action],
) -> Result<(Judged, domain::can::Relation), Error> {
    let judged = judge(reads, &[agent], by.now).await?.pop();
    let judged = judged.ok_or_else(|| Error::NotFound(format!("agent {agent}")))?;
    let stands = relation(reads, by.actor, &judged.agent).await?;
    visible(by.actor, &judged.agent, stands)?;
    for action in actions {
        can(by.actor, *action, stands)?;
    }
    Ok((judged, stands))
}

/// The events about the agent, its requests, its exceptions and its handovers; for whoever reads
/// the whole record, those that wrote one of its rows too.
async fn extract(snapshot: &mut Snapshot, agent: AgentId, rows: &[Kept], whole: bool) -> Result<Vec<Event>, Error> {
    let mut subjects: BTreeSet<String> = BTreeSet::from([agent.to_string()]);
    let prefix = |table: &str| match table {
        "request" => Some("RQ"),
        "exception" => Some("EX"),
        "handover" => Some("HO"),
        _ => None,
    };
    subjects.extend(rows.iter().filter_map(|r| Some(format!("{}-{}", prefix(r.table)?, r.int("id")?))));
    let mut found: BTreeMap<i64, Event> = BTreeMap::new();
    let mut read = async |column: &str, values: Vec<String>| -> Result<(), DbError> {
        for batch in values.chunks(500) {
            let list = batch.iter().map(Arg::from).collect();
            for event in audit::of(snapshot, column, &marks(1, batch.len()), list).await? {
                found.insert(event.seq, event);
            }
        }
        Ok(())
    };
    read("subject", subjects.into_iter().collect()).await?;
    if whole {
        let ids: BTreeSet<String> = rows.iter().map(|r| r.event.clone()).collect();
        read("id", ids.into_iter().collect()).await?;
    }
    Ok(found.into_values().collect())
}

async fn system(reads: &mut impl Reads, id: Option<SystemId>) -> Result<Option<(SystemId, String)>, Error> {
    let Some(id) = id else { return Ok(None) };
    let rows = reads.rows("SELECT name FROM system WHERE id = $1", args![id]).await?;
    Ok(rows.first().map(|r| r.get(0).map(|name| (id, name))).transpose()?)
}

/// The dossier that rows give.
async fn described(reads: &mut Snapshot, by: By<'_>, judged: Judged, rows: &[Kept]) -> Result<Dossier, Error> {
    let of = |table: &'static str| rows.iter().filter(move |r| r.table == table);
    let at = |r: &Kept, column: &str| r.int(column).map(time);
    let party = |r: &Kept| Party::from_stored(r.text("party_kind"), r.int("party_id").unwrap_or(0));
    let mut assignments: Vec<Assigned> = of("assignment")
        .filter_map(|r| {
            Some(Assigned {
                duty: r.text("duty").parse().ok()?,
                role: r.text("role").parse().ok()?,
                party: party(r)?,
                platform: r.int("system_id").map(SystemId),
                offered_at: at(r, "offered_at")?,
                offered_by: r.text("offered_by").to_owned(),
                accepted_by: r.text("accepted_by").to_owned(),
                recorded: r.columns.get("recorded").and_then(serde_json::Value::as_bool).unwrap_or(false),
                reason: r.text("reason").to_owned(),
                from: at(r, "valid_from"),
                until: at(r, "valid_to"),
                ended: r.text("ended").to_owned(),
            })
        })
        .collect();
    assignments.sort_by_key(|a| (a.duty, a.role, std::cmp::Reverse(a.from.unwrap_or(a.offered_at))));
    let mut decisions: Vec<Decided> = of("request_step")
        .filter_map(|s| {
            let request = of("request").find(|r| r.int("id") == s.int("request_id"))?;
            Some(Decided {
                request: RequestId(request.int("id")?),
                kind: request.text("kind").parse().ok()?,
                opened_at: at(request, "opened_at")?,
                requester: PersonId(request.int("requester_id")?),
                outcome: request.text("outcome").to_owned(),
                duty: s.text("duty").parse().ok()?,
                verdict: s.text("verdict").to_owned(),
                at: at(s, "decided_at"),
                by: s.int("decided_by").map(PersonId),
                on_behalf_of: s.int("on_behalf_of").map(PersonId),
                reason: s.text("reason").to_owned(),
                sha256: s.text("decided_sha256").to_owned(),
            })
        })
        .collect();
    decisions.sort_by_key(|d| (std::cmp::Reverse(d.request), d.at));
    let mut drills: Vec<Drilled> = of("stop_drill")
        .filter_map(|d| {
            let call = of("stop_call").find(|c| d.int("call_id").is_some() && c.int("id") == d.int("call_id"));
            let surface = if d.text("surface").is_empty() { Surface::Pause } else { d.text("surface").parse().ok()? };
            Some(Drilled {
                at: at(d, "at")?,
                surface,
                party: party(d)?,
                version: d.int("method_version")?,
                passed: d.columns.get("passed").and_then(serde_json::Value::as_bool).unwrap_or(false),
                seconds: d.int("seconds")?,
                witness: call.and_then(|c| c.int("witness_id")).map(PersonId),
                evidence: call.map(|c| c.text("evidence_sha256").to_owned()).filter(|s| !s.is_empty()),
                note: d.text("note").to_owned(),
            })
        })
        .collect();
    drills.sort_by_key(|d| std::cmp::Reverse(d.at));
    let mut stops: Vec<Stopped> = of("stopping")
        .filter_map(|s| {
            Some(Stopped {
                at: at(s, "at")?,
                by: s.text("stopped_by").to_owned(),
                capacity: s.text("capacity").to_owned(),
                reason: s.text("reason").to_owned(),
                reviewed_at: at(s, "reviewed_at"),
                reviewed_by: s.text("reviewed_by").to_owned(),
                review: s.text("review").to_owned(),
            })
        })
        .collect();
    stops.sort_by_key(|s| std::cmp::Reverse(s.at));
    let evidence = of("evidence_file")
        .filter_map(|f| {
            Some(Evidence {
                sha256: f.text("sha256").to_owned(),
                name: f.text("name").to_owned(),
                size: f.int("size")?,
                stored_at: at(f, "stored_at")?,
            })
        })
        .collect();
    let id = judged.agent.id;
    let exceptions = exceptions::stored::of_agent(reads, id, 1000).await?;
    let methods = stops::methods(reads, id).await?;
    // Everybody who is named anywhere in it.
    let facts = &judged.agent.facts;
    let mut parties: BTreeSet<Party> = judged.held.iter().map(|h| h.party).collect();
    parties.extend(judged.offers.iter().map(|o| o.party));
    parties.extend([facts.built_by, facts.operated_by].into_iter().flatten().map(Party::Team));
    parties.extend(rows.iter().filter_map(party));
    let people =
        ["requester_id", "decided_by", "on_behalf_of", "witness_id", "owner_id", "by_id", "reviewer_id", "done_by"];
    parties
        .extend(rows.iter().flat_map(|r| people.iter().filter_map(|c| r.int(c))).map(|n| Party::Person(PersonId(n))));
    let texts =
        ["offered_by", "accepted_by", "begun_by", "stopped_by", "reviewed_by", "done_by", "created_by", "checked_by"];
    parties.extend(rows.iter().flat_map(|r| texts.iter().filter_map(|c| r.text(c).parse::<Party>().ok())));
    let names = party_names(reads, parties).await?;
    let (parent, platform) = (system(reads, facts.parent).await?, system(reads, facts.platform).await?);
    let head = audit::stored_head(reads).await?.unwrap_or_default();
    Ok(Dossier {
        as_of: by.now,
        judged,
        names,
        parent,
        platform,
        assignments,
        decisions,
        exceptions,
        methods,
        drills,
        stops,
        evidence,
        head,
    })
}
