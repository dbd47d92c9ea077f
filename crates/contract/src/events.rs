//! Events on the wire.

use domain::events::event::{
    DataFailed, DataReady, DataWaiting, DaysSkipped, DownloadProgressed, DownloadStarted, Event, JobEnded,
    JobOutline, JobStarted, ModelDayStarted,
};
use domain::job::{Job, JobOutcome, Tally};
use serde::de::DeserializeOwned;

use crate::days::{key, key_wire};
use crate::error::ContractError;
use crate::fields::{date, date_texts, dates, from_one, instant, instant_text, optional, parse};
use crate::market::{skipped, skipped_wire, warnings, warnings_wire};
use crate::{kind, wire};

/// Encodes an event as the body of its message.
///
/// # Errors
/// When the JSON writer refuses, which it does not for these types.
pub fn encode_event(event: &Event) -> Result<String, ContractError> {
    match event {
        Event::JobRequested(job) => serde_json::to_string(&wire::JobRequested { job: Some(job.into()) }),
        Event::DownloadStarted(event) => serde_json::to_string(&wire::DownloadStarted {
            job_id: event.job.to_string(),
            symbols_total: event.symbols_total,
        }),
        Event::DownloadProgressed(event) => serde_json::to_string(&wire::DownloadProgressed {
            job_id: event.job.to_string(),
            symbols_done: event.symbols_done,
            symbols_total: event.symbols_total,
            budget_left: event.budget_left,
        }),
        Event::DataReady(event) => serde_json::to_string(&wire::DataReady {
            job: Some((&event.job).into()),
            runnable_dates: date_texts(&event.runnable),
            skipped_dates: skipped_wire(&event.skipped),
            warnings: warnings_wire(&event.warnings),
        }),
        Event::DataWaiting(event) => serde_json::to_string(&wire::DataWaiting {
            job_id: event.job.to_string(),
            until: instant_text(event.until),
            symbols_missing: event.symbols_missing,
            windows: event.windows,
        }),
        Event::DataFailed(event) => serde_json::to_string(&wire::DataFailed {
            job: Some((&event.job).into()),
            error: event.error.clone(),
            skipped_dates: skipped_wire(&event.skipped),
            warnings: warnings_wire(&event.warnings),
        }),
        Event::JobStarted(event) => serde_json::to_string(&started_wire(event)),
        Event::ModelDayStarted(event) => serde_json::to_string(&wire::ModelDayStarted {
            key: key_wire(&event.key),
            attempt: event.attempt,
            started_at: instant_text(event.started_at),
        }),
        Event::ModelDayCompleted(day) => serde_json::to_string(&wire::ModelDayCompleted::from(day.as_ref())),
        Event::ModelDayFailed(day) => serde_json::to_string(&wire::ModelDayFailed::from(day)),
        Event::ModelDaysSkipped(event) => serde_json::to_string(&wire::ModelDaysSkipped {
            job_id: event.job.to_string(),
            experiment: event.experiment.clone(),
            model: event.model.clone(),
            trial: event.trial,
            dates: skipped_wire(&event.dates),
        }),
        Event::JobEnded(event) => serde_json::to_string(&ended_wire(event)),
    }
    .map_err(ContractError::Unwritable)
}

/// Decodes the body of a message of type `kind`.
///
/// # Errors
/// When the type is unknown, the body does not parse, or a value is not valid.
pub fn decode_event(kind: &str, body: &[u8]) -> Result<Event, ContractError> {
    Ok(match kind {
        kind::JOB_REQUESTED => Event::JobRequested(job(read::<wire::JobRequested>(kind, body)?.job)?),
        kind::DOWNLOAD_STARTED => {
            let event: wire::DownloadStarted = read(kind, body)?;
            Event::DownloadStarted(DownloadStarted {
                job: parse("job_id", &event.job_id)?,
                symbols_total: event.symbols_total,
            })
        }
        kind::DOWNLOAD_PROGRESSED => {
            let event: wire::DownloadProgressed = read(kind, body)?;
            Event::DownloadProgressed(DownloadProgressed {
                job: parse("job_id", &event.job_id)?,
                symbols_done: event.symbols_done,
                symbols_total: event.symbols_total,
                budget_left: event.budget_left,
            })
        }
        kind::DATA_READY => {
            let event: wire::DataReady = read(kind, body)?;
            Event::DataReady(DataReady {
                job: job(event.job)?,
                runnable: dates("runnable_dates", &event.runnable_dates)?,
                skipped: skipped(event.skipped_dates)?,
                warnings: warnings(event.warnings)?,
            })
        }
        kind::DATA_WAITING => {
            let event: wire::DataWaiting = read(kind, body)?;
            Event::DataWaiting(DataWaiting {
                job: parse("job_id", &event.job_id)?,
                until: instant("until", &event.until)?,
                symbols_missing: event.symbols_missing,
                windows: event.windows,
            })
        }
        kind::DATA_FAILED => {
            let event: wire::DataFailed = read(kind, body)?;
            Event::DataFailed(DataFailed {
                job: job(event.job)?,
                error: event.error,
                skipped: skipped(event.skipped_dates)?,
                warnings: warnings(event.warnings)?,
            })
        }
        kind::JOB_STARTED => {
            let event: wire::JobStarted = read(kind, body)?;
            Event::JobStarted(JobStarted {
                job: parse("job_id", &event.job_id)?,
                lanes: event.lanes,
                model_days: event.model_days,
                outline: outline(
                    event.experiment,
                    event.models,
                    [&event.start_date, &event.end_date],
                    event.requested_by,
                )?,
            })
        }
        kind::MODEL_DAY_STARTED => {
            let event: wire::ModelDayStarted = read(kind, body)?;
            Event::ModelDayStarted(ModelDayStarted {
                key: key(event.key)?,
                attempt: from_one("attempt", event.attempt)?,
                started_at: instant("started_at", &event.started_at)?,
            })
        }
        kind::MODEL_DAY_COMPLETED => {
            Event::ModelDayCompleted(Box::new(read::<wire::ModelDayCompleted>(kind, body)?.try_into()?))
        }
        kind::MODEL_DAY_FAILED => {
            Event::ModelDayFailed(read::<wire::ModelDayFailed>(kind, body)?.try_into()?)
        }
        kind::MODEL_DAYS_SKIPPED => {
            let event: wire::ModelDaysSkipped = read(kind, body)?;
            Event::ModelDaysSkipped(DaysSkipped {
                job: parse("job_id", &event.job_id)?,
                experiment: event.experiment,
                model: event.model,
                trial: event.trial,
                dates: skipped(event.dates)?,
            })
        }
        kind::JOB_COMPLETED | kind::JOB_PARTIAL | kind::JOB_FAILED | kind::JOB_CANCELLED => {
            Event::JobEnded(ended(kind, read(kind, body)?)?)
        }
        unknown => return Err(ContractError::UnknownType(unknown.to_owned())),
    })
}

