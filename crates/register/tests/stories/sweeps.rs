//! Stopping on every surface, and stopping everything that uses one thing.

use chrono::TimeDelta;
use domain::agent::{AgentFacts, Environment, Hosting, Lifecycle, Running};
use domain::can::{Actor, Relation, Scope};
use domain::duty::Duty;
use domain::id::{AgentId, PersonId, SystemId, TokenId};
use domain::party::{Party, Role};
use domain::stop::{CallState, Left, MethodKind, Outcome, Part, Step, Surface, Uses, sign};
use register::assignments::{self, Mode};
use register::stops::calls::{self, Callback};
use register::stops::press::press;
use register::stops::sweep::Sweep;
use register::stops::{self, NewMethod, card, cut, radius};
use register::{By, Db, Error, agents, args, audit};
use serde_json::json;

use crate::support::{actor, by, day, story};

fn lead() -> Actor {
    actor(1, &[Role::SecurityLead])
}

fn key() -> Uses {
    Uses::Credential("Payments API key".into())
}

fn method(surface: Surface, kind: MethodKind) -> NewMethod {
    let url = if kind == MethodKind::Webhook { format!("https://ops.example.org/{surface}") } else { String::new() };
    NewMethod { surface, kind, procedure: "Do it.".into(), url, timeout: None, new_secret: false, plain: false }
}

async fn count(db: &Db, sql: &'static str) -> i64 {
    db.one(sql, args![]).await.unwrap().unwrap().get(0).unwrap()
}

async fn whole(db: &Db, days: i64) {
    audit::verify(db, by(&lead(), days), None, |_| ()).await.unwrap();
}

/// Each surface that has a webhook is called, each that has a method is a step, and what its
/// own callback shows is that step alone.
async fn every_surface_is_a_step(db: Db) {
    register::seed::demo(&db, by(&Actor::cli(), 0)).await.unwrap();
    let lead = lead();
    let id = agents::create(&db, by(&lead, 1), AgentFacts::named("Many-sided"), Lifecycle::Draft).await.unwrap().id;
    let mut secrets = std::collections::HashMap::new();
    for (surface, kind) in [
        (Surface::Pause, MethodKind::Webhook),
        (Surface::Revoke, MethodKind::Webhook),
        (Surface::Block, MethodKind::Manual),
        (Surface::Isolate, MethodKind::Webhook),
    ] {
        let made = stops::record(&db, by(&lead, 1), id, method(surface, kind)).await.unwrap();
        secrets.insert(surface, made.secret);
    }
    let first = press(&db, by(&lead, 2), id, "first").await.unwrap();
    let called: Vec<_> = first.calls.iter().map(|c| c.surface).collect();
    assert_eq!(called, [Surface::Pause, Surface::Revoke, Surface::Isolate]);
    assert!(!first.by_hand());
    let stop = card::read(&db, by(&lead, 2), id, None).await.unwrap().unwrap();
    let steps: Vec<_> = stop.steps.iter().map(|s| (s.step, s.call.is_some())).collect();
    assert_eq!(
        steps,
        [
            (Step::Pause, true),
            (Step::Revoke, true),
            (Step::Block, false),
            (Step::Isolate, true),
            (Step::Sessions, false)
        ]
    );

    // One is refused, one is shown: each is said at its own step.
    calls::answered(&db, by(&lead, 2), &first.calls[0].delivery, Outcome::Refused, "HTTP 500").await.unwrap();
    let isolate = &first.calls[2];
    let body = json!({"delivery": isolate.delivery, "stopped": true}).to_string().into_bytes();
    let at = day(2) + TimeDelta::seconds(7);
    let timestamp = at.timestamp().to_string();
    let secret = secrets[&Surface::Isolate].as_deref().unwrap();
    let signature = sign(secret, &timestamp, &body);
    let sent = Callback { delivery: &isolate.delivery, timestamp: &timestamp, signature: &signature, body: &body };
    calls::callback(&db, at, sent).await.unwrap();
    let stop = card::read(&db, By { actor: &lead, now: at }, id, None).await.unwrap().unwrap();
    let done: Vec<_> = stop.steps.iter().filter(|s| s.done.is_some()).map(|s| s.step).collect();
    assert_eq!(done, [Step::Isolate]);
    let states: Vec<_> = stop.steps.iter().filter_map(|s| s.call.as_ref()).map(|c| c.state).collect();
    assert_eq!(states, [CallState::Failed, CallState::Calling, CallState::Stopped]);
    assert!(!stop.residual.is_over(), "nothing is known of its credentials");

    // Earlier stops stay, newest first, page by page, each to be read.
    for (days, reason) in [(3, "second"), (4, "third")] {
        press(&db, by(&lead, days), id, reason).await.unwrap();
    }
    let page = card::list(&db, id, None, 2).await.unwrap();
    let reasons: Vec<_> = page.items.iter().map(|s| (s.reason.as_str(), s.open_steps)).collect();
    assert_eq!((reasons, page.previous), (vec![("third", 5), ("second", 5)], None));
    let older = card::list(&db, id, page.next.as_deref(), 2).await.unwrap();
    assert_eq!((older.items[0].reason.as_str(), older.items[0].open_steps, older.next), ("first", 4, None));
    let back = card::list(&db, id, older.previous.as_deref(), 2).await.unwrap();
    assert_eq!(back.items, page.items);
    let early = card::read(&db, by(&lead, 5), id, Some(first.id)).await.unwrap().unwrap();
    assert_eq!(early.reason, "first");
    let elsewhere = card::read(&db, by(&lead, 5), AgentId(1), Some(first.id)).await.unwrap();
    assert!(elsewhere.is_none(), "a stop belongs to its agent");
    whole(&db, 6).await;
}

