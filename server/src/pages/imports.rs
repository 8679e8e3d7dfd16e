//! `/agents/import`: sending an inventory, its columns, what would change, what was done.

use std::collections::BTreeMap;
use std::sync::Arc;

use app::components::{FieldErrors, Flash, Refused};
use app::imports::difference::FactChange;
use app::imports::{
    ColumnRow, Columns, Coming, Counts, Difference, DifferencePage, Done, DonePage, FixedRow, ImportPage, MapColumns,
    Row, Seen, Start, Tab, ValueMap, ValueRow, Waiting, WaveForm, WaveLine, WaveTerms,
};
use axum::extract::multipart::{Field as Part, Multipart, MultipartError, MultipartRejection};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::handler::Handler as _;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{Days, NaiveDate};
use domain::agent::{CredentialKind, Lifecycle, Running};
use domain::assignment::RuntimeOwner;
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::id::{PersonId, WaveId};
use domain::import::mapping::ListRule;
use domain::import::profile::plain;
use domain::import::vocabulary::says_nothing;
use domain::import::{Field, MAX_BYTES, Mapping, Note, guess};
use domain::text::fold;
use leptos::prelude::*;
use register::agents::list::{self, Query};
use register::assignments::Mode;
use register::imports::{self, Fate, Looked, Plan, Staged, Upload, Wish};
use register::{Error, people, settings};
use serde::{Deserialize, Serialize};

use super::people::suggested;
use crate::App;
use crate::page::{Answer, Fault, Fields, Here, Page, field_errors, see_other, see_other_saying};
use crate::routes::Routes;
use crate::signed::Signed;

/// Columns that the page shows at most; the rest is for a TOML file.
const SHOWN: usize = 200;
/// Words of one column that the page shows at most.
const WORDS: usize = 60;
/// Rows of the difference on one page.
const ROWS: usize = 50;
/// Names that match nobody, on one page.
const UNMATCHED: usize = 50;
/// Imports that are listed.
const WAVES: i64 = 20;
/// How far the agents of a wave are counted: more than a file can have.
const MOST_COUNTED: i64 = 1_000_000;
/// Facts that may be the same for every row.
const FIXED: [Field; 8] = [
    Field::Environment,
    Field::Stage,
    Field::Running,
    Field::Kind,
    Field::Exposure,
    Field::Data,
    Field::Autonomy,
    Field::Regulated,
];

pub(super) fn routes() -> Routes {
    Routes::page()
        .get("/agents/import", start)
        .post("/agents/import", send.layer(DefaultBodyLimit::max(MAX_BYTES + (1 << 20))))
        .get("/agents/import/{upload}", columns)
        .post("/agents/import/{upload}", choose)
        .get("/agents/import/{upload}/mapping.toml", mapping_file)
        .post("/agents/import/{upload}/mapping", take_mapping)
        .post("/agents/import/{upload}/discard", discard)
        .get("/agents/import/{upload}/diff", diff)
        .post("/agents/import/{upload}/diff", apply)
        .get("/agents/import/{upload}/refused.csv", refused_rows)
        .get("/agents/import/{upload}/done", done)
}

/// What was chosen so far for a staged file, as it is kept beside it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Chosen {
    mapping: String,
    kept: bool,
    owner: Option<PersonId>,
    target: String,
    record: bool,
    reason: String,
    done: Option<Finished>,
}

/// What came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Finished {
    wave: Option<WaveId>,
    counts: [usize; 5],
    appointed: usize,
    /// Duties that standing rules offered or recorded.
    #[serde(default)]
    by_rules: usize,
}

impl Chosen {
    fn of(upload: &Upload) -> Self {
        serde_json::from_str(&upload.form).unwrap_or_default()
    }

    fn mapping(&self) -> Mapping {
        Mapping::from_toml(&self.mapping).unwrap_or_default()
    }

    fn written(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    fn mode(&self) -> Mode {
        if self.record { Mode::Record } else { Mode::Offer }
    }
}

fn may_import(signed: &Signed) -> Result<(), Fault> {
    can(&signed.actor, Action::ImportRun, Relation::None).map_err(|e| Error::from(e).into())
}

/// Runs what costs processor time beside the reactor.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<Result<T, Error>, Fault> {
    tokio::task::spawn_blocking(work).await.map_err(Fault::broken)
}

async fn look(name: &str, bytes: &Arc<Vec<u8>>) -> Result<Result<Looked, Error>, Fault> {
    let (name, bytes) = (name.to_owned(), Arc::clone(bytes));
    aside(move || imports::look(&name, &bytes)).await
}

fn header_of(looked: &Looked) -> Vec<String> {
    looked.profile.columns.iter().map(|c| c.name.clone()).collect()
}

// ---- the beginning ----

async fn start(State(app): State<App>, signed: Signed) -> Answer {
    beginning(&app, &signed, FieldErrors::new()).await
}

