//! Teams: a lead who is here, dated members, and what a change of either means for agents.

use domain::agent::{AgentFacts, Lifecycle};
use domain::assignment::RuntimeOwner;
use domain::duty::Duty;
use domain::finding::FindingKey;
use domain::id::{AgentId, PersonId, TeamId};
use domain::party::{Party, Role, Roles, TeamKind};
use register::people::Among;
use register::teams::{self, Fields, Query};
use register::{Db, Error, agents, args, assignments, people};

use crate::people::{agent, keeper, owns, person, pointers, state, the_record_holds};
use crate::support::{actor, by, story};

fn team(name: &str, lead: Option<PersonId>) -> Fields {
    Fields { name: name.into(), kind: TeamKind::Platform, lead, deputy: None, members: None }
}

async fn made_and_changed(db: Db) {
    let me = actor(9_000, &[Role::SecurityLead]);
    let (ada, bo) = (person(&db, "Ada Okafor").await, person(&db, "Bo Lind").await);
    let given = Fields { members: Some(vec![bo, ada, bo]), ..team(" منصة 🚚 ", Some(ada)) };
    let made = teams::create(&db, by(&me, 0), &given).await.unwrap();
    assert_eq!((made.id, made.name.as_str(), made.version), (TeamId(1), "منصة 🚚", 1));
    let view = teams::read(&db, by(&me, 0), made.id).await.unwrap();
    assert_eq!(view.members.iter().map(|m| m.person.id).collect::<Vec<_>>(), [ada, bo]);
    assert!(!view.leaderless);

    let twice = teams::create(&db, by(&me, 0), &team("منصة  🚚", None)).await.unwrap_err();
    assert_eq!(pointers(twice), ["/name"], "names are compared folded");
    let bad = Fields { deputy: Some(ada), members: Some(vec![PersonId(88)]), ..team("", Some(ada)) };
    assert_eq!(pointers(teams::create(&db, by(&me, 0), &bad).await.unwrap_err()), ["/name", "/deputy", "/members/0"]);
    let member = actor(ada.0, &[Role::Member]);
    assert!(matches!(teams::create(&db, by(&member, 0), &team("X", None)).await, Err(Error::Denied(_))));

    let renamed = Fields { kind: TeamKind::Security, ..team("Platform", Some(ada)) };
    let edited = teams::edit(&db, by(&me, 1), made.id, Some(1), &renamed, "clearer").await.unwrap();
    assert_eq!((edited.version, edited.kind), (2, TeamKind::Security));
    assert_eq!(edited.lead_since, made.lead_since, "the same lead leads since then");
    let stale = teams::edit(&db, by(&me, 1), made.id, Some(1), &renamed, "").await;
    assert!(matches!(stale, Err(Error::Stale(2))));
    assert_eq!(teams::edit(&db, by(&me, 2), made.id, None, &renamed, "").await.unwrap().version, 2, "no change");
    the_record_holds(&db).await;
}

async fn members_come_and_go(db: Db) {
    let me = keeper();
    let (ada, bo) = (person(&db, "Ada Okafor").await, person(&db, "Bo Lind").await);
    let id = teams::create(&db, by(&me, 0), &team("Platform", Some(ada))).await.unwrap().id;
    teams::join(&db, by(&me, 1), id, bo).await.unwrap();
    assert_eq!(pointers(teams::join(&db, by(&me, 1), id, bo).await.unwrap_err()), ["/person"]);
    assert_eq!(pointers(teams::join(&db, by(&me, 1), id, PersonId(88)).await.unwrap_err()), ["/person"]);
    teams::part(&db, by(&me, 2), id, bo).await.unwrap();
    assert!(matches!(teams::part(&db, by(&me, 2), id, bo).await, Err(Error::Conflict(_))));
    teams::join(&db, by(&me, 3), id, bo).await.unwrap();
    let rows =
        db.all("SELECT since, until FROM team_member WHERE person_id = $1 ORDER BY id", args![bo]).await.unwrap();
    let spans: Vec<(i64, Option<i64>)> = rows.iter().map(|r| (r.get(0).unwrap(), r.get(1).unwrap())).collect();
    let at = |days| crate::support::day(days).timestamp_micros();
    assert_eq!(spans, [(at(1), Some(at(2))), (at(3), None)], "closed, not deleted");
    let mine = people::teams_of(&mut &db, bo).await.unwrap();
    assert_eq!((mine.len(), mine[0].part), (1, people::Part::Member));
    the_record_holds(&db).await;
}

