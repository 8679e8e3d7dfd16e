//! Import by page and by command: what is shown, what is written, and that it is all or
//! nothing.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use axum::http::Method;
use domain::can::Actor;
use domain::party::Role;
use register::{By, Db, args, audit};

use crate::support::{Answer, Browser, Site, start};

/// Sends a form with files: part name, file name, content.
async fn send(browser: &Browser<'_>, path: &str, parts: &[(&str, &str, &[u8])]) -> Answer {
    let mut body = Vec::new();
    for (name, file, content) in parts {
        let head = format!(
            "--limit\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file}\"\r\n\
             Content-Type: text/csv\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--limit--\r\n");
    browser.send(Method::POST, path, Some("multipart/form-data; boundary=limit"), body).await
}

/// Sends a file and answers the address of its pages.
async fn staged(browser: &Browser<'_>, file: &str, content: &[u8]) -> String {
    let answer = send(browser, "/agents/import", &[("file", file, content), ("mapping", "", b"")]).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.header("location").to_owned()
}

/// The value of the first hidden field of that name.
fn hidden(page: &str, name: &str) -> String {
    let at = page.find(&format!("name=\"{name}\"")).unwrap_or_else(|| panic!("no {name} in {page}"));
    let rest = &page[at..];
    let from = rest.find("value=\"").unwrap() + 7;
    rest[from..].split('"').next().unwrap().to_owned()
}

/// The form of columns as the page has it, every choice as it stands.
fn form_of(page: &str) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let form = &page[page.find("id=\"columns-form\"").unwrap()..];
    let form = &form[..form.find("</form>").unwrap()];
    let attribute = |tag: &str, name: &str| {
        tag.split(&format!(" {name}=\"")).nth(1).map(|v| unescaped(v.split('"').next().unwrap()))
    };
    for piece in form.split('<').skip(1) {
        let tag = piece.split('>').next().unwrap();
        if let Some(name) = attribute(tag, "name") {
            if tag.starts_with("input") {
                let kind = attribute(tag, "type").unwrap_or_default();
                if !matches!(kind.as_str(), "checkbox" | "radio") || tag.contains(" checked") {
                    out.push((name, attribute(tag, "value").unwrap_or_default()));
                }
            } else if tag.starts_with("select") {
                out.push((name, String::new()));
            }
        } else if tag.starts_with("option") && tag.contains(" selected") {
            out.last_mut().unwrap().1 = attribute(tag, "value").unwrap_or_default();
        }
    }
    out
}

fn unescaped(text: &str) -> String {
    text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&#x27;", "'").replace("&amp;", "&")
}

async fn submit(browser: &Browser<'_>, here: &str, change: &[(&str, &str)]) -> Answer {
    let page = browser.get(here).await.is(200).text();
    let mut form = form_of(&page);
    for (name, value) in change {
        match form.iter_mut().find(|(n, _)| n == name) {
            Some(field) => (*value).clone_into(&mut field.1),
            None => form.push(((*name).to_owned(), (*value).to_owned())),
        }
    }
    let form: Vec<(&str, &str)> = form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    browser.post(here, &form).await
}

const INVENTORY: &str = "Agent Name,Purpose,Agency,Status,Owner,Notes\n\
    Claims helper,\"Sorts claims,\nquickly\",Care,Live,nobody@halden.example,x\n\
    <script>alert(1)</script>,=cmd(),Care,Retired,,x\n\
    Claims helper,Again,Care,Pilot,,x\n\
    Too many,cells,Care,Live,,x,surplus\n\
    ,No name,Care,sleeping,,x\n";

