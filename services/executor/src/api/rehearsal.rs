//! `POST /models/{signature}/try`: one day of an agent that is tried by hand, reported while it goes on.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::job::request::{PathSegment, UniverseChoice, ValidationError};
use domain::market::instruments::Symbol;
use runtime::audit;
use runtime::http::{Caller, Problem, ProblemBody};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::mpsc;
use utoipa::ToSchema;

use super::state::ApiState;
use crate::rehearsal::{Attempted, KeptPortfolio, Line, NotTried};

/// Time after which an empty line shows that the connection lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// The most symbols of a try.
const MAX_SYMBOLS: usize = 1_000;

/// What to try.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TryRequest {
    /// The day: a session of the exchange whose prices are stored.
    #[schema(format = Date)]
    date: String,
    /// What may be traded; without it and `universe`, the default universe.
    #[schema(max_items = 1000)]
    symbols: Option<Vec<String>>,
    /// The name of a universe, in place of `symbols`.
    universe: Option<String>,
    /// Begin from the model's portfolio in this experiment, as it was after its last completed day before `date`. Without
    /// it, the day begins from the model's cash.
    experiment: Option<String>,
    /// The portfolio's trial; 0 when absent.
    #[schema(maximum = 999)]
    trial: Option<u32>,
}

/// Try an agent: one day by hand, of which nothing is stored.
///
/// The answer is JSON Lines, sent while the day goes on; empty lines mean nothing. Each line names itself in `line`:
/// `began`, `call` (a request and its answer as they were sent, without keys; how long it took, what it cost),
/// `tool` (a call of a tool with its arguments and its result) and, last, `ended`. `call` and `tool` have a
/// `diagnosis` where something is wrong: `problem`, `expected` and `fix`.
/// The day begins from the model's cash, or from a kept portfolio. Calls that fail are not tried again. A day takes ten minutes at most.
#[utoipa::path(post, path = "/models/{signature}/try", tag = "jobs", security(("token" = ["trigger"])),
    request_body(content = TryRequest, description = "What to try."),
    params(("signature" = String, Path, description = "The model, of kind `llm` or `http`.")),
    responses(
        (status = 200, description = "The day as it goes on.", body = String, content_type = "application/x-ndjson"),
        (status = 404, description = "There is no such agent.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 409, description = "No prices of the day are stored, or the portfolio has no day before it.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 413, description = "The body is larger than 1 MiB.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "A field is invalid.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 429, description = "As many days as the model's `concurrency` allows call the endpoint already.",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(super) async fn try_model(
    State(ApiState { rehearsals, .. }): State<ApiState>,
    caller: Caller,
    Path(signature): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let attempted = read(signature.clone(), body)?;
    let date = attempted.date;
    let rehearsal = rehearsals.prepare(attempted).await.map_err(problem)?;
    audit::record(&caller, "tried", format_args!("model {signature} on {date}"));
    let (sender, receiver) = mpsc::channel::<Line>(4);
    tokio::spawn(async move {
        if let Err(problem) = rehearsals.run(rehearsal, sender).await {
            tracing::error!(model = %signature, "a try was not finished: {problem}");
        }
    });
    let lines = futures::stream::unfold(receiver, async |mut receiver| {
        let chunk = match tokio::time::timeout(HEARTBEAT, receiver.recv()).await {
            Err(_) => Bytes::from_static(b"\n"),
            Ok(line) => Bytes::from(format!("{}\n", serde_json::to_string(&line?).ok()?)),
        };
        Some((Ok::<_, Infallible>(chunk), receiver))
    });
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response())
}

/// What a body says.
fn read(signature: String, body: Result<Bytes, BytesRejection>) -> Result<Attempted, Problem> {
    let body = body.map_err(|rejection| Problem::new(rejection.status(), rejection.body_text()))?;
    let request: TryRequest = serde_json::from_slice(&body).map_err(|problem| {
        invalid(&[], &format!("the body must be {{\"date\": ...}}: {problem}"), Value::Null)
    })?;
    let date = domain::values::date::parse_date(&request.date)
        .ok_or_else(|| invalid(&["date"], "write the day as YYYY-MM-DD", request.date.clone().into()))?;
    if let Some(experiment) = request.experiment.as_ref().filter(|name| name.contains('\0')) {
        return Err(invalid(
            &["experiment"],
            "no experiment has a NUL in its name",
            experiment.clone().into(),
        ));
    }
    if let Some(trial) = request.trial.filter(|trial| *trial > 999) {
        return Err(invalid(&["trial"], "a model has at most 1000 trials", trial.into()));
    }
    let kept = match (request.experiment, request.trial) {
        (Some(experiment), trial) => Some(KeptPortfolio { experiment, trial: trial.unwrap_or_default() }),
        (None, None) => None,
        (None, Some(trial)) => {
            return Err(invalid(&["trial"], "name the experiment of the portfolio too", trial.into()));
        }
    };
    let choice = match (request.symbols.filter(|symbols| !symbols.is_empty()), request.universe) {
        (Some(_), Some(name)) => {
            return Err(invalid(&["universe"], "name a universe or symbols, not both", name.into()));
        }
        (Some(texts), None) => UniverseChoice::Symbols(symbols(texts)?),
        (None, Some(name)) => UniverseChoice::Named(name),
        (None, None) => UniverseChoice::Default,
    };
    Ok(Attempted { signature, date, choice, kept })
}

/// Each symbol once.
fn symbols(texts: Vec<String>) -> Result<Vec<Symbol>, Problem> {
    if texts.len() > MAX_SYMBOLS {
        return Err(invalid(&["symbols"], &format!("name at most {MAX_SYMBOLS}"), texts.len().into()));
    }
    let mut symbols: Vec<Symbol> = Vec::with_capacity(texts.len());
    for text in texts {
        let symbol: Symbol = text
            .parse()
            .map_err(|_| invalid(&["symbols"], "write symbols such as AAPL", text.clone().into()))?;
        if !symbols.contains(&symbol) {
            symbols.push(symbol);
        }
    }
    Ok(symbols)
}

fn invalid(field: &[&'static str], problem: &str, input: Value) -> Problem {
    let loc = ["body"].iter().chain(field).map(|place| PathSegment::from(*place)).collect();
    Problem::validation(vec![ValidationError::value(loc, problem, input)])
}

fn problem(not_tried: NotTried) -> Problem {
    let detail = not_tried.to_string();
    match not_tried {
        NotTried::Unknown(_) => Problem::new(StatusCode::NOT_FOUND, detail),
        NotTried::NoSession { date, .. } => invalid(&["date"], &detail, date.to_string().into()),
        NotTried::NoUniverse { name, .. } => {
            let field = if name.is_some() { "universe" } else { "symbols" };
            invalid(&[field], &detail, name.into())
        }
        NotTried::NoPrices(_) | NotTried::NoPosition { .. } => Problem::new(StatusCode::CONFLICT, detail),
        NotTried::Busy(_) => Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).retry_after(5),
        NotTried::Failed(crate::error::ExecutorError::Storage(problem)) => problem.into(),
        NotTried::Failed(problem) => Problem::internal(&problem),
    }
}
