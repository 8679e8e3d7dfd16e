//! Times: near ones are told relative to now, and always exactly in UTC for those who ask.

use chrono::{DateTime, SecondsFormat, Utc};
use leptos::prelude::*;

use super::piece::IntoPiece;
/// A moment: "3 days ago", with the exact time on hover and for a screen reader.
#[component]
pub fn When(
    /// The moment.
    at: DateTime<Utc>,
    /// The clock of this page.
    now: DateTime<Utc>,
) -> impl IntoView {
    let exact = exact(at);
    view! {
        <time datetime=at.to_rfc3339_opts(SecondsFormat::Secs, true) title=exact.clone()>
            {relative(at, now)}
            <span class="visually-hidden">{format!(" ({exact})")}</span>
        </time>
    }
    .piece()
}

/// A calendar day, `2026-07-03`, with the exact time on hover.
#[component]
pub fn Day(
    /// The moment.
    at: DateTime<Utc>,
) -> impl IntoView {
    view! {
        <time datetime=at.to_rfc3339_opts(SecondsFormat::Secs, true) title=exact(at)>
            {at.format("%Y-%m-%d").to_string()}
        </time>
    }
    .piece()
}

/// `2026-07-03 14:05:09 UTC`.
pub fn exact(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// `3 days ago`, `in 2 h`, `just now`.
pub fn relative(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let seconds = (at - now).num_seconds();
    let size = seconds.unsigned_abs();
    let (count, unit) = match size {
        0..45 => return if seconds > 0 { "in a moment" } else { "just now" }.to_owned(),
        45..3_570 => (size.div_ceil(60).max(1), "min"),
        3_570..86_400 => (((size + 1_800) / 3_600).max(1), "h"),
        86_400..1_209_600 => (size / 86_400, "day"),
        1_209_600..5_184_000 => (size / 604_800, "week"),
        5_184_000..63_072_000 => (size / 2_629_800, "month"),
        _ => (size / 31_557_600, "year"),
    };
    let plural = if count == 1 || matches!(unit, "min" | "h") { "" } else { "s" };
    if seconds > 0 { format!("in {count} {unit}{plural}") } else { format!("{count} {unit}{plural} ago") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{TimeDelta, TimeZone};

    #[test]
    fn near_times_are_told_relative_to_now() {
        let now = Utc.with_ymd_and_hms(2026, 7, 3, 14, 5, 9).single().unwrap_or_default();
        let told = |seconds| relative(now + TimeDelta::seconds(seconds), now);
        assert_eq!(told(-5), "just now");
        assert_eq!(told(20), "in a moment");
        assert_eq!(told(-60), "1 min ago");
        assert_eq!(told(-3_500), "59 min ago");
        assert_eq!(told(-3_600), "1 h ago");
        assert_eq!(told(7_200), "in 2 h");
        assert_eq!(told(-86_400), "1 day ago");
        assert_eq!(told(3 * 86_400), "in 3 days");
        assert_eq!(told(-21 * 86_400), "3 weeks ago");
        assert_eq!(told(-800 * 86_400), "2 years ago");
        assert_eq!(exact(now), "2026-07-03 14:05:09 UTC");
    }

    #[cfg(feature = "ssr")]
    #[test]
    fn a_moment_carries_its_exact_time() {
        let now = Utc.with_ymd_and_hms(2026, 7, 3, 14, 5, 9).single().unwrap_or_default();
        let html = view! { <When at=now now=now/> }.to_html();
        assert!(html.contains(r#"datetime="2026-07-03T14:05:09Z""#), "{html}");
        assert!(html.contains(r#"title="2026-07-03 14:05:09 UTC""#), "{html}");
    }
}
