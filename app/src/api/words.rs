//! Text with the little markup that descriptions have: `code`, **weight**, and paragraphs
//! between empty lines.

use leptos::prelude::*;

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Plain(String),
    Code(String),
    Strong(String),
}

/// The pieces of a line. A mark without its end means itself.
fn pieces(text: &str) -> Vec<Piece> {
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
                out.push(Piece::Plain(std::mem::take(&mut plain)));
            }
            let text = inner[..end].to_owned();
            out.push(if mark == "`" { Piece::Code(text) } else { Piece::Strong(text) });
            rest = &inner[end + mark.len()..];
        } else {
            plain.push_str(mark);
            rest = inner;
        }
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        out.push(Piece::Plain(plain));
    }
    out
}

/// One line.
pub(super) fn line(text: &str) -> AnyView {
    pieces(text)
        .into_iter()
        .map(|piece| match piece {
            Piece::Plain(text) => text.into_any(),
            Piece::Code(text) => view! { <code>{text}</code> }.into_any(),
            Piece::Strong(text) => view! { <strong>{text}</strong> }.into_any(),
        })
        .collect_view()
        .into_any()
}

/// Paragraphs.
pub(super) fn prose(text: &str) -> AnyView {
    let paragraphs: Vec<String> =
        text.split("\n\n").map(|p| p.replace('\n', " ").trim().to_owned()).filter(|p| !p.is_empty()).collect();
    (!paragraphs.is_empty())
        .then(|| {
            let paragraphs = paragraphs.iter().map(|p| view! { <p>{line(p)}</p> }).collect_view();
            view! { <div class="prose">{paragraphs}</div> }
        })
        .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_come_in_pairs_or_mean_themselves() {
        let code = |t: &str| Piece::Code(t.into());
        let plain = |t: &str| Piece::Plain(t.into());
        assert_eq!(pieces("a `b` c"), [plain("a "), code("b"), plain(" c")]);
        assert_eq!(
            pieces("send `*` or `If-None-Match: *`"),
            [plain("send "), code("*"), plain(" or "), code("If-None-Match: *")]
        );
        assert_eq!(pieces("**a** b"), [Piece::Strong("a".into()), plain(" b")]);
        assert_eq!(pieces("2 * 3 ` 4"), [plain("2 * 3 ` 4")]);
        assert_eq!(pieces(""), []);
    }
}
