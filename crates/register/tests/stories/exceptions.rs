//! Exceptions: asked, decided, in force by the clock alone, renewed, ended early; and everything
//! that is refused on the way, by the rules and by the database.

use chrono::{DateTime, TimeDelta, Utc};
use domain::agent::{AgentFacts, Autonomy, CredentialKind, CredentialUse, Environment, Lifecycle, Running};
use domain::can::Actor;
use domain::duty::Duty;
use domain::exception::{Asked, Control, ExceptionState};
use domain::finding::FindingKey;
use domain::id::{AgentId, ExceptionId, PersonId};
use domain::party::{Party, Role, Roles};
use domain::request::{RequestState, Verdict};
use domain::retirement::RowKind;
use register::assignments::{self, Mode};
use register::exceptions::{self, Again, NewControl, NewException, Scope, list};
use register::people::{self, Fields};
use register::requests::{self, Answer, Submission};
use register::retirements::{self, Shown};
use register::stops::evidence::File;
use register::{By, Db, Error, agents, audit, clock, posture, stops};

use crate::support::{actor, by, day, story};

/// 1 leads security; 2 owns the business side; 3 is the runtime and every technical owner; 4 owns
/// policy; 5 registers; 6 has no part; 7 analyses risk; 8 looks after controls; 9 manages 2 to 5.
pub(crate) async fn organisation(db: &Db) {
    let cli = Actor::cli();
    for (n, name) in
        (1..).zip(["Lead", "Business", "Runtime", "Security", "Asker", "Nobody", "Risk", "Control", "Manager"])
    {
        let given = Fields { name: name.into(), email: format!("p{n}@x.example"), ..Fields::default() };
        let role = match n {
            1 => Role::SecurityLead,
            7 => Role::RiskAnalyst,
            _ => Role::Member,
        };
        let roles: Roles = [role].into_iter().collect();
        people::create(db, by(&cli, 0), &given, roles).await.unwrap();
    }
    for n in 2..=5 {
        let p = people::load(&mut &*db, PersonId(n)).await.unwrap().unwrap();
        let given = Fields { manager: Some(PersonId(9)), ..Fields::from(&p) };
        people::edit(db, by(&cli, 0), PersonId(n), p.version, &given, None, "").await.unwrap();
    }
}

fn member(id: i64) -> Actor {
    actor(id, &[Role::Member])
}

fn lead() -> Actor {
    actor(1, &[Role::SecurityLead])
}

pub(crate) fn facts(name: &str) -> AgentFacts {
    let mut f = AgentFacts::named(name);
    f.purpose = "Plans the rounds.".into();
    f.autonomy = Autonomy::ActsWithApproval;
    f.environment = Environment::Staging;
    f.running = Running::Yes;
    f.labels.insert("fleet".into(), "north".into());
    f.credentials = vec![CredentialUse {
        name: "Old key".into(),
        kind: CredentialKind::LongLived,
        ttl_seconds: None,
        kept_in: String::new(),
        last_rotated: String::new(),
    }];
    f
}

pub(crate) async fn draft(db: &Db, facts: AgentFacts) -> AgentId {
    let id = agents::create(db, by(&member(5), 1), facts.clone(), Lifecycle::Draft).await.unwrap().id;
    let wanted: Vec<Duty> = Duty::all_required(&facts).collect();
    for duty in wanted {
        let holder = match duty {
            Duty::Purpose => 2,
            Duty::Policy => 4,
            Duty::Regulatory => 9,
            Duty::Identity if facts.regulated => 8,
            _ => 3,
        };
        let party = Party::Person(PersonId(holder));
        assignments::assign_many(db, by(&lead(), 1), &[id], duty, party, Mode::Record, "Known.").await.unwrap();
    }
    stops::record_procedure(db, by(&member(3), 1), id, "Press the red switch.").await.unwrap();
    id
}

pub(crate) fn control(check: i64) -> NewControl {
    NewControl { text: "One address only.".into(), owner: PersonId(8), check_at: day(check) }
}

pub(crate) fn asked(until: i64, controls: Vec<NewControl>) -> Asked {
    Asked {
        title: "The key until the vault is there".into(),
        control: Control::parse("long-lived-credential").unwrap(),
        node: "NHI7".into(),
        duty: None,
        likelihood: 2,
        impact: 4,
        justification: "The vault goes live in the spring.".into(),
        controls,
        starts_at: None,
        expires_at: Some(day(until)),
        suspends: false,
    }
}

pub(crate) async fn ask(db: &Db, who: i64, at: i64, ids: &[AgentId], asked: Asked) -> Result<ExceptionId, Error> {
    let new = NewException { scope: Scope::Agents(ids.to_vec()), asked };
    exceptions::ask(db, by(&member(who), at), &new).await
}

