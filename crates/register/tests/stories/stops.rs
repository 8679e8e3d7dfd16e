//! Stopping: methods for each surface, drills, their callbacks and witnesses.

use chrono::{DateTime, TimeDelta, Utc};
use domain::agent::{AgentFacts, Environment, Lifecycle, Running};
use domain::assignment::RuntimeOwner;
use domain::can::Actor;
use domain::duty::Duty;
use domain::id::{AgentId, PersonId};
use domain::party::{Party, Role};
use domain::stop::{CallState, MethodKind, Outcome, Surface, sign};
use register::assignments::{self, Mode};
use register::stops::calls::{self, Callback};
use register::stops::evidence::{self, File};
use register::stops::rehearsals::{self, ManualDrill};
use register::stops::{self, NewMethod, card, press, shown, steps};
use register::{By, Db, Error, agents, args, audit};
use serde_json::json;

use crate::support::{actor, by, day, story};

fn lead() -> Actor {
    actor(1, &[Role::SecurityLead])
}

/// Ravi Menon, who leads the platform team.
fn ravi() -> Actor {
    actor(5, &[Role::Member])
}

/// Bea, who has nothing to do with it.
fn bea() -> Actor {
    actor(4, &[Role::Member])
}

/// An agent that runs and that Ravi can be asked to pause.
async fn owned(db: &Db) -> AgentId {
    register::seed::demo(db, by(&Actor::cli(), 0)).await.unwrap();
    let mut facts = AgentFacts::named("Stoppable");
    facts.running = Running::Yes;
    facts.environment = Environment::Production;
    let id = agents::create(db, by(&lead(), 1), facts, Lifecycle::Draft).await.unwrap().id;
    let ravi = Party::Person(PersonId(5));
    assignments::assign(db, by(&lead(), 1), id, Duty::Containment, ravi, Mode::Record, "known").await.unwrap();
    id
}

fn webhook(surface: Surface) -> NewMethod {
    NewMethod {
        surface,
        kind: MethodKind::Webhook,
        procedure: String::new(),
        url: "https://ops.example.org/stop".into(),
        timeout: Some(TimeDelta::seconds(60)),
        new_secret: false,
        plain: false,
    }
}

async fn state(db: &Db, id: AgentId, now: DateTime<Utc>) -> RuntimeOwner {
    let lead = lead();
    let view = agents::read(db, By { actor: &lead, now }, id).await.unwrap();
    view.judged.assessment.runtime_owner.unwrap().state
}

async fn whole(db: &Db, now: DateTime<Utc>) {
    let lead = lead();
    audit::verify(db, By { actor: &lead, now }, None, |_| ()).await.unwrap();
}

struct Signed {
    delivery: String,
    timestamp: String,
    signature: String,
    body: Vec<u8>,
}

impl Signed {
    fn new(secret: &str, delivery: &str, now: DateTime<Utc>) -> Self {
        let body = json!({"delivery": delivery, "stopped": true}).to_string().into_bytes();
        let timestamp = now.timestamp().to_string();
        let signature = sign(secret, &timestamp, &body);
        Self { delivery: delivery.into(), timestamp, signature, body }
    }

    fn sent(&self) -> Callback<'_> {
        Callback { delivery: &self.delivery, timestamp: &self.timestamp, signature: &self.signature, body: &self.body }
    }
}

