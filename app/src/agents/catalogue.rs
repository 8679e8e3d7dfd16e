//! Help that the rules write themselves: every check with its formula, and the tier's formula.

use domain::agent::{
    Access, AgentFacts, Autonomy, CredentialKind, CredentialUse, DataClass, Environment, Exposure, Hosting,
    Sensitivity, ToolGrant, ToolKind,
};
use domain::finding::{FindingKey, Severity as Weight};
use domain::tier::{self, Tier as Level};
use leptos::prelude::*;

use crate::components::{Crumb, Crumbs, IntoPiece, PageHead, Section, Severity, TableFrame, Tier};

/// How bad a finding of each key is, and when it is less so.
const fn sense(key: FindingKey) -> (Weight, &'static str) {
    match key {
        FindingKey::NoRuntimeOwner => {
            (Weight::Critical, "Medium while the agent does not run. Never waits for onboarding while it runs.")
        }
        FindingKey::RuntimeOwnerInactive => (Weight::Critical, "Medium while the agent does not run."),
        FindingKey::RuntimeOwnerPending | FindingKey::RuntimeOwnerUnable => {
            (Weight::High, "Low while the agent does not run.")
        }
        FindingKey::RuntimeOwnerUntested => (Weight::Medium, "Low while the agent does not run."),
        FindingKey::OwnerUnreachable => (Weight::Medium, "Low while the agent does not run. Waits for onboarding."),
        FindingKey::NoOwner => {
            (Weight::High, "High for purpose and policy of an agent that runs, medium otherwise. Waits for onboarding.")
        }
        FindingKey::JustificationEnded
        | FindingKey::ApprovalDue
        | FindingKey::ReviewOverdue
        | FindingKey::DecisionOverdue => (Weight::Medium, ""),
        FindingKey::Drift | FindingKey::ConditionOverdue | FindingKey::ControlUnchecked => (Weight::High, ""),
        FindingKey::HandoverMissing => (Weight::Medium, "Waits for onboarding."),
        FindingKey::StopReviewOverdue | FindingKey::OwnerInactive | FindingKey::RegulatoryConflict => {
            (Weight::High, "")
        }
        FindingKey::NoResponsible
        | FindingKey::OwnershipUnconfirmed
        | FindingKey::LifecycleSplit
        | FindingKey::NameMissing
        | FindingKey::PossibleDuplicate => (Weight::Low, "Waits for onboarding."),
        FindingKey::NeverApproved | FindingKey::LongLivedCredential => (Weight::High, "Waits for onboarding."),
    }
}