/// One press stops everything that uses a key; each agent has its own event, and what is stopped
/// or ended is left.
async fn everything_that_uses_a_key_is_stopped(db: Db) {
    register::seed::demo(&db, by(&Actor::cli(), 0)).await.unwrap();
    let lead = lead();
    let (shared, before) = radius::radius(&db, by(&lead, 1), &key()).await.unwrap();
    assert_eq!(shared.name, "payments API key");
    let using = "SELECT COUNT(*) FROM agent_credential x JOIN credential c ON c.id = x.credential_id \
                 WHERE c.name_folded = 'payments api key'";
    let all = before.of(Part::All);
    assert_eq!(all + before.of(Part::Retired), count(&db, using).await);
    assert!(all >= 4 && before.of(Part::Runs) < all, "{before:?}");
    // Every number has its rows.
    for &part in Part::ALL {
        let rows = radius::list(&db, by(&lead, 1), &shared, part, None, 100).await.unwrap();
        assert_eq!(rows.items.len() as i64, before.of(part), "{part}");
    }
    // One of them was stopped before.
    let first = radius::list(&db, by(&lead, 1), &shared, Part::Yours, None, 1).await.unwrap();
    let early = first.items[0].id;
    let mut rest = Vec::new();
    let mut cursor = first.next;
    while let Some(c) = cursor {
        let page = radius::list(&db, by(&lead, 1), &shared, Part::Yours, Some(&c), 1).await.unwrap();
        rest.extend(page.items.into_iter().map(|a| a.id));
        cursor = page.next;
    }
    assert_eq!(rest.len() as i64 + 1, before.of(Part::Yours));
    assert!(!rest.contains(&early));
    press(&db, by(&lead, 1), early, "alone").await.unwrap();
    let pressed = count(&db, "SELECT COUNT(*) FROM audit_event WHERE action = 'stop.pressed'").await;

    let refused = Sweep::begin(&db, by(&lead, 2), &key(), " ").await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    let mut sweep = Sweep::begin(&db, by(&lead, 2), &key(), "The key is in other hands.").await.unwrap();
    let mut made = 0;
    assert_eq!(cut::last(&db, by(&lead, 2), &shared).await.unwrap(), None, "one was stopped alone");
    while let Some(batch) = sweep.next(&db, by(&lead, 2)).await.unwrap() {
        made += batch.len() as i64;
    }
    let done = sweep.done();
    assert_eq!((done.stopped, done.calls), (before.of(Part::Yours) - 1, made));
    assert!(done.suspended > 0 && done.suspended <= done.stopped);
    let (_, after) = radius::radius(&db, by(&lead, 2), &key()).await.unwrap();
    assert_eq!((after.of(Part::Stopped), after.of(Part::Yours)), (all, 0));
    let events = count(&db, "SELECT COUNT(*) FROM audit_event WHERE action = 'stop.pressed'").await;
    assert_eq!(events - pressed, done.stopped, "each agent its own event");
    let rows = radius::list(&db, by(&lead, 2), &shared, Part::Stopped, None, 100).await.unwrap();
    assert!(rows.items.iter().all(|a| a.left() == Some(Left::Stopped)));
    let again = Sweep::begin(&db, by(&lead, 3), &key(), "again").await;
    assert!(matches!(&again, Err(Error::Conflict(s)) if s.contains("stopped already")), "{again:?}");
    let nothing = Sweep::begin(&db, by(&lead, 3), &Uses::Tool("No such tool".into()), "x").await;
    assert!(matches!(nothing, Err(Error::NotFound(_))), "{nothing:?}");
    whole(&db, 4).await;
}