/// A surface's method is its duty's business; pausing is every owner's.
async fn each_surface_has_its_own_method(db: Db) {
    let id = owned(&db).await;
    let (lead, ravi) = (lead(), ravi());
    stops::record_procedure(&db, by(&ravi, 2), id, "Scale it to zero.").await.unwrap();
    let refused = stops::record(&db, by(&ravi, 2), id, webhook(Surface::Revoke)).await;
    assert!(matches!(&refused, Err(Error::Denied(d)) if d.to_string().contains("identity owner")), "{refused:?}");
    let made = stops::record(&db, by(&lead, 2), id, webhook(Surface::Revoke)).await.unwrap();
    assert_eq!(made.version, 1);
    assert!(made.secret.unwrap().starts_with("msk_"));

    // The identity owner now may; the same text changes nothing, a new secret is a new version.
    let five = Party::Person(PersonId(5));
    assignments::assign(&db, by(&lead, 3), id, Duty::Identity, five, Mode::Record, "known").await.unwrap();
    let same = stops::record(&db, by(&ravi, 4), id, webhook(Surface::Revoke)).await.unwrap();
    assert_eq!((same.version, same.secret), (1, None));
    let renewed = NewMethod { new_secret: true, ..webhook(Surface::Revoke) };
    let renewed = stops::record(&db, by(&ravi, 4), id, renewed).await.unwrap();
    assert!(renewed.version == 2 && renewed.secret.is_some());

    // What is recorded for another surface says nothing of pausing.
    assert_eq!(state(&db, id, day(4)).await, RuntimeOwner::Untested);
    let view = agents::read(&db, by(&lead, 4), id).await.unwrap();
    let seen: Vec<_> = view.methods.iter().map(|m| (m.surface, m.kind, m.version)).collect();
    assert_eq!(seen, [(Surface::Pause, MethodKind::Manual, 1), (Surface::Revoke, MethodKind::Webhook, 2)]);
    for (url, timeout) in [("http://ops.example.org", 60), ("https://a b", 60), ("https://a.example", 0)] {
        let wrong =
            NewMethod { url: url.into(), timeout: Some(TimeDelta::seconds(timeout)), ..webhook(Surface::Block) };
        assert!(matches!(stops::record(&db, by(&lead, 4), id, wrong).await, Err(Error::Invalid(_))), "{url}");
    }
    // Not even past the register are there two.
    let second = "INSERT INTO stop_method (id, event_id, agent_id, version, kind, procedure_text, valid_from) \
                  SELECT 9999, event_id, agent_id, 9, 'manual', 'x', 1 FROM stop_method WHERE agent_id = $1 AND valid_to IS NULL \
                  AND surface = 'pause'";
    assert!(db.run(second, args![id]).await.is_err());
    whole(&db, day(5)).await;
}

/// 2xx is accepted; the signed callback is stopped, once, in time.
async fn only_the_signed_callback_shows_it(db: Db) {
    let id = owned(&db).await;
    let (lead, ravi, bea) = (lead(), ravi(), bea());
    let secret = stops::record(&db, by(&ravi, 2), id, webhook(Surface::Pause)).await.unwrap().secret.unwrap();
    for stranger in [&lead, &bea] {
        let refused = calls::begin_drill(&db, by(stranger, 3), id, Surface::Pause).await;
        assert!(matches!(refused, Err(Error::Denied(_))), "{refused:?}");
    }
    let begun = calls::begin_drill(&db, by(&ravi, 3), id, Surface::Pause).await.unwrap();
    assert_eq!((&begun.secret, begun.drill), (&secret, true));
    let again = calls::begin_drill(&db, by(&ravi, 3), id, Surface::Pause).await;
    assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
    calls::answered(&db, by(&ravi, 3), &begun.delivery, Outcome::Accepted, "HTTP 202").await.unwrap();
    assert_eq!(state(&db, id, day(3)).await, RuntimeOwner::Untested, "accepted is not stopped");

    let later = day(3) + TimeDelta::milliseconds(41_200);
    let good = Signed::new(&secret, &begun.delivery, later);
    let forged = Signed::new("msk_guess", &begun.delivery, later);
    assert!(matches!(calls::callback(&db, later, forged.sent()).await, Err(Error::Denied(_))));
    let nowhere = Signed::new(&secret, "none", later);
    assert!(matches!(calls::callback(&db, later, nowhere.sent()).await, Err(Error::NotFound(_))));
    assert_eq!(calls::callback(&db, later, good.sent()).await.unwrap(), 42);
    assert!(matches!(calls::callback(&db, later, good.sent()).await, Err(Error::Conflict(_))), "it counts once");
    assert_eq!(state(&db, id, later).await, RuntimeOwner::Verified);
    let shown = shown::shown(&db, By { actor: &lead, now: later }, id, 10).await.unwrap();
    assert_eq!((shown[0].state, shown[0].seconds), (CallState::Stopped, Some(42)));
    assert!(db.run("UPDATE stop_call SET stopped_at = NULL", args![]).await.is_err(), "what was shown is shown");

    // A newer version is to be shown again, and a late callback shows nothing.
    let newer = NewMethod { url: "https://ops.example.org/other".into(), ..webhook(Surface::Pause) };
    let secret = stops::record(&db, by(&ravi, 4), id, newer).await.unwrap().secret.unwrap();
    assert_eq!(state(&db, id, day(4)).await, RuntimeOwner::Untested);
    let begun = calls::begin_drill(&db, by(&ravi, 5), id, Surface::Pause).await.unwrap();
    let late = day(5) + TimeDelta::seconds(60);
    let signed = Signed::new(&secret, &begun.delivery, late);
    assert!(matches!(calls::callback(&db, late, signed.sent()).await, Err(Error::Conflict(_))), "it has lapsed");
    let shown = shown::shown(&db, By { actor: &lead, now: late }, id, 1).await.unwrap();
    assert_eq!(shown[0].state, CallState::Lapsed);
    assert_eq!(state(&db, id, late).await, RuntimeOwner::Untested);
    whole(&db, late).await;
}

