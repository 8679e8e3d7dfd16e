//! The demonstration organisation: Halden Freight, an invented haulier with 40 people,
//! 12 teams and 60 agents, and what is usual among them: well-kept ones, vacant ones, an
//! owner who left, keys that never expire, a vendor's agents, a crew of agents.

use chrono::TimeDelta;
use domain::agent::{
    Access, AgentFacts, AgentKind, Autonomy, CredentialKind, CredentialUse, DataClass, Environment, Exposure,
    ExternalId, Hosting, Lifecycle, Running, Sensitivity, ToolGrant, ToolKind,
};
use domain::assignment::RaciRole;
use domain::duty::Duty;
use domain::facts;
use domain::finding::ImportNotes;
use domain::id::{PersonId, SystemId, TeamId};
use domain::party::{Party, PersonStatus, Role, Roles, TeamKind};
use domain::reach::ChannelKind;
use domain::system::{SHARED, Subject};
use domain::text;
use serde_json::{Value, json};

use super::reach::{SeedChannel, channels, rotation};
use super::{Owners, SeedPerson, SeedTeam, demo_stops, is_empty, owners, people, teams};
use crate::agents::assess::reassess;
use crate::agents::write::{New, insert_many};
use crate::args;
use crate::assignments::{self, Mode, Wanted};
use crate::change::{self, By, Change};
use crate::db::Db;
use crate::error::Error;

/// A sign-in of the demonstration.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// Who.
    pub person: PersonId,
    /// E-mail address.
    pub email: String,
    /// Their roles.
    pub roles: Roles,
}

/// Name, title, business unit, roles, days since they left (0: still there), manager (position).
type Person = (&'static str, &'static str, &'static str, &'static [Role], i64, usize);

use Role::{Administrator as Adm, Auditor as Aud, Member as Mem, RiskAnalyst as Ana, SecurityLead as Sec};

const PEOPLE: [Person; 40] = [
    ("Ingrid Solheim", "Chief information security officer", "Security", &[Adm, Sec], 0, 0),
    ("Tomás Ferreira", "Head of security operations", "Security", &[Sec], 0, 0),
    ("Maren Vogt", "AI risk analyst", "Risk", &[Ana], 0, 0),
    ("Bea Lindqvist", "Director of customer care", "Customer Care", &[Mem], 0, 0),
    ("Ravi Menon", "Agent platform engineer", "Technology", &[Mem], 0, 9),
    ("Yusuf Demir", "Internal auditor", "Audit", &[Aud], 0, 0),
    ("Clara Oyelaran", "Identity engineer", "Security", &[Mem], 0, 1),
    ("Henrik Dahl", "API engineer", "Technology", &[Mem], 0, 9),
    ("سلمى حداد", "Incident responder", "Security", &[Mem], 0, 1),
    ("Anneke de Boer", "Head of technology", "Technology", &[Mem], 0, 0),
    ("Lucas Moretti", "Machine-learning engineer", "Technology", &[Mem], 34, 9),
    ("Priya Raman", "Head of dispatch", "Dispatch", &[Mem], 0, 0),
    ("Oskar Nyman", "Dispatch planner", "Dispatch", &[Mem], 0, 11),
    ("Fiona Gallagher", "Finance director", "Finance", &[Mem], 0, 0),
    ("Marek Novak", "Accounts payable lead", "Finance", &[Mem], 0, 13),
    ("Joana Pires", "General counsel", "Legal", &[Mem], 0, 0),
    ("Samuel Okoro", "Compliance officer", "Legal", &[Mem], 0, 15),
    ("Elena Marchetti", "Head of people", "People", &[Mem], 0, 0),
    ("Dae-jung Kim", "Recruiting lead", "People", &[Mem], 0, 17),
    ("Astrid Holm", "Customer care team lead", "Customer Care", &[Mem], 0, 3),
    ("Nils Aaberg", "Warehouse systems lead", "Warehousing", &[Mem], 0, 9),
    ("Grace Whitfield", "Head of warehousing", "Warehousing", &[Mem], 0, 0),
    ("Pierre Lemaire", "Marketing director", "Marketing", &[Mem], 0, 0),
    ("Hülya Kaplan", "Content manager", "Marketing", &[Mem], 0, 22),
    ("Viktor Hansson", "Fleet manager", "Fleet", &[Mem], 0, 0),
    ("Amara Diallo", "Fleet data analyst", "Fleet", &[Mem], 0, 24),
    ("Piotr Zielinski", "Software engineer", "Technology", &[Mem], 0, 9),
    ("Keiko Tanabe", "Software engineer", "Technology", &[Mem], 0, 9),
    ("Mateo Rojas", "Site reliability engineer", "Technology", &[Mem], 0, 9),
    ("Sofia Eklund", "Data protection officer", "Legal", &[Mem], 0, 15),
    ("Rory Campbell", "Sales director", "Sales", &[Mem], 0, 0),
    ("Leila Farouk", "Sales operations", "Sales", &[Mem], 0, 30),
    ("Jonas Weber", "Pricing analyst", "Sales", &[Mem], 120, 30),
    ("Noémie Girard", "Quality lead", "Warehousing", &[Mem], 0, 21),
    ("Arjun Patel", "Identity engineer", "Security", &[Mem], 0, 1),
    ("Wanda Kowalska", "Payroll lead", "People", &[Mem], 0, 17),
    ("Bruno Salvatore", "Route optimisation lead", "Dispatch", &[Mem], 8, 11),
    ("Thandi Nkosi", "Customer care analyst", "Customer Care", &[Mem], 0, 3),
    ("Emil Sørensen", "Security engineer", "Security", &[Mem], 0, 1),
    ("Chloe Bennett", "Executive assistant", "Executive", &[Mem], 0, 0),
];

