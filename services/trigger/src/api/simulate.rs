//! `POST /simulate/trigger` and `/simulate/plan`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::HeaderMap;
use axum::response::Response;
use chrono::Utc;
use runtime::http::{Caller, Problem, ProblemBody};

use super::request::{idempotency_key, json_body};
use super::request_schema::SimulationRequest;
use super::response;
use crate::accept::{AcceptedBody, Acceptor};
use crate::dry_run::{DryRunBody, dry_run};

/// Start a job.
///
/// The response comes at once; follow the job with `GET /simulate/status/{job_id}`. Days that are completed already
/// are not run again, unless `replace_existing` is true.
#[utoipa::path(post, path = "/simulate/trigger", tag = "jobs", security(("token" = ["trigger"])),
    request_body(content = SimulationRequest, description = "What to run."),
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, description =
        "The same key with the same request gets the same response for 24 hours, and no second job.")),
    responses(
        (status = 200, description = "The job was accepted, or was accepted before under the same key.",
            body = AcceptedBody,
            headers(("Idempotency-Replayed" = Option<String>, description = "`true` on a repeated response."))),
        (status = 400, description = "The request cannot be run: its dates, too many days, too many active jobs, an endpoint that may not be called.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "The body is larger than 1 MiB.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "A field is invalid, or the key was used for another request.",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(super) async fn trigger(
    State(acceptor): State<Acceptor>,
    caller: Caller,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = json_body(body)?;
    let key = idempotency_key(&headers)?;
    Ok(response::accepted(acceptor.accept(&body, &caller, key, Utc::now()).await?))
}

/// Make a dry run: what a job would do.
///
/// Takes the body of `POST /simulate/trigger`. Nothing is stored, published or reserved.
#[utoipa::path(post, path = "/simulate/plan", tag = "jobs", security(("token" = ["read"])),
    extensions(("x-heavy" = json!(true))),
    request_body(content = SimulationRequest, description = "What would be run."),
    responses(
        (status = 200, description = "What would run, be downloaded and cost.", body = DryRunBody),
        (status = 400, description = "The request cannot be run.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 413, description = "The body is larger than 1 MiB.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "A field is invalid.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn plan(
    State(acceptor): State<Acceptor>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<DryRunBody>, Problem> {
    Ok(Json(dry_run(&acceptor, &json_body(body)?, Utc::now()).await?))
}
