//! Attesting several reviews by one press. Each is decided and recorded apart.

use domain::id::RequestId;
use domain::request::Verdict;

use super::rows;
use crate::change::By;
use crate::db::Db;
use crate::error::Error;
use crate::requests::{Answer, decide};

/// Most reviews of one press.
const MOST: usize = 100;

/// What came of one press.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attested {
    /// Attested.
    pub done: Vec<RequestId>,
    /// Not, and why.
    pub left: Vec<(RequestId, String)>,
}

/// Attests those of these reviews that are alike: nothing was wrong when they began, nothing
/// is now. Of each the hash of what was shown goes with it. What is not alike is looked at on
/// its own page, and said so.
pub async fn attest_many(
    db: &Db,
    by: By<'_>,
    reviews: &[(RequestId, String)],
    reason: &str,
) -> Result<Attested, Error> {
    if reviews.is_empty() {
        return Err(Error::field("/review", "Tick the reviews that you attest."));
    }
    if reviews.len() > MOST {
        return Err(Error::field("/review", format!("At most {MOST} reviews are attested at once.")));
    }
    let mut out = Attested::default();
    for (id, sha256) in reviews {
        if out.done.contains(id) {
            continue;
        }
        let line = match rows::read(db, by, *id).await {
            Ok(line) => line,
            Err(Error::NotFound(_) | Error::Denied(_)) => {
                out.left.push((*id, "it is not yours to decide".to_owned()));
                continue;
            }
            Err(e) => return Err(e),
        };
        if !line.plain {
            out.left.push((*id, "something is wrong with the agent: look at it on its own page".to_owned()));
            continue;
        }
        let answer = Answer {
            verdict: Verdict::Attest,
            reason: reason.to_owned(),
            conditions: Vec::new(),
            subject_sha256: sha256.clone(),
        };
        match decide(db, by, *id, &[line.place], &answer).await {
            Ok(_) => out.done.push(*id),
            Err(e @ (Error::Store(_) | Error::Invalid(_))) => return Err(e),
            Err(e) => out.left.push((*id, e.to_string())),
        }
    }
    Ok(out)
}
