//! Numbers as pictures, made on the server: SVG with a title and a description, and the numbers as
//! links beneath. Lengths are attributes, never styles.

use leptos::prelude::*;

use super::piece::{IntoPiece, Slot};
use super::table::thousands;
use super::tone::{Swatch, Tone};

/// A part of a whole.
#[derive(Debug, Clone)]
pub struct Segment {
    /// Read as.
    pub label: String,
    /// How many.
    pub count: u64,
    /// The rows behind it.
    pub href: String,
    /// How good or bad.
    pub tone: Tone,
}

impl Segment {
    /// A part with its rows.
    pub fn new(label: impl Into<String>, count: u64, href: impl Into<String>, tone: Tone) -> Self {
        Self { label: label.into(), count, href: href.into(), tone }
    }
}

const WIDTH: f64 = 1000.0;
const GAP: f64 = 3.0;
/// A part that exists can be seen and pressed, however small it is.
const LEAST: f64 = 9.0;

#[expect(clippy::cast_precision_loss, reason = "counts of rows, drawn on a thousand units")]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// A whole as one bar, worst first, each part a link; beneath it the parts with their counts.
#[component]
pub fn StackedBar(
    /// What is shown, for a screen reader.
    #[prop(into)]
    title: String,
    /// Letters and dashes, once on a page.
    #[prop(into)]
    id: String,
    /// The parts in order.
    segments: Vec<Segment>,
) -> impl IntoView {
    let whole: u64 = segments.iter().map(|segment| segment.count).sum();
    let seen: Vec<&Segment> = segments.iter().filter(|segment| segment.count > 0).collect();
    let description =
        seen.iter().map(|s| format!("{}: {}", s.label, thousands(s.count))).collect::<Vec<_>>().join(", ");
    let widths = widths(&seen.iter().map(|segment| segment.count).collect::<Vec<_>>());
    let mut at = 0.0;
    let rects = seen
        .iter()
        .zip(widths)
        .map(|(segment, width)| {
            let x = at;
            at += width + GAP;
            view! {
                <a href=segment.href.clone() tabindex="-1" class=format!("fill-{}", segment.tone.class())>
                    <title>{format!("{}: {}", segment.label, thousands(segment.count))}</title>
                    <rect x=format!("{x:.1}") y="0" width=format!("{width:.1}") height="24"></rect>
                </a>
            }
        })
        .collect_view();
    let nothing = seen.is_empty().then(|| view! { <rect class="rest" x="0" y="0" width="1000" height="24"></rect> });
    let entries = segments
        .iter()
        .map(|segment| {
            let share = format!("{:.0}%", share(segment.count, whole) * 100.0);
            let class = if segment.count == 0 { "nil" } else { "" };
            view! {
                <li>
                    <a class=class href=segment.href.clone()>
                        <Swatch tone=segment.tone/>
                        <span class="label">{segment.label.clone()}</span>
                        <span class="value">{thousands(segment.count)}</span>
                        <span class="share">{share}</span>
                    </a>
                </li>
            }
        })
        .collect_view();
    let title_id = format!("{id}-title");
    let desc_id = format!("{id}-desc");
    view! {
        <figure class="chart" id=id>
            <svg
                class="bar"
                viewBox="0 0 1000 24"
                preserveAspectRatio="none"
                role="group"
                aria-labelledby=title_id
                aria-describedby=desc_id
            >
                <title id=title_id.clone()>{title}</title>
                <desc id=desc_id.clone()>{description}</desc>
                {nothing}
                {rects}
            </svg>
            <ul class="legend">{entries}</ul>
        </figure>
    }
    .piece()
}

/// Shares of the bar's width in proportion, none below what can be seen.
fn widths(counts: &[u64]) -> Vec<f64> {
    let whole: u64 = counts.iter().sum();
    #[expect(clippy::cast_precision_loss, reason = "a handful of parts")]
    let room = WIDTH - GAP * counts.len().saturating_sub(1) as f64;
    let raised: Vec<f64> = counts.iter().map(|&count| (share(count, whole) * room).max(LEAST)).collect();
    let excess = raised.iter().sum::<f64>() - room;
    let spare: f64 = raised.iter().map(|width| width - LEAST).sum();
    if excess <= 0.0 || spare <= 0.0 {
        return raised;
    }
    raised.into_iter().map(|width| width - excess * (width - LEAST) / spare).collect()
}

