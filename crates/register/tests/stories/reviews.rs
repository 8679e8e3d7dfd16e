//! Periodic review: by the clock, by somebody, by a campaign; each answer and what follows.

use chrono::{DateTime, TimeDelta, Utc};
use domain::can::Actor;
use domain::duty::Duty;
use domain::finding::FindingKey;
use domain::id::{AgentId, CampaignId, PersonId, RequestId};
use domain::party::Role;
use domain::request::{RequestState, Verdict};
use domain::review::{NOT_OBSERVED, Progress};
use register::agents::list::{self, Query};
use register::requests::{self, Answer, conditions, decide};
use register::reviews::{self, Filter, Line, NewCampaign};
use register::{By, Db, Error, agents, args, audit, posture};

use crate::support::{actor, by, day, story};

fn lead() -> Actor {
    actor(1, &[Role::SecurityLead])
}

fn maren() -> Actor {
    actor(3, &[Role::RiskAnalyst])
}

/// Leads the team that operates and reviews the agents of dispatch.
fn oskar() -> Actor {
    actor(13, &[Role::Member])
}

async fn loaded(db: &Db) {
    register::seed::demo(db, by(&Actor::cli(), 0)).await.unwrap();
}

async fn named(db: &Db, name: &str) -> AgentId {
    db.one("SELECT id FROM agent WHERE name = $1", args![name]).await.unwrap().unwrap().get(0).unwrap()
}

async fn due_at(db: &Db, id: AgentId, now: DateTime<Utc>) -> DateTime<Utc> {
    let lead = lead();
    agents::read(db, By { actor: &lead, now }, id).await.unwrap().judged.governance.review_due.unwrap()
}

async fn overdue(db: &Db, id: AgentId, now: DateTime<Utc>) -> bool {
    let lead = lead();
    let view = agents::read(db, By { actor: &lead, now }, id).await.unwrap();
    let holds = view.judged.assessment.findings.iter().any(|f| f.key == FindingKey::ReviewOverdue && f.holds_at(now));
    // The list and the counter say the same.
    let query = Query { finding: Some(FindingKey::ReviewOverdue), limit: 200, ..Query::default() };
    let page = list::list(db, By { actor: &lead, now }, &query).await.unwrap();
    assert_eq!(page.items.iter().any(|l| l.id == id), holds);
    let counted = posture::posture(db, By { actor: &lead, now }).await.unwrap().findings["review-overdue"];
    assert_eq!(page.total, Some(counted));
    holds
}

async fn line(db: &Db, who: By<'_>, id: RequestId) -> Line {
    reviews::read(db, who, id).await.unwrap()
}

async fn answered(db: &Db, who: By<'_>, id: RequestId, verdict: Verdict, reason: &str) -> Result<RequestState, Error> {
    let subject_sha256 = requests::read(db, who, id).await?.kept.subject_sha256;
    let answer = Answer { verdict, reason: reason.into(), conditions: Vec::new(), subject_sha256 };
    decide(db, who, id, &[1], &answer).await
}

async fn whole(db: &Db, now: DateTime<Utc>) {
    audit::verify(db, By { actor: &lead(), now }, None, |_| ()).await.unwrap();
}

fn told(refused: Result<impl std::fmt::Debug, Error>) -> String {
    match refused {
        Err(e @ (Error::Conflict(_) | Error::Invalid(_) | Error::Denied(_))) => e.to_string(),
        other => panic!("it is refused: {other:?}"),
    }
}

