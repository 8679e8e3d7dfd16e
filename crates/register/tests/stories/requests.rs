//! Requests: an agent asked for, decided, made active, changed by a request, seen to drift; and
//! everything that is refused on the way, by the rules and by the database.

use domain::agent::{
    Access, AgentFacts, Autonomy, CredentialKind, CredentialUse, DataClass, Environment, Exposure, Lifecycle,
    Sensitivity, ToolGrant, ToolKind,
};
use domain::can::Actor;
use domain::duty::Duty;
use domain::finding::FindingKey;
use domain::id::{AgentId, PersonId, RequestId};
use domain::party::{Party, Role, Roles};
use domain::request::{self, RequestState, Verdict, Via};
use register::assignments::{self, Mode};
use register::people::{self, Fields};
use register::requests::{self, Answer, NewCondition, Submission, acting, conditions, list, many, observed};
use register::{Db, Error, agents, audit, clock, stops};

use crate::support::{actor, by, day, story};

/// 1 leads security; 2 owns the business side and reports to 9; 3 is the runtime and every
/// technical owner; 4 owns policy; 5 registers; 6 has no part; 9 manages 2, 5 and 4.
pub(crate) async fn organisation(db: &Db) {
    let cli = Actor::cli();
    for (n, name) in
        (1..).zip(["Lead", "Business", "Runtime", "Security", "Asker", "Nobody", "Other", "Acting", "Manager"])
    {
        let given = Fields { name: name.into(), email: format!("p{n}@x.example"), ..Fields::default() };
        let roles: Roles =
            if n == 1 { [Role::SecurityLead].into_iter().collect() } else { [Role::Member].into_iter().collect() };
        people::create(db, by(&cli, 0), &given, roles).await.unwrap();
    }
    for n in [2, 4, 5] {
        let p = people::load(&mut &*db, PersonId(n)).await.unwrap().unwrap();
        let given = Fields { manager: Some(PersonId(9)), ..Fields::from(&p) };
        people::edit(db, by(&cli, 0), PersonId(n), p.version, &given, None, "").await.unwrap();
    }
}

pub(crate) fn member(id: i64) -> Actor {
    actor(id, &[Role::Member])
}

pub(crate) fn lead() -> Actor {
    actor(1, &[Role::SecurityLead])
}

fn tool(name: &str) -> ToolGrant {
    ToolGrant {
        name: name.into(),
        kind: ToolKind::InternalApi,
        sensitivity: Sensitivity::Low,
        access: Access::Read,
        scope: String::new(),
    }
}

pub(crate) fn facts() -> AgentFacts {
    let mut f = AgentFacts::named("Dispatcher");
    f.purpose = "Plans the rounds.".into();
    f.autonomy = Autonomy::ActsWithApproval;
    f.exposure = Exposure::Internal;
    f.data = DataClass::Internal;
    f.environment = Environment::Staging;
    f.tools = vec![tool("Planner")];
    f
}

/// A draft that 5 registered, whose duties are held.
pub(crate) async fn draft(db: &Db, facts: AgentFacts) -> AgentId {
    let id = agents::create(db, by(&member(5), 1), facts.clone(), Lifecycle::Draft).await.unwrap().id;
    let mut wanted: Vec<Duty> = Duty::all_required(&facts).collect();
    wanted.push(Duty::Requests);
    wanted.sort();
    wanted.dedup();
    for duty in wanted {
        let holder = match duty {
            Duty::Purpose => 2,
            Duty::Policy => 4,
            _ => 3,
        };
        let party = Party::Person(PersonId(holder));
        assignments::assign_many(db, by(&lead(), 1), &[id], duty, party, Mode::Record, "Known.").await.unwrap();
    }
    stops::record_procedure(db, by(&member(3), 1), id, "Press the red switch.").await.unwrap();
    id
}

pub(crate) async fn submit(db: &Db, id: AgentId, days: i64) -> RequestId {
    let said = Submission { reason: "It is ready.".into(), reviewer: None };
    requests::submit(db, by(&member(5), days), id, &said).await.unwrap()
}

async fn answer(db: &Db, r: RequestId, verdict: Verdict) -> Answer {
    let kept = requests::stored::load(&mut &*db, r).await.unwrap();
    let reason = if verdict == Verdict::Reject { "No.".to_owned() } else { String::new() };
    Answer { verdict, reason, conditions: Vec::new(), subject_sha256: kept.subject_sha256 }
}

async fn place(db: &Db, r: RequestId, duty: Duty) -> i64 {
    let kept = requests::stored::load(&mut &*db, r).await.unwrap();
    kept.steps.iter().find(|s| s.step.duty == duty).unwrap().step.place
}

