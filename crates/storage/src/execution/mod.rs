//! Schema `execution`: jobs as planned, portfolios, lanes, model-days, fills.

pub mod agents;
mod cancelling;
mod closing;
mod commit;
mod days;
mod endpoints;
mod history;
mod jobs;
mod lanes;
mod portfolios;
mod reconcile;
mod recorded;
mod suspected;

pub use cancelling::{Cancelling, CutLane, uncancelled};
pub use closing::{Closing, NextLane};
pub use commit::commit_days;
pub use days::{CompletedRow, DayOutcome, EndedAttempt, LaneCommit, NewModelDay, has_failed};
pub use endpoints::{call_next, hand_back, take_with_endpoint};
pub use history::{PortfolioHistory, completed_before, history, kept, portfolios_of, stale_chain};
pub use jobs::{JobRow, Plan, PriceScopeRow, SkippedRow, begin_plan, job, tally, unplanned};
pub use lanes::{Durable, Lane, NewLane, Take, put_down, renew, take};
pub use portfolios::PortfolioRow;
pub use reconcile::{Overdue, overdue, resent};
pub use recorded::{
    DayRecord, RecordedJob, RecordedLane, recorded_bases, recorded_days, recorded_job, recorded_lanes,
};
pub use suspected::{note_suspected, suspected};
