//! `GET /prices/imports`: who imported prices, and what each import changed.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chrono::SecondsFormat;
use runtime::http::{Params, Problem, ProblemBody};
use serde::Serialize;
use storage::market::{ImportRecord, import_log};
use utoipa::ToSchema;

use super::state::Api;

/// An import.
#[derive(Serialize, ToSchema)]
struct Import {
    id: i64,
    /// The name of the API token that sent it, or `anonymous`.
    imported_by: String,
    imported_at: String,
    /// `bars`, `splits` or `dividends`.
    kind: &'static str,
    /// The first date of the file.
    from: String,
    /// The last date of the file.
    to: String,
    symbols: u64,
    inserted: u64,
    unchanged: u64,
    replaced: u64,
}

impl From<ImportRecord> for Import {
    fn from(record: ImportRecord) -> Self {
        Self {
            id: record.id,
            imported_by: record.imported_by,
            imported_at: record.imported_at.to_rfc3339_opts(SecondsFormat::Micros, true),
            kind: record.kind.as_str(),
            from: record.dates.0.to_string(),
            to: record.dates.1.to_string(),
            symbols: record.symbols,
            inserted: record.counts.inserted,
            unchanged: record.counts.unchanged,
            replaced: record.counts.replaced,
        }
    }
}

/// A page of imports.
#[derive(Serialize, ToSchema)]
pub(crate) struct Imports {
    count: usize,
    imports: Vec<Import>,
    next_cursor: Option<String>,
}

/// Imports of prices, newest first.
#[utoipa::path(get, path = "/prices/imports", operation_id = "price_imports", tag = "prices",
    security(("token" = ["read"])),
    params(
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 1_000, description = "Most imports; 50 when absent."),
        ("cursor" = Option<i64>, Query, minimum = 1, description = "The `next_cursor` of an earlier response."),
    ),
    responses(
        (status = 200, description = "A page of them.", body = Imports),
        (status = 422, description = "A parameter is invalid.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn imports(
    State(api): State<Arc<Api>>,
    mut params: Params,
) -> Result<Json<Imports>, Problem> {
    let limit = params.number("limit", 1, 1_000).unwrap_or(50);
    let before = params.number("cursor", 1, i64::MAX);
    params.finish()?;
    let mut records = import_log(&api.context.pool, before, limit + 1).await?;
    let page = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = records.len() > page;
    records.truncate(page);
    let next_cursor = records.last().filter(|_| more).map(|record| record.id.to_string());
    let imports: Vec<Import> = records.into_iter().map(Into::into).collect();
    Ok(Json(Imports { count: imports.len(), imports, next_cursor }))
}