pub(crate) async fn decide(
    db: &Db,
    who: i64,
    days: i64,
    r: RequestId,
    duty: Duty,
    verdict: Verdict,
) -> Result<RequestState, Error> {
    let (place, answer) = (place(db, r, duty).await, answer(db, r, verdict).await);
    requests::decide(db, by(&member(who), days), r, &[place], &answer).await
}

/// Everybody approves, in the order of the steps.
pub(crate) async fn approve_all(db: &Db, r: RequestId, days: i64) -> RequestState {
    let kept = requests::stored::load(&mut &*db, r).await.unwrap();
    let mut state = RequestState::Open;
    for s in kept.steps {
        let who = match s.step.duty {
            Duty::Purpose => 2,
            Duty::Policy => 4,
            _ => 3,
        };
        state = decide(db, who, days, r, s.step.duty, Verdict::Approve).await.unwrap();
    }
    state
}

async fn state(db: &Db, id: AgentId, days: i64) -> Lifecycle {
    agents::read(db, by(&lead(), days), id).await.unwrap().judged.agent.state
}

async fn finds(db: &Db, id: AgentId, key: FindingKey, days: i64) -> bool {
    let lead = lead();
    let view = agents::read(db, by(&lead, days), id).await.unwrap();
    let now = day(days);
    let found = view.judged.assessment.findings.iter().any(|f| f.key == key && f.holds_at(now));
    let query = agents::list::Query { finding: Some(key), limit: 50, ..agents::list::Query::default() };
    let listed = agents::list::list(db, by(&lead, days), &query).await.unwrap();
    assert_eq!(listed.items.iter().any(|l| l.id == id), found, "{key}: the list says otherwise");
    assert_eq!(listed.total, Some(listed.items.len() as i64), "{key}: the counter says otherwise");
    found
}

fn forbidden<T: std::fmt::Debug>(r: Result<T, Error>) -> String {
    match r {
        Err(Error::Denied(d)) => d.to_string(),
        r => panic!("{r:?}"),
    }
}

fn conflict<T: std::fmt::Debug>(r: Result<T, Error>) -> String {
    match r {
        Err(Error::Conflict(s)) => s,
        r => panic!("{r:?}"),
    }
}

async fn whole(db: &Db) {
    audit::verify(db, by(&lead(), 400), None, |_| ()).await.unwrap();
}

async fn from_draft_to_active(db: Db) {
    organisation(&db).await;
    let id = draft(&db, facts()).await;
    let foreseen = requests::foresee(&db, by(&member(5), 2), id).await.unwrap();
    let duties: Vec<Duty> = foreseen.steps.iter().map(|s| s.wanted.duty).collect();
    assert_eq!(
        duties,
        [Duty::Purpose, Duty::Implementation, Duty::Containment, Duty::Policy, Duty::Identity, Duty::Requests]
    );
    assert!(foreseen.steps.iter().all(|s| !s.wanted.because.is_empty() && s.decider.is_some()));
    // Nothing is active that was not approved.
    conflict(requests::activate(&db, by(&lead(), 2), id, "").await);
    let r = submit(&db, id, 2).await;
    assert_eq!(state(&db, id, 2).await, Lifecycle::Proposed);
    conflict(requests::submit(&db, by(&member(5), 2), id, &Submission::default()).await);

    // Nobody but the deciders, each in their capacity.
    assert!(forbidden(decide(&db, 6, 3, r, Duty::Purpose, Verdict::Approve).await).contains("Business"));
    assert!(forbidden(decide(&db, 5, 3, r, Duty::Purpose, Verdict::Approve).await).contains("yourself"));
    forbidden(decide(&db, 1, 3, r, Duty::Purpose, Verdict::Approve).await);
    forbidden(decide(&db, 3, 3, r, Duty::Purpose, Verdict::Approve).await);
    let stale = Answer { subject_sha256: "0".repeat(64), ..answer(&db, r, Verdict::Approve).await };
    conflict(requests::decide(&db, by(&member(2), 3), r, &[1], &stale).await);
    let reviewing = decide(&db, 2, 3, r, Duty::Purpose, Verdict::Attest).await;
    assert!(matches!(reviewing, Err(Error::Invalid(_))), "{reviewing:?}");

    // A question decides nothing.
    let at = place(&db, r, Duty::Purpose).await;
    requests::ask(&db, by(&member(2), 3), r, at, "Which rounds?").await.unwrap();
    forbidden(requests::ask(&db, by(&member(6), 3), r, at, "And me?").await);
    forbidden(requests::reply(&db, by(&member(2), 3), r, at, "I answer myself.").await);
    requests::reply(&db, by(&member(5), 3), r, at, "All of them.").await.unwrap();

    let waits = |who: i64| {
        let db = db.clone();
        async move {
            let me = member(who);
            list::waiting(&db, by(&me, 3), PersonId(who), None, 50).await.unwrap().items.len()
        }
    };
    assert_eq!((waits(2).await, waits(3).await, waits(4).await, waits(6).await), (1, 4, 1, 0));
    assert_eq!(decide(&db, 2, 3, r, Duty::Purpose, Verdict::Approve).await.unwrap(), RequestState::Open);
    assert!(conflict(decide(&db, 2, 3, r, Duty::Purpose, Verdict::Reject).await).contains("already"));
    assert_eq!((waits(2).await, waits(3).await), (0, 4));
    assert_eq!(approve_rest(&db, r).await, RequestState::Approved);
    assert_eq!(state(&db, id, 3).await, Lifecycle::Approved);
    conflict(requests::withdraw(&db, by(&member(5), 3), r, "").await);

    let view = requests::read(&db, by(&member(5), 4), r).await.unwrap();
    assert_eq!((view.state, view.thread.len()), (RequestState::Approved, 2));
    assert!(view.steps.iter().all(|s| s.kept.via == Some(Via::Owner)));
    let unseen = requests::read(&db, by(&member(6), 4), r).await;
    assert!(matches!(unseen, Err(Error::Denied(_))), "{unseen:?}");

    requests::activate(&db, by(&member(5), 4), id, "Go.").await.unwrap();
    assert_eq!(state(&db, id, 4).await, Lifecycle::Active);
    whole(&db).await;
}

