//! The sources of a calendar: what a person is asked for, until when.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::assignment::OFFER_LAPSES_AFTER;
use domain::id::{AgentId, ExceptionId, PersonId, WaveId};
use domain::party::Party;
use domain::system::Subject;

use crate::args;
use crate::assignments::{answerable, confirm, waiting};
use crate::db::{Arg, Db, Row};
use crate::error::Error;

/// How far ahead a calendar looks.
pub const AHEAD: TimeDelta = TimeDelta::days(120);
/// Most entries, and most that any source gives.
const MOST: i64 = 500;

/// Something that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// What it is, the same each time it is read.
    pub uid: String,
    /// Until when.
    pub at: DateTime<Utc>,
    /// In a few words.
    pub title: String,
    /// Where it is done, a path of this site.
    pub link: String,
    /// The agent it is about, if it is about one.
    pub agent: Option<AgentId>,
}

/// What is due for a person within [`AHEAD`], and what is overdue, soonest first. A source is a
/// line here.
pub async fn due(db: &Db, person: PersonId, now: DateTime<Utc>) -> Result<Vec<Due>, Error> {
    let parties = answerable(db, person).await?;
    let mut out = still_yours(db, &parties, now).await?;
    out.extend(drills(db, &parties, now).await?);
    out.extend(offers(db, person, now).await?);
    out.extend(waves(db, person, now).await?);
    out.extend(decisions(db, person, now).await?);
    out.extend(exceptions(db, person, &parties, now).await?);
    out.sort_by(|a, b| (a.at, &a.uid).cmp(&(b.at, &b.uid)));
    out.truncate(usize::try_from(MOST).unwrap_or(0));
    Ok(out)
}

/// Steps that they are to decide, and conditions that they are to meet.
async fn decisions(db: &Db, person: PersonId, now: DateTime<Utc>) -> Result<Vec<Due>, Error> {
    let actor = domain::can::Actor::muster();
    let by = crate::change::By { actor: &actor, now };
    let mut out = Vec::new();
    for w in crate::requests::list::waiting(db, by, person, None, MOST).await?.items {
        out.push(Due {
            uid: format!("decision-{}-{}@muster", w.request, w.place),
            at: w.due_at,
            title: format!("{}: {} ({})", w.kind.label(), w.agent_name, w.agent),
            link: w.kind.path(w.request),
            agent: Some(w.agent),
        });
    }
    let mut reads = db;
    for c in crate::requests::conditions::waiting(&mut reads, person).await? {
        out.push(Due {
            uid: format!("condition-{}@muster", c.id),
            at: c.due_at,
            title: format!("Condition: {} ({})", c.words, c.agent),
            link: format!("/requests/{}#conditions", c.request),
            agent: Some(c.agent),
        });
    }
    Ok(out)
}

/// Exceptions: when one ends that they asked for or whose control they own, and by when they look
/// whether what is done instead is done.
async fn exceptions(db: &Db, person: PersonId, parties: &[Party], now: DateTime<Utc>) -> Result<Vec<Due>, Error> {
    let sql = "SELECT c.id, c.words, c.check_at, c.place, e.id FROM compensating_control c CROSS JOIN exception e \
               WHERE c.owner_id = $1 AND c.dropped_at IS NULL AND c.checked_at IS NULL AND c.check_at <= $2 \
               AND e.id = c.exception_id AND e.approved_at IS NOT NULL AND e.ended_at IS NULL AND e.expires_at > $3 \
               ORDER BY c.check_at, c.id LIMIT $4";
    let mut out = Vec::new();
    for r in db.all(sql, args![person, now + AHEAD, now, MOST]).await? {
        let (exception, place): (ExceptionId, i64) = (r.get(4)?, r.get(3)?);
        out.push(Due {
            uid: format!("control-{}@muster", r.get::<i64>(0)?),
            at: r.get(2)?,
            title: format!("Look whether it is done: {} ({exception})", r.get::<String>(1)?),
            link: format!("/exceptions/{exception}#control-{place}"),
            agent: None,
        });
    }
    let ends = "e.approved_at IS NOT NULL AND e.ended_at IS NULL AND e.expires_at > $1 AND e.expires_at <= $2 \
                ORDER BY e.expires_at, e.id LIMIT $3";
    let mut found: BTreeMap<ExceptionId, (String, DateTime<Utc>)> = BTreeMap::new();
    let asked = format!("SELECT e.id, e.title, e.expires_at FROM exception e WHERE e.requester_id = $4 AND {ends}");
    let owned = format!(
        "SELECT DISTINCT e.id, e.title, e.expires_at FROM assignment s CROSS JOIN exception_agent x \
         CROSS JOIN exception e WHERE s.party_kind = $4 AND s.party_id = $5 AND s.role = 'A' AND s.valid_to IS NULL \
         AND s.accepted_at IS NOT NULL AND x.agent_id = s.agent_id AND e.id = x.exception_id AND e.duty = s.duty AND {ends}"
    );
    let within = || args![now, now + AHEAD, MOST];
    let mut queries = vec![(asked, vec![Arg::from(person)])];
    queries.extend(parties.iter().map(|p| (owned.clone(), args![p.kind(), p.number()])));
    for (sql, of) in queries {
        let mut list = within();
        list.extend(of);
        for r in db.all(sql, list).await? {
            found.insert(r.get(0)?, (r.get(1)?, r.get(2)?));
        }
    }
    out.extend(found.into_iter().map(|(id, (title, at))| Due {
        uid: format!("exception-{id}@muster"),
        at,
        title: format!("Exception ends: {title} ({id})"),
        link: format!("/exceptions/{id}"),
        agent: None,
    }));
    Ok(out)
}

