//! `GET /admin/changes`: who changed the models and universes.

use axum::Json;
use axum::extract::State;
use runtime::http::{Params, Problem, ProblemBody};
use serde::Serialize;
use storage::trigger::catalogue::{self, EntryKind, EntryVersion};
use utoipa::ToSchema;

use super::version::VersionBody;
use crate::accept::Acceptor;

/// Changes of models and universes.
#[derive(Serialize, ToSchema)]
pub(super) struct CatalogueChanges {
    count: usize,
    changes: Vec<CatalogueChange>,
}

/// A change: a version of a model or a universe, or its removal.
#[derive(Serialize, ToSchema)]
struct CatalogueChange {
    /// `model` or `universe`.
    kind: &'static str,
    name: String,
    #[serde(flatten)]
    version: VersionBody,
}

/// Who changed the models and universes.
#[utoipa::path(get, path = "/admin/changes", operation_id = "catalogue_changes", tag = "models",
    security(("token" = ["read"])),
    params(("limit" = Option<i64>, Query, minimum = 1, maximum = 1_000, description = "Most changes; 100 when absent.")),
    responses(
        (status = 200, description = "The last changes, newest first.", body = CatalogueChanges),
        (status = 422, description = "A parameter is wrong.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn changes(
    State(acceptor): State<Acceptor>,
    mut params: Params,
) -> Result<Json<CatalogueChanges>, Problem> {
    let limit = params.number("limit", 1, 1_000).unwrap_or(100);
    params.finish()?;
    let changes = catalogue::changes(&acceptor.pool, limit).await?;
    let change = |(kind, version): (EntryKind, EntryVersion)| CatalogueChange {
        kind: kind.as_str(),
        version: (&version).into(),
        name: version.name,
    };
    let changes: Vec<CatalogueChange> = changes.into_iter().map(change).collect();
    Ok(Json(CatalogueChanges { count: changes.len(), changes }))
}
