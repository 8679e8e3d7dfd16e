//! The posture report: who can stop what, what changed since a day, and where.

use std::collections::BTreeMap;

use app::components::{Address, Tone, exact, stop_state_words, thousands};
use app::reports::document::{Block, Cell, Chapter, Column, Document, Part, figures};
use chrono::NaiveDate;
use domain::assignment::RuntimeOwner;
use domain::duty::Duty;
use domain::finding::FindingKey;
use domain::import::neutral::write_row;
use register::reports::{AGES, LEFT, MADE_UP, Report, Unit};

/// Business units that have a column of their own in the matrix of duties.
const COLUMNS: usize = 6;

/// A number that is followed from day to day.
struct Figure {
    label: String,
    facets: Vec<String>,
    /// Taken off.
    less: Vec<String>,
    href: String,
    /// More of it is better.
    good: bool,
}

impl Figure {
    fn new(label: impl Into<String>, facets: Vec<String>, href: impl Into<String>) -> Self {
        Self { label: label.into(), facets, less: Vec::new(), href: href.into(), good: false }
    }

    fn of(&self, n: &BTreeMap<String, i64>) -> i64 {
        let sum = |facets: &[String]| facets.iter().map(|f| n.get(f).copied().unwrap_or(0)).sum::<i64>();
        sum(&self.facets) - sum(&self.less)
    }

    /// What it was, if that was recorded.
    fn then(&self, n: &BTreeMap<String, i64>) -> Option<i64> {
        self.facets.iter().any(|f| n.contains_key(f)).then(|| self.of(n))
    }
}

fn number(n: i64) -> String {
    let digits = thousands(n.unsigned_abs());
    if n < 0 { format!("−{digits}") } else { digits }
}

