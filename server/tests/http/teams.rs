//! Teams and systems, as a browser sees them.

use domain::party::Role;

use crate::support::{Answer, Site};

/// The text that a textarea holds.
fn area(answer: &Answer, name: &str) -> String {
    let text = answer.text();
    let at = text.find(&format!("id=\"field-{name}\"")).unwrap_or_else(|| panic!("{text}"));
    let from = at + text[at..].find('>').unwrap() + 1;
    text[from..from + text[from..].find("</textarea>").unwrap()].trim_start_matches('\n').to_owned()
}

fn version(answer: &Answer) -> String {
    let text = answer.text();
    let at = text.find("name=\"version\"").unwrap();
    let tag = &text[at..at + text[at..].find('>').unwrap()];
    tag.split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn the_list_shows_who_leads_and_who_does_not() {
    let site = Site::demo().await;
    let browser = site.signed_in(Role::Member).await;
    let page = browser.get("/teams").await.is(200).says("Agent platform").says("12 rows").says("Nobody leads");
    assert!(!page.text().contains("/teams/new"));
    browser.get("/teams?led=no").await.is(200).says("Route optimisation").says("1 row");
    browser.get("/teams?kind=risk").await.is(200).says("Risk and assurance").says("1 row");
    browser.get("/teams?q=plat").await.is(200).says("Agent platform");
    browser.get("/teams?q=zzz").await.is(200).says("No team matches");
}

#[tokio::test]
async fn a_team_is_made_refused_and_changed() {
    let site = Site::demo().await;
    let browser = site.signed_in(Role::SecurityLead).await;
    browser.get("/teams/new").await.is(200);
    let members = "Bea Lindqvist\nnobody@nowhere.example\n<script>";
    let refused = browser
        .post("/teams/new", &[("name", "agent  PLATFORM"), ("lead", "PE-11"), ("members", members)])
        .await
        .is(422)
        .says("Choose what the team is for")
        .says("nobody@nowhere.example”");
    assert_eq!(area(&refused, "members"), "Bea Lindqvist\nnobody@nowhere.example\n&lt;script&gt;");
    let refused = browser
        .post(
            "/teams/new",
            &[("name", "agent  PLATFORM"), ("kind", "platform"), ("lead", "PE-11"), ("members", "PE-11")],
        )
        .await
        .is(422);
    refused.says("There is a team Agent platform (TE-3) already").says("has left").says("cannot join a team");

    let made = browser
        .post(
            "/teams/new",
            &[
                ("name", "فريق 🚚"),
                ("kind", "business"),
                ("lead", "Bea Lindqvist"),
                ("members", "PE-5\r\n\r\nPE-6\r\n"),
            ],
        )
        .await
        .is(303);
    let at = made.header("location").to_owned();
    browser.get(&at).await.is(200).says("فريق 🚚").says("href=\"/people/PE-4\"").says("Ravi Menon").says("Yusuf Demir");
    let form = browser.get(&format!("{at}/edit")).await.is(200);
    assert_eq!(area(&form, "members"), "Ravi Menon (PE-5)\nYusuf Demir (PE-6)");
    let read_at = version(&form);
    let save = |members: &'static str| {
        let (browser, at, read_at) = (&browser, &at, &read_at);
        async move {
            let fields = [
                ("name", "فريق 🚚"),
                ("kind", "business"),
                ("lead", "PE-4"),
                ("members", members),
                ("version", read_at.as_str()),
            ];
            browser.post(&format!("{at}/edit"), &fields).await
        }
    };
    save("PE-5").await.leads_to(&at);
    let stale = save("PE-6").await.is(409).says("changed this in the meantime");
    assert_eq!(area(&stale, "members"), "PE-6");
    let page = browser.get(&at).await.is(200);
    assert!(page.text().contains("Ravi Menon") && !page.text().contains("Remove Yusuf Demir"));
}

#[tokio::test]
async fn members_join_and_part_on_the_page() {
    let site = Site::demo().await;
    let browser = site.signed_in(Role::Administrator).await;
    browser.post("/teams/TE-9/members", &[("person", "Nobody Known")]).await.is(422).says("Nobody is called");
    browser.post("/teams/TE-9/members", &[("person", "")]).await.is(422).says("Enter a name");
    browser.post("/teams/TE-9/members", &[("person", "PE-11")]).await.is(422).says("cannot join a team");
    browser.post("/teams/TE-9/members", &[("person", "Bea Lindqvist (PE-4)")]).await.leads_to("/teams/TE-9");
    browser.get("/teams/TE-9").await.is(200).says("Bea Lindqvist is a member now.").says("Remove Bea Lindqvist");
    browser.post("/teams/TE-9/members", &[("person", "PE-4")]).await.is(422).says("a member already");
    browser.post("/teams/TE-9/members/PE-4/remove", &[]).await.leads_to("/teams/TE-9");
    browser.post("/teams/TE-9/members/PE-4/remove", &[]).await.is(409);
    let member = site.signed_in(Role::Member).await;
    member.get("/teams/TE-9").await.is(200);
    member.post("/teams/TE-9/members", &[("person", "PE-4")]).await.is(403);
    member.post("/teams/TE-9/members/PE-3/remove", &[]).await.is(403);
    for path in ["/teams/new", "/teams/TE-9/edit"] {
        member.get(path).await.is(403);
        member.post(path, &[("name", "x")]).await.is(403);
    }
}

#[tokio::test]
async fn systems_are_kept_by_security_leads() {
    let site = Site::demo().await;
    let browser = site.signed_in(Role::SecurityLead).await;
    browser.get("/systems").await.is(200);
    browser
        .post("/systems/new", &[("name", "Dispatch & co")])
        .await
        .is(422)
        .says("Choose what it is")
        .says("Dispatch &amp; co");
    let made = browser
        .post("/systems/new", &[("name", "Night shift"), ("kind", "platform"), ("purpose", "a\r\nb")])
        .await
        .is(303);
    let at = made.header("location").to_owned();
    browser.get(&at).await.is(200).says("Night shift").says("Shared platform");
    let form = browser.get(&format!("{at}/edit")).await.is(200);
    assert_eq!(area(&form, "purpose"), "a\nb");
    let fields = [("name", "Day shift"), ("kind", "platform"), ("version", "1")];
    browser.post(&format!("{at}/edit"), &fields).await.leads_to(&at);
    browser.post(&format!("{at}/edit"), &fields).await.is(409);
    let member = site.signed_in(Role::Member).await;
    member.get(&at).await.is(200).says("Day shift");
    member.get("/systems/new").await.is(403);
    member.post(&format!("{at}/edit"), &fields).await.is(403);
}
