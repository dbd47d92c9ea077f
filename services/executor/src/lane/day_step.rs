//! What became of a lane's next day.

use domain::simulation::model_day::Winner;
use domain::simulation::run::PortfolioDay;
use storage::execution::{EndedAttempt, NewModelDay};

use crate::agent::Stop;

/// A day that was run, with what it changes for the days after it.
pub(super) struct EndedDay {
    pub(super) day: NewModelDay,
    /// Of a completed day: the portfolio's new winner and position.
    pub(super) effect: Option<(Winner, PortfolioDay)>,
    /// Of an agent's day: the attempt that ends with it.
    pub(super) attempt: Option<EndedAttempt>,
}

/// What became of the lane's next day.
pub(super) enum DayStep {
    /// It has ended.
    Ended(Box<EndedDay>),
    /// An agent's day that goes on in another turn.
    PutOff(Stop),
    /// Neither this day nor the lane's others are run, since the job's budget is used up.
    OutOfBudget,
}
