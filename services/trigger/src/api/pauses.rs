//! `GET /pauses`, and `PUT` and `DELETE /pauses/{kind}/{name}`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::SecondsFormat;
use domain::job::pause::{PauseKind, UnknownPauseKind};
use domain::job::request::ValidationError;
use runtime::audit;
use runtime::http::{Caller, Problem, ProblemBody};
use serde::Serialize;
use serde_json::Value;
use storage::trigger::{PauseEffect, pause_effects};
use utoipa::ToSchema;

use super::request::json_body;
use crate::accept::Acceptor;
use crate::pauses::check_known;

/// Most characters of a reason.
const MAX_REASON: usize = 500;
const TOO_LONG: &str = "write at most 500 characters in one line";

/// A pause, and what it holds up.
#[derive(Serialize, ToSchema)]
#[schema(as = Pause)]
pub(super) struct PauseBody {
    /// What is paused: `model`, `source` or `queue`.
    kind: &'static str,
    name: String,
    /// The reason, as it was given; null without a reason.
    reason: Option<String>,
    /// The name of the API token that paused it, or `anonymous`.
    paused_by: String,
    #[schema(format = DateTime)]
    paused_at: String,
    /// The same in a sentence.
    message: String,
    /// Turns, preparations or calls of it that still run. With 0, a second after the pause or later, it is drained.
    in_hand: u64,
    /// The jobs of them, at most ten; calls name none.
    jobs_in_hand: Vec<String>,
    /// Lanes that wait because of it.
    waiting_lanes: u64,
    /// Jobs that have lanes or prices that wait because of it.
    waiting_jobs: u64,
}

/// Everything that is paused.
#[derive(Serialize, ToSchema)]
pub(super) struct Pauses {
    count: usize,
    pauses: Vec<PauseBody>,
}

/// Why something is paused.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes; the body is read member by member")]
pub(super) struct PauseMembers {
    /// Why, for those who read that it is paused. Absent: the reason stays as it is.
    #[schema(max_length = 500, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$", example = "its endpoint is down")]
    reason: Option<String>,
}

/// Everything that is paused.
///
/// With who paused it, why, and what waits for it.
#[utoipa::path(get, path = "/pauses", tag = "pauses", security(("token" = ["read"])), responses(
    (status = 200, description = "All pauses, the oldest first.", body = Pauses),
))]
pub(super) async fn pauses(State(acceptor): State<Acceptor>) -> Result<Json<Pauses>, Problem> {
    let effects = pause_effects(&acceptor.pool).await?;
    let pauses: Vec<PauseBody> = effects.into_iter().map(Into::into).collect();
    Ok(Json(Pauses { count: pauses.len(), pauses }))
}

/// Pause a model, a source of prices or a queue.
///
/// What is in hand is finished; nothing new of it begins, within about a second and in all processes, until it is resumed.
/// Jobs wait and do not fail. The queues are `executor` (turns of lanes) and `downloader` (preparations of prices).
/// Pausing it again changes its reason at most.
#[utoipa::path(put, path = "/pauses/{kind}/{name}", operation_id = "pause", tag = "pauses", security(("token" = ["operate"])),
    params(
        ("kind" = String, Path, pattern = "^(model|source|queue)$", description = "What it is."),
        ("name" = String, Path, description = "Its name."),
    ),
    request_body(content = PauseMembers, description = "Why."),
    responses(
        (status = 200, description = "The pause.", body = PauseBody),
        (status = 404, description = "There is nothing of this name; `detail` has the names that are known.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "The body is larger than 1 MiB.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "The reason is invalid, or the name has a NUL.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn pause(
    State(acceptor): State<Acceptor>,
    caller: Caller,
    Path((kind, name)): Path<(String, String)>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<PauseBody>, Problem> {
    let reason = reason(&json_body(body)?)?;
    let kind = known(&acceptor, &kind, &name).await?;
    let pool = &acceptor.pool;
    if storage::trigger::pause(pool, kind, &name, reason.as_deref(), caller.name()).await? {
        audit::record(&caller, "paused", format_args!("{kind} {name}"));
    }
    let paused = pause_effects(pool).await?.into_iter();
    let paused = paused.map(PauseBody::from).find(|one| one.kind == kind.as_str() && one.name == name);
    let resumed = || Problem::new(StatusCode::NOT_FOUND, format!("{kind} {name} was resumed meanwhile"));
    Ok(Json(paused.ok_or_else(resumed)?))
}

/// Resume a model, a source of prices or a queue.
///
/// What waited for it goes on within about a second. Nothing happens when it is not paused.
#[utoipa::path(delete, path = "/pauses/{kind}/{name}", operation_id = "resume", tag = "pauses", security(("token" = ["operate"])),
    params(
        ("kind" = String, Path, pattern = "^(model|source|queue)$", description = "What it is."),
        ("name" = String, Path, description = "Its name."),
    ),
    responses(
        (status = 204, description = "It is not paused."),
        (status = 404, description = "There is nothing of this name; `detail` has the names that are known.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "The name has a NUL.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn resume(
    State(acceptor): State<Acceptor>,
    caller: Caller,
    Path((kind, name)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    // What is paused may have been removed since.
    let paused = kind.parse::<PauseKind>().map_err(unknown_kind)?;
    if storage::trigger::resume(&acceptor.pool, paused, &name).await? {
        audit::record(&caller, "resumed", format_args!("{kind} {name}"));
    } else {
        known(&acceptor, &kind, &name).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn known(acceptor: &Acceptor, kind: &str, name: &str) -> Result<PauseKind, Problem> {
    let kind = kind.parse::<PauseKind>().map_err(unknown_kind)?;
    match check_known(acceptor, kind, name).await? {
        Ok(()) => Ok(kind),
        Err(unknown) => Err(Problem::new(StatusCode::NOT_FOUND, unknown.to_string())),
    }
}

fn unknown_kind(problem: UnknownPauseKind) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, problem.to_string())
}

/// The reason of a body, if it has one.
fn reason(body: &Value) -> Result<Option<String>, Problem> {
    let invalid = |member: Option<&str>, problem: &str, input: &Value| {
        let loc = std::iter::once("body").chain(member).map(Into::into).collect();
        Problem::validation(vec![ValidationError::value(loc, problem, input.clone())])
    };
    let members = body.as_object();
    let members =
        members.ok_or_else(|| invalid(None, "write an object, such as {\"reason\": \"why\"}", body))?;
    match members.get("reason") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(Value::String(text))
            if text.chars().count() <= MAX_REASON && !text.chars().any(char::is_control) =>
        {
            Ok(Some(text.trim().to_owned()))
        }
        Some(other) => Err(invalid(Some("reason"), TOO_LONG, other)),
    }
}

impl From<PauseEffect> for PauseBody {
    fn from(effect: PauseEffect) -> Self {
        let PauseEffect { pause, in_hand, jobs_in_hand, waiting_lanes, waiting_jobs } = effect;
        Self {
            kind: pause.kind.as_str(),
            message: pause.to_string(),
            name: pause.name,
            reason: pause.reason,
            paused_by: pause.paused_by,
            paused_at: pause.paused_at.to_rfc3339_opts(SecondsFormat::Micros, true),
            in_hand,
            jobs_in_hand: jobs_in_hand.iter().map(ToString::to_string).collect(),
            waiting_lanes,
            waiting_jobs,
        }
    }
}
