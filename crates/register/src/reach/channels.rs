//! The channels of a person and their tests. A colleague begins a test and passes a code on
//! by that channel; the person types it. So it is shown that the channel works, without
//! Muster sending anything, and nobody shows it alone.

use chrono::{DateTime, Utc};
use domain::can::{Action, can};
use domain::id::PersonId;
use domain::reach::{CODE_HOLDS, CODE_TRIES, ChannelKind};
use domain::text;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{before, knows, parties, settle};
use crate::change::{self, By, Change};
use crate::db::{Db, DbError, Reads};
use crate::error::{Checked, Error};
use crate::people::{self, Person};
use crate::{args, random};

/// Longest address, in characters.
const ADDRESS_MAX: usize = 200;
/// Most channels of one person.
const CHANNELS_MAX: usize = 10;

/// A way to reach a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Its number.
    pub id: i64,
    /// Of what kind.
    pub kind: ChannelKind,
    /// The number, name or address.
    pub address: String,
    /// When its last test was passed.
    pub tested_at: Option<DateTime<Utc>>,
}

/// A test whose code may be typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// The channel.
    pub channel: i64,
    /// Of what kind.
    pub kind: ChannelKind,
    /// The number, name or address.
    pub address: String,
    /// Who began it, by name.
    pub begun_by: String,
    /// When.
    pub begun_at: DateTime<Utc>,
}

/// A test that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// The six digits to be passed on: the only moment at which they are shown.
    pub code: String,
    /// The channel by which they are passed on.
    pub channel: Channel,
}

/// A person's channels, oldest first.
pub(super) async fn of(reads: &mut impl Reads, person: PersonId) -> Result<Vec<Channel>, DbError> {
    let sql =
        "SELECT id, kind, address, tested_at FROM channel WHERE person_id = $1 AND removed_at IS NULL ORDER BY id";
    let rows = reads.rows(sql, args![person]).await?;
    rows.iter()
        .map(|r| Ok(Channel { id: r.get(0)?, kind: r.get(1)?, address: r.get(2)?, tested_at: r.get(3)? }))
        .collect()
}

/// The tests whose code a person may type now.
pub async fn open_tests(mut db: &Db, person: PersonId, now: DateTime<Utc>) -> Result<Vec<Test>, Error> {
    let rows = Reads::rows(
        &mut db,
        "SELECT c.id, c.kind, c.address, p.name, t.begun_at FROM channel c JOIN channel_test t ON t.channel_id = c.id \
         JOIN person p ON p.id = t.begun_by WHERE c.person_id = $1 AND c.removed_at IS NULL AND t.begun_at > $2 \
         AND t.tries < $3 ORDER BY t.begun_at",
        args![person, now - CODE_HOLDS, CODE_TRIES],
    )
    .await?;
    let mut out = Vec::with_capacity(rows.len());
    for r in rows {
        out.push(Test {
            channel: r.get(0)?,
            kind: r.get(1)?,
            address: r.get(2)?,
            begun_by: r.get(3)?,
            begun_at: r.get(4)?,
        });
    }
    Ok(out)
}

async fn begin<'a>(db: &Db, by: By<'a>, id: PersonId, action: Action) -> Result<(Change<'a>, Person, String), Error> {
    let mut change = Change::begin(db, by).await?;
    let person = people::load(&mut change.tx, id).await?.ok_or_else(|| Error::NotFound(format!("person {id}")))?;
    let stands = knows(&mut change.tx, by, &person).await?;
    can(by.actor, action, stands)?;
    let capacity = match by.actor.person_id() {
        Some(me) if me == id => "self".to_owned(),
        _ => match stands {
            domain::can::Relation::Delegate => "colleague".to_owned(),
            other => crate::agents::relation::capacity(by.actor, other),
        },
    };
    Ok((change, person, capacity))
}

