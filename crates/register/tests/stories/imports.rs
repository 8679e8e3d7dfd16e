//! Imports: an inventory in as one wave, told apart, repeated without effect.

use std::fmt::Write as _;

use domain::agent::{AgentFacts, Environment, ExternalId, Lifecycle, Running};
use domain::assignment::RuntimeOwner;
use domain::can::Actor;
use domain::duty::Duty;
use domain::finding::FindingKey;
use domain::id::{AgentId, PersonId, WaveId};
use domain::import::{Field, Mapping, Note};
use domain::party::{Party, Role};
use register::agents::list::{self, Query};
use register::assignments::{self, Mode};
use register::imports::{self, Applied, Fate, Plan, Staged, Wish};
use register::{By, Db, Error, agents, args, audit, posture, seed};

use crate::support::{actor, by, story};

const SAMPLE: &[u8] = include_bytes!("../../../../examples/federal/federal-2024-sample.csv");
const SAMPLE_MAPPING: &str = include_str!("../../../../examples/federal/federal-2024.toml");

fn lead() -> Actor {
    actor(1, &[Role::SecurityLead])
}

fn analyst() -> Actor {
    actor(2, &[Role::RiskAnalyst])
}

/// A file read by the mapping that its header suggests.
fn guessed(file: &str, bytes: &[u8], source: &str) -> Staged {
    let looked = imports::look(file, bytes).unwrap();
    imports::stage(file, bytes, Mapping { source: source.to_owned(), ..looked.guess }).unwrap()
}

async fn run(db: &Db, who: &Actor, days: i64, staged: &Staged, wish: &Wish) -> Result<Applied, Error> {
    imports::apply(db, by(who, days), staged, wish, &|_, _| {}).await
}

async fn preview(db: &Db, who: &Actor, staged: &Staged) -> Plan {
    imports::preview(db, by(who, 1), staged, Mode::Offer).await.unwrap()
}

async fn count(db: &Db, sql: &'static str) -> i64 {
    db.one(sql, args![]).await.unwrap().unwrap().get(0).unwrap()
}

async fn chain_holds(db: &Db) {
    let auditor = actor(9, &[Role::Auditor]);
    audit::verify(db, by(&auditor, 9), None, |_| {}).await.unwrap();
}

/// 2,133 rows as an office would send them: Windows-1252, semicolons, quoted line breaks,
/// eleven spellings of a stage, rows without a name, without a key, twice the same, ragged.
fn dirty() -> Vec<u8> {
    let stages = [
        ("Operation and Maintenance", 874),
        ("Acquisition and/or Development", 404),
        ("Initiated", 370),
        ("Implementation and Assessment", 287),
        ("Retired", 142),
        ("Planned", 20),
        ("In production", 14),
        ("Ideation", 9),
        ("Research or  Administrative Action Complete", 5),
        ("In mission", 4),
        ("", 4),
    ];
    let mut text =
        String::from("Use Case Name;Agency;Bureau;Purpose;Stage of Development;Rights-impacting?;;If other\r\n");
    let mut n = 0;
    for (stage, count) in stages {
        for _ in 0..count {
            n += 1;
            let name = match n % 97 {
                0 => String::new(),
                1 => "Generative AI – usage".to_owned(),
                2 => "=cmd()|' /C calc'!A0".to_owned(),
                3 => "<script>alert('é')</script>".to_owned(),
                4 => "n".repeat(260),
                _ => format!("Système n° {n}"),
            };
            let purpose = if n % 5 == 0 { "\"Two\r\nlines; \"\"quoted\"\"\"" } else { "What it is for" };
            let agency = if n % 97 == 0 && n % 2 == 0 { String::new() } else { format!("Agency {}", n % 12) };
            let bureau = if agency.is_empty() { String::new() } else { format!("Bureau {}", n % 3) };
            let tail = if n % 7 == 0 { "" } else { ";Neither;;" };
            let _ = write!(text, "{name};{agency};{bureau};{purpose};{stage}{tail}\r\n");
        }
    }
    let (bytes, _, unmappable) = encoding_rs::WINDOWS_1252.encode(&text);
    assert!(!unmappable);
    bytes.into_owned()
}

