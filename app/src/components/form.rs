//! Forms that work without JavaScript and come back with what was typed.
//!
//! A form posts to its own page. Refused, the handler renders the same page with
//! [`Refused`]: the values as typed, and a message beside each field that is wrong.

use std::borrow::Cow;

use leptos::prelude::*;

use super::piece::{IntoPiece, Piece, Slot};
/// What is wrong, by field, in the order of the form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldErrors {
    said: Vec<(Cow<'static, str>, String)>,
    fits: Vec<(Cow<'static, str>, Vec<Fit>)>,
}

/// Somebody or something that fits what was typed into a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fit {
    /// By what name.
    pub name: String,
    /// Its reference, which decides.
    pub reference: String,
    /// What tells it from its namesakes.
    pub note: String,
}

impl Fit {
    /// As the field is filled when this one is chosen: the name, and the reference that decides.
    pub fn written(&self) -> String {
        format!("{} ({})", self.name, self.reference)
    }
}

impl FieldErrors {
    /// Nothing is wrong yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes what is wrong with a field; an empty name is about the whole form.
    pub fn add(&mut self, field: impl Into<Cow<'static, str>>, message: impl Into<String>) {
        self.said.push((field.into(), message.into()));
    }

    /// Notes what is wrong with a field, and what may have been meant.
    pub fn unclear(&mut self, field: &'static str, message: impl Into<String>, fits: Vec<Fit>) {
        self.add(field, message);
        if !fits.is_empty() {
            self.fits.push((field.into(), fits));
        }
    }

    /// What may have been meant in a field.
    pub fn fits(&self, field: &str) -> &[Fit] {
        self.fits.iter().find(|(name, _)| name == field).map_or(&[], |(_, fits)| fits.as_slice())
    }

    /// The message for a field, if there is one.
    pub fn of(&self, field: &str) -> Option<String> {
        self.said.iter().find(|(name, _)| name == field).map(|(_, message)| message.clone())
    }

    /// Nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.said.is_empty()
    }

    /// Every field and its message.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.said.iter().map(|(field, message)| (field.as_ref(), message.as_str()))
    }
}

/// A form as it was sent, and what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refused<F> {
    /// The values as typed.
    pub values: F,
    /// What is wrong.
    pub errors: FieldErrors,
}

impl<F> Refused<F> {
    /// A form not yet sent, with its first values.
    pub fn fresh(values: F) -> Self {
        Self { values, errors: FieldErrors::default() }
    }
}

/// One value to choose from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What is read.
    pub label: String,
    /// A sentence below the label (radio buttons and checkboxes only).
    pub hint: String,
    /// Choices with the same group stand together (selects only).
    pub group: String,
}

impl Choice {
    /// A value and its words.
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into(), ..Self::default() }
    }

    /// Adds a sentence below.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// Puts it into a group.
    #[must_use]
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.group = group.into();
        self
    }
}

/// The ids that tie a field to its hint and its message.
struct Ties {
    id: String,
    hint_id: String,
    error_id: String,
    described_by: Option<String>,
    invalid: Option<&'static str>,
}

impl Ties {
    fn new(name: &str, hint: &str, error: Option<&str>) -> Self {
        let id = format!("field-{name}");
        let hint_id = format!("{id}-hint");
        let error_id = format!("{id}-error");
        let mut by = Vec::new();
        if !hint.is_empty() {
            by.push(hint_id.as_str());
        }
        if error.is_some() {
            by.push(error_id.as_str());
        }
        let described_by = (!by.is_empty()).then(|| by.join(" "));
        Self { described_by, invalid: error.map(|_| "true"), id, hint_id, error_id }
    }
}

fn hint_line(id: String, hint: String) -> Option<impl IntoView> {
    (!hint.is_empty()).then(|| view! { <p class="hint" id=id>{hint}</p> })
}

fn error_line(id: String, error: Option<String>) -> Option<impl IntoView> {
    error.map(|error| view! { <p class="error" id=id>{error}</p> })
}

fn optional_mark(required: bool) -> Option<impl IntoView> {
    (!required).then(|| view! { " " <span class="optional">"(optional)"</span> })
}

