//! A change: one transaction that writes rows and the events that account for them.
//!
//! Order of locks: the aggregate's rows, then the chain's head, then counters, then commit.
//! The head is never kept in memory. Each audited row carries the id of its event; each
//! event carries the digest of each row it wrote, so that a row changed without an event
//! is found even when the chain itself is whole.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use domain::alarm::AlarmKind;
use domain::can::Actor;
use domain::canonical;
use domain::record::{Event, timestamp};
use domain::tiding::Tiding;
use serde_json::{Map, Value};

use crate::args;
use crate::clock;
use crate::clock::alarms::NewAlarm;
use crate::db::{Arg, Cell, Db, DbError, Row, Tx, micros};
use crate::tally::Tally;
use crate::tidings::{self, Mail, To};

/// Who does it and when: what every use case is given.
#[derive(Debug, Clone, Copy)]
pub struct By<'a> {
    /// Who.
    pub actor: &'a Actor,
    /// When, cut to microseconds.
    pub now: DateTime<Utc>,
}

/// The type of an audited column, as the digest reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Whole number or time.
    Int,
    /// Text.
    Text,
    /// Yes or no.
    Bool,
}

/// A table whose rows are accounted for by events.
#[derive(Debug)]
pub struct Audited {
    /// Its name.
    pub name: &'static str,
    /// The key column.
    pub key: &'static str,
    /// The columns that the digest covers, the key first.
    pub columns: &'static [(&'static str, Kind)],
    /// Columns that came later: the digest covers them where they hold something, so that
    /// rows written before still verify.
    pub later: &'static [(&'static str, Kind)],
}

use Kind::{Bool, Int, Text};

/// Every audited table. What is not here is derived, or a working fact outside the record.
pub const AUDITED: &[&Audited] = &[
    &PERSON,
    &TEAM,
    &TEAM_MEMBER,
    &SYSTEM,
    &PLATFORM_STAY,
    &VENDOR,
    &TOOL,
    &CREDENTIAL,
    &WAVE,
    &AGENT,
    &ASSIGNMENT,
    &STOP_METHOD,
    &STOP_DRILL,
    &STOP_CALL,
    &STOPPING,
    &STOP_STEP,
    &EVIDENCE_FILE,
    &SETTING,
    &IMPORT_MAPPING,
    &TOKEN,
    &PROPOSAL,
    &ROTATION,
    &COVER,
    &ABSENCE,
    &CHANNEL,
    &JUSTIFICATION,
    &RULE,
    &HANDOVER,
    &POLICY,
    &REQUEST,
    &REQUEST_STEP,
    &REQUEST_MESSAGE,
    &CONDITION,
    &ACTING,
    &OBSERVED,
    &DELEGATION,
    &CALENDAR_LINK,
    &CAMPAIGN,
    &CAMPAIGN_AGENT,
    &RETIREMENT_ROW,
    &SIGN_OF_LIFE,
    &OUTLET,
    &NOTICE_PREFERENCE,
    &EXCEPTION,
    &EXCEPTION_AGENT,
    &COMPENSATING_CONTROL,
];

macro_rules! audited {
    ($($id:ident = $name:literal by $key:literal: $($column:ident $kind:ident),+ $(| $($new:ident $of:ident),+)?;)+) => { $(
        #[doc = concat!("The audited columns of `", $name, "`.")]
        pub const $id: Audited = Audited {
            name: $name,
            key: $key,
            columns: &[$((stringify!($column), $kind)),+],
            later: &[$($((stringify!($new), $of)),+)?],
        };
    )+ };
}

