//! What a boundary allows at worst, in one sentence for whoever decides on it.

use crate::agent::{Access, AgentFacts, Autonomy, DataClass, Exposure, ToolKind};

/// The worst that these facts allow, in one sentence.
pub fn worst_case(facts: &AgentFacts) -> String {
    let mut parts: Vec<String> = Vec::new();
    parts.push(match facts.autonomy {
        Autonomy::ActsAlone => "Without anybody looking, it".into(),
        Autonomy::ActsUnderSupervision | Autonomy::Unknown => "Before anybody steps in, it".into(),
        Autonomy::ActsWithApproval => "If whoever approves its actions is careless, it".into(),
        Autonomy::Suggests => "If somebody follows it blindly, it".into(),
    });
    let mut harm: Vec<String> = Vec::new();
    let named = |list: Vec<&str>| list.join(", ");
    let of =
        |access: Access| facts.tools.iter().filter(|t| t.access == access).map(|t| t.name.as_str()).collect::<Vec<_>>();
    if facts.tools.iter().any(|t| t.kind == ToolKind::CodeExecution) {
        harm.push("runs code that nobody wrote".into());
    }
    if !of(Access::Admin).is_empty() {
        harm.push(format!("changes anything in {}", named(of(Access::Admin))));
    }
    if !of(Access::Write).is_empty() {
        harm.push(format!("writes wrongly to {}", named(of(Access::Write))));
    }
    match facts.data {
        DataClass::Restricted => harm.push("discloses restricted data".into()),
        DataClass::Confidential => harm.push("discloses confidential data".into()),
        _ => {}
    }
    match facts.exposure {
        Exposure::Public => harm.push("misleads the public".into()),
        Exposure::CustomerFacing => harm.push("misleads customers".into()),
        _ => {}
    }
    if harm.is_empty() {
        harm.push("gives wrong advice".into());
    }
    let last = harm.pop().unwrap_or_default();
    parts.push(if harm.is_empty() { last } else { format!("{} and {last}", harm.join(", ")) });
    format!("{}.", parts.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::{Sensitivity, ToolGrant};

    #[test]
    fn the_worst_grows_with_what_it_reaches() {
        let mut f = AgentFacts::named("x");
        f.autonomy = Autonomy::Suggests;
        f.data = DataClass::Internal;
        f.exposure = Exposure::Internal;
        assert_eq!(worst_case(&f), "If somebody follows it blindly, it gives wrong advice.");
        f.autonomy = Autonomy::ActsAlone;
        f.data = DataClass::Restricted;
        f.tools = vec![ToolGrant {
            name: "Ledger".into(),
            kind: ToolKind::InternalApi,
            sensitivity: Sensitivity::High,
            access: Access::Write,
            scope: String::new(),
        }];
        assert_eq!(
            worst_case(&f),
            "Without anybody looking, it writes wrongly to Ledger and discloses restricted data."
        );
    }
}
