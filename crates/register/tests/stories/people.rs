//! People: recorded, changed, gone, back; and what follows for the agents they answer for.

use domain::agent::{AgentFacts, Lifecycle, Running};
use domain::assignment::{RaciRole, RuntimeOwner};
use domain::can::{Actor, Denied};
use domain::duty::Duty;
use domain::id::{AgentId, PersonId, TeamId};
use domain::party::{Party, PersonStatus, Role, Roles, TeamKind};
use register::assignments::{self, Mode};
use register::change::Change;
use register::people::{self, Fields, HoldingsQuery, Query};
use register::{Db, Error, agents, audit, posture, settings, systems, teams};

use crate::support::{actor, by, story};

/// Administrator and security lead; nobody recorded, so that stories begin at PE-1.
pub(crate) fn keeper() -> Actor {
    actor(9_000, &[Role::Administrator, Role::SecurityLead])
}

pub(crate) fn called(name: &str) -> Fields {
    let email = format!("{}@example.org", name.to_lowercase().replace(' ', "."));
    Fields { name: name.into(), email, ..Fields::default() }
}

pub(crate) fn roles(list: &[Role]) -> Roles {
    list.iter().copied().collect()
}

pub(crate) async fn person(db: &Db, name: &str) -> PersonId {
    people::create(db, by(&keeper(), 0), &called(name), roles(&[Role::Member])).await.unwrap().id
}

/// A running agent.
pub(crate) async fn agent(db: &Db, name: &str) -> AgentId {
    let mut facts = AgentFacts::named(name);
    facts.running = Running::Yes;
    agents::create(db, by(&keeper(), 0), facts, Lifecycle::Draft).await.unwrap().id
}

pub(crate) async fn owns(db: &Db, party: Party, agent: AgentId, duty: Duty) {
    assignments::assign(db, by(&keeper(), 0), agent, duty, party, Mode::Record, "known").await.unwrap();
}

pub(crate) async fn state(db: &Db, id: AgentId, days: i64) -> Option<RuntimeOwner> {
    agents::read(db, by(&keeper(), days), id).await.unwrap().judged.assessment.runtime_owner.map(|o| o.state)
}

/// The chain is whole, and every row has its event.
pub(crate) async fn the_record_holds(db: &Db) {
    let cli = Actor::cli();
    audit::verify(db, by(&cli, 400), None, |_| {}).await.unwrap();
}

pub(crate) fn pointers(e: Error) -> Vec<String> {
    match e {
        Error::Invalid(wrong) => wrong.into_iter().map(|w| w.pointer).collect(),
        e => panic!("not refused for its input: {e:?}"),
    }
}

async fn unstoppable(db: &Db, days: i64) -> i64 {
    posture::posture(db, by(&keeper(), days)).await.unwrap().unstoppable()
}

async fn recorded_and_changed(db: Db) {
    let me = keeper();
    let made = people::create(
        &db,
        by(&me, 0),
        &Fields {
            name: "  نور الهدى 🦊 ".into(),
            email: " Nour@Example.ORG ".into(),
            title: "Head of <Care>".into(),
            ..Fields::default()
        },
        roles(&[Role::Member, Role::Auditor]),
    )
    .await
    .unwrap();
    assert_eq!((made.id, made.version, made.name.as_str()), (PersonId(1), 1, "نور الهدى 🦊"));
    assert_eq!((made.email.as_str(), made.title.as_str()), ("nour@example.org", "Head of <Care>"));
    assert_eq!(made.roles.to_string(), "member auditor");

    // Everything wrong is said at once, and a second address in other letters is the same.
    let bad = Fields { email: "NOUR@example.org".into(), manager: Some(PersonId(77)), ..Fields::default() };
    let refused = people::create(&db, by(&me, 0), &bad, Roles::NONE).await.unwrap_err();
    assert_eq!(pointers(refused), ["/name", "/email", "/manager"]);

    let boss = person(&db, "Ada Okafor").await;
    let given = Fields { manager: Some(boss), deputy: Some(boss), ..Fields::from(&made.person) };
    let edited = people::edit(&db, by(&me, 1), made.id, 1, &given, None, "moved").await.unwrap();
    assert_eq!((edited.version, edited.manager, edited.deputy), (2, Some(boss), Some(boss)));
    let stale = people::edit(&db, by(&me, 1), made.id, 1, &given, None, "").await;
    assert!(matches!(stale, Err(Error::Stale(2))), "{stale:?}");
    // The same again is no change.
    let same = people::edit(&db, by(&me, 2), made.id, 2, &given, Some(made.roles), "").await.unwrap();
    assert_eq!(same.version, 2);
    let unknown = people::edit(&db, by(&me, 2), PersonId(99), 1, &given, None, "").await;
    assert!(matches!(unknown, Err(Error::NotFound(_))));
    the_record_holds(&db).await;
}