async fn what_is_due_its_reviewer_begins(db: Db) {
    loaded(&db).await;
    let (oskar, id) = (oskar(), named(&db, "Maintenance planner").await);
    let due = due_at(&db, id, day(0)).await;
    let at = |now| By { actor: &oskar, now };
    let second = TimeDelta::seconds(1);
    let refused = told(reviews::open(&db, at(due - second), id, "").await);
    assert!(refused.contains("nobody decides their own request"), "{refused}");
    assert!(!overdue(&db, id, due - second).await && overdue(&db, id, due).await, "by the clock alone");

    let request = reviews::open(&db, at(due), id, "").await.unwrap();
    assert!(told(reviews::open(&db, at(due), id, "").await).contains(&request.to_string()));
    let view = requests::read(&db, at(due), request).await.unwrap();
    // Its security owner leads security operations.
    assert_eq!(view.kept.requester, PersonId(2), "in the name of whoever answers for policy");
    assert_eq!(view.kept.content["begun_by"], "PE-13");
    assert_eq!(view.kept.content["activity"], NOT_OBSERVED);
    assert!(view.steps[0].mine && view.steps[0].kept.step.duty == Duty::Review);
    assert_eq!(view.kept.content["boundary_sha256"], view.agent.facts.boundary_sha256());
    let mut changed = view.agent.clone();
    changed.facts.purpose.push_str(" And more.");
    assert_ne!(view.kept.present_sha256(&changed), view.kept.subject_sha256, "another boundary voids it");
    let tomas = actor(2, &[Role::SecurityLead]);
    let refused = told(answered(&db, By { actor: &tomas, now: due }, request, Verdict::Attest, "").await);
    assert!(refused.contains("yourself"), "{refused}");

    let later = due + TimeDelta::days(2);
    assert!(told(answered(&db, at(later), request, Verdict::Approve, "").await).contains("attest, change, retire"));
    let end = answered(&db, at(later), request, Verdict::Attest, "It plans, nothing more.").await.unwrap();
    assert_eq!(end, RequestState::Completed);
    let view = requests::read(&db, at(later), request).await.unwrap();
    assert!(view.kept.closing.contains("not observed"), "{}", view.kept.closing);
    assert_eq!(view.agent.reviewed_at, Some(later));
    assert!(!overdue(&db, id, later).await);
    let again = due_at(&db, id, later).await;
    assert!(again > later && overdue(&db, id, again).await, "until the next time");
    let sql = "SELECT COUNT(*) FROM request_step WHERE decided_by = requester_id OR on_behalf_of = requester_id";
    assert_eq!(db.one(sql, args![]).await.unwrap().unwrap().get::<i64>(0).unwrap(), 0);
    whole(&db, later).await;
}

async fn who_may_ask_and_for_what(db: Db) {
    loaded(&db).await;
    let (lead, maren) = (lead(), maren());
    let planner = named(&db, "Maintenance planner").await;
    // Owners, risk and security ask before it is due; nobody else does.
    let viktor = actor(25, &[Role::Member]);
    for (who, may) in [(&maren, true), (&lead, true), (&viktor, true), (&actor(36, &[Role::Member]), false)] {
        let made = reviews::open(&db, by(who, 1), planner, "").await;
        assert_eq!(made.is_ok(), may, "{made:?}");
        if let Ok(request) = made {
            let kept = requests::read(&db, by(&lead, 1), request).await.unwrap().kept;
            assert_eq!(Some(kept.requester), who.person_id());
            requests::withdraw(&db, by(who, 1), request, "").await.unwrap();
        }
    }
    let cli = Actor::cli();
    assert!(matches!(reviews::open(&db, by(&cli, 1), planner, "").await, Err(Error::Denied(_))));
    let draft = named(&db, "Infra planner").await;
    assert!(told(reviews::open(&db, by(&maren, 1), draft, "").await).contains("only what was approved"));
    let retired = named(&db, "Toll reconciler").await;
    assert!(told(reviews::open(&db, by(&maren, 1), retired, "").await).contains("retired"));
    // What is not in production is reviewed by its business owner, here the head of security operations.
    let staging = named(&db, "Access reviewer").await;
    let request = reviews::open(&db, by(&maren, 1), staging, "").await.unwrap();
    let view = requests::read(&db, by(&lead, 1), request).await.unwrap();
    assert_eq!(view.steps[0].kept.step.duty, Duty::Purpose);
    assert_eq!(view.steps[0].decider.map(|d| d.person), Some(PersonId(2)));
    whole(&db, day(2)).await;
}

