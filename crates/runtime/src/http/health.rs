//! Health probes and metrics of a process.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{SecondsFormat, Utc};
use futures::future::join_all;
use messaging::Probe;
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use storage::{Owner, PgPool};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::deployment::Deployment;
use crate::infrastructure::Infrastructure;
use crate::parts::Parts;
use crate::telemetry::render;

/// How long a dependency may take to answer.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Health of a process: whether its parts go on, and whether Postgres and the broker can be used.
#[derive(Clone)]
pub struct Health {
    /// With the names of their services.
    pools: Vec<(&'static str, PgPool)>,
    broker: Arc<Probe>,
    deployment: Deployment,
    parts: Vec<Parts>,
    started: CancellationToken,
}

/// Health of the process.
#[derive(Serialize, ToSchema)]
#[schema(as = Health)]
struct HealthBody {
    /// `healthy`, `degraded` when callers are served but something does not go on, or `unhealthy`.
    status: &'static str,
    /// `connected` or `disconnected`.
    database: &'static str,
    /// `connected` or `disconnected`.
    broker: &'static str,
    /// What does not go on, and why. Absent when all is well.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    degraded: Vec<String>,
    /// What another process does at this moment; this one takes it over within a second when that one ends. Absent when
    /// this process does everything.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    standing_by: Vec<String>,
    /// The current time.
    timestamp: String,
    #[serde(flatten)]
    deployment: Deployment,
}

impl Health {
    /// Does not connect to the broker yet.
    pub fn new(service: Owner, pool: &PgPool, infrastructure: &Infrastructure, parts: &Parts) -> Self {
        Self {
            pools: vec![(service.as_str(), pool.for_requests())],
            broker: Arc::new(Probe::new(infrastructure.broker.clone())),
            deployment: infrastructure.deployment,
            parts: vec![parts.clone()],
            started: CancellationToken::new(),
        }
    }

    /// The health of a process with the parts and connections of several services.
    #[must_use]
    pub fn joined(mut self, other: Self) -> Self {
        self.pools.extend(other.pools);
        self.parts.extend(other.parts);
        self
    }

    /// Watches these parts too.
    #[must_use]
    pub fn watching(mut self, parts: &Parts) -> Self {
        self.parts.push(parts.clone());
        self
    }

    /// Cancelled when the process has started: before, it can serve no callers.
    pub fn started(&self) -> CancellationToken {
        self.started.clone()
    }

    /// Routes `/health`, `/livez`, `/readyz` and `/metrics`.
    pub fn routes(self, metrics: PrometheusHandle) -> OpenApiRouter {
        routes().with_state((self, metrics))
    }

    /// What hinders each part of the process, by its name; `None` for those that go on.
    fn hindrances(&self) -> Vec<(Arc<str>, Option<String>)> {
        let slow: usize = self.pools.iter().map(|(_, pool)| pool.slow_statements()).sum();
        let slow = (slow > 0).then(|| format!("{slow} statements have no answer for more than 3 s"));
        let now = Instant::now();
        let parts = self.parts.iter().flat_map(|parts| parts.hindrances(now));
        parts.chain([("statements".into(), slow)]).collect()
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

/// Whether the process can serve its callers, and what does not go on meanwhile.
#[utoipa::path(get, path = "/health", tag = "operation", security(()), responses(
    (status = 200, description = "It serves its callers; `degraded` says what does not go on.", body = HealthBody),
    (status = 503, description = "It cannot serve them now; it continues by itself as soon as it can.", body = HealthBody),
))]
async fn health(State((health, _)): State<(Health, PrometheusHandle)>) -> Response {
    check(health).await
}

/// The same as `/health`, for orchestrators.
#[utoipa::path(get, path = "/readyz", tag = "operation", security(()), responses(
    (status = 200, description = "It serves its callers; `degraded` says what does not go on.", body = HealthBody),
    (status = 503, description = "It cannot serve them now.", body = HealthBody),
))]
async fn ready(State((health, _)): State<(Health, PrometheusHandle)>) -> Response {
    check(health).await
}

/// Whether every part of the process goes on, for orchestrators: if not, only a restart helps.
#[utoipa::path(get, path = "/livez", tag = "operation", security(()), responses(
    (status = 200, description = "The process is running.", body = String, content_type = "text/plain"),
    (status = 503, description = "A part of it is stuck.", body = String, content_type = "text/plain"),
))]
async fn alive(State((health, _)): State<(Health, PrometheusHandle)>) -> Response {
    let now = Instant::now();
    let stuck: Vec<_> = health.parts.iter().flat_map(|parts| parts.stuck(now)).collect();
    if stuck.is_empty() {
        return "alive".into_response();
    }
    let text = format!("stuck: {}", stuck.join(", "));
    tracing::error!("{text}; restart this process");
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}

/// Metrics of this process, for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "operation", security(("token" = ["read"])), responses(
    (status = 200, description = "The metrics.", body = String, content_type = "text/plain"),
))]
async fn measurements(State((health, metrics)): State<(Health, PrometheusHandle)>) -> String {
    for (part, hindrance) in health.hindrances() {
        let degraded = if hindrance.is_some() { 1.0 } else { 0.0 };
        metrics::gauge!("modelday_degraded", "part" => part.to_string()).set(degraded);
    }
    for (service, pool) in &health.pools {
        measure_connections(service, pool);
    }
    render(&metrics)
}

fn measure_connections(service: &'static str, pool: &PgPool) {
    let connections = pool.connections();
    for (state, number) in [("used", connections.used), ("idle", connections.idle)] {
        metrics::gauge!("modelday_database_connections", "service" => service, "state" => state).set(number);
    }
    metrics::gauge!("modelday_database_connections_max", "service" => service).set(connections.max);
}

async fn check(health: Health) -> Response {
    let pings = health.pools.iter().map(|(_, pool)| timeout(TIMEOUT, storage::ping(pool)));
    let (pings, broker) = tokio::join!(join_all(pings), timeout(TIMEOUT, health.broker.answers()));
    let database = pings.iter().all(|ping| matches!(ping, Ok(Ok(()))));
    let broker = broker.unwrap_or(false);
    let name = |up: bool| if up { "connected" } else { "disconnected" };
    let reasons = health.hindrances().into_iter().filter_map(|(part, why)| Some(format!("{part}: {}", why?)));
    let mut degraded: Vec<String> = reasons.collect();
    if !database {
        degraded.push("database: it does not answer".to_owned());
    }
    if !broker {
        degraded.push("broker: it does not answer; what is accepted waits in the outbox".to_owned());
    }
    let standing_by = health.parts.iter().flat_map(Parts::standing_by).map(|part| part.to_string()).collect();
    let serves = database && health.started.is_cancelled();
    let body = HealthBody {
        status: match (serves, degraded.is_empty()) {
            (true, true) => "healthy",
            (true, false) => "degraded",
            (false, _) => "unhealthy",
        },
        database: name(database),
        broker: name(broker),
        degraded,
        standing_by,
        timestamp: Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true),
        deployment: health.deployment,
    };
    let status = if serves { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(body)).into_response()
}