/// A form that posts; without an action, to the page's own address.
#[component]
pub fn PostForm(
    /// Where to, if not here.
    #[prop(optional, into)]
    action: Option<String>,
    /// An id, for buttons elsewhere on the page.
    #[prop(optional, into)]
    id: Option<String>,
    /// Carries files.
    #[prop(optional)]
    files: bool,
    /// As wide as its place, not as wide as reads well.
    #[prop(optional)]
    wide: bool,
    /// Its fields, and `<div class="actions">` with its buttons.
    children: Slot,
) -> impl IntoView {
    let class = if wide { "form wide" } else { "form" };
    view! {
        <form method="post" class=class action=action id=id enctype=files.then_some("multipart/form-data") novalidate>
            {children.run()}
        </form>
    }
    .piece()
}

/// At the head of a refused form: what is wrong, each a link to its field. The page opens here,
/// whatever else on it would take the cursor.
#[component]
pub fn ErrorSummary(
    /// What is wrong; shows nothing when nothing is.
    errors: FieldErrors,
) -> impl IntoView {
    (!errors.is_empty())
        .then(|| {
            let title = match errors.said.len() {
                1 => "One thing needs correcting".to_owned(),
                count => format!("{count} things need correcting"),
            };
            let lines = errors
                .said
                .into_iter()
                .map(|(field, message)| {
                    if field.is_empty() {
                        view! { <li>{message}</li> }.piece()
                    } else {
                        view! { <li><a href=format!("#field-{field}")>{message}</a></li> }.piece()
                    }
                })
                .collect_view();
            view! { <div class="refused" role="alert" tabindex="-1" autofocus=true><h2>{title}</h2><ul>{lines}</ul></div> }
        })
        .piece()
}

/// One line of text.
#[expect(clippy::fn_params_excessive_bools, reason = "named props of a component, as HTML has them")]
#[component]
pub fn Field(
    /// Sent as; its id is `field-{name}`.
    #[prop(into)]
    name: String,
    /// Read as.
    #[prop(into)]
    label: String,
    /// As typed before.
    #[prop(optional, into)]
    value: String,
    /// What is wrong: `errors.of("name")`.
    #[prop(optional_no_strip, into)]
    error: Option<String>,
    /// A sentence above the input.
    #[prop(optional, into)]
    hint: String,
    /// The input's `type`.
    #[prop(default = "text")]
    kind: &'static str,
    /// Without it the label says "(optional)".
    #[prop(optional)]
    required: bool,
    /// What a browser may fill in, such as `email` or `current-password`.
    #[prop(optional)]
    autocomplete: Option<&'static str>,
    /// The phone's keyboard, such as `numeric`.
    #[prop(optional)]
    inputmode: Option<&'static str>,
    /// The longest text.
    #[prop(optional)]
    maxlength: Option<u32>,
    /// Least number or earliest date.
    #[prop(optional, into)]
    min: Option<String>,
    /// Greatest number or latest date.
    #[prop(optional, into)]
    max: Option<String>,
    /// The id of [`Suggestions`].
    #[prop(optional, into)]
    list: Option<String>,
    /// The files that may be chosen, such as `.csv`.
    #[prop(optional)]
    accept: Option<&'static str>,
    /// Narrow: a number, a date, a code.
    #[prop(optional)]
    short: bool,
    /// The cursor starts here; one a page.
    #[prop(optional)]
    autofocus: bool,
    /// Shown, not to be changed.
    #[prop(optional)]
    readonly: bool,
) -> impl IntoView {
    let ties = Ties::new(&name, &hint, error.as_deref());
    // a password is never sent back
    let value = if kind == "password" || kind == "file" { None } else { Some(value) };
    view! {
        <div class="field">
            <label for=ties.id.clone()>{label}{optional_mark(required || readonly)}</label>
            {hint_line(ties.hint_id, hint)}
            <input
                class=if short { "input short" } else { "input" }
                id=ties.id
                name=name
                r#type=kind
                dir=(kind == "text" || kind == "search").then_some("auto")
                value=value
                required=required
                autocomplete=autocomplete
                inputmode=inputmode
                maxlength=maxlength.map(|most| most.to_string())
                min=min
                max=max
                list=list
                accept=accept
                autofocus=autofocus
                readonly=readonly
                aria-invalid=ties.invalid
                aria-describedby=ties.described_by
            />
            {error_line(ties.error_id, error)}
        </div>
    }
    .piece()
}

/// Values that a [`Field`] with `list` suggests while one types.
#[component]
pub fn Suggestions(
    /// Its id.
    #[prop(into)]
    id: String,
    /// What is suggested.
    values: Vec<Choice>,
) -> impl IntoView {
    let values =
        values.into_iter().map(|choice| view! { <option value=choice.value>{choice.label}</option> }).collect_view();
    view! { <datalist id=id>{values}</datalist> }.piece()
}