/// Name, kind, lead (position of a person), members.
const TEAMS: [(&str, TeamKind, usize, &[usize]); 12] = [
    ("Identity engineering", TeamKind::Identity, 6, &[6, 34]),
    ("API gateway", TeamKind::Api, 7, &[7, 26]),
    ("Agent platform", TeamKind::Platform, 4, &[4, 28, 27]),
    ("Security operations", TeamKind::Security, 1, &[1, 38, 8]),
    ("Incident response", TeamKind::IncidentResponse, 8, &[8, 38]),
    ("Customer care digital", TeamKind::Business, 19, &[19, 37]),
    ("Dispatch systems", TeamKind::Platform, 12, &[12, 26]),
    ("Finance automation", TeamKind::Business, 14, &[14]),
    ("Risk and assurance", TeamKind::Risk, 2, &[2]),
    ("Legal and compliance", TeamKind::Legal, 16, &[16, 29]),
    ("Warehouse systems", TeamKind::Platform, 20, &[20, 33]),
    // Its lead left: whatever it holds, nobody is named for.
    ("Route optimisation", TeamKind::Business, 36, &[36, 25]),
];

/// What became of stopping the agent.
#[derive(Clone, Copy)]
enum Stop {
    /// Drilled so many days ago, in so many seconds.
    Drilled(i64, i64),
    /// A procedure that this owner never showed.
    Written,
    /// An owner without a procedure.
    Unwritten,
    /// Offered so many days ago.
    Offered(i64),
    /// Nobody.
    Nobody,
}

use Autonomy as Au;
use DataClass as Da;
use Environment as En;
use Exposure as Ex;
use Lifecycle as Li;
use Stop::{Drilled, Nobody, Offered, Unwritten, Written};

struct Row {
    name: &'static str,
    unit: &'static str,
    purpose: &'static str,
    kind: AgentKind,
    state: Lifecycle,
    environment: Environment,
    reach: (Autonomy, Exposure, DataClass, bool),
    tools: &'static [(usize, Access)],
    credential: usize,
    /// Operating team and business owner, by position.
    team: usize,
    business: usize,
    stop: Stop,
}

const TOOLS: [(&str, ToolKind, Sensitivity); 12] = [
    ("Ticket desk", ToolKind::Saas, Sensitivity::Low),
    ("Customer records", ToolKind::InternalApi, Sensitivity::High),
    ("Shipment API", ToolKind::InternalApi, Sensitivity::Medium),
    ("Payments API", ToolKind::InternalApi, Sensitivity::High),
    ("Document store", ToolKind::McpServer, Sensitivity::Medium),
    ("Mail gateway", ToolKind::Saas, Sensitivity::Medium),
    ("Source repository", ToolKind::McpServer, Sensitivity::High),
    ("Code runner", ToolKind::CodeExecution, Sensitivity::High),
    ("Telematics feed", ToolKind::McpServer, Sensitivity::Low),
    ("Warehouse control", ToolKind::InternalApi, Sensitivity::High),
    ("Personnel files", ToolKind::InternalApi, Sensitivity::High),
    ("Web search", ToolKind::McpServer, Sensitivity::Low),
];

const CREDENTIALS: [(&str, CredentialKind, Option<i64>, &str); 9] = [
    ("care-agents workload token", CredentialKind::ShortLived, Some(3600), "token service"),
    ("dispatch just-in-time grant", CredentialKind::JustInTime, Some(900), "token service"),
    ("payments API key", CredentialKind::LongLived, None, "vault: finance/payments"),
    ("crm-bot account", CredentialKind::SharedAccount, None, "password manager: Sales"),
    ("warehouse mTLS certificate", CredentialKind::ShortLived, Some(86_400), "workload identity"),
    ("engineering OIDC grant", CredentialKind::JustInTime, Some(1800), "token service"),
    ("HR export key", CredentialKind::LongLived, None, "vault: people/export"),
    ("telematics workload token", CredentialKind::ShortLived, Some(7200), "token service"),
    ("vendor console login", CredentialKind::SharedAccount, None, "vendor"),
];

