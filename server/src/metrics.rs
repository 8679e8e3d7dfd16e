//! Numbers for Prometheus.

use std::sync::OnceLock;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::can::Scope;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use crate::problem::Problem;
use crate::security::caller;
use crate::signed::Address;
use crate::state::App;

/// Seconds, up to what a request may take.
const BUCKETS: [f64; 12] = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

fn handle() -> Option<&'static PrometheusHandle> {
    static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let builder = PrometheusBuilder::new().set_buckets(&BUCKETS).ok()?;
            let handle = builder.install_recorder().ok()?;
            metrics::describe_counter!("muster_requests_total", "Requests answered, by route, method and status.");
            metrics::describe_histogram!("muster_request_seconds", "Time to answer, by route.");
            metrics::describe_counter!("muster_sign_ins_total", "Sign-ins, by outcome.");
            metrics::describe_counter!(
                "muster_clock_done_total",
                "What was due by the clock and is done, by what it was."
            );
            metrics::describe_gauge!("muster_clock_lag_seconds", "How late the clock did what was due last.");
            metrics::describe_counter!("muster_notices_sent_total", "Messages that arrived, by channel.");
            metrics::describe_counter!("muster_notices_failed_total", "Tries that failed, by channel.");
            metrics::describe_counter!("muster_notices_dead_total", "Messages that were given up.");
            metrics::describe_gauge!("muster_notices_waiting", "Messages that wait, digests among them.");
            Some(handle)
        })
        .as_ref()
}

/// Begins to count.
pub fn install() {
    handle();
}

/// Folds what was counted, so that it does not grow; called every few seconds.
pub fn upkeep() {
    if let Some(handle) = handle() {
        handle.run_upkeep();
    }
}

/// Counts a request.
pub(crate) fn request(method: &Method, route: &str, status: StatusCode, took: Duration) {
    let method = match *method {
        Method::GET | Method::HEAD => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "other",
    };
    let status = match status.as_u16() {
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    };
    let route = route.to_owned();
    metrics::counter!("muster_requests_total", "route" => route.clone(), "method" => method, "status" => status)
        .increment(1);
    metrics::histogram!("muster_request_seconds", "route" => route).record(took.as_secs_f64());
}

/// Counts a sign-in: `good`, `wrong` or `throttled`.
pub(crate) fn sign_in(outcome: &'static str) {
    metrics::counter!("muster_sign_ins_total", "outcome" => outcome).increment(1);
}

/// Counts what was due by the clock and is done.
pub(crate) fn clock(done: &register::clock::Done) {
    for (what, n) in [("turns", done.turns), ("alarms", done.alarms), ("days", done.days)] {
        let n = u64::try_from(n).unwrap_or(0);
        metrics::counter!("muster_clock_done_total", "what" => what).increment(n);
    }
    if done.turns + done.alarms + done.days > 0 {
        metrics::gauge!("muster_clock_lag_seconds").set(done.lag.as_seconds_f64());
    }
}

/// `GET /metrics`, for this machine and for tokens with the scope `read`.
pub async fn serve(State(app): State<App>, address: Address, headers: HeaderMap) -> Response {
    if !address.local {
        match caller(&app, &headers).await {
            Ok(Some(actor)) if actor.token.is_some() => {
                if let Err(problem) = actor.needs(Scope::Read) {
                    return problem.into_response();
                }
            }
            Ok(_) => return Problem::unauthorized().into_response(),
            Err(error) => return Problem::from(error).into_response(),
        }
    }
    let text = handle().map(PrometheusHandle::render).unwrap_or_default();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}
