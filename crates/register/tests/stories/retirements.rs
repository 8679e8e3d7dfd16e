//! Retirement: the checklist, its evidence and waivers, the signatures, the tombstone.

use domain::agent::{
    Access, AgentFacts, Autonomy, CredentialKind, CredentialUse, DataClass, Environment, Lifecycle, Running,
    Sensitivity, ToolGrant, ToolKind,
};
use domain::can::Actor;
use domain::duty::Duty;
use domain::id::{AgentId, PersonId, RequestId};
use domain::party::{Party, Role};
use domain::request::{RequestState, Verdict};
use domain::retirement::RowKind;
use domain::tier::Tier;
use register::assignments::{self, Mode};
use register::requests::{self, Answer};
use register::retirements::{self, Shown, board, life};
use register::stops::evidence::{self, File};
use register::{Db, Error, agents, args, audit};

use crate::support::{actor, by, day, story};

fn lead() -> Actor {
    actor(1, &[Role::SecurityLead])
}

/// Owns the purpose.
fn bea() -> Actor {
    actor(4, &[Role::Member])
}

/// Owns identity and whatever runs it.
fn ravi() -> Actor {
    actor(5, &[Role::Member])
}

/// Registered it, and asks.
fn mo() -> Actor {
    actor(6, &[Role::Member])
}

/// Another security lead.
fn second() -> Actor {
    actor(7, &[Role::SecurityLead])
}

fn base(name: &str) -> AgentFacts {
    let mut f = AgentFacts::named(name);
    f.purpose = "Answers mail".into();
    f.running = Running::Yes;
    f.environment = Environment::Production;
    f.data = DataClass::Internal;
    f.exposure = domain::agent::Exposure::Internal;
    f.autonomy = Autonomy::Suggests;
    f.workload_identity = "spiffe://x/mail".into();
    f.credentials = ["mail-key", "crm-key"]
        .map(|name| CredentialUse {
            name: name.into(),
            kind: CredentialKind::ShortLived,
            ttl_seconds: Some(900),
            kept_in: String::new(),
            last_rotated: String::new(),
        })
        .into();
    f.tools = vec![ToolGrant {
        name: "Mailer".into(),
        kind: ToolKind::Saas,
        sensitivity: Sensitivity::Low,
        access: Access::Read,
        scope: String::new(),
    }];
    f
}

async fn owned(db: &Db, id: AgentId, duties: &[(Duty, i64)]) {
    for (duty, person) in duties {
        let party = Party::Person(PersonId(*person));
        assignments::assign(db, by(&lead(), 1), id, *duty, party, Mode::Record, "known").await.unwrap();
    }
}

const OWNERS: &[(Duty, i64)] =
    &[(Duty::Purpose, 4), (Duty::Identity, 5), (Duty::Containment, 5), (Duty::Retirement, 5), (Duty::Policy, 7)];

async fn made(db: &Db, facts: AgentFacts, state: Lifecycle) -> AgentId {
    register::seed::demo(db, by(&Actor::cli(), 0)).await.unwrap();
    let id = agents::create(db, by(&mo(), 1), facts, state).await.unwrap().id;
    owned(db, id, OWNERS).await;
    id
}

fn file(text: &str) -> Shown {
    Shown::File(File { name: "proof.log".into(), bytes: text.as_bytes().to_vec() })
}

fn link() -> Shown {
    Shown::Link("https://tickets.example.org/7".into())
}

async fn rows(db: &Db, id: RequestId) -> Vec<retirements::ShownRow> {
    retirements::read(db, by(&lead(), 50), id).await.unwrap().rows
}

async fn place(db: &Db, id: RequestId, kind: RowKind) -> i64 {
    rows(db, id).await.iter().find(|r| r.kept.kind == kind).unwrap().kept.place
}

