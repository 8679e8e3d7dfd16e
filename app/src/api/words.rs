//! Text with the little markup that descriptions have: `code`, **weight**, and paragraphs
//! between empty lines.

use crate::components::{IntoPiece, Piece};
use leptos::prelude::*;

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Span {
    Plain(String),
    Code(String),
    Strong(String),
}

/// The pieces of a line. A mark without its end means itself.
fn pieces(text: &str) -> Vec<Span> {
    let mut out = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['`', '*']) {
        let (before, marked) = rest.split_at(at);
        plain.push_str(before);
        let mark = if marked.starts_with("**") { "**" } else { &marked[..1] };
        let inner = &marked[mark.len()..];
        if let Some(end) = inner.find(mark).filter(|end| *end > 0 && mark != "*") {
            if !plain.is_empty() {
                out.push(Span::Plain(std::mem::take(&mut plain)));
            }
            let text = inner[..end].to_owned();
            out.push(if mark == "`" { Span::Code(text) } else { Span::Strong(text) });
            rest = &inner[end + mark.len()..];
        } else {
            plain.push_str(mark);
            rest = inner;
        }
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        out.push(Span::Plain(plain));
    }
    out
}

/// One line.
pub(super) fn line(text: &str) -> Piece {
    pieces(text)
        .into_iter()
        .map(|piece| match piece {
            Span::Plain(text) => text.piece(),
            Span::Code(text) => view! { <code>{text}</code> }.piece(),
            Span::Strong(text) => view! { <strong>{text}</strong> }.piece(),
        })
        .collect_view()
        .piece()
}

/// Paragraphs.
pub(super) fn prose(text: &str) -> Piece {
    let paragraphs: Vec<String> =
        text.split("\n\n").map(|p| p.replace('\n', " ").trim().to_owned()).filter(|p| !p.is_empty()).collect();
    (!paragraphs.is_empty())
        .then(|| {
            let paragraphs = paragraphs.iter().map(|p| view! { <p>{line(p)}</p> }).collect_view();
            view! { <div class="prose">{paragraphs}</div> }
        })
        .piece()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_come_in_pairs_or_mean_themselves() {
        let code = |t: &str| Span::Code(t.into());
        let plain = |t: &str| Span::Plain(t.into());
        assert_eq!(pieces("a `b` c"), [plain("a "), code("b"), plain(" c")]);
        assert_eq!(
            pieces("send `*` or `If-None-Match: *`"),
            [plain("send "), code("*"), plain(" or "), code("If-None-Match: *")]
        );
        assert_eq!(pieces("**a** b"), [Span::Strong("a".into()), plain(" b")]);
        assert_eq!(pieces("2 * 3 ` 4"), [plain("2 * 3 ` 4")]);
        assert_eq!(pieces(""), []);
    }
}
