//! Where the points of a tier come from: on the agent's page, and while its form is filled.

use crate::components::IntoPiece;
use domain::tier::Point;
use leptos::prelude::*;

/// The points of a tier: which fact gave how many.
#[component]
pub fn Points(
    /// In the order of the formula.
    because: Vec<Point>,
) -> impl IntoView {
    let total: u32 = because.iter().map(|point| point.points).sum();
    let rows = because
        .into_iter()
        .map(|point| {
            let class = (point.points == 0).then_some("muted");
            view! { <tr class=class><td>{point.fact}</td><td class="num">{point.points}</td></tr> }
        })
        .collect_view();
    view! {
        <table class="points">
            <caption class="visually-hidden">"Which fact gives how many points"</caption>
            <tbody>{rows}</tbody>
            <tfoot><tr><th scope="row">"Points"</th><td class="num">{total}</td></tr></tfoot>
        </table>
    }
    .piece()
}
