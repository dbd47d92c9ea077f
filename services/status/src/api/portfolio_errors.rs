//! Refusals of requests for portfolios by dates or by job, as the API's description has them.

use runtime::http::ProblemBody;
use utoipa::IntoResponses;

/// Why portfolios cannot be shown.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes")]
pub(super) enum PortfolioErrors {
    /// The dates are invalid.
    #[response(status = 400, content_type = "application/problem+json")]
    Dates(ProblemBody),
    /// No such job was accepted.
    #[response(status = 404, content_type = "application/problem+json")]
    Job(ProblemBody),
    /// A parameter is invalid.
    #[response(status = 422, content_type = "application/problem+json")]
    Parameter(ProblemBody),
}