async fn beginning(app: &App, signed: &Signed, errors: FieldErrors) -> Answer {
    let by = signed.by();
    let waiting = imports::uploads(&app.db, by)
        .await?
        .into_iter()
        .filter(|u| Chosen::of(u).done.is_none())
        .map(|u| Waiting { href: format!("/agents/import/{}", u.id), name: u.name, at: u.at })
        .collect();
    let number = |n: i64| u64::try_from(n).unwrap_or(0);
    let waves = imports::waves(&app.db, by, WAVES)
        .await?
        .into_iter()
        .map(|w| WaveLine {
            id: w.id,
            title: w.title,
            source: w.source,
            owner: w.owner,
            at: w.at,
            target: w.target_at,
            new: number(w.new),
            changed: number(w.changed),
            refused: number(w.refused),
        })
        .collect();
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let start = Start { errors, waiting, waves, hours: imports::KEPT_HOURS, now: signed.now };
    Ok(Page::new(app, signed, "Import").status(status).show(move || view! { <ImportPage start=start/> }))
}

/// The parts of a form with files: name, file name, bytes.
pub(super) async fn parts(
    form: Result<Multipart, MultipartRejection>,
) -> Result<Vec<(String, String, Vec<u8>)>, Fault> {
    let mut form = form.map_err(|e| Fault::malformed(e.body_text()))?;
    let mut out = Vec::new();
    while let Some(part) = form.next_field().await.map_err(too_large)? {
        let name = part.name().unwrap_or_default().to_owned();
        let file = part.file_name().unwrap_or_default().to_owned();
        out.push((name, file, bytes(part).await?));
    }
    Ok(out)
}

async fn bytes(mut part: Part<'_>) -> Result<Vec<u8>, Fault> {
    let mut out = Vec::new();
    while let Some(piece) = part.chunk().await.map_err(too_large)? {
        if out.len() + piece.len() > MAX_BYTES {
            return Err(over());
        }
        out.extend_from_slice(&piece);
    }
    Ok(out)
}

fn too_large(error: MultipartError) -> Fault {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE { over() } else { Fault::malformed(error.body_text()) }
}

fn over() -> Fault {
    let sentence = "The file has more than 64 MiB. Send it in parts, each with its header, under the same source.";
    Fault::new(StatusCode::PAYLOAD_TOO_LARGE, sentence).back("/agents/import")
}

async fn send(State(app): State<App>, signed: Signed, form: Result<Multipart, MultipartRejection>) -> Answer {
    may_import(&signed)?;
    let mut errors = FieldErrors::new();
    let (mut file, mut given) = (None, None);
    for (name, file_name, bytes) in parts(form).await? {
        match name.as_str() {
            "file" if !(file_name.is_empty() && bytes.is_empty()) => file = Some((file_name, Arc::new(bytes))),
            "mapping" if !bytes.is_empty() => given = Some(bytes),
            _ => {}
        }
    }
    let Some((name, bytes)) = file else {
        errors.add("file", "Choose a file.");
        return beginning(&app, &signed, errors).await;
    };
    let looked = match look(&name, &bytes).await? {
        Ok(looked) => looked,
        Err(error) => {
            let errors = field_errors(error)?;
            return beginning(&app, &signed, errors).await;
        }
    };
    let header = header_of(&looked);
    let mut chosen = Chosen { owner: Some(signed.id), ..Chosen::default() };
    let mapping = match given.map(|toml| read_mapping(&toml, &header, &looked)) {
        Some(Ok(mapping)) => mapping,
        Some(Err(sentence)) => {
            errors.add("mapping", sentence);
            return beginning(&app, &signed, errors).await;
        }
        None => match imports::mapping_for(&app.db, signed.by(), &looked.guess.source, false, &header).await? {
            Some(kept) => {
                chosen.kept = true;
                kept
            }
            None => looked.guess.clone(),
        },
    };
    chosen.mapping = mapping.to_toml();
    let mut reads = &app.db;
    let days = settings::load(&mut reads).await?.0.wave_days;
    let target = signed.now.date_naive().checked_add_days(Days::new(u64::try_from(days).unwrap_or(90)));
    chosen.target = target.map(|t| t.to_string()).unwrap_or_default();
    let bytes = Arc::try_unwrap(bytes).unwrap_or_else(|shared| (*shared).clone());
    let id = imports::put(&app.db, signed.by(), &name, bytes, &chosen.written()).await?;
    Ok(see_other(format!("/agents/import/{id}")))
}

/// A mapping that somebody sent, for this file.
fn read_mapping(toml: &[u8], header: &[String], looked: &Looked) -> Result<Mapping, String> {
    let text = std::str::from_utf8(toml).map_err(|_| "The mapping is not a TOML file in UTF-8.".to_owned())?;
    let mut mapping = Mapping::from_toml(text)?;
    if let Some(refusal) = mapping.refusal(header) {
        return Err(refusal);
    }
    if mapping.source.is_empty() {
        mapping.source.clone_from(&looked.guess.source);
    }
    Ok(mapping)
}

async fn discard(State(app): State<App>, signed: Signed, Path(id): Path<String>) -> Answer {
    let (upload, _) = imports::upload(&app.db, signed.by(), &id).await?;
    imports::discard(&app.db, signed.by(), &id).await?;
    Ok(see_other_saying(&app, "/agents/import", &Flash::good(format!("{} is forgotten.", upload.name))))
}