audited! {
    PERSON = "person" by "id": id Int, version Int, created_at Int, updated_at Int, name Text, email Text, title Text,
        business_unit Text, status Text, left_at Int, manager_id Int, deputy_id Int, roles Text | moved_at Int;
    TEAM = "team" by "id": id Int, version Int, created_at Int, updated_at Int, name Text, kind Text, lead_id Int,
        lead_since Int, deputy_id Int;
    TEAM_MEMBER = "team_member" by "id": id Int, team_id Int, person_id Int, since Int, until Int;
    SYSTEM = "system" by "id": id Int, version Int, created_at Int, updated_at Int, name Text, kind Text, purpose Text;
    PLATFORM_STAY = "platform_stay" by "id": id Int, agent_id Int, system_id Int, valid_from Int, valid_to Int;
    VENDOR = "vendor" by "id": id Int, name Text;
    TOOL = "tool" by "id": id Int, name Text, kind Text, sensitivity Text;
    CREDENTIAL = "credential" by "id": id Int, name Text, kind Text, ttl_seconds Int, kept_in Text, last_rotated Text;
    WAVE = "wave" by "id": id Int, title Text, source Text, file_sha256 Text, owner_id Int, target_at Int, at Int,
        row_count Int, created Int, changed Int, unchanged Int, refused Int;
    AGENT = "agent" by "id": id Int, version Int, created_at Int, updated_at Int, created_by Text, state Text,
        state_at Int, name Text, purpose Text, kind Text, business_unit Text, environment Text, hosting Text,
        vendor_id Int, contract Text, built_by Int, operated_by Int, parent_id Int, external_ids Text, labels Text,
        workload_identity Text, models Text, autonomy Text, exposure Text, data_class Text, regulated Bool, tools Text,
        credentials Text, running Text, confidential Bool, boundary_sha256 Text, wave_id Int, name_missing Bool,
        duplicate_of Text | approved_sha256 Text, approved_at Int, approved_request Int, approved_by Text,
        reviewed_at Int;
    ASSIGNMENT = "assignment" by "id": id Int, agent_id Int, system_id Int, duty Text, role Text, party_kind Text,
        party_id Int, offered_at Int, offered_by Text, accepted_at Int, accepted_by Text, recorded Bool, reason Text,
        valid_from Int, valid_to Int, ended Text | confirmed_at Int, rule_id Int;
    STOP_METHOD = "stop_method" by "id": id Int, agent_id Int, version Int, kind Text, procedure_text Text,
        valid_from Int, valid_to Int | surface Text, url Text, timeout_ms Int;
    STOP_DRILL = "stop_drill" by "id": id Int, agent_id Int, method_version Int, party_kind Text, party_id Int, at Int,
        seconds Int, passed Bool, note Text | surface Text, acted_by Text, call_id Int;
    STOP_CALL = "stop_call" by "id": id Int, agent_id Int, method_id Int, stopping_id Int, delivery Text, surface Text,
        method_version Int, party_kind Text, party_id Int, begun_by Text, begun_at Int, due_at Int, outcome Text,
        detail Text, answered_at Int, stopped_at Int, denied_at Int, evidence_sha256 Text, witness_id Int, seconds Int,
        note Text;
    STOPPING = "stopping" by "id": id Int, agent_id Int, at Int, stopped_by Text, capacity Text, reason Text, was Text,
        review_due Int, reviewed_at Int, reviewed_by Text, review Text;
    STOP_STEP = "stop_step" by "id": id Int, stopping_id Int, step Text, subject Text, credential_kind Text,
        ttl_seconds Int, done_at Int, done_by Text;
    EVIDENCE_FILE = "evidence_file" by "sha256": sha256 Text, name Text, size Int, stored_at Int;
    SETTING = "setting" by "key": key Text, value Text;
    IMPORT_MAPPING = "import_mapping" by "source": source Text, toml Text;
    TOKEN = "token" by "id": id Int, name Text, sha256 Text, scopes Text, owner_id Int, created_at Int, expires_at Int,
        revoked_at Int;
    PROPOSAL = "proposal" by "id": id Int, person_id Int, matter Text, roles Text, asked_by Int, asked_at Int,
        reason Text, state Text, decided_by Int, decided_at Int | content Text, against Int;
    ROTATION = "rotation" by "id": id Int, team_id Int, people Text, starts_at Int, turn_seconds Int, valid_from Int,
        valid_to Int;
    COVER = "cover" by "id": id Int, team_id Int, person_id Int, from_at Int, until_at Int, reason Text, made_by Text,
        cancelled_at Int;
    ABSENCE = "absence" by "id": id Int, person_id Int, from_at Int, until_at Int, made_by Text, ended_at Int;
    CHANNEL = "channel" by "id": id Int, person_id Int, kind Text, address Text, added_at Int, tested_at Int,
        tested_with Text, removed_at Int;
    JUSTIFICATION = "justification" by "id": id Int, agent_id Int, words Text, made_at Int, made_by Text, until_at Int,
        closed_at Int;
    RULE = "rule" by "id": id Int, version Int, created_at Int, updated_at Int, made_by Text, name Text, meant Text,
        duty Text, party_kind Text, party_id Int, at_import Text, place Int, state Text;
    HANDOVER = "handover" by "id": id Int, agent_id Int, from_team Int, to_team Int, offered_at Int, offered_by Text,
        reason Text, outcome Text, answered_at Int, answered_by Text, answer Text;
    REQUEST = "request" by "id": id Int, kind Text, agent_id Int, requester_id Int, opened_at Int, policy_version Int,
        tier Text, subject_sha256 Text, content Text, reason Text, reviewer_id Int, lapses_at Int, outcome Text,
        closed_at Int, closed_by Text, closing Text;
    REQUEST_STEP = "request_step" by "id": id Int, request_id Int, agent_id Int, requester_id Int, place Int, duty Text,
        technical Bool, comes_last Bool, because Text, due_at Int, verdict Text, decided_at Int, decided_by Int,
        on_behalf_of Int, via Text, reason Text, decided_sha256 Text, justified Bool | deferred_at Int, deferral Text;
    REQUEST_MESSAGE = "request_message" by "id": id Int, request_id Int, place Int, question Bool, at Int, by_id Int,
        words Text;
    CONDITION = "condition" by "id": id Int, agent_id Int, request_id Int, place Int, words Text, owner_id Int,
        due_at Int, set_at Int, set_by Int, met_at Int, met_by Text, note Text;
    ACTING = "acting" by "id": id Int, agent_id Int, duty Text, person_id Int, at Int, until_at Int, made_by Text,
        reason Text, ended_at Int;
    OBSERVED = "observed" by "id": id Int, agent_id Int, source Text, facts Text, boundary_sha256 Text, first_at Int,
        closed_at Int, closing Text;
    POLICY = "policy" by "version": version Int, at Int, made_by Text, reason Text, content Text | confirmed_by Text;
    DELEGATION = "delegation" by "id": id Int, from_id Int, to_id Int, from_at Int, until_at Int, reason Text,
        ended_at Int;
    CALENDAR_LINK = "calendar_link" by "id": id Int, person_id Int, sha256 Text, made_at Int, revoked_at Int;
    CAMPAIGN = "campaign" by "id": id Int, name Text, made_at Int, made_by Int, due_at Int, selection Text, reason Text,
        agents Int, closed_at Int, closed_by Text, closing Text;
    CAMPAIGN_AGENT = "campaign_agent" by "id": id Int, campaign_id Int, agent_id Int, request_id Int, joined Bool,
        skipped Text;
    RETIREMENT_ROW = "retirement_row" by "id": id Int, request_id Int, agent_id Int, place Int, kind Text,
        subject Text, duty Text, evidence_kind Text, link Text, delivery Text, evidence_sha256 Text, note Text,
        done_at Int, done_by Text, waived_at Int, waived_by Int, waiver Text, carried_from Int;
    SIGN_OF_LIFE = "sign_of_life" by "id": id Int, agent_id Int, source Text, state Text, first_at Int, last_at Int;
    OUTLET = "outlet" by "id": id Int, kind Text, name Text, url Text, kinds Text, made_at Int, removed_at Int;
    NOTICE_PREFERENCE = "notice_preference" by "person_id": person_id Int, offset_minutes Int, quiet_from Int,
        quiet_until Int, digest_at Int, hows Text;
    EXCEPTION = "exception" by "id": id Int, version Int, created_at Int, updated_at Int, request_id Int,
        requester_id Int, title Text, control Text, node Text, duty Text, likelihood Int, impact Int,
        justification Text, selection Text, tier Text, starts_at Int, expires_at Int, lapses_at Int, suspends Bool,
        renews Int, renewals Int, subject_sha256 Text, approved_at Int, rejected_at Int, rejection Text, ended_at Int,
        ended Text, ended_by Text, ending Text;
    EXCEPTION_AGENT = "exception_agent" by "id": id Int, exception_id Int, agent_id Int;
    COMPENSATING_CONTROL = "compensating_control" by "id": id Int, exception_id Int, place Int, words Text,
        owner_id Int, check_at Int, dropped_at Int, checked_at Int, checked_by Text, note Text;
}

