//! The agents of the catalogue as executor reads them, which tries one by hand.

use std::time::Duration;

use chrono::NaiveDate;
use contract::encode_model;
use domain::job::{Model, ModelKind};
use runtime::CancellationToken;
use storage::PgPool;

use crate::catalogue::Catalogue;

/// Wait before another attempt.
const PAUSE: Duration = Duration::from_secs(5);

/// Stores the agents of `catalogue`, as soon as Postgres takes them.
pub(crate) async fn offer(pool: &PgPool, catalogue: &Catalogue, shutdown: &CancellationToken) {
    let agents = agents(catalogue);
    while let Err(problem) = storage::trigger::store_agents(pool, &agents).await {
        tracing::warn!("agents cannot be tried by hand yet: they could not be stored: {problem}");
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// Signatures and bodies.
fn agents(catalogue: &Catalogue) -> Vec<(String, String)> {
    let models = catalogue.entries().iter().map(|entry| &entry.model);
    let agents = models.filter(|model| matches!(model.kind, ModelKind::Agent(_)));
    // A job gives a model its start; here it only has to be a date.
    let body = |model: &Model| encode_model(&Model { start: NaiveDate::default(), ..model.clone() });
    agents.filter_map(|model| Some((model.signature.clone(), body(model).ok()?))).collect()
}