// ---- columns ----

/// A staged file, looked at again.
struct Staging {
    upload: Upload,
    bytes: Arc<Vec<u8>>,
    chosen: Chosen,
}

async fn staging(app: &App, signed: &Signed, id: &str) -> Result<Staging, Fault> {
    let (upload, bytes) = imports::upload(&app.db, signed.by(), id).await?;
    let chosen = Chosen::of(&upload);
    Ok(Staging { upload, bytes: Arc::new(bytes), chosen })
}

async fn columns(State(app): State<App>, signed: Signed, Path(id): Path<String>) -> Answer {
    let staging = staging(&app, &signed, &id).await?;
    let looked = look(&staging.upload.name, &staging.bytes).await??;
    let mapping = staging.chosen.mapping();
    let form = WaveForm {
        source: mapping.source.clone(),
        owner: owner_written(&app, staging.chosen.owner).await?,
        target: staging.chosen.target.clone(),
        owners: if staging.chosen.record { "record" } else { "offer" }.to_owned(),
        reason: staging.chosen.reason.clone(),
    };
    columns_page(&app, &signed, &staging, &looked, &mapping, Refused::fresh(form)).await
}

async fn owner_written(app: &App, owner: Option<PersonId>) -> Result<String, Fault> {
    let Some(id) = owner else { return Ok(String::new()) };
    let mut reads = &app.db;
    let named = people::named(&mut reads, &[id]).await?.pop();
    Ok(named.map(|p| format!("{} ({})", p.name, p.id)).unwrap_or_default())
}

async fn columns_page(
    app: &App,
    signed: &Signed,
    staging: &Staging,
    looked: &Looked,
    mapping: &Mapping,
    form: Refused<WaveForm>,
) -> Answer {
    let count = |n: usize| n as u64;
    let key: Vec<String> = mapping.key.iter().map(|k| fold(k)).collect();
    let rows: Vec<ColumnRow> = looked
        .profile
        .columns
        .iter()
        .enumerate()
        .filter(|(_, c)| !looked.ours.contains(&c.name))
        .map(|(at, c)| ColumnRow {
            at,
            name: c.name.clone(),
            filled: count(c.filled),
            examples: c.examples.clone(),
            becomes: becomes(mapping, &c.name),
            key: key.contains(&fold(&c.name)),
        })
        .collect();
    let (shown, hidden): (Vec<_>, Vec<_>) = {
        let mut unused = 0;
        rows.into_iter().partition(|r| {
            unused += usize::from(r.becomes.is_empty() && !r.key);
            !r.becomes.is_empty() || r.key || unused <= SHOWN
        })
    };
    let page = Columns {
        id: staging.upload.id.clone(),
        seen: Seen {
            name: staging.upload.name.clone(),
            encoding: looked.encoding.label().to_owned(),
            delimiter: match looked.delimiter {
                ',' => "commas",
                ';' => "semicolons",
                '\t' => "tabs",
                _ => "bars",
            }
            .to_owned(),
            rows: count(looked.profile.rows),
            columns: count(looked.profile.columns.len()),
            damaged: count(looked.damaged),
            empty: count(looked.profile.empty),
            mended: looked.mended,
        },
        columns: shown,
        hidden: count(hidden.len()),
        maps: value_maps(looked, mapping),
        fixed: FIXED
            .into_iter()
            .filter(|f| mapping.fields.get(f).is_none_or(|r| r.every_column().next().is_none()))
            .map(|field| FixedRow {
                field,
                value: mapping.fields.get(&field).and_then(|r| r.value.clone()).unwrap_or_default(),
            })
            .collect(),
        kept: staging.chosen.kept,
        people: suggested(app, signed).await?,
        may_record: can(&signed.actor, Action::AssignmentRecord, Relation::None).is_ok(),
        form,
    };
    let status = if page.form.errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let title = format!("Columns of {}", staging.upload.name);
    Ok(Page::new(app, signed, title).status(status).show(move || view! { <MapColumns page=page/> }))
}

/// What a column becomes, as the form's key.
fn becomes(mapping: &Mapping, column: &str) -> String {
    let column = fold(column);
    let is = |name: &str| fold(name) == column;
    if let Some((field, _)) = mapping.fields.iter().find(|(_, r)| r.every_column().any(is)) {
        return field.key().to_owned();
    }
    if let Some((duty, _)) = mapping.owners.iter().find(|(_, list)| list.iter().any(|c| is(c))) {
        return format!("owner:{duty}");
    }
    if mapping.built_by.as_deref().is_some_and(is) {
        return "team:built_by".to_owned();
    }
    if mapping.operated_by.as_deref().is_some_and(is) {
        return "team:operated_by".to_owned();
    }
    if mapping.tools.as_ref().is_some_and(|t| is(&t.column)) {
        return "tools".to_owned();
    }
    if let Some(c) = mapping.credentials.as_ref().filter(|c| is(&c.column)) {
        return format!("credentials:{}", c.kind.as_deref().unwrap_or_default());
    }
    if mapping.external_ids.values().any(|c| is(c)) {
        return "id".to_owned();
    }
    if mapping.labels.values().any(|c| is(c)) { "label".to_owned() } else { String::new() }
}

