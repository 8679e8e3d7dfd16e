//! Closing a row of a checklist: by evidence, or by security's waiver.

use domain::agent::Running;
use domain::can::{Action, Relation, can};
use domain::id::RequestId;
use domain::request::RequestKind;
use domain::retirement::{Life, Proof, Refused, RowKind, exceptions_ended, may_close};
use domain::stop::Surface;
use domain::text;
use serde_json::{Value, json};

use super::stored::{self, KeptRow};
use super::{Doers, life};
use crate::agents::assess::reassess;
use crate::agents::relation::capacity;
use crate::agents::write::edit_many;
use crate::agents::{Agent, moves};
use crate::args;
use crate::change::{self, By, Change};
use crate::db::Db;
use crate::error::Error;
use crate::exceptions;
use crate::requests::stored::Kept;
use crate::requests::{agent, ends, stored as requests_stored, words};
use crate::stops::evidence::{self, File};

/// Longest link, in characters.
const LINK_MAX: usize = 2000;

/// What shows that a row is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// A link, which only claims it.
    Link(String),
    /// A file, kept under its SHA-256.
    File(File),
    /// A call in earnest of the agent's webhook, by its delivery, whose signed callback shows it.
    Call(String),
}

/// A link as it is kept: `http` or `https`, and a host.
fn link(given: &str) -> Result<String, Error> {
    let given = text::required_line(given, "a link, or bring a file", LINK_MAX)
        .map_err(|e| Error::field("/link", e.to_string()))?;
    let host = given.strip_prefix("https://").or_else(|| given.strip_prefix("http://"));
    let good = host.is_some_and(|h| h.chars().next().is_some_and(char::is_alphanumeric))
        && !given.contains(char::is_whitespace);
    if good {
        Ok(given)
    } else {
        Err(Error::field("/link", "Enter a whole link, beginning with https://, without blanks."))
    }
}

/// Which surface's webhook answers for a row.
pub(super) const fn answers(kind: RowKind) -> Option<Surface> {
    match kind {
        RowKind::StopExecution => Some(Surface::Pause),
        RowKind::RevokeCredential | RowKind::DeleteIdentity => Some(Surface::Revoke),
        RowKind::RemoveTool => Some(Surface::Block),
        _ => None,
    }
}

async fn answered(change: &mut Change<'_>, row: &KeptRow, delivery: &str) -> Result<String, Error> {
    let sql = "SELECT surface FROM stop_call WHERE delivery = $1 AND agent_id = $2 AND stopped_at IS NOT NULL \
               AND stopping_id IS NOT NULL AND witness_id IS NULL";
    let found = change.tx.one(sql, args![delivery, row.agent]).await?;
    let surface = found.map(|r| r.get::<Surface>(0)).transpose()?;
    if surface.is_some() && surface == answers(row.kind) {
        return Ok(delivery.to_owned());
    }
    let which = answers(row.kind).map_or("No webhook".to_owned(), |s| format!("Only the “{}” webhook", s.label()));
    Err(Error::field(
        "/delivery",
        format!("{which} answers for this row, by a signed callback to a stop in earnest of this agent."),
    ))
}

/// The retirement and the agent, held, for somebody who may see both.
pub(super) async fn held(change: &mut Change<'_>, by: By<'_>, id: RequestId) -> Result<(Kept, Agent, Relation), Error> {
    let missing = || Error::NotFound(format!("retirement {id}"));
    let about = requests_stored::load(&mut change.tx, id).await.map_err(|e| ends::hidden(e, id))?;
    if about.kind != RequestKind::Retirement {
        return Err(missing());
    }
    moves::hold(change, about.agent).await?;
    let (record, stands) = agent(&mut change.tx, by, about.agent).await.map_err(|e| ends::hidden(e, id))?;
    Ok((requests_stored::load(&mut change.tx, id).await?, record, stands))
}

fn still_open(kept: &Kept, by: By<'_>) -> Result<(), Error> {
    let state = kept.state(by.now);
    if state.ended() {
        return Err(Error::Conflict(format!("{} is not open any more: {}.", kept.id, state.label().to_lowercase())));
    }
    Ok(())
}

fn find(rows: &[KeptRow], id: RequestId, place: i64) -> Result<KeptRow, Error> {
    rows.iter().find(|r| r.place == place).cloned().ok_or_else(|| Error::NotFound(format!("row {place} of {id}")))
}