async fn approve_rest(db: &Db, r: RequestId) -> RequestState {
    let kept = requests::stored::load(&mut &*db, r).await.unwrap();
    let mut state = RequestState::Open;
    for s in kept.steps.into_iter().filter(|s| s.step.decided.is_none()) {
        let who = if s.step.duty == Duty::Policy { 4 } else { 3 };
        state = decide(db, who, 3, r, s.step.duty, Verdict::Approve).await.unwrap();
    }
    state
}

async fn what_is_missing_is_named(db: Db) {
    organisation(&db).await;
    let mut f = facts();
    f.credentials = vec![CredentialUse {
        name: "Old key".into(),
        kind: CredentialKind::LongLived,
        ttl_seconds: None,
        kept_in: String::new(),
        last_rotated: String::new(),
    }];
    let id = draft(&db, f.clone()).await;
    let said = Submission::default();
    assert!(conflict(requests::submit(&db, by(&member(5), 2), id, &said).await).contains("Old key"));
    f.credentials.clear();
    f.tools[0].name = "Vault".into();
    f.tools[0].sensitivity = Sensitivity::High;
    let version = agents::read(&db, by(&lead(), 2), id).await.unwrap().judged.agent.version;
    agents::edit(&db, by(&member(5), 2), id, version, f, "").await.unwrap();
    let refused = requests::submit(&db, by(&member(5), 2), id, &said).await;
    assert!(matches!(&refused, Err(Error::Invalid(e)) if e[0].pointer == "/reviewer"), "{refused:?}");
    let said = Submission { reviewer: Some(PersonId(6)), ..said };
    let r = requests::submit(&db, by(&member(5), 2), id, &said).await.unwrap();
    assert_eq!(approve_all(&db, r, 3).await, RequestState::Approved);
    // An owner who is gone keeps it from becoming active, by name.
    people::leave(&db, by(&Actor::cli(), 4), PersonId(3), None, "Gone.").await.unwrap();
    let why = conflict(requests::activate(&db, by(&lead(), 5), id, "").await);
    assert!(why.contains("runtime owner is gone") && why.contains("no system owner"), "{why}");
}

async fn a_changed_boundary_voids_what_was_decided(db: Db) {
    organisation(&db).await;
    let id = draft(&db, facts()).await;
    let r = submit(&db, id, 2).await;
    decide(&db, 2, 3, r, Duty::Purpose, Verdict::Approve).await.unwrap();
    let record = agents::read(&db, by(&lead(), 3), id).await.unwrap().judged.agent;
    let mut f = record.facts.clone();
    f.business_unit = "Roads".into();
    let kept = agents::edit(&db, by(&member(5), 3), id, record.version, f.clone(), "").await.unwrap();
    assert_eq!((kept.state, kept.version), (Lifecycle::Proposed, record.version + 1), "no part of the boundary");
    f.tools.push(tool("Mailer"));
    let now = agents::edit(&db, by(&member(5), 4), id, kept.version, f, "").await.unwrap();
    assert_eq!(now.state, Lifecycle::Draft);
    let view = requests::read(&db, by(&member(5), 4), r).await.unwrap();
    assert_eq!(view.state, RequestState::Voided);
    assert!(view.kept.closing.contains("1 decision"), "{}", view.kept.closing);
    assert!(conflict(decide(&db, 4, 4, r, Duty::Policy, Verdict::Approve).await).contains("not open"));
    let again = submit(&db, id, 5).await;
    assert_eq!(decide(&db, 4, 5, again, Duty::Policy, Verdict::Reject).await.unwrap(), RequestState::Rejected);
    assert_eq!(state(&db, id, 5).await, Lifecycle::Draft);
    let third = submit(&db, id, 6).await;
    forbidden(requests::withdraw(&db, by(&member(6), 6), third, "").await);
    requests::withdraw(&db, by(&member(5), 6), third, "Not yet.").await.unwrap();
    assert_eq!(state(&db, id, 6).await, Lifecycle::Draft);
    whole(&db).await;
}