async fn only_administrators_keep_people(db: Db) {
    let id = person(&db, "Ada Okafor").await;
    for role in [Role::SecurityLead, Role::RiskAnalyst, Role::Member, Role::Auditor] {
        let me = actor(id.0, &[role]);
        let denied =
            |e: Result<people::Recorded, Error>| assert!(matches!(e, Err(Error::Denied(Denied::Forbidden(_)))));
        denied(people::create(&db, by(&me, 0), &called("X Y"), Roles::NONE).await);
        denied(people::edit(&db, by(&me, 0), id, 1, &called("X Y"), Some(roles(&[Role::Administrator])), "").await);
        assert!(matches!(people::leave(&db, by(&me, 0), id, None, "x").await, Err(Error::Denied(_))));
        assert!(people::read(&db, by(&me, 0), id).await.is_ok());
    }
    // A program may keep people, and grants nothing.
    let scim = Actor::token(domain::id::TokenId(1), vec![domain::can::Scope::Scim]);
    let mut with_scim = scim.clone();
    with_scim.roles = roles(&[Role::Administrator]);
    assert!(people::create(&db, by(&with_scim, 0), &called("By Scim"), Roles::NONE).await.is_ok());
    let grants = people::create(&db, by(&with_scim, 0), &called("By Scim Two"), roles(&[Role::Member])).await;
    assert!(matches!(grants, Err(Error::Denied(_))));
}

async fn no_circles_of_managers(db: Db) {
    let me = keeper();
    let (a, b, c) = (person(&db, "A A").await, person(&db, "B B").await, person(&db, "C C").await);
    let under = async |who: PersonId, name: &str, manager: PersonId| {
        let version = people::load(&mut &db, who).await.unwrap().unwrap().version;
        let given = Fields { manager: Some(manager), ..called(name) };
        people::edit(&db, by(&me, 1), who, version, &given, None, "").await
    };
    assert_eq!(pointers(under(a, "A A", a).await.unwrap_err()), ["/manager"]);
    under(a, "A A", b).await.unwrap();
    under(b, "B B", c).await.unwrap();
    assert_eq!(pointers(under(c, "C C", a).await.unwrap_err()), ["/manager"]);
    let own = Fields { deputy: Some(a), manager: Some(b), ..called("A A") };
    assert_eq!(pointers(people::edit(&db, by(&me, 1), a, 2, &own, None, "").await.unwrap_err()), ["/deputy"]);
    let names: Vec<_> = people::chain_of_managers(&mut &db, a).await.unwrap().into_iter().map(|n| n.name).collect();
    assert_eq!(names, ["B B", "C C"]);

    // Two at once that together would close a circle: one of them is refused.
    let (xi, yo) = (person(&db, "X X").await, person(&db, "Y Y").await);
    let (one, two) = tokio::join!(under(xi, "X X", yo), under(yo, "Y Y", xi));
    assert_eq!(u8::from(one.is_ok()) + u8::from(two.is_ok()), 1, "{one:?} {two:?}");
}

