//! People and settings, as a browser sees them.

use domain::can::Actor;
use domain::duty::Duty;
use domain::id::{AgentId, PersonId};
use domain::party::{Party, Role};
use register::assignments::{self, Mode};
use register::{By, passwords, people};

use crate::support::{Answer, Browser, Site};

/// `name="name" … value="…"`: what a field of a refused form holds.
#[track_caller]
fn holds(answer: &Answer, name: &str, value: &str) {
    let text = answer.text();
    let at = text.find(&format!("name=\"{name}\"")).unwrap_or_else(|| panic!("no field {name} in {text}"));
    let tag = &text[at..at + text[at..].find('>').unwrap()];
    assert!(tag.contains(&format!("value=\"{value}\"")), "{name} is not “{value}”: {tag}");
}

async fn version(site: &Site, id: &str) -> String {
    let mut reads = &site.app.db;
    people::load(&mut reads, id.parse().unwrap()).await.unwrap().unwrap().version.to_string()
}

async fn administrator(site: &Site) -> Browser<'_> {
    site.signed_in(Role::Administrator).await
}

#[tokio::test]
async fn the_list_is_searched_filtered_and_says_when_it_is_empty() {
    let site = Site::demo().await;
    let member = site.signed_in(Role::Member).await;
    let page = member.get("/people").await.is(200).says("Ingrid Solheim").says("41 rows");
    assert!(!page.text().contains("/people/new"), "a member is not offered what they may not do");
    member.get("/people?q=solh").await.is(200).says("Ingrid Solheim").says("1 row");
    member.get("/people?status=left").await.is(200).says("left gaps").says("3 rows");
    member.get("/people?role=auditor").await.is(200).says("Yusuf Demir");
    member.get("/people?team=TE-1").await.is(200).says("Clara Oyelaran").says("Team: Identity engineering");
    member.get("/people?q=nobody%20of%20this%20name").await.is(200).says("Nobody matches");
    member.get("/people?q=%25%00%C3").await.is(200).says("Nobody matches");
    member.get("/people?cursor=nonsense").await.is(422);
    administrator(&site).await.get("/people").await.is(200).says("/people/new");

    let empty = Site::empty().await;
    let id = empty.person("ada@muster.test", &[Role::Administrator]).await;
    empty.signed_in_as(id).await.get("/teams").await.is(200).says("No teams yet");
}

#[tokio::test]
async fn a_refused_form_keeps_what_was_typed() {
    let site = Site::demo().await;
    let browser = administrator(&site).await;
    browser.get("/people/new").await.is(200);
    let refused = browser
        .post(
            "/people/new",
            &[
                ("name", "<b>نور</b> \"الهدى\""),
                ("email", "not an address"),
                ("title", "Head & tail"),
                ("manager", "Nobody Known"),
                ("roles", "auditor"),
            ],
        )
        .await
        .is(422)
        .says("Nobody is called “Nobody Known”");
    holds(&refused, "name", "&lt;b&gt;نور&lt;/b&gt; &quot;الهدى&quot;");
    holds(&refused, "email", "not an address");
    holds(&refused, "title", "Head &amp; tail");
    holds(&refused, "manager", "Nobody Known");
    let text = refused.text();
    let box_of = |key: &str| {
        let at = text.find(&format!("value=\"{key}\"")).unwrap();
        text[at..at + text[at..].find('>').unwrap()].contains("checked")
    };
    assert!(box_of("auditor") && !box_of("member"), "roles are as they were ticked");

    let refused = browser
        .post("/people/new", &[("name", " "), ("email", "ingrid.solheim@halden.example"), ("manager", "PE-1")])
        .await
        .is(422);
    assert!(refused.text().contains("href=\"#field-name\"") && refused.text().contains("href=\"#field-email\""));
    holds(&refused, "manager", "PE-1");
    assert_eq!(site.events("person.created").await, 41, "nothing was written");
}

