//! A synthetic estate of any size, for measuring: the same seed gives the same estate.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::agent::{
    Access, AgentFacts, AgentKind, Autonomy, CredentialKind, CredentialUse, DataClass, Environment, Exposure,
    ExternalId, Hosting, Lifecycle, Running, Sensitivity, ToolGrant, ToolKind,
};
use domain::assignment::RaciRole;
use domain::duty::Duty;
use domain::facts;
use domain::finding::ImportNotes;
use domain::id::{PersonId, TeamId};
use domain::party::{Party, PersonStatus, Role, Roles, TeamKind};
use domain::reach::ChannelKind;
use domain::text;

use super::random::Chance;
use super::reach::{SeedChannel, channels};
use super::{Owners, SeedPerson, SeedTeam, is_empty, owners, people, teams};
use crate::agents::assess::reassess;
use crate::agents::write::{New, insert_many};
use crate::change::{By, Change};
use crate::db::Db;
use crate::error::Error;
use crate::requests::seats::derive;

/// How many agents are written in one transaction.
const BATCH: usize = 1000;
/// The requests that are open in an estate, one in so many agents.
const ASKED_EVERY: usize = 20;

const GIVEN: [&str; 32] = [
    "Ada", "Bao", "Carmen", "Dario", "Elif", "Farid", "Greta", "Hana", "Ines", "Jonas", "Kaya", "Liam", "Mira", "Noor",
    "Olga", "Pavel", "Quinn", "Rosa", "Sami", "Tove", "Uma", "Viktor", "Wanda", "Xavi", "Yara", "Zeno", "Aylin",
    "Bram", "Chidi", "Dolores", "Emre", "Freya",
];
const FAMILY: [&str; 32] = [
    "Almeida", "Berg", "Castro", "Dahl", "Eriksen", "Fontaine", "Garcia", "Haddad", "Ivanov", "Jansen", "Kovacs",
    "Lindgren", "Moreau", "Nakamura", "Okafor", "Petrov", "Quist", "Rossi", "Sato", "Tanaka", "Ueda", "Varga", "Weber",
    "Xu", "Yilmaz", "Zhang", "Adeyemi", "Brandt", "Costa", "Duarte", "Engel", "Fischer",
];
const UNITS: [&str; 24] = [
    "Claims",
    "Customer Care",
    "Finance",
    "Fleet",
    "Human Resources",
    "Underwriting",
    "Legal",
    "Logistics",
    "Marketing",
    "Payments",
    "Procurement",
    "Research",
    "Retail",
    "Risk",
    "Sales",
    "Security Operations",
    "Supply Planning",
    "Tax",
    "Treasury",
    "Warehousing",
    "Field Service",
    "Data Platform",
    "Quality",
    "Communications",
];
const SUBJECTS: [&str; 30] = [
    "Invoice",
    "Claims",
    "Refund",
    "Onboarding",
    "Contract",
    "Payroll",
    "Inventory",
    "Route",
    "Fraud",
    "Ticket",
    "Email",
    "Forecast",
    "Pricing",
    "Quality",
    "Compliance",
    "Audit",
    "Catalogue",
    "Delivery",
    "Returns",
    "Lead",
    "Campaign",
    "Translation",
    "Meeting",
    "Code",
    "Incident",
    "Patch",
    "Supplier",
    "Credit",
    "Warranty",
    "Sensor",
];
const WORK: [&str; 20] = [
    "triage",
    "assistant",
    "reviewer",
    "router",
    "summariser",
    "planner",
    "checker",
    "drafter",
    "monitor",
    "classifier",
    "matcher",
    "scheduler",
    "copilot",
    "extractor",
    "optimiser",
    "negotiator",
    "responder",
    "auditor",
    "builder",
    "watcher",
];
const TOOLS: [(&str, ToolKind, Sensitivity); 16] = [
    ("Mail gateway", ToolKind::Saas, Sensitivity::Medium),
    ("Ticket desk", ToolKind::Saas, Sensitivity::Low),
    ("Customer records", ToolKind::InternalApi, Sensitivity::High),
    ("Payments API", ToolKind::InternalApi, Sensitivity::High),
    ("Document store", ToolKind::McpServer, Sensitivity::Medium),
    ("Code runner", ToolKind::CodeExecution, Sensitivity::High),
    ("Search index", ToolKind::InternalApi, Sensitivity::Low),
    ("Calendar", ToolKind::Saas, Sensitivity::Low),
    ("Warehouse queries", ToolKind::McpServer, Sensitivity::Medium),
    ("Chat", ToolKind::Saas, Sensitivity::Low),
    ("Source repository", ToolKind::McpServer, Sensitivity::High),
    ("Deployment pipeline", ToolKind::InternalApi, Sensitivity::High),
    ("Web browser", ToolKind::McpServer, Sensitivity::Medium),
    ("Price list", ToolKind::InternalApi, Sensitivity::Low),
    ("Personnel files", ToolKind::InternalApi, Sensitivity::High),
    ("Telemetry", ToolKind::McpServer, Sensitivity::Low),
];
const MODELS: [&str; 6] = ["large-a", "large-b", "small-a", "small-b", "vision-a", "embedding-a"];

