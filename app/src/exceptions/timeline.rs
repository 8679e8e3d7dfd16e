//! The timeline: a line for each exception, days left, now as a rule through it, and the dates by
//! which compensating controls are checked as marks. Lengths are shares of the width, so that it
//! fits any; the list beneath holds the same numbers.

use std::fmt::Write as _;

use chrono::{DateTime, Datelike, Months, NaiveDate, TimeDelta, Utc};
use domain::exception::{ExceptionState as State, days_until};
use leptos::prelude::*;

use super::list::{Check, Line};
use super::{left_words, standing, tone, urgency};
use crate::components::{Day, IntoPiece, Piece, TableFrame, Tone};

/// The stretch of time that is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scale {
    from: DateTime<Utc>,
    until: DateTime<Utc>,
}

/// However old the oldest line, so much of the past is drawn at most.
const PAST: TimeDelta = TimeDelta::days(270);
/// And so much of what comes.
const AHEAD: TimeDelta = TimeDelta::days(400);
/// And at least so much on both sides of now.
const LEAST: TimeDelta = TimeDelta::days(20);

impl Scale {
    /// From the first start to the last end of these lines, within bounds, with now in it.
    pub(crate) fn of(lines: &[Line], now: DateTime<Utc>) -> Self {
        let first = lines.iter().map(|l| l.starts_at).min().unwrap_or(now);
        let last = lines.iter().map(|l| l.expires_at).max().unwrap_or(now);
        Self {
            from: first.clamp(now - PAST, now - LEAST),
            until: last.clamp(now + LEAST, now + AHEAD) + TimeDelta::days(5),
        }
    }

    /// Where a moment lies, as a share of the width from 0 to 100.
    fn at(self, moment: DateTime<Utc>) -> f64 {
        let whole = (self.until - self.from).num_seconds().max(1);
        let part = (moment - self.from).num_seconds().clamp(0, whole);
        #[expect(clippy::cast_precision_loss, reason = "seconds of a few years")]
        let share = part as f64 / whole as f64 * 100.0;
        share
    }

    fn percent(self, moment: DateTime<Utc>) -> String {
        format!("{:.2}%", self.at(moment))
    }

    /// The first of each month within, at most one for every eighth of the width.
    fn months(self) -> Vec<(DateTime<Utc>, String)> {
        let mut out = Vec::new();
        let mut day = NaiveDate::from_ymd_opt(self.from.year(), self.from.month(), 1);
        while let Some(first) = day {
            let at = first.and_time(chrono::NaiveTime::MIN).and_utc();
            if at >= self.until {
                break;
            }
            if at > self.from {
                let format = if first.month() == 1 || out.is_empty() { "%b %Y" } else { "%b" };
                out.push((at, first.format(format).to_string()));
            }
            day = first.checked_add_months(Months::new(1));
        }
        let step = out.len().div_ceil(8).max(1);
        out.into_iter().step_by(step).collect()
    }
}

/// A check's date as a mark: done, to come, or missed.
fn mark(scale: Scale, check: &Check, now: DateTime<Utc>) -> Piece {
    let class = match (check.checked, check.at < now) {
        (true, _) => "check done",
        (false, false) => "check",
        (false, true) => "check missed",
    };
    view! { <circle class=class cx=scale.percent(check.at) cy="50%" r="4.5"></circle> }.piece()
}

/// What the line of an exception says, for whoever hears it.
fn described(line: &Line, now: DateTime<Utc>) -> String {
    let day = |at: DateTime<Utc>| at.format("%-d %B %Y").to_string();
    let mut words = format!("From {} until {}, {}", day(line.starts_at), day(line.expires_at), told(line, now));
    for check in &line.checks {
        let how = match (check.checked, check.at < now) {
            (true, _) => "checked, due",
            (false, false) => "to be checked by",
            (false, true) => "not checked by",
        };
        let _ = write!(words, "; a control {how} {}", day(check.at));
    }
    words.push('.');
    words
}

/// How long it has yet, or how it ended.
fn told(line: &Line, now: DateTime<Utc>) -> String {
    match line.state {
        State::Active => left_words(line.expires_at, now),
        State::Expired if line.breached => "expired and still breached".to_owned(),
        state => state.label().to_lowercase(),
    }
}

fn row(line: &Line, scale: Scale, now: DateTime<Utc>) -> Piece {
    let end = line.ended_at.unwrap_or(line.expires_at);
    let (from, until) = (scale.at(line.starts_at), scale.at(end));
    let class = match line.state {
        State::Active => format!("span fill-{}", urgency(days_until(line.expires_at, now)).class()),
        State::Expired if line.breached => format!("span fill-{}", Tone::Severe.class()),
        State::Requested | State::Scheduled => "span asked".to_owned(),
        state => format!("span over fill-{}", tone(state).class()),
    };
    // What ended before its time is drawn on, faintly, to where it would have ended.
    let rest = line.ended_at.map(|at| {
        let (x, width) = (scale.percent(at), scale.at(line.expires_at) - scale.at(at));
        view! { <rect class="unused" x=x y="50%" width=format!("{width:.2}%") height="1"></rect> }
    });
    let breach = (line.breached && line.expires_at < now).then(|| {
        let (x1, x2) = (scale.percent(line.expires_at), scale.percent(now));
        view! { <line class="breach" x1=x1 x2=x2 y1="50%" y2="50%"></line> }
    });
    let marks = line.checks.iter().map(|c| mark(scale, c, now)).collect_view();
    let width = (until - from).max(0.4);
    let href = format!("/exceptions/{}", line.id);
    let days = standing(line.state, line.breached, line.expires_at, now);
    view! {
        <li>
            <p class="what"><a href=href dir="auto">{line.title.clone()}</a> " " <span class="ref muted">{line.id.to_string()}</span></p>
            <svg class="line" aria-hidden="true">
                {rest}
                <rect class=class x=format!("{from:.2}%") y="30%" width=format!("{width:.2}%") height="40%" rx="3"></rect>
                {breach}
                {marks}
            </svg>
            <p class="left">{days}</p>
            <p class="visually-hidden">{described(line, now)}</p>
        </li>
    }
    .piece()
}

