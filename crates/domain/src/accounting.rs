//! What orders, fees and corporate actions do to a portfolio, exact to the cent.

pub mod corporate_action;
pub mod corporate_actions;
pub mod costs;
pub mod day_book;
pub mod market_day;
pub mod order;
pub mod portfolio;
pub mod split_detection;