/// Shows that a row is done.
pub async fn close(db: &Db, by: By<'_>, id: RequestId, place: i64, shown: Shown, note: &str) -> Result<(), Error> {
    let mut change = Change::begin(db, by).await?;
    let (kept, record, stands) = held(&mut change, by, id).await?;
    let rows = stored::of(&mut change.tx, &[id]).await?;
    let row = find(&rows, id, place)?;
    let doers = Doers::read(&mut change.tx, &[record.id], by.actor.person_id(), by.now).await?;
    let mine = doers.mine(record.id, row.kind);
    can(by.actor, Action::RetirementRow, if mine { Relation::Owner } else { Relation::None })?;
    still_open(&kept, by)?;
    let note = words(note, "/note", None)?;
    let proof = if matches!(shown, Shown::Link(_)) { Proof::Claimed } else { Proof::Verified };
    let last_sign = life::newest_of(&mut change.tx, record.id).await?;
    let rules: Vec<_> = rows.iter().map(KeptRow::rule).collect();
    let known = Life { running: record.facts.running, last_sign };
    let ended = if row.kind == RowKind::CloseExceptions {
        let of_it = exceptions::stored::of_agents(&mut change.tx, &[record.id]).await?;
        exceptions_ended(record.id, &of_it.into_iter().map(|k| k.exception).collect::<Vec<_>>(), by.now)
    } else {
        Ok(())
    };
    may_close(&rules, place, proof, kept.tier, known, by.now).and(ended).map_err(|refused| match refused {
        Refused::Claimed(_) => Error::field("/link", refused.to_string()),
        Refused::Closed => {
            Error::Conflict(format!("Row {place} is closed already: somebody was first. Look at it again."))
        }
        other => Error::Conflict(other.to_string()),
    })?;
    let who = if mine {
        doers.of(record.id, row.kind).map_or_else(|| "owner".to_owned(), |(d, _)| d.owner_title().to_lowercase())
    } else {
        capacity(by.actor, stands)
    };
    let event = change.event(who.clone(), "retirement.row-done", record.id);
    let (mut to, mut delivery, mut sha256) = (String::new(), None, None);
    match shown {
        Shown::Link(given) => to = link(&given)?,
        Shown::File(file) => sha256 = Some(evidence::store(&mut change, event, file).await?),
        Shown::Call(given) => delivery = Some(answered(&mut change, &row, given.trim()).await?),
    }
    let args = args![
        row.id,
        change.id(event),
        proof.key(),
        &to,
        delivery.clone(),
        sha256.clone(),
        &note,
        by.now,
        by.actor.who.to_string(),
    ];
    let sql = "UPDATE retirement_row SET event_id = $2, evidence_kind = $3, link = $4, delivery = $5, \
               evidence_sha256 = $6, note = $7, done_at = $8, done_by = $9 \
               WHERE id = $1 AND done_at IS NULL AND waived_at IS NULL";
    if change.tx.run(sql, args).await? != 1 {
        return Err(Error::Conflict(format!("Somebody else closed row {place} at the same moment; look at it again.")));
    }
    change.wrote(event, &change::RETIREMENT_ROW, row.id);
    let after = json!({
        "request": id, "row": place, "kind": row.kind, "of": row.subject, "evidence": proof,
        "link": to, "delivery": delivery, "evidence_sha256": sha256,
    });
    change.describe(event, Value::Null, after);
    change.because(event, note);
    if row.kind == RowKind::StopExecution && record.facts.running != Running::No {
        let mut facts = record.facts.clone();
        facts.running = Running::No;
        let why = format!("{id}: it was stopped for good.");
        edit_many(&mut change, &who, vec![(record.id, facts)], &why).await?;
    }
    reassess(&mut change, &[record.id], false).await?;
    change.commit().await?;
    Ok(())
}

/// Lets a row go, in security's name: the reason stays on the tombstone. Never by whoever asked
/// for the retirement.
pub async fn waive(db: &Db, by: By<'_>, id: RequestId, place: i64, why: &str) -> Result<(), Error> {
    let mut change = Change::begin(db, by).await?;
    let (kept, record, _) = held(&mut change, by, id).await?;
    can(by.actor, Action::RetirementWaive, Relation::None)?;
    let me = waiver(by, &kept)?;
    let rows = stored::of(&mut change.tx, &[id]).await?;
    let row = find(&rows, id, place)?;
    still_open(&kept, by)?;
    let why = words(why, "/reason", Some("Say why this cannot be shown: it stays on the tombstone."))?;
    if !row.open() {
        return Err(Error::Conflict(format!("Row {place} is closed already: somebody was first. Look at it again.")));
    }
    let event = change.event("security-lead", "retirement.row-waived", record.id);
    let sql = "UPDATE retirement_row SET event_id = $2, waived_at = $3, waived_by = $4, waiver = $5 \
               WHERE id = $1 AND done_at IS NULL AND waived_at IS NULL";
    if change.tx.run(sql, args![row.id, change.id(event), by.now, me, &why]).await? != 1 {
        return Err(Error::Conflict(format!("Somebody else closed row {place} at the same moment; look at it again.")));
    }
    change.wrote(event, &change::RETIREMENT_ROW, row.id);
    change.describe(event, Value::Null, json!({"request": id, "row": place, "kind": row.kind, "of": row.subject}));
    change.because(event, why);
    reassess(&mut change, &[record.id], false).await?;
    change.commit().await?;
    Ok(())
}

/// The security lead who waives: somebody else than whoever asked.
pub(super) fn waiver(by: By<'_>, kept: &Kept) -> Result<domain::id::PersonId, Error> {
    let forbidden = |why: &str| Error::Denied(domain::can::Denied::Forbidden(why.to_owned()));
    let me =
        by.actor.person_id().ok_or_else(|| forbidden("A person waives: sign in, or use a token that has an owner."))?;
    if me == kept.requester {
        return Err(forbidden(
            "You asked for this retirement yourself, so another security lead waives what cannot be shown.",
        ));
    }
    Ok(me)
}
