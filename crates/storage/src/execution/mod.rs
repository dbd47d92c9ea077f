//! Schema `execution`: jobs as planned, portfolios, lanes, model-days, fills.

pub mod agents;
mod commit;
mod days;
mod endpoints;
mod feeding;
mod history;
mod job_cancellation;
mod job_plan;
mod job_record;
mod jobs;
mod key_variables;
mod lane_counts;
mod lane_end;
mod lane_pauses;
mod lanes;
mod lists;
mod overdue_turns;
mod portfolios;
mod presence;
mod rehearsals;
mod retention;
mod suspected_splits;
mod total_return;
mod unpriced_holdings;
mod visits;
mod warning_causes;

pub use commit::commit_days;
pub use days::{CompletedRow, DayOutcome, EndedAttempt, LaneCommit, NewModelDay, has_failed};
pub use endpoints::{call_next, hand_back, take_with_endpoint};
pub use feeding::{Feeding, park, parked_keys};
pub use history::{PortfolioHistory, history, kept_days, portfolios_of, position_after, winning_days};
pub use job_cancellation::{CancelledLane, JobCancellation, pending_cancellations};
pub use job_plan::{JobPlan, PriceScopeRow, ReceivedJob, begin_plan, continue_plan};
pub use job_record::{
    DayRecord, RecordedJob, RecordedLane, recorded_bases, recorded_days, recorded_job, recorded_lanes,
};
pub use jobs::{JobRow, PriceState, SkippedRow, job, note_first_day, tally, unplanned};
pub use key_variables::record_key_variables;
pub use lane_counts::{LANE_STATES, LaneCount, count_running_jobs, lane_counts};
pub use lane_end::{LaneEnd, NextLane};
pub use lane_pauses::{pause_lane, resume_lanes};
pub use lanes::{Durable, Lane, LaneBegin, NewLane, Take, Taker, put_down, renew, take};
pub use overdue_turns::{
    Line, OverdueTurn, due_turns, free_turns, lock_turns, lost_turns, overdue_keys, resend_turns,
};
pub use portfolios::PortfolioRow;
pub use presence::Presence;
pub use rehearsals::{begin_rehearsal, configured_agent, end_rehearsal, kept_position, price_version};
pub use retention::{has_journals, prune_conversations, prune_endpoint_minutes, prune_journal};
pub use suspected_splits::{record_suspected_splits, suspected_splits};
pub use total_return::total_return_holdings;
pub use unpriced_holdings::{record_unpriced_holdings, unpriced_holdings};
pub use visits::take_for_visit;
pub use warning_causes::{WarningCauses, warning_causes};