/// Takes a column out of everything it gives, the key apart.
fn release(mapping: &mut Mapping, column: &str) {
    let column = fold(column);
    let is = |name: &String| fold(name) == column;
    for rule in mapping.fields.values_mut() {
        if rule.column.as_ref().is_some_and(is) {
            rule.column = None;
            rule.values.clear();
        }
        rule.columns.retain(|c| !is(c));
    }
    mapping.fields.retain(|_, r| r.every_column().next().is_some() || r.value.is_some());
    for list in mapping.owners.values_mut() {
        list.retain(|c| !is(c));
    }
    mapping.owners.retain(|_, l| !l.is_empty());
    for one in [&mut mapping.built_by, &mut mapping.operated_by] {
        if one.as_ref().is_some_and(is) {
            *one = None;
        }
    }
    for list in [&mut mapping.tools, &mut mapping.credentials] {
        if list.as_ref().is_some_and(|l| is(&l.column)) {
            *list = None;
        }
    }
    mapping.external_ids.retain(|_, c| !is(c));
    mapping.labels.retain(|_, c| !is(c));
}

/// Lets a column become something. Answers why it cannot.
fn assign(mapping: &mut Mapping, looked: &Looked, at: usize, target: &str) -> Result<(), String> {
    let column = looked.profile.columns[at].name.clone();
    let taken = |what: &str, other: &str| {
        Err(format!("Both “{other}” and “{column}” are to be the {what}: only one column can be."))
    };
    if target.is_empty() {
        return Ok(());
    }
    if let Ok(field) = target.parse::<Field>() {
        let rule = mapping.fields.entry(field).or_default();
        let other = rule.every_column().next().map(str::to_owned);
        if let Some(other) = other {
            if field.is_closed() {
                return taken(&field.label().to_lowercase(), &other);
            }
            rule.columns.extend(rule.column.take());
            rule.columns.push(column);
            return Ok(());
        }
        rule.values = guess::meanings_of(field, &looked.profile.columns[at]);
        rule.column = Some(column);
        return Ok(());
    }
    if let Some(duty) = target.strip_prefix("owner:").and_then(|d| d.parse::<Duty>().ok()) {
        mapping.owners.entry(duty).or_default().push(column);
        return Ok(());
    }
    if let Some(kind) = target.strip_prefix("credentials:").and_then(|k| k.parse::<CredentialKind>().ok()) {
        if let Some(other) = &mapping.credentials {
            return taken("credentials", &other.column);
        }
        mapping.credentials = Some(ListRule { column, kind: Some(kind.key().to_owned()), ..ListRule::default() });
        return Ok(());
    }
    // A label and a reference are called as their column, shortened.
    let called: String = column.chars().take(100).collect::<String>().trim().to_owned();
    match target {
        "team:built_by" | "team:operated_by" => {
            let team = if target == "team:built_by" { &mut mapping.built_by } else { &mut mapping.operated_by };
            if let Some(other) = team {
                return taken("team", other);
            }
            *team = Some(column);
        }
        "tools" => {
            if let Some(other) = &mapping.tools {
                return taken("tools", &other.column);
            }
            mapping.tools = Some(ListRule { column, ..ListRule::default() });
        }
        "id" => {
            mapping.external_ids.insert(called, column);
        }
        "label" => {
            mapping.labels.insert(called, column);
        }
        other => return Err(format!("“{other}” is nothing that a column can become.")),
    }
    Ok(())
}

/// The words of every column that gives a fact of a closed vocabulary, with their meanings.
fn value_maps(looked: &Looked, mapping: &Mapping) -> Vec<ValueMap> {
    let mut out = Vec::new();
    for (field, rule) in mapping.fields.iter().filter(|(f, _)| f.is_closed()) {
        let Some(column) = rule.column.as_deref() else { continue };
        let Some(found) = looked.profile.columns.iter().find(|c| fold(&c.name) == fold(column)) else { continue };
        let said: BTreeMap<String, &str> = rule.values.iter().map(|(k, v)| (fold(&plain(k)), v.as_str())).collect();
        let all: &[(String, usize)] = found.values.as_deref().unwrap_or_default();
        let values: Vec<ValueRow> = all
            .iter()
            .take(WORDS)
            .map(|(value, count)| {
                let said = said.get(&fold(value)).copied();
                let understood = if says_nothing(value) { Some("") } else { field.understand(value) };
                ValueRow {
                    value: value.clone(),
                    count: *count as u64,
                    means: said.or(understood).unwrap_or_default().to_owned(),
                    open: said.is_none() && understood.is_none(),
                }
            })
            .collect();
        if !values.is_empty() {
            let more = (all.len() - values.len()) as u64;
            out.push(ValueMap { field: *field, column: found.name.clone(), values, more });
        }
    }
    out
}