impl Audited {
    /// The columns for a SELECT, `event_id` last.
    pub fn select(&self) -> String {
        let mut list: Vec<&str> = self.columns.iter().chain(self.later).map(|(c, _)| *c).collect();
        list.push("event_id");
        list.join(", ")
    }

    /// The digest of a row selected by [`Audited::select`], its key and its event.
    pub fn digest(&self, row: &Row) -> Result<(String, String, String), DbError> {
        let mut members = Map::new();
        for (at, (column, kind)) in self.columns.iter().chain(self.later).enumerate() {
            let value: Value = match kind {
                Int => Option::<i64>::read(row, at)?.into(),
                Text => Option::<String>::read(row, at)?.into(),
                Bool => bool::read(row, at)?.into(),
            };
            if value.is_null() && at >= self.columns.len() {
                continue;
            }
            members.insert((*column).to_owned(), value);
        }
        let key = match &members[self.key] {
            Value::String(s) => s.clone(),
            v => v.to_string(),
        };
        let event = row.get(self.columns.len() + self.later.len())?;
        Ok((format!("{}/{key}", self.name), canonical::sha256_hex(&Value::Object(members)), event))
    }
}

/// An event being written, by its place in the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventRef(usize);

#[derive(Debug)]
struct Draft {
    id: String,
    capacity: String,
    action: &'static str,
    subject: String,
    before: Value,
    after: Map<String, Value>,
    reason: String,
    rows: BTreeMap<String, String>,
}

