//! One form that offers all that a person answers for to somebody else.

use chrono::{DateTime, Utc};
use domain::party::Party as Who;
use leptos::prelude::*;

use super::{Named, WHO, counted, suggestions};
use crate::components::{
    Checkbox, Confirm, Day, DidYouMean, ErrorSummary, Field, IntoPiece, Notice, Refused, TextArea, Tone,
};

/// As typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HandoverForm {
    /// To whom: a person or a team.
    pub to: String,
    /// Why.
    pub reason: String,
    /// That what is on offer to others already is taken back.
    pub take_back: bool,
}

/// Duties of theirs that are on offer to somebody else, who has not answered yet.
#[derive(Debug, Clone)]
pub struct Away {
    /// To whom.
    pub party: Who,
    /// Their name.
    pub name: String,
    /// How many.
    pub count: u64,
    /// Since when the oldest.
    pub since: DateTime<Utc>,
}

/// What is on offer already, to whom, since when.
pub(super) fn away(list: &[Away]) -> Option<impl IntoView + use<>> {
    if list.is_empty() {
        return None;
    }
    let lines = list
        .iter()
        .map(|a| {
            let verb = if a.count == 1 { "is" } else { "are" };
            let what = format!("{} {verb} offered to ", counted(a.count, "duty", "duties"));
            view! { <li>{what}<a href=a.party.path() dir="auto">{a.name.clone()}</a>" since "<Day at=a.since/>", not yet accepted."</li> }
        })
        .collect_view();
    Some(view! { <Notice tone=Tone::Note><ul class="plain-list">{lines}</ul></Notice> })
}

/// The form, below what would have no owner.
#[component]
pub fn Handover(
    /// Where it posts.
    action: String,
    /// The form, fresh or refused.
    form: Refused<HandoverForm>,
    /// How many duties it offers, in words.
    what: String,
    /// What is on offer to somebody already.
    offered: Vec<Away>,
    /// People to suggest.
    suggested: Vec<Named>,
) -> impl IntoView {
    let Refused { values, errors } = form;
    let open = !errors.is_empty() || !values.to.is_empty();
    let open_offers = (!offered.is_empty()).then(|| {
        view! {
            {away(&offered)}
            <Checkbox name="take_back" value="yes" label="Take back those offers" checked=values.take_back
                hint="They end, and what they were about is offered anew. Without it nothing is offered while they are open."/>
        }
    });
    view! {
        <Confirm label="Hand it all over…" action=action confirm=format!("Offer {what}") calm=true open=open>
            <ErrorSummary errors=errors.clone()/>
            <p>"One offer for each duty. Each changes hands when it is accepted; until then whoever owns it now still does. What teams hold is handed over by giving the team another lead."</p>
            <Field name="to" label="To" value=values.to error=errors.of("to") required=true list="successors" autocomplete="off"
                hint=format!("{WHO} A team by name or reference, such as TE-2.")/>
            {suggestions("successors", &suggested)}
            <DidYouMean field="to" errors=errors.clone()/>
            {open_offers}
            <TextArea name="handover_reason" label="Reason" value=values.reason error=errors.of("handover_reason") rows=2
                hint="They read it with the offer."/>
        </Confirm>
    }
    .piece()
}
