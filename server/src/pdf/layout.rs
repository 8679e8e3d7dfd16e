//! Where everything of a report stands on its pages: A4, heads repeated, nothing cut off.

use app::components::{Tone, thousands};
use app::reports::document::{Block, Cell, Column, Document};
use unicode_bidi::BidiInfo;

use super::Ink;
use super::font::{Fonts, LACKING};

/// The page's width, in points.
pub(super) const WIDTH: f32 = 595.0;
/// The page's height.
pub(super) const HEIGHT: f32 = 842.0;
const MARGIN: f32 = 48.0;
const ROOM: f32 = WIDTH - 2.0 * MARGIN;
const BOTTOM: f32 = HEIGHT - 60.0;
const GAP: f32 = 8.0;
const TEXT: f32 = 9.0;
const LEADING: f32 = 1.4;

const BLACK: Ink = Ink(27, 32, 42);
const GREY: Ink = Ink(87, 96, 110);
const RULE: Ink = Ink(214, 218, 226);

/// One thing on a page.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Drawn {
    /// Letters of one direction, from the left end of their baseline.
    Text { x: f32, y: f32, size: f32, bold: bool, ink: Ink, text: String, rtl: bool },
    /// A filled box.
    Box { x: f32, y: f32, width: f32, height: f32, ink: Ink },
    /// A line through points.
    Line { points: Vec<(f32, f32)>, ink: Ink },
}

const fn ink(tone: Tone) -> Ink {
    match tone {
        Tone::Severe => Ink(165, 23, 15),
        Tone::Bad => Ink(207, 74, 64),
        Tone::Warn => Ink(185, 119, 15),
        Tone::Note => Ink(23, 120, 130),
        Tone::Good => Ink(33, 125, 74),
        Tone::Plain | Tone::Off => Ink(134, 142, 156),
    }
}

/// The word that stands for a colour, since colour alone says nothing.
const fn mark(tone: Tone) -> &'static str {
    match tone {
        Tone::Severe => "■ ",
        Tone::Bad => "◆ ",
        Tone::Warn => "▲ ",
        Tone::Note => "◐ ",
        Tone::Good => "● ",
        Tone::Plain => "○ ",
        Tone::Off => "– ",
    }
}

struct Pen<'a> {
    fonts: &'a Fonts,
    pages: Vec<Vec<Drawn>>,
    y: f32,
    lacking: bool,
}

/// How a text is set.
#[derive(Clone, Copy)]
struct Set {
    size: f32,
    bold: bool,
    ink: Ink,
}

const BODY: Set = Set { size: TEXT, bold: false, ink: BLACK };

