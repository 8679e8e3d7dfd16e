//! RACI tables of any origin, checked on a page and on the command line.

use std::process::{Command, Stdio};

use axum::http::Method;
use domain::duty::Duty;
use domain::party::Role;

use crate::agents::{agent, offered, owned};
use crate::support::{Browser, Site};

/// Sends a form with a file, as a browser does.
pub(crate) async fn send_file(
    browser: &Browser<'_>,
    path: &str,
    fields: &[(&str, &str)],
    file: &[u8],
) -> crate::support::Answer {
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend(
            format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").into_bytes(),
        );
    }
    body.extend(
        b"--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"matrix.csv\"\r\nContent-Type: text/csv\r\n\r\n",
    );
    body.extend(file);
    body.extend(b"\r\n--edge--\r\n");
    browser.send(Method::POST, path, Some("multipart/form-data; boundary=edge"), body).await
}

#[tokio::test]
async fn a_pasted_table_is_checked_and_kept_in_the_form() {
    let site = Site::empty().await;
    let member = site.signed_in(Role::Member).await;
    member.get("/help").await.is(200).says("/raci/check");
    member.get("/raci/check").await.is(200).says("Nothing is stored");
    let table = "Task;One;<Two>\nDeploy;A;R\nStop & go;A;a/x\n";
    let text = member.post("/raci/check", &[("table", table)]).await.is(200).text();
    for part in [
        "several A: One and &lt;Two",
        "no R: nobody is Responsible",
        "unknown letter",
        "Stop &amp; go;A;a/x",
        "1 row breaks a rule",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(!text.contains("no A"), "{text}");
    member.post("/raci/check", &[("table", "Task,One\nDeploy,A/R\n")]).await.is(200).says("Every row keeps the rules");
    member.post("/raci/check", &[("table", " ")]).await.is(422).says("Paste a table, or choose a file.");
    member.post("/raci/check", &[("table", "Task\nDeploy\n")]).await.is(422).says("each party needs a column");
}

#[tokio::test]
async fn a_file_is_checked_whatever_its_encoding() {
    let site = Site::empty().await;
    let member = site.signed_in(Role::Member).await;
    let utf16: Vec<u8> = std::iter::once(0xfeff_u16)
        .chain("Tâche\tUn\nArrêter\tR\n".encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let text = send_file(&member, "/raci/check", &[("table", "")], &utf16).await.is(200).text();
    assert!(text.contains("matrix.csv has 1 row") && text.contains("Arrêter") && text.contains("no A"), "{text}");
    send_file(&member, "/raci/check", &[("table", "kept")], b"%PDF-1.7 x")
        .await
        .is(422)
        .says("a PDF document")
        .says("kept");
}

#[test]
fn the_command_names_only_what_breaks_a_rule() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("raci-{}", register::random::secret()));
    std::fs::create_dir_all(&folder).unwrap();
    let run = |args: &[&str]| {
        let done = Command::new(env!("CARGO_BIN_EXE_muster"))
            .args(args)
            .current_dir(&folder)
            .env_clear()
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (done.status.code().unwrap(), text(done.stdout), text(done.stderr))
    };
    std::fs::write(folder.join("good.csv"), "Activity,One,Two\nDeploy, a ,\"R, c\"\nStop,R/A,i\n").unwrap();
    let (code, out, err) = run(&["raci", "check", "good.csv"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(out, "rows 2 violations 0 (no A 0, several A 0, no R 0, unknown letter 0)\n");
    std::fs::write(folder.join("bad.csv"), "Activity,One,Two\nDeploy,A,R\nStop,A,A\nReview,R,\nRotate,A/R,Q\n")
        .unwrap();
    let (code, out, err) = run(&["raci", "check", "bad.csv"]);
    assert_eq!((code, err.as_str()), (1, ""));
    assert_eq!(
        out.lines().collect::<Vec<_>>(),
        [
            "row 3 “Stop”: several A: One and Two are Accountable, and only one may be",
            "row 3 “Stop”: no R: nobody is Responsible",
            "row 4 “Review”: no A: nobody is Accountable",
            "row 5 “Rotate”: unknown letter: “Q” (Two)",
            "rows 4 violations 4 (no A 1, several A 1, no R 1, unknown letter 1)",
        ]
    );
    assert_eq!(run(&["raci", "check", "none.csv"]).0, 1);
    assert_eq!(run(&["raci", "check"]).0, 2);
    assert_eq!(run(&["raci"]).0, 2);
    let left: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "no database is made: {left:?}");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn a_matrix_is_filled_by_a_plain_form() {
    let site = Site::empty().await;
    let lead = site.signed_in(Role::SecurityLead).await;
    let ada = site.person("ada@muster.test", &[Role::Member]).await;
    let ben = site.person("ben@muster.test", &[Role::Member]).await;
    let id = agent(&site, "Ledger reconciler").await;
    let (page, form) = (format!("/agents/{id}/raci"), format!("/agents/{id}/raci/edit"));
    lead.get(&format!("/agents/{id}")).await.is(200).says(&page);
    lead.get(&page).await.is(200).says("Nobody holds anything yet").says("No A: nobody answers for");
    lead.get(&form).await.is(200).says(r#"name="version" value="1""#);
    // Columns are added by name; what is unclear is asked, and everything typed stays.
    let added =
        [("version", "1"), ("do", "save"), ("add", "ada@muster.test; nobody at all"), ("reason", "first <draft>")];
    let text = lead.post(&form, &added).await.is(422).text();
    for part in [
        format!(r#"name="party" value="{ada}""#),
        format!(r#"name="cell-purpose-{ada}""#),
        "Nobody and no team is called".to_owned(),
        r#"value="nobody at all""#.to_owned(),
        "first &lt;draft>".to_owned(),
    ] {
        assert!(text.contains(&part) || text.contains(&part.replace('>', "&gt;")), "{part}\n{text}");
    }
    let (a, b, ben_id) = (ada.to_string(), ben.to_string(), format!("cell-containment-{ben}"));
    let (pur_a, pol_a, con_a) =
        (format!("cell-purpose-{ada}"), format!("cell-policy-{ada}"), format!("cell-containment-{ada}"));
    let mut typed = vec![
        ("version", "1"),
        ("party", a.as_str()),
        ("party", b.as_str()),
        (pur_a.as_str(), "R/A"),
        (pol_a.as_str(), "c"),
        (con_a.as_str(), "A"),
        (ben_id.as_str(), "A"),
    ];
    let text = lead.post(&form, &typed).await.is(422).text();
    assert!(text.contains("Say why it changes") && text.contains("Several A:"), "{text}");
    typed.push(("reason", "set up"));
    let text = lead.post(&form, &typed).await.is(422).text();
    assert!(
        text.contains("Containment has two A") && text.contains(&format!("id=\"field-cell-containment-{ben}-error\"")),
        "{text}"
    );
    typed[6].1 = "R";
    lead.post(&form, &typed).await.leads_to(&page);
    let text = lead.get(&page).await.is(200).says("2 duties are offered").text();
    for part in ["offered", "No A yet: it is offered to Name of ada@muster.test", "See the offer"] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert_eq!(site.events("assignment.matrix-changed").await, 1, "one change");
    // An old version is a conflict that keeps what was typed and says what is on record now.
    typed[4].1 = "I";
    let text = lead.post(&form, &typed).await.is(409).text();
    assert!(text.contains("What you wrote is kept") && text.contains("now C") && text.contains("set up"), "{text}");
    let version = text.split(r#"name="version" value=""#).nth(1).unwrap().split('"').next().unwrap().to_owned();
    typed[0].1 = &version;
    lead.post(&form, &typed).await.leads_to(&page);
    assert_eq!(site.events("assignment.matrix-changed").await, 2);
    // Whoever only reads sees the letters, not what is wrong.
    let member = site.signed_in_as(ben).await;
    let other = site.person("cleo@muster.test", &[Role::Member]).await;
    member.get(&page).await.is(200);
    let outside = site.signed_in_as(other).await;
    let text = outside.get(&page).await.is(200).text();
    assert!(!text.contains("What is wrong") && !text.contains("/raci/edit"), "{text}");
    outside.get(&form).await.is(403);
}

#[tokio::test]
async fn an_offer_and_its_owner_stay_when_a_matrix_is_saved_again() {
    let site = Site::empty().await;
    let lead = site.signed_in(Role::SecurityLead).await;
    let ada = site.person("ada@muster.test", &[Role::Member]).await;
    let ben = site.person("ben@muster.test", &[Role::Member]).await;
    let id = agent(&site, "Ledger reconciler").await;
    owned(&site, id, Duty::Purpose, ada).await;
    offered(&site, id, Duty::Purpose, ben).await;
    let form = format!("/agents/{id}/raci/edit");
    let text = lead.get(&form).await.is(200).text();
    assert!(!text.contains("Several A"), "{text}");
    let version = text.split(r#"name="version" value=""#).nth(1).unwrap().split('"').next().unwrap().to_owned();
    let policy = format!("cell-policy-{ben}");
    let (a, b) = (format!("cell-purpose-{ada}"), format!("cell-purpose-{ben}"));
    let typed = [
        ("version", version.as_str()),
        (a.as_str(), "A"),
        (b.as_str(), "A"),
        (policy.as_str(), "R"),
        ("reason", "more"),
    ];
    lead.post(&form, &typed).await.leads_to(&format!("/agents/{id}/raci"));
    let sql = "SELECT COUNT(*) FROM assignment WHERE duty = 'purpose' AND valid_to IS NULL";
    let open: i64 = site.app.db.one(sql, register::args![]).await.unwrap().unwrap().get(0).unwrap();
    assert_eq!(open, 2, "the owner and the offer");
}

#[tokio::test]
async fn a_matrix_goes_out_as_a_table_and_comes_back_as_a_difference() {
    let site = Site::empty().await;
    let lead = site.signed_in(Role::SecurityLead).await;
    let ada = site.person("ada@muster.test", &[Role::Member]).await;
    let ben = site.person("ben@muster.test", &[Role::Member]).await;
    let id = agent(&site, "Ledger reconciler").await;
    owned(&site, id, Duty::Purpose, ada).await;
    let (form, csv) = (format!("/agents/{id}/raci/edit"), format!("/agents/{id}/raci.csv"));
    let out = lead.get(&csv).await.is(200);
    assert_eq!(out.header("content-type"), "text/csv; charset=utf-8");
    let out = out.text();
    assert!(out.starts_with(&format!("Duty,Name of ada@muster.test ({ada})\r\nPurpose,A\r\n")), "{out}");
    let checked = domain::raci::check(&out).unwrap();
    assert!(checked.count(domain::raci::Rule::NoAccountable) > 0 && checked.rows >= 3, "{checked:?}");
    // The same table differs in nothing; another is shown cell by cell and not saved.
    let same = lead.post(&form, &[("version", "1"), ("do", "read"), ("table", &out)]).await.is(200);
    same.says("there is nothing to save");
    let table = format!("Duty;{ada};ben@muster.test\nPurpose;A;R\nSecurity owner;C;a, r\n");
    let text = lead.post(&form, &[("version", "1"), ("do", "read"), ("table", &table)]).await.is(200).text();
    for part in ["3 cells differ", "Nothing is saved yet", "now empty", &format!("name=\"cell-policy-{ben}\"")] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert_eq!(site.events("assignment.matrix-changed").await, 0);
    let wrong = format!("Duty;{ada};Nobody Atall\nPurpose;A;R\n");
    lead.post(&form, &[("version", "1"), ("do", "read"), ("table", &wrong)]).await.is(422).says("Nobody Atall");
    let wrong = format!("Duty;{ada}\nGardening;A\nPurpose;Q\n");
    let text = lead.post(&form, &[("version", "1"), ("do", "read"), ("table", &wrong)]).await.is(422).text();
    assert!(text.contains("is no duty") && text.contains("is no letter") && text.contains("Gardening;A"), "{text}");
    let file = format!("Duty\t{ada}\nPolicy\tI\n");
    let sent = [("version", "1"), ("do", "read")];
    send_file(&lead, &form, &sent, file.as_bytes()).await.is(200).says("One cell differs");
}
