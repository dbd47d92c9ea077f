//! Schema `execution`: jobs as planned, portfolios, lanes, model-days, fills.

mod days;
mod history;
mod jobs;
mod lanes;
mod portfolios;
mod reconcile;

pub use days::{DayCommit, DayRow, commit_day, has_failed};
pub use history::{
    PortfolioDay, PortfolioHistory, completed_before, history, kept, portfolios_of, stale_chain,
};
pub use jobs::{JobRow, Plan, SkippedRow, begin_plan, job, tally, unplanned};
pub use lanes::{Closing, Lane, NewLane, Take, put_down, renew, take};
pub use portfolios::PortfolioRow;
pub use reconcile::{Overdue, overdue, resent};