impl Pen<'_> {
    fn page(&mut self) {
        self.pages.push(Vec::new());
        self.y = MARGIN;
    }

    fn draw(&mut self, drawn: Drawn) {
        if let Some(page) = self.pages.last_mut() {
            page.push(drawn);
        }
    }

    /// A new page, unless so much fits on this one.
    fn need(&mut self, height: f32) -> bool {
        let full = self.y + height > BOTTOM;
        if full {
            self.page();
        }
        full
    }

    /// What can be drawn of a text.
    fn drawable(&mut self, text: &str, bold: bool) -> String {
        let weight = self.fonts.weight(bold);
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            match c {
                '\n' | '\r' | '\t' | '\u{a0}' => out.push(' '),
                // What joins, varies or turns letters has no shape of its own.
                '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}' => {}
                c if c.is_control() => {}
                c if weight.has(c) => out.push(c),
                _ => {
                    self.lacking = true;
                    out.push(LACKING);
                }
            }
        }
        out
    }

    /// The lines of a text that are no wider than the room.
    fn lines(&mut self, text: &str, set: Set, room: f32) -> Vec<String> {
        let text = self.drawable(text, set.bold);
        let weight = self.fonts.weight(set.bold);
        let mut out = Vec::new();
        let mut line = String::new();
        for word in text.split(' ').filter(|w| !w.is_empty()) {
            let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
            if weight.width(&longer, set.size) <= room {
                line = longer;
                continue;
            }
            if !line.is_empty() {
                out.push(std::mem::take(&mut line));
            }
            // A word wider than the room is cut where it must be.
            for c in word.chars() {
                line.push(c);
                if weight.width(&line, set.size) > room && line.chars().count() > 1 {
                    line.pop();
                    out.push(std::mem::replace(&mut line, c.to_string()));
                }
            }
        }
        if !line.is_empty() || out.is_empty() {
            out.push(line);
        }
        out
    }

    /// One line, each run in its own direction; `right` is where it ends, if it is set so.
    fn line(&mut self, line: &str, set: Set, x: f32, y: f32, right: Option<f32>) {
        let weight = self.fonts.weight(set.bold);
        let width = weight.width(line, set.size);
        let mut x = right.map_or(x, |right| (right - width).max(x));
        let info = BidiInfo::new(line, Some(unicode_bidi::Level::ltr()));
        let Some(paragraph) = info.paragraphs.first() else { return };
        let (levels, runs) = info.visual_runs(paragraph, paragraph.range.clone());
        let mut drawn = Vec::new();
        for run in runs {
            let rtl = levels.get(run.start).is_some_and(unicode_bidi::Level::is_rtl);
            let Some(text) = line.get(run) else { continue };
            drawn.push(Drawn::Text { x, y, size: set.size, bold: set.bold, ink: set.ink, text: text.to_owned(), rtl });
            x += weight.width(text, set.size);
        }
        for d in drawn {
            self.draw(d);
        }
    }

    fn words(&mut self, text: &str, set: Set) {
        let height = set.size * LEADING;
        for line in self.lines(text, set, ROOM) {
            self.need(height);
            self.y += height;
            let y = self.y - height * 0.25;
            self.line(&line, set, MARGIN, y, None);
        }
    }

    fn head(&mut self, columns: &[Column], widths: &[f32]) {
        let set = Set { size: TEXT - 1.0, bold: true, ink: GREY };
        let height = set.size * LEADING;
        let mut cells: Vec<Vec<String>> = Vec::new();
        for (column, width) in columns.iter().zip(widths) {
            cells.push(self.lines(&column.title, set, *width));
        }
        let deep = cells.iter().map(Vec::len).max().unwrap_or(1);
        for at in 0..deep {
            self.y += height;
            let (mut x, y) = (MARGIN, self.y - 2.0);
            for ((lines, column), width) in cells.iter().zip(columns).zip(widths) {
                if let Some(line) = lines.get(at) {
                    self.line(line, set, x, y, column.number.then_some(x + width));
                }
                x += width + GAP;
            }
        }
        self.y += 2.0;
        self.rule();
    }

    fn rule(&mut self) {
        let y = self.y;
        self.draw(Drawn::Box { x: MARGIN, y, width: ROOM, height: 0.6, ink: RULE });
        self.y += 2.0;
    }

    fn table(&mut self, columns: &[Column], rows: &[Vec<Cell>]) {
        let widths = self.widths(columns, rows);
        let height = TEXT * LEADING;
        let titled = columns.iter().any(|c| !c.title.is_empty());
        self.need(height * 4.0);
        if titled {
            self.head(columns, &widths);
        }
        for row in rows {
            let mut cells: Vec<(Vec<String>, Set)> = Vec::new();
            for (at, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let tone = cell.tone;
                let set = Set { bold: !titled && at == 0, ink: tone.map_or(BLACK, ink), ..BODY };
                let text = tone.map_or_else(|| cell.text.clone(), |t| format!("{}{}", mark(t), cell.text));
                cells.push((self.lines(&text, set, *width), set));
            }
            let deep = cells.iter().map(|(lines, _)| lines.len()).max().unwrap_or(1);
            // A short row stays together; a long one goes on overleaf.
            if deep <= 12 {
                #[expect(clippy::cast_precision_loss, reason = "at most twelve lines")]
                let whole = deep as f32 * height + 4.0;
                if self.need(whole) && titled {
                    self.head(columns, &widths);
                }
            }
            for at in 0..deep {
                if self.need(height) && titled {
                    self.head(columns, &widths);
                }
                self.y += height;
                let (mut x, y) = (MARGIN, self.y - height * 0.25);
                for (((lines, set), column), width) in cells.iter().zip(columns).zip(&widths) {
                    if let Some(line) = lines.get(at) {
                        self.line(line, *set, x, y, column.number.then_some(x + width));
                    }
                    x += width + GAP;
                }
            }
            self.y += 2.0;
            self.rule();
        }
    }

    /// How wide the columns are: as their words want it, and where that is too much, the wide
    /// ones share what the narrow ones leave.
    fn widths(&mut self, columns: &[Column], rows: &[Vec<Cell>]) -> Vec<f32> {
        #[expect(clippy::cast_precision_loss, reason = "a handful of columns")]
        let count = columns.len().max(1) as f32;
        let room = ROOM - GAP * (count - 1.0);
        let mut wanted: Vec<f32> = Vec::new();
        for (at, column) in columns.iter().enumerate() {
            let head = self.fonts.bold.width(&column.title, TEXT - 1.0).min(70.0);
            let widest = rows.iter().filter_map(|r| r.get(at)).fold(head, |most, cell| {
                let mark = if cell.tone.is_some() { 12.0 } else { 0.0 };
                most.max(self.fonts.bold.width(&cell.text, TEXT) + mark)
            });
            wanted.push(widest + 1.0);
        }
        let mut out = vec![0.0; wanted.len()];
        let mut open: Vec<usize> = (0..wanted.len()).collect();
        let mut left = room;
        while !open.is_empty() {
            #[expect(clippy::cast_precision_loss, reason = "a handful of columns")]
            let share = left / open.len() as f32;
            let fits: Vec<usize> = open.iter().copied().filter(|at| wanted[*at] <= share).collect();
            if fits.is_empty() {
                for at in open {
                    out[at] = share;
                }
                return out;
            }
            for at in &fits {
                out[*at] = wanted[*at];
                left -= wanted[*at];
            }
            open.retain(|at| !fits.contains(at));
        }
        // Everything fits: what is left goes to the last column of words.
        if let Some(at) = columns.iter().rposition(|c| !c.number) {
            out[at] += left;
        }
        out
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Words(words) => self.words(words, BODY),
            Block::Facts(facts) => {
                let columns =
                    [Column { title: String::new(), number: false }, Column { title: String::new(), number: false }];
                let rows: Vec<Vec<Cell>> = facts.iter().map(|(n, v)| vec![n.as_str().into(), v.clone()]).collect();
                self.table(&columns, &rows);
            }
            Block::Table { rows, empty, .. } if rows.is_empty() => self.words(empty, Set { ink: GREY, ..BODY }),
            Block::Table { columns, rows, .. } => self.table(columns, rows),
            Block::Bar { title, parts } => {
                self.words(title, Set { ink: GREY, ..BODY });
                let whole: u64 = parts.iter().map(|p| p.count).sum();
                self.need(16.0 + 14.0);
                let (mut x, y) = (MARGIN, self.y + 3.0);
                for part in parts.iter().filter(|p| p.count > 0) {
                    #[expect(clippy::cast_precision_loss, reason = "counts, drawn on five hundred points")]
                    let width = (ROOM * part.count as f32 / whole as f32).max(2.0).min(MARGIN + ROOM - x);
                    self.draw(Drawn::Box { x, y, width, height: 12.0, ink: ink(part.tone) });
                    x += width;
                }
                self.y += 18.0;
                let rows: Vec<Vec<Cell>> = parts
                    .iter()
                    .map(|p| vec![Cell::from(p.label.as_str()).toned(p.tone), thousands(p.count).into()])
                    .collect();
                let columns =
                    [Column { title: String::new(), number: false }, Column { title: String::new(), number: true }];
                self.table(&columns, &rows);
            }
            Block::Trend { title, words, days, tone } => {
                self.need(60.0);
                self.words(&format!("{title}: {words}"), BODY);
                let most = days.iter().map(|(_, n)| *n).max().unwrap_or(0).max(1);
                let (Some((first, _)), Some((last, _))) = (days.first(), days.last()) else { return };
                let span = (*last - *first).num_days().max(1);
                #[expect(clippy::cast_precision_loss, reason = "counts, drawn on forty points")]
                let points = days
                    .iter()
                    .map(|(day, n)| {
                        let x = MARGIN + ROOM * (*day - *first).num_days() as f32 / span as f32;
                        (x, self.y + 38.0 - 32.0 * *n as f32 / most as f32)
                    })
                    .collect();
                self.draw(Drawn::Line { points, ink: ink(*tone) });
                self.y += 42.0;
                self.rule();
                let note = format!("{first} to {last}; the highest is {}", thousands(u64::try_from(most).unwrap_or(0)));
                self.words(&note, Set { size: TEXT - 1.5, bold: false, ink: GREY });
            }
        }
        self.y += 6.0;
    }
}

