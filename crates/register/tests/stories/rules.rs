//! Standing rules: previewed, run, asked at imports, never over what a person decided.

use domain::agent::{AgentFacts, Environment, Lifecycle, Running};
use domain::assignment::RaciRole;
use domain::can::Actor;
use domain::duty::Duty;
use domain::id::{AgentId, PersonId, TeamId};
use domain::import::Mapping;
use domain::party::{Party, Role};
use domain::rule::{AtImport, Bar, Condition, RuleState};
use register::assignments::{self, Mode};
use register::imports::{self, Staged, Wish};
use register::rules::{self, Fields};
use register::{Db, Error, agents, audit};

use crate::support::{actor, by, story};

fn lead() -> Actor {
    actor(1, &[Role::SecurityLead])
}

/// Ravi Menon leads the platform team, TE-3.
fn ravi() -> Actor {
    actor(5, &[Role::Member])
}

fn claims() -> Fields {
    Fields {
        name: "Claims runs on the platform".into(),
        condition: Condition { business_unit: Some("Claims".into()), ..Condition::default() },
        duty: Duty::Containment,
        party: Party::Team(TeamId(3)),
        at_import: AtImport::Offer,
    }
}

async fn made(db: &Db, name: &str, unit: &str) -> AgentId {
    let mut f = AgentFacts::named(name);
    f.running = Running::Yes;
    f.environment = Environment::Production;
    f.business_unit = unit.into();
    agents::create(db, by(&lead(), 1), f, Lifecycle::Draft).await.unwrap().id
}

/// The demonstration, without its own rules.
async fn company(db: &Db) {
    register::seed::demo(db, by(&Actor::cli(), 0)).await.unwrap();
    for rule in rules::list(db, by(&lead(), 0)).await.unwrap() {
        rules::set_state(db, by(&lead(), 0), rule.id, None, RuleState::Removed, "").await.unwrap();
    }
}

async fn whole(db: &Db, days: i64) {
    audit::verify(db, by(&lead(), days), None, |_| ()).await.unwrap();
}

async fn it_asks_only_where_nobody_decided(db: Db) {
    company(&db).await;
    let lead = lead();
    let empty = made(&db, "Empty", "claims").await;
    let owned = made(&db, "Owned", "Claims").await;
    let asked = made(&db, "Asked", "Claims").await;
    let elsewhere = made(&db, "Elsewhere", "Sales").await;
    let mateo = Party::Person(PersonId(29));
    assignments::assign(&db, by(&lead, 1), owned, Duty::Containment, mateo, Mode::Record, "known").await.unwrap();
    assignments::assign(&db, by(&lead, 1), asked, Duty::Containment, mateo, Mode::Offer, "").await.unwrap();

    // The preview is what the run does; nothing is written before.
    let seen = rules::foresee(&db, by(&lead, 2), &claims()).await.unwrap();
    assert_eq!((seen.count, seen.first.as_slice()), (1, [(empty, "Empty".to_owned())].as_slice()));
    let rule = rules::create(&db, by(&lead, 2), &claims(), "agreed with claims").await.unwrap();
    assert_eq!(
        (rule.id.to_string(), rule.party_name.as_str(), rule.broken()),
        ("SR-3".into(), "Agent platform", false)
    );
    assert_eq!(rules::foresee_rule(&db, by(&lead, 2), rule.id).await.unwrap(), seen);
    let ran = rules::run(&db, by(&lead, 3), Some(rule.id)).await.unwrap();
    assert_eq!((ran.rules[0].asked.as_slice(), ran.asked()), ([empty].as_slice(), 1));
    let open = assignments::offers(&db, by(&ravi(), 3), empty).await.unwrap();
    assert!(open[0].mine && open[0].offered_by == "SR-3" && open[0].reason.contains("Claims runs"), "{open:?}");
    for other in [owned, elsewhere] {
        assert!(assignments::offers(&db, by(&lead, 3), other).await.unwrap().is_empty());
    }
    assert_eq!(assignments::offers(&db, by(&lead, 3), asked).await.unwrap()[0].party, mateo);
    // Nothing is left to do, and who declines is left in peace.
    assert_eq!(rules::run(&db, by(&lead, 3), None).await.unwrap().asked(), 0);
    assignments::answer(&db, by(&ravi(), 4), &[(empty, Duty::Containment)], false, "not ours").await.unwrap();
    let seen = rules::foresee_rule(&db, by(&lead, 4), rule.id).await.unwrap();
    assert_eq!((seen.count, seen.left.get(&Bar::Declined)), (0, Some(&1)));
    assert_eq!(rules::run(&db, by(&lead, 4), None).await.unwrap().asked(), 0);
    // Nor does it ask again where somebody took its offer back, even for another party.
    let second = made(&db, "Second", "Claims").await;
    rules::run(&db, by(&lead, 5), None).await.unwrap();
    assignments::withdraw(&db, by(&lead, 5), second, Duty::Containment, "a mistake").await.unwrap();
    let other = Fields { party: Party::Team(TeamId(7)), ..claims() };
    rules::edit(&db, by(&lead, 6), rule.id, Some(1), &other, "moved").await.unwrap();
    let ran = rules::run(&db, by(&lead, 6), None).await.unwrap();
    assert_eq!(ran.asked(), 0, "{ran:?}");
    let made = rules::made(&db, by(&lead, 6), rule.id, 10).await.unwrap();
    let ended: Vec<_> = made.iter().map(|m| (m.agent, m.ended.as_str())).collect();
    assert_eq!(ended, [(second, "withdrawn"), (empty, "declined")]);
    whole(&db, 7).await;
}

