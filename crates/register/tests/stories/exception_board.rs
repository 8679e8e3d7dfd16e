//! The register of exceptions: its figures and its rows follow the clock alone, whether or not
//! anything was folded; each filter leaves what it says; and each end stands in a calendar.

use chrono::{DateTime, TimeDelta, Utc};
use domain::agent::{AgentFacts, CredentialKind, CredentialUse, Lifecycle, Running};
use domain::can::Actor;
use domain::duty::Duty;
use domain::exception::{Asked, AskedControl, Control, ExceptionState};
use domain::finding::FindingKey;
use domain::id::{AgentId, ExceptionId, PersonId};
use domain::party::{Party, Role};
use domain::request::Verdict;
use register::exceptions::board::{self, Query, Sort, Which};
use register::exceptions::figures::{self, Figures};
use register::exceptions::{self, NewException, Scope, one};
use register::requests::{self, Answer};
use register::{By, Db, Error, agents, calendar};

use crate::people::{keeper, owns, person, pointers, the_record_holds};
use crate::support::{actor, by, day, story};

struct Cast {
    risk: Actor,
    business: PersonId,
    identity: PersonId,
    security: PersonId,
}

async fn cast(db: &Db) -> Cast {
    let (business, identity, security) = (person(db, "Bea").await, person(db, "Ida").await, person(db, "Sec").await);
    let risk = person(db, "Rick").await;
    Cast { risk: actor(risk.0, &[Role::RiskAnalyst]), business, identity, security }
}

/// A running agent with a standing credential and the three owners.
async fn keyed(db: &Db, cast: &Cast, name: &str) -> AgentId {
    let mut facts = AgentFacts::named(name);
    facts.running = Running::Yes;
    facts.credentials = vec![CredentialUse {
        name: format!("{name} key"),
        kind: CredentialKind::LongLived,
        ttl_seconds: None,
        kept_in: String::new(),
        last_rotated: String::new(),
    }];
    let id = agents::create(db, by(&keeper(), 0), facts, Lifecycle::Draft).await.unwrap().id;
    for (duty, who) in [(Duty::Purpose, cast.business), (Duty::Identity, cast.identity), (Duty::Policy, cast.security)]
    {
        owns(db, Party::Person(who), id, duty).await;
    }
    id
}

struct Wish<'a> {
    agents: Vec<AgentId>,
    control: Control,
    node: &'a str,
    why: &'a str,
    starts: Option<i64>,
    until: i64,
}

async fn ask(db: &Db, cast: &Cast, days: i64, wish: &Wish<'_>) -> Result<ExceptionId, Error> {
    let asked = Asked {
        title: format!("{} until {}", wish.control.label(), wish.until),
        control: wish.control.clone(),
        node: wish.node.into(),
        duty: matches!(wish.control, Control::Own(_)).then_some(Duty::Identity),
        likelihood: 2,
        impact: 3,
        justification: wish.why.into(),
        controls: vec![AskedControl {
            text: "Change it by hand.".into(),
            owner: cast.identity,
            check_at: day(wish.until - 1),
        }],
        starts_at: wish.starts.map(day),
        expires_at: Some(day(wish.until)),
        suspends: false,
    };
    exceptions::ask(db, by(&cast.risk, days), &NewException { scope: Scope::Agents(wish.agents.clone()), asked }).await
}

/// Everybody it waits for agrees.
async fn agree(db: &Db, id: ExceptionId, days: i64) {
    let request = exceptions::stored::load(&mut &*db, id).await.unwrap().request;
    let kept = requests::stored::load(&mut &*db, request).await.unwrap();
    for step in &kept.steps {
        let who = actor(step.waits_for.unwrap().0, &[Role::Member]);
        let answer = Answer {
            verdict: Verdict::Approve,
            reason: String::new(),
            conditions: Vec::new(),
            subject_sha256: kept.subject_sha256.clone(),
        };
        requests::decide(db, by(&who, days), request, &[step.step.place], &answer).await.unwrap();
    }
}

async fn agreed(db: &Db, cast: &Cast, days: i64, wish: &Wish<'_>) -> ExceptionId {
    let id = ask(db, cast, days, wish).await.unwrap();
    agree(db, id, days).await;
    id
}

fn standing() -> Control {
    Control::Finding(FindingKey::LongLivedCredential)
}

async fn at(db: &Db, now: DateTime<Utc>) -> Figures {
    let keeper = keeper();
    figures::figures(db, By { actor: &keeper, now }).await.unwrap()
}

