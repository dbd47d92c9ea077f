//! Probes: is the process alive, can it work, what does it depend on.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{SecondsFormat, Utc};
use futures::future::BoxFuture;
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

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

/// How the process is.
#[derive(Serialize, ToSchema)]
#[schema(as = Health)]
struct Answer {
    /// `healthy` or `unhealthy`.
    status: &'static str,
    /// `connected` or `disconnected`.
    database: &'static str,
    /// `connected` or `disconnected`.
    broker: &'static str,
    /// Now.
    timestamp: String,
    #[serde(flatten)]
    deployment: Deployment,
}

impl Health {
    /// Routes `/health`, `/livez`, `/readyz` and `/metrics`.
    pub fn routes(self, metrics: PrometheusHandle) -> OpenApiRouter {
        described().with_state((self, metrics))
    }
}

fn described() -> OpenApiRouter<(Health, PrometheusHandle)> {
    OpenApiRouter::new()
        .routes(routes!(health))
        .routes(routes!(ready))
        .routes(routes!(alive))
        .routes(routes!(measurements))
}

/// The description of the routes that every process has.
pub fn openapi() -> OpenApi {
    described().into_openapi()
}

async fn answers(probe: &Probe) -> bool {
    tokio::time::timeout(Duration::from_secs(2), probe()).await.unwrap_or(false)
}

/// Whether the process can work: the database and the broker answer.
#[utoipa::path(get, path = "/health", tag = "operation", security(()), responses(
    (status = 200, description = "It can.", body = Answer),
    (status = 503, description = "It cannot; it goes on as soon as it can.", body = Answer),
))]
async fn health(State((health, _)): State<(Health, PrometheusHandle)>) -> Response {
    probe(health).await
}

/// As `/health`, for orchestrators.
#[utoipa::path(get, path = "/readyz", tag = "operation", security(()), responses(
    (status = 200, description = "The process can work.", body = Answer),
    (status = 503, description = "It cannot work now.", body = Answer),
))]
async fn ready(State((health, _)): State<(Health, PrometheusHandle)>) -> Response {
    probe(health).await
}

/// Whether the process runs at all, for orchestrators.
#[utoipa::path(get, path = "/livez", tag = "operation", security(()), responses(
    (status = 200, description = "It does.", body = String, content_type = "text/plain"),
))]
async fn alive() -> &'static str {
    "alive"
}

/// Measurements of this process, for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "operation", security(("token" = ["read"])), responses(
    (status = 200, description = "The measurements.", body = String, content_type = "text/plain"),
))]
async fn measurements(State((_, metrics)): State<(Health, PrometheusHandle)>) -> String {
    metrics.render()
}

async fn probe(health: Health) -> Response {
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