async fn leaving_is_a_gap_at_once(db: Db) {
    let me = keeper();
    let (ada, bo) = (person(&db, "Ada Okafor").await, person(&db, "Bo Lind").await);
    let fields = teams::Fields {
        name: "Platform".into(),
        kind: TeamKind::Platform,
        lead: Some(ada),
        deputy: Some(bo),
        members: Some(vec![bo]),
    };
    let team = teams::create(&db, by(&me, 0), &fields).await.unwrap().id;
    let (mine, ours, offered, others) =
        (agent(&db, "Mine").await, agent(&db, "Ours").await, agent(&db, "Offered").await, agent(&db, "Theirs").await);
    owns(&db, Party::Person(ada), mine, Duty::Containment).await;
    owns(&db, Party::Person(ada), mine, Duty::Purpose).await;
    owns(&db, Party::Team(team), ours, Duty::Containment).await;
    owns(&db, Party::Person(bo), others, Duty::Containment).await;
    assignments::assign(&db, by(&me, 0), offered, Duty::Containment, Party::Person(ada), Mode::Offer, "")
        .await
        .unwrap();
    assert_eq!(unstoppable(&db, 1).await, 1, "only what is merely offered");

    let impact = people::impact(&db, by(&me, 1), ada).await.unwrap();
    let told: Vec<_> = impact.orphans.iter().map(|o| (o.agent, o.duty, o.team)).collect();
    assert_eq!(
        told,
        [(mine, Duty::Containment, None), (ours, Duty::Containment, Some(team)), (mine, Duty::Purpose, None)]
    );
    assert_eq!((impact.total, impact.own, impact.more, impact.agents), (3, 2, false, 2));
    assert_eq!((impact.unstoppable, impact.duties[&Duty::Containment]), (2, 2));
    assert_eq!(impact.teams[0].next[0].id, bo);

    let no_reason = people::leave(&db, by(&me, 2), ada, None, "  ").await.unwrap_err();
    assert_eq!(pointers(no_reason), ["/reason"]);
    let gone = people::leave(&db, by(&me, 2), ada, Some(1), "left the company").await.unwrap();
    assert_eq!((gone.person.status, gone.person.left_at), (PersonStatus::Left, Some(crate::support::day(2))));
    assert_eq!(gone.agents, 3, "what she holds, what her team holds, what she was offered");
    assert_eq!(state(&db, mine, 2).await, Some(RuntimeOwner::Inactive));
    assert_eq!(state(&db, ours, 2).await, Some(RuntimeOwner::Inactive));
    assert_eq!(state(&db, others, 2).await, Some(RuntimeOwner::Unable));
    assert_eq!(unstoppable(&db, 2).await, 3, "the counters say so in the same second");
    let twice = people::leave(&db, by(&me, 2), ada, None, "again").await;
    assert!(matches!(twice, Err(Error::Conflict(_))));

    // Whoever left is not made manager, lead or member; what was already so stays.
    let under = Fields { manager: Some(ada), ..called("Bo Lind") };
    assert_eq!(pointers(people::edit(&db, by(&me, 2), bo, 1, &under, None, "").await.unwrap_err()), ["/manager"]);
    let led = teams::Fields { name: "Other".into(), deputy: None, members: Some(vec![ada]), ..fields.clone() };
    assert_eq!(pointers(teams::create(&db, by(&me, 2), &led).await.unwrap_err()), ["/lead", "/members/0"]);

    // Her team is led by somebody else: it answers again; she comes back: so does she.
    let renewed = teams::Fields { lead: Some(bo), deputy: None, members: None, ..fields };
    teams::edit(&db, by(&me, 3), team, Some(1), &renewed, "Ada left").await.unwrap();
    assert_eq!(state(&db, ours, 3).await, Some(RuntimeOwner::Unable));
    assert_eq!(state(&db, mine, 3).await, Some(RuntimeOwner::Inactive));
    people::come_back(&db, by(&me, 4), ada, None, "returned").await.unwrap();
    assert_eq!(state(&db, mine, 4).await, Some(RuntimeOwner::Unable));
    assert_eq!(unstoppable(&db, 4).await, 1);
    let history = audit::history(&db, by(&me, 5), &ada.to_string(), None, 50).await.unwrap();
    let actions: Vec<_> = history.items.iter().map(|e| e.action.as_str()).collect();
    assert_eq!(actions, ["person.returned", "person.left", "person.created"]);
    the_record_holds(&db).await;
}