async fn an_inventory_comes_in_whole_and_once(db: Db) {
    let lead = lead();
    seed::demo(&db, by(&Actor::cli(), 0)).await.unwrap();
    let before = posture::posture(&db, by(&lead, 1)).await.unwrap();
    let bytes = dirty();
    let staged = guessed("inventory.csv", &bytes, "office");
    assert_eq!(staged.outcomes.len(), 2_133);

    let shown = preview(&db, &lead, &staged).await;
    assert_eq!(shown.counts.to_string(), "rows 2133 new 2133 changed 0 unchanged 0 refused 0");
    assert_eq!(count(&db, "SELECT COUNT(*) FROM wave").await, 0, "a preview writes nothing");

    let wish = Wish { owner: Some(PersonId(1)), seen: Some(shown.digest.clone()), ..Wish::default() };
    let events = count(&db, "SELECT seq FROM chain_head").await;
    let applied = run(&db, &lead, 1, &staged, &wish).await.unwrap();
    assert_eq!(applied.counts, shown.counts);
    assert_eq!(
        count(&db, "SELECT seq FROM chain_head").await - events,
        2_134,
        "one event an agent and one for the wave"
    );

    let wave = imports::wave(&db, by(&lead, 1), applied.wave.unwrap()).await.unwrap();
    assert_eq!((wave.rows, wave.new, wave.source.as_str()), (2_133, 2_133, "office"));
    assert_eq!(wave.owner.map(|o| o.0), Some(PersonId(1)));
    assert_eq!(wave.target_at - wave.at, chrono::TimeDelta::days(90));

    // Told apart: 892 run, four more may; what is retired is counted apart.
    let after = posture::posture(&db, by(&lead, 1)).await.unwrap();
    let q = |runs, running| Query { wave: applied.wave, runs, running, limit: 1, count_to: 10_000, ..Query::default() };
    let counted = async |q: Query| list::list(&db, by(&lead, 1), &q).await.unwrap().total;
    assert_eq!(counted(q(None, None)).await, Some(2_133));
    assert_eq!(counted(q(None, Some(Running::Yes))).await, Some(892));
    assert_eq!(counted(q(Some(true), None)).await, Some(896), "an unknown stage counts as running");
    assert_eq!(after.by_state["retired"] - before.by_state["retired"], 142);
    assert_eq!(after.running[&RuntimeOwner::None] - before.running.get(&RuntimeOwner::None).unwrap_or(&0), 896);
    assert_eq!(after.idle[&RuntimeOwner::None] - before.idle.get(&RuntimeOwner::None).unwrap_or(&0), 2_133 - 896 - 142);
    assert_eq!(after.waves[0].id, wave.id.to_string());

    // No name and a repeated key are findings, not losses.
    let of = |k: FindingKey| after.findings[k.key()] - before.findings[k.key()];
    assert_eq!(of(FindingKey::NameMissing), shown.unnamed as i64 - retired_among(&shown, &Note::NameMissing));
    assert!(of(FindingKey::PossibleDuplicate) > 0);
    let unnamed =
        list::list(&db, by(&lead, 1), &Query { q: "unnamed".into(), limit: 50, ..Query::default() }).await.unwrap();
    assert!(unnamed.items.iter().all(|l| l.name.starts_with("(unnamed, row ")));

    // Again: nothing new, no wave, one event that says that it was tried.
    let events = count(&db, "SELECT seq FROM chain_head").await;
    let again = run(&db, &lead, 2, &guessed("inventory.csv", &bytes, "office"), &Wish::default()).await.unwrap();
    assert_eq!(again.counts.to_string(), "rows 2133 new 0 changed 0 unchanged 2133 refused 0");
    assert_eq!(again.wave, None);
    assert_eq!(count(&db, "SELECT seq FROM chain_head").await - events, 1);
    assert_eq!(count(&db, "SELECT COUNT(*) FROM wave").await, 1);
    chain_holds(&db).await;
}
story!(whole_and_once, super::an_inventory_comes_in_whole_and_once);

