//! Parameters of the leaderboard's routes, for the API's description only; `query.rs` reads them.

use utoipa::IntoParams;

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