async fn a_change_and_a_retirement_become_tasks(db: Db) {
    loaded(&db).await;
    let (oskar, maren) = (oskar(), maren());
    let (planner, reporter) = (named(&db, "Maintenance planner").await, named(&db, "Accident reporter").await);
    let last = agents::read(&db, by(&oskar, 1), planner).await.unwrap().judged.agent.reviewed_at;
    let request = reviews::open(&db, by(&maren, 1), planner, "Look at it.").await.unwrap();
    assert!(told(answered(&db, by(&oskar, 2), request, Verdict::Change, " ").await).contains("what must change"));
    answered(&db, by(&oskar, 2), request, Verdict::Change, "Ask before it books.").await.unwrap();
    let open = conditions::waiting(&mut &db, PersonId(13)).await.unwrap();
    let task = open.iter().find(|c| c.request == request).expect("a task of its system owner");
    assert!(task.words.contains("Ask before it books."), "{}", task.words);
    let view = requests::read(&db, by(&oskar, 2), request).await.unwrap();
    assert_eq!(
        (view.state, view.agent.reviewed_at),
        (RequestState::Completed, last),
        "asking for a change attests nothing"
    );
    assert_eq!(view.conditions.len(), 1);
    // It is overdue by the clock until it is met.
    let late = By { actor: &oskar, now: task.due_at };
    let seen = agents::read(&db, late, planner).await.unwrap();
    let keys = |v: &agents::View, now| {
        v.judged.assessment.findings.iter().filter(|f| f.holds_at(now)).map(|f| f.key).collect::<Vec<_>>()
    };
    assert!(keys(&seen, task.due_at).contains(&FindingKey::ConditionOverdue));
    conditions::meet(&db, late, task.id, "It asks now.").await.unwrap();
    let seen = agents::read(&db, late, planner).await.unwrap();
    assert!(!keys(&seen, task.due_at).contains(&FindingKey::ConditionOverdue));

    let request = reviews::open(&db, by(&maren, 3), reporter, "").await.unwrap();
    answered(&db, by(&oskar, 4), request, Verdict::Retire, "Nobody uses it.").await.unwrap();
    let view = requests::read(&db, by(&maren, 4), request).await.unwrap();
    assert!(view.kept.closing.contains("retired"), "{}", view.kept.closing);
    assert_eq!(view.agent.state, domain::agent::Lifecycle::Retiring);
    whole(&db, day(60)).await;
}

async fn put_off_once_and_not_for_long(db: Db) {
    loaded(&db).await;
    let (oskar, maren) = (oskar(), maren());
    let id = named(&db, "Slot negotiator").await;
    let request = reviews::open(&db, by(&maren, 1), id, "").await.unwrap();
    let at = |n: i64| day(n);
    let defer = async |who: &Actor, until, why: &str| reviews::defer(&db, by(who, 2), request, until, why).await;
    assert!(overdue(&db, id, day(2)).await);
    let first = line(&db, by(&oskar, 2), request).await.due_at.unwrap();
    assert!(matches!(defer(&maren, at(9), "No.").await, Err(Error::Denied(_))));
    assert!(told(defer(&oskar, at(9), " ").await).contains("Say why"));
    assert!(told(defer(&oskar, first, "Later.").await).contains("later day"));
    assert!(told(defer(&oskar, at(90), "Later.").await).contains("half of what the policy allows"));
    let until = at(14);
    defer(&oskar, until, "The planner is on leave.").await.unwrap();
    assert!(told(defer(&oskar, at(15), "Again.").await).contains("once"));
    let kept = reviews::deferral(&mut &db, request).await.unwrap().unwrap();
    assert_eq!((kept.at, kept.reason.as_str()), (day(2), "The planner is on leave."));
    let now = line(&db, by(&oskar, 3), request).await;
    assert_eq!((now.due_at, now.progress), (Some(until), Progress::Deferred));
    // Not overdue before its new date, and by the clock from then on.
    assert!(!overdue(&db, id, until - TimeDelta::seconds(1)).await);
    assert!(overdue(&db, id, until).await);
    assert_eq!(line(&db, by(&oskar, 14), request).await.progress, Progress::Overdue);
    // Nor does the database let it be put off again.
    let sql = "UPDATE request_step SET due_at = due_at + 1 WHERE request_id = $1";
    assert!(db.run(sql, args![request]).await.is_err());
    answered(&db, by(&oskar, 15), request, Verdict::Attest, "").await.unwrap();
    assert!(!overdue(&db, id, day(15)).await);
    whole(&db, day(16)).await;
}

async fn made(db: &Db, who: &Actor, names: &[&str], days: i64, due: i64) -> Result<CampaignId, Error> {
    let mut agents = Vec::new();
    for name in names {
        agents.push(named(db, name).await);
    }
    let new = NewCampaign { name: "Fleet".into(), due_at: day(due), agents, ..NewCampaign::default() };
    reviews::make(db, by(who, days), &new).await
}