async fn nobody_answers_and_it_ends(db: Db) {
    organisation(&db).await;
    let id = draft(&db, facts()).await;
    let r = submit(&db, id, 2).await;
    // Overdue after ten days (low tier), escalated three later; it lapses after ninety.
    assert!(!finds(&db, id, FindingKey::DecisionOverdue, 14).await);
    assert!(finds(&db, id, FindingKey::DecisionOverdue, 15).await);
    assert_eq!(requests::read(&db, by(&lead(), 91), r).await.unwrap().state, RequestState::Open);
    assert_eq!(requests::read(&db, by(&lead(), 92), r).await.unwrap().state, RequestState::Lapsed);
    assert!(conflict(decide(&db, 2, 92, r, Duty::Purpose, Verdict::Approve).await).contains("lapsed"));
    let lapsed = list::Filter { state: Some(RequestState::Lapsed), ..list::Filter::default() };
    assert_eq!(list::list(&db, by(&lead(), 92), &lapsed, None, None).await.unwrap().items.len(), 1);
    // The next ask closes it, whether or not anything was folded since.
    let again = requests::submit(&db, by(&member(5), 92), id, &Submission::default()).await.unwrap();
    assert_ne!(again, r);
    assert_eq!(state(&db, id, 92).await, Lifecycle::Proposed);
    while clock::turns::fold(&db, day(300)).await.unwrap() > 0 {}
    assert_eq!(state(&db, id, 300).await, Lifecycle::Draft);
    whole(&db).await;
}

async fn what_is_long_overdue_is_seen_by_manager_and_security(db: Db) {
    organisation(&db).await;
    let id = draft(&db, facts()).await;
    let r = submit(&db, id, 2).await;
    let seen = async |who: &Actor, days| {
        let page = list::escalated(&db, by(who, days), None, 9).await.unwrap();
        let counted = list::count_escalated(&db, by(who, days), 99).await.unwrap();
        assert_eq!(i64::try_from(page.items.len()).unwrap(), counted);
        let filter = list::Filter { escalated: true, ..list::Filter::default() };
        let listed = list::list(&db, by(who, days), &filter, None, None).await.unwrap().items.len();
        assert_eq!(listed, usize::from(counted > 0), "one request, whatever its steps");
        page.items.into_iter().map(|w| w.duty).collect::<Vec<_>>()
    };
    // 9 manages 2 and 4; nobody manages 3.
    assert_eq!(seen(&lead(), 14).await, []);
    assert_eq!(seen(&lead(), 15).await.len(), 6);
    assert_eq!(seen(&member(9), 14).await, []);
    assert_eq!(seen(&member(9), 15).await, [Duty::Purpose, Duty::Policy]);
    assert_eq!(seen(&member(6), 15).await, []);
    assert!(requests::read(&db, by(&member(9), 14), r).await.is_err(), "not before it is escalated");
    let view = requests::read(&db, by(&member(9), 15), r).await.unwrap();
    assert!(view.steps.iter().all(|s| !s.mine), "to look, not to decide");
    forbidden(decide(&db, 9, 15, r, Duty::Purpose, Verdict::Approve).await);
    decide(&db, 2, 15, r, Duty::Purpose, Verdict::Approve).await.unwrap();
    assert_eq!(seen(&member(9), 16).await, [Duty::Policy]);
    whole(&db).await;
}

async fn several_parts_are_decided_in_one_change(db: Db) {
    organisation(&db).await;
    let id = draft(&db, facts()).await;
    let r = submit(&db, id, 2).await;
    let kept = requests::stored::load(&mut &db, r).await.unwrap();
    let technical: Vec<i64> =
        kept.steps.iter().filter(|s| request::technical(s.step.duty)).map(|s| s.step.place).collect();
    assert_eq!(technical.len(), 4);
    let yes = answer(&db, r, Verdict::Approve).await;
    let decided = async || {
        let kept = requests::stored::load(&mut &db, r).await.unwrap();
        kept.steps.iter().filter(|s| s.step.decided.is_some()).count()
    };
    // One of them is not theirs: none is decided.
    let all: Vec<i64> = kept.steps.iter().map(|s| s.step.place).rev().collect();
    forbidden(requests::decide(&db, by(&member(3), 3), r, &all, &yes).await);
    assert_eq!(decided().await, 0);
    assert!(matches!(requests::decide(&db, by(&member(3), 3), r, &[], &yes).await, Err(Error::Invalid(_))));
    let answer = Answer {
        verdict: Verdict::ApproveWithConditions,
        conditions: vec![NewCondition { words: "Log it.".into(), owner: PersonId(3), due_at: day(30) }],
        ..yes
    };
    requests::decide(&db, by(&member(3), 3), r, &technical, &answer).await.unwrap();
    assert_eq!(decided().await, 4);
    let view = requests::read(&db, by(&member(3), 3), r).await.unwrap();
    assert_eq!(view.conditions.len(), 1, "the conditions stand once");
    // Each is recorded apart.
    let asked = db.all("SELECT 1 FROM audit_event WHERE action = 'request.decided'", Vec::new()).await.unwrap();
    assert_eq!(asked.len(), 4);
    whole(&db).await;
}

