//! What a valid request means today: which models run from which date, or why it is refused.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::TriggerRequest;
use super::validation::{ValidationError, outside_calendar};
use crate::job::bounds::OutOfBounds;
use crate::market::calendar::{Calendar, weekdays};

/// A model of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownModel {
    /// Its unique name.
    pub signature: String,
    /// Whether it runs when a request names no models. A named model always runs.
    pub enabled: bool,
}

/// The limits of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestLimits {
    /// Calendar days from first to last date, both included.
    pub max_days: u32,
    /// The date in New York.
    pub today: NaiveDate,
}

/// What will be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedRequest {
    /// The earliest date of any model; `end` when every model is up to date.
    pub start: NaiveDate,
    /// Last date, inclusive.
    pub end: NaiveDate,
    /// Each model with its own first date, in the order of the request or else of the configuration.
    /// A first date after `end` means that the model is up to date: it has no days in this job.
    pub models: Vec<(String, NaiveDate)>,
    /// Whether the models continue from their own history.
    pub resume: bool,
}

impl ResolvedRequest {
    /// The models that are up to date and have no days in this job.
    pub fn up_to_date(&self) -> impl Iterator<Item = &str> {
        self.models.iter().filter(|(_, start)| *start > self.end).map(|(model, _)| model.as_str())
    }

    /// Weekdays in any model's range, each counted once; 0 when all are up to date.
    pub fn total_dates(&self) -> usize {
        self.models.iter().map(|(_, start)| weekdays(*start, self.end).len()).max().unwrap_or(0)
    }

    /// Weekdays of the models' ranges, summed over the models, for one trial each.
    pub fn total_model_days(&self) -> usize {
        self.models.iter().map(|(_, start)| weekdays(*start, self.end).len()).sum()
    }

    /// The `message` of the response.
    pub fn message(&self) -> String {
        message(self.total_dates(), self.models.len(), self.resume)
    }
}

/// The `message` of a response about `dates` dates and `models` models.
pub fn message(dates: usize, models: usize, resume: bool) -> String {
    let mode = if resume { " (resume mode)" } else { "" };
    format!("Simulation job created for {dates} dates, {models} models{mode}")
}

/// Why a valid request is not run; of several, the first in this order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestRefusal {
    /// Names that are no models of the configuration. A validation error.
    #[error("Unknown models: {}. Known models: {}", list(names), list(known))]
    UnknownModels {
        /// The names, in the order of the request.
        names: Vec<String>,
        /// Every model of the configuration, enabled or not.
        known: Vec<String>,
    },
    /// A date that is not in the future and that the calendar does not cover. A validation error.
    #[error("{}", outside_calendar(field, *date))]
    BeyondCalendar {
        /// `start_date` or `end_date`.
        field: &'static str,
        /// The date.
        date: NaiveDate,
    },
    /// No models are named and none is enabled.
    #[error("No enabled models found in config. Either enable models in config or specify them in request.")]
    NoModels,
    /// The range is backwards.
    #[error("start_date ({start}) must be <= end_date ({end})")]
    StartAfterEnd {
        /// First requested date.
        start: NaiveDate,
        /// Last requested date.
        end: NaiveDate,
    },
    /// The range is too long.
    #[error("Date range too large: {days} days (max: {max}). Reduce range or increase MAX_SIMULATION_DAYS.")]
    TooLarge {
        /// Calendar days, both ends included.
        days: i64,
        /// Allowed days.
        max: u32,
    },
    /// The job is larger than any job may be.
    #[error("Job too large: {} {} (max: {}). Name fewer models or a shorter range.", .0.found, .0.field, .0.max)]
    OutOfBounds(#[from] OutOfBounds),
    /// The range ends after today.
    #[error("end_date ({end}) cannot be in the future")]
    Future {
        /// Last requested date.
        end: NaiveDate,
    },
}

impl RequestRefusal {
    /// The `detail` of the response.
    pub fn detail(&self) -> String {
        self.to_string()
    }

