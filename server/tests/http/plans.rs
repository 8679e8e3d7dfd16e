//! No query of a page or a list walks a table that grows: every statement that reading
//! sends to SQLite is listened to, and its plan read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LazyLock, Mutex};

use axum::http::Method;
use domain::party::Role;
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};

use crate::rights::CASES;
use crate::support::Site;

/// Every statement heard, with the request that was under way.
static HEARD: LazyLock<Mutex<(String, BTreeMap<String, String>)>> = LazyLock::new(Mutex::default);

/// Listens to what sqlx says of statements, on whichever thread.
struct Ear;

impl Subscriber for Ear {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query"
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut said = Said::default();
        event.record(&mut said);
        // A short statement is its own summary.
        let sql = if said.statement.trim().is_empty() { said.summary } else { said.statement };
        let mut heard = HEARD.lock().unwrap();
        let during = heard.0.clone();
        heard.1.entry(sql.split_whitespace().collect::<Vec<_>>().join(" ")).or_insert(during);
    }
}

#[derive(Default)]
struct Said {
    summary: String,
    statement: String,
}

impl Visit for Said {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => value.clone_into(&mut self.summary),
            "db.statement" => value.clone_into(&mut self.statement),
            _ => {}
        }
    }
    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

/// Tables that are bounded by what an organisation is, not by how many agents it has.
const SMALL: [&str; 7] = ["setting", "import_mapping", "token", "person", "team", "system", "wave"];

/// The table behind a name in a statement: `FROM agent a` makes `a` an agent.
fn table<'a>(sql: &'a str, name: &'a str) -> &'a str {
    let words: Vec<&str> = sql.split([' ', '(', ')', ',']).filter(|word| !word.is_empty()).collect();
    words.windows(3).find(|w| matches!(w[0], "FROM" | "JOIN") && w[2] == name).map_or(name, |w| w[1])
}

/// A step of a plan that walks a whole table, though nothing bounds the walk.
fn walks(sql: &str, plan: &[String]) -> Option<String> {
    let sorts = plan.iter().any(|step| step.starts_with("USE TEMP B-TREE FOR ORDER BY"));
    // A page in the order of an index stops at its limit.
    let stops = sql.contains(" LIMIT ") && !sorts;
    plan.iter()
        .filter(|step| !stops && !step.contains("SCAN CONSTANT"))
        .find(|step| {
            let Some((name, how)) = step.strip_prefix("SCAN ").map(|s| s.split_once(' ').unwrap_or((s, ""))) else {
                return false;
            };
            // Rows that the statement made itself are few, and so are the confidential agents,
            // of which this index holds nothing else.
            let few = sql.contains(&format!("WITH RECURSIVE {} ", table(sql, name))) || name.starts_with('(');
            !few && !SMALL.contains(&table(sql, name)) && !how.contains("agent_confidential")
        })
        .cloned()
}