async fn alike_ones_are_decided_together_and_recorded_apart(db: Db) {
    organisation(&db).await;
    let mut asked = Vec::new();
    for n in 1..=4_u8 {
        let mut f = AgentFacts { name: format!("Dispatcher {n}"), ..facts() };
        f.purpose = format!("Plans the rounds of depot {n}.");
        if n == 4 {
            f.data = DataClass::Restricted;
        }
        let id = draft(&db, f).await;
        asked.push(submit(&db, id, 2).await);
    }
    let bea = member(2);
    let refused = many::alike(&db, by(&bea, 3), &asked).await;
    assert!(matches!(&refused, Err(Error::Invalid(e)) if e[0].message.contains(&asked[3].to_string())), "{refused:?}");
    let found = many::alike(&db, by(&bea, 3), &asked[..3]).await.unwrap();
    assert_eq!((found.all.len(), found.duties.as_slice()), (3, &[Duty::Purpose][..]));
    assert!(many::alike(&db, by(&member(6), 3), &asked[..2]).await.is_err(), "whoever has no part sees none");
    assert!(matches!(many::alike(&db, by(&bea, 3), &[]).await, Err(Error::Invalid(_))));
    let mut given: Vec<(RequestId, String)> = found.all.iter().map(|o| (o.request, o.subject_sha256.clone())).collect();
    given[2].1 = "0".repeat(64);
    let done = many::approve(&db, by(&bea, 3), &given, "Three alike.").await.unwrap();
    assert_eq!(done.done, asked[..2]);
    assert_eq!((done.left.len(), done.left[0].0), (1, asked[2]), "what was shown of it is not what it asks");
    let events = db.all("SELECT 1 FROM audit_event WHERE action = 'request.decided'", Vec::new()).await.unwrap();
    assert_eq!(events.len(), 2);
    whole(&db).await;
}

async fn a_vacant_capacity_has_an_acting_decider(db: Db) {
    organisation(&db).await;
    let id = draft(&db, facts()).await;
    let r = submit(&db, id, 2).await;
    conflict(acting::appoint(&db, by(&lead(), 2), id, Duty::Policy, PersonId(8), "Busy.").await);
    people::leave(&db, by(&Actor::cli(), 3), PersonId(4), None, "Gone.").await.unwrap();
    assert_eq!(list::vacant(&db, by(&lead(), 3), 10).await.unwrap().len(), 1);
    assert_eq!(list::count_vacant(&db, by(&lead(), 3), 10).await.unwrap(), 1);
    forbidden(acting::appoint(&db, by(&member(2), 3), id, Duty::Policy, PersonId(8), "Me.").await);
    conflict(acting::appoint(&db, by(&lead(), 3), id, Duty::Policy, PersonId(5), "The asker.").await);
    forbidden(decide(&db, 8, 3, r, Duty::Policy, Verdict::Approve).await);
    acting::appoint(&db, by(&lead(), 3), id, Duty::Policy, PersonId(8), "Until we hire.").await.unwrap();
    let waits = async |days| list::waiting(&db, by(&member(8), days), PersonId(8), None, 9).await.unwrap().items.len();
    assert_eq!((waits(3).await, waits(16).await, waits(17).await), (1, 1, 0), "for fourteen days, by the clock");
    forbidden(decide(&db, 8, 17, r, Duty::Policy, Verdict::Approve).await);
    decide(&db, 8, 16, r, Duty::Policy, Verdict::Approve).await.unwrap();
    let view = requests::read(&db, by(&lead(), 16), r).await.unwrap();
    assert!(view.steps.iter().any(|s| s.kept.via == Some(Via::Acting)));
    whole(&db).await;
}