/// Several lines of text.
#[component]
pub fn TextArea(
    /// Sent as.
    #[prop(into)]
    name: String,
    /// Read as.
    #[prop(into)]
    label: String,
    /// As typed before.
    #[prop(optional, into)]
    value: String,
    /// What is wrong.
    #[prop(optional_no_strip, into)]
    error: Option<String>,
    /// A sentence above the input.
    #[prop(optional, into)]
    hint: String,
    /// How many lines at first.
    #[prop(default = 4)]
    rows: u32,
    /// Without it the label says "(optional)".
    #[prop(optional)]
    required: bool,
    /// The longest text.
    #[prop(optional)]
    maxlength: Option<u32>,
    /// Shown, not to be changed.
    #[prop(optional)]
    readonly: bool,
) -> impl IntoView {
    let ties = Ties::new(&name, &hint, error.as_deref());
    view! {
        <div class="field">
            <label for=ties.id.clone()>{label}{optional_mark(required || readonly)}</label>
            {hint_line(ties.hint_id, hint)}
            <textarea
                class="input"
                id=ties.id
                name=name
                dir="auto"
                rows=rows.to_string()
                required=required
                readonly=readonly
                maxlength=maxlength.map(|most| most.to_string())
                aria-invalid=ties.invalid
                aria-describedby=ties.described_by
                inner_html=textarea_text(&value)
            ></textarea>
            {error_line(ties.error_id, error)}
        </div>
    }
    .piece()
}

