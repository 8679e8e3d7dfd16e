//! Evidence packs: checked by `sha256sum` and by the script they bring, with nothing of ours; one
//! changed byte is found.

use std::path::{Path, PathBuf};
use std::process::Command;

use axum::http::Method;
use domain::can::Scope;
use domain::id::PersonId;
use domain::party::Role;

use crate::support::Site;

/// A folder that goes with the test.
struct Unpacked(PathBuf);

impl Unpacked {
    /// Unpacks an archive with Python alone, so that it is read by another's hand.
    fn of(zip: &[u8]) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("pack-{}", register::random::secret()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.with_extension("zip");
        std::fs::write(&file, zip).unwrap();
        let done = Command::new("python3").arg("-m").arg("zipfile").arg("-e").arg(&file).arg(&folder).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        std::fs::remove_file(&file).unwrap();
        Self(folder)
    }

    /// What `sha256sum -c` and the script say: whether all is well, and their words.
    fn checked(&self) -> [(bool, String); 2] {
        let sums = Command::new("sha256sum")
            .arg("--strict")
            .arg("-c")
            .arg("SHA256SUMS")
            .current_dir(&self.0)
            .output()
            .unwrap();
        let script = Command::new("python3").arg("-B").arg(self.0.join("verify.py")).output().unwrap();
        [sums, script].map(|o| {
            let words = String::from_utf8_lossy(&o.stdout).into_owned() + &String::from_utf8_lossy(&o.stderr);
            (o.status.success(), words)
        })
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut out = Vec::new();
        let mut open = vec![self.0.clone()];
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { open.push(path) } else { out.push(path) }
            }
        }
        out.sort();
        out
    }
}

