//! The pages of the board and their files, which are compiled into the program.
//!
//! Each page is the same document; its script shows what the path names. Files have their content's hash in their path, so
//! that browsers keep them for ever.

mod assets;

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use runtime::http::{Problem, ProblemBody, lists};
use utoipa::IntoResponses;

use assets::Asset;

/// Allows the pages' own scripts, styles and requests; nothing from other hosts.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Files never change under their path.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// The document is requested again each time.
const ASK_AGAIN: &str = "no-cache";

/// The pages with one name.
const PAGES: [&str; 7] = ["jobs", "new", "leaderboard", "models", "sources", "dead-letters", "audit"];

/// The board.
///
/// The pages need no token. Where tokens are configured, they prompt for the one to send with their requests.
#[utoipa::path(get, path = "/", operation_id = "board", tag = "board", security(()),
    responses((status = 200, description = "The page.", body = String, content_type = "text/html")))]
pub(super) async fn board(headers: HeaderMap) -> Response {
    document(&headers)
}

/// How a page is answered.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes")]
enum PageResponses {
    /// The page.
    #[response(status = 200, content_type = "text/html")]
    Page(String),
    /// A parameter is unknown, or the address has a NUL.
    #[response(status = 422, content_type = "application/problem+json")]
    Refused(ProblemBody),
}

/// A page of the board.
#[utoipa::path(get, path = "/board/{page}", operation_id = "board_page", tag = "board", security(()),
    params(
        ("page" = String, Path, description = "`jobs`, `new`, `leaderboard`, `models`, `sources`, `dead-letters` or `audit`."),
        ("status" = Option<String>, Query, description = "Jobs: only those in this state."),
        ("text" = Option<String>, Query, description = "Jobs: only those with this text."),
        ("model" = Option<String>, Query, description = "Jobs: only those of this model. New job: a model that is chosen. Models: the entry that is shown."),
        ("universe" = Option<String>, Query, description = "Models: the universe that is shown."),
        ("new" = Option<String>, Query, description = "Models: `model` or `universe`, a form for a new one."),
        ("experiment" = Option<String>, Query, description = "Jobs, leaderboard: of this experiment."),
        ("models" = Option<String>, Query, description = "Leaderboard: only these models."),
        ("start_date" = Option<String>, Query, description = "Leaderboard, new job: the first date."),
        ("end_date" = Option<String>, Query, description = "Leaderboard, new job: the last date."),
        ("state" = Option<String>, Query, description = "Dead letters: those in this state."),
    ),
    responses(
        (status = 200, description = "The page.", body = String, content_type = "text/html"),
        (status = 404, description = "There is no such page.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "A parameter is unknown, or the address has a NUL.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn page(headers: HeaderMap, Path(page): Path<String>) -> Result<Response, Problem> {
    if PAGES.contains(&page.as_str()) { Ok(document(&headers)) } else { Err(not_found()) }
}

/// The page of a job.
#[utoipa::path(get, path = "/board/jobs/{job_id}", operation_id = "board_job", tag = "board", security(()),
    params(("job_id" = String, Path, description = "The job.")),
    responses(PageResponses))]
pub(super) async fn job(headers: HeaderMap) -> Response {
    document(&headers)
}

/// The page of a model-day; `?trial=` names a trial other than 0.
#[utoipa::path(get, path = "/board/jobs/{job_id}/{model}/{date}", operation_id = "board_day", tag = "board", security(()),
    params(
        ("job_id" = String, Path, description = "The job."),
        ("model" = String, Path, description = "The model."),
        ("date" = String, Path, description = "The date, `YYYY-MM-DD`."),
        ("trial" = Option<String>, Query, description = "The trial; 0 when absent."),
    ),
    responses(PageResponses))]
pub(super) async fn day(headers: HeaderMap) -> Response {
    document(&headers)
}

/// The page of a portfolio; `?trial=` names a trial other than 0.
#[utoipa::path(get, path = "/board/portfolios/{experiment}/{model}", operation_id = "board_portfolio", tag = "board",
    security(()),
    params(
        ("experiment" = String, Path, description = "Its experiment."),
        ("model" = String, Path, description = "Its model."),
        ("trial" = Option<String>, Query, description = "The trial; 0 when absent."),
    ),
    responses(PageResponses))]
pub(super) async fn portfolio(headers: HeaderMap) -> Response {
    document(&headers)
}

/// A file of the pages.
#[utoipa::path(get, path = "/board/assets/{version}/{file}", operation_id = "board_file", tag = "board", security(()),
    params(
        ("version" = String, Path, description = "The hash that the page names."),
        ("file" = String, Path, description = "Its name."),
    ),
    responses(
        (status = 200, description = "The file.",
            content((String = "text/javascript"), (String = "text/css"), (String = "image/svg+xml"))),
        (status = 404, description = "There is no such file, or it is of another version.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "A parameter is unknown, or the address has a NUL.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn file(
    headers: HeaderMap,
    Path((version, name)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let found = assets::find(&version, &name).ok_or_else(not_found)?;
    Ok(response(&headers, found, FOR_EVER))
}

fn not_found() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "Not Found")
}

fn document(headers: &HeaderMap) -> Response {
    response(headers, assets::document(), ASK_AGAIN)
}

/// The asset, compressed for clients that accept it; without a body for a client that has it.
fn response(headers: &HeaderMap, asset: &Asset, caching: &'static str) -> Response {
    let common = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, caching),
        (header::VARY, "Accept-Encoding"),
        (header::ETAG, asset.etag()),
    ];
    if lists(headers, &header::IF_NONE_MATCH, asset.etag()) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let kind = [(header::CONTENT_TYPE, asset.kind())];
    if lists(headers, &header::ACCEPT_ENCODING, "gzip") {
        return (common, kind, [(header::CONTENT_ENCODING, "gzip")], asset.compressed()).into_response();
    }
    (common, kind, asset.content()).into_response()
}