async fn the_requesters_step_goes_to_their_manager(db: Db) {
    organisation(&db).await;
    let id = draft(&db, facts()).await;
    let said = Submission::default();
    let r = requests::submit(&db, by(&member(2), 2), id, &said).await.unwrap();
    let mine = decide(&db, 2, 3, r, Duty::Purpose, Verdict::Approve).await;
    assert!(forbidden(mine).contains("yourself"));
    let waits = list::waiting(&db, by(&member(9), 3), PersonId(9), None, 9).await.unwrap().items;
    assert_eq!(waits.len(), 1);
    decide(&db, 9, 3, r, Duty::Purpose, Verdict::Approve).await.unwrap();
    // And 9, who has the business part now, has no other.
    people::leave(&db, by(&Actor::cli(), 4), PersonId(4), None, "Gone.").await.unwrap();
    conflict(acting::appoint(&db, by(&lead(), 4), id, Duty::Policy, PersonId(9), "Also.").await);
    // The database itself refuses a second part, a decision of the requester, and a change.
    let raw = async |sql: &'static str| {
        let actor = Actor::cli();
        let mut change = register::change::Change::begin(&db, by(&actor, 5)).await.unwrap();
        change.tx.run(sql, Vec::new()).await.is_err()
    };
    let set = "verdict = 'approve', decided_at = 1, decided_sha256 = 'x', via = 'owner'";
    for (who, why) in [(9, "a second part"), (2, "one's own request")] {
        let sql: &'static str = Box::leak(
            format!("UPDATE request_step SET {set}, decided_by = {who} WHERE duty = 'policy'").into_boxed_str(),
        );
        assert!(raw(sql).await, "{why}");
    }
    assert!(
        !raw("UPDATE request_step SET verdict = 'approve', decided_at = 1, decided_by = 8 WHERE duty = 'policy'").await
    );
    assert!(
        raw("UPDATE request_step SET verdict = 'reject' WHERE duty = 'purpose'").await,
        "a decision is never changed"
    );
    assert!(raw("UPDATE request SET subject_sha256 = 'x'").await);
    assert!(raw("DELETE FROM request_step").await);
}

async fn conditions_are_dated_tasks(db: Db) {
    organisation(&db).await;
    let id = draft(&db, facts()).await;
    let r = submit(&db, id, 2).await;
    let at = place(&db, r, Duty::Policy).await;
    let mut answer = answer(&db, r, Verdict::ApproveWithConditions).await;
    let refused = requests::decide(&db, by(&member(4), 3), r, &[at], &answer).await;
    assert!(matches!(&refused, Err(Error::Invalid(e)) if e[0].pointer == "/conditions"), "{refused:?}");
    answer.conditions = vec![NewCondition { words: "Log it.".into(), owner: PersonId(3), due_at: day(3) }];
    let refused = requests::decide(&db, by(&member(4), 3), r, &[at], &answer).await;
    assert!(matches!(&refused, Err(Error::Invalid(e)) if e[0].pointer == "/conditions/0/due"), "{refused:?}");
    answer.conditions[0].due_at = day(20);
    requests::decide(&db, by(&member(4), 3), r, &[at], &answer).await.unwrap();
    assert!(!finds(&db, id, FindingKey::ConditionOverdue, 19).await);
    assert!(finds(&db, id, FindingKey::ConditionOverdue, 20).await);
    let mine = conditions::waiting(&mut &db, PersonId(3)).await.unwrap();
    assert_eq!(mine.len(), 1);
    forbidden(conditions::meet(&db, by(&member(2), 21), mine[0].id, "Done.").await);
    conditions::meet(&db, by(&member(3), 21), mine[0].id, "Logged.").await.unwrap();
    assert!(!finds(&db, id, FindingKey::ConditionOverdue, 21).await);
    conflict(conditions::meet(&db, by(&member(3), 21), mine[0].id, "Again.").await);
    whole(&db).await;
}

async fn approved(db: &Db) -> AgentId {
    let id = draft(db, facts()).await;
    let r = submit(db, id, 2).await;
    approve_all(db, r, 3).await;
    requests::activate(db, by(&lead(), 4), id, "").await.unwrap();
    id
}

