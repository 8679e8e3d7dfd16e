//! Which addresses Muster may call. A webhook is typed by people: without this, Muster would
//! carry their requests into the network that it stands in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address that is not called, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// This machine.
    #[error("it is this machine itself")]
    Loopback,
    /// A private network.
    #[error("it is in a private network")]
    Private,
    /// A link-local address; cloud metadata lives there.
    #[error("it is a link-local address")]
    LinkLocal,
    /// Many at once.
    #[error("it is a multicast or broadcast address")]
    Multicast,
    /// Nowhere in particular.
    #[error("it is no address of a single machine")]
    Unspecified,
    /// Set aside for documentation, tests or the future.
    #[error("it is reserved")]
    Reserved,
}

/// Whether Muster may call the address while private targets are not allowed.
pub fn allowed(address: IpAddr) -> Result<(), Forbidden> {
    match address {
        IpAddr::V4(v4) => v4_allowed(v4),
        IpAddr::V6(v6) => v6_allowed(v6),
    }
}

fn v4_allowed(v4: Ipv4Addr) -> Result<(), Forbidden> {
    let [a, b, c, _] = v4.octets();
    match (a, b, c) {
        (0, ..) => Err(Forbidden::Unspecified),
        (127, ..) => Err(Forbidden::Loopback),
        // 100.64/10 is shared by the customers of a carrier, or of a cloud.
        (10, ..) | (172, 16..=31, _) | (192, 168, _) | (100, 64..=127, _) => Err(Forbidden::Private),
        (169, 254, _) => Err(Forbidden::LinkLocal),
        (224..=239, ..) => Err(Forbidden::Multicast),
        _ if v4.is_broadcast() => Err(Forbidden::Multicast),
        (192, 0, 0 | 2) | (198, 18 | 19, _) | (198, 51, 100) | (203, 0, 113) | (240..=255, ..) => {
            Err(Forbidden::Reserved)
        }
        _ => Ok(()),
    }
}

fn v6_allowed(v6: Ipv6Addr) -> Result<(), Forbidden> {
    let s = v6.segments();
    if v6.is_unspecified() {
        return Err(Forbidden::Unspecified);
    }
    if v6.is_loopback() {
        return Err(Forbidden::Loopback);
    }
    // An IPv4 address in another coat: mapped, compatible, NAT64, 6to4.
    let inner = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    if s[..5] == [0; 5] && matches!(s[5], 0 | 0xffff) {
        return v4_allowed(inner(s[6], s[7]));
    }
    if s[..6] == [0x64, 0xff9b, 0, 0, 0, 0] {
        return v4_allowed(inner(s[6], s[7]));
    }
    if s[0] == 0x2002 {
        return v4_allowed(inner(s[1], s[2]));
    }
    match s[0] {
        // The second range was once site-local.
        0xfc00..=0xfdff | 0xfec0..=0xfeff => Err(Forbidden::Private),
        0xfe80..=0xfebf => Err(Forbidden::LinkLocal),
        0xff00..=0xffff => Err(Forbidden::Multicast),
        // Global addresses lie in 2000::/3; of these, 2001:0::/23 and 2001:db8::/32 are special.
        0x2001 if s[1] < 0x200 || s[1] == 0xdb8 => Err(Forbidden::Reserved),
        0x2000..=0x3fff => Ok(()),
        _ => Err(Forbidden::Reserved),
    }
}

/// Longest address of a webhook, in characters.
const URL_MAX: usize = 1000;

