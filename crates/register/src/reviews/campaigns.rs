//! Review campaigns: a selection frozen on the day it was made, a review for each agent of it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::can::{Action, Denied, Relation, can};
use domain::id::{AgentId, CampaignId, PersonId, RequestId};
use domain::request::RequestState;
use domain::review::{CAMPAIGN_MOST, CAMPAIGN_WITHIN, Progress};
use domain::text;
use serde_json::{Value, json};

use super::begin::{Begun, Ground, begin, present, unfit};
use crate::agents::assess::{judge, reassess};
use crate::agents::moves;
use crate::agents::relation::capacity;
use crate::args;
use crate::change::{self, By, Change};
use crate::db::{Arg, Db, DbError, Reads, Row};
use crate::error::{Checked, Error};
use crate::paging::{Cursor, Page};
use crate::requests::open::me;
use crate::requests::{ends, words};

/// Longest name, in characters.
const NAME_MAX: usize = 120;
/// Longest filter that is kept, in characters.
const SELECTION_MAX: usize = 2_000;
/// Agents begun at a time.
const BATCH: usize = 200;

/// How an agent of a campaign stands, as [`domain::review::progress`] says it. `$2` is the
/// moment.
pub(super) const PROGRESS: &str = "CASE WHEN c.request_id IS NULL THEN 'skipped' \
     WHEN r.outcome = 'completed' THEN 'done' WHEN r.outcome <> '' OR r.lapses_at <= $2 THEN 'ended' \
     WHEN s.due_at <= $2 THEN 'overdue' WHEN s.deferred_at IS NOT NULL THEN 'deferred' ELSE 'open' END";

/// Whether a review of it is somebody's: it waits for them, or they decided it.
pub(super) const MINE: &str = "(s.decided_by = ? OR (s.waits_for = ? AND s.verdict = ''))";

/// What a campaign is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewCampaign {
    /// What it is called.
    pub name: String,
    /// Why; the reviewers read it.
    pub reason: String,
    /// Until when they answer.
    pub due_at: DateTime<Utc>,
    /// The filter of the inventory that chose the agents; empty where each was picked.
    pub selection: String,
    /// The agents.
    pub agents: Vec<AgentId>,
}

/// How the agents of a campaign stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<Progress, i64>);

impl Counts {
    /// How many stand so.
    pub fn of(&self, progress: Progress) -> i64 {
        self.0.get(&progress).copied().unwrap_or(0)
    }

    /// How many still wait for an answer.
    pub fn left(&self) -> i64 {
        self.of(Progress::Open) + self.of(Progress::Overdue) + self.of(Progress::Deferred)
    }

    /// How many there are.
    pub fn all(&self) -> i64 {
        self.0.values().sum()
    }
}

/// A campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Campaign {
    /// Its reference.
    pub id: CampaignId,
    /// What it is called.
    pub name: String,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// By whom.
    pub made_by: (PersonId, String),
    /// Until when.
    pub due_at: DateTime<Utc>,
    /// The filter that chose its agents; empty where each was picked.
    pub selection: String,
    /// Why.
    pub reason: String,
    /// How many agents it has.
    pub agents: i64,
    /// When it was closed early, by whom as in the record, and why.
    pub closed: Option<(DateTime<Utc>, String, String)>,
    /// How they stand; of who does not read all, their own reviews.
    pub counts: Counts,
    /// Only the reader's own reviews are counted and listed.
    pub own: bool,
}

const SELECT: &str = "SELECT g.id, g.name, g.made_at, g.made_by, p.name, g.due_at, g.selection, g.reason, g.agents, \
     g.closed_at, g.closed_by, g.closing FROM campaign g JOIN person p ON p.id = g.made_by";

fn read(r: &Row) -> Result<Campaign, DbError> {
    let closed_at: Option<DateTime<Utc>> = r.get(9)?;
    let (by, why): (String, String) = (r.get(10)?, r.get(11)?);
    Ok(Campaign {
        id: CampaignId(r.get(0)?),
        name: r.get(1)?,
        made_at: r.get(2)?,
        made_by: (r.get(3)?, r.get(4)?),
        due_at: r.get(5)?,
        selection: r.get(6)?,
        reason: r.get(7)?,
        agents: r.get(8)?,
        closed: closed_at.map(|at| (at, by, why)),
        counts: Counts::default(),
        own: false,
    })
}