async fn a_campaign_asks_for_each_and_says_how_it_stands(db: Db) {
    loaded(&db).await;
    let (oskar, maren, lead) = (oskar(), maren(), lead());
    let list = ["Maintenance planner", "Accident reporter", "Slot negotiator", "Fuel analyst", "Toll reconciler"];
    assert!(matches!(made(&db, &oskar, &list, 1, 20).await, Err(Error::Denied(_))));
    assert!(told(made(&db, &maren, &list, 1, 1).await).contains("still to come"));
    assert!(told(made(&db, &maren, &["Toll reconciler"], 1, 20).await).contains("None of these"));
    let open = reviews::open(&db, by(&maren, 1), named(&db, "Slot negotiator").await, "").await.unwrap();
    let id = made(&db, &maren, &list, 2, 20).await.unwrap();

    let all = async |who: &Actor, days| {
        let mut out = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let page =
                reviews::list_of_campaign(&db, by(who, days), id, None, cursor.as_deref(), Some(2)).await.unwrap();
            out.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                return out;
            }
        }
    };
    let rows = all(&maren, 2).await;
    assert_eq!(rows.len(), 5, "page by page");
    let of = async |name: &str| {
        let agent = named(&db, name).await;
        rows.iter().find(|l| l.agent == agent).cloned().unwrap()
    };
    assert!(of("Toll reconciler").await.skipped.contains("retired"));
    assert_eq!(of("Slot negotiator").await.id, Some(open), "an open review joins");
    assert!(of("Slot negotiator").await.joined);
    // Each number is that of its rows.
    let counted = async |days: i64| {
        let g = reviews::campaign(&db, by(&maren, days), id).await.unwrap();
        for &p in Progress::ALL {
            let page = reviews::list_of_campaign(&db, by(&maren, days), id, Some(p), None, Some(50)).await.unwrap();
            assert!(page.items.iter().all(|l| l.progress == p), "{p}");
            assert_eq!(i64::try_from(page.items.len()).unwrap(), g.counts.of(p), "{p}");
        }
        assert_eq!(g.counts.all(), g.agents);
        g.counts
    };
    assert_eq!((counted(3).await.of(Progress::Open), counted(3).await.of(Progress::Skipped)), (4, 1));
    let planner = of("Maintenance planner").await.id.unwrap();
    answered(&db, by(&oskar, 3), planner, Verdict::Attest, "").await.unwrap();
    let reporter = of("Accident reporter").await.id.unwrap();
    reviews::defer(&db, by(&oskar, 10), reporter, day(23), "Waits for the insurer.").await.unwrap();
    let counts = counted(21).await;
    assert_eq!((counts.of(Progress::Done), counts.of(Progress::Deferred), counts.of(Progress::Overdue)), (1, 1, 2));

    // Whoever reviews some of it sees those; whoever reviews none, nothing.
    let own = reviews::campaign(&db, by(&oskar, 21), id).await.unwrap();
    assert!(own.own && own.counts.all() < 5);
    assert_eq!(i64::try_from(all(&oskar, 21).await.len()).unwrap(), own.counts.all());
    let stranger = actor(36, &[Role::Member]);
    assert!(matches!(reviews::campaign(&db, by(&stranger, 21), id).await, Err(Error::NotFound(_))));
    let mine = reviews::waiting(&db, by(&oskar, 21), None, 50).await.unwrap().items;
    assert!(mine.iter().any(|l| l.id == Some(reporter)) && mine.iter().all(|l| l.mine));
    assert_eq!(reviews::count_waiting(&db, by(&oskar, 21), 100).await.unwrap(), i64::try_from(mine.len()).unwrap());
    let listed = reviews::list(
        &db,
        by(&maren, 21),
        Filter { state: Some(RequestState::Open), ..Filter::default() },
        None,
        Some(200),
    )
    .await
    .unwrap();
    assert!(listed.items.iter().any(|l| l.id == Some(reporter)));

    // Closed early, what it began is taken back; what it joined goes on.
    assert!(matches!(reviews::close(&db, by(&oskar, 22), id, "Enough.").await, Err(Error::Denied(_))));
    assert!(told(reviews::close(&db, by(&lead, 22), id, "").await).contains("Say why"));
    assert_eq!(reviews::close(&db, by(&lead, 22), id, "Enough.").await.unwrap(), 2);
    assert!(told(reviews::close(&db, by(&lead, 22), id, "Again.").await).contains("closed already"));
    let state = async |r| requests::read(&db, by(&maren, 22), r).await.unwrap().state;
    assert_eq!((state(reporter).await, state(open).await), (RequestState::Withdrawn, RequestState::Open));
    assert!(reviews::campaign(&db, by(&maren, 22), id).await.unwrap().closed.is_some());
    counted(22).await;
    whole(&db, day(23)).await;
}