const VENDOR_AGENTS: [(&str, &str, &str); 5] = [
    ("Meeting notes", "Brightdesk", "C-2025-118"),
    ("Sales call coach", "Brightdesk", "C-2025-118"),
    ("Candidate screening", "Talentwise", "C-2024-077"),
    ("Expense reader", "Ledgerly", "C-2026-009"),
    ("Website chat", "Parleo", "C-2026-031"),
];

macro_rules! rows {
    ($($name:literal, $unit:literal, $kind:ident, $state:ident, $env:ident, ($au:ident, $ex:ident, $da:ident, $reg:literal),
       [$($tool:literal $access:ident),*], $cred:literal, $team:literal, $business:literal, $stop:expr, $purpose:literal;)+) => {
        &[$(Row {
            name: $name, unit: $unit, purpose: $purpose, kind: AgentKind::$kind, state: Li::$state, environment: En::$env,
            reach: (Au::$au, Ex::$ex, Da::$da, $reg), tools: &[$(($tool, Access::$access)),*], credential: $cred,
            team: $team, business: $business, stop: $stop,
        }),+]
    };
}

const ROWS: &[Row] = rows! {
    "Care triage", "Customer Care", CustomerService, Active, Production, (ActsUnderSupervision, CustomerFacing, Confidential, false), [0 Write, 1 Read], 0, 5, 3, Drilled(12, 41), "Sorts incoming customer messages, answers the simple ones and hands the rest to a person.";
    "Refund assistant", "Customer Care", CustomerService, Active, Production, (ActsWithApproval, CustomerFacing, Confidential, false), [0 Read, 3 Write], 2, 5, 3, Drilled(61, 75), "Prepares refunds up to 200 euro for a clerk's approval.";
    "Delivery status bot", "Customer Care", CustomerService, Active, Production, (ActsAlone, Public, Internal, false), [2 Read], 0, 5, 3, Drilled(20, 22), "Tells customers where their parcel is.";
    "Complaint summariser", "Customer Care", Analysis, Active, Production, (Suggests, Internal, Confidential, false), [0 Read], 0, 5, 3, Written, "Summarises complaints for the weekly quality meeting.";
    "Callback scheduler", "Customer Care", Workflow, Active, Production, (ActsAlone, CustomerFacing, Confidential, false), [0 Write, 5 Write], 0, 5, 3, Nobody, "Offers customers a time for a call back and books it.";
    "Website chat", "Customer Care", CustomerService, Active, Production, (ActsAlone, Public, Confidential, false), [1 Read], 8, 5, 3, Unwritten, "Answers visitors of the website on behalf of the vendor's platform.";
    "Survey reader", "Customer Care", Analysis, Draft, Sandbox, (Suggests, Internal, Internal, false), [], 0, 5, 3, Nobody, "Groups free-text survey answers by topic.";
    "Route planner", "Dispatch", Workflow, Active, Production, (ActsAlone, Internal, Internal, false), [2 Write, 8 Read], 1, 11, 11, Written, "Plans the day's routes and sends them to the drivers' tablets.";
    "Dispatch orchestrator", "Dispatch", Orchestrator, Active, Production, (ActsUnderSupervision, Internal, Internal, false), [2 Admin], 1, 6, 11, Drilled(9, 33), "Coordinates the dispatch crew and settles conflicts between its members.";
    "Slot negotiator", "Dispatch", Workflow, Active, Production, (ActsAlone, CustomerFacing, Internal, false), [2 Write, 5 Write], 1, 6, 11, Drilled(17, 58), "Agrees delivery slots with warehouses by e-mail.";
    "Delay forecaster", "Dispatch", Analysis, Active, Production, (Suggests, Internal, Internal, false), [8 Read], 1, 6, 11, Drilled(44, 30), "Warns of late arrivals two hours ahead.";
    "Load balancer", "Dispatch", Workflow, Active, Production, (ActsAlone, Internal, Internal, false), [2 Write], 1, 6, 11, Offered(3), "Moves parcels between vans when one runs late.";
    "Driver briefing", "Dispatch", Assistant, Active, Production, (Suggests, Internal, Internal, false), [8 Read], 1, 11, 11, Unwritten, "Writes each driver's morning briefing.";
    "Customs drafter", "Dispatch", Workflow, Active, Production, (ActsWithApproval, Internal, Confidential, true), [4 Write], 1, 6, 11, Drilled(25, 90), "Drafts customs declarations for a broker's signature.";
    "Traffic watcher", "Dispatch", Analysis, Discovered, Production, (Unknown, Unknown, Unknown, false), [], 1, 6, 11, Nobody, "Seen calling the telematics feed; nobody has registered it.";
    "Invoice matcher", "Finance", Workflow, Active, Production, (ActsUnderSupervision, Internal, Confidential, true), [3 Write, 4 Read], 2, 7, 13, Drilled(28, 64), "Matches supplier invoices with orders and releases payment below 5,000 euro.";
    "Dunning writer", "Finance", Workflow, Active, Production, (ActsWithApproval, CustomerFacing, Confidential, false), [5 Write], 2, 7, 13, Written, "Writes payment reminders for a clerk to send.";
    "Expense reader", "Finance", Workflow, Active, Production, (ActsAlone, Internal, Confidential, false), [4 Read], 8, 7, 13, Nobody, "Reads receipts and books expenses on the vendor's platform.";
    "Cash forecaster", "Finance", Analysis, Active, Production, (Suggests, Internal, Confidential, false), [3 Read], 2, 7, 13, Drilled(70, 25), "Forecasts the cash position for thirteen weeks.";
    "Tax code checker", "Finance", Analysis, Suspended, Production, (ActsWithApproval, Internal, Confidential, true), [4 Read], 2, 7, 13, Drilled(15, 48), "Proposes tax codes; suspended after wrong proposals in March.";
    "Budget copilot", "Finance", Assistant, Draft, Staging, (Suggests, Internal, Confidential, false), [], 5, 7, 13, Offered(12), "Answers budget holders' questions from the ledger.";
    "Contract reviewer", "Legal", Analysis, Active, Production, (Suggests, Internal, Restricted, false), [4 Read], 5, 9, 15, Drilled(33, 37), "Marks unusual clauses in supplier contracts.";
    "Sanctions screener", "Legal", Analysis, Active, Production, (ActsUnderSupervision, Internal, Confidential, true), [11 Read, 1 Read], 0, 9, 15, Drilled(21, 52), "Screens new customers against sanctions lists.";
    "Data request helper", "Legal", Workflow, Active, Production, (ActsWithApproval, Internal, Restricted, true), [1 Read, 4 Write], 5, 9, 29, Written, "Collects what is held of a person who asks.";
    "Policy librarian", "Legal", Assistant, Active, Production, (Suggests, Internal, Internal, false), [4 Read], 5, 9, 15, Drilled(100, 20), "Answers questions about the company's rules.";
    "Candidate screening", "People", Analysis, Active, Production, (ActsAlone, Public, Restricted, true), [10 Read], 8, 9, 17, Nobody, "Ranks applicants on the vendor's platform.";
    "Leave assistant", "People", Assistant, Active, Production, (ActsWithApproval, Internal, Confidential, false), [10 Write], 6, 2, 17, Unwritten, "Answers questions about leave and books it.";
    "Payroll checker", "People", Analysis, Active, Production, (Suggests, Internal, Restricted, true), [10 Read], 6, 2, 35, Drilled(40, 61), "Compares each payroll run with the last and asks about what changed.";
    "Onboarding buddy", "People", Assistant, Draft, Staging, (Suggests, Internal, Internal, false), [], 5, 2, 17, Nobody, "Leads new colleagues through their first week.";
    "Job advert writer", "People", Assistant, Retired, Production, (Suggests, Public, Public, false), [], 5, 2, 18, Nobody, "Wrote job adverts until the career site was replaced.";
    "Picking optimiser", "Warehousing", Workflow, Active, Production, (ActsAlone, Internal, Internal, false), [9 Write], 4, 10, 21, Drilled(6, 18), "Orders picking lists so that walks are short.";
    "Stock counter", "Warehousing", Analysis, Active, Production, (ActsUnderSupervision, Internal, Internal, false), [9 Write], 4, 10, 21, Drilled(88, 29), "Reconciles drone counts with the stock ledger.";
    "Dock scheduler", "Warehousing", Workflow, Active, Production, (ActsAlone, Internal, Internal, false), [9 Write, 2 Read], 4, 10, 21, Drilled(52, 40), "Assigns trucks to docks.";
    "Damage inspector", "Warehousing", Analysis, Active, Production, (Suggests, Internal, Internal, false), [4 Write], 4, 10, 33, Written, "Reads photographs of damaged goods.";
    "Robot fleet supervisor", "Warehousing", Orchestrator, Active, Production, (ActsAlone, Internal, Internal, false), [9 Admin], 4, 10, 21, Unwritten, "Directs forty picking robots.";
    "Label printer agent 🏷️", "Warehousing", Workflow, Active, Production, (ActsAlone, Internal, Public, false), [9 Read], 4, 10, 21, Drilled(110, 12), "Prints labels when the dock scheduler asks for them.";
    "Cold-chain monitor", "Warehousing", Analysis, Approved, Staging, (Suggests, Internal, Internal, true), [8 Read], 7, 10, 21, Drilled(2, 15), "Watches temperatures of refrigerated goods.";
    "Campaign writer", "Marketing", Assistant, Active, Production, (ActsWithApproval, Public, Public, false), [11 Read, 5 Write], 3, 5, 22, Nobody, "Writes newsletters for approval.";
    "Image studio", "Marketing", Assistant, Active, Production, (Suggests, Internal, Public, false), [], 5, 5, 23, Unwritten, "Makes pictures for presentations.";
    "Web copy tester", "Marketing", Analysis, Draft, Sandbox, (Suggests, Internal, Public, false), [11 Read], 5, 5, 22, Nobody, "Compares versions of web pages.";
    "Social listener", "Marketing", Analysis, Discovered, Production, (Unknown, Public, Unknown, false), [], 3, 5, 22, Nobody, "Found posting under the company's account.";
    "Maintenance planner", "Fleet", Workflow, Active, Production, (ActsWithApproval, Internal, Internal, false), [8 Read, 5 Write], 7, 6, 24, Drilled(30, 35), "Books workshop visits from sensor data.";
    "Fuel analyst", "Fleet", Analysis, Active, Production, (Suggests, Internal, Internal, false), [8 Read], 7, 11, 24, Written, "Finds vans that use too much fuel.";
    "Accident reporter", "Fleet", Workflow, Active, Production, (ActsUnderSupervision, Internal, Restricted, true), [5 Write, 4 Write], 7, 6, 24, Offered(1), "Collects the facts after an accident and informs the insurer.";
    "Toll reconciler", "Fleet", Workflow, Retired, Production, (ActsAlone, Internal, Internal, false), [], 7, 6, 24, Nobody, "Checked toll statements until the provider changed.";
    "Lead scorer", "Sales", Analysis, Active, Production, (ActsAlone, Internal, Confidential, false), [1 Write], 3, 5, 30, Nobody, "Ranks enquiries by how likely they are to buy.";
    "Quote builder", "Sales", Workflow, Active, Production, (ActsWithApproval, CustomerFacing, Confidential, false), [1 Read, 5 Write], 3, 5, 30, Unwritten, "Builds freight quotes for a seller to send.";
    "Pricing scout", "Sales", Analysis, Active, Production, (ActsAlone, Internal, Internal, false), [11 Read], 3, 11, 32, Written, "Collects competitors' prices.";
    "Sales call coach", "Sales", Analysis, Active, Production, (Suggests, Internal, Confidential, false), [], 8, 5, 30, Nobody, "Comments on recorded sales calls on the vendor's platform.";
    "Renewal reminder", "Sales", Workflow, Suspended, Production, (ActsAlone, CustomerFacing, Confidential, false), [5 Write], 3, 5, 31, Written, "Reminds customers of contracts that end.";
    "Code reviewer", "Technology", Coding, Active, Production, (ActsWithApproval, Internal, Confidential, false), [6 Write], 5, 2, 9, Drilled(14, 27), "Comments on merge requests.";
    "Test writer", "Technology", Coding, Active, Production, (ActsUnderSupervision, Internal, Internal, false), [6 Write, 7 Write], 5, 2, 9, Drilled(18, 31), "Writes tests for changed code and runs them in isolation.";
    "Patch agent", "Technology", Coding, Active, Production, (ActsAlone, Internal, Confidential, false), [6 Admin, 7 Admin], 5, 2, 9, Drilled(3, 24), "Updates dependencies and opens merge requests.";
    "Incident scribe", "Technology", Assistant, Active, Production, (Suggests, Internal, Confidential, false), [0 Write], 5, 4, 9, Drilled(55, 19), "Keeps the timeline during incidents.";
    "Log explorer", "Technology", Analysis, Active, Production, (Suggests, Internal, Confidential, false), [], 5, 2, 10, Written, "Answers questions about logs.";
    "Infra planner", "Technology", Coding, Proposed, Staging, (ActsWithApproval, Internal, Confidential, false), [6 Write], 5, 2, 9, Unwritten, "Proposes infrastructure changes as code.";
    "Phishing responder", "Security", SecurityOperations, Active, Production, (ActsUnderSupervision, Internal, Confidential, false), [5 Admin], 0, 3, 1, Drilled(7, 16), "Pulls reported phishing from every mailbox.";
    "Alert triager", "Security", SecurityOperations, Active, Production, (Suggests, Internal, Confidential, false), [0 Write], 0, 3, 1, Drilled(29, 21), "Groups and explains security alerts.";
    "Access reviewer", "Security", SecurityOperations, Active, Staging, (Suggests, Internal, Restricted, false), [10 Read], 6, 0, 1, Written, "Prepares the quarterly review of access.";
    "Meeting notes", "Executive", Assistant, Active, Production, (ActsAlone, Internal, Restricted, false), [5 Write], 8, 5, 39, Nobody, "Listens to meetings and mails the minutes, on the vendor's platform.";
};