async fn choose(State(app): State<App>, signed: Signed, Path(id): Path<String>, fields: Fields) -> Answer {
    let staging = staging(&app, &signed, &id).await?;
    let looked = look(&staging.upload.name, &staging.bytes).await??;
    let here = format!("/agents/import/{id}");
    if fields.get("then") == "guess" {
        let source = staging.chosen.mapping().source;
        let mapping = Mapping { source, ..looked.guess };
        let chosen = Chosen { mapping: mapping.to_toml(), kept: false, ..staging.chosen };
        imports::remember(&app.db, signed.by(), &id, &chosen.written()).await?;
        return Ok(see_other_saying(&app, here, &Flash::good("The columns are guessed again.")));
    }
    let mut errors = FieldErrors::new();
    let mut mapping = staging.chosen.mapping();
    let review = take_columns(&mut mapping, &looked, &fields, &mut errors);
    let form = WaveForm {
        source: fields.get("source").trim().to_owned(),
        owner: fields.get("owner").to_owned(),
        target: fields.get("target").to_owned(),
        owners: fields.get("owners").to_owned(),
        reason: fields.get("reason").to_owned(),
    };
    mapping.source.clone_from(&form.source);
    let chosen = Chosen {
        kept: false,
        owner: owner(&app, &form.owner, &mut errors).await?,
        target: form.target.clone(),
        record: form.owners == "record",
        reason: form.reason.clone(),
        mapping: mapping.to_toml(),
        done: None,
    };
    if form.source.is_empty() {
        errors.add("source", "Name the source: what this inventory is called.");
    }
    if let Err(sentence) = mapping.check() {
        errors.add(if sentence.contains("source") { "source" } else { "" }, sentence);
    }
    if let Err(sentence) = days(&signed, &form.target) {
        errors.add("target", sentence);
    }
    if chosen.record {
        if can(&signed.actor, Action::AssignmentRecord, Relation::None).is_err() {
            errors.add("owners", "Only a security lead records present owners; ask them instead.");
        } else if chosen.reason.trim().is_empty() && !mapping.owners.is_empty() {
            errors.add("reason", "Say how you know that they own it already.");
        }
    }
    if !errors.is_empty() {
        return columns_page(&app, &signed, &staging, &looked, &mapping, Refused { values: form, errors }).await;
    }
    imports::remember(&app.db, signed.by(), &id, &chosen.written()).await?;
    if let Some(field) = review {
        let text =
            format!("Look over what the words of the column for {} mean, then go on.", field.label().to_lowercase());
        return Ok(see_other_saying(&app, format!("{here}#values"), &Flash::good(text)));
    }
    if fields.get("then") == "stay" {
        return Ok(see_other_saying(&app, here, &Flash::good("Saved.")));
    }
    Ok(see_other(format!("{here}/diff")))
}

/// Takes what the form says about columns and words. Answers a fact whose words were not on
/// the page yet and that holds some that nobody understood.
fn take_columns(mapping: &mut Mapping, looked: &Looked, fields: &Fields, errors: &mut FieldErrors) -> Option<Field> {
    let sent: BTreeMap<usize, &str> = fields
        .pairs()
        .iter()
        .filter_map(|(k, v)| Some((k.strip_prefix("becomes:")?.parse().ok()?, v.as_str())))
        .filter(|(at, _)| *at < looked.profile.columns.len())
        .collect();
    let shown = value_maps(looked, mapping);
    let moved: Vec<(usize, &str)> = sent
        .iter()
        .map(|(at, to)| (*at, *to))
        .filter(|(at, to)| becomes(mapping, &looked.profile.columns[*at].name) != *to)
        .collect();
    for (at, _) in &moved {
        release(mapping, &looked.profile.columns[*at].name);
    }
    for (at, target) in &moved {
        if let Err(sentence) = assign(mapping, looked, *at, target) {
            errors.add("", sentence);
        }
    }
    // Key columns that were on the page are as they were ticked; others stay.
    let ticked: Vec<usize> = fields.all("key").filter_map(|v| v.parse().ok()).collect();
    let name = |at: &usize| looked.profile.columns.get(*at).map(|c| c.name.clone());
    let was = std::mem::take(&mut mapping.key);
    mapping.key = was
        .into_iter()
        .filter(|k| {
            let at = looked.profile.columns.iter().position(|c| fold(&c.name) == fold(k));
            at.is_none_or(|at| !sent.contains_key(&at) || ticked.contains(&at))
        })
        .collect();
    for column in ticked.iter().filter_map(name) {
        if !mapping.key.iter().any(|k| fold(k) == fold(&column)) {
            mapping.key.push(column);
        }
    }
    if mapping.key.is_empty() {
        errors.add("", "Choose at least one column for the key: what tells one agent from another.");
    }
    if mapping.fields.get(&Field::Name).is_none_or(|r| r.every_column().next().is_none()) {
        errors.add("", "Say which column has the names.");
    }
    take_words(mapping, &shown, fields, errors);
    for field in FIXED {
        let sent = fields.pairs().iter().find(|(k, _)| k.strip_prefix("all:") == Some(field.key()));
        let Some((_, value)) = sent else { continue };
        let known = field.choices().iter().any(|(k, _)| k == value);
        let rule = mapping.fields.entry(field).or_default();
        if rule.every_column().next().is_none() {
            rule.value = known.then(|| value.clone());
        }
    }
    mapping.fields.retain(|_, r| r.every_column().next().is_some() || r.value.is_some());
    value_maps(looked, mapping)
        .into_iter()
        .find(|now| {
            let new = !shown.iter().any(|was| was.field == now.field && was.column == now.column);
            new && now.values.iter().any(|v| v.open)
        })
        .map(|map| map.field)
}

