//! Running model-days: one day, the lane of days of one portfolio, and what a day may look at.

pub mod decider;
pub mod lane;
pub mod model_day;
pub mod price_window;
pub mod run;