/// A transaction under way, with the events it will append.
pub struct Change<'a> {
    /// The open transaction.
    pub tx: Tx,
    /// Who and when.
    pub by: By<'a>,
    /// Counters to be moved at the end.
    pub tally: Tally,
    drafts: Vec<Draft>,
    touched: HashMap<(&'static str, String), (usize, &'static Audited)>,
    ids: u64,
    told: Vec<Option<domain::id::PersonId>>,
    mail: Mail,
    alarms: BTreeMap<String, NewAlarm>,
    wakes: Option<DateTime<Utc>>,
}

impl<'a> Change<'a> {
    /// Begins a change.
    pub async fn begin(db: &Db, by: By<'a>) -> Result<Self, DbError> {
        Ok(Self {
            tx: db.begin().await?,
            by,
            tally: Tally::default(),
            drafts: Vec::new(),
            touched: HashMap::new(),
            ids: 0,
            told: Vec::new(),
            mail: Mail::default(),
            alarms: BTreeMap::new(),
            wakes: None,
        })
    }

    /// Announces an event. `capacity` says by virtue of what the actor may do this.
    pub fn event(&mut self, capacity: impl Into<String>, action: &'static str, subject: impl ToString) -> EventRef {
        let id = self.fresh_id();
        self.drafts.push(Draft {
            id,
            capacity: capacity.into(),
            action,
            subject: subject.to_string(),
            before: Value::Null,
            after: Map::new(),
            reason: String::new(),
            rows: BTreeMap::new(),
        });
        EventRef(self.drafts.len() - 1)
    }