fn retired_among(plan: &Plan, note: &Note) -> i64 {
    let retired = |l: &&imports::Line| matches!(&l.fate, Fate::New { state: Lifecycle::Retired, .. });
    plan.lines.iter().filter(|l| l.notes.contains(note)).filter(retired).count() as i64
}

async fn the_shipped_sample_and_its_mapping(db: Db) {
    let lead = lead();
    let mapping = Mapping::from_toml(SAMPLE_MAPPING).unwrap();
    let staged = imports::stage("federal-2024-sample.csv", SAMPLE, mapping.clone()).unwrap();
    assert_eq!(staged.encoding.key(), "windows-1252");
    let plan = preview(&db, &lead, &staged).await;
    assert_eq!(plan.counts.to_string(), "rows 66 new 66 changed 0 unchanged 0 refused 0");
    assert_eq!((plan.duplicates, plan.unnamed), (2, 0));
    run(&db, &lead, 1, &staged, &Wish::default()).await.unwrap();
    let page = |running| Query { running, limit: 100, count_to: 1_000, ..Query::default() };
    let total = async |r| list::list(&db, by(&lead, 1), &page(r)).await.unwrap().total;
    assert_eq!(total(Some(Running::Yes)).await, Some(25));
    assert_eq!(total(Some(Running::Unknown)).await, Some(4));

    // What Muster guesses by itself says nothing else about state, running and regulation.
    let own = guessed("federal-2024-sample.csv", SAMPLE, "us-federal-2024");
    let plan = preview(&db, &lead, &own).await;
    assert_eq!(plan.counts.unchanged, 66, "{:?}", plan.lines.iter().find(|l| matches!(l.fate, Fate::Changed { .. })));

    // The mapping is kept, and found again by its source or by its columns.
    let header: Vec<String> =
        imports::look("x.csv", SAMPLE).unwrap().profile.columns.into_iter().map(|c| c.name).collect();
    let by_source = imports::mapping_for(&db, by(&lead, 1), "us-federal-2024", true, &header).await.unwrap();
    assert_eq!(by_source.as_ref(), Some(&mapping));
    let by_columns = imports::mapping_for(&db, by(&lead, 1), "edition-two", false, &header).await.unwrap();
    assert_eq!(by_columns.unwrap().source, "us-federal-2024");
    assert!(imports::mapping_for(&db, by(&lead, 1), "edition-two", true, &header).await.unwrap().is_none());
    chain_holds(&db).await;
}
story!(shipped_sample, super::the_shipped_sample_and_its_mapping);

async fn what_changed_is_shown_and_an_approved_boundary_stays(db: Db) {
    let lead = lead();
    let first = "id,name,purpose,stage,region\n1,Alpha,old,Live,North\n2,Beta,old,Live,North\n3,Gamma,old,Live,North\n4,Delta,old,Retired,\n";
    run(&db, &lead, 1, &guessed("a.csv", first.as_bytes(), "cmdb"), &Wish::default()).await.unwrap();
    // Beta's boundary was approved since.
    db.run("UPDATE agent SET state = 'active' WHERE id = 2", args![]).await.unwrap();

    let second = "id,name,purpose,stage,region\n1,Alpha,new,Retired,North\n2,Beta,new,Live,South\n3,Gamma,old,,\n4,Delta,new,Live,\n5,Epsilon,new,Pilot,\n";
    let staged = guessed("b.csv", second.as_bytes(), "cmdb");
    let plan = preview(&db, &lead, &staged).await;
    assert_eq!(plan.counts.to_string(), "rows 5 new 1 changed 2 unchanged 2 refused 0");
    let fields = |at: usize| match &plan.lines[at].fate {
        Fate::Changed { changes, .. } => {
            changes.iter().map(|c| format!("{}: {} → {}", c.field, c.before, c.after)).collect()
        }
        _ => Vec::new(),
    };
    assert_eq!(fields(0), ["purpose: old → new", "running: Runs → Does not run"]);
    assert!(plan.lines[0].notes.contains(&Note::RetireHere));
    assert_eq!(fields(1), ["labels.region: North → South"]);
    assert_eq!(plan.lines[1].drift.iter().map(|c| c.field.as_str()).collect::<Vec<_>>(), ["purpose"]);
    assert_eq!(plan.drifting, 1);
    assert_eq!(plan.lines[3].notes, [Note::SignOfLife]);

    let applied = run(&db, &lead, 2, &staged, &Wish::default()).await.unwrap();
    let read = async |n| agents::read(&db, by(&lead, 2), AgentId(n)).await.unwrap().judged.agent;
    let alpha = read(1).await;
    assert_eq!(
        (alpha.state, alpha.facts.running, alpha.facts.purpose.as_str()),
        (Lifecycle::Discovered, Running::No, "new")
    );
    let beta = read(2).await;
    assert_eq!((beta.facts.purpose.as_str(), beta.facts.labels["region"].as_str()), ("old", "South"));
    assert_eq!(read(4).await.state, Lifecycle::Retired, "never revived");
    assert_eq!(read(1).await.wave, Some(WaveId(1)), "an agent stays in the wave it came with");
    assert_eq!(read(5).await.wave, applied.wave);
    assert_eq!(read(5).await.facts.environment, Environment::Staging);
}
story!(changes_and_drift, super::what_changed_is_shown_and_an_approved_boundary_stays);