/// How long the demonstration's register has been kept, in days.
const RECORDED_DAYS_AGO: i64 = 140;

/// The people of the demonstration who sign in: positions.
const SIGN_INS: [usize; 7] = [0, 1, 2, 3, 4, 5, 11];

/// Loads the organisation into an empty database. Who may sign in is answered; passwords
/// are the caller's affair.
pub async fn demo(db: &Db, by: By<'_>) -> Result<Vec<SignIn>, Error> {
    if !is_empty(db).await? {
        return Err(Error::Conflict(
            "The database is not empty: the demonstration is never mixed with real records. Name a new database."
                .into(),
        ));
    }
    // The company has kept its register for a while: what is wrong has been wrong since then.
    let past = By { now: by.now - TimeDelta::days(RECORDED_DAYS_AGO), ..by };
    let mut change = Change::begin(db, past).await?;
    let list: Vec<SeedPerson> = PEOPLE
        .iter()
        .enumerate()
        .map(|(n, (name, title, unit, roles, left, manager))| SeedPerson {
            name: (*name).to_owned(),
            email: email(name, n),
            title: (*title).to_owned(),
            unit: (*unit).to_owned(),
            roles: roles.iter().copied().collect(),
            status: if *left > 0 { PersonStatus::Left } else { PersonStatus::Active },
            left_at: (*left > 0).then(|| by.now - TimeDelta::days(*left)),
            manager: (n != *manager).then_some(*manager),
            deputy: match n {
                1 => Some(38),
                3 => Some(19),
                4 => Some(28),
                _ => None,
            },
        })
        .collect();
    let first = people(&mut change, &list).await?;
    let person = |n: usize| PersonId(first + n as i64);
    let list: Vec<SeedTeam> = TEAMS
        .iter()
        .map(|(name, kind, lead, members)| SeedTeam {
            name: (*name).to_owned(),
            kind: *kind,
            lead: Some(person(*lead)),
            deputy: members.get(1).map(|m| person(*m)),
            members: members.iter().map(|m| person(*m)).collect(),
        })
        .collect();
    let first_team = teams(&mut change, &list).await?;
    let team = |n: usize| TeamId(first_team + n as i64);
    reached(&mut change, by, person, team).await?;
    let crew = system(
        &mut change,
        "Dispatch crew",
        "multi-agent",
        "Plans, negotiates and repairs the day's deliveries together.",
    )
    .await?;
    let platform = system(
        &mut change,
        "Halden agent platform",
        "platform",
        "Runtime, identities and secrets that most agents share.",
    )
    .await?;
    let shared = [(Duty::Identity, team(0)), (Duty::Requests, team(1)), (Duty::Platform, team(2))];
    system_owners(&mut change, platform, shared.map(|(duty, t)| (duty, Party::Team(t))).as_slice()).await?;
    let whole = [(Duty::Purpose, Party::Person(person(12))), (Duty::Policy, Party::Team(team(3)))];
    system_owners(&mut change, crew, &whole).await?;
    let mut news = Vec::new();
    let mut plans = Vec::new();
    for (n, row) in ROWS.iter().enumerate() {
        let facts = facts(row, n, team(row.team), (crew, platform), team)?;
        plans.push(plan(by, row, &facts, person(row.business), team));
        news.push(New { facts, state: row.state, wave: None, notes: ImportNotes::default() });
    }
    let ids = insert_many(&mut change, "administrator", news).await?;
    let list: Vec<_> = ids.iter().copied().zip(plans).collect();
    owners(&mut change, &list, past.now, by.now).await?;
    // The head of dispatch came from another department three days ago.
    let moved = args![person(11), by.now - TimeDelta::days(3)];
    change.tx.run("UPDATE person SET moved_at = $2 WHERE id = $1", moved).await?;
    let moved = by.now - TimeDelta::days(10);
    change
        .tx
        .run(
            "UPDATE assignment SET confirmed_at = $2 WHERE party_kind = 'person' AND party_id = $1 AND role = 'A' \
             AND accepted_at IS NOT NULL AND valid_to IS NULL",
            args![person(11), moved],
        )
        .await?;
    if let Some(first) = ids.first() {
        super::requests::approved(&mut change, *first, by.now).await?;
    }
    reassess(&mut change, &ids, true).await?;
    change.commit().await?;
    let lately = By { now: by.now - TimeDelta::days(6), ..by };
    let mut change = Change::begin(db, lately).await?;
    offered(&mut change, crew, Duty::Containment, Party::Team(team(2))).await?;
    change.commit().await?;
    let named = |name: &str| ROWS.iter().position(|row| row.name == name).and_then(|n| ids.get(n).copied());
    let agent =
        |name: &str| named(name).ok_or_else(|| Error::Conflict(format!("the demonstration has no agent “{name}”")));
    demo_stops::stops(db, by.now, agent, person).await?;
    super::requests::requests(db, by.now, agent, person).await?;
    super::models::models(db, by, named, person, team).await?;
    super::reviews::reviews(db, by.now, agent, person).await?;
    super::retirements::retirements(db, by.now, agent, person).await?;
    super::exceptions::exceptions(db, by.now, agent, crew, person).await?;
    super::notices::notices(db, by.now, person).await?;
    Ok(SIGN_INS
        .iter()
        .map(|n| SignIn {
            person: person(*n),
            email: email(PEOPLE[*n].0, *n),
            roles: PEOPLE[*n].3.iter().copied().collect(),
        })
        .collect())
}

