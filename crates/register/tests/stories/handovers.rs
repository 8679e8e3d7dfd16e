//! Handovers: offered by the team that built it, answered by the team that operates it.

use domain::agent::{AgentFacts, Lifecycle};
use domain::can::Actor;
use domain::finding::FindingKey;
use domain::handover::HandoverState;
use domain::id::{AgentId, TeamId};
use domain::party::Role;
use register::agents::list::{self, Query};
use register::{Db, Error, agents, audit, handovers};

use crate::support::{actor, by, story};

fn lead() -> Actor {
    actor(1, &[Role::SecurityLead])
}

/// Ravi Menon leads the agent platform team, TE-3, which builds; Oskar Nyman dispatch
/// systems, TE-7, which operates; Bea neither.
fn people() -> (Actor, Actor, Actor) {
    (actor(5, &[Role::Member]), actor(13, &[Role::Member]), actor(4, &[Role::Member]))
}

async fn two_teams(db: &Db) -> AgentId {
    register::seed::demo(db, by(&Actor::cli(), 0)).await.unwrap();
    let mut f = AgentFacts::named("Handed");
    (f.built_by, f.operated_by) = (Some(TeamId(3)), Some(TeamId(7)));
    agents::create(db, by(&lead(), 1), f, Lifecycle::Draft).await.unwrap().id
}

async fn missing(db: &Db, id: AgentId, days: i64) -> bool {
    let lead = lead();
    let view = agents::read(db, by(&lead, days), id).await.unwrap();
    let found = view.judged.assessment.findings.iter().any(|f| f.key == FindingKey::HandoverMissing);
    let query = Query { finding: Some(FindingKey::HandoverMissing), limit: 50, ..Query::default() };
    let listed = list::list(db, by(&lead, days), &query).await.unwrap();
    assert_eq!(listed.items.iter().any(|l| l.id == id), found);
    assert_eq!(listed.total, Some(listed.items.len() as i64));
    found
}

async fn an_agent_is_handed_over(db: Db) {
    let id = two_teams(&db).await;
    let (ravi, oskar, bea) = people();
    assert!(missing(&db, id, 1).await);
    for who in [&bea, &oskar] {
        let refused = handovers::offer(&db, by(who, 2), id, "").await;
        assert!(matches!(refused, Err(Error::Denied(_))), "{refused:?}");
    }
    let made = handovers::offer(&db, by(&ravi, 2), id, "All yours.").await.unwrap();
    assert_eq!((made.from, made.to, made.state), (TeamId(3), TeamId(7), HandoverState::Open));
    let twice = handovers::offer(&db, by(&ravi, 2), id, "").await;
    assert!(matches!(twice, Err(Error::Conflict(_))), "{twice:?}");
    // Both see it, one answers; an offer is no handover.
    let seen = async |who: &Actor| {
        let all = handovers::waiting(&db, by(who, 3)).await.unwrap();
        all.into_iter().find(|h| h.agent == id).map(|h| (h.mine, h.withdraw))
    };
    assert_eq!(seen(&oskar).await, Some((true, false)));
    assert_eq!(seen(&ravi).await, Some((false, true)));
    assert_eq!(seen(&bea).await, None);
    assert!(missing(&db, id, 3).await);
    for who in [&bea, &ravi, &lead()] {
        let refused = handovers::answer(&db, by(who, 3), made.id, true, "").await;
        assert!(matches!(refused, Err(Error::Denied(_))), "{refused:?}");
    }
    let silent = handovers::answer(&db, by(&oskar, 3), made.id, false, " ").await;
    assert!(matches!(&silent, Err(Error::Invalid(e)) if e[0].pointer == "/reason"), "{silent:?}");
    handovers::answer(&db, by(&oskar, 3), made.id, false, "No runbook.").await.unwrap();
    assert!(missing(&db, id, 3).await);
    // Offered again, accepted: done, for exactly these two.
    let again = handovers::offer(&db, by(&lead(), 4), id, "With a runbook.").await.unwrap();
    let done = handovers::answer(&db, by(&oskar, 5), again.id, true, "").await.unwrap();
    assert_eq!(done.state, HandoverState::Accepted);
    assert!(!missing(&db, id, 5).await);
    let late = handovers::answer(&db, by(&oskar, 5), again.id, false, "after all").await;
    assert!(matches!(late, Err(Error::Conflict(_))), "{late:?}");
    let view = handovers::of_agent(&db, by(&lead(), 5), id).await.unwrap();
    assert!(view.done && !view.may_offer && view.past.len() == 2);
    assert!(db.run("UPDATE handover SET outcome = 'declined' WHERE outcome = 'accepted'", vec![]).await.is_err());
    audit::verify(&db, by(&lead(), 6), None, |_| ()).await.unwrap();
}

async fn other_teams_overtake_it(db: Db) {
    let id = two_teams(&db).await;
    let (ravi, oskar, _) = people();
    let made = handovers::offer(&db, by(&ravi, 2), id, "").await.unwrap();
    let record = agents::read(&db, by(&lead(), 2), id).await.unwrap().judged.agent;
    let mut facts = record.facts.clone();
    facts.operated_by = Some(TeamId(11));
    agents::edit(&db, by(&lead(), 3), id, record.version, facts.clone(), "moved").await.unwrap();
    let refused = handovers::answer(&db, by(&oskar, 3), made.id, true, "").await;
    assert!(matches!(&refused, Err(Error::Conflict(why)) if why.contains("overtaken")), "{refused:?}");
    assert!(handovers::waiting(&db, by(&oskar, 3)).await.unwrap().iter().all(|h| h.agent != id));
    assert!(missing(&db, id, 3).await);
    // The new pair needs its own; one team alone needs none.
    handovers::offer(&db, by(&ravi, 4), id, "").await.unwrap();
    let record = agents::read(&db, by(&lead(), 4), id).await.unwrap().judged.agent;
    facts.operated_by = Some(TeamId(3));
    agents::edit(&db, by(&lead(), 5), id, record.version, facts, "back").await.unwrap();
    assert!(!missing(&db, id, 5).await);
    let none = handovers::offer(&db, by(&ravi, 5), id, "").await;
    assert!(matches!(none, Err(Error::Conflict(_))), "{none:?}");
    audit::verify(&db, by(&lead(), 6), None, |_| ()).await.unwrap();
}

story!(handovers_done, super::an_agent_is_handed_over);
story!(handovers_overtaken, super::other_teams_overtake_it);