async fn counts(
    reads: &mut impl Reads,
    id: CampaignId,
    own: Option<PersonId>,
    now: DateTime<Utc>,
) -> Result<Counts, DbError> {
    let mut list = args![id, now];
    let mine = own.map_or_else(String::new, |me| {
        list.push(Arg::from(me));
        format!(" AND {}", MINE.replace('?', "$3"))
    });
    let sql = format!(
        "SELECT t.stands, COUNT(*) FROM (SELECT {PROGRESS} AS stands FROM campaign_agent c \
         LEFT JOIN request r ON r.id = c.request_id LEFT JOIN request_step s ON s.request_id = r.id \
         WHERE c.campaign_id = $1{mine}) AS t GROUP BY t.stands"
    );
    let mut out = Counts::default();
    for r in reads.rows(sql, list).await? {
        if let Ok(progress) = r.get::<String>(0)?.parse() {
            out.0.insert(progress, r.get(1)?);
        }
    }
    Ok(out)
}

/// Of which of its reviews the reader may know: all (`None`), or their own. Who reads neither
/// learns nothing of it.
pub(super) async fn scope(reads: &mut impl Reads, by: By<'_>, id: CampaignId) -> Result<Option<PersonId>, Error> {
    let hidden = || Error::NotFound(format!("campaign {id}"));
    let there = !reads.rows("SELECT 1 FROM campaign WHERE id = $1", args![id]).await?.is_empty();
    match can(by.actor, Action::CampaignRead, Relation::None) {
        Ok(()) if there => return Ok(None),
        Ok(()) => return Err(hidden()),
        Err(e) if by.actor.person_id().is_none() => return Err(Error::Denied(e)),
        Err(_) => {}
    }
    let me = by.actor.person_id().filter(|_| there).ok_or_else(hidden)?;
    let sql = format!(
        "SELECT 1 FROM campaign_agent c JOIN request_step s ON s.request_id = c.request_id \
         WHERE c.campaign_id = $1 AND {} LIMIT 1",
        MINE.replace('?', "$2")
    );
    if reads.rows(sql, args![id, me]).await?.is_empty() {
        return Err(hidden());
    }
    can(by.actor, Action::CampaignRead, Relation::Owner)?;
    Ok(Some(me))
}

/// One campaign.
pub async fn campaign(db: &Db, by: By<'_>, id: CampaignId) -> Result<Campaign, Error> {
    let mut reads = db;
    let own = scope(&mut reads, by, id).await?;
    let rows = reads.rows(format!("{SELECT} WHERE g.id = $1"), args![id]).await?;
    let found = rows.first().ok_or_else(|| Error::NotFound(format!("campaign {id}")))?;
    Ok(Campaign { counts: counts(&mut reads, id, own, by.now).await?, own: own.is_some(), ..read(found)? })
}

/// The campaigns, newest first: all, for who reads them; else those of which reviews wait for
/// the reader.
pub async fn campaigns(db: &Db, by: By<'_>, cursor: Option<&str>, limit: i64) -> Result<Page<Campaign>, Error> {
    let cursor = cursor.map(|c| Cursor::decode(c, "campaigns")).transpose()?;
    let back = cursor.as_ref().is_some_and(|c| c.b);
    let mut list: Vec<Arg> = Vec::new();
    let mut tests: Vec<String> = Vec::new();
    let mut own = None;
    if let Err(e) = can(by.actor, Action::CampaignRead, Relation::None) {
        let Some(me) = by.actor.person_id() else { return Err(Error::Denied(e)) };
        own = Some(me);
        list.push(Arg::from(me));
        tests.push(
            "g.id IN (SELECT c.campaign_id FROM request_step s CROSS JOIN campaign_agent c \
             WHERE s.waits_for = $1 AND s.verdict = '' AND s.ready AND c.request_id = s.request_id)"
                .to_owned(),
        );
    }
    if let Some(c) = &cursor {
        list.push(Arg::from(c.i));
        tests.push(format!("g.id {} ${}", if back { ">" } else { "<" }, list.len()));
    }
    let whole = if tests.is_empty() { String::new() } else { format!(" WHERE {}", tests.join(" AND ")) };
    let order = if back { "ASC" } else { "DESC" };
    let sql = format!("{SELECT}{whole} ORDER BY g.id {order} LIMIT {}", limit + 1);
    let mut reads = db;
    let items = reads.rows(sql, list).await?.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let mut page = Page::cut(items, limit, cursor.as_ref(), |g, b| Cursor {
        s: "campaigns".to_owned(),
        k: String::new(),
        i: g.id.0,
        b,
    });
    for g in &mut page.items {
        g.counts = counts(&mut reads, g.id, own, by.now).await?;
        g.own = own.is_some();
    }
    Ok(page)
}

