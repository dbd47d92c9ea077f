//! `/dead-letters`: messages nobody could handle, and what becomes of them.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use runtime::http::{Params, Problem, ProblemBody};
use serde::Serialize;
use serde_json::Value;
use storage::status::{
    DeadLetterRow, HeldLetter, LetterFilter, LetterState, dead_letter, dead_letters, hold_dead_letter,
};
use utoipa::ToSchema;

use super::{Api, instant};
use crate::replay;

/// How much of a body lists show.
const SHOWN_BYTES: i32 = 4_096;
/// How much of a body is shown of a letter alone.
const MOST_BYTES: i32 = 1_048_576;

const STATES: [(&str, LetterState); 3] =
    [("open", LetterState::Open), ("replayed", LetterState::Replayed), ("discarded", LetterState::Discarded)];

/// What became of a letter, as a parameter names it.
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
pub(crate) struct Letters {
    count: usize,
    dead_letters: Vec<Letter>,
    next_cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = DeadLetter)]
pub(crate) struct Letter {
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
    /// The beginning of the body; what is not text shows as `\u{fffd}`.
    body: String,
    body_bytes: i32,
    body_truncated: bool,
    died_at: String,
    /// When it was sent again.
    replayed_at: Option<String>,
    /// When it was let go.
    discarded_at: Option<String>,
}

impl Letter {
    /// A letter with at most the first `shown` bytes of its body.
    fn of(row: DeadLetterRow, shown: i32) -> Self {
        let body = &row.body[..row.body.len().min(usize::try_from(shown).unwrap_or_default())];
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
            body_truncated: row.body_bytes > shown,
            died_at: instant(row.died_at),
            replayed_at: row.replayed_at.map(instant),
            discarded_at: row.discarded_at.map(instant),
        }
    }
}

/// Messages that nobody could handle, newest first.
#[utoipa::path(get, path = "/dead-letters", operation_id = "dead_letters", tag = "operation", security(("token" = ["operate"])),
    params(
        ("state" = inline(Option<StateName>), Query, description = "Only those of which this became."),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 1_000, description = "Most letters; 50 when absent."),
        ("cursor" = Option<i64>, Query, minimum = 1, description = "The `next_cursor` of an earlier answer."),
    ),
    responses(
        (status = 200, description = "A page of them.", body = Letters),
        (status = 422, description = "A parameter is wrong.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn list(State(api): State<Api>, mut params: Params) -> Result<Json<Letters>, Problem> {
    let state = params.choice("state", &STATES);
    let limit = params.number("limit", 1, 1_000).unwrap_or(50);
    let before = params.number("cursor", 1, i64::MAX);
    params.finish()?;
    let mut rows = dead_letters(&api.pool, LetterFilter { before, state }, limit + 1, SHOWN_BYTES).await?;
    let page = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > page;
    rows.truncate(page);
    let next_cursor = rows.last().filter(|_| more).map(|row| row.id.to_string());
    let letters: Vec<Letter> = rows.into_iter().map(|row| Letter::of(row, SHOWN_BYTES)).collect();
    Ok(Json(Letters { count: letters.len(), dead_letters: letters, next_cursor }))
}

/// A message that nobody could handle.
#[utoipa::path(get, path = "/dead-letters/{id}", operation_id = "dead_letter", tag = "operation", security(("token" = ["operate"])),
    params(("id" = i64, Path, minimum = 1, description = "The letter.")),
    responses(
        (status = 200, description = "The letter, with up to 1 MiB of its body.", body = Letter),
        (status = 404, description = "There is no such letter.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn letter(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<Letter>, Problem> {
    let found = match id.parse() {
        Ok(number) => dead_letter(&api.pool, number, MOST_BYTES).await?,
        Err(_) => None,
    };
    Ok(Json(Letter::of(found.ok_or_else(|| unknown(&id))?, MOST_BYTES)))
}

/// Sends a dead letter's message again, as it was, to the queue whose consumer gave it up, and to no other.
///
/// Once: asked again, it answers the same and sends nothing. When the consumer gives it up again, that is a new letter.
#[utoipa::path(post, path = "/dead-letters/{id}/replay", operation_id = "replay_dead_letter", tag = "operation",
    security(("token" = ["operate"])),
    params(("id" = i64, Path, minimum = 1, description = "The letter.")),
    responses(
        (status = 200, description = "It is on its way.", body = Letter),
        (status = 404, description = "There is no such letter.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 409, description = "It was discarded, or sending it again is no use: the detail says why.",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(crate) async fn replay(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<Letter>, Problem> {
    let held = hold(&api, &id).await?;
    let letter = match held.letter.state() {
        LetterState::Replayed => held.letter,
        LetterState::Discarded => return Err(settled(&held.letter)),
        LetterState::Open => {
            let message = replay::message(&held.letter)
                .map_err(|reason| conflict(format!("Dead letter {id} cannot be sent again: {reason}")))?;
            let letter = held.replay(&message).await?;
            api.wake.wake();
            tracing::info!(message.id = %message.event_id, queue = message.routing_key, "replayed dead letter {id}");
            letter
        }
    };
    Ok(Json(Letter::of(letter, MOST_BYTES)))
}

/// Lets a dead letter go. It stays in the list.
///
/// Once: asked again, it answers the same.
#[utoipa::path(post, path = "/dead-letters/{id}/discard", operation_id = "discard_dead_letter", tag = "operation",
    security(("token" = ["operate"])),
    params(("id" = i64, Path, minimum = 1, description = "The letter.")),
    responses(
        (status = 200, description = "It is let go.", body = Letter),
        (status = 404, description = "There is no such letter.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 409, description = "It was sent again.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn discard(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<Letter>, Problem> {
    let held = hold(&api, &id).await?;
    let letter = match held.letter.state() {
        LetterState::Discarded => held.letter,
        LetterState::Replayed => return Err(settled(&held.letter)),
        LetterState::Open => held.discard().await?,
    };
    Ok(Json(Letter::of(letter, MOST_BYTES)))
}

async fn hold(api: &Api, id: &str) -> Result<HeldLetter, Problem> {
    let held = match id.parse() {
        Ok(number) => hold_dead_letter(&api.pool, number).await?,
        Err(_) => None,
    };
    held.ok_or_else(|| unknown(id))
}

fn settled(letter: &DeadLetterRow) -> Problem {
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
