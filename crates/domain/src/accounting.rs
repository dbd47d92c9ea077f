//! What orders, fees and corporate actions do to a portfolio, exact to the cent.

pub mod applied_action;
pub mod costs;
pub mod day_book;
pub mod day_error;
pub mod day_result;
pub mod fill;
pub mod market_day;
pub mod order;
pub mod portfolio;
pub mod refusal;
pub mod split_detection;