#[tokio::test]
async fn a_person_is_recorded_shown_and_changed() {
    let site = Site::demo().await;
    let browser = administrator(&site).await;
    let made = browser
        .post(
            "/people/new",
            &[
                ("name", "نور الهدى 🦊"),
                ("email", "Nour@Halden.example"),
                ("manager", "ingrid SOLHEIM"),
                ("deputy", "Ravi Menon (PE-5)"),
                ("roles", "member"),
                ("roles", "auditor"),
            ],
        )
        .await
        .is(303);
    let at = made.header("location").to_owned();
    let page = browser.get(&at).await.is(200).says("نور الهدى 🦊").says("@halden.example").says("is recorded");
    page.says("href=\"/people/PE-1\"").says("href=\"/people/PE-5\"").says("Auditor");
    let id = at.rsplit('/').next().unwrap();

    let form = browser.get(&format!("{at}/edit")).await.is(200);
    holds(&form, "manager", "Ingrid Solheim (PE-1)");
    let read_at = version(&site, id).await;
    let edit = |name: &'static str, version: String| {
        let at = at.clone();
        let browser = &browser;
        async move {
            browser
                .post(
                    &format!("{at}/edit"),
                    &[
                        ("name", name),
                        ("email", "nour@halden.example"),
                        ("roles", "member"),
                        ("reason", "asked to"),
                        ("version", &version),
                    ],
                )
                .await
        }
    };
    edit("Nour", read_at.clone()).await.leads_to(&at);
    browser.get(&at).await.is(200).says("Saved.");
    let stale = edit("Somebody else", read_at).await.is(409).says("changed this in the meantime");
    holds(&stale, "name", "Somebody else");
    edit("Somebody else", String::new()).await.is(409);
    let now = version(&site, id).await;
    edit("Nour", now).await.leads_to(&at);
    browser.get(&at).await.is(200).says("Nothing was changed.");
}

#[tokio::test]
async fn who_is_not_there_is_not_found() {
    let site = Site::demo().await;
    let browser = administrator(&site).await;
    for path in ["/people/PE-999", "/people/PE-999/edit", "/people/AG-1", "/people/x", "/teams/TE-99", "/systems/SY-99"]
    {
        browser.get(path).await.is(404);
    }
    browser.post("/people/PE-999/leave", &[("reason", "x")]).await.is(404);
    browser.post("/people/PE-999/edit", &[("name", "x")]).await.is(404);
    browser.post("/people/PE-999/password", &[]).await.is(404);
}

#[tokio::test]
async fn only_administrators_keep_people() {
    let site = Site::demo().await;
    for role in [Role::SecurityLead, Role::RiskAnalyst, Role::Member, Role::Auditor] {
        let browser = site.signed_in(role).await;
        browser.get("/people/PE-5").await.is(200).says("Ravi Menon");
        for path in ["/people/new", "/people/PE-5/edit"] {
            browser.get(path).await.is(403).says("administrators");
            browser.post(path, &[("name", "x")]).await.is(403);
        }
        for path in ["/people/PE-5/leave", "/people/PE-5/return", "/people/PE-5/password"] {
            browser.post(path, &[("reason", "x")]).await.is(403);
        }
    }
    assert_eq!(site.events("person.changed").await, 0);
}

#[tokio::test]
async fn leaving_is_asked_for_with_its_reason_and_shows_the_gaps() {
    let site = Site::demo().await;
    let browser = administrator(&site).await;
    // Ravi leads the platform team and owns agents through it.
    browser.get("/people/PE-5").await.is(200).says("If they left").says("href=\"/teams/TE-3\"");
    let at = version(&site, "PE-5").await;
    let refused = browser.post("/people/PE-5/leave", &[("reason", " "), ("version", &at)]).await.is(422);
    refused.says("Say why").says("<details open");
    browser
        .post("/people/PE-5/leave", &[("reason", "went sailing"), ("version", "77")])
        .await
        .is(409)
        .says("went sailing");
    browser.post("/people/PE-5/leave", &[("reason", "went sailing"), ("version", &at)]).await.leads_to("/people/PE-5");
    let page = browser.get("/people/PE-5").await.is(200).says("is marked as left").says("Since they left");
    page.says("They are back…").says("agents were assessed again");
    browser.get("/teams/TE-3").await.is(200).says("Nobody leads it");
    let back = version(&site, "PE-5").await;
    browser.post("/people/PE-5/return", &[("reason", "is back"), ("version", &back)]).await.leads_to("/people/PE-5");
    assert_eq!((site.events("person.left").await, site.events("person.returned").await), (1, 1));
}

#[tokio::test]
async fn the_last_administrator_is_told_why_not() {
    let site = Site::empty().await;
    let id = site.person("ada@muster.test", &[Role::Administrator]).await;
    let browser = site.signed_in_as(id).await;
    let at = format!("/people/{id}");
    browser.get(&at).await.is(200).says("They are the last active administrator");
    browser
        .post(&format!("{at}/leave"), &[("reason", "x"), ("version", "1")])
        .await
        .is(409)
        .says("is the last active administrator");
    let form = [("name", "Ada"), ("email", "ada@muster.test"), ("version", "1"), ("roles", "member")];
    browser.post(&format!("{at}/edit"), &form).await.is(409).says("is the last active administrator");
}

