//! What the operator decides. Every option is also an environment variable.

use std::net::IpAddr;
use std::str::FromStr;

use axum::http::Uri;

/// How the server behaves.
#[derive(Debug, Clone)]
pub struct Config {
    /// The address under which people reach it.
    pub base_url: BaseUrl,
    /// How many proxies of ours stand in front, each adding to `X-Forwarded-For`.
    pub trusted_proxies: usize,
    /// Alerts and activity rows taken each second before 429.
    pub intake_per_s: u32,
    /// Webhooks may lead into private networks, and be called without TLS.
    pub allow_private_targets: bool,
    /// Where e-mail leaves; without it, notices are read in Muster alone.
    pub mail: Option<Mail>,
}

/// Where e-mail leaves, and from whom it is.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The server that takes it.
    pub smtp: Smtp,
    /// The sender, such as `Muster <muster@example.org>`.
    pub from: String,
}

/// How the connection to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// TLS from the first byte.
    Tls,
    /// Plain at first, then TLS, or nothing is sent.
    StartTls,
    /// None: only to this machine itself.
    None,
}

/// A mail server: `smtps://user:password@host:465` (TLS), `smtp://user:password@host:587`
/// (STARTTLS), and on this machine itself also `smtp://localhost:25` (plain).
#[derive(Clone, PartialEq, Eq)]
pub struct Smtp {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub protection: Protection,
    /// User and password.
    pub login: Option<(String, String)>,
}

impl std::fmt::Debug for Smtp {
    /// Without the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl std::fmt::Display for Smtp {
    /// Host, port and protection: what everybody may read.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let how = match self.protection {
            Protection::Tls => "TLS",
            Protection::StartTls => "STARTTLS",
            Protection::None => "unprotected, on this machine",
        };
        write!(f, "{}:{} ({how})", self.host, self.port)
    }
}

/// The address of a mail server that is none. It is not repeated: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the address of the mail server must be such as smtps://user:password@mail.example.org or smtp://mail.example.org:587, with % for special characters in the password"
)]
pub struct BadSmtp;

impl FromStr for Smtp {
    type Err = BadSmtp;
    fn from_str(s: &str) -> Result<Self, BadSmtp> {
        let (scheme, rest) = s.trim().split_once("://").ok_or(BadSmtp)?;
        let tls = match scheme {
            "smtps" => true,
            "smtp" => false,
            _ => return Err(BadSmtp),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (login, authority) = match rest.rsplit_once('@') {
            Some((login, authority)) => {
                let (user, password) = login.split_once(':').ok_or(BadSmtp)?;
                (Some((decoded(user)?, decoded(password)?)), authority)
            }
            None => (None, rest),
        };
        let uri: Uri = format!("http://{authority}").parse().map_err(|_| BadSmtp)?;
        if uri.path() != "/" || uri.query().is_some() {
            return Err(BadSmtp);
        }
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(BadSmtp)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_lowercase();
        let here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        let (protection, port) = match (tls, here) {
            (true, _) => (Protection::Tls, 465),
            (false, true) => (Protection::None, 25),
            (false, false) => (Protection::StartTls, 587),
        };
        Ok(Self { host, port: uri.port_u16().unwrap_or(port), protection, login })
    }
}

/// Text with `%40` for special characters.
fn decoded(text: &str) -> Result<String, BadSmtp> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let pair = [bytes.next().ok_or(BadSmtp)?, bytes.next().ok_or(BadSmtp)?];
            out.extend(hex::decode(pair).map_err(|_| BadSmtp)?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).map_err(|_| BadSmtp)
}

impl Config {
    /// Cookies travel over https only, and browsers are told so.
    pub const fn secure(&self) -> bool {
        self.base_url.https
    }
}

/// `https://muster.example.org`: a scheme and an authority, nothing more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    https: bool,
    authority: String,
}

impl BaseUrl {
    /// The scheme, `://` and the authority, as a browser writes `Origin`.
    pub fn origin(&self) -> String {
        format!("{}://{}", if self.https { "https" } else { "http" }, self.authority)
    }

    /// The host and, where it is not the scheme's own, the port.
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

impl std::fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.origin())
    }
}

/// A base URL that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the base URL “{0}” must be such as https://muster.example.org, without a path")]
pub struct BadBaseUrl(String);

impl FromStr for BaseUrl {
    type Err = BadBaseUrl;
    fn from_str(s: &str) -> Result<Self, BadBaseUrl> {
        let bad = || BadBaseUrl(s.chars().take(200).collect());
        let uri: Uri = s.trim_end_matches('/').parse().map_err(|_| bad())?;
        let https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(bad()),
        };
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(bad)?.to_lowercase();
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() || s.contains('@') {
            return Err(bad());
        }
        let own = if https { 443 } else { 80 };
        let authority = match uri.port_u16().filter(|port| *port != own) {
            Some(port) => format!("{host}:{port}"),
            None => host,
        };
        Ok(Self { https, authority })
    }
}

/// What an address is counted as: an IPv6 network of 64 bits belongs to one customer.
pub fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let s = v6.segments();
            format!("{:x}:{:x}:{:x}:{:x}::/64", s[0], s[1], s[2], s[3])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_is_a_scheme_and_an_authority() {
        for (given, origin) in [
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("https://Muster.example.org/", "https://muster.example.org"),
            ("https://muster.example.org:443", "https://muster.example.org"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            assert_eq!(given.parse::<BaseUrl>().unwrap().origin(), origin, "{given}");
        }
        for bad in ["", "muster", "ftp://a.b", "https://", "https://a.b/path", "https://u@a.b", "https://a.b?x"] {
            assert!(bad.parse::<BaseUrl>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_mail_server_is_reached_protected_unless_it_is_this_machine() {
        for (given, told, login) in [
            ("smtps://mail.example.org", "mail.example.org:465 (TLS)", None),
            ("smtp://u%40x:p%3Aw@Mail.example.org", "mail.example.org:587 (STARTTLS)", Some(("u@x", "p:w"))),
            ("smtp://127.0.0.1:2525/", "127.0.0.1:2525 (unprotected, on this machine)", None),
            ("smtp://localhost", "localhost:25 (unprotected, on this machine)", None),
            ("smtps://u:p@[::1]:1465", "::1:1465 (TLS)", Some(("u", "p"))),
        ] {
            let smtp: Smtp = given.parse().unwrap();
            assert_eq!(smtp.to_string(), told, "{given}");
            let found = smtp.login.as_ref().map(|(user, password)| (user.as_str(), password.as_str()));
            assert_eq!(found, login, "{given}");
            assert!(!format!("{smtp:?}").contains("p:w"));
        }
        for bad in ["", "mail.example.org", "http://a.b", "smtp://", "smtp://u@a.b", "smtp://a.b/x", "smtp://u:%zz@a.b"]
        {
            assert_eq!(bad.parse::<Smtp>(), Err(BadSmtp), "{bad}");
        }
    }

    #[test]
    fn an_ipv6_network_counts_as_one() {
        assert_eq!(network("2001:db8:1:2:3::4".parse().unwrap()), "2001:db8:1:2::/64");
        assert_eq!(network("::ffff:10.0.0.1".parse().unwrap()), "10.0.0.1");
    }
}
