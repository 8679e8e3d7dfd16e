//! The tables of a pack: what a person reads in a spreadsheet.

use domain::import::neutral::write_row;
use domain::party::Party;
use domain::record::timestamp;

use super::{Dossier, Part};

/// A table as CSV, with its head.
fn csv(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut out = String::from("\u{feff}");
    write_row(&mut out, head.iter().copied());
    for row in rows {
        write_row(&mut out, row.iter().map(String::as_str));
    }
    out
}

/// The tables of a dossier.
pub(super) fn parts(d: &Dossier) -> Vec<Part> {
    let person = |id| d.who(&Party::Person(id).to_string());
    let when = |at: Option<chrono::DateTime<chrono::Utc>>| at.map(timestamp).unwrap_or_default();
    let assignments = d.assignments.iter().map(|a| {
        vec![
            a.duty.key().to_owned(),
            a.role.key().to_owned(),
            a.party.to_string(),
            d.name(a.party),
            a.platform.map(|p| p.to_string()).unwrap_or_default(),
            timestamp(a.offered_at),
            d.who(&a.offered_by),
            d.who(&a.accepted_by),
            if a.recorded { "yes" } else { "no" }.to_owned(),
            when(a.from),
            when(a.until),
            a.ended.clone(),
            a.reason.clone(),
        ]
    });
    let decisions = d.decisions.iter().map(|s| {
        vec![
            s.request.to_string(),
            s.kind.key().to_owned(),
            timestamp(s.opened_at),
            person(s.requester),
            s.outcome.clone(),
            s.duty.key().to_owned(),
            s.verdict.clone(),
            when(s.at),
            s.by.map(person).unwrap_or_default(),
            s.on_behalf_of.map(person).unwrap_or_default(),
            s.reason.clone(),
            s.sha256.clone(),
        ]
    });
    let exceptions = d.exceptions.iter().map(|k| {
        let e = &k.exception;
        vec![
            e.id.to_string(),
            e.title.clone(),
            e.control.label().to_owned(),
            e.state(d.as_of).key().to_owned(),
            e.duty.key().to_owned(),
            person(e.requester),
            timestamp(e.starts_at),
            timestamp(e.expires_at),
            timestamp(e.ends_at()),
            e.justification.clone(),
            e.controls.iter().map(|c| c.text.clone()).collect::<Vec<_>>().join("; "),
            k.request.to_string(),
        ]
    });
    let drills = d.drills.iter().map(|r| {
        vec![
            timestamp(r.at),
            r.surface.key().to_owned(),
            d.who(&r.party.to_string()),
            r.version.to_string(),
            if r.passed { "passed" } else { "failed" }.to_owned(),
            r.seconds.to_string(),
            r.witness.map(person).unwrap_or_default(),
            r.evidence.clone().unwrap_or_default(),
            r.note.clone(),
        ]
    });
    let findings = d.judged.assessment.findings.iter().filter(|f| f.holds_at(d.as_of)).map(|f| {
        vec![
            f.key.key().to_owned(),
            f.severity.key().to_owned(),
            f.duty.map(|d| d.key().to_owned()).unwrap_or_default(),
            timestamp(f.from),
            f.sentence(),
            f.excepted.map(|e| e.to_string()).unwrap_or_default(),
        ]
    });
    let evidence = d
        .evidence
        .iter()
        .map(|f| vec![f.path(), f.sha256.clone(), f.name.clone(), f.size.to_string(), timestamp(f.stored_at)]);
    let people = d.names.iter().map(|(party, name)| vec![party.to_string(), name.clone()]);
    let table = |name: &str, text: String| Part::text(format!("tables/{name}.csv"), text);
    vec![
        table(
            "assignments",
            csv(
                &[
                    "duty",
                    "role",
                    "party",
                    "name",
                    "platform",
                    "offered_at",
                    "offered_by",
                    "accepted_by",
                    "recorded",
                    "from",
                    "until",
                    "ended",
                    "reason",
                ],
                assignments,
            ),
        ),
        table(
            "decisions",
            csv(
                &[
                    "request",
                    "kind",
                    "opened_at",
                    "requester",
                    "outcome",
                    "duty",
                    "verdict",
                    "at",
                    "by",
                    "on_behalf_of",
                    "reason",
                    "subject_sha256",
                ],
                decisions,
            ),
        ),
        table(
            "exceptions",
            csv(
                &[
                    "exception",
                    "title",
                    "control",
                    "state",
                    "duty",
                    "requester",
                    "starts_at",
                    "expires_at",
                    "ends_at",
                    "justification",
                    "compensating_controls",
                    "request",
                ],
                exceptions,
            ),
        ),
        table(
            "drills",
            csv(
                &[
                    "at",
                    "surface",
                    "party",
                    "method_version",
                    "result",
                    "seconds",
                    "witness",
                    "evidence_sha256",
                    "note",
                ],
                drills,
            ),
        ),
        table("findings", csv(&["finding", "severity", "duty", "since", "sentence", "exception"], findings)),
        table("evidence", csv(&["file", "sha256", "name", "bytes", "stored_at"], evidence)),
        table("people", csv(&["reference", "name"], people)),
    ]
}
