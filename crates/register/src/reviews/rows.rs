//! Reviews in lists: all of them, those that wait for somebody, those of a campaign.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::id::{AgentId, CampaignId, PersonId, RequestId};
use domain::party::Party;
use domain::request::{RequestKind, RequestState, Verdict};
use domain::review::{Progress, progress};
use domain::tier::Tier;
use serde_json::Value;

use super::campaigns::{MINE, PROGRESS, scope};
use crate::agents::assess::party_names;
use crate::args;
use crate::change::By;
use crate::db::{Arg, Db, DbError, Reads, Row, marks};
use crate::error::Error;
use crate::paging::{Cursor, Page, limit as checked};
use crate::requests::list::decides_for;

/// A review in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its reference; `None` of an agent that a campaign left out.
    pub id: Option<RequestId>,
    /// Of which agent.
    pub agent: AgentId,
    /// Its name.
    pub agent_name: String,
    /// Its tier.
    pub tier: Tier,
    /// The number of its one step.
    pub place: i64,
    /// Whose owner reviews.
    pub duty: Option<Duty>,
    /// Where the request stands.
    pub state: Option<RequestState>,
    /// How it stands to the clock.
    pub progress: Progress,
    /// When it was asked.
    pub opened_at: Option<DateTime<Utc>>,
    /// In whose name, as a reference and by name.
    pub requester: Option<(PersonId, String)>,
    /// Who decided, or for whom it waits.
    pub reviewer: Option<(PersonId, String)>,
    /// Until when.
    pub due_at: Option<DateTime<Utc>>,
    /// It was put off.
    pub deferred: bool,
    /// The answer.
    pub verdict: Option<Verdict>,
    /// When it was given.
    pub decided_at: Option<DateTime<Utc>>,
    /// The hash of what is decided on.
    pub subject_sha256: String,
    /// It waits for the reader.
    pub mine: bool,
    /// It waits for the reader, and nothing was wrong when it began nor is now: it may be
    /// attested together with others like it.
    pub plain: bool,
    /// It was open before the campaign that it is listed for.
    pub joined: bool,
    /// Why the campaign left the agent out; empty where it did not.
    pub skipped: String,
    row: i64,
}

/// The columns of a review, of the tables r, s, a and p.
const COLUMNS: &str = "r.id, a.id, a.name, a.tier, s.place, s.duty, r.outcome, r.lapses_at, r.opened_at, \
     r.requester_id, p.name, s.waits_for, s.waits_until, s.decided_by, s.due_at, s.deferred_at, s.verdict, \
     s.decided_at, r.subject_sha256, s.id";

const FROM: &str = "FROM request r JOIN request_step s ON s.request_id = r.id JOIN agent a ON a.id = r.agent_id \
     JOIN person p ON p.id = r.requester_id";

fn line(r: &Row, mine: &[PersonId], now: DateTime<Utc>) -> Result<Line, DbError> {
    let (agent, agent_name, tier) = (r.get(1)?, r.get(2)?, r.get(3)?);
    let Some(id) = r.get::<Option<i64>>(0)?.map(RequestId) else {
        return Ok(Line {
            id: None,
            agent,
            agent_name,
            tier,
            place: 0,
            duty: None,
            state: None,
            progress: Progress::Skipped,
            opened_at: None,
            requester: None,
            reviewer: None,
            due_at: None,
            deferred: false,
            verdict: None,
            decided_at: None,
            subject_sha256: String::new(),
            mine: false,
            plain: false,
            joined: false,
            skipped: String::new(),
            row: 0,
        });
    };
    let lapses: DateTime<Utc> = r.get(7)?;
    let state = match r.get::<String>(6)?.parse() {
        Ok(state) => state,
        Err(_) if now >= lapses => RequestState::Lapsed,
        Err(_) => RequestState::Open,
    };
    let due_at: DateTime<Utc> = r.get(14)?;
    let deferred = r.get::<Option<i64>>(15)?.is_some();
    let waits_for: Option<PersonId> = r.get(11)?;
    let open = state == RequestState::Open;
    let reviewer = r.get::<Option<PersonId>>(13)?.or_else(|| waits_for.filter(|_| open));
    let waits_until: DateTime<Utc> = r.get(12)?;
    Ok(Line {
        id: Some(id),
        agent,
        agent_name,
        tier,
        place: r.get(4)?,
        duty: Some(r.get(5)?),
        state: Some(state),
        progress: progress(state, due_at, deferred, now),
        opened_at: Some(r.get(8)?),
        requester: Some((r.get(9)?, r.get(10)?)),
        reviewer: reviewer.map(|p| (p, String::new())),
        due_at: Some(due_at),
        deferred,
        verdict: r.get::<String>(16)?.parse().ok(),
        decided_at: r.get(17)?,
        subject_sha256: r.get(18)?,
        mine: open && waits_until > now && waits_for.is_some_and(|w| mine.contains(&w)),
        plain: false,
        joined: false,
        skipped: String::new(),
        row: r.get(19)?,
    })
}

