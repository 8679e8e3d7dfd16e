//! Channels of the organisation: a webhook, or an incoming webhook of a chat, that takes the
//! kinds of notices an administrator chose for it.

use domain::can::{Action, Relation, can};
use domain::notice::{NoticeKind, OutletKind};
use domain::party::Role;
use domain::{stop, text};
use serde_json::{Value, json};

use crate::args;
use crate::change::{self, By, Change};
use crate::db::{Db, DbError, Reads, Row};
use crate::error::{Checked, Error};
use crate::people::keeper;
use crate::random;
use crate::stops::SECRET_PREFIX;

/// Most channels at a time.
const MOST: usize = 20;
/// Longest name, in characters.
const NAME_MAX: usize = 100;

/// A channel of the organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlet {
    /// Its number.
    pub id: i64,
    /// What it speaks.
    pub kind: OutletKind,
    /// What people call it.
    pub name: String,
    /// Its whole address. That of a chat is a secret: whoever has it writes there.
    pub url: String,
    /// What goes there.
    pub kinds: Vec<NoticeKind>,
}

impl Outlet {
    /// The host of its address, which everybody may read.
    pub fn host(&self) -> &str {
        let rest = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        rest.split(['/', '?']).next().unwrap_or_default()
    }
}

/// A channel to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOutlet {
    /// What it speaks.
    pub kind: OutletKind,
    /// What people call it.
    pub name: String,
    /// Its address.
    pub url: String,
    /// What goes there.
    pub kinds: Vec<NoticeKind>,
    /// The operator allows private networks, and so `http`.
    pub plain: bool,
}

const SELECT: &str = "SELECT id, kind, name, url, kinds FROM outlet WHERE removed_at IS NULL";

fn read(r: &Row) -> Result<Outlet, DbError> {
    Ok(Outlet {
        id: r.get(0)?,
        kind: r.get(1)?,
        name: r.get(2)?,
        url: r.get(3)?,
        kinds: r.get::<String>(4)?.split(' ').filter_map(|kind| kind.parse().ok()).collect(),
    })
}

/// Every channel, oldest first.
pub(super) async fn all(reads: &mut impl Reads) -> Result<Vec<Outlet>, DbError> {
    reads.rows(format!("{SELECT} ORDER BY id LIMIT 100"), args![]).await?.iter().map(read).collect()
}

/// Every channel, oldest first. Their whole addresses are for those who change settings.
pub async fn list(mut db: &Db, by: By<'_>) -> Result<Vec<Outlet>, Error> {
    can(by.actor, Action::SettingsRead, Relation::None)?;
    Ok(all(&mut db).await?)
}

/// One of them with its secret, to send a test.
pub async fn to_test(mut db: &Db, by: By<'_>, id: i64) -> Result<(Outlet, Option<String>), Error> {
    can(by.actor, Action::SettingsWrite, Relation::None)?;
    let found = load(&mut db, id).await?;
    Ok((found, secret(&mut db, id).await?))
}

async fn load(reads: &mut impl Reads, id: i64) -> Result<Outlet, Error> {
    let rows = reads.rows(format!("{SELECT} AND id = $1"), args![id]).await?;
    rows.first().map(read).transpose()?.ok_or_else(|| Error::NotFound("such a channel".into()))
}

/// The secret of a signed webhook.
pub(super) async fn secret(reads: &mut impl Reads, id: i64) -> Result<Option<String>, DbError> {
    let rows = reads.rows("SELECT secret FROM outlet_secret WHERE outlet_id = $1", args![id]).await?;
    rows.first().map(|r| r.get(0)).transpose()
}

/// Adds a channel. Answers its number and, of a signed webhook, its secret: the only moment at
/// which it is shown.
pub async fn add(db: &Db, by: By<'_>, new: &NewOutlet) -> Result<(i64, Option<String>), Error> {
    can(by.actor, Action::SettingsWrite, Relation::None)?;
    let mut change = Change::begin(db, by).await?;
    crate::people::one_at_a_time(&mut change).await?;
    let mut wrong = Checked::default();
    let name = wrong.take("/name", text::required_line(&new.name, "a name", NAME_MAX));
    let url = wrong.take("/url", stop::target(&new.url, new.plain));
    let kinds: Vec<NoticeKind> = NoticeKind::ALL.iter().copied().filter(|k| new.kinds.contains(k)).collect();
    if kinds.is_empty() {
        wrong.refuse("/kinds", "Choose at least one kind of notice that goes there.");
    }
    let there = all(&mut change.tx).await?;
    if there.iter().any(|o| o.name == name) {
        wrong.refuse("/name", "Another channel has this name.");
    }
    wrong.done()?;
    if there.len() >= MOST {
        return Err(Error::Conflict(format!("At most {MOST} channels; remove one that is not needed.")));
    }
    let id = change.next("outlet", 1).await?;
    let stored = kinds.iter().map(|k| k.key()).collect::<Vec<_>>().join(" ");
    let made = Outlet { id, kind: new.kind, name, url, kinds };
    let event = change.event(keeper(by.actor, &[Role::Administrator]), "notices.channel-added", "settings");
    change.describe(event, Value::Null, told(&made));
    let row = args![id, change.id(event), made.kind.key(), &made.name, &made.url, stored, by.now];
    let columns = ["id", "event_id", "kind", "name", "url", "kinds", "made_at"];
    change.tx.insert("outlet", &columns, vec![row], "").await?;
    change.wrote(event, &change::OUTLET, id);
    let mut secret = None;
    if made.kind == OutletKind::Webhook {
        let made = format!("{SECRET_PREFIX}{}", random::secret());
        let row = args![id, &made, by.now];
        change.tx.insert("outlet_secret", &["outlet_id", "secret", "made_at"], vec![row], "").await?;
        secret = Some(made);
    }
    change.commit().await?;
    Ok((id, secret))
}

/// Removes a channel. What was on its way there is given up.
pub async fn remove(db: &Db, by: By<'_>, id: i64) -> Result<Outlet, Error> {
    can(by.actor, Action::SettingsWrite, Relation::None)?;
    let mut change = Change::begin(db, by).await?;
    crate::people::one_at_a_time(&mut change).await?;
    let found = load(&mut change.tx, id).await?;
    let event = change.event(keeper(by.actor, &[Role::Administrator]), "notices.channel-removed", "settings");
    change.describe(event, told(&found), json!({}));
    let args = args![id, by.now, change.id(event)];
    change.tx.run("UPDATE outlet SET removed_at = $2, event_id = $3 WHERE id = $1", args).await?;
    change.wrote(event, &change::OUTLET, id);
    change.tx.run("DELETE FROM outlet_secret WHERE outlet_id = $1", args![id]).await?;
    change.commit().await?;
    Ok(found)
}

/// As the record tells it: without what opens a chat.
fn told(of: &Outlet) -> Value {
    json!({
        "channel": of.id,
        "kind": of.kind,
        "name": of.name,
        "host": of.host(),
        "kinds": of.kinds.iter().map(|k| k.key()).collect::<Vec<_>>(),
    })
}