/// Closes every row but the watch, on a day.
async fn all_but_watch(db: &Db, id: RequestId, days: i64) {
    for row in rows(db, id).await {
        if row.kept.open() && row.kept.kind != RowKind::Watch {
            let shown = file(&format!("{} {}", row.kept.kind, row.kept.subject));
            retirements::close(db, by(&lead(), days), id, row.kept.place, shown, "").await.unwrap();
        }
    }
}

async fn sign(
    db: &Db,
    who: &Actor,
    days: i64,
    id: RequestId,
    place: i64,
    verdict: Verdict,
) -> Result<RequestState, Error> {
    let kept = requests::stored::load(&mut &*db, id).await.unwrap();
    let answer =
        Answer { verdict, reason: "Looked at it.".into(), conditions: Vec::new(), subject_sha256: kept.subject_sha256 };
    requests::decide(db, by(who, days), id, &[place], &answer).await
}

async fn state(db: &Db, id: AgentId) -> Lifecycle {
    agents::read(db, by(&lead(), 60), id).await.unwrap().judged.agent.state
}

async fn whole(db: &Db) {
    audit::verify(db, by(&lead(), 90), None, |_| ()).await.unwrap();
}

fn conflict<T: std::fmt::Debug>(found: Result<T, Error>, said: &str) {
    match found {
        Err(Error::Conflict(told)) => assert!(told.contains(said), "{told}"),
        other => panic!("{other:?}"),
    }
}

fn refused<T: std::fmt::Debug>(found: Result<T, Error>, said: &str) {
    match found {
        Err(e) => assert!(e.to_string().contains(said), "{e}"),
        other => panic!("{other:?}"),
    }
}