async fn a_closed_record_is_spoken_of_only_when_the_row_differs(db: Db) {
    seed::demo(&db, by(&Actor::cli(), 0)).await.unwrap();
    let lead = lead();
    let names = db.all("SELECT name FROM team ORDER BY id LIMIT 2", args![]).await.unwrap();
    let [team, other] = [0, 1].map(|n| names[n].get::<String>(0).unwrap());
    let file = |purpose: &str, stage: &str, team: &str| {
        format!("id,name,purpose,stage,region,Operated by\n1,Old,{purpose},{stage},North,{team}\n")
    };
    let first = file("counts", "Retired", &team);
    run(&db, &lead, 1, &guessed("a.csv", first.as_bytes(), "cmdb"), &Wish::default()).await.unwrap();
    let notes = async |text: String| {
        let plan = preview(&db, &lead, &guessed("a.csv", text.as_bytes(), "cmdb")).await;
        assert_eq!(plan.counts.to_string(), "rows 1 new 0 changed 0 unchanged 1 refused 0");
        plan.lines[0].notes.clone()
    };
    assert_eq!(notes(first).await, [], "the same file is no news");
    assert_eq!(notes(file("weighs", "Retired", &team)).await, [Note::RecordClosed]);
    assert_eq!(notes(file("counts", "Retired", &other)).await, [Note::RecordClosed]);
    assert_eq!(notes(file("counts", "Live", &team)).await, [Note::SignOfLife]);
}
story!(closed_records, super::a_closed_record_is_spoken_of_only_when_the_row_differs);