/// Who has shown that they can be reached: everybody who is here but these, so that of
/// Finance automation nobody can, and one channel has lapsed.
const NOT_REACHED: [usize; 4] = [14, 13, 39, 35];

/// Channels of most people, and turns of the teams that are called at night.
async fn reached(
    change: &mut Change<'_>,
    by: By<'_>,
    person: impl Fn(usize) -> PersonId,
    team: impl Fn(usize) -> TeamId,
) -> Result<(), Error> {
    let here = PEOPLE.iter().enumerate().filter(|(n, p)| p.4 == 0 && !NOT_REACHED.contains(n));
    let list: Vec<SeedChannel> = here
        .map(|(n, _)| {
            let days = if n == 12 { 190 } else { i64::try_from(n * 11 % 120).unwrap_or(0) + 2 };
            SeedChannel {
                person: person(n),
                kind: if n % 3 == 2 { ChannelKind::Chat } else { ChannelKind::Phone },
                address: if n % 3 == 2 {
                    format!("@{}", email(PEOPLE[n].0, n).replace("@halden.example", ""))
                } else {
                    format!("+47 22 00 10 {:02}", n + 10)
                },
                tested: Some(by.now - TimeDelta::days(days)),
            }
        })
        .collect();
    channels(change, &list, person(1)).await?;
    for (of, turn) in [(2, TimeDelta::days(7)), (3, TimeDelta::days(7)), (4, TimeDelta::hours(12))] {
        rotation(change, team(of), TEAMS[of].3.iter().map(|n| person(*n)).collect(), turn).await?;
    }
    Ok(())
}