const VIEWS: &[&str] = &[
    "/agents?sort=name",
    "/agents?sort=-updated_at",
    "/agents?runtime_owner=none&sort=tier",
    "/agents?runtime_owner=untested&runs=yes",
    "/agents?finding=no-owner",
    "/agents?finding=no-owner&sort=name",
    "/agents?q=pa",
    "/agents?q=parcel+whisper",
    "/agents?q=p&sort=-name",
    "/agents?owner=PE-5",
    "/agents?owner=TE-3&runs=no",
    "/agents?business_unit=Care&state=active",
    "/agents?vendor=Acme",
    "/agents?tool=Jira",
    "/agents?condition=regulated",
    "/agents?condition=production&without_condition=regulated&sort=name",
    "/policy?version=0&before=9",
    "/agents?credential=key",
    "/agents?system=SY-1",
    "/agents?operated_by=TE-3",
    "/agents?wave=IM-1",
    "/agents/AG-20/stop?stop=1",
    "/stop?credential=payments+API+key",
    "/stop?credential=payments+API+key&show=failed",
    "/stop?tool=Code+runner&show=unable",
    "/stop?vendor=Brightdesk&show=yours",
    "/stop?system=SY-1&show=webhook",
    "/agents/model?id=AG-31&model=regulated",
    "/reviews?show=overdue",
    "/reviews?show=soon",
    "/reviews?show=all",
    "/reviews?show=campaigns",
    "/reviews/RQ-1",
    "/reviews/CA-1?stands=deferred",
    "/api/v1/reviews?state=open&agent=AG-31",
    "/api/v1/reviews?state=lapsed&mine=true",
    "/api/v1/reviews/due?overdue=false",
    "/exceptions?view=timeline",
    "/exceptions?state=all",
    "/exceptions?state=all&sort=id",
    "/exceptions?state=requested",
    "/exceptions?state=breached",
    "/exceptions?state=expired&sort=-expires_at",
    "/exceptions?state=rejected",
    "/exceptions?state=closed",
    "/exceptions?state=scheduled",
    "/exceptions?within=30&beyond=7",
    "/exceptions?tier=high",
    "/exceptions?state=all&node=NHI7%3A2025",
    "/exceptions?state=all&control=long-lived-credential",
    "/exceptions?renewed=yes",
    "/exceptions?state=all&agent=AG-17",
    "/exceptions?state=all&control_owner=TE-1",
    "/exceptions/EX-2",
    "/exceptions/EX-5",
    "/exceptions/new?agent=AG-17&control=long-lived-credential",
    "/rules/SR-1?preview=yes",
    "/people?q=a&sort=-name",
    "/people?status=left",
    "/agents?finding=owner-inactive",
    "/agents?finding=owner-unreachable",
    "/teams/TE-3/on-call",
    "/people/PE-12/reach",
    "/teams?kind=platform",
    "/audit?actor=PE-1",
    "/audit?action=agent.created",
    "/audit?subject=AG-1",
    "/api/v1/agents?runtime_owner=none&limit=200&sort=-name",
    "/api/v1/people?q=a",
    "/api/v1/audit?limit=10",
];

#[tokio::test]
async fn no_page_and_no_list_walks_a_table_that_grows() {
    tracing::subscriber::set_global_default(Ear).unwrap();
    let site = Site::demo().await;
    HEARD.lock().unwrap().1.clear();
    let mut asked = 0;
    for role in [Role::SecurityLead, Role::Member, Role::Administrator] {
        let browser = site.signed_in(role).await;
        let reads = CASES.iter().filter(|case| case.0 == "GET").map(|case| case.2);
        for path in reads.chain(VIEWS.iter().copied()) {
            path.clone_into(&mut HEARD.lock().unwrap().0);
            let answer = browser.send(Method::GET, path, None, Vec::new()).await;
            assert!(!answer.status.is_server_error(), "{path}: {}", answer.text());
            asked += usize::from(answer.status.is_success());
        }
    }
    assert!(asked > 100, "only {asked} pages and lists answered");
    let heard = HEARD.lock().unwrap().1.clone();
    assert!(heard.len() > 80, "only {} statements were heard", heard.len());
    let mut walked = BTreeSet::new();
    for (sql, during) in heard.iter().filter(|(sql, _)| sql.starts_with("SELECT") || sql.starts_with("WITH")) {
        let plan = site.app.db.plan(sql, Vec::new()).await.unwrap();
        if let Some(step) = walks(sql, &plan) {
            walked.insert(format!("{during}: {step}\n    {sql}"));
        }
    }
    assert!(walked.is_empty(), "{}", walked.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_walk_is_told_from_a_page() {
    let plan = |steps: &[&str]| steps.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
    assert!(walks("SELECT COUNT(*) FROM agent", &plan(&["SCAN agent"])).is_some());
    assert!(
        walks("SELECT id FROM agent ORDER BY name LIMIT 5", &plan(&["SCAN agent", "USE TEMP B-TREE FOR ORDER BY"]))
            .is_some()
    );
    assert!(walks("SELECT id FROM agent ORDER BY id LIMIT 5", &plan(&["SCAN agent"])).is_none());
    assert!(
        walks("SELECT id FROM agent WHERE id = 1", &plan(&["SEARCH agent USING INTEGER PRIMARY KEY (rowid=?)"]))
            .is_none()
    );
}
