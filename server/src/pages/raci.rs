//! `/raci/check`: any RACI table, checked and not kept.

use app::components::{FieldErrors, Refused};
use app::raci::{CheckForm, CheckPage, Outcome};
use axum::extract::multipart::{Multipart, MultipartRejection};
use axum::extract::{DefaultBodyLimit, FromRequest as _, Request, State};
use axum::handler::Handler as _;
use axum::http::{StatusCode, header};
use axum::response::Response;
use domain::import::decode;
use domain::raci::check;
use leptos::prelude::*;

use super::imports::parts;
use crate::App;
use crate::page::{Answer, Fault, Fields, Page};
use crate::routes::Routes;
use crate::signed::Signed;

/// Most bytes of a table that the page takes; the command line takes more.
const MOST: usize = 1 << 20;

pub(super) fn routes() -> Routes {
    Routes::page().get("/raci/check", ask).post("/raci/check", told.layer(DefaultBodyLimit::max(4 * MOST)))
}

async fn ask(State(app): State<App>, signed: Signed) -> Answer {
    Ok(page(&app, &signed, Refused::default(), None))
}

fn page(app: &App, signed: &Signed, form: Refused<CheckForm>, outcome: Option<Outcome>) -> Response {
    let status = if form.errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Page::new(app, signed, "Check a RACI table")
        .status(status)
        .show(move || view! { <CheckPage form=form outcome=outcome/> })
}

/// What was sent: the pasted text, the file's name and bytes.
pub(super) async fn sent(app: &App, request: Request) -> Result<(Fields, Option<(String, Vec<u8>)>), Fault> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("multipart/form-data") {
        return Ok((Fields::from_request(request, app).await?, None));
    }
    let form: Result<Multipart, MultipartRejection> = Multipart::from_request(request, app).await;
    let (mut pairs, mut file) = (Vec::new(), None);
    for (name, file_name, bytes) in parts(form).await? {
        if name == "file" {
            if !(file_name.is_empty() && bytes.is_empty()) {
                file = Some((file_name, bytes));
            }
        } else {
            pairs.push((name, String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
    Ok((Fields::of(pairs), file))
}

/// The text of a table: the file's if one was sent. What cannot be read is noted.
pub(super) fn table_of(
    fields: &Fields,
    file: Option<(String, Vec<u8>)>,
    errors: &mut FieldErrors,
) -> Option<(&'static str, String, String)> {
    let Some((name, bytes)) = file else {
        let pasted = fields.get("table");
        if pasted.trim().is_empty() {
            errors.add("table", "Paste a table, or choose a file.");
            return None;
        }
        return Some(("table", String::new(), pasted.to_owned()));
    };
    if bytes.len() > MOST {
        errors.add("file", "The file has more than 1 MiB. Check it with the command line: muster raci check FILE.csv");
        return None;
    }
    match decode(&bytes) {
        Ok(decoded) => Some(("file", name, decoded.text.into_owned())),
        Err(error) => {
            errors.add("file", error.to_string());
            None
        }
    }
}

async fn told(State(app): State<App>, signed: Signed, request: Request) -> Answer {
    let (fields, file) = sent(&app, request).await?;
    let mut errors = FieldErrors::new();
    let mut values = CheckForm { table: fields.get("table").to_owned() };
    let mut outcome = None;
    if let Some((field, name, text)) = table_of(&fields, file, &mut errors) {
        match check(&text) {
            Ok(checked) => outcome = Some(Outcome { name, checked }),
            Err(error) => errors.add(field, error.to_string()),
        }
        // What was checked is what one mends next.
        values.table = text;
    }
    Ok(page(&app, &signed, Refused { values, errors }, outcome))
}