/// Who signs in to a demonstration that was loaded before and is still there; `None` when
/// the database is not one.
pub async fn demo_sign_ins(db: &Db) -> Result<Option<Vec<SignIn>>, Error> {
    let mut found = Vec::new();
    for n in SIGN_INS {
        let email = email(PEOPLE[n].0, n);
        let sql = "SELECT id, roles FROM person WHERE email = $1 AND status = 'active'";
        if let Some(row) = db.one(sql, args![&email]).await? {
            found.push(SignIn { person: row.get(0)?, email, roles: row.get(1)? });
        }
    }
    Ok((!found.is_empty()).then_some(found))
}

fn email(name: &str, n: usize) -> String {
    let words = text::words([name], 4);
    let ascii: Vec<String> = words.into_iter().filter(|w| w.is_ascii()).collect();
    if ascii.is_empty() {
        format!("person{}@halden.example", n + 1)
    } else {
        format!("{}@halden.example", ascii.join("."))
    }
}

async fn system(change: &mut Change<'_>, name: &str, kind: &str, purpose: &str) -> Result<SystemId, Error> {
    let id = change.next("system", 1).await?;
    let event = change.event("administrator", "system.created", SystemId(id));
    change.describe(event, Value::Null, json!({"name": name, "kind": kind, "purpose": purpose}));
    let now = change.by.now;
    let row = args![id, 1, change.id(event), now, now, name, text::fold(name), kind, purpose];
    change
        .tx
        .insert(
            "system",
            &["id", "version", "event_id", "created_at", "updated_at", "name", "name_folded", "kind", "purpose"],
            vec![row],
            "",
        )
        .await?;
    change.wrote(event, &change::SYSTEM, id);
    Ok(SystemId(id))
}