async fn scope_changes_by_request_and_drift_is_seen(db: Db) {
    organisation(&db).await;
    let id = approved(&db).await;
    let record = async |days| agents::read(&db, by(&lead(), days), id).await.unwrap().judged.agent;
    let before = record(4).await;
    let mut seen = before.facts.clone();
    seen.tools.push(tool("Mailer"));
    // In place is refused; seen by a program it is kept beside.
    conflict(agents::edit(&db, by(&lead(), 5), id, before.version, seen.clone(), "").await);
    seen.labels.insert("seen".into(), "yes".into());
    agents::write::report(&db, by(&lead(), 5), id, before.version, seen.clone(), "scanner", "").await.unwrap();
    let now = record(5).await;
    assert_eq!(now.boundary_sha256, before.boundary_sha256, "what was approved stays");
    assert_eq!(now.facts.labels.get("seen").map(String::as_str), Some("yes"));
    assert!(finds(&db, id, FindingKey::Drift, 5).await);
    let (kept, differs) = observed::read(&db, by(&member(5), 5), id).await.unwrap().unwrap();
    assert_eq!((kept.source.as_str(), differs.len()), ("scanner", 1));
    // The change asks again only whom it touches: not the system owner.
    let foreseen = requests::foresee_scope(&db, by(&member(5), 6), id, kept.facts.clone()).await.unwrap();
    let duties: Vec<Duty> = foreseen.steps.iter().map(|s| s.wanted.duty).collect();
    assert!(!duties.contains(&Duty::Implementation) && duties.contains(&Duty::Requests), "{duties:?}");
    let said = Submission { reason: "It mails the drivers.".into(), reviewer: None };
    let r = requests::scope(&db, by(&member(5), 6), id, kept.facts, &said).await.unwrap();
    assert_eq!(record(6).await.facts.tools.len(), 1, "nothing before it is approved");
    assert_eq!(approve_all(&db, r, 7).await, RequestState::Approved);
    let after = record(7).await;
    assert_eq!((after.state, after.facts.tools.len()), (Lifecycle::Active, 2));
    assert!(after.boundary_holds());
    assert!(!finds(&db, id, FindingKey::Drift, 7).await);
    assert_eq!(after.approved.unwrap().by.len(), 6, "whoever approved before still counts");
    // Seen as approved again: no drift; seen with less: drift.
    agents::write::report(&db, by(&lead(), 8), id, after.version, seen, "scanner", "").await.unwrap();
    assert!(!finds(&db, id, FindingKey::Drift, 8).await);
    let now = record(8).await;
    agents::write::report(&db, by(&lead(), 9), id, now.version, before.facts, "scanner", "").await.unwrap();
    assert!(finds(&db, id, FindingKey::Drift, 9).await);
    whole(&db).await;
}

async fn what_was_suspended_is_resumed_by_its_deciders(db: Db) {
    organisation(&db).await;
    let id = approved(&db).await;
    stops::press::press(&db, by(&member(3), 5), id, "It loops.").await.unwrap();
    assert_eq!(state(&db, id, 5).await, Lifecycle::Suspended);
    conflict(requests::activate(&db, by(&lead(), 6), id, "").await);
    let said = Submission { reason: "Mended.".into(), reviewer: None };
    let r = requests::resume(&db, by(&member(5), 6), id, &said).await.unwrap();
    let kept = requests::stored::load(&mut &db, r).await.unwrap();
    let duties: Vec<Duty> = kept.steps.iter().map(|s| s.step.duty).collect();
    assert_eq!(duties, [Duty::Purpose, Duty::Containment]);
    decide(&db, 2, 7, r, Duty::Purpose, Verdict::Approve).await.unwrap();
    decide(&db, 3, 7, r, Duty::Containment, Verdict::Approve).await.unwrap();
    assert_eq!(state(&db, id, 7).await, Lifecycle::Active);
    whole(&db).await;
}

async fn approvals_fall_due_again(db: Db) {
    organisation(&db).await;
    let id = approved(&db).await;
    assert!(!finds(&db, id, FindingKey::ApprovalDue, 732).await);
    assert!(finds(&db, id, FindingKey::ApprovalDue, 733).await);
    // Low tier is reviewed once a year.
    assert!(!finds(&db, id, FindingKey::ReviewOverdue, 367).await);
    assert!(finds(&db, id, FindingKey::ReviewOverdue, 368).await);
    let r = submit(&db, id, 734).await;
    assert_eq!(state(&db, id, 734).await, Lifecycle::Active, "it goes on while it is asked again");
    approve_all(&db, r, 735).await;
    assert!(!finds(&db, id, FindingKey::ApprovalDue, 736).await);
}

async fn two_at_once_decide_once(db: Db) {
    organisation(&db).await;
    let id = draft(&db, facts()).await;
    let r = submit(&db, id, 2).await;
    let at = place(&db, r, Duty::Purpose).await;
    let answer = answer(&db, r, Verdict::Approve).await;
    let tries = (0..8).map(|_| {
        let (db, answer) = (db.clone(), answer.clone());
        tokio::spawn(async move {
            let me = member(2);
            requests::decide(&db, by(&me, 3), r, &[at], &answer).await
        })
    });
    let mut done = 0;
    for t in tries.collect::<Vec<_>>() {
        match t.await.unwrap() {
            Ok(_) => done += 1,
            Err(Error::Conflict(_)) => {}
            Err(e) => panic!("{e}"),
        }
    }
    assert_eq!(done, 1);
    // The last two steps at once: both count, and the request ends.
    let rest = requests::stored::load(&mut &db, r).await.unwrap();
    let rest: Vec<Duty> = rest.steps.iter().filter(|s| s.step.decided.is_none()).map(|s| s.step.duty).collect();
    let tries = rest.into_iter().map(|duty| {
        let db = db.clone();
        tokio::spawn(async move {
            let who = if duty == Duty::Policy { 4 } else { 3 };
            decide(&db, who, 3, r, duty, Verdict::Approve).await.map(|_| ())
        })
    });
    for t in tries.collect::<Vec<_>>() {
        t.await.unwrap().unwrap();
    }
    assert_eq!(state(&db, id, 3).await, Lifecycle::Approved);
    whole(&db).await;
}