/// A part of a whole as a thin bar with its percentage.
#[component]
pub fn Meter(
    /// What is measured, for a screen reader.
    #[prop(into)]
    label: String,
    /// How many are met.
    value: u64,
    /// Of how many.
    of: u64,
    /// How good or bad that is.
    #[prop(default = Tone::Note)]
    tone: Tone,
) -> impl IntoView {
    let share = share(value.min(of), of);
    let text = if of == 0 { "–".to_owned() } else { format!("{:.0}%", (share * 100.0).floor()) };
    view! {
        <span class="metered">
            <svg class="meter" viewBox="0 0 100 7" preserveAspectRatio="none" role="img" aria-label=format!("{label}: {value} of {of}")>
                <rect class="rest" x="0" y="0" width="100" height="7"></rect>
                <rect class=format!("fill-{}", tone.class()) x="0" y="0" width=format!("{:.1}", share * 100.0) height="7"></rect>
            </svg>
            <span class="num">{text}</span>
        </span>
    }
    .piece()
}

/// A trend as a small line.
#[component]
pub fn Sparkline(
    /// What is shown: "Agents without a runtime owner".
    #[prop(into)]
    title: String,
    /// In words: "from 31 to 12 in 30 days".
    #[prop(into)]
    description: String,
    /// The values, oldest first.
    values: Vec<f64>,
    /// How good or bad the last one is.
    #[prop(optional)]
    tone: Tone,
) -> impl IntoView {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min).min(0.0);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let span = if high > low { high - low } else { 1.0 };
    #[expect(clippy::cast_precision_loss, reason = "a few hundred points")]
    let step = 120.0 / values.len().saturating_sub(1).max(1) as f64;
    #[expect(clippy::cast_precision_loss, reason = "a few hundred points")]
    let place = |(index, value): (usize, &f64)| (index as f64 * step, 30.0 - (value - low) / span * 28.0);
    let points: Vec<_> = values.iter().enumerate().map(place).collect();
    let line = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect::<Vec<_>>().join(" ");
    let last = points.last().map(|(x, y)| {
        let area = format!("0,31 {line} {x:.1},31");
        let dot = format!("M{x:.1} {y:.1}h.01");
        view! { <polygon class="area" points=area></polygon><polyline points=line></polyline><path class="dot" d=dot></path> }
    });
    view! {
        <svg
            class=format!("spark fill-{}", tone.class())
            viewBox="0 0 120 32"
            preserveAspectRatio="none"
            role="img"
            aria-label=format!("{title}: {description}")
        >
            <title>{format!("{title}: {description}")}</title>
            {last}
        </svg>
    }
    .piece()
}

/// A row of numbers.
#[component]
pub fn Stats(
    /// [`Stat`]s.
    children: Slot,
) -> impl IntoView {
    view! { <div class="stats">{children.run()}</div> }
}

/// One number that leads to its rows.
#[component]
pub fn Stat(
    /// What it counts.
    #[prop(into)]
    label: String,
    /// The number, written out.
    #[prop(into)]
    value: String,
    /// The rows behind it.
    #[prop(into)]
    href: String,
    /// How good or bad.
    #[prop(optional)]
    tone: Tone,
) -> impl IntoView {
    view! {
        <a class=format!("stat {}", tone.class()) href=href>
            <span class="value">{value}</span>
            <span class="label">{label}</span>
        </a>
    }
    .piece()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn every_part_can_be_seen_and_none_is_pushed_out() {
        for counts in [vec![1, 99_999], vec![1, 1, 1, 1, 1, 1_000_000], vec![5], vec![]] {
            let widths = widths(&counts);
            let used: f64 =
                widths.iter().sum::<f64>() + GAP * f64::from(u32::try_from(counts.len()).unwrap().saturating_sub(1));
            assert!(used <= WIDTH + 0.01, "{counts:?} {used}");
            assert!(widths.iter().all(|width| *width >= LEAST - 0.01), "{widths:?}");
        }
    }

    #[test]
    fn the_bar_has_its_numbers_beneath() {
        let segments = vec![
            Segment::new("Nobody", 1_200, "/agents?runtime_owner=none", Tone::Severe),
            Segment::new("Verified", 0, "/agents?runtime_owner=verified", Tone::Good),
        ];
        let html = view! { <StackedBar title="Who can stop it" id="stop" segments=segments/> }.to_html();
        assert!(html.contains("Nobody: 1,200"), "{html}");
        assert_eq!(html.matches("<rect").count(), 1, "{html}");
        assert!(!html.contains("style="), "{html}");
    }

    #[test]
    fn an_empty_or_flat_trend_draws() {
        assert!(!view! { <Sparkline title="T" description="d" values=vec![]/> }.to_html().contains("NaN"));
        assert!(!view! { <Sparkline title="T" description="d" values=vec![3.0]/> }.to_html().contains("NaN"));
    }
}
