//! A lane in the hands of a worker: its turns, the days that a turn runs, and the lane's end.

mod agent_day;
mod batch;
mod cache;
mod day_record;
mod day_runner;
pub(crate) mod day_spans;
mod day_step;
pub(crate) mod feeder;
mod in_hand;
mod lane_end;
mod lease;

pub(crate) mod presence;
pub(crate) mod turn;
