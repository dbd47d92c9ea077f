//! Reads a completed day from its event.

use domain::events::event::Event;
use domain::simulation::model_day::CompletedDay;
use runtime::http::Problem;

/// The day of a `model_day.completed` event.
pub(super) fn completed_day(body: &str) -> Result<CompletedDay, Problem> {
    match contract::decode_event(contract::kind::MODEL_DAY_COMPLETED, body.as_bytes()) {
        Ok(Event::ModelDayCompleted(day)) => Ok(*day),
        Ok(_) => Err(Problem::internal(&std::io::Error::other("a completed day's event is of another type"))),
        Err(problem) => Err(Problem::internal(&problem)),
    }
}
