//! Running model-days: one day, the lane of one portfolio's days, and the prices that a day can see.

pub mod decider;
pub mod lane;
pub mod line;
pub mod model_day;
pub mod price_window;
pub mod run;
pub mod staleness;
