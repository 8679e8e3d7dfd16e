//! Help about requests: asking, deciding, and what follows.

use leptos::prelude::*;

use super::heading;
use crate::components::{IntoPiece, Piece, Section};

/// The part about requests.
pub(super) fn asking() -> Piece {
    view! {
        <Section title=heading("approvals") id="approvals">
            <div class="prose">
            <p>"A draft is asked for on its page. The "<a href="/policy">"policy"</a>" computes from its boundary who decides, and why; that is shown before it is asked. What is decided on is exactly that boundary, by its SHA-256: if it changes meanwhile, the request is void and what was decided counts no more."</p>
            <p>"Each step belongs to a duty and is decided by whoever is Accountable for it at that moment. Nobody decides what they asked for: that step goes to their manager. Business, security, customers, vendor and law check each other, so each of these is somebody’s only part; one person may answer several technical parts. While a capacity is vacant, a security lead appoints somebody for 14 days. Whoever is away delegates for a while, and stays accountable."</p>
            <p>"A decider approves, approves with conditions, asks a question, or rejects with a reason. A condition is a task with an owner and a date; once the date has passed it is a finding. Nothing is approved by silence: a step is overdue after its days, escalates to the decider’s manager and security, who see it under Escalated, and the request lapses at last."</p>
            <p>"An approved agent becomes active once its runtime owner has accepted and can stop it, every required duty is held, and, at high or critical tier in production, a stop drill was passed in time. A long-lived secret or a shared account blocks approval."</p>
            <p>"What was approved is never edited in place. A change of scope is a request of its own, which asks again only whom it touches. What an import or a program sees that differs from what was approved is kept beside it, flagged as drift, and offered as such a change. A suspended agent runs again once the business owner and whoever holds the capacity that suspended it have approved that."</p>
            </div>
        </Section>
    }
    .piece()
}