#[tokio::test]
async fn a_password_is_made_and_shown_once() {
    let site = Site::demo().await;
    let browser = administrator(&site).await;
    let their = site.signed_in_as(PersonId(4)).await;
    their.get("/account").await.is(200);
    // She owns agents: one asks, another confirms and is shown it.
    browser.post("/people/PE-4/password", &[]).await.leads_to("/people/PE-4");
    let page = browser.get("/people/PE-4").await.is(200).says("needs a second person").says("Take it back…");
    assert!(!page.text().contains("Shown this once"), "nothing is set yet");
    their.get("/account").await.is(200);
    let id: i64 = site.app.db.one("SELECT MAX(id) FROM proposal", vec![]).await.unwrap().unwrap().get(0).unwrap();
    let confirm = format!("/people/PE-4/proposals/{id}/confirm");
    browser.post(&confirm, &[]).await.is(403).says("You asked for it");
    let second = site.person("second@muster.test", &[Role::SecurityLead]).await;
    let second = site.signed_in_as(second).await;
    second.get("/people/PE-4").await.is(200).says("to get a new password").says("Confirm…");
    second.post(&confirm, &[("reason", "she called")]).await.leads_to("/people/PE-4");
    second.post(&confirm, &[]).await.is(409).says("decided already");
    // Another page and another session leave the secret alone.
    second.get("/people/PE-5").await.is(200);
    assert!(!browser.get("/people/PE-4").await.is(200).text().contains("Shown this once"));
    let browser = second;
    let page = browser.get("/people/PE-4").await.is(200).says("Shown this once");
    let text = page.text();
    let at = text.find("<code class=\"secret\">").unwrap() + "<code class=\"secret\">".len();
    let password = &text[at..at + text[at..].find('<').unwrap()];
    assert_eq!(password.len(), 19, "{password}");
    assert_eq!(page.header("cache-control"), "no-store");
    assert!(!browser.get("/people/PE-4").await.is(200).text().contains(password));
    let signed = passwords::sign_in(&site.app.db, "bea.lindqvist@halden.example", password).await.unwrap();
    assert_eq!(signed.unwrap().person, PersonId(4));
    their.get("/account").await.leads_to("/login?next=%2Faccount");
    // One's own is changed where the present one is asked for.
    let me = site.person("own@muster.test", &[Role::Administrator]).await;
    site.signed_in_as(me).await.post(&format!("/people/{me}/password"), &[]).await.is(409).says("Your account");
}

#[tokio::test]
async fn everything_is_handed_over_in_one_form() {
    let site = Site::demo().await;
    let lead = site.signed_in(Role::SecurityLead).await;
    let cli = Actor::cli();
    let by = By { actor: &cli, now: site.app.clock.now() };
    for n in [1, 2] {
        let (agent, duty) = (AgentId(n), Duty::Vendor);
        let ravi = Party::Person(PersonId(5));
        assignments::assign(&site.app.db, by, agent, duty, ravi, Mode::Record, "asked him").await.unwrap();
    }
    lead.get("/people/PE-5").await.is(200).says("Hand it all over…");
    let refused = lead
        .post("/people/PE-5/handover", &[("to", "Nobody Known"), ("handover_reason", "moving <on>")])
        .await
        .is(422)
        .says("moving &lt;on&gt;");
    holds(&refused, "to", "Nobody Known");
    lead.post("/people/PE-5/handover", &[("to", "PE-5")]).await.is(422).says("answers for it already");
    lead.post("/people/PE-5/handover", &[("to", "PE-11")]).await.is(422).says("has left");
    lead.post("/people/PE-5/handover", &[("to", "Bea Lindqvist"), ("handover_reason", "moving on")])
        .await
        .leads_to("/people/PE-5");
    lead.get("/people/PE-5").await.is(200).says("offered to Bea Lindqvist");
    lead.get("/people/PE-4").await.is(200).says("Offers waiting for them").says("moving on");
    // A second hand-over does not take the first back silently: it says whose offers are open.
    let offered = site.events("assignment.offered").await;
    let again = [("to", "PE-1"), ("handover_reason", "better <so>")];
    let refused = lead.post("/people/PE-5/handover", &again).await.is(409).says("offered to Bea Lindqvist since");
    let refused = refused.says("not yet accepted").says("Take back those offers").says("better &lt;so&gt;");
    holds(&refused, "to", "PE-1");
    assert_eq!(site.events("assignment.offered").await, offered, "nothing was written");
    lead.post("/people/PE-5/handover", &[("to", "PE-4")]).await.is(409).says("on offer to them already");
    let mut ticked = again.to_vec();
    ticked.push(("take_back", "yes"));
    lead.post("/people/PE-5/handover", &ticked).await.leads_to("/people/PE-5");
    let page = lead.get("/people/PE-5").await.is(200).says("to Bea Lindqvist taken back");
    page.says("offered to Ingrid Solheim");
    site.signed_in_as(PersonId(6)).await.post("/people/PE-5/handover", &[("to", "PE-4")]).await.is(403);
}