/// Writes an estate of `agents` agents and `people_count` people into an empty database.
/// `progress` is told how many agents are written.
pub async fn synthetic(
    db: &Db,
    by: By<'_>,
    agents: usize,
    people_count: Option<usize>,
    seed: u64,
    mut progress: impl FnMut(usize),
) -> Result<(), Error> {
    if !is_empty(db).await? {
        return Err(Error::Conflict(
            "The database is not empty: a synthetic estate is never mixed with a real one. Name a new database.".into(),
        ));
    }
    let mut chance = Chance::new(seed);
    let people_count = people_count.unwrap_or((agents / 50).clamp(12, 2000)).max(4);
    let (first_person, team_ids) = staff(db, by, people_count, &mut chance).await?;
    let persons: Vec<PersonId> = (0..people_count as i64).map(|n| PersonId(first_person + n)).collect();
    let mut done = 0;
    while done < agents {
        let count = BATCH.min(agents - done);
        let mut change = Change::begin(db, by).await?;
        let mut news = Vec::with_capacity(count);
        let mut plans = Vec::with_capacity(count);
        let mut asked = Vec::new();
        for n in 0..count {
            let (mut new, mut owner) = agent(by, done + n + 1, &persons, &team_ids, &mut chance)?;
            if n % ASKED_EVERY == 0 {
                // A draft that is asked for; nobody has said yet whose purpose it serves.
                (new.state, new.facts.running) = (Lifecycle::Draft, Running::No);
                owner.held.retain(|(duty, ..)| *duty != Duty::Purpose);
                asked.push(n);
            }
            news.push(new);
            plans.push(owner);
        }
        let ids = insert_many(&mut change, "administrator", news).await?;
        let list: Vec<_> = ids.iter().copied().zip(plans).collect();
        owners(&mut change, &list, by.now - TimeDelta::days(200), by.now).await?;
        if let Some(first) = ids.first() {
            super::requests::approved(&mut change, *first, by.now).await?;
        }
        let asked: Vec<_> = asked.into_iter().filter_map(|n| ids.get(n).copied()).collect();
        super::requests::asked(&mut change, &asked, persons[1]).await?;
        reassess(&mut change, &ids, true).await?;
        derive(&mut change, &asked).await?;
        change.commit().await?;
        done += count;
        progress(done);
    }
    Ok(())
}

