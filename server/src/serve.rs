//! Starting and stopping.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::middleware::AddExtension;
use axum::serve::{IncomingStream, Listener, ListenerExt as _};
use axum::{Extension, Router};
use tokio::net::TcpListener;
use tower::Layer as _;

use crate::router::starting;

/// How long what is under way may take once Muster is asked to stop.
const LAST_ANSWERS: Duration = Duration::from_secs(10);

/// The router, once there is one. Connections made before are told to come again.
#[derive(Debug, Clone, Default)]
pub struct Ready(Arc<OnceLock<Router>>);

impl Ready {
    /// From now on this answers.
    pub fn is(&self, router: Router) {
        // The first one stays: a server becomes ready once.
        let _ = self.0.set(router);
    }
}

/// Answers until `stop`, then finishes what is under way.
pub async fn serve(
    listener: TcpListener,
    ready: Ready,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    // Small answers must not wait for the client's acknowledgement.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
    });
    let (told, mut asked) = tokio::sync::watch::channel(false);
    let stopped = async move {
        stop.await;
        let _ = told.send(true);
    };
    let server = async {
        axum::serve(listener, PerConnection { ready, starting: starting() }).with_graceful_shutdown(stopped).await
    };
    let late = async move {
        let _ = asked.wait_for(|stop| *stop).await;
        tokio::time::sleep(LAST_ANSWERS).await;
    };
    tokio::select! {
        done = server => done,
        () = late => {
            tracing::warn!("some requests were still under way after {} seconds", LAST_ANSWERS.as_secs());
            Ok(())
        }
    }
}

/// Chooses the router when a connection is made, which costs requests nothing.
#[derive(Debug, Clone)]
struct PerConnection {
    ready: Ready,
    starting: Router,
}

impl<L> tower::Service<IncomingStream<'_, L>> for PerConnection
where
    L: Listener<Addr = SocketAddr>,
{
    type Response = AddExtension<Router, ConnectInfo<SocketAddr>>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, stream: IncomingStream<'_, L>) -> Self::Future {
        let router = self.ready.0.get().unwrap_or(&self.starting).clone();
        std::future::ready(Ok(Extension(ConnectInfo(*stream.remote_addr())).layer(router)))
    }
}

/// SIGTERM or SIGINT.
pub async fn asked_to_stop() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}
