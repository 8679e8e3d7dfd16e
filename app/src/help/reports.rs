//! Help: reports and evidence packs.

use leptos::prelude::*;

use crate::components::{IntoPiece, Piece, Section};

/// What is read, printed and handed to an auditor.
pub(super) fn reporting() -> Piece {
    view! {
        <Section id="reports" title=super::heading("reports")>
            <div class="prose">
                <p>"Under " <a href="/reports">"Reports"</a> " is what a meeting reads, as a page for the screen and for paper, as PDF, and as CSV."</p>
                <ul class="notes">
                    <li><strong>"Posture"</strong>": how many agents nobody can stop, which business unit is worst, which duties have no owner, and what changed since a day that you choose. The numbers are those of this moment; the past is what the counters said at each midnight (UTC). A day on which no server ran is missing, and nothing is filled in."</li>
                    <li><strong>"Dossier"</strong>" of an agent: what it is, who answers for what and since when, how it is stopped, what was decided and by whom."</li>
                    <li><strong>"Evidence pack"</strong>" of an agent: a ZIP with the dossier, tables, every row that is kept about it, the files of evidence, and the events of the record. " <code>"sha256sum -c SHA256SUMS"</code> " checks the files, and " <code>"python3 verify.py"</code> " the record too: each event gives its own hash and names the one before it, and each row is what its event recorded. Neither needs Muster. That a pack was made is in the record, with the SHA-256 of its manifest, so a pack can be told from another."</li>
                </ul>
                <p>"Whoever may see how an agent is stopped, and its past, may have both: its owners, security, risk and auditors. The part of the record that is about other agents too is only in packs of those who read the record."</p>
            </div>
        </Section>
    }
    .piece()
}
