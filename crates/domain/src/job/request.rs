//! A request for a simulation: what a body may say, and what it means on a given day.
//!
//! Two steps, both pure: [`TriggerRequest::parse`] judges the body alone, [`resolve()`] judges it against
//! the configured models, their history and today. Admission (how many jobs may be active) is not here.

use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::job::{OnFailure, Options};

mod body;
mod resolve;
mod validation;

#[cfg(test)]
mod tests;

pub use resolve::{KnownModel, Limits, Refusal, Resolved, message, resolve};
pub use validation::{Place, ValidationError};

/// The experiment of a request that names none.
pub const DEFAULT_EXPERIMENT: &str = "default";

/// A body that is well formed in itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriggerRequest {
    /// First date; `None` asks to resume: each model starts on the day after its own last completed day.
    pub start: Option<NaiveDate>,
    /// Last date, inclusive.
    pub end: NaiveDate,
    /// Signatures without repetition, in the order of the body; none stands for all enabled models.
    pub models: Vec<String>,
    /// How the job is to be run.
    pub options: Options,
    /// The experiment whose portfolios are used.
    pub experiment: String,
}

impl TriggerRequest {
    /// The request of a parsed JSON body; fields that are not ours are ignored.
    ///
    /// # Errors
    /// Everything that is wrong with the body at once, in the order of the documented fields.
    pub fn parse(body: &Value) -> Result<Self, Vec<ValidationError>> {
        body::parse(body)
    }

    /// One text for all bodies that ask for the same: defaults filled in, no unknown fields. What an
    /// idempotency key is compared by.
    pub fn normalised(&self) -> String {
        json!({
            "start_date": self.start.map(|date| date.to_string()),
            "end_date": self.end.to_string(),
            "models": self.models,
            "replace_existing": self.options.replace_existing,
            "on_failure": match self.options.on_failure {
                OnFailure::Continue => "continue",
                OnFailure::Stop => "stop",
            },
            "experiment": self.experiment,
            "wait_for_data": self.options.wait_for_data,
            "reprocess_stale": self.options.reprocess_stale,
            "budget": self.options.budget.map(|budget| budget.to_string()),
        })
        .to_string()
    }
}
