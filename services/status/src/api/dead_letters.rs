//! `/dead-letters`: messages that no consumer could handle; they can be replayed or discarded.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use runtime::audit;
use runtime::http::{Caller, Params, Problem, ProblemBody};
use serde::Serialize;
use serde_json::Value;
use storage::status::{
    DeadLetterRow, LetterFilter, LetterState, LockedLetter, dead_letter, dead_letters, lock_dead_letter,
};
use utoipa::ToSchema;

use super::format::instant;
use super::state::Api;
use super::traces::TraceDetail;
use crate::dead_letter_replay::replay_message;
use crate::trace_links::trace_id;

/// Most bytes of a body in a list.
const MAX_LISTED_BYTES: i32 = 4_096;
/// Most bytes of a body in the response for a single letter.
const MAX_BYTES: i32 = 1_048_576;

const STATES: [(&str, LetterState); 3] =
    [("open", LetterState::Open), ("replayed", LetterState::Replayed), ("discarded", LetterState::Discarded)];

/// The states of a letter, as values of a parameter.
#[derive(ToSchema)]
#[schema(as = DeadLetterState, rename_all = "snake_case")]
#[expect(dead_code, reason = "describes `STATES`")]
enum StateName {
    Open,
    Replayed,
    Discarded,
}

/// A page of dead letters.
#[derive(Serialize, ToSchema)]
#[schema(as = DeadLetters)]
pub(super) struct Letters {
    count: usize,
    dead_letters: Vec<Letter>,
    next_cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = DeadLetter)]
pub(super) struct Letter {
    id: i64,
    /// `open`, `replayed` or `discarded`.
    state: &'static str,
    queue: Option<String>,
    reason: String,
    exchange: Option<String>,
    routing_key: String,
    message_id: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    headers: Value,
    /// The beginning of the body; bytes that are not UTF-8 are shown as `\u{fffd}`.
    body: String,
    body_bytes: i32,
    body_truncated: bool,
    died_at: String,
    /// When it was replayed.
    replayed_at: Option<String>,
    /// The name of the API token that replayed it, or `anonymous`.
    replayed_by: Option<String>,
    /// When it was discarded.
    discarded_at: Option<String>,
    /// The name of the API token that discarded it, or `anonymous`.
    discarded_by: Option<String>,
    /// The trace in which the message was written.
    #[serde(flatten)]
    trace: TraceDetail,
}

impl Letter {
    /// A letter with at most `max_bytes` of its body.
    fn of(api: &Api, row: DeadLetterRow, max_bytes: i32) -> Self {
        let traceparent = row.headers["traceparent"].as_str();
        let trace = TraceDetail::of(api, traceparent.and_then(trace_id));
        let body = &row.body[..row.body.len().min(usize::try_from(max_bytes).unwrap_or_default())];
        Self {
            id: row.id,
            state: row.state().as_str(),
            queue: row.queue,
            reason: row.reason,
            exchange: row.exchange,
            routing_key: row.routing_key,
            message_id: row.message_id,
            kind: row.kind,
            headers: row.headers,
            body: String::from_utf8_lossy(body).into_owned(),
            body_bytes: row.body_bytes,
            body_truncated: row.body_bytes > max_bytes,
            died_at: instant(row.died_at),
            replayed_at: row.replayed_at.map(instant),
            replayed_by: row.replayed_by,
            discarded_at: row.discarded_at.map(instant),
            discarded_by: row.discarded_by,
            trace,
        }
    }
}

