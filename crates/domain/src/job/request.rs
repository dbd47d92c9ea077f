//! A request for a simulation: its JSON body, and what it means on a given day.
//!
//! [`TriggerRequest::parse`] validates the body alone, [`resolve()`] against the configured models, their history and
//! today. Both are pure. Admission (how many jobs may be active) is not here.

use chrono::NaiveDate;
use serde_json::json;

use crate::job::{OnFailure, Options, Priority};
use crate::market::instruments::Symbol;

mod body;
mod resolution;
mod validation;

#[cfg(test)]
mod tests;

pub use resolution::{KnownModel, RequestLimits, RequestRefusal, ResolvedRequest, message, resolve};
pub use validation::{PathSegment, ValidationError};

/// The experiment of a request that names none.
pub const DEFAULT_EXPERIMENT: &str = "default";

/// Longest name of a universe, in bytes.
pub const MAX_UNIVERSE_NAME: usize = 100;

/// Whether a text can name a universe: 1 to 100 letters, digits and `. _ -`.
pub fn is_universe_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    !text.is_empty() && text.len() <= MAX_UNIVERSE_NAME && text.chars().all(allowed)
}

/// What a request says about the symbols that may be traded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum UniverseChoice {
    /// Nothing: the universe of the configuration.
    #[default]
    Default,
    /// A universe by its name.
    Named(String),
    /// These symbols, without repetition, in the order of the body.
    Symbols(Vec<Symbol>),
}

/// A valid body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriggerRequest {
    /// First date; `None` resumes: each model starts on the day after its own last completed day.
    pub start: Option<NaiveDate>,
    /// Last date, inclusive.
    pub end: NaiveDate,
    /// Signatures without repetition, in the order of the body; none stands for all enabled models.
    pub models: Vec<String>,
    /// Which symbols may be traded.
    pub universe: UniverseChoice,
    /// How the job is to be run.
    pub options: Options,
    /// The experiment whose portfolios are used.
    pub experiment: String,
    /// Fields of the body that mean nothing.
    pub unknown_fields: Vec<String>,
}

impl TriggerRequest {
    /// One text for all bodies with the same meaning: defaults filled in, unknown fields left out. Two requests with the
    /// same idempotency key are the same when their texts are.
    pub fn normalised(&self) -> String {
        let mut text = json!({
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
        });
        // Added later: a request without them has the text that it always had.
        match &self.universe {
            UniverseChoice::Default => {}
            UniverseChoice::Named(name) => text["universe"] = json!(name),
            UniverseChoice::Symbols(symbols) => text["symbols"] = json!(symbols),
        }
        if self.options.priority != Priority::default() {
            text["priority"] = json!(self.options.priority.as_str());
        }
        text.to_string()
    }
}