/// The campaigns to which a review belongs, with their names.
pub async fn made_for(reads: &mut impl Reads, id: RequestId) -> Result<Vec<(CampaignId, String)>, DbError> {
    let sql = "SELECT g.id, g.name FROM campaign_agent c JOIN campaign g ON g.id = c.campaign_id \
               WHERE c.request_id = $1 ORDER BY g.id LIMIT 20";
    let rows = reads.rows(sql, args![id]).await?;
    rows.iter().map(|r| Ok((CampaignId(r.get(0)?), r.get(1)?))).collect()
}

fn checked(new: &NewCampaign, now: DateTime<Utc>) -> Result<(String, String, Vec<AgentId>), Error> {
    let mut wrong = Checked::default();
    let name = wrong.take("/name", text::required_line(&new.name, "The name", NAME_MAX));
    let reason = wrong.take("/reason", text::prose(&new.reason, "The reason", crate::requests::WORDS_MAX));
    if new.due_at <= now {
        wrong.refuse("/due_at", "Choose a day that is still to come.");
    } else if new.due_at - now > CAMPAIGN_WITHIN {
        wrong.refuse("/due_at", "A campaign ends within 366 days.");
    }
    if new.selection.chars().count() > SELECTION_MAX {
        wrong.refuse("/selection", format!("The filter is longer than {SELECTION_MAX} characters."));
    }
    let mut agents = new.agents.clone();
    agents.sort_unstable();
    agents.dedup();
    if agents.is_empty() {
        wrong.refuse("/agents", "Name at least one agent.");
    } else if agents.len() > CAMPAIGN_MOST {
        wrong.refuse(
            "/agents",
            format!(
                "A campaign is about at most {CAMPAIGN_MOST} agents, and these are {}: narrow the selection.",
                agents.len()
            ),
        );
    }
    wrong.done()?;
    Ok((name, reason, agents))
}

/// Makes a campaign: a review is begun for each agent, one that is open joins it, and what is
/// not reviewed is left out with the reason.
pub async fn make(db: &Db, by: By<'_>, new: &NewCampaign) -> Result<CampaignId, Error> {
    can(by.actor, Action::CampaignWrite, Relation::None)?;
    let (name, reason, agents) = checked(new, by.now)?;
    let maker = me(by)?;
    let mut change = Change::begin(db, by).await?;
    let id = CampaignId(change.next("campaign", 1).await?);
    let capacity = capacity(by.actor, Relation::None);
    let event = change.event(capacity.clone(), "campaign.made", id);
    let total = i64::try_from(agents.len()).unwrap_or(0);
    let columns = [
        "id",
        "event_id",
        "name",
        "made_at",
        "made_by",
        "due_at",
        "selection",
        "reason",
        "agents",
        "closed_by",
        "closing",
    ];
    let row = args![id, change.id(event), &name, by.now, maker, new.due_at, &new.selection, &reason, total, "", "",];
    change.tx.insert("campaign", &columns, vec![row], "").await?;
    change.wrote(event, &change::CAMPAIGN, id.0);
    let mut number = change.next("campaign-agent", total).await?;
    let (mut begun_now, mut joined, mut left) = (0, 0, 0);
    for batch in agents.chunks(BATCH) {
        for agent in batch {
            moves::hold(&mut change, *agent).await?;
        }
        crate::requests::lapse(&mut change, batch).await?;
        let judged = judge(&mut change.tx, batch, by.now).await?;
        let ground = Ground::read(&mut change.tx, &judged, by.now).await?;
        let mut rows: Vec<Vec<Arg>> = Vec::new();
        for j in &judged {
            let agent = j.agent.id;
            let (mut request, mut skipped, mut join) = (None, String::new(), false);
            if let Some(why) = unfit(j) {
                skipped = why;
            } else if let Some(open) = present(&mut change.tx, agent, by.now).await? {
                (request, join) = (Some(open), true);
            } else {
                match ground.of_campaign(j, maker, by.now) {
                    Err(why) => skipped = why,
                    Ok(requester) => {
                        let begun = Begun {
                            opener: maker,
                            requester,
                            capacity: capacity.clone(),
                            why: &reason,
                            campaign: Some(id),
                            due_at: Some(new.due_at),
                        };
                        request = Some(begin(&mut change, &ground, j, begun).await?);
                    }
                }
            }
            match (request, join) {
                (None, _) => left += 1,
                (_, true) => joined += 1,
                _ => begun_now += 1,
            }
            let request = request.map(|r| r.0);
            rows.push(args![number, change.id(event), id, agent, request, join, &skipped]);
            change.wrote(event, &change::CAMPAIGN_AGENT, number);
            number += 1;
        }
        let columns = ["id", "event_id", "campaign_id", "agent_id", "request_id", "joined", "skipped"];
        change.tx.insert("campaign_agent", &columns, rows, "").await?;
        reassess(&mut change, batch, false).await?;
    }
    if begun_now + joined == 0 {
        return Err(Error::field(
            "/agents",
            "None of these agents is reviewed: only what is approved, active or suspended is. Choose others.",
        ));
    }
    change.describe(
        event,
        Value::Null,
        json!({"name": name, "due_at": domain::record::timestamp(new.due_at), "selection": new.selection,
               "agents": total, "begun": begun_now, "joined": joined, "left_out": left}),
    );
    change.because(event, reason);
    change.commit().await?;
    Ok(id)
}

