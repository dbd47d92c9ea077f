//! Parameters and errors of the leaderboard's routes, for the API's description only; `query.rs` reads them.

use runtime::http::ProblemBody;
use utoipa::{IntoParams, IntoResponses};

/// Which portfolios over which dates.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes")]
pub(super) struct PortfolioParams {
    /// First date, `YYYY-MM-DD`; the first with a result when absent.
    #[param(format = Date)]
    start_date: Option<String>,
    /// Last date, `YYYY-MM-DD`; the last with a result when absent.
    #[param(format = Date)]
    end_date: Option<String>,
    /// Only these models; names between commas.
    models: Option<String>,
    /// Of this experiment; `default` when absent.
    experiment: Option<String>,
    /// The portfolios of this job over its dates, including days that other jobs ran.
    job_id: Option<String>,
}

/// Why there is no leaderboard.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes")]
pub(super) enum LeaderboardErrors {
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
