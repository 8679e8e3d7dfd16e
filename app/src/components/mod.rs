//! The shared components: one file per family. Pages write `use crate::components::*;`.
//!
//! They take plain strings and small structs of their own, so that they can show any noun.
//! None writes a `style` attribute: the content security policy forbids it.

pub mod address;
pub mod button;
pub mod chart;
pub mod facts;
pub mod form;
pub mod head;
pub mod icon;
#[cfg(feature = "ssr")]
pub mod markup;
pub mod moment;
pub mod notice;
pub mod piece;
pub mod reference;
pub mod table;
pub mod tone;

pub use address::Address;
pub use button::{Button, Confirm, Kind, LinkButton};
pub use chart::{Meter, Segment, Sparkline, StackedBar, Stat, Stats};
pub use facts::{Fact, Facts};
pub use form::{
    Checkbox, CheckboxGroup, Choice, DidYouMean, ErrorSummary, Field, FieldErrors, FieldGroup, Fit, PostForm,
    RadioGroup, Refused, Select, Suggestions, TextArea,
};
pub use head::{Crumb, Crumbs, PageHead, Section, Tab, Tabs};
pub use icon::{Glyph, Icon};
#[cfg(feature = "ssr")]
pub use markup::Markup;
pub use moment::{Day, When, exact, relative};
pub use notice::{Empty, Flash, Notice};
pub use piece::{IntoPiece, Piece, Slot};
pub use reference::{Party, Ref, href_of};
pub use table::{
    Bulk, Chips, Column, ColumnPicker, Filter, FilterMenu, Listing, Pager, RowPick, SearchBox, TableFrame, TableHead,
    thousands,
};
pub use tone::{Badge, Lifecycle, RunningState, Severity, StopState, Swatch, Tier, Tone, stop_state_words};