/// Duties of which they are to say that they are still theirs.
async fn still_yours(db: &Db, parties: &[Party], now: DateTime<Utc>) -> Result<Vec<Due>, Error> {
    let mut out = Vec::new();
    for d in confirm::due_by(db, parties, now + AHEAD, MOST).await? {
        out.push(Due {
            uid: format!("still-yours-{}-{}-{}@muster", d.agent, d.duty, d.party),
            at: d.due_at,
            title: format!("Still yours? {} of {} ({})", d.duty.owner_title(), d.name, d.agent),
            link: "/still-yours".to_owned(),
            agent: Some(d.agent),
        });
    }
    Ok(out)
}

/// Stop drills: of agents that they are to stop, when what was shown ends, and since when it
/// was not shown.
async fn drills(db: &Db, parties: &[Party], now: DateTime<Utc>) -> Result<Vec<Due>, Error> {
    let mut out = Vec::new();
    for party in parties {
        let of = args![party.kind(), party.number()];
        let mut ahead = of.clone();
        ahead.extend(args![now + AHEAD, MOST]);
        let shown = "SELECT a.id, a.name, a.runtime_owner_until FROM agent a WHERE a.runtime_party_kind = $1 \
                     AND a.runtime_party_id = $2 AND a.runtime_owner = 'verified' AND a.runtime_owner_until <= $3 \
                     ORDER BY a.runtime_owner_until, a.id LIMIT $4";
        let mut never = of;
        never.extend(args![now, MOST]);
        let untested = "SELECT a.id, a.name, (SELECT MIN(f.from_at) FROM finding f WHERE f.agent_id = a.id \
                        AND f.key = 'runtime-owner-untested' AND f.from_at <= $3) FROM agent a \
                        WHERE a.runtime_party_kind = $1 AND a.runtime_party_id = $2 AND a.runtime_owner = 'untested' \
                        ORDER BY a.runtime_owner_until, a.id LIMIT $4";
        let read = |r: &Row| -> Result<Due, Error> {
            let (agent, name): (AgentId, String) = (r.get(0)?, r.get(1)?);
            Ok(Due {
                uid: format!("drill-{agent}-{party}@muster"),
                at: r.get::<Option<DateTime<Utc>>>(2)?.unwrap_or(now),
                title: format!("Stop drill: {name} ({agent})"),
                link: format!("/agents/{agent}/stop"),
                agent: Some(agent),
            })
        };
        for (sql, list) in [(shown, ahead), (untested, never)] {
            for r in db.all(sql, list).await? {
                out.push(read(&r)?);
            }
        }
    }
    Ok(out)
}

/// Offers to them: when each lapses if nobody answers.
async fn offers(db: &Db, person: PersonId, now: DateTime<Utc>) -> Result<Vec<Due>, Error> {
    let (list, _) = waiting(db, person, now, MOST).await?;
    let due = |w: crate::assignments::Waiting| Due {
        uid: format!("offer-{}-{}-{}@muster", w.of, w.duty, w.offered_at.timestamp()),
        at: w.offered_at + OFFER_LAPSES_AFTER,
        title: format!("Answer the offer: {} of {} ({})", w.duty.owner_title(), w.name, w.of),
        link: "/".to_owned(),
        agent: if let Subject::Agent(id) = w.of { Some(id) } else { None },
    };
    Ok(list.into_iter().map(due).collect())
}

/// Imports of theirs: when the gaps of the agents in them become due.
async fn waves(db: &Db, person: PersonId, now: DateTime<Utc>) -> Result<Vec<Due>, Error> {
    let sql = "SELECT id, title, target_at FROM wave WHERE target_at > $2 AND target_at <= $3 AND owner_id = $1 \
               ORDER BY target_at, id LIMIT $4";
    let rows = db.all(sql, args![person, now, now + AHEAD, MOST]).await?;
    rows.iter()
        .map(|r| {
            let id: WaveId = r.get(0)?;
            Ok(Due {
                uid: format!("wave-{id}@muster"),
                at: r.get(2)?,
                title: format!("Import “{}” is to be without gaps", r.get::<String>(1)?),
                link: format!("/agents?wave={id}"),
                agent: None,
            })
        })
        .collect()
}