async fn kept(db: &Db, id: ExceptionId) -> exceptions::Kept {
    exceptions::stored::load(&mut &*db, id).await.unwrap()
}

/// Somebody decides every step that waits for them.
async fn decide(db: &Db, who: i64, at: i64, id: ExceptionId, verdict: Verdict) -> Result<RequestState, Error> {
    let k = kept(db, id).await;
    let me = member(who);
    let request = requests::read(db, by(&lead(), at), k.request).await.unwrap();
    let mine: Vec<i64> = request
        .steps
        .iter()
        .filter(|s| s.ready && s.decider.is_some_and(|d| d.person == PersonId(who)))
        .map(|s| s.kept.step.place)
        .collect();
    let reason = if verdict == Verdict::Reject { "No.".to_owned() } else { String::new() };
    let answer = Answer { verdict, reason, conditions: Vec::new(), subject_sha256: k.subject_sha256 };
    let places = if mine.is_empty() { vec![1] } else { mine };
    requests::decide(db, by(&me, at), k.request, &places, &answer).await
}

/// The control's owner, the business owner and security approve.
pub(crate) async fn approve(db: &Db, at: i64, id: ExceptionId) -> RequestState {
    let mut state = RequestState::Open;
    for who in [2, 3, 4, 9] {
        let k = kept(db, id).await;
        let request = requests::read(db, by(&lead(), at), k.request).await.unwrap();
        if request.steps.iter().any(|s| s.ready && s.decider.is_some_and(|d| d.person == PersonId(who))) {
            state = decide(db, who, at, id, Verdict::Approve).await.unwrap();
        }
    }
    state
}

/// How an agent's check stands, as everything that shows it says: whether it counts, and whether it
/// is excepted. Nothing is folded.
async fn shown(db: &Db, agent: AgentId, key: FindingKey, now: DateTime<Utc>) -> (bool, bool) {
    let lead = lead();
    let by = By { actor: &lead, now };
    let view = agents::read(db, by, agent).await.unwrap();
    let of = |excepted: bool| {
        (view.judged.assessment.findings.iter())
            .any(|f| f.key == key && f.holds_at(now) && f.excepted.is_some() == excepted)
    };
    let (counts, excepted) = (of(false), of(true));
    let query = agents::list::Query { finding: Some(key), limit: 50, ..agents::list::Query::default() };
    let listed = agents::list::list(db, by, &query).await.unwrap();
    assert_eq!(listed.items.iter().any(|l| l.id == agent), counts, "{key}: the list says otherwise");
    let query = agents::list::Query { excepted: Some(key), limit: 50, ..agents::list::Query::default() };
    let apart = agents::list::list(db, by, &query).await.unwrap();
    assert_eq!(apart.items.iter().any(|l| l.id == agent), excepted, "{key}: the list of excepted says otherwise");
    let figures = posture::posture(db, by).await.unwrap();
    assert_eq!(figures.findings[key.key()], listed.items.len() as i64, "{key}: the figure says otherwise");
    assert_eq!(figures.excepted[key.key()], apart.items.len() as i64, "{key}: the figure of excepted says otherwise");
    (counts, excepted)
}