#[tokio::test]
async fn settings_are_read_by_all_and_changed_by_administrators() {
    let site = Site::demo().await;
    let member = site.signed_in(Role::Member).await;
    let page = member.get("/settings").await.is(200).says("This Muster").says("SQLite");
    assert!(!page.text().contains("id=\"tokens\"") && !page.text().contains("id=\"sessions\""));
    member.post("/settings", &[("organisation", "x")]).await.is(403);
    let browser = administrator(&site).await;
    let page = browser.get("/settings").await.is(200);
    let text = page.text();
    let at = text.find("name=\"version\"").unwrap();
    let tag = &text[at..at + text[at..].find('>').unwrap()];
    let read_at = tag.split("value=\"").nth(1).unwrap().trim_end_matches(['"', '/', ' ']).to_owned();
    let save = |organisation: &'static str, days: &'static str, version: String| {
        let browser = &browser;
        async move {
            let fields =
                [("organisation", organisation), ("oncall_team", "TE-4"), ("wave_days", days), ("version", &version)];
            browser.post("/settings", &fields).await
        }
    };
    let refused = save("Halden & Sons", "soon", read_at.clone()).await.is(422).says("Enter a number of days");
    holds(&refused, "organisation", "Halden &amp; Sons");
    holds(&refused, "wave_days", "soon");
    save("Halden & Sons", "30", read_at.clone()).await.leads_to("/settings");
    member.get("/settings").await.is(200).says("Halden &amp; Sons").says("href=\"/teams/TE-4\"");
    save("Other", "31", read_at).await.is(409).says("changed this in the meantime");
}

#[tokio::test]
async fn a_token_is_shown_once_used_and_revoked() {
    let site = Site::demo().await;
    let browser = administrator(&site).await;
    let refused = browser
        .post("/settings/tokens", &[("name", "Scanner"), ("mine", "true"), ("days", "900"), ("scopes", "read")])
        .await
        .is(422)
        .says("from 1 to 366");
    holds(&refused, "name", "Scanner");
    assert!(refused.text().contains("name=\"mine\" value=\"true\" checked"), "what was ticked stays ticked");
    browser.post("/settings/tokens", &[("name", "Scanner"), ("days", "7")]).await.is(422).says("at least one scope");
    browser
        .post("/settings/tokens", &[("name", "Scanner"), ("days", "7"), ("scopes", "read"), ("scopes", "intake")])
        .await
        .leads_to("/settings#tokens");
    administrator(&site).await.get("/settings/tokens").await.leads_to("/settings#tokens");
    let other = administrator(&site).await.get("/settings").await.is(200);
    assert!(!other.text().contains("mst_"), "it is for the session that made it");
    let page = browser.get("/settings").await.is(200).says("Shown this once");
    let text = page.text();
    let secret: String = text[text.find("mst_").unwrap()..].chars().take_while(|c| *c != '<').collect();
    let again = browser.get("/settings").await.is(200).says("Scanner").says("TK-1").says("Read, Intake");
    assert!(!again.text().contains(&secret));
    let now = site.app.clock.now();
    assert!(register::tokens::authenticate(&site.app.db, &secret, now).await.unwrap().is_some());
    browser.post("/settings/tokens/TK-1/revoke", &[]).await.leads_to("/settings#tokens");
    assert!(register::tokens::authenticate(&site.app.db, &secret, now).await.unwrap().is_none());
    browser.post("/settings/tokens/TK-1/revoke", &[]).await.is(409);
    browser.post("/settings/tokens/TK-9/revoke", &[]).await.is(404);
    let member = site.signed_in(Role::Member).await;
    member.post("/settings/tokens", &[("name", "x")]).await.is(403);
    member.post("/settings/tokens/TK-1/revoke", &[]).await.is(403);
}