async fn a_team_answers_while_somebody_leads(db: Db) {
    let me = keeper();
    let (ada, bo) = (person(&db, "Ada Okafor").await, person(&db, "Bo Lind").await);
    let id = teams::create(&db, by(&me, 0), &team("Platform", Some(ada))).await.unwrap().id;
    let ours = agent(&db, "Ours").await;
    owns(&db, Party::Team(id), ours, Duty::Containment).await;
    assert_eq!(state(&db, ours, 0).await, Some(RuntimeOwner::Unable));
    teams::edit(&db, by(&me, 1), id, Some(1), &team("Platform", None), "").await.unwrap();
    assert_eq!(state(&db, ours, 1).await, Some(RuntimeOwner::Inactive));
    let led = async |led: bool| {
        let q = Query { led: Some(led), ..Query::default() };
        teams::list(&db, by(&me, 1), &q).await.unwrap().items.len()
    };
    assert_eq!((led(true).await, led(false).await), (0, 1));
    let edited = teams::edit(&db, by(&me, 2), id, None, &team("Platform", Some(bo)), "").await.unwrap();
    assert_eq!(edited.lead_since, Some(crate::support::day(2)));
    assert_eq!(state(&db, ours, 2).await, Some(RuntimeOwner::Unable));
    assert_eq!((led(true).await, led(false).await), (1, 0));
    // Who was named at a moment is who led the team then, whatever was changed since.
    teams::edit(&db, by(&me, 3), id, None, &team("Platform \"lead\":", Some(bo)), "").await.unwrap();
    for (day, named) in [(0, Some(ada)), (1, None), (2, Some(bo)), (4, Some(bo))] {
        let then = assignments::accountability(&db, by(&me, 5), ours, crate::support::day(day)).await.unwrap();
        assert_eq!(then.duties[0].named.as_ref().map(|(id, _)| *id), named, "day {day}");
        assert_eq!(then.duties[0].party, Party::Team(id));
    }
}

async fn splits(db: &Db, id: AgentId) -> bool {
    let view = agents::read(db, by(&keeper(), 9), id).await.unwrap();
    let stored = db
        .one("SELECT 1 FROM finding WHERE agent_id = $1 AND key = 'lifecycle-split'", args![id])
        .await
        .unwrap()
        .is_some();
    let judged = view.judged.assessment.findings.iter().any(|f| f.key == FindingKey::LifecycleSplit);
    assert_eq!(stored, judged, "what is stored is what would be found now");
    judged
}

async fn being_inside_the_team_mends_a_split(db: Db) {
    let me = keeper();
    let (ada, bo) = (person(&db, "Ada Okafor").await, person(&db, "Bo Lind").await);
    let id = teams::create(&db, by(&me, 0), &team("Platform", Some(ada))).await.unwrap().id;
    let mut facts = AgentFacts::named("Operated");
    facts.operated_by = Some(id);
    let operated = agents::create(&db, by(&me, 0), facts, Lifecycle::Draft).await.unwrap().id;
    owns(&db, Party::Person(bo), operated, Duty::Containment).await;
    assert!(splits(&db, operated).await);
    teams::join(&db, by(&me, 1), id, bo).await.unwrap();
    assert!(!splits(&db, operated).await);
    teams::part(&db, by(&me, 2), id, bo).await.unwrap();
    assert!(splits(&db, operated).await);
    teams::edit(&db, by(&me, 3), id, None, &team("Platform", Some(bo)), "").await.unwrap();
    assert!(!splits(&db, operated).await, "the lead is inside");
}

async fn found_by_name(db: Db) {
    let me = keeper();
    for name in ["Agent platform", "Platform east", "API gateway"] {
        teams::create(&db, by(&me, 0), &team(name, None)).await.unwrap();
    }
    let list = async |q: &str| -> Vec<String> {
        let page = teams::list(&db, by(&me, 1), &Query { q: q.into(), ..Query::default() }).await.unwrap();
        page.items.into_iter().map(|t| t.name).collect()
    };
    assert_eq!(list("platform").await, ["Agent platform", "Platform east"]);
    assert_eq!(list("te-3").await, ["API gateway"]);
    assert_eq!(list("").await.len(), 3);
    let found = async |typed: &str| people::meant(&mut &db, typed, Among::Teams).await.unwrap();
    assert_eq!(found("agent PLATFORM").await.unwrap().0, Party::Team(TeamId(1)));
    assert_eq!(found("API gateway (TE-3)").await.unwrap().0, Party::Team(TeamId(3)));
    assert_eq!(found("plat").await.unwrap_err().fits.len(), 2, "by any word");
    assert_eq!(found("API").await.unwrap_err().fits.len(), 1, "one that fits is a choice, not an answer");
    assert!(found("z").await.is_err() && found("").await.is_err() && found("TE-9").await.is_err());
    assert!(found("PE-1").await.is_err(), "a person is no team");
    // A person and a team of one name: say which.
    let given = people::Fields { name: "api Gateway".into(), email: "a@x.test".into(), ..people::Fields::default() };
    people::create(&db, by(&me, 1), &given, Roles::NONE).await.unwrap();
    let both = people::meant(&mut &db, "API gateway", Among::Parties).await.unwrap().unwrap_err();
    assert_eq!(both.fits.len(), 2, "{both:?}");
}

story!(a_team_is_made_and_changed, super::made_and_changed);
story!(membership_is_dated, super::members_come_and_go);
story!(a_leaderless_team_owns_nothing, super::a_team_answers_while_somebody_leads);
story!(membership_decides_a_split, super::being_inside_the_team_mends_a_split);
story!(teams_are_found, super::found_by_name);
