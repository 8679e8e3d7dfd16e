//! Calendars as RFC 5545 writes them: pure text, escaped, folded at 75 octets, lines ended by
//! CR and LF.

use chrono::{DateTime, Utc};

/// The longest line, in octets, its end left out.
const LINE: usize = 75;

/// An entry of a calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What the entry is, the same each time the calendar is read.
    pub uid: String,
    /// When it is due.
    pub at: DateTime<Utc>,
    /// In a few words.
    pub title: String,
    /// More of it; may be empty.
    pub about: String,
    /// Where to do it, a whole address.
    pub link: String,
}

/// A calendar of what is due. What was due before `now` stands on the present day, so that it
/// is seen, with the day on which it was due.
pub fn written(name: &str, entries: &[Entry], now: DateTime<Utc>) -> String {
    let mut out = String::new();
    let mut line = |text: &str| {
        out.push_str(&folded(text));
        out.push_str("\r\n");
    };
    line("BEGIN:VCALENDAR");
    line("VERSION:2.0");
    line("PRODID:-//Muster//What is due//EN");
    line("CALSCALE:GREGORIAN");
    line("METHOD:PUBLISH");
    line(&format!("X-WR-CALNAME:{}", escaped(name)));
    line("REFRESH-INTERVAL;VALUE=DURATION:PT1H");
    for entry in entries {
        let late = entry.at < now;
        line("BEGIN:VEVENT");
        line(&format!("UID:{}", escaped(&entry.uid)));
        line(&format!("DTSTAMP:{}", stamp(now)));
        if late {
            line(&format!("DTSTART;VALUE=DATE:{}", now.format("%Y%m%d")));
            line(&format!(
                "SUMMARY:{}",
                escaped(&format!("Overdue since {}: {}", entry.at.format("%Y-%m-%d"), entry.title))
            ));
        } else {
            line(&format!("DTSTART:{}", stamp(entry.at)));
            line(&format!("SUMMARY:{}", escaped(&entry.title)));
        }
        if !entry.about.is_empty() {
            line(&format!("DESCRIPTION:{}", escaped(&entry.about)));
        }
        line(&format!("URL:{}", address(&entry.link)));
        line("TRANSP:TRANSPARENT");
        line("END:VEVENT");
    }
    line("END:VCALENDAR");
    out
}

fn stamp(at: DateTime<Utc>) -> String {
    at.format("%Y%m%dT%H%M%SZ").to_string()
}

/// A text value: backslash, semicolon, comma and line breaks are written with a backslash, and
/// no other control character is left.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' | ';' | ',' => {
                out.push('\\');
                out.push(c);
            }
            '\r' => {
                if chars.peek() == Some(&'\n') {
                    chars.next();
                }
                out.push_str("\\n");
            }
            '\n' => out.push_str("\\n"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// An address as a value: no character that would end the line.
fn address(link: &str) -> String {
    link.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect()
}

/// A line, broken so that none has more than 75 octets and no character is cut; what goes on
/// begins with a blank.
pub fn folded(line: &str) -> String {
    let mut out = String::with_capacity(line.len() + line.len() / LINE * 3);
    let mut width = 0;
    for c in line.chars() {
        if width + c.len_utf8() > LINE {
            out.push_str("\r\n ");
            width = 1;
        }
        out.push(c);
        width += c.len_utf8();
    }
    out
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;

    fn unescaped(text: &str) -> String {
        let mut out = String::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            match c {
                '\\' => match chars.next() {
                    Some('n') => out.push('\n'),
                    Some(other) => out.push(other),
                    None => panic!("a backslash at the end"),
                },
                c => out.push(c),
            }
        }
        out
    }

    proptest! {
        /// Whatever a title holds: lines are short, no character is cut, and a reader gets it
        /// back, with one line break for each and blanks for other controls.
        #[test]
        fn a_reader_gets_back_what_was_written(title in any::<String>(), long in "[aäß漢😀,;\\\\\n]{0,300}") {
            for text in [title, long] {
                let at = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
                let entry = Entry {
                    uid: "x@muster".into(), at, title: text.clone(), about: String::new(), link: "https://m.test/a".into(),
                };
                let written = written("Due", &[entry], at);
                prop_assert!(written.ends_with("\r\n"));
                for line in written.trim_end_matches("\r\n").split("\r\n") {
                    prop_assert!(line.len() <= LINE, "{line}");
                    prop_assert!(!line.chars().any(char::is_control), "{line:?}");
                }
                let whole = written.replace("\r\n ", "");
                let summary = whole.split("\r\n").find_map(|l| l.strip_prefix("SUMMARY:")).unwrap();
                let plain: String = text.replace("\r\n", "\n").replace('\r', "\n")
                    .chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect();
                prop_assert_eq!(unescaped(summary), plain);
            }
        }
    }

    #[test]
    fn what_is_overdue_stands_on_the_present_day() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let of = |days| Entry {
            uid: format!("{days}@muster"),
            at: now + TimeDelta::days(days),
            title: "Drill, now; or later".into(),
            about: String::new(),
            link: "https://m.test/agents/AG-1\r\nX:1".into(),
        };
        let text = written("Due", &[of(-3), of(2)], now);
        assert!(text.starts_with("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:"), "{text}");
        assert!(
            text.contains(
                "DTSTART;VALUE=DATE:20241004\r\nSUMMARY:Overdue since 2024-10-01: Drill\\, now\\; or later\r\n"
            ),
            "{text}"
        );
        assert!(text.contains("DTSTART:20241006T000000Z\r\nSUMMARY:Drill\\, now"), "{text}");
        assert!(text.contains("URL:https://m.test/agents/AG-1X:1\r\n"), "an address ends no line: {text}");
        assert_eq!(text.matches("UID:").count(), 2);
    }
}