fn checked(kind: ChannelKind, address: &str) -> Result<String, Error> {
    let wrong = |message: &str| Err(Error::field("/address", message));
    let text = match kind {
        ChannelKind::Email => text::email(address),
        _ => text::required_line(address, "a number, a name or an address", ADDRESS_MAX),
    }
    .map_err(|e| Error::field("/address", e.to_string()))?;
    if matches!(kind, ChannelKind::Phone | ChannelKind::Pager) {
        let digits = text.chars().filter(char::is_ascii_digit).count();
        let known = text.chars().all(|c| c.is_ascii_digit() || "+-() ./#*".contains(c));
        if kind == ChannelKind::Phone && (!known || !(5..=20).contains(&digits)) {
            return wrong("Enter a telephone number such as +49 30 1234567.");
        }
    }
    Ok(text)
}

/// Adds a way to reach a person. It counts once a test of it is passed. The address is not in
/// the event: not everybody who reads the record may know it.
pub async fn add(db: &Db, by: By<'_>, id: PersonId, kind: ChannelKind, address: &str) -> Result<i64, Error> {
    let (mut change, person, capacity) = begin(db, by, id, Action::ChannelWrite).await?;
    let address = checked(kind, address)?;
    if !person.active() {
        return Err(Error::Conflict(format!("{} has left.", person.name)));
    }
    let mut wrong = Checked::default();
    if of(&mut change.tx, id).await?.len() >= CHANNELS_MAX {
        wrong.refuse("/address", format!("At most {CHANNELS_MAX} channels; remove one that is no longer used."));
    }
    wrong.done()?;
    let number = change.next("channel", 1).await?;
    let event = change.event(capacity, "channel.added", id);
    change.describe(event, Value::Null, json!({"channel": number, "kind": kind}));
    let row = args![number, change.id(event), id, kind.key(), address, by.now, ""];
    let columns = ["id", "event_id", "person_id", "kind", "address", "added_at", "tested_with"];
    change.tx.insert("channel", &columns, vec![row], "").await.map_err(|e| match e {
        DbError::Unique => Error::field("/address", "That channel is recorded already."),
        e => e.into(),
    })?;
    change.wrote(event, &change::CHANNEL, number);
    change.commit().await?;
    Ok(number)
}

async fn one(reads: &mut impl Reads, person: PersonId, channel: i64) -> Result<Channel, Error> {
    let found = of(reads, person).await?.into_iter().find(|c| c.id == channel);
    found.ok_or_else(|| Error::NotFound("such a channel".into()))
}

/// Removes a channel: from now on it reaches nobody.
pub async fn remove(db: &Db, by: By<'_>, id: PersonId, channel: i64) -> Result<(), Error> {
    let (mut change, _, capacity) = begin(db, by, id, Action::ChannelWrite).await?;
    let known = one(&mut change.tx, id, channel).await?;
    let parties = parties(&mut change.tx, id).await?;
    let before = before(&mut change, &parties).await?;
    let event = change.event(capacity, "channel.removed", id);
    change.describe(event, json!({"channel": channel, "kind": known.kind}), json!({}));
    let args = args![channel, by.now, change.id(event)];
    let sql = "UPDATE channel SET removed_at = $2, event_id = $3 WHERE id = $1 AND removed_at IS NULL";
    if change.tx.run(sql, args).await? != 1 {
        return Err(Error::Conflict("It was removed already.".into()));
    }
    change.wrote(event, &change::CHANNEL, channel);
    change.tx.run("DELETE FROM channel_test WHERE channel_id = $1", args![channel]).await?;
    settle(change, before).await?;
    Ok(())
}

fn digest(salt: &str, code: &str) -> String {
    hex::encode(Sha256::digest(format!("{salt}:{code}")))
}

