//! RACI tables of any origin, checked on a page and on the command line.

use std::process::{Command, Stdio};

use axum::http::Method;
use domain::party::Role;

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
            "row 3 “Stop”: several A: One and Two are all Accountable, and one must be",
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