/// The pages of a report.
pub(super) fn lay_out(report: &Document, fonts: &Fonts) -> Vec<Vec<Drawn>> {
    let mut pen = Pen { fonts, pages: Vec::new(), y: 0.0, lacking: false };
    pen.page();
    pen.words(&report.title, Set { size: 17.0, bold: true, ink: BLACK });
    if !report.lead.is_empty() {
        pen.words(&report.lead, Set { size: 10.5, bold: false, ink: BLACK });
    }
    for note in &report.notes {
        pen.words(note, Set { size: TEXT - 1.0, bold: false, ink: GREY });
    }
    for chapter in &report.chapters {
        pen.y += 10.0;
        pen.need(70.0);
        pen.words(&chapter.title, Set { size: 12.0, bold: true, ink: BLACK });
        pen.y += 2.0;
        for block in &chapter.blocks {
            pen.block(block);
        }
    }
    if pen.lacking {
        let said =
            format!("{LACKING} stands for a character for which this file has no glyph; Muster's page shows it.");
        pen.words(&said, Set { size: TEXT - 1.0, bold: false, ink: GREY });
    }
    let of = pen.pages.len();
    let title = pen.lines(&report.title, Set { size: TEXT - 1.0, bold: false, ink: GREY }, ROOM - 80.0);
    let title = title.into_iter().next().unwrap_or_default();
    let mut pages = std::mem::take(&mut pen.pages);
    for (at, page) in pages.iter_mut().enumerate() {
        pen.pages = vec![Vec::new()];
        let set = Set { size: TEXT - 1.0, bold: false, ink: GREY };
        pen.line(&title, set, MARGIN, HEIGHT - 34.0, None);
        pen.line(&format!("{} of {of}", at + 1), set, MARGIN, HEIGHT - 34.0, Some(WIDTH - MARGIN));
        page.append(&mut pen.pages[0]);
    }
    pages
}
