//! One form that offers all that a person answers for to somebody else.

use leptos::prelude::*;

use super::{Named, WHO, suggestions};
use crate::components::{Confirm, ErrorSummary, Field, IntoPiece, Refused, TextArea};

/// As typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HandoverForm {
    /// To whom: a person or a team.
    pub to: String,
    /// Why.
    pub reason: String,
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
    /// People to suggest.
    suggested: Vec<Named>,
) -> impl IntoView {
    let Refused { values, errors } = form;
    let open = !errors.is_empty();
    view! {
        <Confirm label="Hand it all over…" action=action confirm=format!("Offer {what}") calm=true open=open>
            <ErrorSummary errors=errors.clone()/>
            <p>"One offer for each duty. Each changes hands when it is accepted; until then whoever owns it now still does. What teams hold is handed over by giving the team another lead."</p>
            <Field name="to" label="To" value=values.to error=errors.of("to") required=true list="successors" autocomplete="off"
                hint=format!("{WHO} A team by name or reference, such as TE-2.")/>
            {suggestions("successors", &suggested)}
            <TextArea name="handover_reason" label="Reason" value=values.reason error=errors.of("handover_reason") rows=2
                hint="They read it with the offer."/>
        </Confirm>
    }
    .piece()
}
