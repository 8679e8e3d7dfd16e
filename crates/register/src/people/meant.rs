//! Whom a text means. Only what names one party and no other decides: a reference (`PE-7`,
//! also at the end of `Ada Okafor (PE-7)`), an e-mail address, a whole name. Whatever fits
//! several, or is only part of a name, is answered with those who fit: nobody is appointed
//! by a guess.

use domain::id::{PersonId, TeamId};
use domain::party::{Party, PersonStatus, TeamKind};
use domain::text;

use super::list::{plain, searched};
use super::stored::{Named, by_email, named};
use crate::args;
use crate::db::{Arg, DbError, Reads};

/// Most people, and most teams, that are offered as choices.
const FITS: i64 = 8;

/// Among whom to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Among {
    /// A person is asked for.
    People,
    /// A team is asked for.
    Teams,
    /// Either.
    Parties,
}

/// Somebody who fits what was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fit {
    /// Who.
    pub party: Party,
    /// By what name.
    pub name: String,
    /// What tells them from their namesakes: an address, the kind of team.
    pub note: String,
}

/// Nobody was named: a sentence for whoever typed it, and those who fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unclear {
    /// What to do.
    pub sentence: String,
    /// The choices; empty when nobody fits.
    pub fits: Vec<Fit>,
}

impl Unclear {
    /// The sentence with the choices in it, where they cannot be shown beside it.
    pub fn told(self, typed: &str) -> String {
        if self.fits.is_empty() {
            return self.sentence;
        }
        let some: Vec<String> = self.fits.iter().map(|f| format!("{} ({})", f.name, f.party)).collect();
        format!(
            "“{}” is not a whole name of one alone. Did you mean {}? Enter a reference.",
            typed.trim(),
            some.join(", ")
        )
    }
}

/// Who is meant, and their name.
pub type Meant = Result<(Party, String), Unclear>;

/// Finds the one party that a text means.
pub async fn meant(reads: &mut impl Reads, typed: &str, among: Among) -> Result<Meant, DbError> {
    let typed: String = typed.chars().filter(|c| !c.is_control()).take(300).collect();
    let typed = typed.trim();
    let nobody = |sentence: String| Ok(Err(Unclear { sentence, fits: Vec::new() }));
    let reference = typed.strip_suffix(')').and_then(|t| t.rsplit_once('(')).map_or(typed, |(_, id)| id);
    match reference.to_uppercase().parse::<Party>() {
        Ok(Party::Person(id)) if among != Among::Teams => {
            return match named(reads, &[id]).await?.pop() {
                Some(found) => Ok(Ok((Party::Person(id), found.name))),
                None => nobody(format!("There is no {id}.")),
            };
        }
        Ok(Party::Team(id)) if among != Among::People => {
            return match reads.rows("SELECT name FROM team WHERE id = $1", args![id]).await?.first() {
                Some(r) => Ok(Ok((Party::Team(id), r.get(0)?))),
                None => nobody(format!("There is no {id}.")),
            };
        }
        _ => {}
    }
    let folded = text::fold(typed);
    if folded.is_empty() {
        return nobody(asked(among).to_owned());
    }
    let address = typed.contains('@') && among != Among::Teams;
    if address && let Some(found) = by_email(reads, typed).await? {
        return Ok(Ok((Party::Person(found.id), found.name)));
    }
    let mut whole = Vec::new();
    if among != Among::Teams {
        whole.extend(people(reads, "name_folded = $1", args![&folded]).await?);
    }
    if among != Among::People {
        whole.extend(teams(reads, "name_folded = $1", args![&folded]).await?);
    }
    if whole.len() == 1 {
        let only = whole.remove(0);
        return Ok(Ok((only.party, only.name)));
    }
    let fits = if whole.is_empty() { fits(reads, typed, among).await? } else { whole };
    let sentence = if fits.is_empty() {
        match among {
            _ if address => format!("Nobody has the e-mail address “{typed}”."),
            Among::People => {
                format!(
                    "Nobody is called “{typed}”. Enter a whole name, an e-mail address or a reference such as PE-7."
                )
            }
            Among::Teams => format!("No team is called “{typed}”. Enter a whole name or a reference such as TE-2."),
            Among::Parties => format!("Nobody and no team is called “{typed}”."),
        }
    } else {
        "Say whom you mean: choose one below, or enter a reference.".to_owned()
    };
    Ok(Err(Unclear { sentence, fits }))
}

/// What is asked of whoever typed nothing.
const fn asked(among: Among) -> &'static str {
    match among {
        Among::People => "Enter a name, an e-mail address or a reference such as PE-7.",
        Among::Teams => "Enter a team’s name or a reference such as TE-2.",
        Among::Parties => "Enter a person or a team.",
    }
}

/// Those who are here, and teams, of whose name each word typed begins a word.
async fn fits(reads: &mut impl Reads, typed: &str, among: Among) -> Result<Vec<Fit>, DbError> {
    let Some(words) = searched(typed) else { return Ok(Vec::new()) };
    let mut conditions = Vec::new();
    let mut list: Vec<Arg> = Vec::new();
    for word in words.split(' ') {
        list.push(format!("% {}%", plain(word)).into());
        conditions.push(format!("' ' || name_folded LIKE ${} ESCAPE '\\'", list.len()));
    }
    let condition = conditions.join(" AND ");
    let mut out = Vec::new();
    if among != Among::Teams {
        out.extend(people(reads, &format!("status = 'active' AND {condition}"), list.clone()).await?);
    }
    if among != Among::People {
        out.extend(teams(reads, &condition, list).await?);
    }
    Ok(out)
}

async fn people(reads: &mut impl Reads, condition: &str, list: Vec<Arg>) -> Result<Vec<Fit>, DbError> {
    let sql = format!(
        "SELECT id, name, email, status FROM person WHERE {condition} ORDER BY status, name_folded, id LIMIT {FITS}"
    );
    let mut out = Vec::new();
    for r in reads.rows(sql, list).await? {
        let mut note: String = r.get(2)?;
        if r.get::<PersonStatus>(3)? == PersonStatus::Left {
            note.push_str(", left");
        }
        out.push(Fit { party: Party::Person(r.get(0)?), name: r.get(1)?, note });
    }
    Ok(out)
}

async fn teams(reads: &mut impl Reads, condition: &str, list: Vec<Arg>) -> Result<Vec<Fit>, DbError> {
    let sql = format!("SELECT id, name, kind FROM team WHERE {condition} ORDER BY name_folded, id LIMIT {FITS}");
    let mut out = Vec::new();
    for r in reads.rows(sql, list).await? {
        let kind: TeamKind = r.get(2)?;
        let id: TeamId = r.get(0)?;
        out.push(Fit { party: Party::Team(id), name: r.get(1)?, note: format!("{} team", kind.label()) });
    }
    Ok(out)
}

/// Finds the one person that a text means.
pub async fn resolve(reads: &mut impl Reads, typed: &str) -> Result<Result<Named, Unclear>, DbError> {
    let id: PersonId = match meant(reads, typed, Among::People).await? {
        Ok((Party::Person(id), _)) => id,
        Ok(_) => return Ok(Err(Unclear { sentence: asked(Among::People).to_owned(), fits: Vec::new() })),
        Err(unclear) => return Ok(Err(unclear)),
    };
    Ok(named(reads, &[id])
        .await?
        .pop()
        .ok_or_else(|| Unclear { sentence: format!("There is no {id}."), fits: Vec::new() }))
}
