//! The dossier of an agent: who answers for it, who could stop it, what was decided, and since when.

use app::components::{Tone, exact, stop_state_words};
use app::reports::document::{Block, Cell, Chapter, Document, columns};
use chrono::{DateTime, Utc};
use domain::assignment::RaciRole;
use domain::duty::Duty;
use domain::finding::Severity;
use domain::party::Party;
use register::packs::Dossier;

fn day(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d").to_string()
}

fn listed(items: impl IntoIterator<Item = String>, none: &str) -> String {
    let all: Vec<String> = items.into_iter().collect();
    if all.is_empty() { none.to_owned() } else { all.join(", ") }
}

fn table<const N: usize>(title: &str, heads: [&str; N], rows: Vec<Vec<Cell>>, empty: &str) -> Block {
    Block::Table { title: title.to_owned(), columns: columns(heads), rows, empty: empty.to_owned() }
}

/// A party with its reference, and the page of it.
fn party(d: &Dossier, party: Party) -> Cell {
    Cell::from(format!("{} {party}", d.name(party))).to(party.path())
}

/// The report.
pub fn document(d: &Dossier) -> Document {
    let agent = &d.judged.agent;
    let facts = &agent.facts;
    Document {
        title: format!("{} – {}", agent.id, facts.name),
        lead: sentence(d),
        notes: vec![
            format!("As of {}. The record stood at event {}, hash {}.", exact(d.as_of), d.head.seq, d.head.hash),
            format!("Boundary SHA-256 {}", agent.boundary_sha256),
        ],
        chapters: vec![
            identity(d),
            findings(d),
            duties(d),
            stopping(d),
            decisions(d),
            exceptions(d),
            assignments(d),
            evidence(d),
        ],
    }
}

/// Who answers for it, and who can stop it.
fn sentence(d: &Dossier) -> String {
    let held = |duty| d.judged.held.iter().find(|h| h.duty == duty && h.role == RaciRole::Accountable);
    let business = held(Duty::Purpose)
        .map_or_else(|| "Nobody answers for it".to_owned(), |h| format!("{} answers for it", d.name(h.party)));
    let state = d.judged.agent.runtime_owner;
    let stop = match (held(Duty::Containment), state) {
        _ if state.is_some_and(domain::assignment::RuntimeOwner::nobody_can_stop) => "nobody can stop it".to_owned(),
        (Some(h), Some(s)) => {
            format!("{} is its runtime owner ({})", d.name(h.party), stop_state_words(s.key()).0.to_lowercase())
        }
        (None, Some(_)) => "nobody can stop it".to_owned(),
        (_, None) => "it is retired".to_owned(),
    };
    format!("{business}; {stop}.")
}