/// Who answers for what of a system, and does it.
async fn system_owners(change: &mut Change<'_>, system: SystemId, owners: &[(Duty, Party)]) -> Result<(), Error> {
    let of = Subject::System(system);
    let event = change.event("security-lead", "assignment.recorded", of);
    let why = "Known when the register began.";
    change.because(event, why);
    let told: Vec<Value> = owners.iter().map(|(duty, p)| json!({"duty": duty, "role": "A", "party": p})).collect();
    change.describe(event, Value::Null, json!({"added": told}));
    let mut next = change.next("assignment", 2 * i64::try_from(owners.len()).unwrap_or(0)).await?;
    let mut rows = Vec::new();
    for (duty, party) in owners {
        for role in [RaciRole::Accountable, RaciRole::Responsible] {
            let wanted = Wanted { duty: *duty, party: *party, role };
            rows.push(assignments::row(change, event, next, of, wanted, Mode::Record, why));
            next += 1;
        }
    }
    assignments::insert(change, rows).await
}

/// A duty of a system that is on offer.
async fn offered(change: &mut Change<'_>, system: SystemId, duty: Duty, party: Party) -> Result<(), Error> {
    let of = Subject::System(system);
    let event = change.event("security-lead", "assignment.offered", of);
    change.describe(event, Value::Null, json!({"duty": duty, "role": "A", "party": party}));
    let id = change.next("assignment", 1).await?;
    let wanted = Wanted { duty, party, role: RaciRole::Accountable };
    let row = assignments::row(change, event, id, of, wanted, Mode::Offer, "The crew needs one who can stop it whole.");
    assignments::insert(change, vec![row]).await
}

/// Of which rows the agents run on the shared platform.
const ON_PLATFORM: std::ops::RangeInclusive<usize> = 3..=6;