#[tokio::test]
async fn an_administrator_ends_a_session() {
    let site = Site::demo().await;
    let browser = administrator(&site).await;
    let their = site.signed_in_as(PersonId(4)).await;
    let page = browser.get("/settings").await.is(200).says("Bea Lindqvist").says("This one");
    let text = page.text();
    let at = text.find("/settings/sessions/").unwrap();
    let action = &text[at..at + text[at..].find('"').unwrap()];
    their.post(action, &[]).await.is(403);
    browser.post(action, &[]).await.leads_to("/settings#sessions");
    their.get("/account").await.leads_to("/login?next=%2Faccount");
    browser.post(action, &[]).await.is(404);
}

#[tokio::test]
async fn a_privileged_role_is_granted_by_two() {
    let site = Site::empty().await;
    let ana = site.person("ana@muster.test", &[Role::Administrator]).await;
    let zoe = site.person("zoe@muster.test", &[Role::Member]).await;
    let at = format!("/people/{zoe}");
    let form = async |role: &'static str| {
        let version = version(&site, &zoe.to_string()).await;
        let fields = [
            ("name", "Zoe"),
            ("email", "zoe@muster.test"),
            ("roles", "member"),
            ("roles", role),
            ("version", version.as_str()),
            ("reason", "knows <it>"),
        ];
        site.signed_in_as(ana).await.post(&format!("{at}/edit"), &fields).await
    };
    // Alone it goes through at once.
    form("security-lead").await.leads_to(&at);
    assert_eq!(site.events("person.roles-changed").await, 1);
    let ben = site.person("ben@muster.test", &[Role::SecurityLead]).await;
    form("administrator").await.leads_to(&at);
    let by_ana = site.signed_in_as(ana).await;
    let page = by_ana.get(&at).await.is(200).says("Waits for a second person").says("knows &lt;it&gt;");
    assert!(!page.text().contains("Confirm…"), "who asked does not confirm");
    let again = form("administrator").await.is(409).says("asked for this already");
    holds(&again, "name", "Zoe");
    let by_ben = site.signed_in_as(ben).await;
    by_ben.get(&at).await.is(200).says("Confirm…").says("Refuse…");
    let id: i64 = site.app.db.one("SELECT MAX(id) FROM proposal", vec![]).await.unwrap().unwrap().get(0).unwrap();
    let confirm = format!("{at}/proposals/{id}/confirm");
    by_ana.post(&confirm, &[]).await.is(403).says("another administrator or security lead");
    site.signed_in_as(zoe).await.post(&confirm, &[]).await.is(403);
    by_ben.post(&confirm, &[("reason", "known to me")]).await.leads_to(&at);
    let page = by_ben.get(&at).await.is(200).says("Confirmed: they are Administrator now.");
    assert!(!page.text().contains("Waits for a second person"));
    // Refused, nothing changes; and the first may be made alone again only by two.
    let kim = site.person("kim@muster.test", &[Role::Member]).await;
    let path = format!("/api/v1/people/{kim}");
    let sent = serde_json::json!({"roles": ["administrator", "auditor"]});
    let body = serde_json::to_vec(&sent).unwrap();
    let kind = Some("application/json");
    let problem = by_ana
        .send_with(axum::http::Method::PATCH, &path, kind, body.clone(), &[("if-match", "*")])
        .await
        .is_problem(409, "conflict")
        .says("second person");
    assert!(problem.text().contains(&format!("proposal {}", id + 1)), "{}", problem.text());
    assert_eq!(by_ana.get(&path).await.is(200).body()["roles"], serde_json::json!(["auditor"]));
    by_ana.post(&format!("/people/{kim}/proposals/{}/refuse", id + 1), &[]).await.leads_to(&format!("/people/{kim}"));
    by_ben.post(&format!("/people/{kim}/proposals/{}/confirm", id + 1), &[]).await.is(409).says("decided already");
    // A program that nobody owns asks for nothing.
    let program = site.program(&[domain::can::Scope::Admin]).await;
    program
        .send_with(axum::http::Method::PATCH, &path, kind, body, &[("if-match", "*")])
        .await
        .is_problem(403, "forbidden")
        .says("a token that has an owner");
}
