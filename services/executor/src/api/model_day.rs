//! `GET /jobs/{id}/model-days/{model}/{date}`: a model-day in full, with the conversation of an agent's.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use chrono::SecondsFormat;
use domain::values::date::parse_date;
use domain::values::ids::JobId;
use runtime::http::{Problem, ProblemBody};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use storage::execution::agents::{DayKey, ended_day, recorded_conversation};
use utoipa::ToSchema;

use super::state::ApiState;

#[derive(Deserialize)]
pub(super) struct Which {
    #[serde(default)]
    trial: u32,
}

/// A model-day that has ended, with what an agent said and did.
#[derive(Serialize, ToSchema)]
pub(super) struct EndedModelDay {
    job_id: String,
    model: String,
    trial: u32,
    date: String,
    /// `completed`, `failed` or `skipped`.
    status: String,
    /// Why it failed, or was skipped.
    error: Option<String>,
    /// How often it was begun.
    attempt: i32,
    /// Of a completed day: the highest of a portfolio's date counts.
    revision: Option<i32>,
    completed_at: String,
    /// Why an agent's day ended.
    end_reason: Option<String>,
    /// What the agent said last.
    #[schema(value_type = Option<String>)]
    summary: Option<Value>,
    /// Tokens and dollars.
    #[schema(value_type = Option<Object>)]
    usage: Option<Value>,
    /// All turns in order; empty for models that say nothing. A recorded model has what came with its orders.
    #[schema(value_type = Vec<TranscriptTurn>)]
    transcript: Value,
}

/// One turn of a conversation.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes domain's `Turn`, which is stored as it is shown")]
struct TranscriptTurn {
    /// `system`, `user`, `assistant` or `tool`.
    role: String,
    /// From 1; 0 for what is said before the first.
    step: u32,
    /// Of a tool's answer: the call's place in the model's message, from 0.
    #[schema(required = false)]
    index: u32,
    content: String,
    /// Of a tool's answer: the tool.
    #[schema(required = false)]
    name: String,
    /// Of a tool's answer: the arguments, as the model wrote them.
    #[schema(required = false)]
    arguments: String,
    /// Of a tool's answer: the call's id.
    #[schema(required = false)]
    call_id: String,
    /// Of a model's message: its kind.
    #[schema(required = false)]
    class: String,
    /// Of a model's message: what the endpoint shows of its reasoning.
    #[schema(required = false)]
    reasoning: String,
    /// Of a model's message: how many tools it called.
    #[schema(required = false)]
    tool_calls: u32,
    /// What goes back to the endpoint unchanged: other members of the model's message or of the tool's call, or the parts
    /// of the message as they came.
    #[schema(required = false)]
    extra: Value,
}

/// A model-day that has ended, with the conversation of an agent's.
#[utoipa::path(get, path = "/jobs/{job_id}/model-days/{model}/{date}", tag = "jobs",
    security(("token" = ["read"])),
    params(
        ("job_id" = String, Path, description = "The job."),
        ("model" = String, Path, description = "The model."),
        ("date" = String, Path, format = Date, description = "The date, `YYYY-MM-DD`."),
        ("trial" = Option<u32>, Query, description = "The trial; 0 when absent."),
    ),
    responses(
        (status = 200, description = "The model-day.", body = EndedModelDay),
        (status = 400, description = "The date is wrong.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 404, description = "The job has no such model-day that has ended.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "`trial` is wrong.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn model_day(
    State(ApiState { pool, .. }): State<ApiState>,
    Path((job, model, date)): Path<(String, String, String)>,
    which: Result<Query<Which>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<EndedModelDay>, Problem> {
    let unknown = || {
        let detail = format!("Job {job} has no ended model-day of {model} on {date}");
        Problem::new(StatusCode::NOT_FOUND, detail)
    };
    let Query(Which { trial }) =
        which.map_err(|_| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "trial must be a number from 0"))?;
    let session = parse_date(&date)
        .ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, "Invalid date format. Expected YYYY-MM-DD"))?;
    let id: JobId = job.parse().map_err(|_| unknown())?;
    let key = DayKey { job: id, model: model.clone(), trial, date: session };
    let day = ended_day(&pool, &key).await?;
    let day = day.ok_or_else(unknown)?;
    let said = |field: &str| day.conversation.as_ref().and_then(|said| said.get(field)).cloned();
    let transcript = match said("turns") {
        Some(turns) => Some(turns),
        None => recorded_conversation(&pool, &key).await?,
    };
    let transcript = transcript.unwrap_or_else(|| Value::Array(Vec::new()));
    Ok(Json(EndedModelDay {
        status: day.state.clone(),
        error: day.detail.clone(),
        attempt: day.attempt,
        revision: day.revision,
        completed_at: day.ended_at.to_rfc3339_opts(SecondsFormat::Micros, true),
        end_reason: day.reason.clone(),
        summary: said("summary"),
        usage: said("usage"),
        transcript,
        job_id: job,
        model,
        trial,
        date,
    }))
}
