//! Ending an exception before its time: closed, because it is not needed any more, or revoked,
//! because it is not allowed any more.

use domain::can::{Action, Relation, can};
use domain::exception::{Ending, may_end};
use domain::id::ExceptionId;
use serde_json::json;

use super::{Kept, held, stands, stored};
use crate::agents::assess::reassess;
use crate::args;
use crate::change::{self, By, Change};
use crate::db::Db;
use crate::error::Error;
use crate::requests::words;

/// Closes it: the control owner, a business owner, whoever asked, or security.
pub async fn close(db: &Db, by: By<'_>, id: ExceptionId, why: &str) -> Result<Kept, Error> {
    end(db, by, id, Ending::Closed, why).await
}

/// Revokes it: the control owner or security.
pub async fn revoke(db: &Db, by: By<'_>, id: ExceptionId, why: &str) -> Result<Kept, Error> {
    end(db, by, id, Ending::Revoked, why).await
}

async fn end(db: &Db, by: By<'_>, id: ExceptionId, how: Ending, why: &str) -> Result<Kept, Error> {
    let mut change = Change::begin(db, by).await?;
    let kept = held(&mut change, id).await?;
    let found = stands(&mut change.tx, by, &kept).await?;
    let (action, relation, told, needs) = match how {
        Ending::Closed => {
            (Action::ExceptionClose, found.close, "exception.closed", "Say why it is not needed any more.")
        }
        Ending::Revoked => {
            (Action::ExceptionRevoke, found.revoke, "exception.revoked", "Say why it is not allowed any more.")
        }
    };
    can(by.actor, action, relation)?;
    let why = words(why, "/reason", Some(needs))?;
    let e = &kept.exception;
    may_end(e, by.now).map_err(|r| Error::Conflict(r.to_string()))?;
    let capacity = match relation {
        Relation::Owner if found.revoke == Relation::Owner => e.duty.owner_title().to_lowercase(),
        Relation::Owner => "business owner".to_owned(),
        Relation::Requester => "requester".to_owned(),
        _ => crate::agents::relation::capacity(by.actor, relation),
    };
    let before = e.state(by.now);
    let event = change.event(capacity, told, id);
    let args = args![id, change.id(event), kept.version, by.now, how.key(), by.actor.who.to_string(), &why];
    let sql = "UPDATE exception SET event_id = $2, version = version + 1, updated_at = $4, ended_at = $4, ended = $5, \
               ended_by = $6, ending = $7 WHERE id = $1 AND version = $3 AND ended_at IS NULL";
    if change.tx.run(sql, args).await? != 1 {
        return Err(Error::Conflict("Somebody else changed it at the same moment; look at it again.".into()));
    }
    change.wrote(event, &change::EXCEPTION, id.0);
    super::figures::ended(&mut change, e).await?;
    change.describe(event, json!({"state": before}), json!({"state": how, "agents": e.agents}));
    change.because(event, why);
    reassess(&mut change, &e.agents, false).await?;
    let out = stored::load(&mut change.tx, id).await?;
    change.commit().await?;
    Ok(out)
}