fn count(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

fn stopped(state: RuntimeOwner) -> String {
    format!("stop:running:{state}")
}

/// Agents that run and that nobody can stop, of one business unit or of all.
fn nobody(unit: Option<&str>) -> String {
    let here = Address::new("/agents").with("runs", "yes");
    let here = unit.map_or(here.clone(), |unit| here.with("business_unit", unit));
    RuntimeOwner::NOBODY.iter().fold(here, |here, state| here.and("runtime_owner", state.key())).href()
}

fn loudest() -> Figure {
    Figure::new("Run, and nobody can stop them", RuntimeOwner::NOBODY.map(stopped).to_vec(), nobody(None))
}

/// Every number of the report that has a past.
fn followed() -> Vec<Figure> {
    let mut out = vec![loudest()];
    out.extend(RuntimeOwner::ALL.iter().map(|s| Figure {
        good: *s == RuntimeOwner::Verified,
        ..Figure::new(
            format!("Run; stopping them: {}", stop_state_words(s.key()).0.to_lowercase()),
            vec![stopped(*s)],
            format!("/agents?runs=yes&runtime_owner={s}"),
        )
    }));
    out.extend(Duty::ALL.iter().map(|d| Figure {
        less: vec![format!("held:{d}")],
        ..Figure::new(
            format!("{} missing", d.owner_title()),
            vec![format!("required:{d}")],
            format!("/agents?vacant={d}"),
        )
    }));
    out.extend(
        FindingKey::ALL
            .iter()
            .map(|k| Figure::new(k.label(), vec![format!("finding:{k}")], format!("/agents?finding={k}"))),
    );
    out.extend(ages());
    out.extend(left());
    out
}

fn ages() -> [Figure; 4] {
    let words = ["15 days or more", "8 to 14 days", "3 to 7 days", "under 3 days"];
    std::array::from_fn(|at| {
        Figure::new(format!("Requests open {}", words[at]), vec![AGES[at].0.to_owned()], "/approvals?view=open")
    })
}

fn left() -> [Figure; 4] {
    let words = [
        "Exceptions ended, still breached",
        "Exceptions with 7 days or less",
        "Exceptions with 30 days or less",
        "Exceptions with more than 30 days",
    ];
    let hrefs = [
        "/exceptions?state=breached",
        "/exceptions?within=7",
        "/exceptions?within=30&beyond=7",
        "/exceptions?beyond=30",
    ];
    std::array::from_fn(|at| Figure::new(words[at], vec![LEFT[at].to_owned()], hrefs[at]))
}

/// How a number changed: in words, and whether that is good.
fn change(now: i64, then: Option<i64>, good: bool) -> Cell {
    let Some(then) = then else { return "not recorded".into() };
    match now - then {
        0 => "same".into(),
        by => {
            let (tone, word) = if (by > 0) == good { (Tone::Good, "better") } else { (Tone::Bad, "worse") };
            let sign = if by > 0 { "+" } else { "" };
            Cell::from(format!("{sign}{} {word}", number(by))).toned(tone)
        }
    }
}

/// The report. `since` is the day with which it is compared.
pub fn document(report: &Report, since: NaiveDate, organisation: &str) -> Document {
    let then = report.at(since);
    let before = then.map(|(_, n)| n);
    let loudest = loudest();
    let now = loudest.of(&report.now);
    let all: i64 = RuntimeOwner::ALL.iter().map(|s| report.now.get(&stopped(*s)).copied().unwrap_or(0)).sum();
    let worst = report.units.first().filter(|u| u.unstoppable > 0);
    let mut lead = match now {
        0 => format!("Somebody is there to stop each of the {} agents that run.", number(all)),
        1 => format!("1 of the {} agents that run can be stopped by nobody.", number(all)),
        n => format!("{} of the {} agents that run can be stopped by nobody.", number(n), number(all)),
    };
    if let (Some((day, _)), Some(was)) = (then, before.and_then(|b| loudest.then(b))) {
        lead.push_str(&format!(" On {day} it was {}.", number(was)));
    }
    if let Some(unit) = worst {
        lead.push_str(&format!(" The worst business unit is {}, with {}.", name(unit), number(unit.unstoppable)));
    }
    let mut notes = vec![format!("As of {}.", exact(report.as_of))];
    if !organisation.is_empty() {
        notes.insert(0, organisation.to_owned());
    }
    match then {
        Some((day, _)) if *day == since => notes.push(format!("Compared with the end of {day} (UTC).")),
        Some((day, _)) => {
            notes.push(format!("Compared with the end of {day} (UTC), the last day recorded until {since}."));
        }
        None => notes.push(format!("No day until {since} was recorded, so nothing is compared.")),
    }
    if report.days.iter().any(|(_, n)| n.contains_key(MADE_UP)) {
        notes.push(
            "The past of this demonstration is made up: its days up to the one it was loaded on were not lived.".into(),
        );
    }
    Document {
        title: "Posture".to_owned(),
        lead,
        notes,
        chapters: vec![
            stopping(report),
            changed(report, before),
            units(report, before),
            duties(report),
            approvals(report),
            exceptions(report),
            overdue(report),
        ],
    }
}

fn name(unit: &Unit) -> String {
    if unit.name.is_empty() { "no business unit".to_owned() } else { unit.name.clone() }
}

fn part(figure: &Figure, report: &Report, tone: Tone) -> Part {
    Part { label: figure.label.clone(), count: count(figure.of(&report.now)), href: figure.href.clone(), tone }
}

/// How some numbers went, together, and now.
fn trend(title: &str, report: &Report, facets: &[String]) -> Option<Block> {
    let mut days = report.trend(facets);
    let now: i64 = facets.iter().map(|f| report.now.get(f).copied().unwrap_or(0)).sum();
    days.push((report.as_of.date_naive(), now));
    let ((first_day, first), (last_day, last)) = (*days.first()?, *days.last()?);
    if days.len() < 2 {
        return None;
    }
    let span = (last_day - first_day).num_days();
    let words = if first == last {
        format!("{} now as {span} days ago", number(last))
    } else {
        format!("from {} to {} in {span} days", number(first), number(last))
    };
    let tone = if last > first { Tone::Bad } else { Tone::Good };
    Some(Block::Trend { title: title.to_owned(), words, days, tone })
}

fn followed_by(mut chapter: Chapter, block: Option<Block>) -> Chapter {
    chapter.blocks.extend(block);
    chapter
}

fn stopping(report: &Report) -> Chapter {
    let parts = RuntimeOwner::ALL
        .iter()
        .map(|s| {
            let (label, tone) = stop_state_words(s.key());
            let n = report.now.get(&stopped(*s)).copied().unwrap_or(0);
            Part { label: label.into(), count: count(n), href: format!("/agents?runs=yes&runtime_owner={s}"), tone }
        })
        .collect();
    let chapter = Chapter::new("stopping", "Who can stop what runs")
        .with(Block::Bar { title: "Agents that run, by who can stop them".into(), parts });
    followed_by(chapter, trend("Run, and nobody can stop them", report, &loudest().facets))
}

fn changed(report: &Report, before: Option<&BTreeMap<String, i64>>) -> Chapter {
    let chapter = Chapter::new("changed", "What changed");
    let Some(before) = before else {
        return chapter
            .with(Block::Words("No day is there to compare with. One is kept at each midnight (UTC).".into()));
    };
    let mut rows = Vec::new();
    for figure in followed() {
        let (now, then) = (figure.of(&report.now), figure.then(before));
        let Some(was) = then.filter(|was| *was != now) else { continue };
        let worse = (now > was) != figure.good;
        let by = (now - was).abs();
        let row = vec![
            figure.label.as_str().into(),
            Cell::from(number(now)).to(figure.href.clone()),
            number(was).into(),
            change(now, then, figure.good),
        ];
        rows.push((!worse, -by, row));
    }
    rows.sort_by_key(|(better, by, _)| (*better, *by));
    chapter.with(Block::Table {
        title: "What changed, the worse first".into(),
        columns: figures(["What", "Now", "Then", "Change"]),
        rows: rows.into_iter().map(|(.., row)| row).collect(),
        empty: "Nothing changed.".into(),
    })
}

fn units(report: &Report, before: Option<&BTreeMap<String, i64>>) -> Chapter {
    let rows = report
        .units
        .iter()
        .map(|u| {
            let here = Address::new("/agents").with("business_unit", &u.name);
            let linked = |text: String, href: String| {
                if u.name.is_empty() { Cell::from(text) } else { Cell::from(text).to(href) }
            };
            let then = before
                .filter(|b| b.contains_key(&format!("unit-running:{}", u.folded)))
                .map(|b| b.get(&format!("unit-open:{}", u.folded)).copied().unwrap_or(0));
            let gaps: i64 = u.duties.values().map(|(_, vacant)| vacant).sum();
            vec![
                linked(name(u), here.href()),
                linked(number(u.running), here.with("runs", "yes").href()),
                linked(number(u.unstoppable), nobody(Some(&u.name))),
                change(u.unstoppable, then, false),
                number(gaps).into(),
            ]
        })
        .collect();
    Chapter::new("units", "Business units, the worst first").with(Block::Table {
        title: "Business units".into(),
        columns: figures(["Business unit", "Run", "Nobody can stop", "Change", "Duties without an owner"]),
        rows,
        empty: "No agent has a business unit.".into(),
    })
}

fn duties(report: &Report) -> Chapter {
    let shown: Vec<&Unit> = report.units.iter().take(COLUMNS).collect();
    let mut columns = figures(["Owner", "All"]);
    columns.extend(shown.iter().map(|u| Column { title: name(u), number: true }));
    let rows = Duty::ALL
        .iter()
        .filter_map(|d| {
            let required = report.now.get(&format!("required:{d}")).copied().unwrap_or(0);
            let held = report.now.get(&format!("held:{d}")).copied().unwrap_or(0);
            if required == 0 {
                return None;
            }
            let cell = |needed: i64, vacant: i64, href: String| match (needed, vacant) {
                (0, _) => Cell::from("–"),
                (n, 0) => Cell::from(format!("{} of {}", number(n), number(n))),
                (n, v) => Cell::from(format!("{} of {}", number(n - v), number(n))).to(href).toned(Tone::Warn),
            };
            let mut row =
                vec![d.owner_title().into(), cell(required, (required - held).max(0), format!("/agents?vacant={d}"))];
            row.extend(shown.iter().map(|u| {
                let (needed, vacant) = u.duties.get(d).copied().unwrap_or_default();
                let href = Address::new("/agents").with("vacant", d.key()).with("business_unit", &u.name).href();
                cell(needed, vacant, if u.name.is_empty() { String::new() } else { href })
            }));
            Some(row)
        })
        .collect();
    let chapter = Chapter::new("duties", "Owners by duty and business unit").with(Block::Table {
        title: "How many agents have an owner for the duties they need".into(),
        columns,
        rows,
        empty: "No agent needs a duty.".into(),
    });
    if report.units.len() > COLUMNS {
        let words = format!("The {COLUMNS} worst of {} business units; the CSV has all of them.", report.units.len());
        return chapter.with(Block::Words(words));
    }
    chapter
}

fn approvals(report: &Report) -> Chapter {
    let tones = [Tone::Severe, Tone::Bad, Tone::Warn, Tone::Good];
    let parts = ages().iter().zip(tones).map(|(f, tone)| part(f, report, tone)).collect();
    let chapter = Chapter::new("approvals", "Open approvals by age")
        .with(Block::Bar { title: "Requests for approval, change of scope and resumption".into(), parts });
    let old: Vec<String> = AGES[..2].iter().map(|(f, _)| (*f).to_owned()).collect();
    followed_by(chapter, trend("Open 8 days or more", report, &old))
}

fn exceptions(report: &Report) -> Chapter {
    let tones = [Tone::Severe, Tone::Bad, Tone::Warn, Tone::Good];
    let parts = left().iter().zip(tones).map(|(f, tone)| part(f, report, tone)).collect();
    let chapter =
        Chapter::new("exceptions", "Exceptions by days left").with(Block::Bar { title: "Exceptions".into(), parts });
    let near: Vec<String> = LEFT[..2].iter().map(|f| (*f).to_owned()).collect();
    followed_by(chapter, trend("Breached, or over within 7 days", report, &near))
}

fn overdue(report: &Report) -> Chapter {
    let mut chapter = Chapter::new("overdue", "Reviews and drills overdue");
    let keys = [FindingKey::ReviewOverdue, FindingKey::RuntimeOwnerUntested, FindingKey::StopReviewOverdue];
    let rows = keys
        .iter()
        .map(|k| {
            let n = report.now.get(&format!("finding:{k}")).copied().unwrap_or(0);
            vec![k.label().into(), Cell::from(number(n)).to(format!("/agents?finding={k}"))]
        })
        .collect();
    chapter.blocks.push(Block::Table {
        title: "Overdue".into(),
        columns: figures(["Overdue", "Agents"]),
        rows,
        empty: String::new(),
    });
    chapter.blocks.extend(keys.iter().filter_map(|k| trend(k.label(), report, &[format!("finding:{k}")])));
    chapter
}

/// Everything that the report shows, as one table: a number a row, for a business unit where it is
/// of one.
pub fn csv(report: &Report, since: NaiveDate) -> String {
    let then = report.at(since);
    let mut out = String::from("\u{feff}");
    let day = then.map_or_else(|| "then".to_owned(), |(day, _)| day.to_string());
    write_row(&mut out, ["business_unit", "what", "now", day.as_str()]);
    let mut row = |unit: &str, what: &str, now: i64, then: Option<i64>| {
        let then = then.map(|n| n.to_string()).unwrap_or_default();
        write_row(&mut out, [unit, what, &now.to_string(), &then]);
    };
    for figure in followed() {
        row("", &figure.label, figure.of(&report.now), then.and_then(|(_, n)| figure.then(n)));
    }
    for duty in Duty::ALL {
        let facet = format!("required:{duty}");
        let was = then.and_then(|(_, n)| n.get(&facet).copied());
        row("", &format!("{} required", duty.owner_title()), report.now.get(&facet).copied().unwrap_or(0), was);
    }
    for unit in &report.units {
        let was = |facet: &str| then.and_then(|(_, n)| n.get(&format!("{facet}:{}", unit.folded)).copied());
        row(&name(unit), "Run", unit.running, was("unit-running"));
        row(&name(unit), "Run, and nobody can stop them", unit.unstoppable, was("unit-open"));
        for (duty, (needed, vacant)) in &unit.duties {
            row(&name(unit), &format!("{} required", duty.owner_title()), *needed, None);
            row(&name(unit), &format!("{} held", duty.owner_title()), needed - vacant, None);
        }
    }
    out
}