async fn one_administrator_always_stays(db: Db) {
    let cli = Actor::cli();
    let admin = roles(&[Role::Administrator, Role::SecurityLead]);
    let one = people::create(&db, by(&cli, 0), &called("One One"), admin).await.unwrap();
    let by_one = Actor::person(one.id, admin);
    assert_eq!(
        people::sole_holder_of(&mut &db, &one).await.unwrap(),
        [Role::Administrator, Role::SecurityLead],
        "there is nobody else"
    );
    let gives_up = people::edit(&db, by(&by_one, 1), one.id, 1, &called("One One"), Some(Roles::NONE), "").await;
    assert!(matches!(&gives_up, Err(Error::Conflict(s)) if s.contains("last active administrator")), "{gives_up:?}");
    let leaves = people::leave(&db, by(&by_one, 1), one.id, None, "x").await;
    assert!(matches!(leaves, Err(Error::Conflict(_))));

    let two = people::create(&db, by(&by_one, 1), &called("Two Two"), roles(&[Role::Administrator])).await.unwrap();
    assert_eq!(people::sole_holder_of(&mut &db, &one).await.unwrap(), [Role::SecurityLead]);
    // Both at once would leave nobody: exactly one may go.
    let by_two = Actor::person(two.id, two.roles);
    let same = called("Two Two");
    let (first, second) = tokio::join!(
        people::leave(&db, by(&by_one, 2), one.id, None, "race"),
        people::edit(&db, by(&by_two, 2), two.id, 1, &same, Some(roles(&[Role::Member])), "race")
    );
    assert_eq!(u8::from(first.is_ok()) + u8::from(second.is_ok()), 1, "{first:?} {second:?}");
    let left =
        people::list(&db, by(&cli, 3), &Query { role: Some(Role::Administrator), ..Query::default() }).await.unwrap();
    assert!(left.items.iter().any(|p| p.status == PersonStatus::Active));
    the_record_holds(&db).await;
}

async fn set_up_happens_once(db: Db) {
    // People may be recorded before anybody can sign in.
    person(&db, "Ada Okafor").await;
    let muster = Actor::muster();
    let set_up = async |email: &str| {
        let mut change = Change::begin(&db, by(&muster, 0)).await?;
        let id = people::insert_first(&mut change, "First Person", email).await?;
        register::passwords::store_in(&mut change, id, "a hash").await?;
        change.commit().await?;
        Ok::<PersonId, Error>(id)
    };
    let (one, two) = tokio::join!(set_up("a@example.org"), set_up("b@example.org"));
    let (Ok(id), Err(Error::Conflict(_))) = (if one.is_ok() { (one, two) } else { (two, one) }) else {
        panic!("exactly one sets up");
    };
    let first = people::load(&mut &db, id).await.unwrap().unwrap();
    assert!(first.roles.has(Role::Administrator) && first.roles.has(Role::SecurityLead));
    the_record_holds(&db).await;
}