async fn owners_are_people_or_are_reported(db: Db) {
    seed::demo(&db, by(&Actor::cli(), 0)).await.unwrap();
    let lead = lead();
    let db = &db;
    let name =
        |sql: &'static str| async move { db.one(sql, args![]).await.unwrap().unwrap().get::<String>(0).unwrap() };
    let mail = name("SELECT email FROM person WHERE id = 4").await;
    let person = name("SELECT name FROM person WHERE id = 5").await;
    let gone = name("SELECT name FROM person WHERE status = 'left' ORDER BY id LIMIT 1").await;
    let team = name(
        "SELECT t.name FROM team t JOIN person p ON p.id = t.lead_id WHERE p.status = 'active' ORDER BY t.id LIMIT 1",
    )
    .await;
    let text = format!(
        "name,stage,Business Owner,Runtime Owner,Operated by\n\
         A,Live,{mail},{},{team}\nB,Live,Nobody Known,{gone},No Such Team\nC,Live,\"Ana; Bo\",,\nD,Retired,{mail},,\n",
        person.to_uppercase()
    );
    let staged = guessed("owners.csv", text.as_bytes(), "hr");
    let plan = preview(db, &lead, &staged).await;
    let asked: Vec<(Duty, Party)> = plan.lines[0].appointments.iter().map(|a| (a.duty, a.party)).collect();
    assert_eq!(asked, [(Duty::Purpose, Party::Person(PersonId(4))), (Duty::Containment, Party::Person(PersonId(5)))]);
    let said: Vec<String> = plan.lines[1].notes.iter().map(Note::sentence).collect();
    assert_eq!(said.len(), 3, "{said:?}");
    assert_eq!(plan.unmatched.len(), 4, "{:?}", plan.unmatched);
    assert!(plan.lines[3].appointments.is_empty(), "a retired agent asks nobody");
    for line in &plan.lines {
        let Fate::New { facts, .. } = &line.fate else { panic!("new") };
        assert!(facts.labels.is_empty(), "a name is never kept silently as text: {:?}", facts.labels);
    }

    // An analyst may ask for what they bring in; stating who owns it is a security lead's.
    let analyst = analyst();
    let record = Wish { owners: Mode::Record, reason: "as the inventory says".into(), ..Wish::default() };
    assert!(matches!(run(db, &analyst, 1, &staged, &record).await, Err(Error::Denied(_))));
    let silent = Wish { owners: Mode::Record, ..Wish::default() };
    assert!(matches!(run(db, &lead, 1, &staged, &silent).await, Err(Error::Invalid(_))));
    let applied = run(db, &analyst, 1, &staged, &Wish::default()).await.unwrap();
    assert_eq!(applied.appointed, 2);
    let find = async |key: &str| agents::read::by_external_id(db, "hr", key).await.unwrap().unwrap();
    let a = find("A").await;
    let view = agents::read(db, by(&lead, 1), a).await.unwrap();
    assert_eq!(view.judged.assessment.runtime_owner.unwrap().state, RuntimeOwner::Pending);
    assert!(view.judged.agent.facts.operated_by.is_some());

    // The same again asks nobody twice; who declined is left in peace.
    let again = run(db, &analyst, 2, &staged, &Wish::default()).await.unwrap();
    assert_eq!(again.counts.unchanged, 4);
    let bea = actor(4, &[Role::Member]);
    assignments::answer(db, by(&bea, 3), &[(a, Duty::Purpose)], false, "not mine").await.unwrap();
    let plan = preview(db, &analyst, &staged).await;
    assert_eq!(plan.counts.unchanged, 4);
    assert!(plan.lines[0].notes.iter().any(|n| matches!(n, Note::OwnerDeclined { .. })));

    // A lead records; another owner in a later edition does not displace.
    let text = format!("name,stage,Runtime Owner\nE,Live,{mail}\n");
    run(db, &lead, 4, &guessed("e.csv", text.as_bytes(), "ops"), &record).await.unwrap();
    let e = agents::read::by_external_id(db, "ops", "E").await.unwrap().unwrap();
    let view = agents::read(db, by(&lead, 4), e).await.unwrap();
    assert_eq!(view.judged.assessment.runtime_owner.unwrap().state, RuntimeOwner::Unable);
    let text = format!("name,stage,Runtime Owner\nE,Live,{person}\n");
    let plan = preview(db, &lead, &guessed("e.csv", text.as_bytes(), "ops")).await;
    assert_eq!(plan.counts.unchanged, 1);
    assert!(plan.lines[0].notes.iter().any(|n| matches!(n, Note::OwnerKept { .. })));
    chain_holds(db).await;
}
story!(owners, super::owners_are_people_or_are_reported);