/// Names whoever reviews, and says which of the reader's own are alike.
async fn finished(reads: &mut impl Reads, lines: &mut [Line], now: DateTime<Utc>) -> Result<(), Error> {
    let people: Vec<Party> = lines.iter().filter_map(|l| l.reviewer.as_ref().map(|(p, _)| Party::Person(*p))).collect();
    let names = party_names(reads, people).await?;
    for (person, name) in lines.iter_mut().filter_map(|l| l.reviewer.as_mut()) {
        *name = names.get(&Party::Person(*person)).cloned().unwrap_or_else(|| person.to_string());
    }
    let own: Vec<(RequestId, AgentId)> =
        lines.iter().filter(|l| l.mine).filter_map(|l| Some((l.id?, l.agent))).collect();
    let mut plain: BTreeSet<RequestId> = BTreeSet::new();
    for batch in own.chunks(200) {
        let mut wrong: BTreeSet<AgentId> = BTreeSet::new();
        let list = |first| marks(first, batch.len());
        let agents = || batch.iter().map(|(_, a)| Arg::from(*a)).collect::<Vec<_>>();
        let sql = format!(
            "SELECT agent_id FROM finding WHERE key NOT IN ('review-overdue', 'decision-overdue') AND from_at <= $1 \
             AND until_at > $1 AND agent_id IN {}",
            list(2)
        );
        let mut values = args![now];
        values.extend(agents());
        for r in reads.rows(sql, values).await? {
            wrong.insert(r.get(0)?);
        }
        let sql = format!("SELECT agent_id FROM condition WHERE met_at IS NULL AND agent_id IN {}", list(1));
        for r in reads.rows(sql, agents()).await? {
            wrong.insert(r.get(0)?);
        }
        let sql = format!("SELECT id, agent_id, content FROM request WHERE id IN {}", list(1));
        for r in reads.rows(sql, batch.iter().map(|(id, _)| Arg::from(*id)).collect()).await? {
            let content: Value = serde_json::from_str(&r.get::<String>(2)?).unwrap_or_default();
            let nothing = content["findings"].as_array().is_some_and(Vec::is_empty);
            if nothing && !wrong.contains(&r.get(1)?) {
                plain.insert(r.get(0)?);
            }
        }
    }
    for l in lines.iter_mut() {
        l.plain = l.id.is_some_and(|id| plain.contains(&id));
    }
    Ok(())
}

/// For whom the reader decides.
async fn me(reads: &mut impl Reads, by: By<'_>) -> Result<Vec<PersonId>, Error> {
    match by.actor.person_id() {
        Some(me) => decides_for(reads, by, me).await,
        None => Ok(Vec::new()),
    }
}

/// Which reviews are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only in this state.
    pub state: Option<RequestState>,
    /// Only of this agent.
    pub agent: Option<AgentId>,
    /// Only those that wait for the reader.
    pub mine: bool,
}