#[tokio::test]
async fn an_inventory_goes_from_the_file_to_the_agents() {
    let site = Site::demo().await;
    let lead = site.signed_in(Role::RiskAnalyst).await;
    lead.get("/agents/import").await.is(200).says("Import an inventory").says("Nothing was imported yet");
    let here = staged(&lead, "my inventory.csv", INVENTORY.as_bytes()).await;

    let page = lead.get(&here).await.is(200).says("UTF-8").text();
    assert!(page.contains("my inventory.csv"));
    let form = form_of(&page);
    let becomes: Vec<&str> = form.iter().filter(|(n, _)| n.starts_with("becomes:")).map(|(_, v)| v.as_str()).collect();
    assert_eq!(becomes, ["name", "purpose", "business_unit", "stage", "owner:purpose", ""]);
    assert!(page.contains("Not understood"), "a word nobody knows is marked: sleeping");

    submit(&lead, &here, &[("then", "diff")]).await.leads_to(&format!("{here}/diff"));
    let diff = lead.get(&format!("{here}/diff")).await.is(200).text();
    for said in [
        "4 new, 0 changed, 0 unchanged, 1 refused",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "(unnamed, row 6)",
        "was seen before: possibly the same agent twice",
        "nobody@halden.example",
        "Import 4 agents",
    ] {
        assert!(diff.contains(said), "“{said}” is not in:\n{diff}");
    }
    assert!(!diff.contains("<script>alert"), "{diff}");
    lead.get(&format!("{here}/diff?show=refused")).await.is(200).says("the cells beyond hold “surplus”");
    assert_eq!(site.events("agent.created").await, site.events("agent.created").await);
    let before = site.events("agent.created").await;

    let seen = hidden(&diff, "seen");
    lead.post(&format!("{here}/diff"), &[("seen", &seen)]).await.leads_to(&format!("{here}/done"));
    assert_eq!(site.events("agent.created").await - before, 4);
    assert_eq!(site.events("import.applied").await, 1);
    let done = lead.get(&format!("{here}/done")).await.is(200).says("Imported as IM-1").text();
    assert!(done.contains("/agents?wave=IM-1") && done.contains("nobody can stop"), "{done}");
    assert!(done.contains("&amp;runs=yes&amp;runtime_owner="), "{done}");
    lead.get("/agents?wave=IM-1").await.is(200).says("Claims helper");
    lead.get("/agents/import").await.is(200).says("IM-1").says("my inventory.csv");

    let refused = lead.get(&format!("{here}/refused.csv")).await.is(200);
    assert_eq!(refused.header("content-disposition"), "attachment; filename=\"my-inventory-refused.csv\"");
    let text = refused.text();
    assert!(text.starts_with("\u{feff}Muster: why it was refused,Muster: key,Agent Name,"), "{text}");

    // Mended and sent again: the kept mapping fits, the key stays, nothing else changes.
    let mended = text.replace(",surplus", "");
    let again = staged(&lead, "mended.csv", mended.as_bytes()).await;
    let page = lead.get(&again).await.is(200).says("Refused rows, mended").text();
    assert_eq!(hidden(&page, "source"), "my-inventory");
    let diff = lead.get(&format!("{again}/diff")).await.is(200).says("1 new, 0 changed, 0 unchanged, 0 refused").text();
    lead.post(&format!("{again}/diff"), &[("seen", &hidden(&diff, "seen"))]).await.leads_to(&format!("{again}/done"));

    // The first file again changes nothing, and says so.
    let third = staged(&lead, "my inventory.csv", INVENTORY.as_bytes()).await;
    let diff = lead.get(&format!("{third}/diff")).await.is(200).says("0 new, 0 changed, 4 unchanged, 1 refused").text();
    assert!(diff.contains("Nothing to import"));
    lead.post(&format!("{third}/diff"), &[("seen", &hidden(&diff, "seen"))]).await.leads_to(&format!("{third}/done"));
    lead.get(&format!("{third}/done")).await.is(200).says("Nothing changed");
    assert_eq!(site.events("import.repeated").await, 1);
}

