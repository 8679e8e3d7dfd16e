//! Markup written straight into text, for the body of a big table: fifty rows of views cost
//! more than the query that found them. What is not a literal of ours is escaped, always:
//! there is no way to write anything else.

use leptos::prelude::RenderHtml;

use super::piece::Piece;

/// Markup under way.
#[derive(Debug, Default)]
pub struct Markup(String);

impl Markup {
    /// Room for so many bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    /// Writes a literal as it is.
    pub fn raw(&mut self, literal: &'static str) -> &mut Self {
        self.0.push_str(literal);
        self
    }

    /// Writes text, safe between tags and within a quoted attribute.
    pub fn text(&mut self, text: &str) -> &mut Self {
        let mut rest = text;
        while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
            self.0.push_str(&rest[..at]);
            self.0.push_str(match rest.as_bytes()[at] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                _ => "&#39;",
            });
            rest = &rest[at + 1..];
        }
        self.0.push_str(rest);
        self
    }

    /// Writes a view: its own text is escaped by Leptos.
    pub fn view(&mut self, view: impl RenderHtml) -> &mut Self {
        self.0.push_str(&view.to_html());
        self
    }

    /// The part of the page.
    pub fn piece(self) -> Piece {
        Piece::new(self.0)
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn only_literals_are_markup() {
        let mut m = Markup::default();
        m.raw("<p title=\"").text("a\" onload='x'").raw("\">").text("<b>&é</b>").raw("</p>");
        assert_eq!(m.piece().to_html(), "<p title=\"a&quot; onload=&#39;x&#39;\">&lt;b&gt;&amp;é&lt;/b&gt;</p>");
    }
}