/// Whoever holds a duty of some of them sees and stops those; an auditor sees all and stops none.
async fn each_stops_what_is_theirs(db: Db) {
    register::seed::demo(&db, by(&Actor::cli(), 0)).await.unwrap();
    let (lead, bea) = (lead(), actor(4, &[Role::Member]));
    let (shared, all) = radius::radius(&db, by(&lead, 1), &key()).await.unwrap();
    let (_, hers) = radius::radius(&db, by(&bea, 1), &key()).await.unwrap();
    assert!(hers.of(Part::All) > 0 && hers.of(Part::All) < all.of(Part::All), "{hers:?} {all:?}");
    let rows = radius::list(&db, by(&bea, 1), &shared, Part::All, None, 100).await.unwrap();
    assert_eq!(rows.items.len() as i64, hers.of(Part::All));
    assert!(rows.items.iter().all(|a| a.may));

    let stranger = actor(32, &[Role::Member]);
    for uses in [key(), Uses::Credential("No such key".into()), Uses::System(SystemId(99))] {
        let found = radius::radius(&db, by(&stranger, 1), &uses).await;
        assert!(matches!(found, Err(Error::Denied(_))), "{found:?}");
    }
    let auditor = actor(6, &[Role::Auditor]);
    let (_, seen) = radius::radius(&db, by(&auditor, 1), &key()).await.unwrap();
    assert_eq!((seen.of(Part::All), seen.of(Part::Yours)), (all.of(Part::All), 0));
    let refused = Sweep::begin(&db, by(&auditor, 1), &key(), "why").await;
    assert!(matches!(refused, Err(Error::Denied(_))), "{refused:?}");
    let analyst = actor(33, &[Role::RiskAnalyst]);
    let refused = Sweep::begin(&db, by(&analyst, 1), &key(), "why").await;
    assert!(
        matches!(&refused, Err(Error::Denied(d)) if d.to_string().contains("None of them is yours")),
        "{refused:?}"
    );
    let blind = Actor::token(TokenId(1), vec![Scope::Intake]);
    assert!(matches!(radius::radius(&db, by(&blind, 1), &key()).await, Err(Error::Denied(_))));

    // The others' agents are left as they are.
    let mut sweep = Sweep::begin(&db, by(&bea, 2), &key(), "Mine first.").await.unwrap();
    while sweep.next(&db, by(&bea, 2)).await.unwrap().is_some() {}
    assert_eq!(sweep.done().stopped, hers.of(Part::Yours));
    // Whoever sees the others is told, for a day, that somebody stopped what they could.
    let told = cut::last(&db, by(&lead, 2), &shared).await.unwrap().unwrap();
    assert_eq!((told.by.as_str(), told.reason.as_str(), told.at), ("PE-4", "Mine first.", day(2)));
    let other = Uses::System(SystemId(1));
    let (other, _) = radius::radius(&db, by(&lead, 2), &other).await.unwrap();
    let elsewhere = cut::last(&db, by(&lead, 2), &other).await.unwrap();
    assert_eq!(elsewhere, None, "what else these agents use was not meant");
    assert_eq!(cut::last(&db, by(&lead, 3), &shared).await.unwrap(), None);
    let (_, after) = radius::radius(&db, by(&lead, 2), &key()).await.unwrap();
    assert_eq!(after.of(Part::Stopped), all.of(Part::Stopped) + hers.of(Part::Yours));
    assert!(after.of(Part::Yours) > 0);
    whole(&db, 3).await;
}