async fn rows(db: &Db, days: i64, query: Query) -> Vec<ExceptionId> {
    let mut out = Vec::new();
    let mut query = Query { limit: Some(2), ..query };
    loop {
        let page = board::board(db, by(&keeper(), days), &query).await.unwrap();
        out.extend(page.items.iter().map(|l| l.id));
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => return out,
        }
    }
}

fn of(which: Which) -> Query {
    Query { which, ..Query::default() }
}

fn state(state: ExceptionState) -> Query {
    of(Which::State(state))
}

async fn the_figures_follow_the_clock(db: Db) {
    let cast = cast(&db).await;
    let (one, two, three) =
        (keyed(&db, &cast, "One").await, keyed(&db, &cast, "Two").await, keyed(&db, &cast, "Three").await);
    let wish = |agents: &[AgentId], why, starts, until| Wish {
        agents: agents.to_vec(),
        control: standing(),
        node: "",
        why,
        starts,
        until,
    };
    let first = agreed(&db, &cast, 10, &wish(&[one, two], "The vault comes.", None, 30)).await;
    let later = agreed(&db, &cast, 10, &wish(&[three], "The other vault comes.", Some(20), 60)).await;
    let micro = TimeDelta::microseconds(1);
    let none = Figures::default();
    // Nothing is folded, then everything is: what is read is the same.
    for folded in [false, true] {
        if folded {
            assert!(figures::fold(&db, day(70)).await.unwrap() > 0);
            assert_eq!(figures::fold(&db, day(70)).await.unwrap(), 0);
        } else {
            assert_eq!(at(&db, day(11)).await, Figures { active: 1, within_30: 1, mean_age: Some(1), ..none });
            assert_eq!(at(&db, day(20) - micro).await.active, 1);
            assert_eq!(at(&db, day(20)).await.active, 2);
            assert_eq!(
                at(&db, day(24)).await,
                Figures { active: 2, within_7: 1, within_30: 1, mean_age: Some(9), ..none }
            );
            let before = at(&db, day(30) - micro).await;
            assert_eq!((before.active, before.breached), (2, 0));
            let after = at(&db, day(30)).await;
            assert_eq!((after.active, after.breached, after.within_7), (1, 1, 0), "two agents, one exception");
            assert_eq!(rows(&db, 30, of(Which::Breached)).await, [first]);
        }
        let over = at(&db, day(70)).await;
        assert_eq!((over.active, over.breached, over.mean_age), (0, 2, None));
    }
    assert_eq!(rows(&db, 70, of(Which::Breached)).await, [first, later]);
    // What is mended is breached no more; the other agent's is.
    let mut facts = agents::read(&db, by(&keeper(), 71), three).await.unwrap().judged.agent.facts;
    facts.credentials.clear();
    let version = agents::read(&db, by(&keeper(), 71), three).await.unwrap().judged.agent.version;
    agents::edit(&db, by(&keeper(), 71), three, version, facts, "").await.unwrap();
    assert_eq!(rows(&db, 71, of(Which::Breached)).await, [first]);
    assert_eq!(at(&db, day(71)).await.breached, 1);
    // A renewal covers it again, from its approval on, and counts as one.
    exceptions::check(&db, by(&actor(cast.identity.0, &[Role::Member]), 71), first, 1, "Late, but done.")
        .await
        .unwrap();
    let again = agreed(&db, &cast, 72, &wish(&[one, two], "The vault is late.", None, 90)).await;
    let now = at(&db, day(73)).await;
    assert_eq!((now.active, now.renewed, now.breached, now.mean_age), (1, 1, 0, Some(1)));
    assert_eq!(rows(&db, 73, Query { renewed: Some(true), ..Query::default() }).await, [again]);
    // Closed early it counts nowhere, and is not said to have expired.
    exceptions::close(&db, by(&cast.risk, 75), again, "The vault is there.").await.unwrap();
    let now = at(&db, day(75)).await;
    assert_eq!((now.active, now.renewed, now.breached), (0, 0, 0));
    assert_eq!(at(&db, day(95)).await, Figures::default());
    figures::fold(&db, day(95)).await.unwrap();
    assert_eq!(at(&db, day(95)).await, Figures::default());
    the_record_holds(&db).await;
}
story!(figures_by_the_clock, super::the_figures_follow_the_clock);