    /// A new id; those of one change sort in the order in which they were made.
    pub(crate) fn fresh_id(&mut self) -> String {
        let id = crate::random::uuid_v7(self.by.now, self.ids);
        self.ids += 1;
        id
    }

    /// Notes that somebody, or the organisation, is told something: whoever listens hears of it
    /// once it is committed.
    pub(crate) fn told(&mut self, person: Option<domain::id::PersonId>) {
        self.told.push(person);
    }

    /// Leaves something to be told when this is committed: what goes to one person about one kind
    /// of thing is told as one. Whoever acts is not told of it.
    pub(crate) fn tell(&mut self, to: To, tiding: Tiding) {
        self.mail.put(to, tiding);
    }

    /// Sets an alarm, once for its kind, its subject and its instant.
    pub(crate) fn alarm(&mut self, at: DateTime<Utc>, kind: AlarmKind, subject: impl ToString, about: i64) {
        let subject = subject.to_string();
        let key = format!("{subject}/{kind}/{}", micros(at));
        self.alarms.insert(key, NewAlarm { at, kind, subject, about });
    }

    /// Notes that something is due at an instant: the scheduler hears of it once it is committed.
    pub(crate) fn wakes(&mut self, at: DateTime<Utc>) {
        self.wakes = Some(self.wakes.map_or(at, |earlier| earlier.min(at)));
    }

    /// What changed, as it was and as it is. Members equal on both sides are left out.
    pub fn describe(&mut self, event: EventRef, before: Value, after: Value) {
        let draft = &mut self.drafts[event.0];
        match (before, after) {
            (Value::Object(b), Value::Object(a)) => {
                let changed = |x: &Map<String, Value>, y: &Map<String, Value>| -> Map<String, Value> {
                    x.iter().filter(|(k, v)| y.get(*k) != Some(*v)).map(|(k, v)| (k.clone(), v.clone())).collect()
                };
                draft.before = Value::Object(changed(&b, &a));
                draft.after = changed(&a, &b);
            }
            (b, Value::Object(a)) => {
                draft.before = b;
                draft.after = a;
            }
            (b, _) => draft.before = b,
        }
    }

    /// Why, in the actor's words.
    pub fn because(&mut self, event: EventRef, reason: impl Into<String>) {
        self.drafts[event.0].reason = reason.into();
    }

    /// The id that a row written under the event carries.
    pub fn id(&self, event: EventRef) -> &str {
        &self.drafts[event.0].id
    }

    /// Notes that the event wrote the row. The digest is read back before commit, so that
    /// it is of what is stored.
    pub fn wrote(&mut self, event: EventRef, table: &'static Audited, key: impl ToString) {
        self.touched.insert((table.name, key.to_string()), (event.0, table));
    }

    /// The next numbers of a noun: `count` of them, the first is answered.
    pub async fn next(&mut self, noun: &'static str, count: i64) -> Result<i64, DbError> {
        let row = self
            .tx
            .one("UPDATE sequence SET last = last + $2 WHERE noun = $1 RETURNING last", args![noun, count])
            .await?
            .ok_or_else(|| DbError::Url(format!("the sequence {noun} is missing")))?;
        Ok(row.get::<i64>(0)? - count + 1)
    }

    /// Reads back digests, appends the events to the chain, moves the counters, commits.
    pub async fn commit(mut self) -> Result<(), DbError> {
        let mail = std::mem::take(&mut self.mail);
        tidings::deliver(&mut self, mail).await?;
        let alarms = std::mem::take(&mut self.alarms);
        clock::alarms::write(&mut self, alarms).await?;
        self.digest_rows().await?;
        self.append().await?;
        let Self { mut tx, tally, told, wakes, .. } = self;
        tally.apply(&mut tx).await?;
        tx.commit().await?;
        crate::notices::written::say(told);
        clock::bell::ring(wakes);
        Ok(())
    }

