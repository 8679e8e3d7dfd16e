//! E-mail by SMTP. The Message-ID carries the delivery, so that a receiver can tell repeats.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use domain::notice::letter::Letter;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::PoolConfig;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use crate::config::{Mail, Protection};

/// How long each step of a conversation with a mail server may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Connections kept for what comes next.
const KEPT: u32 = 4;

/// Sends e-mail.
#[derive(Debug, Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    told: String,
}

/// Whether a text names a sender.
pub fn is_sender(text: &str) -> bool {
    text.parse::<Mailbox>().is_ok()
}

impl Mailer {
    /// Prepares to send; connects to nothing yet. `None` where the sender is none or TLS cannot
    /// be had, which the start of Muster has refused before.
    pub fn new(mail: &Mail) -> Option<Self> {
        let from: Mailbox = mail.from.parse().ok()?;
        let smtp = &mail.smtp;
        let tls = match smtp.protection {
            Protection::None => Tls::None,
            Protection::Tls => Tls::Wrapper(TlsParameters::new(smtp.host.clone()).ok()?),
            Protection::StartTls => Tls::Required(TlsParameters::new(smtp.host.clone()).ok()?),
        };
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(smtp.host.clone())
            .port(smtp.port)
            .tls(tls)
            .timeout(Some(PATIENCE))
            .pool_config(PoolConfig::new().max_size(KEPT));
        if let Some((user, password)) = &smtp.login {
            transport = transport.credentials(Credentials::new(user.clone(), password.clone()));
        }
        Some(Self { transport: transport.build(), from, told: smtp.to_string() })
    }

    /// Where e-mail leaves, without what opens it.
    pub fn told(&self) -> &str {
        &self.told
    }

    /// From whom e-mail is.
    pub fn from(&self) -> String {
        self.from.to_string()
    }

    /// Sends a letter. `Ok` once the server has taken it over; otherwise what it said.
    pub async fn send(
        &self,
        delivery: &str,
        (name, email): (&str, &str),
        letter: Letter,
        now: DateTime<Utc>,
    ) -> Result<(), String> {
        let message = self.message(delivery, (name, email), letter, now)?;
        // A conversation has several steps; none of them may hold a sender for long.
        match tokio::time::timeout(PATIENCE * 2, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(causes(&error)),
            Err(_) => Err(format!("the mail server took longer than {} s", PATIENCE.as_secs() * 2)),
        }
    }

    fn message(
        &self,
        delivery: &str,
        (name, email): (&str, &str),
        letter: Letter,
        now: DateTime<Utc>,
    ) -> Result<Message, String> {
        let address: Address = email.parse().map_err(|e| format!("the address {email} is none: {e}"))?;
        let domain = self.from.email.domain();
        let mut message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(Some(name.to_owned()), address))
            .subject(letter.subject)
            .message_id(Some(format!("<{delivery}@{domain}>")))
            .date(SystemTime::from(now))
            .multipart(MultiPart::alternative_plain_html(letter.text, letter.html))
            .map_err(|e| e.to_string())?;
        // Nobody's machine answers a machine.
        for (header, value) in [("Muster-Delivery", delivery), ("Auto-Submitted", "auto-generated")] {
            if let Ok(header) = HeaderName::new_from_ascii(header.to_owned()) {
                message.headers_mut().insert_raw(HeaderValue::new(header, value.to_owned()));
            }
        }
        Ok(message)
    }
}

/// What went wrong, with what is behind it.
fn causes(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_said = cause.to_string();
        if !said.contains(&cause_said) {
            said = format!("{said}: {cause_said}");
        }
        next = cause.source();
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_message_says_which_delivery_it_is_and_names_stay_names() {
        let mail = Mail { smtp: "smtp://127.0.0.1".parse().unwrap(), from: "Muster <muster@example.org>".into() };
        let mailer = Mailer::new(&mail).unwrap();
        let letter =
            Letter {
                subject: "Ana asks: “جاهز؟” 🤖".into(), text: "Text, وكيل".into(), html: "<p>HTML</p>".into()
            };
        let to = ("Ana \"A\" <x@y>, Ötker", "ana@example.org");
        let made = mailer.message("d-1", to, letter, DateTime::UNIX_EPOCH).unwrap();
        let text = String::from_utf8(made.formatted()).unwrap();
        for said in [
            "Message-ID: <d-1@example.org>\r\n",
            "Muster-Delivery: d-1\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "Content-Type: text/plain",
            "Content-Type: text/html",
            "multipart/alternative",
            "1 Jan 1970 00:00:00",
        ] {
            assert!(text.contains(said), "{said}\n{text}");
        }
        assert_eq!(made.envelope().to().len(), 1, "{text}");
        assert!(is_sender("muster@example.org") && !is_sender("muster") && !is_sender(""));
    }
}
