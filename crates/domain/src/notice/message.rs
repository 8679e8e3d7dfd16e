//! Notices as the messages that channels of the organisation take. What people typed is text in
//! each of them, never markup.

use serde_json::{Value, json};

use super::{Item, OutletKind};

/// The body for a channel of this kind; `delivery` is the same however often it is sent, `base`
/// is where Muster is.
pub fn body(kind: OutletKind, delivery: &str, item: &Item, base: &str) -> Value {
    match kind {
        OutletKind::Webhook => webhook(delivery, item, base),
        OutletKind::Slack => slack(item, base),
        OutletKind::Teams => teams(item, base),
    }
}

fn url(item: &Item, base: &str) -> String {
    format!("{base}{}", item.link)
}

fn title(item: &Item) -> String {
    format!("{}{}", if item.critical { "Urgent: " } else { "" }, item.what)
}

fn webhook(delivery: &str, item: &Item, base: &str) -> Value {
    json!({
        "delivery": delivery,
        "notice": item.id,
        "kind": item.kind,
        "critical": item.critical,
        "subject": item.subject,
        "what": item.what,
        "todo": item.todo,
        "url": url(item, base),
        "at": crate::record::timestamp(item.at),
    })
}

/// What is read where blocks are not: there `&`, `<` and `>` are markup.
fn slack_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn slack(item: &Item, base: &str) -> Value {
    let plain = |text: &str| json!({"type": "plain_text", "text": text, "emoji": false});
    let mut blocks = vec![json!({"type": "section", "text": plain(&title(item))})];
    if !item.todo.is_empty() {
        blocks.push(json!({"type": "section", "text": plain(&item.todo)}));
    }
    blocks.push(json!({
        "type": "actions",
        "elements": [{"type": "button", "text": plain("Open in Muster"), "url": url(item, base)}],
    }));
    json!({"text": format!("{} {}", slack_text(&title(item)), slack_text(&url(item, base))), "blocks": blocks})
}

fn teams(item: &Item, base: &str) -> Value {
    // Runs of text are shown as they are; a plain text block would read Markdown.
    let run = |text: &str, bold: bool| {
        let weight = if bold { "Bolder" } else { "Default" };
        json!({"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, "weight": weight}]})
    };
    let mut body = vec![run(&title(item), true)];
    if !item.todo.is_empty() {
        body.push(run(&item.todo, false));
    }
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.2",
                "body": body,
                "actions": [{"type": "Action.OpenUrl", "title": "Open in Muster", "url": url(item, base)}],
            },
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::NoticeKind;

    fn item() -> Item {
        Item {
            id: "n1".into(),
            kind: NoticeKind::AgentStopped,
            critical: true,
            subject: "AG-42".into(),
            what: "Ana stopped “<!channel> [x](http://evil)”.".into(),
            why: String::new(),
            todo: "Look at its stop.".into(),
            link: "/agents/AG-42/stop".into(),
            at: chrono::DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_webhook_says_everything_under_its_delivery() {
        let body = body(OutletKind::Webhook, "d1", &item(), "https://m.example");
        assert_eq!(body["delivery"], "d1");
        assert_eq!(body["url"], "https://m.example/agents/AG-42/stop");
        assert_eq!((&body["critical"], &body["kind"]), (&json!(true), &json!("agent-stopped")));
        assert_eq!(body["at"], "1970-01-01T00:00:00.000000Z");
    }

    #[test]
    fn chats_show_text_and_call_nobody() {
        let slack = body(OutletKind::Slack, "d1", &item(), "https://m.example");
        assert!(slack["text"].as_str().unwrap().starts_with("Urgent: Ana stopped “&lt;!channel&gt; "), "{slack}");
        assert_eq!(slack["blocks"][0]["text"]["type"], "plain_text");
        assert_eq!(slack["blocks"][2]["elements"][0]["url"], "https://m.example/agents/AG-42/stop");
        let teams = body(OutletKind::Teams, "d1", &item(), "https://m.example");
        let card = &teams["attachments"][0]["content"];
        assert_eq!(card["body"][0]["inlines"][0]["text"], "Urgent: Ana stopped “<!channel> [x](http://evil)”.");
        assert_eq!(card["actions"][0]["url"], "https://m.example/agents/AG-42/stop");
    }
}
