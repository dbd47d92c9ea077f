//! `GET /models`.

use axum::Json;
use axum::extract::State;
use runtime::http::Number;
use serde::Serialize;
use utoipa::ToSchema;

use crate::accept::Acceptor;
use crate::catalogue::Entry;

/// A configured model.
#[derive(Serialize, ToSchema)]
struct ModelEntry {
    /// Its name.
    signature: String,
    /// How it decides: `recorded`, `policy`, `llm` or `http`.
    kind: &'static str,
    /// Whether it runs when a request names no models.
    enabled: bool,
    /// Cash before its first day.
    initial_cash: Number,
    /// How many separate portfolios it runs.
    trials: u32,
    /// Last date that its training data may contain; null when that is unknown.
    training_cutoff: Option<String>,
    /// Hash of everything in its configuration that affects the outcome.
    config_hash: String,
}

/// The configured models.
#[derive(Serialize, ToSchema)]
pub(super) struct Models {
    count: usize,
    models: Vec<ModelEntry>,
}

/// The configured models.
#[utoipa::path(get, path = "/models", tag = "jobs", security(("token" = ["read"])), responses(
    (status = 200, description = "All of them, enabled or not, in the order of the configuration.", body = Models),
))]
pub(super) async fn models(State(acceptor): State<Acceptor>) -> Json<Models> {
    let entries = acceptor.config.catalogue.entries().iter();
    let models: Vec<ModelEntry> = entries
        .map(|Entry { enabled, model }| ModelEntry {
            signature: model.signature.clone(),
            kind: model.kind.as_str(),
            enabled: *enabled,
            initial_cash: model.initial_cash.into(),
            trials: model.trials,
            training_cutoff: model.training_cutoff.map(|date| date.to_string()),
            config_hash: model.config_hash.clone(),
        })
        .collect();
    Json(Models { count: models.len(), models })
}
