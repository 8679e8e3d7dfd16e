//! Passwords: argon2id with OWASP's parameters, checked two at a time, so that sign-ins
//! cannot take the memory that everything else lives in.

mod common;
mod set_up;

use argon2::password_hash::{PasswordHash, SaltString};
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use domain::can::{Action, Actor, Relation, can};
use domain::id::PersonId;
use domain::party::Roles;
use domain::proposal::{self, Matter, Way};
use domain::text;
use domain::tiding;
use serde_json::json;
use tokio::sync::Semaphore;

use crate::args;
use crate::change::{By, Change};
use crate::db::{Db, DbError};
use crate::error::Error;
use crate::tidings::To;
use crate::{people, proposals, sessions};

pub use set_up::{SetUp, set_up};

/// Fewest characters of a password.
pub const SHORTEST: usize = 12;
/// Most characters of a password.
pub const LONGEST: usize = 200;

/// OWASP's current parameters for argon2id: KiB, passes, lanes.
const COST: (u32, u32, u32) = (19_456, 2, 1);

/// 19 MiB each: two at once keep a flood of sign-ins within the memory budget.
static AT_ONCE: Semaphore = Semaphore::const_new(2);

fn argon() -> Argon2<'static> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None).expect("the parameters are within argon2's bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Whether the password may be chosen by this person; the sentence says what to do.
pub fn check(password: &str, email: &str, name: &str) -> Result<(), String> {
    let length = password.chars().count();
    if length < SHORTEST {
        return Err(format!("Use at least {SHORTEST} characters; a sentence is easy to remember."));
    }
    if length > LONGEST {
        return Err(format!("Use at most {LONGEST} characters."));
    }
    if password.contains('\0') {
        return Err("Remove the control character U+0000.".into());
    }
    let folded = text::fold(password);
    let local = email.split('@').next().unwrap_or_default();
    if [email, local, name].iter().any(|own| !own.is_empty() && text::fold(own) == folded) {
        return Err("Choose something other than your name or e-mail address.".into());
    }
    if common::is_common(&folded) {
        return Err("This password is among the first that anybody would try. Choose another.".into());
    }
    Ok(())
}

/// The stored form of a password, with a new salt.
pub async fn hash(password: &str) -> Result<String, Error> {
    let password = password.to_owned();
    on_a_thread(move || {
        let salt = SaltString::encode_b64(&crate::random::bytes::<16>()).map_err(failed)?;
        Ok(argon().hash_password(password.as_bytes(), &salt).map_err(failed)?.to_string())
    })
    .await
}

/// What became of a password that was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    /// It is not the one, or there is none.
    Wrong,
    /// It is the one.
    Right,
    /// It is the one, but stored with other parameters than today's.
    RightButOld,
}

/// Tries a password. Without a stored form it does the same work and answers
/// [`Tried::Wrong`], so that time does not tell whether an account exists.
pub async fn verify(password: &str, stored: Option<&str>) -> Result<Tried, Error> {
    let password = password.to_owned();
    let stored = stored.map(str::to_owned);
    on_a_thread(move || {
        let Some(stored) = stored else {
            let salt = SaltString::encode_b64(&[0; 16]).map_err(failed)?;
            argon().hash_password(password.as_bytes(), &salt).map_err(failed)?;
            return Ok(Tried::Wrong);
        };
        let hash = PasswordHash::new(&stored).map_err(failed)?;
        if argon().verify_password(password.as_bytes(), &hash).is_err() {
            return Ok(Tried::Wrong);
        }
        let (memory, passes, lanes) = COST;
        let current = hash.algorithm == argon2::ARGON2ID_IDENT
            && Params::try_from(&hash).is_ok_and(|p| (p.m_cost(), p.t_cost(), p.p_cost()) == (memory, passes, lanes));
        Ok(if current { Tried::Right } else { Tried::RightButOld })
    })
    .await
}

fn failed(e: argon2::password_hash::Error) -> Error {
    Error::Store(DbError::Url(format!("argon2 failed: {e}")))
}

async fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    let _turn = AT_ONCE.acquire().await.expect("the semaphore is never closed");
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|e| Err(Error::Store(DbError::Url(format!("a thread ended early: {e}")))))
}