/// Messages that no consumer could handle, newest first.
#[utoipa::path(get, path = "/dead-letters", operation_id = "dead_letters", tag = "operation", security(("token" = ["operate"])),
    params(
        ("state" = inline(Option<StateName>), Query, description = "Only those in this state."),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 1_000, description = "Most letters; 50 when absent."),
        ("cursor" = Option<i64>, Query, minimum = 1, description = "The `next_cursor` of an earlier response."),
    ),
    responses(
        (status = 200, description = "A page of them.", body = Letters),
        (status = 422, description = "A parameter is invalid.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn list(State(api): State<Api>, mut params: Params) -> Result<Json<Letters>, Problem> {
    let state = params.choice("state", &STATES);
    let limit = params.number("limit", 1, 1_000).unwrap_or(50);
    let before = params.number("cursor", 1, i64::MAX);
    params.finish()?;
    let mut rows =
        dead_letters(&api.pool, LetterFilter { before, state }, limit + 1, MAX_LISTED_BYTES).await?;
    let page = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > page;
    rows.truncate(page);
    let next_cursor = rows.last().filter(|_| more).map(|row| row.id.to_string());
    let letters: Vec<Letter> = rows.into_iter().map(|row| Letter::of(&api, row, MAX_LISTED_BYTES)).collect();
    Ok(Json(Letters { count: letters.len(), dead_letters: letters, next_cursor }))
}

/// A message that no consumer could handle.
#[utoipa::path(get, path = "/dead-letters/{id}", operation_id = "dead_letter", tag = "operation", security(("token" = ["operate"])),
    params(("id" = i64, Path, minimum = 1, description = "The letter.")),
    responses(
        (status = 200, description = "The letter, with up to 1 MiB of its body.", body = Letter),
        (status = 404, description = "There is no such letter.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn letter(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<Letter>, Problem> {
    let found = match id.parse() {
        Ok(number) => dead_letter(&api.pool, number, MAX_BYTES).await?,
        Err(_) => None,
    };
    Ok(Json(Letter::of(&api, found.ok_or_else(|| unknown(&id))?, MAX_BYTES)))
}

/// Replay a dead letter: publish its message again, unchanged, to the queue whose consumer rejected it and to no other.
///
/// A second request gets the same response and publishes nothing. When the consumer rejects the message again, that is a
/// new letter.
#[utoipa::path(post, path = "/dead-letters/{id}/replay", operation_id = "replay_dead_letter", tag = "operation",
    security(("token" = ["operate"])),
    params(("id" = i64, Path, minimum = 1, description = "The letter.")),
    responses(
        (status = 200, description = "The message will be published.", body = Letter),
        (status = 404, description = "There is no such letter.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 409, description = "The letter was discarded, or its message cannot be handled: the detail says why.",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(super) async fn replay(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Letter>, Problem> {
    let held = hold(&api, &id).await?;
    let letter = match held.letter.state() {
        LetterState::Replayed => held.letter,
        LetterState::Discarded => return Err(already_processed(&held.letter)),
        LetterState::Open => {
            let message = replay_message(&held.letter, &api.replays.authentication)
                .map_err(|reason| conflict(format!("Dead letter {id} cannot be sent again: {reason}")))?;
            let letter = held.replay(&message, caller.name()).await?;
            api.replays.wake.wake();
            tracing::info!(message.id = %message.event_id, queue = message.routing_key, "replayed dead letter {id}");
            audit::record(&caller, "replayed", format_args!("dead letter {id}"));
            letter
        }
    };
    Ok(Json(Letter::of(&api, letter, MAX_BYTES)))
}

/// Discard a dead letter. It stays in the list.
///
/// A second request gets the same response.
#[utoipa::path(post, path = "/dead-letters/{id}/discard", operation_id = "discard_dead_letter", tag = "operation",
    security(("token" = ["operate"])),
    params(("id" = i64, Path, minimum = 1, description = "The letter.")),
    responses(
        (status = 200, description = "The letter is discarded.", body = Letter),
        (status = 404, description = "There is no such letter.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 409, description = "The letter was replayed.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn discard(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Letter>, Problem> {
    let held = hold(&api, &id).await?;
    let letter = match held.letter.state() {
        LetterState::Discarded => held.letter,
        LetterState::Replayed => return Err(already_processed(&held.letter)),
        LetterState::Open => {
            let letter = held.discard(caller.name()).await?;
            audit::record(&caller, "discarded", format_args!("dead letter {id}"));
            letter
        }
    };
    Ok(Json(Letter::of(&api, letter, MAX_BYTES)))
}

async fn hold(api: &Api, id: &str) -> Result<LockedLetter, Problem> {
    let held = match id.parse() {
        Ok(number) => lock_dead_letter(&api.pool, number).await?,
        Err(_) => None,
    };
    held.ok_or_else(|| unknown(id))
}

fn already_processed(letter: &DeadLetterRow) -> Problem {
    let state = letter.state().as_str();
    let at = letter.replayed_at.or(letter.discarded_at).map(instant).unwrap_or_default();
    conflict(format!("Dead letter {} was {state} at {at}", letter.id))
}

fn conflict(detail: String) -> Problem {
    Problem::new(StatusCode::CONFLICT, detail)
}

fn unknown(id: &str) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, format!("Dead letter {id} not found"))
}