/// Takes the meanings of words that were on the page, for columns that are still the same.
fn take_words(mapping: &mut Mapping, shown: &[ValueMap], fields: &Fields, errors: &mut FieldErrors) {
    for map in shown {
        let Some(rule) = mapping.fields.get_mut(&map.field) else { continue };
        if rule.column.as_deref().is_none_or(|c| fold(c) != fold(&map.column)) {
            continue;
        }
        let (words, means) = (format!("value:{}", map.field), format!("means:{}", map.field));
        let choices = map.field.choices();
        for (word, meaning) in fields.all(&words).zip(fields.all(&means)) {
            if !meaning.is_empty() && !choices.iter().any(|(k, _)| *k == meaning) {
                errors.add("", format!("“{meaning}” is no meaning of {}.", map.field.label().to_lowercase()));
                continue;
            }
            if says_nothing(word) && meaning.is_empty() {
                continue;
            }
            let folded = fold(&plain(word));
            rule.values.retain(|k, _| fold(&plain(k)) != folded);
            rule.values.insert(plain(word), meaning.to_owned());
        }
    }
}

async fn owner(app: &App, typed: &str, errors: &mut FieldErrors) -> Result<Option<PersonId>, Fault> {
    if typed.trim().is_empty() {
        return Ok(None);
    }
    let mut reads = &app.db;
    match people::resolve(&mut reads, typed).await? {
        Ok(person) if person.active => return Ok(Some(person.id)),
        Ok(person) => errors.add("owner", format!("{} has left: name somebody who is there.", person.name)),
        Err(unclear) => errors.add("owner", unclear.told(typed)),
    }
    Ok(None)
}

/// In how many days the target date lies.
fn days(signed: &Signed, target: &str) -> Result<i64, &'static str> {
    let day = target.parse::<NaiveDate>().map_err(|_| "Enter a date such as 2026-11-21.")?;
    let days = (day - signed.now.date_naive()).num_days();
    if (1..=730).contains(&days) { Ok(days) } else { Err("The target date lies 1 to 730 days ahead.") }
}

async fn mapping_file(State(app): State<App>, signed: Signed, Path(id): Path<String>) -> Answer {
    let staging = staging(&app, &signed, &id).await?;
    let mapping = staging.chosen.mapping();
    let name = domain::import::mapping::source_of(&mapping.source);
    Ok(file("application/toml; charset=utf-8", &format!("{name}.toml"), mapping.to_toml()))
}

fn file(kind: &'static str, name: &str, text: String) -> Response {
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "-._".contains(c) { c } else { '-' }).collect();
    let disposition = format!("attachment; filename=\"{name}\"");
    ([(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, disposition)], text).into_response()
}

async fn take_mapping(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    form: Result<Multipart, MultipartRejection>,
) -> Answer {
    let staging = staging(&app, &signed, &id).await?;
    let looked = look(&staging.upload.name, &staging.bytes).await??;
    let toml = parts(form).await?.into_iter().find(|(name, ..)| name == "mapping").map(|(_, _, bytes)| bytes);
    let read = match toml.filter(|t| !t.is_empty()) {
        Some(toml) => read_mapping(&toml, &header_of(&looked), &looked),
        None => Err("Choose a TOML file.".to_owned()),
    };
    let here = format!("/agents/import/{id}");
    match read {
        Ok(mapping) => {
            let chosen = Chosen { mapping: mapping.to_toml(), kept: false, ..staging.chosen };
            imports::remember(&app.db, signed.by(), &id, &chosen.written()).await?;
            Ok(see_other_saying(&app, here, &Flash::good("The mapping of the file is used.")))
        }
        Err(sentence) => {
            let mapping = staging.chosen.mapping();
            let mut errors = FieldErrors::new();
            errors.add("mapping", sentence);
            let values = WaveForm {
                source: mapping.source.clone(),
                owner: owner_written(&app, staging.chosen.owner).await?,
                target: staging.chosen.target.clone(),
                ..WaveForm::default()
            };
            columns_page(&app, &signed, &staging, &looked, &mapping, Refused { values, errors }).await
        }
    }
}

// ---- the difference ----

async fn stage(staging: &Staging) -> Result<Result<Staged, Error>, Fault> {
    let (name, bytes, mapping) = (staging.upload.name.clone(), Arc::clone(&staging.bytes), staging.chosen.mapping());
    aside(move || imports::stage(&name, &bytes, mapping)).await
}