/// More than one transaction's worth: none is stopped twice, none is forgotten, and the last in
/// the queue of calls has as much time as the first.
async fn hundreds_are_stopped_some_at_a_time(db: Db) {
    register::seed::demo(&db, by(&Actor::cli(), 0)).await.unwrap();
    let lead = lead();
    let five = Party::Person(PersonId(5));
    let mut ids = Vec::new();
    for n in 0..205 {
        let mut facts = AgentFacts::named(format!("Hosted {n}"));
        facts.hosting = Hosting::VendorManaged;
        facts.vendor = "Acme Agents".into();
        facts.environment = Environment::Production;
        facts.running = Running::Yes;
        ids.push(agents::create(&db, by(&lead, 1), facts, Lifecycle::Draft).await.unwrap().id);
    }
    for id in &ids[..40] {
        stops::record(&db, by(&lead, 1), *id, method(Surface::Pause, MethodKind::Webhook)).await.unwrap();
    }
    assignments::assign(&db, by(&lead, 1), ids[0], Duty::Containment, five, Mode::Record, "known").await.unwrap();
    let vendor = Uses::Vendor("acme agents".into());
    let (shared, before) = radius::radius(&db, by(&lead, 2), &vendor).await.unwrap();
    assert_eq!((before.of(Part::All), before.of(Part::Webhook), before.of(Part::Unable)), (205, 40, 204));
    let mut sweep = Sweep::begin(&db, by(&lead, 2), &vendor, "The vendor is breached.").await.unwrap();
    let (mut batches, mut made) = (0, Vec::new());
    while let Some(batch) = sweep.next(&db, by(&lead, 2)).await.unwrap() {
        batches += 1;
        made.extend(batch);
    }
    assert_eq!((batches, made.len()), (5, 40));
    let done = sweep.done();
    assert_eq!((done.stopped, done.suspended, done.by_hand), (205, 0, 165));
    let stops = count(&db, "SELECT COUNT(*) FROM stopping WHERE reason = 'The vendor is breached.'").await;
    let agents = count(&db, "SELECT COUNT(DISTINCT agent_id) FROM stopping").await;
    assert_eq!(stops, 205);
    assert!(agents >= 205);
    let due = async |delivery: &str| -> i64 {
        let sql = "SELECT due_at - begun_at FROM stop_call WHERE delivery = $1";
        db.one(sql, args![delivery]).await.unwrap().unwrap().get(0).unwrap()
    };
    assert_eq!((due(&made[0].delivery).await, due(&made[39].delivery).await), (60_000_000, 70_000_000));

    // A call that fails is a part of its own.
    calls::answered(&db, by(&lead, 2), &made[3].delivery, Outcome::Unreachable, "gone").await.unwrap();
    let (_, after) = radius::radius(&db, by(&lead, 2), &vendor).await.unwrap();
    assert_eq!((after.of(Part::Stopped), after.of(Part::Failed), after.of(Part::Yours)), (205, 1, 0));
    let failed = radius::list(&db, by(&lead, 2), &shared, Part::Failed, None, 10).await.unwrap();
    assert_eq!(failed.items[0].id, made[3].agent);
    let calls = &failed.items[0].stop.as_ref().unwrap().calls;
    assert_eq!(calls, &[(Surface::Pause, CallState::Failed, Some(Outcome::Unreachable))]);
    // By the clock alone the others lapse.
    let (_, later) = radius::radius(&db, by(&lead, 3), &vendor).await.unwrap();
    assert_eq!(later.of(Part::Failed), 40);
    whole(&db, 4).await;
}

/// What somebody sees of a radius without leading security is what they may stop, agent by agent:
/// the statement that counts says the same as the rule that is asked of each.
async fn what_one_sees_is_what_one_may_stop(db: Db) {
    register::seed::demo(&db, by(&Actor::cli(), 0)).await.unwrap();
    let lead = lead();
    let mut seen = 0;
    for uses in [
        key(),
        Uses::Credential("care-agents workload token".into()),
        Uses::Credential("engineering OIDC grant".into()),
        Uses::Tool("Customer records".into()),
        Uses::Vendor("Brightdesk".into()),
        Uses::System(SystemId(1)),
        Uses::System(SystemId(2)),
    ] {
        let (shared, _) = radius::radius(&db, by(&lead, 1), &uses).await.unwrap();
        let all = radius::list(&db, by(&lead, 1), &shared, Part::All, None, 100).await.unwrap().items;
        // Owners in person, members of teams that hold what is shared, deputies, strangers.
        for person in [4, 5, 7, 8, 13, 20, 29, 32, 39] {
            let member = actor(person, &[Role::Member]);
            let mut theirs = Vec::new();
            for agent in &all {
                if let Ok(view) = agents::read(&db, by(&member, 1), agent.id).await
                    && matches!(view.relation, Relation::Owner | Relation::Delegate)
                {
                    theirs.push(agent.id);
                }
            }
            let found = match radius::radius(&db, by(&member, 1), &uses).await {
                Ok((shared, _)) => {
                    let page = radius::list(&db, by(&member, 1), &shared, Part::All, None, 100).await.unwrap();
                    page.items.into_iter().map(|a| a.id).collect()
                }
                Err(Error::Denied(_)) => Vec::new(),
                Err(other) => panic!("PE-{person}, {uses:?}: {other}"),
            };
            assert_eq!(found, theirs, "PE-{person}, {uses:?}");
            seen += theirs.len();
        }
    }
    assert!(seen > 20, "{seen}");
}

story!(consistent, super::what_one_sees_is_what_one_may_stop);
story!(surfaces, super::every_surface_is_a_step);
story!(key_holders, super::everything_that_uses_a_key_is_stopped);
story!(owners, super::each_stops_what_is_theirs);
story!(hundreds, super::hundreds_are_stopped_some_at_a_time);
