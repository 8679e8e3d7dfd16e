//! The font of the PDFs, and what it can draw. It is `DejaVu Sans`, which has Latin, Greek, Cyrillic,
//! Hebrew, Arabic and many signs; its licence lies beside it.

use std::sync::OnceLock;

use krilla::text::Font;
use ttf_parser::Face;

static PLAIN: &[u8] = include_bytes!("../../fonts/DejaVuSans.ttf");
static BOLD: &[u8] = include_bytes!("../../fonts/DejaVuSans-Bold.ttf");

/// Drawn for what the font has no glyph for.
pub(super) const LACKING: char = '▯';

/// One weight.
pub(super) struct Weight {
    /// As it is drawn with.
    pub(super) drawn: Font,
    face: Face<'static>,
}

impl Weight {
    fn of(bytes: &'static [u8]) -> Option<Self> {
        Some(Self { drawn: Font::new(bytes.to_vec().into(), 0)?, face: Face::parse(bytes, 0).ok()? })
    }

    /// Whether it can be drawn.
    pub(super) fn has(&self, c: char) -> bool {
        self.face.glyph_index(c).is_some()
    }

    /// How wide a text is, letter by letter: joined letters are no wider.
    pub(super) fn width(&self, text: &str, size: f32) -> f32 {
        let units = f32::from(self.face.units_per_em());
        let of = |c| self.face.glyph_index(c).and_then(|g| self.face.glyph_hor_advance(g)).unwrap_or(0);
        text.chars().map(|c| f32::from(of(c)) / units * size).sum()
    }
}

/// Both weights.
pub(super) struct Fonts {
    /// For text.
    pub(super) plain: Weight,
    /// For heads.
    pub(super) bold: Weight,
}

impl Fonts {
    /// Reads them once.
    pub(super) fn get() -> Option<&'static Self> {
        static FONTS: OnceLock<Option<Fonts>> = OnceLock::new();
        FONTS.get_or_init(|| Some(Self { plain: Weight::of(PLAIN)?, bold: Weight::of(BOLD)? })).as_ref()
    }

    /// A weight.
    pub(super) const fn weight(&self, bold: bool) -> &Weight {
        if bold { &self.bold } else { &self.plain }
    }
}