    /// The refusal as a validation error (422), or `None` when it is a bad request (400).
    pub fn validation(&self) -> Option<ValidationError> {
        match self {
            Self::UnknownModels { names, .. } => {
                Some(ValidationError::value(vec!["body".into(), "models".into()], self, names.clone().into()))
            }
            Self::BeyondCalendar { field, date } => Some(ValidationError::outside_calendar(field, *date)),
            Self::NoModels
            | Self::StartAfterEnd { .. }
            | Self::TooLarge { .. }
            | Self::OutOfBounds(_)
            | Self::Future { .. } => None,
        }
    }
}

/// Resolves `request` for the models of the configuration.
///
/// `last_completed` is each model's last completed date in the request's experiment. When the request resumes, a model
/// without history runs the last date only, and a model that is up to date runs no day. A request whose models are all
/// up to date is no error: its job has no days and says so.
///
/// # Errors
/// The first refusal that applies, in the order of [`RequestRefusal`].
pub fn resolve(
    request: &TriggerRequest,
    limits: &RequestLimits,
    known: &[KnownModel],
    last_completed: &BTreeMap<String, NaiveDate>,
) -> Result<ResolvedRequest, RequestRefusal> {
    let signatures = chosen(request, known)?;
    refuse_beyond_calendar(request, limits.today)?;
    if signatures.is_empty() {
        return Err(RequestRefusal::NoModels);
    }
    let end = request.end;
    if let Some(start) = request.start.filter(|start| *start > end) {
        return Err(RequestRefusal::StartAfterEnd { start, end });
    }
    let first_date = |signature: &String| match (request.start, last_completed.get(signature)) {
        (Some(start), _) => start,
        (None, Some(last)) => last.succ_opt().unwrap_or(*last),
        (None, None) => end,
    };
    let models: Vec<_> = signatures
        .into_iter()
        .map(|signature| {
            let start = first_date(&signature);
            (signature, start)
        })
        .collect();
    let start = models.iter().map(|(_, start)| *start).min().unwrap_or(end).min(end);
    let days = (end - start).num_days() + 1;
    if days > i64::from(limits.max_days) {
        return Err(RequestRefusal::TooLarge { days, max: limits.max_days });
    }
    if end > limits.today {
        return Err(RequestRefusal::Future { end });
    }
    Ok(ResolvedRequest { start, end, models, resume: request.start.is_none() })
}

/// A date in the future is left to the rules about ranges, whose texts clients know.
fn refuse_beyond_calendar(request: &TriggerRequest, today: NaiveDate) -> Result<(), RequestRefusal> {
    let calendar = Calendar::nyse();
    let dates = [("start_date", request.start), ("end_date", Some(request.end))];
    let beyond = dates
        .into_iter()
        .filter_map(|(field, date)| Some((field, date?)))
        .find(|(_, date)| *date <= today && !calendar.covers(*date));
    beyond.map_or(Ok(()), |(field, date)| Err(RequestRefusal::BeyondCalendar { field, date }))
}

/// The signatures that the request names, or those of all enabled models.
fn chosen(request: &TriggerRequest, known: &[KnownModel]) -> Result<Vec<String>, RequestRefusal> {
    if request.models.is_empty() {
        let enabled = known.iter().filter(|model| model.enabled);
        return Ok(enabled.map(|model| model.signature.clone()).collect());
    }
    let all: BTreeSet<&str> = known.iter().map(|model| model.signature.as_str()).collect();
    let unknown = request.models.iter().filter(|name| !all.contains(name.as_str()));
    let names: Vec<String> = unknown.cloned().collect();
    if names.is_empty() {
        Ok(request.models.clone())
    } else {
        Err(RequestRefusal::UnknownModels {
            names,
            known: known.iter().map(|model| model.signature.clone()).collect(),
        })
    }
}

/// Up to twenty names, then the number of the others.
fn list(names: &[String]) -> String {
    const MAX_SHOWN: usize = 20;
    let shown: Vec<&str> = names.iter().take(MAX_SHOWN).map(String::as_str).collect();
    match names.len() {
        0 => "none".to_owned(),
        count @ ..=MAX_SHOWN => shown[..count].join(", "),
        count => format!("{} and {} more", shown.join(", "), count - MAX_SHOWN),
    }
}