async fn a_delegate_decides_for_them_and_never_their_own(db: Db) {
    organisation(&db).await;
    let id = draft(&db, facts()).await;
    for (from, to) in [(2, 6), (4, 5), (6, 8)] {
        let me = member(from);
        let (since, until) = (day(1), day(20));
        register::delegations::create(&db, by(&me, 1), PersonId(to), since, until, "Away.").await.unwrap();
    }
    let r = submit(&db, id, 2).await;
    let waits = async |who: i64| {
        let me = member(who);
        list::waiting(&db, by(&me, 3), PersonId(who), None, 50).await.unwrap().items
    };
    assert_eq!(waits(6).await.first().and_then(|w| w.on_behalf_of), Some(PersonId(2)));
    assert!(waits(8).await.is_empty(), "not chained");
    // 5 asked, and is the delegate of the security owner: nothing of it is theirs to decide.
    assert!(forbidden(decide(&db, 5, 3, r, Duty::Policy, Verdict::Approve).await).contains("yourself"));
    forbidden(decide(&db, 8, 3, r, Duty::Purpose, Verdict::Approve).await);
    decide(&db, 6, 3, r, Duty::Purpose, Verdict::Approve).await.unwrap();
    let view = requests::read(&db, by(&lead(), 4), r).await.unwrap();
    let step = view.steps.iter().find(|s| s.kept.step.duty == Duty::Purpose).unwrap();
    assert_eq!(step.kept.via, Some(Via::Delegate));
    assert_eq!(step.kept.step.decided.as_ref().and_then(|d| d.on_behalf_of), Some(PersonId(2)));
    // A delegation ends by the clock.
    let again = draft(&db, AgentFacts { name: "Other".into(), ..facts() }).await;
    let late = submit(&db, again, 20).await;
    forbidden(decide(&db, 6, 20, late, Duty::Purpose, Verdict::Approve).await);
    whole(&db).await;
}

async fn a_policy_that_asks_more_makes_approvals_due(db: Db) {
    organisation(&db).await;
    let id = approved(&db).await;
    let mut policy = register::policies::present(&mut &db).await.unwrap().policy;
    policy.approvers.push(domain::policy::Approver {
        duty: Duty::Monitoring,
        when: domain::policy::When::Tools,
        last: false,
    });
    assert!(!finds(&db, id, FindingKey::ApprovalDue, 5).await);
    register::policies::write(&db, by(&lead(), 5), Some(0), &policy, "Tools are watched.").await.unwrap();
    assert!(finds(&db, id, FindingKey::ApprovalDue, 5).await);
    let foreseen = requests::foresee(&db, by(&member(5), 6), id).await.unwrap();
    assert!(foreseen.steps.iter().any(|s| s.wanted.duty == Duty::Monitoring && s.decider.is_none()));
    assert_eq!(foreseen.policy_version, 1);
}

story!(
    requests_a_delegate_decides_for_them_and_never_their_own,
    super::a_delegate_decides_for_them_and_never_their_own
);
story!(requests_a_policy_that_asks_more_makes_approvals_due, super::a_policy_that_asks_more_makes_approvals_due);
story!(requests_from_draft_to_active, super::from_draft_to_active);
story!(requests_what_is_missing_is_named, super::what_is_missing_is_named);
story!(requests_a_changed_boundary_voids_what_was_decided, super::a_changed_boundary_voids_what_was_decided);
story!(requests_nobody_answers_and_it_ends, super::nobody_answers_and_it_ends);
story!(
    requests_what_is_long_overdue_is_seen_by_manager_and_security,
    super::what_is_long_overdue_is_seen_by_manager_and_security
);
story!(
    requests_alike_ones_are_decided_together_and_recorded_apart,
    super::alike_ones_are_decided_together_and_recorded_apart
);
story!(requests_several_parts_are_decided_in_one_change, super::several_parts_are_decided_in_one_change);
story!(requests_a_vacant_capacity_has_an_acting_decider, super::a_vacant_capacity_has_an_acting_decider);
story!(requests_the_requesters_step_goes_to_their_manager, super::the_requesters_step_goes_to_their_manager);
story!(requests_conditions_are_dated_tasks, super::conditions_are_dated_tasks);
story!(requests_scope_changes_by_request_and_drift_is_seen, super::scope_changes_by_request_and_drift_is_seen);
story!(requests_what_was_suspended_is_resumed_by_its_deciders, super::what_was_suspended_is_resumed_by_its_deciders);
story!(requests_approvals_fall_due_again, super::approvals_fall_due_again);
story!(requests_two_at_once_decide_once, super::two_at_once_decide_once);