/// From the start to the tombstone, with everything that stands in between.
async fn an_agent_is_retired_row_by_row(db: Db) {
    let id = made(&db, base("Mail helper"), Lifecycle::Draft).await;
    let tier = agents::read(&db, by(&lead(), 1), id).await.unwrap().judged.agent.tier;
    assert!(tier < Tier::High, "{tier}");
    // What else was asked about it is void.
    let approval = requests::submit(&db, by(&mo(), 2), id, &requests::Submission::default()).await.unwrap();
    let foreseen = retirements::foresee(&db, by(&mo(), 2), id).await.unwrap();
    assert_eq!((foreseen.rows.len(), foreseen.voids.len()), (10, 1));
    refused(retirements::start(&db, by(&mo(), 3), id, " ").await, "Say why");
    let rq = retirements::start(&db, by(&mo(), 3), id, "The mailbox is closed.").await.unwrap();
    assert_eq!(state(&db, id).await, Lifecycle::Retiring);
    let gone = requests::stored::load(&mut &db, approval).await.unwrap();
    assert_eq!(gone.state(day(3)), RequestState::Voided);
    conflict(retirements::start(&db, by(&mo(), 3), id, "Again").await, "already");
    conflict(requests::submit(&db, by(&mo(), 3), id, &requests::Submission::default()).await, "way out");
    conflict(requests::activate(&db, by(&lead(), 3), id, "").await, "retiring");

    // One row a credential and a tool; nothing is signed while one is open.
    let list = rows(&db, rq).await;
    assert_eq!(list.iter().filter(|r| r.kept.kind == RowKind::RevokeCredential).count(), 2);
    conflict(sign(&db, &bea(), 4, rq, 1, Verdict::Approve).await, "Open: Announce it");

    // The duty's owner does a row; a stranger does not; of a vacant duty the retirement owner.
    let key = place(&db, rq, RowKind::RevokeCredential).await;
    refused(retirements::close(&db, by(&bea(), 4), rq, key, link(), "").await, "the owner of the row's duty");
    refused(retirements::close(&db, by(&ravi(), 4), rq, key, Shown::Link("ticket 7".into()), "").await, "whole link");
    retirements::close(&db, by(&ravi(), 4), rq, key, link(), "Revoked at the issuer.").await.unwrap();
    conflict(retirements::close(&db, by(&ravi(), 4), rq, key, link(), "").await, "closed already");
    let tool = place(&db, rq, RowKind::RemoveTool).await;
    assert!(
        db.one("SELECT id FROM assignment WHERE agent_id = $1 AND duty = 'requests'", args![id])
            .await
            .unwrap()
            .is_none()
    );
    retirements::close(&db, by(&ravi(), 4), rq, tool, link(), "").await.unwrap();
    let watch = place(&db, rq, RowKind::Watch).await;
    conflict(retirements::close(&db, by(&ravi(), 30), rq, watch, link(), "").await, "stopped");
    let stop = place(&db, rq, RowKind::StopExecution).await;
    retirements::close(&db, by(&ravi(), 5), rq, stop, file("scaled to zero"), "").await.unwrap();
    let running = agents::read(&db, by(&lead(), 5), id).await.unwrap().judged.agent.facts.running;
    assert_eq!(running, Running::No, "it was shown that it is stopped");
    let read = evidence::read(
        &db,
        by(&ravi(), 6),
        id,
        rows(&db, rq).await[usize::try_from(stop - 1).unwrap()].kept.evidence_sha256.as_deref().unwrap(),
    )
    .await
    .unwrap();
    assert_eq!(read.bytes, b"scaled to zero");

    // Security waives with a reason, never as the one who asked, and not what is closed.
    let logs = place(&db, rq, RowKind::ArchiveLogs).await;
    refused(retirements::waive(&db, by(&bea(), 6), rq, logs, "Why not").await, "security leads");
    refused(retirements::waive(&db, by(&lead(), 6), rq, logs, "").await, "tombstone");
    retirements::waive(&db, by(&lead(), 6), rq, logs, "The vendor is gone, and its logs with it.").await.unwrap();
    conflict(retirements::waive(&db, by(&lead(), 6), rq, logs, "Again").await, "closed already");
    all_but_watch(&db, rq, 7).await;
    conflict(sign(&db, &bea(), 7, rq, 1, Verdict::Approve).await, "Open: Watch");
    conflict(retirements::close(&db, by(&lead(), 8), rq, watch, link(), "").await, "watched until");
    let line = board::list(&db, by(&lead(), 8), &board::Filter::default(), None, None).await.unwrap();
    let line = line.items.iter().find(|l| l.id == rq).unwrap();
    assert!(matches!(line.next, board::Next::Watch(_)) && line.closed == (9, 10) && line.waived == 1, "{line:?}");
    retirements::close(&db, by(&lead(), 25), rq, watch, link(), "Quiet.").await.unwrap();

    // Both sign; the asker's friends do not.
    refused(sign(&db, &mo(), 26, rq, 1, Verdict::Approve).await, "yourself");
    assert_eq!(sign(&db, &bea(), 26, rq, 1, Verdict::Approve).await.unwrap(), RequestState::Open);
    refused(sign(&db, &bea(), 26, rq, 2, Verdict::Approve).await, "decides this step");
    assert_eq!(sign(&db, &ravi(), 26, rq, 2, Verdict::Approve).await.unwrap(), RequestState::Approved);
    assert_eq!(state(&db, id).await, Lifecycle::Retired);

    // The tombstone: owners, evidence, waiver, signatures; nobody owns it any more.
    let open = "SELECT COUNT(*) FROM assignment WHERE agent_id = $1 AND valid_to IS NULL";
    assert_eq!(db.one(open, args![id]).await.unwrap().unwrap().get::<i64>(0).unwrap(), 0);
    let stone = retirements::read(&db, by(&bea(), 400), rq).await.unwrap();
    assert_eq!(stone.owners.len(), OWNERS.len());
    assert!(stone.owners.iter().any(|o| o.duty == Duty::Purpose && o.party == Party::Person(PersonId(4))));
    assert!(stone.rows.iter().any(|r| r.kept.waived.as_ref().is_some_and(|(.., why)| why.contains("vendor is gone"))));
    assert!(stone.rows.iter().all(|r| !r.may_close && !r.may_waive));
    let anybody = actor(9, &[Role::Member]);
    let (seen, ended, owners) = retirements::of_agent(&db, by(&anybody, 400), id).await.unwrap().unwrap();
    assert_eq!((seen, ended, owners.len()), (rq, RequestState::Approved, OWNERS.len()));
    conflict(retirements::start(&db, by(&lead(), 400), id, "Again").await, "retired already");
    refused(requests::activate(&db, by(&lead(), 400), id, "").await, "only what is approved");
    // Nor by force.
    for sql in [
        "UPDATE agent SET state = 'active' WHERE id = $1",
        "UPDATE retirement_row SET note = 'x' WHERE agent_id = $1",
        "DELETE FROM retirement_row WHERE agent_id = $1",
    ] {
        assert!(db.run(sql, args![id]).await.is_err(), "{sql}");
    }
    whole(&db).await;
}

