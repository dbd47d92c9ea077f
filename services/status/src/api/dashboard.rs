//! `GET /`: a page to watch jobs with, and its files. They are compiled into the program.

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use runtime::http::{Problem, ProblemBody};

/// Allows the page's own scripts, styles and requests; nothing from other hosts.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PAGE: &str = include_str!("../../dashboard/index.html");

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const PICTURE: &str = "image/svg+xml";

/// Name, type and content of each file.
const FILES: [(&str, &str, &str); 10] = [
    ("api.js", SCRIPT, include_str!("../../dashboard/api.js")),
    ("chart.js", SCRIPT, include_str!("../../dashboard/chart.js")),
    ("dom.js", SCRIPT, include_str!("../../dashboard/dom.js")),
    ("icon.svg", PICTURE, include_str!("../../dashboard/icon.svg")),
    ("job.js", SCRIPT, include_str!("../../dashboard/job.js")),
    ("jobs.js", SCRIPT, include_str!("../../dashboard/jobs.js")),
    ("leaderboard.js", SCRIPT, include_str!("../../dashboard/leaderboard.js")),
    ("main.js", SCRIPT, include_str!("../../dashboard/main.js")),
    ("operation.js", SCRIPT, include_str!("../../dashboard/operation.js")),
    ("style.css", STYLE, include_str!("../../dashboard/style.css")),
];

/// A page to watch jobs with.
///
/// The page itself needs no token. Where tokens are configured, it prompts for the one to send with its requests.
#[utoipa::path(get, path = "/", operation_id = "dashboard", tag = "dashboard", security(()),
    responses((status = 200, description = "The page.", body = String, content_type = "text/html")))]
pub(super) async fn page() -> Response {
    response("text/html; charset=utf-8", PAGE)
}

/// A file of the page.
#[utoipa::path(get, path = "/dashboard/{file}", operation_id = "dashboard_file", tag = "dashboard", security(()),
    params(("file" = String, Path, description = "Its name.")),
    responses(
        (status = 200, description = "The file.",
            content((String = "text/javascript"), (String = "text/css"), (String = "image/svg+xml"))),
        (status = 404, description = "There is no such file.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn file(Path(name): Path<String>) -> Result<Response, Problem> {
    let found = FILES.into_iter().find(|(known, _, _)| *known == name);
    let (_, kind, content) = found.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "Not Found"))?;
    Ok(response(kind, content))
}

fn response(kind: &'static str, content: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, POLICY)], content).into_response()
}