/// Ten copies of one callback at once count once.
async fn a_callback_counts_once(db: Db) {
    let id = owned(&db).await;
    let ravi = ravi();
    let secret = stops::record(&db, by(&ravi, 2), id, webhook(Surface::Pause)).await.unwrap().secret.unwrap();
    let begun = calls::begin_drill(&db, by(&ravi, 3), id, Surface::Pause).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let (db, signed) = (db.clone(), Signed::new(&secret, &begun.delivery, day(3)));
        tasks.spawn(async move { calls::callback(&db, day(3), signed.sent()).await.is_ok() });
    }
    assert_eq!(tasks.join_all().await.into_iter().filter(|ok| *ok).count(), 1);
    let rows = db.all("SELECT id FROM stop_drill WHERE agent_id = $1", args![id]).await.unwrap();
    assert_eq!(rows.len(), 1);
}

fn rehearsal(witness: i64) -> ManualDrill {
    ManualDrill {
        seconds: Some(90),
        witness: Some(PersonId(witness)),
        note: "On the staging copy".into(),
        evidence: File { name: "C:\\shots\\lamp.png".into(), bytes: b"the lamp is out".to_vec() },
    }
}

/// A written procedure needs a file and a second person.
async fn a_witness_and_a_file_show_a_procedure(db: Db) {
    let id = owned(&db).await;
    let (lead, ravi, bea) = (lead(), ravi(), bea());
    stops::record_procedure(&db, by(&ravi, 2), id, "Pull the plug.").await.unwrap();
    let webhook = calls::begin_drill(&db, by(&ravi, 3), id, Surface::Pause).await;
    assert!(matches!(webhook, Err(Error::Conflict(_))));
    for wrong in [
        rehearsal(5),
        rehearsal(11),
        ManualDrill { witness: None, ..rehearsal(4) },
        ManualDrill { seconds: None, ..rehearsal(4) },
        ManualDrill { evidence: File::default(), ..rehearsal(4) },
        ManualDrill { evidence: File { name: "x".into(), bytes: vec![0; 10 * 1024 * 1024 + 1] }, ..rehearsal(4) },
    ] {
        let refused = rehearsals::rehearse(&db, by(&ravi, 3), id, Surface::Pause, wrong).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    }
    let drill = rehearsals::rehearse(&db, by(&ravi, 3), id, Surface::Pause, rehearsal(4)).await.unwrap();
    assert_eq!(state(&db, id, day(3)).await, RuntimeOwner::Untested, "nobody has seen it yet");
    let waiting = rehearsals::waiting(&db, by(&bea, 4), PersonId(4)).await.unwrap();
    assert_eq!((waiting.len(), waiting[0].agent, waiting[0].seconds), (1, id, 90));
    let file = evidence::read(&db, by(&bea, 4), id, &waiting[0].evidence).await.unwrap();
    assert_eq!((file.name.as_str(), file.bytes.as_slice()), ("lamp.png", b"the lamp is out".as_slice()));
    let stranger = actor(8, &[Role::Member]);
    assert!(matches!(evidence::read(&db, by(&stranger, 4), id, &waiting[0].evidence).await, Err(Error::Denied(_))));

    // Neither who did it nor a security lead can say it for the witness.
    for other in [&ravi, &lead] {
        assert!(matches!(rehearsals::testify(&db, by(other, 4), &drill, true).await, Err(Error::Denied(_))));
    }
    rehearsals::testify(&db, by(&bea, 4), &drill, true).await.unwrap();
    assert_eq!(state(&db, id, day(4)).await, RuntimeOwner::Verified);
    assert!(matches!(rehearsals::testify(&db, by(&bea, 4), &drill, false).await, Err(Error::Conflict(_))));
    assert!(rehearsals::waiting(&db, by(&bea, 4), PersonId(4)).await.unwrap().is_empty());

    // The same file again is kept once; a witness who did not see it ends the drill.
    let drill = rehearsals::rehearse(&db, by(&ravi, 5), id, Surface::Pause, rehearsal(4)).await.unwrap();
    rehearsals::testify(&db, by(&bea, 5), &drill, false).await.unwrap();
    let files = db.one("SELECT COUNT(*) FROM evidence_file WHERE name = 'lamp.png'", args![]).await.unwrap().unwrap();
    assert_eq!(files.get::<i64>(0).unwrap(), 1);
    for change in ["UPDATE evidence_file SET name = 'y'", "DELETE FROM evidence_file"] {
        assert!(db.run(change, args![]).await.is_err(), "{change}");
    }
    whole(&db, day(6)).await;
}