/// A retirement cannot be closed as approved, nor an agent retired, behind the register's back.
async fn the_database_keeps_the_gate(db: Db) {
    let id = made(&db, base("Gated"), Lifecycle::Draft).await;
    let rq = retirements::start(&db, by(&mo(), 3), id, "Not needed.").await.unwrap();
    let approve = "UPDATE request SET outcome = 'approved', closed_at = 1, closed_by = 'x' WHERE id = $1";
    assert!(db.run(approve, args![rq]).await.is_err(), "a row is open");
    assert!(db.run("UPDATE agent SET state = 'retired' WHERE id = $1", args![id]).await.is_err());
    assert!(db.run("UPDATE agent SET state = 'active' WHERE id = $1", args![id]).await.is_err());
    let waive =
        "UPDATE retirement_row SET waived_at = 1, waived_by = $2, waiver = 'x' WHERE request_id = $1 AND place = 1";
    assert!(db.run(waive, args![rq, 6_i64]).await.is_err(), "whoever asked does not waive");
    all_but_watch(&db, rq, 4).await;
    let watch = place(&db, rq, RowKind::Watch).await;
    retirements::close(&db, by(&lead(), 40), rq, watch, link(), "").await.unwrap();
    assert!(db.run(approve, args![rq]).await.is_err(), "nobody has signed");
    assert_eq!(state(&db, id).await, Lifecycle::Retiring);
    whole(&db).await;
}

/// A bare link is not enough for a high tier; a file is.
async fn high_tiers_need_verified_evidence(db: Db) {
    let mut facts = base("Trader");
    facts.autonomy = Autonomy::ActsAlone;
    facts.data = DataClass::Restricted;
    facts.exposure = domain::agent::Exposure::Public;
    let id = made(&db, facts, Lifecycle::Draft).await;
    let rq = retirements::start(&db, by(&mo(), 3), id, "Too much.").await.unwrap();
    let kept = requests::stored::load(&mut &db, rq).await.unwrap();
    assert!(kept.tier >= Tier::High, "{}", kept.tier);
    let key = place(&db, rq, RowKind::RevokeCredential).await;
    match retirements::close(&db, by(&ravi(), 4), rq, key, link(), "").await {
        Err(Error::Invalid(list)) => assert!(list[0].pointer == "/link" && list[0].message.contains("verified")),
        other => panic!("{other:?}"),
    }
    refused(retirements::close(&db, by(&ravi(), 4), rq, key, Shown::Call("none".into()), "").await, "callback");
    refused(retirements::close(&db, by(&ravi(), 4), rq, key, file(""), "").await, "Choose the file");
    retirements::close(&db, by(&ravi(), 4), rq, key, file("revoked"), "").await.unwrap();
    whole(&db).await;
}

