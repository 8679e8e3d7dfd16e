//! How an agent ends.

use domain::retirement::{RowKind, watch_days};
use domain::tier::Tier as Level;
use leptos::prelude::*;

use crate::components::{IntoPiece, Section, TableFrame};

/// The part of the help page about retirement.
#[component]
pub fn Retirement() -> impl IntoView {
    let rows = RowKind::ALL
        .iter()
        .map(|kind| {
            view! {
                <tr>
                    <th scope="row">{kind.label()}</th>
                    <td data-label="Who">{kind.duty().owner_title()}</td>
                    <td data-label="What it takes" class="text">{kind.told()}</td>
                </tr>
            }
            .piece()
        })
        .collect_view();
    let days = Level::ALL
        .iter()
        .map(|tier| format!("{} {}", tier.label().to_lowercase(), watch_days(*tier)))
        .collect::<Vec<_>>()
        .join(", ");
    view! {
        <Section title="Retiring an agent" id="retirement">
            <p>"Its owners, whoever registered it, risk analysts and security leads start it from the agent's page. From that moment the agent is retiring: what else was asked about it is void, and it does not come back."</p>
            <TableFrame label="The rows of a retirement" stacks=true>
                <thead><tr><th scope="col">"Row"</th><th scope="col">"Who"</th><th scope="col">"What it takes"</th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
            <p>"There is one row for each credential and each tool. Where nobody holds a row's duty, the retirement owner does it, and then the runtime owner."</p>
            <p>"A bare link is claimed. A file, kept under its SHA-256, or a webhook's signed callback is verified. High and critical tiers need verified evidence."</p>
            <p>{format!("The watch begins when it is shown that the agent is stopped, and lasts by tier, in days: {days}. A sign of life begins it anew.")}</p>
            <p>"Security leads may waive a row, or the signature of a vacant signer, with a reason that stays on the tombstone; never the one who asked. When every row is closed, the business owner and the identity owner sign. A signer who refuses ends that retirement; the next one begins with what was done."</p>
        </Section>
    }
    .piece()
}