async fn each_filter_leaves_what_it_says(db: Db) {
    let cast = cast(&db).await;
    let (one, two) = (keyed(&db, &cast, "One").await, keyed(&db, &cast, "Two").await);
    let own = |name: &str| Control::Own(name.to_owned());
    let wish = |agents: &[AgentId], control, node, until| Wish {
        agents: agents.to_vec(),
        control,
        node,
        why: "So.",
        starts: None,
        until,
    };
    let key = agreed(&db, &cast, 10, &wish(&[one], standing(), "NHI7", 30)).await;
    let freeze = agreed(&db, &cast, 10, &wish(&[one, two], own("Freeze"), "ASI03", 20)).await;
    let closed = agreed(&db, &cast, 10, &wish(&[two], own("Egress"), "A05", 25)).await;
    exceptions::revoke(&db, by(&actor(cast.identity.0, &[Role::Member]), 12), closed, "It was used.").await.unwrap();
    let asked = ask(&db, &cast, 13, &wish(&[two], own("Logs"), "", 40)).await.unwrap();
    let refused = ask(&db, &cast, 13, &wish(&[two], own("Backups"), "", 41)).await.unwrap();
    let request = exceptions::stored::load(&mut &db, refused).await.unwrap().request;
    requests::withdraw(&db, by(&cast.risk, 14), request, "Not needed.").await.unwrap();

    let now = 15;
    assert_eq!(rows(&db, now, of(Which::All)).await, [freeze, closed, key, asked, refused], "by their ends");
    let newest = Query { sort: Sort::Id, down: true, ..Query::default() };
    assert_eq!(rows(&db, now, newest).await, [refused, asked, closed, freeze, key]);
    assert_eq!(rows(&db, now, state(ExceptionState::Active)).await, [freeze, key]);
    assert_eq!(rows(&db, 20, state(ExceptionState::Expired)).await, [freeze]);
    assert_eq!(rows(&db, now, state(ExceptionState::Requested)).await, [asked]);
    assert_eq!(rows(&db, now, state(ExceptionState::Rejected)).await, [refused]);
    assert_eq!(rows(&db, now, state(ExceptionState::Revoked)).await, [closed]);
    assert_eq!(rows(&db, now, state(ExceptionState::Closed)).await, []);
    // The one that nobody decided ends by silence, as a refusal.
    assert_eq!(rows(&db, 39, state(ExceptionState::Requested)).await, [asked]);
    assert_eq!(rows(&db, 100, state(ExceptionState::Requested)).await, []);
    assert_eq!(rows(&db, 100, state(ExceptionState::Rejected)).await, [asked, refused]);
    let active = || state(ExceptionState::Active);
    assert_eq!(rows(&db, now, Query { within: Some(7), ..active() }).await, [freeze]);
    assert_eq!(rows(&db, now, Query { beyond: Some(7), ..active() }).await, [key]);
    let q = Query::default;
    // Another spelling is the same node; a loose citation keeps its words.
    for node in ["NHI7:2025", "NHI7"] {
        assert_eq!(rows(&db, now, Query { node: Some(node.into()), ..q() }).await, [key]);
    }
    assert_eq!(rows(&db, now, Query { node: Some("A05".into()), ..q() }).await, [closed]);
    assert_eq!(rows(&db, now, Query { control: Some("long-lived-credential".into()), ..q() }).await, [key]);
    assert_eq!(rows(&db, now, Query { agent: Some(one), ..q() }).await, [freeze, key]);
    let identity = Party::Person(cast.identity);
    assert_eq!(rows(&db, now, Query { owner: Some(identity), ..active() }).await, [freeze, key]);
    assert_eq!(rows(&db, now, Query { owner: Some(Party::Person(cast.business)), ..q() }).await, []);
    let tier = exceptions::stored::load(&mut &db, key).await.unwrap().exception.tier;
    assert_eq!(rows(&db, now, Query { tier: Some(tier), ..active() }).await, [freeze, key]);
    assert_eq!(board::nodes(&db, by(&keeper(), now), 10).await.unwrap(), ["A05", "ASI03", "NHI7:2025"]);

    // Back over the edge of a page.
    let page = board::board(&db, by(&keeper(), now), &Query { limit: Some(2), ..q() }).await.unwrap();
    let next = Query { limit: Some(2), cursor: page.next, ..q() };
    let page = board::board(&db, by(&keeper(), now), &next).await.unwrap();
    let back = Query { limit: Some(2), cursor: page.previous, ..q() };
    let page = board::board(&db, by(&keeper(), now), &back).await.unwrap();
    assert_eq!(page.items.iter().map(|l| l.id).collect::<Vec<_>>(), [freeze, closed]);
    let other = Query { sort: Sort::Id, cursor: page.next, ..q() };
    assert!(board::board(&db, by(&keeper(), now), &other).await.is_err(), "a cursor of another order");

    // A row says whom it covers, who owns the control, and when it is checked.
    let line = board::board(&db, by(&keeper(), now), &active()).await.unwrap().items.remove(0);
    assert_eq!((line.agents, line.first.map(|(id, _)| id)), (2, Some(one)));
    assert_eq!(line.owner, Some((identity, "Ida".into())));
    assert_eq!(line.checks.iter().map(|c| (c.at, c.checked)).collect::<Vec<_>>(), [(day(19), false)]);

    // Who has a part sees those; who has none sees nothing, and not the figures.
    let business = actor(cast.business.0, &[Role::Member]);
    let seen = board::board(&db, by(&business, now), &q()).await.unwrap();
    assert_eq!(seen.items.len(), 5, "the business owner of both agents");
    let nobody = person(&db, "Nobody").await;
    let nobody = actor(nobody.0, &[Role::Member]);
    assert!(board::board(&db, by(&nobody, now), &q()).await.unwrap().items.is_empty());
    assert!(matches!(figures::figures(&db, by(&nobody, now)).await, Err(Error::Denied(_))));
    assert!(matches!(one::read(&db, by(&nobody, now), key).await, Err(Error::NotFound(_))));

    // A node that no catalogue has is refused, and nothing else about it.
    let bad = ask(&db, &cast, now, &wish(&[two], own("Tests"), "AC-2", 40)).await.unwrap_err();
    assert_eq!(pointers(bad), ["/node"]);
    the_record_holds(&db).await;
}
story!(filters, super::each_filter_leaves_what_it_says);

