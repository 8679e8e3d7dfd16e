//! The pages of exceptions: the register as a table, a timeline and a file, the form, the decision
//! on the exception's own page; and how long list and timeline take over 50,000 of them.

use std::time::Instant;

use chrono::TimeDelta;
use domain::id::{ExceptionId, PersonId};
use domain::party::Role;
use register::args;

use crate::support::{Site, start};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_register_is_a_table_a_timeline_and_a_file() {
    let site = Site::demo().await;
    let lead = site.signed_in(Role::SecurityLead).await;
    let page = lead.get("/exceptions").await.is(200).says("Payments key until the vault rotates it").text();
    assert!(!page.contains("HR export key of the leave assistant"), "it is over");
    let page = lead.get("/exceptions?state=breached").await.is(200).text();
    assert!(page.contains("HR export key of the leave assistant") && page.contains("Expired, still breached"));
    assert!(!page.contains("HR export key of the payroll checker"), "renewed, and so covered again");
    // A filter is a chip that removes it; what no filter knows is said.
    lead.get("/exceptions?tier=high&within=30").await.is(200).says("Remove ").says("Ends within: 30 days");
    lead.get("/exceptions?state=often").await.is(422).says("often");
    lead.get("/exceptions?sort=name").await.is(422);
    lead.get("/exceptions?node=T1").await.is(200).says("No exception matches").says("Node").text();

    let drawn = lead.get("/exceptions?view=timeline&state=all").await.is(200).text();
    for part in
        ["<title id=\"timeline-title\">", "<desc id=\"timeline-desc\">", "class=\"now\"", "The dates as a table"]
    {
        assert!(drawn.contains(part), "{part}");
    }
    assert!(!drawn.contains(" style="), "lengths are attributes");
    assert_eq!(drawn.matches("class=\"line\"").count(), 10, "a line for each");

    let file = lead.get("/exceptions.csv?state=all").await.is(200);
    assert!(file.header("content-disposition").contains("muster-exceptions-"));
    let text = file.text();
    let lines: Vec<&str> = text.trim_start_matches('\u{feff}').lines().collect();
    assert!(lines[0].starts_with("reference,title,state,still_breached,control,node,"), "{}", lines[0]);
    assert_eq!(lines.len(), 11);
    assert!(lines.iter().any(|l| l.starts_with("EX-3,") && l.contains(",expired,yes,")), "{text}");
    let own = site.signed_in_as(PersonId(40)).await;
    assert_eq!(own.get("/exceptions.csv?state=all").await.is(200).text().lines().count(), 1, "none of hers");
    own.get("/exceptions/EX-1").await.is(404);
    own.get("/exceptions").await.is(200).says("No exception is in force");

    // Home counts them by the days they have left, and each number leads to its rows.
    lead.get("/").await.is(200).says("Exceptions by days left").says("/exceptions?state=breached");
    // The agent's page lists its own.
    lead.get("/agents/AG-17").await.is(200).says("Payments key until the vault rotates it");
    // A microsecond makes the difference, with nothing run between.
    let until = end_of(&site, 1).await;
    site.app.clock.advance(until - start() - TimeDelta::microseconds(1));
    let lead = site.signed_in(Role::SecurityLead).await;
    lead.get("/exceptions/EX-1").await.is(200).says("In force until");
    site.app.clock.advance(TimeDelta::microseconds(1));
    lead.get("/exceptions/EX-1").await.is(200).says("is still so: out of policy");
    lead.get("/exceptions?state=breached").await.is(200).says("Payments key until the vault rotates it");
}