async fn shared_records_and_ids_of_others_hold(db: Db) {
    let lead = lead();
    let mapping = |toml: &str| {
        Mapping::from_toml(&format!("source = \"s\"\nkey = [\"n\"]\n[fields.name]\ncolumn = \"n\"\n{toml}")).unwrap()
    };
    let hosted = mapping(
        "[fields.vendor]\ncolumn = \"v\"\n[tools]\ncolumn = \"t\"\nkind = \"saas\"\n[external_ids]\ncmdb = \"c\"\n",
    );
    let text = "n,v,t,c\nA,Acme,Mail;Jira,7\nB,ACME,mail,7\nC,acme,JIRA,8\n";
    let staged = imports::stage("x.csv", text.as_bytes(), hosted.clone()).unwrap();
    run(&db, &lead, 1, &staged, &Wish::default()).await.unwrap();
    assert_eq!(count(&db, "SELECT COUNT(*) FROM vendor").await, 1);
    assert_eq!(count(&db, "SELECT COUNT(*) FROM tool").await, 2);
    assert_eq!(run(&db, &lead, 1, &staged, &Wish::default()).await.unwrap().counts.unchanged, 3);
    let b = agents::read(&db, by(&lead, 1), AgentId(2)).await.unwrap().judged.agent;
    assert_eq!(b.facts.external_ids, [ExternalId { source: "s".into(), id: "B".into() }]);
    assert_eq!(b.notes.duplicate_of.as_deref(), Some("cmdb: 7"));

    // Another kind for a tool that is recorded does not redefine it for everybody.
    let other = mapping("[tools]\ncolumn = \"t\"\nkind = \"mcp-server\"\n");
    let plan = preview(&db, &lead, &imports::stage("x.csv", text.as_bytes(), other).unwrap()).await;
    assert_eq!(plan.counts.unchanged, 3);
    assert!(matches!(plan.lines[0].notes[0], Note::SharedRecordHolds { .. }));
    chain_holds(&db).await;
}
story!(shared_records, super::shared_records_and_ids_of_others_hold);

async fn refused_rows_come_back_mended(db: Db) {
    let lead = lead();
    let text = "name,purpose\nBot,one\nBot,two,surplus\n=cmd(),\"open\nbroken,\"x\nLast,three\n";
    let staged = guessed("r.csv", text.as_bytes(), "r");
    let plan = preview(&db, &lead, &staged).await;
    assert_eq!(plan.counts.to_string(), "rows 5 new 2 changed 0 unchanged 0 refused 3");
    run(&db, &lead, 1, &staged, &Wish::default()).await.unwrap();
    let file = imports::refused_csv(text.as_bytes(), &plan).unwrap();
    let lines: Vec<&str> = file.trim_start_matches('\u{feff}').lines().collect();
    assert_eq!(lines[0], "Muster: why it was refused,Muster: key,name,purpose");
    assert!(lines[1].ends_with(",Bot #2,Bot,two,surplus"), "{}", lines[1]);
    assert!(lines[2].contains("'=cmd()"), "neutral: {}", lines[2]);

    let mended = file.replace(",two,surplus", ",two");
    let staged = guessed("r-refused.csv", mended.as_bytes(), "r");
    let plan = preview(&db, &lead, &staged).await;
    assert_eq!((plan.counts.new, plan.counts.refused), (3, 0), "{:?}", plan.lines);
    assert_eq!((plan.lines[0].key.as_str(), plan.lines[0].name.as_str()), ("Bot #2", "Bot"));
}
story!(refused_rows, super::refused_rows_come_back_mended);

async fn nothing_is_done_that_was_not_shown(db: Db) {
    let lead = lead();
    let staged = guessed("a.csv", b"name,purpose\nA,old\n", "s");
    let shown = preview(&db, &lead, &staged).await;
    let mut facts = AgentFacts::named("A");
    facts.external_ids.push(ExternalId { source: "s".into(), id: "A".into() });
    agents::create(&db, by(&lead, 1), facts, Lifecycle::Draft).await.unwrap();
    let wish = Wish { seen: Some(shown.digest), ..Wish::default() };
    assert!(matches!(run(&db, &lead, 1, &staged, &wish).await, Err(Error::Conflict(_))));
    let now = preview(&db, &lead, &staged).await;
    assert_eq!(now.counts.changed, 1);

    for who in
        [actor(3, &[Role::Member]), actor(3, &[Role::Administrator]), actor(3, &[Role::Auditor]), Actor::muster()]
    {
        assert!(matches!(run(&db, &who, 1, &staged, &Wish::default()).await, Err(Error::Denied(_))));
        assert!(matches!(imports::preview(&db, by(&who, 1), &staged, Mode::Offer).await, Err(Error::Denied(_))));
        assert!(imports::waves(&db, by(&who, 1), 5).await.is_err());
    }
    for wish in [
        Wish { target_days: Some(0), ..Wish::default() },
        Wish { target_days: Some(731), ..Wish::default() },
        Wish { owner: Some(PersonId(99)), ..Wish::default() },
    ] {
        assert!(matches!(run(&db, &lead, 1, &staged, &wish).await, Err(Error::Invalid(_))));
    }
}
story!(only_what_was_shown, super::nothing_is_done_that_was_not_shown);

