//! `PUT /conversations/{experiment}/{model}/{date}`: what a recorded model said when it was run elsewhere.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::job::request::ValidationError;
use domain::values::date::parse_date;
use runtime::audit;
use runtime::http::{Caller, Params, Problem, ProblemBody};
use rust_decimal::Decimal;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Number, json};
use storage::execution::agents::{PortfolioDate, put_conversation};
use utoipa::ToSchema;

use super::state::ApiState;

/// Most MiB of a conversation.
pub(super) const LIMIT_MIB: usize = 8;
/// The highest step of a turn.
const MAX_STEP: u32 = 1_000_000;

/// A conversation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordedConversation {
    /// All turns in order.
    turns: Vec<RecordedTurn>,
}

/// A turn of a conversation.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RecordedTurn {
    role: RecordedRole,
    content: String,
    /// From 1; 0 when absent.
    #[serde(default, deserialize_with = "step")]
    #[schema(maximum = 1_000_000)]
    step: u32,
    /// Of a tool's answer: the tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Of a tool's answer: the arguments, as the model wrote them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    arguments: Option<String>,
    /// Of a model's message: its reasoning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reasoning: Option<String>,
}

/// A step: a whole number, which JSON may also write as `5.0` or `5e0`.
fn step<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let number = Number::deserialize(deserializer)?.to_string();
    let number = Decimal::from_str_exact(&number).or_else(|_| Decimal::from_scientific(&number));
    let whole = number.ok().filter(Decimal::is_integer).and_then(|number| u32::try_from(number).ok());
    whole
        .filter(|step| *step <= MAX_STEP)
        .ok_or_else(|| D::Error::custom(format!("step is no whole number from 0 to {MAX_STEP}")))
}

impl RecordedTurn {
    /// The same without NUL, which Postgres stores in no text.
    fn storable(self) -> Self {
        let text = |text: String| text.replace('\0', "\u{fffd}");
        Self {
            content: text(self.content),
            name: self.name.map(text),
            arguments: self.arguments.map(text),
            reasoning: self.reasoning.map(text),
            ..self
        }
    }
}

/// Who said it.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum RecordedRole {
    System,
    User,
    Assistant,
    Tool,
}

/// Store the conversation of a recorded model's day.
///
/// It is shown with the days of that portfolio, `GET /jobs/{job_id}/model-days/{model}/{date}`, where these have no
/// conversation of their own, and changes no result. A conversation that is there already is replaced.
#[utoipa::path(put, path = "/conversations/{experiment}/{model}/{date}", operation_id = "put_conversation", tag = "jobs",
    security(("token" = ["operate"])),
    params(
        ("experiment" = String, Path, description = "The portfolio's experiment."),
        ("model" = String, Path, description = "Its model."),
        ("date" = String, Path, format = Date, description = "The day, `YYYY-MM-DD`."),
        ("trial" = Option<i64>, Query, minimum = 0, maximum = 999, description = "The trial; 0 when absent."),
    ),
    request_body(content = RecordedConversation, description = "What was said."),
    responses(
        (status = 204, description = "It is stored."),
        (status = 413, description = "The body is larger than 8 MiB.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "A field or the date is invalid, or the path has a NUL.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn put(
    State(ApiState { pool, .. }): State<ApiState>,
    caller: Caller,
    Path((experiment, model, date)): Path<(String, String, String)>,
    mut params: Params,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Problem> {
    let trial = params.number("trial", 0, 999).unwrap_or_default();
    params.finish()?;
    let invalid = |loc: Vec<domain::job::request::PathSegment>, problem: String| {
        Problem::validation(vec![ValidationError::value(loc, problem, serde_json::Value::Null)])
    };
    let Some(day) = parse_date(&date) else {
        return Err(invalid(vec!["path".into(), "date".into()], "write the day as YYYY-MM-DD".to_owned()));
    };
    let body = body.map_err(|rejection| Problem::new(rejection.status(), rejection.body_text()))?;
    let RecordedConversation { turns } = serde_json::from_slice(&body).map_err(|problem| {
        invalid(vec!["body".into()], format!("the body must be {{\"turns\": [...]}}: {problem}"))
    })?;
    let turns = json!(turns.into_iter().map(RecordedTurn::storable).collect::<Vec<_>>());
    let of = PortfolioDate { experiment, model, trial: u32::try_from(trial).unwrap_or_default(), date: day };
    put_conversation(&pool, &of, &turns, caller.name()).await?;
    let PortfolioDate { experiment, model, .. } = &of;
    audit::record(&caller, "stored", format_args!("the conversation of {model} on {date} in {experiment}"));
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step_of(text: &str) -> Option<u32> {
        let turn = format!(r#"{{ "role": "user", "content": "", "step": {text} }}"#);
        serde_json::from_str::<RecordedTurn>(&turn).ok().map(|turn| turn.step)
    }

    #[test]
    fn a_step_is_a_whole_number_up_to_a_million_however_it_is_written() {
        for (text, step) in [("0", 0), ("7", 7), ("7.0", 7), ("7e0", 7), ("1000000.0", 1_000_000)] {
            assert_eq!(step_of(text), Some(step), "{text}");
        }
        for text in ["-1", "7.5", "1000001", "1e300", "\"7\"", "null"] {
            assert_eq!(step_of(text), None, "{text}");
        }
    }
}
