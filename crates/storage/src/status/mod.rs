//! Schema `status`: event log, read model, dead letters.

mod chains;
mod day_grid;
mod dead_letters;
mod event_filter;
mod event_log;
mod experiments;
mod feed;
mod job_views;
mod missing_events;
mod model_days;
mod oldest_rows;
mod pauses;
mod portfolio_days;
mod portfolios;
mod projection;
mod projector_lock;
mod rebuild;
mod replays;
mod results;
mod total_return_days;
mod traces;
mod training_cutoffs;
mod usage;

pub use day_grid::{DayCell, FailureRow, day_cells, failures_by_cause};
pub use dead_letters::{
    DeadLetterRow, LetterFilter, LetterState, NewDeadLetter, count_open_dead_letters, dead_letter,
    dead_letters, insert_dead_letter, prune_dead_letters,
};
pub use event_filter::{EventFilter, SelectedEvents, selected_events, selected_job_events};
pub use event_log::ReceivedEvent;
pub use experiments::{ExperimentRow, experiments};
pub use feed::{
    EventNotifications, FeedEvent, LogEnd, events_after, job_events_after, last_position, log_end,
};
pub use job_views::{Counts, JobFilter, StoredJob, job_counts, job_view, job_views};
pub use missing_events::{OutboxExtent, Upstream, log_lacks, missing_events, outbox_extents};
pub use model_days::{DayFilter, DayRow, day_rows};
pub use oldest_rows::oldest_rows;
pub use pauses::pauses_of_jobs;
pub use portfolio_days::{CompletedDayEvent, DaysOf, Trading, completed_days};
pub use portfolios::{Portfolio, portfolios, stale_portfolios};
pub use projection::{LoggedEvent, Projection, Sessions, project, refuses_content};
pub use projector_lock::ProjectorLock;
pub use rebuild::{rebuild, rebuild_all};
pub use replays::{LockedLetter, Replay, lock_dead_letter};
pub use results::{
    JobDays, Span, WinnerKey, WinnerRow, conversations, day_bodies, days_of_job, stale_day_bodies, winners,
};
pub use total_return_days::{HeldSymbols, total_return_holdings};
pub use traces::{TracedDay, day_traceparent};
pub use training_cutoffs::training_cutoffs;
pub use usage::{UsageFilter, UsageRow, job_usage, portfolio_usage};
