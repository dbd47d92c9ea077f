//! A lane in the hands of a worker: its turns, the days that a turn runs, and the lane's end.

mod agent_day;
mod cache;
mod day;
mod finish;
mod in_hand;
mod lease;
mod record_day;

pub(crate) mod turn;
