//! Help: exceptions, from asking to their end.

use leptos::prelude::*;

use crate::components::{IntoPiece, Piece, Section};

/// How a rule is broken with permission, and how that ends.
pub(super) fn excepting() -> Piece {
    view! {
        <Section id="exceptions" title=super::heading("exceptions")>
            <div class="prose">
                <p>"An exception says that an agent may break one rule for a while, why, and what is done instead. It begins and ends by the clock: from its first second its finding does not count, and from the second it ends it counts again, whoever looks or does not."</p>
                <p>"Ask from the finding on an agent’s page: “Except this”. The form shows who will decide and how long it may last before anything is asked. One exception may cover up to 200 agents, all of a system, or every agent with a label."</p>
                <ul class="notes">
                    <li><strong>"Three agree"</strong>": the owner of the control, to what is done instead; the business owner, to the risk that remains; security. Of a regulated agent the regulatory approver decides last. Nobody decides what they asked for: their step goes to their manager."</li>
                    <li><strong>"It always ends"</strong>": the policy says after how many days at most, by the tier of the riskiest agent. What is still wrong then is out of policy from that second; one may choose that it also stops the agents."</li>
                    <li><strong>"Something is done instead"</strong>": each compensating control has an owner and a date by which somebody looks whether it is done. What was not looked at in time is a finding, and the exception is not renewed until it is."</li>
                    <li><strong>"A renewal is decided again"</strong>", with a new reason, and only so often as the policy says. A new exception for the same rule and agent within 90 days counts as one."</li>
                    <li><strong>"Ended early"</strong>": whoever asked, or an owner who agreed, closes it when it is not needed any more; security or the owner of the control revokes it."</li>
                    <li>"That nobody can stop a running agent is never excepted."</li>
                </ul>
                <p>"Risk is likelihood times impact, each from 1 to 5: below 5 it is low, from 5 moderate, from 10 high, from 17 very high. The number tells deciders how to weigh it; no rule reads it."</p>
                <p>"All of them are listed under " <a href="/exceptions">"Exceptions"</a> ", as a table or along a " <a href="/exceptions?view=timeline">"timeline"</a> ". Their ends and the dates of your controls are in your calendar too."</p>
            </div>
        </Section>
    }
    .piece()
}