/// Reviews, newest first. Who reads all requests sees all; everybody else those that they
/// asked for, decided, or are to decide.
pub async fn list(
    db: &Db,
    by: By<'_>,
    filter: Filter,
    cursor: Option<&str>,
    limit: Option<i64>,
) -> Result<Page<Line>, Error> {
    let limit = checked(limit)?;
    let cursor = cursor.map(|c| Cursor::decode(c, "reviews")).transpose()?;
    let all = can(by.actor, Action::RequestRead, Relation::None).is_ok();
    let mut reads = db;
    let mine = me(&mut reads, by).await?;
    let mut list: Vec<Arg> = Vec::new();
    let mut bind = |v: Arg| {
        list.push(v);
        format!("${}", list.len())
    };
    let mut tests: Vec<String> = vec![format!("r.kind = {}", bind(Arg::from(RequestKind::Review.key())))];
    if let Some(agent) = filter.agent {
        tests.push(format!("r.agent_id = {}", bind(Arg::from(agent))));
    }
    let now = bind(Arg::from(by.now));
    match filter.state {
        // Whatever is asked, the time is among the arguments.
        None => tests.push(format!("r.opened_at <= {now}")),
        Some(RequestState::Open) => tests.push(format!("r.outcome = '' AND r.lapses_at > {now}")),
        Some(RequestState::Lapsed) => {
            tests.push(format!("(r.outcome = 'lapsed' OR (r.outcome = '' AND r.lapses_at <= {now}))"));
        }
        Some(state) => {
            tests.push(format!("r.outcome = {} AND r.opened_at <= {now}", bind(Arg::from(state.key()))));
        }
    }
    if filter.mine || !all {
        let Some(person) = by.actor.person_id() else {
            can(by.actor, Action::RequestRead, Relation::None)?;
            return Ok(Page { items: Vec::new(), next: None, previous: None, total: Some(0) });
        };
        let mut own: Vec<String> = Vec::new();
        for whose in &mine {
            own.push(format!(
                "SELECT s.request_id FROM request_step s WHERE s.waits_for = {} AND s.verdict = '' AND s.ready \
                 AND s.waits_until > {now}",
                bind(Arg::from(*whose))
            ));
        }
        if !filter.mine {
            let person = bind(Arg::from(person));
            own.push(format!("SELECT q.id FROM request q WHERE q.requester_id = {person}"));
            own.push(format!("SELECT s.request_id FROM request_step s WHERE s.decided_by = {person}"));
        }
        tests.push(format!("r.id IN ({})", own.join(" UNION ")));
    }
    let back = cursor.as_ref().is_some_and(|c| c.b);
    if let Some(c) = &cursor {
        tests.push(format!("r.id {} {}", if back { ">" } else { "<" }, bind(Arg::from(c.i))));
    }
    let sql = format!(
        "SELECT {COLUMNS} {FROM} WHERE {} ORDER BY r.id {} LIMIT {}",
        tests.join(" AND "),
        if back { "ASC" } else { "DESC" },
        limit + 1
    );
    let rows = reads.rows(sql, list).await?;
    let items = rows.iter().map(|r| line(r, &mine, by.now)).collect::<Result<Vec<_>, _>>()?;
    let mut page = Page::cut(items, limit, cursor.as_ref(), |l, b| Cursor {
        s: "reviews".to_owned(),
        k: String::new(),
        i: l.id.map_or(0, |id| id.0),
        b,
    });
    finished(&mut reads, &mut page.items, by.now).await?;
    Ok(page)
}

/// One review as a line, for whoever may read it.
pub async fn read(db: &Db, by: By<'_>, id: RequestId) -> Result<Line, Error> {
    let view = crate::requests::read(db, by, id).await?;
    if view.kept.kind != RequestKind::Review {
        return Err(Error::NotFound(format!("review {id}")));
    }
    let mut reads = db;
    let mine = me(&mut reads, by).await?;
    let rows = reads.rows(format!("SELECT {COLUMNS} {FROM} WHERE r.id = $1"), args![id]).await?;
    let found = rows.first().ok_or_else(|| Error::NotFound(format!("review {id}")))?;
    let mut lines = [line(found, &mine, by.now)?];
    finished(&mut reads, &mut lines, by.now).await?;
    let [line] = lines;
    Ok(line)
}

