//! `muster serve`.

use std::io::Write as _;

use tokio::net::TcpListener;

use crate::cli::{Database, Failure, clock};
use crate::config::{BaseUrl, Config, Mail, Smtp};
use crate::serve::{Ready, asked_to_stop, serve};
use crate::{App, delivery, housekeeping, metrics, router, scheduler};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    database: Database,
    /// Where to listen
    #[arg(long, env = "MUSTER_LISTEN", value_name = "ADDR", default_value = "127.0.0.1:3000")]
    listen: String,
    /// The address under which people reach Muster, such as <https://muster.example.org>; by default the one it listens at
    #[arg(long, env = "MUSTER_BASE_URL", value_name = "URL")]
    base_url: Option<String>,
    /// Load the demonstration organisation, into an empty database only
    #[arg(long, env = "MUSTER_DEMO")]
    demo: bool,
    /// How many proxies of yours stand in front and add to X-Forwarded-For
    #[arg(long, env = "MUSTER_TRUSTED_PROXIES", value_name = "N", default_value_t = 0)]
    trusted_proxies: usize,
    /// Alerts and activity rows taken each second
    #[arg(long, env = "MUSTER_INTAKE_PER_S", value_name = "N", default_value_t = 5000)]
    intake_per_s: u32,
    /// Let webhooks lead into private networks, and to http
    #[arg(long, env = "MUSTER_ALLOW_PRIVATE_TARGETS")]
    allow_private_targets: bool,
    /// Where e-mail leaves: `smtps://user:password@host` (TLS) or `smtp://user:password@host:587` (STARTTLS). Without it, notices are read in Muster alone. Better set as the environment variable: others on this machine read command lines
    #[arg(long, env = "MUSTER_SMTP_URL", value_name = "URL", hide_env_values = true)]
    smtp_url: Option<String>,
    /// From whom e-mail is, such as `Muster <muster@example.org>`; needed to send any
    #[arg(long, env = "MUSTER_MAIL_FROM", value_name = "ADDRESS")]
    mail_from: Option<String>,
}

/// Where e-mail leaves, if it does; an empty variable is as none. Otherwise what is wrong.
pub(super) fn mail(smtp_url: Option<&str>, mail_from: Option<&str>) -> Result<Option<Mail>, String> {
    let said = |given: Option<&str>| given.map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned);
    let Some(url) = said(smtp_url) else { return Ok(None) };
    let smtp: Smtp = url.parse().map_err(|e| format!("{e}"))?;
    let Some(from) = said(mail_from) else {
        return Err("e-mail needs a sender: set MUSTER_MAIL_FROM, such as Muster <muster@example.org>".into());
    };
    if !crate::mail::is_sender(&from) {
        return Err(format!("“{from}” is no sender; write it such as Muster <muster@example.org>"));
    }
    Ok(Some(Mail { smtp, from }))
}

pub(in crate::cli) async fn run(args: Args) -> Result<(), Failure> {
    let given = args.base_url.as_deref().map(str::trim).filter(|url| !url.is_empty());
    let given: Option<BaseUrl> = given.map(str::parse).transpose().map_err(|e| Failure::usage(format!("{e}")))?;
    let listener = TcpListener::bind(args.listen.trim())
        .await
        .map_err(|error| Failure::refused(format!("cannot listen at {}: {error}", args.listen)))?;
    let address = listener.local_addr()?;
    let base_url = match given {
        Some(url) => url,
        None => format!("http://{address}").parse().map_err(|e| Failure::usage(format!("{e}")))?,
    };
    let config = Config {
        base_url,
        trusted_proxies: args.trusted_proxies,
        intake_per_s: args.intake_per_s,
        allow_private_targets: args.allow_private_targets,
        mail: mail(args.smtp_url.as_deref(), args.mail_from.as_deref()).map_err(Failure::usage)?,
    };

    // It listens before the database is migrated, so that who asks is told to wait.
    let ready = Ready::default();
    let (told, mut asked) = tokio::sync::watch::channel(false);
    let stop = async move {
        asked_to_stop().await;
        let _ = told.send(true);
    };
    let serving = tokio::spawn(serve(listener, ready.clone(), stop));
    metrics::install();
    let db = args.database.open().await?;
    if args.demo {
        if !address.ip().is_loopback() {
            tracing::warn!("the demonstration's passwords are known to everybody, and {address} is open to others");
        }
        super::demo::load(&db).await?;
    }
    let app = App::new(db.clone(), clock(), config);
    ready.is(router::router(&app));
    announce(&app).await?;
    let clock = tokio::spawn(scheduler::run(app.clone()));
    let housekeeping = tokio::spawn(housekeeping::run(app.clone()));
    let delivery = tokio::spawn(delivery::run(app.clone()));
    let closing = app.clone();
    tokio::spawn(async move {
        let _ = asked.wait_for(|stop| *stop).await;
        closing.live.close();
    });
    let done = serving.await.map_err(|error| Failure::refused(format!("serving ended: {error}")))?;
    app.live.close();
    housekeeping.abort();
    clock.abort();
    // It gives back what it took and did not send.
    let _ = delivery.await;
    db.close().await;
    tracing::info!("stopped");
    Ok(done?)
}

async fn announce(app: &App) -> Result<(), Failure> {
    tracing::info!(
        engine = app.db.engine(),
        version = env!("CARGO_PKG_VERSION"),
        "Muster is at {}",
        app.config.base_url
    );
    if !app.has_people().await? {
        // Not through the log: a filter must not hide it, and a log is kept.
        let _ = writeln!(
            std::io::stderr(),
            "\nNobody can sign in yet. Open {}/setup and enter this code: {}\n(Start muster again for a new one.)\n",
            app.config.base_url,
            app.setup_code.show()
        );
    }
    Ok(())
}
