//! Health probes and metrics of a process.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{SecondsFormat, Utc};
use messaging::Probe;
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use storage::PgPool;
use tokio::time::timeout;
use utoipa::ToSchema;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::deployment::Deployment;
use crate::infrastructure::Infrastructure;

/// How long a dependency may take to answer.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Checks the dependencies of a service: Postgres by a query, the broker by a connection.
#[derive(Clone)]
pub struct Health {
    pool: PgPool,
    broker: Arc<Probe>,
    deployment: Deployment,
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
    /// Does not connect to the broker yet.
    pub fn new(pool: &PgPool, infrastructure: &Infrastructure) -> Self {
        let broker = Arc::new(Probe::new(infrastructure.broker.clone()));
        Self { pool: pool.clone(), broker, deployment: infrastructure.deployment }
    }

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

async fn check(health: Health) -> Response {
    let (database, broker) = tokio::join!(
        timeout(TIMEOUT, storage::ping(&health.pool)),
        timeout(TIMEOUT, health.broker.answers())
    );
    let (database, broker) = (matches!(database, Ok(Ok(_))), broker.unwrap_or(false));
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