async fn end_of(site: &Site, number: i64) -> chrono::DateTime<chrono::Utc> {
    let mut reads = &site.app.db;
    register::exceptions::stored::load(&mut reads, ExceptionId(number)).await.unwrap().exception.expires_at
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_is_shown_before_and_kept_when_refused() {
    let site = Site::demo().await;
    let risk = site.signed_in(Role::RiskAnalyst).await;
    let from = "/exceptions/new?agent=AG-27&control=never-approved";
    risk.get(from).await.is(200).says("AG-27").says("Its owner");
    let from = "/exceptions/new?agent=AG-16&control=long-lived-credential";
    risk.get(from).await.is(200).says("Clara Oyelaran").says("Fiona Gallagher").says("days").says("at the latest");
    // Nobody excepts that nobody can stop it: it is not even offered, and not taken.
    let page = risk.get("/exceptions/new").await.is(200).text();
    assert!(!page.contains("value=\"no-runtime-owner\"") && page.contains("value=\"long-lived-credential\""));
    let typed = |expires: &'static str, control: &'static str| {
        vec![
            ("title", "The <key> of the matcher"),
            ("agents", "AG-16"),
            ("control", control),
            ("justification", "Typed once.\nTyped twice."),
            ("likelihood", "2"),
            ("impact", "4"),
            ("control-text-0", "Look daily"),
            ("control-owner-0", "Clara Oyelaran"),
            ("control-check-0", "2026-10-01"),
            ("expires", expires),
            ("do", "ask"),
        ]
    };
    let kept = |page: &str| {
        assert!(
            page.contains("The &lt;key&gt; of the matcher") && page.contains("Typed once.\nTyped twice."),
            "{page}"
        );
        assert!(page.contains("value=\"Look daily\""), "{page}");
    };
    for (expires, says) in
        [("", "Say when it ends"), ("2020-01-01", "in the future"), ("2031-01-01", "at most"), ("x", "A date")]
    {
        let page =
            risk.post("/exceptions/new", &typed(expires, "long-lived-credential")).await.is(422).says(says).text();
        kept(&page);
    }
    let page =
        risk.post("/exceptions/new", &typed("2026-10-05", "no-runtime-owner")).await.is(422).says("cannot be excepted");
    kept(&page.text());
    // Room for one more asks nothing; the preview neither.
    let mut more = typed("2026-10-05", "long-lived-credential");
    more.pop();
    more.push(("do", "more"));
    kept(&risk.post("/exceptions/new", &more).await.is(200).says("Control 3").text());
    assert_eq!(site.events("exception.requested").await, 10);
    let done =
        risk.post("/exceptions/new", &typed("2026-10-05", "long-lived-credential")).await.leads_to("/exceptions/EX-11");
    drop(done);
    risk.get("/exceptions/EX-11").await.is(200).says("Waits for decisions").says("likely");
    // Asked twice it is refused whole, with what was typed.
    let page = risk.post("/exceptions/new", &typed("2026-10-05", "long-lived-credential")).await.is(409).says("EX-11");
    kept(&page.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_decided_on_its_own_page() {
    let site = Site::demo().await;
    let mut reads = &site.app.db;
    let request = register::exceptions::stored::load(&mut reads, ExceptionId(9)).await.unwrap().request;
    let kept = register::requests::stored::load(&mut reads, request).await.unwrap();
    let open: Vec<_> = kept.steps.iter().filter(|s| s.step.decided.is_none() && s.waits_for.is_some()).collect();
    let first = open[0];
    let decider = site.signed_in_as(first.waits_for.unwrap()).await;
    // The navigation counts it, the request leads to it.
    decider.get(&format!("/requests/{request}")).await.leads_to("/exceptions/EX-9");
    decider.get("/exceptions").await.is(200).says("waiting");
    let page = decider.get("/exceptions/EX-9").await.is(200).says("Your decision").text();
    assert!(!page.contains("Approve with conditions"), "what is done instead are its conditions");
    let place = first.step.place.to_string();
    let form = |what: &'static str, reason: &'static str| {
        vec![
            ("step", place.as_str()),
            ("subject_sha256", kept.subject_sha256.as_str()),
            ("do", what),
            ("reason", reason),
        ]
    };
    decider.post("/exceptions/EX-9", &form("reject", "")).await.is(422).says("Say why you reject it");
    decider.post("/exceptions/EX-9", &form("reject", "Find another supplier.")).await.leads_to("/exceptions/EX-9");
    decider.get("/exceptions/EX-9").await.is(200).says("Not allowed").says("Find another supplier.");
    decider.post("/exceptions/EX-9", &form("approve", "")).await.is(409);
    // What is done instead is checked by whoever does it, with a word on what was found.
    let clara = site.signed_in_as(PersonId(7)).await;
    clara.get("/exceptions/EX-1").await.is(200).says("Payments key");
    let lead = site.signed_in(Role::SecurityLead).await;
    lead.post("/exceptions/EX-2", &[("do", "check"), ("place", "1"), ("note-1", "")])
        .await
        .is(422)
        .says("what you found");
    lead.post("/exceptions/EX-2", &[("do", "check"), ("place", "1"), ("note-1", "Nothing odd.")])
        .await
        .leads_to("/exceptions/EX-2");
    lead.get("/exceptions/EX-2").await.is(200).says("“Nothing odd.”");
    lead.post("/exceptions/EX-2", &[("do", "revoke"), ("revoke-reason", "")]).await.is(422).says("Say why");
    lead.post("/exceptions/EX-2", &[("do", "revoke"), ("revoke-reason", "Shared again.")])
        .await
        .leads_to("/exceptions/EX-2");
    lead.get("/exceptions/EX-2").await.is(200).says("Revoked").says("Shared again.");
    lead.post("/exceptions/EX-2", &[("do", "nothing")]).await.is(409);
}

/// List and timeline over 50,000 exceptions on SQLite, of which 35,000 are in force. Run it with
/// `cargo nextest run --release --run-ignored all -E 'test(fifty_thousand)' --no-capture`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: it writes fifty thousand exceptions"]
async fn fifty_thousand() {
    let site = Site::demo().await;
    many(&site, 50_000).await;
    // As housekeeping does every few seconds.
    register::exceptions::figures::fold(&site.app.db, start()).await.unwrap();
    let lead = site.signed_in(Role::SecurityLead).await;
    for path in [
        "/exceptions",
        "/exceptions?view=timeline",
        "/exceptions?state=all",
        "/exceptions?state=breached",
        "/exceptions?state=requested",
        "/exceptions?tier=critical&within=30",
        "/exceptions?node=NHI7%3A2025&renewed=yes",
        "/exceptions?control_owner=TE-1",
        "/",
        "/exceptions/EX-40000",
    ] {
        let mut took: Vec<u128> = Vec::new();
        for _ in 0..20 {
            let begun = Instant::now();
            lead.get(path).await.is(200);
            took.push(begun.elapsed().as_micros());
        }
        took.sort_unstable();
        #[expect(clippy::print_stdout, reason = "the numbers are what it is for")]
        {
            println!("{path}: median {} µs, worst {} µs", took[10], took[19]);
        }
        // Far above what a quiet machine needs: a walk over all of them takes longer than this.
        assert!(took[0] < 300_000, "{path}: {took:?}");
    }
    // Through every page of those in force, none twice.
    let mut path = "/exceptions".to_owned();
    for _ in 0..50 {
        let page = lead.get(&path).await.is(200).text();
        let next = page.split("rel=\"next\" href=\"").nth(1).or_else(|| page.split("rel=\"next\"").nth(1));
        let Some(at) = next.and_then(|rest| rest.split("/exceptions?").nth(1)) else { break };
        path = format!("/exceptions?{}", at.split('"').next().unwrap().replace("&amp;", "&"));
    }
}

/// Writes so many exceptions of the agents of the demonstration, decided as the rules say, in a
/// few statements: each with its request, its steps, an agent and a control.
async fn many(site: &Site, n: i64) {
    let db = &site.app.db;
    let now = start().timestamp_micros();
    let day = 86_400_000_000_i64;
    let event: String = db.one("SELECT MAX(id) FROM audit_event", args![]).await.unwrap().unwrap().get(0).unwrap();
    let numbers = "WITH RECURSIVE n (i) AS (SELECT 1001 UNION ALL SELECT i + 1 FROM n WHERE i < 1000 + $1)";
    let agent = "(1 + i % 55)";
    // Asked within the last 180 days, for 20 to 200 days; a tenth is never decided.
    let begun = format!("{now} - (i * 7919 % 180) * {day}");
    let ends = format!("{begun} + (20 + i * 31 % 180) * {day}");
    let statements = [
        format!(
            "INSERT INTO request (id, event_id, kind, agent_id, requester_id, opened_at, policy_version, tier, \
             subject_sha256, content, reason, reviewer_id, lapses_at, outcome, closed_at, closed_by, closing) {numbers} \
             SELECT i, $2, 'exception', {agent}, 3, {begun}, 0, 'high', 'x' || i, '{{}}', 'So.', NULL, {begun} + {day}, \
             CASE WHEN i % 10 = 0 THEN '' ELSE 'approved' END, CASE WHEN i % 10 = 0 THEN NULL ELSE {begun} END, '', '' FROM n"
        ),
        format!(
            "INSERT INTO exception (id, event_id, version, created_at, updated_at, request_id, requester_id, title, \
             control, node, duty, likelihood, impact, justification, selection, tier, starts_at, expires_at, lapses_at, \
             suspends, renews, renewals, subject_sha256, rejection, ended, ended_by, ending) {numbers} \
             SELECT i, $2, 1, {begun}, {begun}, i, 3, 'Exception number ' || i, \
             CASE WHEN i % 2 = 0 THEN 'long-lived-credential' ELSE 'Control ' || (i % 40) END, \
             CASE i % 4 WHEN 0 THEN 'NHI7:2025' WHEN 1 THEN 'ASI03' WHEN 2 THEN '' ELSE 'GOVERN 1.4' END, 'identity', \
             1 + i % 5, 1 + i % 4, 'Because of number ' || i, '', \
             CASE i % 4 WHEN 0 THEN 'low' WHEN 1 THEN 'moderate' WHEN 2 THEN 'high' ELSE 'critical' END, {begun}, {ends}, \
             {begun} + {day}, FALSE, CASE WHEN i % 7 = 0 AND i > 1001 THEN i - 1 END, \
             CASE WHEN i % 7 = 0 AND i > 1001 THEN 1 ELSE 0 END, 'x' || i, '', '', '', '' FROM n"
        ),
        format!(
            "INSERT INTO exception_agent (id, event_id, exception_id, agent_id) {numbers} SELECT i, $2, i, {agent} FROM n"
        ),
        format!(
            "INSERT INTO compensating_control (id, event_id, exception_id, place, words, owner_id, check_at, checked_by, \
             note) {numbers} SELECT i, $2, i, 1, 'Look at it.', 7, {begun} + 10 * {day}, '', '' FROM n"
        ),
        format!(
            "INSERT INTO exception_turn (at, exception_id, facet, delta) {numbers} SELECT {ends}, i, \
             CASE WHEN $2 = '' THEN '' ELSE 'exception:active' END, -1 FROM n WHERE i % 10 <> 0"
        ),
        format!(
            "INSERT INTO exception_breach (exception_id, agent_id, from_at, until_at) {numbers} SELECT i, {agent}, {ends}, \
             CASE WHEN $2 = '' THEN 0 ELSE 9223372036854775807 END FROM n WHERE i % 10 <> 0 AND i % 3 = 0"
        ),
    ];
    for sql in statements {
        db.run(sql, args![n, event.as_str()]).await.unwrap();
    }
    // The steps say who agreed; the triggers let nothing be approved without.
    let step: Vec<String> = db
        .all("SELECT name FROM pragma_table_info('request_step') ORDER BY cid", args![])
        .await
        .unwrap()
        .iter()
        .map(|r| r.get(0).unwrap())
        .collect();
    let values: Vec<String> = step
        .iter()
        .map(|column| match column.as_str() {
            "id" => "100000 + n.i".to_owned(),
            "event_id" => "$2".to_owned(),
            "request_id" => "n.i".to_owned(),
            "agent_id" => "(1 + n.i % 55)".to_owned(),
            other => format!("s.{other}"),
        })
        .collect();
    let sql = format!(
        "INSERT INTO request_step ({}) {numbers} SELECT {} FROM n CROSS JOIN (SELECT * FROM request_step \
         WHERE verdict = 'approve' ORDER BY id LIMIT 1) s WHERE n.i % 10 <> 0",
        step.join(", "),
        values.join(", ")
    );
    db.run(sql, args![n, event.as_str()]).await.unwrap();
    let sql = "UPDATE exception SET approved_at = created_at WHERE id > 1000 AND id % 10 <> 0";
    db.run(sql, args![]).await.unwrap();
    let sql = "INSERT INTO tally (facet, n) SELECT 'exception:active', COUNT(*) FROM exception WHERE id > 1000 \
               AND approved_at IS NOT NULL ON CONFLICT (facet) DO UPDATE SET n = tally.n + excluded.n";
    db.run(sql, args![]).await.unwrap();
}
