//! What runs here.

use leptos::prelude::*;

use crate::components::{Fact, Facts, IntoPiece, Piece, Section, thousands};

/// What runs here.
#[derive(Debug, Clone)]
pub struct About {
    /// The version of the program.
    pub version: String,
    /// The address under which people reach it.
    pub base_url: String,
    /// The database engine, in words.
    pub engine: &'static str,
    /// Whether the islands are built in.
    pub islands: bool,
    /// How many events the record holds; `None` for who does not read it.
    pub events: Option<u64>,
}

pub(super) fn about(about: About) -> Piece {
    let events = about.events.map(|n| {
        view! { <Fact term="Record"><a href="/audit">{format!("{} events", thousands(n))}</a></Fact> }
    });
    view! {
        <Section title="This Muster" id="about">
            <Facts>
                <Fact term="Version" value=about.version/>
                <Fact term="Address"><span class="ref">{about.base_url}</span></Fact>
                <Fact term="Database" value=about.engine/>
                <Fact term="Islands" value=if about.islands { "built in: pages are quicker to use with JavaScript" } else { "not built in: pages work by links and forms" }/>
                {events}
                <Fact term="Health">
                    <span class="row">
                        <a href="/healthz">"alive"</a>
                        <a href="/readyz">"ready"</a>
                        <span class="ref muted">"/metrics"</span>
                    </span>
                </Fact>
                <Fact term="More"><span class="row"><a href="/help">"Help"</a><a href="/api/docs">"API"</a></span></Fact>
            </Facts>
        </Section>
    }
    .piece()
}
