//! `GET /schemas/{type}.json` and `GET /asyncapi.json`: what the events' messages look like, for programs.

use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use runtime::http::{Params, Problem, ProblemBody};

use super::state::Api;

/// How long a document may be kept; it changes only with the version of Modelday.
const KEPT: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// The JSON Schema of the bodies of an event's type, with an example.
///
/// Its `$id` is the `dataschema` of the events of this type. It accepts fields and enum values that it does not know.
#[utoipa::path(get, path = "/schemas/{file}", operation_id = "event_schema", tag = "events", security(()),
    params(("file" = String, Path, description = "The type and `.json`, such as `modelday.job.started.v1.json`.")),
    responses(
        (status = 200, description = "The schema (draft 2020-12).", body = Object, content_type = "application/schema+json"),
        (status = 404, description = "There is no such type of events.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "A parameter is unknown, or the address has a NUL.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn schema(
    State(api): State<Api>,
    Path(file): Path<String>,
    params: Params,
) -> Result<Response, Problem> {
    params.finish()?;
    let schema = file.strip_suffix(".json").and_then(|kind| api.settings.schemas.json_schema(kind));
    let unknown = || Problem::new(StatusCode::NOT_FOUND, format!("There is no schema {file}"));
    Ok(document("application/schema+json", schema.ok_or_else(unknown)?))
}

/// The AsyncAPI 3 document of the events: exchange, routing keys, headers, bodies, and an example of each.
#[utoipa::path(get, path = "/asyncapi.json", operation_id = "asyncapi", tag = "events", security(()),
    responses(
        (status = 200, description = "The document.", body = Object, content_type = "application/json"),
        (status = 422, description = "A parameter is unknown.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn asyncapi(State(api): State<Api>, params: Params) -> Result<Response, Problem> {
    params.finish()?;
    Ok(document("application/json", api.settings.schemas.asyncapi()))
}

fn document(media_type: &'static str, text: String) -> Response {
    let headers =
        [(header::CONTENT_TYPE, HeaderValue::from_static(media_type)), (header::CACHE_CONTROL, KEPT)];
    (headers, text).into_response()
}