pub(crate) fn read<T: DeserializeOwned>(kind: &str, body: &[u8]) -> Result<T, ContractError> {
    // Tracking the path doubles the time of parsing, and only an error needs the path.
    if let Ok(message) = serde_json::from_slice(body) {
        return Ok(message);
    }
    let refused = |path: String, source| ContractError::NotProtoJson { kind: kind.to_owned(), path, source };
    let mut json = serde_json::Deserializer::from_slice(body);
    let message = serde_path_to_error::deserialize(&mut json)
        .map_err(|problem| refused(problem.path().to_string(), problem.into_inner()))?;
    json.end().map_err(|source| refused(".".to_owned(), source))?;
    Ok(message)
}

fn job(job: Option<wire::Job>) -> Result<Job, ContractError> {
    job.ok_or(ContractError::missing("job"))?.try_into()
}

fn ended(kind: &str, event: wire::JobEnded) -> Result<JobEnded, ContractError> {
    let outcome = match event.outcome() {
        wire::JobOutcome::Completed => JobOutcome::Completed,
        wire::JobOutcome::Partial => JobOutcome::Partial,
        wire::JobOutcome::Failed => JobOutcome::Failed,
        wire::JobOutcome::Cancelled => JobOutcome::Cancelled,
        wire::JobOutcome::Unspecified => return Err(ContractError::missing("outcome")),
    };
    if kind != kind::of_outcome(outcome) {
        return Err(ContractError::invalid(
            "outcome",
            format_args!("{} is not that of {kind}", event.outcome().as_str_name()),
        ));
    }
    Ok(JobEnded {
        job: parse("job_id", &event.job_id)?,
        outcome,
        tally: Tally {
            completed: event.completed,
            failed: event.failed,
            skipped: event.skipped,
            already_completed: event.already_completed,
            incomplete: event.incomplete,
        },
        error: optional(&event.error).map(str::to_owned),
        warnings: warnings(event.warnings)?,
        ended_at: instant("ended_at", &event.ended_at)?,
        outline: outline(
            event.experiment,
            event.models,
            [&event.start_date, &event.end_date],
            event.requested_by,
        )?,
    })
}

/// The job in short; `None` when a message does not say it.
fn outline(
    experiment: String,
    models: Vec<String>,
    [start, end]: [&str; 2],
    requested_by: String,
) -> Result<Option<JobOutline>, ContractError> {
    if start.is_empty() || end.is_empty() {
        return Ok(None);
    }
    let (start, end) = (date("start_date", start)?, date("end_date", end)?);
    Ok(Some(JobOutline { experiment, models, start, end, requested_by }))
}

fn started_wire(event: &JobStarted) -> wire::JobStarted {
    let started = wire::JobStarted {
        job_id: event.job.to_string(),
        lanes: event.lanes,
        model_days: event.model_days,
        ..wire::JobStarted::default()
    };
    let Some(outline) = event.outline.clone() else { return started };
    wire::JobStarted {
        experiment: outline.experiment,
        models: outline.models,
        start_date: outline.start.to_string(),
        end_date: outline.end.to_string(),
        requested_by: outline.requested_by,
        ..started
    }
}

fn ended_wire(event: &JobEnded) -> wire::JobEnded {
    let outcome = match event.outcome {
        JobOutcome::Completed => wire::JobOutcome::Completed,
        JobOutcome::Partial => wire::JobOutcome::Partial,
        JobOutcome::Failed => wire::JobOutcome::Failed,
        JobOutcome::Cancelled => wire::JobOutcome::Cancelled,
    };
    let ended = wire::JobEnded {
        job_id: event.job.to_string(),
        outcome: outcome.into(),
        completed: event.tally.completed,
        failed: event.tally.failed,
        skipped: event.tally.skipped,
        already_completed: event.tally.already_completed,
        incomplete: event.tally.incomplete,
        error: event.error.clone().unwrap_or_default(),
        warnings: warnings_wire(&event.warnings),
        ended_at: instant_text(event.ended_at),
        ..wire::JobEnded::default()
    };
    let Some(outline) = event.outline.clone() else { return ended };
    wire::JobEnded {
        experiment: outline.experiment,
        models: outline.models,
        start_date: outline.start.to_string(),
        end_date: outline.end.to_string(),
        requested_by: outline.requested_by,
        ..ended
    }
}