async fn rules_are_kept_in_order_and_by_security(db: Db) {
    company(&db).await;
    let (lead, analyst) = (lead(), actor(3, &[Role::RiskAnalyst]));
    let denied = rules::create(&db, by(&analyst, 1), &claims(), "").await;
    assert!(matches!(denied, Err(Error::Denied(_))));
    assert!(matches!(rules::list(&db, by(&ravi(), 1)).await, Err(Error::Denied(_))));
    let first = rules::create(&db, by(&lead, 1), &claims(), "").await.unwrap();
    let general = Fields {
        name: "Whoever is left".into(),
        condition: Condition::default(),
        party: Party::Team(TeamId(4)),
        ..claims()
    };
    let second = rules::create(&db, by(&lead, 1), &general, "").await.unwrap();
    let order = async || rules::list(&db, by(&analyst, 2)).await.unwrap().iter().map(|r| r.id).collect::<Vec<_>>();
    assert_eq!(order().await, [first.id, second.id]);
    let id = made(&db, "Claim", "Claims").await;
    rules::shift(&db, by(&lead, 2), second.id, true).await.unwrap();
    assert_eq!(order().await, [second.id, first.id]);
    rules::shift(&db, by(&lead, 2), second.id, true).await.unwrap();
    rules::shift(&db, by(&lead, 2), second.id, false).await.unwrap();
    assert_eq!(order().await, [first.id, second.id]);
    // The first that fits asks; one that is paused does not.
    rules::set_state(&db, by(&lead, 3), first.id, None, RuleState::Paused, "wait").await.unwrap();
    assert!(matches!(rules::run(&db, by(&lead, 3), Some(first.id)).await, Err(Error::Conflict(_))));
    let before = rules::read(&db, by(&lead, 3), first.id).await.unwrap();
    let stale = rules::set_state(&db, by(&lead, 3), first.id, Some(before.version - 1), RuleState::Active, "").await;
    assert!(matches!(stale, Err(Error::Stale(_))), "{stale:?}");
    rules::set_state(&db, by(&lead, 3), first.id, None, RuleState::Active, "go").await.unwrap();
    let ran = rules::run(&db, by(&lead, 3), None).await.unwrap();
    assert!(ran.rules[0].asked == [id] && !ran.rules[1].asked.contains(&id) && !ran.rules[1].asked.is_empty());

    // Whoever has left is asked for nothing, and the rule says so.
    register::people::leave(&db, by(&actor(1, &[Role::Administrator]), 4), PersonId(5), None, "moved").await.unwrap();
    let broken = rules::read(&db, by(&lead, 5), first.id).await.unwrap();
    assert!(broken.broken());
    let late = made(&db, "Late", "Claims").await;
    let ran = rules::run(&db, by(&lead, 5), None).await.unwrap();
    assert!(ran.rules[0].broken && ran.rules[1].asked == [late]);
    let refused = rules::create(&db, by(&lead, 5), &claims(), "").await;
    assert!(matches!(&refused, Err(Error::Invalid(e)) if e[0].pointer == "/party"), "{refused:?}");
    // A rule that is removed stays in the record and is never changed again.
    rules::set_state(&db, by(&lead, 6), first.id, None, RuleState::Removed, "over").await.unwrap();
    assert_eq!(order().await, [second.id]);
    assert_eq!(rules::read(&db, by(&lead, 6), first.id).await.unwrap().state, RuleState::Removed);
    let again = rules::set_state(&db, by(&lead, 6), first.id, None, RuleState::Active, "").await;
    assert!(matches!(again, Err(Error::Conflict(_))));
    assert!(db.run("UPDATE rule SET state = 'active'", vec![]).await.is_err());
    whole(&db, 7).await;
}