/// A signer who refuses ends the retirement; what was done is carried into the next.
async fn a_refused_signature_keeps_what_was_done(db: Db) {
    let id = made(&db, base("Undecided"), Lifecycle::Draft).await;
    let rq = retirements::start(&db, by(&mo(), 3), id, "Not needed.").await.unwrap();
    let logs = place(&db, rq, RowKind::ArchiveLogs).await;
    retirements::waive(&db, by(&lead(), 4), rq, logs, "There are none.").await.unwrap();
    all_but_watch(&db, rq, 4).await;
    let watch = place(&db, rq, RowKind::Watch).await;
    retirements::close(&db, by(&lead(), 30), rq, watch, link(), "").await.unwrap();
    assert_eq!(sign(&db, &bea(), 31, rq, 1, Verdict::Reject).await.unwrap(), RequestState::Rejected);
    assert_eq!(state(&db, id).await, Lifecycle::Retiring);
    conflict(retirements::close(&db, by(&lead(), 32), rq, 1, link(), "").await, "not open any more");
    let stranded = board::stranded(&db, by(&lead(), 32), 50).await.unwrap();
    assert!(stranded.iter().any(|(a, _)| *a == id));

    let next = retirements::start(&db, by(&mo(), 33), id, "Once more.").await.unwrap();
    let open: Vec<RowKind> = rows(&db, next).await.into_iter().filter(|r| r.kept.open()).map(|r| r.kept.kind).collect();
    assert_eq!(open, [RowKind::ArchiveLogs, RowKind::Watch], "a waiver and the watch are looked at anew");
    let carried = rows(&db, next).await.into_iter().find(|r| r.kept.kind == RowKind::StopExecution).unwrap();
    assert_eq!(carried.kept.carried_from, Some(rq));
    assert!(carried.kept.evidence_sha256.is_some() && carried.kept.done.is_some_and(|(at, _)| at == day(4)));

    // Taken back, it is retiring still, and another can be started.
    requests::withdraw(&db, by(&mo(), 34), next, "").await.unwrap();
    assert_eq!(state(&db, id).await, Lifecycle::Retiring);
    retirements::start(&db, by(&lead(), 35), id, "Third time.").await.unwrap();
    whole(&db).await;
}

/// Nobody is there to sign: security signs in their place, one lead a signature, and never the
/// one who asked.
async fn a_vacant_signature_is_waived_by_security(db: Db) {
    register::seed::demo(&db, by(&Actor::cli(), 0)).await.unwrap();
    let id = agents::create(&db, by(&lead(), 1), base("Orphan"), Lifecycle::Discovered).await.unwrap().id;
    let rq = retirements::start(&db, by(&lead(), 2), id, "Nobody knows it.").await.unwrap();
    refused(retirements::waive(&db, by(&lead(), 3), rq, 1, "Mine").await, "yourself");
    for row in rows(&db, rq).await {
        if row.kept.kind != RowKind::Watch {
            assert!(row.doer.is_none());
            retirements::waive(&db, by(&second(), 3), rq, row.kept.place, "Nobody is left to ask.").await.unwrap();
        }
    }
    conflict(retirements::waive_signature(&db, by(&second(), 4), rq, 1, "Vacant").await, "Open: Watch");
    // Nobody said that it stopped running; security waives the watch too.
    let watch = place(&db, rq, RowKind::Watch).await;
    conflict(retirements::close(&db, by(&second(), 60), rq, watch, file("quiet"), "").await, "said to run");
    retirements::waive(&db, by(&second(), 60), rq, watch, "The network it ran in is gone.").await.unwrap();
    let view = retirements::read(&db, by(&second(), 61), rq).await.unwrap();
    assert_eq!(view.waivable, [1, 2]);
    refused(retirements::waive_signature(&db, by(&lead(), 61), rq, 1, "Vacant").await, "yourself");
    let first = retirements::waive_signature(&db, by(&second(), 61), rq, 1, "Nobody owns it.").await.unwrap();
    assert_eq!(first, RequestState::Open);
    refused(retirements::waive_signature(&db, by(&second(), 61), rq, 2, "Vacant").await, "never has both parts");
    let third = actor(8, &[Role::SecurityLead]);
    let last = retirements::waive_signature(&db, by(&third, 61), rq, 2, "Nobody owns it.").await.unwrap();
    assert_eq!(last, RequestState::Approved);
    assert_eq!(state(&db, id).await, Lifecycle::Retired);
    whole(&db).await;
}

