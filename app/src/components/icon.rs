//! Line icons on a 16-unit grid, drawn in the colour of the text beside them. Always beside a
//! word, or in a control that has an accessible name: they are hidden from screen readers.

use leptos::prelude::*;

/// Which icon.
#[expect(missing_docs, reason = "the names say it")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glyph {
    Home,
    Agent,
    Person,
    Team,
    Import,
    Export,
    Record,
    Settings,
    Help,
    Search,
    Menu,
    Cross,
    Check,
    Clock,
    Bell,
    Flag,
    Review,
    Framework,
    Chart,
    Plus,
    Filter,
    Columns,
    Stop,
    Shield,
    Left,
    Right,
}

impl Glyph {
    const fn path(self) -> &'static str {
        match self {
            Self::Home => "M2.5 7.5 8 3l5.5 4.5M4 6.5V13h8V6.5M6.75 13V9.5h2.5V13",
            Self::Agent => {
                "M4.5 4.5h7v7h-7zM6.5 2v2.5M9.5 2v2.5M6.5 11.5V14M9.5 11.5V14M2 6.5h2.5M2 9.5h2.5M11.5 6.5H14M11.5 9.5H14"
            }
            Self::Person => "M8 8a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM3 13.5c.6-2.4 2.6-3.5 5-3.5s4.4 1.1 5 3.5",
            Self::Team => {
                "M6 7.5A2.25 2.25 0 1 0 6 3a2.25 2.25 0 0 0 0 4.5zM1.75 13c.5-2.3 2.1-3.5 4.25-3.5s3.75 1.2 4.25 3.5M10.5 3.2a2.25 2.25 0 0 1 0 4.1M12 9.8c1.2.5 2 1.6 2.25 3.2"
            }
            Self::Import => "M8 2.5v7M5 7l3 3 3-3M2.5 11v2.5h11V11",
            Self::Export => "M8 10V2.5M5 5.5l3-3 3 3M2.5 11v2.5h11V11",
            Self::Record => "M4 2.5h8v11H4zM6 5.5h4M6 8h4M6 10.5h2.5",
            Self::Settings => "M2.5 4.5H9M12.5 4.5h1M2.5 11.5h1M7 11.5h6.5M10.75 2.75v3.5M5.25 9.75v3.5",
            Self::Help => {
                "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM6.2 6.3c.2-1 .9-1.6 1.8-1.6 1 0 1.8.7 1.8 1.6 0 1.3-1.8 1.5-1.8 2.8M8 11.3h.01"
            }
            Self::Search => "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.3 10.3l3.2 3.2",
            Self::Menu => "M2.5 4.5h11M2.5 8h11M2.5 11.5h11",
            Self::Cross => "M4 4l8 8M12 4l-8 8",
            Self::Check => "M3 8.5l3.2 3.2L13 4.8",
            Self::Clock => "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 4.75V8l2.25 1.5",
            Self::Bell => "M4 11V7a4 4 0 0 1 8 0v4l1 1.25H3zM6.75 14h2.5",
            Self::Flag => "M3.5 14V2.5H12l-2 3 2 3H3.5",
            Self::Review => "M13 8a5 5 0 1 1-1.5-3.6M13 2.25V5h-2.75",
            Self::Framework => "M2.5 2.5H7V7H2.5zM9 2.5h4.5V7H9zM2.5 9H7v4.5H2.5zM9 9h4.5v4.5H9z",
            Self::Chart => "M2.5 13.5h11M4.5 11V8M8 11V4.5M11.5 11V6.5",
            Self::Plus => "M8 3v10M3 8h10",
            Self::Filter => "M2.5 4h11M4.5 8h7M6.5 12h3",
            Self::Columns => "M2.5 3h11v10h-11zM6.2 3v10M9.8 3v10",
            Self::Stop => "M5.5 2h5L14 5.5v5L10.5 14h-5L2 10.5v-5zM8 5v3.5M8 11h.01",
            Self::Shield => "M8 2l5 1.75V8c0 2.9-2 5-5 6-3-1-5-3.1-5-6V3.75zM5.75 8l1.65 1.65L10.5 6.5",
            Self::Left => "M10 3.5 5.5 8l4.5 4.5",
            Self::Right => "M6 3.5 10.5 8 6 12.5",
        }
    }
}

/// A decorative icon.
#[component]
pub fn Icon(
    /// Which.
    glyph: Glyph,
) -> impl IntoView {
    view! { <svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d=glyph.path()></path></svg> }
}