/// Every check; goes inside `Layout`.
#[component]
pub fn Findings() -> impl IntoView {
    let rows = FindingKey::ALL
        .iter()
        .map(|key| {
            let (severity, when) = sense(*key);
            view! {
                <tr id=key.key()>
                    <th scope="row"><a href=format!("/agents?finding={key}")>{key.label()}</a><br/><span class="ref muted">{key.key()}</span></th>
                    <td class="text" data-label="When">{key.formula()}</td>
                    <td class="text" data-label="How bad"><Severity severity=severity.key()/><span class="small muted block">{when}</span></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Crumbs trail=vec![Crumb::new("Help", "/help"), Crumb::here("Findings")]/>
        <PageHead title="Findings" lead="Every check that Muster makes of every agent, after every change and as time passes. A retired agent has none."/>
        <div class="prose">
            <p>"Gaps of an agent that came with an import count as onboarding until the target date of that import. They are shown apart and not counted as bad, with one exception: an agent that runs and that nobody can stop."</p>
        </div>
        <TableFrame label="Findings" stacks=true>
            <thead><tr><th scope="col">"Finding"</th><th scope="col">"When it holds"</th><th scope="col">"How bad"</th></tr></thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .piece()
}

/// Each fact that counts, with every value it may have and the points the formula gives it:
/// asked of the formula itself, so that this page cannot say otherwise.
fn formula() -> Vec<(String, Vec<(String, u32)>)> {
    let of = |change: &dyn Fn(&mut AgentFacts)| {
        let mut facts = AgentFacts::named("");
        change(&mut facts);
        facts
    };
    let tool =
        |access, sensitivity, kind| ToolGrant { name: "t".into(), kind, sensitivity, access, scope: String::new() };
    let mut tries: Vec<AgentFacts> = Vec::new();
    tries.extend(Autonomy::ALL.iter().map(|v| of(&|f| f.autonomy = *v)));
    tries.extend(Exposure::ALL.iter().map(|v| of(&|f| f.exposure = *v)));
    tries.extend(DataClass::ALL.iter().map(|v| of(&|f| f.data = *v)));
    tries.extend(Environment::ALL.iter().map(|v| of(&|f| f.environment = *v)));
    tries.extend([false, true].iter().map(|v| of(&|f| f.regulated = *v)));
    tries.extend(Hosting::ALL.iter().map(|v| of(&|f| f.hosting = *v)));
    tries.extend(Access::ALL.iter().map(|v| of(&|f| f.tools = vec![tool(*v, Sensitivity::Low, ToolKind::Other)])));
    tries.push(of(&|f| f.tools = vec![tool(Access::Read, Sensitivity::High, ToolKind::CodeExecution)]));
    tries.push(of(&|f| {
        f.credentials = vec![CredentialUse {
            name: "c".into(),
            kind: CredentialKind::LongLived,
            ttl_seconds: None,
            kept_in: String::new(),
            last_rotated: String::new(),
        }];
    }));
    let mut out: Vec<(String, Vec<(String, u32)>)> = Vec::new();
    for facts in tries {
        for point in tier::score(&facts).because {
            let (fact, value) = point.fact.split_once(": ").map_or((point.fact.as_str(), ""), |parts| parts);
            let at = out.iter().position(|(f, _)| f == fact).unwrap_or_else(|| {
                out.push((fact.to_owned(), Vec::new()));
                out.len() - 1
            });
            if !out[at].1.iter().any(|(v, _)| v == value) {
                out[at].1.push((value.to_owned(), point.points));
            }
        }
    }
    for (_, values) in &mut out {
        values.sort_by_key(|(_, points)| *points);
    }
    out
}

/// The formula of the risk tier; goes inside `Layout`.
#[component]
pub fn Tiers() -> impl IntoView {
    let levels = Level::ALL
        .iter()
        .map(|level| {
            view! {
                <tr>
                    <th scope="row"><a href=format!("/agents?tier={level}")><Tier tier=level.key()/></a></th>
                    <td data-label="Points">{level.range()}</td>
                    <td class="num" data-label="A stop drill proves for">{format!("{} days", level.drill_cadence_days())}</td>
                </tr>
            }
        })
        .collect_view();
    let facts = formula()
        .into_iter()
        .map(|(fact, values)| {
            let values = values
                .into_iter()
                .map(|(value, points)| view! { <li><span>{value}</span><span class="num">{points}</span></li> })
                .collect_view();
            view! { <tr><th scope="row">{fact}</th><td><ul class="values">{values}</ul></td></tr> }
        })
        .collect_view();
    view! {
        <Crumbs trail=vec![Crumb::new("Help", "/help"), Crumb::here("Risk tiers")]/>
        <PageHead title="Risk tiers" lead="The tier is the sum of points that facts give. Nobody sets it by hand; each agent's page shows its own sum."/>
        <TableFrame label="Tiers" stacks=true compact=true>
            <thead><tr><th scope="col">"Tier"</th><th scope="col">"Points"</th><th scope="col" class="num">"A stop drill proves for"</th></tr></thead>
            <tbody>{levels}</tbody>
        </TableFrame>
        <Section title="Points" id="points">
            <p class="small muted prose">"A riskier fact never gives fewer points. What is not stated counts as more than the least and less than the worst. Of several tools the one with the widest access counts."</p>
            <TableFrame label="Points by fact" compact=true>
                <thead><tr><th scope="col">"Fact"</th><th scope="col">"Value and points"</th></tr></thead>
                <tbody>{facts}</tbody>
            </TableFrame>
        </Section>
    }
    .piece()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_formula_tells_every_value_once() {
        let told = formula();
        assert_eq!(told.len(), 10, "{told:?}");
        let autonomy = &told[0];
        assert_eq!((autonomy.0.as_str(), autonomy.1.len()), ("Autonomy", Autonomy::ALL.len()));
        let tools = told.iter().find(|(fact, _)| fact == "Tools").unwrap();
        assert_eq!(tools.1.iter().map(|(_, p)| *p).collect::<Vec<_>>(), [0, 1, 2, 4]);
        for (fact, values) in &told {
            assert!(values.len() > 1, "{fact} has one value only");
        }
    }
}