/// A textarea's text as HTML. Leptos would write a space for an empty text, and a browser drops a
/// first line break, so that both would come back changed.
fn textarea_text(value: &str) -> String {
    if value.is_empty() {
        return String::new();
    }
    format!("\n{}", value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"))
}

/// One of several, as a drop-down.
#[component]
pub fn Select(
    /// Sent as.
    #[prop(into)]
    name: String,
    /// Read as.
    #[prop(into)]
    label: String,
    /// What to choose from.
    options: Vec<Choice>,
    /// The value chosen.
    #[prop(optional, into)]
    selected: String,
    /// Words of a first choice that sends nothing, such as "Choose a team".
    #[prop(optional, into)]
    blank: Option<String>,
    /// What is wrong.
    #[prop(optional_no_strip, into)]
    error: Option<String>,
    /// A sentence above.
    #[prop(optional, into)]
    hint: String,
    /// Without it the label says "(optional)".
    #[prop(optional)]
    required: bool,
    /// Narrow.
    #[prop(optional)]
    short: bool,
    /// Shown, not to be changed, and not sent.
    #[prop(optional)]
    disabled: bool,
) -> impl IntoView {
    let ties = Ties::new(&name, &hint, error.as_deref());
    let blank = blank.map(|words| view! { <option value="" selected=selected.is_empty()>{words}</option> });
    view! {
        <div class="field">
            <label for=ties.id.clone()>{label}{optional_mark(required)}</label>
            {hint_line(ties.hint_id, hint)}
            <select
                class=if short { "input short" } else { "input" }
                id=ties.id
                name=name
                required=required
                disabled=disabled
                aria-invalid=ties.invalid
                aria-describedby=ties.described_by
            >
                {blank}
                {grouped(options, &selected)}
            </select>
            {error_line(ties.error_id, error)}
        </div>
    }
    .piece()
}

/// Options, those with a group inside it, groups in the order in which they first appear.
pub(crate) fn grouped(options: Vec<Choice>, selected: &str) -> Vec<Piece> {
    let mut groups: Vec<(String, Vec<Choice>)> = Vec::new();
    for option in options {
        match groups.iter_mut().find(|(group, _)| *group == option.group) {
            Some((_, members)) => members.push(option),
            None => groups.push((option.group.clone(), vec![option])),
        }
    }
    groups
        .into_iter()
        .map(|(group, members)| {
            let members = members
                .into_iter()
                .map(|choice| {
                    let chosen = choice.value == selected;
                    view! { <option value=choice.value selected=chosen>{choice.label}</option> }
                })
                .collect_view();
            if group.is_empty() {
                members.piece()
            } else {
                view! { <optgroup label=group>{members}</optgroup> }.piece()
            }
        })
        .collect()
}

/// Yes or no. Sends `value` when ticked and nothing when not.
#[component]
pub fn Checkbox(
    /// Sent as.
    #[prop(into)]
    name: String,
    /// Read as.
    #[prop(into)]
    label: String,
    /// Sent when ticked.
    #[prop(default = "true".to_owned(), into)]
    value: String,
    /// Ticked.
    #[prop(optional)]
    checked: bool,
    /// What is wrong.
    #[prop(optional_no_strip, into)]
    error: Option<String>,
    /// A sentence below the label.
    #[prop(optional, into)]
    hint: String,
    /// Shown, not to be changed, and not sent.
    #[prop(optional)]
    disabled: bool,
) -> impl IntoView {
    let ties = Ties::new(&name, &hint, error.as_deref());
    view! {
        <div class="field">
            <div class="choice">
                <input
                    type="checkbox"
                    id=ties.id.clone()
                    name=name
                    value=value
                    checked=checked
                    disabled=disabled
                    aria-invalid=ties.invalid
                    aria-describedby=ties.described_by
                />
                <div>
                    <label for=ties.id>{label}</label>
                    {hint_line(ties.hint_id, hint)}
                </div>
            </div>
            {error_line(ties.error_id, error)}
        </div>
    }
    .piece()
}

/// Any of several.
#[component]
pub fn CheckboxGroup(
    /// Sent as, once for each ticked.
    #[prop(into)]
    name: String,
    /// What is asked.
    #[prop(into)]
    legend: String,
    /// What to choose from.
    options: Vec<Choice>,
    /// The values ticked.
    #[prop(optional)]
    selected: Vec<String>,
    /// What is wrong.
    #[prop(optional_no_strip, into)]
    error: Option<String>,
    /// A sentence below the question.
    #[prop(optional, into)]
    hint: String,
) -> impl IntoView {
    choices("checkbox", name, legend, options, selected, error, hint, true)
}

/// One of a few, all in sight.
#[component]
pub fn RadioGroup(
    /// Sent as.
    #[prop(into)]
    name: String,
    /// What is asked.
    #[prop(into)]
    legend: String,
    /// What to choose from.
    options: Vec<Choice>,
    /// The value chosen.
    #[prop(optional, into)]
    selected: String,
    /// What is wrong.
    #[prop(optional_no_strip, into)]
    error: Option<String>,
    /// A sentence below the question.
    #[prop(optional, into)]
    hint: String,
    /// Without it the question says "(optional)".
    #[prop(optional)]
    required: bool,
) -> impl IntoView {
    choices("radio", name, legend, options, vec![selected], error, hint, required)
}

#[expect(clippy::too_many_arguments, reason = "one body for two components; the arguments are their props")]
fn choices(
    kind: &'static str,
    name: String,
    legend: String,
    options: Vec<Choice>,
    selected: Vec<String>,
    error: Option<String>,
    hint: String,
    required: bool,
) -> Piece {
    let ties = Ties::new(&name, &hint, error.as_deref());
    let options = options
        .into_iter()
        .enumerate()
        .map(|(index, choice)| {
            // the first keeps the plain id, so that the error summary leads to it
            let id = if index == 0 { ties.id.clone() } else { format!("{}-{index}", ties.id) };
            let hint_id = format!("{id}-about");
            let chosen = selected.contains(&choice.value);
            let described_by = (!choice.hint.is_empty()).then(|| hint_id.clone());
            view! {
                <div class="choice">
                    <input
                        type=kind
                        id=id.clone()
                        name=name.clone()
                        value=choice.value
                        checked=chosen
                        aria-describedby=described_by
                    />
                    <div>
                        <label for=id>{choice.label}</label>
                        {hint_line(hint_id, choice.hint)}
                    </div>
                </div>
            }
        })
        .collect_view();
    view! {
        <fieldset class="field" aria-describedby=ties.described_by>
            <legend>{legend}{optional_mark(required)}</legend>
            {hint_line(ties.hint_id, hint)}
            {options}
            {error_line(ties.error_id, error)}
        </fieldset>
    }
    .piece()
}

/// Below a field that names somebody: those who fit what was typed, each a press away. The
/// press sends `choose` with the field and what to fill it with, and nothing is done yet.
#[component]
pub fn DidYouMean(
    /// The field's name.
    field: &'static str,
    /// What is wrong with the form.
    errors: FieldErrors,
) -> impl IntoView {
    let fits = errors.fits(field);
    (!fits.is_empty())
        .then(|| {
            let rows = fits
                .iter()
                .map(|fit| {
                    let value = format!("{field}:{}", fit.written());
                    view! { <li><button class="link" name="choose" value=value formnovalidate=true dir="auto">{fit.name.clone()}</button> " " <span class="ref muted">{fit.reference.clone()}</span> " " <span class="small muted">{fit.note.clone()}</span></li> }
                })
                .collect_view();
            view! {
                // Enter in a field sends the form; it must not choose one of those who fit.
                <button class="visually-hidden" tabindex="-1" aria-hidden="true">"Send"</button>
                <div class="fits"><p class="small">"Did you mean"</p><ul class="plain-list">{rows}</ul></div>
            }
        })
        .piece()
}

/// Fields that belong together, side by side where there is room.
#[component]
pub fn FieldGroup(
    /// What they are about; empty for fields that need no heading.
    #[prop(optional, into)]
    legend: String,
    /// A sentence below the heading.
    #[prop(optional, into)]
    hint: Option<Slot>,
    /// The fields.
    children: Slot,
) -> impl IntoView {
    if legend.is_empty() {
        return view! { <div class="fields">{children.run()}</div> }.piece();
    }
    view! {
        <fieldset>
            <legend class="legend-title">{legend}</legend>
            {hint.map(|hint| view! { <p class="small muted">{hint.run()}</p> })}
            <div class="fields">{children.run()}</div>
        </fieldset>
    }
    .piece()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    const NASTY: &str = r#""><script>alert('x')</script>&amp;"#;

    #[test]
    fn what_was_typed_comes_back_escaped() {
        let html =
            view! { <Field name="title" label="Title" value=NASTY error=Some("Too long.".to_owned()) hint="Short."/> }
                .to_html();
        assert!(!html.contains("<script>"), "{html}");
        assert!(html.contains(r#"value="&quot;&gt;&lt;script&gt;"#), "{html}");
        assert!(html.contains(r#"aria-invalid="true""#), "{html}");
        assert!(html.contains(r#"aria-describedby="field-title-hint field-title-error""#), "{html}");
        assert!(html.contains(r#"<p id="field-title-error" class="error">Too long.</p>"#), "{html}");
        assert!(html.contains(r#"for="field-title""#), "{html}");
    }

    #[test]
    fn a_field_without_error_is_not_invalid() {
        let html = view! { <Field name="title" label="Title" required=true/> }.to_html();
        assert!(!html.contains("aria-invalid") && !html.contains("aria-describedby"), "{html}");
        assert!(!html.contains("optional"), "{html}");
    }

    #[test]
    fn a_password_is_never_sent_back() {
        let html = view! { <Field name="password" label="Password" kind="password" value="hunter2"/> }.to_html();
        assert!(!html.contains("hunter2"), "{html}");
    }

    #[test]
    fn a_textarea_keeps_its_text_exactly() {
        let empty = view! { <TextArea name="why" label="Why"/> }.to_html();
        assert!(empty.contains("></textarea>"), "{empty}");
        let full = view! { <TextArea name="why" label="Why" value="\n</textarea><b>&amp;"/> }.to_html();
        assert!(full.contains(">\n\n&lt;/textarea&gt;&lt;b&gt;&amp;amp;</textarea>"), "{full}");
    }

    #[test]
    fn the_chosen_value_stays_chosen() {
        let options = vec![
            Choice::new("a", "A").group("First"),
            Choice::new("b", "B").group("Second"),
            Choice::new("c", "C").group("First"),
        ];
        let html =
            view! { <Select name="team" label="Team" options=options.clone() selected="c" blank="Choose"/> }.to_html();
        assert_eq!(html.matches("selected").count(), 1, "{html}");
        assert_eq!(html.matches("<optgroup").count(), 2, "{html}");
        let radios = view! { <RadioGroup name="team" legend="Team" options=options selected="b"/> }.to_html();
        assert_eq!(radios.matches("checked").count(), 1, "{radios}");
    }

    #[test]
    fn a_refusal_leads_to_each_field() {
        let mut errors = FieldErrors::new();
        errors.add("name", "Give it a name.");
        errors.add("", "Somebody changed it meanwhile.");
        let html = view! { <ErrorSummary errors=errors/> }.to_html();
        assert!(html.contains(r##"<a href="#field-name">Give it a name.</a>"##), "{html}");
        assert!(html.contains("2 things need correcting"), "{html}");
    }
}