/// A team's drill proves it for the team; its successor shows it anew.
async fn a_drill_proves_it_for_the_owner_who_showed_it(db: Db) {
    let id = owned(&db).await;
    let (lead, ravi) = (lead(), ravi());
    let secret = stops::record(&db, by(&ravi, 2), id, webhook(Surface::Pause)).await.unwrap().secret.unwrap();
    let begun = calls::begin_drill(&db, by(&ravi, 3), id, Surface::Pause).await.unwrap();
    calls::callback(&db, day(3), Signed::new(&secret, &begun.delivery, day(3)).sent()).await.unwrap();
    assert_eq!(state(&db, id, day(3)).await, RuntimeOwner::Verified);
    let mateo = Party::Person(PersonId(29));
    assignments::assign(&db, by(&lead, 4), id, Duty::Containment, mateo, Mode::Offer, "").await.unwrap();
    let him = actor(29, &[Role::Member]);
    assignments::answer(&db, by(&him, 4), &[(id, Duty::Containment)], true, "").await.unwrap();
    assert_eq!(state(&db, id, day(4)).await, RuntimeOwner::Untested);
    let refused = calls::begin_drill(&db, by(&ravi, 5), id, Surface::Pause).await;
    assert!(matches!(refused, Err(Error::Denied(_))), "{refused:?}");
    assert!(calls::begin_drill(&db, by(&him, 5), id, Surface::Pause).await.is_ok());
}

