//! Help: frameworks.

use leptos::prelude::*;

use crate::components::{IntoPiece, Piece, Section};

/// What the catalogues are, and how they hang together.
pub(super) fn catalogued() -> Piece {
    view! {
        <Section id="frameworks" title=super::heading("frameworks")>
            <div class="prose">
                <p><a href="/frameworks">"Frameworks"</a> " holds eleven catalogues of what others ask: OWASP, NIST, CSA, ISO, the EU and MITRE, each in one version and under its own licence, which is shown wherever its words are. Where only titles may be shown, the sentence beside a title is ours and says so."</p>
                <ul class="notes">
                    <li><strong>"Search"</strong>" finds words, references and their other spellings. A loose reference such as A1 leads to what it is taken for, and the page says “cited as A1”."</li>
                    <li><strong>"Related nodes"</strong>" come from a crosswalk. Each pair says who made it: a publication, or our judgement with its reason."</li>
                    <li><strong>"What evidences it here"</strong>" names the records of this register that bear on a node, how far, and why no further. A record that contributes is never a whole answer, however many there are."</li>
                    <li><strong>"Coverage"</strong>" counts pairs of node and agent at this very second: met, partly met, excepted, missing, not assessed, not applicable. Every number leads to its agents and says why each stands so. What is not assessed stays in the denominator; the page prints the formula, and what is measured and what is not."</li>
                    <li><strong>"Change or attest"</strong>", on the page of a node, is for risk analysts and security leads: which records evidence it, for which agents it counts, and what is attested with evidence where no record shows it. Whoever decides that answers for it. Attestations, and that a node is not for some agents, end with their day, within twelve months."</li>
                </ul>
            </div>
        </Section>
    }
    .piece()
}