async fn found_by_what_one_types(db: Db) {
    let me = keeper();
    let names = ["Ada Okafor", "Ada Lovelace", "Åsa Öberg", "Zoë 100%", "Zoë 100x", "王 小明"];
    for (n, name) in names.into_iter().enumerate() {
        let f = Fields { email: format!("p{n}@example.org"), ..called(name) };
        people::create(&db, by(&me, 0), &f, roles(&[Role::Member])).await.unwrap();
    }
    let list = async |q: &str| -> Vec<String> {
        let page = people::list(&db, by(&me, 1), &Query { q: q.into(), ..Query::default() }).await.unwrap();
        assert_eq!(page.total, Some(page.items.len() as i64));
        page.items.into_iter().map(|p| p.name).collect()
    };
    assert_eq!(list("ada").await, ["Ada Lovelace", "Ada Okafor"]);
    assert_eq!(list("okaf").await, ["Ada Okafor"], "the beginning of any word");
    assert_eq!(list("OKAFOR ada").await, ["Ada Okafor"], "words in any order");
    assert_eq!(list("dalov").await, [] as [&str; 0]);
    assert_eq!(list("åsa").await, ["Åsa Öberg"]);
    assert_eq!(list("100%").await, ["Zoë 100%"], "a pattern's letters mean themselves");
    assert_eq!(list("小").await, ["王 小明"]);
    assert_eq!(list("pe-2").await, ["Ada Lovelace"]);
    assert_eq!(list("\u{0}ada\u{0}").await.len(), 2);
    assert_eq!(list("%").await, [] as [&str; 0]);

    let found = async |typed: &str| people::resolve(&mut &db, typed).await.unwrap();
    assert_eq!(found("Ada Okafor (PE-2)").await.unwrap().id, PersonId(2), "the reference decides");
    assert_eq!(found("ada okafor").await.unwrap().id, PersonId(1));
    // Part of a name decides nothing, even where it fits one alone.
    for part in ["ada o", "Ada Okafo", "okafor"] {
        let unclear = found(part).await.unwrap_err();
        assert_eq!(unclear.fits.iter().map(|f| f.party.to_string()).collect::<Vec<_>>(), ["PE-1"], "{part}");
    }
    let several = found("Ada").await.unwrap_err();
    assert_eq!(several.fits.len(), 2, "{several:?}");
    assert!(several.clone().told("Ada").contains("Ada Okafor (PE-1)"), "{several:?}");
    assert!(found("nobody").await.unwrap_err().sentence.contains("Nobody is called"));
    assert!(found("PE-99").await.is_err() && found("x@y.z").await.is_err() && found(" \u{0} ").await.is_err());
    assert_eq!(found("pe-1").await.unwrap().id, PersonId(1));
    // Of two with one name nobody is guessed, even when one has left.
    let twin = people::Fields { name: "ADA okafor".into(), email: "twin@x.test".into(), ..people::Fields::default() };
    let twin = people::create(&db, by(&me, 1), &twin, Roles::NONE).await.unwrap().id;
    let both = found("Ada Okafor").await.unwrap_err().fits;
    assert_eq!(both.len(), 2, "{both:?}");
    people::leave(&db, by(&me, 1), twin, None, "x").await.unwrap();
    let both = found("Ada Okafor").await.unwrap_err().fits;
    assert!(both.len() == 2 && both[1].note.ends_with(", left"), "{both:?}");
    assert_eq!(found("twin@x.test").await.unwrap().id, twin);
    people::leave(&db, by(&me, 1), PersonId(2), None, "x").await.unwrap();
    assert_eq!(found("Ada").await.unwrap_err().fits.len(), 1, "who left is no choice");
}

