//! Which agents are alike enough to be decided together: whoever has looked at one boundary has
//! looked at all of them.

use crate::agent::AgentFacts;
use crate::import::changes;

/// The facts as far as agents that are alike share them: everything that policy reads, save
/// what each has of its own: purpose, workload identity, and the names of its credentials.
fn shared(facts: &AgentFacts) -> AgentFacts {
    let mut out = facts.clone();
    out.purpose.clear();
    out.workload_identity.clear();
    for credential in &mut out.credentials {
        credential.kind.key().clone_into(&mut credential.name);
        credential.last_rotated.clear();
    }
    out.credentials.sort_by_key(|c| (c.kind, c.ttl_seconds));
    out
}

/// How an agent's boundary differs from another's, by the labels of the facts; empty when the
/// two are alike.
pub fn unlike(one: &AgentFacts, other: &AgentFacts) -> Vec<String> {
    let (one, other) = (shared(one), shared(other));
    if one.boundary_sha256() == other.boundary_sha256() {
        return Vec::new();
    }
    changes(&one, &other).into_iter().filter(|c| c.boundary).map(|c| c.label.to_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::{CredentialKind, CredentialUse, DataClass};

    #[test]
    fn what_each_has_of_its_own_does_not_count_and_the_rest_does() {
        let with = |n: u8, kind| {
            let mut f = AgentFacts::named(format!("Sorter {n}"));
            f.purpose = format!("Sorts belt {n}.");
            f.workload_identity = format!("spiffe://example.org/sorter/{n}");
            f.credentials = vec![CredentialUse {
                name: format!("key {n}"),
                kind,
                ttl_seconds: Some(600),
                kept_in: "vault".into(),
                last_rotated: String::new(),
            }];
            f
        };
        let one = with(1, CredentialKind::ShortLived);
        assert_eq!(unlike(&one, &with(2, CredentialKind::ShortLived)), Vec::<String>::new());
        assert_eq!(unlike(&one, &with(2, CredentialKind::JustInTime)), ["credentials"]);
        let mut other = with(2, CredentialKind::ShortLived);
        other.data = DataClass::Restricted;
        assert_eq!(unlike(&one, &other).len(), 1);
    }
}
