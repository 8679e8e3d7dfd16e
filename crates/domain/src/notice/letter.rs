//! Notices as an e-mail: the same words as text and as HTML.

use super::Item;

/// So many notices are written out in one e-mail; the rest is counted.
pub const WRITTEN_OUT: usize = 50;
/// Longest subject, in characters.
const SUBJECT_MAX: usize = 120;

/// An e-mail, but for its addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its subject, one line.
    pub subject: String,
    /// Its text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

/// Writes the e-mail that carries these notices to somebody of this name; `base` is where Muster
/// is, without a slash at its end.
pub fn letter(items: &[Item], name: &str, base: &str) -> Letter {
    let (shown, more) = items.split_at(items.len().min(WRITTEN_OUT));
    let mut text = format!("{name},\n\n");
    let mut html = String::from("<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"></head><body>");
    html.push_str(&format!("<p dir=\"auto\">{},</p>", escaped(name)));
    if items.len() > 1 {
        text.push_str(&format!("this happened, and concerns you ({} notices):\n\n", items.len()));
        html.push_str(&format!("<p>this happened, and concerns you ({} notices):</p>", items.len()));
    }
    let (bullet, margin) = if items.len() > 1 { ("* ", "  ") } else { ("", "") };
    for item in shown {
        let urgent = if item.critical { "Urgent: " } else { "" };
        text.push_str(&format!("{bullet}{urgent}{}\n", item.what));
        html.push_str(&format!("<p dir=\"auto\"><strong>{urgent}{}</strong>", escaped(&item.what)));
        for (label, words) in [("Why you", &item.why), ("What to do", &item.todo)] {
            if !words.is_empty() {
                text.push_str(&format!("{margin}{label}: {words}\n"));
                html.push_str(&format!("<br>{label}: {}", escaped(words)));
            }
        }
        let url = format!("{base}{}", item.link);
        text.push_str(&format!("{margin}{url}\n\n"));
        html.push_str(&format!("<br><a href=\"{0}\">{0}</a></p>", escaped(&url)));
    }
    if !more.is_empty() {
        let said = format!("And {} more: {base}/notices", more.len());
        text.push_str(&format!("{said}\n\n"));
        html.push_str(&format!("<p>And <a href=\"{}/notices\">{} more</a>.</p>", escaped(base), more.len()));
    }
    text.push_str(&format!("-- \nMuster. What reaches you, and when, is yours to choose: {base}/account/notices\n"));
    html.push_str(&format!(
        "<hr><p>Muster. What reaches you, and when, <a href=\"{}/account/notices\">is yours to choose</a>.</p></body></html>",
        escaped(base)
    ));
    Letter { subject: subject(items), text, html }
}

fn subject(items: &[Item]) -> String {
    let line = match items {
        [one] => format!("{}{}", if one.critical { "Urgent: " } else { "" }, one.what),
        many => format!("Muster: {} notices for you", many.len()),
    };
    let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.chars().count() <= SUBJECT_MAX {
        return line;
    }
    let cut: String = line.chars().take(SUBJECT_MAX - 1).collect();
    format!("{}…", cut.trim_end())
}

/// Text within HTML, in an element or between quotation marks.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::notice::NoticeKind;

    fn item(what: &str) -> Item {
        Item {
            id: "1".into(),
            kind: NoticeKind::DecisionWaits,
            critical: false,
            subject: "RQ-7".into(),
            what: what.into(),
            why: "You answer for its purpose.".into(),
            todo: "Decide by 9 July.".into(),
            link: "/requests/RQ-7".into(),
            at: chrono::DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn it_says_what_why_what_to_do_and_where() {
        let one = letter(&[item("Ana asks for an approval of “<b>& Co</b>”.")], "Ben", "https://m.example");
        assert_eq!(one.subject, "Ana asks for an approval of “<b>& Co</b>”.");
        for said in ["“<b>& Co</b>”", "Why you: You answer", "What to do: Decide", "https://m.example/requests/RQ-7"]
        {
            assert!(one.text.contains(said), "{}", one.text);
        }
        assert!(one.html.contains("“&lt;b&gt;&amp; Co&lt;/b&gt;”"), "{}", one.html);
        assert!(one.html.contains("<a href=\"https://m.example/requests/RQ-7\">"), "{}", one.html);
        assert!(one.text.contains("/account/notices") && one.html.contains("/account/notices"));
    }

    #[test]
    fn many_are_one_message_that_counts_what_it_leaves_out() {
        let items: Vec<Item> = (0..60).map(|n| item(&format!("Thing {n} happened."))).collect();
        let many = letter(&items, "Ben", "https://m.example");
        assert_eq!(many.subject, "Muster: 60 notices for you");
        assert!(many.text.contains("Thing 49 ") && !many.text.contains("Thing 50 "), "{}", many.text);
        assert!(many.text.contains("And 10 more: https://m.example/notices"), "{}", many.text);
        assert!(many.html.contains("10 more"), "{}", many.html);
        let long = letter(&[item(&"long ".repeat(100))], "Ben", "https://m.example");
        assert!(long.subject.chars().count() <= 120 && long.subject.ends_with('…'), "{}", long.subject);
    }

    proptest! {
        /// Whatever people are called and whatever they wrote, it opens no element and no header.
        #[test]
        fn what_people_type_stays_text(what in "[\\PC\n\r]{1,60}", name in "\\PC{1,40}", link in "/[\\PC]{0,20}") {
            let made = letter(&[Item { link, ..item(&what) }], &name, "https://m.example");
            prop_assert!(!made.subject.contains(['\n', '\r']));
            let known = ["!DOCTYPE html", "html lang=\"en\"", "head", "meta charset=\"utf-8\"", "/head", "body",
                "p dir=\"auto\"", "p", "/p", "strong", "/strong", "br", "a href=", "/a", "hr", "/body", "/html"];
            for piece in made.html.split('<').skip(1) {
                let tag = piece.split('>').next().unwrap();
                prop_assert!(known.contains(&tag) || tag.starts_with("a href=\"https://m.example"), "{}", tag);
            }
        }
    }
}
