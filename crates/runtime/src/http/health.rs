//! Health probes and metrics of a process.

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

/// Checks whether a dependency can be used now.
pub type Probe = Arc<dyn Fn() -> BoxFuture<'static, bool> + Send + Sync>;

/// The dependencies of a service.
#[derive(Clone)]
pub struct Health {
    /// Whether Postgres answers.
    pub database: Probe,
    /// Whether the broker can be used.
    pub broker: Probe,
    /// The deployment that responses name.
    pub deployment: Deployment,
}

/// Health of the process.
#[derive(Serialize, ToSchema)]
#[schema(as = Health)]
struct HealthBody {
    /// `healthy` or `unhealthy`.
    status: &'static str,
    /// `connected` or `disconnected`.
    database: &'static str,
    /// `connected` or `disconnected`.
    broker: &'static str,
    /// The current time.
    timestamp: String,
    #[serde(flatten)]
    deployment: Deployment,
}

impl Health {
    /// Routes `/health`, `/livez`, `/readyz` and `/metrics`.
    pub fn routes(self, metrics: PrometheusHandle) -> OpenApiRouter {
        routes().with_state((self, metrics))
    }
}

fn routes() -> OpenApiRouter<(Health, PrometheusHandle)> {
    OpenApiRouter::new()
        .routes(routes!(health))
        .routes(routes!(ready))
        .routes(routes!(alive))
        .routes(routes!(measurements))
}

/// The OpenAPI description of the routes that every process has.
pub fn openapi() -> OpenApi {
    routes().into_openapi()
}

/// Whether the process can work: the database and the broker can be used.
#[utoipa::path(get, path = "/health", tag = "operation", security(()), responses(
    (status = 200, description = "The process can work.", body = HealthBody),
    (status = 503, description = "It cannot work now; it continues by itself as soon as it can.", body = HealthBody),
))]
async fn health(State((health, _)): State<(Health, PrometheusHandle)>) -> Response {
    check(health).await
}

/// The same as `/health`, for orchestrators.
#[utoipa::path(get, path = "/readyz", tag = "operation", security(()), responses(
    (status = 200, description = "The process can work.", body = HealthBody),
    (status = 503, description = "It cannot work now.", body = HealthBody),
))]
async fn ready(State((health, _)): State<(Health, PrometheusHandle)>) -> Response {
    check(health).await
}

/// Whether the process is running, for orchestrators.
#[utoipa::path(get, path = "/livez", tag = "operation", security(()), responses(
    (status = 200, description = "The process is running.", body = String, content_type = "text/plain"),
))]
async fn alive() -> &'static str {
    "alive"
}

/// Metrics of this process, for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "operation", security(("token" = ["read"])), responses(
    (status = 200, description = "The metrics.", body = String, content_type = "text/plain"),
))]
async fn measurements(State((_, metrics)): State<(Health, PrometheusHandle)>) -> String {
    metrics.render()
}

async fn is_up(probe: &Probe) -> bool {
    tokio::time::timeout(Duration::from_secs(2), probe()).await.unwrap_or(false)
}

async fn check(health: Health) -> Response {
    let (database, broker) = tokio::join!(is_up(&health.database), is_up(&health.broker));
    let name = |up: bool| if up { "connected" } else { "disconnected" };
    let healthy = database && broker;
    let body = HealthBody {
        status: if healthy { "healthy" } else { "unhealthy" },
        database: name(database),
        broker: name(broker),
        timestamp: Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true),
        deployment: health.deployment,
    };
    let status = if healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(body)).into_response()
}