/// The reviews that wait for the reader, soonest due first.
pub async fn waiting(db: &Db, by: By<'_>, cursor: Option<&str>, limit: i64) -> Result<Page<Line>, Error> {
    let cursor = cursor.map(|c| Cursor::decode(c, "reviews-waiting")).transpose()?;
    let edge: Option<(i64, i64)> = cursor.as_ref().and_then(|c| Some((c.k.parse().ok()?, c.i)));
    let back = cursor.as_ref().is_some_and(|c| c.b);
    let (beyond, order) = if back { ("<", "DESC") } else { (">", "ASC") };
    let mut reads = db;
    let mine = me(&mut reads, by).await?;
    let mut found = Vec::new();
    // One walk of the index for each person: a list that asks for several at once would sort all.
    for whose in &mine {
        let mut list = args![*whose, by.now];
        let edge = match edge {
            None => String::new(),
            Some((due, row)) => {
                list.extend(args![due, row]);
                format!(" AND (s.due_at {beyond} $3 OR (s.due_at = $3 AND s.id {beyond} $4))")
            }
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM request_step s JOIN request r ON r.id = s.request_id \
             JOIN agent a ON a.id = r.agent_id JOIN person p ON p.id = r.requester_id \
             WHERE s.waits_for = $1 AND s.verdict = '' AND s.ready AND s.waits_until > $2 AND r.kind = 'review' \
             AND r.outcome = '' AND r.lapses_at > $2{edge} ORDER BY s.due_at {order}, s.id {order} LIMIT {}",
            limit + 1
        );
        for r in reads.rows(sql, list).await? {
            found.push(line(&r, &mine, by.now)?);
        }
    }
    found.sort_by_key(|l| (l.due_at, l.row));
    if back {
        found.reverse();
    }
    let mut page = Page::cut(found, limit, cursor.as_ref(), |l, b| Cursor {
        s: "reviews-waiting".to_owned(),
        k: l.due_at.map_or(0, crate::db::micros).to_string(),
        i: l.row,
        b,
    });
    finished(&mut reads, &mut page.items, by.now).await?;
    Ok(page)
}

/// How many reviews wait for somebody, counted up to a bound.
pub async fn count_waiting(db: &Db, by: By<'_>, most: i64) -> Result<i64, Error> {
    let mut reads = db;
    let mut n = 0;
    for whose in me(&mut reads, by).await? {
        let sql = format!(
            "SELECT COUNT(*) FROM (SELECT 1 FROM request_step s JOIN request r ON r.id = s.request_id \
             WHERE s.waits_for = $1 AND s.verdict = '' AND s.ready AND s.waits_until > $2 AND r.kind = 'review' \
             AND r.outcome = '' AND r.lapses_at > $2 LIMIT {most}) AS w"
        );
        n += reads.rows(sql, args![whose, by.now]).await?.first().map_or(Ok(0), |r| r.get::<i64>(0))?;
    }
    Ok(n.min(most))
}

/// The agents of a campaign with their reviews, in the order of the agents. Who reads all
/// sees all; everybody else the reviews that are theirs.
pub async fn list_of_campaign(
    db: &Db,
    by: By<'_>,
    id: CampaignId,
    which: Option<Progress>,
    cursor: Option<&str>,
    limit: Option<i64>,
) -> Result<Page<Line>, Error> {
    let limit = checked(limit)?;
    let cursor = cursor.map(|c| Cursor::decode(c, "campaign")).transpose()?;
    let mut reads = db;
    let own = scope(&mut reads, by, id).await?;
    let mine = me(&mut reads, by).await?;
    let mut list = args![id, by.now];
    let mut tests = vec!["c.campaign_id = $1".to_owned()];
    if let Some(which) = which {
        list.push(Arg::from(which.key()));
        tests.push(format!("{PROGRESS} = ${}", list.len()));
    } else {
        // Whatever is asked, the time is among the arguments.
        tests.push("$2 > 0".to_owned());
    }
    if let Some(person) = own {
        list.push(Arg::from(person));
        tests.push(MINE.replace('?', &format!("${}", list.len())));
    }
    let back = cursor.as_ref().is_some_and(|c| c.b);
    if let Some(c) = &cursor {
        list.push(Arg::from(c.i));
        tests.push(format!("c.id {} ${}", if back { "<" } else { ">" }, list.len()));
    }
    let sql = format!(
        "SELECT {COLUMNS}, c.id, c.joined, c.skipped FROM campaign_agent c JOIN agent a ON a.id = c.agent_id \
         LEFT JOIN request r ON r.id = c.request_id LEFT JOIN request_step s ON s.request_id = r.id \
         LEFT JOIN person p ON p.id = r.requester_id WHERE {} ORDER BY c.id {} LIMIT {}",
        tests.join(" AND "),
        if back { "DESC" } else { "ASC" },
        limit + 1
    );
    let mut found = Vec::new();
    for r in reads.rows(sql, list).await? {
        let line = line(&r, &mine, by.now)?;
        found.push(Line { row: r.get(20)?, joined: r.get(21)?, skipped: r.get(22)?, ..line });
    }
    let mut page = Page::cut(found, limit, cursor.as_ref(), |l, b| Cursor {
        s: "campaign".to_owned(),
        k: String::new(),
        i: l.row,
        b,
    });
    finished(&mut reads, &mut page.items, by.now).await?;
    Ok(page)
}
