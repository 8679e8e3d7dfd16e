//! Reports: what the register knows, put into words and figures once for page, PDF and table.

pub mod dossier;
pub mod posture;

use app::reports::document::Document;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};

use crate::pdf;

/// A report as a PDF to be saved.
pub async fn pdf(report: Document, at: DateTime<Utc>, name: &str) -> Result<Response, pdf::Failed> {
    let bytes = pdf::written(report, at).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/pdf".to_owned()),
        (header::CONTENT_DISPOSITION, format!("inline; filename=\"{name}-{}.pdf\"", at.format("%Y%m%dT%H%M%SZ"))),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, bytes).into_response())
}