fn identity(d: &Dossier) -> Chapter {
    let agent = &d.judged.agent;
    let f = &agent.facts;
    let team = |t: Option<domain::id::TeamId>| t.map_or_else(|| "not said".into(), |t| party(d, Party::Team(t)));
    let said = |text: &str| Cell::from(if text.is_empty() { "not said" } else { text });
    let facts: Vec<(String, Cell)> = [
        ("Purpose", said(&f.purpose)),
        ("State", Cell::from(format!("{}, since {}", agent.state.label(), day(agent.state_at)))),
        ("Runs", f.running.label().into()),
        ("Risk tier", format!("{} ({} points)", agent.tier.label(), agent.tier_points).into()),
        ("Business unit", said(&f.business_unit)),
        ("Environment", f.environment.label().into()),
        (
            "Hosting",
            if f.vendor.is_empty() {
                f.hosting.label().into()
            } else {
                format!("{}: {}", f.hosting.label(), f.vendor).into()
            },
        ),
        ("Built by", team(f.built_by)),
        ("Operated by", team(f.operated_by)),
        (
            "Runs on",
            d.platform.as_ref().map_or_else(
                || "no shared platform".into(),
                |(id, name)| Cell::from(format!("{name} {id}")).to(format!("/systems/{id}")),
            ),
        ),
        ("Autonomy", f.autonomy.label().into()),
        ("Exposure", f.exposure.label().into()),
        ("Data", f.data.label().into()),
        ("Regulated", if f.regulated { "yes" } else { "no" }.into()),
        ("Workload identity", said(&f.workload_identity)),
        ("Models", listed(f.models.iter().cloned(), "none named").into()),
        (
            "Tools",
            listed(f.tools.iter().map(|t| format!("{} ({})", t.name, t.access.label().to_lowercase())), "none").into(),
        ),
        (
            "Credentials",
            listed(f.credentials.iter().map(|c| format!("{} ({})", c.name, c.kind.label().to_lowercase())), "none")
                .into(),
        ),
        ("Last reviewed", agent.reviewed_at.map_or_else(|| "never".to_owned(), day).into()),
        (
            "Approved",
            agent.approved.as_ref().map_or_else(
                || Cell::from("never").toned(Tone::Bad),
                |a| {
                    let holds = if agent.boundary_holds() {
                        "the present boundary"
                    } else {
                        "another boundary than the present one"
                    };
                    let cell = Cell::from(format!("{}, {holds}", day(a.at)));
                    a.request.map_or(cell.clone(), |r| cell.to(format!("/requests/{r}")))
                },
            ),
        ),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    Chapter::new("identity", "What it is").with(Block::Facts(facts))
}

fn findings(d: &Dossier) -> Chapter {
    let rows = (d.judged.assessment.findings.iter())
        .filter(|f| f.holds_at(d.as_of))
        .map(|f| {
            let tone = match f.severity {
                Severity::Critical => Tone::Severe,
                Severity::High => Tone::Bad,
                Severity::Medium => Tone::Warn,
                _ => Tone::Plain,
            };
            let covered =
                f.excepted.map_or_else(Cell::default, |e| Cell::from(e.to_string()).to(format!("/exceptions/{e}")));
            vec![Cell::from(f.severity.label()).toned(tone), f.sentence().into(), day(f.from).into(), covered]
        })
        .collect();
    Chapter::new("findings", "What is wrong now").with(table(
        "Findings",
        ["Severity", "Finding", "Since", "Exception"],
        rows,
        "Nothing is wrong.",
    ))
}

fn duties(d: &Dossier) -> Chapter {
    let rows = Duty::all_required(&d.judged.agent.facts)
        .map(|duty| {
            let held = d.judged.held.iter().find(|h| h.duty == duty && h.role == RaciRole::Accountable);
            let offered = d.judged.offers.iter().find(|o| o.duty == duty && o.open_at(d.as_of));
            match (held, offered) {
                (Some(h), _) => {
                    let from = h.inherited.map_or_else(String::new, |s| format!("inherited from {s}"));
                    vec![duty.owner_title().into(), party(d, h.party), day(h.since).into(), from.into()]
                }
                (None, Some(o)) => vec![
                    duty.owner_title().into(),
                    Cell::from("nobody").toned(Tone::Bad),
                    Cell::default(),
                    format!("offered to {}", d.name(o.party)).into(),
                ],
                (None, None) => {
                    vec![
                        duty.owner_title().into(),
                        Cell::from("nobody").toned(Tone::Bad),
                        Cell::default(),
                        Cell::default(),
                    ]
                }
            }
        })
        .collect();
    Chapter::new("duties", "Who answers for what now").with(table(
        "Required duties",
        ["Owner", "Accountable", "Since", ""],
        rows,
        "It needs no duty.",
    ))
}

fn stopping(d: &Dossier) -> Chapter {
    let methods = d
        .methods
        .iter()
        .map(|m| {
            vec![
                m.surface.label().into(),
                m.kind.label().into(),
                format!("version {}, since {}", m.version, day(m.since)).into(),
                m.procedure.as_str().into(),
            ]
        })
        .collect();
    let drills = d
        .drills
        .iter()
        .map(|r| {
            let result =
                if r.passed { Cell::from("passed").toned(Tone::Good) } else { Cell::from("failed").toned(Tone::Bad) };
            vec![
                exact(r.at).into(),
                r.surface.label().into(),
                party(d, r.party),
                result,
                format!("{} s", r.seconds).into(),
                r.witness.map_or_else(Cell::default, |w| party(d, Party::Person(w))),
            ]
        })
        .collect();
    let stops = d
        .stops
        .iter()
        .map(|s| {
            let reviewed = s
                .reviewed_at
                .map_or_else(|| "not yet".to_owned(), |at| format!("{} by {}", day(at), d.who(&s.reviewed_by)));
            vec![exact(s.at).into(), d.who(&s.by).into(), s.reason.as_str().into(), reviewed.into()]
        })
        .collect();
    Chapter::new("stopping", "How it is stopped")
        .with(table("Methods", ["What", "How", "Version", "Procedure"], methods, "No way to stop it is recorded."))
        .with(table("Drills", ["Drill", "What", "By", "Result", "Took", "Witness"], drills, "No drill was held."))
        .with(table("Stops", ["Stopped", "By", "Why", "Reviewed"], stops, "It was never stopped."))
}

fn decisions(d: &Dossier) -> Chapter {
    let rows = d
        .decisions
        .iter()
        .map(|s| {
            let by = s.by.map_or_else(Cell::default, |p| party(d, Party::Person(p)));
            let verdict = match s.verdict.as_str() {
                "" if s.outcome.is_empty() => "open".to_owned(),
                "" => format!("not decided ({})", s.outcome),
                verdict => verdict.replace(['_', '-'], " "),
            };
            vec![
                Cell::from(s.request.to_string()).to(s.kind.path(s.request)),
                s.kind.label().into(),
                s.duty.owner_title().into(),
                verdict.into(),
                by,
                s.at.map_or_else(String::new, day).into(),
                s.reason.as_str().into(),
            ]
        })
        .collect();
    Chapter::new("decisions", "What was decided").with(table(
        "Decisions",
        ["Request", "What", "As", "Decision", "By", "On", "Why"],
        rows,
        "Nothing was ever asked.",
    ))
}

fn exceptions(d: &Dossier) -> Chapter {
    let rows = d
        .exceptions
        .iter()
        .map(|k| {
            let e = &k.exception;
            vec![
                Cell::from(e.id.to_string()).to(format!("/exceptions/{}", e.id)),
                e.title.as_str().into(),
                e.control.label().into(),
                e.state(d.as_of).label().into(),
                day(e.starts_at).into(),
                day(e.ends_at()).into(),
            ]
        })
        .collect();
    Chapter::new("exceptions", "Exceptions").with(table(
        "Exceptions",
        ["Exception", "Title", "Of", "State", "From", "Until"],
        rows,
        "It never had an exception.",
    ))
}

fn assignments(d: &Dossier) -> Chapter {
    let rows = d
        .assignments
        .iter()
        .filter(|a| a.role == RaciRole::Accountable)
        .map(|a| {
            let from = a.from.map_or_else(|| format!("offered {}", day(a.offered_at)), day);
            let until = match (a.until, a.ended.as_str()) {
                (Some(at), how) => format!("{} ({how})", day(at)),
                (None, _) if a.from.is_none() => "open".to_owned(),
                (None, _) => "now".to_owned(),
            };
            let how = match (a.recorded, a.platform) {
                (_, Some(platform)) => format!("of {platform}"),
                (true, _) => "recorded".to_owned(),
                _ => String::new(),
            };
            vec![
                a.duty.owner_title().into(),
                party(d, a.party),
                from.into(),
                until.into(),
                how.into(),
                a.reason.as_str().into(),
            ]
        })
        .collect();
    Chapter::new("assignments", "Who was accountable, and when").with(table(
        "Assignments over time",
        ["Owner", "Accountable", "From", "Until", "", "Why"],
        rows,
        "Nobody ever was.",
    ))
}

fn evidence(d: &Dossier) -> Chapter {
    let rows = d
        .evidence
        .iter()
        .map(|f| {
            let href = format!("/agents/{}/evidence/{}", d.judged.agent.id, f.sha256);
            vec![Cell::from(f.name.as_str()).to(href), exact(f.stored_at).into(), f.sha256.as_str().into()]
        })
        .collect();
    Chapter::new("evidence", "Files of evidence").with(table(
        "Evidence",
        ["File", "Stored", "SHA-256"],
        rows,
        "No file was brought.",
    ))
}
