//! `muster doctor`.

use domain::can::Actor;
use register::{By, Db, args, audit, passwords};

use crate::cli::{Database, Failure, Output, clock};
use crate::config::BaseUrl;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    database: Database,
    /// The base URL that `serve` is given, to be looked at
    #[arg(long, env = "MUSTER_BASE_URL", value_name = "URL")]
    base_url: Option<String>,
    /// The address that `serve` listens at, to be looked at
    #[arg(long, env = "MUSTER_LISTEN", value_name = "ADDR", default_value = "127.0.0.1:3000")]
    listen: String,
    /// Whether `serve` lets webhooks lead into private networks, to be said
    #[arg(long, env = "MUSTER_ALLOW_PRIVATE_TARGETS")]
    allow_private_targets: bool,
    /// Where `serve` sends e-mail, to be looked at
    #[arg(long, env = "MUSTER_SMTP_URL", value_name = "URL", hide_env_values = true)]
    smtp_url: Option<String>,
    /// From whom `serve` sends e-mail, to be looked at
    #[arg(long, env = "MUSTER_MAIL_FROM", value_name = "ADDRESS")]
    mail_from: Option<String>,
}

/// What is counted, and how it is called.
const COUNTS: [(&str, &str); 7] = [
    ("agents", "agent"),
    ("people", "person"),
    ("teams", "team"),
    ("assignments", "assignment"),
    ("sessions", "session"),
    ("tokens", "token"),
    ("findings", "finding"),
];

pub(in crate::cli) async fn run(args: Args) -> Result<(), Failure> {
    let db = args.database.open().await?;
    let actor = Actor::cli();
    let mut out = Output::default();
    out.line(format!("version     {}", env!("CARGO_PKG_VERSION")))?;
    out.line(format!("engine      {}", db.engine()))?;
    let migration = number(&db, "SELECT MAX(version) FROM _sqlx_migrations").await?;
    out.line(format!("migrations  current (up to {migration})"))?;
    for (name, table) in COUNTS {
        let n = number(&db, &format!("SELECT COUNT(*) FROM {table}")).await?;
        out.line(format!("{name:<11} {n}"))?;
    }
    let head = audit::head(&db, By { actor: &actor, now: clock().now() }).await?;
    out.line(format!("record      {} events, head {}", head.seq, head.hash))?;
    out.line(format!(
        "webhooks    {}",
        if args.allow_private_targets {
            "may lead into private networks (MUSTER_ALLOW_PRIVATE_TARGETS is set)"
        } else {
            "never into private networks (set MUSTER_ALLOW_PRIVATE_TARGETS to allow it)"
        }
    ))?;
    let mut wrong = findings(&db, &args).await?;
    let mail = super::serve::mail(args.smtp_url.as_deref(), args.mail_from.as_deref());
    out.line(match &mail {
        Ok(Some(mail)) => format!("e-mail      by {}, from {}", mail.smtp, mail.from),
        _ => "e-mail      none is sent; notices are read in Muster alone".to_owned(),
    })?;
    wrong.extend(mail.err());
    let dead = number(&db, "SELECT COUNT(*) FROM delivery WHERE state = 'dead'").await?;
    if dead > 0 {
        wrong.push(format!("{dead} messages were given up: see Settings, Notices"));
    }
    for line in &wrong {
        out.line(format!("wrong       {line}"))?;
    }
    out.line(match wrong.len() {
        0 => "nothing is wrong".to_owned(),
        n => format!("{n} to look at"),
    })?;
    out.done()?;
    db.close().await;
    if wrong.is_empty() { Ok(()) } else { Err(Failure::found()) }
}

async fn number(db: &Db, sql: &str) -> Result<i64, Failure> {
    let row = db.one(sql.to_owned(), args![]).await?;
    Ok(row.map(|r| r.get::<Option<i64>>(0)).transpose()?.flatten().unwrap_or_default())
}

/// What an operator would want to know before it hurts.
async fn findings(db: &Db, args: &Args) -> Result<Vec<String>, Failure> {
    let mut wrong = Vec::new();
    if passwords::anybody(db).await? {
        let administrators = number(
            db,
            "SELECT COUNT(*) FROM person p JOIN login l ON l.person_id = p.id \
             WHERE p.status = 'active' AND p.roles LIKE '%administrator%'",
        )
        .await?;
        match administrators {
            0 => wrong
                .push("no administrator can sign in: make one with `muster user create --role administrator`".into()),
            1 => wrong.push("only one administrator can sign in: name a second, or nobody can help the first".into()),
            _ => {}
        }
    } else {
        wrong.push(
            "nobody can sign in: open /setup with the code that `muster serve` prints, or use `muster user create`"
                .into(),
        );
    }
    let given = args.base_url.as_deref().map(str::trim).filter(|url| !url.is_empty());
    match given.map(str::parse::<BaseUrl>).transpose() {
        Err(error) => wrong.push(error.to_string()),
        Ok(url) => {
            let open = !["127.", "localhost", "[::1]"].iter().any(|here| args.listen.starts_with(here));
            let https = url.as_ref().is_some_and(|url| url.origin().starts_with("https://"));
            if open && url.is_none() {
                wrong.push("it listens beyond this machine without MUSTER_BASE_URL: forms from browsers may be refused, and links in notices lead nowhere".into());
            }
            if open && !https {
                wrong.push("it listens beyond this machine without https in MUSTER_BASE_URL: passwords and sessions travel readable".into());
            }
        }
    }
    if let Some(path) = args.database.url.strip_prefix("sqlite://").map(|path| path.split('?').next().unwrap_or(path)) {
        #[cfg(unix)]
        if let Ok(meta) = std::fs::metadata(path) {
            use std::os::unix::fs::PermissionsExt as _;
            if meta.permissions().mode() & 0o004 != 0 {
                wrong.push(format!("every user of this machine can read {path}: chmod 600 {path}"));
            }
        }
    }
    Ok(wrong)
}
