//! Help about the policy, delegation and calendars.

use leptos::prelude::*;

use super::heading;
use crate::components::{IntoPiece, Piece, Section};

/// The part about the policy and about deciding in somebody's place.
pub(super) fn deciding() -> Piece {
    view! {
        <Section id="policy" title=heading("policy")>
            <div class="prose">
                <p>"The " <a href="/policy">"policy"</a> " says whose approval an agent needs, by its boundary: always, in production, where it is regulated, and so on. It also says, by risk tier, how long a step may take, how long an approval lasts, how often an agent is reviewed, and how long an exception may last. Everybody may read it. Every version stays, with who wrote it and why."</p>
                <p>"A security lead changes it. The form first shows what the change does to the agents there are: how many more would need which approver, how many fewer, each number a link to those agents. Approvals that are asked a step more fall due again."</p>
                <p>"A policy is weaker when some agent needs an approver less, when a formal second approval no longer comes last, or when an approval, a review or an exception gets more days. Once two people are administrator or security lead, a weaker policy waits for another of them to confirm it, at most 7 days. Anything else is in force at once."</p>
                <p>"Whoever is away lets somebody else decide in their place, under " <a href="/account/delegation">"Your account"</a> ": for at most 90 days, with a reason. Whoever delegates stays accountable. What was delegated is not passed on, and nobody decides so about what they asked for themselves."</p>
                <p>"Your account also makes a secret link to a calendar of what is due for you: duties to confirm, stop drills, offers that lapse, imports. Whoever has the link reads that calendar without signing in, so it is shown once; replace it or end it there."</p>
            </div>
        </Section>
    }
    .piece()
}
