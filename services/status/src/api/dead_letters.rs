//! `GET /dead-letters`: messages nobody could handle, newest first.

use axum::Json;
use axum::extract::State;
use runtime::http::{Problem, ProblemBody};
use serde::Serialize;
use serde_json::Value;
use storage::status::{DeadLetterRow, dead_letters};
use utoipa::ToSchema;

use super::query::Params;
use super::{Api, instant};

/// How much of a body is shown.
const SHOWN_BYTES: i32 = 4_096;

/// A page of dead letters.
#[derive(Serialize, ToSchema)]
#[schema(as = DeadLetters)]
pub(crate) struct Letters {
    count: usize,
    dead_letters: Vec<Letter>,
    next_cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = DeadLetter)]
struct Letter {
    id: i64,
    queue: Option<String>,
    reason: String,
    exchange: Option<String>,
    routing_key: String,
    message_id: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    headers: Value,
    /// The beginning of the body; what is not text shows as `\u{fffd}`.
    body: String,
    body_bytes: i32,
    body_truncated: bool,
    died_at: String,
}

impl From<DeadLetterRow> for Letter {
    fn from(row: DeadLetterRow) -> Self {
        Self {
            id: row.id,
            queue: row.queue,
            reason: row.reason,
            exchange: row.exchange,
            routing_key: row.routing_key,
            message_id: row.message_id,
            kind: row.kind,
            headers: row.headers,
            body: String::from_utf8_lossy(&row.body).into_owned(),
            body_bytes: row.body_bytes,
            body_truncated: row.body_bytes > SHOWN_BYTES,
            died_at: instant(row.died_at),
        }
    }
}

/// Messages that nobody could handle, newest first.
#[utoipa::path(get, path = "/dead-letters", operation_id = "dead_letters", tag = "operation", security(("token" = ["operate"])),
    params(
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 1_000, description = "Most letters; 50 when absent."),
        ("cursor" = Option<i64>, Query, minimum = 1, description = "The `next_cursor` of an earlier answer."),
    ),
    responses(
        (status = 200, description = "A page of them.", body = Letters),
        (status = 422, description = "A parameter is wrong.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn list(State(api): State<Api>, mut params: Params) -> Result<Json<Letters>, Problem> {
    let limit = params.number("limit", 1, 1_000).unwrap_or(50);
    let before = params.number("cursor", 1, i64::MAX);
    params.finish()?;
    let mut rows = dead_letters(&api.pool, before, limit + 1, SHOWN_BYTES).await?;
    let page = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > page;
    rows.truncate(page);
    let next_cursor = rows.last().filter(|_| more).map(|row| row.id.to_string());
    let letters: Vec<Letter> = rows.into_iter().map(Into::into).collect();
    Ok(Json(Letters { count: letters.len(), dead_letters: letters, next_cursor }))
}
