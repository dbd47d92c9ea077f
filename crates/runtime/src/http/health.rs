//! Probes: is the process alive, can it work, what does it depend on.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use chrono::{SecondsFormat, Utc};
use futures::future::BoxFuture;
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;

use crate::deployment::Deployment;

/// Whether something that the service needs can be used now.
pub type Probe = Arc<dyn Fn() -> BoxFuture<'static, bool> + Send + Sync>;

/// What a service needs to work.
#[derive(Clone)]
pub struct Health {
    /// Postgres answers.
    pub database: Probe,
    /// The broker is connected.
    pub broker: Probe,
    /// Trailer of the answer.
    pub deployment: Deployment,
}

#[derive(Serialize)]
struct Answer {
    status: &'static str,
    database: &'static str,
    broker: &'static str,
    timestamp: String,
    #[serde(flatten)]
    deployment: Deployment,
}

impl Health {
    /// Routes `/health`, `/livez`, `/readyz` and `/metrics`.
    pub fn routes(self, metrics: PrometheusHandle) -> Router {
        Router::new()
            .route("/health", get(health))
            .route("/readyz", get(health))
            .with_state(self)
            .route("/livez", get(|| async { "alive" }))
            .route("/metrics", get(move || async move { metrics.render() }))
    }
}

async fn answers(probe: &Probe) -> bool {
    tokio::time::timeout(Duration::from_secs(2), probe()).await.unwrap_or(false)
}

async fn health(State(health): State<Health>) -> Response {
    let (database, broker) = tokio::join!(answers(&health.database), answers(&health.broker));
    let name = |up: bool| if up { "connected" } else { "disconnected" };
    let healthy = database && broker;
    let answer = Answer {
        status: if healthy { "healthy" } else { "unhealthy" },
        database: name(database),
        broker: name(broker),
        timestamp: Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true),
        deployment: health.deployment,
    };
    let status = if healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(answer)).into_response()
}