#[tokio::test]
async fn columns_and_words_are_as_one_says() {
    let site = Site::demo().await;
    let lead = site.signed_in(Role::SecurityLead).await;
    let text = "x1,x2,x3\nAlpha,1,eu\nBeta,2,us\n";
    let here = staged(&lead, "odd.csv", text.as_bytes()).await;
    // The second column is a stage in words that nobody knows: they are asked for first.
    let to = submit(&lead, &here, &[("becomes:1", "stage"), ("becomes:2", "label"), ("then", "diff")]).await;
    to.leads_to(&format!("{here}#values"));
    let page = lead.get(&here).await.is(200).says("Not understood").text();
    let form = form_of(&page);
    assert_eq!(form.iter().filter(|(n, _)| n == "value:stage").count(), 2);
    // Only one column can be the stage, something must be the name, the date lies ahead.
    let wrong = submit(
        &lead,
        &here,
        &[
            ("becomes:2", "stage"),
            ("becomes:0", ""),
            ("target", "2020-01-01"),
            ("owner", "Nobody Here"),
            ("source", " "),
        ],
    )
    .await;
    let wrong = wrong.is(422).text();
    for said in
        ["only one column can be", "which column has the names", "1 to 730 days ahead", "Name the source", "2020-01-01"]
    {
        assert!(wrong.contains(said), "“{said}” is not in:\n{wrong}");
    }
    assert!(wrong.contains("value=\"Nobody Here\""), "what was typed stays");

    let form: Vec<(String, String)> = form
        .into_iter()
        .scan(0, |n, (name, value)| {
            let value = match name.as_str() {
                "means:stage" => {
                    *n += 1;
                    if *n == 1 { "operating".to_owned() } else { "retired".to_owned() }
                }
                _ => value,
            };
            Some((name, value))
        })
        .chain([("then".to_owned(), "diff".to_owned())])
        .collect();
    let form: Vec<(&str, &str)> = form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    lead.post(&here, &form).await.leads_to(&format!("{here}/diff"));
    lead.get(&format!("{here}/diff")).await.is(200).says("Discovered").says("Retired");

    // The mapping goes out as TOML and comes in again.
    let toml = lead.get(&format!("{here}/mapping.toml")).await.is(200);
    assert_eq!(toml.header("content-disposition"), "attachment; filename=\"odd.toml\"");
    let toml = toml.text();
    assert!(toml.contains("1 = \"operating\"") && toml.contains("x3 = \"x3\""), "{toml}");
    submit(&lead, &here, &[("then", "guess")]).await.leads_to(&here);
    send(&lead, &format!("{here}/mapping"), &[("mapping", "odd.toml", toml.as_bytes())]).await.leads_to(&here);
    lead.get(&format!("{here}/diff")).await.is(200).says("Discovered");
    let other = "source = \"s\"\nkey = [\"nope\"]\n[fields.name]\ncolumn = \"nope\"\n";
    send(&lead, &format!("{here}/mapping"), &[("mapping", "m.toml", other.as_bytes())])
        .await
        .is(422)
        .says("the column “nope”, which the file does not have");
    lead.post(&format!("{here}/discard"), &[]).await.leads_to("/agents/import");
    lead.get(&here).await.is(404);
}