impl Drop for Unpacked {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The manifest made anew, as somebody would who changed a file and hides it.
fn reseal(pack: &Unpacked) {
    let listed = Command::new("sh")
        .arg("-c")
        .arg(
            "find . -type f ! -name SHA256SUMS | sed 's|^[.]/||' | sort | xargs sha256sum > SUMS && mv SUMS SHA256SUMS",
        )
        .current_dir(&pack.0)
        .status()
        .unwrap();
    assert!(listed.success());
}

/// Retires an agent of the demonstration as far as a file of evidence: one that has a drill with a
/// file, if there is one, is asked for instead.
async fn with_evidence(site: &Site) -> String {
    let row = site
        .app
        .db
        .one(
            "SELECT agent_id FROM stop_call WHERE evidence_sha256 IS NOT NULL \
             UNION SELECT agent_id FROM retirement_row WHERE evidence_sha256 IS NOT NULL ORDER BY 1 LIMIT 1",
            register::args![],
        )
        .await
        .unwrap()
        .expect("the demonstration has a file of evidence");
    format!("AG-{}", row.get::<i64>(0).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pack_is_checked_without_us_and_one_changed_byte_is_found() {
    let site = Site::demo().await;
    let agent = with_evidence(&site).await;
    let auditor = site.signed_in(Role::Auditor).await;
    let answer = auditor.get(&format!("/agents/{agent}/evidence-pack")).await.is(200);
    assert_eq!(answer.header("content-type"), "application/zip");
    let manifest = answer.header("muster-manifest-sha256").to_owned();
    let pack = Unpacked::of(&answer.bytes);
    for (well, words) in pack.checked() {
        assert!(well, "{words}");
    }
    let files = pack.files();
    let has = |name: &str| files.iter().any(|f| f.ends_with(name));
    for name in ["README.txt", "dossier.pdf", "tables/assignments.csv", "rows/agent.jsonl", "record/extract.jsonl"] {
        assert!(has(name), "{name}: {files:#?}");
    }
    assert!(has("record/chain.jsonl"), "an auditor reads the record");
    assert!(files.iter().any(|f| f.parent().unwrap().ends_with("evidence")), "{files:#?}");
    let said = pack.checked()[1].1.clone();
    let (proved, rows) = said.rsplit_once(", ").unwrap().1.split_once(" of ").unwrap();
    assert_eq!(proved, rows.split(' ').next().unwrap(), "every row is proved by its event: {said}");

    // The record knows the manifest, so that this pack is told from another.
    let kept: String = site
        .app
        .db
        .one(
            "SELECT after FROM audit_event WHERE action = 'evidence-pack.made' AND subject = $1",
            register::args![&agent],
        )
        .await
        .unwrap()
        .unwrap()
        .get(0)
        .unwrap();
    assert!(kept.contains(&manifest), "{kept}");

    // One byte of any file.
    for file in &files {
        let good = std::fs::read(file).unwrap();
        let mut bad = good.clone();
        let at = bad.len() / 2;
        bad[at] ^= 1;
        std::fs::write(file, &bad).unwrap();
        let checked = pack.checked();
        assert!(!checked[0].0, "{}: {}", file.display(), checked[0].1);
        // A script that was changed may say anything; that is what the first check is for.
        assert!(!checked[1].0 || file.ends_with("verify.py"), "{}: {}", file.display(), checked[1].1);
        std::fs::write(file, &good).unwrap();
    }
    // A file more, and one less.
    std::fs::write(pack.0.join("more.txt"), "x").unwrap();
    assert!(pack.checked()[1].1.contains("more.txt is not in SHA256SUMS"));
    std::fs::remove_file(pack.0.join("more.txt")).unwrap();
    let gone = pack.0.join("tables/people.csv");
    let kept = std::fs::read(&gone).unwrap();
    std::fs::remove_file(&gone).unwrap();
    assert!(pack.checked().iter().all(|(well, _)| !well));
    std::fs::write(&gone, kept).unwrap();

    // And where the manifest is made anew, the record and the rows still tell.
    for (name, from, to, says) in [
        ("record/chain.jsonl", "\"capacity\":\"", "\"capacity\":\"x", "was edited"),
        ("rows/agent.jsonl", "\"name\":\"", "\"name\":\"x", "was edited"),
    ] {
        let file = pack.0.join(name);
        let good = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, good.replacen(from, to, 1)).unwrap();
        reseal(&pack);
        let [sums, script] = pack.checked();
        assert!(sums.0 && !script.0 && script.1.contains(says), "{name}: {}", script.1);
        std::fs::write(&file, good).unwrap();
    }
    let file = pack.0.join("record/chain.jsonl");
    let good = std::fs::read_to_string(&file).unwrap();
    let cut: String = good.lines().enumerate().filter(|(n, _)| *n != 1).map(|(_, l)| format!("{l}\n")).collect();
    std::fs::write(&file, cut).unwrap();
    reseal(&pack);
    assert!(pack.checked()[1].1.contains("does not follow"), "{}", pack.checked()[1].1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn owners_take_their_own_pack_without_the_record_and_programs_theirs() {
    let site = Site::demo().await;
    let row = site
        .app
        .db
        .one(
            "SELECT s.agent_id, s.party_id FROM assignment s JOIN person p ON p.id = s.party_id WHERE s.role = 'A' \
             AND s.party_kind = 'person' AND s.valid_to IS NULL AND s.accepted_at IS NOT NULL AND s.agent_id IS NOT NULL \
             AND p.status = 'active' AND p.roles = 'member' ORDER BY s.id LIMIT 1",
            register::args![],
        )
        .await
        .unwrap()
        .unwrap();
    let (agent, person) = (row.get::<i64>(0).unwrap(), PersonId(row.get::<i64>(1).unwrap()));
    let owner = site.signed_in_as(person).await;
    let pack = Unpacked::of(&owner.get(&format!("/agents/AG-{agent}/evidence-pack")).await.is(200).bytes);
    assert!(!pack.0.join("record/chain.jsonl").exists(), "the record is for those who may read it");
    for (well, words) in pack.checked() {
        assert!(well, "{words}");
    }
    let member = site.person("stranger@muster.test", &[Role::Member]).await;
    let stranger = site.signed_in_as(member).await;
    stranger.get(&format!("/agents/AG-{agent}/evidence-pack")).await.is(403);
    stranger.get(&format!("/agents/AG-{agent}/dossier")).await.is(403);
    let before = site.events("evidence-pack.made").await;
    let program = site.program(&[Scope::Read]).await;
    let answer = program.send(Method::GET, &format!("/api/v1/agents/AG-{agent}/evidence-pack"), None, vec![]).await;
    assert!(answer.is(200).bytes.starts_with(b"PK"));
    assert_eq!(site.events("evidence-pack.made").await, before + 1);
    program.get("/api/v1/agents/AG-99999/evidence-pack").await.is_problem(404, "not-found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dossier_is_a_page_and_a_pdf() {
    let site = Site::demo().await;
    let agent = with_evidence(&site).await;
    let auditor = site.signed_in(Role::Auditor).await;
    auditor.get(&format!("/agents/{agent}/dossier")).await.is(200).says("Who was accountable, and when").says(&agent);
    let answer = auditor.get(&format!("/agents/{agent}/dossier.pdf")).await.is(200);
    assert_eq!(answer.header("content-type"), "application/pdf");
    assert!(answer.bytes.starts_with(b"%PDF-") && answer.bytes.len() > 5_000);
}
