//! Settings: what the organisation decides about Muster itself. Each is a row that its
//! event accounts for; one that was never set has its default.

use domain::can::{Action, Relation, can};
use domain::id::TeamId;
use domain::party::Role;
use domain::text;
use serde_json::{Map, Value};

use crate::args;
use crate::change::{self, By, Change};
use crate::db::{DbError, Reads};
use crate::error::{Checked, Error};
use crate::people::keeper;
use crate::{Db, teams};

/// The settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What the organisation is called; may be empty.
    pub organisation: String,
    /// The security team on call: where an alert falls when nobody else can be reached.
    pub oncall_team: Option<TeamId>,
    /// How many days a new import wave has to close its gaps, unless it says otherwise.
    pub wave_days: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { organisation: String::new(), oncall_team: None, wave_days: 90 }
    }
}

impl Settings {
    /// Each setting under its key, as it is stored.
    fn stored(&self) -> [(&'static str, String); 3] {
        [
            ("organisation", self.organisation.clone()),
            ("oncall_team", self.oncall_team.map_or_else(String::new, |t| t.to_string())),
            ("wave_days", self.wave_days.to_string()),
        ]
    }
}

/// The settings and their version: the number of the event that last changed one, 0 when
/// none ever was.
pub async fn load(reads: &mut impl Reads) -> Result<(Settings, i64), DbError> {
    let rows = reads
        .rows("SELECT s.key, s.value, e.seq FROM setting s JOIN audit_event e ON e.id = s.event_id", args![])
        .await?;
    let mut out = Settings::default();
    let mut version = 0;
    for r in rows {
        let value: String = r.get(1)?;
        version = version.max(r.get(2)?);
        match r.get::<String>(0)?.as_str() {
            "organisation" => out.organisation = value,
            "oncall_team" => out.oncall_team = value.parse().ok(),
            "wave_days" => out.wave_days = value.parse().unwrap_or(out.wave_days),
            _ => {}
        }
    }
    Ok((out, version))
}

/// The settings, for those who may read them.
pub async fn read(db: &Db, by: By<'_>) -> Result<(Settings, i64), Error> {
    can(by.actor, Action::SettingsRead, Relation::None)?;
    let mut reads = db;
    Ok(load(&mut reads).await?)
}

/// Changes settings; only those that differ are written. `version` is the one that was read.
pub async fn write(db: &Db, by: By<'_>, version: Option<i64>, given: &Settings) -> Result<Settings, Error> {
    can(by.actor, Action::SettingsWrite, Relation::None)?;
    let mut change = Change::begin(db, by).await?;
    // One change of settings at a time: on PostgreSQL two would not see each other.
    crate::people::one_at_a_time(&mut change).await?;
    let (before, now_at) = load(&mut change.tx).await?;
    if version.is_some_and(|v| v != now_at) {
        return Err(Error::Stale(now_at));
    }
    let mut wrong = Checked::default();
    let organisation = wrong.take("/organisation", text::line(&given.organisation, "The name", 200));
    if !(1..=730).contains(&given.wave_days) {
        wrong.refuse("/wave_days", "Enter a number of days from 1 to 730.");
    }
    if let Some(id) = given.oncall_team {
        match teams::load(&mut change.tx, id).await? {
            None => wrong.refuse("/oncall_team", format!("There is no {id}.")),
            Some(t) => {
                let lead = match t.lead {
                    Some(l) => crate::people::load(&mut change.tx, l).await?,
                    None => None,
                };
                if given.oncall_team != before.oncall_team && !lead.is_some_and(|l| l.active()) {
                    wrong.refuse("/oncall_team", format!("{} has no active lead: nobody would be paged.", t.name));
                }
            }
        }
    }
    wrong.done()?;
    let after = Settings { organisation, ..given.clone() };
    let (mut told_before, mut told_after) = (Map::new(), Map::new());
    let event_rows: Vec<(&str, String)> = after
        .stored()
        .into_iter()
        .zip(before.stored())
        .filter(|(a, b)| a != b)
        .map(|((key, now), (_, then))| {
            told_before.insert(key.to_owned(), then.into());
            told_after.insert(key.to_owned(), now.clone().into());
            (key, now)
        })
        .collect();
    if event_rows.is_empty() {
        return Ok(before);
    }
    let event = change.event(keeper(by.actor, &[Role::Administrator]), "settings.changed", "settings");
    change.describe(event, Value::Object(told_before), Value::Object(told_after));
    let mut rows = Vec::new();
    for (key, value) in event_rows {
        rows.push(args![key, change.id(event), value]);
        change.wrote(event, &change::SETTING, key);
    }
    change
        .tx
        .insert(
            "setting",
            &["key", "event_id", "value"],
            rows,
            "ON CONFLICT (key) DO UPDATE SET event_id = excluded.event_id, value = excluded.value",
        )
        .await?;
    change.commit().await?;
    Ok(after)
}