#[tokio::test]
async fn what_cannot_be_read_is_said_beside_the_file() {
    let site = Site::demo().await;
    let lead = site.signed_in(Role::SecurityLead).await;
    let wide = vec!["c"; 10_000].join(",");
    for (content, said) in [
        (b"".as_slice(), "The file is empty"),
        (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
        (b"PK\x03\x04", "Excel workbook"),
        (b"<!doctype html><p>", "a web page"),
        (b"name,purpose\n", "a header and no rows"),
        (wide.as_bytes(), "10000 columns; at most 2,000"),
    ] {
        send(&lead, "/agents/import", &[("file", "f.csv", content)]).await.is(422).says(said);
    }
    send(&lead, "/agents/import", &[("file", "", b"")]).await.is(422).says("Choose a file");
    let bad =
        send(&lead, "/agents/import", &[("file", "f.csv", b"name\nA\n"), ("mapping", "m.toml", b"key = 1")]).await;
    bad.is(422).says("The mapping is not valid");
    send(&lead, "/agents/import", &[("file", "f.csv", &vec![b'x'; (64 << 20) + 1])]).await.is(413).says("64 MiB");
    lead.post("/agents/import", &[("file", "x")]).await.is(400);
    assert_eq!(site.events("import.applied").await, 0);
}

#[tokio::test]
async fn a_staged_file_is_its_senders_and_what_was_shown_is_what_is_done() {
    let site = Site::demo().await;
    let lead = site.signed_in(Role::SecurityLead).await;
    let here = staged(&lead, "a.csv", b"name,purpose\nAlpha,x\n").await;
    let analyst = site.signed_in(Role::RiskAnalyst).await;
    for path in [here.clone(), format!("{here}/diff"), format!("{here}/refused.csv"), format!("{here}/mapping.toml")] {
        analyst.get(&path).await.is(404);
    }
    analyst.post(&format!("{here}/discard"), &[]).await.is(404);
    lead.get(&format!("{here}/done")).await.leads_to(&format!("{here}/diff"));
    let diff = lead.get(&format!("{here}/diff")).await.is(200).text();
    lead.post(&format!("{here}/diff"), &[("seen", "something else")]).await.is(409).says("The register has changed");
    assert_eq!(site.events("import.applied").await, 0);
    lead.post(&format!("{here}/diff"), &[("seen", &hidden(&diff, "seen"))]).await.leads_to(&format!("{here}/done"));
    // A member never sees any of it.
    let member = site.signed_in(Role::Member).await;
    member.get("/agents/import").await.is(403).says("risk analysts and security leads");
    send(&member, "/agents/import", &[("file", "a.csv", b"name\nA\n")]).await.is(403);
}

#[tokio::test]
async fn many_rows_are_paged() {
    let site = Site::demo().await;
    let lead = site.signed_in(Role::SecurityLead).await;
    let rows: String = (1..=120).map(|n| format!("Agent {n},x\n")).collect();
    let here = staged(&lead, "many.csv", format!("name,purpose\n{rows}").as_bytes()).await;
    let first = lead.get(&format!("{here}/diff")).await.is(200).says("1–50 of 120").text();
    assert!(first.contains("cursor=51") && !first.contains("before="), "{first}");
    let second = lead.get(&format!("{here}/diff?cursor=51")).await.is(200).says("51–100 of 120").text();
    assert!(second.contains("before=52") && second.contains("cursor=101"), "{second}");
    lead.get(&format!("{here}/diff?before=52")).await.is(200).says("1–50 of 120");
    lead.get(&format!("{here}/diff?cursor=101")).await.is(200).says("101–120 of 120");
    lead.get(&format!("{here}/diff?cursor=9999&show=nonsense")).await.is(200);
}

// ---- the command ----

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("import-{}", register::random::secret()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, content: &[u8]) -> String {
        let path = self.0.join(name);
        std::fs::File::create(&path).unwrap().write_all(content).unwrap();
        path.display().to_string()
    }

    fn url(&self) -> String {
        format!("sqlite://{}", self.0.join("m.db").display())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn muster(folder: &Folder, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
    command.current_dir(&folder.0).env_clear().env("MUSTER_DATABASE_URL", folder.url()).args(args);
    command
}

fn run(folder: &Folder, args: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = muster(folder, args).output().unwrap();
    let text = |b: Vec<u8>| String::from_utf8(b).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

fn last(text: &str) -> &str {
    text.lines().last().unwrap_or_default()
}

#[tokio::test]
async fn the_command_guesses_repeats_and_refuses() {
    let folder = Folder::new();
    let file = folder.file("agents.csv", INVENTORY.replace(",surplus", "").as_bytes());
    let (code, out, err) = run(&folder, &["import", &file, "--dry-run", "--write-mapping", "guess.toml"]);
    assert_eq!((code, last(&out), err.as_str()), (0, "rows 5 new 5 changed 0 unchanged 0 refused 0", ""), "{out}");
    let (code, out, _) = run(&folder, &["import", &file, "--mapping", "guess.toml", "--target-days", "30"]);
    assert_eq!((code, last(&out)), (0, "rows 5 new 5 changed 0 unchanged 0 refused 0"));
    assert!(
        out.contains("wave IM-1 target ") && out.contains("unmatched business owner: nobody@halden.example"),
        "{out}"
    );
    assert!(out.contains("possible duplicates 1") && out.contains("unnamed 1"), "{out}");
    let (code, out, _) = run(&folder, &["import", &file]);
    assert_eq!((code, last(&out)), (0, "rows 5 new 0 changed 0 unchanged 5 refused 0"), "{out}");

    let ragged = folder.file("ragged.csv", INVENTORY.as_bytes());
    let (code, out, err) = run(&folder, &["import", &ragged, "--source", "agents"]);
    assert_eq!((code, last(&out)), (1, "rows 5 new 0 changed 0 unchanged 4 refused 1"), "{out}");
    assert!(out.contains("refused row 5: "), "{out}");
    assert_eq!(err.lines().count(), 1, "{err}");

    let picture = folder.file("picture.csv", b"\x89PNG");
    for (args, code, said) in [
        (vec!["import", picture.as_str()], 1, "PNG"),
        (vec!["import", "absent.csv"], 1, "cannot be read"),
        (vec!["import", "."], 1, "folder"),
        (vec!["import", file.as_str(), "--owner", "nobody@x.example"], 1, "nobody@x.example"),
        (vec!["import", file.as_str(), "--mapping", "absent.toml"], 1, "absent.toml"),
        (vec!["import", file.as_str(), "--target-days", "0"], 2, "target-days"),
        (vec!["import"], 2, "FILE.csv"),
    ] {
        let (got, out, err) = run(&folder, &args);
        assert_eq!((got, out.as_str()), (code, ""), "{args:?} {err}");
        assert!(err.contains(said), "{args:?}: {err}");
    }
}

/// A few hundred agents, so that there is time to be killed in.
fn large() -> String {
    let mut text = String::from("name,purpose,agency,status\n");
    for n in 0..1_500 {
        text.push_str(&format!("Agent {n},\"What it is for, {n}\",Agency {},Live\n", n % 20));
    }
    text
}

#[tokio::test]
async fn killed_at_any_moment_it_leaves_all_or_nothing() {
    let folder = Folder::new();
    let file = folder.file("large.csv", large().as_bytes());
    // The database is there before, so that the kills fall into the import.
    run(&folder, &["import", &file, "--dry-run"]);
    let mut all = 0;
    for round in 0_u64..12 {
        let mut child = muster(&folder, &["import", &file, "--source", &format!("round-{round}")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // From the first milliseconds to the end of an undisturbed run.
        tokio::time::sleep(Duration::from_millis(15 + round * 45)).await;
        child.kill().unwrap();
        child.wait().unwrap();
        let db = Db::connect(&folder.url()).await.unwrap();
        let count = async |sql: &'static str| db.one(sql, args![]).await.unwrap().unwrap().get::<i64>(0).unwrap();
        let (agents, waves) = (count("SELECT COUNT(*) FROM agent").await, count("SELECT COUNT(*) FROM wave").await);
        assert_eq!(agents, waves * 1_500, "round {round}: a part of it is there");
        let cli = Actor::cli();
        audit::verify(&db, By { actor: &cli, now: start() }, None, |_| {}).await.unwrap();
        all = waves;
        db.close().await;
    }
    let (code, out, _) = run(&folder, &["import", &file, "--source", "at-last"]);
    assert_eq!((code, last(&out)), (0, "rows 1500 new 1500 changed 0 unchanged 0 refused 0"));
    assert!(all < 12, "no kill fell into an import");
}
