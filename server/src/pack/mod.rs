//! The evidence pack: a ZIP that is checked without Muster. What is in it is known, and its
//! manifest in the record, before the first byte is sent; the files of evidence are then read one
//! at a time.

mod zip;

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use domain::id::AgentId;
use futures_util::stream;
use register::packs::{self, Evidence, Part};
use register::{By, Db};
use sha2::{Digest as _, Sha256};

use crate::{pdf, reports};
use zip::Zip;

/// The check that a pack brings along.
pub const VERIFY: &str = include_str!("verify.py");
const README: &str = include_str!("README.txt");

/// A pack that is about to be sent.
#[derive(Debug)]
pub struct Pack {
    /// What its file is called.
    pub name: String,
    /// The SHA-256 of its manifest, as the record has it.
    pub manifest_sha256: String,
    parts: Vec<Part>,
    evidence: Vec<Evidence>,
    db: Db,
}

/// Why there is no pack.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The register says why.
    #[error(transparent)]
    Register(#[from] register::Error),
    /// The dossier could not be written.
    #[error(transparent)]
    Pdf(#[from] pdf::Failed),
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Makes the pack of an agent, and notes it in the record.
pub async fn make(db: &Db, by: By<'_>, agent: AgentId) -> Result<Pack, Failed> {
    let gathered = packs::gather(db, by, agent).await?;
    let dossier = &gathered.dossier;
    let at = domain::record::timestamp(dossier.as_of);
    let chain = if gathered.has_chain() {
        "record/chain.jsonl is that part of it, from the agent's first event on."
    } else {
        "It is not in this pack: it is too long, or not for whoever made the pack."
    };
    let readme = README
        .replace("{agent}", &agent.to_string())
        .replace("{at}", &at)
        .replace("{by}", &by.actor.who.to_string())
        .replace("{head}", &dossier.head.to_string())
        .replace("{events}", &gathered.events().to_string())
        .replace("{lines}", &VERIFY.lines().count().to_string())
        .replace("{chain}", chain);
    let written = pdf::written(reports::dossier::document(dossier), dossier.as_of).await?;
    let mut parts = vec![
        Part::text("README.txt", readme),
        Part::text("verify.py", VERIFY),
        Part { path: "dossier.pdf".to_owned(), bytes: written },
    ];
    parts.extend(gathered.parts());
    let mut manifest = String::new();
    for part in &parts {
        manifest.push_str(&format!("{}  {}\n", sha256(&part.bytes), part.path));
    }
    // A file of evidence is kept under its SHA-256: were its content another, the check finds it.
    for file in &dossier.evidence {
        manifest.push_str(&format!("{}  {}\n", file.sha256, file.path()));
    }
    let manifest_sha256 = sha256(manifest.as_bytes());
    let files = parts.len() + dossier.evidence.len() + 1;
    packs::made(db, by, agent, &manifest_sha256, files).await?;
    parts.push(Part::text("SHA256SUMS", manifest));
    Ok(Pack {
        name: format!("muster-evidence-{agent}-{}.zip", by.now.format("%Y%m%dT%H%M%SZ")),
        manifest_sha256,
        parts,
        evidence: dossier.evidence.clone(),
        db: db.clone(),
    })
}

/// Where the sending of a pack stands.
struct Sending {
    zip: Zip,
    parts: std::vec::IntoIter<Part>,
    evidence: std::vec::IntoIter<Evidence>,
    db: Db,
    ended: bool,
}

impl Sending {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, std::io::Error> {
        if let Some(part) = self.parts.next() {
            return self.zip.file(&part.path, &part.bytes).map(Some);
        }
        if let Some(file) = self.evidence.next() {
            let bytes = packs::content(&self.db, &file).await.map_err(std::io::Error::other)?;
            return self.zip.file(&file.path(), &bytes).map(Some);
        }
        if self.ended {
            return Ok(None);
        }
        self.ended = true;
        self.zip.end().map(Some)
    }
}

impl IntoResponse for Pack {
    fn into_response(self) -> Response {
        let Self { name, manifest_sha256, parts, evidence, db } = self;
        let sending =
            Sending { zip: Zip::default(), parts: parts.into_iter(), evidence: evidence.into_iter(), db, ended: false };
        let pieces = stream::try_unfold(sending, |mut sending| async move {
            match sending.next().await {
                Ok(piece) => Ok(piece.map(|bytes| (Bytes::from(bytes), sending))),
                Err(error) => {
                    // The answer ends short: an archive without its end opens nowhere.
                    tracing::error!(%error, "an evidence pack broke off");
                    Err(error)
                }
            }
        });
        let headers = [
            (header::CONTENT_TYPE, "application/zip".to_owned()),
            (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
            (header::CACHE_CONTROL, "no-store".to_owned()),
            (HeaderName::from_static("muster-manifest-sha256"), manifest_sha256),
        ];
        (headers, Body::from_stream(pieces)).into_response()
    }
}