async fn state(db: &Db, id: ExceptionId, now: DateTime<Utc>) -> ExceptionState {
    let lead = lead();
    let by = By { actor: &lead, now };
    let view = exceptions::read(db, by, id).await.unwrap();
    let state = view.line.state;
    for s in ExceptionState::ALL {
        let filter = list::Filter { state: Some(*s), ..list::Filter::default() };
        for sort in list::Sort::ALL {
            let page = list::list(db, by, &filter, *sort, None, None).await.unwrap();
            assert_eq!(page.items.iter().any(|l| l.kept.id() == id), *s == state, "{s} {sort}");
            assert_eq!(page.total, Some(page.items.len() as i64));
        }
    }
    let export = exceptions::export::after(&mut &*db, by, 0).await.unwrap();
    assert!(export.iter().any(|l| l.kept.id() == id && l.state == state), "the export says otherwise");
    state
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

fn pointer<T: std::fmt::Debug>(r: Result<T, Error>) -> String {
    match r {
        Err(Error::Invalid(e)) => e[0].pointer.clone(),
        r => panic!("{r:?}"),
    }
}

async fn whole(db: &Db) {
    audit::verify(db, by(&lead(), 900), None, |_| ()).await.unwrap();
}

const KEY: FindingKey = FindingKey::LongLivedCredential;

async fn from_request_to_its_last_moment(db: Db) {
    organisation(&db).await;
    let agent = draft(&db, facts("Dispatcher")).await;
    let (instant, said) = (TimeDelta::microseconds(1), Submission::default());
    assert!(conflict(requests::submit(&db, by(&member(5), 2), agent, &said).await).contains("Old key"));
    forbidden(ask(&db, 6, 2, &[agent], asked(60, vec![])).await);
    let id = ask(&db, 5, 2, &[agent], asked(60, vec![])).await.unwrap();
    assert_eq!(state(&db, id, day(2)).await, ExceptionState::Requested);
    assert!(conflict(ask(&db, 5, 2, &[agent], asked(60, vec![])).await).contains("EX-1"));

    // Without anything done instead nobody approves; who asked adds it, which asks anew.
    assert!(conflict(decide(&db, 2, 3, id, Verdict::Approve).await).contains("compensating"));
    let before = kept(&db, id).await;
    forbidden(exceptions::controls(&db, by(&member(2), 3), id, before.version, &[control(30)]).await);
    let late = exceptions::controls(&db, by(&member(5), 3), id, before.version, &[control(60)]).await;
    assert_eq!(pointer(late), "/compensating_controls/0/check_at");
    exceptions::controls(&db, by(&member(5), 3), id, before.version, &[control(30)]).await.unwrap();
    let after = kept(&db, id).await;
    assert_ne!((before.request, before.subject_sha256), (after.request, after.subject_sha256.clone()));
    let old = requests::read(&db, by(&lead(), 3), before.request).await.unwrap();
    assert_eq!(old.state, RequestState::Voided);
    assert_eq!(state(&db, id, day(3)).await, ExceptionState::Requested);

    // Each in their capacity, and never who asked.
    assert!(forbidden(decide(&db, 5, 4, id, Verdict::Approve).await).contains("yourself"));
    forbidden(decide(&db, 6, 4, id, Verdict::Approve).await);
    let waits = requests::list::waiting(&db, by(&member(2), 4), PersonId(2), None, 9).await.unwrap();
    assert_eq!(waits.items.len(), 1);
    assert_eq!(decide(&db, 2, 4, id, Verdict::Approve).await.unwrap(), RequestState::Open);
    assert_eq!(decide(&db, 3, 4, id, Verdict::Approve).await.unwrap(), RequestState::Open);
    assert_eq!(shown(&db, agent, KEY, day(4)).await, (true, false));
    assert_eq!(decide(&db, 4, 4, id, Verdict::Approve).await.unwrap(), RequestState::Approved);
    assert_eq!(state(&db, id, day(4)).await, ExceptionState::Active);
    assert_eq!(shown(&db, agent, KEY, day(4)).await, (false, true));

    // What an exception covers no longer blocks an approval.
    let r = requests::submit(&db, by(&member(5), 5), agent, &said).await.unwrap();
    let request = requests::stored::load(&mut &db, r).await.unwrap();
    for s in &request.steps {
        let who = match s.step.duty {
            Duty::Purpose => 2,
            Duty::Policy => 4,
            _ => 3,
        };
        let answer = Answer {
            verdict: Verdict::Approve,
            reason: String::new(),
            conditions: Vec::new(),
            subject_sha256: request.subject_sha256.clone(),
        };
        requests::decide(&db, by(&member(who), 5), r, &[s.step.place], &answer).await.unwrap();
    }
    assert_eq!(agents::read(&db, by(&lead(), 5), agent).await.unwrap().judged.agent.state, Lifecycle::Approved);

    // What was promised is looked at in time, or that is a finding.
    let unchecked = FindingKey::ControlUnchecked;
    assert_eq!(shown(&db, agent, unchecked, day(30) - instant).await, (false, false));
    assert_eq!(shown(&db, agent, unchecked, day(30)).await, (true, false));
    forbidden(exceptions::check(&db, by(&member(2), 31), id, 1, "Looked.").await);
    let none = exceptions::check(&db, by(&member(8), 31), id, 7, "Looked.").await;
    assert!(matches!(none, Err(Error::NotFound(_))), "{none:?}");
    assert_eq!(pointer(exceptions::check(&db, by(&member(8), 31), id, 1, " ").await), "/note");
    exceptions::check(&db, by(&member(8), 31), id, 1, "It is so.").await.unwrap();
    conflict(exceptions::check(&db, by(&member(8), 32), id, 1, "Again.").await);
    assert_eq!(shown(&db, agent, unchecked, day(31)).await, (false, false));

    // One microsecond before and after its end, and nothing ran between.
    assert_eq!(state(&db, id, day(60) - instant).await, ExceptionState::Active);
    assert_eq!(shown(&db, agent, KEY, day(60) - instant).await, (false, true));
    assert_eq!(shown(&db, agent, FindingKey::ApprovalDue, day(60) - instant).await, (false, false));
    assert_eq!(state(&db, id, day(60)).await, ExceptionState::Expired);
    assert_eq!(shown(&db, agent, KEY, day(60)).await, (true, false));
    assert_eq!(shown(&db, agent, FindingKey::ApprovalDue, day(60)).await, (true, false), "it relied on it");
    // Folding changes nothing that is shown.
    while clock::turns::fold(&db, day(61)).await.unwrap() > 0 {}
    assert_eq!(shown(&db, agent, KEY, day(61)).await, (true, false));
    let then = assignments::accountability(&db, by(&lead(), 61), agent, day(60) - instant).await.unwrap();
    assert_eq!((then.exceptions.len(), then.exceptions[0].by.len()), (1, 3));
    let then = assignments::accountability(&db, by(&lead(), 61), agent, day(60)).await.unwrap();
    assert!(then.exceptions.is_empty());
    whole(&db).await;
}

async fn what_is_asked_wrongly_is_refused_at_its_place(db: Db) {
    organisation(&db).await;
    let agent = draft(&db, facts("Dispatcher")).await;
    let ok = || asked(30, vec![control(20)]);
    let wrong: Vec<(&str, Asked)> = vec![
        ("/title", Asked { title: " ".into(), ..ok() }),
        ("/control", Asked { control: Control::Finding(FindingKey::NoRuntimeOwner), ..ok() }),
        ("/control", Asked { control: Control::parse("Runtime-Owner-Inactive").unwrap(), ..ok() }),
        ("/control", Asked { control: Control::Finding(FindingKey::RuntimeOwnerPending), ..ok() }),
        ("/control", Asked { control: Control::Finding(FindingKey::ControlUnchecked), ..ok() }),
        ("/duty", Asked { duty: Some(Duty::Purpose), ..ok() }),
        ("/duty", Asked { control: Control::Own("Logging".into()), ..ok() }),
        ("/node", Asked { node: "<b>".into(), ..ok() }),
        ("/likelihood", Asked { likelihood: 0, ..ok() }),
        ("/impact", Asked { impact: 6, ..ok() }),
        ("/justification", Asked { justification: String::new(), ..ok() }),
        ("/starts_at", Asked { starts_at: Some(day(0)), ..ok() }),
        ("/expires_at", Asked { expires_at: None, ..ok() }),
        ("/expires_at", Asked { expires_at: Some(day(2)), ..ok() }),
        ("/expires_at", Asked { starts_at: Some(day(40)), ..ok() }),
        ("/expires_at", asked(183, vec![])),
        ("/compensating_controls/0/check_at", asked(30, vec![control(30)])),
        ("/compensating_controls/0/check_at", asked(30, vec![control(1)])),
        ("/compensating_controls/0/owner", asked(30, vec![NewControl { owner: PersonId(99), ..control(20) }])),
        ("/compensating_controls/0/text", asked(30, vec![NewControl { text: String::new(), ..control(20) }])),
    ];
    for (at, asked) in wrong {
        assert_eq!(pointer(ask(&db, 5, 2, &[agent], asked.clone()).await), at, "{asked:?}");
    }
    assert_eq!(pointer(ask(&db, 5, 2, &[agent, AgentId(99)], ok()).await), "/agents/1");
    assert_eq!(pointer(ask(&db, 5, 2, &[], ok()).await), "/agents");
    let cli = Actor::cli();
    let new = NewException { scope: Scope::Agents(vec![agent]), asked: ok() };
    forbidden(exceptions::ask(&db, by(&cli, 2), &new).await);
    let page = list::list(&db, by(&lead(), 3), &list::Filter::default(), list::Sort::Newest, None, None).await.unwrap();
    assert_eq!((page.items.len(), page.total), (0, Some(0)), "nothing was written");
    // The longest that is allowed for a moderate tier, and one moment more.
    let most = day(2) + TimeDelta::days(90);
    let longer = Asked { expires_at: Some(most + TimeDelta::microseconds(1)), ..ok() };
    assert_eq!(pointer(ask(&db, 5, 2, &[agent], longer).await), "/expires_at");
    ask(&db, 5, 2, &[agent], Asked { expires_at: Some(most), ..ok() }).await.unwrap();
    whole(&db).await;
}

async fn a_new_one_for_the_same_rule_is_a_renewal(db: Db) {
    organisation(&db).await;
    let (agent, other) = (draft(&db, facts("Dispatcher")).await, draft(&db, facts("Other")).await);
    let first = ask(&db, 5, 2, &[agent], asked(20, vec![control(10)])).await.unwrap();
    assert_eq!(approve(&db, 3, first).await, RequestState::Approved);
    let again = |words: &str, until: i64, check: i64| Again {
        justification: words.into(),
        expires_at: Some(day(until)),
        controls: Some(vec![control(check)]),
    };
    // Blocked until what was promised is checked, then by the same words.
    let blocked = exceptions::renew(&db, by(&member(5), 15), first, &again("The vault is late.", 40, 30)).await;
    assert!(conflict(blocked).contains("not checked in time"));
    exceptions::check(&db, by(&member(8), 16), first, 1, "It is so.").await.unwrap();
    let same = again("The vault goes live in the spring", 40, 30);
    assert_eq!(pointer(exceptions::renew(&db, by(&member(5), 16), first, &same).await), "/justification");
    // Asked anew by hand, with another agent too: it is a renewal all the same.
    let by_hand = Asked { justification: "The vault is late.".into(), ..asked(40, vec![control(30)]) };
    let second = ask(&db, 5, 25, &[other, agent], by_hand).await.unwrap();
    let e = kept(&db, second).await.exception;
    assert_eq!((e.renews, e.renewals), (Some(first), 1));
    assert_eq!(approve(&db, 26, second).await, RequestState::Approved);
    exceptions::check(&db, by(&member(8), 29), second, 1, "It is so.").await.unwrap();
    let third = exceptions::renew(&db, by(&member(5), 41), second, &again("The vendor failed.", 60, 50)).await.unwrap();
    assert_eq!(kept(&db, third).await.exception.renewals, 2);
    assert_eq!(approve(&db, 42, third).await, RequestState::Approved);
    exceptions::check(&db, by(&member(8), 49), third, 1, "It is so.").await.unwrap();
    let fourth = exceptions::renew(&db, by(&member(5), 61), third, &again("And again.", 80, 70)).await;
    assert!(conflict(fourth).contains("renewed 2 times"));
    let anew = |words: &str, until| Asked { justification: words.into(), ..asked(until, vec![]) };
    conflict(ask(&db, 5, 150, &[agent], anew("And again.", 160)).await);
    // After ninety days it is another matter.
    let fresh = ask(&db, 5, 151, &[agent], anew("And again.", 160)).await.unwrap();
    assert_eq!(kept(&db, fresh).await.exception.renews, None);
    whole(&db).await;
}

async fn ended_before_its_time(db: Db) {
    organisation(&db).await;
    let agent = draft(&db, facts("Dispatcher")).await;
    let mut asked_for = asked(40, vec![control(30)]);
    asked_for.starts_at = Some(day(10));
    let id = ask(&db, 5, 2, &[agent], asked_for).await.unwrap();
    assert!(conflict(exceptions::close(&db, by(&member(5), 2), id, "Not needed.").await).contains("not in force"));
    assert_eq!(approve(&db, 3, id).await, RequestState::Approved);
    let instant = TimeDelta::microseconds(1);
    assert_eq!(state(&db, id, day(10) - instant).await, ExceptionState::Scheduled);
    assert_eq!(shown(&db, agent, KEY, day(10) - instant).await, (true, false));
    assert_eq!(state(&db, id, day(10)).await, ExceptionState::Active);
    assert_eq!(shown(&db, agent, KEY, day(10)).await, (false, true));
    assert_eq!(pointer(exceptions::close(&db, by(&member(5), 12), id, "").await), "/reason");
    let unseen = exceptions::close(&db, by(&member(6), 12), id, "Me.").await;
    assert!(matches!(unseen, Err(Error::NotFound(_))), "{unseen:?}");
    forbidden(exceptions::revoke(&db, by(&member(5), 12), id, "Me.").await);
    forbidden(exceptions::revoke(&db, by(&member(2), 12), id, "Me.").await);
    exceptions::close(&db, by(&member(2), 12), id, "The vault is there.").await.unwrap();
    // The agent's own history tells of it.
    let told = audit::history(&db, by(&member(3), 12), &agent.to_string(), None, 50).await.unwrap().items;
    for action in ["exception.requested", "exception.decided", "exception.closed"] {
        assert!(told.iter().any(|e| e.action == action && e.subject == id.to_string()), "{action}");
    }
    assert!(told.iter().any(|e| e.action == "agent.created"), "beside its own");
    assert_eq!(state(&db, id, day(12)).await, ExceptionState::Closed);
    assert_eq!(shown(&db, agent, KEY, day(12)).await, (true, false));
    conflict(exceptions::revoke(&db, by(&lead(), 13), id, "Too late.").await);

    let new = Asked { justification: "The vault fell over.".into(), ..asked(40, vec![control(30)]) };
    let second = ask(&db, 5, 13, &[agent], new).await.unwrap();
    approve(&db, 14, second).await;
    exceptions::revoke(&db, by(&member(3), 15), second, "It is misused.").await.unwrap();
    assert_eq!(state(&db, second, day(15)).await, ExceptionState::Revoked);
    assert_eq!(shown(&db, agent, KEY, day(15)).await, (true, false));

    // Taken back, refused, or answered by nobody: nothing was ever allowed.
    let new = |words: &str| Asked { justification: words.into(), ..asked(60, vec![control(50)]) };
    let third = ask(&db, 5, 16, &[agent], new("Third.")).await.unwrap();
    requests::withdraw(&db, by(&member(5), 16), kept(&db, third).await.request, "No.").await.unwrap();
    assert_eq!(state(&db, third, day(16)).await, ExceptionState::Rejected);
    let fourth = ask(&db, 5, 17, &[agent], new("Fourth.")).await.unwrap();
    assert_eq!(decide(&db, 4, 17, fourth, Verdict::Reject).await.unwrap(), RequestState::Rejected);
    assert_eq!(state(&db, fourth, day(17)).await, ExceptionState::Rejected);
    let fifth = ask(&db, 5, 18, &[agent], new("Fifth.")).await.unwrap();
    assert_eq!(state(&db, fifth, day(60) - instant).await, ExceptionState::Requested);
    assert_eq!(state(&db, fifth, day(60)).await, ExceptionState::Rejected, "it lapses when it would be over");
    while clock::turns::fold(&db, day(61)).await.unwrap() > 0 {}
    assert_eq!(kept(&db, fifth).await.exception.rejected.unwrap().1, "lapsed");
    whole(&db).await;
}

async fn a_retirement_waits_for_the_exceptions_of_its_agent(db: Db) {
    organisation(&db).await;
    let agent = draft(&db, facts("Dispatcher")).await;
    let id = ask(&db, 5, 2, &[agent], asked(40, vec![control(30)])).await.unwrap();
    approve(&db, 3, id).await;
    let retirement = retirements::start(&db, by(&lead(), 4), agent, "The rounds end.").await.unwrap();
    let shown = retirements::read(&db, by(&lead(), 4), retirement).await.unwrap();
    let place = shown.rows.iter().find(|r| r.kept.kind == RowKind::CloseExceptions).unwrap().kept.place;
    let done = async || {
        let log = File { name: "register.txt".into(), bytes: b"None is left.".to_vec() };
        retirements::close(&db, by(&lead(), 5), retirement, place, Shown::File(log), "").await
    };
    let told = conflict(done().await);
    assert!(told.contains(&id.to_string()), "{told}");
    exceptions::close(&db, by(&lead(), 5), id, "It ends with its agent.").await.unwrap();
    done().await.unwrap();
    whole(&db).await;
}

async fn of_several_agents_each_owner_decides(db: Db) {
    organisation(&db).await;
    let mut regulated = facts("Regulated");
    regulated.regulated = true;
    let (a, b) = (draft(&db, facts("One")).await, draft(&db, regulated).await);
    let id = ask(&db, 7, 2, &[b, a], asked(30, vec![control(20)])).await;
    forbidden(id);
    let risk = actor(7, &[Role::RiskAnalyst]);
    let new = NewException { scope: Scope::Agents(vec![b, a]), asked: asked(30, vec![control(20)]) };
    let id = exceptions::ask(&db, by(&risk, 2), &new).await.unwrap();
    let k = kept(&db, id).await;
    let request = requests::read(&db, by(&lead(), 2), k.request).await.unwrap();
    let mut steps: Vec<(AgentId, Duty)> = request.steps.iter().map(|s| (s.kept.agent, s.kept.step.duty)).collect();
    assert_eq!(steps.pop(), Some((b, Duty::Regulatory)), "the second approval comes last");
    steps.sort();
    let mut wanted: Vec<(AgentId, Duty)> =
        [a, b].into_iter().flat_map(|x| [Duty::Purpose, Duty::Policy, Duty::Identity].map(|d| (x, d))).collect();
    wanted.sort();
    assert_eq!(steps, wanted);
    // The owner of each agent's control decides that one's step.
    let waits = async |who: i64| {
        requests::list::waiting(&db, by(&member(who), 3), PersonId(who), None, 9).await.unwrap().items.len()
    };
    assert_eq!((waits(2).await, waits(3).await, waits(4).await, waits(8).await, waits(9).await), (2, 1, 2, 1, 0));
    for who in [2, 4, 3] {
        assert_eq!(decide(&db, who, 3, id, Verdict::Approve).await.unwrap(), RequestState::Open);
    }
    assert!(
        conflict(decide(&db, 9, 3, id, Verdict::Approve).await.map_err(|e| match e {
            Error::Denied(d) => Error::Conflict(d.to_string()),
            e => e,
        }))
        .len()
            > 5
    );
    assert_eq!(decide(&db, 8, 3, id, Verdict::Approve).await.unwrap(), RequestState::Open);
    assert_eq!(waits(9).await, 1);
    assert_eq!(decide(&db, 9, 3, id, Verdict::Approve).await.unwrap(), RequestState::Approved);
    for x in [a, b] {
        let lead = lead();
        let view = agents::read(&db, by(&lead, 4), x).await.unwrap();
        let f = view.judged.assessment.findings.iter().find(|f| f.key == KEY && f.holds_at(day(4))).unwrap();
        assert_eq!(f.excepted, Some(id));
    }
    whole(&db).await;
}

async fn a_label_that_means_others_at_the_end_voids_it(db: Db) {
    organisation(&db).await;
    let a = draft(&db, facts("One")).await;
    let mut south = facts("South");
    south.labels.insert("fleet".into(), "south".into());
    let b = draft(&db, south).await;
    let new = NewException { scope: Scope::Label("fleet=north".into()), asked: asked(30, vec![control(20)]) };
    let id = exceptions::ask(&db, by(&member(5), 2), &new).await.unwrap();
    assert_eq!(kept(&db, id).await.exception.agents, [a]);
    decide(&db, 2, 3, id, Verdict::Approve).await.unwrap();
    decide(&db, 3, 3, id, Verdict::Approve).await.unwrap();
    // Another agent gets the label before the last decision.
    let record = agents::read(&db, by(&lead(), 3), b).await.unwrap().judged.agent;
    let mut moved = record.facts.clone();
    moved.labels.insert("fleet".into(), "north".into());
    agents::edit(&db, by(&member(5), 3), b, record.version, moved, "").await.unwrap();
    assert_eq!(decide(&db, 4, 3, id, Verdict::Approve).await.unwrap(), RequestState::Voided);
    assert_eq!(state(&db, id, day(3)).await, ExceptionState::Rejected);
    let view = requests::read(&db, by(&lead(), 3), kept(&db, id).await.request).await.unwrap();
    assert!(view.kept.closing.contains("covers changed"), "{}", view.kept.closing);
    let none = NewException { scope: Scope::Label("fleet=west".into()), asked: asked(30, vec![]) };
    assert_eq!(pointer(exceptions::ask(&db, by(&member(5), 4), &none).await), "/label");
    // As it is now, it is approved.
    let id = exceptions::ask(&db, by(&member(5), 4), &new).await.unwrap();
    assert_eq!(kept(&db, id).await.exception.agents, [a, b]);
    assert_eq!(approve(&db, 5, id).await, RequestState::Approved);
    whole(&db).await;
}

async fn two_deciders_at_once(db: Db) {
    organisation(&db).await;
    let agent = draft(&db, facts("Dispatcher")).await;
    for n in 0..4_i64 {
        let at = 2 + 100 * n;
        let mut new = asked(at + 30, vec![control(at + 20)]);
        new.justification = format!("Reason {n}.");
        let id = ask(&db, 5, at, &[agent], new).await.unwrap();
        decide(&db, 3, at, id, Verdict::Approve).await.unwrap();
        let (x, y) = tokio::join!(decide(&db, 2, at, id, Verdict::Approve), decide(&db, 4, at, id, Verdict::Approve));
        let mut states = [x.unwrap(), y.unwrap()];
        states.sort();
        assert_eq!(states, [RequestState::Open, RequestState::Approved]);
        assert_eq!(state(&db, id, day(at)).await, ExceptionState::Active);
        // The same step twice at once: one of them.
        let (two, three) = (member(2), member(3));
        let (x, y) = tokio::join!(
            exceptions::close(&db, by(&two, at + 1), id, "Now."),
            exceptions::close(&db, by(&three, at + 1), id, "Now."),
        );
        assert!(x.is_ok() != y.is_ok());
    }
    // Asked by two at once: one of them, for it would be asked twice.
    let new = Asked { justification: "Another.".into(), ..asked(430, vec![control(420)]) };
    let only = [agent];
    let (x, y) = tokio::join!(ask(&db, 5, 410, &only, new.clone()), ask(&db, 5, 410, &only, new));
    assert!(x.is_ok() != y.is_ok());
    whole(&db).await;
}

async fn the_database_refuses_too(db: Db) {
    organisation(&db).await;
    let agent = draft(&db, facts("Dispatcher")).await;
    let id = ask(&db, 5, 2, &[agent], asked(30, vec![control(20)])).await.unwrap();
    let refused = async |sql: &str| {
        let mut tx = db.begin().await.unwrap();
        let done = tx.run(sql.to_owned(), vec![]).await;
        let done = match done {
            Ok(n) => tx.commit().await.map(|()| n),
            Err(e) => Err(e),
        };
        assert!(done.is_err(), "{sql} was done: {done:?}");
    };
    refused("UPDATE exception SET approved_at = created_at + 1 WHERE id = 1").await;
    refused("DELETE FROM exception WHERE id = 1").await;
    refused("UPDATE exception SET expires_at = expires_at + 1 WHERE id = 1").await;
    refused("DELETE FROM exception_agent WHERE exception_id = 1").await;
    refused("UPDATE exception_agent SET agent_id = agent_id WHERE exception_id = 1").await;
    refused("DELETE FROM compensating_control WHERE exception_id = 1").await;
    approve(&db, 3, id).await;
    refused("UPDATE exception SET approved_at = NULL WHERE id = 1").await;
    refused("UPDATE exception SET title = 'x' WHERE id = 1").await;
    refused(
        "UPDATE exception SET ended_at = expires_at + 1, ended = 'closed', ended_by = 'x', ending = 'x' WHERE id = 1",
    )
    .await;
    refused("UPDATE compensating_control SET check_at = check_at + 1 WHERE exception_id = 1").await;
    refused("UPDATE compensating_control SET dropped_at = 1 WHERE exception_id = 1").await;
    exceptions::close(&db, by(&member(2), 4), id, "Done.").await.unwrap();
    refused("UPDATE exception SET ended_at = NULL, ended = '', ended_by = '', ending = '' WHERE id = 1").await;
    // Who asked decides no step, whatever is written.
    let second = Asked { justification: "Another.".into(), ..asked(30, vec![control(20)]) };
    ask(&db, 5, 5, &[agent], second).await.unwrap();
    refused("UPDATE request_step SET verdict = 'approve', decided_at = 1, decided_by = 5 WHERE decided_at IS NULL")
        .await;
    whole(&db).await;
}

async fn who_lists_what(db: Db) {
    organisation(&db).await;
    let (a, b) = (draft(&db, facts("One")).await, draft(&db, facts("Two")).await);
    let first = ask(&db, 5, 2, &[a], asked(30, vec![control(20)])).await.unwrap();
    let second = Asked { control: Control::Own("Logging".into()), duty: Some(Duty::Platform), ..asked(20, vec![]) };
    let second = ask(&db, 5, 2, &[b], second).await.unwrap();
    let found = async |actor: &Actor, filter: list::Filter| -> Vec<ExceptionId> {
        let page = list::list(&db, by(actor, 3), &filter, list::Sort::Soonest, None, None).await.unwrap();
        page.items.iter().map(|l| l.kept.id()).collect()
    };
    let all = list::Filter::default;
    assert_eq!(found(&lead(), all()).await, [second, first]);
    assert_eq!(found(&member(5), all()).await, [second, first]);
    assert_eq!(found(&member(8), all()).await, [first], "who looks after a control");
    assert_eq!(found(&member(6), all()).await, []);
    assert_eq!(found(&lead(), list::Filter { agent: Some(a), ..all() }).await, [first]);
    assert_eq!(found(&lead(), list::Filter { node: Some("NHI7".into()), ..all() }).await, [second, first]);
    assert_eq!(found(&lead(), list::Filter { control: Some("Logging".into()), ..all() }).await, [second]);
    assert_eq!(found(&lead(), list::Filter { expires_before: Some(day(30)), ..all() }).await, [second]);
    assert_eq!(found(&lead(), list::Filter { expires_from: Some(day(30)), ..all() }).await, [first]);
    let of = |p: i64| list::Filter { control_owner: Some(Party::Person(PersonId(p))), ..all() };
    assert_eq!(found(&lead(), of(3)).await, [second, first]);
    assert_eq!(found(&lead(), of(2)).await, []);
    let unseen = exceptions::read(&db, by(&member(6), 3), first).await;
    assert!(matches!(unseen, Err(Error::NotFound(_))), "{unseen:?}");
    exceptions::read(&db, by(&member(8), 3), first).await.unwrap();
    // A page at a time, there and back.
    let one = list::list(&db, by(&lead(), 3), &all(), list::Sort::Soonest, None, Some(1)).await.unwrap();
    let two = list::list(&db, by(&lead(), 3), &all(), list::Sort::Soonest, one.next.as_deref(), Some(1)).await.unwrap();
    assert_eq!((one.items[0].kept.id(), two.items[0].kept.id(), two.next), (second, first, None));
    let back = list::list(&db, by(&lead(), 3), &all(), list::Sort::Soonest, two.previous.as_deref(), Some(1)).await;
    assert_eq!(back.unwrap().items[0].kept.id(), second);
}

story!(an_exception_lives_from_its_request_to_its_last_moment, super::from_request_to_its_last_moment);
story!(an_exception_asked_wrongly_is_refused_at_its_place, super::what_is_asked_wrongly_is_refused_at_its_place);
story!(a_new_exception_for_the_same_rule_is_a_renewal, super::a_new_one_for_the_same_rule_is_a_renewal);
story!(an_exception_is_ended_before_its_time, super::ended_before_its_time);
story!(a_retirement_waits_for_the_exceptions_of_its_agent, super::a_retirement_waits_for_the_exceptions_of_its_agent);
story!(of_an_exception_for_several_agents_each_owner_decides, super::of_several_agents_each_owner_decides);
story!(an_exception_for_a_label_is_void_when_others_have_it, super::a_label_that_means_others_at_the_end_voids_it);
story!(an_exception_is_decided_by_two_at_once, super::two_deciders_at_once);
story!(an_exception_is_kept_by_the_database_too, super::the_database_refuses_too);
story!(exceptions_are_listed_for_whom_they_concern, super::who_lists_what);