/// The address of a webhook as typed, checked for its form: `https`, a host, no user and no
/// fragment; `plain` takes `http` too, for networks of one's own. Where the host leads is
/// looked at again at every call.
pub fn target(url: &str, plain: bool) -> Result<String, &'static str> {
    let url = url.trim();
    if url.is_empty() {
        return Err("Enter the address that Muster calls, such as https://ops.example.org/stop.");
    }
    if url.chars().count() > URL_MAX {
        return Err("An address may have at most 1000 characters.");
    }
    if url.chars().any(|c| c.is_whitespace() || c.is_control() || !c.is_ascii()) {
        return Err("Write the address without blanks, and letters outside ASCII as %-codes or xn-- names.");
    }
    let schemes: &[&str] = if plain { &["https://", "http://"] } else { &["https://"] };
    let found = schemes.iter().find(|s| url.get(..s.len()).is_some_and(|start| start.eq_ignore_ascii_case(s)));
    let Some((scheme, rest)) = found.map(|scheme| (*scheme, &url[scheme.len()..])) else {
        return Err("The address must begin with https://, so that nobody on the way reads or changes the call.");
    };
    if rest.contains('#') {
        return Err("Leave out what follows #: it is never sent.");
    }
    let authority = rest.split(['/', '?', '\\']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err("Leave out user and password: the call is signed instead.");
    }
    let host = authority.rsplit_once(':').map_or(authority, |(host, port)| {
        if port.is_empty() || port.bytes().all(|b| b.is_ascii_digit()) { host } else { authority }
    });
    if host.is_empty() || rest.contains('\\') {
        return Err("The address names no host.");
    }
    Ok(format!("{scheme}{rest}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_within_is_not_called() {
        for (text, why) in [
            ("127.0.0.1", Forbidden::Loopback),
            ("127.255.255.254", Forbidden::Loopback),
            ("10.1.2.3", Forbidden::Private),
            ("172.16.0.1", Forbidden::Private),
            ("172.31.255.255", Forbidden::Private),
            ("192.168.1.1", Forbidden::Private),
            ("100.64.0.1", Forbidden::Private),
            ("169.254.169.254", Forbidden::LinkLocal),
            ("224.0.0.1", Forbidden::Multicast),
            ("255.255.255.255", Forbidden::Multicast),
            ("0.0.0.0", Forbidden::Unspecified),
            ("0.1.2.3", Forbidden::Unspecified),
            ("198.18.0.1", Forbidden::Reserved),
            ("203.0.113.9", Forbidden::Reserved),
            ("240.0.0.1", Forbidden::Reserved),
            ("::", Forbidden::Unspecified),
            ("::1", Forbidden::Loopback),
            ("::ffff:127.0.0.1", Forbidden::Loopback),
            ("::ffff:10.0.0.1", Forbidden::Private),
            ("::10.0.0.1", Forbidden::Private),
            ("64:ff9b::a9fe:a9fe", Forbidden::LinkLocal),
            ("2002:7f00:1::", Forbidden::Loopback),
            ("fc00::1", Forbidden::Private),
            ("fd12:3456::1", Forbidden::Private),
            ("fe80::1", Forbidden::LinkLocal),
            ("fec0::1", Forbidden::Private),
            ("ff02::1", Forbidden::Multicast),
            ("2001:db8::1", Forbidden::Reserved),
            ("2001::1", Forbidden::Reserved),
            ("100::1", Forbidden::Reserved),
        ] {
            assert_eq!(allowed(text.parse().unwrap()), Err(why), "{text}");
        }
        for text in ["1.1.1.1", "172.32.0.1", "172.15.0.1", "100.128.0.1", "93.184.216.34", "2606:4700::1111"] {
            assert_eq!(allowed(text.parse().unwrap()), Ok(()), "{text}");
        }
    }

    #[test]
    fn a_target_is_https_and_names_a_host() {
        for good in ["https://ops.example.org/stop?agent=1", "https://ops.example.org:8443", "https://[2606:4700::1]/x"]
        {
            assert_eq!(target(good, false).as_deref(), Ok(good));
        }
        assert_eq!(target(" HTTPS://a.example ", false).as_deref(), Ok("https://a.example"));
        assert_eq!(target("http://10.0.0.1:8080/stop", true).as_deref(), Ok("http://10.0.0.1:8080/stop"));
        for bad in [
            "",
            "http://a.example",
            "https://",
            "https://:443/",
            "https://u:p@a.example",
            "https://a.example/#x",
            "https://a b",
            "ftp://a",
            "https://é.example",
            "https://a\\@b",
        ] {
            assert!(target(bad, false).is_err(), "{bad}");
        }
    }

    proptest! {
        /// Whatever coat an IPv4 address wears, the answer is the same.
        #[test]
        fn a_coat_changes_nothing(bits: u32) {
            let v4 = Ipv4Addr::from(bits);
            prop_assert_eq!(allowed(IpAddr::V6(v4.to_ipv6_mapped())), allowed(IpAddr::V4(v4)));
            if v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_multicast() || v4.is_unspecified() {
                prop_assert!(allowed(IpAddr::V4(v4)).is_err());
            }
        }
    }
}