/// Closes a campaign early: the reviews that it began and nobody has answered are taken back,
/// unless another campaign that is open has joined them.
pub async fn close(db: &Db, by: By<'_>, id: CampaignId, why: &str) -> Result<i64, Error> {
    let hidden = |d: Denied| match d {
        Denied::Hidden => Error::NotFound(format!("campaign {id}")),
        d => Error::Denied(d),
    };
    can(by.actor, Action::CampaignWrite, Relation::None).map_err(hidden)?;
    let why = words(why, "/reason", Some("Say why it is closed early."))?;
    let mut change = Change::begin(db, by).await?;
    let event = change.event(capacity(by.actor, Relation::None), "campaign.closed", id);
    let list = args![id, change.id(event), by.now, by.actor.who.to_string(), &why];
    let sql = "UPDATE campaign SET event_id = $2, closed_at = $3, closed_by = $4, closing = $5 \
               WHERE id = $1 AND closed_at IS NULL";
    if change.tx.run(sql, list).await? != 1 {
        let known = !change.tx.all("SELECT 1 FROM campaign WHERE id = $1", args![id]).await?.is_empty();
        return Err(if known {
            Error::Conflict(format!("{id} is closed already."))
        } else {
            Error::NotFound(format!("campaign {id}"))
        });
    }
    change.wrote(event, &change::CAMPAIGN, id.0);
    let sql = "SELECT c.agent_id, c.request_id FROM campaign_agent c JOIN request r ON r.id = c.request_id \
               WHERE c.campaign_id = $1 AND NOT c.joined AND r.outcome = '' AND NOT EXISTS (SELECT 1 \
               FROM campaign_agent o JOIN campaign g ON g.id = o.campaign_id WHERE o.request_id = c.request_id \
               AND o.campaign_id <> $1 AND g.closed_at IS NULL) ORDER BY c.agent_id";
    let mut open: Vec<(AgentId, RequestId)> = Vec::new();
    for r in change.tx.all(sql, args![id]).await? {
        open.push((r.get(0)?, RequestId(r.get(1)?)));
    }
    let mut taken = 0;
    for (agent, request) in &open {
        moves::hold(&mut change, *agent).await?;
        let of = change.event(capacity(by.actor, Relation::None), "request.withdrawn", agent);
        let said = format!("{id} was closed early.");
        if ends::close(&mut change, of, *request, RequestState::Withdrawn, &said).await? {
            taken += 1;
        }
        change.describe(
            of,
            json!({"outcome": RequestState::Open}),
            json!({"request": request, "outcome": RequestState::Withdrawn, "campaign": id}),
        );
        change.because(of, said);
    }
    let agents: Vec<AgentId> = open.into_iter().map(|(agent, _)| agent).collect();
    reassess(&mut change, &agents, false).await?;
    change.describe(event, Value::Null, json!({"taken_back": taken}));
    change.because(event, why);
    change.commit().await?;
    Ok(taken)
}