/// Begins the test of a channel of somebody else: the code is shown once to whoever passes it
/// on. A test begun before is void.
pub async fn begin_test(db: &Db, by: By<'_>, id: PersonId, channel: i64) -> Result<Begun, Error> {
    if by.actor.person_id() == Some(id) {
        return Err(Error::Conflict(
            "A colleague begins the test: whoever passes the code on is not the one who types it.".into(),
        ));
    }
    let (mut change, person, capacity) = begin(db, by, id, Action::ChannelTest).await?;
    let Some(me) = by.actor.person_id() else {
        return Err(Error::Conflict("Only a person passes a code on.".into()));
    };
    if !person.active() {
        return Err(Error::Conflict(format!("{} has left.", person.name)));
    }
    let channel = one(&mut change.tx, id, channel).await?;
    let code = format!("{:06}", u64::from_le_bytes(random::bytes::<8>()) % 1_000_000);
    let salt = random::secret();
    let event = change.event(capacity, "channel.test-begun", id);
    change.describe(event, Value::Null, json!({"channel": channel.id, "kind": channel.kind}));
    let row = args![channel.id, &salt, digest(&salt, &code), me, by.now, 0];
    change
        .tx
        .insert(
            "channel_test",
            &["channel_id", "salt", "code_sha256", "begun_by", "begun_at", "tries"],
            vec![row],
            "ON CONFLICT (channel_id) DO UPDATE SET salt = excluded.salt, code_sha256 = excluded.code_sha256, \
             begun_by = excluded.begun_by, begun_at = excluded.begun_at, tries = 0",
        )
        .await?;
    change.commit().await?;
    Ok(Begun { code, channel })
}

/// Types the code that came by one's own channel: it works, from this moment. Each try is
/// counted before it is looked at; after five a new test is needed.
pub async fn prove(db: &Db, by: By<'_>, channel: i64, code: &str) -> Result<Channel, Error> {
    can(by.actor, Action::ChannelProve, domain::can::Relation::Owner)?;
    let Some(me) = by.actor.person_id() else {
        return Err(Error::Conflict("Only the person types the code.".into()));
    };
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    if code.len() != 6 || !code.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Error::field("/code", "Enter the six digits of the code."));
    }
    let mut tries = db.begin().await?;
    let row = tries
        .one(
            "UPDATE channel_test SET tries = tries + 1 WHERE channel_id = $1 AND tries < $2 AND begun_at > $3 \
             AND channel_id IN (SELECT id FROM channel WHERE person_id = $4 AND removed_at IS NULL) \
             RETURNING salt, code_sha256, begun_by, tries",
            args![channel, CODE_TRIES, by.now - CODE_HOLDS, me],
        )
        .await?;
    tries.commit().await?;
    let Some(row) = row else {
        return Err(Error::Conflict(
            "No test of this channel is open: a code holds for 15 minutes and five tries. Ask a colleague to begin one."
                .into(),
        ));
    };
    let (salt, known): (String, String) = (row.get(0)?, row.get(1)?);
    if digest(&salt, &code) != known {
        let left = CODE_TRIES - row.get::<i64>(3)?;
        return Err(Error::field(
            "/code",
            match left {
                0 => "That is not the code, and it was the last try: ask a colleague to begin a new test.".to_owned(),
                1 => "That is not the code. One try is left.".to_owned(),
                n => format!("That is not the code. {n} tries are left."),
            },
        ));
    }
    let with: PersonId = row.get(2)?;
    let mut change = Change::begin(db, by).await?;
    let found = one(&mut change.tx, me, channel).await?;
    // Whoever was first has used it up.
    let sql = "DELETE FROM channel_test WHERE channel_id = $1 AND code_sha256 = $2";
    if change.tx.run(sql, args![channel, known]).await? != 1 {
        return Err(Error::Conflict("The code was used already.".into()));
    }
    let parties = parties(&mut change.tx, me).await?;
    let before = before(&mut change, &parties).await?;
    let event = change.event("self", "channel.tested", me);
    change.describe(event, Value::Null, json!({"channel": channel, "kind": found.kind, "with": with}));
    let args = args![channel, by.now, with.to_string(), change.id(event)];
    change.tx.run("UPDATE channel SET tested_at = $2, tested_with = $3, event_id = $4 WHERE id = $1", args).await?;
    change.wrote(event, &change::CHANNEL, channel);
    settle(change, before).await?;
    Ok(Channel { tested_at: Some(by.now), ..found })
}