/// Breaking the glass: at once, with a reason, in every state, reviewed by somebody else.
async fn the_glass_is_broken_and_reviewed(db: Db) {
    let id = owned(&db).await;
    let (lead, ravi, bea) = (lead(), ravi(), bea());
    let secret = stops::record(&db, by(&ravi, 2), id, webhook(Surface::Pause)).await.unwrap().secret.unwrap();
    assert!(matches!(press::press(&db, by(&bea, 3), id, "why").await, Err(Error::Denied(_))));
    assert!(matches!(press::press(&db, by(&ravi, 3), id, " ").await, Err(Error::Invalid(_))));
    let pressed = press::press(&db, by(&ravi, 3), id, "It writes to customers").await.unwrap();
    assert!(!pressed.suspended, "a draft stays one, and the stop is recorded all the same");
    let call = pressed.calls[0].clone();
    assert!(!call.drill);
    calls::answered(&db, by(&ravi, 3), &call.delivery, Outcome::Unreachable, "gone").await.unwrap();
    let shown = card::read(&db, by(&lead, 3), id, None).await.unwrap().unwrap();
    assert!(shown.residual.sentence(day(3)).contains("until revoked"), "nothing is known of its credentials");
    assert_eq!(shown.steps.len(), 2);

    // Its review is due by the clock alone, and nobody reviews what they did.
    let overdue = async |days| {
        let view = agents::read(&db, by(&lead, days), id).await.unwrap();
        view.judged.assessment.findings.iter().any(|f| f.key.key() == "stop-review-overdue" && f.holds_at(day(days)))
    };
    assert!(!overdue(3).await && overdue(4).await);
    // The demonstration has two of its own: one overdue from the start, one from the next day on.
    let overdue_at =
        async |days| register::posture::posture(&db, by(&lead, days)).await.unwrap().findings["stop-review-overdue"];
    assert_eq!(overdue_at(3).await, 2);
    assert_eq!(overdue_at(4).await, 3);
    for other in [&ravi, &bea] {
        assert!(matches!(steps::review(&db, by(other, 4), id, pressed.id, "fine").await, Err(Error::Denied(_))));
    }
    steps::review(&db, by(&lead, 4), id, pressed.id, "It was right.").await.unwrap();
    assert!(!overdue(5).await);
    assert_eq!(overdue_at(5).await, 2);
    assert!(matches!(steps::review(&db, by(&lead, 5), id, pressed.id, "again").await, Err(Error::Conflict(_))));
    let own = press::press(&db, by(&lead, 5), id, "again").await.unwrap();
    let refused = steps::review(&db, by(&lead, 5), id, own.id, "fine").await;
    assert!(matches!(refused, Err(Error::Denied(_))), "{refused:?}");

    // The callback of a stop in earnest ends its pause, and is no drill.
    let call = own.calls[0].clone();
    calls::callback(&db, day(5), Signed::new(&secret, &call.delivery, day(5)).sent()).await.unwrap();
    let shown = card::read(&db, by(&lead, 5), id, None).await.unwrap().unwrap();
    assert_eq!(shown.steps[0].done, Some((day(5), "webhook".to_owned())));
    assert_eq!(state(&db, id, day(5)).await, RuntimeOwner::Untested);
    let sessions = shown.steps[1].id;
    assert!(matches!(steps::done(&db, by(&ravi, 6), id, sessions).await, Err(Error::Denied(_))));
    steps::done(&db, by(&lead, 6), id, sessions).await.unwrap();
    assert!(matches!(steps::done(&db, by(&lead, 6), id, sessions).await, Err(Error::Conflict(_))));

    // An active agent becomes suspended.
    let row = db.one("SELECT id FROM agent WHERE state = 'active' ORDER BY id LIMIT 1", args![]).await.unwrap();
    let active: AgentId = row.unwrap().get(0).unwrap();
    assert!(press::press(&db, by(&lead, 6), active, "An incident").await.unwrap().suspended);
    let view = agents::read(&db, by(&lead, 6), active).await.unwrap();
    assert_eq!(view.judged.agent.state, Lifecycle::Suspended);
    whole(&db, day(7)).await;
}

story!(glass, super::the_glass_is_broken_and_reviewed);
story!(surfaces, super::each_surface_has_its_own_method);
story!(callbacks, super::only_the_signed_callback_shows_it);
story!(once, super::a_callback_counts_once);
story!(witnesses, super::a_witness_and_a_file_show_a_procedure);
story!(successors, super::a_drill_proves_it_for_the_owner_who_showed_it);