async fn two_at_once_make_one(db: Db) {
    let lead = lead();
    let staged = guessed("a.csv", b"name,purpose\nA,x\nB,y\n", "s");
    let wish = Wish::default();
    let (one, two) = tokio::join!(run(&db, &lead, 1, &staged, &wish), run(&db, &lead, 1, &staged, &wish));
    let new = one.unwrap().counts.new + two.unwrap().counts.new;
    assert_eq!((new, count(&db, "SELECT COUNT(*) FROM agent").await), (2, 2));
    chain_holds(&db).await;
}
story!(two_at_once, super::two_at_once_make_one);

async fn uploads_wait_for_their_sender(db: Db) {
    seed::demo(&db, by(&Actor::cli(), 0)).await.unwrap();
    let (lead, analyst) = (lead(), analyst());
    let id = imports::put(&db, by(&lead, 1), "C:\\files\\\u{7}a.csv", b"name\nA\n".to_vec(), "{}").await.unwrap();
    let (upload, bytes) = imports::upload(&db, by(&lead, 1), &id).await.unwrap();
    assert_eq!((upload.name.as_str(), bytes.as_slice()), ("a.csv", b"name\nA\n".as_slice()));
    assert!(matches!(imports::upload(&db, by(&analyst, 1), &id).await, Err(Error::NotFound(_))));
    imports::remember(&db, by(&lead, 1), &id, "{\"a\":1}").await.unwrap();
    assert!(imports::remember(&db, by(&analyst, 1), &id, "x").await.is_err());
    imports::discard(&db, by(&analyst, 1), &id).await.unwrap();
    assert_eq!(imports::uploads(&db, by(&lead, 1)).await.unwrap()[0].form, "{\"a\":1}");
    for _ in 0..12 {
        let later = By { actor: &lead, now: by(&lead, 1).now + chrono::TimeDelta::hours(1) };
        imports::put(&db, later, "b.csv", b"name\nA\n".to_vec(), "").await.unwrap();
    }
    assert!(imports::upload(&db, by(&lead, 1), &id).await.is_err(), "the oldest made room");
    assert_eq!(imports::uploads(&db, by(&lead, 1)).await.unwrap().len(), 10);
    imports::put(&db, by(&lead, 4), "c.csv", b"name\nA\n".to_vec(), "").await.unwrap();
    assert_eq!(imports::uploads(&db, by(&lead, 4)).await.unwrap().len(), 1, "a day has passed");
    let member = actor(3, &[Role::Member]);
    assert!(imports::put(&db, by(&member, 1), "x", vec![1], "").await.is_err());
}
story!(uploads, super::uploads_wait_for_their_sender);

#[test]
fn what_cannot_be_read_is_a_sentence() {
    let wide = vec!["c"; 10_000].join(",");
    for (bytes, word) in [
        (b"\x89PNG\r\n".as_slice(), "PNG"),
        (b"", "empty"),
        (b"name,purpose\n", "no rows"),
        (wide.as_bytes(), "10000 columns"),
        (&vec![b'x'; 100_000_000], "at most 64 MiB"),
    ] {
        let refused = imports::look("f.csv", bytes).unwrap_err();
        assert!(refused.to_string().contains(word), "{refused}");
    }
    let mapping = Mapping { key: vec!["x".into()], ..Mapping::default() };
    assert!(imports::stage("f.csv", b"name\nA\n", mapping).is_err(), "no source");
    let mut mapping = Mapping { source: "s".into(), ..Mapping::default() };
    mapping.fields.insert(Field::Name, domain::import::Rule::column("other"));
    assert!(imports::stage("f.csv", b"name\nA\n", mapping).unwrap_err().to_string().contains("“other”"));
}