    async fn digest_rows(&mut self) -> Result<(), DbError> {
        let mut tables: BTreeMap<&'static str, (&'static Audited, Vec<(String, usize)>)> = BTreeMap::new();
        for ((name, key), (event, table)) in self.touched.drain() {
            tables.entry(name).or_insert_with(|| (table, Vec::new())).1.push((key, event));
        }
        for (table, keys) in tables.into_values() {
            let whole = table.columns[0].1 == Int;
            for batch in keys.chunks(500) {
                let marks: Vec<String> = (1..=batch.len()).map(|n| format!("${n}")).collect();
                let sql = format!(
                    "SELECT {} FROM {} WHERE {} IN ({})",
                    table.select(),
                    table.name,
                    table.key,
                    marks.join(", ")
                );
                let list = batch
                    .iter()
                    .map(|(k, _)| if whole { Arg::Int(k.parse().ok()) } else { Arg::Text(Some(k.clone())) })
                    .collect();
                let events: HashMap<&str, usize> = batch.iter().map(|(k, e)| (k.as_str(), *e)).collect();
                for row in self.tx.all(sql, list).await? {
                    let (name, digest, _) = table.digest(&row)?;
                    let key = &name[table.name.len() + 1..];
                    if let Some(event) = events.get(key) {
                        self.drafts[*event].rows.insert(name, digest);
                    }
                }
            }
        }
        Ok(())
    }

    async fn append(&mut self) -> Result<(), DbError> {
        if self.drafts.is_empty() {
            return Ok(());
        }
        let count = i64::try_from(self.drafts.len()).unwrap_or(i64::MAX);
        let row = self
            .tx
            .one("UPDATE chain_head SET seq = seq + $1 WHERE id = 1 RETURNING seq, hash", args![count])
            .await?
            .ok_or_else(|| DbError::Url("the chain has no head; restore a backup".into()))?;
        let first = row.get::<i64>(0)? - count + 1;
        let mut prev: String = row.get(1)?;
        let at = timestamp(self.by.now);
        let actor = self.by.actor.who.to_string();
        let mut rows = Vec::with_capacity(self.drafts.len());
        for (seq, draft) in (first..).zip(std::mem::take(&mut self.drafts)) {
            let mut after = draft.after;
            let digests: Map<String, Value> = draft.rows.into_iter().map(|(k, v)| (k, v.into())).collect();
            after.insert("rows".into(), Value::Object(digests));
            let event = Event {
                seq,
                id: draft.id,
                at: at.clone(),
                actor: actor.clone(),
                capacity: draft.capacity,
                action: draft.action.to_owned(),
                subject: draft.subject,
                before: draft.before,
                after: Value::Object(after),
                reason: draft.reason,
                prev: std::mem::take(&mut prev),
                hash: String::new(),
            }
            .sealed();
            prev.clone_from(&event.hash);
            rows.push(vec![
                Arg::from(event.seq),
                event.id.into(),
                micros(self.by.now).into(),
                event.actor.into(),
                event.capacity.into(),
                event.action.into(),
                event.subject.into(),
                canonical::to_string(&event.before).into(),
                canonical::to_string(&event.after).into(),
                event.reason.into(),
                event.prev.into(),
                event.hash.into(),
            ]);
        }
        self.tx.insert("audit_event", EVENT_COLUMNS, rows, "").await?;
        self.tx.run("UPDATE chain_head SET hash = $1 WHERE id = 1", args![prev]).await?;
        Ok(())
    }
}

/// The columns of an event, in the order of [`crate::audit`]'s reading.
pub const EVENT_COLUMNS: &[&str] =
    &["seq", "id", "at", "actor", "capacity", "action", "subject", "before", "after", "reason", "prev", "hash"];