/// Whom an e-mail address signs in as.
#[derive(Debug, Clone)]
pub struct Login {
    /// Who.
    pub person: PersonId,
    /// Their name.
    pub name: String,
    /// Their roles.
    pub roles: Roles,
    /// The stored password.
    pub hash: String,
}

/// The person who signs in with an e-mail address, if they are there and have a password.
pub async fn login(db: &Db, email: &str) -> Result<Option<Login>, DbError> {
    let row = db
        .one(
            "SELECT p.id, p.name, p.roles, l.password_hash FROM person p JOIN login l ON l.person_id = p.id \
             WHERE p.email = $1 AND p.status = 'active'",
            args![email],
        )
        .await?;
    row.map(|r| Ok(Login { person: r.get(0)?, name: r.get(1)?, roles: r.get(2)?, hash: r.get(3)? })).transpose()
}

/// Whether anybody can sign in with a password: while nobody can, set-up is open.
pub async fn anybody(db: &Db) -> Result<bool, DbError> {
    Ok(db.one("SELECT 1 FROM login LIMIT 1", args![]).await?.is_some())
}

/// Signs in. `None`: the address is unknown or the password wrong, which take equally long.
/// A password stored with other parameters is stored anew.
pub async fn sign_in(db: &Db, email: &str, password: &str) -> Result<Option<Login>, Error> {
    let login = match text::email(email) {
        Ok(email) => login(db, &email).await?,
        Err(_) => None,
    };
    // A password longer than any we keep is not worth the work of looking at it.
    let password = if password.chars().nth(LONGEST).is_some() { "" } else { password };
    let tried = verify(password, login.as_ref().map(|l| l.hash.as_str())).await?;
    let Some(login) = login.filter(|_| tried != Tried::Wrong) else { return Ok(None) };
    if tried == Tried::RightButOld {
        let anew = hash(password).await?;
        db.run(
            "UPDATE login SET password_hash = $1 WHERE person_id = $2 AND password_hash = $3",
            args![anew, login.person, &login.hash],
        )
        .await?;
    }
    Ok(Some(login))
}

/// Changes one's own password: the present one is asked for, and every session of the
/// person ends, the one in use among them.
pub async fn change(db: &Db, by: By<'_>, present: &str, new: &str, again: &str) -> Result<(), Error> {
    let Some(person) = by.actor.person_id() else {
        return Err(Error::Conflict("Only a person has a password.".into()));
    };
    let row = db
        .one(
            "SELECT p.email, p.name, l.password_hash FROM person p JOIN login l ON l.person_id = p.id WHERE p.id = $1",
            args![person],
        )
        .await?
        .ok_or_else(|| Error::Conflict("You have no password here: you sign in elsewhere.".into()))?;
    let (email, name, stored): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let mut checked = crate::Checked::default();
    if verify(present, Some(&stored)).await? == Tried::Wrong {
        checked.refuse("/present", "This is not your present password.");
    }
    if let Err(sentence) = check(new, &email, &name) {
        checked.refuse("/new", sentence);
    } else if new == present {
        checked.refuse("/new", "Choose another password than the present one.");
    } else if new != again {
        checked.refuse("/again", "The two are not the same.");
    }
    checked.done()?;
    write(db, by, person, new, "self").await
}

/// Sets somebody's password, as an administrator does. Of somebody who owns anything or
/// governs it may need a second person: then it is proposed, nothing is set, and the answer
/// is a sentence that says what happens next.
pub async fn set(db: &Db, by: By<'_>, person: PersonId, new: &str) -> Result<Option<String>, Error> {
    can(by.actor, Action::PersonCredential, Relation::None)?;
    let row = db.one("SELECT email, name, status, roles FROM person WHERE id = $1", args![person]).await?;
    let row = row.ok_or_else(|| Error::NotFound(format!("person {person}")))?;
    if row.get::<String>(2)? != "active" {
        return Err(Error::Conflict("They have left; somebody who left cannot sign in.".into()));
    }
    if let Err(sentence) = check(new, &row.get::<String>(0)?, &row.get::<String>(1)?) {
        return Err(Error::field("/password", sentence));
    }
    let mut c = Change::begin(db, by).await?;
    people::one_at_a_time(&mut c).await?;
    if proposals::weighty(&mut c.tx, person, row.get(3)?).await? {
        let governing = proposals::governing(&mut c.tx, by.now).await?;
        if let Way::Ask(me) = proposal::way(by.actor, Matter::Password, Some(person), governing)? {
            let next = proposals::ask(&mut c, "administrator", &proposals::What::Password(person), me, "").await?;
            c.commit().await?;
            return Ok(Some(next));
        }
    }
    // Nothing was written; hashing takes long and holds no lock.
    drop(c);
    write(db, by, person, new, "administrator").await?;
    Ok(None)
}