/// People, every fiftieth of whom has left, and teams, every fifteenth without a lead.
async fn staff(db: &Db, by: By<'_>, count: usize, chance: &mut Chance) -> Result<(i64, Vec<TeamId>), Error> {
    let mut change = Change::begin(db, by).await?;
    let list: Vec<SeedPerson> = (0..count)
        .map(|n| {
            let name = format!("{} {}", chance.pick(&GIVEN), chance.pick(&FAMILY));
            let left = n % 50 == 49;
            SeedPerson {
                email: format!("{}.{}@example.org", text::fold(&name).replace(' ', "."), n + 1),
                name,
                title: String::new(),
                unit: (*chance.pick(&UNITS)).to_owned(),
                roles: match n {
                    0 => [Role::Administrator, Role::SecurityLead].into_iter().collect(),
                    1 => Roles::NONE.with(Role::RiskAnalyst),
                    2 => Roles::NONE.with(Role::Auditor),
                    _ => Roles::NONE.with(Role::Member),
                },
                status: if left { PersonStatus::Left } else { PersonStatus::Active },
                left_at: left.then(|| by.now - TimeDelta::days(1 + n as i64 % 300)),
                manager: (n > 0).then_some(n / 8),
                deputy: None,
            }
        })
        .collect();
    let first = people(&mut change, &list).await?;
    let team_count = (count / 8).max(2);
    let active: Vec<PersonId> = list
        .iter()
        .enumerate()
        .filter(|(_, p)| p.status == PersonStatus::Active)
        .map(|(n, _)| PersonId(first + n as i64))
        .collect();
    let list: Vec<SeedTeam> = (0..team_count)
        .map(|n| {
            let kind = TeamKind::ALL[n % TeamKind::ALL.len()];
            let mut members: Vec<PersonId> = (0..5).map(|_| *chance.pick(&active)).collect();
            members.sort_unstable();
            members.dedup();
            SeedTeam {
                name: format!("{} {} {}", chance.pick(&UNITS), kind.label(), n + 1),
                kind,
                lead: (n % 15 != 14).then(|| members[0]),
                deputy: None,
                members,
            }
        })
        .collect();
    let first_team = teams(&mut change, &list).await?;
    // Of every eleventh team nobody can be reached, and of the rest nearly everybody.
    let silent: BTreeSet<PersonId> = list.iter().skip(5).step_by(11).flat_map(|t| t.members.iter().copied()).collect();
    let reached: Vec<SeedChannel> = active
        .iter()
        .filter(|p| !silent.contains(p) && p.0 % 13 != 0)
        .map(|p| SeedChannel {
            person: *p,
            kind: ChannelKind::Phone,
            address: format!("+49 30 {:07}", 1_000_000 + p.0),
            tested: Some(by.now - TimeDelta::days(p.0 * 13 % 100)),
        })
        .collect();
    channels(&mut change, &reached, PersonId(first)).await?;
    change.commit().await?;
    Ok((first, (0..team_count as i64).map(|n| TeamId(first_team + n)).collect()))
}

