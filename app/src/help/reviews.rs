//! Help: periodic review and campaigns.

use leptos::prelude::*;

use crate::components::{IntoPiece, Piece, Section};

/// How agents are reviewed.
pub(super) fn reviewing() -> Piece {
    view! {
        <Section id="reviews" title=super::heading("reviews")>
            <div class="prose">
                <p>"An approval says what an agent may do. A review asks, again and again, whether it still does only that. How often depends on its tier and is part of the policy; what is overdue is computed from the last review or approval and the clock, and is listed under " <a href="/reviews">"Reviews"</a> "."</p>
                <ul class="notes">
                    <li>"The review owner answers; of an agent that is not in production, its business owner."</li>
                    <li>"Its owners, risk analysts and security leads may ask for one at any time. One that is due its own reviewer begins: it is then asked in the name of the security owner, since nobody decides their own request."</li>
                    <li>"The reviewer sees the purpose, the boundary, who owns what, what is wrong, and the stops, drills and changes since the last review. Where no source reports what the agent did, that is said: not observed. The attestation says it too."</li>
                    <li><strong>"Attest"</strong>": all is as it should be. " <strong>"Change"</strong>": its system owner gets a task with a date. " <strong>"Retire"</strong>": its retirement owner does. " <strong>"Put off"</strong>": once, with a reason, for half of the cadence at most."</li>
                    <li>"A change of the boundary voids an open review: what was looked at is not what is there."</li>
                </ul>
                <p>"A " <strong>"campaign"</strong> " asks for a review of each agent of a selection, until one day. Pick the agents in the inventory, or filter it, and press “Review…”. Several reviews are attested by one press only where nothing is wrong with any of the agents, and each is recorded apart."</p>
            </div>
        </Section>
    }
    .piece()
}