fn facts(
    row: &Row,
    n: usize,
    team: TeamId,
    (crew, platform): (SystemId, SystemId),
    of: impl Fn(usize) -> TeamId,
) -> Result<AgentFacts, Error> {
    let mut f = AgentFacts::named(row.name);
    row.purpose.clone_into(&mut f.purpose);
    f.kind = row.kind;
    row.unit.clone_into(&mut f.business_unit);
    f.environment = row.environment;
    (f.autonomy, f.exposure, f.data, f.regulated) = row.reach;
    f.operated_by = Some(team);
    f.built_by = super::models::BUILT.iter().find(|(name, _)| *name == row.name).map(|(_, n)| of(*n));
    f.running = match row.state {
        Li::Active | Li::Discovered => Running::Yes,
        _ => Running::No,
    };
    f.external_ids = vec![ExternalId { source: "cmdb".into(), id: format!("HF-{:04}", 1000 + n) }];
    f.workload_identity = format!("spiffe://halden.example/agent/{}", text::words([row.name], 4).join("-"));
    f.models = vec![if n.is_multiple_of(3) { "large model" } else { "small model" }.to_owned()];
    if (8..=11).contains(&n) {
        f.parent = Some(crew);
    }
    if ON_PLATFORM.contains(&n) {
        f.platform = Some(platform);
    }
    if let Some((_, vendor, contract)) = VENDOR_AGENTS.iter().find(|(name, ..)| *name == row.name) {
        f.hosting = Hosting::VendorManaged;
        (*vendor).clone_into(&mut f.vendor);
        (*contract).clone_into(&mut f.contract);
    }
    for (tool, access) in row.tools {
        let (name, kind, sensitivity) = TOOLS[*tool];
        f.tools.push(ToolGrant { name: name.into(), kind, sensitivity, access: *access, scope: String::new() });
    }
    if row.state != Li::Discovered {
        let (name, kind, ttl_seconds, kept_in) = CREDENTIALS[row.credential];
        f.credentials.push(CredentialUse {
            name: name.into(),
            kind,
            ttl_seconds,
            kept_in: kept_in.into(),
            last_rotated: String::new(),
        });
    }
    facts::check(f).map_err(|w| Error::Conflict(format!("the demonstration's {} is not valid: {w:?}", row.name)))
}

/// The well-kept have every duty held; what is in trouble lacks more than stopping.
fn plan(by: By<'_>, row: &Row, f: &AgentFacts, business: PersonId, team: impl Fn(usize) -> TeamId) -> Owners {
    let mut o = Owners::default();
    if matches!(row.state, Li::Retired | Li::Discovered) {
        return o;
    }
    let operates = Party::Team(team(row.team));
    let neglected = matches!(row.stop, Nobody);
    // One of those on the platform has an API owner of its own.
    let inherits = |duty| f.platform.is_some() && SHARED.contains(&duty) && duty != Duty::Requests;
    for duty in Duty::all_required(f).filter(|d| !inherits(*d)) {
        let party = match duty {
            Duty::Identity | Duty::Requests | Duty::Platform if row.name == super::models::ONE_HAND => operates,
            Duty::Purpose | Duty::CustomerImpact => Party::Person(business),
            Duty::Implementation | Duty::Monitoring | Duty::Review | Duty::Retirement | Duty::Improvement => operates,
            Duty::Policy => Party::Team(team(3)),
            Duty::Identity => Party::Team(team(0)),
            Duty::Requests => Party::Team(team(1)),
            Duty::Platform => Party::Team(team(2)),
            Duty::Incident => Party::Team(team(4)),
            Duty::Vendor => Party::Team(team(8)),
            Duty::Regulatory => Party::Team(team(9)),
            Duty::Containment => {
                match row.stop {
                    Nobody => {}
                    Offered(days) => o.offers.push((duty, operates, by.now - TimeDelta::days(days))),
                    Unwritten => o.held.push((duty, RaciRole::Accountable, operates)),
                    Written | Drilled(..) => {
                        o.held.push((duty, RaciRole::Accountable, operates));
                        o.procedure = Some(format!(
                            "1. Scale “{}” to zero in the orchestrator.\n2. Revoke its tokens at the token service.\n\
                             3. Tell the business owner.",
                            row.name
                        ));
                        if let Drilled(days, seconds) = row.stop {
                            o.drill = Some((operates, by.now - TimeDelta::days(days), seconds));
                        }
                    }
                }
                if !neglected {
                    o.held.push((duty, RaciRole::Responsible, operates));
                }
                continue;
            }
        };
        if neglected && !matches!(duty, Duty::Purpose | Duty::Policy | Duty::Identity | Duty::Platform) {
            continue;
        }
        o.held.push((duty, RaciRole::Accountable, party));
        o.held.push((duty, RaciRole::Responsible, if duty == Duty::Purpose { operates } else { party }));
        if duty == Duty::Containment || duty == Duty::Incident {
            o.held.push((duty, RaciRole::Informed, Party::Person(business)));
        }
    }
    o
}
