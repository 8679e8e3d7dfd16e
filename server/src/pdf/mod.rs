//! Reports as PDF: laid out here, written with the font that is in the binary. What the font has
//! no glyph for is drawn as an empty box, and said so at the end; references are always legible.

mod font;
mod layout;

use app::reports::document::Document;
use chrono::{DateTime, Datelike as _, Timelike as _, Utc};
use krilla::color::rgb;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::Metadata;
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill, Stroke};
use krilla::text::TextDirection;

use font::Fonts;
use layout::{Drawn, HEIGHT, WIDTH, lay_out};

/// Why a PDF could not be written: goes to the log.
#[derive(Debug, thiserror::Error)]
#[error("a PDF could not be written: {0}")]
pub struct Failed(String);

/// A colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ink(u8, u8, u8);

impl Ink {
    fn fill(self) -> Fill {
        Fill {
            paint: rgb::Color::new(self.0, self.1, self.2).into(),
            opacity: NormalizedF32::ONE,
            rule: <_>::default(),
        }
    }
}

/// Writes a report of a moment where it keeps nobody waiting.
pub async fn written(report: Document, at: DateTime<Utc>) -> Result<Vec<u8>, Failed> {
    tokio::task::spawn_blocking(move || write(&report, at)).await.map_err(|e| Failed(e.to_string()))?
}

/// Writes a report of a moment. The same report gives the same bytes.
pub fn write(report: &Document, at: DateTime<Utc>) -> Result<Vec<u8>, Failed> {
    let fonts = Fonts::get().ok_or_else(|| Failed("the font cannot be read".to_owned()))?;
    let pages = lay_out(report, fonts);
    let mut document = krilla::Document::new();
    let small = |n: u32| u8::try_from(n).unwrap_or(0);
    let date = krilla::metadata::DateTime::new(u16::try_from(at.year()).unwrap_or(0))
        .month(small(at.month()))
        .day(small(at.day()))
        .hour(small(at.hour()))
        .minute(small(at.minute()))
        .second(small(at.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0);
    document.set_metadata(
        Metadata::new()
            .title(report.title.clone())
            .language("en".to_owned())
            .creator("Muster".to_owned())
            .creation_date(date),
    );
    for drawn in pages {
        let settings = PageSettings::from_wh(WIDTH, HEIGHT).ok_or_else(|| Failed("no such page".to_owned()))?;
        let mut page = document.start_page_with(settings);
        let mut surface = page.surface();
        for piece in drawn {
            match piece {
                Drawn::Text { x, y, size, bold, ink, text, rtl } => {
                    surface.set_fill(Some(ink.fill()));
                    surface.set_stroke(None);
                    let direction = if rtl { TextDirection::RightToLeft } else { TextDirection::LeftToRight };
                    let font = if bold { &fonts.bold } else { &fonts.plain };
                    surface.draw_text(Point::from_xy(x, y), font.drawn.clone(), size, &text, false, direction);
                }
                Drawn::Box { x, y, width, height, ink } => {
                    let Some(rect) = Rect::from_xywh(x, y, width, height) else { continue };
                    let mut path = PathBuilder::new();
                    path.push_rect(rect);
                    let Some(path) = path.finish() else { continue };
                    surface.set_fill(Some(ink.fill()));
                    surface.set_stroke(None);
                    surface.draw_path(&path);
                }
                Drawn::Line { points, ink } => {
                    let mut path = PathBuilder::new();
                    for (at, (x, y)) in points.into_iter().enumerate() {
                        if at == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
                    }
                    let Some(path) = path.finish() else { continue };
                    surface.set_fill(None);
                    surface.set_stroke(Some(Stroke { paint: ink.fill().paint, width: 1.2, ..Stroke::default() }));
                    surface.draw_path(&path);
                }
            }
        }
        surface.finish();
        page.finish();
    }
    document.finish().map_err(|e| Failed(format!("{e:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::reports::document::{Block, Chapter, columns};

    fn report(name: &str, rows: usize) -> Document {
        let row = |n: usize| vec![format!("AG-{n}").into(), name.into(), "word ".repeat(40).as_str().into()];
        let block = Block::Table {
            title: "Agents".into(),
            columns: columns(["Agent", "Name", "Purpose"]),
            rows: (0..rows).map(row).collect(),
            empty: String::new(),
        };
        Document {
            title: name.to_owned(),
            lead: "A sentence.".into(),
            notes: vec![],
            chapters: vec![Chapter::new("agents", "Agents").with(block)],
        }
    }

    #[test]
    fn any_name_gives_a_file_and_the_same_report_the_same_bytes() {
        let at = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        for name in ["Ana", "وكيل الفواتير AG-7", "Agent 🤖👩‍💻", "請求書エージェント", "", "a\u{202e}b", "אב 12 גד"]
        {
            let bytes = write(&report(name, 3), at).unwrap();
            assert!(bytes.starts_with(b"%PDF-"), "{name}");
            assert_eq!(bytes, write(&report(name, 3), at).unwrap(), "{name}");
        }
    }

    #[test]
    fn a_long_table_goes_over_pages_and_none_is_lost() {
        let fonts = Fonts::get().unwrap();
        let pages = lay_out(&report("Ana", 200), fonts);
        assert!(pages.len() > 5, "{}", pages.len());
        let texts: Vec<&str> = (pages.iter().flatten())
            .filter_map(|d| match d {
                Drawn::Text { text, .. } => Some(text.as_str()),
                _ => None,
            })
            .collect();
        for n in 0..200 {
            assert!(texts.contains(&format!("AG-{n}").as_str()), "AG-{n}");
        }
        for drawn in pages.iter().flatten() {
            if let Drawn::Text { x, y, .. } = drawn {
                assert!(*x >= 0.0 && *x < WIDTH && *y > 0.0 && *y < HEIGHT, "{drawn:?}");
            }
        }
    }

    #[test]
    fn what_the_font_lacks_is_a_box_and_said_so() {
        let fonts = Fonts::get().unwrap();
        let said = |name: &str| {
            let pages = lay_out(&report(name, 1), fonts);
            pages.iter().flatten().any(|d| matches!(d, Drawn::Text { text, .. } if text.contains("has no glyph")))
        };
        assert!(said("請求書"));
        assert!(!said("Ana وكيل"));
    }
}
