//! The tables that have rows of jobs.

/// A table with rows of jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobTable {
    /// Schema and name.
    pub name: &'static str,
    /// Which rows are of the jobs `$1`.
    pub(super) rows: &'static str,
    /// Whether rows stay when their jobs go.
    pub(super) stays: bool,
}

/// What an archive has, in an order in which it can be inserted: rows refer only to rows of tables before theirs.
///
/// The read model of status is not among them: it is rebuilt from the events.
pub const JOB_TABLES: [JobTable; 17] = [
    JobTable::new("trigger.jobs", "id = ANY($1)"),
    JobTable::new("trigger.cancellations", "job_id = ANY($1)"),
    JobTable::new("market.preparations", "job_id = ANY($1)"),
    JobTable::new("market.findings", "job_id = ANY($1)"),
    JobTable::new("execution.jobs", "id = ANY($1)"),
    // A portfolio's row is its name and its id, under which its days come back.
    JobTable {
        stays: true,
        ..JobTable::new(
            "execution.portfolios",
            "id IN (SELECT portfolio_id FROM execution.lanes WHERE job_id = ANY($1))",
        )
    },
    JobTable::new("execution.lanes", "job_id = ANY($1)"),
    JobTable::new("execution.price_scopes", "job_id = ANY($1)"),
    JobTable::new("execution.budgets", "job_id = ANY($1)"),
    JobTable::new("execution.suspected_splits", "job_id = ANY($1)"),
    JobTable::new("execution.unpriced_holdings", "job_id = ANY($1)"),
    JobTable::new("execution.model_days", "job_id = ANY($1)"),
    JobTable::new(
        "execution.fills",
        "(portfolio_id, trading_date, revision) IN (
            SELECT portfolio_id, trading_date, revision FROM execution.model_days
            WHERE job_id = ANY($1) AND state = 'completed'
        )",
    ),
    JobTable::new("execution.attempts", "job_id = ANY($1)"),
    JobTable::new(
        "execution.journal",
        "(portfolio_id, trading_date, revision, attempt) IN (
            SELECT portfolio_id, trading_date, revision, attempt FROM execution.attempts WHERE job_id = ANY($1)
        )",
    ),
    JobTable::new("execution.transcripts", "job_id = ANY($1)"),
    JobTable::new("status.events", "job_id = ANY($1)"),
];

impl JobTable {
    const fn new(name: &'static str, rows: &'static str) -> Self {
        Self { name, rows, stays: false }
    }
}