async fn write(db: &Db, by: By<'_>, person: PersonId, new: &str, capacity: &'static str) -> Result<(), Error> {
    let hash = hash(new).await?;
    let mut c = Change::begin(db, by).await?;
    let ended = store_in(&mut c, person, &hash).await?;
    let e = c.event(capacity, "password.changed", person);
    c.describe(e, serde_json::Value::Null, json!({"sessions_ended": ended}));
    let who = crate::tidings::actor(&mut c).await?;
    c.tell(To::Person(person), tiding::password_set(person, &who, by.now));
    c.commit().await?;
    Ok(())
}

/// Stores a hashed password inside a change under way, and ends the person's sessions.
pub async fn store_in(c: &mut Change<'_>, person: PersonId, hash: &str) -> Result<u64, DbError> {
    let now = c.by.now;
    c.tx.insert(
        "login",
        &["person_id", "password_hash", "changed_at"],
        vec![args![person, hash, now]],
        "ON CONFLICT (person_id) DO UPDATE SET password_hash = excluded.password_hash, changed_at = excluded.changed_at",
    )
    .await?;
    sessions::end_all(&mut c.tx, person).await
}

/// Records a person who can sign in at once, in one change.
pub async fn create_with_login(
    db: &Db,
    by: By<'_>,
    given: &people::Fields,
    roles: Roles,
    password: &str,
) -> Result<PersonId, Error> {
    for action in [Action::PersonWrite, Action::PersonGrant, Action::PersonCredential] {
        can(by.actor, action, Relation::None)?;
    }
    if let Err(sentence) = check(password, &given.email, &given.name) {
        return Err(Error::field("/password", sentence));
    }
    let hash = hash(password).await?;
    let mut c = Change::begin(db, by).await?;
    let person = people::insert(&mut c, "administrator", given, roles).await?;
    store_in(&mut c, person, &hash).await?;
    let e = c.event("administrator", "password.changed", person);
    c.describe(e, serde_json::Value::Null, json!({"sessions_ended": 0}));
    c.commit().await.map_err(|e| Error::unique(e, "Somebody else was recorded with this address just now."))?;
    Ok(person)
}

/// The actor that a sign-in makes.
pub const fn actor(login: &Login) -> Actor {
    Actor::person(login.person, login.roles)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_long_and_not_what_anybody_would_try() {
        assert_eq!(check("correct horse battery", "ana@example.org", "Ana"), Ok(()));
        for bad in ["short", "Password1234", "123456789012", "Ana@Example.org", "aaaaaaaaaaaaaaa", &"x".repeat(201)] {
            assert!(check(bad, "ana@example.org", "Ana").is_err(), "{bad}");
        }
        assert!(check("Ana Maria Okafor", "ana@example.org", "ana maria  okafor").is_err());
    }

    #[tokio::test]
    async fn a_hash_is_argon2id_with_the_current_parameters() {
        let stored = hash("correct horse battery").await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert_eq!(verify("correct horse battery", Some(&stored)).await.unwrap(), Tried::Right);
        assert_eq!(verify("correct horse batterY", Some(&stored)).await.unwrap(), Tried::Wrong);
        assert_eq!(verify("correct horse battery", None).await.unwrap(), Tried::Wrong);
    }

    #[tokio::test]
    async fn other_parameters_are_seen() {
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8, 1, 1, None).unwrap());
        let salt = SaltString::encode_b64(&[1; 16]).unwrap();
        let stored = weak.hash_password(b"correct horse battery", &salt).unwrap().to_string();
        assert_eq!(verify("correct horse battery", Some(&stored)).await.unwrap(), Tried::RightButOld);
        assert_eq!(verify("wrong horse battery", Some(&stored)).await.unwrap(), Tried::Wrong);
    }
}