/// The numbers behind it.
fn table(lines: &[Line], now: DateTime<Utc>) -> Piece {
    let rows = lines
        .iter()
        .map(|l| {
            let checks = l
                .checks
                .iter()
                .map(|c| {
                    let words = match (c.checked, c.at < now) {
                        (true, _) => " checked",
                        (false, true) => " not checked",
                        (false, false) => "",
                    };
                    view! { <li><Day at=c.at/>{words}</li> }
                })
                .collect_view();
            view! {
                <tr>
                    <th scope="row"><span class="ref">{l.id.to_string()}</span></th>
                    <td data-label="From"><Day at=l.starts_at/></td>
                    <td data-label="Until"><Day at=l.expires_at/></td>
                    <td data-label="Stands">{told(l, now)}</td>
                    <td data-label="Checks"><ul class="plain-list">{checks}</ul></td>
                </tr>
            }
            .piece()
        })
        .collect_view();
    view! {
        <details class="small">
            <summary>"The dates as a table"</summary>
            <TableFrame label="Dates of the exceptions" stacks=true compact=true>
                <thead><tr><th scope="col">"Exception"</th><th scope="col">"From"</th><th scope="col">"Until"</th><th scope="col">"Stands"</th><th scope="col">"Checks"</th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        </details>
    }
    .piece()
}

/// The picture, its legend, and the table behind it.
pub(crate) fn timeline(lines: &[Line], now: DateTime<Utc>) -> Piece {
    let scale = Scale::of(lines, now);
    let months = scale
        .months()
        .into_iter()
        .map(|(at, _)| {
            let x = scale.percent(at);
            view! { <line class="month" x1=x.clone() x2=x y1="0" y2="100%"></line> }
        })
        .collect_view();
    let names = scale
        .months()
        .into_iter()
        .filter(|(at, _)| scale.at(*at) < 94.0 && (scale.at(*at) - scale.at(now)).abs() > 4.0)
        .map(|(at, name)| view! { <text x=scale.percent(at) y="1rem">{name}</text> })
        .collect_view();
    let here = scale.percent(now);
    let description = format!(
        "{} exceptions from {} to {}; the rule is now, {}. A mark on a line is the date by which a compensating control is checked.",
        lines.len(),
        scale.from.format("%-d %B %Y"),
        scale.until.format("%-d %B %Y"),
        now.format("%-d %B %Y, %H:%M UTC"),
    );
    let rows = lines.iter().map(|l| row(l, scale, now)).collect_view();
    view! {
        <figure class="timeline" aria-labelledby="timeline-title" aria-describedby="timeline-desc">
            <svg class="rule" role="img" aria-labelledby="timeline-title timeline-desc">
                <title id="timeline-title">"Exceptions over time"</title>
                <desc id="timeline-desc">{description}</desc>
                {months}
                {names}
                <line class="now" x1=here.clone() x2=here.clone() y1="1.25rem" y2="100%"></line>
                <text class="now" x=here y="1rem" text-anchor="middle">"now"</text>
            </svg>
            <ol class="lines">{rows}</ol>
        </figure>
        <ul class="keys small muted" aria-label="What the marks mean">
            <li><svg class="key" aria-hidden="true"><circle class="check done" cx="50%" cy="50%" r="4.5"></circle></svg>"control checked"</li>
            <li><svg class="key" aria-hidden="true"><circle class="check" cx="50%" cy="50%" r="4.5"></circle></svg>"to be checked"</li>
            <li><svg class="key" aria-hidden="true"><circle class="check missed" cx="50%" cy="50%" r="4.5"></circle></svg>"not checked in time"</li>
        </ul>
        {table(lines, now)}
    }
    .piece()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn now_is_always_on_it_and_nothing_leaves_it() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let empty = Scale::of(&[], now);
        assert!(empty.at(now) > 20.0 && empty.at(now) < 80.0);
        assert!((empty.at(now - TimeDelta::days(9_000))).abs() < f64::EPSILON);
        assert!((empty.at(now + TimeDelta::days(9_000)) - 100.0).abs() < f64::EPSILON);
        let html = timeline(&[], now).to_html();
        assert!(html.contains("Exceptions over time") && !html.contains("style="), "{html}");
    }

    #[test]
    fn there_is_room_for_the_names_of_the_months() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let scale = Scale { from: now - PAST, until: now + AHEAD };
        let months = scale.months();
        assert!(months.len() <= 8 && months.len() >= 4, "{months:?}");
        assert!(months.iter().all(|(at, _)| *at > scale.from && *at < scale.until));
    }
}
