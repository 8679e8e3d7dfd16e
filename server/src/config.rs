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
    fn an_ipv6_network_counts_as_one() {
        assert_eq!(network("2001:db8:1:2:3::4".parse().unwrap()), "2001:db8:1:2::/64");
        assert_eq!(network("::ffff:10.0.0.1".parse().unwrap()), "10.0.0.1");
    }
}
