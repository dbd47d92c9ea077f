//! Schema `status`: event log, read model, dead letters.

mod chains;
mod cutoffs;
mod dead_letters;
mod event_log;
mod feed;
mod job_views;
mod model_days;
mod portfolio_days;
mod portfolios;
mod projection;
mod rebuild;
mod replays;
mod results;
mod unseen;
mod usage;

pub use cutoffs::training_cutoffs;
pub use dead_letters::{
    DeadLetterRow, LetterFilter, LetterState, NewDeadLetter, dead_letter, dead_letters, insert_dead_letter,
};
pub use feed::{Announcements, FeedEvent, Standing, events_after, job_events_after, last_position, standing};
pub use job_views::{Counts, JobFilter, StoredJob, job_view, job_views};
pub use model_days::{DayFilter, DayRow, day_rows};
pub use portfolio_days::{DaysOf, ToldDay, Trading, told_days};
pub use portfolios::{Portfolio, portfolios};
pub use projection::{Logged, Projected, Received, project, refuses_content};
pub use rebuild::{rebuild, rebuild_all};
pub use replays::{HeldLetter, Replay, hold_dead_letter};
pub use results::{JobDays, Span, WinnerKey, WinnerRow, conversations, day_bodies, days_of_job, winners};
pub use unseen::{Extent, Upstream, extents, unseen};
pub use usage::{UsageFilter, UsageRow, job_usage, portfolio_usage};