/// An owner who is there signs; nobody signs for them.
async fn a_signature_is_not_waived_while_somebody_can_sign(db: Db) {
    let id = made(&db, base("Signed"), Lifecycle::Draft).await;
    let rq = retirements::start(&db, by(&mo(), 3), id, "Not needed.").await.unwrap();
    all_but_watch(&db, rq, 4).await;
    let watch = place(&db, rq, RowKind::Watch).await;
    retirements::close(&db, by(&lead(), 40), rq, watch, link(), "").await.unwrap();
    conflict(retirements::waive_signature(&db, by(&lead(), 41), rq, 1, "Quicker").await, "is there and signs");
    whole(&db).await;
}

/// Two people close the same row, and two start the same retirement: one of each does.
async fn races_have_one_winner(db: Db) {
    let id = made(&db, base("Raced"), Lifecycle::Draft).await;
    let (lead, mo, ravi) = (lead(), mo(), ravi());
    let (a, b) = tokio::join!(
        retirements::start(&db, by(&mo, 3), id, "One"),
        retirements::start(&db, by(&lead, 3), id, "Other"),
    );
    assert_eq!([a.is_ok(), b.is_ok()].iter().filter(|ok| **ok).count(), 1, "{a:?} {b:?}");
    let rq = a.or(b).unwrap();
    let key = place(&db, rq, RowKind::RevokeCredential).await;
    let second = second();
    let (a, b, c) = tokio::join!(
        retirements::close(&db, by(&ravi, 4), rq, key, file("one"), ""),
        retirements::close(&db, by(&lead, 4), rq, key, link(), ""),
        retirements::waive(&db, by(&second, 4), rq, key, "Quick"),
    );
    let won = [a.is_ok(), b.is_ok(), c.is_ok()].iter().filter(|ok| **ok).count();
    assert_eq!(won, 1, "{a:?} {b:?} {c:?}");
    for e in [a.err(), b.err(), c.err()].into_iter().flatten() {
        assert!(matches!(e, Error::Conflict(_)), "{e:?}");
    }
    whole(&db).await;
}

/// What is taken away needs no row; what is added meanwhile voids the checklist.
async fn the_checklist_covers_what_there_is(db: Db) {
    let id = made(&db, base("Growing"), Lifecycle::Draft).await;
    let rq = retirements::start(&db, by(&mo(), 3), id, "Not needed.").await.unwrap();
    let edit = async |change: &dyn Fn(&mut AgentFacts), days: i64| {
        let view = agents::read(&db, by(&lead(), days), id).await.unwrap();
        let mut facts = view.judged.agent.facts.clone();
        change(&mut facts);
        agents::edit(&db, by(&lead(), days), id, view.judged.agent.version, facts, "").await.unwrap();
        requests::stored::load(&mut &db, rq).await.unwrap().state(day(days))
    };
    assert_eq!(edit(&|f| f.tools.clear(), 4).await, RequestState::Open);
    let more = |f: &mut AgentFacts| {
        let mut key = f.credentials[0].clone();
        key.name = "new-key".into();
        f.credentials.push(key);
    };
    assert_eq!(edit(&more, 5).await, RequestState::Voided);
    assert_eq!(state(&db, id).await, Lifecycle::Retiring);
    let next = retirements::start(&db, by(&mo(), 6), id, "With the new key.").await.unwrap();
    assert!(rows(&db, next).await.iter().any(|r| r.kept.subject == "new-key"));
    whole(&db).await;
}