fn staged(text: &str) -> Staged {
    let looked = imports::look("inventory.csv", text.as_bytes()).unwrap();
    let mapping = Mapping { source: "cmdb".into(), ..looked.guess };
    imports::stage("inventory.csv", text.as_bytes(), mapping).unwrap()
}

async fn an_import_asks_them(db: Db) {
    company(&db).await;
    let (lead, analyst) = (lead(), actor(3, &[Role::RiskAnalyst]));
    let known = Fields {
        condition: Condition { source: Some("CMDB".into()), ..claims().condition },
        at_import: AtImport::Record,
        ..claims()
    };
    let rule = rules::create(&db, by(&lead, 1), &known, "").await.unwrap();
    let find = async |key: &str| agents::read::by_external_id(&db, "cmdb", key).await.unwrap().unwrap();
    let held = async |id: AgentId| {
        let view = agents::read(&db, by(&lead, 3), id).await.unwrap();
        let owner = |h: &&domain::assignment::Held| h.duty == Duty::Containment && h.role == RaciRole::Accountable;
        (view.judged.held.iter().find(owner).map(|h| h.party), view.judged.offers.len())
    };
    // An analyst's import offers, whatever the rule would record; whoever the file names comes first.
    let file = "ID,Name,Business unit,Environment,Runtime owner\n\
                C1,One,Claims,Production,\nC2,Two,Claims,Production,PE-29\nS1,Three,Sales,Production,\n";
    let applied = imports::apply(&db, by(&analyst, 2), &staged(file), &Wish::default(), &|_, _| {}).await.unwrap();
    assert_eq!((applied.appointed, applied.by_rules), (1, 1), "{applied:?}");
    assert_eq!(held(find("C1").await).await, (None, 1));
    let offer = &assignments::offers(&db, by(&lead, 3), find("C1").await).await.unwrap()[0];
    assert_eq!((offer.party, offer.offered_by.clone()), (Party::Team(TeamId(3)), rule.id.to_string()));
    assert_eq!(held(find("S1").await).await, (None, 0));
    // Where a security lead says that owners hold their duties already, so does the rule.
    let file = "ID,Name,Business unit,Environment,Runtime owner\nC3,Four,Claims,Production,\n";
    let record = Wish { owners: Mode::Record, reason: "as agreed".into(), ..Wish::default() };
    let applied = imports::apply(&db, by(&lead, 3), &staged(file), &record, &|_, _| {}).await.unwrap();
    assert_eq!(applied.by_rules, 1);
    assert_eq!(held(find("C3").await).await, (Some(Party::Team(TeamId(3))), 0));
    // The same file again changes nothing.
    let again = imports::apply(&db, by(&lead, 4), &staged(file), &record, &|_, _| {}).await.unwrap();
    assert_eq!((again.wave, again.by_rules), (None, 0));
    whole(&db, 5).await;
}

story!(rules_ask, super::it_asks_only_where_nobody_decided);
story!(rules_kept, super::rules_are_kept_in_order_and_by_security);
story!(rules_import, super::an_import_asks_them);