async fn one_says_what_stands_around_it(db: Db) {
    let cast = cast(&db).await;
    let agent = keyed(&db, &cast, "One").await;
    let wish = |why, until| Wish { agents: vec![agent], control: standing(), node: "ASI03", why, starts: None, until };
    let first = agreed(&db, &cast, 10, &wish("The vault comes.", 30)).await;
    let found = one::read(&db, by(&keeper(), 31), first).await.unwrap();
    assert!(found.breached);
    assert_eq!(found.agents.iter().map(|a| a.breaks).collect::<Vec<_>>(), [Some(true)]);
    assert!(found.not_renewable.unwrap().contains("was not checked in time"));
    let identity = actor(cast.identity.0, &[Role::Member]);
    exceptions::check(&db, by(&identity, 31), first, 1, "Changed.").await.unwrap();
    let found = one::read(&db, by(&keeper(), 31), first).await.unwrap();
    assert_eq!(found.not_renewable, None);
    let second = agreed(&db, &cast, 32, &wish("It is late.", 60)).await;
    for id in [first, second] {
        let found = one::read(&db, by(&keeper(), 40), id).await.unwrap();
        assert_eq!(found.chain.iter().map(|l| l.id).collect::<Vec<_>>(), [first, second]);
        assert!(!found.breached);
    }
    let request = exceptions::stored::load(&mut &db, second).await.unwrap().request;
    assert_eq!(one::of_request(&db, request).await.unwrap(), Some(second));

    // Its end and its check stand in the calendars of those whose part they are.
    let ends = |due: &[calendar::Due]| due.iter().filter(|d| d.uid == format!("exception-{second}@muster")).count();
    let checks = |due: &[calendar::Due]| due.iter().filter(|d| d.uid.starts_with("control-")).count();
    let theirs = calendar::due(&db, cast.identity, day(40)).await.unwrap();
    assert_eq!((ends(&theirs), checks(&theirs)), (1, 1));
    let asker = cast.risk.person_id().unwrap();
    let asked = calendar::due(&db, asker, day(40)).await.unwrap();
    assert_eq!((ends(&asked), checks(&asked)), (1, 0));
    let others = calendar::due(&db, cast.business, day(40)).await.unwrap();
    assert_eq!((ends(&others), checks(&others)), (0, 0));
    let over = calendar::due(&db, asker, day(60)).await.unwrap();
    assert_eq!(ends(&over), 0);
}
story!(one_exception, super::one_says_what_stands_around_it);