/// A sign of life restarts the watch, and one of a retired agent stays on its tombstone.
async fn a_sign_of_life_is_kept(db: Db) {
    let id = made(&db, base("Undead"), Lifecycle::Draft).await;
    let rq = retirements::start(&db, by(&mo(), 3), id, "Not needed.").await.unwrap();
    assert!(!life::report(&db, by(&lead(), 4), id, "cmdb").await.unwrap(), "it was not stopped yet");
    all_but_watch(&db, rq, 5).await;
    let until = retirements::read(&db, by(&lead(), 6), rq).await.unwrap().watched_until.unwrap();
    assert!(life::report(&db, by(&lead(), 7), id, "cmdb").await.unwrap());
    assert!(life::report(&db, by(&lead(), 8), id, "cmdb").await.unwrap());
    let view = retirements::read(&db, by(&lead(), 8), rq).await.unwrap();
    assert_eq!(view.signs.len(), 1, "one source, one line");
    assert_eq!((view.signs[0].first_at, view.signs[0].last_at), (day(7), day(8)));
    assert_eq!(view.watched_until.unwrap() - until, day(8) - day(5));
    let watch = place(&db, rq, RowKind::Watch).await;
    retirements::close(&db, by(&lead(), 60), rq, watch, link(), "").await.unwrap();
    sign(&db, &bea(), 61, rq, 1, Verdict::Approve).await.unwrap();
    sign(&db, &ravi(), 61, rq, 2, Verdict::Approve).await.unwrap();
    assert!(life::report(&db, by(&lead(), 70), id, "cmdb").await.unwrap());
    let signs = board::signs(&db, by(&lead(), 70), 20).await.unwrap();
    assert!(signs.iter().any(|s| s.agent == id && s.state == Lifecycle::Retired && s.last_at == day(70)));
    assert_eq!(state(&db, id).await, Lifecycle::Retired, "the record stays closed");
    whole(&db).await;
}

/// Who may not see an agent sees nothing of its retirement.
async fn the_hidden_stays_hidden(db: Db) {
    let mut facts = base("Secret");
    facts.confidential = true;
    let id = made(&db, facts, Lifecycle::Draft).await;
    let rq = retirements::start(&db, by(&mo(), 3), id, "Not needed.").await.unwrap();
    let stranger = actor(9, &[Role::Member]);
    for found in [
        retirements::read(&db, by(&stranger, 4), rq).await.map(|_| ()),
        retirements::close(&db, by(&stranger, 4), rq, 1, link(), "").await,
        retirements::start(&db, by(&stranger, 4), id, "Mine").await.map(|_| ()),
        retirements::waive(&db, by(&stranger, 4), rq, 1, "Mine").await,
    ] {
        assert!(matches!(found, Err(Error::NotFound(_))), "{found:?}");
    }
    let seen = board::list(&db, by(&stranger, 4), &board::Filter::default(), None, None).await.unwrap();
    assert!(seen.items.iter().all(|l| l.id != rq));
    let mine = board::list(&db, by(&bea(), 4), &board::Filter::default(), None, None).await.unwrap();
    assert!(mine.items.iter().any(|l| l.id == rq), "whoever owns a duty sees it");
}

story!(row_by_row, super::an_agent_is_retired_row_by_row);
story!(the_gate, super::the_database_keeps_the_gate);
story!(verified, super::high_tiers_need_verified_evidence);
story!(refused_signature, super::a_refused_signature_keeps_what_was_done);
story!(vacant_signature, super::a_vacant_signature_is_waived_by_security);
story!(present_signature, super::a_signature_is_not_waived_while_somebody_can_sign);
story!(races, super::races_have_one_winner);
story!(covers, super::the_checklist_covers_what_there_is);
story!(sign_of_life, super::a_sign_of_life_is_kept);
story!(hidden, super::the_hidden_stays_hidden);