async fn several_are_attested_only_where_nothing_is_wrong(db: Db) {
    loaded(&db).await;
    let lead = lead();
    let maren = maren();
    // What is well kept, of whoever reviews most of it, and one that is not.
    let sql = "SELECT a.id FROM agent a WHERE a.state = 'active' AND a.environment = 'production' AND NOT EXISTS \
               (SELECT 1 FROM finding f WHERE f.agent_id = a.id AND f.key <> 'review-overdue' AND f.from_at <= $1 \
               AND f.until_at > $1) AND NOT EXISTS (SELECT 1 FROM request r WHERE r.agent_id = a.id) ORDER BY a.id";
    let rows = db.all(sql, args![day(1)]).await.unwrap();
    let mut agents: Vec<AgentId> = rows.iter().map(|r| r.get(0).unwrap()).collect();
    assert!(agents.len() >= 3, "{agents:?}");
    let wrong = named(&db, "Robot fleet supervisor").await;
    agents.push(wrong);
    let new = NewCampaign { name: "All".into(), due_at: day(20), agents, ..NewCampaign::default() };
    let id = reviews::make(&db, by(&maren, 1), &new).await.unwrap();
    let rows = reviews::list_of_campaign(&db, by(&lead, 1), id, None, None, Some(200)).await.unwrap().items;
    let supervisor = rows.iter().find(|l| l.agent == wrong).unwrap().clone();
    let nils = supervisor.reviewer.clone().unwrap().0;
    let who = actor(nils.0, &[Role::Member]);
    let mine = reviews::list_of_campaign(&db, by(&who, 2), id, None, None, Some(200)).await.unwrap().items;
    assert!(mine.len() >= 2 && mine.iter().filter(|l| l.plain).count() >= 1, "{mine:?}");
    assert!(!mine.iter().find(|l| l.agent == wrong).unwrap().plain);
    let other = rows.iter().find(|l| l.reviewer.as_ref().is_some_and(|(p, _)| *p != nils)).unwrap();
    let ticked: Vec<(RequestId, String)> =
        mine.iter().chain([other]).map(|l| (l.id.unwrap(), l.subject_sha256.clone())).collect();
    assert!(told(reviews::attest_many(&db, by(&who, 2), &[], "").await).contains("Tick"));
    let done = reviews::attest_many(&db, by(&who, 2), &ticked, "As approved.").await.unwrap();
    let plain: Vec<RequestId> = mine.iter().filter(|l| l.plain).filter_map(|l| l.id).collect();
    assert_eq!(done.done, plain);
    assert_eq!(done.left.len(), ticked.len() - plain.len());
    // Each is a decision and an event of its own.
    let sql = "SELECT COUNT(*) FROM audit_event WHERE action = 'request.decided' AND actor = $1";
    let events: i64 = db.one(sql, args![nils.to_string()]).await.unwrap().unwrap().get(0).unwrap();
    assert_eq!(events, i64::try_from(plain.len()).unwrap());
    whole(&db, day(3)).await;
}

async fn what_is_due_is_listed(db: Db) {
    loaded(&db).await;
    let (lead, oskar) = (lead(), oskar());
    for (overdue, days) in [(true, 0), (false, 0), (true, 40), (false, 30)] {
        let mut found = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let page = reviews::due(&db, by(&lead, days), overdue, cursor.as_deref(), 3).await.unwrap();
            found.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert!(found.windows(2).all(|w| (w[0].due_at, w[0].agent) < (w[1].due_at, w[1].agent)), "soonest first");
        let now = day(days);
        let within = |d: &reviews::Due| {
            if overdue { d.due_at <= now } else { d.due_at > now && d.due_at <= now + TimeDelta::days(30) }
        };
        assert!(!found.is_empty() && found.iter().all(within), "{overdue} {days}");
        let counted = reviews::due_count(&db, by(&lead, days), overdue, 1_000).await.unwrap();
        assert_eq!(counted, i64::try_from(found.len()).unwrap());
    }
    assert!(matches!(reviews::due(&db, by(&oskar, 0), true, None, 10).await, Err(Error::Denied(_))));
    // One's own, without asking anybody: each of them can be begun.
    let mine = reviews::due_mine(&db, by(&oskar, 0), 50).await.unwrap();
    assert!(!mine.is_empty());
    for due in mine.iter().filter(|d| d.due_at <= day(0)) {
        reviews::open(&db, by(&oskar, 0), due.agent, "").await.unwrap();
    }
    let left = reviews::due_mine(&db, by(&oskar, 0), 50).await.unwrap();
    assert!(left.iter().all(|d| d.due_at > day(0)), "what is open is not begun again");
    whole(&db, day(1)).await;
}

story!(review_due, super::what_is_due_its_reviewer_begins);
story!(review_rights, super::who_may_ask_and_for_what);
story!(review_tasks, super::a_change_and_a_retirement_become_tasks);
story!(review_defer, super::put_off_once_and_not_for_long);
story!(review_campaign, super::a_campaign_asks_for_each_and_says_how_it_stands);
story!(review_many, super::several_are_attested_only_where_nothing_is_wrong);
story!(review_list, super::what_is_due_is_listed);