async fn diff(State(app): State<App>, signed: Signed, Path(id): Path<String>, Here(here): Here) -> Answer {
    let staging = staging(&app, &signed, &id).await?;
    let staged = match stage(&staging).await? {
        Ok(staged) => staged,
        // The mapping does not fit the file: that is mended where the columns are.
        Err(error @ Error::Invalid(_)) => {
            return Ok(see_other_saying(&app, format!("/agents/import/{id}"), &Flash::bad(error.to_string())));
        }
        Err(error) => return Err(error.into()),
    };
    difference(&app, &signed, &staging, &staged, &here, FieldErrors::new(), StatusCode::OK).await
}

async fn difference(
    app: &App,
    signed: &Signed,
    staging: &Staging,
    staged: &Staged,
    here: &app::components::Address,
    errors: FieldErrors,
    status: StatusCode,
) -> Answer {
    let plan = imports::preview(&app.db, signed.by(), staged, staging.chosen.mode()).await?;
    let c = plan.counts;
    let asked = here.get("show").and_then(|key| Tab::ALL.into_iter().find(|t| t.key() == key));
    let tab = asked.unwrap_or_else(|| {
        [(c.new, Tab::New), (c.changed, Tab::Changed), (c.refused, Tab::Refused)]
            .into_iter()
            .find(|(n, _)| *n > 0)
            .map_or(Tab::Unchanged, |(_, t)| t)
    });
    let lines: Vec<&imports::Line> = plan.lines.iter().filter(|l| belongs(l, tab)).collect();
    let row = |key: &str| here.get(key).and_then(|v| v.parse::<usize>().ok());
    let from = match (row("cursor"), row("before")) {
        (Some(after), _) => lines.partition_point(|l| l.row <= after),
        (_, Some(before)) => lines.partition_point(|l| l.row < before).saturating_sub(ROWS),
        _ => 0,
    };
    let shown = &lines[from.min(lines.len())..(from + ROWS).min(lines.len())];
    let first = here.first_page();
    let terms = terms(app, signed, &staging.chosen).await?;
    let page = Difference {
        id: staging.upload.id.clone(),
        file: staging.upload.name.clone(),
        source: staged.mapping.source.clone(),
        counts: counts(c),
        drifting: plan.drifting as u64,
        noted: plan.lines.iter().filter(|l| belongs(l, Tab::Noted)).count() as u64,
        coming: coming(&plan),
        unmatched_total: plan.unmatched.len() as u64,
        unmatched: plan.unmatched.iter().take(UNMATCHED).map(|(w, n, c)| (w.clone(), n.clone(), *c as u64)).collect(),
        appointed: plan.appointed as u64,
        recorded: staging.chosen.record,
        tab,
        range: ((from + 1) as u64, (from + shown.len()) as u64, lines.len() as u64),
        previous: (from > 0).then(|| shown.first().map(|l| first.with("before", &l.row.to_string()).href())).flatten(),
        next: (from + shown.len() < lines.len())
            .then(|| shown.last().map(|l| first.with("cursor", &l.row.to_string()).href()))
            .flatten(),
        rows: shown.iter().map(|l| shown_row(l)).collect(),
        terms,
        seen: plan.digest.clone(),
        may_add_people: can(&signed.actor, Action::PersonWrite, Relation::None).is_ok(),
        errors,
    };
    let title = format!("Difference of {}", staging.upload.name);
    Ok(Page::new(app, signed, title).status(status).show(move || view! { <DifferencePage page=page/> }))
}

fn counts(c: imports::Counts) -> Counts {
    Counts {
        rows: c.rows as u64,
        new: c.new as u64,
        changed: c.changed as u64,
        unchanged: c.unchanged as u64,
        refused: c.refused as u64,
    }
}

fn belongs(line: &imports::Line, tab: Tab) -> bool {
    match tab {
        Tab::New => matches!(line.fate, Fate::New { .. }),
        Tab::Changed => matches!(line.fate, Fate::Changed { .. }),
        Tab::Unchanged => matches!(line.fate, Fate::Unchanged { .. }),
        Tab::Refused => matches!(line.fate, Fate::Refused { .. }),
        Tab::Drift => !line.drift.is_empty(),
        Tab::Noted => !line.notes.is_empty() && !matches!(line.fate, Fate::Refused { .. }),
    }
}

/// New agents told apart, as home will.
fn coming(plan: &Plan) -> Coming {
    let mut out = Coming { unnamed: plan.unnamed as u64, duplicates: plan.duplicates as u64, ..Coming::default() };
    for line in &plan.lines {
        let Fate::New { facts, state, .. } = &line.fate else { continue };
        match (state, facts.running) {
            (Lifecycle::Retired, _) => out.retired += 1,
            (_, Running::Yes) => out.running += 1,
            (_, Running::Unknown) => out.unknown += 1,
            (_, Running::No) => out.idle += 1,
        }
    }
    out
}