async fn a_second_handover_takes_nothing_back_silently(db: Db) {
    let me = keeper();
    let ravi = person(&db, "Ravi").await;
    let priya = person(&db, "Priya").await;
    let sam = person(&db, "Sam").await;
    let one = agent(&db, "One").await;
    let two = agent(&db, "Two").await;
    for id in [one, two] {
        owns(&db, Party::Person(ravi), id, Duty::Purpose).await;
    }
    let hand = async |to: PersonId, back: bool| {
        people::hand_over(&db, by(&me, 9), ravi, Party::Person(to), back, "moving on").await
    };
    assert!(people::away(&db, by(&me, 9), ravi).await.unwrap().is_empty());
    assert_eq!(hand(priya, false).await.unwrap().offered, 2);
    let away = people::away(&db, by(&me, 9), ravi).await.unwrap();
    assert_eq!((away.len(), away[0].party, away[0].count), (1, Party::Person(priya), 2));
    assert!(away[0].told().starts_with("2 duties are offered to Priya since "), "{}", away[0].told());
    assert!(matches!(hand(priya, false).await, Err(Error::Conflict(s)) if s.contains("already")));
    match hand(sam, false).await {
        Err(Error::Conflict(sentence)) => assert!(sentence.contains("offered to Priya"), "{sentence}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(people::away(&db, by(&me, 9), ravi).await.unwrap(), away, "nothing was written");
    let done = hand(sam, true).await.unwrap();
    assert_eq!((done.offered, done.taken_back.len(), done.taken_back[0].count), (2, 1, 2));
    let away = people::away(&db, by(&me, 9), ravi).await.unwrap();
    assert_eq!((away.len(), away[0].party), (1, Party::Person(sam)));
    // Who is neither them nor may offer any agent's duties learns nothing of it.
    let other = actor(priya.0, &[Role::Member]);
    let to = Party::Person(sam);
    assert!(matches!(people::hand_over(&db, by(&other, 9), ravi, to, true, "x").await, Err(Error::Denied(_))));
    the_record_holds(&db).await;
}

async fn pages_go_both_ways(db: Db) {
    let me = keeper();
    for n in 0..25 {
        person(&db, &format!("Person {n:02}")).await;
    }
    for n in [3, 4] {
        people::leave(&db, by(&me, 1), PersonId(n), None, "x").await.unwrap();
    }
    for down in [false, true] {
        let page = async |cursor: Option<String>| {
            people::list(&db, by(&me, 1), &Query { limit: 10, down, cursor, ..Query::default() }).await.unwrap()
        };
        let one = page(None).await;
        let two = page(one.next.clone()).await;
        let three = page(two.next.clone()).await;
        assert_eq!((one.items.len(), two.items.len(), three.items.len()), (10, 10, 5));
        assert!(one.previous.is_none() && three.next.is_none() && one.total == Some(25));
        let back = page(three.previous.clone()).await;
        assert_eq!(back.items, two.items);
        assert_eq!(page(back.previous).await.items, one.items);
        let names: Vec<_> = [one, two, three].into_iter().flat_map(|p| p.items).map(|p| p.name).collect();
        let mut sorted = names.clone();
        sorted.sort();
        if down {
            sorted.reverse();
        }
        assert_eq!(names, sorted);
    }
    let left = Query { status: Some(PersonStatus::Left), ..Query::default() };
    assert_eq!(people::list(&db, by(&me, 1), &left).await.unwrap().total, Some(2));
    let wrong = Query { cursor: Some("nonsense".into()), ..Query::default() };
    assert_eq!(pointers(people::list(&db, by(&me, 1), &wrong).await.unwrap_err()), ["/cursor"]);
}

/// A leaver with two hundred agents: gaps at that second, one form hands it all over, the
/// receiver accepts, and no duty ever had two owners or, while somebody held it, none.
async fn two_hundred_agents_change_hands(db: Db) {
    let me = keeper();
    let (ada, bo) = (person(&db, "Ada Okafor").await, person(&db, "Bo Lind").await);
    let mut ids = Vec::new();
    for n in 0..200 {
        ids.push(agent(&db, &format!("Handed {n}")).await);
    }
    let duties = [Duty::Containment, Duty::Purpose];
    for duty in duties {
        let done = assignments::assign_many(&db, by(&me, 0), &ids, duty, Party::Person(ada), Mode::Record, "known");
        assert_eq!(done.await.unwrap().done.len(), 200);
    }
    assert_eq!(unstoppable(&db, 1).await, 0);
    let owners = async |days: i64| -> Vec<Party> {
        let mut out = Vec::new();
        for id in &ids {
            let view = agents::read(&db, by(&keeper(), days), *id).await.unwrap();
            for duty in duties {
                let of: Vec<Party> = view
                    .judged
                    .held
                    .iter()
                    .filter(|h| h.duty == duty && h.role == domain::assignment::RaciRole::Accountable)
                    .map(|h| h.party)
                    .collect();
                assert_eq!(of.len(), 1, "{id} {duty}");
                out.extend(of);
            }
        }
        out
    };
    people::leave(&db, by(&me, 1), ada, None, "left").await.unwrap();
    assert_eq!(unstoppable(&db, 1).await, 200, "on the next request");
    assert!(owners(1).await.iter().all(|p| *p == Party::Person(ada)), "nothing is reassigned silently");
    let over = people::hand_over(&db, by(&me, 2), ada, Party::Person(bo), false, "he takes it").await.unwrap();
    assert_eq!((over.offered, over.skipped.len(), over.more), (400, 0, false));
    assert!(owners(2).await.iter().all(|p| *p == Party::Person(ada)));
    let him = actor(bo.0, &[Role::Member]);
    let (waiting, total) = assignments::waiting(&db, bo, crate::support::day(3), 500).await.unwrap();
    assert_eq!((waiting.len(), total), (400, 400));
    let offers: Vec<_> = waiting.iter().map(|w| (w.of, w.duty)).collect();
    assert_eq!(assignments::answer(&db, by(&him, 3), &offers, true, "").await.unwrap(), 400);
    assert!(owners(3).await.iter().all(|p| *p == Party::Person(bo)));
    assert_eq!(unstoppable(&db, 3).await, 0);
    the_record_holds(&db).await;
}

async fn what_they_hold_without_what_is_confidential(db: Db) {
    let me = keeper();
    let (ada, bo) = (person(&db, "Ada Okafor").await, person(&db, "Bo Lind").await);
    let open = agent(&db, "Open").await;
    let mut facts = AgentFacts::named("Hidden");
    facts.confidential = true;
    let hidden = agents::create(&db, by(&me, 0), facts, Lifecycle::Draft).await.unwrap().id;
    for a in [open, hidden] {
        owns(&db, Party::Person(ada), a, Duty::Purpose).await;
        assignments::assign(&db, by(&me, 0), a, Duty::Policy, Party::Person(ada), Mode::Offer, "").await.unwrap();
    }
    let held = async |who: &Actor| -> Vec<String> {
        let page = people::holdings(&db, by(who, 1), Party::Person(ada), &HoldingsQuery::default()).await.unwrap();
        let offers = people::offers_to(&db, by(who, 1), &[Party::Person(ada)], 10).await.unwrap();
        let impact = people::impact(&db, by(who, 1), ada).await.unwrap();
        assert_eq!((page.total, offers.1), (Some(page.items.len() as i64), Some(page.items.len() as i64)));
        assert_eq!(impact.total, page.items.len() as i64);
        page.items.into_iter().map(|h| h.name).collect()
    };
    assert_eq!(held(&me).await, ["Open", "Hidden"]);
    assert_eq!(held(&actor(ada.0, &[Role::Member])).await, ["Open", "Hidden"], "her own");
    assert_eq!(held(&actor(bo.0, &[Role::Member])).await, ["Open"]);
    assert_eq!(held(&actor(bo.0, &[Role::Auditor])).await, ["Open", "Hidden"]);

    // What is offered to them of a system is among it.
    let crew =
        systems::Fields { name: "Crew".into(), kind: domain::system::SystemKind::MultiAgent, purpose: String::new() };
    let crew = systems::create(&db, by(&me, 0), &crew).await.unwrap().id;
    let wanted = assignments::Wanted { duty: Duty::Identity, party: Party::Person(ada), role: RaciRole::Accountable };
    assignments::put(&db, by(&me, 1), crew, Some(1), &[wanted], "set up").await.unwrap();
    let by_bo = actor(bo.0, &[Role::Member]);
    let (offers, count) = people::offers_to(&db, by(&by_bo, 2), &[Party::Person(ada)], 10).await.unwrap();
    let named: Vec<_> = offers.iter().map(|o| (o.of.to_string(), o.name.as_str())).collect();
    assert_eq!((named.last(), count), (Some(&(crew.to_string(), "Crew")), Some(2)));

    let page = async |cursor| {
        let q = HoldingsQuery { limit: 1, cursor, ..HoldingsQuery::default() };
        people::holdings(&db, by(&me, 1), Party::Person(ada), &q).await.unwrap()
    };
    let one = page(None).await;
    let two = page(one.next.clone()).await;
    assert_eq!((one.items[0].agent, two.items[0].agent, two.next.is_none()), (open, hidden, true));
    assert_eq!(page(two.previous).await.items, one.items);
}

async fn systems_have_members(db: Db) {
    let me = keeper();
    let given = systems::Fields {
        name: "Dispatch".into(),
        kind: domain::system::SystemKind::MultiAgent,
        purpose: "Trucks".into(),
    };
    let made = systems::create(&db, by(&me, 0), &given).await.unwrap();
    assert_eq!(pointers(systems::create(&db, by(&me, 0), &given).await.unwrap_err()), ["/name"]);
    let mut facts = AgentFacts::named("Router");
    facts.parent = Some(made.id);
    agents::create(&db, by(&me, 0), facts, Lifecycle::Draft).await.unwrap();
    let member = actor(5, &[Role::Member]);
    let view = systems::read(&db, by(&member, 1), made.id).await.unwrap();
    assert_eq!((view.members.len(), view.members[0].name.as_str()), (1, "Router"));
    assert!(matches!(systems::create(&db, by(&member, 1), &given).await, Err(Error::Denied(_))));
    let renamed = systems::Fields { name: "DISPATCH".into(), ..given };
    assert_eq!(systems::edit(&db, by(&me, 2), made.id, Some(1), &renamed, "").await.unwrap().version, 2);
    assert!(matches!(systems::edit(&db, by(&me, 2), made.id, Some(1), &renamed, "").await, Err(Error::Stale(2))));
    let page = systems::list(&db, by(&member, 1), &systems::Query { q: "disp".into(), ..Default::default() }).await;
    assert_eq!(page.unwrap().items[0].name, "DISPATCH");
    the_record_holds(&db).await;
}

async fn settings_are_kept_with_their_event(db: Db) {
    let me = keeper();
    let (before, version) = settings::read(&db, by(&me, 0)).await.unwrap();
    assert_eq!((before.wave_days, version), (90, 0));
    let bad = settings::Settings { wave_days: 0, oncall_team: Some(TeamId(7)), organisation: "a\u{0}".into() };
    let refused = settings::write(&db, by(&me, 0), Some(0), &bad).await.unwrap_err();
    assert_eq!(pointers(refused), ["/organisation", "/wave_days", "/oncall_team"]);
    let ada = person(&db, "Ada Okafor").await;
    let team = teams::Fields {
        name: "On call".into(),
        kind: TeamKind::Security,
        lead: Some(ada),
        deputy: None,
        members: None,
    };
    let team = teams::create(&db, by(&me, 0), &team).await.unwrap().id;
    let wanted = settings::Settings { organisation: "Halden Freight".into(), oncall_team: Some(team), wave_days: 30 };
    settings::write(&db, by(&me, 1), Some(0), &wanted).await.unwrap();
    let (kept, version) = settings::read(&db, by(&actor(5, &[Role::Member]), 1)).await.unwrap();
    assert_eq!(kept, wanted);
    let stale = settings::write(&db, by(&me, 1), Some(0), &before).await;
    assert!(matches!(stale, Err(Error::Stale(v)) if v == version), "{stale:?}");
    let denied = settings::write(&db, by(&actor(5, &[Role::SecurityLead]), 1), None, &before).await;
    assert!(matches!(denied, Err(Error::Denied(_))));
    the_record_holds(&db).await;
}

story!(two_hundred, super::two_hundred_agents_change_hands);
story!(a_second_handover_names_the_first, super::a_second_handover_takes_nothing_back_silently);
story!(a_person_is_recorded_and_changed, super::recorded_and_changed);
story!(nobody_else_keeps_people, super::only_administrators_keep_people);
story!(managers_form_no_circle, super::no_circles_of_managers);
story!(who_leaves_leaves_a_gap_at_once, super::leaving_is_a_gap_at_once);
story!(the_last_administrator_stays, super::one_administrator_always_stays);
story!(muster_is_set_up_once, super::set_up_happens_once);
story!(people_are_found, super::found_by_what_one_types);
story!(a_list_is_walked_both_ways, super::pages_go_both_ways);
story!(holdings_hide_what_is_confidential, super::what_they_hold_without_what_is_confidential);
story!(a_system_has_members, super::systems_have_members);
story!(settings_have_events, super::settings_are_kept_with_their_event);