fn agent(
    by: By<'_>,
    number: usize,
    persons: &[PersonId],
    team_ids: &[TeamId],
    chance: &mut Chance,
) -> Result<(New, Owners), Error> {
    let subject = *chance.pick(&SUBJECTS);
    let work = *chance.pick(&WORK);
    let unit = *chance.pick(&UNITS);
    let state = match chance.below(100) {
        0..=54 => Lifecycle::Active,
        55..=69 => Lifecycle::Draft,
        70..=79 => Lifecycle::Discovered,
        80..=84 => Lifecycle::Suspended,
        85..=89 => Lifecycle::Approved,
        _ => Lifecycle::Retired,
    };
    let running = match state {
        Lifecycle::Active | Lifecycle::Discovered => Running::Yes,
        Lifecycle::Suspended | Lifecycle::Draft if chance.percent(10) => Running::Unknown,
        _ => Running::No,
    };
    let vendor_managed = chance.percent(15);
    let team = *chance.pick(team_ids);
    let mut f = AgentFacts::named(format!("{subject} {work} {number}"));
    f.purpose = format!("{work}s {} items for {unit} and hands doubtful ones to a person.", subject.to_lowercase());
    f.kind = *chance.pick(AgentKind::ALL);
    unit.clone_into(&mut f.business_unit);
    f.environment = match state {
        Lifecycle::Active | Lifecycle::Suspended | Lifecycle::Discovered => Environment::Production,
        _ => *chance.pick(&[Environment::Sandbox, Environment::Staging]),
    };
    if vendor_managed {
        f.hosting = Hosting::VendorManaged;
        f.vendor = format!("Vendor {}", 1 + chance.below(12));
        f.contract = format!("C-{:04}", chance.below(4000));
    }
    f.operated_by = Some(team);
    f.external_ids = vec![ExternalId { source: "inventory".into(), id: format!("inv-{number}") }];
    f.labels.insert("cost-centre".into(), format!("cc{}", 100 + chance.below(80)));
    f.workload_identity = format!("spiffe://example.org/agent/{number}");
    f.models = vec![(*chance.pick(&MODELS)).to_owned()];
    f.autonomy = *chance.pick(Autonomy::ALL);
    f.exposure = *chance.pick(Exposure::ALL);
    f.data = *chance.pick(DataClass::ALL);
    f.regulated = chance.percent(12);
    f.running = running;
    f.confidential = chance.percent(1);
    let first = usize::try_from(chance.below(TOOLS.len() as u64)).unwrap_or(0);
    for n in 0..usize::try_from(chance.below(4)).unwrap_or(0) {
        let (name, kind, sensitivity) = TOOLS[(first + n * 5) % TOOLS.len()];
        f.tools.push(ToolGrant {
            name: name.into(),
            kind,
            sensitivity,
            access: *chance.pick(Access::ALL),
            scope: String::new(),
        });
    }
    let key = chance.below(200);
    let kind = CredentialKind::ALL[usize::try_from(key % 4).unwrap_or(0)];
    f.credentials.push(CredentialUse {
        name: format!("key-{key}"),
        kind,
        ttl_seconds: (!kind.is_standing()).then_some(3600),
        kept_in: "vault".into(),
        last_rotated: String::new(),
    });
    let owners = owned(by, &f, state, team, persons, team_ids, chance);
    let facts =
        facts::check(f).map_err(|w| Error::Conflict(format!("the synthetic agent {number} is not valid: {w:?}")))?;
    Ok((New { facts, state, wave: None, notes: ImportNotes::default() }, owners))
}

fn owned(
    by: By<'_>,
    f: &AgentFacts,
    state: Lifecycle,
    team: TeamId,
    persons: &[PersonId],
    team_ids: &[TeamId],
    chance: &mut Chance,
) -> Owners {
    let mut o = Owners::default();
    if state == Lifecycle::Retired {
        return o;
    }
    let fate = chance.below(100);
    for duty in Duty::all_required(f) {
        let party = match duty {
            Duty::Purpose | Duty::Regulatory => Party::Person(*chance.pick(persons)),
            Duty::Containment | Duty::Monitoring | Duty::Review | Duty::Retirement => Party::Team(team),
            _ => Party::Team(*chance.pick(team_ids)),
        };
        if duty == Duty::Containment {
            match fate {
                0..=11 => continue,
                12..=15 => {
                    o.offers.push((duty, party, by.now - TimeDelta::days(i64::try_from(fate).unwrap_or(0))));
                    continue;
                }
                _ => {}
            }
        } else if chance.percent(8) {
            continue;
        }
        o.held.push((duty, RaciRole::Accountable, party));
        if chance.percent(90) {
            o.held.push((duty, RaciRole::Responsible, Party::Team(team)));
        }
        if fate >= 26 && duty == Duty::Containment {
            o.procedure = Some("Set the replica count to 0 in the orchestrator, then revoke its tokens.".into());
            if fate >= 55 {
                let days = 1 + chance.below(29);
                let at = by.now - TimeDelta::days(i64::try_from(days).unwrap_or(1));
                o.drill = Some((party, at, 20 + i64::try_from(chance.below(200)).unwrap_or(0)));
            }
        }
    }
    o
}