fn shown_row(line: &imports::Line) -> Row {
    let change = |c: &domain::import::FieldChange| FactChange {
        label: c.label.clone(),
        before: c.before.clone(),
        after: c.after.clone(),
    };
    let mut row = Row {
        row: line.row as u64,
        name: line.name.clone(),
        drift: line.drift.iter().map(change).collect(),
        owners: line.appointments.iter().map(|a| (a.duty.owner_title().to_owned(), a.name.clone())).collect(),
        notes: line.notes.iter().map(Note::sentence).collect(),
        ..Row::default()
    };
    match &line.fate {
        Fate::New { facts, state, .. } => {
            row.name.clone_from(&facts.name);
            row.state = Some(*state);
            row.running = Some(facts.running);
            row.environment = Some(facts.environment);
            row.unit.clone_from(&facts.business_unit);
        }
        Fate::Changed { agent, changes, .. } => {
            row.agent = Some(*agent);
            row.changes = changes.iter().map(change).collect();
        }
        Fate::Unchanged { agent } => row.agent = Some(*agent),
        Fate::Refused { reason } => row.reason.clone_from(reason),
    }
    row
}

async fn terms(app: &App, signed: &Signed, chosen: &Chosen) -> Result<WaveTerms, Fault> {
    let mut reads = &app.db;
    let owner = match chosen.owner {
        Some(id) => people::named(&mut reads, &[id]).await?.pop().map(|p| (p.id, p.name)),
        None => None,
    };
    let days = days(signed, &chosen.target).unwrap_or(90);
    Ok(WaveTerms { owner, target: signed.now + chrono::TimeDelta::days(days) })
}

async fn apply(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    Here(here): Here,
    fields: Fields,
) -> Answer {
    let staging = staging(&app, &signed, &id).await?;
    let staged = stage(&staging).await??;
    let wish = Wish {
        owner: staging.chosen.owner,
        target_days: Some(days(&signed, &staging.chosen.target).map_err(|e| Error::field("/target", e))?),
        owners: staging.chosen.mode(),
        reason: staging.chosen.reason.clone(),
        seen: Some(fields.get("seen").to_owned()),
    };
    match imports::apply(&app.db, signed.by(), &staged, &wish, &|_, _| {}).await {
        Ok(applied) => {
            let c = applied.counts;
            let finished = Finished {
                wave: applied.wave,
                counts: [c.rows, c.new, c.changed, c.unchanged, c.refused],
                appointed: applied.appointed,
                by_rules: applied.by_rules,
            };
            let chosen = Chosen { done: Some(finished), ..staging.chosen };
            imports::remember(&app.db, signed.by(), &id, &chosen.written()).await?;
            Ok(see_other(format!("/agents/import/{id}/done")))
        }
        Err(error) => {
            let conflict = matches!(error, Error::Conflict(_));
            let status = if conflict { StatusCode::CONFLICT } else { StatusCode::UNPROCESSABLE_ENTITY };
            let mut errors = FieldErrors::new();
            // What is wrong is mended on the page of columns; here it is one sentence.
            for (_, message) in field_errors(error)?.iter() {
                errors.add("", message.to_owned());
            }
            difference(&app, &signed, &staging, &staged, &here, errors, status).await
        }
    }
}

async fn refused_rows(State(app): State<App>, signed: Signed, Path(id): Path<String>) -> Answer {
    let staging = staging(&app, &signed, &id).await?;
    let staged = stage(&staging).await??;
    let plan = imports::preview(&app.db, signed.by(), &staged, staging.chosen.mode()).await?;
    let bytes = Arc::clone(&staging.bytes);
    let text = aside(move || imports::refused_csv(&bytes, &plan)).await??;
    let stem = domain::import::mapping::source_of(&staging.upload.name);
    Ok(file("text/csv; charset=utf-8", &format!("{stem}-refused.csv"), text))
}

// ---- the end ----

async fn done(State(app): State<App>, signed: Signed, Path(id): Path<String>) -> Answer {
    let (upload, _) = imports::upload(&app.db, signed.by(), &id).await?;
    let chosen = Chosen::of(&upload);
    let Some(Finished { wave, counts: [rows, new, changed, unchanged, refused], appointed, by_rules }) =
        chosen.done.clone()
    else {
        return Ok(see_other(format!("/agents/import/{id}/diff")));
    };
    let mut unstoppable = Vec::new();
    if wave.is_some() {
        for state in RuntimeOwner::ALL.iter().copied().filter(|state| state.nobody_can_stop()) {
            let query = Query {
                wave,
                runs: Some(true),
                runtime_owner: vec![state],
                limit: 1,
                count_to: MOST_COUNTED,
                ..Query::default()
            };
            let found = list::list(&app.db, signed.by(), &query).await?.total;
            unstoppable.push((state, found.and_then(|n| u64::try_from(n).ok()).unwrap_or(0)));
        }
    }
    let page = Done {
        id,
        file: upload.name,
        source: chosen.mapping().source,
        wave,
        counts: counts(imports::Counts { rows, new, changed, unchanged, refused }),
        appointed: appointed as u64,
        by_rules: by_rules as u64,
        unstoppable,
    };
    Ok(Page::new(&app, &signed, "Imported").show(move || view! { <DonePage page=page/> }))
}
